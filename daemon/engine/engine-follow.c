/* Data that a pass asks for, and that the platform keeps. */

#include <string.h>

#include "engine-private.h"
#include "sdk/str.h"

static bool is_made_here(const Desire *desire, const char *ns, const char *name) {
        return desire && (mr_manifests_find(desire->wanted, "Secret", ns, name) ||
                          mr_manifests_find(desire->wanted, "ConfigMap", ns, name));
}

/* Where it is not known what it will be made of, nothing that was needed before is let go. */
static MrTree *needed(const Tracked *tracked, const MrFacts *facts, const Desire *desire) {
        const MrPairs *asked = facts_asked(facts);
        const char *ns = tracked->document->resource.ns;
        MrTree *names =
                tracked->followed && !desire ? mr_tree_copy(tracked->followed) : mr_tree_new_map();

        for (size_t i = 0; i < asked->n; i++) {
                const char *kind = asked->items[i].value;
                const char *name = asked->items[i].key + strlen(kind) + 1;
                _cleanup_free_ char *key = mr_resource_key(kind, ns, name);
                if (!is_made_here(desire, ns, name))
                        mr_tree_set(names, key, mr_tree_new_null());
        }
        return names;
}

static int tell(Engine *engine, const Tracked *tracked, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrStrings names = {};

        for (size_t i = 0; i < mr_tree_size(tracked->followed); i++)
                mr_strings_add(arena, &names, mr_tree_key(tracked->followed, i));
        return engine->args.platform->platform->follow(engine->platform, tracked->key, &names, err);
}

int engine_follow(Engine *engine, Tracked *tracked, const MrFacts *facts, const Desire *desire,
                  MrError *err) {
        if (!engine->args.platform->platform->follow)
                return 1;
        MrTree *names = needed(tracked, facts, desire);
        mr_tree_free(tracked->followed);
        tracked->followed = names;
        return tell(engine, tracked, err);
}

void engine_unfollow(Engine *engine, Tracked *tracked) {
        if (mr_tree_size(tracked->followed) == 0)
                return;
        tracked->followed = mr_tree_free(tracked->followed);
        (void) tell(engine, tracked, NULL);
}
