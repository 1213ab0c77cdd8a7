/* The client against brokers that answer, hang up, lie, move and keep silent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fake-broker.h"
#include "kafka/client.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define BROKERS 3

typedef struct World World;

typedef struct Node {
        World *world;
        FakeBroker *broker;
        int32_t id;
        bool is_silent, hangs_up, has_lied;
} Node;

struct World {
        sd_event *event;
        Node nodes[BROKERS];
        int32_t controller;
        const char *advertised; /* the host of every broker */
        KafkaClient *client;
        unsigned n_replies;
        bool frees_client;
        MrErrorKind kind;
        char *error;
        char *answer; /* the rack field of the answer's first broker says who answered */
};

static MrTree *describe(const Node *node) {
        MrTree *answer = mr_tree_new_map();
        MrTree *brokers = mr_tree_need_list(answer, "brokers");
        World *world = node->world;
        _cleanup_free_ char *rack = mr_strf("said-by-%d", node->id);

        mr_tree_set_string(answer, "cluster_id", "a-cluster");
        mr_tree_set_int(answer, "controller_id", world->controller);
        for (int i = 0; i < BROKERS; i++) {
                if (!world->nodes[i].broker)
                        continue;
                MrTree *broker = mr_tree_append(brokers, mr_tree_new_map());
                mr_tree_set_int(broker, "broker_id", i);
                mr_tree_set_string(broker, "host", world->advertised);
                mr_tree_set_int(broker, "port", fake_broker_port(world->nodes[i].broker));
                mr_tree_set_string(broker, "rack", rack);
        }
        return answer;
}

static MrTree *alter(const Node *node) {
        MrTree *answer = mr_tree_new_map();
        MrTree *result = mr_tree_append(mr_tree_need_list(answer, "results"), mr_tree_new_map());
        _cleanup_free_ char *user = mr_strf("said-by-%d", node->id);

        mr_tree_set_string(result, "user", user);
        mr_tree_set_int(result, "error_code", node->id == node->world->controller ? 0 : 41);
        return answer;
}

static MrTree *handle(FakeBroker *broker, KafkaApi api, const MrTree *request, void *userdata) {
        Node *node = userdata;

        (void) request;
        if (api == KAFKA_API_VERSIONS)
                return NULL;
        if (node->hangs_up) {
                node->hangs_up = false;
                fake_broker_hang_up(broker);
                return NULL;
        }
        if (node->is_silent)
                return NULL;
        return api == KAFKA_ALTER_USER_SCRAM_CREDENTIALS ? alter(node) : describe(node);
}

static int check_results(const MrTree *response, MrError *err) {
        const MrTree *result = mr_tree_at(mr_tree_get(response, "results"), 0);

        if (mr_tree_get_int(result, "error_code", 0) == 41)
                return mr_fail(err, MR_CONFLICT, NULL, "not the controller");
        return 0;
}

static void on_reply(const MrError *err, const MrTree *response, void *userdata) {
        World *world = userdata;

        world->n_replies++;
        world->kind = err ? err->kind : MR_OK;
        free(world->error);
        world->error = err ? mr_error_text(err) : NULL;
        free(world->answer);
        const char *rack = mr_tree_string(mr_tree_find(response, "brokers[0].rack", false));
        world->answer = mr_strdup(
                rack ? rack : mr_tree_string(mr_tree_find(response, "results[0].user", false)));
        if (world->frees_client)
                world->client = kafka_client_free(world->client);
}

static void start_node(World *world, int i) {
        world->nodes[i] = (Node){.world = world, .id = i};
        world->nodes[i].broker = fake_broker_new(world->event, handle, &world->nodes[i]);
}

static void stop_node(World *world, int i) {
        world->nodes[i].broker = fake_broker_free(world->nodes[i].broker);
}

static int setup(void **state) {
        World *world = mr_new(World, 1);

        world->advertised = "127.0.0.1";
        sd_event_new(&world->event);
        for (int i = 0; i < BROKERS; i++)
                start_node(world, i);
        KafkaAddress addresses[2];
        for (int i = 0; i < 2; i++)
                addresses[i] = (KafkaAddress){.host = "127.0.0.1",
                                              .port = fake_broker_port(world->nodes[i].broker),
                                              .node_id = -1};
        KafkaClientArgs args = {.addresses = addresses, .n_addresses = 2};
        assert_int_equal(kafka_client_new(world->event, &args, &world->client, NULL), 0);
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        kafka_client_free(world->client);
        for (int i = 0; i < BROKERS; i++)
                stop_node(world, i);
        sd_event_unref(world->event);
        free(world->error);
        free(world->answer);
        free(world);
        return 0;
}

