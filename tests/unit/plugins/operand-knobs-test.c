/* Metrics, JMX, rack and quotas: what becomes of them, and what is said where they cannot work. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define KAFKA(kafka, zookeeper)                                                                    \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {version: 3.9.1, replicas: 1, listeners: [{name: plain, port: 9092, type: " \
        "internal, tls: false}], storage: {type: ephemeral}" kafka                                 \
        "}, zookeeper: {replicas: 1, storage: {type: ephemeral}" zookeeper "}}\n"
#define EXPORTER                                                                                   \
        ", metricsConfig: {type: jmxPrometheusExporter, valueFrom: {configMapKeyRef: {name: m, "   \
        "key: k}}}"
#define REPORTER ", metricsConfig: {type: strimziMetricsReporter, values: {allowList: [a.*, b]}}"
#define RULES                                                                                      \
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: \"rules: []\"}\n"
#define HOST(libs, extras)                                                                         \
        "{\"labels\": {\"zone\": \"west\"}, \"distributions\": [{\"software\": \"kafka\", "        \
        "\"version\": \"3.9.1\", \"libs\": [\"kafka_2.13-3.9.1.jar\"" libs                         \
        "], \"extra_jars\": [" extras "]}]}"

typedef struct Seen {
        World *world;
        MrParts *parts;
        MrTree *host;
} Seen;

static void seen_done(Seen *seen) {
        mr_parts_free(seen->parts);
        world_free(seen->world);
        mr_tree_free(seen->host);
}
#define _cleanup_seen_ _cleanup_(seen_done) Seen

static int see(const char *yaml, const char *host, Seen *ret, MrError *err) {
        ret->world = world_new();
        ret->parts = mr_parts_new();
        if (host) {
                assert_int_equal(mr_json_read(host, strlen(host), "host", &ret->host, NULL), 0);
                facts_set_host(ret->world->facts, ret->host);
        }
        int r = world_read(ret->world, yaml, err);
        return r < 0 ? r
                     : world_parts(ret->world, world_find(ret->world, "Kafka", "c"), ret->parts,
                                   err);
}

static Seen seen(const char *yaml, const char *host) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Seen result = {};

        if (see(yaml, host, &result, &err) < 0)
                fail_msg("%s: %s", err.path ? err.path : "", err.message);
        return result;
}

static void refuse(const char *yaml, const char *path, const char *message) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_seen_ result = {};

        assert_true(see(yaml, NULL, &result, &err) < 0);
        assert_string_equal(err.path, path);
        if (!strstr(err.message, message))
                fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

static bool has_option(const Seen *seen, const char *node, const char *start) {
        const MrStrings *options = &mr_parts_find_workload(seen->parts, node)->workload.jvm_options;

        for (size_t i = 0; i < options->n; i++)
                if (mr_starts_with(options->items[i], start))
                        return true;
        return false;
}

static const char *setting(const Seen *seen, const char *key) {
        return mr_pairs_get(&mr_parts_find_workload(seen->parts, "c-kafka-0")->workload.settings,
                            key);
}

static bool is_warned(const Seen *seen, const char *reason, const char *words) {
        for (size_t i = 0; i < mr_parts_warnings(seen->parts); i++) {
                const char *found_reason, *found;
                mr_parts_warning_at(seen->parts, i, &found_reason, &found);
                if (mr_streq(found_reason, reason) && strstr(found, words))
                        return true;
        }
        return false;
}

static void the_agent_of_prometheus(void **state _unused_) {
        _cleanup_seen_ s = seen(KAFKA(EXPORTER, EXPORTER) RULES,
                                HOST(", \"jmx_prometheus_javaagent-1.0.1.jar\"", ""));
        const MrPart *file = parts_find(s.parts, MR_PART_FILE, "c-kafka-0", "metrics.yaml");

        assert_true(has_option(&s, "c-kafka-0",
                               "-javaagent:@{jar:jmx_prometheus_javaagent}="
                               "@{bind:tcp-prometheus}:@{file:metrics.yaml}"));
        assert_true(has_option(&s, "c-zookeeper-0", "-javaagent:"));
        assert_string_equal(file->file.content, "rules: []");
        assert_int_equal(file->file.effect, MR_EFFECT_RELOAD);
        const MrPart *port = parts_find(s.parts, MR_PART_ENDPOINT, "c-kafka-0", "tcp-prometheus");
        assert_int_equal(port->endpoint.port, 9404);
        assert_true(port->endpoint.is_aside);
        assert_int_equal(mr_parts_warnings(s.parts), 0);
}

/* Java does not start with an agent that is not there. */
static void an_agent_that_is_missing_is_left_out(void **state _unused_) {
        _cleanup_seen_ s = seen(KAFKA(EXPORTER, EXPORTER) RULES, HOST("", ""));

        assert_false(has_option(&s, "c-kafka-0", "-javaagent:"));
        assert_null(parts_find(s.parts, MR_PART_ENDPOINT, "c-kafka-0", "tcp-prometheus"));
        assert_true(is_warned(&s, "MetricsUnavailable", "spec.kafka.metricsConfig has no effect"));
        assert_true(is_warned(&s, "MetricsUnavailable", "spec.zookeeper.metricsConfig has no "));
        _cleanup_seen_ extra =
                seen(KAFKA(EXPORTER, "") RULES, HOST("", "\"jmx_prometheus_javaagent.jar\""));
        assert_true(has_option(&extra, "c-kafka-0", "-javaagent:"));
        _cleanup_seen_ unread = seen(KAFKA(EXPORTER, "") RULES,
                                     "{\"distributions\": [{\"software\": \"kafka\", \"version\": "
                                     "\"3.9.1\", \"libs\": []}]}");
        assert_true(has_option(&unread, "c-kafka-0", "-javaagent:"));
}

