/* What opens a conversation and what changes a cluster: versions, SASL, configurations, SCRAM
 * credentials. */

#include "kafka/messages-tables.h"

const CodecField api_versions_request[] = {
        {STRING("client_software_name"), SINCE(3)},
        {STRING("client_software_version"), SINCE(3)},
        {},
};

static const CodecField api_versions_key[] = {
        {INT16("api_key")},
        {INT16("min_version")},
        {INT16("max_version")},
        {},
};

static const CodecField supported_feature[] = {
        {STRING("name")},
        {INT16("min_version")},
        {INT16("max_version")},
        {},
};

static const CodecField finalized_feature[] = {
        {STRING("name")},
        {INT16("max_version_level")},
        {INT16("min_version_level")},
        {},
};

const CodecField api_versions_response[] = {
        {INT16("error_code")},
        {STRUCTS("api_keys", api_versions_key)},
        {INT32("throttle_time_ms"), SINCE(1)},
        {STRUCTS("supported_features", supported_feature), SINCE(3), TAG(0)},
        {INT64("finalized_features_epoch"), SINCE(3), TAG(1), FALLBACK(-1)},
        {STRUCTS("finalized_features", finalized_feature), SINCE(3), TAG(2)},
        {BOOL("zk_migration_ready"), SINCE(3), TAG(3)},
        {},
};

const CodecField sasl_handshake_request[] = {{STRING("mechanism")}, {}};

const CodecField sasl_handshake_response[] = {
        {INT16("error_code")},
        {STRINGS("mechanisms")},
        {},
};

const CodecField sasl_authenticate_request[] = {{BYTES("auth_bytes")}, {}};

const CodecField sasl_authenticate_response[] = {
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {BYTES("auth_bytes")},
        {INT64("session_lifetime_ms"), SINCE(1)},
        {},
};

static const CodecField configs_wanted[] = {
        {INT8("resource_type")},
        {STRING("resource_name")},
        {STRINGS("configuration_keys"), NULLABLE(0)}, /* null: all */
        {},
};

const CodecField describe_configs_request[] = {
        {STRUCTS("resources", configs_wanted)},
        {BOOL("include_synonyms"), SINCE(1)},
        {BOOL("include_documentation"), SINCE(3)},
        {},
};

static const CodecField config_synonym[] = {
        {STRING("name")},
        {STRING("value"), NULLABLE(0)},
        {INT8("source")},
        {},
};

static const CodecField config_entry[] = {
        {STRING("name")},
        {STRING("value"), NULLABLE(0)},
        {BOOL("read_only")},
        {INT8("config_source"), SINCE(1), FALLBACK(-1)},
        {BOOL("is_sensitive")},
        {STRUCTS("synonyms", config_synonym), SINCE(1)},
        {INT8("config_type"), SINCE(3)},
        {STRING("documentation"), SINCE(3), NULLABLE(0)},
        {},
};

static const CodecField configs_result[] = {
        {INT16("error_code")},     {STRING("error_message"), NULLABLE(0)}, {INT8("resource_type")},
        {STRING("resource_name")}, {STRUCTS("configs", config_entry)},     {},
};

const CodecField describe_configs_response[] = {
        {INT32("throttle_time_ms")},
        {STRUCTS("results", configs_result)},
        {},
};

static const CodecField config_change[] = {
        {STRING("name")},
        {INT8("config_operation")},
        {STRING("value"), NULLABLE(0)},
        {},
};

static const CodecField configs_changes[] = {
        {INT8("resource_type")},
        {STRING("resource_name")},
        {STRUCTS("configs", config_change)},
        {},
};

const CodecField incremental_alter_configs_request[] = {
        {STRUCTS("resources", configs_changes)},
        {BOOL("validate_only")},
        {},
};

static const CodecField configs_changed[] = {
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {INT8("resource_type")},
        {STRING("resource_name")},
        {},
};

const CodecField incremental_alter_configs_response[] = {
        {INT32("throttle_time_ms")},
        {STRUCTS("responses", configs_changed)},
        {},
};

static const CodecField scram_user[] = {{STRING("name")}, {}};

const CodecField describe_user_scram_credentials_request[] = {
        {STRUCTS("users", scram_user), NULLABLE(0)}, /* null: all */
        {},
};

static const CodecField scram_info[] = {
        {INT8("mechanism")},
        {INT32("iterations")},
        {},
};

static const CodecField scram_described[] = {
        {STRING("user")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {STRUCTS("credential_infos", scram_info)},
        {},
};

const CodecField describe_user_scram_credentials_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {STRUCTS("results", scram_described)},
        {},
};

static const CodecField scram_deletion[] = {
        {STRING("name")},
        {INT8("mechanism")},
        {},
};

static const CodecField scram_upsertion[] = {
        {STRING("name")}, {INT8("mechanism")},        {INT32("iterations")},
        {BYTES("salt")},  {BYTES("salted_password")}, {},
};

const CodecField alter_user_scram_credentials_request[] = {
        {STRUCTS("deletions", scram_deletion)},
        {STRUCTS("upsertions", scram_upsertion)},
        {},
};

static const CodecField scram_result[] = {
        {STRING("user")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {},
};

const CodecField alter_user_scram_credentials_response[] = {
        {INT32("throttle_time_ms")},
        {STRUCTS("results", scram_result)},
        {},
};

static const CodecField feature_update[] = {
        {STRING("feature")},
        {INT16("max_version_level")},
        {INT8("upgrade_type"), SINCE(1), FALLBACK(1)},
        {},
};

const CodecField update_features_request[] = {
        {INT32("timeout_ms"), FALLBACK(60000)},
        {STRUCTS("feature_updates", feature_update)},
        {BOOL("validate_only"), SINCE(1)},
        {},
};

static const CodecField feature_result[] = {
        {STRING("feature")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {},
};

const CodecField update_features_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {STRUCTS("results", feature_result), UNTIL(1)},
        {},
};
