#pragma once

/* server.properties of one node. */

#include "kafka-cluster.h"

typedef struct ServerProperties {
        MrPairs all;     /* the file */
        MrPairs restart; /* those that need a restart to change */
} ServerProperties;

ServerProperties kafka_properties(const KafkaCluster *cluster, const KafkaNode *node,
                                  MrParts *parts);
/* Warnings about options that were left out, once a cluster. */
void kafka_warn_of_options(const KafkaCluster *cluster, MrParts *parts);
/* "ID@HOST:PORT:DIRECTORY,…" of the controllers that found a dynamic quorum. */
const char *kafka_initial_controllers(const KafkaCluster *cluster);
