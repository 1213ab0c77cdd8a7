/* The order of steps, and what each waits for: every rule at the top of order.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/facts.h"
#include "reconcile/plan.h"
#include "str.h"

#define NOW 1790000000
#define OWNER "default/c"

/* Three nodes of one cluster: zk is cold-started first, a and b after it. */
typedef struct World {
        MrArena *arena;
        MrManifests *wanted, *found;
        MrFacts *facts;
        MrNodeHealth health[4];
        MrHealth all;
        MrPairs holds, restarts, discards;
        MrTree *trees[24];
        size_t n_trees;
        bool is_deleted;
        Plan *plan;
} World;

static const char *const names[] = {"zk", "a", "b"};

static MrTree *body_of(const char *value) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "value", value);
        return body;
}

static void add(MrManifests *manifests, const char *kind, const char *name, const char *node,
                const char *value, int rank) {
        mr_manifests_add(manifests, (MrManifest){
                                            .kind = kind,
                                            .ns = "default",
                                            .name = name,
                                            .node = node,
                                            .owner = OWNER,
                                            .rank = rank,
                                            .body = body_of(value),
                                            .keep = mr_streq(kind, "Volume"),
                                            .restarts = mr_streq(kind, "Unit"),
                                    });
}

static void want(World *w, const char *kind, const char *name, const char *node, const char *value,
                 int rank) {
        add(w->wanted, kind, name, node, value, rank);
}

static void find(World *w, const char *kind, const char *name, const char *node, const char *value,
                 int rank) {
        add(w->found, kind, name, node, value, rank);
}

static void want_node(World *w, size_t i, const char *fingerprint, const char *pending) {
        mr_manifests_add_node(w->wanted, (MrNodeWanted){
                                                 .node = names[i],
                                                 .ns = "default",
                                                 .group = "c",
                                                 .role = "r",
                                                 .order = i > 0,
                                                 .fingerprint = fingerprint,
                                                 .pending = pending,
                                         });
}

static World *world_new(void) {
        World *w = mr_new(World, 1);

        w->arena = mr_arena_new();
        w->wanted = mr_manifests_new();
        w->found = mr_manifests_new();
        w->facts = facts_new(NOW, "paper");
        for (size_t i = 0; i < 3; i++)
                w->health[i] = (MrNodeHealth){.node = names[i], .is_ready = true, .may_stop = true};
        w->all = (MrHealth){.items = w->health, .n = 3};
        return w;
}

static void world_freep(World **world) {
        World *w = *world;

        plan_free(w->plan);
        facts_free(w->facts);
        mr_manifests_free(w->wanted);
        mr_manifests_free(w->found);
        for (size_t i = 0; i < w->n_trees; i++)
                mr_tree_free(w->trees[i]);
        mr_arena_free(w->arena);
        free(w);
}
#define _cleanup_world_ _cleanup_(world_freep) World

static void see_at(World *w, const char *node, const char *state, const char *fingerprint,
                   int64_t since, int order) {
        MrTree *tree = w->trees[w->n_trees++] = mr_tree_new_map();

        mr_tree_set_string(tree, "state", state);
        mr_tree_set_string(tree, "fingerprint", fingerprint);
        mr_tree_set_int(tree, "since", since);
        mr_tree_set_int(tree, "order", order);
        facts_add_node(w->facts, node, tree);
}

static void see(World *w, const char *node, const char *state, const char *fingerprint,
                int64_t since) {
        see_at(w, node, state, fingerprint, since, 0);
}

/* All three run; those in `old` with an older configuration. */
static World *running(const char *old) {
        World *w = world_new();

        for (size_t i = 0; i < 3; i++) {
                bool is_old = strchr(old, (char) ('0' + (int) i)) != NULL;
                want_node(w, i, "new", NULL);
                want(w, "Unit", names[i], names[i], "new", 3);
                find(w, "Unit", names[i], names[i], is_old ? "old" : "new", 3);
                see(w, names[i], "running", is_old ? "old" : "new", NOW - 1000);
        }
        return w;
}

static void make(World *w) {
        _cleanup_error_ MrError err = {};
        PlanInput input = {
                .wanted = w->wanted,
                .found = w->found,
                .facts = w->facts,
                .health = &w->all,
                .owner = OWNER,
                .holds = &w->holds,
                .restarts = &w->restarts,
                .discards = &w->discards,
                .grace_sec = 30,
                .is_deleted = w->is_deleted,
        };

        w->plan = plan_free(w->plan);
        assert_int_equal(plan_make(&input, &w->plan, &err), 0);
}

