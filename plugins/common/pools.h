#pragma once

/* Pools of a cluster and the node ids they own. Ids are unique over all pools of a cluster: a pool
 * keeps the ids its nodes have, gives up its highest when it shrinks, and takes the lowest free
 * ones when it grows. Two annotations of the pool change which: strimzi.io/remove-node-ids and
 * strimzi.io/next-node-ids. */

#include "facts.h"

#define POOL_KIND "KafkaNodePool"
#define CLUSTER_LABEL "strimzi.io/cluster"
#define NEXT_IDS_ANNOTATION "strimzi.io/next-node-ids"
#define REMOVE_IDS_ANNOTATION "strimzi.io/remove-node-ids"

typedef struct PoolNode {
        const MrResource *pool;
        int64_t id;
        const char *name; /* CLUSTER-POOL-ID */
} PoolNode;

typedef struct PoolNodes {
        PoolNode *items; /* by pool name, then id */
        size_t n;
} PoolNodes;

/* Pools of the cluster that are not deleted, sorted by name. */
size_t pools_of(const char *cluster, const MrFacts *facts, MrArena *arena, const MrResource ***ret);
/* The nodes all pools of the cluster should have. */
PoolNodes pool_nodes(const char *cluster, const MrFacts *facts, MrArena *arena);
/* The nodes that exist beyond what the pools ask for: those a shrinking pool would give up. */
PoolNodes pool_surplus(const char *cluster, const MrFacts *facts, MrArena *arena);
/* What a pool's annotations say that cannot be followed, in words; NULL when all is well. */
const char *pool_ids_problem(const MrResource *pool, MrArena *arena);
