/* What the field tables and rules of the operands refuse, and what they say about it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define KAFKA(kafka, rest)                                                                         \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\nspec: {kafka: "   \
        "{" kafka "}" rest "}\n"
#define PLAIN "listeners: [{name: plain, port: 9092, type: internal, tls: false}]"
#define LISTENER(text) "listeners: [{name: a, port: 9092, type: internal, tls: true}, {" text "}]"
#define STORAGE "storage: {type: ephemeral}"
#define ZOOKEEPER ", zookeeper: {replicas: 1, storage: {type: ephemeral}}"
#define POOL(spec)                                                                                 \
        "apiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: p, labels: "       \
        "{strimzi.io/cluster: c}}\nspec: {" spec "}\n"
#define USER(labels, spec)                                                                         \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaUser\nmetadata: {name: u, labels: "      \
        "{" labels "}}\nspec: {" spec "}\n"

/* Decodes and, when that works, asks for parts. */
static int attempt(const char *yaml, const char *kind, const char *name, MrError *err) {
        _cleanup_(world_freep) World *world = world_new();
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();

        int r = world_read(world, yaml, err);
        return r < 0 ? r : world_parts(world, world_find(world, kind, name), parts, err);
}

static void refuse(const char *yaml, const char *kind, const char *name, const char *path,
                   const char *message) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (attempt(yaml, kind, name, &err) >= 0)
                fail_msg("accepted: %s", yaml);
        if (path && !mr_streq(err.path, path))
                fail_msg("path %s, expected %s: %s", err.path, path, err.message);
        if (!strstr(err.message, message))
                fail_msg("\"%s\" lacks \"%s\"", err.message, message);
        assert_int_equal(err.kind, MR_INVALID);
}

static void accept(const char *yaml, const char *kind, const char *name) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (attempt(yaml, kind, name, &err) < 0)
                fail_msg("%s: %s: %s", err.path ? err.path : "", err.message, yaml);
}

static void refuse_kafka(const char *yaml, const char *path, const char *message) {
        refuse(yaml, "Kafka", "c", path, message);
}

static void a_small_cluster_is_accepted(void **state _unused_) {
        accept(KAFKA("replicas: 1, " PLAIN ", " STORAGE, ZOOKEEPER), "Kafka", "c");
        accept(KAFKA(PLAIN, "") "---\n" POOL("replicas: 1, roles: [broker, controller], " STORAGE),
               "Kafka", "c");
}

static void versions_must_be_known_and_fit_the_mode(void **state _unused_) {
        refuse_kafka(KAFKA("version: 9.9.9, replicas: 1, " PLAIN ", " STORAGE, ZOOKEEPER),
                     "spec.kafka.version", "use one of 3.8.0");
        refuse_kafka(KAFKA("version: 4.0.0, replicas: 1, " PLAIN ", " STORAGE, ZOOKEEPER),
                     "spec.zookeeper", "runs without ZooKeeper");
        refuse_kafka(KAFKA("version: \"3.9\", " PLAIN, ZOOKEEPER), "spec.kafka.version", "");
}