/* The plan as words: "verb subject" with "?" for what waits. */
static void assert_plan(World *w, const char *expected) {
        _cleanup_buf_ MrBuf text = {};

        make(w);
        for (size_t i = 0; i < plan_size(w->plan); i++) {
                const Step *step = plan_at(w->plan, i);
                mr_buf_printf(&text, "%s%s %s%s", i ? ", " : "", mr_verb_name(step->verb),
                              step->subject, step->waits ? "?" : "");
        }
        assert_string_equal(mr_buf_text(&text), expected);
}

static const Step *step_of(const World *w, MrVerb verb, const char *subject) {
        for (size_t i = 0; i < plan_size(w->plan); i++) {
                const Step *step = plan_at(w->plan, i);
                if (step->verb == verb && mr_streq(step->subject, subject))
                        return step;
        }
        fail_msg("there is no step %s %s", mr_verb_name(verb), subject);
        return NULL;
}

static void nothing_to_do(void **state _unused_) {
        _cleanup_world_ *w = running("");

        assert_plan(w, "");
        assert_int_equal(plan_ready(w->plan), 0);
        assert_int_equal(plan_recheck(w->plan), 0);
}

static void what_is_shared_comes_first_and_nodes_start_together(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        for (size_t i = 0; i < 3; i++)
                want_node(w, i, "new", NULL);
        want(w, "Unit", "a", "a", "new", 3);
        want(w, "File", "a/f", "a", "new", 2);
        want(w, "Volume", "data-a", "a", "new", 1);
        want(w, "Unit", "zk", "zk", "new", 3);
        want(w, "Secret", "ca", NULL, "new", -20);
        want(w, "Secret", "leaf", NULL, "new", -10);
        want(w, "Distribution", "d", NULL, "new", 0);
        assert_plan(w, "create secret ca, create secret leaf, create distribution d, create unit "
                       "zk, create volume data-a, "
                       "create file a/f, create unit a, start zk, start a, start b");
        assert_int_equal(plan_ready(w->plan), plan_size(w->plan));
        assert_string_equal(step_of(w, MR_VERB_START, "a")->reason, "it does not run yet");
}

static void what_is_pending_waits_and_says_so(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, NULL, "secret x");
        mr_manifests_add(w->wanted, (MrManifest){
                                            .kind = "File",
                                            .ns = "default",
                                            .name = "a/f",
                                            .node = "a",
                                            .pending = "secret x",
                                            .body = body_of("x"),
                                    });
        assert_plan(w, "create file a/f?, start a?");
        assert_string_equal(step_of(w, MR_VERB_START, "a")->waits, "secret x");
}

static void drift_of_a_running_node_is_repaired_in_place(void **state _unused_) {
        _cleanup_world_ *w = running("");

        want(w, "File", "a/f", "a", "new", 2);
        want(w, "File", "b/f", "b", "new", 2);
        find(w, "File", "b/f", "b", "edited", 2);
        assert_plan(w, "create file a/f, update file b/f");
        assert_true(step_of(w, MR_VERB_UPDATE, "file b/f")->is_repair);
        assert_string_equal(step_of(w, MR_VERB_UPDATE, "file b/f")->reason, "value edited → new");
}

static void limit(MrManifests *manifests, int64_t bytes) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_int(mr_tree_need_map(body, "properties"), "memory_limit", bytes);
        mr_manifests_add(manifests, (MrManifest){.kind = "Unit",
                                                 .ns = "default",
                                                 .name = "a",
                                                 .node = "a",
                                                 .owner = OWNER,
                                                 .rank = 3,
                                                 .body = body,
                                                 .restarts = true});
}

/* Every kind of change, for a node that runs: what it means is part of the step. */
static void each_step_says_what_it_means_for_what_runs(void **state _unused_) {
        _cleanup_world_ *w = running("2");
        _cleanup_buf_ MrBuf text = {};

        limit(w->wanted, 2000);
        limit(w->found, 1000);
        want(w, "File", "a/quiet", "a", "new", 2);
        find(w, "File", "a/quiet", "a", "old", 2);
        mr_manifests_add(w->wanted, (MrManifest){.kind = "File",
                                                 .ns = "default",
                                                 .name = "a/log",
                                                 .node = "a",
                                                 .rank = 2,
                                                 .body = body_of("new"),
                                                 .reloads = true});
        find(w, "File", "a/log", "a", "old", 2);
        want(w, "Setting", "broker/0/k", NULL, "2", -5);
        find(w, "Setting", "broker/0/k", NULL, "1", -5);
        make(w);
        plan_print_text(w->plan, &text);
        assert_string_equal(mr_buf_text(&text),
                            "update   setting broker/0/k: value 1 → 2 (alter)\n"
                            "update   file a/log: value old → new (reload)\n"
                            "update   file a/quiet: value old → new\n"
                            "update   unit a: memory_limit 1000 → 2000 (live limit)\n"
                            "update   unit b: value old → new (roll)\n"
                            "restart  b: unit b: value old → new\n");
        assert_int_equal(step_of(w, MR_VERB_RESTART, "b")->outcome, OUTCOME_ROLL);
}

