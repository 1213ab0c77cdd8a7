/* Nodes: how they are made, owned, read and changed. */

#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "tree-node.h"

_Static_assert(sizeof(MrTree) <= 24, "a node no longer fits the smallest allocation");

MrTree *tree_new(MrTreeType type) {
        MrTree *tree = mr_new(MrTree, 1);

        tree->type = (uint8_t) type;
        return tree;
}

MrTree *mr_tree_new_null(void) {
        return tree_new(MR_TREE_NULL);
}

MrTree *mr_tree_new_bool(bool value) {
        MrTree *tree = tree_new(MR_TREE_BOOL);

        tree->boolean = value;
        return tree;
}

MrTree *mr_tree_new_int(int64_t value) {
        MrTree *tree = tree_new(MR_TREE_INT);

        tree->integer = value;
        return tree;
}

/* A whole number is an integer however it was written, because kubectl hands documents on as
 * JSON, where 1.0 and 1 are the same. What no JSON can say becomes null. */
MrTree *mr_tree_new_real(double value) {
        if (!isfinite(value))
                return mr_tree_new_null();
        if (value >= -0x1p63 && value < 0x1p63 && trunc(value) == value)
                return mr_tree_new_int((int64_t) value);
        MrTree *tree = tree_new(MR_TREE_REAL);
        tree->real = value;
        return tree;
}

MrTree *mr_tree_new_string(const char *value) {
        return value ? mr_tree_new_string_n(value, strlen(value)) : mr_tree_new_null();
}

MrTree *mr_tree_new_string_n(const char *value, size_t n) {
        if (!value)
                return mr_tree_new_null();
        MrTree *tree = tree_new(MR_TREE_STRING);
        tree->is_short = n < TREE_SHORT_MAX;
        if (!tree->is_short)
                tree->string = mr_strndup(value, n);
        else if (n > 0)
                memcpy(tree->short_string, value, n);
        return tree;
}

MrTree *mr_tree_new_list(void) {
        return tree_new(MR_TREE_LIST);
}

MrTree *mr_tree_new_map(void) {
        return tree_new(MR_TREE_MAP);
}

static bool is_list(const MrTree *tree) {
        return tree && tree->type == MR_TREE_LIST;
}

static bool is_map(const MrTree *tree) {
        return tree && tree->type == MR_TREE_MAP;
}

TreeKey *tree_key_new(const char *name, size_t n, unsigned line, unsigned column) {
        TreeKey *key = mr_calloc(1, sizeof(*key) + n + 1);

        key->line = line;
        key->column = column;
        memcpy(key->name, name, n);
        return key;
}

static void grow(MrTree *tree, size_t element) {
        if (tree->n < tree->allocated)
                return;
        tree->allocated = tree->n + tree->n / 2 + 2;
        tree->items = mr_realloc_array(tree->items, tree->allocated, element);
}

void tree_trim(MrTree *tree) {
        size_t element = is_map(tree) ? sizeof(TreeEntry) : sizeof(MrTree *);

        if (tree->n == tree->allocated)
                return;
        tree->items = mr_realloc_array(tree->items, tree->n, element);
        tree->allocated = tree->n;
}

static MrTree *copy_list(const MrTree *list) {
        MrTree *copy = mr_tree_new_list();

        copy->items = list->n ? mr_new(MrTree *, list->n) : NULL;
        copy->n = copy->allocated = list->n;
        for (size_t i = 0; i < list->n; i++)
                copy->items[i] = mr_tree_copy(list->items[i]);
        return copy;
}

static MrTree *copy_map(const MrTree *map) {
        MrTree *copy = mr_tree_new_map();

        copy->entries = map->n ? mr_new(TreeEntry, map->n) : NULL;
        copy->n = copy->allocated = map->n;
        for (size_t i = 0; i < map->n; i++) {
                const TreeKey *key = map->entries[i].key;
                copy->entries[i] = (TreeEntry){
                        .key = tree_key_new(key->name, strlen(key->name), key->line, key->column),
                        .value = mr_tree_copy(map->entries[i].value),
                };
        }
        return copy;
}

