/* Going on from what the platform keeps, where the store is new: a pod has no memory of its own,
 * and another replica may have led before. */

#include "base/log.h"
#include "engine-private.h"
#include "sdk/str.h"

static int remember_signer(Engine *engine, const char *ns, const char *name, const char *signs,
                           MrError *err) {
        _cleanup_free_ char *key = mr_strf(MR_SIGNS_KEY, ns, name);

        return store_remember(engine->args.store, key, signs, err);
}

static int take(Engine *engine, const char *ns, const char *name, const MrTree *kept,
                MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs labels = mr_pairs_of(arena, mr_tree_get(kept, "labels")),
                notes = mr_pairs_of(arena, mr_tree_get(kept, "notes"));
        const MrTree *values = mr_tree_get(kept, "values");
        _cleanup_(secret_freep) Secret *secret = secret_new(name);

        for (size_t i = 0; i < mr_tree_size(values); i++)
                secret_set(secret, mr_tree_key(values, i), mr_tree_string(mr_tree_at(values, i)));
        int r = engine_put_secret(engine, ns, secret, &labels, &notes, err);
        if (r < 0)
                return r;
        return remember_signer(engine, ns, name, mr_tree_get_string(kept, "signs"), err);
}

void engine_take_kept(void *userdata, const char *ns, const char *name, const MrTree *secret) {
        Engine *engine = userdata;
        _cleanup_error_ MrError err = {};

        if (!engine->takes_over)
                return;
        int r = secret ? take(engine, ns, name, secret, &err)
                       : store_secret_remove(engine->args.store, ns, name, &err);
        if (r < 0)
                log_error(NULL, NULL, "Secret %s/%s of the cluster cannot be taken over: %s", ns,
                          name, err.message);
}
