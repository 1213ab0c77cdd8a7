#pragma once

/* One connection to one broker: it asks for versions, authenticates, and then carries any number of
 * requests, which may be handed over at any time. It does not reconnect. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "io/tls.h"
#include "kafka/messages.h"

typedef struct KafkaConnection KafkaConnection;

typedef struct KafkaSecurity {
        TlsClient *tls;   /* borrowed; NULL: plain TCP */
        const char *user; /* SCRAM-SHA-512; NULL: none */
        const char *password;
} KafkaSecurity;

/* Called once, from the loop. err: no response has come. Both NULL: an optional request that this
 * broker does not know. All is borrowed. */
typedef void (*KafkaReply)(const MrError *err, const MrTree *response, void *userdata);

typedef struct KafkaConnectionArgs {
        const char *host;
        uint16_t port;
        const char *server_name; /* expected in the broker's certificate; NULL: host */
        const char *client_id;
        KafkaSecurity security;
        uint64_t connect_timeout_usec; /* until the broker takes requests; 0: ten seconds */
        /* The connection is of no more use; every request has had its reply. It may be freed from
         * inside. */
        void (*closed)(KafkaConnection *connection, const MrError *err, void *userdata);
        void *userdata;
} KafkaConnectionArgs;

/* Starts to connect. Nothing is called back before the loop runs. */
int kafka_connection_new(sd_event *event, const KafkaConnectionArgs *args, KafkaConnection **ret,
                         MrError *err) _must_check_;
/* Closes; requests under way get no reply. Takes and returns NULL. */
KafkaConnection *kafka_connection_free(KafkaConnection *connection);
DEFINE_CLEANUP(KafkaConnection *, kafka_connection_free);

typedef struct KafkaQuestion {
        KafkaApi api;
        const MrTree *body; /* borrowed until the reply or until forgotten */
        bool is_optional;   /* a broker that does not know the request is no error */
        KafkaReply reply;
        void *userdata;
} KafkaQuestion;

void kafka_connection_ask(KafkaConnection *connection, const KafkaQuestion *question);
/* No reply for questions with this userdata. One that was sent stays in the way of later ones. */
void kafka_connection_forget(KafkaConnection *connection, const void *userdata);
bool kafka_connection_is_ready(const KafkaConnection *connection);