MrTree *mr_tree_copy(const MrTree *tree) {
        MrTree *copy = NULL;

        if (is_list(tree))
                copy = copy_list(tree);
        else if (is_map(tree))
                copy = copy_map(tree);
        else if (mr_tree_type(tree) == MR_TREE_STRING)
                copy = mr_tree_new_string(mr_tree_string(tree));
        else if (tree) {
                copy = mr_new(MrTree, 1);
                *copy = *tree;
        } else
                return mr_tree_new_null();
        copy->line = tree->line;
        copy->column = tree->column;
        return copy;
}

MrTree *mr_tree_free(MrTree *tree) {
        if (!tree)
                return NULL;
        if (is_list(tree)) {
                for (size_t i = 0; i < tree->n; i++)
                        mr_tree_free(tree->items[i]);
                free(tree->items);
        } else if (is_map(tree)) {
                for (size_t i = 0; i < tree->n; i++) {
                        free(tree->entries[i].key);
                        mr_tree_free(tree->entries[i].value);
                }
                free(tree->entries);
        } else if (tree->type == MR_TREE_STRING && !tree->is_short)
                free(tree->string);
        free(tree);
        return NULL;
}

MrTreeType mr_tree_type(const MrTree *tree) {
        return tree ? (MrTreeType) tree->type : MR_TREE_NULL;
}

const char *mr_tree_type_name(MrTreeType type) {
        static const char *const names[] = {
                [MR_TREE_NULL] = "null",       [MR_TREE_BOOL] = "a boolean",
                [MR_TREE_INT] = "an integer",  [MR_TREE_REAL] = "a number",
                [MR_TREE_STRING] = "a string", [MR_TREE_LIST] = "a list",
                [MR_TREE_MAP] = "a map",
        };

        return (size_t) type < MR_ELEMENTS(names) ? names[type] : "unknown";
}

bool mr_tree_bool(const MrTree *tree, bool otherwise) {
        return mr_tree_type(tree) == MR_TREE_BOOL ? tree->boolean : otherwise;
}

int64_t mr_tree_int(const MrTree *tree, int64_t otherwise) {
        return mr_tree_type(tree) == MR_TREE_INT ? tree->integer : otherwise;
}

double mr_tree_real(const MrTree *tree, double otherwise) {
        switch (mr_tree_type(tree)) {
        case MR_TREE_REAL:
                return tree->real;
        case MR_TREE_INT:
                return (double) tree->integer;
        default:
                return otherwise;
        }
}

const char *mr_tree_string(const MrTree *tree) {
        if (mr_tree_type(tree) != MR_TREE_STRING)
                return NULL;
        return tree->is_short ? tree->short_string : tree->string;
}

unsigned mr_tree_line(const MrTree *tree) {
        return tree ? tree->line : 0;
}

unsigned mr_tree_column(const MrTree *tree) {
        return tree ? tree->column : 0;
}

void mr_tree_set_position(MrTree *tree, unsigned line, unsigned column) {
        if (!tree)
                return;
        tree->line = line;
        tree->column = column < UINT16_MAX ? (uint16_t) column : UINT16_MAX;
}

size_t mr_tree_size(const MrTree *tree) {
        return is_list(tree) || is_map(tree) ? tree->n : 0;
}

MrTree *mr_tree_at(const MrTree *tree, size_t i) {
        if (i >= mr_tree_size(tree))
                return NULL;
        return is_list(tree) ? tree->items[i] : tree->entries[i].value;
}

const char *mr_tree_key(const MrTree *tree, size_t i) {
        return is_map(tree) && i < tree->n ? tree->entries[i].key->name : NULL;
}

unsigned mr_tree_key_line(const MrTree *map, size_t i, unsigned *ret_column) {
        bool known = is_map(map) && i < map->n;

        if (ret_column)
                *ret_column = known ? map->entries[i].key->column : 0;
        return known ? map->entries[i].key->line : 0;
}