static void metrics_need_their_rules(void **state _unused_) {
        refuse(KAFKA(", metricsConfig: {type: jmxPrometheusExporter}", ""),
               "spec.kafka.metricsConfig.valueFrom", "add valueFrom.configMapKeyRef");
        refuse(KAFKA(EXPORTER, ""), "spec.kafka.metricsConfig.valueFrom.configMapKeyRef",
               "there is no ConfigMap m with the key k");
        refuse(KAFKA("", ", metricsConfig: {type: strimziMetricsReporter}"),
               "spec.zookeeper.metricsConfig.type", "runs only inside Kafka");
}

static void strimzis_reporter(void **state _unused_) {
        _cleanup_seen_ server =
                seen(KAFKA(REPORTER, ""), HOST(", \"server-metrics-reporter-0.3.0.jar\"", ""));
        assert_string_equal(setting(&server, "metric.reporters"),
                            "io.strimzi.kafka.metrics.prometheus.ServerKafkaMetricsReporter");
        assert_string_equal(setting(&server, "kafka.metrics.reporters"),
                            "io.strimzi.kafka.metrics.prometheus.ServerYammerMetricsReporter");
        assert_string_equal(setting(&server, "prometheus.metrics.reporter.allowlist"), "a.*,b");
        assert_string_equal(setting(&server, "prometheus.metrics.reporter.listener"),
                            "http://:@{bind:tcp-prometheus}");
        assert_int_equal(mr_parts_warnings(server.parts), 0);

        _cleanup_seen_ older = seen(KAFKA(REPORTER ", config: {metric.reporters: a.Mine}", ""),
                                    HOST("", "\"metrics-reporter-0.2.0.jar\""));
        assert_string_equal(setting(&older, "metric.reporters"),
                            "a.Mine,io.strimzi.kafka.metrics.KafkaPrometheusMetricsReporter");
        assert_string_equal(setting(&older, "kafka.metrics.reporters"),
                            "io.strimzi.kafka.metrics.YammerPrometheusMetricsReporter");

        /* It ends a broker that loads it. */
        _cleanup_seen_ client =
                seen(KAFKA(REPORTER, ""), HOST("", "\"client-metrics-reporter-0.3.0.jar\""));
        assert_null(setting(&client, "metric.reporters"));
        assert_true(is_warned(&client, "MetricsUnavailable", "has neither"));

        _cleanup_seen_ none = seen(KAFKA(REPORTER, ""), HOST("", ""));
        assert_null(setting(&none, "metric.reporters"));
        assert_null(parts_find(none.parts, MR_PART_ENDPOINT, "c-kafka-0", "tcp-prometheus"));
        assert_true(is_warned(&none, "MetricsUnavailable", "has neither"));
}

