/* What is seen of a cluster, which brokers it says may stop, and what changes ask of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fake-broker.h"
#include "kafka/admin.h"
#include "kafka/view.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static MrTree *json(const char *text) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *tree = NULL;

        if (mr_json_read(text, strlen(text), "test", &tree, &err) < 0)
                fail_msg("%s: %s", err.message, text);
        return tree;
}

static void expect_text(const MrTree *tree, const char *wanted) {
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, 0, &text);
        assert_string_equal(mr_buf_text(&text), wanted);
}

/* One partition "t-0" with these lists; the brokers that it blocks, as JSON. */
static void expect_blocked(const char *replicas, const char *in_sync, int minimum,
                           const char *wanted) {
        _cleanup_free_ char *metadata =
                mr_strf("{\"topics\":[{\"name\":\"t\",\"partitions\":[{\"partition_index\":0,"
                        "\"leader_id\":0,\"replica_nodes\":%s,\"isr_nodes\":%s}]}]}",
                        replicas, in_sync);
        _cleanup_(mr_tree_freep) MrTree *tree = json(metadata);
        _cleanup_(mr_tree_freep) MrTree *minimums = mr_tree_new_map();

        if (minimum > 0)
                mr_tree_set_int(minimums, "t", minimum);
        _cleanup_(mr_tree_freep) MrTree *partitions = kafka_view_partitions(tree, minimums);
        expect_text(mr_tree_get(partitions, "blocked_counts"), wanted);
}

static void a_broker_may_stop_when_enough_stay_in_sync(void **state) {
        (void) state;
        expect_blocked("[0,1,2]", "[0,1,2]", 2, "{}");
        expect_blocked("[0,1,2]", "[0,1,2]", 1, "{}");
        expect_blocked("[0,1,2]", "[0,1]", 1, "{}");
        expect_blocked("[0,1,2]", "[0,1]", 2, "{\"0\":1,\"1\":1}");
        expect_blocked("[0,1,2]", "[2]", 2, "{\"0\":1,\"1\":1,\"2\":1}");
        expect_blocked("[0,1,2]", "[2]", 1, "{\"2\":1}");
        expect_blocked("[0,1]", "[0,1]", 1, "{}");
        expect_blocked("[0,1]", "[1]", 1, "{\"1\":1}");
        expect_blocked("[0,1]", "[1]", 0, "{\"1\":1}");
}

static void topics_without_spare_replicas_block_only_while_one_is_missing(void **state) {
        (void) state;
        expect_blocked("[0]", "[0]", 1, "{}");
        expect_blocked("[0]", "[0]", 2, "{}");
        expect_blocked("[0,1]", "[0,1]", 2, "{}");
        expect_blocked("[0,1]", "[0]", 2, "{\"0\":1}");
        expect_blocked("[0,1,2]", "[0,1,2]", 3, "{}");
        expect_blocked("[0,1,2]", "[0,2]", 3, "{\"0\":1,\"2\":1}");
        expect_blocked("[0]", "[]", 1, "{}");
}

static void partitions_are_counted(void **state) {
        _cleanup_(mr_tree_freep) MrTree *metadata =
                json("{\"topics\":[{\"name\":\"a\",\"partitions\":["
                     "{\"partition_index\":0,\"leader_id\":0,\"replica_nodes\":[0,1],\"isr_nodes\":"
                     "[0,1]},"
                     "{\"partition_index\":1,\"leader_id\":-1,\"replica_nodes\":[1,2],\"isr_"
                     "nodes\":[2]}]},"
                     "{\"name\":\"b\",\"partitions\":["
                     "{\"partition_index\":0,\"leader_id\":2,\"replica_nodes\":[2],\"isr_nodes\":["
                     "2]}]}]}");
        _cleanup_(mr_tree_freep) MrTree *partitions = kafka_view_partitions(metadata, NULL);

        (void) state;
        expect_text(partitions,
                    "{\"blocked_counts\":{\"2\":1},\"blocked_led_by\":{\"2\":{\"-1\":1}},"
                    "\"blocking\":{\"2\":[\"a-1: 1 of 2 in sync, "
                    "needs 1\"]},"
                    "\"hosted\":{\"0\":1,\"1\":2,\"2\":2},\"not_in_sync\":{\"1\":1},\"offline\":1,"
                    "\"only_here\":{\"2\":2},\"total\":3,\"under_replicated\":1}");
}

