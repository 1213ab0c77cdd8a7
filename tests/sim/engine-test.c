/* What the engine promises beside the order of steps: deletions end, failures back off, holds are
 * respected, and what was done is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/str.h"
#include "sim.h"

#define SPEC(heap) ANNOTATED("", heap)
#define ANNOTATED(annotations, heap)                                                               \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c" annotations        \
        "}\nspec:\n  "                                                                             \
        "kafka:\n"                                                                                 \
        "    version: 3.9.1\n    replicas: 2\n    jvmOptions: {\"-Xmx\": " heap "}\n"              \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"                 \
        "    storage: {type: persistent-claim, size: 1Gi}\n"                                       \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"

static int set_up_empty(void **state) {
        Sim *sim = sim_new(7);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim_start(sim);
        *state = sim;
        return 0;
}

static int set_up(void **state) {
        (void) set_up_empty(state);
        sim_apply(*state, SPEC("512m"));
        return sim_settle(*state, 300) ? 0 : -1;
}

static int tear_down(void **state) {
        sim_free(*state);
        return 0;
}

static void assert_well(Sim *sim) {
        if (sim->violation)
                fail_msg("%s", sim->violation);
}

static bool is_told(Sim *sim, const char *reason, const char *words) {
        _cleanup_(mr_tree_freep) MrTree *events = sim_events(sim, "Kafka", "c");

        for (size_t i = 0; i < mr_tree_size(events); i++) {
                const MrTree *event = mr_tree_at(events, i);
                if (mr_streq(mr_tree_get_string(event, "reason"), reason) &&
                    strstr(mr_tree_get_string(event, "message"), words))
                        return true;
        }
        return false;
}

static const char *ready(Sim *sim) {
        static const char *const answers[] = {"True", "False"};
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "Kafka", "c");
        const char *text = mr_tree_string(mr_tree_find(status, "conditions[Ready].status", false));

        for (size_t i = 0; i < MR_ELEMENTS(answers); i++)
                if (mr_streq(answers[i], text))
                        return answers[i];
        return "Unknown";
}

static void a_settled_cluster_is_ready_and_quiet(void **state) {
        Sim *sim = *state;

        assert_string_equal(ready(sim), "True");
        sim_check_settled(sim);
        assert_well(sim);
}

static void what_was_done_is_told(void **state) {
        Sim *sim = *state;

        assert_true(is_told(sim, "Issued", "secret c-cluster-ca"));
        assert_true(is_told(sim, "Started", "c-kafka-0"));
        sim_apply(sim, SPEC("640m"));
        assert_true(sim_settle(sim, 300));
        assert_true(is_told(sim, "Restarted", "-Xmx512m → -Xmx640m"));
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        assert_true(sim_settle(sim, 300));
        assert_true(is_told(sim, "Repaired", "start c-kafka-1: it failed"));
        assert_well(sim);
}

static void a_deletion_ends_and_keeps_the_data(void **state) {
        Sim *sim = *state;

        sim->in_deletion = true;
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 30 * SIM_SEC);
        assert_well(sim);
        assert_false(sim_is_stored(sim, "Kafka", "c"));
        assert_int_equal(mr_tree_size(sim->instances), 0);
        assert_int_equal(mr_tree_size(sim->claims), 3);
}

#define POOL                                                                                       \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                                   \
        "metadata: {name: p, labels: {strimzi.io/cluster: k}}\n"                                   \
        "spec: {replicas: 1, roles: [controller, broker], "                                        \
        "storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}}\n---\n"                  \
        "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: k}\n"                      \
        "spec: {kafka: {version: 4.3.1, listeners: "                                               \
        "[{name: plain, port: 9092, type: internal, tls: false}]}}\n"

/* A cluster without its pools would not know what it consists of, nor which data may go. */
static void a_pool_lasts_as_long_as_its_cluster(void **state) {
        Sim *sim = *state;

        sim_apply(sim, POOL);
        assert_true(sim_settle(sim, 300));
        assert_non_null(sim_node(sim, "k-p-0"));
        sim->in_deletion = sim->may_delete_data = true;
        sim_delete(sim, "KafkaNodePool", "p");
        sim_delete(sim, "Kafka", "k");
        sim_run(sim, 30 * SIM_SEC);
        assert_well(sim);
        assert_false(sim_is_stored(sim, "Kafka", "k") || sim_is_stored(sim, "KafkaNodePool", "p"));
        assert_null(sim_node(sim, "k-p-0"));
        assert_null(mr_tree_get(sim->claims, "data-k-p-0"));
}

