/* Rounds: observe once, then take each resource in turn. */

#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/message-ids.h"
#include "engine-private.h"
#include "io/resident.h"
#include "model/annotations.h"
#include "sdk/str.h"

#define SEC UINT64_C(1000000)
#define BACKOFF_MAX_SEC 15
/* And the platform, in case nobody tells that what was missing is there now. */
#define OBSERVE_UNSETTLED_USEC (5 * SEC)

static void next_resource(Engine *engine);

void engine_kick(Engine *engine) {
        engine->is_outdated = true;
        engine_plan_again(engine);
}

void engine_plan_again(Engine *engine) {
        engine->is_dirty = true;
        if (engine->state == ENGINE_IDLE)
                (void) sd_event_source_set_enabled(engine->kick, SD_EVENT_ONESHOT);
}

void engine_wish(Engine *engine, uint64_t usec) {
        uint64_t at = now_usec() + usec;

        if (engine->next_usec == 0 || at < engine->next_usec)
                engine->next_usec = at;
}

static uint64_t backoff_usec(unsigned failures) {
        uint64_t sec =
                failures > 4 ? BACKOFF_MAX_SEC : UINT64_C(1) << (failures > 0 ? failures - 1 : 0);

        return (sec > BACKOFF_MAX_SEC ? BACKOFF_MAX_SEC : sec) * SEC;
}

static void note_failure(Engine *engine, Tracked *tracked, int r, const MrError *err) {
        bool is_new = !mr_streq(tracked->error, err->message);

        engine->n_failures++;
        tracked->failures++;
        free(tracked->error);
        tracked->error = mr_strdup(err->message ? err->message : strerror(-r));
        tracked->error_kind = mr_error_kind(err, r);
        tracked->retry_usec = now_usec() + backoff_usec(tracked->failures);
        tracked->is_settled = false;
        engine_wish(engine, backoff_usec(tracked->failures));
        if (is_new)
                engine_tell_error(engine, tracked, "a step failed", err);
        engine_report_error(engine, tracked, r, err);
}

static void note_success(Tracked *tracked) {
        tracked->failures = 0;
        tracked->retry_usec = 0;
        free(TAKE(tracked->error));
}

/* 1; 0: not before it is known what there is of the data it asked for. */
static int make_desire(Engine *engine, Tracked *tracked, const MrFacts *facts, Desire **ret,
                       MrError *err) {
        _cleanup_error_ MrError why = {};
        int r = desire_make(engine->args.registry, engine->args.platform->platform,
                            tracked->document, facts, engine->observation.found, ret, &why);
        int known = engine_follow(engine, tracked, facts, r < 0 ? NULL : *ret, err);

        if (known <= 0 || r >= 0)
                return known;
        mr_error_move(err, &why);
        return r;
}

/* There is no plan while something is not known yet. */
static int make_plan(Engine *engine, Tracked *tracked, const MrFacts *facts, Desire **ret_desire,
                     Plan **ret_plan, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const MrResource *resource = &tracked->document->resource;
        MrPairs holds = {}, restarts = {}, discards = {};

        int r = engine_follow_annotations(engine, tracked, err);
        if (r >= 0)
                r = engine_end_renewals(engine, resource->ns, err);
        if (r >= 0)
                r = engine_holds(engine, resource->ns, arena, &holds, err);
        if (r >= 0)
                r = engine_asked(engine, "restart", resource->ns, arena, &restarts, err);
        if (r >= 0)
                r = engine_asked(engine, "discard", resource->ns, arena, &discards, err);
        if (r >= 0)
                r = make_desire(engine, tracked, facts, ret_desire, err);
        if (r <= 0)
                return r;
        PlanInput input = {
                .wanted = (*ret_desire)->wanted,
                .found = (*ret_desire)->found,
                .facts = facts,
                .health = &(*ret_desire)->health,
                .owner = (*ret_desire)->owner,
                .holds = &holds,
                .restarts = &restarts,
                .discards = &discards,
                .paused = resource_is_paused(resource) ? ENGINE_PAUSED : NULL,
                .grace_sec = engine->args.grace_sec,
                .is_deleted = resource->is_deleted,
        };
        return plan_make(&input, ret_plan, err);
}

