#include "keep.h"

#include <string.h>

#include "owned.h"

static MrTree *values_of(const MrTree *data) {
        MrTree *values = mr_tree_new_map();

        for (size_t i = 0; i < mr_tree_size(data); i++) {
                const char *key = mr_tree_key(data, i);
                const char *text = mr_tree_string(mr_tree_at(data, i));
                _cleanup_(mr_buf_wipe) MrBuf bytes = {};
                if (text && owned_is_binary(key))
                        mr_tree_set_string(values, key, text);
                else if (text && mr_unbase64(text, strlen(text), &bytes) >= 0)
                        mr_tree_set_string(values, key, mr_buf_text(&bytes));
        }
        return values;
}

MrTree *keep_read(const MrTree *object) {
        const MrTree *metadata = mr_tree_get(object, "metadata"),
                     *labels = mr_tree_get(metadata, "labels");
        const char *text =
                mr_tree_get_string(mr_tree_get(metadata, "annotations"), KEPT_ANNOTATION);
        _cleanup_(mr_tree_freep) MrTree *kept = NULL;

        if (!text || mr_json_read(text, strlen(text), NULL, &kept, NULL) < 0 ||
            mr_tree_type(kept) != MR_TREE_MAP)
                return NULL;
        mr_tree_set(kept, "values", values_of(mr_tree_get(object, "data")));
        if (labels)
                mr_tree_set(kept, "labels", mr_tree_copy(labels));
        return TAKE(kept);
}
