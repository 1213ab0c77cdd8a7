/* Listeners: what they need of secrets and brokers, what changes without a restart, and what the
 * status says. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define CLUSTER(replicas, rest)                                                                    \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec: {kafka: "   \
        "{replicas: " replicas ", storage: {type: ephemeral}, " rest                               \
        "}, zookeeper: {replicas: 1, storage: {type: ephemeral}}}\n"
#define LISTENER(text) "listeners: [{name: a, port: 9093, " text "}]"

static World *world_of(const char *yaml) {
        World *world = world_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (world_read(world, yaml, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        return world;
}

static MrParts *parts_of(const World *world) {
        MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        return parts;
}

static void refuse(const World *world, const char *path, const char *message) {
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(world_parts(world, world_find(world, "Kafka", "c"), parts, &err), -EINVAL);
        assert_string_equal(err.path, path);
        if (!strstr(err.message, message))
                fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

static const char *warning_of(const MrParts *parts, const char *reason) {
        for (size_t i = 0; i < mr_parts_warnings(parts); i++) {
                const char *found, *message;
                mr_parts_warning_at(parts, i, &found, &message);
                if (mr_streq(found, reason))
                        return message;
        }
        return NULL;
}

static const char *properties_of(const MrParts *parts, const char *node) {
        const MrPart *part = parts_find(parts, MR_PART_FILE, node, "server.properties");

        assert_non_null(part);
        return part->file.content;
}

static const MrEndpoint *endpoint_of(const MrParts *parts, const char *node, const char *name) {
        const MrPart *part = parts_find(parts, MR_PART_ENDPOINT, node, name);

        assert_non_null(part);
        return &part->endpoint;
}

/* --- what every type accepts */

static void every_type_is_accepted_with_what_it_needs(void **state _unused_) {
        static const char *const listeners[] = {
                "type: internal, tls: false",
                "type: cluster-ip, tls: false, configuration: {ipFamilies: [IPv4, IPv6]}",
                "type: route, tls: true",
                "type: loadbalancer, tls: false, configuration: {bootstrap: {nodePort: 32000}}",
                "type: nodeport, tls: false",
                "type: ingress, tls: true, configuration: {bootstrap: {host: b}, brokers: "
                "[{broker: "
                "0, host: c}]}",
                "type: tlsroute, tls: false, configuration: {bootstrap: {host: b}, hostTemplate: "
                "c, parentRefs: [{name: g}]}",
                "type: internal, tls: true, configuration: {createBootstrapService: true}",
        };

        for (size_t i = 0; i < MR_ELEMENTS(listeners); i++) {
                _cleanup_free_ char *yaml = mr_strf(CLUSTER("1", LISTENER("%s")), listeners[i]);
                _cleanup_(world_freep) World *world = world_of(yaml);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                assert_non_null(strstr(properties_of(parts, "c-kafka-0"), "A-9093://"));
        }
}

