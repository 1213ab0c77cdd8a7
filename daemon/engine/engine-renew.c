/* A node begins anew only when somebody says so, and only once: because its data is lost, or is to
 * be given up. */

#include <string.h>

#include "engine-private.h"
#include "sdk/str.h"

/* "NODE prepared" → whether it is this node, and its storage held data */
static bool held_data(const char *remembered, const char *node) {
        _cleanup_free_ char *expected = mr_strf("%s prepared", node);

        return mr_streq(remembered, expected);
}

/* Whether the node has storage that was seen with data: any, or some that is gone or empty now. */
static int has_data(Engine *engine, const char *ns, const char *node, bool is_lost, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *prefix = mr_strf("claim/%s/", ns);

        int r = store_remembered(engine->args.store, prefix, &all, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(all); i++) {
                const char *claim = mr_tree_key(all, i) + strlen("claim/");
                const MrTree *found = mr_tree_get(engine->observation.claims, claim);
                if (held_data(mr_tree_string(mr_tree_at(all, i)), node) &&
                    (!is_lost || !found || mr_tree_get_bool(found, "lost", false)))
                        return 1;
        }
        return 0;
}

static int ask(Engine *engine, const char *what, const char *ns, const char *node,
               const char *reason, MrError *err) {
        int r = engine_ask(engine, what, ns, node, reason, err);

        if (r < 0)
                return r;
        engine_kick(engine);
        return 0;
}

int engine_renew(Engine *engine, const char *ns, const char *node, const char *reason,
                 MrError *err) {
        if (!engine->has_observation)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "nothing is known of the storage of %s yet; try again", node);
        int r = has_data(engine, ns, node, true, err);
        if (r < 0)
                return r;
        if (r == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "no storage of %s has lost its data, so there is nothing to renew",
                               node);
        return ask(engine, "renew", ns, node, reason, err);
}

/* Whether the node began anew or got its data back: what was asked for does not wait for the next
 * time that something is lost. */
int engine_end_renewals(Engine *engine, const char *ns, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs asked = {};

        int r = engine->has_observation ? engine_asked(engine, "renew", ns, arena, &asked, err) : 0;
        for (size_t i = 0; r >= 0 && i < asked.n; i++) {
                const char *node = asked.items[i].key;
                r = has_data(engine, ns, node, true, err);
                if (r == 0)
                        r = store_remember(engine->args.store,
                                           mr_arena_strf(arena, "renew/%s/%s", ns, node), NULL,
                                           err);
        }
        return r < 0 ? r : 0;
}

int engine_discard(Engine *engine, const char *ns, const char *node, const char *reason,
                   MrError *err) {
        int r = has_data(engine, ns, node, false, err);
        if (r < 0)
                return r;
        if (r == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "no storage with data of a node %s is known, so there is nothing to "
                               "give up; check the name",
                               node);
        return ask(engine, "discard", ns, node, reason, err);
}
