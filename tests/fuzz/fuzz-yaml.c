/* Whatever is read as YAML must be written so that it reads back to the same tree, as YAML and
 * as JSON. */

#include <stdint.h>
#include <stdlib.h>

#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
        if (!condition)
                abort();
}

static void check_yaml(const MrTree *tree) {
        _cleanup_(mr_tree_freep) MrTree *again = NULL;
        _cleanup_buf_ MrBuf text = {};

        mr_yaml_write(tree, &text);
        if (text.size > MR_DOCUMENT_MAX)
                return;
        require(mr_yaml_read(mr_buf_text(&text), text.size, NULL, &again, NULL, NULL) == 0);
        require(mr_tree_equal(tree, mr_tree_at(again, 0)));
}

static void check_json(const MrTree *tree, unsigned flags) {
        _cleanup_(mr_tree_freep) MrTree *again = NULL;
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, flags, &text);
        if (text.size > MR_DOCUMENT_MAX)
                return;
        require(mr_json_read(mr_buf_text(&text), text.size, NULL, &again, NULL) == 0);
        require(mr_tree_equal(tree, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL, *warnings = mr_tree_new_list();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = mr_yaml_read((const char *) data, size, "fuzz", &documents, warnings, &err);
        if (r < 0) {
                require(err.message && err.kind == MR_INVALID && !documents);
                return 0;
        }
        for (size_t i = 0; i < mr_tree_size(documents); i++) {
                const MrTree *document = mr_tree_at(documents, i);
                _cleanup_(mr_tree_freep) MrTree *copy = mr_tree_copy(document);
                require(mr_tree_equal(copy, document));
                check_yaml(document);
                check_json(document, i % 2 ? MR_JSON_PRETTY : 0);
        }
        return 0;
}
