#pragma once

/* spec.kafka.tieredStorage: segments that are kept elsewhere, by a plugin. Where they are is noted
 * in a topic of the cluster itself. */

#include "kafka-cluster.h"

extern const MrField tiered_storage_fields[];
int tiered_storage_rule(const void *object, MrError *err);

/* Options of one node; only brokers keep segments. `file` is the key pair it shows others. */
void tiered_add_options(const KafkaCluster *cluster, const KafkaNode *node, const char *file,
                        MrPairs *properties, MrParts *parts);
