/* The whole world: its beginning, its course, and its end. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "reconcile/record.h"
#include "sdk/str.h"
#include "sim.h"

/* So many things at the same instant are a loop without an end. */
#define INSTANT_MAX 2000
/* With nothing to do, so many rounds a minute are polite. */
#define IDLE_ROUNDS_MAX 6

static void die(const char *what, const MrError *err) {
        fprintf(stderr, "sim: %s: %s\n", what, err->message ? err->message : "");
        abort();
}

static void refused(void *userdata _unused_, const char *path, const MrError *err) {
        fprintf(stderr, "%s: %s\n", path, err->message);
}

/* Secrets are not the host's: what the store sees of them counts as a step, unless somebody wrote
 * them. */
static void store_changed(void *userdata, const StoreEvent *event) {
        static const char *const verbs[] = {"create", "update", "remove"};
        Sim *sim = userdata;

        if (!mr_streq(event->kind, "Secret") || event->json || sim->is_ending || sim->is_fault)
                return;
        sim_note(sim, "%s secret %s", verbs[event->change], event->name);
        sim_tls_check(sim);
        sim_happened(sim, verbs[event->change], "Secret");
}

Sim *sim_new(uint64_t seed) {
        Sim *sim = mr_new(Sim, 1);
        _cleanup_error_ MrError err = {};
        const char *directory = getenv("MILLRACE_PLUGINS");

        sim_now = sim;
        sim->n_replaced = (size_t) sim_replaces_look + (size_t) sim_replaces_worker;
        sim->seed = sim->random = seed;
        sim->crash_after = SIZE_MAX;
        sim->start_usec = 2 * SIM_SEC;
        sim->catch_up_usec = SIM_SEC;
        log_set_level(LOG_EMERG);
        sim->registry = registry_new();
        if (plugins_load(directory ? directory : ".", getuid(), refused, NULL, &sim->plugins,
                         &err) < 0 ||
            plugins_register(&sim->plugins, sim->registry, &err) < 0 ||
            store_open(":memory:", &sim->store, &err) < 0 || sd_event_new(&sim->event) < 0)
                die("cannot begin", &err);
        sim->subscription = store_subscribe(sim->store, store_changed, sim);
        sim->verdicts = mr_tree_new_map();
        sim->directories = mr_tree_new_map();
        sim->disks = mr_tree_new_map();
        sim->away = mr_tree_new_map();
        sim->memo = certificate_memo_new();
        sim_host_init(sim);
        return sim;
}

void sim_start(Sim *sim) {
        _cleanup_error_ MrError err = {};

        if (worker_new(sim->event, &sim->worker, &err) < 0)
                die("no worker", &err);
        EngineArgs args = {
                .event = sim->event,
                .store = sim->store,
                .registry = sim->registry,
                .platform = &sim->plugin,
                .worker = sim->worker,
                .grace_sec = 10,
                .resync_sec = sim->resync_sec ? sim->resync_sec : 30,
        };
        if (engine_new(&args, &sim->engine, &err) < 0)
                die("no engine", &err);
        sim->life++;
}

static void stop(Sim *sim) {
        sim->engine = engine_free(sim->engine);
        sim->worker = worker_free(sim->worker);
}

void sim_crash(Sim *sim) {
        sim_note(sim, "the daemon ends and starts again");
        stop(sim);
        sim_start(sim);
}

