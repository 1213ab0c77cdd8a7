#include "kafka/connection.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "crypto/secret.h"
#include "io/stream.h"
#include "kafka/errors.h"
#include "kafka/sasl-scram.h"
#include "kafka/wire.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define CONNECT_TIMEOUT_USEC (10U * 1000 * 1000)
#define TIMER_ACCURACY_USEC (20U * 1000)
/* Above the number of every request in the tables. */
#define API_MAX 96
/* A buffer that grew for one large answer is given back. */
#define BUFFER_KEEP_MAX 65536U

typedef struct Pending {
        KafkaQuestion question;
        const KafkaMessage *message;
        int16_t version;
        int32_t correlation;
        bool is_sent;
        bool is_forgotten;
} Pending;

struct KafkaConnection {
        sd_event *event;
        Stream *stream;
        sd_event_source *timer; /* until ready */
        sd_event_source *flush; /* sends what was asked outside of a callback */
        char *peer;
        char *client_id;
        char *user;
        char *password;
        SaslScram *scram;
        void (*closed)(KafkaConnection *connection, const MrError *err, void *userdata);
        void *userdata;

        bool is_ready;
        bool is_closed;
        int16_t versions[API_MAX]; /* the newest that both sides speak; -1: none */

        Pending *pending; /* those sent come first, in the order of their answers */
        size_t n_pending, n_allocated;
        int32_t correlation;
        MrBuf input;

        unsigned n_entered; /* > 0 while one of our functions is on the stack */
        bool is_freed;
};

static void connection_release(KafkaConnection *connection) {
        sd_event_unref(connection->event);
        free(connection->peer);
        free(connection->client_id);
        free(connection->user);
        secret_text_free(connection->password);
        free(connection->pending);
        free(connection);
}

static void connection_shut(KafkaConnection *connection) {
        connection->is_closed = true;
        connection->is_ready = false;
        connection->stream = stream_free(connection->stream);
        connection->timer = sd_event_source_disable_unref(connection->timer);
        connection->flush = sd_event_source_disable_unref(connection->flush);
        connection->scram = sasl_scram_free(connection->scram);
        mr_buf_wipe(&connection->input);
}

KafkaConnection *kafka_connection_free(KafkaConnection *connection) {
        if (!connection)
                return NULL;
        connection_shut(connection);
        connection->is_freed = true;
        if (connection->n_entered == 0)
                connection_release(connection);
        return NULL;
}

static void connection_enter(KafkaConnection *connection) {
        connection->n_entered++;
}

static void connection_leave(KafkaConnection *connection) {
        if (--connection->n_entered == 0 && connection->is_freed)
                connection_release(connection);
}

bool kafka_connection_is_ready(const KafkaConnection *connection) {
        return connection->is_ready;
}

/* Takes one question out and answers it. */
static void pending_finish(KafkaConnection *connection, size_t i, const MrError *err,
                           const MrTree *response) {
        Pending pending = connection->pending[i];

        connection->n_pending--;
        memmove(connection->pending + i, connection->pending + i + 1,
                (connection->n_pending - i) * sizeof(Pending));
        if (!pending.is_forgotten)
                pending.question.reply(err, response, pending.question.userdata);
}

static void connection_fail(KafkaConnection *connection, const MrError *err) {
        if (connection->is_closed)
                return;
        connection_shut(connection);
        while (!connection->is_freed && connection->n_pending > 0)
                pending_finish(connection, 0, err, NULL);
        if (!connection->is_freed)
                connection->closed(connection, err, connection->userdata);
}

/* A peer that does not speak Kafka's protocol may do so later, so this parks nothing. */
static void connection_fail_protocol(KafkaConnection *connection, const MrError *cause) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_free_ char *text = mr_error_text(cause);

        (void) mr_fail(&err, MR_TRANSIENT, connection->peer, "bad answer: %s", text);
        connection_fail(connection, &err);
}

/* Before the broker has said what it speaks, only the request that asks for it has a version. */
static int16_t connection_version(const KafkaConnection *connection, const KafkaMessage *message) {
        return message->api == KAFKA_API_VERSIONS ? message->oldest
                                                  : connection->versions[message->api];
}

