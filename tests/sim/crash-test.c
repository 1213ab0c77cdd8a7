/* The crash matrix: the daemon, and the rest of its batch, end after step k of a life that has
 * every kind of step. By default k are the first two steps of each kind and every fifth of the
 * others, about half of all; MILLRACE_SIM_SEEDS makes it each. A kind of step that is not in the
 * life fails, and so does one that sim_steps does not know, in whichever test of the simulation. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host-batch.h"
#include "sdk/str.h"
#include "sim.h"

#define SPEC(heap, retention, listeners, size)                                                     \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n  "        \
        "kafka:\n"                                                                                 \
        "    version: 3.9.1\n    replicas: 2\n    jvmOptions: {\"-Xmx\": " heap "}\n"              \
        "    listeners:\n    - {name: plain, port: 9092, type: internal, tls: false}\n" listeners  \
        "    config: {log.retention.ms: " retention "}\n"                                          \
        "    storage: {type: persistent-claim, size: " size ", deleteClaim: true}\n"               \
        "  zookeeper:\n    replicas: 1\n    storage: {type: persistent-claim, size: 1Gi, "         \
        "deleteClaim: true}\n"
#define MTLS                                                                                       \
        "    - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: tls}}\n"

static const char first[] = SPEC("512m", "600000", MTLS, "1Gi"),
                  second[] = SPEC("640m", "600001", "", "2Gi");

static void settle(Sim *sim, const char *what) {
        if (sim->violation || sim_settle(sim, 600))
                return;
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};
        mr_json_write(plan, MR_JSON_PRETTY, &text);
        sim_violated(sim, "%s does not come to rest: %s", what, mr_buf_text(&text));
}

/* The operator's own certificate is lost, and a drop-in edited. */
static void spoil(Sim *sim) {
        sim_note(sim, "fault: a certificate is lost, a drop-in edited");
        sim_lose_secret(sim, "c-cluster-operator-certs");
        mr_tree_set_string(mr_tree_at(sim->instances, 0), "dropin", "edited");
        sim_host_changed(sim);
        sim_kick(sim);
        sim_run(sim, SIM_SEC);
}

/* A certificate that has to be made again takes the place of the one before. */
static void outlive_certificates(Sim *sim) {
        sim_damage_secret(sim, "c-kafka-0", "c-kafka-0.crt");
        sim_kick(sim);
        sim_run(sim, SIM_SEC);
}

static void give_up_data(Sim *sim) {
        sim->discarded = "c-kafka-1";
        if (sim_discard(sim, sim->discarded) < 0)
                sim_violated(sim, "the data of %s cannot be given up", sim->discarded);
}

static void end(Sim *sim) {
        sim->in_deletion = sim->may_delete_data = true;
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 180 * SIM_SEC);
        if (sim->engine->n_tracked > 0 || mr_tree_size(sim->instances) > 0 ||
            mr_tree_size(sim->claims) > 0)
                sim_violated(sim, "the cluster does not end");
}

/* A life with every kind of step. */
static void live(Sim *sim) {
        sim_start(sim);
        sim_apply(sim, first);
        settle(sim, "a new cluster");
        spoil(sim);
        settle(sim, "a spoilt cluster");
        sim_apply(sim, second);
        settle(sim, "a changed cluster");
        outlive_certificates(sim);
        settle(sim, "a cluster with a damaged certificate");
        give_up_data(sim);
        settle(sim, "a cluster with a node that gives its data up");
        if (!sim->violation)
                sim_check_settled(sim);
        end(sim);
}

static void fail_with(const Sim *sim, const char *where) {
        printf("%s", mr_buf_text(&sim->trace));
        fail_msg("%s: %s", where, sim->violation);
}

static Sim *begin(void) {
        Sim *sim = sim_new(1);

        /* Short starts, for there are many lives. */
        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        return sim;
}

/* A life without a crash: the caller frees it. */
static Sim *whole_life(void) {
        Sim *sim = begin();

        live(sim);
        if (sim->violation)
                fail_with(sim, "without a crash");
        return sim;
}

static bool is_tried(const Sim *whole, size_t k) {
        size_t n = 0;

        for (size_t i = 0; i < k - 1; i++)
                n += whole->sequence[i] == whole->sequence[k - 1];
        return n < 2 || k % 5 == 0 || getenv("MILLRACE_SIM_SEEDS");
}

static void crash_after(const Sim *whole, size_t k) {
        _cleanup_(sim_freep) Sim *sim = begin();

        sim->crash_after = k;
        sim->cut_batch = true;
        live(sim);
        _cleanup_free_ char *where =
                mr_strf("after step %zu of %zu (%s)", k, whole->n_actions, sim->crashed_at);
        if (sim->violation)
                fail_with(sim, where);
        if (!mr_streq(sim->crashed_at, whole->happened[whole->sequence[k - 1]].what))
                fail_msg("step %zu was \"%s\": the same seed gave another life", k,
                         sim->crashed_at);
}

static bool happens(const Sim *sim, const char *what, size_t size) {
        for (size_t i = 0; i < sim->n_happened; i++)
                if (strncmp(sim->happened[i].what, what, size) == 0)
                        return true;
        return false;
}

/* What plans can have, what they can do, and what the host service can: all of it is in the life.
 */
static void check_life(const Sim *whole) {
        for (size_t i = 0; sim_steps[i]; i++)
                if (!happens(whole, sim_steps[i], strlen(sim_steps[i]) + 1))
                        fail_msg("no crash follows a step \"%s\": it is not in the life",
                                 sim_steps[i]);
        for (MrVerb verb = 0; verb < _MR_VERB_MAX; verb++)
                if (!happens(whole, mr_verb_name(verb), strlen(mr_verb_name(verb))))
                        fail_msg("nothing is there to %s in the life", mr_verb_name(verb));
        for (HostOp op = 0; op < _HOST_OP_MAX; op++)
                if (!(whole->operations & 1U << op))
                        fail_msg("%s is not in the life", host_op_name(op));
}

static void a_crash_after_each_step(void **state _unused_) {
        _cleanup_(sim_freep) Sim *whole = whole_life();

        assert_in_range(whole->n_actions, 1, MR_ELEMENTS(whole->sequence));
        check_life(whole);
        for (size_t k = 1; k <= whole->n_actions; k++)
                if (is_tried(whole, k))
                        crash_after(whole, k);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_crash_after_each_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
