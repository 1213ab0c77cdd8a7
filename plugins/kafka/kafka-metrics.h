#pragma once

/* Metrics and JMX of the nodes of a cluster, and the rack each is in. */

#include "kafka-cluster.h"

extern const MrField rack_fields[];
extern const MrCheck rack_checks[];
int rack_rule(const void *object, MrError *err);

/* Options of Strimzi's reporter and of the rack, for one node. */
void kafka_metrics_options(const KafkaCluster *cluster, const KafkaNode *node, MrPairs *properties,
                           MrParts *parts);
/* Secrets and warnings, once; *ret_rules are those of the agent, NULL where there is none. */
int kafka_metrics_prepare(const KafkaCluster *cluster, MrParts *parts, const char **ret_rules,
                          MrError *err) _must_check_;
/* Agent and JMX port of one node. */
void kafka_metrics_add(const KafkaCluster *cluster, const char *rules, MrParts *parts,
                       MrWorkload *workload);
