/* When a node counts as ready, and when it may be stopped: the gates of every restart. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define ZOOKEEPER_CLUSTER(replicas, members)                                                       \
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: Kafka\nmetadata: {name: c}\n"                 \
        "spec: {kafka: {replicas: " replicas                                                       \
        ", listeners: [{name: plain, port: 9092, type: internal, tls: false}], "                   \
        "storage: {type: ephemeral}}, zookeeper: {replicas: " members                              \
        ", storage: {type: ephemeral}}}\n"
#define KRAFT_CLUSTER(pools)                                                                       \
        "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: c}\n"                      \
        "spec: {kafka: {listeners: [{name: plain, port: 9092, type: internal, tls: "               \
        "false}]}}\n" pools
#define POOL(name, replicas, roles)                                                                \
        "---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaNodePool\nmetadata: {name: " name        \
        ", labels: {strimzi.io/cluster: c}}\nspec: {replicas: " replicas ", roles: [" roles        \
        "], storage: {type: ephemeral}}\n"
#define RUNNING "{\"state\": \"running\"}"
#define THREE_BROKERS                                                                              \
        "\"c-kafka-0\": " RUNNING ", \"c-kafka-1\": " RUNNING ", \"c-kafka-2\": " RUNNING
#define THREE_MEMBERS                                                                              \
        "\"c-zookeeper-0\": " RUNNING ", \"c-zookeeper-1\": " RUNNING                              \
        ", \"c-zookeeper-2\": " RUNNING
#define REGISTERED "\"brokers\": {\"0\": {}, \"1\": {}, \"2\": {}}"

typedef struct Case {
        World *world;
        MrArena *arena;
        MrHealth health;
} Case;

static Case *judge(const char *yaml, const char *nodes, const char *kafka, const char *zookeeper) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Case *result = mr_new(Case, 1);

        result->world = world_new();
        result->arena = mr_arena_new();
        if (world_read(result->world, yaml, &err) < 0)
                fail_msg("%s: %s", err.path, err.message);
        world_see_nodes(result->world, nodes);
        if (kafka)
                world_see_view(result->world, "kafka", kafka);
        if (zookeeper)
                world_see_view(result->world, "zookeeper", zookeeper);
        if (world_health(result->world, world_find(result->world, "Kafka", "c"), result->arena,
                         &result->health, &err) < 0)
                fail_msg("%s", err.message);
        return result;
}

static void case_freep(Case **c) {
        world_free((*c)->world);
        mr_arena_free((*c)->arena);
        free(*c);
}

static const MrNodeHealth *of(const Case *c, const char *node) {
        for (size_t i = 0; i < c->health.n; i++)
                if (mr_streq(c->health.items[i].node, node))
                        return &c->health.items[i];
        fail_msg("%s was not judged", node);
        return NULL;
}

static void assert_says(const char *text, const char *part) {
        if (!text || !strstr(text, part))
                fail_msg("\"%s\" lacks \"%s\"", text ? text : "(nothing)", part);
}

/* What is nowhere else may not be lost, whether its node runs or not. */
static void data_that_is_only_there_stays(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                ZOOKEEPER_CLUSTER("3", "3"),
                "{\"c-kafka-0\": " RUNNING
                ", \"c-kafka-1\": {\"state\": \"failed\"}, " THREE_MEMBERS "}",
                "{\"controller\": 0, " REGISTERED ", \"partitions\": {\"only_here\": {\"1\": 2}}}",
                "{\"members\": {\"c-zookeeper-0\": {\"state\": \"leader\"}, \"c-zookeeper-1\": "
                "{\"state\": \"follower\"}, \"c-zookeeper-2\": {\"error\": \"refused\"}}}");

        assert_true(of(c, "c-kafka-0")->may_lose_data);
        assert_false(of(c, "c-kafka-1")->may_lose_data);
        assert_says(of(c, "c-kafka-1")->only_here, "2 partitions are in sync only on it");
        assert_false(of(c, "c-zookeeper-0")->may_lose_data);
        assert_says(of(c, "c-zookeeper-0")->only_here, "no majority");
        assert_true(of(c, "c-zookeeper-2")->may_lose_data);
        _cleanup_(case_freep) Case *unknown =
                judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}", NULL, NULL);
        assert_false(of(unknown, "c-kafka-0")->may_lose_data);
        assert_says(of(unknown, "c-kafka-0")->only_here, "not been asked yet");
        assert_false(of(unknown, "c-zookeeper-0")->may_lose_data);
}

