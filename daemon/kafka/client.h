#pragma once

/* A cluster as one thing to talk to: it knows a few addresses to begin with, learns the rest, keeps
 * connections, and brings each request to any broker, to a given one, or to the controller. */

#include "kafka/connection.h"

typedef struct KafkaClient KafkaClient;
typedef struct KafkaCall KafkaCall;

#define KAFKA_ANY (-1)        /* whichever answers first in the order of addresses */
#define KAFKA_CONTROLLER (-2) /* with KRaft any broker, which passes it on */

typedef struct KafkaAddress {
        const char *host;
        uint16_t port;
        const char *server_name; /* expected in the certificate, and what brokers call each other
                                    where that is not `host`; NULL: host */
        int32_t node_id; /* -1: unknown. A known one is asked here and not where it advertises
                            itself */
} KafkaAddress;

typedef struct KafkaClientArgs {
        const KafkaAddress *addresses;
        size_t n_addresses;
        KafkaSecurity security;
        const char *client_id;         /* NULL: "millrace" */
        uint64_t connect_timeout_usec; /* per broker; 0: five seconds */
} KafkaClientArgs;

/* Connects to nobody before it is asked to. Copies args, and takes a reference to security.tls. */
int kafka_client_new(sd_event *event, const KafkaClientArgs *args, KafkaClient **ret,
                     MrError *err) _must_check_;
/* Calls under way get their reply, an error, from inside; cancel those whose reply is not wanted.
 */
KafkaClient *kafka_client_free(KafkaClient *client);
DEFINE_CLEANUP(KafkaClient *, kafka_client_free);

typedef struct KafkaRequest {
        KafkaApi api;
        int32_t target;        /* a node id, KAFKA_ANY or KAFKA_CONTROLLER */
        MrTree *take_body;     /* NULL: all defaults */
        bool is_optional;      /* a broker that does not know the request is no error: both NULL */
        uint64_t timeout_usec; /* in all; 0: 15 seconds */
        /* Finds the errors inside a response; NULL: the field error_code and error_message */
        int (*check)(const MrTree *response, MrError *err);
        KafkaReply reply;
        void *userdata;
} KafkaRequest;

/* Requests must be safe to repeat: one whose connection breaks is tried again elsewhere. The reply
 * comes from the loop; with it the call is gone. */
KafkaCall *kafka_client_call(KafkaClient *client, const KafkaRequest *request);
/* No reply. Takes and returns NULL. */
KafkaCall *kafka_call_cancel(KafkaCall *call);
