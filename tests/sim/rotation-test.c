/* Certificates over time: authorities renewed and replaced, whoever has to talk to each other
 * trusts each other at every moment, and nothing restarts that can be told to read its files again.
 * MILLRACE_SIM_TEST=NAME runs one of the tests. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "sdk/str.h"
#include "sim.h"

#define HOUR (3600 * SIM_SEC)
#define DAY (24 * HOUR)

#define USER                                                                                       \
        "---\napiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\n"                             \
        "metadata: {name: u, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {authentication: {type: tls}}\n"
#define LISTENERS                                                                                  \
        "    listeners: [{name: tls, port: 9093, type: internal, tls: true, authentication: "      \
        "{type: tls}}]\n    config: {min.insync.replicas: 2}\n"
#define WITH_ZOOKEEPER(authorities)                                                                \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 3.9.1\n    replicas: 3\n" LISTENERS                                \
        "    storage: {type: persistent-claim, size: 1Gi}\n"                                       \
        "  zookeeper: {replicas: 3, storage: {type: persistent-claim, size: 1Gi}}\n" authorities   \
                USER
#define WITHOUT_ZOOKEEPER(authorities)                                                             \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\n"                                   \
        "metadata: {name: p, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {replicas: 3, roles: [controller, broker], "                                        \
        "storage: {type: persistent-claim, size: 1Gi}}\n"                                          \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 4.3.1\n" LISTENERS authorities USER
#define ASK(name, annotation, value)                                                               \
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " name                                   \
        "\n  annotations: {strimzi.io/" annotation ": '" value "'}\n"

static Sim *begin(const char *yaml) {
        Sim *sim = sim_new(11);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim->resync_sec = 1800;
        sim_start(sim);
        sim_apply(sim, yaml);
        assert_true(sim_settle(sim, 300));
        sim->checks_trust = true;
        sim_tls_check(sim);
        return sim;
}

static void assert_well(Sim *sim) {
        if (sim->violation)
                fail_msg("%s\n%s", sim->violation, mr_buf_text(&sim->trace));
        assert_true(sim->n_links > 0);
}

static char *value_of(Sim *sim, const char *secret, const char *key) {
        _cleanup_buf_ MrBuf value = {};

        return sim_secret(sim, secret, key, &value) ? mr_buf_take(&value) : NULL;
}

static char *common_name(const char *pem) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        assert_int_equal(certificate_facts_read(pem, &facts, NULL), 0);
        return mr_strdup(facts.common_name);
}

static void assert_authority(Sim *sim, const char *secret, const char *name) {
        _cleanup_free_ char *pem = value_of(sim, secret, "ca.crt"), *found = common_name(pem);

        assert_string_equal(found, name);
}

static size_t bundled(Sim *sim, const char *key) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_free_ char *pem = value_of(sim, "c-trustbundle", key);
        MrStrings texts;

        assert_int_equal(certificate_split(pem, arena, &texts, NULL), 0);
        return texts.n;
}

/* The processes by their ids: the same text means that nothing has restarted. */
static char *processes(const Sim *sim, const char *role) {
        _cleanup_buf_ MrBuf text = {};

        for (size_t i = 0; i < sim->n_nodes; i++)
                if (mr_streq(sim->nodes[i]->role, role))
                        mr_buf_printf(&text, "%s=%d ", sim->nodes[i]->instance, sim->nodes[i]->pid);
        return mr_buf_take(&text);
}

static void settle(Sim *sim) {
        sim_run(sim, SIM_SEC);
        if (!sim_settle(sim, 900)) {
                _cleanup_(mr_tree_freep) MrTree *plan = sim_plan(sim, "Kafka", "c");
                _cleanup_buf_ MrBuf text = {};
                mr_json_write(plan, MR_JSON_PRETTY, &text);
                fail_msg("%s\nit does not come to rest: %s\n%s", mr_buf_text(&sim->trace),
                         mr_buf_text(&text), sim->violation ? sim->violation : "");
        }
        assert_well(sim);
}

/* The host sleeps, and wakes up for a while every few hours. */
static void pass(Sim *sim, uint64_t usec, uint64_t nap) {
        for (uint64_t end = sim->now + usec; sim->now < end && !sim->violation;) {
                sim->now += nap;
                sim_tls_check(sim);
                sim_run(sim, 60 * SIM_SEC);
                (void) sim_settle(sim, 600);
        }
        sim_tls_check(sim);
        assert_well(sim);
}