static void only_ten_partitions_are_named(void **state) {
        _cleanup_(mr_tree_freep) MrTree *metadata =
                json("{\"topics\":[{\"name\":\"t\",\"partitions\":[]}]}");
        MrTree *list = mr_tree_find(metadata, "topics[0].partitions", false);

        (void) state;
        for (int i = 0; i < 25; i++) {
                MrTree *partition =
                        json("{\"leader_id\":0,\"replica_nodes\":[0,1],\"isr_nodes\":[0]}");
                mr_tree_set_int(partition, "partition_index", i);
                mr_tree_append(list, partition);
        }
        _cleanup_(mr_tree_freep) MrTree *partitions = kafka_view_partitions(metadata, NULL);
        assert_int_equal(mr_tree_size(mr_tree_find(partitions, "blocking.0", false)), 10);
        assert_int_equal(mr_tree_get_int(mr_tree_get(partitions, "blocked_counts"), "0", 0), 25);
}

static void a_quorum_knows_how_far_its_voters_are(void **state) {
        _cleanup_(mr_tree_freep) MrTree *response = json(
                "{\"topics\":[{\"partitions\":[{\"leader_id\":1,\"leader_epoch\":7,\"current_"
                "voters\":["
                "{\"replica_id\":0,\"log_end_offset\":90,\"last_caught_up_timestamp\":500},"
                "{\"replica_id\":1,\"log_end_offset\":100,\"last_caught_up_timestamp\":1000},"
                "{\"replica_id\":2,\"log_end_offset\":-1,\"last_caught_up_timestamp\":-1}]}]}]}");
        _cleanup_(mr_tree_freep) MrTree *quorum = kafka_view_quorum(response);

        (void) state;
        expect_text(quorum, "{\"leader\":1,\"leader_epoch\":7,\"voters\":{\"0\":{\"lag\":10,\"last_"
                            "caught_up_ms\":500},"
                            "\"1\":{\"lag\":0,\"last_caught_up_ms\":1000},\"2\":{\"lag\":-1,\"last_"
                            "caught_up_ms\":-1}}}");
}

/* A cluster of three brokers, all of them at one socket. */
typedef struct World {
        sd_event *event;
        FakeBroker *broker;
        KafkaClient *client;
        int minimum_error, topic_error, quorum_error, quota_error, alter_error;
        bool is_empty, is_silent;
        MrTree *view;
        MrTree *last; /* the last request of a kind that changes something */
        bool is_done;
        char *error;
} World;

static MrTree *answer_brokers(const World *world, const char *id_key) {
        _cleanup_free_ char *text =
                mr_strf("{\"cluster_id\":\"c\",\"controller_id\":1,\"brokers\":[]}");
        MrTree *answer = json(text);

        for (int i = 0; i < 3 && !world->is_empty; i++) {
                MrTree *broker = mr_tree_append(mr_tree_get(answer, "brokers"), mr_tree_new_map());
                mr_tree_set_int(broker, id_key, i);
                mr_tree_set_string(broker, "host", "127.0.0.1");
                mr_tree_set_int(broker, "port", fake_broker_port(world->broker));
        }
        return answer;
}

static MrTree *answer_metadata(const World *world) {
        MrTree *answer = answer_brokers(world, "node_id");
        _cleanup_free_ char *topics =
                mr_strf("[{\"name\":\"t\",\"error_code\":%d,\"partitions\":[{\"partition_index\":0,"
                        "\"leader_id\":0,\"replica_nodes\":[0,1,2],\"isr_nodes\":[0,1]}]},"
                        "{\"name\":\"gone\",\"error_code\":3,\"partitions\":[]}]",
                        world->topic_error);

        mr_tree_set(answer, "topics", json(topics));
        return answer;
}

