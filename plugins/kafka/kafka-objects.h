#pragma once

/* What a cluster has on platforms with services, accounts and firewalls, beside its nodes. */

#include "kafka-cluster.h"

#include "tags.h"

#define POD_NAME_LABEL "strimzi.io/pod-name"
#define POOL_LABEL "strimzi.io/pool-name"

/* Adds services, firewall and account, and says of all parts of the cluster what they are called
 * by. All other parts are there already. */
void kafka_add_objects(const KafkaCluster *cluster, MrParts *parts);
/* kafka-services.c */
void kafka_add_services(const KafkaCluster *cluster, MrParts *parts);

/* The pool of a node, or NULL. */
const MrResource *kafka_node_pool(const KafkaCluster *cluster, const KafkaNode *node);
/* What the user asks for of one kind of object: that of the pool, or else of the cluster. `node`
 * may be NULL. */
const MrTree *kafka_template(const KafkaCluster *cluster, const KafkaNode *node, const char *name);
/* Tags of what belongs to one node. */
MrTags kafka_node_tags(const KafkaCluster *cluster, const KafkaNode *node);
/* By these labels one node is found. */
MrPairs kafka_node_selector(const KafkaCluster *cluster, const KafkaNode *node);