/* The nodes go even when the pool went first, and the claims remember what it said of them. */
static void a_cluster_whose_pools_are_gone(void **state) {
        Sim *sim = *state;

        sim_apply(sim, POOL);
        assert_true(sim_settle(sim, 300));
        sim_delete(sim, "KafkaNodePool", "p");
        sim_run(sim, 10 * SIM_SEC);
        assert_false(sim_is_stored(sim, "KafkaNodePool", "p"));
        assert_int_equal(sim_node(sim, "k-p-0")->state, SIM_RUNNING);
        sim->in_deletion = sim->may_delete_data = true;
        sim_delete(sim, "Kafka", "k");
        sim_run(sim, 90 * SIM_SEC);
        assert_well(sim);
        assert_false(sim_is_stored(sim, "Kafka", "k"));
        assert_null(sim_node(sim, "k-p-0"));
        assert_null(mr_tree_get(sim->claims, "data-k-p-0"));
}

/* A deletion that cannot be carried out yet stays one. */
static void a_deletion_survives_failures_and_crashes(void **state) {
        Sim *sim = *state;

        sim->in_deletion = true;
        sim->apply_fails = 100;
        sim->fails_at_once = true;
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 60 * SIM_SEC);
        assert_true(sim_is_stored(sim, "Kafka", "c"));
        sim_crash(sim);
        sim_run(sim, 5 * SIM_SEC);
        assert_true(sim_is_stored(sim, "Kafka", "c"));
        sim->apply_fails = 0;
        sim_run(sim, 120 * SIM_SEC);
        assert_false(sim_is_stored(sim, "Kafka", "c"));
        assert_well(sim);
}

static void failures_back_off_and_are_reported(void **state) {
        Sim *sim = *state;

        sim->apply_fails = 100;
        sim->fails_at_once = true;
        sim_apply(sim, SPEC("640m"));
        unsigned before = sim->batches;
        sim_run(sim, 300 * SIM_SEC);
        /* A second, twice as long each time, and then regularly. */
        assert_in_range(sim->batches - before, 5, 40);
        assert_string_equal(ready(sim), "False");
        assert_true(is_told(sim, "Failed", "the disk is full"));
        sim->apply_fails = 0;
        assert_true(sim_settle(sim, 300));
        assert_string_equal(ready(sim), "True");
        assert_well(sim);
}

static void an_observation_that_fails_stops_everything(void **state) {
        Sim *sim = *state;

        sim->observe_fails = 100;
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        unsigned batches = sim->batches, before = sim->observations;
        sim_run(sim, 300 * SIM_SEC);
        assert_int_equal(sim->batches, batches);
        assert_in_range(sim->observations - before, 5, 30);
        sim->observe_fails = 0;
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
}

static void a_hold_is_respected(void **state) {
        Sim *sim = *state;
        SimNode *node = sim_node(sim, "c-kafka-1");

        sim_hold(sim, "c-kafka-1", "a disk is replaced");
        sim_run(sim, 5 * SIM_SEC);
        sim_node_down(sim, node, SIM_DOWN);
        sim_run(sim, 200 * SIM_SEC);
        assert_int_equal(node->state, SIM_DOWN);
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        assert_string_equal(mr_tree_string(mr_tree_find(plan, "steps[0].waits", false)),
                            "it is held: a disk is replaced");
        sim_release(sim, "c-kafka-1");
        assert_true(sim_settle(sim, 60));
        assert_well(sim);
}

static void a_node_stopped_by_hand_comes_back(void **state) {
        Sim *sim = *state;
        SimNode *node = sim_node(sim, "c-kafka-1");

        sim_node_down(sim, node, SIM_DOWN);
        sim_run(sim, 8 * SIM_SEC);
        assert_int_equal(node->state, SIM_DOWN);
        sim_run(sim, 4 * SIM_SEC);
        assert_int_not_equal(node->state, SIM_DOWN);
        assert_true(sim_settle(sim, 60));
        assert_true(is_told(sim, "Repaired",
                            "it was stopped by hand; 'millctl hold c-kafka-1' keeps it down"));
        assert_well(sim);
}

static void a_restart_that_was_asked_for_happens_once(void **state) {
        Sim *sim = *state;
        size_t actions = sim->n_actions;

        sim_ask_restart(sim, "c-kafka-1", "a new kernel");
        assert_true(sim_settle(sim, 60) || true);
        sim_run(sim, 20 * SIM_SEC);
        assert_int_equal(sim->n_actions, actions + 1);
        assert_true(is_told(sim, "Restarted", "asked for: a new kernel"));
        sim_check_settled(sim);
        assert_well(sim);
}

