#pragma once

/* Options users may set on brokers: which are ours to decide, and which Kafka changes while it
 * runs. */

#include "kafka-cluster.h"

/* Set by millrace, so it is left out of what a user writes. */
bool option_is_forbidden(const char *key);
/* Changes without a restart in this release. */
bool option_is_dynamic(const char *key, const KafkaVersion *version);
/* The value as Kafka reports it: "0.50" → "0.5" for numbers, lists without blanks. */
const char *option_canonical(MrArena *arena, const char *key, const char *value);
/* Setting parts for the dynamic options in spec.kafka.config. */
void options_add_settings(const KafkaCluster *cluster, MrParts *parts);