static void a_replaced_cluster_key_with_zookeeper(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITH_ZOOKEEPER(""));
        _cleanup_free_ char *brokers = processes(sim, "kafka"),
                            *members = processes(sim, "zookeeper");

        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
        assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
        _cleanup_free_ char *brokers_now = processes(sim, "kafka"),
                            *members_now = processes(sim, "zookeeper");
        assert_string_equal(brokers_now, brokers);
        assert_string_not_equal(members_now, members);
        sim_check_settled(sim);
        assert_well(sim);
}

static void a_replaced_cluster_key_without_zookeeper(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITHOUT_ZOOKEEPER(""));
        _cleanup_free_ char *brokers = processes(sim, "kafka");

        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
        assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
        _cleanup_free_ char *brokers_now = processes(sim, "kafka");
        assert_string_not_equal(brokers_now, brokers);
        sim_check_settled(sim);
        assert_well(sim);
}

/* What users hold stays good until it ends, so nothing of the former authority is dropped. */
static void check_replaced_clients_key(const char *yaml) {
        _cleanup_(sim_freep) Sim *sim = begin(yaml);
        _cleanup_free_ char *brokers = processes(sim, "kafka"),
                            *user = value_of(sim, "u", "user.crt");

        sim_apply(sim, ASK("c-clients-ca", "force-replace", "true"));
        settle(sim);
        assert_authority(sim, "c-clients-ca-cert", "clients-ca v1");
        assert_int_equal(bundled(sim, "clients-ca.crt"), 2);
        assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
        _cleanup_free_ char *brokers_now = processes(sim, "kafka"),
                            *user_now = value_of(sim, "u", "user.crt");
        assert_string_equal(brokers_now, brokers);
        assert_string_not_equal(user_now, user);
        sim_check_settled(sim);
        assert_well(sim);
}

static void a_replaced_clients_key_with_zookeeper(void **state _unused_) {
        check_replaced_clients_key(WITH_ZOOKEEPER(""));
}

static void a_replaced_clients_key_without_zookeeper(void **state _unused_) {
        check_replaced_clients_key(WITHOUT_ZOOKEEPER(""));
}

/* Whoever trusts the former certificate trusts the new one: nothing else is made anew. */
static void a_renewed_authority_changes_nothing_else(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITHOUT_ZOOKEEPER(""));
        _cleanup_free_ char *brokers = processes(sim, "kafka"),
                            *before = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *leaf = value_of(sim, "c-p-0", "c-p-0.crt");

        sim_apply(sim, ASK("c-cluster-ca-cert", "force-renew", "true"));
        settle(sim);
        _cleanup_free_ char *after = value_of(sim, "c-cluster-ca-cert", "ca.crt");
        assert_string_not_equal(after, before);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v0");
        _cleanup_free_ char *leaf_now = value_of(sim, "c-p-0", "c-p-0.crt"),
                            *brokers_now = processes(sim, "kafka");
        assert_string_equal(leaf_now, leaf);
        assert_string_equal(brokers_now, brokers);

        /* What was asked for once is done once; another value asks again. */
        sim_check_settled(sim);
        sim_apply(sim, ASK("c-cluster-ca-cert", "force-renew", "again"));
        settle(sim);
        _cleanup_free_ char *again = value_of(sim, "c-cluster-ca-cert", "ca.crt");
        assert_string_not_equal(again, after);
        assert_well(sim);
}

static void both_at_once_with_mishaps(void **state _unused_) {
        for (uint64_t seed = 1; seed <= 2; seed++) {
                _cleanup_(sim_freep) Sim *sim =
                        begin(seed % 2 ? WITH_ZOOKEEPER("") : WITHOUT_ZOOKEEPER(""));
                sim->random = seed;
                sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
                sim_apply(sim, ASK("c-clients-ca", "force-replace", "true"));
                sim->apply_fails = sim->look_fails = sim->observe_fails = 10;
                for (int i = 0; i < 12 && !sim->violation; i++) {
                        sim_run(sim, sim_random(sim, 4 * SIM_SEC));
                        sim_crash(sim);
                }
                sim->apply_fails = sim->look_fails = sim->observe_fails = 0;
                settle(sim);
                assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
                assert_authority(sim, "c-clients-ca-cert", "clients-ca v1");
                assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
        }
}

/* --- a daemon that dies between the stages */

