#include "fake-broker.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kafka/wire.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define CONNECTIONS_MAX 16
#define API_MAX 128

typedef struct FakeConnection {
        FakeBroker *broker;
        int fd;
        sd_event_source *source;
        MrBuf input;
} FakeConnection;

struct FakeBroker {
        sd_event *event;
        int fd;
        sd_event_source *source;
        uint16_t port;
        FakeHandler handler;
        void *userdata;
        FakeConnection connections[CONNECTIONS_MAX];
        unsigned n_accepted;
        unsigned n_asked[API_MAX];
        KafkaApi unlearned;
        MrBuf words;
};

static void need(bool is_so) {
        if (!is_so)
                abort();
}

static void connection_close(FakeConnection *connection) {
        if (!connection->broker)
                return;
        sd_event_source_disable_unref(connection->source);
        close(connection->fd);
        mr_buf_done(&connection->input);
        *connection = (FakeConnection){};
}

static MrTree *answer_versions(const FakeBroker *broker) {
        MrTree *answer = mr_tree_new_map();
        MrTree *keys = mr_tree_need_list(answer, "api_keys");

        for (size_t i = 0; kafka_message_at(i); i++) {
                const KafkaMessage *message = kafka_message_at(i);
                if (message->api == broker->unlearned)
                        continue;
                MrTree *key = mr_tree_append(keys, mr_tree_new_map());
                mr_tree_set_int(key, "api_key", message->api);
                mr_tree_set_int(key, "min_version", 0);
                mr_tree_set_int(key, "max_version", message->newest);
        }
        return answer;
}

static void send_all(int fd, const MrBuf *bytes) {
        (void) !send(fd, bytes->data, bytes->size, MSG_NOSIGNAL);
}

static void connection_answer(FakeConnection *connection, const KafkaMessage *message,
                              int16_t version, int64_t correlation, const MrTree *answer) {
        _cleanup_buf_ MrBuf body = {};
        _cleanup_buf_ MrBuf frame = {};
        CodecForm form = kafka_message_form(message, version);

        wire_write_int(&body, 4, correlation);
        if (form.is_flexible && message->api != KAFKA_API_VERSIONS)
                wire_write_varuint(&body, 0);
        need(codec_encode(message->response, form, answer, &body, NULL) == 0);
        wire_write_int(&frame, 4, (int64_t) body.size);
        mr_buf_append(&frame, body.data, body.size);
        send_all(connection->fd, &frame);
}

static void connection_take(FakeConnection *connection, WireReader reader) {
        FakeBroker *broker = connection->broker;
        _cleanup_(mr_tree_freep) MrTree *request = NULL;
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;
        int64_t api = 0, version = 0, correlation = 0, id_size = 0;
        WireReader id;

        need(wire_read_int(&reader, 2, &api, NULL) == 0 &&
             wire_read_int(&reader, 2, &version, NULL) == 0);
        need(wire_read_int(&reader, 4, &correlation, NULL) == 0 &&
             wire_read_int(&reader, 2, &id_size, NULL) == 0);
        need(wire_read_span(&reader, (size_t) id_size, &id, NULL) == 0);
        const KafkaMessage *message = kafka_message((KafkaApi) api);
        CodecForm form = kafka_message_form(message, (int16_t) version);
        if (form.is_flexible)
                need(wire_read_span(&reader, 1, &id, NULL) == 0);
        need(codec_decode(message->request, form, reader.at, reader.left, &request, NULL) == 0);
        broker->n_asked[api]++;
        answer = broker->handler
                         ? broker->handler(broker, (KafkaApi) api, request, broker->userdata)
                         : NULL;
        if (!connection->broker)
                return;
        if (broker->words.size > 0) {
                send_all(connection->fd, &broker->words);
                mr_buf_clear(&broker->words);
                return;
        }
        if (!answer && api == KAFKA_API_VERSIONS)
                answer = answer_versions(broker);
        if (answer)
                connection_answer(connection, message, (int16_t) version, correlation, answer);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FakeConnection *connection = userdata;
        char buffer[4096];
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

        (void) source;
        (void) revents;
        if (n <= 0) {
                connection_close(connection);
                return 0;
        }
        mr_buf_append(&connection->input, buffer, (size_t) n);
        while (connection->broker && connection->input.size >= 4) {
                WireReader reader = WIRE_READER(connection->input.data, connection->input.size);
                int64_t size = 0;
                need(wire_read_int(&reader, 4, &size, NULL) == 0);
                if (reader.left < (size_t) size)
                        break;
                _cleanup_buf_ MrBuf frame = {};
                mr_buf_append(&frame, reader.at, (size_t) size);
                mr_buf_drop(&connection->input, (size_t) size + 4);
                connection_take(connection, WIRE_READER(frame.data, frame.size));
        }
        return 0;
}

static int on_acceptable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FakeBroker *broker = userdata;

        (void) source;
        (void) revents;
        broker->n_accepted++;
        for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
                FakeConnection *connection = &broker->connections[i];
                if (connection->broker)
                        continue;
                *connection = (FakeConnection){.broker = broker,
                                               .fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC)};
                need(sd_event_add_io(broker->event, &connection->source, connection->fd, EPOLLIN,
                                     on_readable, connection) >= 0);
                return 0;
        }
        abort();
}

FakeBroker *fake_broker_new(sd_event *event, FakeHandler handler, void *userdata) {
        FakeBroker *broker = mr_new(FakeBroker, 1);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);

        *broker = (FakeBroker){.event = event, .handler = handler, .userdata = userdata};
        broker->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        need(bind(broker->fd, (struct sockaddr *) &address, size) == 0 &&
             listen(broker->fd, 8) == 0);
        need(getsockname(broker->fd, (struct sockaddr *) &address, &size) == 0);
        broker->port = ntohs(address.sin_port);
        need(sd_event_add_io(event, &broker->source, broker->fd, EPOLLIN, on_acceptable, broker) >=
             0);
        return broker;
}

void fake_broker_hang_up(FakeBroker *broker) {
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                connection_close(&broker->connections[i]);
}

FakeBroker *fake_broker_free(FakeBroker *broker) {
        if (!broker)
                return NULL;
        fake_broker_hang_up(broker);
        sd_event_source_disable_unref(broker->source);
        close(broker->fd);
        mr_buf_done(&broker->words);
        free(broker);
        return NULL;
}

uint16_t fake_broker_port(const FakeBroker *broker) {
        return broker->port;
}

void fake_broker_say(FakeBroker *broker, const void *data, size_t size) {
        mr_buf_append(&broker->words, data, size);
}

unsigned fake_broker_accepted(const FakeBroker *broker) {
        return broker->n_accepted;
}

unsigned fake_broker_asked(const FakeBroker *broker, KafkaApi api) {
        return broker->n_asked[api];
}

void fake_broker_unlearn(FakeBroker *broker, KafkaApi api) {
        broker->unlearned = api;
}