static MrTree *answer_configs(const World *world, const MrTree *request) {
        const MrTree *resources = mr_tree_get(request, "resources");
        MrTree *answer = json("{\"results\":[]}");

        for (size_t i = 0; i < mr_tree_size(resources); i++) {
                const MrTree *resource = mr_tree_at(resources, i);
                const char *name = mr_tree_get_string(resource, "resource_name");
                bool is_topic = mr_tree_get_int(resource, "resource_type", 0) == 2;
                if (mr_tree_get_int(resource, "resource_type", 0) == 8) {
                        mr_tree_append(mr_tree_get(answer, "results"),
                                       json("{\"error_code\":0,\"configs\":["
                                            "{\"name\":\"root\",\"value\":\"INFO\"},"
                                            "{\"name\":\"kafka.log\",\"value\":\"DEBUG\"}]}"));
                        continue;
                }
                _cleanup_free_ char *text = mr_strf(
                        "{\"resource_name\":\"%s\",\"error_code\":%d,\"configs\":["
                        "{\"name\":\"min.insync.replicas\",\"value\":\"2\",\"config_source\":2},"
                        "{\"name\":\"broker.rack\",\"value\":\"r\",\"read_only\":true},"
                        "{\"name\":\"listener.name.a-1.max.connections\",\"value\":\"7\","
                        "\"read_only\":true},"
                        "{\"name\":\"a.password\",\"value\":null,\"is_sensitive\":true},"
                        "{\"name\":\"num.io.threads\",\"value\":\"8\",\"config_source\":5}]}",
                        name,
                        mr_streq(name, "gone") ? 3
                        : is_topic             ? world->minimum_error
                                               : 0);
                mr_tree_append(mr_tree_get(answer, "results"), json(text));
        }
        return answer;
}

static MrTree *answer_quotas(const World *world) {
        _cleanup_free_ char *text =
                mr_strf("{\"error_code\":%d,\"entries\":[{\"entity\":[{\"entity_type\":\"user\","
                        "\"entity_name\":null}],\"values\":["
                        "{\"key\":\"consumer_byte_rate\",\"value\":1024},"
                        "{\"key\":\"controller_mutation_rate\",\"value\":0.5}]}]}",
                        world->quota_error);
        return json(text);
}

static MrTree *answer_quorum(const World *world) {
        _cleanup_free_ char *text =
                mr_strf("{\"topics\":[{\"partitions\":[{\"error_code\":%d,\"leader_id\":1,\"leader_"
                        "epoch\":2,"
                        "\"high_watermark\":5,\"current_voters\":[{\"replica_id\":1,"
                        "\"replica_directory_id\":\"AAAAAAAAAAAAAAAAAAAAAQ\","
                        "\"log_end_offset\":5},{\"replica_id\":2,\"replica_directory_id\":"
                        "\"AAAAAAAAAAAAAAAAAAAAAA\",\"log_end_offset\":5}],"
                        "\"observers\":[{\"replica_id\":3,\"replica_directory_id\":"
                        "\"AAAAAAAAAAAAAAAAAAAAAw\",\"log_end_offset\":2},{\"replica_id\":4,"
                        "\"replica_directory_id\":\"AAAAAAAAAAAAAAAAAAAAAA\","
                        "\"log_end_offset\":2}]}]}]}",
                        world->quorum_error);
        return json(text);
}

static MrTree *answer_change(World *world, const MrTree *request, const char *list) {
        _cleanup_free_ char *text =
                mr_strf("{\"%s\":[{\"error_code\":%d,\"error_message\":\"no\"}]}", list,
                        world->alter_error);

        mr_tree_free(world->last);
        world->last = mr_tree_copy(request);
        return json(text);
}

static MrTree *answer_alone(World *world, const MrTree *request) {
        _cleanup_free_ char *text =
                mr_strf("{\"error_code\":%d,\"error_message\":\"no\"}", world->alter_error);

        mr_tree_free(world->last);
        world->last = mr_tree_copy(request);
        return json(text);
}

