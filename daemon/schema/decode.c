/* Walks a field table and a document side by side and fills a struct. Errors and warnings name
 * the whole path and the place in the file. */

#include <string.h>

#include "scalar.h"
#include "str.h"
#include "warn.h"

static int decode_object(Decoder *decoder, const MrField *fields, const MrTree *tree, void *object);
static int decode_member(Decoder *decoder, const MrField *field, const MrTree *tree, void *member);

/* An error that was just made gets the path and place where the decoder stands. */
static int fail_here(Decoder *decoder, int r, const MrTree *tree) {
        mr_error_at(decoder->err, r, NULL, mr_tree_line(tree), mr_tree_column(tree));
        return decoder->path.size > 0 ? mr_error_within(decoder->err, r, "%s", decoder->path.data)
                                      : r;
}

static void shorten(MrBuf *path, size_t size) {
        if (!path->data)
                return;
        path->size = size;
        path->data[size] = '\0';
}

/* A rule knows its own part of the path; the place is that of what it names, or of what comes
 * nearest to it. */
static int run_rule(Decoder *decoder, const MrField *field, const MrTree *tree,
                    const void *object) {
        if (!field->rule)
                return 0;
        MrError local = MR_ERROR_INIT;
        int r = field->rule(object, &local);
        if (r < 0) {
                fail_here(&(Decoder){.err = &local, .path = decoder->path}, r,
                          mr_tree_find(tree, local.path, true));
                if (decoder->err)
                        mr_error_move(decoder->err, &local);
        }
        mr_error_done(&local);
        return r;
}

static int decode_element_object(Decoder *decoder, const MrField *field, const MrTree *tree,
                                 void *object) {
        int r = mr_tree_type(tree) == MR_TREE_MAP
                        ? 0
                        : fail_here(decoder,
                                    scalar_mismatch(field, MR_TYPE_OBJECT, tree, decoder->err),
                                    tree);

        if (r >= 0)
                r = decode_object(decoder, field->fields, tree, object);
        return r < 0 ? r : run_rule(decoder, field, tree, object);
}

static int check_length(Decoder *decoder, const MrField *field, const MrTree *tree) {
        long long n = (long long) mr_tree_size(tree), min = field->min, max = field->max;

        if (field_has_minimum(field) && n < min)
                return fail_here(decoder,
                                 mr_fail(decoder->err, MR_INVALID, NULL,
                                         "has %lld elements, below the minimum %lld; add some", n,
                                         min),
                                 tree);
        if (field_has_maximum(field) && n > max)
                return fail_here(decoder,
                                 mr_fail(decoder->err, MR_INVALID, NULL,
                                         "has %lld elements, above the maximum %lld; remove some",
                                         n, max),
                                 tree);
        return 0;
}

static int decode_list(Decoder *decoder, const MrField *field, const MrTree *tree, MrList *list) {
        size_t n = mr_tree_size(tree), before = decoder->path.size;
        char *items = mr_arena_alloc(decoder->arena, n * field->size);

        int r = check_length(decoder, field, tree);
        for (size_t i = 0; i < n && r >= 0; i++) {
                mr_tree_path_index(&decoder->path, i);
                r = decode_element_object(decoder, field, mr_tree_at(tree, i),
                                          items + i * field->size);
                shorten(&decoder->path, before);
        }
        if (r >= 0)
                *list = (MrList){items, n};
        return r;
}

static int decode_string_element(Decoder *decoder, const MrField *field, const MrTree *tree,
                                 const char **ret) {
        const char *text = mr_tree_string(tree);

        int r = text ? scalar_check_string(field, text, decoder->err)
                     : scalar_mismatch(field, MR_TYPE_STRING, tree, decoder->err);
        if (r < 0)
                return fail_here(decoder, r, tree);
        *ret = mr_arena_strdup(decoder->arena, text);
        return 0;
}

static int decode_strings(Decoder *decoder, const MrField *field, const MrTree *tree,
                          MrStrings *strings) {
        size_t n = mr_tree_size(tree), before = decoder->path.size;
        const char **items = mr_arena_new_array(decoder->arena, const char *, n);

        int r = check_length(decoder, field, tree);
        for (size_t i = 0; i < n && r >= 0; i++) {
                mr_tree_path_index(&decoder->path, i);
                r = decode_string_element(decoder, field, mr_tree_at(tree, i), &items[i]);
                shorten(&decoder->path, before);
        }
        if (r >= 0)
                *strings = (MrStrings){items, n};
        return r;
}

