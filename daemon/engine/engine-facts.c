/* Gathering the facts for one resource: the last observation, its namespace's secrets and
 * resources, its views. */

#include <string.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "engine-private.h"
#include "model/core-kinds.h"
#include "sdk/str.h"

static int add_secret(void *userdata, const char *ns, const char *name, const char *key,
                      const void *data, size_t size) {
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        (void) ns;
        if (secret_key_is_binary(key))
                mr_base64(data, size, &text);
        else
                mr_buf_append(&text, data, size);
        facts_add_secret(userdata, name, key, mr_buf_text(&text));
        return 0;
}

static void add_observation(Engine *engine, const char *ns, MrFacts *facts) {
        _cleanup_free_ char *prefix = mr_strf("%s/", ns);
        const MrTree *nodes = engine->observation.nodes;

        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                if (mr_starts_with(mr_tree_key(nodes, i), prefix))
                        facts_add_node(facts, mr_tree_key(nodes, i) + strlen(prefix),
                                       mr_tree_at(nodes, i));
        facts_set_claims(facts, ns, engine->observation.claims);
}

static int add_remembered_of(Engine *engine, const char *what, const char *ns, MrFacts *facts,
                             MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *prefix = mr_strf("%s/%s/", what, ns);

        int r = store_remembered(engine->args.store, prefix, &all, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(all); i++)
                facts_remember(facts, mr_tree_key(all, i), mr_tree_string(mr_tree_at(all, i)));
        return r < 0 ? r : 0;
}

/* Ports that nodes on the platform were given: "9092" → "NS/NODE/ENDPOINT". */
static int add_remembered(Engine *engine, const char *ns, MrFacts *facts, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *own = mr_strf("port/%s/", ns);
        MrTree *host = engine->observation.host;

        int r = store_remembered(engine->args.store, "port/", &all, err);
        if (r < 0)
                return r;
        MrTree *taken = mr_tree_set(host, "taken_ports", mr_tree_new_map());
        for (size_t i = 0; i < mr_tree_size(all); i++) {
                const char *key = mr_tree_key(all, i), *value = mr_tree_string(mr_tree_at(all, i));
                const char *slash = strchr(value, '/');
                if (mr_starts_with(key, own))
                        facts_remember(facts, key, value);
                if (slash)
                        mr_tree_set_string(taken, slash + 1, key + strlen("port/"));
        }
        facts_set_host(facts, host);
        r = add_remembered_of(engine, "claim", ns, facts, err);
        if (r >= 0)
                r = add_remembered_of(engine, "renew", ns, facts, err);
        return r < 0 ? r : add_remembered_of(engine, "discard", ns, facts, err);
}

/* Which key of an authority signs, and what is noted of secrets. */
static int add_notes(Engine *engine, const char *ns, MrFacts *facts, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *signs = NULL, *annotations = NULL;
        _cleanup_free_ char *prefix = mr_strf(MR_SIGNS_KEY, ns, "");

        int r = store_remembered(engine->args.store, prefix, &signs, err);
        if (r >= 0)
                r = store_secret_annotations(engine->args.store, ns, &annotations, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < mr_tree_size(signs); i++)
                facts_remember(facts, mr_tree_key(signs, i), mr_tree_string(mr_tree_at(signs, i)));
        for (size_t i = 0; i < mr_tree_size(annotations); i++) {
                const MrTree *of = mr_tree_at(annotations, i);
                for (size_t k = 0; k < mr_tree_size(of); k++)
                        facts_annotate(facts, mr_tree_key(annotations, i), mr_tree_key(of, k),
                                       mr_tree_string(mr_tree_at(of, k)));
        }
        return 0;
}

static void add_resources(Engine *engine, const char *ns, MrFacts *facts) {
        for (size_t i = 0; i < engine->n_tracked; i++) {
                const Document *document = engine->tracked[i]->document;
                if (document &&
                    (mr_streq(document->resource.ns, ns) || document->resource.kind->is_global) &&
                    (!document->resource.is_deleted ||
                     engine_lasts_with_owner(engine, &document->resource)))
                        facts_add_resource(facts, &document->resource);
        }
}

int engine_secret(Engine *engine, const char *ns, const char *name, const char *key, MrBuf *out) {
        const Tracked *secret = engine_find(engine, "Secret", ns, name);

        if (secret && secret->document && !secret->document->resource.is_deleted &&
            document_secret_value(&secret->document->resource, key, out) > 0)
                return 1;
        return store_secret_get(engine->args.store, ns, name, key, out, NULL) > 0;
}

MrFacts *engine_facts(Engine *engine, const Tracked *tracked, MrError *err) {
        _cleanup_(facts_freep) MrFacts *facts =
                facts_new(now_realtime_sec(), engine->args.platform->name);
        const char *ns = tracked->document->resource.ns;

        facts_set_day(facts, engine->args.day_sec);
        add_resources(engine, ns, facts);
        if (engine->has_observation)
                add_observation(engine, ns, facts);
        int r = store_secret_each(engine->args.store, ns, NULL, add_secret, facts, err);
        if (r >= 0)
                r = add_notes(engine, ns, facts, err);
        if (r >= 0 && engine->has_observation)
                r = add_remembered(engine, ns, facts, err);
        if (r < 0)
                return NULL;
        views_add_facts(tracked->views, facts);
        facts_set_certificate_memo(facts, tracked->certificates);
        return TAKE(facts);
}

static const char *reason_text(const char *reason) {
        return mr_is_empty(reason) ? "no reason was given" : reason;
}

int engine_holds(Engine *engine, const char *ns, MrArena *arena, MrPairs *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *holds = NULL;

        int r = store_holds(engine->args.store, ns, &holds, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(holds); i++) {
                const MrTree *hold = mr_tree_at(holds, i);
                const char *reason = reason_text(mr_tree_get_string(hold, "reason"));
                mr_pairs_set(arena, ret, mr_arena_strdup(arena, mr_tree_get_string(hold, "node")),
                             mr_arena_strdup(arena, reason));
        }
        return r;
}

int engine_ask(Engine *engine, const char *what, const char *ns, const char *node,
               const char *reason, MrError *err) {
        _cleanup_free_ char *key = mr_strf("%s/%s/%s", what, ns, node);

        return store_remember(engine->args.store, key, reason_text(reason), err);
}

int engine_asked(Engine *engine, const char *what, const char *ns, MrArena *arena, MrPairs *ret,
                 MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *prefix = mr_strf("%s/%s/", what, ns);

        int r = store_remembered(engine->args.store, prefix, &all, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(all); i++)
                mr_pairs_set(arena, ret,
                             mr_arena_strdup(arena, mr_tree_key(all, i) + strlen(prefix)),
                             mr_arena_strdup(arena, mr_tree_string(mr_tree_at(all, i))));
        return r;
}
