/* Days in the life of a cluster, each with its own mishaps. MILLRACE_SIM_SEEDS=N runs as many,
 * MILLRACE_SIM_SEED=S runs that one day and tells all of it. */

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

#define DEFAULT_SEEDS 15

typedef struct Spec {
        int zookeepers, brokers;
        int heap, cpu, retention, left_out;
        bool has_second_listener, deletes_claims, is_kraft;
} Spec;

#define USER                                                                                       \
        "---\napiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\n"                             \
        "metadata: {name: u, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {authentication: {type: tls}}\n"

/* What both generations of clusters share. */
static char *common_text(const Spec *spec) {
        return mr_strf("    resources: {limits: {cpu: %d}}\n    listeners:\n"
                       "    - {name: tls, port: 9093, type: internal, tls: true, authentication: "
                       "{type: tls}}\n%s"
                       "    config: {min.insync.replicas: %d, log.retention.ms: %d}\n",
                       1 + spec->cpu,
                       spec->has_second_listener
                               ? "    - {name: plain, port: 9092, type: internal, tls: false}\n"
                               : "",
                       spec->brokers > 2 ? 2 : 1, 600000 + spec->retention);
}

static char *zookeeper_text(const Spec *spec, const char *common) {
        const char *deletes = spec->deletes_claims ? "true" : "false";

        return mr_strf("apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"
                       "spec:\n  kafka:\n    version: 3.9.1\n    replicas: %d\n"
                       "    jvmOptions: {\"-Xmx\": %dm}\n%s"
                       "    storage: {type: persistent-claim, size: 1Gi, deleteClaim: %s}\n"
                       "  zookeeper:\n    replicas: %d\n"
                       "    storage: {type: persistent-claim, size: 1Gi, deleteClaim: %s}\n" USER,
                       spec->brokers - spec->left_out, 512 + spec->heap, common, deletes,
                       spec->zookeepers, deletes);
}

/* One pool of nodes that are controller and broker. */
static char *kraft_text(const Spec *spec, const char *common) {
        return mr_strf("apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"
                       "metadata: {name: p, labels: {strimzi.io/cluster: c}}\n"
                       "spec:\n  replicas: %d\n  roles: [controller, broker]\n"
                       "  jvmOptions: {\"-Xmx\": %dm}\n"
                       "  storage: {type: persistent-claim, size: 1Gi, deleteClaim: %s}\n"
                       "---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"
                       "spec:\n  kafka:\n    version: 4.3.1\n%s" USER,
                       spec->brokers, 512 + spec->heap, spec->deletes_claims ? "true" : "false",
                       common);
}

static char *spec_text(const Spec *spec) {
        _cleanup_free_ char *common = common_text(spec);

        return spec->is_kraft ? kraft_text(spec, common) : zookeeper_text(spec, common);
}

static void apply(Sim *sim, const Spec *spec) {
        _cleanup_free_ char *text = spec_text(spec);

        sim_apply(sim, text);
}

static void change_spec(Sim *sim, Spec *spec) {
        switch (sim_random(sim, 5)) {
        case 0:
                spec->heap = (int) sim_random(sim, 3) * 64;
                break;
        case 1:
                spec->cpu = (int) sim_random(sim, 4);
                break;
        case 2:
                spec->retention = (int) sim_random(sim, 1000);
                break;
        case 3:
                spec->left_out = !spec->is_kraft && !spec->left_out;
                break;
        default:
                spec->has_second_listener = !spec->has_second_listener;
        }
        apply(sim, spec);
}

static void make_good(Sim *sim, Spec *spec) {
        sim_note(sim, "--- from here on nothing goes wrong");
        sim->observe_fails = sim->apply_fails = sim->look_fails = 0;
        sim->crash_after = SIZE_MAX;
        for (size_t i = 0; i < sim->n_nodes; i++) {
                sim->nodes[i]->is_broken = sim->nodes[i]->is_masked = false;
                sim_release(sim, sim->nodes[i]->instance);
        }
        if (spec->left_out) {
                spec->left_out = 0;
                apply(sim, spec);
        }
        sim_host_changed(sim);
}