static bool is_before(const SimEvent *a, const SimEvent *b) {
        return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static SimEvent *first_event(Sim *sim) {
        SimEvent *first = NULL;

        for (size_t i = 0; i < sim->n_queue; i++)
                if (!first || is_before(&sim->queue[i], first))
                        first = &sim->queue[i];
        return first;
}

static void run_event(Sim *sim, SimEvent *first) {
        SimEvent event = *first;

        *first = sim->queue[--sim->n_queue];
        event.run(sim, event.data);
}

/* When the engine's timer goes off, in the time of this world. */
static uint64_t timer_at(const Sim *sim) {
        int enabled = SD_EVENT_OFF;
        uint64_t at = 0, base = now_usec() - sim->now;

        if (!sim->engine || sim->engine->state != ENGINE_IDLE)
                return UINT64_MAX;
        (void) sd_event_source_get_enabled(sim->engine->timer, &enabled);
        (void) sd_event_source_get_time(sim->engine->timer, &at);
        return enabled == SD_EVENT_OFF || at < base ? UINT64_MAX : at - base;
}

/* One thing more happens, at `limit` at the latest. */
static bool run_one(Sim *sim, uint64_t limit) {
        while (sd_event_run(sim->event, 0) > 0)
                ;
        SimEvent *first = first_event(sim);
        uint64_t timer = timer_at(sim), at = first ? first->at : UINT64_MAX;

        if (timer > limit && at > limit) {
                sim->now = limit > sim->now ? limit : sim->now;
                return false;
        }
        if (timer < at) {
                sim->now = timer > sim->now ? timer : sim->now;
                (void) sd_event_source_set_enabled(sim->engine->timer, SD_EVENT_OFF);
                engine_kick(sim->engine);
                return true;
        }
        sim->now = at > sim->now ? at : sim->now;
        run_event(sim, first);
        if (sim->engine && sim->n_actions >= sim->crash_after) {
                sim->crash_after = SIZE_MAX;
                sim_crash(sim);
        }
        return true;
}

void sim_run(Sim *sim, uint64_t usec) {
        uint64_t limit = sim->now + usec, instant = sim->now;
        unsigned n = 0;

        while (!sim->violation && run_one(sim, limit)) {
                n = sim->now == instant ? n + 1 : 0;
                instant = sim->now;
                if (n > INSTANT_MAX)
                        sim_violated(sim, "the program goes round in circles");
        }
}

static bool is_settled(const Sim *sim) {
        for (size_t i = 0; i < sim->engine->n_tracked; i++) {
                const Tracked *tracked = sim->engine->tracked[i];
                if (!tracked->document ||
                    (!tracked->document->resource.kind->owner_kind && !tracked->is_settled))
                        return false;
        }
        for (size_t i = 0; i < sim->n_nodes; i++)
                if (sim->nodes[i]->unwell_since > 0)
                        return false;
        return sim->engine->state == ENGINE_IDLE && !sim->engine->is_dirty;
}

bool sim_settle(Sim *sim, int64_t sec) {
        uint64_t limit = sim->now + (uint64_t) sec * SIM_SEC;

        while (!sim->violation && sim->now < limit) {
                sim_run(sim, 100 * SIM_MSEC);
                if (is_settled(sim))
                        return true;
        }
        return false;
}

static MrTree *object_of(const char *yaml, size_t i) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;
        _cleanup_error_ MrError err = {};

        if (mr_yaml_read(yaml, strlen(yaml), "sim", &list, NULL, &err) < 0)
                die("YAML", &err);
        return i < mr_tree_size(list) ? mr_tree_copy(mr_tree_at(list, i)) : NULL;
}

void sim_apply(Sim *sim, const char *yaml) {
        _cleanup_error_ MrError err = {};

        for (size_t i = 0;; i++) {
                _cleanup_(mr_tree_freep) MrTree *object = object_of(yaml, i);
                _cleanup_resource_ StoreResource stored = {};
                if (!object)
                        break;
                const char *name = mr_tree_get_string(mr_tree_get(object, "metadata"), "name");
                const char *kind = mr_tree_get_string(object, "kind");
                bool is_known = store_get(sim->store, kind, "default", name, &stored, NULL) >= 0;
                int r = is_known ? store_update(sim->store, object, NULL, &err)
                                 : store_create(sim->store, object, NULL, &err);
                if (r < 0)
                        die("apply", &err);
                sim_note(sim, "apply %s %s", kind, name);
        }
}

void sim_delete(Sim *sim, const char *kind, const char *name) {
        _cleanup_error_ MrError err = {};

        sim_note(sim, "delete %s %s", kind, name);
        if (store_delete(sim->store, kind, "default", name, &err) < 0)
                die("delete", &err);
}

bool sim_is_outdated(const Tracked *tracked) {
        return views_are_outdated(tracked->views);
}

void sim_kick(Sim *sim) {
        engine_kick(sim->engine);
}

void sim_hold(Sim *sim, const char *node, const char *reason) {
        (void) store_hold(sim->store, "default", node, reason, NULL);
}

void sim_ask_restart(Sim *sim, const char *node, const char *reason) {
        (void) engine_restart(sim->engine, "default", NULL, node, reason, NULL);
}

int sim_renew(Sim *sim, const char *node) {
        return engine_renew(sim->engine, "default", node, "a test", NULL);
}

int sim_discard(Sim *sim, const char *node) {
        return engine_discard(sim->engine, "default", node, "a test", NULL);
}

void sim_lose_disk(Sim *sim, const char *claim, bool altogether) {
        if (altogether)
                mr_tree_remove(sim->claims, claim);
        else
                mr_tree_set_bool(mr_tree_need_map(sim->claims, claim), "lost", true);
        sim_host_changed(sim);
}

MrTree *sim_events(Sim *sim, const char *kind, const char *name) {
        MrTree *events = NULL;

        (void) engine_events(sim->engine, kind, "default", name, &events, NULL);
        return events;
}