/* How far the replacement of the cluster's authority has come, as one would see it from outside:
 * 1 there is a new key, 2 it is to be trusted, too, 3 it signs, 4 all certificates are of it,
 * 5 the former one is forgotten. */
static int stage_of(Sim *sim, const char *authority, char *const leaves[3]) {
        _cleanup_free_ char *name = common_name(authority);
        size_t n_new = 0;

        for (size_t i = 0; i < 3; i++)
                n_new += certificate_is_signed_by(leaves[i], authority, NULL) == 1;
        if (mr_streq(name, "cluster-ca v0"))
                return 0;
        if (bundled(sim, "cluster-ca.crt") == 1)
                return n_new > 0 ? 5 : 1;
        return n_new == 0 ? 2 : n_new < 3 ? 3 : 4;
}

/* The stage, and in *seen what it was read off, because reading certificates takes long. */
static int look_at_stage(Sim *sim, const char *const nodes[3], int stage, char **seen) {
        _cleanup_free_ char *authority = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *bundle = value_of(sim, "c-trustbundle", "cluster-ca.crt");
        char *leaves[3];

        for (size_t i = 0; i < 3; i++) {
                _cleanup_free_ char *key = mr_strf("%s.crt", nodes[i]);
                leaves[i] = value_of(sim, nodes[i], key);
        }
        char *all = mr_strf("%s%s%s%s%s", authority, bundle, leaves[0], leaves[1], leaves[2]);
        if (!mr_streq(all, *seen))
                stage = stage_of(sim, authority, leaves);
        for (size_t i = 0; i < 3; i++)
                free(leaves[i]);
        free(*seen);
        *seen = all;
        return stage;
}

typedef struct Course {
        int stages;      /* one bit for each that was seen */
        size_t n_starts; /* of nodes */
        size_t n_crashes;
} Course;

static size_t count_starts(const Sim *sim, int pids[SIM_NODES_MAX]) {
        size_t n = 0;

        for (size_t i = 0; i < sim->n_nodes; i++) {
                n += sim->nodes[i]->pid != pids[i] && sim_node_is_up(sim->nodes[i]);
                pids[i] = sim_node_is_up(sim->nodes[i]) ? sim->nodes[i]->pid : pids[i];
        }
        return n;
}

/* Whoever `dies` does so each time something has changed, and after that nothing has been undone.
 */
static Course replace_key(const char *yaml, const char *const nodes[3], bool dies) {
        _cleanup_(sim_freep) Sim *sim = begin(yaml);
        _cleanup_free_ char *seen = NULL;
        int pids[SIM_NODES_MAX] = {};
        Course course = {};
        int stage = 0;

        (void) count_starts(sim, pids);
        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
        for (int i = 0; i < 60000 && !sim->violation && stage < 5; i++) {
                sim_run(sim, 5 * SIM_MSEC);
                int now = look_at_stage(sim, nodes, stage, &seen);
                size_t n_starts = count_starts(sim, pids);
                if (now < stage)
                        fail_msg("%s\nfrom stage %d back to %d", mr_buf_text(&sim->trace), stage,
                                 now);
                course.n_starts += n_starts;
                course.stages |= 1 << now;
                if (dies && (now > stage || n_starts > 0)) {
                        sim_crash(sim);
                        course.n_crashes++;
                        free(TAKE(seen));
                        assert_int_equal(look_at_stage(sim, nodes, -1, &seen), now);
                }
                stage = now;
        }
        assert_int_equal(stage, 5);
        for (int i = 0; i < 200; i++) {
                sim_run(sim, SIM_SEC);
                course.n_starts += count_starts(sim, pids);
        }
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
        sim_check_settled(sim);
        assert_well(sim);
        return course;
}

/* As often as it dies, each stage comes once, in its order, and costs as many restarts. */
static void check_killed_between_stages(const char *yaml, const char *const nodes[3]) {
        Course calm = replace_key(yaml, nodes, false), killed = replace_key(yaml, nodes, true);

        assert_int_equal(calm.stages, killed.stages);
        assert_true((calm.stages & (1 << 2 | 1 << 4 | 1 << 5)) == (1 << 2 | 1 << 4 | 1 << 5));
        assert_true(killed.n_crashes >= 5);
        assert_int_equal(calm.n_starts, killed.n_starts);
}

static void killed_between_stages_with_zookeeper(void **state _unused_) {
        check_killed_between_stages(
                WITH_ZOOKEEPER(""),
                (const char *const[3]){"c-kafka-0", "c-zookeeper-1", "c-kafka-2"});
}