/* A deleted resource leaves the store when nothing is left to do. */
static bool end_deletion(Engine *engine, Tracked *tracked, const Plan *plan) {
        const MrResource *resource = &tracked->document->resource;
        _cleanup_error_ MrError err = {};

        if (!resource->is_deleted || plan_size(plan) > 0)
                return false;
        log_notice(NULL, MSG_RESOURCE_DELETED, "%s is gone; storage that is kept stays.",
                   tracked->key);
        /* The store tells us, and `tracked` is freed. */
        (void) store_remove(engine->args.store, resource->kind->name, resource->ns, resource->name,
                            &err);
        return true;
}

/* Whether anything that may be carried out now ends something. */
static bool is_ending_anything(const Plan *plan) {
        for (size_t i = 0; i < plan_size(plan); i++) {
                const Step *step = plan_at(plan, i);
                if (!step->waits && (step->verb == MR_VERB_STOP || step->verb == MR_VERB_RESTART ||
                                     step->verb == MR_VERB_REMOVE))
                        return true;
        }
        return false;
}

/* Returns 1 while a batch is under way. */
static int process(Engine *engine, Tracked *tracked, MrError *err) {
        _cleanup_(facts_freep) MrFacts *facts = engine_facts(engine, tracked, err);
        _cleanup_(desire_freep) Desire *desire = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        if (!facts)
                return -EAGAIN;
        int r = make_plan(engine, tracked, facts, &desire, &plan, err);
        if (r < 0 || !plan)
                return r;
        if (end_deletion(engine, tracked, plan))
                return 0;
        if (plan_recheck(plan) > 0)
                engine_wish(engine, (uint64_t) plan_recheck(plan) * SEC);
        engine_report(engine, tracked, desire, plan, facts);
        mr_tree_free(tracked->steps);
        tracked->steps = plan_to_tree(plan);
        tracked->is_settled = plan_size(plan) == 0 && engine_all_ready(desire) &&
                              !views_are_outdated(tracked->views);
        tracked->is_in_force = tracked->is_in_force || tracked->is_settled;
        if (!tracked->is_settled && !resource_is_paused(&tracked->document->resource))
                engine_wish(engine, OBSERVE_UNSETTLED_USEC);
        /* What is remembered is good enough to make something new, and not to stop anything. */
        if (engine->is_remembered && is_ending_anything(plan)) {
                engine_kick(engine);
                return 0;
        }
        r = engine_act(engine, tracked, &desire, &plan, facts, err);
        if (r != 0)
                return r;
        /* Steps that only wait for a fresh view are no success yet: their next failure backs off
         * further. */
        if (plan_ready(plan) == 0)
                note_success(tracked);
        engine_look(engine, tracked, desire, plan, facts);
        return 0;
}

/* What somebody has just asked for does not wait for everything else to be looked at. */
static bool has_turn(const Engine *engine, const Tracked *tracked) {
        return !tracked->had_turn && (engine->is_second_lap || !tracked->is_in_force);
}

/* A pool and its like have no life of their own; their owner reports for them. What failed waits
 * for its time, and each round that comes earlier has to wish for that one again. */
static bool is_due(Engine *engine, const Tracked *tracked) {
        uint64_t now = now_usec();

        if (!tracked->document || !mr_kind_is_planned(tracked->document->resource.kind) ||
            !has_turn(engine, tracked))
                return false;
        if (now < tracked->retry_usec)
                engine_wish(engine, tracked->retry_usec - now);
        return now >= tracked->retry_usec;
}

static void end_deleted_member(Engine *engine, const Tracked *tracked) {
        const MrResource *resource = &tracked->document->resource;

        if (engine_lasts_with_owner(engine, resource) ||
            store_remove(engine->args.store, resource->kind->name, resource->ns, resource->name,
                         NULL) < 0)
                engine->current++;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Engine *engine = userdata;

        (void) source;
        (void) usec;
        engine_kick(engine);
        return 0;
}