static void for_what_does_not_run_nothing_changes(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, "new", NULL);
        limit(w->wanted, 2000);
        limit(w->found, 1000);
        make(w);
        assert_int_equal(step_of(w, MR_VERB_UPDATE, "unit a")->outcome, OUTCOME_NONE);
        assert_null(outcome_name(OUTCOME_NONE));
}

static void one_node_restarts_at_a_time(void **state _unused_) {
        _cleanup_world_ *w = running("012");

        assert_plan(w, "update unit zk, restart zk, update unit a?, restart a?, update unit b?, "
                       "restart b?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "a")->waits, "zk comes first");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "zk comes first");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "zk")->reason, "unit zk: value old → new");
}

static void the_operand_says_who_is_next(void **state _unused_) {
        _cleanup_world_ *w = running("12");

        w->health[1].order = 2;
        w->health[2].order = 1;
        assert_plan(w, "update unit b, restart b, update unit a?, restart a?");
}

static void a_node_that_is_not_ready_goes_first(void **state _unused_) {
        _cleanup_world_ *w = running("012");

        w->health[2].is_ready = false;
        assert_plan(w, "update unit b, restart b, update unit zk?, restart zk?, update unit a?, "
                       "restart a?");
}

static void a_closed_gate_stops_the_roll(void **state _unused_) {
        _cleanup_world_ *w = running("12");

        w->health[1].may_stop = false;
        w->health[1].in_the_way = "12 partitions are not in sync";
        assert_plan(w, "update unit a?, restart a?, update unit b?, restart b?");
        assert_string_equal(step_of(w, MR_VERB_UPDATE, "unit a")->waits,
                            "12 partitions are not in sync");
        w->health[1].in_the_way = NULL;
        make(w);
        assert_string_equal(step_of(w, MR_VERB_RESTART, "a")->waits, "it may not stop now");
}

/* A broker that has caught up with some of its partitions serves those. */
static void the_gate_holds_for_what_runs_and_is_not_ready(void **state _unused_) {
        _cleanup_world_ *w = running("2");

        w->health[2].is_ready = false;
        w->health[2].may_stop = false;
        assert_plan(w, "update unit b?, restart b?");
}

static void the_first_failure_stops_the_roll(void **state _unused_) {
        _cleanup_world_ *w = running("2");

        w->health[1].is_ready = false;
        w->health[1].waits = "is not registered";
        assert_plan(w, "update unit b?, restart b?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits,
                            "a is not ready: is not registered");
}

static void a_failed_node_is_started_and_stops_the_roll(void **state _unused_) {
        _cleanup_world_ *w = running("");

        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        see(w, "zk", "running", "new", NOW - 1000);
        see(w, "a", "failed", NULL, NOW - 1000);
        see(w, "b", "running", "old", NOW - 1000);
        assert_plan(w, "start a, restart b?");
        assert_string_equal(step_of(w, MR_VERB_START, "a")->reason, "it failed");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "a is not ready: failed");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->reason,
                            "it runs with an older configuration");
}

/* Nobody may connect to it, so others may wait for it for ever. */
static void whoever_has_expired_waits_for_nobody(void **state _unused_) {
        _cleanup_world_ *w = running("012");

        w->health[2].has_expired = true;
        w->health[0].is_ready = w->health[1].is_ready = false;
        assert_plan(w, "update unit b, restart b, update unit zk?, restart zk?, update unit a?, "
                       "restart a?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->reason,
                            "unit b: value old → new; the certificate it uses has expired");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "zk")->waits, "b comes first");
        w->health[1].has_expired = true;
        assert_plan(w, "update unit a, restart a, update unit b?, restart b?, update unit zk?, "
                       "restart zk?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "a comes first");
}