static void killed_between_stages_without_zookeeper(void **state _unused_) {
        check_killed_between_stages(WITHOUT_ZOOKEEPER(""),
                                    (const char *const[3]){"c-p-0", "c-p-1", "c-p-2"});
}

/* A node that is kept as it is holds up the rotation, and nothing breaks meanwhile. */
static void a_held_node_holds_up_the_rotation(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITHOUT_ZOOKEEPER(""));

        sim_hold(sim, "c-p-1", "a test");
        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
        sim_run(sim, 300 * SIM_SEC);
        assert_well(sim);
        assert_int_equal(bundled(sim, "cluster-ca.crt"), 2);
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};
        mr_json_write(status, 0, &text);
        assert_non_null(strstr(mr_buf_text(&text), "c-p-1 has not restarted with its"));
        sim_release(sim, "c-p-1");
        settle(sim);
        assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
}

static void add_text(MrBuf *yaml, const char *key, const char *pem) {
        mr_buf_printf(yaml, "  %s: |\n", key);
        for (const char *line = pem; *line; line += strcspn(line, "\n") + 1)
                mr_buf_printf(yaml, "    %.*s\n", (int) strcspn(line, "\n"), line);
}

static void add_secret(MrBuf *yaml, const char *name, const char *key, const char *pem) {
        mr_buf_printf(yaml,
                      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData:\n",
                      name);
        add_text(yaml, key, pem);
}

/* An authority as a user would make it: each has the same name, as careless people do. */
static char *own_authority(const char *name) {
        const CertificateRequest request = {.common_name = "Our own",
                                            .now = now_realtime_sec(),
                                            .validity_days = 100,
                                            .is_authority = true};
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *certificate = NULL, *public = mr_strf("%s-cert", name);
        _cleanup_buf_ MrBuf yaml = {};

        assert_int_equal(key_generate(KEY_EC_P256, &key, NULL), 0);
        assert_int_equal(certificate_issue(&request, key, NULL, NULL, &certificate, NULL), 0);
        add_secret(&yaml, public, "ca.crt", certificate);
        add_secret(&yaml, name, "ca.key", key);
        return mr_buf_take(&yaml);
}

#define OWN                                                                                        \
        "  clusterCa: {generateCertificateAuthority: false}\n"                                     \
        "  clientsCa: {generateCertificateAuthority: false}\n"

/* A user replaces both of his authorities from one moment to the next. */
static void check_own_authorities(const char *yaml) {
        _cleanup_(sim_freep) Sim *sim = sim_new(5);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim_start(sim);
        sim_apply(sim, yaml);
        sim_run(sim, 20 * SIM_SEC);
        for (size_t i = 0; i < sim->n_nodes; i++) /* without its authorities nothing starts */
                assert_false(sim_node_is_up(sim->nodes[i]));
        for (int i = 0; i < 2; i++) {
                _cleanup_free_ char *cluster = own_authority("c-cluster-ca"),
                                    *clients = own_authority("c-clients-ca");
                sim_apply(sim, cluster);
                sim_apply(sim, clients);
                sim_run(sim, SIM_SEC);
                assert_true(sim_settle(sim, 900));
                sim->checks_trust = true;
                sim_tls_check(sim);
                assert_well(sim);
                assert_int_equal(bundled(sim, "cluster-ca.crt"), 1);
                assert_int_equal(bundled(sim, "clients-ca.crt"), i + 1);
        }
        sim_check_settled(sim);
        assert_well(sim);
}

static void own_authorities_with_zookeeper(void **state _unused_) {
        check_own_authorities(WITH_ZOOKEEPER(OWN));
}

static void own_authorities_without_zookeeper(void **state _unused_) {
        check_own_authorities(WITHOUT_ZOOKEEPER(OWN));
}

#define SHORT(policy)                                                                              \
        "  clusterCa: {validityDays: 6, renewalDays: 2, certificateExpirationPolicy: " policy      \
        "}\n  clientsCa: {validityDays: 4, renewalDays: 1, certificateExpirationPolicy: " policy   \
        "}\n"

static void check_short_lives(const char *yaml, const char *authority) {
        _cleanup_(sim_freep) Sim *sim = begin(yaml);

        pass(sim, 9 * DAY, 7 * HOUR);
        settle(sim);
        _cleanup_free_ char *pem = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *name = common_name(pem);
        assert_string_equal(name, authority);
        sim_check_settled(sim);
        assert_well(sim);
}

