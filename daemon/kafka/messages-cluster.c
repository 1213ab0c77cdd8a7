/* What there is: brokers, topics, partitions, the quorum, log directories. */

#include "kafka/messages-tables.h"

static const CodecField metadata_wanted_topic[] = {
        {UUID("topic_id"), SINCE(10)},
        {STRING("name"), NULLABLE(10)},
        {},
};

const CodecField metadata_request[] = {
        {STRUCTS("topics", metadata_wanted_topic), NULLABLE(1)}, /* null: all */
        {BOOL("allow_auto_topic_creation"), SINCE(4)},
        {BOOL("include_cluster_authorized_operations"), SINCE(8), UNTIL(10)},
        {BOOL("include_topic_authorized_operations"), SINCE(8)},
        {},
};

static const CodecField metadata_broker[] = {
        {INT32("node_id")},
        {STRING("host")},
        {INT32("port")},
        {STRING("rack"), SINCE(1), NULLABLE(1)},
        {},
};

static const CodecField metadata_partition[] = {
        {INT16("error_code")},
        {INT32("partition_index")},
        {INT32("leader_id")},
        {INT32("leader_epoch"), SINCE(7)},
        {INT32S("replica_nodes")},
        {INT32S("isr_nodes")},
        {INT32S("offline_replicas"), SINCE(5)},
        {},
};

static const CodecField metadata_topic[] = {
        {INT16("error_code")},
        {STRING("name"), NULLABLE(12)},
        {UUID("topic_id"), SINCE(10)},
        {BOOL("is_internal"), SINCE(1)},
        {STRUCTS("partitions", metadata_partition)},
        {INT32("topic_authorized_operations"), SINCE(8), FALLBACK(INT32_MIN)},
        {},
};

const CodecField metadata_response[] = {
        {INT32("throttle_time_ms"), SINCE(3)},
        {STRUCTS("brokers", metadata_broker)},
        {STRING("cluster_id"), SINCE(2), NULLABLE(2)},
        {INT32("controller_id"), SINCE(1), FALLBACK(-1)},
        {STRUCTS("topics", metadata_topic)},
        {INT32("cluster_authorized_operations"), SINCE(8), UNTIL(10), FALLBACK(INT32_MIN)},
        {INT16("error_code"), SINCE(13)},
        {},
};

const CodecField describe_cluster_request[] = {
        {BOOL("include_cluster_authorized_operations")},
        {INT8("endpoint_type"), SINCE(1), FALLBACK(1)},
        {BOOL("include_fenced_brokers"), SINCE(2)},
        {},
};

static const CodecField describe_cluster_broker[] = {
        {INT32("broker_id")},
        {STRING("host")},
        {INT32("port")},
        {STRING("rack"), NULLABLE(0)},
        {BOOL("is_fenced"), SINCE(2)},
        {},
};

const CodecField describe_cluster_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {INT8("endpoint_type"), SINCE(1), FALLBACK(1)},
        {STRING("cluster_id")},
        {INT32("controller_id"), FALLBACK(-1)},
        {STRUCTS("brokers", describe_cluster_broker)},
        {INT32("cluster_authorized_operations"), FALLBACK(INT32_MIN)},
        {},
};

static const CodecField quorum_wanted_partition[] = {{INT32("partition_index")}, {}};

static const CodecField quorum_wanted_topic[] = {
        {STRING("topic_name")},
        {STRUCTS("partitions", quorum_wanted_partition)},
        {},
};

const CodecField describe_quorum_request[] = {{STRUCTS("topics", quorum_wanted_topic)}, {}};

static const CodecField quorum_replica[] = {
        {INT32("replica_id")},
        {UUID("replica_directory_id"), SINCE(2)},
        {INT64("log_end_offset")},
        {INT64("last_fetch_timestamp"), SINCE(1), FALLBACK(-1)},
        {INT64("last_caught_up_timestamp"), SINCE(1), FALLBACK(-1)},
        {},
};

static const CodecField quorum_partition[] = {
        {INT32("partition_index")},
        {INT16("error_code")},
        {STRING("error_message"), SINCE(2), NULLABLE(2)},
        {INT32("leader_id")},
        {INT32("leader_epoch")},
        {INT64("high_watermark")},
        {STRUCTS("current_voters", quorum_replica)},
        {STRUCTS("observers", quorum_replica)},
        {},
};

static const CodecField quorum_topic[] = {
        {STRING("topic_name")},
        {STRUCTS("partitions", quorum_partition)},
        {},
};

static const CodecField quorum_listener[] = {
        {STRING("name")},
        {STRING("host")},
        {UINT16("port")},
        {},
};

static const CodecField quorum_node[] = {
        {INT32("node_id")},
        {STRUCTS("listeners", quorum_listener)},
        {},
};

const CodecField describe_quorum_response[] = {
        {INT16("error_code")},
        {STRING("error_message"), SINCE(2), NULLABLE(2)},
        {STRUCTS("topics", quorum_topic)},
        {STRUCTS("nodes", quorum_node), SINCE(2)},
        {},
};

static const CodecField log_dirs_wanted_topic[] = {
        {STRING("topic")},
        {INT32S("partitions")},
        {},
};

const CodecField describe_log_dirs_request[] = {
        {STRUCTS("topics", log_dirs_wanted_topic), NULLABLE(0)}, /* null: all */
        {},
};

static const CodecField log_dirs_partition[] = {
        {INT32("partition_index")},
        {INT64("partition_size")},
        {INT64("offset_lag")},
        {BOOL("is_future_key")},
        {},
};

static const CodecField log_dirs_topic[] = {
        {STRING("name")},
        {STRUCTS("partitions", log_dirs_partition)},
        {},
};

static const CodecField log_dirs_result[] = {
        {INT16("error_code")},
        {STRING("log_dir")},
        {STRUCTS("topics", log_dirs_topic)},
        {INT64("total_bytes"), SINCE(4), FALLBACK(-1)},
        {INT64("usable_bytes"), SINCE(4), FALLBACK(-1)},
        {BOOL("is_cordoned"), SINCE(5)},
        {},
};

const CodecField describe_log_dirs_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code"), SINCE(3)},
        {STRUCTS("results", log_dirs_result)},
        {},
};