static MrTree *handle(FakeBroker *broker, KafkaApi api, const MrTree *request, void *userdata) {
        World *world = userdata;

        (void) broker;
        switch (api) {
        case KAFKA_DESCRIBE_CLUSTER:
                return answer_brokers(world, "broker_id");
        case KAFKA_METADATA:
                return answer_metadata(world);
        case KAFKA_DESCRIBE_CONFIGS:
                return world->is_silent ? NULL : answer_configs(world, request);
        case KAFKA_DESCRIBE_QUORUM:
                return answer_quorum(world);
        case KAFKA_INCREMENTAL_ALTER_CONFIGS:
                return answer_change(world, request, "responses");
        case KAFKA_DESCRIBE_CLIENT_QUOTAS:
                return answer_quotas(world);
        case KAFKA_ALTER_CLIENT_QUOTAS:
                return answer_change(world, request, "entries");
        case KAFKA_UNREGISTER_BROKER:
        case KAFKA_ADD_RAFT_VOTER:
        case KAFKA_REMOVE_RAFT_VOTER:
                return answer_alone(world, request);
        case KAFKA_ALTER_USER_SCRAM_CREDENTIALS:
        case KAFKA_DESCRIBE_LOG_DIRS:
                return answer_change(world, request, "results");
        default:
                return NULL;
        }
}

static int setup(void **state) {
        World *world = mr_new(World, 1);

        sd_event_new(&world->event);
        world->broker = fake_broker_new(world->event, handle, world);
        KafkaAddress address = {
                .host = "127.0.0.1", .port = fake_broker_port(world->broker), .node_id = -1};
        KafkaClientArgs args = {.addresses = &address, .n_addresses = 1};
        assert_int_equal(kafka_client_new(world->event, &args, &world->client, NULL), 0);
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        kafka_client_free(world->client);
        fake_broker_free(world->broker);
        sd_event_unref(world->event);
        mr_tree_free(world->view);
        mr_tree_free(world->last);
        free(world->error);
        free(world);
        return 0;
}

static void on_seen(void *userdata, MrTree *take_view) {
        World *world = userdata;

        mr_tree_free(world->view);
        world->view = take_view;
        world->is_done = true;
}

static void run(World *world) {
        for (world->is_done = false; !world->is_done;)
                assert_true(sd_event_run(world->event, 10 * 1000 * 1000) > 0);
}

static void look(World *world) {
        KafkaView *view = kafka_view_new(world->client, 0, on_seen, world);

        run(world);
        kafka_view_free(view);
}

static void a_cluster_with_kraft(void **state) {
        World *world = *state;

        look(world);
        mr_tree_remove(world->view, "brokers");
        expect_text(
                world->view,
                "{\"cluster_id\":\"c\",\"configs\":{"
                "\"0\":{\"listener.name.a-1.max.connections\":\"7\",\"min.insync.replicas\":\"2\","
                "\"num.io.threads\":\"8\"},"
                "\"1\":{\"listener.name.a-1.max.connections\":\"7\",\"min.insync.replicas\":\"2\","
                "\"num.io.threads\":\"8\"},"
                "\"2\":{\"listener.name.a-1.max.connections\":\"7\",\"min.insync.replicas\":\"2\","
                "\"num.io.threads\":\"8\"}},\"controller\":1,"
                "\"observers\":{\"3\":{\"directory\":\"AAAAAAAAAAAAAAAAAAAAAw\",\"lag\":3}},"
                "\"overrides\":{\"0\":{\"min.insync.replicas\":\"2\"},\"1\":{\"min.insync."
                "replicas\":\"2\"},"
                "\"2\":{\"min.insync.replicas\":\"2\"}},"
                "\"partitions\":{\"blocked_counts\":{\"0\":1,\"1\":1},"
                "\"blocked_led_by\":{\"0\":{\"0\":1},\"1\":{\"0\":1}},"
                "\"blocking\":{\"0\":[\"t-0: 2 of 3 in sync, needs 2\"],\"1\":[\"t-0: 2 of 3 in "
                "sync, needs 2\"]},"
                "\"hosted\":{\"0\":1,\"1\":1,\"2\":1},\"not_in_sync\":{\"2\":1},\"offline\":0,"
                "\"only_here\":{},\"total\":1,"
                "\"under_replicated\":1},"
                "\"quorum\":{\"leader\":1,\"leader_epoch\":2,\"voters\":{\"1\":{\"lag\":0,"
                "\"last_caught_up_ms\":-1},\"2\":{\"lag\":0,\"last_caught_up_ms\":-1}}},"
                "\"voters\":{\"\":{\"1/AAAAAAAAAAAAAAAAAAAAAQ\":\"votes\"}}}");
}

