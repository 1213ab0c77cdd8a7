#pragma once

/* Authorities, certificates and whom to trust: what of it each node gets, and how a node that runs
 * comes to use what has changed. */

#include "kafka-cluster.h"

/* What the whole cluster shares. */
void certificates_add(const KafkaCluster *cluster, MrParts *parts);
/* Certificate and files of one node, and the settings that make it read them again. */
void certificates_add_node(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts);
/* Looks at what brokers show, where something depends on it. There must be room for one more. */
void certificates_add_probe(const KafkaCluster *cluster, MrProbes *probes);
