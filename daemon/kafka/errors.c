#include "kafka/errors.h"

#include "sdk/str.h"

typedef struct ErrorRow {
        int16_t code;
        MrErrorKind kind;
        const char *name;
} ErrorRow;

static const ErrorRow rows[] = {
        {-1, MR_TRANSIENT, "UNKNOWN_SERVER_ERROR"},
        {KAFKA_UNKNOWN_TOPIC, MR_TRANSIENT, "UNKNOWN_TOPIC_OR_PARTITION"},
        {5, MR_TRANSIENT, "LEADER_NOT_AVAILABLE"},
        {6, MR_CONFLICT, "NOT_LEADER_OR_FOLLOWER"},
        {7, MR_TRANSIENT, "REQUEST_TIMED_OUT"},
        {8, MR_TRANSIENT, "BROKER_NOT_AVAILABLE"},
        {9, MR_TRANSIENT, "REPLICA_NOT_AVAILABLE"},
        {13, MR_TRANSIENT, "NETWORK_EXCEPTION"},
        {17, MR_INVALID, "INVALID_TOPIC_EXCEPTION"},
        {29, MR_DENIED, "TOPIC_AUTHORIZATION_FAILED"},
        {31, MR_DENIED, "CLUSTER_AUTHORIZATION_FAILED"},
        {33, MR_DENIED, "UNSUPPORTED_SASL_MECHANISM"},
        {34, MR_DENIED, "ILLEGAL_SASL_STATE"},
        {35, MR_INVALID, "UNSUPPORTED_VERSION"},
        {36, MR_CONFLICT, "TOPIC_ALREADY_EXISTS"},
        {40, MR_INVALID, "INVALID_CONFIG"},
        {KAFKA_NOT_CONTROLLER, MR_CONFLICT, "NOT_CONTROLLER"},
        {42, MR_INVALID, "INVALID_REQUEST"},
        {44, MR_INVALID, "POLICY_VIOLATION"},
        {54, MR_DENIED, "SECURITY_DISABLED"},
        {56, MR_TRANSIENT, "KAFKA_STORAGE_ERROR"},
        {57, MR_INVALID, "LOG_DIR_NOT_FOUND"},
        {58, MR_DENIED, "SASL_AUTHENTICATION_FAILED"},
        {89, MR_TRANSIENT, "THROTTLING_QUOTA_EXCEEDED"},
        {91, MR_INVALID, "RESOURCE_NOT_FOUND"},
        {92, MR_INVALID, "DUPLICATE_RESOURCE"},
        {93, MR_INVALID, "UNACCEPTABLE_CREDENTIAL"},
        {102, MR_TRANSIENT, "BROKER_ID_NOT_REGISTERED"},
        {114, MR_INVALID, "MISMATCHED_ENDPOINT_TYPE"},
        {115, MR_INVALID, "UNSUPPORTED_ENDPOINT_TYPE"},
};

static const ErrorRow *find_row(int64_t code) {
        for (size_t i = 0; i < MR_ELEMENTS(rows); i++)
                if (rows[i].code == code)
                        return &rows[i];
        return NULL;
}

const char *kafka_error_name(int64_t code) {
        const ErrorRow *row = find_row(code);

        if (code == KAFKA_OK)
                return "NONE";
        return row ? row->name : "UNKNOWN";
}

int kafka_error_check(int64_t code, const char *message, MrError *err) {
        const ErrorRow *row = find_row(code);

        if (code == KAFKA_OK)
                return 0;
        return mr_fail(err, row ? row->kind : MR_TRANSIENT, NULL,
                       "the broker answers %s (%lld)%s%s", kafka_error_name(code), (long long) code,
                       mr_is_empty(message) ? "" : ": ", mr_is_empty(message) ? "" : message);
}

int kafka_error_check_in(const MrTree *map, MrError *err) {
        return kafka_error_check(mr_tree_get_int(map, "error_code", 0),
                                 mr_tree_get_string(map, "error_message"), err);
}