static KafkaCall *call(World *world, KafkaApi api, int32_t target, uint64_t timeout_usec) {
        return kafka_client_call(world->client,
                                 &(KafkaRequest){.api = api,
                                                 .target = target,
                                                 .timeout_usec = timeout_usec,
                                                 .check = api == KAFKA_ALTER_USER_SCRAM_CREDENTIALS
                                                                  ? check_results
                                                                  : NULL,
                                                 .reply = on_reply,
                                                 .userdata = world});
}

static void run(World *world, unsigned n) {
        unsigned wanted = world->n_replies + n;

        while (world->n_replies < wanted)
                assert_true(sd_event_run(world->event, 10 * 1000 * 1000) > 0);
}

static void ask(World *world, KafkaApi api, int32_t target, uint64_t timeout_usec) {
        (void) call(world, api, target, timeout_usec);
        run(world, 1);
}

static void any_broker_answers_and_connections_are_kept(void **state) {
        World *world = *state;

        for (unsigned i = 0; i < 5; i++) {
                ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
                assert_string_equal(world->answer, "said-by-0");
        }
        assert_int_equal(fake_broker_accepted(world->nodes[0].broker), 1);
        assert_int_equal(fake_broker_accepted(world->nodes[1].broker), 0);
}

static void a_dead_address_is_passed_over(void **state) {
        World *world = *state;

        stop_node(world, 0);
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_string_equal(world->answer, "said-by-1");
        stop_node(world, 1);
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_string_equal(world->answer, "said-by-2");
        stop_node(world, 2);
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_null(world->answer);
        assert_int_equal(world->kind, MR_TRANSIENT);
        assert_non_null(strstr(world->error, "Connection refused"));
}

static void a_node_is_found_through_the_others(void **state) {
        World *world = *state;

        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        assert_string_equal(world->answer, "said-by-2");
        ask(world, KAFKA_DESCRIBE_CLUSTER, 0, 0);
        assert_string_equal(world->answer, "said-by-0");
        assert_int_equal(fake_broker_accepted(world->nodes[0].broker), 1);
        ask(world, KAFKA_DESCRIBE_CLUSTER, 9, 0);
        assert_non_null(strstr(world->error, "broker 9 is not registered"));
}

static void a_node_that_moved_is_found_again(void **state) {
        World *world = *state;

        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        stop_node(world, 2);
        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        assert_int_equal(world->kind, MR_TRANSIENT);
        start_node(world, 2);
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        assert_string_equal(world->answer, "said-by-2");
}

/* Brokers may tell each other names that mean nothing here. */
static void a_node_is_known_by_the_name_that_was_given(void **state) {
        World *world = *state;
        KafkaAddress addresses[BROKERS];
        KafkaClientArgs args = {.addresses = addresses, .n_addresses = BROKERS};

        world->advertised = "broker.invalid";
        for (int i = 0; i < BROKERS; i++)
                addresses[i] = (KafkaAddress){.host = "127.0.0.1",
                                              .port = fake_broker_port(world->nodes[i].broker),
                                              .server_name = "broker.invalid",
                                              .node_id = -1};
        kafka_client_free(world->client);
        assert_int_equal(kafka_client_new(world->event, &args, &world->client, NULL), 0);
        for (int i = BROKERS - 1; i >= 0; i--) {
                _cleanup_free_ char *name = mr_strf("said-by-%d", i);
                ask(world, KAFKA_DESCRIBE_CLUSTER, i, 0);
                assert_non_null(world->answer);
                assert_string_equal(world->answer, name);
        }
}

static void a_broken_connection_is_opened_again(void **state) {
        World *world = *state;

        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        world->nodes[2].hangs_up = true;
        ask(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        assert_string_equal(world->answer, "said-by-2");
        assert_int_equal(fake_broker_accepted(world->nodes[2].broker), 2);
}

static void the_controller_is_followed(void **state) {
        World *world = *state;

        world->controller = 1;
        ask(world, KAFKA_ALTER_USER_SCRAM_CREDENTIALS, KAFKA_CONTROLLER, 0);
        assert_string_equal(world->answer, "said-by-1");
        world->controller = 2;
        ask(world, KAFKA_ALTER_USER_SCRAM_CREDENTIALS, KAFKA_CONTROLLER, 0);
        assert_string_equal(world->answer, "said-by-2");
        stop_node(world, 2);
        world->controller = 0;
        ask(world, KAFKA_ALTER_USER_SCRAM_CREDENTIALS, KAFKA_CONTROLLER, 0);
        assert_string_equal(world->answer, "said-by-0");
        world->controller = -1;
        ask(world, KAFKA_ALTER_USER_SCRAM_CREDENTIALS, KAFKA_CONTROLLER, 0);
        assert_non_null(world->error);
}

static void a_silent_broker_costs_no_more_than_the_deadline(void **state) {
        World *world = *state;

        world->nodes[0].is_silent = true;
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 80000);
        assert_int_equal(world->kind, MR_TRANSIENT);
        assert_non_null(strstr(world->error, "no answer to DescribeCluster"));
        world->nodes[0].is_silent = false;
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_string_equal(world->answer, "said-by-0");
        assert_int_equal(fake_broker_accepted(world->nodes[0].broker), 2);
}

