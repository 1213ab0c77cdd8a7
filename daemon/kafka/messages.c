#include "kafka/messages.h"

#include <stdio.h>

#include "kafka/messages-tables.h"
#include "kafka/wire.h"

#define NEVER INT16_MAX
#define TABLES(name) .request = name##_request, .response = name##_response

static const KafkaMessage messages[] = {
        {KAFKA_METADATA, "Metadata", 4, 13, 9, TABLES(metadata)},
        {KAFKA_SASL_HANDSHAKE, "SaslHandshake", 1, 1, NEVER, TABLES(sasl_handshake)},
        {KAFKA_API_VERSIONS, "ApiVersions", 3, 4, 3, TABLES(api_versions)},
        {KAFKA_DESCRIBE_CONFIGS, "DescribeConfigs", 1, 4, 4, TABLES(describe_configs)},
        {KAFKA_DESCRIBE_LOG_DIRS, "DescribeLogDirs", 1, 5, 2, TABLES(describe_log_dirs)},
        {KAFKA_SASL_AUTHENTICATE, "SaslAuthenticate", 0, 2, 2, TABLES(sasl_authenticate)},
        {KAFKA_INCREMENTAL_ALTER_CONFIGS, "IncrementalAlterConfigs", 0, 1, 1,
         TABLES(incremental_alter_configs)},
        {KAFKA_DESCRIBE_CLIENT_QUOTAS, "DescribeClientQuotas", 0, 1, 1,
         TABLES(describe_client_quotas)},
        {KAFKA_ALTER_CLIENT_QUOTAS, "AlterClientQuotas", 0, 1, 1, TABLES(alter_client_quotas)},
        {KAFKA_DESCRIBE_USER_SCRAM_CREDENTIALS, "DescribeUserScramCredentials", 0, 0, 0,
         TABLES(describe_user_scram_credentials)},
        {KAFKA_ALTER_USER_SCRAM_CREDENTIALS, "AlterUserScramCredentials", 0, 0, 0,
         TABLES(alter_user_scram_credentials)},
        {KAFKA_DESCRIBE_QUORUM, "DescribeQuorum", 0, 2, 0, TABLES(describe_quorum)},
        {KAFKA_UPDATE_FEATURES, "UpdateFeatures", 1, 2, 0, TABLES(update_features)},
        {KAFKA_DESCRIBE_CLUSTER, "DescribeCluster", 0, 2, 0, TABLES(describe_cluster)},
        {KAFKA_UNREGISTER_BROKER, "UnregisterBroker", 0, 0, 0, TABLES(unregister_broker)},
        {KAFKA_ADD_RAFT_VOTER, "AddRaftVoter", 0, 0, 0, TABLES(add_raft_voter)},
        {KAFKA_REMOVE_RAFT_VOTER, "RemoveRaftVoter", 0, 0, 0, TABLES(remove_raft_voter)},
};

const KafkaMessage *kafka_message_at(size_t i) {
        return i < MR_ELEMENTS(messages) ? &messages[i] : NULL;
}

const KafkaMessage *kafka_message(KafkaApi api) {
        for (size_t i = 0; i < MR_ELEMENTS(messages); i++)
                if (messages[i].api == api)
                        return &messages[i];
        return NULL;
}

CodecForm kafka_message_form(const KafkaMessage *message, int16_t version) {
        return (CodecForm){.version = version, .is_flexible = version >= message->flexible_since};
}

/* The client id keeps its old form in every version, so that any broker can read the header. */
static int header_encode(const KafkaMessage *message, CodecForm form, int32_t correlation,
                         const char *client_id, MrBuf *out, MrError *err) {
        static const CodecField client_id_fields[] = {{.name = "client_id", .type = CODEC_STRING},
                                                      {}};
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();

        wire_write_int(out, 2, message->api);
        wire_write_int(out, 2, form.version);
        wire_write_int(out, 4, correlation);
        mr_tree_set_string(tree, "client_id", client_id);
        int r = codec_encode(client_id_fields, (CodecForm){}, tree, out, err);
        if (r >= 0 && form.is_flexible)
                wire_write_varuint(out, 0);
        return r;
}

int kafka_request_encode(const KafkaMessage *message, int16_t version, int32_t correlation,
                         const char *client_id, const MrTree *body, MrBuf *out, MrError *err) {
        _cleanup_(mr_buf_wipe) MrBuf frame = {};
        CodecForm form = kafka_message_form(message, version);

        int r = header_encode(message, form, correlation, client_id, &frame, err);
        if (r >= 0)
                r = codec_encode(message->request, form, body, &frame, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", message->name);
        if (frame.size > WIRE_MESSAGE_MAX)
                return mr_fail(err, MR_INVALID, message->name, "is larger than %u bytes",
                               WIRE_MESSAGE_MAX);
        wire_write_int(out, 4, (int64_t) frame.size);
        mr_buf_append(out, frame.data, frame.size);
        return 0;
}

/* Tagged fields of a header: none is known to us, so all are passed over. */
static int header_skip_tags(WireReader *reader, MrError *err) {
        uint32_t n = 0, number = 0;
        WireReader span;

        int r = wire_read_varuint(reader, &n, err);
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                r = wire_read_varuint(reader, &number, err);
                if (r >= 0)
                        r = wire_read_varuint(reader, &number, err);
                if (r >= 0)
                        r = wire_read_span(reader, number, &span, err);
        }
        return r;
}

static int header_decode(const KafkaMessage *message, CodecForm form, int32_t correlation,
                         WireReader *reader, MrError *err) {
        int64_t number = 0;

        int r = wire_read_int(reader, 4, &number, err);
        if (r < 0)
                return r;
        if (number != correlation)
                return mr_fail(err, MR_INVALID, NULL, "answers request %lld instead of %d",
                               (long long) number, correlation);
        /* A client asks for versions before it knows any, so this header never changes. */
        if (!form.is_flexible || message->api == KAFKA_API_VERSIONS)
                return 0;
        return header_skip_tags(reader, err);
}

int kafka_response_decode(const KafkaMessage *message, int16_t version, int32_t correlation,
                          const void *data, size_t size, MrTree **ret, MrError *err) {
        CodecForm form = kafka_message_form(message, version);
        WireReader reader = WIRE_READER(data, size);

        int r = header_decode(message, form, correlation, &reader, err);
        if (r >= 0)
                r = codec_decode(message->response, form, reader.at, reader.left, ret, err);
        return mr_error_within(err, r, "%s", message->name);
}