static int pending_send(KafkaConnection *connection, Pending *pending, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf frame = {};

        pending->version = connection_version(connection, pending->message);
        if (pending->version < 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s speaks no version of %s that is known here", connection->peer,
                               pending->message->name);
        pending->correlation = connection->correlation;
        int r = kafka_request_encode(pending->message, pending->version, pending->correlation,
                                     connection->client_id, pending->question.body, &frame, err);
        if (r < 0)
                return r;
        connection->correlation =
                connection->correlation == INT32_MAX ? 0 : connection->correlation + 1;
        pending->is_sent = true;
        pending->question.body = NULL;
        stream_write(connection->stream, frame.data, frame.size);
        return 0;
}

static size_t connection_first_unsent(const KafkaConnection *connection) {
        size_t i = 0;

        while (i < connection->n_pending && connection->pending[i].is_sent)
                i++;
        return i;
}

static void connection_flush(KafkaConnection *connection) {
        while (connection->is_ready) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                size_t i = connection_first_unsent(connection);
                if (i == connection->n_pending)
                        return;
                Pending *pending = &connection->pending[i];
                if (pending->is_forgotten)
                        pending_finish(connection, i, NULL, NULL);
                else if (pending_send(connection, pending, &err) < 0)
                        pending_finish(connection, i,
                                       pending->version < 0 && pending->question.is_optional ? NULL
                                                                                             : &err,
                                       NULL);
        }
}

static Pending *connection_add(KafkaConnection *connection, const KafkaQuestion *question) {
        MR_GROW(connection->pending, connection->n_pending, connection->n_allocated);
        Pending *pending = &connection->pending[connection->n_pending++];
        *pending = (Pending){.question = *question, .message = kafka_message(question->api)};
        return pending;
}

static int on_flush(sd_event_source *source, void *userdata) {
        KafkaConnection *connection = userdata;

        (void) source;
        connection_enter(connection);
        connection_flush(connection);
        connection_leave(connection);
        return 0;
}

void kafka_connection_ask(KafkaConnection *connection, const KafkaQuestion *question) {
        (void) connection_add(connection, question);
        /* Sent from the loop, so that no reply comes below the caller. */
        if (connection->is_ready)
                (void) sd_event_source_set_enabled(connection->flush, SD_EVENT_ONESHOT);
}

void kafka_connection_forget(KafkaConnection *connection, const void *userdata) {
        for (size_t i = 0; i < connection->n_pending; i++)
                if (connection->pending[i].question.userdata == userdata) {
                        connection->pending[i].is_forgotten = true;
                        connection->pending[i].question.body = NULL;
                }
}

/* The opening requests go ahead of everything that waits. */
static void connection_open_with(KafkaConnection *connection, KafkaApi api, const MrTree *body,
                                 KafkaReply reply) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Pending pending = {
                .question = {.api = api, .body = body, .reply = reply, .userdata = connection},
                .message = kafka_message(api),
        };

        if (pending_send(connection, &pending, &err) < 0)
                return connection_fail_protocol(connection, &err);
        (void) connection_add(connection, &pending.question);
        memmove(connection->pending + 1, connection->pending,
                (connection->n_pending - 1) * sizeof(Pending));
        connection->pending[0] = pending;
}

static void connection_opened(KafkaConnection *connection) {
        connection->timer = sd_event_source_disable_unref(connection->timer);
        connection->scram = sasl_scram_free(connection->scram);
        connection->is_ready = true;
        connection_flush(connection);
}

/* Reports why the broker does not let us in. The failure of the connection itself is told
 * elsewhere. */
static bool opening_failed(KafkaConnection *connection, int r, MrError *err) {
        if (r >= 0)
                return false;
        (void) mr_error_within(err, r, "%s", connection->peer);
        connection_fail(connection, err);
        return true;
}

static int sasl_check(const MrTree *response, MrBuf *ret_text, MrError *err) {
        const char *bytes = mr_tree_get_string(response, "auth_bytes");

        int r = kafka_error_check_in(response, err);
        if (r >= 0 && (!bytes || mr_unbase64(bytes, strlen(bytes), ret_text) < 0))
                r = mr_fail(err, MR_TRANSIENT, NULL, "the broker sent no SASL message");
        return r;
}

