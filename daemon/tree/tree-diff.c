/* Comparing trees: whether they are equal, and where they are not. */

#include <string.h>

#include "str.h"
#include "tree-node.h"

static bool equal_children(const MrTree *a, const MrTree *b) {
        if (mr_tree_size(a) != mr_tree_size(b))
                return false;
        for (size_t i = 0; i < mr_tree_size(a); i++)
                if (!mr_streq(mr_tree_key(a, i), mr_tree_key(b, i)) ||
                    !mr_tree_equal(mr_tree_at(a, i), mr_tree_at(b, i)))
                        return false;
        return true;
}

bool mr_tree_equal(const MrTree *a, const MrTree *b) {
        if (mr_tree_type(a) != mr_tree_type(b))
                return false;
        switch (mr_tree_type(a)) {
        case MR_TREE_NULL:
                return true;
        case MR_TREE_BOOL:
                return a->boolean == b->boolean;
        case MR_TREE_INT:
                return a->integer == b->integer;
        case MR_TREE_REAL:
                return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
        case MR_TREE_STRING:
                return mr_streq(mr_tree_string(a), mr_tree_string(b));
        case MR_TREE_LIST:
        case MR_TREE_MAP:
                return equal_children(a, b);
        }
        return false;
}

typedef struct Diff {
        MrBuf path;
        MrTreeDifference found;
        void *userdata;
} Diff;

static void compare(Diff *diff, const MrTree *a, const MrTree *b);

static void shorten(MrBuf *path, size_t size) {
        if (!path->data)
                return;
        path->size = size;
        path->data[size] = '\0';
}

static void compare_key(Diff *diff, const char *key, const MrTree *a, const MrTree *b) {
        size_t size = diff->path.size;

        mr_tree_path_key(&diff->path, key);
        compare(diff, a, b);
        shorten(&diff->path, size);
}

/* Both key lists are sorted, so one walk meets every key of either side. */
static void compare_maps(Diff *diff, const MrTree *a, const MrTree *b) {
        size_t i = 0, j = 0;

        while (i < mr_tree_size(a) || j < mr_tree_size(b)) {
                const char *key_a = mr_tree_key(a, i), *key_b = mr_tree_key(b, j);
                int order = !key_a ? 1 : !key_b ? -1 : strcmp(key_a, key_b);
                const MrTree *value_a = order <= 0 ? mr_tree_at(a, i) : NULL;
                const MrTree *value_b = order >= 0 ? mr_tree_at(b, j) : NULL;
                compare_key(diff, order <= 0 ? key_a : key_b, value_a, value_b);
                i += order <= 0;
                j += order >= 0;
        }
}

static void compare_lists(Diff *diff, const MrTree *a, const MrTree *b) {
        for (size_t i = 0; i < mr_tree_size(a) || i < mr_tree_size(b); i++) {
                size_t size = diff->path.size;
                mr_tree_path_index(&diff->path, i);
                compare(diff, mr_tree_at(a, i), mr_tree_at(b, i));
                shorten(&diff->path, size);
        }
}

static void compare(Diff *diff, const MrTree *a, const MrTree *b) {
        const MrTree *present = a ? a : b;
        bool alike = !a || !b || a->type == b->type;

        if (alike && mr_tree_type(present) == MR_TREE_MAP && mr_tree_size(a) + mr_tree_size(b) > 0)
                compare_maps(diff, a, b);
        else if (alike && mr_tree_type(present) == MR_TREE_LIST &&
                 mr_tree_size(a) + mr_tree_size(b) > 0)
                compare_lists(diff, a, b);
        else if (!a || !b || !mr_tree_equal(a, b))
                diff->found(mr_buf_text(&diff->path), a, b, diff->userdata);
}

void mr_tree_diff(const MrTree *a, const MrTree *b, MrTreeDifference found, void *userdata) {
        Diff diff = {.found = found, .userdata = userdata};

        if (a || b)
                compare(&diff, a, b);
        mr_buf_done(&diff.path);
}
