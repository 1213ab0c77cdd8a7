/* Logging: how levels are carried over between the two libraries, what a ConfigMap may hold, and
 * which change reaches a running node how. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "properties.h"
#include "str.h"

#define CLUSTER(kafka, zookeeper)                                                                  \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {replicas: 1, listeners: [{name: plain, port: 9092, type: internal, tls: "  \
        "false}], storage: {type: ephemeral}" kafka                                                \
        "}, zookeeper: {replicas: 1, storage: {type: ephemeral}" zookeeper "}}\n"
#define KRAFT(version, kafka)                                                                      \
        "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"                      \
        "spec: {kafka: {version: " version ", listeners: [{name: plain, port: 9092, type: "        \
        "internal, tls: false}]" kafka                                                             \
        "}}\n---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: p, "      \
        "labels: {strimzi.io/cluster: c}}\nspec: {replicas: 1, roles: [broker], storage: {type: "  \
        "ephemeral}}\n---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: "       \
        "{name: q, labels: {strimzi.io/cluster: c}}\nspec: {replicas: 1, roles: [controller], "    \
        "storage: {type: ephemeral}}\n"
#define LOGGERS(text) ", logging: {type: inline, loggers: {" text "}}"
#define EXTERNAL                                                                                   \
        ", logging: {type: external, valueFrom: {configMapKeyRef: {name: logs, key: log.conf}}}"
#define MAP(text)                                                                                  \
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: logs}\ndata:\n  log.conf: "        \
        "|\n" text

static World *world_of(const char *yaml) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        World *world = world_new();

        if (world_read(world, yaml, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        return world;
}

static MrParts *parts_of(const World *world) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrParts *parts = mr_parts_new();

        if (world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0)
                fail_msg("%s: %s", err.path ? err.path : "", err.message);
        return parts;
}

static const MrFile *file_of(const MrParts *parts, const char *node, const char *name) {
        const MrPart *part = parts_find(parts, MR_PART_FILE, node, name);

        if (!part)
                fail_msg("%s has no file %s", node, name);
        return &part->file;
}

static const char *line_of(const MrFile *file, const char *key) {
        static char line[256];
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs pairs = properties_read(arena, file->content);
        const char *value = mr_pairs_get(&pairs, key);

        (void) snprintf(line, sizeof(line), "%s", value ? value : "");
        return line;
}

static const char *restart_of(const MrParts *parts, const char *node, const char *key) {
        return mr_pairs_get(&mr_parts_find_workload(parts, node)->workload.settings, key);
}

static const MrSetting *told(const MrParts *parts, const char *scope, const char *logger) {
        const MrPart *part = parts_find(parts, MR_PART_SETTING, scope, logger);
        return part ? &part->setting : NULL;
}

static bool is_warned(const MrParts *parts, const char *message) {
        for (size_t i = 0; i < mr_parts_warnings(parts); i++) {
                const char *reason, *found;
                mr_parts_warning_at(parts, i, &reason, &found);
                if (mr_streq(reason, "Logging") && strstr(found, message))
                        return true;
        }
        return false;
}

static void properties_as_people_write_them(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrPairs pairs =
                properties_read(arena, "# a = b\n! c = d\n\n  key = value \r\nlong=one \\\n"
                                       "   two\na\\:b : c\nblank value\nempty\nutf=\\u00e4\n"
                                       "tab=a\\tb\\n\ntwice=1\ntwice=2\nlast=\\");

        assert_int_equal(pairs.n, 9);
        assert_string_equal(mr_pairs_get(&pairs, "key"), "value ");
        assert_string_equal(mr_pairs_get(&pairs, "long"), "one two");
        assert_string_equal(mr_pairs_get(&pairs, "a:b"), "c");
        assert_string_equal(mr_pairs_get(&pairs, "blank"), "value");
        assert_string_equal(mr_pairs_get(&pairs, "empty"), "");
        assert_string_equal(mr_pairs_get(&pairs, "utf"), "ä");
        assert_string_equal(mr_pairs_get(&pairs, "tab"), "a\tb\n");
        assert_string_equal(mr_pairs_get(&pairs, "twice"), "2");
        assert_string_equal(mr_pairs_get(&pairs, "last"), "");
}

static void levels_in_the_way_of_reload4j(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                CLUSTER(LOGGERS("kafka.root.logger.level: DEBUG, log4j.logger.kafka.log: trace"),
                        LOGGERS("zookeeper.root.logger: WARN")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *kafka = file_of(parts, "c-kafka-0", "log4j.properties");
        const MrFile *zookeeper = file_of(parts, "c-zookeeper-0", "log4j.properties");

        assert_string_equal(line_of(kafka, "log4j.rootLogger"), "DEBUG, CONSOLE");
        assert_string_equal(line_of(kafka, "log4j.logger.kafka.log"), "trace");
        assert_string_equal(line_of(kafka, "log4j.logger.kafka.request.logger"), "WARN");
        assert_string_equal(line_of(kafka, "log4j.logger.kafka.server"), "INHERITED");
        assert_int_equal(kafka->effect, MR_EFFECT_NONE);
        assert_string_equal(told(parts, "logger/0", "root")->value, "DEBUG");
        assert_string_equal(told(parts, "logger/0", "kafka.log")->value, "TRACE");
        assert_null(restart_of(parts, "c-kafka-0", "log4j.loggers"));
        /* A member of the ensemble hears of it only when it starts. */
        assert_string_equal(line_of(zookeeper, "log4j.rootLogger"), "WARN, CONSOLE");
        assert_string_equal(restart_of(parts, "c-zookeeper-0", "log4j.logger.root"), "WARN");
        assert_int_equal(mr_parts_warnings(parts), 0);
}