static void jmx_with_and_without_users(void **state _unused_) {
        _cleanup_seen_ s =
                seen(KAFKA(", jmxOptions: {authentication: {type: password}}", ", jmxOptions: {}"),
                     NULL);
        const MrPart *secret = parts_find(s.parts, MR_PART_SECRET, NULL, "c-kafka-jmx");
        const MrPart *file = parts_find(s.parts, MR_PART_FILE, "c-kafka-0", "jmxremote.password");

        assert_string_equal(mr_pairs_get(&secret->secret.values, "jmx-password"), "@{random:32}");
        assert_true(file->file.is_private);
        assert_string_equal(file->file.content, "@{secret:c-kafka-jmx/jmx-username} "
                                                "@{secret:c-kafka-jmx/jmx-password}\n");
        assert_true(
                has_option(&s, "c-kafka-0", "-Dcom.sun.management.jmxremote.authenticate=true"));
        assert_false(has_option(&s, "c-kafka-0", "-Dcom.sun.management.jmxremote.host="));
        assert_null(parts_find(s.parts, MR_PART_SECRET, NULL, "c-zookeeper-jmx"));
        assert_true(has_option(&s, "c-zookeeper-0",
                               "-Dcom.sun.management.jmxremote.authenticate=false"));
        assert_true(
                has_option(&s, "c-zookeeper-0", "-Dcom.sun.management.jmxremote.host=127.0.0.1"));
        assert_true(is_warned(&s, "JmxWithoutAuthentication", "spec.zookeeper.jmxOptions"));
        assert_false(is_warned(&s, "JmxWithoutAuthentication", "spec.kafka.jmxOptions"));
}

static void the_rack_is_a_label_of_the_host(void **state _unused_) {
        _cleanup_seen_ s = seen(KAFKA(", rack: {topologyKey: zone}", ""), HOST("", ""));
        assert_string_equal(setting(&s, "broker.rack"), "@{label:zone}");
        _cleanup_seen_ paper = seen(KAFKA(", rack: {topologyKey: zone}", ""), NULL);
        assert_string_equal(setting(&paper, "broker.rack"), "@{label:zone}");
        _cleanup_seen_ variable = seen(
                KAFKA(", rack: {type: environment-variable, envVarName: zone}", ""), HOST("", ""));
        assert_string_equal(setting(&variable, "broker.rack"), "@{variable:zone}");
        _cleanup_seen_ unknown = seen(KAFKA(", rack: {topologyKey: row}", ""), HOST("", ""));
        assert_null(setting(&unknown, "broker.rack"));
        assert_true(is_warned(&unknown, "RackUnknown", "the host has no label row"));
        refuse(KAFKA(", rack: {}", ""), "spec.kafka.rack.topologyKey", "is missing");
        refuse(KAFKA(", rack: {type: environment-variable}", ""), "spec.kafka.rack.envVarName",
               "is missing");
        refuse(KAFKA(", rack: {topologyKey: \"a}b\"}", ""), "spec.kafka.rack.topologyKey",
               "cannot be a name");
}

static const MrSetting *quota(const Seen *seen, const char *key) {
        return &parts_find(seen->parts, MR_PART_SETTING, "quota/", key)->setting;
}

static void quotas_of_kafka_are_told(void **state _unused_) {
        _cleanup_seen_ s = seen(
                KAFKA(", quotas: {type: kafka, producerByteRate: 1048576, controllerMutationRate: "
                      "2.5, minAvailableBytesPerVolume: 5}",
                      ""),
                NULL);

        assert_string_equal(quota(&s, "producer_byte_rate")->value, "1048576");
        assert_string_equal(quota(&s, "controller_mutation_rate")->value, "2.5");
        assert_null(quota(&s, "consumer_byte_rate")->value);
        assert_null(quota(&s, "request_percentage")->value);
        assert_null(setting(&s, "client.quota.callback.class"));
        assert_true(is_warned(&s, "Quotas", "have no effect with the type kafka"));
        _cleanup_seen_ none = seen(KAFKA("", ""), NULL);
        assert_null(quota(&none, "producer_byte_rate")->value);
}

#define PLUGIN                                                                                     \
        ", quotas: {type: strimzi, producerByteRate: 5, minAvailableRatioPerVolume: 0.25, "        \
        "excludedPrincipals: [\"User:a\", \"CN=b,O=c\"], requestPercentage: 3}"
#define STATIC "client.quota.callback.static."

static void quotas_of_strimzis_plugin_are_options(void **state _unused_) {
        _cleanup_seen_ s = seen(KAFKA(PLUGIN, ""), HOST(", \"kafka-quotas-plugin-0.3.1.jar\"", ""));

        assert_string_equal(setting(&s, "client.quota.callback.class"),
                            "io.strimzi.kafka.quotas.StaticQuotaCallback");
        assert_string_equal(setting(&s, STATIC "produce"), "5");
        assert_null(setting(&s, STATIC "fetch"));
        assert_string_equal(setting(&s, STATIC "storage.per.volume.limit.min.available.ratio"),
                            "0.25");
        assert_string_equal(setting(&s, STATIC "excluded.principal.name.list"),
                            "User:CN=c-kafka,O=io.strimzi;User:CN=cluster-operator,O=io.strimzi;"
                            "User:a;User:CN=b,O=c");
        assert_string_equal(setting(&s, STATIC "kafka.admin.security.protocol"), "SSL");
        assert_null(quota(&s, "producer_byte_rate")->value);
        assert_true(is_warned(&s, "Quotas", "have no effect with the type strimzi"));

        _cleanup_seen_ missing = seen(KAFKA(PLUGIN, ""), HOST("", ""));
        assert_null(setting(&missing, "client.quota.callback.class"));
        assert_true(is_warned(&missing, "QuotasUnavailable", "has no kafka-quotas-plugin jar"));
}

