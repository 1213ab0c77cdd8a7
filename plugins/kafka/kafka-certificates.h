#pragma once

/* Authorities, certificates and whom to trust: what of it each node gets, and how a node that runs
 * comes to use what has changed. */

#include "kafka-cluster.h"

/* What the whole cluster shares. */
void certificates_add(const KafkaCluster *cluster, MrParts *parts);
/* Certificate and files of one node, and the settings that make it read them again. */
void certificates_add_node(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts);
/* Looks at what brokers show, where something depends on it, and, when somebody has waited for
 * long, at what every node shows the others. There must be room for one more. */
void certificates_add_probe(const KafkaCluster *cluster, bool is_anybody_late, MrProbes *probes);
/* Whether the node was seen to show a certificate of its own that has ended. It takes another only
 * with a restart then: also where it could be told, nobody can connect to it any more. */
bool certificates_have_ended(const KafkaCluster *cluster, const KafkaNode *node);
