/* Disks that lose what they held, and nodes that are no longer wanted: what the engine does about
 * them, and what it leaves to people. MILLRACE_SIM_TEST=NAME runs one of the tests. */

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

#define SPEC(replicas, storage)                                                                    \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n  "        \
        "kafka:\n"                                                                                 \
        "    version: 3.9.1\n    replicas: " replicas "\n"                                         \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"                 \
        "    storage: " storage "\n"                                                               \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"
#define CLAIM "{type: persistent-claim, size: 1Gi}"

static int set_up(void **state) {
        Sim *sim = sim_new(11);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim_start(sim);
        *state = sim;
        return 0;
}

static int tear_down(void **state) {
        sim_free(*state);
        return 0;
}

static void assert_well(const Sim *sim) {
        if (sim->violation)
                fail_msg("%s", sim->violation);
}

/* What the step of the plan that is about this subject waits for; "" when it waits for nothing. */
static char *waits(Sim *sim, const char *subject) {
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        const MrTree *steps = mr_tree_get(plan, "steps");

        for (size_t i = 0; i < mr_tree_size(steps); i++) {
                const MrTree *step = mr_tree_at(steps, i);
                if (mr_streq(mr_tree_get_string(step, "subject"), subject)) {
                        const char *text = mr_tree_get_string(step, "waits");
                        return mr_strdup(text ? text : "");
                }
        }
        return NULL;
}

static void assert_waits(Sim *sim, const char *subject, const char *expected) {
        _cleanup_free_ char *text = waits(sim, subject);

        if (!text || !strstr(text, expected))
                fail_msg("%s waits for '%s', not for '%s'", subject, text ? text : "(no step)",
                         expected);
}

static bool is_prepared(const Sim *sim, const char *claim) {
        return mr_tree_get_bool(mr_tree_get(sim->claims, claim), "prepared", false);
}

/* The node ends up down, stays so over crashes of the daemon, and begins anew only when told. */
static void lose(Sim *sim, bool altogether) {
        sim_apply(sim, SPEC("2", CLAIM));
        assert_true(sim_settle(sim, 300));
        assert_true(sim_renew(sim, "c-kafka-1") < 0);
        sim_lose_disk(sim, "data-c-kafka-1", altogether);
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_run(sim, 120 * SIM_SEC);
        sim_crash(sim);
        sim_run(sim, 120 * SIM_SEC);
        assert_well(sim);
        assert_false(sim_node_is_up(sim_node(sim, "c-kafka-1")));
        assert_true(sim_node_is_up(sim_node(sim, "c-kafka-0")));
        assert_waits(sim, "c-kafka-1", "the disk of a known node is empty: data-c-kafka-1");
        assert_true(sim_renew(sim, "c-kafka-0") < 0);
        assert_int_equal(sim_renew(sim, "c-kafka-1"), 0);
        assert_true(sim_settle(sim, 300));
        sim_check_settled(sim);
        assert_well(sim);
        /* Once. */
        sim_lose_disk(sim, "data-c-kafka-1", altogether);
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_run(sim, 60 * SIM_SEC);
        assert_false(sim_node_is_up(sim_node(sim, "c-kafka-1")));
        assert_well(sim);
}

static void an_emptied_disk_stops_its_node_until_it_is_renewed(void **state) {
        lose(*state, false);
}

static void so_does_a_disk_that_is_gone(void **state) {
        lose(*state, true);
}

/* Whenever the daemon ends, what was asked for counts once: the next loss waits for somebody, too.
 */
static void a_renewal_counts_once_wherever_the_daemon_ends(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("2", CLAIM));
        assert_true(sim_settle(sim, 300));
        for (int i = 0; i < 8; i++) {
                sim_lose_disk(sim, "data-c-kafka-1", i & 1);
                sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
                sim_run(sim, 15 * SIM_SEC);
                if (sim_node_is_up(sim_node(sim, "c-kafka-1")))
                        fail_msg("round %d: it began anew, and nobody asked for it", i);
                sim->crash_after = sim->n_actions + 1 + (i & 2) / 2;
                sim->cut_batch = i & 4;
                assert_int_equal(sim_renew(sim, "c-kafka-1"), 0);
                assert_true(sim_settle(sim, 300));
                assert_int_equal(sim->crash_after, SIZE_MAX);
                assert_true(is_prepared(sim, "data-c-kafka-1"));
                assert_well(sim);
        }
}

