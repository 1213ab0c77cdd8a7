/* Claims that have a disk each: a blank one is taken once, one that was taken out is waited for,
 * and one that was given back is not blank. */

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

#define SPEC(delete)                                                                               \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n  "        \
        "kafka:\n    version: 3.9.1\n    replicas: 2\n"                                            \
        "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]\n"                 \
        "    storage: {type: persistent-claim, size: 4Gi, class: disks, deleteClaim: " delete "}"  \
                                                                                              "\n" \
                                                                                              "  " \
                                                                                              "zo" \
                                                                                              "ok" \
                                                                                              "ee" \
                                                                                              "pe" \
                                                                                              "r:" \
                                                                                              " {" \
                                                                                              "re" \
                                                                                              "pl" \
                                                                                              "ic" \
                                                                                              "as" \
                                                                                              ": " \
                                                                                              "1," \
                                                                                              " s" \
                                                                                              "to" \
                                                                                              "ra" \
                                                                                              "ge" \
                                                                                              ": " \
                                                                                              "{t" \
                                                                                              "yp" \
                                                                                              "e:" \
                                                                                              " p" \
                                                                                              "er" \
                                                                                              "si" \
                                                                                              "st" \
                                                                                              "en" \
                                                                                              "t-" \
                                                                                              "cl" \
                                                                                              "ai" \
                                                                                              "m," \
                                                                                              " s" \
                                                                                              "iz" \
                                                                                              "e:" \
                                                                                              " 1" \
                                                                                              "Gi" \
                                                                                              "}}" \
                                                                                              "\n"

static Sim *begin(size_t n_blank) {
        Sim *sim = sim_new(7);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim->n_blank = n_blank;
        sim_start(sim);
        return sim;
}

static void assert_well(const Sim *sim) {
        if (sim->violation)
                fail_msg("%s\n%s", sim->violation, mr_buf_text(&sim->trace));
}

static void settle(Sim *sim) {
        bool settled = sim_settle(sim, 600);

        assert_well(sim);
        if (!settled)
                fail_msg("it does not come to rest\n%s", mr_buf_text(&sim->trace));
}

/* Those that have one run meanwhile. */
static void a_node_waits_for_a_disk_of_its_own(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(1);

        sim_apply(sim, SPEC("false"));
        sim_run(sim, 120 * SIM_SEC);
        assert_well(sim);
        assert_int_equal(mr_tree_size(sim->disks), 1);
        SimNode *first = sim_node(sim, mr_tree_get(sim->disks, "data-c-kafka-0") ? "c-kafka-0"
                                                                                 : "c-kafka-1");
        assert_true(first && first->has_caught_up);
        sim->n_blank = 1;
        settle(sim);
        assert_int_equal(mr_tree_size(sim->disks), 2);
        assert_int_equal(sim->n_blank, 0);
        sim_check_settled(sim);
        assert_well(sim);
}

static void assert_kept_down(Sim *sim) {
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(plan, MR_JSON_PRETTY, &text);
        assert_well(sim);
        assert_false(sim_node_is_up(sim_node(sim, "c-kafka-1")));
        assert_non_null(
                strstr(mr_buf_text(&text), "the disk of a known node is empty: data-c-kafka-1"));
}

/* Another blank one is no replacement. */
static void a_disk_that_was_taken_out_is_waited_for(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(3);

        sim_apply(sim, SPEC("false"));
        settle(sim);
        sim_disk_take_out(sim, "data-c-kafka-1");
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_run(sim, 60 * SIM_SEC);
        assert_kept_down(sim);
        sim_crash(sim);
        sim_run(sim, 60 * SIM_SEC);
        assert_kept_down(sim);
        assert_int_equal(sim->n_blank, 1);
        sim_disk_put_in(sim, "data-c-kafka-1");
        settle(sim);
        sim_check_settled(sim);
        assert_well(sim);
}

/* A node gives its disk up, and what it gave up is not blank. Returns the number of steps. */
static size_t live(size_t crash_after) {
        _cleanup_(sim_freep) Sim *sim = begin(3);

        sim->crash_after = crash_after;
        sim->cut_batch = crash_after & 1;
        sim_apply(sim, SPEC("true"));
        settle(sim);
        sim->discarded = "c-kafka-1";
        assert_int_equal(sim_discard(sim, "c-kafka-1"), 0);
        settle(sim);
        assert_int_equal(sim->n_data_removed, 1);
        assert_int_equal(sim->n_blank, 0);
        assert_int_equal(mr_tree_size(sim->disks), 2);
        sim->in_deletion = sim->may_delete_data = true;
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 180 * SIM_SEC);
        assert_well(sim);
        assert_int_equal(mr_tree_size(sim->disks), 0);
        return sim->n_actions;
}

static void a_disk_is_taken_once_wherever_the_daemon_ends(void **state _unused_) {
        size_t n_actions = live(SIZE_MAX);

        for (size_t k = 1; k <= n_actions; k += getenv("MILLRACE_SIM_SEEDS") ? 1 : 4)
                (void) live(k);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_node_waits_for_a_disk_of_its_own),
                cmocka_unit_test(a_disk_that_was_taken_out_is_waited_for),
                cmocka_unit_test(a_disk_is_taken_once_wherever_the_daemon_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