static void a_cluster_with_zookeeper_has_no_quorum(void **state) {
        World *world = *state;

        fake_broker_unlearn(world->broker, KAFKA_DESCRIBE_QUORUM);
        look(world);
        assert_null(mr_tree_get(world->view, "quorum"));
        assert_null(mr_tree_get(world->view, "error"));
        assert_int_equal(mr_tree_size(mr_tree_get(world->view, "brokers")), 3);
}

static void expect_error(World *world, const char *text) {
        look(world);
        const char *error = mr_tree_get_string(world->view, "error");
        assert_non_null(error);
        if (!strstr(error, text))
                fail_msg("%s", error);
        assert_int_equal(mr_tree_size(world->view), 1);
}

static void half_a_look_is_no_look(void **state) {
        World *world = *state;

        world->minimum_error = 29;
        expect_error(world, "TOPIC_AUTHORIZATION_FAILED");
        world->minimum_error = 0;
        world->topic_error = 5;
        expect_error(world, "LEADER_NOT_AVAILABLE");
        world->topic_error = 0;
        world->quorum_error = 41;
        expect_error(world, "NOT_CONTROLLER");
        world->quorum_error = 0;
        look(world);
        assert_null(mr_tree_get(world->view, "error"));
        world->is_empty = true;
        expect_error(world, "no broker is registered");
}

static void freed_while_it_looks(void **state) {
        World *world = *state;

        world->is_silent = true;
        KafkaView *view = kafka_view_new(world->client, 0, on_seen, world);
        while (fake_broker_asked(world->broker, KAFKA_DESCRIBE_CONFIGS) == 0)
                assert_true(sd_event_run(world->event, 1000000) > 0);
        kafka_view_free(view);
        world->is_silent = false;
        world->client = kafka_client_free(world->client);
        assert_false(world->is_done);
}

static void the_client_freed_first_ends_the_look(void **state) {
        World *world = *state;
        KafkaView *view = kafka_view_new(world->client, 0, on_seen, world);

        world->client = kafka_client_free(world->client);
        assert_true(world->is_done);
        assert_non_null(strstr(mr_tree_get_string(world->view, "error"), "closed"));
        kafka_view_free(view);
}

static void on_altered(void *userdata, int r, const MrError *err) {
        World *world = userdata;

        (void) r;
        free(world->error);
        world->error = err ? mr_error_text(err) : NULL;
        world->is_done = true;
}

static void configurations_are_set_and_removed(void **state) {
        World *world = *state;
        static const KafkaConfigChange changes[] = {
                {KAFKA_SUBJECT_BROKER, "2", "num.io.threads", "9"},
                {KAFKA_SUBJECT_BROKER, "2", "log.cleaner.threads", NULL}};
        KafkaAlteration *alteration =
                kafka_alteration_new(world->client, changes, 2, on_altered, world);

        run(world);
        kafka_alteration_free(alteration);
        assert_null(world->error);
        expect_text(world->last,
                    "{\"resources\":[{\"configs\":["
                    "{\"config_operation\":1,\"name\":\"log.cleaner.threads\",\"value\":null},"
                    "{\"config_operation\":0,\"name\":\"num.io.threads\",\"value\":\"9\"}],"
                    "\"resource_name\":\"2\",\"resource_type\":4}],\"validate_only\":false}");
        world->alter_error = 40;
        alteration = kafka_alteration_new(world->client, changes, 1, on_altered, world);
        run(world);
        kafka_alteration_free(alteration);
        assert_non_null(strstr(world->error, "INVALID_CONFIG"));
}

