#pragma once

/* The releases of Kafka this program knows, and what follows from a release. */

#include <stdbool.h>
#include <stdint.h>

#include "alloc.h"

typedef struct KafkaVersion {
        const char *name; /* "3.9.1" */
        int major, minor;
        const char *metadata_version; /* of a new KRaft cluster: "3.9-IV0" */
        const char *protocol;         /* of brokers beside ZooKeeper: "3.9" */
} KafkaVersion;

/* A version of the metadata of KRaft clusters; Kafka counts them. */
typedef struct KafkaMetadata {
        const char *name; /* "4.3-IV0" */
        int64_t level;
} KafkaMetadata;

/* "4.3-IV0", or "4.3" for the newest of 4.3; NULL when it is unknown. */
const KafkaMetadata *kafka_metadata(const char *name);
/* The name of a level, also of one that is not known: "level 40". */
const char *kafka_metadata_name(MrArena *arena, int64_t level);

/* The release called `name`; for NULL the default, 3.9.1 with ZooKeeper and 4.3.1 without. NULL
 * when it is unknown. */
const KafkaVersion *kafka_version(const char *name, bool with_zookeeper);
bool kafka_version_is_at_least(const KafkaVersion *version, int major, int minor);
/* All known names, for a message. */
const char *kafka_versions_text(MrArena *arena);