static void a_file_that_was_edited_is_put_back(void **state) {
        Sim *sim = *state;
        MrTree *files = mr_tree_get(mr_tree_get(sim->instances, "c-kafka-0"), "files");

        mr_tree_set_string(files, "server.properties", "edited");
        sim_host_changed(sim);
        sim_run(sim, 2 * SIM_SEC);
        assert_string_not_equal(mr_tree_get_string(files, "server.properties"), "edited");
        assert_true(is_told(sim, "Repaired", "file c-kafka-0/server.properties"));
        assert_int_equal(sim_node(sim, "c-kafka-0")->state, SIM_RUNNING);
        assert_well(sim);
}

static void data_is_kept_and_leaves_at_once(void **state) {
        Sim *sim = *state;
        size_t actions = sim->n_actions;

        sim_apply(sim, "apiVersion: v1\nkind: Secret\nmetadata: {name: own}\n"
                       "stringData: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\n"
                       "metadata: {name: texts}\n---\napiVersion: storage.k8s.io/v1\n"
                       "kind: StorageClass\nmetadata: {name: fast}\nprovisioner: p\n");
        sim_run(sim, 2 * SIM_SEC);
        sim_crash(sim);
        assert_true(sim_settle(sim, 60));
        assert_int_equal(sim->n_actions, actions);
        sim_check_settled(sim);
        assert_true(sim_is_stored(sim, "Secret", "own"));
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "ConfigMap", "texts");
        assert_int_equal(mr_tree_size(status), 0);
        sim_delete(sim, "Secret", "own");
        sim_delete(sim, "ConfigMap", "texts");
        sim_delete(sim, "StorageClass", "fast");
        sim_run(sim, 2 * SIM_SEC);
        assert_false(sim_is_stored(sim, "Secret", "own") ||
                     sim_is_stored(sim, "ConfigMap", "texts") ||
                     sim_is_stored(sim, "StorageClass", "fast"));
        assert_int_equal(sim->n_actions, actions);
        assert_well(sim);
}

/* An authority somebody wrote signs what follows. */
static void what_was_written_is_used(void **state) {
        Sim *sim = *state;
        _cleanup_(mr_buf_wipe) MrBuf made = {}, used = {}, yaml = {};
        _cleanup_(mr_tree_freep) MrTree *secret = mr_tree_new_map();
        const char *const names[] = {"c-cluster-ca", "c-cluster-ca-cert"};
        const char *const keys[] = {"ca.key", "ca.crt"};

        for (size_t i = 0; i < 2; i++) {
                mr_buf_clear(&made);
                assert_true(sim_secret(sim, names[i], keys[i], &made));
                mr_buf_clear(&yaml);
                mr_tree_set_string(secret, "apiVersion", "v1");
                mr_tree_set_string(secret, "kind", "Secret");
                mr_tree_set_string(mr_tree_need_map(secret, "metadata"), "name", names[i]);
                mr_tree_set(secret, "stringData", mr_tree_new_map());
                mr_tree_set_string(mr_tree_get(secret, "stringData"), keys[i], mr_buf_text(&made));
                mr_yaml_write(secret, &yaml);
                sim_apply(sim, mr_buf_text(&yaml));
                assert_true(sim_secret(sim, names[i], keys[i], &used));
        }
        size_t actions = sim->n_actions;
        sim_run(sim, 5 * SIM_SEC);
        sim_check_settled(sim);
        assert_int_equal(sim->n_actions, actions);
        sim_lose_secret(sim, "c-kafka-0");
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
}

#define PAUSE ", annotations: {strimzi.io/pause-reconciliation: \"true\"}"
#define ROLL(value) ", annotations: {strimzi.io/manual-rolling-update: \"" value "\"}"

static const char *condition(Sim *sim, const char *path) {
        static char text[16];
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "Kafka", "c");
        const char *value = mr_tree_string(mr_tree_find(status, path, false));

        (void) snprintf(text, sizeof(text), "%s", value ? value : "");
        return text;
}

/* The plan still says what would be done. */
static void a_paused_cluster_is_left_as_it_is(void **state) {
        Sim *sim = *state;

        sim_apply(sim, ANNOTATED(PAUSE, "640m"));
        sim_run(sim, 60 * SIM_SEC);
        assert_false(is_told(sim, "Restarted", "-Xmx512m"));
        assert_string_equal(condition(sim, "conditions[ReconciliationPaused].status"), "True");
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        const MrTree *first = mr_tree_at(mr_tree_get(plan, "steps"), 0);
        assert_non_null(strstr(mr_tree_get_string(first, "waits"), "is paused"));
        sim_apply(sim, SPEC("640m"));
        assert_true(sim_settle(sim, 300));
        assert_true(is_told(sim, "Restarted", "-Xmx512m → -Xmx640m"));
        assert_string_equal(condition(sim, "conditions[ReconciliationPaused].status"), "");
        assert_well(sim);
}