static void an_ephemeral_broker_begins_anew_by_itself(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("2", "{type: ephemeral}"));
        assert_true(sim_settle(sim, 300));
        sim_lose_disk(sim, "data-c-kafka-1", true);
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        assert_true(sim_settle(sim, 300));
        sim_check_settled(sim);
        assert_well(sim);
}

static void a_member_with_the_only_copy_does_not(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("1", CLAIM));
        assert_true(sim_settle(sim, 300));
        sim_lose_disk(sim, "data-c-zookeeper-0", false);
        sim_node_down(sim, sim_node(sim, "c-zookeeper-0"), SIM_FAILED);
        sim_run(sim, 60 * SIM_SEC);
        assert_false(sim_node_is_up(sim_node(sim, "c-zookeeper-0")));
        assert_waits(sim, "c-zookeeper-0", "the disk of a known node is empty");
        assert_well(sim);
}

static void a_disk_of_another_node_stops_its_node(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("2", CLAIM));
        assert_true(sim_settle(sim, 300));
        MrTree *identity = mr_tree_get(mr_tree_get(sim->claims, "data-c-kafka-1"), "identity");
        mr_tree_set_int(identity, "node_id", 7);
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_run(sim, 60 * SIM_SEC);
        assert_false(sim_node_is_up(sim_node(sim, "c-kafka-1")));
        assert_waits(sim, "c-kafka-1", "holds data of kafka 7, not of kafka 1");
        assert_true(sim_renew(sim, "c-kafka-1") < 0);
        mr_tree_set_int(identity, "node_id", 1);
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
}

/* --- data that is given up */

static size_t count_of(const Sim *sim, const char *what) {
        for (size_t i = 0; i < sim->n_happened; i++)
                if (mr_streq(sim->happened[i].what, what))
                        return sim->happened[i].n;
        return 0;
}

/* It is stopped, loses its claim, and catches up on an empty one, whenever the daemon ends. */
static void a_node_gives_its_data_up_when_told(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("3", CLAIM));
        assert_true(sim_settle(sim, 300));
        assert_true(sim_discard(sim, "c-kafka-7") < 0);
        size_t stops = count_of(sim, "stop"), removals = count_of(sim, "remove Volume");
        sim->discarded = "c-kafka-1";
        assert_int_equal(sim_discard(sim, "c-kafka-1"), 0);
        assert_true(sim_settle(sim, 300));
        sim_check_settled(sim);
        assert_well(sim);
        assert_int_equal(count_of(sim, "stop"), stops + 1);
        assert_int_equal(count_of(sim, "remove Volume"), removals + 1);
        assert_true(is_prepared(sim, "data-c-kafka-1"));
        /* Once. */
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_crash(sim);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(count_of(sim, "remove Volume"), removals + 1);
        assert_well(sim);
}

static void the_daemon_may_end_after_each_step_of_it(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("3", CLAIM));
        assert_true(sim_settle(sim, 300));
        sim->discarded = "c-kafka-2";
        for (size_t after = 1; after <= 4; after++)
                for (int cut = 0; cut < 2; cut++) {
                        size_t removals = sim->n_data_removed;
                        sim->crash_after = sim->n_actions + after;
                        sim->cut_batch = cut;
                        assert_int_equal(sim_discard(sim, "c-kafka-2"), 0);
                        assert_true(sim_settle(sim, 600));
                        assert_int_equal(sim->crash_after, SIZE_MAX);
                        if (sim->n_data_removed != removals + 1) {
                                printf("%s", mr_buf_text(&sim->trace));
                                fail_msg("after step %zu, cut %d: it went %zu times", after, cut,
                                         sim->n_data_removed - removals);
                        }
                        sim->crash_after = SIZE_MAX;
                        assert_true(sim_settle(sim, 600));
                        sim_check_settled(sim);
                        assert_true(is_prepared(sim, "data-c-kafka-2"));
                        assert_well(sim);
                }
}

