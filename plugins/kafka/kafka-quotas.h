#pragma once

/* spec.kafka.quotas: default limits for all clients, kept by Kafka itself for each user, or by
 * Strimzi's plugin for each broker as a whole. */

#include "kafka-cluster.h"

extern const MrField quotas_fields[];
int quotas_rule(const void *object, MrError *err);

/* Options of the plugin, for one node. */
void quotas_add_options(const KafkaCluster *cluster, const KafkaNode *node, MrPairs *properties,
                        MrParts *parts);
/* Setting parts for Kafka's own quotas: what the spec does not ask for is removed. */
void quotas_add_settings(const KafkaCluster *cluster, MrParts *parts);
void quotas_warn(const KafkaCluster *cluster, MrParts *parts);