/* Its gate and a hold count as before, and while it waits it holds up nobody. */
static void whoever_has_expired_keeps_the_other_rules(void **state _unused_) {
        _cleanup_world_ *w = running("12");

        w->health[2].has_expired = true;
        w->health[2].may_stop = false;
        w->health[2].in_the_way = "3 partitions";
        assert_plan(w, "update unit b?, restart b?, update unit a, restart a");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "3 partitions");
        w->health[2].may_stop = true;
        mr_pairs_set(w->arena, &w->holds, "b", "a test");
        assert_plan(w, "update unit b?, restart b?, update unit a, restart a");
}

/* What could be told while its certificate was good cannot be reached any more. */
static void whoever_has_expired_restarts_with_the_configuration_it_has(void **state _unused_) {
        _cleanup_world_ *w = running("");

        assert_plan(w, "");
        w->health[2].has_expired = true;
        w->health[0].is_ready = w->health[1].is_ready = false;
        assert_plan(w, "restart b");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->reason,
                            "nobody can tell it to read its files again; the certificate it uses "
                            "has expired");
        w->health[1].has_expired = true;
        assert_plan(w, "restart a, restart b?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "a comes first");
}

static void see_late(World *w, const char *state, int64_t since, int64_t restarts) {
        MrTree *late = mr_tree_new_map();

        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        see(w, "zk", "running", "new", NOW - 1000);
        see(w, "b", "running", "old", NOW - 1000);
        mr_tree_set_string(late, "state", state);
        mr_tree_set_string(late, "fingerprint", "new");
        mr_tree_set_int(late, "since", since);
        mr_tree_set_int(late, "restarts", restarts);
        facts_add_node(w->facts, "a", w->trees[w->n_trees++] = late);
        w->health[1].is_ready = false;
}

/* One at a time: others get the time it takes to start. */
static void whoever_has_expired_gives_others_time_to_start(void **state _unused_) {
        _cleanup_world_ *w = running("2");

        w->health[2].has_expired = true;
        see_late(w, "starting", NOW - 20, 0);
        assert_plan(w, "update unit b?, restart b?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "a is not ready: starting");
        assert_int_equal(plan_recheck(w->plan), 10);
        see_late(w, "running", NOW - 29, 0);
        assert_plan(w, "update unit b?, restart b?");
        see_late(w, "starting", NOW - 30, 0);
        assert_plan(w, "update unit b, restart b");
        see_late(w, "starting", NOW - 3, 1);
        assert_plan(w, "update unit b, restart b");
        w->health[2].has_expired = false;
        assert_plan(w, "update unit b?, restart b?");
}

static void see_starting(World *w, int64_t since) {
        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        see(w, "zk", "running", "new", NOW - 1000);
        see(w, "a", "starting", "old", since);
        see(w, "b", "running", "new", NOW - 1000);
        w->health[1].is_ready = false;
}

static void a_starting_node_is_left_alone(void **state _unused_) {
        _cleanup_world_ *w = running("");

        see_starting(w, NOW - 20000);
        assert_plan(w, "restart a?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "a")->waits,
                            "it is still starting, and may be recovering its storage; 'millctl "
                            "restart a' restarts it all the same");
}

static void a_starting_node_is_restarted_for_a_person_after_a_while(void **state _unused_) {
        _cleanup_world_ *w = running("");

        mr_pairs_set(w->arena, &w->restarts, "a", "it hangs");
        see_starting(w, NOW - 20);
        assert_plan(w, "restart a?");
        assert_int_equal(plan_recheck(w->plan), 100);
        see_starting(w, NOW - 121);
        assert_plan(w, "restart a");
}

/* A wrong configuration may keep all nodes from becoming ready; a person gets the right one to
 * them. */
static void nodes_that_do_not_come_up_do_not_wait_for_each_other(void **state _unused_) {
        _cleanup_world_ *w = running("");

        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        for (size_t i = 0; i < 3; i++) {
                see(w, names[i], i == 0 ? "running" : "starting", "old", NOW - 200);
                w->health[i].is_ready = i == 0;
                if (i > 0)
                        mr_pairs_set(w->arena, &w->restarts, names[i], "they hang");
        }
        assert_plan(w, "restart a, restart b?, restart zk?");
}

static void a_stopping_node_is_let_stop(void **state _unused_) {
        _cleanup_world_ *w = running("");

        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        see(w, "zk", "running", "new", NOW - 1000);
        see(w, "a", "stopping", "old", NOW - 1);
        see(w, "b", "running", "new", NOW - 1000);
        w->health[1].is_ready = false;
        assert_plan(w, "restart a?");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "a")->waits, "it is stopping");
}