static void data_that_is_nowhere_else_stays(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("2", CLAIM));
        assert_true(sim_settle(sim, 300));
        sim->discarded = "c-kafka-1";
        sim_hold(sim, "c-kafka-0", "a test");
        sim_node_down(sim, sim_node(sim, "c-kafka-0"), SIM_DOWN);
        sim_run(sim, 60 * SIM_SEC);
        assert_int_equal(sim_discard(sim, "c-kafka-1"), 0);
        sim_run(sim, 120 * SIM_SEC);
        assert_true(sim_node_is_up(sim_node(sim, "c-kafka-1")));
        assert_waits(sim, "volume data-c-kafka-1", "");
        assert_well(sim);
        sim_release(sim, "c-kafka-0");
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
        /* A member alone has the only copy. */
        assert_int_equal(sim_discard(sim, "c-zookeeper-0"), 0);
        sim_run(sim, 60 * SIM_SEC);
        assert_waits(sim, "volume data-c-zookeeper-0", "no majority");
        assert_true(sim_node_is_up(sim_node(sim, "c-zookeeper-0")));
        assert_well(sim);
}

#define ANNOTATED(value)                                                                           \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\n"                                      \
        "metadata: {name: c, annotations: {strimzi.io/delete-pod-and-pvc: \"" value "\"}}\n"

static void an_annotation_asks_for_it_once(void **state) {
        Sim *sim = *state;
        const char *spec = strstr(SPEC("3", CLAIM), "spec:");
        _cleanup_free_ char *first = mr_strf(ANNOTATED("c-kafka-1, nobody") "%s", spec),
                            *second = mr_strf(ANNOTATED("c-kafka-2") "%s", spec);

        sim_apply(sim, SPEC("3", CLAIM));
        assert_true(sim_settle(sim, 300));
        size_t removals = count_of(sim, "remove Volume");
        sim->discarded = "c-kafka-1";
        sim_apply(sim, first);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(count_of(sim, "remove Volume"), removals + 1);
        sim_crash(sim);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(count_of(sim, "remove Volume"), removals + 1);
        sim->discarded = "c-kafka-2";
        sim_apply(sim, second);
        assert_true(sim_settle(sim, 300));
        assert_int_equal(count_of(sim, "remove Volume"), removals + 2);
        sim_check_settled(sim);
        assert_well(sim);
}

/* --- scaling down */

static void a_broker_goes_when_nothing_is_on_it(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("3", CLAIM));
        assert_true(sim_settle(sim, 300));
        sim_apply(sim, SPEC("2", CLAIM));
        sim_run(sim, 60 * SIM_SEC);
        assert_true(sim_node_is_up(sim_node(sim, "c-kafka-2")));
        assert_well(sim);
        sim_node(sim, "c-kafka-2")->is_drained = true;
        /* Nothing is to be done before this is seen, and a quiet cluster is looked at each minute.
         */
        sim_run(sim, 65 * SIM_SEC);
        assert_null(sim_node(sim, "c-kafka-2"));
        /* Its data stays, and is taken again when the cluster grows. */
        assert_non_null(mr_tree_get(sim->claims, "data-c-kafka-2"));
        assert_true(sim_settle(sim, 300));
        sim_check_settled(sim);
        sim_apply(sim, SPEC("3", CLAIM));
        assert_true(sim_settle(sim, 300));
        assert_non_null(sim_node(sim, "c-kafka-2"));
        assert_well(sim);
}

static void its_data_goes_with_it_only_when_the_spec_says_so(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("3", "{type: persistent-claim, size: 1Gi, deleteClaim: true}"));
        assert_true(sim_settle(sim, 300));
        sim->may_delete_data = true;
        sim_node(sim, "c-kafka-2")->is_drained = true;
        sim_apply(sim, SPEC("2", "{type: persistent-claim, size: 1Gi, deleteClaim: true}"));
        sim_run(sim, 60 * SIM_SEC);
        assert_null(sim_node(sim, "c-kafka-2"));
        assert_null(mr_tree_get(sim->claims, "data-c-kafka-2"));
        assert_non_null(mr_tree_get(sim->claims, "data-c-kafka-1"));
        /* It was removed on purpose, so nothing is lost when it comes back. */
        sim_apply(sim, SPEC("3", "{type: persistent-claim, size: 1Gi, deleteClaim: true}"));
        assert_true(sim_settle(sim, 300));
        assert_well(sim);
}