static void alter(World *world, const KafkaConfigChange *changes, size_t n) {
        KafkaAlteration *alteration =
                kafka_alteration_new(world->client, changes, n, on_altered, world);

        run(world);
        kafka_alteration_free(alteration);
}

/* Each subject is a request of its own, and the first refusal ends it. */
static void levels_and_quotas_are_set_and_removed(void **state) {
        World *world = *state;
        static const KafkaConfigChange changes[] = {
                {KAFKA_SUBJECT_LOGGER, "1", "kafka.log", "DEBUG"},
                {KAFKA_SUBJECT_QUOTA, "", "producer_byte_rate", "1048576"},
                {KAFKA_SUBJECT_LOGGER, "1", "kafka.server", NULL},
                {KAFKA_SUBJECT_QUOTA, "", "controller_mutation_rate", "2.5"},
                {KAFKA_SUBJECT_QUOTA, "", "request_percentage", NULL},
        };

        alter(world, changes, 1);
        assert_null(world->error);
        expect_text(world->last, "{\"resources\":[{\"configs\":[{\"config_operation\":0,\"name\":"
                                 "\"kafka.log\",\"value\":\"DEBUG\"}],\"resource_name\":\"1\","
                                 "\"resource_type\":8}],\"validate_only\":false}");
        alter(world, changes, 5);
        assert_null(world->error);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_INCREMENTAL_ALTER_CONFIGS), 2);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_ALTER_CLIENT_QUOTAS), 1);
        expect_text(world->last,
                    "{\"entries\":[{\"entity\":[{\"entity_name\":null,\"entity_type\":\"user\"}],"
                    "\"ops\":["
                    "{\"key\":\"controller_mutation_rate\",\"remove\":false,\"value\":2.5},"
                    "{\"key\":\"producer_byte_rate\",\"remove\":false,\"value\":1048576},"
                    "{\"key\":\"request_percentage\",\"remove\":true,\"value\":0}]}],"
                    "\"validate_only\":false}");
        world->alter_error = 42;
        alter(world, changes + 1, 1);
        assert_non_null(strstr(world->error, "INVALID_REQUEST"));
}

/* Each is a request of its own, and to take a vote is another one than to give it. */
static void members_come_and_go(void **state) {
        World *world = *state;
        static const KafkaConfigChange changes[] = {
                {KAFKA_SUBJECT_VOTER, "", "3/AAAAAAAAAAAAAAAAAAAAAw",
                 "CONTROL-9090://h.example:9100"},
                {KAFKA_SUBJECT_VOTER, "", "1/AAAAAAAAAAAAAAAAAAAAAQ", NULL},
                {KAFKA_SUBJECT_REGISTRATION, "", "7", NULL},
                {KAFKA_SUBJECT_REGISTRATION, "", "8", NULL},
        };

        alter(world, changes, 1);
        assert_null(world->error);
        expect_text(world->last,
                    "{\"cluster_id\":null,\"listeners\":[{\"host\":\"h.example\",\"name\":"
                    "\"CONTROL-9090\",\"port\":9100}],\"timeout_ms\":15000,"
                    "\"voter_directory_id\":\"AAAAAAAAAAAAAAAAAAAAAw\",\"voter_id\":3}");
        alter(world, changes + 1, 1);
        assert_null(world->error);
        expect_text(world->last, "{\"cluster_id\":null,\"voter_directory_id\":"
                                 "\"AAAAAAAAAAAAAAAAAAAAAQ\",\"voter_id\":1}");
        alter(world, changes + 2, 2);
        assert_null(world->error);
        expect_text(world->last, "{\"broker_id\":8}");
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_ADD_RAFT_VOTER), 1);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_REMOVE_RAFT_VOTER), 1);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_UNREGISTER_BROKER), 2);
        world->alter_error = 42;
        alter(world, changes, 1);
        assert_non_null(strstr(world->error, "INVALID_REQUEST"));
}