static void a_controller_may_lose_its_log_while_others_are_a_majority(void **state _unused_) {
        static const char pools[] = KRAFT_CLUSTER(POOL("p", "3", "controller, broker")),
                          nodes[] = "{\"c-p-0\": " RUNNING ", \"c-p-1\": " RUNNING
                                    ", \"c-p-2\": " RUNNING "}";
        static const char *const lags[] = {"0", "100"};

        for (size_t i = 0; i < MR_ELEMENTS(lags); i++) {
                _cleanup_free_ char *view =
                        mr_strf("{" REGISTERED ", \"partitions\": {}, \"quorum\": {\"leader\": 0, "
                                "\"voters\": {\"0\": {\"lag\": 0}, \"1\": {\"lag\": 0}, \"2\": "
                                "{\"lag\": %s}}}}",
                                lags[i]);
                _cleanup_(case_freep) Case *c = judge(pools, nodes, view, NULL);
                assert_int_equal(of(c, "c-p-1")->may_lose_data, i == 0);
                assert_true(of(c, "c-p-2")->may_lose_data);
        }
}

static void healthy_brokers_are_ready_and_can_be_spared(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}",
                "{\"controller\": 1, " REGISTERED ", \"partitions\": {\"hosted\": {}}}", NULL);

        for (int i = 0; i < 3; i++) {
                _cleanup_free_ char *node = mr_strf("c-kafka-%d", i);
                assert_true(of(c, node)->is_ready);
                assert_true(of(c, node)->may_stop);
        }
        assert_true(of(c, "c-kafka-1")->order > of(c, "c-kafka-0")->order);
        assert_int_equal(of(c, "c-kafka-0")->order, of(c, "c-kafka-2")->order);
}

static void without_a_view_no_broker_is_stopped(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}", NULL, NULL);

        assert_false(of(c, "c-kafka-0")->is_ready);
        assert_false(of(c, "c-kafka-0")->may_stop);
        assert_says(of(c, "c-kafka-0")->in_the_way, "not been asked yet");
}

static void a_failed_look_stops_no_broker(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}",
                                              "{\"error\": \"connection refused\", " REGISTERED
                                              ", \"partitions\": {\"hosted\": {}}}",
                                              NULL);

        assert_false(of(c, "c-kafka-0")->may_stop);
        assert_says(of(c, "c-kafka-0")->in_the_way, "connection refused");
        assert_says(of(c, "c-kafka-0")->waits, "connection refused");
}

static void a_view_without_partitions_stops_no_broker(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}", "{" REGISTERED "}", NULL);

        assert_false(of(c, "c-kafka-0")->may_stop);
}

static void partitions_keep_a_broker_up(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}",
                      "{" REGISTERED ", \"partitions\": {\"blocked_counts\": {\"0\": 12}, "
                      "\"blocking\": {\"0\": [\"t-1 has 2 of 3\"]}, \"not_in_sync\": {\"1\": 5}}}",
                      NULL);

        assert_false(of(c, "c-kafka-0")->may_stop);
        assert_says(of(c, "c-kafka-0")->in_the_way, "12 partitions");
        assert_says(of(c, "c-kafka-0")->in_the_way, "t-1 has 2 of 3");
        assert_true(of(c, "c-kafka-1")->may_stop);
        assert_false(of(c, "c-kafka-1")->is_ready);
        assert_says(of(c, "c-kafka-1")->waits, "5 of its partitions");
        assert_true(of(c, "c-kafka-1")->order < of(c, "c-kafka-2")->order);
}

static void a_broker_that_is_not_registered_serves_nobody(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("3", "1"), "{" THREE_BROKERS "}",
                      "{\"brokers\": {\"1\": {}}, \"partitions\": {}}", NULL);

        assert_false(of(c, "c-kafka-0")->is_ready);
        assert_true(of(c, "c-kafka-0")->may_stop);
        assert_says(of(c, "c-kafka-0")->waits, "not registered");
}