static void a_held_broker_stays_though_nobody_wants_it(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("2", CLAIM));
        assert_true(sim_settle(sim, 300));
        sim_hold(sim, "c-kafka-1", "being looked at");
        sim_node(sim, "c-kafka-1")->is_drained = true;
        sim_apply(sim, SPEC("1", CLAIM));
        sim_run(sim, 60 * SIM_SEC);
        assert_non_null(sim_node(sim, "c-kafka-1"));
        sim_release(sim, "c-kafka-1");
        sim_run(sim, 60 * SIM_SEC);
        assert_null(sim_node(sim, "c-kafka-1"));
        assert_well(sim);
}

static void a_claim_grows_and_does_not_shrink(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("1", CLAIM));
        assert_true(sim_settle(sim, 300));
        int pid = sim_node(sim, "c-kafka-0")->pid;
        sim_apply(sim, SPEC("1", "{type: persistent-claim, size: 2Gi}"));
        assert_true(sim_settle(sim, 300));
        assert_int_equal(mr_tree_get_int(mr_tree_get(sim->claims, "data-c-kafka-0"), "size", 0),
                         INT64_C(2) << 30);
        sim_apply(sim, SPEC("1", CLAIM));
        assert_true(sim_settle(sim, 300));
        assert_int_equal(mr_tree_get_int(mr_tree_get(sim->claims, "data-c-kafka-0"), "size", 0),
                         INT64_C(2) << 30);
        assert_int_equal(sim_node(sim, "c-kafka-0")->pid, pid);
        sim_check_settled(sim);
        assert_well(sim);
}

#define DEDICATED                                                                                  \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                                   \
        "metadata: {name: a, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {replicas: 2, roles: [broker], storage: {type: persistent-claim, size: 1Gi}}\n"     \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                              \
        "metadata: {name: b, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {replicas: 3, roles: [controller], storage: {type: persistent-claim, size: 1Gi}}\n" \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 4.3.1\n"                                                           \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"

/* Pools and cluster go together, so no spec says any more who is what; a removal in the wrong order
 * is a violation wherever it happens. */
static void a_deleted_cluster_ends_its_controllers_last(void **state) {
        Sim *sim = *state;

        sim_apply(sim, DEDICATED);
        assert_true(sim_settle(sim, 300));
        sim_check_settled(sim);
        sim->in_deletion = true;
        sim_delete(sim, "KafkaNodePool", "a");
        sim_delete(sim, "KafkaNodePool", "b");
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 120 * SIM_SEC);
        assert_int_equal(sim->n_nodes, 0);
        assert_false(sim_is_stored(sim, "Kafka", "c"));
        assert_well(sim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(an_emptied_disk_stops_its_node_until_it_is_renewed),
                TEST(so_does_a_disk_that_is_gone),
                TEST(a_renewal_counts_once_wherever_the_daemon_ends),
                TEST(an_ephemeral_broker_begins_anew_by_itself),
                TEST(a_member_with_the_only_copy_does_not),
                TEST(a_disk_of_another_node_stops_its_node),
                TEST(a_node_gives_its_data_up_when_told),
                TEST(the_daemon_may_end_after_each_step_of_it),
                TEST(data_that_is_nowhere_else_stays),
                TEST(an_annotation_asks_for_it_once),
                TEST(a_broker_goes_when_nothing_is_on_it),
                TEST(its_data_goes_with_it_only_when_the_spec_says_so),
                TEST(a_held_broker_stays_though_nobody_wants_it),
                TEST(a_claim_grows_and_does_not_shrink),
                TEST(a_deleted_cluster_ends_its_controllers_last),
        };

        cmocka_set_test_filter(getenv("MILLRACE_SIM_TEST"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
