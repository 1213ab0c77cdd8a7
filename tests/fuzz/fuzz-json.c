/* JSON read, written, patched and compared: each way leads back to the same tree. */

#include <stdint.h>
#include <stdlib.h>

#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
        if (!condition)
                abort();
}

static void find_again(const char *path, const MrTree *a, const MrTree *b, void *userdata) {
        require(a && !b);
        require(mr_tree_find(userdata, path, false) == a);
}

static void check_texts(const MrTree *tree) {
        _cleanup_(mr_tree_freep) MrTree *from_json = NULL, *from_yaml = NULL;
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, 0, &text);
        if (text.size <= MR_DOCUMENT_MAX) {
                require(mr_json_read(mr_buf_text(&text), text.size, NULL, &from_json, NULL) == 0);
                require(mr_tree_equal(tree, from_json));
        }
        mr_buf_clear(&text);
        mr_yaml_write(tree, &text);
        if (text.size <= MR_DOCUMENT_MAX && mr_tree_type(tree) != MR_TREE_NULL) {
                require(mr_yaml_read(mr_buf_text(&text), text.size, NULL, &from_yaml, NULL, NULL) ==
                        0);
                require(mr_tree_equal(tree, mr_tree_at(from_yaml, 0)));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = mr_json_read((const char *) data, size, "fuzz", &tree, &err);
        if (r < 0) {
                require(err.message && err.kind == MR_INVALID && !tree);
                return 0;
        }
        check_texts(tree);
        mr_tree_diff(tree, NULL, find_again, tree);
        /* A patch applied twice changes nothing the second time. */
        _cleanup_(mr_tree_freep) MrTree *once = mr_tree_merge_patch(NULL, tree);
        _cleanup_(mr_tree_freep) MrTree *twice = mr_tree_merge_patch(mr_tree_copy(once), tree);
        require(mr_tree_equal(once, twice));
        return 0;
}