static void log_recovery_is_left_alone(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("3", "1"),
                      "{\"c-kafka-0\": {\"state\": \"starting\", \"message\": \"port 9091\"}, "
                      "\"c-kafka-1\": {\"state\": "
                      "\"starting\", \"restarts\": 4}, \"c-kafka-2\": {\"state\": \"failed\"}}",
                      NULL, NULL);

        assert_false(of(c, "c-kafka-0")->may_stop);
        assert_says(of(c, "c-kafka-0")->in_the_way, "still starting: port 9091");
        assert_true(of(c, "c-kafka-1")->may_stop);
        assert_true(of(c, "c-kafka-2")->may_stop);
        assert_says(of(c, "c-kafka-2")->waits, "is failed");
}

static void the_only_broker_has_nobody_to_wait_for(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("1", "1"), "{\"c-kafka-0\": " RUNNING "}", NULL, NULL);

        assert_true(of(c, "c-kafka-0")->may_stop);
        assert_false(of(c, "c-kafka-0")->is_ready);
}

static void members_keep_their_majority(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("1", "3"), "{" THREE_MEMBERS "}", NULL,
                      "{\"members\": {\"c-zookeeper-0\": {\"state\": \"follower\"}, "
                      "\"c-zookeeper-1\": {\"state\": "
                      "\"leader\"}, \"c-zookeeper-2\": {\"state\": \"looking\"}}}");

        assert_false(of(c, "c-zookeeper-0")->may_stop);
        assert_says(of(c, "c-zookeeper-0")->in_the_way,
                    "only 1 of the other 2 members serve, the quorum needs 2");
        assert_true(of(c, "c-zookeeper-2")->may_stop);
        assert_false(of(c, "c-zookeeper-2")->is_ready);
        assert_says(of(c, "c-zookeeper-2")->waits, "no leader");
        assert_true(of(c, "c-zookeeper-1")->order > of(c, "c-zookeeper-0")->order);
        assert_true(of(c, "c-zookeeper-0")->order > of(c, "c-zookeeper-2")->order);
}

static void a_whole_ensemble_can_spare_one(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("1", "3"), "{" THREE_MEMBERS "}", NULL,
                      "{\"members\": {\"c-zookeeper-0\": {\"state\": \"follower\"}, "
                      "\"c-zookeeper-1\": {\"state\": "
                      "\"leader\"}, \"c-zookeeper-2\": {\"state\": \"follower\"}}}");

        assert_true(of(c, "c-zookeeper-0")->may_stop);
        assert_true(of(c, "c-zookeeper-1")->may_stop);
        assert_true(of(c, "c-zookeeper-0")->is_ready);
}

static void a_member_the_platform_saw_stop_does_not_count(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("1", "3"),
                      "{\"c-zookeeper-0\": " RUNNING ", \"c-zookeeper-1\": " RUNNING
                      ", \"c-zookeeper-2\": {\"state\": \"stopped\"}}",
                      NULL,
                      "{\"members\": {\"c-zookeeper-0\": {\"state\": \"follower\"}, "
                      "\"c-zookeeper-1\": {\"state\": "
                      "\"leader\"}, \"c-zookeeper-2\": {\"state\": \"follower\"}}}");

        assert_false(of(c, "c-zookeeper-0")->may_stop);
}

static void without_a_view_no_member_is_stopped(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(ZOOKEEPER_CLUSTER("1", "3"), "{" THREE_MEMBERS "}", NULL, NULL);
        _cleanup_(case_freep) Case *alone =
                judge(ZOOKEEPER_CLUSTER("1", "1"), "{\"c-zookeeper-0\": " RUNNING "}", NULL, NULL);

        assert_false(of(c, "c-zookeeper-0")->may_stop);
        assert_says(of(c, "c-zookeeper-0")->in_the_way, "nothing is known");
        assert_true(of(alone, "c-zookeeper-0")->may_stop);
}

#define CONTROLLERS                                                                                \
        "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING ", \"c-b-2\": " RUNNING                     \
        ", \"c-b-3\": " RUNNING "}"
#define QUORUM(voters)                                                                             \
        "{\"brokers\": {\"0\": {}}, \"partitions\": {}, \"quorum\": {\"leader\": 2, \"voters\": "  \
        "{" voters "}}}"

