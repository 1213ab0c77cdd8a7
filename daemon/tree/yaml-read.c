/* YAML events of libyaml become trees. What comes from outside is bounded before anything is
 * built: bytes, depth, and nodes after aliases were copied. */

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "alloc.h"
#include "str.h"
#include "tree-node.h"
#include "yaml-check.h"

typedef struct Anchor {
        char *name;
        const MrTree *tree; /* borrowed; NULL while the anchored node is still being read */
        size_t nodes;
        unsigned height;
} Anchor;

typedef struct Reader {
        yaml_parser_t parser;
        const char *text;
        size_t size;
        MrTree *warnings; /* borrowed, may be NULL */
        MrError *err;     /* borrowed, may be NULL */
        Anchor *anchors;
        size_t n_anchors, allocated_anchors;
        MrTree *discarded; /* keys and merged maps: part of no document, yet anchors may name them
                            */
        size_t nodes;
} Reader;

static void event_done(yaml_event_t *event) {
        yaml_event_delete(event);
}
#define _cleanup_event_ _cleanup_(event_done)

static void anchors_clear(Reader *reader) {
        for (size_t i = 0; i < reader->n_anchors; i++)
                free(reader->anchors[i].name);
        reader->n_anchors = 0;
        reader->discarded = mr_tree_free(reader->discarded);
}

static void discard(Reader *reader, MrTree *take_tree) {
        if (reader->n_anchors == 0) {
                mr_tree_free(take_tree);
                return;
        }
        if (!reader->discarded)
                reader->discarded = mr_tree_new_list();
        mr_tree_append(reader->discarded, take_tree);
}

static void reader_done(Reader *reader) {
        anchors_clear(reader);
        free(reader->anchors);
        yaml_parser_delete(&reader->parser);
}

static int fail_at(Reader *reader, yaml_mark_t mark, const char *format, ...) _printf_(3, 4);
static int fail_at(Reader *reader, yaml_mark_t mark, const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);
        int r = mr_fail(reader->err, MR_INVALID, NULL, "%s", message);
        return mr_error_at(reader->err, r, NULL, (unsigned) mark.line + 1,
                           (unsigned) mark.column + 1);
}

static int fail_quoting(Reader *reader, yaml_mark_t mark, const char *before, const char *text,
                        const char *after) {
        _cleanup_buf_ MrBuf quoted = {};

        mr_text_quote(text, &quoted);
        return fail_at(reader, mark, "%s%s%s", before, mr_buf_text(&quoted), after);
}

static int next_event(Reader *reader, yaml_event_t *event) {
        if (yaml_parser_parse(&reader->parser, event))
                return 0;
        const yaml_parser_t *parser = &reader->parser;
        /* What was never closed is looked for where it was opened. */
        return fail_at(reader,
                       yaml_is_unclosed(parser) ? parser->context_mark : parser->problem_mark, "%s",
                       yaml_advice(parser, reader->text, reader->size));
}

static int count_nodes(Reader *reader, size_t n, yaml_mark_t mark) {
        if (n > MR_NODES_MAX || reader->nodes > MR_NODES_MAX - n)
                return fail_at(reader, mark,
                               "the file has more than %u values once its aliases are copied; "
                               "split it into "
                               "smaller files",
                               MR_NODES_MAX);
        reader->nodes += n;
        return 0;
}

static void set_position(MrTree *tree, yaml_mark_t mark) {
        mr_tree_set_position(tree, (unsigned) mark.line + 1, (unsigned) mark.column + 1);
}

static unsigned tree_height(const MrTree *tree) {
        unsigned height = 0;

        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                unsigned child = tree_height(mr_tree_at(tree, i));
                height = child > height ? child : height;
        }
        return height + 1;
}

#define ANCHORS_MAX 1000U /* of one document: each alias searches them all */

/* An anchor exists from its first character on, so that an alias inside it is recognised as a
 * loop. */
static int anchor_open(Reader *reader, const yaml_char_t *name, yaml_mark_t mark, size_t *ret) {
        *ret = SIZE_MAX;
        if (!name)
                return 0;
        if (reader->n_anchors == ANCHORS_MAX)
                return fail_at(reader, mark,
                               "more than %u anchors in one document; write the values out",
                               ANCHORS_MAX);
        MR_GROW(reader->anchors, reader->n_anchors, reader->allocated_anchors);
        reader->anchors[reader->n_anchors] = (Anchor){.name = mr_strdup((const char *) name)};
        *ret = reader->n_anchors++;
        return 0;
}

