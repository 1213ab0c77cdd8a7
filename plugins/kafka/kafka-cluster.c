/* Which nodes a cluster has, and in which mode it runs. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <string.h>

#include "pools.h"

const char *kafka_group(const KafkaCluster *cluster) {
        return mr_arena_strf(cluster->arena, "%s-kafka", cluster->resource->name);
}

static size_t count_role(const KafkaCluster *cluster, bool controllers) {
        size_t n = 0;

        for (size_t i = 0; i < cluster->n_nodes; i++)
                n += controllers ? cluster->nodes[i].is_controller : cluster->nodes[i].is_broker;
        return n;
}

size_t kafka_brokers(const KafkaCluster *cluster) {
        return count_role(cluster, false);
}

size_t kafka_controllers(const KafkaCluster *cluster) {
        return count_role(cluster, true);
}

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
        const MrTree *view = mr_facts_view(cluster->facts, "kafka");
        const MrTree *hosted = mr_tree_get(mr_tree_get(view, "partitions"), "hosted");

        if (!fact || fact->state == MR_NODE_ABSENT || cluster->resource->is_deleted)
                return NULL;
        if (node->is_controller)
                return "the number of controllers cannot be changed yet";
        if (!hosted || mr_tree_get_string(view, "error"))
                return "it is not known yet whether it hosts partitions";
        int64_t n = mr_tree_get_int(hosted, mr_arena_strf(cluster->arena, "%" PRId64, node->id), 0);
        return n > 0 ? mr_arena_strf(cluster->arena,
                                     "it hosts %" PRId64
                                     " partitions; move them to other brokers first",
                                     n)
                     : NULL;
}

static void add_surplus(KafkaCluster *cluster, KafkaNode node) {
        node.kept_because = reason_to_keep(cluster, &node);
        if (node.kept_because)
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

static void make_pools(KafkaCluster *cluster) {
        const char *name = cluster->resource->name;
        PoolNodes wanted = pool_nodes(name, cluster->facts, cluster->arena);
        PoolNodes surplus = pool_surplus(name, cluster->facts, cluster->arena);

        cluster->nodes = mr_arena_new_array(cluster->arena, KafkaNode, wanted.n + surplus.n + 1);
        for (size_t i = 0; i < wanted.n; i++)
                cluster->nodes[cluster->n_nodes++] = node_of_pool(cluster, &wanted.items[i]);
        for (size_t i = 0; i < surplus.n; i++)
                add_surplus(cluster, node_of_pool(cluster, &surplus.items[i]));
}

static int check_roles(const KafkaCluster *cluster, MrError *err) {
        size_t controllers = kafka_controllers(cluster);

        if (!cluster->is_kraft && controllers > 0)
                return mr_fail(err, MR_INVALID, "spec.zookeeper",
                               "a cluster with ZooKeeper has no controllers of its own; give its "
                               "node pools only the role broker");
        if (cluster->is_kraft && controllers == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "no node pool with replicas has controller among its roles; add "
                               "it to one");
        if (kafka_brokers(cluster) == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "no node pool with replicas has broker among its roles; add it to "
                               "one");
        return 0;
}

static const char *metadata_claim(const KafkaCluster *cluster, const KafkaNode *node) {
        const Storage *volume =
                storage_volume_at(node->storage, storage_metadata_volume(node->storage));

        return mr_arena_strf(cluster->arena, "%s-%s",
                             storage_volume_name(cluster->arena, node->storage, volume),
                             node->name);
}

/* Where a cluster has its metadata is written on its storage and never changes because a spec or a
 * version did. */
static int check_quorum(KafkaCluster *cluster, MrError *err) {
        cluster->is_dynamic =
                cluster->is_kraft && kafka_version_is_at_least(cluster->version, 4, 1);
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const char *claim = metadata_claim(cluster, &cluster->nodes[i]);
                const char *quorum =
                        mr_tree_get_string(mr_facts_claim(cluster->facts, claim), "quorum");
                if (!quorum)
                        continue;
                bool was_kraft = !mr_streq(quorum, "zookeeper");
                if (was_kraft != cluster->is_kraft && !cluster->resource->is_deleted)
                        return mr_fail(err, MR_INVALID, "spec.zookeeper",
                                       "storage %s belongs to a cluster %s ZooKeeper, and moving "
                                       "between the two is not "
                                       "supported yet; put spec.zookeeper back as it was",
                                       claim, was_kraft ? "without" : "with");
                cluster->is_dynamic = mr_streq(quorum, "kraft-dynamic");
                return 0;
        }
        return 0;
}

/* "0@host:9090,1@host:9090" of the first controller that runs; NULL when none does. */
static const char *running_voters(const KafkaCluster *cluster) {
        const char *voters = NULL;

        for (size_t i = 0; i < cluster->n_nodes && !voters; i++) {
                const MrNodeFact *fact = mr_facts_node(cluster->facts, cluster->nodes[i].name);
                voters = fact ? mr_tree_get_string(fact->settings, "controller.quorum.voters")
                              : NULL;
        }
        return voters;
}