static void controllers_that_caught_up_can_spare_one(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")), CONTROLLERS,
                QUORUM("\"1\": {\"lag\": 3, \"last_caught_up_ms\": 99000}, \"2\": {\"lag\": 0, "
                       "\"last_caught_up_ms\": "
                       "100000}, \"3\": {\"lag\": 0}"),
                NULL);

        for (int i = 1; i <= 3; i++) {
                _cleanup_free_ char *node = mr_strf("c-b-%d", i);
                assert_true(of(c, node)->may_stop);
                assert_true(of(c, node)->is_ready);
        }
        assert_true(of(c, "c-b-2")->order > of(c, "c-a-0")->order);
}

static void a_controller_that_lags_keeps_the_others_up(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")), CONTROLLERS,
                QUORUM("\"1\": {\"lag\": 30, \"last_caught_up_ms\": 90000}, \"2\": {\"lag\": 0, "
                       "\"last_caught_up_ms\": "
                       "100000}, \"3\": {\"lag\": 0}"),
                NULL);

        assert_true(of(c, "c-b-1")->may_stop);
        assert_false(of(c, "c-b-3")->may_stop);
        assert_says(of(c, "c-b-3")->in_the_way, "only 1 of the other controllers");
}

#define SINCE(sec) "{\"state\": \"running\", \"since\": " #sec "}"

/* It runs long before it has what the others have; once it had, others may go on. */
static void a_controller_is_ready_when_it_has_caught_up(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")),
                "{\"c-a-0\": " RUNNING ", \"c-b-1\": " SINCE(1000) ", \"c-b-2\": " SINCE(
                        1000) ", \"c-b-3\": " SINCE(1000) "}",
                QUORUM("\"1\": {\"lag\": 9, \"last_caught_up_ms\": 1001000}, \"2\": {\"lag\": -1}, "
                       "\"3\": {\"lag\": 9, \"last_caught_up_ms\": 999000}"),
                NULL);

        assert_true(of(c, "c-b-1")->is_ready);
        assert_true(of(c, "c-b-2")->is_ready); /* it leads */
        assert_false(of(c, "c-b-3")->is_ready);
        assert_says(of(c, "c-b-3")->waits, "has not caught up with the other controllers");
}

/* Else the next restart would find fewer voters than there seem to be. */
static void a_controller_that_joins_is_ready_when_it_votes(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")),
                      CONTROLLERS, QUORUM("\"1\": {\"lag\": 0}, \"2\": {\"lag\": 0}"), NULL);

        assert_true(of(c, "c-b-1")->is_ready);
        assert_false(of(c, "c-b-3")->is_ready);
        assert_says(of(c, "c-b-3")->waits, "does not vote among the controllers yet");
}

static void a_controller_the_platform_saw_stop_does_not_count(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge(
                KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")),
                "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING ", \"c-b-2\": " RUNNING
                ", \"c-b-3\": {\"state\": \"stopped\"}}",
                QUORUM("\"1\": {\"lag\": 0}, \"2\": {\"lag\": 0}, \"3\": {\"lag\": 0}"), NULL);

        assert_false(of(c, "c-b-1")->may_stop);
        assert_false(of(c, "c-b-1")->may_lose_data);
        assert_says(of(c, "c-b-1")->in_the_way, "only 1 of the other controllers");
        assert_true(of(c, "c-b-3")->may_lose_data);
}

static void without_a_view_no_controller_is_stopped(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge(KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller")),
                      CONTROLLERS, "{\"brokers\": {\"0\": {}}, \"partitions\": {}}", NULL);

        assert_false(of(c, "c-b-1")->may_stop);
        assert_false(of(c, "c-b-1")->is_ready);
        assert_says(of(c, "c-b-1")->waits, "no leader");
}

/* --- certificates in use that have ended */

/* Three nodes that are brokers and controllers; `shown`: until when each shows a certificate. */
static Case *judge_shown(const char *nodes, const char *kafka, const int64_t shown[3]) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Case *result =
                judge(KRAFT_CLUSTER(POOL("p", "3", "controller, broker")), nodes, kafka, NULL);
        _cleanup_free_ char *tls =
                mr_strf("{\"c-p-0\": {\"tcp-ctrlplane\": {\"not_after\": %lld}}, "
                        "\"c-p-1\": {\"tcp-replication\": {\"not_after\": %lld}}, "
                        "\"c-p-2\": {\"tcp-ctrlplane\": {\"not_after\": %lld}}}",
                        (long long) shown[0], (long long) shown[1], (long long) shown[2]);

        world_see_view(result->world, "tls", tls);
        result->health = (MrHealth){};
        if (world_health(result->world, world_find(result->world, "Kafka", "c"), result->arena,
                         &result->health, &err) < 0)
                fail_msg("%s", err.message);
        return result;
}

