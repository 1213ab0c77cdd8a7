/* Carrying out a plan: the steps that wait for nothing, grouped by who carries them out. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine-private.h"
#include "reconcile/secrets.h"
#include "reconcile/settings.h"
#include "sdk/str.h"

/* A look at the running system that began longer ago does not count for the decision about a
 * restart. */
#define FRESH_USEC (3 * UINT64_C(1000000))

Batch *batch_free(Batch *batch) {
        if (!batch)
                return NULL;
        worker_cancel(batch->engine->args.worker, batch);
        desire_free(batch->desire);
        plan_free(batch->plan);
        free(batch->steps);
        free(batch->actions);
        free(batch->settings);
        free(batch->key);
        free(batch->ns);
        free(batch);
        return NULL;
}

typedef enum Group {
        GROUP_SECRETS,
        GROUP_PLATFORM,
        GROUP_SETTINGS,
        GROUP_FORGET, /* removal of secrets, when everything that used them is gone */
        _GROUP_MAX,
} Group;

static Group group_of(const Step *step) {
        if (!step->manifest)
                return GROUP_PLATFORM;
        if (mr_streq(step->manifest->kind, "Secret"))
                return step->verb == MR_VERB_REMOVE ? GROUP_FORGET : GROUP_SECRETS;
        return mr_streq(step->manifest->kind, "Setting") ? GROUP_SETTINGS : GROUP_PLATFORM;
}

/* Steps of one group that may be carried out now. Without a fresh view nothing is done that was
 * decided by one, and no setting is altered: the view may be from before it was. */
static void choose(Batch *batch, Group group, bool is_fresh) {
        batch->n = 0;
        for (size_t i = 0; i < plan_size(batch->plan) && (is_fresh || group != GROUP_SETTINGS);
             i++) {
                const Step *step = plan_at(batch->plan, i);
                if (step->waits || group_of(step) != group)
                        continue;
                if (!is_fresh && step->is_gated)
                        continue;
                batch->steps[batch->n++] = step;
        }
}

/* A batch ends with its first failure. A node that waits for a disk comes last, so that it keeps
 * nobody else from being started. */
static void put_stuck_last(Batch *batch, const MrTree *stuck) {
        _cleanup_free_ const Step **last = mr_new(const Step *, batch->n);
        size_t n = 0, n_last = 0;

        for (size_t i = 0; i < batch->n; i++) {
                const Step *step = batch->steps[i];
                if (step->node && mr_tree_get(stuck, step->node))
                        last[n_last++] = step;
                else
                        batch->steps[n++] = step;
        }
        for (size_t i = 0; i < n_last; i++)
                batch->steps[n + i] = last[i];
}

static void note_stuck(Tracked *tracked, const Step *failed) {
        if (!failed)
                tracked->stuck = mr_tree_free(tracked->stuck);
        else if (failed->node && failed->manifest && mr_streq(failed->manifest->kind, "Volume")) {
                tracked->stuck = tracked->stuck ? tracked->stuck : mr_tree_new_map();
                mr_tree_set_bool(tracked->stuck, failed->node, true);
        }
}

static Tracked *tracked_of(const Batch *batch) {
        for (size_t i = 0; i < batch->engine->n_tracked; i++)
                if (mr_streq(batch->engine->tracked[i]->key, batch->key))
                        return batch->engine->tracked[i];
        return NULL;
}

static void forget(Engine *engine, const char *what, const char *ns, const char *name) {
        _cleanup_free_ char *key = mr_strf("%s/%s/%s", what, ns, name);

        (void) store_remember(engine->args.store, key, NULL, NULL);
}

/* A node that was removed is not known any more; nor is storage that was. */
static void forget_claims(Engine *engine, const Step *step) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *prefix = mr_strf("claim/%s/", step->ns);
        _cleanup_free_ char *own = mr_strf("%s ", step->node ? step->node : "");

        if (mr_streq(step->manifest->kind, "Volume")) {
                forget(engine, "claim", step->ns, step->manifest->name);
                return;
        }
        if (!mr_streq(step->manifest->kind, "Unit") || !step->node ||
            store_remembered(engine->args.store, prefix, &all, NULL) < 0)
                return;
        for (size_t i = 0; i < mr_tree_size(all); i++)
                if (mr_starts_with(mr_tree_string(mr_tree_at(all, i)), own))
                        (void) store_remember(engine->args.store, mr_tree_key(all, i), NULL, NULL);
}