static void connection_authenticate(KafkaConnection *connection, const MrBuf *message,
                                    KafkaReply reply) {
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        mr_base64(message->data, message->size, &text);
        mr_tree_set_string(body, "auth_bytes", mr_buf_text(&text));
        connection_open_with(connection, KAFKA_SASL_AUTHENTICATE, body, reply);
}

static void on_sasl_verified(const MrError *err, const MrTree *response, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        if (err)
                return;
        int r = sasl_check(response, &text, &own);
        if (r >= 0)
                r = sasl_scram_verify(connection->scram, mr_buf_text(&text), &own);
        if (!opening_failed(connection, r, &own))
                connection_opened(connection);
}

static void on_sasl_challenge(const MrError *err, const MrTree *response, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;
        _cleanup_(mr_buf_wipe) MrBuf text = {};
        _cleanup_(mr_buf_wipe) MrBuf proof = {};

        if (err)
                return;
        int r = sasl_check(response, &text, &own);
        if (r >= 0)
                r = sasl_scram_prove(connection->scram, mr_buf_text(&text), &proof, &own);
        if (!opening_failed(connection, r, &own))
                connection_authenticate(connection, &proof, on_sasl_verified);
}

static void on_sasl_handshake(const MrError *err, const MrTree *response, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf first = {};

        if (err)
                return;
        int r = kafka_error_check_in(response, &own);
        if (r >= 0)
                r = sasl_scram_new(SCRAM_SHA_512, connection->user, connection->password, NULL,
                                   &connection->scram, &own);
        if (opening_failed(connection, r, &own))
                return;
        sasl_scram_first(connection->scram, &first);
        connection_authenticate(connection, &first, on_sasl_challenge);
}

static void connection_learn_versions(KafkaConnection *connection, const MrTree *keys) {
        for (size_t i = 0; i < mr_tree_size(keys); i++) {
                const MrTree *key = mr_tree_at(keys, i);
                int64_t newest = mr_tree_get_int(key, "max_version", -1);
                const KafkaMessage *message =
                        kafka_message((KafkaApi) mr_tree_get_int(key, "api_key", -1));
                if (!message || newest < message->oldest ||
                    mr_tree_get_int(key, "min_version", 0) > message->newest)
                        continue;
                connection->versions[message->api] =
                        newest < message->newest ? (int16_t) newest : message->newest;
        }
}

static void on_versions(const MrError *err, const MrTree *response, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();

        if (err || opening_failed(connection, kafka_error_check_in(response, &own), &own))
                return;
        connection_learn_versions(connection, mr_tree_get(response, "api_keys"));
        if (!connection->user)
                return connection_opened(connection);
        mr_tree_set_string(body, "mechanism", scram_name(SCRAM_SHA_512));
        connection_open_with(connection, KAFKA_SASL_HANDSHAKE, body, on_sasl_handshake);
}

static void on_connected(Stream *stream, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();

        (void) stream;
        connection_enter(connection);
        mr_tree_set_string(body, "client_software_name", "millrace");
        mr_tree_set_string(body, "client_software_version", MILLRACE_VERSION);
        connection_open_with(connection, KAFKA_API_VERSIONS, body, on_versions);
        connection_leave(connection);
}

static void connection_take_frame(KafkaConnection *connection, const char *data, size_t size) {
        _cleanup_(mr_tree_freep) MrTree *response = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (connection->n_pending == 0 || !connection->pending[0].is_sent) {
                (void) mr_fail(&err, MR_INVALID, NULL, "nothing was asked");
                return connection_fail_protocol(connection, &err);
        }
        const Pending *pending = &connection->pending[0];
        int r = kafka_response_decode(pending->message, pending->version, pending->correlation,
                                      data, size, &response, &err);
        if (r < 0)
                return connection_fail_protocol(connection, &err);
        pending_finish(connection, 0, NULL, response);
}

