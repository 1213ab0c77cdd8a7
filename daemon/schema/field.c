/* Questions about tables and decoded values. */

#include "field.h"

#include <string.h>

#include "scalar.h"
#include "str.h"

const MrField *field_named(const MrField *fields, const char *name, size_t n) {
        for (const MrField *field = fields; field && field->type != MR_TYPE_NONE; field++)
                if (strlen(field->name) == n && memcmp(field->name, name, n) == 0)
                        return field;
        return NULL;
}

const MrField *mr_field_find(const MrField *fields, const char *path) {
        const MrField *field = NULL;

        if (!path)
                return NULL;
        while (*path) {
                size_t n = strcspn(path, ".[");
                field = field_named(fields, path, n);
                if (!field)
                        return NULL;
                fields = field->fields;
                path += n;
                while (*path == '[') {
                        path += strcspn(path, "]");
                        path += *path == ']';
                }
                if (*path == '.')
                        path++;
        }
        return field;
}

const char *mr_type_name(MrType type) {
        switch (type) {
        case MR_TYPE_NONE:
                return "nothing";
        case MR_TYPE_BOOL:
                return "boolean";
        case MR_TYPE_INT:
                return "integer";
        case MR_TYPE_NUMBER:
                return "number";
        case MR_TYPE_STRING:
                return "string";
        case MR_TYPE_ENUM:
                return "one of a few words";
        case MR_TYPE_BYTES:
                return "quantity of bytes";
        case MR_TYPE_MILLI:
                return "quantity of CPU";
        case MR_TYPE_OBJECT:
                return "object";
        case MR_TYPE_LIST:
                return "list of objects";
        case MR_TYPE_STRINGS:
                return "list of strings";
        case MR_TYPE_INTS:
                return "list of integers";
        case MR_TYPE_MAP:
                return "map of strings";
        case MR_TYPE_TREE:
                return "anything";
        }
        return "unknown";
}

bool mr_kind_is_planned(const MrKind *kind) {
        return !kind->owner_kind && !kind->is_data;
}

bool mr_strings_has(const MrStrings *strings, const char *text) {
        for (size_t i = 0; i < strings->n; i++)
                if (mr_streq(strings->items[i], text))
                        return true;
        return false;
}

MrTree *mr_pairs_tree(const MrPairs *pairs) {
        MrTree *map = mr_tree_new_map();

        for (size_t i = 0; pairs && i < pairs->n; i++)
                mr_tree_set_string(map, pairs->items[i].key, pairs->items[i].value);
        return map;
}

const char *mr_pairs_get(const MrPairs *pairs, const char *key) {
        size_t low = 0, high = pairs ? pairs->n : 0;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(pairs->items[middle].key, key);
                if (order == 0)
                        return pairs->items[middle].value;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}