static void many_calls_share_one_connection(void **state) {
        World *world = *state;
        KafkaRequest request = {
                .api = KAFKA_DESCRIBE_CLUSTER, .reply = on_reply, .userdata = world};

        for (unsigned i = 0; i < 60; i++) {
                request.target = i % 3 == 0 ? KAFKA_ANY : (int32_t) (i % 3);
                (void) kafka_client_call(world->client, &request);
        }
        run(world, 60);
        assert_null(world->error);
        assert_int_equal(fake_broker_accepted(world->nodes[0].broker) +
                                 fake_broker_accepted(world->nodes[1].broker) +
                                 fake_broker_accepted(world->nodes[2].broker),
                         3);
}

static void bad_bytes_end_the_connection(void **state) {
        World *world = *state;
        static const struct {
                const char *data;
                size_t size;
        } words[] = {
                {"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
                {"\0\0\0\1x", 5},
                {"\0\0\0\4\0\0\0\x63", 8},
                {"\0\0\0\6\0\0\0\0\xff\xff", 10},
        };

        stop_node(world, 1);
        for (size_t i = 0; i < MR_ELEMENTS(words); i++) {
                fake_broker_say(world->nodes[0].broker, words[i].data, words[i].size);
                ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
                assert_int_equal(world->kind, MR_TRANSIENT);
                if (!strstr(world->error, "bad answer") && !strstr(world->error, "refused"))
                        fail_msg("%s", world->error);
        }
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_null(world->error);
}

static void an_optional_request_may_be_unknown(void **state) {
        World *world = *state;
        KafkaRequest request = {.api = KAFKA_DESCRIBE_QUORUM,
                                .target = KAFKA_ANY,
                                .is_optional = true,
                                .reply = on_reply,
                                .userdata = world};

        fake_broker_unlearn(world->nodes[0].broker, KAFKA_DESCRIBE_QUORUM);
        (void) kafka_client_call(world->client, &request);
        run(world, 1);
        assert_null(world->error);
        assert_null(world->answer);
        request.is_optional = false;
        (void) kafka_client_call(world->client, &request);
        run(world, 1);
        assert_int_equal(world->kind, MR_INVALID);
        assert_non_null(strstr(world->error, "speaks no version of DescribeQuorum"));
}

static void cancelled_calls_stay_silent(void **state) {
        World *world = *state;

        kafka_call_cancel(call(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0));
        KafkaCall *waiting = call(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        assert_true(sd_event_run(world->event, 0) >= 0);
        kafka_call_cancel(waiting);
        KafkaCall *asked = call(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        for (unsigned i = 0; fake_broker_asked(world->nodes[0].broker, KAFKA_DESCRIBE_CLUSTER) == 0;
             i++)
                assert_true(i < 1000 && sd_event_run(world->event, 1000000) >= 0);
        kafka_call_cancel(asked);
        ask(world, KAFKA_DESCRIBE_CLUSTER, KAFKA_ANY, 0);
        assert_int_equal(world->n_replies, 1);
}

static void freed_inside_a_reply_the_others_get_an_error(void **state) {
        World *world = *state;

        world->frees_client = true;
        for (unsigned i = 0; i < 5; i++)
                (void) call(world, KAFKA_DESCRIBE_CLUSTER, i % 2 ? 1 : KAFKA_ANY, 0);
        run(world, 5);
        assert_int_equal(world->n_replies, 5);
        assert_null(world->client);
        assert_non_null(strstr(world->error, "the client was closed"));
}

static void freed_before_anything_happens(void **state) {
        World *world = *state;

        for (unsigned i = 0; i < 3; i++)
                (void) call(world, KAFKA_DESCRIBE_CLUSTER, 2, 0);
        world->client = kafka_client_free(world->client);
        assert_int_equal(world->n_replies, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(any_broker_answers_and_connections_are_kept),
                TEST(a_dead_address_is_passed_over),
                TEST(a_node_is_found_through_the_others),
                TEST(a_node_that_moved_is_found_again),
                TEST(a_node_is_known_by_the_name_that_was_given),
                TEST(a_broken_connection_is_opened_again),
                TEST(the_controller_is_followed),
                TEST(a_silent_broker_costs_no_more_than_the_deadline),
                TEST(many_calls_share_one_connection),
                TEST(bad_bytes_end_the_connection),
                TEST(an_optional_request_may_be_unknown),
                TEST(cancelled_calls_stay_silent),
                TEST(freed_inside_a_reply_the_others_get_an_error),
                TEST(freed_before_anything_happens),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