static void short_lives_renewed_with_zookeeper(void **state _unused_) {
        check_short_lives(WITH_ZOOKEEPER(SHORT("renew-certificate")), "cluster-ca v0");
}

static void short_lives_replaced_with_zookeeper(void **state _unused_) {
        check_short_lives(WITH_ZOOKEEPER(SHORT("replace-key")), "cluster-ca v2");
}

static void short_lives_renewed_without_zookeeper(void **state _unused_) {
        check_short_lives(WITHOUT_ZOOKEEPER(SHORT("renew-certificate")), "cluster-ca v0");
}

static void short_lives_replaced_without_zookeeper(void **state _unused_) {
        check_short_lives(WITHOUT_ZOOKEEPER(SHORT("replace-key")), "cluster-ca v2");
}

/* --- windows for what is due */

#define DUE                                                                                        \
        "  clusterCa: {validityDays: 6, renewalDays: 3, certificateExpirationPolicy: replace-key}" \
        "\n  clientsCa: {validityDays: 6, renewalDays: 3}\n"
#define FROM_THREE_TO_SIX "  maintenanceTimeWindows: ['* * 3-5 ? * *']\n"

static bool is_in_window(void) {
        int64_t hour = now_realtime_sec() / 3600 % 24;

        return hour >= 3 && hour < 6;
}

/* What renewals change: certificates, and processes that have read them once and for all. */
static char *renewed(Sim *sim) {
        static const char *const values[][2] = {
                {"c-cluster-ca-cert", "ca.crt"},
                {"c-clients-ca-cert", "ca.crt"},
                {"c-kafka-0", "c-kafka-0.crt"},
                {"c-zookeeper-2", "c-zookeeper-2.crt"},
                {"u", "user.crt"},
        };
        _cleanup_buf_ MrBuf all = {};

        for (size_t i = 0; i < MR_ELEMENTS(values); i++) {
                _cleanup_free_ char *value = value_of(sim, values[i][0], values[i][1]);
                assert_non_null(value);
                mr_buf_puts(&all, value);
        }
        _cleanup_free_ char *members = processes(sim, "zookeeper");
        mr_buf_puts(&all, members);
        return mr_buf_take(&all);
}

static bool is_told_to_wait(Sim *sim) {
        _cleanup_(mr_tree_freep) MrTree *status = sim_status(sim, "Kafka", "c");
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(status, 0, &text);
        return strstr(mr_buf_text(&text), "it is renewed in the next of spec.maintenanceTime");
}

static void what_is_due_waits_for_its_window(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITH_ZOOKEEPER(DUE FROM_THREE_TO_SIX));
        size_t n_renewals = 0, n_waits = 0;

        for (uint64_t end = sim->now + 9 * DAY; sim->now < end;) {
                _cleanup_free_ char *before = renewed(sim);
                sim->now += 2 * HOUR;
                bool may = is_in_window();
                pass(sim, 1, 0);
                _cleanup_free_ char *after = renewed(sim);
                bool has = !mr_streq(before, after);
                n_renewals += has;
                n_waits += is_told_to_wait(sim);
                if (has && !may && !is_in_window())
                        fail_msg("something was renewed at %" PRId64 " o'clock\n%s",
                                 now_realtime_sec() / 3600 % 24, mr_buf_text(&sim->trace));
                assert_false(may && is_in_window() && is_told_to_wait(sim));
        }
        assert_true(n_renewals >= 2);
        assert_true(n_waits >= 2);
        _cleanup_free_ char *pem = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *name = common_name(pem);
        assert_string_not_equal(name, "cluster-ca v0");
        sim_check_settled(sim);
}

/* What has ended serves nobody, so it waits for no window. */
static void what_has_ended_waits_for_no_window(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim =
                begin(WITHOUT_ZOOKEEPER(DUE "  maintenanceTimeWindows: ['* * * ? * * 2199']\n"));

        sim->checks_trust = false;
        for (int i = 0; i < 2; i++) {
                _cleanup_free_ char *before = value_of(sim, "u", "user.crt");
                sim->now += (uint64_t) (4 - i) * DAY + HOUR;
                sim_run(sim, 1800 * SIM_SEC);
                _cleanup_free_ char *after = value_of(sim, "u", "user.crt");
                assert_int_equal(mr_streq(before, after), i == 0);
                assert_int_equal(is_told_to_wait(sim), i == 0);
        }
}

