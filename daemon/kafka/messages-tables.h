#pragma once

/* Tables of the messages, and the words they are written in. */

#include "kafka/codec.h"

/* clang-format off */
#define FIELD(n, t) .name = (n), .type = (t)
#define BOOL(n) FIELD(n, CODEC_BOOL)
#define INT8(n) FIELD(n, CODEC_INT8)
#define INT16(n) FIELD(n, CODEC_INT16)
#define UINT16(n) FIELD(n, CODEC_UINT16)
#define INT32(n) FIELD(n, CODEC_INT32)
#define INT64(n) FIELD(n, CODEC_INT64)
#define FLOAT64(n) FIELD(n, CODEC_FLOAT64)
#define UUID(n) FIELD(n, CODEC_UUID)
#define STRING(n) FIELD(n, CODEC_STRING)
#define BYTES(n) FIELD(n, CODEC_BYTES)
#define INT32S(n) INT32(n), .is_list = true
#define STRINGS(n) STRING(n), .is_list = true
#define STRUCTS(n, f) FIELD(n, CODEC_STRUCT), .is_list = true, .fields = (f)
#define SINCE(v) .since = (v)
#define UNTIL(v) .until = (v)
#define NULLABLE(v) .is_nullable = true, .null_since = (v)
#define TAG(n) .is_tagged = true, .tag = (n)
#define FALLBACK(v) .fallback = (v)
/* clang-format on */

extern const CodecField metadata_request[], metadata_response[];
extern const CodecField sasl_handshake_request[], sasl_handshake_response[];
extern const CodecField api_versions_request[], api_versions_response[];
extern const CodecField describe_configs_request[], describe_configs_response[];
extern const CodecField describe_log_dirs_request[], describe_log_dirs_response[];
extern const CodecField sasl_authenticate_request[], sasl_authenticate_response[];
extern const CodecField incremental_alter_configs_request[], incremental_alter_configs_response[];
extern const CodecField describe_client_quotas_request[], describe_client_quotas_response[];
extern const CodecField alter_client_quotas_request[], alter_client_quotas_response[];
extern const CodecField describe_user_scram_credentials_request[],
        describe_user_scram_credentials_response[];
extern const CodecField alter_user_scram_credentials_request[],
        alter_user_scram_credentials_response[];
extern const CodecField describe_quorum_request[], describe_quorum_response[];
extern const CodecField update_features_request[], update_features_response[];
extern const CodecField add_raft_voter_request[], add_raft_voter_response[];
extern const CodecField remove_raft_voter_request[], remove_raft_voter_response[];
extern const CodecField unregister_broker_request[], unregister_broker_response[];
extern const CodecField describe_cluster_request[], describe_cluster_response[];