static void a_node_stopped_by_hand_gets_grace(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, "new", NULL);
        see(w, "a", "stopped", NULL, NOW - 10);
        assert_plan(w, "start a?");
        assert_non_null(
                strstr(step_of(w, MR_VERB_START, "a")->waits, "'millctl hold a' keeps it down"));
        assert_int_equal(plan_recheck(w->plan), 20);
}

static void a_node_stopped_by_hand_is_started_after_the_grace(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, "new", NULL);
        see(w, "a", "stopped", NULL, NOW - 30);
        assert_plan(w, "start a");
        assert_string_equal(step_of(w, MR_VERB_START, "a")->reason,
                            "it was stopped by hand; 'millctl hold a' keeps it down");
        assert_true(step_of(w, MR_VERB_START, "a")->is_repair);
}

static void a_hold_keeps_a_node_down_and_up(void **state _unused_) {
        _cleanup_world_ *w = running("12");

        mr_pairs_set(w->arena, &w->holds, "a", "a disk is replaced");
        assert_plan(w, "update unit a?, restart a?, update unit b, restart b");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "a")->waits,
                            "it is held: a disk is replaced");
}

static void a_held_node_that_is_down_stays_down_and_stops_nobody(void **state _unused_) {
        _cleanup_world_ *w = running("");

        w->facts = facts_free(w->facts);
        w->facts = facts_new(NOW, "paper");
        see(w, "zk", "running", "new", NOW - 1000);
        see(w, "a", "held", NULL, NOW - 1000);
        see(w, "b", "running", "old", NOW - 1000);
        w->health[1].is_ready = false;
        assert_plan(w, "start a?, restart b");
        assert_string_equal(step_of(w, MR_VERB_START, "a")->waits,
                            "it is held: its unit is masked");
}

static void a_restart_that_was_asked_for(void **state _unused_) {
        _cleanup_world_ *w = running("");

        mr_pairs_set(w->arena, &w->restarts, "b", "new kernel");
        assert_plan(w, "restart b");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->reason, "asked for: new kernel");
        w->health[0].is_ready = false;
        assert_plan(w, "restart b?");
}

static void an_unknown_fingerprint_restarts_nobody(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 0, NULL, "secret x");
        want_node(w, 1, "new", NULL);
        see(w, "zk", "running", "old", NOW - 1000);
        see(w, "a", "running", NULL, NOW - 1000);
        assert_plan(w, "");
}

static void what_a_node_of_a_smaller_cluster_holds_is_not_removed(void **state _unused_) {
        _cleanup_world_ *w = running("");

        find(w, "Unit", "c", "c", "old", 3);
        find(w, "File", "c/f", "c", "old", 2);
        find(w, "Volume", "data-c", "c", "old", 1);
        assert_plan(w, "remove unit c?, remove file c/f?");
        assert_string_equal(
                step_of(w, MR_VERB_REMOVE, "unit c")->waits,
                "the data of c must be moved to other nodes first; set the replicas back");
}

static void a_node_its_operand_lets_go_is_removed(void **state _unused_) {
        _cleanup_world_ *w = running("");

        find(w, "Unit", "c", "c", "old", 3);
        find(w, "File", "c/f", "c", "old", 2);
        find(w, "Volume", "data-c", "c", "old", 1);
        w->health[3] = (MrNodeHealth){.node = "c", .is_ready = true, .may_stop = true};
        w->all.n = 4;
        assert_plan(w, "remove unit c, remove file c/f");
        assert_true(step_of(w, MR_VERB_REMOVE, "unit c")->is_gated);
        w->health[3] = (MrNodeHealth){.node = "c", .in_the_way = "it hosts 2 partitions"};
        assert_plan(w, "remove unit c?, remove file c/f?");
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "unit c")->waits, "it hosts 2 partitions");
        w->health[3] = (MrNodeHealth){.node = "c", .is_ready = true, .may_stop = true};
        mr_pairs_set(w->arena, &w->holds, "c", "maintenance");
        assert_plan(w, "remove unit c?, remove file c/f?");
}

static void hold_data(World *w, const char *claim, const char *node) {
        MrTree *of_claim = w->trees[w->n_trees++] = mr_tree_new_map();
        MrTree *all = w->trees[w->n_trees++] = mr_tree_new_map();
        _cleanup_free_ char *key = mr_strf("default/%s", claim);

        find(w, "Volume", claim, node, "same", 1);
        want(w, "Volume", claim, node, "same", 1);
        for (int i = 0; i < 2; i++) {
                const MrManifest *volume =
                        mr_manifests_find(i ? w->wanted : w->found, "Volume", "default", claim);
                mr_tree_set_string(mr_tree_need_map(volume->body, "identity"), "cluster_id", "x");
        }
        mr_tree_set_bool(of_claim, "prepared", true);
        mr_tree_set(all, key, mr_tree_copy(of_claim));
        facts_set_claims(w->facts, "default", all);
}