static int decode_int_element(Decoder *decoder, const MrField *field, const MrTree *tree,
                              int64_t *ret) {
        *ret = mr_tree_int(tree, 0);
        int r = mr_tree_type(tree) == MR_TREE_INT
                        ? scalar_check_int(field, *ret, decoder->err)
                        : scalar_mismatch(field, MR_TYPE_INT, tree, decoder->err);
        return r < 0 ? fail_here(decoder, r, tree) : 0;
}

static int decode_ints(Decoder *decoder, const MrField *field, const MrTree *tree, MrInts *ints) {
        size_t n = mr_tree_size(tree), before = decoder->path.size;
        int64_t *items = mr_arena_new_array(decoder->arena, int64_t, n);
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                mr_tree_path_index(&decoder->path, i);
                r = decode_int_element(decoder, field, mr_tree_at(tree, i), &items[i]);
                shorten(&decoder->path, before);
        }
        if (r >= 0)
                *ints = (MrInts){items, n};
        return r;
}

/* Nothing can be said with a null in a map of texts, so it counts as not written. */
static int decode_pair(Decoder *decoder, const MrField *field, const MrTree *map, size_t i,
                       MrPairs *pairs) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};
        const MrTree *value = mr_tree_at(map, i);

        if (mr_tree_type(value) == MR_TREE_NULL)
                return 0;
        bool is_text = field->flags & MR_STRICT ? mr_tree_type(value) == MR_TREE_STRING
                                                : mr_tree_type(value) < MR_TREE_LIST;
        if (!is_text || !mr_tree_text(value, &text))
                return fail_here(decoder,
                                 scalar_mismatch(field, MR_TYPE_STRING, value, decoder->err),
                                 value);
        pairs->items[pairs->n++] = (MrPair){
                .key = mr_arena_strdup(decoder->arena, mr_tree_key(map, i)),
                .value = mr_arena_strdup(decoder->arena, mr_buf_text(&text)),
        };
        return 0;
}

static int decode_map(Decoder *decoder, const MrField *field, const MrTree *tree, MrPairs *ret) {
        size_t before = decoder->path.size;
        MrPairs pairs = {.items = mr_arena_new_array(decoder->arena, MrPair, mr_tree_size(tree))};
        int r = 0;

        for (size_t i = 0; i < mr_tree_size(tree) && r >= 0; i++) {
                mr_tree_path_key(&decoder->path, mr_tree_key(tree, i));
                r = decode_pair(decoder, field, tree, i, &pairs);
                shorten(&decoder->path, before);
        }
        if (r >= 0)
                *ret = pairs;
        return r;
}

static int decode_pointer(Decoder *decoder, const MrField *field, const MrTree *tree, void **ret) {
        void *object = mr_arena_alloc(decoder->arena, field->size);

        int r = decode_element_object(decoder, field, tree, object);
        if (r >= 0)
                *ret = object;
        return r;
}

static int decode_collection(Decoder *decoder, const MrField *field, const MrTree *tree,
                             void *member) {
        MrTreeType wanted = field->type == MR_TYPE_MAP ? MR_TREE_MAP : MR_TREE_LIST;

        if (mr_tree_type(tree) != wanted)
                return fail_here(decoder, scalar_mismatch(field, field->type, tree, decoder->err),
                                 tree);
        switch (field->type) {
        case MR_TYPE_LIST:
                return decode_list(decoder, field, tree, member);
        case MR_TYPE_STRINGS:
                return decode_strings(decoder, field, tree, member);
        case MR_TYPE_INTS:
                return decode_ints(decoder, field, tree, member);
        default:
                return decode_map(decoder, field, tree, member);
        }
}

static int keep_tree(Decoder *decoder, const MrField *field, const MrTree *tree,
                     const MrTree **ret) {
        MrTreeType type = mr_tree_type(tree);

        if (field->flags & MR_ONLY_MAP && type != MR_TREE_MAP)
                return fail_here(decoder,
                                 scalar_mismatch(field, MR_TYPE_OBJECT, tree, decoder->err), tree);
        if (field->flags & MR_ONLY_LIST && type != MR_TREE_LIST)
                return fail_here(decoder, scalar_mismatch(field, MR_TYPE_LIST, tree, decoder->err),
                                 tree);
        *ret = tree;
        return 0;
}

