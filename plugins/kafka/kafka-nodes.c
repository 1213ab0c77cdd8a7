/* Which nodes a cluster has: what the spec asks for, what must stay although it does not, and what
 * is left over. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <string.h>

#include "pools.h"

static KafkaNode node_of_set(const KafkaCluster *cluster, int64_t id) {
        const KafkaServer *server = cluster->spec->kafka;

        return (KafkaNode){
                .name = mr_arena_strf(cluster->arena, "%s-kafka-%" PRId64, cluster->resource->name,
                                      id),
                .id = id,
                .is_broker = true,
                .storage = server->storage,
                .jvm = server->jvm,
                .resources = server->resources,
        };
}

static KafkaNode node_of_pool(const KafkaCluster *cluster, const PoolNode *node) {
        const PoolSpec *spec = node->pool->spec;
        const KafkaServer *server = cluster->spec->kafka;
        KafkaNode result = {
                .name = node->name,
                .id = node->id,
                .pool = node->pool->name,
                .storage = spec->storage,
                .jvm = spec->jvm ? spec->jvm : server->jvm,
                .resources = spec->resources ? spec->resources : server->resources,
        };

        for (size_t i = 0; i < spec->roles.n; i++) {
                result.is_broker |= mr_streq(spec->roles.items[i], "broker");
                result.is_controller |= mr_streq(spec->roles.items[i], "controller");
        }
        return result;
}

/* Why a node the spec no longer asks for must stay; NULL when it may go. What is not known keeps
 * it. */
static const char *reason_to_keep(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);

        if (!fact || fact->state == MR_NODE_ABSENT || cluster->resource->is_deleted)
                return NULL;
        if (node->is_controller && kafka_may_vote(cluster, node->id))
                return "it votes among the controllers";
        int64_t n = node->is_broker ? kafka_hosted(cluster, node->id) : 0;
        if (n < 0)
                return "it is not known yet whether it hosts partitions";
        return n > 0 ? mr_arena_strf(cluster->arena,
                                     "it hosts %" PRId64
                                     " partitions; move them to other brokers first",
                                     n)
                     : NULL;
}

static void add_surplus(KafkaCluster *cluster, KafkaNode node) {
        node.kept_because = reason_to_keep(cluster, &node);
        if (!node.kept_because)
                return;
        node.leaves = node.is_controller && kafka_may_vote(cluster, node.id);
        kafka_note(cluster, "ScaleDownPreventionCheck", "%s stays: %s", node.name,
                   node.kept_because);
        cluster->nodes[cluster->n_nodes++] = node;
}

static int make_set(KafkaCluster *cluster, MrError *err) {
        const KafkaServer *server = cluster->spec->kafka;
        int64_t n_surplus = 0;

        if (server->replicas == MR_INT_UNSET)
                return mr_fail(err, MR_INVALID, "spec.kafka.replicas",
                               "the number of brokers is missing; set it, or add node pools");
        if (!server->storage)
                return mr_fail(err, MR_INVALID, "spec.kafka.storage",
                               "the brokers have no storage; set it, or add node pools");
        while (mr_facts_node(cluster->facts,
                             node_of_set(cluster, server->replicas + n_surplus).name))
                n_surplus++;
        cluster->nodes = mr_arena_new_array(cluster->arena, KafkaNode,
                                            (size_t) (server->replicas + n_surplus));
        for (int64_t i = 0; i < server->replicas; i++)
                cluster->nodes[cluster->n_nodes++] = node_of_set(cluster, i);
        for (int64_t i = 0; i < n_surplus; i++)
                add_surplus(cluster, node_of_set(cluster, server->replicas + i));
        return 0;
}

static void note_annotations(KafkaCluster *cluster) {
        const MrResource **pools;
        size_t n = pools_of(cluster->resource->name, cluster->facts, cluster->arena, &pools);

        for (size_t i = 0; i < n; i++) {
                const char *problem = pool_ids_problem(pools[i], cluster->arena);
                if (problem)
                        kafka_note(cluster, "NodeIds", "%s", problem);
        }
}

static void make_pools(KafkaCluster *cluster) {
        const char *name = cluster->resource->name;
        PoolNodes wanted = pool_nodes(name, cluster->facts, cluster->arena);
        PoolNodes surplus = pool_surplus(name, cluster->facts, cluster->arena);

        note_annotations(cluster);
        cluster->nodes = mr_arena_new_array(cluster->arena, KafkaNode, wanted.n + surplus.n + 1);
        for (size_t i = 0; i < wanted.n; i++)
                cluster->nodes[cluster->n_nodes++] = node_of_pool(cluster, &wanted.items[i]);
        for (size_t i = 0; i < surplus.n; i++)
                add_surplus(cluster, node_of_pool(cluster, &surplus.items[i]));
}

int kafka_nodes_make(KafkaCluster *cluster, MrError *err) {
        const MrResource **pools;

        if (pools_of(cluster->resource->name, cluster->facts, cluster->arena, &pools) > 0) {
                make_pools(cluster);
                return 0;
        }
        if (!cluster->is_kraft)
                return make_set(cluster, err);
        if (cluster->resource->is_deleted)
                return 0;
        return mr_fail(err, MR_INVALID, "spec.kafka",
                       "the cluster has no nodes; add a KafkaNodePool with the label " CLUSTER_LABEL
                       ": %s, or spec.zookeeper",
                       cluster->resource->name);
}

/* --- what is left over */

static bool is_known(const KafkaCluster *cluster, const char *name) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(cluster->nodes[i].name, name))
                        return true;
        return false;
}

/* "my-cluster-kafka-0" → 0 */
static int64_t id_of(const char *name) {
        const char *dash = strrchr(name, '-');
        int64_t id;

        return dash && mr_parse_int(dash + 1, &id) == 0 ? id : -1;
}

static bool is_ours(const KafkaCluster *cluster, const MrNodeFact *fact) {
        return fact->state != MR_NODE_ABSENT && mr_streq(fact->role, "kafka") &&
               mr_streq(fact->owner, cluster_key(cluster->arena, cluster->resource)) &&
               !is_known(cluster, fact->node);
}

static void tell_leftover(KafkaCluster *cluster, const KafkaLeftover *leftover) {
        int64_t n = kafka_hosted(cluster, leftover->id);

        if (n > 0)
                kafka_note(cluster, "ScaleDownPreventionCheck",
                           "%s hosts %" PRId64 " partitions, but no node pool has a node with its "
                           "id; put the pool back until they are moved",
                           leftover->name, n);
}

void kafka_leftovers_find(KafkaCluster *cluster) {
        const MrNodeFact *fact;
        size_t n = 0;

        while (mr_facts_node_at(cluster->facts, n))
                n++;
        cluster->leftovers = mr_arena_new_array(cluster->arena, KafkaLeftover, n + 1);
        for (size_t i = 0; (fact = mr_facts_node_at(cluster->facts, i)); i++) {
                if (!is_ours(cluster, fact))
                        continue;
                const char *roles = mr_tree_get_string(fact->applied, "process.roles");
                KafkaLeftover leftover = {
                        .name = fact->node,
                        .id = id_of(fact->node),
                        .was_controller = roles && strstr(roles, "controller"),
                };
                tell_leftover(cluster, &leftover);
                cluster->leftovers[cluster->n_leftovers++] = leftover;
        }
}
