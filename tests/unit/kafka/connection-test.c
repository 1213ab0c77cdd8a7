/* How a connection opens: with SCRAM, with a wrong password, with brokers that cheat or know
 * nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/scram.h"
#include "fake-broker.h"
#include "kafka/connection.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define SALT "0123456789abcdef"
#define ITERATIONS 4096

typedef struct World {
        sd_event *event;
        FakeBroker *broker;
        const char *password; /* what the broker knows */
        const char *mechanism_error;
        bool cheats; /* it lets everybody in, but cannot prove that it knows the password */
        char *first; /* the conversation so far */
        char *server_first;
        unsigned n_replies, n_closed;
        MrErrorKind kind;
        char *error;
} World;

static MrTree *answer_text(const char *text, int error) {
        MrTree *answer = mr_tree_new_map();
        _cleanup_buf_ MrBuf base64 = {};

        mr_base64(text, strlen(text), &base64);
        mr_tree_set_string(answer, "auth_bytes", mr_buf_text(&base64));
        mr_tree_set_int(answer, "error_code", error);
        return answer;
}

static MrTree *answer_first(World *world, const char *message) {
        _cleanup_buf_ MrBuf salt = {};

        world->first = mr_strdup(message + strlen("n,,"));
        mr_base64(SALT, strlen(SALT), &salt);
        world->server_first = mr_strf("%sserver,s=%s,i=%d", strstr(message, "r="),
                                      mr_buf_text(&salt), ITERATIONS);
        return answer_text(world->server_first, 0);
}

/* What the server does with a proof: it takes the client key out of it and compares its hash. */
static MrTree *answer_proof(World *world, const char *message) {
        const char *proof = strstr(message, ",p=");
        _cleanup_free_ char *without = mr_strndup(message, (size_t) (proof - message));
        _cleanup_free_ char *text = mr_strf("%s,%s,%s", world->first, world->server_first, without);
        uint8_t salted[SCRAM_SIZE_MAX], key[SCRAM_SIZE_MAX], stored[SCRAM_SIZE_MAX],
                server[SCRAM_SIZE_MAX];
        uint8_t signature[SCRAM_SIZE_MAX], wanted[SCRAM_SIZE_MAX];
        _cleanup_buf_ MrBuf found = {};
        _cleanup_buf_ MrBuf final = {};

        assert_int_equal(scram_salted_password(SCRAM_SHA_512, world->password, SALT, strlen(SALT),
                                               ITERATIONS, salted, NULL),
                         0);
        assert_int_equal(scram_client_key(SCRAM_SHA_512, salted, key, NULL), 0);
        assert_int_equal(scram_stored_key(SCRAM_SHA_512, key, stored, NULL), 0);
        assert_int_equal(scram_signature(SCRAM_SHA_512, stored, text, signature, NULL), 0);
        scram_proof(SCRAM_SHA_512, key, signature, wanted);
        assert_int_equal(mr_unbase64(proof + 3, strlen(proof + 3), &found), 0);
        if (!world->cheats && memcmp(found.data, wanted, scram_size(SCRAM_SHA_512)) != 0)
                return answer_text("", 58);
        assert_int_equal(scram_server_key(SCRAM_SHA_512, salted, server, NULL), 0);
        assert_int_equal(scram_signature(SCRAM_SHA_512, server, text, signature, NULL), 0);
        mr_buf_puts(&final, "v=");
        mr_base64(signature, scram_size(SCRAM_SHA_512), &final);
        return answer_text(mr_buf_text(&final), 0);
}

static MrTree *handle(FakeBroker *broker, KafkaApi api, const MrTree *request, void *userdata) {
        World *world = userdata;
        _cleanup_buf_ MrBuf message = {};
        MrTree *answer = NULL;

        (void) broker;
        if (api == KAFKA_SASL_HANDSHAKE) {
                assert_string_equal(mr_tree_get_string(request, "mechanism"), "SCRAM-SHA-512");
                answer = mr_tree_new_map();
                mr_tree_set_int(answer, "error_code", world->mechanism_error ? 33 : 0);
                return answer;
        }
        if (api != KAFKA_SASL_AUTHENTICATE)
                return api == KAFKA_API_VERSIONS ? NULL : mr_tree_new_map();
        const char *text = mr_tree_get_string(request, "auth_bytes");
        assert_int_equal(mr_unbase64(text, strlen(text), &message), 0);
        return world->first ? answer_proof(world, mr_buf_text(&message))
                            : answer_first(world, mr_buf_text(&message));
}