static size_t rolls(Sim *sim) {
        _cleanup_(mr_tree_freep) MrTree *events = sim_events(sim, "Kafka", "c");
        size_t n = 0;

        for (size_t i = 0; i < mr_tree_size(events); i++)
                n += strstr(mr_tree_get_string(mr_tree_at(events, i), "message"),
                            "manual-rolling-update") != NULL;
        return n;
}

static void an_annotation_rolls_once(void **state) {
        Sim *sim = *state;

        sim_apply(sim, ANNOTATED(ROLL("true"), "512m"));
        assert_true(sim_settle(sim, 300));
        assert_int_equal(rolls(sim), 3);
        sim_apply(sim, ANNOTATED(ROLL("true"), "512m"));
        sim_crash(sim);
        sim_run(sim, 60 * SIM_SEC);
        assert_true(sim_settle(sim, 300));
        size_t before = rolls(sim);
        sim_apply(sim, ANNOTATED(ROLL("false"), "512m"));
        sim_run(sim, 60 * SIM_SEC);
        assert_int_equal(rolls(sim), before);
        sim_apply(sim, ANNOTATED(ROLL("2026-11-23"), "512m"));
        sim_run(sim, 60 * SIM_SEC);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(rolls(sim), before + 3);
        assert_well(sim);
}

#define TWO_POOLS(annotations)                                                                     \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                                   \
        "metadata: {name: b, labels: {strimzi.io/cluster: c}" annotations "}\n"                    \
        "spec: {replicas: 2, roles: [broker], storage: {type: persistent-claim, size: 1Gi}}\n"     \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                              \
        "metadata: {name: b-1, labels: {strimzi.io/cluster: c}}\n"                                 \
        "spec: {replicas: 3, roles: [controller], storage: {type: persistent-claim, size: 1Gi}}\n" \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {version: 4.3.1, listeners: "                                               \
        "[{name: plain, port: 9092, type: internal, tls: false}]}}\n"

/* Its nodes, and not those of a pool whose name begins like it. */
static void an_annotation_of_a_pool_rolls_its_nodes(void **state) {
        Sim *sim = *state;
        int before[SIM_NODES_MAX];

        sim_apply(sim, TWO_POOLS(""));
        assert_true(sim_settle(sim, 300));
        assert_int_equal(sim->n_nodes, 5);
        for (size_t i = 0; i < sim->n_nodes; i++)
                before[i] = sim->nodes[i]->pid;
        sim_apply(sim, TWO_POOLS(ROLL("true")));
        sim_run(sim, 60 * SIM_SEC);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(rolls(sim), 2);
        for (size_t i = 0; i < sim->n_nodes; i++) {
                bool is_meant = strlen(sim->nodes[i]->instance) == strlen("c-b-0");
                if ((sim->nodes[i]->pid != before[i]) != is_meant)
                        fail_msg("%s %s restarted", sim->nodes[i]->instance,
                                 is_meant ? "has not" : "has");
        }
        assert_well(sim);
}

#define TEST_EMPTY(f) cmocka_unit_test_setup_teardown(f, set_up_empty, tear_down)
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const Tracked *tracked_cluster(const Sim *sim) {
        for (size_t i = 0; i < sim->engine->n_tracked; i++)
                if (mr_streq(sim->engine->tracked[i]->key, "Kafka/default/c"))
                        return sim->engine->tracked[i];
        fail();
        return NULL;
}

/* Nothing is under way, and what was seen last still holds. */
static void become_quiet(Sim *sim) {
        for (int i = 0; i < 20000; i++) {
                sim_run(sim, SIM_MSEC);
                if (sim->engine->state == ENGINE_IDLE && !sim->engine->is_dirty &&
                    !sim->engine->is_outdated)
                        return;
        }
        fail();
}

/* How often the host is looked at until something is done to it. */
static unsigned looks_before_acting(Sim *sim, unsigned batches, unsigned observations) {
        for (int i = 0; i < 20000 && sim->batches == batches; i++)
                sim_run(sim, SIM_MSEC / 10);
        assert_true(sim->batches > batches);
        return sim->observations - observations;
}