static void fenced_brokers_are_registered_still(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *answer =
                json("{\"brokers\":[{\"broker_id\":0},{\"broker_id\":7,\"is_fenced\":true}]}");
        _cleanup_(mr_tree_freep) MrTree *view = kafka_view_registrations(answer);

        expect_text(view, "{\"\":{\"7\":\"fenced\"}}");
}

static void loggers_and_quotas_when_asked_for(void **state) {
        World *world = *state;

        look(world);
        assert_null(mr_tree_get(world->view, "loggers"));
        assert_null(mr_tree_get(world->view, "quotas"));
        KafkaView *view =
                kafka_view_new(world->client, KAFKA_ASK_LOGGERS | KAFKA_ASK_QUOTAS, on_seen, world);
        run(world);
        kafka_view_free(view);
        assert_null(mr_tree_get(world->view, "error"));
        expect_text(mr_tree_find(world->view, "loggers.1", false),
                    "{\"kafka.log\":\"DEBUG\",\"root\":\"INFO\"}");
        expect_text(mr_tree_get(world->view, "quotas"),
                    "{\"\":{\"consumer_byte_rate\":\"1024\",\"controller_mutation_rate\":\"0.5\","
                    "\"producer_byte_rate\":null,\"request_percentage\":null}}");
        world->quota_error = 31;
        view = kafka_view_new(world->client, KAFKA_ASK_QUOTAS, on_seen, world);
        run(world);
        kafka_view_free(view);
        assert_non_null(
                strstr(mr_tree_get_string(world->view, "error"), "CLUSTER_AUTHORIZATION_FAILED"));
}

static void on_reply(const MrError *err, const MrTree *response, void *userdata) {
        (void) response;
        on_altered(userdata, 0, err);
}

static void scram_passwords_do_not_travel(void **state) {
        World *world = *state;
        _cleanup_buf_ MrBuf text = {};

        assert_non_null(kafka_admin_upsert_scram(world->client, "alice", "correct horse", 4096,
                                                 on_reply, world, NULL));
        run(world);
        assert_null(world->error);
        mr_json_write(world->last, 0, &text);
        assert_null(strstr(mr_buf_text(&text), "correct"));
        const MrTree *upsertion = mr_tree_find(world->last, "upsertions[0]", false);
        assert_string_equal(mr_tree_get_string(upsertion, "name"), "alice");
        assert_int_equal(mr_tree_get_int(upsertion, "mechanism", 0), 2);
        assert_int_equal(strlen(mr_tree_get_string(upsertion, "salted_password")), 88);
        assert_null(
                kafka_admin_upsert_scram(world->client, "alice", "x", 1, on_reply, world, NULL));

        world->alter_error = 91;
        (void) kafka_admin_delete_scram(world->client, "alice", on_reply, world);
        run(world);
        assert_null(world->error);
        world->alter_error = 31;
        (void) kafka_admin_delete_scram(world->client, "alice", on_reply, world);
        run(world);
        assert_non_null(strstr(world->error, "CLUSTER_AUTHORIZATION_FAILED"));
        (void) kafka_admin_describe_log_dirs(world->client, 2, on_reply, world);
        run(world);
        assert_non_null(world->error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_broker_may_stop_when_enough_stay_in_sync),
                cmocka_unit_test(topics_without_spare_replicas_block_only_while_one_is_missing),
                cmocka_unit_test(partitions_are_counted),
                cmocka_unit_test(only_ten_partitions_are_named),
                cmocka_unit_test(a_quorum_knows_how_far_its_voters_are),
                TEST(a_cluster_with_kraft),
                TEST(a_cluster_with_zookeeper_has_no_quorum),
                TEST(half_a_look_is_no_look),
                TEST(freed_while_it_looks),
                TEST(the_client_freed_first_ends_the_look),
                TEST(configurations_are_set_and_removed),
                TEST(levels_and_quotas_are_set_and_removed),
                TEST(members_come_and_go),
                cmocka_unit_test(fenced_brokers_are_registered_still),
                TEST(loggers_and_quotas_when_asked_for),
                TEST(scram_passwords_do_not_travel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
