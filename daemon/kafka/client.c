#include "kafka/client.h"

#include <errno.h>
#include <string.h>

#include "crypto/secret.h"
#include "kafka/errors.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define CONNECT_TIMEOUT_USEC (5U * 1000 * 1000)
#define CALL_TIMEOUT_USEC (15U * 1000 * 1000)
#define TIMER_ACCURACY_USEC (20U * 1000)
/* More brokers than any cluster has; what lies beyond is not learned. */
#define PEERS_MAX 1000U

/* One broker, or one address of which nobody knows yet whose it is. */
typedef struct Peer {
        KafkaClient *client;
        char *host;
        uint16_t port;
        char *server_name;
        int32_t node_id; /* -1: unknown */
        bool is_given;   /* from args: its address does not change */
        KafkaConnection *connection;
} Peer;

typedef enum CallState {
        CALL_NEW,           /* waits for its turn to be sent */
        CALL_WAITS_FOR_MAP, /* waits to learn where its target lives */
        CALL_ASKED,
} CallState;

struct KafkaCall {
        KafkaClient *client;
        KafkaRequest request;
        MrTree *body;
        CallState state;
        Peer *peer;         /* while CALL_ASKED */
        size_t n_tried;     /* peers asked, for KAFKA_ANY */
        bool has_connected; /* a connection was opened for it, so the next failure counts */
        bool has_refreshed; /* the map was asked for on its behalf */
        MrError last;       /* why the last peer did not do */
        sd_event_source *timer;
};

struct KafkaClient {
        sd_event *event;
        sd_event_source *pump;
        TlsClient *tls;
        char *user, *password, *client_id;
        uint64_t connect_timeout_usec;
        Peer **peers;
        size_t n_peers, n_peers_allocated;
        size_t preferred;      /* the peer that KAFKA_ANY tries first: one that has answered */
        int32_t controller_id; /* -1: unknown */
        KafkaCall *map_call;   /* asks who and where the brokers are */
        KafkaCall **calls;
        size_t n_calls, n_calls_allocated;
        unsigned n_entered;
        bool is_freed;
};

static Peer *peer_free(Peer *peer) {
        kafka_connection_free(peer->connection);
        free(peer->host);
        free(peer->server_name);
        free(peer);
        return NULL;
}

static void client_release(KafkaClient *client) {
        for (size_t i = 0; i < client->n_peers; i++)
                peer_free(client->peers[i]);
        free(client->peers);
        free(client->calls);
        sd_event_source_disable_unref(client->pump);
        sd_event_unref(client->event);
        tls_client_unref(client->tls);
        free(client->user);
        secret_text_free(client->password);
        free(client->client_id);
        free(client);
}

static void client_enter(KafkaClient *client) {
        client->n_entered++;
}

static void client_leave(KafkaClient *client) {
        if (--client->n_entered == 0 && client->is_freed)
                client_release(client);
}

static void client_wake(KafkaClient *client) {
        if (!client->is_freed)
                (void) sd_event_source_set_enabled(client->pump, SD_EVENT_ONESHOT);
}

static void call_release(KafkaCall *call) {
        sd_event_source_disable_unref(call->timer);
        mr_tree_free(call->body);
        mr_error_done(&call->last);
        free(call);
}

static void call_detach(KafkaCall *call) {
        KafkaClient *client = call->client;

        if (call->peer && call->peer->connection)
                kafka_connection_forget(call->peer->connection, call);
        if (client->map_call == call)
                client->map_call = NULL;
        for (size_t i = 0; i < client->n_calls; i++)
                if (client->calls[i] == call) {
                        client->n_calls--;
                        memmove(client->calls + i, client->calls + i + 1,
                                (client->n_calls - i) * sizeof(*client->calls));
                        return;
                }
}

KafkaCall *kafka_call_cancel(KafkaCall *call) {
        if (!call)
                return NULL;
        call_detach(call);
        call_release(call);
        return NULL;
}

static void call_complete(KafkaCall *call, const MrError *err, const MrTree *response) {
        call_detach(call);
        call->request.reply(err, response, call->request.userdata);
        call_release(call);
}