static void settle(Sim *sim) {
        if (sim->violation || sim_settle(sim, 900)) {
                if (!sim->violation)
                        sim_check_settled(sim);
                return;
        }
        _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};
        mr_json_write(plan, MR_JSON_PRETTY, &text);
        sim_violated(sim, "it does not come to rest: %s", mr_buf_text(&text));
}

/* Deletion takes everything but the data, and a cluster of the same name finds the data again. */
static void end_cluster(Sim *sim, const Spec *spec) {
        size_t claims = mr_tree_size(sim->claims);

        sim->in_deletion = true;
        sim->may_delete_data = spec->deletes_claims;
        sim_delete(sim, "Kafka", "c");
        sim_delete(sim, "KafkaUser", "u");
        if (spec->is_kraft && sim_chance(sim, 50))
                sim_delete(sim, "KafkaNodePool", "p");
        for (int i = 0; i < 20 && !sim->violation; i++) {
                sim_run(sim, 2 * SIM_SEC);
                if (sim_chance(sim, 30))
                        sim_crash(sim);
        }
        sim_run(sim, 120 * SIM_SEC);
        if (mr_tree_size(sim->instances) > 0 || sim_is_stored(sim, "Kafka", "c"))
                sim_violated(sim, "a deleted cluster does not end");
        if (mr_tree_size(sim->claims) != (spec->deletes_claims ? 0 : claims))
                sim_violated(sim, "%zu of %zu claims are left", mr_tree_size(sim->claims), claims);
        sim->in_deletion = sim->may_delete_data = false;
        apply(sim, spec);
        settle(sim);
}

static void live(Sim *sim, Spec *spec) {
        uint64_t n = 3 + sim_random(sim, 12);

        sim_start(sim);
        apply(sim, spec);
        if (sim_chance(sim, 60))
                (void) sim_settle(sim, 300);
        for (uint64_t i = 0; i < n && !sim->violation; i++) {
                sim_run(sim, sim_random(sim, sim_chance(sim, 50) ? 300 * SIM_MSEC : 8 * SIM_SEC));
                if (sim_chance(sim, 30))
                        change_spec(sim, spec);
                else
                        sim_fault(sim);
        }
        if (!sim->violation)
                make_good(sim, spec);
        settle(sim);
        if (!sim->violation && sim_chance(sim, 25))
                end_cluster(sim, spec);
}

static bool run_seed(uint64_t seed, bool tell_all) {
        _cleanup_(sim_freep) Sim *sim = sim_new(seed);
        Spec spec = {.zookeepers = sim_chance(sim, 30) ? 3 : 1,
                     .brokers = sim_chance(sim, 80) ? 3 : 2};

        spec.deletes_claims = sim_chance(sim, 20);
        spec.is_kraft = sim_chance(sim, 25);
        spec.brokers = spec.is_kraft ? 3 : spec.brokers;
        live(sim, &spec);
        if (sim->violation || tell_all)
                printf("seed %llu:\n%s", (unsigned long long) seed, mr_buf_text(&sim->trace));
        if (!sim->violation)
                return true;
        print_error("seed %llu: %s\n", (unsigned long long) seed, sim->violation);
        return false;
}

static void days_with_mishaps(void **state _unused_) {
        const char *one = getenv("MILLRACE_SIM_SEED"), *many = getenv("MILLRACE_SIM_SEEDS");
        uint64_t first = one ? strtoull(one, NULL, 10) : 1, n = one    ? 1
                                                                : many ? strtoull(many, NULL, 10)
                                                                       : DEFAULT_SEEDS;

        for (uint64_t seed = first; seed < first + n; seed++)
                if (!run_seed(seed, one != NULL))
                        fail_msg("run it again with MILLRACE_SIM_SEED=%llu",
                                 (unsigned long long) seed);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(days_with_mishaps),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