static void step_done(Batch *batch, const Step *step) {
        Engine *engine = batch->engine;
        Tracked *tracked = tracked_of(batch);

        if (step->verb == MR_VERB_RESTART || step->verb == MR_VERB_START) {
                forget(engine, "restart", step->ns, step->node);
                forget(engine, "renew", step->ns, step->node);
        }
        if (step->verb == MR_VERB_REMOVE)
                forget_claims(engine, step);
        engine->n_steps++;
        if (tracked)
                engine_tell_step(engine, tracked, step);
}

/* The step an error speaks of; NULL: none, or it is not known. */
static const Step *failed_step(const Batch *batch, const MrError *err, size_t n_done) {
        bool is_named = err && err->path && mr_starts_with(err->path, "steps[");
        size_t at = is_named ? strtoul(err->path + strlen("steps["), NULL, 10) : n_done;

        return at < batch->n ? batch->steps[at] : NULL;
}

/* Says which step an error speaks of, in the words of the plan. */
static int name_step(const Batch *batch, int r, const MrError *err, size_t n_done, MrError *ret) {
        const Step *step = failed_step(batch, err, n_done);
        const char *path = err->path;

        if (path && mr_starts_with(path, "steps[")) {
                path = strchr(path, ']') ? strchr(path, ']') + 1 : NULL;
                path = path && *path == '.' ? path + 1 : NULL;
        }
        return mr_fail(ret, mr_error_kind(err, r), NULL, "%s%s%s%s%s", step ? step->subject : "",
                       step ? ": " : "", path ? path : "", path ? ": " : "", err->message);
}

static void finish(Batch *batch, int r, const MrError *err, size_t n_done) {
        Engine *engine = batch->engine;
        _cleanup_free_ char *key = mr_strdup(batch->key);
        _cleanup_error_ MrError within = {};

        for (size_t i = 0; i < n_done && i < batch->n; i++)
                step_done(batch, batch->steps[i]);
        const Step *failed = r < 0 ? failed_step(batch, err, n_done) : NULL;
        if (r < 0 && err && err->message)
                r = name_step(batch, r, err, n_done, &within);
        Tracked *tracked = tracked_of(batch);
        if (tracked) {
                tracked->acted_usec = now_usec();
                note_stuck(tracked, failed);
        }
        engine->batch = batch_free(batch);
        engine_acted(engine, key, false, r, &within);
}

static void on_applied(void *userdata, int r, const MrError *err, size_t n_done) {
        finish(userdata, r, err, r < 0 ? n_done : SIZE_MAX);
}

static void on_altered(void *userdata, int r, const MrError *err) {
        finish(userdata, r, err, r < 0 ? 0 : SIZE_MAX);
}

/* What is known of the node's storage, each to be forgotten. */
static int add_known_storage(Batch *batch, const Step *step, MrArena *arena, MrPairs *out,
                             MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *all = NULL;
        _cleanup_free_ char *prefix = mr_strf("claim/%s/", step->ns);
        _cleanup_free_ char *own = mr_strf("%s ", step->node);

        int r = store_remembered(batch->engine->args.store, prefix, &all, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(all); i++)
                if (mr_starts_with(mr_tree_string(mr_tree_at(all, i)), own))
                        mr_pairs_set(arena, out, mr_arena_strdup(arena, mr_tree_key(all, i)), NULL);
        return r < 0 ? r : 0;
}

/* A node that was told to give its data up does so once, wherever the daemon ends: that somebody
 * asked, and that its storage held anything, is forgotten before it begins anew. From then on it is
 * a node that was never started. */