bool tree_search(const MrTree *map, const char *key, size_t *ret_i) {
        size_t low = 0, high = map->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(map->entries[middle].key->name, key);
                if (order == 0) {
                        *ret_i = middle;
                        return true;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_i = low;
        return false;
}

MrTree *mr_tree_get(const MrTree *map, const char *key) {
        size_t i;

        return is_map(map) && key && tree_search(map, key, &i) ? map->entries[i].value : NULL;
}

const char *mr_tree_get_string(const MrTree *map, const char *key) {
        return mr_tree_string(mr_tree_get(map, key));
}

int64_t mr_tree_get_int(const MrTree *map, const char *key, int64_t otherwise) {
        return mr_tree_int(mr_tree_get(map, key), otherwise);
}

bool mr_tree_get_bool(const MrTree *map, const char *key, bool otherwise) {
        return mr_tree_bool(mr_tree_get(map, key), otherwise);
}

void tree_add_unsorted(MrTree *map, TreeKey *take_key, MrTree *take_value) {
        grow(map, sizeof(TreeEntry));
        map->entries[map->n++] = (TreeEntry){take_key, take_value};
}

static int compare_entries(const void *a, const void *b) {
        const TreeKey *first = ((const TreeEntry *) a)->key, *second = ((const TreeEntry *) b)->key;
        int order = strcmp(first->name, second->name);

        if (order != 0)
                return order;
        if (first->line != second->line)
                return first->line < second->line ? -1 : 1;
        return (first->column > second->column) - (first->column < second->column);
}

const TreeKey *tree_sort(MrTree *map) {
        if (map->n > 1)
                qsort(map->entries, map->n, sizeof(TreeEntry), compare_entries);
        for (size_t i = 1; i < map->n; i++)
                if (strcmp(map->entries[i - 1].key->name, map->entries[i].key->name) == 0)
                        return map->entries[i].key;
        return NULL;
}

MrTree *mr_tree_set(MrTree *map, const char *key, MrTree *take_value) {
        size_t i;

        if (!is_map(map) || !key)
                return mr_tree_free(take_value);
        MrTree *value = take_value ? take_value : mr_tree_new_null();
        if (tree_search(map, key, &i)) {
                if (map->entries[i].value != value)
                        mr_tree_free(map->entries[i].value);
                return map->entries[i].value = value;
        }
        grow(map, sizeof(TreeEntry));
        memmove(map->entries + i + 1, map->entries + i, (map->n - i) * sizeof(TreeEntry));
        map->entries[i] = (TreeEntry){tree_key_new(key, strlen(key), 0, 0), value};
        map->n++;
        return value;
}

MrTree *mr_tree_append(MrTree *list, MrTree *take_value) {
        if (!is_list(list))
                return mr_tree_free(take_value);
        grow(list, sizeof(MrTree *));
        return list->items[list->n++] = take_value ? take_value : mr_tree_new_null();
}

MrTree *mr_tree_set_string(MrTree *map, const char *key, const char *value) {
        return value ? mr_tree_set(map, key, mr_tree_new_string(value)) : NULL;
}

MrTree *mr_tree_set_int(MrTree *map, const char *key, int64_t value) {
        return mr_tree_set(map, key, mr_tree_new_int(value));
}

MrTree *mr_tree_set_bool(MrTree *map, const char *key, bool value) {
        return mr_tree_set(map, key, mr_tree_new_bool(value));
}

MrTree *mr_tree_need_map(MrTree *map, const char *key) {
        MrTree *found = mr_tree_get(map, key);

        return is_map(found) ? found : mr_tree_set(map, key, mr_tree_new_map());
}

MrTree *mr_tree_need_list(MrTree *map, const char *key) {
        MrTree *found = mr_tree_get(map, key);

        return is_list(found) ? found : mr_tree_set(map, key, mr_tree_new_list());
}

void mr_tree_remove(MrTree *map, const char *key) {
        size_t i;

        if (is_map(map) && key && tree_search(map, key, &i))
                mr_tree_remove_at(map, i);
}

void mr_tree_remove_at(MrTree *tree, size_t i) {
        if (i >= mr_tree_size(tree))
                return;
        mr_tree_free(mr_tree_at(tree, i));
        tree->n--;
        if (is_list(tree)) {
                memmove(tree->items + i, tree->items + i + 1, (tree->n - i) * sizeof(MrTree *));
                return;
        }
        free(tree->entries[i].key);
        memmove(tree->entries + i, tree->entries + i + 1, (tree->n - i) * sizeof(TreeEntry));
}