/* It is stopped and loses its claims; nobody else restarts meanwhile. */
static void data_is_given_up_in_a_turn_of_its_own(void **state _unused_) {
        _cleanup_world_ *w = running("12");

        hold_data(w, "data-a", "a");
        mr_pairs_set(w->arena, &w->discards, "a", "a test");
        w->health[1].may_lose_data = true;
        assert_plan(w, "stop a, remove volume data-a, update unit b?, restart b?");
        assert_true(step_of(w, MR_VERB_STOP, "a")->is_gated);
        assert_string_equal(step_of(w, MR_VERB_STOP, "a")->reason, "its data is given up: a test");
        assert_string_equal(step_of(w, MR_VERB_RESTART, "b")->waits, "a comes first");
}

static void data_stays_while_something_would_be_lost(void **state _unused_) {
        _cleanup_world_ *w = running("");

        hold_data(w, "data-a", "a");
        mr_pairs_set(w->arena, &w->discards, "a", "a test");
        w->health[1].only_here = "3 partitions are only here";
        assert_plan(w, "stop a?, remove volume data-a?");
        assert_string_equal(step_of(w, MR_VERB_STOP, "a")->waits, "3 partitions are only here");
        w->health[1].may_lose_data = true;
        w->health[2].is_ready = false;
        assert_plan(w, "stop a?, remove volume data-a?");
        w->health[2].is_ready = true;
        w->health[1].may_stop = false;
        assert_plan(w, "stop a?, remove volume data-a?");
        w->health[1].may_stop = true;
        mr_pairs_set(w->arena, &w->holds, "a", "maintenance");
        assert_plan(w, "stop a?, remove volume data-a?");
        w->holds = (MrPairs){};
        assert_plan(w, "stop a, remove volume data-a");
        w->all.n = 0;
        assert_plan(w, "stop a?, remove volume data-a?");
}

static void a_node_without_its_data_begins_anew(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, "new", NULL);
        see(w, "a", "stopped", NULL, NOW - 1);
        want(w, "Volume", "data-a", "a", "new", 1);
        mr_pairs_set(w->arena, &w->discards, "a", "a test");
        w->health[1].may_lose_data = true;
        assert_plan(w, "create volume data-a, start a");
        assert_true(step_of(w, MR_VERB_START, "a")->begins_anew);
        assert_string_equal(step_of(w, MR_VERB_START, "a")->reason,
                            "its data was given up: a test");
}

/* Stopped for that, by a daemon that did not get further: it is not started in between at once. */
static void a_node_that_is_to_give_its_data_up_stays_down_for_a_while(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        want_node(w, 1, "new", NULL);
        see(w, "a", "stopped", NULL, NOW - 1);
        hold_data(w, "data-a", "a");
        mr_pairs_set(w->arena, &w->discards, "a", "a test");
        w->health[1].only_here = "nothing is known yet";
        assert_plan(w, "remove volume data-a?, start a?");
        w->health[1].may_lose_data = true;
        assert_plan(w, "remove volume data-a");
}

static void storage_in_use_waits_for_its_node(void **state _unused_) {
        _cleanup_world_ *w = running("1");
        MrManifest volume = {.kind = "Volume",
                             .ns = "default",
                             .name = "data-1-a",
                             .node = "a",
                             .owner = OWNER,
                             .rank = 1,
                             .is_in_use = true};

        volume.body = body_of("old");
        mr_manifests_add(w->found, volume);
        assert_plan(w, "update unit a, restart a, remove volume data-1-a?");
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "volume data-1-a")->waits,
                            "a uses it until it restarts");
        volume.is_in_use = false;
        volume.body = body_of("old");
        mr_manifests_add(w->found, volume);
        assert_plan(w, "update unit a, restart a, remove volume data-1-a");
}

static void what_a_wanted_node_no_longer_needs_goes(void **state _unused_) {
        _cleanup_world_ *w = running("");

        find(w, "File", "a/f", "a", "old", 2);
        assert_plan(w, "remove file a/f");
}