static int decode_member(Decoder *decoder, const MrField *field, const MrTree *tree, void *member) {
        switch (field->type) {
        case MR_TYPE_NONE:
                return 0;
        case MR_TYPE_TREE:
                return keep_tree(decoder, field, tree, member);
        case MR_TYPE_OBJECT:
                return decode_pointer(decoder, field, tree, member);
        case MR_TYPE_LIST:
        case MR_TYPE_STRINGS:
        case MR_TYPE_INTS:
        case MR_TYPE_MAP:
                return decode_collection(decoder, field, tree, member);
        default: {
                int r = scalar_decode(field, tree, decoder->arena, member, decoder->err);
                return r < 0 ? fail_here(decoder, r, tree) : 0;
        }
        }
}

static size_t key_index(const MrTree *map, const char *key) {
        size_t i = 0;

        while (i < mr_tree_size(map) && !mr_streq(mr_tree_key(map, i), key))
                i++;
        return i;
}

static int decode_field(Decoder *decoder, const MrField *field, const MrTree *map, char *object) {
        size_t before = decoder->path.size;
        const MrTree *value = mr_tree_get(map, field->name);
        int r = 0;

        mr_tree_path_key(&decoder->path, field->name);
        if (mr_tree_type(value) != MR_TREE_NULL) {
                unsigned inherited = decoder->inherited;
                warn_flags(decoder, field, map, key_index(map, field->name));
                decoder->inherited |= field->flags & MR_INHERITED;
                r = decode_member(decoder, field, value, object + field->offset);
                decoder->inherited = inherited;
        } else if (field->flags & MR_REQUIRED)
                r = fail_here(decoder,
                              mr_fail(decoder->err, MR_INVALID, NULL, "is required; add it"), map);
        shorten(&decoder->path, before);
        return r;
}

static int decode_object(Decoder *decoder, const MrField *fields, const MrTree *tree,
                         void *object) {
        mr_defaults(fields, decoder->arena, object);
        for (const MrField *field = fields; field->type != MR_TYPE_NONE; field++) {
                int r = mr_streq(field->name, "*") ? 0 : decode_field(decoder, field, tree, object);
                if (r < 0)
                        return r;
        }
        warn_unknown(decoder, fields, tree);
        return 0;
}

int mr_decode(const MrField *fields, const MrTree *tree, MrArena *arena, void *object,
              MrTree *warnings, MrError *err) {
        Decoder decoder = {.arena = arena, .warnings = warnings, .err = err};
        static const MrField none = {};

        int r = mr_tree_type(tree) == MR_TREE_MAP || mr_tree_type(tree) == MR_TREE_NULL
                        ? decode_object(&decoder, fields, tree, object)
                        : fail_here(&decoder, scalar_mismatch(&none, MR_TYPE_OBJECT, tree, err),
                                    tree);
        mr_buf_done(&decoder.path);
        free(decoder.reported);
        return r;
}

/* The fallback of a list or map is written in YAML's flow style. */
static void default_collection(const MrField *field, MrArena *arena, void *member) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;
        Decoder decoder = {.arena = arena};

        int r = mr_yaml_read(field->fallback, strlen(field->fallback), NULL, &documents, NULL,
                             NULL);
        if (r >= 0)
                r = decode_member(&decoder, field, mr_tree_at(documents, 0), member);
        mr_buf_done(&decoder.path);
        free(decoder.reported);
        if (r >= 0)
                return;
        mr_abort("The default \"%s\" of the field %s does not fit its type.", field->fallback,
                 field->name);
}

void mr_defaults(const MrField *fields, MrArena *arena, void *object) {
        for (const MrField *field = fields; field->type != MR_TYPE_NONE; field++) {
                void *member = (char *) object + field->offset;
                if (!field->fallback)
                        scalar_absent(field, member);
                else if (field->type < MR_TYPE_OBJECT)
                        scalar_default(field, arena, member);
                else if (field->type != MR_TYPE_TREE)
                        default_collection(field, arena, member);
        }
}