static void listeners_are_checked(void **state _unused_) {
        static const struct {
                const char *listener, *path, *message;
        } cases[] = {
                {"name: a, port: 9093, type: internal, tls: true", "spec.kafka.listeners[1].name",
                 "unique"},
                {"name: b, port: 9092, type: internal, tls: true", "spec.kafka.listeners[1].port",
                 "unique"},
                {"name: b, port: 9091, type: internal, tls: true", "spec.kafka.listeners[1].port",
                 "9092"},
                {"name: b, port: 9404, type: internal, tls: true", "spec.kafka.listeners[1].port",
                 "reserved"},
                {"name: b, port: 9999, type: internal, tls: true", "spec.kafka.listeners[1].port",
                 "reserved"},
                {"name: b, port: 9093, type: route, tls: false", "spec.kafka.listeners[1].tls",
                 "set tls to true"},
                {"name: b, port: 9093, type: internal, tls: false, authentication: {type: tls}",
                 "spec.kafka.listeners[1].tls", "needs TLS"},
                {"name: b, port: 9093, type: internal, tls: true, authentication: {type: oauth}",
                 "spec.kafka.listeners[1].authentication.type", "not supported"},
                {"name: UPPER, port: 9093, type: internal, tls: true",
                 "spec.kafka.listeners[1].name", ""},
                {"name: b, port: 9093, type: tunnel, tls: true", "spec.kafka.listeners[1].type",
                 ""},
                {"name: b, port: 9093, type: internal", "spec.kafka.listeners[1].tls", ""},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml =
                        mr_strf(KAFKA("replicas: 1, " STORAGE ", " LISTENER("%s"), ZOOKEEPER),
                                cases[i].listener);
                refuse_kafka(yaml, cases[i].path, cases[i].message);
        }
        refuse_kafka(KAFKA("replicas: 1, listeners: [], " STORAGE, ZOOKEEPER),
                     "spec.kafka.listeners", "");
        refuse_kafka(KAFKA("replicas: 1, " STORAGE, ZOOKEEPER), "spec.kafka.listeners", "");
}

static void what_would_open_a_cluster_is_refused(void **state _unused_) {
        refuse_kafka(
                KAFKA("replicas: 1, authorization: {type: opa}, " PLAIN ", " STORAGE, ZOOKEEPER),
                "spec.kafka.authorization.type", "not supported");
        refuse_kafka(KAFKA("replicas: 1, authorization: {type: keycloak}, " PLAIN ", " STORAGE,
                           ZOOKEEPER),
                     "spec.kafka.authorization.type", "not supported");
        refuse_kafka(
                KAFKA("replicas: 1, authorization: {type: custom}, " PLAIN ", " STORAGE, ZOOKEEPER),
                "spec.kafka.authorization.authorizerClass", "name one");
}

static void nodes_must_come_from_somewhere(void **state _unused_) {
        refuse_kafka(KAFKA(PLAIN ", " STORAGE, ZOOKEEPER), "spec.kafka.replicas", "node pools");
        refuse_kafka(KAFKA("replicas: 1, " PLAIN, ZOOKEEPER), "spec.kafka.storage", "node pools");
        refuse_kafka(KAFKA(PLAIN, ""), NULL, "KafkaNodePool");
        refuse_kafka(KAFKA(PLAIN, "") "---\n" POOL("replicas: 1, roles: [broker], " STORAGE), NULL,
                     "controller");
        refuse_kafka(KAFKA(PLAIN, "") "---\n" POOL("replicas: 1, roles: [controller], " STORAGE),
                     NULL, "broker");
        refuse_kafka(KAFKA(PLAIN, ZOOKEEPER) "---\n" POOL(
                             "replicas: 1, roles: [broker, controller], " STORAGE),
                     "spec.zookeeper", "only the role broker");
}

static void storage_is_checked(void **state _unused_) {
        static const struct {
                const char *storage, *path, *message;
        } cases[] = {
                {"type: persistent-claim", "spec.kafka.storage.size", "needs a size"},
                {"type: jbod", "spec.kafka.storage.volumes", "at least one"},
                {"type: jbod, volumes: [{type: ephemeral}]", "spec.kafka.storage.volumes[0].id",
                 "needs an id"},
                {"type: jbod, volumes: [{type: ephemeral, id: 1}, {type: ephemeral, id: 1}]",
                 "spec.kafka.storage.volumes[1].id", "use another"},
                {"type: jbod, volumes: [{type: persistent-claim, id: 1}]",
                 "spec.kafka.storage.volumes[0].size", ""},
                {"type: jbod, volumes: [{type: jbod, id: 1}]", "spec.kafka.storage.volumes[0].type",
                 ""},
                {"type: jbod, volumes: [{type: ephemeral, id: 0, kraftMetadata: shared}, {type: "
                 "ephemeral, id: 1, "
                 "kraftMetadata: shared}]",
                 "spec.kafka.storage.volumes", "only one"},
                {"type: ephemeral, volumes: [{type: ephemeral, id: 1}]",
                 "spec.kafka.storage.volumes", "type: jbod"},
                {"type: floppy", "spec.kafka.storage.type", ""},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml =
                        mr_strf(KAFKA("replicas: 1, " PLAIN ", storage: {%s}", ZOOKEEPER),
                                cases[i].storage);
                refuse_kafka(yaml, cases[i].path, cases[i].message);
        }
        refuse_kafka(KAFKA("replicas: 1, " PLAIN ", " STORAGE,
                           ", zookeeper: {replicas: 1, storage: {type: jbod}}"),
                     "spec.zookeeper.storage.type", "");
        refuse_kafka(KAFKA("replicas: 1, " PLAIN ", " STORAGE,
                           ", zookeeper: {replicas: 0, storage: {type: ephemeral}}"),
                     "spec.zookeeper.replicas", "");
}