#define THREE_NODES "{\"c-p-0\": " RUNNING ", \"c-p-1\": " RUNNING ", \"c-p-2\": " RUNNING "}"
#define ENDED 1
#define GOOD INT64_MAX

/* Neither is known: they may be the very ones that would tell. */
static void what_is_unknown_keeps_nobody_whose_certificate_has_ended(void **state _unused_) {
        _cleanup_(case_freep) Case *c =
                judge_shown(THREE_NODES, "{\"error\": \"certificate has expired\"}",
                            (const int64_t[]){ENDED, ENDED, GOOD});
        _cleanup_(case_freep) Case *alone = judge_shown(
                "{\"c-p-0\": " RUNNING
                ", \"c-p-1\": {\"state\": \"failed\"}, \"c-p-2\": {\"state\": \"starting\"}}",
                NULL, (const int64_t[]){ENDED, 0, 0});

        assert_true(of(c, "c-p-0")->has_expired && of(c, "c-p-0")->may_stop);
        assert_true(of(c, "c-p-1")->has_expired && of(c, "c-p-1")->may_stop);
        assert_false(of(c, "c-p-2")->has_expired || of(c, "c-p-2")->may_stop);
        assert_false(of(alone, "c-p-0")->may_stop);
        assert_says(of(alone, "c-p-0")->in_the_way, "only 1 of the other controllers run");
}

#define REFUSED(leaders)                                                                           \
        "{" REGISTERED ", \"partitions\": {\"not_in_sync\": {\"1\": 4}, \"blocked_counts\": "      \
        "{\"0\": 4, \"2\": 4}, \"blocked_led_by\": {\"0\": {" leaders "}, \"2\": {\"0\": 4}}}, "   \
        "\"quorum\": {\"leader\": 0, \"voters\": {\"0\": {\"lag\": 0}, \"1\": {\"lag\": 90}, "     \
        "\"2\": {\"lag\": 0}}}}"
#define BY_ITSELF "\"0\": 3, \"-1\": 1"
#define BY_ANOTHER "\"0\": 2, \"2\": 1, \"-1\": 1"

/* A follower that was refused gets no better; one of a leader that others may follow does. */
static void a_leader_nobody_can_follow_is_not_waited_for(void **state _unused_) {
        _cleanup_(case_freep) Case *c = judge_shown(THREE_NODES, REFUSED(BY_ITSELF),
                                                    (const int64_t[]){ENDED, GOOD, GOOD}),
                                   *other = judge_shown(THREE_NODES, REFUSED(BY_ANOTHER),
                                                        (const int64_t[]){ENDED, GOOD, GOOD}),
                                   *both = judge_shown(THREE_NODES, REFUSED(BY_ANOTHER),
                                                       (const int64_t[]){ENDED, GOOD, ENDED}),
                                   *good = judge_shown(THREE_NODES, REFUSED(BY_ITSELF),
                                                       (const int64_t[]){GOOD, GOOD, GOOD});

        assert_true(of(c, "c-p-0")->may_stop);
        assert_false(of(c, "c-p-2")->may_stop); /* it can wait until the first has restarted */
        assert_false(of(other, "c-p-0")->may_stop);
        assert_says(of(other, "c-p-0")->in_the_way, "1 partitions would lose");
        assert_true(of(both, "c-p-0")->may_stop && of(both, "c-p-2")->may_stop);
        assert_false(of(good, "c-p-0")->has_expired || of(good, "c-p-0")->may_stop);
        assert_says(of(good, "c-p-0")->in_the_way, "4 partitions would lose");
}