static void what_others_own_is_left_alone(void **state _unused_) {
        _cleanup_world_ *w = running("");

        mr_manifests_add(w->found, (MrManifest){.kind = "Unit",
                                                .ns = "default",
                                                .name = "x",
                                                .owner = "default/x",
                                                .body = body_of("x")});
        mr_manifests_add(
                w->found,
                (MrManifest){.kind = "Unit", .ns = "default", .name = "y", .body = body_of("y")});
        assert_plan(w, "");
}

static void a_deletion_goes_backwards_and_keeps_the_data(void **state _unused_) {
        _cleanup_world_ *w = running("");

        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *claim = mr_strf("data-%s", names[i]);
                want(w, "Volume", claim, names[i], "x", 1);
                find(w, "Volume", claim, names[i], "x", 1);
        }
        want(w, "Secret", "ca", NULL, "x", -20);
        find(w, "Secret", "ca", NULL, "x", -20);
        want(w, "File", "missing", NULL, "x", 2);
        w->is_deleted = true;
        assert_plan(w, "remove unit b, remove unit a, remove unit zk, remove secret ca");
}

static void a_deletion_takes_the_data_when_the_spec_says_so(void **state _unused_) {
        _cleanup_world_ *w = running("");

        find(w, "Volume", "data-a", "a", "x", 1);
        mr_manifests_add(w->wanted, (MrManifest){.kind = "Volume",
                                                 .ns = "default",
                                                 .name = "data-a",
                                                 .node = "a",
                                                 .rank = 1,
                                                 .body = body_of("x")});
        w->is_deleted = true;
        assert_plan(w, "remove unit b, remove unit a, remove volume data-a, remove unit zk");
}

static void a_deletion_takes_nodes_that_are_no_longer_in_the_spec(void **state _unused_) {
        _cleanup_world_ *w = running("");

        find(w, "Unit", "c", "c", "old", 3);
        find(w, "Volume", "data-c", "c", "old", 1);
        w->is_deleted = true;
        make(w);
        assert_null(step_of(w, MR_VERB_REMOVE, "unit c")->waits);
        assert_int_equal(plan_size(w->plan), 4);
}

/* What a spec no longer names still ends before that which it needs. */
static void nodes_nobody_wants_end_in_the_order_they_were_told(void **state _unused_) {
        static const struct {
                const char *node;
                int order;
        } seen[] = {{"a-broker", 1}, {"b-broker", 1}, {"controller", 0}, {"zz-keeper", 0}};
        _cleanup_world_ *w = world_new();

        for (size_t i = 0; i < MR_ELEMENTS(seen); i++) {
                find(w, "Unit", seen[i].node, seen[i].node, "old", 3);
                see_at(w, seen[i].node, "running", "old", NOW - 1000, seen[i].order);
        }
        w->is_deleted = true;
        assert_plan(w, "remove unit b-broker, remove unit a-broker, remove unit zz-keeper, "
                       "remove unit controller");
}

static void linger(World *w, const char *unit) {
        mr_manifests_add(w->found, (MrManifest){.kind = "Unit",
                                                .ns = "default",
                                                .name = unit,
                                                .node = unit,
                                                .owner = OWNER,
                                                .rank = 3,
                                                .lingers = true,
                                                .body = body_of("old")});
}

/* Where nodes end after what they were made of, that which they need stays until they have. */
static void what_ending_nodes_need_waits_for_their_end(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        find(w, "Secret", "ca", NULL, "x", -20);
        see_at(w, "broker", "running", "old", NOW - 1000, 1);
        see_at(w, "keeper", "running", "old", NOW - 1000, 0);
        linger(w, "broker");
        linger(w, "keeper");
        w->is_deleted = true;
        make(w);
        assert_null(step_of(w, MR_VERB_REMOVE, "unit broker")->waits);
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "unit keeper")->waits, "broker ends first");
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "secret ca")->waits, "broker ends first");
}

static void what_has_been_removed_may_still_be_ending(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        find(w, "Unit", "keeper", "keeper", "old", 3);
        find(w, "Secret", "ca", NULL, "x", -20);
        see_at(w, "broker", "stopping", "old", NOW - 1000, 1);
        see_at(w, "keeper", "running", "old", NOW - 1000, 0);
        w->is_deleted = true;
        make(w);
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "unit keeper")->waits, "broker ends first");
        assert_string_equal(step_of(w, MR_VERB_REMOVE, "secret ca")->waits, "broker ends first");
        w->is_deleted = false;
        make(w);
        assert_null(step_of(w, MR_VERB_REMOVE, "secret ca")->waits);
}

