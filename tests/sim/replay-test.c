/* Bundles: a recorded pass, made again from what was recorded alone, has the same plan; and no
 * secret is in the record. A bundle that somebody sent is replayed, too: MILLRACE_BUNDLE=FILE. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "ctl/backup.h"
#include "sdk/str.h"
#include "sim.h"

#define SPEC(heap)                                                                                 \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 3.9.1\n    replicas: 2\n    jvmOptions: {\"-Xmx\": " heap "}\n"    \
        "    listeners:\n"                                                                         \
        "    - {name: plain, port: 9092, type: internal, tls: false,"                              \
        " authentication: {type: scram-sha-512}}\n"                                                \
        "    - {name: own, port: 9093, type: internal, tls: true, configuration:"                  \
        " {brokerCertChainAndKey: {secretName: mine, certificate: a.crt, key: a.key}}}\n"          \
        "    storage: {type: persistent-claim, size: 1Gi}\n"                                       \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"

#define USER                                                                                       \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\n"                                  \
        "metadata: {name: u, labels: {strimzi.io/cluster: c}}\n"                                   \
        "spec: {authentication: {type: scram-sha-512}}\n"

#define SECRET                                                                                     \
        "apiVersion: v1\nkind: Secret\nmetadata: {name: mine, annotations: "                       \
        "{kubectl.kubernetes.io/last-applied-configuration: \"open sesame in it\"}}\n"             \
        "stringData:\n  a.crt: |\n    -----BEGIN CERTIFICATE-----\n    cHVibGlj\n"                 \
        "    -----END CERTIFICATE-----\n"                                                          \
        "  a.key: |\n    -----BEGIN PRIVATE KEY-----\n    b3BlbiBzZXNhbWU=\n"                      \
        "    -----END PRIVATE KEY-----\n"                                                          \
        "  word: open sesame\ndata: {other: YSBzZWNvbmQgcGFzc3dvcmQ=}\n"

/* Passwords where none should be: settings, options of java, texts. */
#define CARELESS(word)                                                                             \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec:\n"          \
        "  kafka:\n    version: 3.9.1\n    replicas: 2\n"                                          \
        "    jvmOptions: {javaSystemProperties: [{name: db.password, value: " word "-1}]}\n"       \
        "    config: {my.plugin.password: " word "-2, pin.password: 4711,"                         \
        " my.plugin.sasl.jaas.config: 'a.B required user=\"x\" password=\"" word "-3\";',"         \
        " my.plugin.url: 'https://me:" word "-4@host/'}\n"                                         \
        "    listeners:\n    - {name: plain, port: 9092, type: internal, tls: false}\n"            \
        "    storage: {type: persistent-claim, size: 1Gi}\n"                                       \
        "    template: {kafkaContainer: {env: [{name: API_TOKEN, value: " word "-5}]}}\n"          \
        "  zookeeper: {replicas: 1, storage: {type: persistent-claim, size: 1Gi}}\n"

static int set_up(void **state) {
        Sim *sim = sim_new(11);

        sim->start_usec = 600 * SIM_MSEC;
        sim->catch_up_usec = 200 * SIM_MSEC;
        sim_start(sim);
        sim_apply(sim, SECRET);
        sim_apply(sim, USER);
        sim_apply(sim, SPEC("512m"));
        *state = sim;
        return sim_settle(sim, 300) ? 0 : -1;
}

static int tear_down(void **state) {
        sim_free(*state);
        return 0;
}

static char *text_of(const MrTree *tree) {
        MrBuf text = {};

        mr_json_write(tree, MR_JSON_PRETTY, &text);
        return mr_buf_take(&text);
}

/* From text, so that nothing is left that text does not hold. */
static void assert_same_plan(Sim *sim, const char *kind, const char *name, const char *words) {
        _cleanup_(mr_tree_freep) MrTree *record = sim_record(sim, kind, name), *read = NULL;
        _cleanup_free_ char *text = text_of(record);

        assert_int_equal(mr_json_read(text, strlen(text), NULL, &read, NULL), 0);
        _cleanup_(mr_tree_freep) MrTree *steps = sim_replay(sim, read);
        _cleanup_free_ char *again = text_of(steps), *told = text_of(mr_tree_get(record, "steps"));
        assert_string_equal(again, told);
        if (words && !strstr(told, words))
                fail_msg("%s is not in %s", words, told);
        if (!words && mr_tree_size(steps) > 0)
                fail_msg("something is left to do: %s", told);
        assert_true(mr_tree_get_bool(record, "faithful", false));
}

static void a_settled_cluster_has_nothing_to_do_when_replayed(void **state) {
        assert_same_plan(*state, "Kafka", "c", NULL);
        assert_same_plan(*state, "KafkaUser", "u", NULL);
}

static void what_is_under_way_is_planned_again(void **state) {
        Sim *sim = *state;

        sim_apply(sim, SPEC("640m"));
        assert_same_plan(sim, "Kafka", "c", "-Xmx512m → -Xmx640m");
        sim_run(sim, 2 * SIM_SEC);
        assert_same_plan(sim, "Kafka", "c", "restart");
        assert_true(sim_settle(sim, 300));
        sim_node_down(sim, sim_node(sim, "c-kafka-1"), SIM_FAILED);
        sim_hold(sim, "c-kafka-1", "its disk is looked at");
        sim_run(sim, SIM_SEC);
        assert_same_plan(sim, "Kafka", "c", "its disk is looked at");
}