static void quotas_that_make_no_sense(void **state _unused_) {
        refuse(KAFKA(", quotas: {type: kafka, controllerMutationRate: -1}", ""),
               "spec.kafka.quotas.controllerMutationRate", "cannot be negative");
        refuse(KAFKA(", quotas: {type: strimzi, minAvailableRatioPerVolume: 1.5}", ""),
               "spec.kafka.quotas.minAvailableRatioPerVolume", "between 0 and 1");
        refuse(KAFKA(", quotas: {type: strimzi, minAvailableRatioPerVolume: 0.5, "
                     "minAvailableBytesPerVolume: 1}",
                     ""),
               "spec.kafka.quotas.minAvailableRatioPerVolume", "keep one of them");
        refuse(KAFKA(", quotas: {type: strimzi, excludedPrincipals: [\"a;b\"]}", ""),
               "spec.kafka.quotas.excludedPrincipals", "a semicolon separates");
}

/* The line of server.properties with this key; a value of NULL: there is none. */
static void assert_property(const Seen *seen, const char *node, const char *key,
                            const char *value) {
        const char *content = NULL;
        _cleanup_free_ char *start = mr_strf("\n%s=", key),
                            *line = mr_strf("\n%s=%s\n", key, value);

        for (size_t i = 0; i < mr_parts_size(seen->parts); i++) {
                const MrPart *part = mr_parts_at(seen->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, node) &&
                    mr_streq(part->file.name, "server.properties"))
                        content = part->file.content;
        }
        assert_non_null(content);
        if (value ? !strstr(content, line) : strstr(content, start) != NULL)
                fail_msg("%s should be %s in:\n%s", key, value ? value : "absent", content);
}

#define TIERED(manager) ", tieredStorage: {type: custom" manager "}"

static void older_segments_are_kept_by_a_plugin(void **state _unused_) {
        _cleanup_seen_ result = seen(KAFKA(TIERED(", remoteStorageManager: {className: "
                                                  "org.example.Keeper, "
                                                  "classPath: /opt/keeper/*, config: {bucket: "
                                                  "\"a@{b}\"}}") ", config: "
                                                                 "{remote.log.manager.thread.pool."
                                                                 "size: 4}",
                                           ""),
                                     NULL);
        static const struct {
                const char *key, *value;
        } expected[] = {
                {"remote.log.storage.system.enable", "true"},
                {"remote.log.storage.manager.class.name", "org.example.Keeper"},
                {"remote.log.storage.manager.class.path", "/opt/keeper/*"},
                {"rsm.config.bucket", "a@@{b}"},
                {"remote.log.metadata.manager.listener.name", "REPLICATION-9091"},
                {"rlmm.config.remote.log.metadata.common.client.security.protocol", "SSL"},
                {"rlmm.config.remote.log.metadata.common.client.ssl.keystore.location",
                 "@{file:c-kafka-0.pem}"},
                {"rlmm.config.remote.log.metadata.topic.replication.factor", "1"},
                {"remote.log.manager.thread.pool.size", "4"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(expected); i++)
                assert_property(&result, "c-kafka-0", expected[i].key, expected[i].value);
        _cleanup_seen_ without = seen(KAFKA("", ""), NULL);
        assert_property(&without, "c-kafka-0", "remote.log.storage.system.enable", NULL);
        refuse(KAFKA(TIERED(""), ""), "spec.kafka.tieredStorage.remoteStorageManager",
               "needs the class of a plugin");
        refuse(KAFKA(TIERED(", remoteStorageManager: {config: {a: b}}"), ""),
               "spec.kafka.tieredStorage.remoteStorageManager.className", "name it");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_agent_of_prometheus),
                cmocka_unit_test(an_agent_that_is_missing_is_left_out),
                cmocka_unit_test(metrics_need_their_rules),
                cmocka_unit_test(strimzis_reporter),
                cmocka_unit_test(jmx_with_and_without_users),
                cmocka_unit_test(the_rack_is_a_label_of_the_host),
                cmocka_unit_test(older_segments_are_kept_by_a_plugin),
                cmocka_unit_test(quotas_of_kafka_are_told),
                cmocka_unit_test(quotas_of_strimzis_plugin_are_options),
                cmocka_unit_test(quotas_that_make_no_sense),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