static void levels_in_the_way_of_log4j2(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT("4.3.1", LOGGERS("rootLogger.level: DEBUG, logger.log.name: kafka.log, "
                                       "logger.log.level: TRACE, logger.requestlogger.level: INFO, "
                                       "appender.console.layout.pattern: \"%m%n\"")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *file = file_of(parts, "c-p-0", "log4j2.properties");

        assert_string_equal(line_of(file, "rootLogger.level"), "DEBUG");
        assert_string_equal(line_of(file, "logger.log.name"), "kafka.log");
        assert_string_equal(line_of(file, "logger.log.level"), "TRACE");
        assert_string_equal(line_of(file, "logger.requestlogger.name"), "kafka.request.logger");
        assert_string_equal(line_of(file, "logger.requestlogger.level"), "INFO");
        assert_string_equal(line_of(file, "appender.console.layout.pattern"), "%m%n");
        assert_string_equal(line_of(file, "monitorInterval"), "5");
        assert_int_equal(file->effect, MR_EFFECT_RELOAD);
        assert_null(told(parts, "logger/0", "root"));
        assert_null(restart_of(parts, "c-p-0", "appender.console.layout.pattern"));
}

/* Of two ids for one logger nobody knows which counts. */
static void a_logger_has_one_id(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT("4.3.1", LOGGERS("logger.mine.name: kafka.request.logger, "
                                       "logger.mine.level: DEBUG, logger.mine.additivity: false")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *file = file_of(parts, "c-p-0", "log4j2.properties");

        assert_string_equal(line_of(file, "logger.mine.name"), "kafka.request.logger");
        assert_string_equal(line_of(file, "logger.mine.level"), "DEBUG");
        assert_string_equal(line_of(file, "logger.mine.additivity"), "false");
        assert_null(strstr(file->content, "logger.requestlogger."));
        assert_non_null(strstr(file->content, "logger.requestchannel."));
}

static void levels_are_carried_over(void **state _unused_) {
        _cleanup_(world_freep) World *old = world_of(KRAFT(
                "4.3.1",
                LOGGERS("kafka.root.logger.level: ERROR, log4j.logger.kafka.request.logger: INFO, "
                        "log4j.logger.kafka.log: DEBUG, log4j.appender.A: x")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(old);
        const MrFile *file = file_of(parts, "c-q-1", "log4j2.properties");

        assert_string_equal(line_of(file, "rootLogger.level"), "ERROR");
        assert_string_equal(line_of(file, "logger.requestlogger.level"), "INFO");
        assert_string_equal(line_of(file, "logger.kafka_log.name"), "kafka.log");
        assert_string_equal(line_of(file, "logger.kafka_log.level"), "DEBUG");
        assert_true(is_warned(parts, "log4j.appender.A has no effect"));

        _cleanup_(world_freep) World *new = world_of(
                CLUSTER(LOGGERS("rootLogger.level: ERROR, logger.requestlogger.level: INFO, "
                                "logger.x.level: DEBUG, appender.console.name: y, "
                                "logger.l.name: kafka.log, logger.l.level: DEBUG"),
                        ""));
        _cleanup_(mr_parts_freep) MrParts *others = parts_of(new);
        file = file_of(others, "c-kafka-0", "log4j.properties");
        assert_string_equal(line_of(file, "log4j.rootLogger"), "ERROR, CONSOLE");
        assert_string_equal(line_of(file, "log4j.logger.kafka.request.logger"), "INFO");
        assert_string_equal(line_of(file, "log4j.logger.kafka.log"), "DEBUG");
        assert_true(is_warned(others, "no logger.x.name says which logger it means"));
        assert_true(is_warned(others, "appender.console.name has no effect"));
}

static void a_configuration_from_a_config_map(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER(EXTERNAL, EXTERNAL) MAP(
                "    # mine\n    level=DEBUG\n    log4j.rootLogger=${level}, OUT\n"
                "    log4j.appender.OUT=org.apache.log4j.ConsoleAppender\n"
                "    log4j.logger.kafka.log=WARN, OUT\n    at=@{x}\n"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *file = file_of(parts, "c-kafka-0", "log4j.properties");

        assert_true(mr_starts_with(file->content, "# mine\nlevel=DEBUG\n"));
        assert_null(strstr(file->content, "at=@{x}"));
        assert_string_equal(line_of(file, "log4j.logger.kafka.server"), "INHERITED");
        assert_string_equal(told(parts, "logger/0", "root")->value, "DEBUG");
        assert_string_equal(told(parts, "logger/0", "kafka.log")->value, "WARN");
        assert_string_equal(restart_of(parts, "c-kafka-0", "log4j.rootLogger (appenders)"), "OUT");
        assert_string_equal(restart_of(parts, "c-kafka-0", "log4j.appender.CONSOLE"), "");
        assert_string_equal(restart_of(parts, "c-zookeeper-0", "log4j.logger.root"), "DEBUG");
        assert_string_equal(restart_of(parts, "c-zookeeper-0", "log4j.logger.kafka.log"), "WARN");
}

static void log4j2_from_a_config_map_is_watched(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT("4.1.1", EXTERNAL) MAP("    rootLogger.level = WARN\n"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrFile *file = file_of(parts, "c-p-0", "log4j2.properties");

        assert_string_equal(line_of(file, "monitorInterval"), "5");
        assert_string_equal(line_of(file, "rootLogger.level"), "WARN");
        _cleanup_(world_freep) World *own =
                world_of(KRAFT("4.1.1", EXTERNAL) MAP("    monitorInterval = 60\n"));
        _cleanup_(mr_parts_freep) MrParts *others = parts_of(own);
        assert_string_equal(file_of(others, "c-p-0", "log4j2.properties")->content,
                            "monitorInterval = 60\n");
}

static void refuse(const char *yaml, const char *path, const char *message) {
        _cleanup_(world_freep) World *world = world_new();
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = world_read(world, yaml, &err);
        if (r >= 0)
                r = world_parts(world, world_find(world, "Kafka", "c"), parts, &err);
        assert_true(r < 0);
        assert_string_equal(err.path, path);
        if (!strstr(err.message, message))
                fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

static void what_makes_no_sense_is_refused(void **state _unused_) {
        refuse(CLUSTER(LOGGERS("log4j.logger.kafka: CHATTY"), ""),
               "spec.kafka.logging.loggers[\"log4j.logger.kafka\"]",
               "\"CHATTY\" is no level; use ALL");
        refuse(CLUSTER(LOGGERS("rootLogger.level: 7"), ""),
               "spec.kafka.logging.loggers[\"rootLogger.level\"]", "is no level");
        refuse(CLUSTER(", logging: {type: external}", ""), "spec.kafka.logging.valueFrom",
               "needs valueFrom.configMapKeyRef");
        refuse(CLUSTER(EXTERNAL, ""), "spec.kafka.logging.valueFrom.configMapKeyRef",
               "there is no ConfigMap logs with the key log.conf; add it");
        refuse(CLUSTER("",
                       EXTERNAL) "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: logs}\n"
                                 "data: {other: x}\n",
               "spec.zookeeper.logging.valueFrom.configMapKeyRef",
               "the ConfigMap logs has no key log.conf; add it");
}

static void what_is_optional_may_be_missing(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                CLUSTER(", logging: {type: external, valueFrom: {configMapKeyRef: {name: logs, "
                        "key: a, optional: true}}}",
                        ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(
                line_of(file_of(parts, "c-kafka-0", "log4j.properties"), "log4j.rootLogger"),
                "INFO, CONSOLE");
}

#define RUNNING(list)                                                                              \
        "{\"c-kafka-0\": {\"state\": \"running\", \"settings\": {\"x\": \"y\"" list "}}}"
#define CHATTY LOGGERS("log4j.logger.com.example.Plugin: DEBUG")

/* A broker can be told the level of a logger only when that exists. */
static void a_logger_that_does_not_exist_takes_a_restart(void **state _unused_) {
        _cleanup_(world_freep) World *first = world_of(CLUSTER(CHATTY, ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(first);
        assert_string_equal(restart_of(parts, "c-kafka-0", "log4j.loggers"), "com.example.Plugin");

        _cleanup_(world_freep) World *unknown = world_of(CLUSTER(CHATTY, ""));
        world_see_nodes(unknown, RUNNING(""));
        _cleanup_(mr_parts_freep) MrParts *others = parts_of(unknown);
        assert_null(restart_of(others, "c-kafka-0", "log4j.loggers"));

        world_see_view(unknown, "kafka", "{\"loggers\": {\"0\": {\"root\": \"INFO\"}}}");
        _cleanup_(mr_parts_freep) MrParts *missing = parts_of(unknown);
        assert_string_equal(restart_of(missing, "c-kafka-0", "log4j.loggers"),
                            "com.example.Plugin");

        _cleanup_(world_freep) World *known = world_of(CLUSTER(CHATTY, ""));
        world_see_nodes(known, RUNNING(""));
        world_see_view(known, "kafka",
                       "{\"loggers\": {\"0\": {\"root\": \"INFO\", \"com.example.Plugin\": "
                       "\"INFO\"}}}");
        _cleanup_(mr_parts_freep) MrParts *exists = parts_of(known);
        assert_null(restart_of(exists, "c-kafka-0", "log4j.loggers"));
        assert_string_equal(told(exists, "logger/0", "com.example.Plugin")->value, "DEBUG");

        /* What it was started with is no reason to start it again. */
        _cleanup_(world_freep) World *started = world_of(CLUSTER(CHATTY, ""));
        world_see_nodes(started,
                        RUNNING(", \"log4j.loggers\": \"com.example.Other,com.example.Plugin\""));
        _cleanup_(mr_parts_freep) MrParts *same = parts_of(started);
        assert_string_equal(restart_of(same, "c-kafka-0", "log4j.loggers"), "com.example.Plugin");
}

static void levels_nobody_wants_any_more_are_reset(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(CLUSTER("", ""));

        world_see_view(world, "kafka",
                       "{\"loggers\": {\"0\": {\"root\": \"INFO\", \"kafka.log\": \"DEBUG\", "
                       "\"kafka.server\": \"INFO\", \"kafka.request.logger\": \"ERROR\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(told(parts, "logger/0", "kafka.log"));
        assert_null(told(parts, "logger/0", "kafka.log")->value);
        assert_null(told(parts, "logger/0", "kafka.server"));
        assert_string_equal(told(parts, "logger/0", "kafka.request.logger")->value, "WARN");
}

/* Whether a release shows them with the level of their package or with that of the root. */
static void loggers_below_a_package_are_left_alone(void **state _unused_) {
        static const char *const shown[] = {"DEBUG", "INFO"};

        for (size_t i = 0; i < MR_ELEMENTS(shown); i++) {
                _cleanup_(world_freep) World *world =
                        world_of(CLUSTER(LOGGERS("log4j.logger.kafka.server: DEBUG"), ""));
                _cleanup_free_ char *view =
                        mr_strf("{\"loggers\": {\"0\": {\"root\": \"INFO\", \"kafka\": \"INFO\", "
                                "\"kafka.server\": \"DEBUG\", \"kafka.server.KafkaApis\": \"%s\", "
                                "\"kafka.server.ReplicaManager\": \"TRACE\"}}}",
                                shown[i]);
                world_see_view(world, "kafka", view);
                _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
                assert_string_equal(told(parts, "logger/0", "kafka.server")->value, "DEBUG");
                assert_null(told(parts, "logger/0", "kafka.server.KafkaApis"));
                assert_null(told(parts, "logger/0", "kafka"));
                assert_non_null(told(parts, "logger/0", "kafka.server.ReplicaManager"));
                assert_null(told(parts, "logger/0", "kafka.server.ReplicaManager")->value);
        }
}

static void what_kafka_cannot_be_told_takes_a_restart(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(CLUSTER(LOGGERS("log4j.logger.kafka: DEBUG, log4j.logger.kafka.log: INFO, "
                                         "log4j.logger.kafka.zk: \"OFF\""),
                                 ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        /* INFO is that of the root, so it shows the same whether it is set or not. */
        assert_string_equal(restart_of(parts, "c-kafka-0", "log4j.loggers"),
                            "kafka.log=INFO,kafka.zk=OFF");
        assert_null(told(parts, "logger/0", "kafka.log"));
        assert_null(told(parts, "logger/0", "kafka.zk"));
        assert_string_equal(told(parts, "logger/0", "kafka")->value, "DEBUG");
}

/* Only brokers are asked, so controllers of their own start anew. */
static void controllers_before_4_restart(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT("3.9.1", LOGGERS("log4j.logger.kafka.raft: DEBUG")));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(restart_of(parts, "c-q-1", "log4j.logger.kafka.raft"), "DEBUG");
        assert_null(restart_of(parts, "c-p-0", "log4j.logger.kafka.raft"));
        assert_null(told(parts, "logger/1", "kafka.raft"));
        assert_string_equal(told(parts, "logger/0", "kafka.raft")->value, "DEBUG");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(properties_as_people_write_them),
                cmocka_unit_test(levels_in_the_way_of_reload4j),
                cmocka_unit_test(levels_in_the_way_of_log4j2),
                cmocka_unit_test(a_logger_has_one_id),
                cmocka_unit_test(levels_are_carried_over),
                cmocka_unit_test(a_configuration_from_a_config_map),
                cmocka_unit_test(log4j2_from_a_config_map_is_watched),
                cmocka_unit_test(what_makes_no_sense_is_refused),
                cmocka_unit_test(what_is_optional_may_be_missing),
                cmocka_unit_test(a_logger_that_does_not_exist_takes_a_restart),
                cmocka_unit_test(levels_nobody_wants_any_more_are_reset),
                cmocka_unit_test(loggers_below_a_package_are_left_alone),
                cmocka_unit_test(what_kafka_cannot_be_told_takes_a_restart),
                cmocka_unit_test(controllers_before_4_restart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
