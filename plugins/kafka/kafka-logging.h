#pragma once

/* Loggers of nodes: the file, and which of its changes reach a running node how. */

#include "kafka-cluster.h"

#include "logging.h"

/* The one file all nodes of the cluster have. */
int kafka_log_file(const KafkaCluster *cluster, MrParts *parts, LogFile *ret,
                   MrError *err) _must_check_;
/* Whether running brokers are told levels, so that those they have must be known. */
bool kafka_log_is_told(const KafkaCluster *cluster);
MrFileEffect kafka_log_effect(const KafkaCluster *cluster);
/* Adds to the static settings of a node what of its logging takes a restart. */
void kafka_log_restart(const KafkaCluster *cluster, const KafkaNode *node, const LogFile *file,
                       MrPairs *settings);
/* Setting parts for the levels that running brokers are told. */
void kafka_log_settings(const KafkaCluster *cluster, const LogFile *file, MrParts *parts);