static void delete_all(Sim *sim) {
        sim->in_deletion = true;
        sim->checks_trust = false;
        sim_delete(sim, "KafkaUser", "u");
        sim_delete(sim, "KafkaNodePool", "p");
        sim_delete(sim, "Kafka", "c");
        sim_run(sim, 120 * SIM_SEC);
        assert_false(sim_is_stored(sim, "Kafka", "c"));
        sim->in_deletion = false;
}

/* Secrets that only ask for something stay when their cluster goes, and ask nothing of the next. */
static void what_was_asked_of_another_cluster_is_done(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITHOUT_ZOOKEEPER(""));

        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "true"));
        sim_apply(sim, ASK("c-clients-ca-cert", "force-renew", "true"));
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
        delete_all(sim);
        sim_apply(sim, WITHOUT_ZOOKEEPER(""));
        sim_run(sim, 20 * SIM_SEC);
        _cleanup_free_ char *clients = value_of(sim, "c-clients-ca-cert", "ca.crt");
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v0");
        _cleanup_free_ char *clients_now = value_of(sim, "c-clients-ca-cert", "ca.crt");
        assert_string_equal(clients_now, clients);
        /* It still asks of this one when it says something else. */
        sim_apply(sim, ASK("c-cluster-ca", "force-replace", "again"));
        settle(sim);
        assert_authority(sim, "c-cluster-ca-cert", "cluster-ca v1");
}

/* With generateSecretOwnerReference: false an authority does not go with its cluster. */
static void an_authority_outlives_its_cluster(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim =
                begin(WITHOUT_ZOOKEEPER("  clusterCa: {generateSecretOwnerReference: false}\n"));
        _cleanup_free_ char *cluster = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *clients = value_of(sim, "c-clients-ca-cert", "ca.crt"),
                            *key = value_of(sim, "c-cluster-ca", "ca.key");

        delete_all(sim);
        assert_null(value_of(sim, "c-clients-ca-cert", "ca.crt"));
        assert_null(value_of(sim, "c-p-0", "c-p-0.crt"));
        _cleanup_free_ char *left = value_of(sim, "c-cluster-ca-cert", "ca.crt");
        assert_string_equal(left, cluster);
        sim_apply(sim, WITHOUT_ZOOKEEPER("  clusterCa: {generateSecretOwnerReference: false}\n"));
        settle(sim);
        _cleanup_free_ char *cluster_now = value_of(sim, "c-cluster-ca-cert", "ca.crt"),
                            *clients_now = value_of(sim, "c-clients-ca-cert", "ca.crt"),
                            *key_now = value_of(sim, "c-cluster-ca", "ca.key");
        assert_string_equal(cluster_now, cluster);
        assert_string_equal(key_now, key);
        assert_string_not_equal(clients_now, clients);
}

/* --- certificates that end while they are in use */

#define COMBINED WITHOUT_ZOOKEEPER(SHORT("renew-certificate"))

/* Nodes that were held while what they use was renewed, until it has ended. */
static Sim *begin_ended(const char *yaml, const char *const *held) {
        Sim *sim = begin(yaml);

        sim->checks_trust = false;
        sim->refuses_ended = true;
        for (size_t i = 0; held[i]; i++)
                sim_hold(sim, held[i], "a test");
        for (int i = 0; i < 14 && !sim->violation; i++) {
                sim->now += 12 * HOUR;
                sim_run(sim, 120 * SIM_SEC);
        }
        for (size_t i = 0; i < sim->n_nodes; i++) {
                bool is_held = false;
                for (size_t k = 0; held[k]; k++)
                        is_held = is_held || mr_streq(held[k], sim->nodes[i]->instance);
                assert_int_equal(sim_tls_is_shut(sim, sim->nodes[i]), is_held);
        }
        return sim;
}

static void check_all_are_well(Sim *sim) {
        settle(sim);
        for (size_t i = 0; i < sim->n_nodes; i++) {
                assert_false(sim_tls_is_shut(sim, sim->nodes[i]));
                assert_true(sim->nodes[i]->has_caught_up);
        }
        sim_check_settled(sim);
        assert_well(sim);
}