static bool voters_name(const char *voters, int64_t id) {
        _cleanup_free_ char *first = mr_strf("%" PRId64 "@", id),
                            *later = mr_strf(",%" PRId64 "@", id);

        return mr_starts_with(voters, first) || strstr(voters, later);
}

/* A static quorum cannot take another controller while it runs, so such a node is left out. */
static void leave_out_controllers(KafkaCluster *cluster) {
        const char *voters = running_voters(cluster);
        size_t n = 0;

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (voters && node->is_controller && !voters_name(voters, node->id))
                        mr_strings_add(cluster->arena, &cluster->left_out, node->name);
                else
                        cluster->nodes[n++] = *node;
        }
        cluster->n_nodes = n;
}

/* Controllers that are not voters of the dynamic quorum that runs. */
static void mark_joining(KafkaCluster *cluster) {
        const MrTree *voters = mr_tree_get(
                mr_tree_get(mr_facts_view(cluster->facts, "kafka"), "quorum"), "voters");

        for (size_t i = 0; i < cluster->n_nodes && mr_tree_size(voters) > 0; i++) {
                KafkaNode *node = &cluster->nodes[i];
                const char *id = mr_arena_strf(cluster->arena, "%" PRId64, node->id);
                node->joins = node->is_controller && !mr_tree_get(voters, id);
        }
}

static const KafkaNode *find_node(const KafkaCluster *cluster, const char *id) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(mr_arena_strf(cluster->arena, "%" PRId64, cluster->nodes[i].id), id))
                        return &cluster->nodes[i];
        return NULL;
}

/* A pool that went away takes its nodes with it; with partitions on them that would lose data. */
static int check_orphans(const KafkaCluster *cluster, MrError *err) {
        const MrTree *view = mr_facts_view(cluster->facts, "kafka");
        const MrTree *hosted = mr_tree_get(mr_tree_get(view, "partitions"), "hosted");

        for (size_t i = 0; i < mr_tree_size(hosted); i++) {
                const char *id = mr_tree_key(hosted, i);
                int64_t n = mr_tree_int(mr_tree_at(hosted, i), 0);
                if (n > 0 && !find_node(cluster, id))
                        return mr_fail(err, MR_TRANSIENT, NULL,
                                       "broker %s hosts %" PRId64
                                       " partitions, but no node pool has a node with its id; "
                                       "put the pool back until they are moved",
                                       id, n);
        }
        return 0;
}

static int make_nodes(KafkaCluster *cluster, MrError *err) {
        const MrResource **pools;

        if (pools_of(cluster->resource->name, cluster->facts, cluster->arena, &pools) > 0) {
                make_pools(cluster);
                return cluster->resource->is_deleted ? 0 : check_orphans(cluster, err);
        }
        if (!cluster->is_kraft)
                return make_set(cluster, err);
        if (cluster->resource->is_deleted)
                return 0;
        return mr_fail(err, MR_INVALID, NULL,
                       "the cluster has no nodes; add a KafkaNodePool with the label " CLUSTER_LABEL
                       ": %s, or spec.zookeeper",
                       cluster->resource->name);
}

int kafka_cluster_make(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                       MrArena *arena, KafkaCluster *ret, MrError *err) {
        KafkaCluster cluster = {
                .resource = resource,
                .spec = spec,
                .facts = facts,
                .arena = arena,
                .version = kafka_version(spec->kafka->version, spec->zookeeper != NULL),
                .is_kraft = !spec->zookeeper,
        };
        char id[MR_KAFKA_ID_MAX];

        int r = make_nodes(&cluster, err);
        if (r >= 0 && !resource->is_deleted)
                r = check_roles(&cluster, err);
        if (r >= 0)
                r = check_quorum(&cluster, err);
        if (r >= 0)
                r = cluster_identity(resource, facts, arena, id, err);
        if (r < 0)
                return r;
        cluster.id = mr_arena_strdup(arena, id);
        if (cluster.is_dynamic)
                mark_joining(&cluster);
        else
                leave_out_controllers(&cluster);
        *ret = cluster;
        return 0;
}

const char *kafka_directory_id(const KafkaCluster *cluster, const KafkaNode *node) {
        const char *found = mr_tree_get_string(
                mr_facts_claim(cluster->facts, metadata_claim(cluster, node)), "directory_id");
        char id[MR_KAFKA_ID_MAX];

        if (!mr_is_empty(found))
                return found;
        mr_derived_id(mr_arena_strf(cluster->arena, "directory/%s/%s", cluster->id, node->name),
                      id);
        return mr_arena_strdup(cluster->arena, id);
}

const char *kafka_log_dir(const KafkaCluster *cluster, const KafkaNode *node, size_t volume) {
        const char *name = storage_volume_name(cluster->arena, node->storage,
                                               storage_volume_at(node->storage, volume));

        return mr_arena_strf(cluster->arena, "@{dir:%s}/kafka-log%" PRId64, name, node->id);
}
