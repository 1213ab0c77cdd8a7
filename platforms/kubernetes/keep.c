#include "keep.h"

#include <string.h>

#include "owned.h"

const char *keep_note(const MrFacts *facts, const char *ns, const char *name, MrArena *arena) {
        MrPairs notes = mr_facts_secret_notes(facts, name, arena);
        _cleanup_(mr_tree_freep) MrTree *kept = mr_tree_new_map();
        MrTree *map = mr_tree_need_map(kept, "notes");
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < notes.n; i++)
                mr_tree_set_string(map, notes.items[i].key, notes.items[i].value);
        mr_tree_set_string(
                kept, "signs",
                mr_facts_remembered(facts, mr_arena_strf(arena, "signs/%s/%s", ns, name)));
        mr_json_write(kept, 0, &text);
        return mr_arena_strdup(arena, mr_buf_text(&text));
}

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
