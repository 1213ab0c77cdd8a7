/* JSON through jansson. Size, depth and number of values are bounded before jansson allocates
 * for them. */

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "tree-node.h"

static int fail_at(MrError *err, unsigned line, unsigned column, const char *message) {
        int r = mr_fail(err, MR_INVALID, NULL, "%s", message);

        return mr_error_at(err, r, NULL, line, column);
}

typedef struct Bounds {
        unsigned depth, line, column;
        size_t values;
        bool in_string, is_open; /* is_open: just after a bracket, where a first value may follow */
} Bounds;

static const char *check_character(Bounds *bounds, char c) {
        if (bounds->in_string || strchr(" \t\r\n", c)) {
                bounds->in_string = bounds->in_string && c != '"';
                return NULL;
        }
        bool is_close = c == ']' || c == '}';
        bounds->values += c == ',' || (bounds->is_open && !is_close);
        bounds->is_open = c == '[' || c == '{';
        bounds->in_string = c == '"';
        bounds->depth += bounds->is_open;
        bounds->depth -= is_close && bounds->depth > 0;
        if (bounds->depth > MR_DEPTH_MAX)
                return "nested deeper than 64 levels; flatten it";
        return bounds->values > MR_NODES_MAX ? "more than 200000 values; send less at once" : NULL;
}

/* Counts what stands outside of strings; whether it makes sense is jansson's part. */
static int check_bounds(const char *text, size_t size, MrError *err) {
        Bounds bounds = {.line = 1, .values = 1};

        if (size > MR_DOCUMENT_MAX)
                return fail_at(err, 0, 0, "the document is larger than 4 MiB; send less at once");
        for (size_t i = 0; i < size; i++) {
                bounds.line += text[i] == '\n';
                bounds.column = text[i] == '\n' ? 0 : bounds.column + 1;
                if (bounds.in_string && text[i] == '\\') {
                        i++;
                        continue;
                }
                const char *wrong = check_character(&bounds, text[i]);
                if (wrong)
                        return fail_at(err, bounds.line, bounds.column, wrong);
        }
        return 0;
}

static MrTree *convert(json_t *json);

/* The first key that is too long for messages and paths, or NULL. */
static const char *find_long_key(const MrTree *tree) {
        const char *found = NULL;

        for (size_t i = 0; i < mr_tree_size(tree) && !found; i++) {
                const char *key = mr_tree_key(tree, i);
                found = key && strlen(key) > MR_KEY_MAX ? key : find_long_key(mr_tree_at(tree, i));
        }
        return found;
}

static MrTree *convert_object(json_t *json) {
        MrTree *map = mr_tree_new_map();
        const char *key;
        json_t *value;

        json_object_foreach(json, key, value)
                tree_add_unsorted(map, tree_key_new(key, strlen(key), 0, 0), convert(value));
        tree_sort(map);
        tree_trim(map);
        return map;
}

static MrTree *convert_array(json_t *json) {
        MrTree *list = mr_tree_new_list();

        for (size_t i = 0; i < json_array_size(json); i++)
                mr_tree_append(list, convert(json_array_get(json, i)));
        tree_trim(list);
        return list;
}

static MrTree *convert(json_t *json) {
        switch (json_typeof(json)) {
        case JSON_OBJECT:
                return convert_object(json);
        case JSON_ARRAY:
                return convert_array(json);
        case JSON_STRING:
                return mr_tree_new_string_n(json_string_value(json), json_string_length(json));
        case JSON_INTEGER:
                return mr_tree_new_int(json_integer_value(json));
        case JSON_REAL:
                return mr_tree_new_real(json_real_value(json));
        case JSON_TRUE:
        case JSON_FALSE:
                return mr_tree_new_bool(json_is_true(json));
        case JSON_NULL:
                break;
        }
        return mr_tree_new_null();
}

int mr_json_read(const char *text, size_t size, const char *source, MrTree **ret, MrError *err) {
        int r = check_bounds(text, size, err);
        if (r < 0)
                return mr_error_at(err, r, source, 0, 0);

        json_error_t wrong;
        json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &wrong);
        if (!json) {
                /* Jansson repeats bytes of the input, which may be anything. */
                for (char *c = wrong.text; *c; c++)
                        *c = iscntrl((unsigned char) *c) || (unsigned char) *c > 0x7F ? '?' : *c;
                r = mr_fail(err, MR_INVALID, NULL, "%s; write valid JSON", wrong.text);
                return mr_error_at(err, r, source, wrong.line > 0 ? (unsigned) wrong.line : 1,
                                   wrong.column > 0 ? (unsigned) wrong.column : 1);
        }
        _cleanup_(mr_tree_freep) MrTree *tree = convert(json);
        json_decref(json);
        if (find_long_key(tree)) {
                r = mr_fail(err, MR_INVALID, NULL, "a key is longer than %u bytes; shorten it",
                            MR_KEY_MAX);
                return mr_error_at(err, r, source, 0, 0);
        }
        *ret = TAKE(tree);
        return 0;
}