/* One line for `systemctl status millraced`, told when it changes. */
static void tell_state(Engine *engine) {
        size_t n_nodes = 0, n_ready = 0, n_settled = 0;

        for (size_t i = 0; i < engine->n_tracked; i++) {
                const MrTree *nodes = mr_tree_get(engine->tracked[i]->snapshot, "nodes");
                n_settled += engine->tracked[i]->is_settled;
                n_nodes += mr_tree_size(nodes);
                for (size_t k = 0; k < mr_tree_size(nodes); k++)
                        n_ready += mr_tree_get_bool(mr_tree_at(nodes, k), "ready", false);
        }
        char *text = engine->platform_error
                             ? mr_strf("STATUS=%s", engine->platform_error)
                             : mr_strf("STATUS=%zu resources, %zu settled; %zu of %zu nodes ready.",
                                       engine->n_tracked, n_settled, n_ready, n_nodes);
        if (!mr_streq(text, engine->told))
                (void) sd_notify(false, text);
        free(engine->told);
        free(engine->waits_for);
        engine->told = text;
}

static void end_round(Engine *engine) {
        uint64_t now = now_usec(), latest = now + (uint64_t) engine->args.resync_sec * SEC;
        uint64_t at = engine->next_usec && engine->next_usec < latest ? engine->next_usec : latest;

        engine->state = ENGINE_IDLE;
        engine->n_rounds++;
        tell_state(engine);
        if (!engine->first_round_done && engine->has_observation) {
                engine->first_round_done = true;
                log_notice(NULL, MSG_PASS_FINISHED, "The first pass over %zu resources is done.",
                           engine->n_tracked);
                resident_trim();
        }
        (void) sd_event_source_set_time(engine->timer, at);
        (void) sd_event_source_set_enabled(engine->timer, SD_EVENT_ONESHOT);
        if (engine->is_dirty)
                engine_plan_again(engine);
}

static void begin_round(Engine *engine) {
        engine->state = ENGINE_WORKING;
        engine->current = 0;
        engine->is_second_lap = false;
        for (size_t i = 0; i < engine->n_tracked; i++)
                engine->tracked[i]->had_turn = false;
        next_resource(engine);
}

static bool is_round_over(Engine *engine) {
        if (engine->current < engine->n_tracked || engine->is_second_lap)
                return engine->current >= engine->n_tracked;
        engine->is_second_lap = true;
        engine->current = 0;
        return engine->n_tracked == 0;
}

/* The turn of the current one is over. */
static void advance(Engine *engine) {
        engine->tracked[engine->current++]->had_turn = true;
}

static void next_resource(Engine *engine) {
        while (!is_round_over(engine)) {
                Tracked *tracked = engine->tracked[engine->current];
                _cleanup_error_ MrError err = {};
                size_t before = engine->n_tracked;
                if (tracked->document && tracked->document->resource.is_deleted &&
                    !mr_kind_is_planned(tracked->document->resource.kind)) {
                        end_deleted_member(engine, tracked);
                        continue;
                }
                if (!is_due(engine, tracked)) {
                        engine->current++;
                        continue;
                }
                int r = process(engine, tracked, &err);
                if (r > 0)
                        return;
                if (r < 0)
                        note_failure(engine, tracked, r, &err);
                /* A resource that ended its deletion has made room for the next one. */
                if (engine->n_tracked == before)
                        advance(engine);
        }
        end_round(engine);
}

void engine_acted(Engine *engine, const char *key, bool again, int r, const MrError *err) {
        Tracked *tracked =
                engine->current < engine->n_tracked ? engine->tracked[engine->current] : NULL;

        if (!tracked || !mr_streq(tracked->key, key)) {
                next_resource(engine);
                return;
        }
        if (r < 0)
                note_failure(engine, tracked, r, err);
        else
                note_success(tracked);
        if (r < 0 || !again) {
                advance(engine);
                engine->is_dirty = engine->is_dirty || r >= 0;
                engine->is_outdated = true;
        }
        next_resource(engine);
}

static void observation_failed(Engine *engine, int r, const MrError *err) {
        const char *message = err && err->message ? err->message : strerror(-r);

        if (!mr_streq(engine->platform_error, message))
                log_error(NULL, MSG_HOSTD_UNREACHABLE,
                          "Cannot observe %s: %s. Nothing is done until this works.",
                          engine->args.platform->name, message);
        free(engine->platform_error);
        engine->platform_error = mr_strdup(message);
        engine->platform_failures++;
        engine_wish(engine, backoff_usec(engine->platform_failures));
        engine->is_dirty = false;
        engine->is_outdated = true;
        end_round(engine);
}