static void java_options_cannot_run_commands(void **state _unused_) {
        static const struct {
                const char *options, *path, *message;
        } cases[] = {
                {"-XX: {OnError: reboot}", "spec.kafka.jvmOptions.-XX.OnError", "runs commands"},
                {"-XX: {OnOutOfMemoryError: reboot}",
                 "spec.kafka.jvmOptions.-XX.OnOutOfMemoryError", "runs commands"},
                {"-XX: {\"Flags=x -XX:OnError\": reboot}",
                 "spec.kafka.jvmOptions.-XX[\"Flags=x -XX:OnError\"]", "no name of a JVM flag"},
                {"-XX: {HeapDumpPath: \"a\\nb\"}", "spec.kafka.jvmOptions.-XX.HeapDumpPath",
                 "one line"},
                {"-Xms: 2g, -Xmx: 1g", "spec.kafka.jvmOptions.-Xms", "lower one"},
                {"-Xmx: 1T", "spec.kafka.jvmOptions.-Xmx", ""},
                {"javaSystemProperties: [{name: \"a b\", value: c}]",
                 "spec.kafka.jvmOptions.javaSystemProperties[0].name", ""},
                {"javaSystemProperties: [{name: a, value: \"b\\nc\"}]",
                 "spec.kafka.jvmOptions.javaSystemProperties[0].value", "one line"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml = mr_strf(
                        KAFKA("replicas: 1, " PLAIN ", " STORAGE ", jvmOptions: {%s}", ZOOKEEPER),
                        cases[i].options);
                refuse_kafka(yaml, cases[i].path, cases[i].message);
        }
}

static void authorities_are_checked(void **state _unused_) {
        refuse_kafka(KAFKA("replicas: 1, " PLAIN ", " STORAGE,
                           ZOOKEEPER ", clusterCa: {validityDays: 10, renewalDays: 10}"),
                     "spec.clusterCa.renewalDays", "less than validityDays");
        refuse_kafka(KAFKA("replicas: 1, " PLAIN ", " STORAGE,
                           ZOOKEEPER ", clientsCa: {validityDays: 0}"),
                     "spec.clientsCa.validityDays", "");
}

static void pools_are_checked(void **state _unused_) {
        refuse(POOL("replicas: 1, roles: [], " STORAGE), "KafkaNodePool", "p", "spec.roles",
               "needs a role");
        refuse(POOL("replicas: 1, roles: [broker, broker], " STORAGE), "KafkaNodePool", "p",
               "spec.roles", "twice");
        refuse(POOL("replicas: 1, roles: [leader], " STORAGE), "KafkaNodePool", "p", NULL, "");
        refuse(POOL("replicas: -1, roles: [broker], " STORAGE), "KafkaNodePool", "p",
               "spec.replicas", "");
}

static void users_are_checked(void **state _unused_) {
        const char *label = "strimzi.io/cluster: c";

        refuse(USER("a: b", "authentication: {type: tls}"), "KafkaUser", "u", "metadata.labels",
               "strimzi.io/cluster");
        refuse(USER("strimzi.io/cluster: c", "authentication: {type: tls, validityDays: 5}"),
               "KafkaUser", "u", "spec.authentication", "go together");
        refuse(USER("strimzi.io/cluster: c",
                    "authentication: {type: tls, validityDays: 5, renewalDays: 5}"),
               "KafkaUser", "u", "spec.authentication.renewalDays", "less than");
        refuse(USER("strimzi.io/cluster: c",
                    "authentication: {type: tls-external, validityDays: 5, renewalDays: 1}"),
               "KafkaUser", "u", "spec.authentication", "type tls");
        accept(USER("strimzi.io/cluster: c", "authentication: {type: scram-sha-512}"), "KafkaUser",
               "u");
        accept(USER("strimzi.io/cluster: c", ""), "KafkaUser", "u");
        _cleanup_free_ char *longer = mr_strf(
                "apiVersion: kafka.strimzi.io/v1\nkind: KafkaUser\nmetadata: {name: u%064d, "
                "labels: {%s}}\nspec: {authentication: {type: tls}}\n",
                1, label);
        _cleanup_free_ char *name = mr_strf("u%064d", 1);
        refuse(longer, "KafkaUser", name, "metadata.name", "64");
}

static void names_cannot_take_what_the_cluster_has(void **state _unused_) {
        static const char *const taken[] = {
                "c-cluster-ca", "c-clients-ca-cert", "c-cluster-operator-certs",
                "c-kafka-0",    "c-zookeeper-12",    "c-p-7"};
        static const char *const free_names[] = {"c-alice-1", "c", "c-kafka", "d-cluster-ca"};
        const char *user = POOL(
                "replicas: 1, roles: [broker], " STORAGE) "---\napiVersion: "
                                                          "kafka.strimzi.io/v1\nkind: "
                                                          "KafkaUser\nmetadata: {name: %s, labels: "
                                                          "{strimzi.io/cluster: c}}\nspec: "
                                                          "{authentication: {type: tls}}\n";

        for (size_t i = 0; i < MR_ELEMENTS(taken); i++) {
                _cleanup_free_ char *yaml = mr_strf(user, taken[i]);
                refuse(yaml, "KafkaUser", taken[i], "metadata.name", "give the user another");
        }
        for (size_t i = 0; i < MR_ELEMENTS(free_names); i++) {
                _cleanup_free_ char *yaml = mr_strf(user, free_names[i]);
                accept(yaml, "KafkaUser", free_names[i]);
        }
        _cleanup_free_ char *name = mr_strf("k%054d", 1);
        _cleanup_free_ char *yaml =
                mr_strf("apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: %s}\nspec: "
                        "{kafka: {" PLAIN "}}\n",
                        name);
        refuse(yaml, "Kafka", name, "metadata.name", "54 characters");
}

static void check_rows(const MrField *fields, const char *where) {
        for (; fields && fields->name; fields++) {
                _cleanup_free_ char *path = mr_strf("%s.%s", where, fields->name);
                size_t size = fields->doc ? strlen(fields->doc) : 0;
                if (size == 0 || fields->doc[size - 1] != '.')
                        fail_msg("%s is not explained by a sentence", path);
                check_rows(fields->fields, path);
        }
}

static void every_field_is_explained(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_new();

        for (const MrKind *const *kind = registry_kinds(world->registry); *kind; kind++) {
                assert_non_null((*kind)->doc);
                check_rows((*kind)->spec, (*kind)->name);
        }
        for (size_t i = 0; i < registry_operands(world->registry); i++) {
                const MrSection *section = registry_operand_at(world->registry, i)->section;
                check_rows(section ? section->fields : NULL, "section");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_small_cluster_is_accepted),
                cmocka_unit_test(versions_must_be_known_and_fit_the_mode),
                cmocka_unit_test(listeners_are_checked),
                cmocka_unit_test(what_would_open_a_cluster_is_refused),
                cmocka_unit_test(nodes_must_come_from_somewhere),
                cmocka_unit_test(storage_is_checked),
                cmocka_unit_test(java_options_cannot_run_commands),
                cmocka_unit_test(authorities_are_checked),
                cmocka_unit_test(pools_are_checked),
                cmocka_unit_test(users_are_checked),
                cmocka_unit_test(names_cannot_take_what_the_cluster_has),
                cmocka_unit_test(every_field_is_explained),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