static void keep_error(World *world, const MrError *err) {
        free(world->error);
        world->error = err ? mr_error_text(err) : NULL;
        world->kind = err ? err->kind : MR_OK;
}

static void on_reply(const MrError *err, const MrTree *response, void *userdata) {
        World *world = userdata;

        assert_true(!err != !response);
        world->n_replies++;
        keep_error(world, err);
}

static void on_closed(KafkaConnection *connection, const MrError *err, void *userdata) {
        World *world = userdata;

        (void) connection;
        assert_non_null(err);
        world->n_closed++;
}

static int setup(void **state) {
        World *world = mr_new(World, 1);

        sd_event_new(&world->event);
        world->broker = fake_broker_new(world->event, handle, world);
        world->password = "correct horse";
        *state = world;
        return 0;
}

static int teardown(void **state) {
        World *world = *state;

        fake_broker_free(world->broker);
        sd_event_unref(world->event);
        free(world->first);
        free(world->server_first);
        free(world->error);
        free(world);
        return 0;
}

/* Opens a connection, asks three questions and waits for their replies. */
static void talk(World *world, const char *user, const char *password) {
        KafkaConnection *connection = NULL;
        KafkaConnectionArgs args = {
                .host = "127.0.0.1",
                .port = fake_broker_port(world->broker),
                .security = {.user = user, .password = password},
                .connect_timeout_usec = 2000000,
                .closed = on_closed,
                .userdata = world,
        };
        KafkaQuestion question = {
                .api = KAFKA_DESCRIBE_CLUSTER, .reply = on_reply, .userdata = world};

        assert_int_equal(kafka_connection_new(world->event, &args, &connection, NULL), 0);
        for (unsigned i = 0; i < 3; i++)
                kafka_connection_ask(connection, &question);
        while (world->n_replies < 3)
                assert_true(sd_event_run(world->event, 5000000) > 0);
        kafka_connection_free(connection);
}

static void nobody_need_authenticate_without_a_user(void **state) {
        World *world = *state;

        talk(world, NULL, NULL);
        assert_null(world->error);
        assert_int_equal(world->n_closed, 0);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_SASL_HANDSHAKE), 0);
}

static void the_right_password_opens(void **state) {
        World *world = *state;

        talk(world, "CN=a,b", "correct horse");
        assert_null(world->error);
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_SASL_AUTHENTICATE), 2);
        assert_true(mr_starts_with(world->first, "n=CN=3Da=2Cb,r="));
}

static void expect_denied(World *world, const char *message) {
        assert_int_equal(world->n_closed, 1);
        assert_int_equal(world->kind, MR_DENIED);
        if (!strstr(world->error, message))
                fail_msg("%s", world->error);
        assert_null(strstr(world->error, "horse"));
        assert_int_equal(fake_broker_asked(world->broker, KAFKA_DESCRIBE_CLUSTER), 0);
}

static void a_wrong_password_is_denied(void **state) {
        talk(*state, "alice", "wrong horse");
        expect_denied(*state, "SASL_AUTHENTICATION_FAILED");
}

static void a_broker_that_does_not_know_the_password_is_denied(void **state) {
        World *world = *state;

        world->cheats = true;
        talk(world, "alice", "another horse");
        expect_denied(world, "does not know the password itself");
}

static void a_broker_without_scram_is_denied(void **state) {
        World *world = *state;

        world->mechanism_error = "UNSUPPORTED_SASL_MECHANISM";
        talk(world, "alice", "correct horse");
        expect_denied(world, world->mechanism_error);
}

static void a_broker_that_never_answers_ends_in_time(void **state) {
        World *world = *state;

        /* Bytes that announce a message that never comes. */
        fake_broker_say(world->broker, "\0\0\1\0", 4);
        talk(world, NULL, NULL);
        assert_int_equal(world->n_closed, 1);
        assert_int_equal(world->kind, MR_TRANSIENT);
        assert_non_null(strstr(world->error, "takes no requests"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(nobody_need_authenticate_without_a_user),
                TEST(the_right_password_opens),
                TEST(a_wrong_password_is_denied),
                TEST(a_broker_that_does_not_know_the_password_is_denied),
                TEST(a_broker_without_scram_is_denied),
                TEST(a_broker_that_never_answers_ends_in_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