/* A lost secret is a fact like any other. */
static void a_lost_authority_is_seen_in_the_record(void **state) {
        Sim *sim = *state;

        sim_lose_secret(sim, "c-clients-ca-cert");
        assert_same_plan(sim, "Kafka", "c", "c-clients-ca");
}

/* Whole, line by line, and as base64: none of it may stand anywhere. */
static void assert_absent(const char *text, const char *what, const char *value) {
        _cleanup_buf_ MrBuf base64 = {};
        _cleanup_free_ char *lines = mr_strdup(value);
        char *rest = NULL;

        mr_base64(value, strlen(value), &base64);
        if (strstr(text, mr_buf_text(&base64)))
                fail_msg("%s is in the record, as base64", what);
        char *key = strstr(lines, "PRIVATE KEY-----\n"),
             *end = key ? strstr(key, "-----END") : NULL;
        if (end)
                *end = '\0';
        for (char *line = strtok_r(key ? key : lines, "\n", &rest); line;
             line = strtok_r(NULL, "\n", &rest))
                if (strlen(line) > 7 && !strstr(line, "-----") && strstr(text, line))
                        fail_msg("%s is in the record: %s", what, line);
}

static void no_secret_is_in_it(void **state) {
        Sim *sim = *state;
        _cleanup_(mr_tree_freep) MrTree *kafka = sim_record(sim, "Kafka", "c"),
                                        *user = sim_record(sim, "KafkaUser", "u"), *plain = NULL;
        _cleanup_free_ char *a = text_of(kafka), *b = text_of(user);
        _cleanup_(facts_freep) MrFacts *facts = sim_facts(sim, "Kafka", "c");
        static const char *const written[] = {
                "open sesame", "b3BlbiBzZXNhbWU=", "a second password", "YSBzZWNvbmQgcGFzc3dvcmQ="};
        size_t n = 0;

        plain = facts_to_tree(facts);
        const MrTree *secrets = mr_tree_get(plain, "secrets");
        for (size_t i = 0; i < mr_tree_size(secrets); i++) {
                const char *path = mr_tree_key(secrets, i),
                           *value = mr_tree_string(mr_tree_at(secrets, i));
                if (mr_starts_with(value, "-----BEGIN CERTIFICATE") &&
                    !strstr(value, "PRIVATE KEY"))
                        continue;
                assert_absent(a, path, value);
                assert_absent(b, path, value);
                n++;
        }
        /* Keys and keystores of two authorities and three nodes, and what the user needs. */
        assert_true(n > 10);
        for (size_t i = 0; i < MR_ELEMENTS(written); i++) {
                assert_null(strstr(a, written[i]));
                assert_null(strstr(b, written[i]));
        }
        assert_non_null(strstr(a, "(masked mine/word)"));
        assert_non_null(strstr(a, "cHVibGlj"));
}

static void assert_record_without(Sim *sim, const char *const *words, size_t n) {
        _cleanup_(mr_tree_freep) MrTree *record = sim_record(sim, "Kafka", "c");
        _cleanup_free_ char *text = text_of(record);

        for (size_t i = 0; i < n; i++)
                if (strstr(text, words[i]))
                        fail_msg("%s is in %s", words[i], text);
        assert_non_null(strstr(text, "(masked c/my.plugin.password)"));
        assert_non_null(strstr(text, "(masked c/pin.password)"));
        assert_non_null(strstr(text, "(masked c/db.password)"));
        assert_non_null(strstr(text, "(masked c/API_TOKEN)"));
        assert_non_null(strstr(text, "https://me:(masked c/password)@host/"));
}

static void passwords_outside_of_secrets_are_masked(void **state) {
        static const char *const words[] = {"former-", "later-", "4711"};
        Sim *sim = *state;

        sim_apply(sim, CARELESS("former"));
        assert_true(sim_settle(sim, 300));
        assert_record_without(sim, words, MR_ELEMENTS(words));
        assert_same_plan(sim, "Kafka", "c", NULL);
        sim_apply(sim, CARELESS("later"));
        sim_run(sim, SIM_SEC);
        assert_record_without(sim, words, MR_ELEMENTS(words));
        assert_same_plan(sim, "Kafka", "c", "restart");
}

static void a_bundle_somebody_sent(void **state) {
        const char *path = getenv("MILLRACE_BUNDLE");
        _cleanup_(backup_done) Backup bundle = {};
        _cleanup_buf_ MrBuf packed = {};

        if (!path)
                skip();
        assert_true(read_file_capped(path, BACKUP_MAX, &packed, NULL) >= 0);
        assert_int_equal(backup_unpack(&packed, &bundle, NULL), 0);
        for (size_t i = 0; i < bundle.n; i++) {
                const BackupFile *file = &bundle.items[i];
                _cleanup_(mr_tree_freep) MrTree *record = NULL;
                if (!mr_ends_with(file->name, "/record.json"))
                        continue;
                assert_int_equal(mr_json_read(mr_buf_text(&file->content), file->content.size,
                                              file->name, &record, NULL),
                                 0);
                _cleanup_(mr_tree_freep) MrTree *steps = sim_replay(*state, record);
                _cleanup_free_ char *again = text_of(steps),
                                    *told = text_of(mr_tree_get(record, "steps"));
                assert_string_equal(again, told);
                print_message("%s: %zu steps\n", file->name, mr_tree_size(steps));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_settled_cluster_has_nothing_to_do_when_replayed,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_under_way_is_planned_again, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_lost_authority_is_seen_in_the_record, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(no_secret_is_in_it, set_up, tear_down),
                cmocka_unit_test_setup_teardown(passwords_outside_of_secrets_are_masked, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_bundle_somebody_sent, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
