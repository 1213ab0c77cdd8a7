#pragma once

/* The requests this client knows, each with the versions it speaks and the tables of both
 * directions, and the frame around them: size, header, body. */

#include "kafka/codec.h"

typedef enum KafkaApi {
        KAFKA_METADATA = 3,
        KAFKA_SASL_HANDSHAKE = 17,
        KAFKA_API_VERSIONS = 18,
        KAFKA_DESCRIBE_CONFIGS = 32,
        KAFKA_DESCRIBE_LOG_DIRS = 35,
        KAFKA_SASL_AUTHENTICATE = 36,
        KAFKA_INCREMENTAL_ALTER_CONFIGS = 44,
        KAFKA_DESCRIBE_CLIENT_QUOTAS = 48,
        KAFKA_ALTER_CLIENT_QUOTAS = 49,
        KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS = 50,
        KAFKA_ALTER_USER_SCRAM_CREDENTIALS = 51,
        KAFKA_DESCRIBE_QUORUM = 55,
        KAFKA_UPDATE_FEATURES = 57,
        KAFKA_DESCRIBE_CLUSTER = 60,
        KAFKA_UNREGISTER_BROKER = 64,
        KAFKA_ADD_RAFT_VOTER = 80,
        KAFKA_REMOVE_RAFT_VOTER = 81,
} KafkaApi;

typedef struct KafkaMessage {
        KafkaApi api;
        const char *name;
        int16_t oldest, newest; /* versions this client speaks */
        int16_t flexible_since; /* larger than newest: never */
        const CodecField *request;
        const CodecField *response;
} KafkaMessage;

/* NULL when this client does not know it. */
const KafkaMessage *kafka_message(KafkaApi api);
/* All of them, in order of their number; NULL beyond the end. For tests. */
const KafkaMessage *kafka_message_at(size_t i);
CodecForm kafka_message_form(const KafkaMessage *message, int16_t version);

/* A whole frame, from its size on, appended to out. */
int kafka_request_encode(const KafkaMessage *message, int16_t version, int32_t correlation,
                         const char *client_id, const MrTree *body, MrBuf *out,
                         MrError *err) _must_check_;
/* `data` is a frame without its size. Fails when it answers another request than `correlation`. */
int kafka_response_decode(const KafkaMessage *message, int16_t version, int32_t correlation,
                          const void *data, size_t size, MrTree **ret, MrError *err) _must_check_;
