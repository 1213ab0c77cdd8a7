/* Controllers that come and go: each gets its vote once it follows the others, and gives it back
 * before it ends, one after the other, wherever the daemon ends. */

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

#define SPEC(controllers)                                                                          \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                                   \
        "metadata: {name: a, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {replicas: 2, roles: [broker], storage: {type: persistent-claim, size: 1Gi}}\n"     \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                              \
        "metadata: {name: b, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {replicas: " controllers                                                            \
        ", roles: [controller], storage: {type: persistent-claim, size: 1Gi}}\n"                   \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 4.3.1\n"                                                           \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"

static Sim *begin(void) {
        Sim *sim = sim_new(5);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim_start(sim);
        return sim;
}

static void settle(Sim *sim, const char *what) {
        if (sim->violation || sim_settle(sim, 600))
                return;
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};
        mr_json_write(plan, MR_JSON_PRETTY, &text);
        sim_violated(sim, "%s: it does not come to rest: %s", what, mr_buf_text(&text));
}

static void expect_voters(Sim *sim, const char *const *ids) {
        size_t n = 0;

        for (; ids[n] && !sim->violation; n++)
                if (!mr_tree_get(sim->voters, ids[n]))
                        sim_violated(sim, "controller %s does not vote", ids[n]);
        if (!sim->violation && sim_quorum_size(sim) != n)
                sim_violated(sim, "%zu controllers vote, not %zu", sim_quorum_size(sim), n);
}

#define EXPECT_VOTERS(sim, ...) expect_voters(sim, (const char *const[]){__VA_ARGS__, NULL})

static void expect_gone(Sim *sim, const char *node) {
        if (!sim->violation && sim_node(sim, node))
                sim_violated(sim, "%s is still there", node);
}

/* Ids are the lowest that are free; 0 and 1 are the brokers. */
static void grow(Sim *sim) {
        sim_apply(sim, SPEC("3"));
        settle(sim, "three controllers");
        EXPECT_VOTERS(sim, "2", "3", "4");
}

static void shrink(Sim *sim) {
        sim_apply(sim, SPEC("1"));
        settle(sim, "one controller again");
        EXPECT_VOTERS(sim, "2");
        expect_gone(sim, "c-b-3");
        expect_gone(sim, "c-b-4");
}

static void live(Sim *sim) {
        sim_apply(sim, SPEC("1"));
        settle(sim, "one controller");
        EXPECT_VOTERS(sim, "2");
        grow(sim);
        shrink(sim);
        if (!sim->violation)
                sim_check_settled(sim);
}

static void fail_with(const Sim *sim, const char *where) {
        printf("%s", mr_buf_text(&sim->trace));
        fail_msg("%s: %s", where, sim->violation);
}

static void controllers_come_and_go(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin();

        live(sim);
        if (sim->violation)
                fail_with(sim, "without a crash");
        assert_int_equal(sim->n_votes, 4);
        /* What is left of those that went is taken again. */
        grow(sim);
        if (sim->violation)
                fail_with(sim, "grown again");
        assert_int_equal(sim->n_votes, 6);
}

/* A controller that is down when another goes: the one that is left over may be all there is. */
static void no_vote_is_taken_while_others_are_needed(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin();

        sim_apply(sim, SPEC("3"));
        settle(sim, "three controllers");
        sim_hold(sim, "c-b-2", "a test");
        sim_node_down(sim, sim_node(sim, "c-b-2"), SIM_DOWN);
        sim_run(sim, 60 * SIM_SEC);
        sim_apply(sim, SPEC("2"));
        sim_run(sim, 120 * SIM_SEC);
        EXPECT_VOTERS(sim, "2", "3", "4");
        sim_release(sim, "c-b-2");
        sim_run(sim, 120 * SIM_SEC);
        settle(sim, "two controllers");
        EXPECT_VOTERS(sim, "2", "3");
        expect_gone(sim, "c-b-4");
        if (sim->violation)
                fail_with(sim, "with one that is down");
}

/* One that never came up has no vote, and the cluster does not wait for it to get one. */
static void one_that_does_not_come_up_gets_no_vote(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin();

        sim_apply(sim, SPEC("1"));
        settle(sim, "one controller");
        sim_need_node(sim, "c-b-3", "kafka")->is_broken = true;
        sim_apply(sim, SPEC("2"));
        sim_run(sim, 120 * SIM_SEC);
        EXPECT_VOTERS(sim, "2");
        sim_node(sim, "c-b-3")->is_broken = false;
        settle(sim, "two controllers");
        EXPECT_VOTERS(sim, "2", "3");
        if (sim->violation)
                fail_with(sim, "with one that is broken");
}

static bool is_tried(const Sim *whole, size_t k) {
        const char *what = whole->happened[whole->sequence[k - 1]].what;

        return k % 6 == 0 || mr_streq(what, "update Setting") || mr_streq(what, "start") ||
               mr_streq(what, "remove Unit") || getenv("MILLRACE_SIM_SEEDS");
}

static void crash_after(size_t k, bool cut) {
        _cleanup_(sim_freep) Sim *sim = begin();
        _cleanup_free_ char *where = mr_strf("the daemon ends after step %zu", k);

        sim->crash_after = k;
        sim->cut_batch = cut;
        live(sim);
        if (sim->violation)
                fail_with(sim, where);
        assert_int_equal(sim->crash_after, SIZE_MAX);
}

static void the_daemon_may_end_after_each_step(void **state _unused_) {
        _cleanup_(sim_freep) Sim *whole = begin();
        size_t first;

        sim_apply(whole, SPEC("1"));
        settle(whole, "one controller");
        first = whole->n_actions;
        grow(whole);
        shrink(whole);
        if (whole->violation)
                fail_with(whole, "without a crash");
        for (size_t k = first + 1; k <= whole->n_actions; k++)
                if (is_tried(whole, k))
                        crash_after(k, k & 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(controllers_come_and_go),
                cmocka_unit_test(no_vote_is_taken_while_others_are_needed),
                cmocka_unit_test(one_that_does_not_come_up_gets_no_vote),
                cmocka_unit_test(the_daemon_may_end_after_each_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