static int forget_discards(Batch *batch, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs forgotten = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < batch->n; i++) {
                const Step *step = batch->steps[i];
                if (!step->begins_anew)
                        continue;
                mr_pairs_set(arena, &forgotten,
                             mr_arena_strf(arena, "discard/%s/%s", step->ns, step->node), NULL);
                r = add_known_storage(batch, step, arena, &forgotten, err);
        }
        return r < 0 ? r : store_remember_all(batch->engine->args.store, &forgotten, err);
}

static int begin_platform(Batch *batch, MrError *err) {
        Engine *engine = batch->engine;

        int r = forget_discards(batch, err);
        if (r < 0)
                return r;
        batch->actions = mr_new(MrAction, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                const Step *step = batch->steps[i];
                batch->actions[i] = (MrAction){
                        .verb = step->verb,
                        .manifest = step->manifest,
                        .ns = step->ns,
                        .node = step->node,
                        .role = step->role,
                };
        }
        return engine->args.platform->platform->apply(engine->platform, batch->actions, batch->n,
                                                      on_applied, batch, err);
}

static const MrProbe *probe_of(const Desire *desire, const char *protocol) {
        for (size_t i = 0; i < desire->probes.n; i++)
                if (mr_streq(desire->probes.items[i].protocol, protocol))
                        return &desire->probes.items[i];
        return NULL;
}

/* "my-cluster-kafka-0/cluster-ca.crt …", or NULL when the settings concern no file. */
static char *files_of(const Batch *batch) {
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < batch->n; i++)
                if (batch->settings[i].file)
                        mr_buf_printf(&text, "%s%s", text.size > 0 ? ", " : "",
                                      batch->settings[i].file);
        return text.size > 0 ? mr_buf_take(&text) : NULL;
}

/* A system that was told, and shows the former file all the same, is told again after a while and
 * not at once. */
static int check_reload(const Batch *batch, Tracked *tracked, MrError *err) {
        _cleanup_free_ char *files = files_of(batch);
        int r = 0;

        if (files && mr_streq(files, tracked->reloaded)) {
                r = mr_fail(err, MR_TRANSIENT, NULL,
                            "%s: what runs was told to read it again and has not; its own log may "
                            "say why",
                            files);
                free(TAKE(files));
        }
        free(tracked->reloaded);
        tracked->reloaded = TAKE(files);
        return r;
}

static int begin_settings(Batch *batch, Tracked *tracked, const MrFacts *facts, MrError *err) {
        batch->settings = mr_new(MrSetting, batch->n);
        for (size_t i = 0; i < batch->n; i++)
                batch->settings[i] = settings_setting(batch->steps[i]->manifest);
        int r = check_reload(batch, tracked, err);
        if (r < 0)
                return r;
        const MrProbe *probe = probe_of(batch->desire, batch->settings[0].protocol);
        if (!probe)
                return mr_fail(err, MR_BUG, NULL, "nothing speaks the protocol %s",
                               batch->settings[0].protocol);
        return views_alter(tracked->views, probe, batch->desire->wanted, facts, batch->settings,
                           batch->n, on_altered, batch, err);
}