/* The leader keeps its followers, and whoever comes anew is refused by nobody but itself. */
static void a_leader_nobody_can_follow_restarts(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin_ended(COMBINED, (const char *const[]){"c-p-0", NULL});
        SimNode *late = sim_node(sim, "c-p-1");
        int pid = sim_node(sim, "c-p-0")->pid;

        sim_node_restart(sim, late, SIM_SEC);
        sim_run(sim, 60 * SIM_SEC);
        assert_int_equal(late->state, SIM_RUNNING);
        assert_false(late->has_caught_up);
        sim_release(sim, "c-p-0");
        check_all_are_well(sim);
        assert_int_not_equal(sim_node(sim, "c-p-0")->pid, pid);
}

/* Not even the daemon can ask anybody how the cluster is. */
static void check_all_ended(const char *yaml, const char *const *all) {
        _cleanup_(sim_freep) Sim *sim = begin_ended(yaml, all);
        int pids[SIM_NODES_MAX] = {};
        size_t n = 0;

        (void) count_starts(sim, pids);
        for (size_t i = 0; all[i]; i++)
                sim_release(sim, all[i]);
        for (int i = 0; i < 600 && n < 3; i++) {
                sim_run(sim, SIM_SEC);
                n += count_starts(sim, pids);
        }
        assert_int_equal(n, 3);
        check_all_are_well(sim);
        assert_int_equal(count_starts(sim, pids), 0);
}

static void all_certificates_have_ended(void **state _unused_) {
        check_all_ended(COMBINED, (const char *const[]){"c-p-0", "c-p-1", "c-p-2", NULL});
}

static void all_certificates_of_an_ensemble_have_ended(void **state _unused_) {
        check_all_ended(
                WITH_ZOOKEEPER(SHORT("renew-certificate")),
                (const char *const[]){"c-zookeeper-0", "c-zookeeper-1", "c-zookeeper-2", NULL});
}

/* The daemon was away for so long that everything has ended: nobody can tell brokers to read their
 * files again, so they restart, too; each node once. */
static void everything_has_ended_with_zookeeper(void **state _unused_) {
        _cleanup_(sim_freep) Sim *sim = begin(WITH_ZOOKEEPER(SHORT("renew-certificate")));
        int pids[SIM_NODES_MAX] = {};
        size_t n = 0;

        sim->checks_trust = false;
        sim->refuses_ended = true;
        (void) count_starts(sim, pids);
        sim->now += 7 * DAY;
        sim_crash(sim);
        for (size_t i = 0; i < sim->n_nodes; i++)
                assert_true(sim_tls_is_shut(sim, sim->nodes[i]));
        for (int i = 0; i < 900 && n < 6 && !sim->violation; i++) {
                sim_run(sim, SIM_SEC);
                n += count_starts(sim, pids);
        }
        assert_int_equal(n, 6);
        check_all_are_well(sim);
        assert_int_equal(count_starts(sim, pids), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_replaced_cluster_key_with_zookeeper),
                cmocka_unit_test(a_replaced_cluster_key_without_zookeeper),
                cmocka_unit_test(a_replaced_clients_key_with_zookeeper),
                cmocka_unit_test(a_replaced_clients_key_without_zookeeper),
                cmocka_unit_test(a_renewed_authority_changes_nothing_else),
                cmocka_unit_test(both_at_once_with_mishaps),
                cmocka_unit_test(killed_between_stages_with_zookeeper),
                cmocka_unit_test(killed_between_stages_without_zookeeper),
                cmocka_unit_test(a_held_node_holds_up_the_rotation),
                cmocka_unit_test(own_authorities_with_zookeeper),
                cmocka_unit_test(own_authorities_without_zookeeper),
                cmocka_unit_test(short_lives_renewed_with_zookeeper),
                cmocka_unit_test(short_lives_replaced_with_zookeeper),
                cmocka_unit_test(short_lives_renewed_without_zookeeper),
                cmocka_unit_test(short_lives_replaced_without_zookeeper),
                cmocka_unit_test(what_is_due_waits_for_its_window),
                cmocka_unit_test(what_has_ended_waits_for_no_window),
                cmocka_unit_test(what_was_asked_of_another_cluster_is_done),
                cmocka_unit_test(an_authority_outlives_its_cluster),
                cmocka_unit_test(a_leader_nobody_can_follow_restarts),
                cmocka_unit_test(all_certificates_have_ended),
                cmocka_unit_test(all_certificates_of_an_ensemble_have_ended),
                cmocka_unit_test(everything_has_ended_with_zookeeper),
        };

        cmocka_set_test_filter(getenv("MILLRACE_SIM_TEST"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