static void ports_of_templates_are_computed(void **state _unused_) {
        static const struct {
                const char *template, *port;
        } cases[] = {
                {"443", "443"},
                {"9000 + {nodeId}", "9001"},
                {"90{nodeId}0", "9010"},
                {"9000+10*{nodeId}", "9010"},
                {"(9000 + {nodeId}) * 2 - 1", "18001"},
                {"9000 - -{nodeId}", "9001"},
                {"  7 *(({nodeId} + 2)) ", "21"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml =
                        mr_strf(CLUSTER("2", LISTENER("type: internal, tls: false, configuration: "
                                                      "{advertisedHostTemplate: \"h{nodeId}\", "
                                                      "advertisedPortTemplate: \"%s\"}")),
                                cases[i].template);
                _cleanup_free_ char *expected = mr_strf("A-9093://h1:%s\n", cases[i].port);
                _cleanup_(world_freep) World *world = world_of(yaml);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                if (!strstr(properties_of(parts, "c-kafka-1"), expected))
                        fail_msg("%s is not %s", cases[i].template, cases[i].port);
        }
}

static void a_node_port_is_where_the_broker_listens(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                CLUSTER("3", LISTENER("type: nodeport, tls: false, configuration: {bootstrap: "
                                      "{nodePort: 32100}, brokers: [{broker: 1, nodePort: "
                                      "32001}]}")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_int_equal(endpoint_of(parts, "c-kafka-0", "tcp-a")->port, 32100);
        assert_false(endpoint_of(parts, "c-kafka-0", "tcp-a")->is_fixed);
        assert_int_equal(endpoint_of(parts, "c-kafka-1", "tcp-a")->port, 32001);
        assert_true(endpoint_of(parts, "c-kafka-1", "tcp-a")->is_fixed);
        assert_null(warning_of(parts, "UnusedPort"));
}

static void a_port_nobody_listens_on_is_reported(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                CLUSTER("1", LISTENER("type: nodeport, tls: false, configuration: {bootstrap: "
                                      "{nodePort: 32100}, brokers: [{broker: 0, nodePort: "
                                      "32001}]}")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_non_null(strstr(warning_of(parts, "UnusedPort"), "32100"));
}

/* --- certificates */

#define OWN                                                                                        \
        "type: internal, tls: true, configuration: {brokerCertChainAndKey: {secretName: s, "       \
        "certificate: tls.crt, key: tls.key}}"
#define CRT "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"

static void a_certificate_of_ones_own_is_shown(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER("1", LISTENER(OWN)));
        _cleanup_(mr_parts_freep) MrParts *waiting = parts_of(world);
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_non_null(parts_find(waiting, MR_PART_FILE, "c-kafka-0", "listener-a-9093.pem"));
        facts_add_secret(world->facts, "s", "tls.crt", CRT);
        facts_add_secret(world->facts, "s", "tls.key", KEY);
        facts_add_secret(world->facts, "c-cluster-ca-cert", "ca.crt", "PEM");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *file =
                &parts_find(parts, MR_PART_FILE, "c-kafka-0", "listener-a-9093.pem")->file;
        assert_string_equal(file->content, "@{secret:s/tls.key}\n@{secret:s/tls.crt}\n");
        assert_non_null(strstr(properties_of(parts, "c-kafka-0"),
                               "listener.name.a-9093.ssl.keystore.location=@{file:listener-a-9093."
                               "pem}\n"));
        assert_int_equal(world_status(world, world_find(world, "Kafka", "c"), status, &err), 0);
        assert_string_equal(
                mr_tree_string(mr_tree_find(status, "listeners[0].certificates[0]", false)), CRT);
}

static void secrets_that_do_not_fit_are_refused(void **state _unused_) {
        static const struct {
                const char *certificate, *key, *field, *message;
        } cases[] = {
                {CRT, NULL, "key", "has no key tls.key"},
                {NULL, KEY, "certificate", "has no key tls.crt"},
                {"DER", KEY, "certificate", "no PEM"},
                {CRT, "DER", "key", "no PEM"},
                {CRT, "-----BEGIN RSA PRIVATE KEY-----", "key", "openssl pkcs8"},
                {CRT, "-----BEGIN EC PRIVATE KEY-----", "key", "openssl pkcs8"},
                {CRT, "-----BEGIN ENCRYPTED PRIVATE KEY-----", "key", "without a password"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(world_freep) World *world = world_of(CLUSTER("1", LISTENER(OWN)));
                _cleanup_free_ char *path =
                        mr_strf("spec.kafka.listeners[0].configuration.brokerCertChainAndKey.%s",
                                cases[i].field);
                if (cases[i].certificate)
                        facts_add_secret(world->facts, "s", "tls.crt", cases[i].certificate);
                if (cases[i].key)
                        facts_add_secret(world->facts, "s", "tls.key", cases[i].key);
                refuse(world, path, cases[i].message);
        }
}

/* --- custom authentication */

static void passwords_stay_out_of_what_everybody_reads(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER(
                "1", LISTENER("type: internal, tls: true, authentication: {type: custom, sasl: "
                              "true, listenerConfig: {plain.sasl.jaas.config: \"Login "
                              "password=geheim;\", ssl.truststore.password: geheim, "
                              "sasl.enabled.mechanisms: PLAIN}}")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrPairs *settings = &mr_parts_find_workload(parts, "c-kafka-0")->workload.settings;

        assert_non_null(strstr(properties_of(parts, "c-kafka-0"), "password=geheim;\n"));
        assert_non_null(strstr(properties_of(parts, "c-kafka-0"), "A-9093:SASL_SSL"));
        for (size_t i = 0; i < settings->n; i++)
                assert_null(strstr(settings->items[i].value, "geheim"));
        assert_non_null(mr_pairs_get(settings, "listener.name.a-9093.plain.sasl.jaas.config"));
        assert_string_equal(mr_pairs_get(settings, "listener.name.a-9093.sasl.enabled.mechanisms"),
                            "PLAIN");
}

static void options_without_effect_are_reported(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER(
                "1",
                "authorization: {type: simple, superUsers: [\"User:CN=a\"]}, " LISTENER(
                        "type: internal, tls: true, authentication: {type: tls, sasl: true}")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_non_null(strstr(warning_of(parts, "IgnoredOption"), "listeners[0].authentication"));
        assert_non_null(strstr(warning_of(parts, "SuperUser"), "superUsers[0]"));
        assert_non_null(strstr(properties_of(parts, "c-kafka-0"), "A-9093:SSL"));
}

/* --- limits */

#define LIMITED LISTENER("type: internal, tls: false, configuration: {maxConnections: 10}")
#define UNLIMITED LISTENER("type: internal, tls: false")
#define LIMIT_KEY "listener.name.a-9093.max.connections"

static const MrSetting *setting_of(const MrParts *parts, const char *key) {
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_SETTING && mr_streq(part->setting.key, key))
                        return &part->setting;
        }
        return NULL;
}

static void a_limit_needs_no_restart(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER("1", LIMITED));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_non_null(strstr(properties_of(parts, "c-kafka-0"), LIMIT_KEY "=10\n"));
        assert_null(mr_pairs_get(&mr_parts_find_workload(parts, "c-kafka-0")->workload.settings,
                                 LIMIT_KEY));
        assert_string_equal(setting_of(parts, LIMIT_KEY)->value, "10");
        assert_true(setting_of(parts, LIMIT_KEY)->may_be_unlisted);
}

static void a_limit_that_went_is_lifted(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER("1", UNLIMITED));

        world_see_view(world, "kafka",
                       "{\"configs\": {\"0\": {\"" LIMIT_KEY "\": \"10\"}}, \"overrides\": "
                       "{\"0\": {\"" LIMIT_KEY "\": \"10\", "
                       "\"listener.name.gone-9999.max.connections\": \"5\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, LIMIT_KEY)->value, "2147483647");
        assert_null(setting_of(parts, "listener.name.gone-9999.max.connections")->value);
}

static void no_limit_is_no_setting(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER("1", UNLIMITED));

        world_see_view(world, "kafka", "{\"configs\": {\"0\": {\"a\": \"10\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_null(setting_of(parts, LIMIT_KEY));
}

/* --- status */

static void the_status_begins_with_the_declared_name(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                CLUSTER("2", LISTENER("type: route, tls: true, configuration: {bootstrap: {host: "
                                      "b.example.com}, hostTemplate: \"h{nodeId}.example.com\", "
                                      "brokers: [{broker: 1, advertisedHost: \"[2001:db8::1]\", "
                                      "advertisedPort: 443}]}")));
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(world_status(world, world_find(world, "Kafka", "c"), status, &err), 0);
        const MrTree *listener = mr_tree_find(status, "listeners[0]", false);
        assert_string_equal(mr_tree_get_string(listener, "bootstrapServers"),
                            "b.example.com:@{port:c-kafka-0/tcp-a},h0.example.com:@{port:c-kafka-0/"
                            "tcp-a},[2001:db8::1]:443");
        assert_string_equal(mr_tree_string(mr_tree_find(listener, "addresses[2].host", false)),
                            "2001:db8::1");
        assert_int_equal(mr_tree_int(mr_tree_find(listener, "addresses[2].port", false), 0), 443);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_type_is_accepted_with_what_it_needs),
                cmocka_unit_test(ports_of_templates_are_computed),
                cmocka_unit_test(a_node_port_is_where_the_broker_listens),
                cmocka_unit_test(a_port_nobody_listens_on_is_reported),
                cmocka_unit_test(a_certificate_of_ones_own_is_shown),
                cmocka_unit_test(secrets_that_do_not_fit_are_refused),
                cmocka_unit_test(passwords_stay_out_of_what_everybody_reads),
                cmocka_unit_test(options_without_effect_are_reported),
                cmocka_unit_test(a_limit_needs_no_restart),
                cmocka_unit_test(a_limit_that_went_is_lifted),
                cmocka_unit_test(no_limit_is_no_setting),
                cmocka_unit_test(the_status_begins_with_the_declared_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