KafkaClient *kafka_client_free(KafkaClient *client) {
        if (!client || client->is_freed)
                return NULL;
        client->is_freed = true;
        client_enter(client);
        while (client->n_calls > 0) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                (void) mr_fail(&err, MR_TRANSIENT, NULL, "the client was closed");
                /* A completed call has left the list: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
                call_complete(client->calls[0], &err, NULL);
        }
        for (size_t i = 0; i < client->n_peers; i++)
                client->peers[i]->connection = kafka_connection_free(client->peers[i]->connection);
        client_leave(client);
        return NULL;
}

static Peer *client_add_peer(KafkaClient *client, const KafkaAddress *address, bool is_given) {
        Peer *peer = mr_new(Peer, 1);

        *peer = (Peer){
                .client = client,
                .host = mr_strdup(address->host),
                .port = address->port,
                .server_name = mr_strdup(address->server_name),
                .node_id = address->node_id,
                .is_given = is_given,
        };
        MR_GROW(client->peers, client->n_peers, client->n_peers_allocated);
        client->peers[client->n_peers++] = peer;
        return peer;
}

static Peer *client_find_node(const KafkaClient *client, int32_t node_id) {
        for (size_t i = 0; node_id >= 0 && i < client->n_peers; i++)
                if (client->peers[i]->node_id == node_id)
                        return client->peers[i];
        return NULL;
}

static Peer *client_find_nameless(const KafkaClient *client, const char *host, uint16_t port) {
        for (size_t i = 0; i < client->n_peers; i++) {
                Peer *peer = client->peers[i];
                bool is_it = mr_streq(peer->host, host) || mr_streq(peer->server_name, host);
                if (peer->node_id < 0 && peer->port == port && is_it)
                        return peer;
        }
        return NULL;
}

static void on_connection_closed(KafkaConnection *connection, const MrError *err _unused_,
                                 void *userdata) {
        Peer *peer = userdata;

        if (peer->connection == connection)
                peer->connection = NULL;
        kafka_connection_free(connection);
}

static int peer_connect(Peer *peer, MrError *err) {
        const KafkaClient *client = peer->client;
        KafkaConnectionArgs args = {
                .host = peer->host,
                .port = peer->port,
                .server_name = peer->server_name,
                .client_id = client->client_id,
                .security = {client->tls, client->user, client->password},
                .connect_timeout_usec = client->connect_timeout_usec,
                .closed = on_connection_closed,
                .userdata = peer,
        };

        if (peer->connection)
                return 0;
        return kafka_connection_new(client->event, &args, &peer->connection, err);
}

static void call_retry(KafkaCall *call, const MrError *err) {
        mr_error_done(&call->last);
        (void) mr_fail(&call->last, err->kind, err->path, "%s", err->message);
        call->state = CALL_NEW;
        call->peer = NULL;
        client_wake(call->client);
}

/* Closes the connection; what was asked over it is asked again. */
static void peer_disconnect(Peer *peer, const MrError *err) {
        const KafkaClient *client = peer->client;

        for (size_t i = 0; i < client->n_calls; i++)
                if (client->calls[i]->peer == peer)
                        call_retry(client->calls[i], err);
        peer->connection = kafka_connection_free(peer->connection);
}

static void peer_move(Peer *peer, const char *host, uint16_t port) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (peer->is_given || (peer->port == port && mr_streq(peer->host, host)))
                return;
        (void) mr_fail(&err, MR_TRANSIENT, NULL, "the broker has moved to %s:%u", host,
                       (unsigned) port);
        peer_disconnect(peer, &err);
        free(peer->host);
        peer->host = mr_strdup(host);
        peer->port = port;
}

static void client_learn_broker(KafkaClient *client, const MrTree *broker) {
        KafkaAddress address = {
                .host = mr_tree_get_string(broker, "host"),
                .port = (uint16_t) mr_tree_get_int(broker, "port", 0),
                .node_id = (int32_t) mr_tree_get_int(broker, "broker_id", -1),
        };
        Peer *peer = client_find_node(client, address.node_id);

        /* A fenced broker that never came up has no address. */
        if (address.node_id < 0 || mr_is_empty(address.host) || address.port == 0)
                return;
        if (peer)
                return peer_move(peer, address.host, address.port);
        peer = client_find_nameless(client, address.host, address.port);
        if (peer)
                peer->node_id = address.node_id;
        else if (client->n_peers < PEERS_MAX)
                (void) client_add_peer(client, &address, false);
}