static void anchor_close(Reader *reader, size_t i, const MrTree *tree, size_t nodes_before) {
        if (i == SIZE_MAX)
                return;
        reader->anchors[i].tree = tree;
        reader->anchors[i].nodes = reader->nodes - nodes_before;
        reader->anchors[i].height = tree_height(tree);
}

static int read_alias(Reader *reader, const yaml_event_t *event, unsigned depth, MrTree **ret) {
        const char *name = (const char *) event->data.alias.anchor;
        const Anchor *anchor = NULL;

        for (size_t i = reader->n_anchors; i > 0 && !anchor; i--)
                if (mr_streq(reader->anchors[i - 1].name, name))
                        anchor = &reader->anchors[i - 1];
        if (!anchor)
                return fail_quoting(reader, event->start_mark, "no anchor ", name,
                                    " comes before this alias; check the name");
        if (!anchor->tree)
                return fail_quoting(reader, event->start_mark, "the alias ", name,
                                    " stands inside its own anchor; write the value out");
        if (depth + anchor->height > MR_DEPTH_MAX)
                return fail_at(reader, event->start_mark,
                               "nested deeper than %u levels; flatten it", MR_DEPTH_MAX);
        int r = count_nodes(reader, anchor->nodes, event->start_mark);
        if (r < 0)
                return r;
        *ret = mr_tree_copy(anchor->tree);
        return 0;
}

static void warn_boolean(Reader *reader, const yaml_event_t *event, const MrTree *value) {
        if (!reader->warnings || mr_tree_size(reader->warnings) >= MR_WARNINGS_MAX)
                return;
        MrTree *warning = mr_tree_append(reader->warnings, mr_tree_new_map());
        _cleanup_free_ char *message =
                mr_strf("%s is the boolean %s in YAML 1.1; write %s, or put it in quotes if a "
                        "string is meant",
                        (const char *) event->data.scalar.value, value->boolean ? "true" : "false",
                        value->boolean ? "true" : "false");
        mr_tree_set_int(warning, "line", (int64_t) event->start_mark.line + 1);
        mr_tree_set_int(warning, "column", (int64_t) event->start_mark.column + 1);
        mr_tree_set_string(warning, "message", message);
}

#define TAG_PREFIX "tag:yaml.org,2002:"

/* The part of a standard tag that names the type, or NULL when no standard tag is written. */
static const char *standard_tag(const yaml_event_t *event) {
        const char *tag = (const char *) event->data.scalar.tag;

        return tag && mr_starts_with(tag, TAG_PREFIX) ? tag + strlen(TAG_PREFIX) : NULL;
}

static bool tag_fits(const char *tag, const MrTree *value) {
        switch (mr_tree_type(value)) {
        case MR_TREE_NULL:
                return mr_streq(tag, "null");
        case MR_TREE_BOOL:
                return mr_streq(tag, "bool");
        case MR_TREE_INT:
                return mr_streq(tag, "int") || mr_streq(tag, "float");
        case MR_TREE_REAL:
                return mr_streq(tag, "float");
        default:
                return mr_streq(tag, "timestamp");
        }
}

static bool is_typed_tag(const char *tag) {
        static const char *const typed[] = {"null", "bool", "int", "float", "timestamp"};

        for (size_t i = 0; i < MR_ELEMENTS(typed); i++)
                if (mr_streq(tag, typed[i]))
                        return true;
        return false;
}

static int resolve(Reader *reader, const yaml_event_t *event, const char *tag, MrTree **ret) {
        const char *text = (const char *) event->data.scalar.value;
        _cleanup_(mr_tree_freep) MrTree *value = NULL;

        ScalarSurprise surprise = scalar_resolve(text, event->data.scalar.length, &value);
        if (!value)
                return fail_at(reader, event->start_mark,
                               "%s is no number that JSON knows; write a finite number, or "
                               "put it in quotes",
                               text);
        if (tag && !tag_fits(tag, value))
                return fail_quoting(reader, event->start_mark, "", text,
                                    " does not fit its tag; remove the tag");
        if (surprise == SCALAR_BECAME_BOOL && !tag)
                warn_boolean(reader, event, value);
        *ret = TAKE(value);
        return 0;
}

