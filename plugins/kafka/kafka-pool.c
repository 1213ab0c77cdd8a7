/* KafkaNodePool: rows, rules and status. Its nodes are made by the cluster it belongs to. */

#include "kafka.h"

#include "pools.h"
#include "str.h"

static const MrField pool_fields[] = {
        MR_INT("replicas", PoolSpec, replicas, .min = 0, .max = 1000, .flags = MR_REQUIRED,
               .doc = "Number of nodes in the pool."),
        MR_STRINGS("roles", PoolSpec, roles, .pattern = "^(controller|broker)$",
                   .form = "controller or broker", .flags = MR_REQUIRED,
                   .doc = "What the nodes do: broker, controller, or both. Beside ZooKeeper there "
                          "are only brokers."),
        MR_OBJECT("storage", PoolSpec, storage, Storage, storage_fields, .rule = storage_rule,
                  .flags = MR_REQUIRED, .doc = "Where each node of the pool keeps its data."),
        MR_OBJECT("jvmOptions", PoolSpec, jvm, JavaOptions, java_options_fields,
                  .rule = java_options_rule,
                  .doc = "Options of the Java virtual machine; those of the cluster when absent."),
        MR_OBJECT(
                "resources", PoolSpec, resources, Resources, resources_fields,
                .doc = "Memory and processor time of each node; those of the cluster when absent."),
        MR_OBJECT("template", PoolSpec, unread.object, MrUnread, pool_template_fields,
                  .doc = "Labels, annotations and details of the generated objects."),
        {},
};

static int pool_rule(const void *object, MrError *err) {
        const PoolSpec *spec = object;

        if (spec->roles.n == 0)
                return mr_fail(err, MR_INVALID, "roles",
                               "a pool needs a role; use broker, controller or both");
        for (size_t i = 0; i < spec->roles.n; i++)
                for (size_t k = 0; k < i; k++)
                        if (mr_streq(spec->roles.items[i], spec->roles.items[k]))
                                return mr_fail(err, MR_INVALID, "roles",
                                               "%s is named twice; name it once",
                                               spec->roles.items[i]);
        return 0;
}

static const MrField pool_status_fields[] = {
        MR_INTS("nodeIds", MrUnread, integers, .doc = "Ids of the nodes of the pool."),
        MR_STRINGS("roles", MrUnread, texts, .doc = "Roles the nodes have."),
        MR_INT("replicas", MrUnread, integer, .doc = "Number of nodes there are."),
        MR_STRING("clusterId", MrUnread, text, .doc = "Id of the cluster the pool belongs to."),
        MR_STRING("labelSelector", MrUnread, text, .doc = "Selector of the pods of the pool."),
        {},
};

static const char *const versions[] = {"v1beta2", "v1", NULL};
static const char *const short_names[] = {"knp", NULL};
static const MrColumn columns[] = {
        {"DESIRED REPLICAS", "spec.replicas", false},
        {"ROLES", "status.roles", false},
        {"NODEIDS", "status.nodeIds", false},
        {},
};

const MrKind pool_kind = {
        .group = "kafka.strimzi.io",
        .versions = versions,
        .name = POOL_KIND,
        .plural = "kafkanodepools",
        .short_names = short_names,
        .spec = pool_fields,
        .spec_size = sizeof(PoolSpec),
        .rule = pool_rule,
        .owner_kind = "Kafka",
        .owner_label = CLUSTER_LABEL,
        .columns = columns,
        .status = pool_status_fields,
        .scale = {"spec.replicas", "status.replicas", "status.labelSelector"},
        .doc = "A group of like nodes of a Kafka cluster; the label strimzi.io/cluster names the "
               "cluster.",
};

int pool_status(const MrResource *resource, const PoolSpec *spec, const MrFacts *facts,
                MrTree *status, MrError *err _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        const char *cluster = mr_pairs_get(&resource->labels, CLUSTER_LABEL);
        const char *id = mr_tree_get_string(mr_facts_view(facts, "kafka"), "cluster_id");
        int64_t n = 0;

        if (!cluster)
                return 0;
        PoolNodes nodes = pool_nodes(cluster, facts, arena);
        MrTree *ids = mr_tree_need_list(status, "nodeIds"),
               *roles = mr_tree_need_list(status, "roles");
        for (size_t i = 0; i < nodes.n; i++)
                if (mr_streq(nodes.items[i].pool->name, resource->name)) {
                        mr_tree_append(ids, mr_tree_new_int(nodes.items[i].id));
                        n++;
                }
        for (size_t i = 0; i < spec->roles.n; i++)
                mr_tree_append(roles, mr_tree_new_string(spec->roles.items[i]));
        mr_tree_set_int(status, "replicas", n);
        mr_tree_set_string(status, "clusterId", id);
        mr_tree_set_string(
                status, "labelSelector",
                mr_arena_strf(
                        arena,
                        "strimzi.io/cluster=%s,strimzi.io/name=%s-kafka,strimzi.io/kind=Kafka,"
                        "strimzi.io/pool-name=%s",
                        cluster, cluster, resource->name));
        return 0;
}
