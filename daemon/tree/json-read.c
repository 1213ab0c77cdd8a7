/* JSON through jansson. Size, depth and number of values are bounded before jansson allocates for them. */

#include <jansson.h>
#include <string.h>

#include "alloc.h"
#include "tree-node.h"

static int fail_at(MrError *err, unsigned line, unsigned column, const char *message) {
        int r = mr_fail(err, MR_INVALID, NULL, "%s", message);

        return mr_error_at(err, r, NULL, line, column);
}

/* Counts brackets and commas outside of strings; whether they make sense is jansson's part. */
static int check_bounds(const char *text, size_t size, MrError *err) {
        unsigned depth = 0, line = 1, column = 0;
        size_t values = 1;
        bool in_string = false;

        if (size > MR_DOCUMENT_MAX)
                return fail_at(err, 0, 0, "the document is larger than 4 MiB; send less at once");
        for (size_t i = 0; i < size; i++) {
                char c = text[i];
                column = c == '\n' ? 0 : column + 1;
                line += c == '\n';
                if (c == '"')
                        in_string = !in_string;
                else if (in_string && c == '\\')
                        i++;
                else if (!in_string && (c == '[' || c == '{')) {
                        values++;
                        if (++depth > MR_DEPTH_MAX)
                                return fail_at(err, line, column, "nested deeper than 64 levels; flatten it");
                } else if (!in_string && (c == ']' || c == '}') && depth > 0)
                        depth--;
                else if (!in_string && c == ',' && ++values > MR_NODES_MAX)
                        return fail_at(err, line, column, "more than 200000 values; send less at once");
        }
        return values <= MR_NODES_MAX ? 0 : fail_at(err, line, column, "more than 200000 values; send less at once");
}

static MrTree *convert(json_t *json);

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
                r = mr_fail(err, MR_INVALID, NULL, "%s; write valid JSON", wrong.text);
                return mr_error_at(err, r, source, wrong.line > 0 ? (unsigned) wrong.line : 1,
                                   wrong.column > 0 ? (unsigned) wrong.column : 1);
        }
        *ret = convert(json);
        json_decref(json);
        return 0;
}
