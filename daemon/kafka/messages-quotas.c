/* Quotas of clients (KIP-546). */

#include "kafka/messages-tables.h"

static const CodecField quota_wanted[] = {
        {STRING("entity_type")},        /* "user", "client-id", "ip" */
        {INT8("match_type")},           /* 0: this one, 1: the default, 2: any */
        {STRING("match"), NULLABLE(0)}, /* null unless this one */
        {},
};

const CodecField describe_client_quotas_request[] = {
        {STRUCTS("components", quota_wanted)},
        {BOOL("strict")}, /* no other parts of an entity than these */
        {},
};

static const CodecField quota_entity[] = {
        {STRING("entity_type")},
        {STRING("entity_name"), NULLABLE(0)}, /* null: the default */
        {},
};

static const CodecField quota_value[] = {
        {STRING("key")},
        {FLOAT64("value")},
        {},
};

static const CodecField quotas_found[] = {
        {STRUCTS("entity", quota_entity)},
        {STRUCTS("values", quota_value)},
        {},
};

const CodecField describe_client_quotas_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {STRUCTS("entries", quotas_found), NULLABLE(0)},
        {},
};

static const CodecField quota_change[] = {
        {STRING("key")},
        {FLOAT64("value")},
        {BOOL("remove")},
        {},
};

static const CodecField quotas_changes[] = {
        {STRUCTS("entity", quota_entity)},
        {STRUCTS("ops", quota_change)},
        {},
};

const CodecField alter_client_quotas_request[] = {
        {STRUCTS("entries", quotas_changes)},
        {BOOL("validate_only")},
        {},
};

static const CodecField quotas_changed[] = {
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {STRUCTS("entity", quota_entity)},
        {},
};

const CodecField alter_client_quotas_response[] = {
        {INT32("throttle_time_ms")},
        {STRUCTS("entries", quotas_changed)},
        {},
};
