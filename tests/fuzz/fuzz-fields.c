/* Decoding what may be anything through a table with every type of field. The first line,
 * without its comment sign, is also tried as a path. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/schema/schema-example.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
        if (!condition)
                abort();
}

static void try_path(const MrTree *documents, const char *text, size_t size) {
        size_t start = size > 0 && text[0] == '#' ? 1 : 0, n = start;

        while (n < size && text[n] != '\n')
                n++;
        _cleanup_free_ char *path = mr_strndup(text + start, n - start);
        mr_tree_find(documents, path, true);
        mr_field_find(example_fields, path);
}

static void decode(const MrTree *document) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        ExampleSpec spec = {}, again = {};

        int r = mr_decode(example_fields, document, arena, &spec, warnings, &err);
        require(r == mr_decode(example_fields, document, arena, &again, NULL, NULL));
        if (r < 0) {
                require(err.message && err.kind == MR_INVALID && err.line > 0);
                return;
        }
        require(spec.replicas >= 1 && spec.listeners.n <= 3);
        for (size_t i = 1; i < spec.config.n; i++)
                require(strcmp(spec.config.items[i - 1].key, spec.config.items[i].key) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;

        if (mr_yaml_read((const char *) data, size, NULL, &documents, NULL, NULL) < 0)
                return 0;
        try_path(documents, (const char *) data, size);
        for (size_t i = 0; i < mr_tree_size(documents); i++)
                decode(mr_tree_at(documents, i));
        return 0;
}