MrTree *sim_status(Sim *sim, const char *kind, const char *name) {
        _cleanup_resource_ StoreResource stored = {};

        if (store_get(sim->store, kind, "default", name, &stored, NULL) < 0)
                return NULL;
        return mr_tree_copy(mr_tree_get(stored.tree, "status"));
}

bool sim_is_stored(Sim *sim, const char *kind, const char *name) {
        _cleanup_resource_ StoreResource stored = {};

        return store_get(sim->store, kind, "default", name, &stored, NULL) >= 0;
}

void sim_release(Sim *sim, const char *node) {
        (void) store_release(sim->store, "default", node, NULL);
}

bool sim_secret(Sim *sim, const char *name, const char *key, MrBuf *out) {
        return engine_secret(sim->engine, "default", name, key, out) > 0;
}

void sim_lose_secret(Sim *sim, const char *name) {
        sim->is_fault = true;
        (void) store_secret_remove(sim->store, "default", name, NULL);
        sim->is_fault = false;
}

void sim_damage_secret(Sim *sim, const char *name, const char *key) {
        StoreSecretValue value = {.key = key, .data = "damaged", .size = 7};

        sim->is_fault = true;
        (void) store_secret_put(sim->store, "default", name, &value, 1, NULL, NULL);
        sim->is_fault = false;
}

MrTree *sim_plan(Sim *sim, const char *kind, const char *name) {
        MrTree *plan = NULL;

        (void) engine_plan(sim->engine, kind, "default", name, &plan, NULL);
        return plan;
}

static void check_fingerprints(Sim *sim) {
        for (size_t i = 0; i < sim->n_nodes; i++) {
                const SimNode *node = sim->nodes[i];
                const MrTree *unit =
                        mr_tree_get(mr_tree_get(sim->instances, node->instance), "unit");
                if (!mr_streq(mr_tree_get_string(unit, "fingerprint"),
                              mr_tree_get_string(node->running, "fingerprint")))
                        sim_violated(sim, "%s does not run with the configuration it has",
                                     node->instance);
        }
}

/* Nothing is planned while nothing happens. */
static void check_idle(Sim *sim, const char *who) {
        size_t actions = sim->n_actions;
        uint64_t rounds;

        sim_run(sim, 5 * SIM_SEC);
        rounds = sim->engine->n_rounds;
        sim_run(sim, 60 * SIM_SEC);
        if (sim->n_actions != actions)
                sim_violated(sim, "%s does something where nothing is to do", who);
        else if (!is_settled(sim))
                sim_violated(sim, "%s plans something where nothing is to do", who);
        else if (sim->engine->n_rounds - rounds > IDLE_ROUNDS_MAX)
                sim_violated(sim, "%s makes %llu rounds a minute with nothing to do", who,
                             (unsigned long long) (sim->engine->n_rounds - rounds));
}

void sim_check_settled(Sim *sim) {
        check_fingerprints(sim);
        check_idle(sim, "a second pass");
        sim_crash(sim);
        check_idle(sim, "a fresh daemon");
}

Sim *sim_free(Sim *sim) {
        if (!sim)
                return NULL;
        sim_now = sim;
        sim->is_ending = true;
        stop(sim);
        store_unsubscribe(sim->subscription);
        while (sim->n_nodes > 0)
                sim_node_remove(sim, sim->nodes[0]->instance);
        while (sim->n_queue > 0)
                run_event(sim, first_event(sim));
        store_free(sim->store);
        sd_event_unref(sim->event);
        registry_free(sim->registry);
        plugins_done(&sim->plugins);
        mr_tree_free(sim->instances);
        mr_tree_free(sim->claims);
        mr_tree_free(sim->contents);
        mr_tree_free(sim->distributions);
        mr_buf_done(&sim->trace);
        free(sim->queue);
        free(sim->lazy_user);
        mr_tree_free(sim->verdicts);
        mr_tree_free(sim->voters);
        mr_tree_free(sim->directories);
        mr_tree_free(sim->disks);
        mr_tree_free(sim->away);
        certificate_memo_free(sim->memo);
        free(sim->violation);
        free(sim);
        return NULL;
}

MrTree *sim_record(Sim *sim, const char *kind, const char *name) {
        _cleanup_error_ MrError err = {};
        MrTree *record = NULL;

        if (engine_record(sim->engine, kind, "default", name, &record, &err) < 0)
                die("record", &err);
        return record;
}

MrTree *sim_replay(Sim *sim, const MrTree *record) {
        _cleanup_error_ MrError err = {};
        MrTree *steps = NULL;

        if (record_replay(sim->registry, &sim->ops, record, &steps, &err) < 0)
                die("replay", &err);
        return steps;
}

MrFacts *sim_facts(Sim *sim, const char *kind, const char *name) {
        return engine_facts(sim->engine, engine_find(sim->engine, kind, "default", name), NULL);
}