#define OTHER                                                                                      \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: d}\nspec:\n"          \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"               \
        "  kafka:\n    version: 3.9.1\n    replicas: 1\n"                                          \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"                 \
        "    storage: {type: persistent-claim, size: 1Gi}\n"

/* What was seen last is good enough to make something, and not to take anything down. */
static void what_is_new_does_not_wait_for_a_look(void **state) {
        Sim *sim = *state;

        become_quiet(sim);
        unsigned batches = sim->batches, observations = sim->observations;
        sim_apply(sim, OTHER);
        assert_int_equal(looks_before_acting(sim, batches, observations), 0);
        assert_true(sim_settle(sim, 300));
        become_quiet(sim);
        batches = sim->batches;
        observations = sim->observations;
        assert_well(sim);
        sim_delete(sim, "Kafka", "d");
        assert_int_equal(looks_before_acting(sim, batches, observations), 1);
}

/* When something on the host may be another, it is looked at first. */
static void what_is_new_after_a_change_waits_for_a_look(void **state) {
        Sim *sim = *state;

        become_quiet(sim);
        unsigned batches = sim->batches, observations = sim->observations;
        sim_kick(sim);
        sim_apply(sim, OTHER);
        assert_int_equal(looks_before_acting(sim, batches, observations), 1);
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
}

#define RETENTION(spec, ms) spec "    config: {log.retention.ms: " ms "}\n"
#define BROKERS                                                                                    \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"               \
        "  kafka:\n    version: 3.9.1\n    replicas: 2\n"                                          \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"                 \
        "    storage: {type: persistent-claim, size: 1Gi}\n"

/* What was altered is not in force before it has been read back. */
static void nothing_is_ready_on_an_old_view(void **state) {
        Sim *sim = *state;
        size_t n_outdated = 0;

        sim_apply(sim, RETENTION(BROKERS, "1000000"));
        assert_true(sim_settle(sim, 300));
        sim_apply(sim, RETENTION(BROKERS, "2000000"));
        for (int i = 0; i < 20000; i++) {
                sim_run(sim, SIM_MSEC);
                const Tracked *tracked = tracked_cluster(sim);
                if (sim->engine->state != ENGINE_IDLE || !sim_is_outdated(tracked))
                        continue;
                n_outdated++;
                assert_false(tracked->is_settled);
                assert_string_equal(ready(sim), "False");
        }
        assert_true(n_outdated > 0);
        assert_true(sim_settle(sim, 300));
        assert_string_equal(ready(sim), "True");
        assert_string_equal(
                mr_tree_get_string(sim_node(sim, "c-kafka-1")->configs, "log.retention.ms"),
                "2000000");
        assert_well(sim);
}

/* One step for each thing that is waited for. */
static void everything_that_is_waited_for_is_told(void **state) {
        Sim *sim = *state;

        sim_lose_disk(sim, "data-c-kafka-0", false);
        sim_lose_disk(sim, "data-c-kafka-1", false);
        sim_node_down(sim, sim_node(sim, "c-kafka-0"), SIM_FAILED);
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_run(sim, 60 * SIM_SEC);
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "Kafka", "c");
        const char *text = mr_tree_string(mr_tree_find(status, "conditions[Ready].message", false));
        if (!text || !strstr(text, "; update volume data-c-kafka-1 waits: "))
                fail_msg("%s", text);
        assert_well(sim);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_settled_cluster_is_ready_and_quiet),
                TEST(what_was_done_is_told),
                TEST(a_deletion_ends_and_keeps_the_data),
                TEST_EMPTY(a_pool_lasts_as_long_as_its_cluster),
                TEST_EMPTY(a_cluster_whose_pools_are_gone),
                TEST(a_deletion_survives_failures_and_crashes),
                TEST(failures_back_off_and_are_reported),
                TEST(an_observation_that_fails_stops_everything),
                TEST(a_hold_is_respected),
                TEST(a_node_stopped_by_hand_comes_back),
                TEST(a_restart_that_was_asked_for_happens_once),
                TEST(a_paused_cluster_is_left_as_it_is),
                TEST(an_annotation_rolls_once),
                TEST_EMPTY(an_annotation_of_a_pool_rolls_its_nodes),
                TEST(what_is_new_does_not_wait_for_a_look),
                TEST(what_is_new_after_a_change_waits_for_a_look),
                TEST(a_file_that_was_edited_is_put_back),
                TEST(data_is_kept_and_leaves_at_once),
                TEST(what_was_written_is_used),
                TEST_EMPTY(nothing_is_ready_on_an_old_view),
                TEST(everything_that_is_waited_for_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