/* 1 when a whole frame lies at the start of the input, 0 when more must come. */
static int connection_next_frame(KafkaConnection *connection, size_t *ret_size, MrError *err) {
        WireReader reader = WIRE_READER(connection->input.data, connection->input.size);
        int64_t size = 0;

        if (reader.left < 4)
                return 0;
        int r = wire_read_int(&reader, 4, &size, err);
        if (r < 0)
                return r;
        if (size < 4 || size > WIRE_MESSAGE_MAX)
                return mr_fail(err, MR_INVALID, NULL,
                               "a message of %lld bytes is announced; is this Kafka?",
                               (long long) size);
        *ret_size = (size_t) size;
        return reader.left >= (size_t) size;
}

static void on_received(Stream *stream, const void *data, size_t size, void *userdata) {
        KafkaConnection *connection = userdata;

        (void) stream;
        connection_enter(connection);
        mr_buf_append(&connection->input, data, size);
        while (!connection->is_closed) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                size_t frame = 0;
                int r = connection_next_frame(connection, &frame, &err);
                if (r < 0)
                        connection_fail_protocol(connection, &err);
                if (r <= 0)
                        break;
                connection_take_frame(connection, connection->input.data + 4, frame);
                if (!connection->is_closed)
                        mr_buf_drop(&connection->input, frame + 4);
        }
        if (connection->input.size == 0 && connection->input.allocated > BUFFER_KEEP_MAX)
                mr_buf_done(&connection->input);
        connection_leave(connection);
}

static void on_closed(Stream *stream _unused_, const MrError *err, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError own = MR_ERROR_INIT;

        (void) stream;
        connection_enter(connection);
        if (!err)
                (void) mr_fail(&own, MR_TRANSIENT, connection->peer,
                               "the broker has closed the connection");
        connection_fail(connection, err ? err : &own);
        connection_leave(connection);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        KafkaConnection *connection = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) source;
        (void) usec;
        connection_enter(connection);
        (void) mr_fail_errno(&err, ETIMEDOUT, connection->peer, "the broker takes no requests");
        connection_fail(connection, &err);
        connection_leave(connection);
        return 0;
}

static int connection_start(KafkaConnection *connection, const KafkaConnectionArgs *args,
                            MrError *err) {
        static const StreamOps ops = {
                .connected = on_connected, .received = on_received, .closed = on_closed};
        uint64_t usec =
                args->connect_timeout_usec ? args->connect_timeout_usec : CONNECT_TIMEOUT_USEC;
        StreamArgs stream = {
                .host = args->host,
                .port = args->port,
                .tls = args->security.tls,
                .server_name = args->server_name,
                .connect_timeout_usec = usec,
                .ops = &ops,
                .userdata = connection,
        };

        int r = sd_event_add_time_relative(connection->event, &connection->timer, CLOCK_MONOTONIC,
                                           usec, TIMER_ACCURACY_USEC, on_timeout, connection);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot arm a timer");
        r = sd_event_add_defer(connection->event, &connection->flush, on_flush, connection);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot make an event source");
        (void) sd_event_source_set_enabled(connection->flush, SD_EVENT_OFF);
        r = stream_new(connection->event, &stream, &connection->stream, err);
        if (r >= 0)
                connection->peer = mr_strdup(stream_peer(connection->stream));
        return r;
}

int kafka_connection_new(sd_event *event, const KafkaConnectionArgs *args, KafkaConnection **ret,
                         MrError *err) {
        _cleanup_(kafka_connection_freep) KafkaConnection *connection = mr_new(KafkaConnection, 1);

        *connection = (KafkaConnection){
                .event = sd_event_ref(event),
                .client_id = mr_strdup(args->client_id ? args->client_id : "millrace"),
                .user = mr_strdup(args->security.user),
                .password = mr_strdup(args->security.user ? args->security.password : NULL),
                .closed = args->closed,
                .userdata = args->userdata,
        };
        memset(connection->versions, 0xff, sizeof(connection->versions));
        int r = connection_start(connection, args, err);
        if (r < 0)
                return r;
        *ret = TAKE(connection);
        return 0;
}
