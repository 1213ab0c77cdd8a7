/* Who belongs to a cluster: voters of the quorum (KIP-853), and brokers that are registered. */

#include "kafka/messages-tables.h"

static const CodecField voter_listener[] = {
        {STRING("name")},
        {STRING("host")},
        {UINT16("port")},
        {},
};

const CodecField add_raft_voter_request[] = {
        {STRING("cluster_id"), NULLABLE(0)},
        {INT32("timeout_ms")},
        {INT32("voter_id")},
        {UUID("voter_directory_id")},
        {STRUCTS("listeners", voter_listener)},
        {},
};

const CodecField add_raft_voter_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {},
};

const CodecField remove_raft_voter_request[] = {
        {STRING("cluster_id"), NULLABLE(0)},
        {INT32("voter_id")},
        {UUID("voter_directory_id")},
        {},
};

const CodecField remove_raft_voter_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {},
};

const CodecField unregister_broker_request[] = {{INT32("broker_id")}, {}};

const CodecField unregister_broker_response[] = {
        {INT32("throttle_time_ms")},
        {INT16("error_code")},
        {STRING("error_message"), NULLABLE(0)},
        {},
};
