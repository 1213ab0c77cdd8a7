/* What the operands make of the world they see: storage that exists, nodes that run, a cluster that
 * answers. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define ZOOKEEPER_CLUSTER(replicas, members, config)                                               \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {replicas: " replicas                                                       \
        ", listeners: [{name: plain, port: 9092, type: internal, tls: false}], "                   \
        "config: {" config                                                                         \
        "}, storage: {type: persistent-claim, size: 1Gi}}, zookeeper: {replicas: " members         \
        ", storage: {type: persistent-claim, size: 1Gi}}}\n"
#define KRAFT_CLUSTER(version)                                                                     \
        "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"                      \
        "spec: {kafka: {version: " version                                                         \
        ", listeners: [{name: plain, port: 9092, type: internal, tls: false}]}}\n"
#define POOL(name, replicas, roles)                                                                \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: " name        \
        ", labels: {strimzi.io/cluster: c}}\nspec: {replicas: " replicas ", roles: [" roles        \
        "], storage: {type: persistent-claim, size: 1Gi}}\n"
#define RUNNING "{\"state\": \"running\"}"

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

static const MrWorkload *workload_of(const MrParts *parts, const char *node) {
        const MrPart *part = mr_parts_find_workload(parts, node);

        if (!part)
                fail_msg("%s is not wanted", node);
        return &part->workload;
}

static const char *setting_of(const MrParts *parts, const char *scope, const char *key) {
        const MrPart *part = parts_find(parts, MR_PART_SETTING, scope, key);
        return part ? part->setting.value : NULL;
}

static bool is_warned(const MrParts *parts, const char *reason, const char *message) {
        for (size_t i = 0; i < mr_parts_warnings(parts); i++) {
                const char *found_reason, *found;
                mr_parts_warning_at(parts, i, &found_reason, &found);
                if (mr_streq(found_reason, reason) && strstr(found, message))
                        return true;
        }
        return false;
}

static void forbidden_options_are_left_out_with_a_warning(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER(
                "1", "1", "listeners: x, broker.id: 7, broker.session.timeout.ms: 1, sasl.a: b"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrWorkload *workload = workload_of(parts, "c-kafka-0");

        assert_string_equal(mr_pairs_get(&workload->settings, "broker.id"), "0");
        assert_null(mr_pairs_get(&workload->settings, "sasl.a"));
        assert_string_equal(mr_pairs_get(&workload->settings, "broker.session.timeout.ms"), "1");
        assert_true(is_warned(parts, "ForbiddenOption", "spec.kafka.config.listeners "));
        assert_true(is_warned(parts, "ForbiddenOption", "spec.kafka.config.broker.id "));
        assert_true(is_warned(parts, "ForbiddenOption", "spec.kafka.config.sasl.a "));
        assert_int_equal(mr_parts_warnings(parts), 3);
}

static void dynamic_options_are_settings_and_no_reason_to_restart(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER(
                "2", "1", "log.retention.ms: 5, min.insync.replicas: 1, num.partitions: 3"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrWorkload *workload = workload_of(parts, "c-kafka-1");

        assert_null(mr_pairs_get(&workload->settings, "log.retention.ms"));
        assert_string_equal(setting_of(parts, "broker/0", "log.retention.ms"), "5");
        assert_string_equal(setting_of(parts, "broker/1", "log.retention.ms"), "5");
        assert_string_equal(setting_of(parts, "broker/", "min.insync.replicas"), "1");
        assert_null(setting_of(parts, "broker/0", "min.insync.replicas"));
        assert_string_equal(mr_pairs_get(&workload->settings, "num.partitions"), "3");
        assert_null(setting_of(parts, "broker/0", "num.partitions"));
        const MrPart *file = parts_find(parts, MR_PART_FILE, "c-kafka-1", "server.properties");
        assert_non_null(strstr(file->file.content, "\nlog.retention.ms=5\n"));
}

static void what_kafka_sets_for_itself_is_not_taken_away(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("1", "1", ""));

        world_see_view(world, "kafka",
                       "{\"overrides\": {\"\": {\"min.insync.replicas\": \"2\", "
                       "\"log.retention.ms\": \"7\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "broker/", "min.insync.replicas"), "1");
        const MrPart *other = parts_find(parts, MR_PART_SETTING, "broker/", "log.retention.ms");
        assert_non_null(other);
        assert_null(other->setting.value);
}

static void pools_of_threads_at_most_double(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(ZOOKEEPER_CLUSTER("3", "1", "num.io.threads: 40, num.network.threads: 1"));

        world_see_view(
                world, "kafka",
                "{\"configs\": {\"0\": {\"num.io.threads\": \"8\", \"num.network.threads\": \"7\"},"
                " \"1\": {\"num.io.threads\": \"32\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(setting_of(parts, "broker/0", "num.io.threads"), "16");
        assert_string_equal(setting_of(parts, "broker/1", "num.io.threads"), "40");
        assert_string_equal(setting_of(parts, "broker/2", "num.io.threads"), "40");
        assert_string_equal(setting_of(parts, "broker/0", "num.network.threads"), "4");
}

static void values_are_written_as_kafka_reports_them(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                ZOOKEEPER_CLUSTER("1", "1",
                                  "log.cleaner.min.cleanable.ratio: \"0.50\", "
                                  "log.cleaner.io.buffer.load.factor: \"1\", log.preallocate: "
                                  "\"TRUE\", log.cleanup.policy: \"compact, delete\", "
                                  "log.retention.ms: \" 007 \", compression.type: gzip"));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_string_equal(setting_of(parts, "broker/0", "log.cleaner.min.cleanable.ratio"),
                            "0.5");
        assert_string_equal(setting_of(parts, "broker/0", "log.cleaner.io.buffer.load.factor"),
                            "1.0");
        assert_string_equal(setting_of(parts, "broker/0", "log.preallocate"), "true");
        assert_string_equal(setting_of(parts, "broker/0", "log.cleanup.policy"), "compact,delete");
        assert_string_equal(setting_of(parts, "broker/0", "log.retention.ms"), "7");
        assert_string_equal(setting_of(parts, "broker/0", "compression.type"), "gzip");
}

static const char *cluster_id_of(const MrParts *parts, const char *node) {
        return parts_find(parts, MR_PART_VOLUME, node, "data")->volume.cluster_id;
}

static void storage_that_exists_says_which_cluster_it_is(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("2", "1", ""));

        world_see_claims(
                world,
                "{\"default/data-c-kafka-1\": {\"cluster_id\": \"AAAAAAAAAAAAAAAAAAAAAA\"}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_string_equal(cluster_id_of(parts, "c-kafka-0"), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_string_equal(cluster_id_of(parts, "c-zookeeper-0"), "AAAAAAAAAAAAAAAAAAAAAA");
}

static void storage_of_two_clusters_is_refused_by_name(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("2", "1", ""));
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        world_see_claims(
                world,
                "{\"default/data-c-kafka-1\": {\"cluster_id\": \"AAAAAAAAAAAAAAAAAAAAAA\"},"
                " \"default/data-c-zookeeper-0\": {\"cluster_id\": \"BBBBBBBBBBBBBBBBBBBBBB\"}}");
        assert_true(world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0);
        assert_int_equal(err.kind, MR_INVALID);
        assert_non_null(strstr(err.message, "data-c-kafka-1"));
        assert_non_null(strstr(err.message, "data-c-zookeeper-0"));
}

static void the_mode_of_existing_storage_is_kept(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("4.3.1") POOL("p", "1", "broker, controller"));

        world_see_claims(
                world,
                "{\"default/data-c-p-0\": {\"cluster_id\": \"AAAAAAAAAAAAAAAAAAAAAA\","
                " \"quorum\": \"kraft-static\", \"directory_id\": \"CCCCCCCCCCCCCCCCCCCCCC\"}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        const MrWorkload *workload = workload_of(parts, "c-p-0");
        assert_string_equal(mr_pairs_get(&workload->settings, "controller.quorum.voters"),
                            "0@{at}@{addr:c-p-0}:@{port:c-p-0/tcp-ctrlplane}");
        assert_string_equal(parts_find(parts, MR_PART_VOLUME, "c-p-0", "data")->volume.quorum,
                            "kraft-static");
        assert_string_equal(parts_find(parts, MR_PART_VOLUME, "c-p-0", "data")->volume.directory_id,
                            "CCCCCCCCCCCCCCCCCCCCCC");
}

static void storage_with_zookeeper_does_not_become_kraft(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("4.3.1") POOL("p", "1", "broker, controller"));
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        world_see_claims(world, "{\"default/data-c-p-0\": {\"quorum\": \"zookeeper\"}}");
        assert_true(world_parts(world, world_find(world, "Kafka", "c"), parts, &err) < 0);
        assert_non_null(strstr(err.message, "put spec.zookeeper back"));
}

static void a_broker_with_partitions_stays(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("1", "1", ""));

        world_see_nodes(world, "{\"c-kafka-0\": " RUNNING ", \"c-kafka-1\": " RUNNING
                               ", \"c-kafka-2\": " RUNNING "}");
        world_see_view(world, "kafka",
                       "{\"partitions\": {\"hosted\": {\"0\": 4, \"1\": 2, \"2\": 0}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(mr_parts_find_workload(parts, "c-kafka-1"));
        assert_null(mr_parts_find_workload(parts, "c-kafka-2"));
        assert_true(is_warned(parts, "ScaleDownPreventionCheck",
                              "c-kafka-1 stays: it hosts 2 partitions"));
}

static void a_broker_of_which_nothing_is_known_stays(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("1", "1", ""));

        world_see_nodes(world,
                        "{\"c-kafka-0\": " RUNNING ", \"c-kafka-1\": {\"state\": \"stopped\"}}");
        world_see_view(world, "kafka",
                       "{\"error\": \"no answer\", \"partitions\": {\"hosted\": {\"0\": 4}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(mr_parts_find_workload(parts, "c-kafka-1"));
        assert_true(is_warned(parts, "ScaleDownPreventionCheck", "not known yet"));
}

static void pools_keep_their_ids_and_take_the_lowest_free(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("4.3.1") POOL("a", "3", "broker") POOL("b", "1", "controller"));

        world_see_nodes(world,
                        "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING ", \"c-a-4\": " RUNNING "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_int_equal(workload_of(parts, "c-a-0")->node_id, 0);
        assert_int_equal(workload_of(parts, "c-a-2")->node_id, 2);
        assert_int_equal(workload_of(parts, "c-a-4")->node_id, 4);
        assert_int_equal(workload_of(parts, "c-b-1")->node_id, 1);
        assert_null(mr_parts_find_workload(parts, "c-a-1"));
        assert_null(mr_parts_find_workload(parts, "c-a-3"));
}

static void a_pool_that_shrinks_gives_up_its_highest_id(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("4.3.1") POOL("a", "1", "broker") POOL("b", "1", "controller"));

        world_see_nodes(world,
                        "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING ", \"c-a-4\": " RUNNING "}");
        world_see_view(world, "kafka", "{\"partitions\": {\"hosted\": {\"0\": 1}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(mr_parts_find_workload(parts, "c-a-0"));
        assert_null(mr_parts_find_workload(parts, "c-a-4"));
}

static void controllers_are_not_scaled(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(
                KRAFT_CLUSTER("3.9.1") POOL("a", "1", "broker") POOL("b", "3", "controller"));

        world_see_nodes(
                world,
                "{\"c-a-0\": " RUNNING ", \"c-b-1\": {\"state\": \"running\", \"settings\": "
                "{\"controller.quorum.voters\": \"1@h:9090,3@h:9190\"}}, \"c-b-3\": " RUNNING "}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(mr_parts_find_workload(parts, "c-b-3"));
        assert_null(mr_parts_find_workload(parts, "c-b-2"));
        assert_true(is_warned(parts, "ControllerScaling", "c-b-2 is not made"));
        assert_null(strstr(
                mr_pairs_get(&workload_of(parts, "c-b-1")->settings, "controller.quorum.voters"),
                "c-b-2"));
}

static bool has_argument(const MrWorkload *workload, const char *text) {
        for (size_t i = 0; i < workload->prepare_arguments.n; i++)
                if (strstr(workload->prepare_arguments.items[i], text))
                        return true;
        return false;
}

static void a_controller_that_joins_founds_no_quorum(void **state _unused_) {
        _cleanup_(world_freep) World *world =
                world_of(KRAFT_CLUSTER("4.3.1") POOL("p", "2", "broker, controller"));

        world_see_nodes(world, "{\"c-p-0\": " RUNNING "}");
        world_see_view(world, "kafka",
                       "{\"quorum\": {\"leader\": 0, \"voters\": {\"0\": {\"lag\": 0}}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_true(has_argument(workload_of(parts, "c-p-1"), "--no-initial-controllers"));
        assert_true(has_argument(workload_of(parts, "c-p-0"), "--initial-controllers"));
        assert_false(has_argument(workload_of(parts, "c-p-0"), "c-p-1"));
        assert_true(is_warned(parts, "ControllerScaling", "c-p-1"));
}

static void an_ensemble_keeps_its_size(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("1", "3", ""));

        world_see_nodes(world, "{\"c-zookeeper-0\": {\"state\": \"running\", \"settings\": "
                               "{\"server.1\": \"h:1:2\"}}}");
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);
        assert_non_null(mr_parts_find_workload(parts, "c-zookeeper-0"));
        assert_null(mr_parts_find_workload(parts, "c-zookeeper-1"));
        assert_true(is_warned(parts, "ZooKeeperScaling", "keeps its 1 members"));
        assert_null(strstr(
                mr_pairs_get(&workload_of(parts, "c-kafka-0")->settings, "zookeeper.connect"),
                "zookeeper-1"));
}

static void an_even_ensemble_is_warned_of(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_of(ZOOKEEPER_CLUSTER("1", "2", ""));
        _cleanup_(mr_parts_freep) MrParts *parts = parts_of(world);

        assert_true(is_warned(parts, "ZooKeeperEvenReplicas", "odd"));
}

static void the_status_names_cluster_and_certificate(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_new();
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(world_read(world,
                                    "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: "
                                    "{name: c}\nspec: {kafka: "
                                    "{replicas: 1, listeners: [{name: tls, port: 9093, type: "
                                    "internal, tls: true}], storage: "
                                    "{type: ephemeral}}, zookeeper: {replicas: 1, storage: {type: "
                                    "ephemeral}}}\n",
                                    &err),
                         0);
        facts_add_secret(world->facts, "c-cluster-ca-cert", "ca.crt", "PEM");
        world_see_view(world, "kafka", "{\"cluster_id\": \"DDDDDDDDDDDDDDDDDDDDDD\"}");
        assert_int_equal(world_status(world, world_find(world, "Kafka", "c"), status, &err), 0);
        assert_string_equal(mr_tree_get_string(status, "clusterId"), "DDDDDDDDDDDDDDDDDDDDDD");
        const MrTree *listener = mr_tree_find(status, "listeners[0]", false);
        assert_string_equal(mr_tree_string(mr_tree_find(listener, "certificates[0]", false)),
                            "PEM");
        assert_string_equal(mr_tree_get_string(listener, "bootstrapServers"),
                            "@{host:c-kafka-0/tcp-clientstls}:@{port:c-kafka-0/tcp-clientstls}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(forbidden_options_are_left_out_with_a_warning),
                cmocka_unit_test(dynamic_options_are_settings_and_no_reason_to_restart),
                cmocka_unit_test(what_kafka_sets_for_itself_is_not_taken_away),
                cmocka_unit_test(pools_of_threads_at_most_double),
                cmocka_unit_test(values_are_written_as_kafka_reports_them),
                cmocka_unit_test(storage_that_exists_says_which_cluster_it_is),
                cmocka_unit_test(storage_of_two_clusters_is_refused_by_name),
                cmocka_unit_test(the_mode_of_existing_storage_is_kept),
                cmocka_unit_test(storage_with_zookeeper_does_not_become_kraft),
                cmocka_unit_test(a_broker_with_partitions_stays),
                cmocka_unit_test(a_broker_of_which_nothing_is_known_stays),
                cmocka_unit_test(pools_keep_their_ids_and_take_the_lowest_free),
                cmocka_unit_test(a_pool_that_shrinks_gives_up_its_highest_id),
                cmocka_unit_test(controllers_are_not_scaled),
                cmocka_unit_test(a_controller_that_joins_founds_no_quorum),
                cmocka_unit_test(an_ensemble_keeps_its_size),
                cmocka_unit_test(an_even_ensemble_is_warned_of),
                cmocka_unit_test(the_status_names_cluster_and_certificate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