static void client_learn(KafkaClient *client, const MrTree *cluster) {
        const MrTree *brokers = mr_tree_get(cluster, "brokers");

        client->controller_id = (int32_t) mr_tree_get_int(cluster, "controller_id", -1);
        for (size_t i = 0; i < mr_tree_size(brokers); i++)
                client_learn_broker(client, mr_tree_at(brokers, i));
}

/* The controller has moved: its new place is looked up once. */
static bool call_lost_controller(KafkaCall *call, const MrError *err) {
        if (call->request.target != KAFKA_CONTROLLER || err->kind != MR_CONFLICT ||
            call->has_refreshed)
                return false;
        call->client->controller_id = -1;
        call_retry(call, err);
        return true;
}

static void call_answered(KafkaCall *call, const MrTree *response) {
        KafkaClient *client = call->client;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        for (size_t i = 0; i < client->n_peers; i++)
                if (client->peers[i] == call->peer)
                        client->preferred = i;
        call->peer = NULL;
        int r = response ? call->request.check(response, &err) : 0;
        if (r < 0 && call_lost_controller(call, &err))
                return;
        if (r >= 0 && response && call->request.api == KAFKA_DESCRIBE_CLUSTER)
                client_learn(client, response);
        call_complete(call, r < 0 ? &err : NULL, r < 0 ? NULL : response);
}

static void on_reply(const MrError *err, const MrTree *response, void *userdata) {
        KafkaCall *call = userdata;
        KafkaClient *client = call->client;

        client_enter(client);
        if (!err)
                call_answered(call, response);
        else if (err->kind == MR_INVALID)
                call_complete(call, err, NULL);
        else
                call_retry(call, err);
        client_leave(client);
}

static void call_ask(KafkaCall *call, Peer *peer) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        call->n_tried++;
        call->has_connected |= !peer->connection || !kafka_connection_is_ready(peer->connection);
        if (peer_connect(peer, &err) < 0)
                return call_retry(call, &err);
        call->peer = peer;
        call->state = CALL_ASKED;
        kafka_connection_ask(peer->connection,
                             &(KafkaQuestion){.api = call->request.api,
                                              .body = call->body,
                                              .is_optional = call->request.is_optional,
                                              .reply = on_reply,
                                              .userdata = call});
}

static void call_give_up(KafkaCall *call) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!call->last.message)
                (void) mr_fail(&call->last, MR_TRANSIENT, NULL, "no broker's address is known");
        mr_error_move(&err, &call->last);
        call_complete(call, &err, NULL);
}

static void call_ask_any(KafkaCall *call) {
        KafkaClient *client = call->client;

        if (call->n_tried >= client->n_peers)
                return call_give_up(call);
        call_ask(call, client->peers[(client->preferred + call->n_tried) % client->n_peers]);
}

static void on_map(const MrError *err, const MrTree *response, void *userdata) {
        KafkaClient *client = userdata;

        (void) response;
        for (size_t i = 0; i < client->n_calls; i++) {
                KafkaCall *call = client->calls[i];
                if (call->state != CALL_WAITS_FOR_MAP)
                        continue;
                if (err)
                        call_retry(call, err);
                call->state = CALL_NEW;
        }
        client_wake(client);
}

static void call_wait_for_map(KafkaCall *call) {
        KafkaClient *client = call->client;

        call->has_refreshed = true;
        call->state = CALL_WAITS_FOR_MAP;
        if (client->map_call)
                return;
        client->map_call = kafka_client_call(client, &(KafkaRequest){.api = KAFKA_DESCRIBE_CLUSTER,
                                                                     .target = KAFKA_ANY,
                                                                     .reply = on_map,
                                                                     .userdata = client});
}

/* A connection that was open may turn out to be dead, so only the failure of a fresh one counts. */
static void call_ask_node(KafkaCall *call, int32_t node_id) {
        Peer *peer = client_find_node(call->client, node_id);

        if (peer && !call->has_connected)
                return call_ask(call, peer);
        if (!peer && !call->has_refreshed)
                return call_wait_for_map(call);
        if (!peer && !call->last.message)
                (void) mr_fail(&call->last, MR_TRANSIENT, NULL, "broker %d is not registered",
                               node_id);
        call_give_up(call);
}

