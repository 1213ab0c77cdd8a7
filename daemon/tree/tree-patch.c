/* Merging of maps: patches as RFC 7386 defines them (a null removes, a map merges, anything else
 * replaces), and YAML's merge key, which only adds. */

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "tree-node.h"

static void patch_key(MrTree *target, const char *key, const MrTree *value) {
        size_t i;

        if (mr_tree_type(value) == MR_TREE_NULL) {
                mr_tree_remove(target, key);
                return;
        }
        /* The old value is taken out of its slot, so that it can be consumed and the result put
         * back. */
        MrTree *old = NULL;
        if (tree_search(target, key, &i))
                old = TAKE(target->entries[i].value);
        MrTree *patched = mr_tree_merge_patch(old, value);
        if (tree_search(target, key, &i))
                target->entries[i].value = patched;
        else
                mr_tree_set(target, key, patched);
}

MrTree *mr_tree_merge_patch(MrTree *take_target, const MrTree *patch) {
        if (mr_tree_type(patch) != MR_TREE_MAP) {
                mr_tree_free(take_target);
                return mr_tree_copy(patch);
        }
        if (mr_tree_type(take_target) != MR_TREE_MAP) {
                mr_tree_free(take_target);
                take_target = mr_tree_new_map();
        }
        for (size_t i = 0; i < mr_tree_size(patch); i++)
                patch_key(take_target, mr_tree_key(patch, i), mr_tree_at(patch, i));
        return take_target;
}

static TreeEntry copy_entry(const TreeEntry *entry) {
        const TreeKey *key = entry->key;

        return (TreeEntry){tree_key_new(key->name, strlen(key->name), key->line, key->column),
                           mr_tree_copy(entry->value)};
}

/* Adds what `from` has and `map` has not, in one walk over both, which are sorted. */
static void merge_missing(MrTree *map, const MrTree *from) {
        size_t n = mr_tree_size(map) + mr_tree_size(from), i = 0, j = 0, used = 0;
        TreeEntry *entries = mr_new(TreeEntry, n);

        while (i < map->n || j < from->n) {
                int order = i == map->n ? 1
                            : j == from->n
                                    ? -1
                                    : strcmp(map->entries[i].key->name, from->entries[j].key->name);
                entries[used++] = order <= 0 ? map->entries[i] : copy_entry(&from->entries[j]);
                i += order <= 0;
                j += order >= 0;
        }
        free(map->entries);
        map->entries = entries;
        map->n = (uint32_t) used;
        map->allocated = (uint32_t) n;
}

#define MERGED_MAPS_MAX 100U

static const char *merge_problem(const MrTree *from) {
        static const char only_maps[] = "<< can merge only maps; use an alias of a map";

        if (mr_tree_type(from) == MR_TREE_MAP)
                return NULL;
        if (mr_tree_type(from) != MR_TREE_LIST)
                return only_maps;
        if (mr_tree_size(from) > MERGED_MAPS_MAX)
                return "<< has more than 100 maps; write the values out";
        for (size_t i = 0; i < mr_tree_size(from); i++)
                if (mr_tree_type(mr_tree_at(from, i)) != MR_TREE_MAP)
                        return only_maps;
        return NULL;
}

const char *tree_merge_key(MrTree *map, const MrTree *from) {
        const char *problem = merge_problem(from);

        if (problem)
                return problem;
        if (mr_tree_type(from) == MR_TREE_MAP)
                merge_missing(map, from);
        else
                for (size_t i = 0; i < mr_tree_size(from); i++)
                        merge_missing(map, mr_tree_at(from, i));
        return NULL;
}