static Case *judge_members(const char *nodes, const int64_t shown[3]) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Case *result = judge(ZOOKEEPER_CLUSTER("1", "3"), nodes, NULL,
                             "{\"members\": {\"c-zookeeper-0\": {\"error\": \"expired\"}, "
                             "\"c-zookeeper-1\": {\"error\": \"expired\"}, "
                             "\"c-zookeeper-2\": {\"state\": \"none\"}}}");
        _cleanup_free_ char *tls =
                mr_strf("{\"c-zookeeper-0\": {\"tcp-clients\": {\"not_after\": %lld}}, "
                        "\"c-zookeeper-1\": {\"tcp-clients\": {\"not_after\": %lld}}, "
                        "\"c-zookeeper-2\": {\"tcp-clients\": {\"not_after\": %lld}}}",
                        (long long) shown[0], (long long) shown[1], (long long) shown[2]);

        world_see_view(result->world, "tls", tls);
        result->health = (MrHealth){};
        if (world_health(result->world, world_find(result->world, "Kafka", "c"), result->arena,
                         &result->health, &err) < 0)
                fail_msg("%s", err.message);
        return result;
}

/* A member that has a good one cannot follow those, and cannot be asked to wait for them. */
static void members_whose_certificates_have_ended_wait_for_those_that_run(void **state _unused_) {
        static const int64_t two[] = {ENDED, ENDED, GOOD}, none[] = {GOOD, GOOD, GOOD};
        _cleanup_(case_freep)
                Case *c = judge_members("{" THREE_MEMBERS "}", two),
                     *good = judge_members("{" THREE_MEMBERS "}", none),
                     *alone = judge_members("{\"c-zookeeper-0\": " RUNNING
                                            ", \"c-zookeeper-1\": {\"state\": \"starting\"}, "
                                            "\"c-zookeeper-2\": {\"state\": \"failed\"}}",
                                            two);

        assert_true(of(c, "c-zookeeper-0")->has_expired && of(c, "c-zookeeper-0")->may_stop);
        assert_true(of(c, "c-zookeeper-1")->has_expired && of(c, "c-zookeeper-1")->may_stop);
        assert_false(of(c, "c-zookeeper-2")->has_expired);
        assert_false(of(good, "c-zookeeper-0")->has_expired || of(good, "c-zookeeper-0")->may_stop);
        assert_false(of(alone, "c-zookeeper-0")->may_stop);
        assert_says(of(alone, "c-zookeeper-0")->in_the_way,
                    "only 1 of the other 2 members run, the quorum needs 2");
}

static MrStrings looked_at(const char *yaml, const char *nodes, const char *view, MrArena *arena,
                           size_t *ret_nodes) {
        _cleanup_(case_freep) Case *c = judge(yaml, nodes, view, NULL);
        const Document *document = world_find(c->world, "Kafka", "c");
        MrStrings result = {};

        *ret_nodes = 0;
        for (size_t i = 0; i < registry_operands(c->world->registry); i++) {
                const MrOperandOps *ops = registry_operand_at(c->world->registry, i);
                const void *spec = document_spec_for(c->world->registry, document, i);
                MrProbes probes = {};
                if (spec && ops->probes)
                        assert_int_equal(ops->probes(&document->resource, spec, c->world->facts,
                                                     arena, &probes, NULL),
                                         0);
                for (size_t k = 0; k < probes.n; k++)
                        if (mr_streq(probes.items[k].name, "tls")) {
                                for (size_t e = 0; e < probes.items[k].endpoints.n; e++)
                                        mr_strings_add(arena, &result,
                                                       probes.items[k].endpoints.items[e]);
                                *ret_nodes += probes.items[k].nodes.n;
                        }
        }
        return result;
}

/* Handshakes cost, so what nodes show each other is looked at only when somebody waits for long. */
static void what_nodes_show_is_looked_at_when_one_is_late(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const char *view = QUORUM("\"1\": {\"lag\": 0}, \"2\": {\"lag\": 0}, \"3\": {\"lag\": 0}");
        const char *yaml = KRAFT_CLUSTER(POOL("a", "1", "broker") POOL("b", "3", "controller"));
        size_t n;

        assert_int_equal(looked_at(yaml, CONTROLLERS, view, arena, &n).n, 0);
        for (int late = 0; late < 2; late++) {
                _cleanup_free_ char *nodes = mr_strf(
                        "{\"c-a-0\": " RUNNING ", \"c-b-1\": " RUNNING ", \"c-b-2\": " RUNNING
                        ", \"c-b-3\": {\"state\": \"starting\", \"since\": %lld}}",
                        (long long) (WORLD_NOW - 9 - late));
                MrStrings endpoints = looked_at(yaml, nodes, view, arena, &n);
                assert_int_equal(endpoints.n, late ? 2 : 0);
                assert_int_equal(n, late ? 4 : 0);
        }
}