/* The one we know may be gone; who it is now is asked once. */
static void call_ask_controller(KafkaCall *call) {
        KafkaClient *client = call->client;

        if (call->has_connected && !call->has_refreshed) {
                call->has_connected = false;
                client->controller_id = -1;
        }
        if (client->controller_id >= 0)
                return call_ask_node(call, client->controller_id);
        if (!call->has_refreshed)
                return call_wait_for_map(call);
        if (!call->last.message)
                (void) mr_fail(&call->last, MR_TRANSIENT, NULL, "the cluster has no controller");
        call_give_up(call);
}

static void call_go(KafkaCall *call) {
        if (call->request.target == KAFKA_ANY)
                call_ask_any(call);
        else if (call->request.target == KAFKA_CONTROLLER)
                call_ask_controller(call);
        else
                call_ask_node(call, call->request.target);
}

static KafkaCall *client_next_new(const KafkaClient *client) {
        for (size_t i = 0; i < client->n_calls; i++)
                if (client->calls[i]->state == CALL_NEW) /* NOLINT: see kafka_client_free() */
                        return client->calls[i];
        return NULL;
}

static int on_pump(sd_event_source *source, void *userdata) {
        KafkaClient *client = userdata;
        KafkaCall *call = NULL;
        size_t turns = client->n_calls; /* so that calls that fail at once do not hold the loop */

        (void) source;
        client_enter(client);
        while (!client->is_freed && turns-- > 0 && (call = client_next_new(client)))
                call_go(call);
        if (!client->is_freed && client_next_new(client))
                client_wake(client);
        client_leave(client);
        return 0;
}

/* Whoever asks the same broker meanwhile would wait behind the answer that does not come, so the
 * connection ends too. */
static int on_call_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        KafkaCall *call = userdata;
        KafkaClient *client = call->client;
        Peer *peer = call->peer;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) source;
        (void) usec;
        client_enter(client);
        if (call->last.message)
                mr_error_move(&err, &call->last);
        else
                (void) mr_fail_errno(&err, ETIMEDOUT, peer ? peer->host : NULL, "no answer to %s",
                                     kafka_message(call->request.api)->name);
        call_detach(call);
        if (peer && peer->connection)
                peer_disconnect(peer, &err);
        call_complete(call, &err, NULL);
        client_leave(client);
        return 0;
}

KafkaCall *kafka_client_call(KafkaClient *client, const KafkaRequest *request) {
        KafkaCall *call = mr_new(KafkaCall, 1);
        uint64_t usec = request->timeout_usec ? request->timeout_usec : CALL_TIMEOUT_USEC;

        *call = (KafkaCall){.client = client, .request = *request, .body = request->take_body};
        call->request.take_body = NULL;
        call->request.check = request->check ? request->check : kafka_error_check_in;
        MR_GROW(client->calls, client->n_calls, client->n_calls_allocated);
        client->calls[client->n_calls++] = call;
        /* Without a timer the connection's own deadlines still end the call. */
        (void) sd_event_add_time_relative(client->event, &call->timer, CLOCK_MONOTONIC, usec,
                                          TIMER_ACCURACY_USEC, on_call_timeout, call);
        client_wake(client);
        return call;
}

int kafka_client_new(sd_event *event, const KafkaClientArgs *args, KafkaClient **ret,
                     MrError *err) {
        _cleanup_(kafka_client_freep) KafkaClient *client = mr_new(KafkaClient, 1);

        *client = (KafkaClient){
                .event = sd_event_ref(event),
                .tls = tls_client_ref(args->security.tls),
                .user = mr_strdup(args->security.user),
                .password = mr_strdup(args->security.password),
                .client_id = mr_strdup(args->client_id ? args->client_id : "millrace"),
                .connect_timeout_usec = args->connect_timeout_usec ? args->connect_timeout_usec
                                                                   : CONNECT_TIMEOUT_USEC,
                .controller_id = -1,
        };
        for (size_t i = 0; i < args->n_addresses; i++)
                (void) client_add_peer(client, &args->addresses[i], true);
        int r = sd_event_add_defer(event, &client->pump, on_pump, client);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot make an event source");
        (void) sd_event_source_set_enabled(client->pump, SD_EVENT_OFF);
        *ret = TAKE(client);
        return 0;
}
