/* What goes with the copy of a secret; keep.c finds it again. */

#include "keep.h"

const char *lower_keep_note(const MrFacts *facts, const char *ns, const char *name,
                            MrArena *arena) {
        MrPairs notes = mr_facts_secret_notes(facts, name, arena);
        _cleanup_(mr_tree_freep) MrTree *kept = mr_tree_new_map();
        MrTree *map = mr_tree_need_map(kept, "notes");
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < notes.n; i++)
                mr_tree_set_string(map, notes.items[i].key, notes.items[i].value);
        mr_tree_set_string(
                kept, "signs",
                mr_facts_remembered(facts, mr_arena_strf(arena, MR_SIGNS_KEY, ns, name)));
        mr_json_write(kept, 0, &text);
        return mr_arena_strdup(arena, mr_buf_text(&text));
}