static void so_is_what_members_show(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        size_t n;

        for (int late = 0; late < 2; late++) {
                _cleanup_free_ char *nodes =
                        mr_strf("{\"c-kafka-0\": " RUNNING ", \"c-zookeeper-0\": " RUNNING
                                ", \"c-zookeeper-1\": {\"state\": \"running\", \"since\": %lld}}",
                                (long long) (WORLD_NOW - 9 - late));
                MrStrings endpoints =
                        looked_at(ZOOKEEPER_CLUSTER("1", "3"), nodes, NULL, arena, &n);
                /* Beside what brokers show, who are told to read theirs again. */
                assert_int_equal(mr_strings_has(&endpoints, "tcp-clients"), late);
                assert_int_equal(n, late ? 4 : 1);
        }
}

static void probes_ask_with_the_operators_certificate(void **state _unused_) {
        _cleanup_(world_freep) World *world = world_new();
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        size_t n_probes = 0;

        assert_int_equal(world_read(world, ZOOKEEPER_CLUSTER("2", "3"), &err), 0);
        const Document *document = world_find(world, "Kafka", "c");
        for (size_t i = 0; i < registry_operands(world->registry); i++) {
                MrProbes probes = {};
                const MrOperandOps *ops = registry_operand_at(world->registry, i);
                assert_int_equal(ops->probes(&document->resource,
                                             document_spec_for(world->registry, document, i),
                                             world->facts, arena, &probes, &err),
                                 0);
                const MrProbe *probe = &probes.items[0];
                /* Beside that, anybody may look at what brokers show. */
                assert_int_equal(probes.n, mr_streq(probe->name, "kafka") ? 2 : 1);
                assert_string_equal(probe->secret, "c-cluster-operator-certs");
                assert_string_equal(probe->secret_prefix, "cluster-operator");
                assert_string_equal(probe->authority, "c-trustbundle");
                assert_string_equal(probe->authority_key, "cluster-ca.crt");
                assert_int_equal(probe->nodes.n, mr_streq(probe->name, "kafka") ? 2 : 3);
                assert_string_equal(probe->endpoint, mr_streq(probe->name, "kafka")
                                                             ? "tcp-replication"
                                                             : "tcp-clients");
                n_probes++;
        }
        assert_int_equal(n_probes, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(data_that_is_only_there_stays),
                cmocka_unit_test(a_controller_may_lose_its_log_while_others_are_a_majority),
                cmocka_unit_test(healthy_brokers_are_ready_and_can_be_spared),
                cmocka_unit_test(without_a_view_no_broker_is_stopped),
                cmocka_unit_test(a_failed_look_stops_no_broker),
                cmocka_unit_test(a_view_without_partitions_stops_no_broker),
                cmocka_unit_test(partitions_keep_a_broker_up),
                cmocka_unit_test(a_broker_that_is_not_registered_serves_nobody),
                cmocka_unit_test(log_recovery_is_left_alone),
                cmocka_unit_test(the_only_broker_has_nobody_to_wait_for),
                cmocka_unit_test(members_keep_their_majority),
                cmocka_unit_test(a_whole_ensemble_can_spare_one),
                cmocka_unit_test(a_member_the_platform_saw_stop_does_not_count),
                cmocka_unit_test(without_a_view_no_member_is_stopped),
                cmocka_unit_test(controllers_that_caught_up_can_spare_one),
                cmocka_unit_test(a_controller_is_ready_when_it_has_caught_up),
                cmocka_unit_test(a_controller_that_joins_is_ready_when_it_votes),
                cmocka_unit_test(a_controller_that_lags_keeps_the_others_up),
                cmocka_unit_test(a_controller_the_platform_saw_stop_does_not_count),
                cmocka_unit_test(without_a_view_no_controller_is_stopped),
                cmocka_unit_test(what_is_unknown_keeps_nobody_whose_certificate_has_ended),
                cmocka_unit_test(a_leader_nobody_can_follow_is_not_waited_for),
                cmocka_unit_test(what_nodes_show_is_looked_at_when_one_is_late),
                cmocka_unit_test(so_is_what_members_show),
                cmocka_unit_test(members_whose_certificates_have_ended_wait_for_those_that_run),
                cmocka_unit_test(probes_ask_with_the_operators_certificate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
