/* Merge patches as RFC 7386 defines them: a null removes, a map merges, anything else replaces. */

#include "macros.h"
#include "tree-node.h"

static void patch_key(MrTree *target, const char *key, const MrTree *value) {
        size_t i;

        if (mr_tree_type(value) == MR_TREE_NULL) {
                mr_tree_remove(target, key);
                return;
        }
        /* The old value is taken out of its slot, so that it can be consumed and the result put back. */
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