/* Secrets go without asking anybody: only the store knows them. */
static int forget_secrets(Batch *batch, MrError *err) {
        for (size_t i = 0; i < batch->n; i++) {
                const MrManifest *manifest = batch->steps[i]->manifest;
                _cleanup_free_ char *public_name = mr_strf("%s-cert", manifest->name);
                _cleanup_free_ char *signs = mr_strf(MR_SIGNS_KEY, manifest->ns, manifest->name);
                int r = store_secret_remove(batch->engine->args.store, manifest->ns, manifest->name,
                                            err);
                if (r >= 0)
                        r = store_remember(batch->engine->args.store, signs, NULL, err);
                if (r >= 0 && mr_tree_get(manifest->body, "certificate") &&
                    !mr_tree_find(manifest->body, "certificate.authority", false))
                        r = store_secret_remove(batch->engine->args.store, manifest->ns,
                                                public_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int begin(Batch *batch, Group group, Tracked *tracked, const MrFacts *facts, MrError *err) {
        switch (group) {
        case GROUP_SECRETS:
                batch->is_issue = true;
                return batch_issue_next(batch, err);
        case GROUP_SETTINGS:
                return begin_settings(batch, tracked, facts, err);
        case GROUP_FORGET:
                return forget_secrets(batch, err);
        default:
                return begin_platform(batch, err);
        }
}

static bool is_fresh(const Tracked *tracked, const Desire *desire) {
        uint64_t since = views_since(tracked->views), now = now_usec();

        if (desire->probes.n == 0)
                return true;
        return since > tracked->acted_usec && now - since < FRESH_USEC;
}

/* Whether anything that may be carried out now was decided by what was seen of the running system.
 */
static bool depends_on_view(const Plan *plan) {
        for (size_t i = 0; i < plan_size(plan); i++) {
                const Step *step = plan_at(plan, i);
                if (!step->waits && (step->is_gated || group_of(step) == GROUP_SETTINGS))
                        return true;
        }
        return false;
}

static Batch *batch_new(Engine *engine, const Tracked *tracked, Desire **desire, Plan **plan,
                        const MrFacts *facts) {
        Batch *batch = mr_new(Batch, 1);

        batch->engine = engine;
        batch->key = mr_strdup(tracked->key);
        batch->ns = mr_strdup(tracked->document->resource.ns);
        batch->desire = TAKE(*desire);
        batch->plan = TAKE(*plan);
        batch->steps = mr_new(const Step *, plan_size(batch->plan));
        batch->now_sec = mr_facts_now(facts);
        batch->day_sec = facts_day(facts);
        return batch;
}

/* Nothing came of it: the caller gets back what it gave. */
static void give_back(Batch *batch, Desire **desire, Plan **plan) {
        Engine *engine = batch->engine;

        *desire = TAKE(batch->desire);
        *plan = TAKE(batch->plan);
        engine->batch = batch_free(batch);
}

/* What was told to be read again is seen to be read. */
static void note_reloads(Tracked *tracked, const Plan *plan, const MrFacts *facts) {
        for (size_t i = 0; i < plan_size(plan); i++) {
                const Step *step = plan_at(plan, i);
                if (group_of(step) == GROUP_SETTINGS && settings_setting(step->manifest).file)
                        return;
        }
        if (mr_facts_view(facts, "tls"))
                free(TAKE(tracked->reloaded));
}

/* What lowering wants to be told again, as far as it is news. */
static int remember(Engine *engine, const MrManifests *wanted, const MrFacts *facts, MrError *err) {
        const MrPairs *pairs = mr_manifests_remembered(wanted);
        bool is_news = false;

        for (size_t i = 0; i < pairs->n && !is_news; i++)
                is_news = !mr_streq(mr_facts_remembered(facts, pairs->items[i].key),
                                    pairs->items[i].value);
        return is_news ? store_remember_all(engine->args.store, pairs, err) : 0;
}

int engine_act(Engine *engine, Tracked *tracked, Desire **desire, Plan **plan, const MrFacts *facts,
               MrError *err) {
        bool fresh = !depends_on_view(*plan) || is_fresh(tracked, *desire);

        note_reloads(tracked, *plan, facts);
        if (!fresh)
                views_look(tracked->views, &(*desire)->probes, (*desire)->wanted, facts);
        int r = remember(engine, (*desire)->wanted, facts, err);
        if (r < 0)
                return r;
        /* Other resources may depend on it. */
        engine->is_dirty = engine->is_dirty || r > 0;
        if (plan_ready(*plan) == 0)
                return 0;
        Batch *batch = engine->batch = batch_new(engine, tracked, desire, plan, facts);
        for (Group group = 0; group < _GROUP_MAX; group++) {
                choose(batch, group, fresh);
                if (batch->n == 0)
                        continue;
                if (group == GROUP_PLATFORM)
                        put_stuck_last(batch, tracked->stuck);
                r = begin(batch, group, tracked, facts, err);
                if (r >= 0 && (group == GROUP_PLATFORM || group == GROUP_SETTINGS || r > 0))
                        return 1;
                give_back(batch, desire, plan);
                if (r < 0)
                        return r;
                /* Done already, on the spot. */
                engine->is_dirty = true;
                return 0;
        }
        give_back(batch, desire, plan);
        return 0;
}