static void a_deletion_of_a_cluster_that_never_had_nodes(void **state _unused_) {
        _cleanup_world_ *w = world_new();

        find(w, "Unit", "c", "c", "old", 3);
        find(w, "Secret", "s", NULL, "old", -5);
        w->is_deleted = true;
        assert_plan(w, "remove unit c, remove secret s");
}

static void the_plan_prints_itself(void **state _unused_) {
        _cleanup_world_ *w = running("0");
        _cleanup_buf_ MrBuf text = {};
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;

        w->health[0].may_stop = false;
        w->health[0].in_the_way = "so";
        make(w);
        plan_print_text(w->plan, &text);
        assert_string_equal(mr_buf_text(&text),
                            "update   unit zk: value old → new (roll)\n         waits: so\n"
                            "restart  zk: unit zk: value old → new\n         waits: so\n");
        tree = plan_to_tree(w->plan);
        assert_int_equal(mr_tree_size(tree), 2);
        assert_string_equal(mr_tree_get_string(mr_tree_at(tree, 1), "verb"), "restart");
        assert_string_equal(mr_tree_get_string(mr_tree_at(tree, 1), "waits"), "so");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_to_do),
                cmocka_unit_test(what_is_shared_comes_first_and_nodes_start_together),
                cmocka_unit_test(what_is_pending_waits_and_says_so),
                cmocka_unit_test(drift_of_a_running_node_is_repaired_in_place),
                cmocka_unit_test(each_step_says_what_it_means_for_what_runs),
                cmocka_unit_test(for_what_does_not_run_nothing_changes),
                cmocka_unit_test(one_node_restarts_at_a_time),
                cmocka_unit_test(the_operand_says_who_is_next),
                cmocka_unit_test(a_node_that_is_not_ready_goes_first),
                cmocka_unit_test(a_closed_gate_stops_the_roll),
                cmocka_unit_test(the_gate_holds_for_what_runs_and_is_not_ready),
                cmocka_unit_test(the_first_failure_stops_the_roll),
                cmocka_unit_test(a_failed_node_is_started_and_stops_the_roll),
                cmocka_unit_test(whoever_has_expired_waits_for_nobody),
                cmocka_unit_test(whoever_has_expired_restarts_with_the_configuration_it_has),
                cmocka_unit_test(whoever_has_expired_keeps_the_other_rules),
                cmocka_unit_test(whoever_has_expired_gives_others_time_to_start),
                cmocka_unit_test(a_starting_node_is_left_alone),
                cmocka_unit_test(a_starting_node_is_restarted_for_a_person_after_a_while),
                cmocka_unit_test(nodes_that_do_not_come_up_do_not_wait_for_each_other),
                cmocka_unit_test(a_stopping_node_is_let_stop),
                cmocka_unit_test(a_node_stopped_by_hand_gets_grace),
                cmocka_unit_test(a_node_stopped_by_hand_is_started_after_the_grace),
                cmocka_unit_test(a_hold_keeps_a_node_down_and_up),
                cmocka_unit_test(a_held_node_that_is_down_stays_down_and_stops_nobody),
                cmocka_unit_test(a_restart_that_was_asked_for),
                cmocka_unit_test(an_unknown_fingerprint_restarts_nobody),
                cmocka_unit_test(what_a_node_of_a_smaller_cluster_holds_is_not_removed),
                cmocka_unit_test(a_node_its_operand_lets_go_is_removed),
                cmocka_unit_test(data_is_given_up_in_a_turn_of_its_own),
                cmocka_unit_test(data_stays_while_something_would_be_lost),
                cmocka_unit_test(a_node_without_its_data_begins_anew),
                cmocka_unit_test(a_node_that_is_to_give_its_data_up_stays_down_for_a_while),
                cmocka_unit_test(storage_in_use_waits_for_its_node),
                cmocka_unit_test(what_a_wanted_node_no_longer_needs_goes),
                cmocka_unit_test(what_others_own_is_left_alone),
                cmocka_unit_test(a_deletion_goes_backwards_and_keeps_the_data),
                cmocka_unit_test(a_deletion_takes_the_data_when_the_spec_says_so),
                cmocka_unit_test(a_deletion_takes_nodes_that_are_no_longer_in_the_spec),
                cmocka_unit_test(nodes_nobody_wants_end_in_the_order_they_were_told),
                cmocka_unit_test(what_ending_nodes_need_waits_for_their_end),
                cmocka_unit_test(what_has_been_removed_may_still_be_ending),
                cmocka_unit_test(a_deletion_of_a_cluster_that_never_had_nodes),
                cmocka_unit_test(the_plan_prints_itself),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