static void on_observed(void *userdata, int r, const MrError *err, MrObservation *observation) {
        Engine *engine = userdata;

        if (r < 0) {
                observation_failed(engine, r, err);
                return;
        }
        if (engine->platform_error)
                log_notice(NULL, MSG_HOSTD_REACHED, "%s can be observed again.",
                           engine->args.platform->name);
        free(TAKE(engine->platform_error));
        engine->platform_failures = 0;
        mr_observation_done(&engine->observation);
        engine->observation = *observation;
        if (!engine->has_observation && engine->args.acts)
                engine->args.acts(engine->args.userdata);
        engine->has_observation = true;
        engine_hear(engine);
        engine->takes_over = false;
        begin_round(engine);
}

/* What was seen last still holds when the platform tells of every change and has told of none. */
static bool is_known(const Engine *engine) {
        return engine->has_observation && !engine->is_outdated &&
               engine->args.platform->platform->tells_changes;
}

static int on_kick(sd_event_source *source, void *userdata) {
        Engine *engine = userdata;
        _cleanup_error_ MrError err = {};

        (void) source;
        if (engine->state != ENGINE_IDLE)
                return 0;
        engine->is_dirty = false;
        engine->next_usec = 0;
        engine->is_remembered = is_known(engine);
        if (engine->is_remembered) {
                begin_round(engine);
                return 0;
        }
        engine->state = ENGINE_OBSERVING;
        engine->is_outdated = false;
        int r = engine->args.platform->platform->observe(engine->platform, on_observed, engine,
                                                         &err);
        if (r < 0)
                observation_failed(engine, r, &err);
        return 0;
}

static int make_sources(Engine *engine, MrError *err) {
        int r = sd_event_add_defer(engine->args.event, &engine->kick, on_kick, engine);
        if (r >= 0)
                r = sd_event_source_set_enabled(engine->kick, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = sd_event_add_time(engine->args.event, &engine->timer, CLOCK_MONOTONIC,
                                      UINT64_MAX, 5000, on_timer, engine);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

int engine_new(const EngineArgs *args, Engine **ret, MrError *err) {
        _cleanup_(engine_freep) Engine *engine = mr_new(Engine, 1);
        MrPlatformArgs platform = {
                .event = args->event,
                .config = args->platform_config,
                .changed = engine_platform_changed,
                .kept = engine_take_kept,
                .ended = engine_platform_ended,
                .userdata = engine,
                .following = args->following,
        };

        engine->args = *args;
        engine->events = events_new();
        engine->takes_over = store_is_new(args->store);
        int r = make_sources(engine, err);
        if (r >= 0)
                r = args->platform->platform->open(args->platform->platform, &platform,
                                                   &engine->platform, err);
        if (r >= 0)
                r = engine_track_all(engine, err);
        if (r < 0)
                return r;
        engine->subscription = store_subscribe(args->store, engine_store_changed, engine);
        *ret = TAKE(engine);
        return 0;
}

void engine_configure(Engine *engine, int64_t grace_sec, int64_t resync_sec, int64_t day_sec) {
        engine->args.grace_sec = grace_sec;
        engine->args.resync_sec = resync_sec;
        engine->args.day_sec = day_sec;
        engine_kick(engine);
}

MrPlatform *engine_platform(const Engine *engine) {
        return engine->platform;
}

Engine *engine_free(Engine *engine) {
        if (!engine)
                return NULL;
        store_unsubscribe(engine->subscription);
        batch_free(engine->batch);
        if (engine->platform)
                engine->args.platform->platform->close(engine->platform);
        for (size_t i = 0; i < engine->n_tracked; i++)
                tracked_free(engine->tracked[i]);
        free(engine->tracked);
        mr_observation_done(&engine->observation);
        mr_tree_free(engine->heard);
        events_free(engine->events);
        sd_event_source_disable_unref(engine->kick);
        sd_event_source_disable_unref(engine->timer);
        free(engine->platform_error);
        free(engine->told);
        free(engine->status_error);
        free(engine);
        return NULL;
}