static int read_scalar(Reader *reader, const yaml_event_t *event, MrTree **ret) {
        const char *text = (const char *) event->data.scalar.value, *tag = standard_tag(event);
        size_t n = event->data.scalar.length;

        if (memchr(text, '\0', n))
                return fail_at(reader, event->start_mark,
                               "a string contains a NUL character; remove \\0 from it");
        if (mr_streq(tag, "binary"))
                return fail_at(reader, event->start_mark,
                               "!!binary is not supported; remove the tag and keep the "
                               "base64 text");
        int r = count_nodes(reader, 1, event->start_mark);
        if (r < 0)
                return r;
        if (is_typed_tag(tag) || (!event->data.scalar.tag && event->data.scalar.plain_implicit))
                r = resolve(reader, event, tag, ret);
        else
                *ret = mr_tree_new_string_n(text, n);
        if (r >= 0)
                set_position(*ret, event->start_mark);
        return r;
}

static int read_node(Reader *reader, const yaml_event_t *event, unsigned depth, MrTree **ret);

static int read_list(Reader *reader, unsigned depth, MrTree *list) {
        for (;;) {
                _cleanup_event_ yaml_event_t event = {};
                int r = next_event(reader, &event);
                if (r < 0)
                        return r;
                if (event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                MrTree *element;
                r = read_node(reader, &event, depth + 1, &element);
                if (r < 0)
                        return r;
                mr_tree_append(list, element);
        }
        tree_trim(list);
        return 0;
}

static bool is_merge_key(const yaml_event_t *event) {
        if (event->type != YAML_SCALAR_EVENT ||
            strcmp((const char *) event->data.scalar.value, "<<") != 0)
                return false;
        return event->data.scalar.plain_implicit || mr_streq(standard_tag(event), "merge");
}

/* Keys are strings in JSON, so kubectl writes out whatever else YAML read in their place. */
static int read_key(Reader *reader, const yaml_event_t *event, TreeKey **ret) {
        _cleanup_buf_ MrBuf text = {};
        MrTree *tree;

        if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
                return fail_at(reader, event->start_mark,
                               "a key must be a plain word or a string; put one that "
                               "begins with a bracket or brace in quotes");
        int r = read_node(reader, event, 0, &tree);
        if (r < 0)
                return r;
        bool is_text = mr_tree_text(tree, &text);
        discard(reader, tree);
        /* There are as many keys as values, which are counted. */
        reader->nodes--;
        if (text.size > MR_KEY_MAX)
                return fail_at(reader, event->start_mark,
                               "a key is longer than %u bytes; shorten it", MR_KEY_MAX);
        if (!is_text)
                return fail_at(reader, event->start_mark,
                               "a key must be a plain word or a string; put it in quotes");
        *ret = tree_key_new(mr_buf_text(&text), text.size, (unsigned) event->start_mark.line + 1,
                            (unsigned) event->start_mark.column + 1);
        return 0;
}

static int merge(Reader *reader, MrTree *map, const MrTree *from) {
        const char *problem = tree_merge_key(map, from);

        if (!problem)
                return 0;
        int r = mr_fail(reader->err, MR_INVALID, NULL, "%s", problem);
        return mr_error_at(reader->err, r, NULL, from->line, from->column);
}

static int read_entry(Reader *reader, const yaml_event_t *event, unsigned depth, MrTree *map,
                      MrTree **merged) {
        bool is_merge = is_merge_key(event);
        _cleanup_free_ TreeKey *key = NULL;
        MrTree *value;

        int r = is_merge ? 0 : read_key(reader, event, &key);
        if (r < 0)
                return r;
        _cleanup_event_ yaml_event_t value_event = {};
        r = next_event(reader, &value_event);
        if (r >= 0)
                r = read_node(reader, &value_event, depth + 1, &value);
        if (r < 0)
                return r;
        if (!is_merge)
                tree_add_unsorted(map, TAKE(key), value);
        else if (*merged) {
                discard(reader, value);
                return fail_at(reader, event->start_mark,
                               "the key << is written twice; give it a list of maps");
        } else
                *merged = value;
        return 0;
}

static int check_duplicate(Reader *reader, MrTree *map) {
        const TreeKey *duplicate = tree_sort(map);

        if (!duplicate)
                return 0;
        size_t i = 0;
        while (strcmp(map->entries[i].key->name, duplicate->name) != 0)
                i++;
        _cleanup_buf_ MrBuf name = {};
        mr_text_quote(duplicate->name, &name);
        int r = mr_fail(reader->err, MR_INVALID, NULL,
                        "the key %s is written twice, first on line %u; remove one of them",
                        mr_buf_text(&name), map->entries[i].key->line);
        return mr_error_at(reader->err, r, NULL, duplicate->line, duplicate->column);
}

static int read_entries(Reader *reader, unsigned depth, MrTree *map, MrTree **merged) {
        for (;;) {
                _cleanup_event_ yaml_event_t event = {};
                int r = next_event(reader, &event);
                if (r < 0 || event.type == YAML_MAPPING_END_EVENT)
                        return r;
                r = read_entry(reader, &event, depth, map, merged);
                if (r < 0)
                        return r;
        }
}

static int read_map(Reader *reader, unsigned depth, MrTree *map) {
        MrTree *merged = NULL;

        int r = read_entries(reader, depth, map, &merged);
        if (r >= 0)
                r = check_duplicate(reader, map);
        if (r >= 0 && merged)
                r = merge(reader, map, merged);
        if (merged)
                discard(reader, merged);
        if (r >= 0)
                tree_trim(map);
        return r;
}

static int read_collection(Reader *reader, const yaml_event_t *event, unsigned depth,
                           MrTree **ret) {
        bool is_map = event->type == YAML_MAPPING_START_EVENT;
        const yaml_char_t *name =
                is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;

        if (depth >= MR_DEPTH_MAX)
                return fail_at(reader, event->start_mark,
                               "nested deeper than %u levels; flatten it", MR_DEPTH_MAX);
        int r = count_nodes(reader, 1, event->start_mark);
        if (r < 0)
                return r;
        size_t nodes_before = reader->nodes - 1, anchor;
        r = anchor_open(reader, name, event->start_mark, &anchor);
        if (r < 0)
                return r;
        _cleanup_(mr_tree_freep) MrTree *tree = is_map ? mr_tree_new_map() : mr_tree_new_list();
        set_position(tree, event->start_mark);
        r = is_map ? read_map(reader, depth, tree) : read_list(reader, depth, tree);
        if (r < 0)
                return r;
        anchor_close(reader, anchor, tree, nodes_before);
        *ret = TAKE(tree);
        return 0;
}

static int read_node(Reader *reader, const yaml_event_t *event, unsigned depth, MrTree **ret) {
        switch (event->type) {
        case YAML_ALIAS_EVENT:
                return read_alias(reader, event, depth, ret);
        case YAML_SCALAR_EVENT: {
                size_t anchor;
                int r = anchor_open(reader, event->data.scalar.anchor, event->start_mark, &anchor);
                if (r >= 0)
                        r = read_scalar(reader, event, ret);
                if (r >= 0)
                        anchor_close(reader, anchor, *ret, reader->nodes - 1);
                return r;
        }
        default:
                return read_collection(reader, event, depth, ret);
        }
}

static int read_stream(Reader *reader, MrTree *documents) {
        for (;;) {
                _cleanup_event_ yaml_event_t event = {};
                int r = next_event(reader, &event);
                if (r < 0)
                        return r;
                if (event.type == YAML_STREAM_END_EVENT)
                        return 0;
                if (event.type == YAML_STREAM_START_EVENT ||
                    event.type == YAML_DOCUMENT_START_EVENT)
                        continue;
                anchors_clear(reader);
                if (event.type == YAML_DOCUMENT_END_EVENT)
                        continue;
                MrTree *document;
                r = read_node(reader, &event, 0, &document);
                if (r < 0)
                        return r;
                if (mr_tree_type(document) == MR_TREE_NULL)
                        mr_tree_free(document);
                else
                        mr_tree_append(documents, document);
        }
}

int mr_yaml_read(const char *text, size_t size, const char *source, MrTree **ret, MrTree *warnings,
                 MrError *err) {
        int r = text_check(text, size, err);
        if (r < 0)
                return mr_error_at(err, r, source, 0, 0);

        _cleanup_(reader_done)
                Reader reader = {.text = text, .size = size, .warnings = warnings, .err = err};
        if (!yaml_parser_initialize(&reader.parser))
                abort();
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *) text, size);
        _cleanup_(mr_tree_freep) MrTree *documents = mr_tree_new_list();
        r = read_stream(&reader, documents);
        if (r < 0)
                return mr_error_at(err, r, source, 0, 0);
        *ret = TAKE(documents);
        return 0;
}
