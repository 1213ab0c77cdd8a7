/* One cluster: what its parts have in common, and the order in which they are found out. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <stdarg.h>

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

void kafka_note(KafkaCluster *cluster, const char *reason, const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);
        for (size_t i = 0; i < cluster->n_notes; i++)
                if (mr_streq(cluster->notes[i].message, message))
                        return;
        if (cluster->n_notes == cluster->allocated_notes) {
                size_t n = cluster->allocated_notes * 2 + 4;
                KafkaNote *notes = mr_arena_new_array(cluster->arena, KafkaNote, n);
                for (size_t i = 0; i < cluster->n_notes; i++)
                        notes[i] = cluster->notes[i];
                cluster->notes = notes;
                cluster->allocated_notes = n;
        }
        cluster->notes[cluster->n_notes++] =
                (KafkaNote){.reason = reason, .message = mr_arena_strdup(cluster->arena, message)};
}

const MrTree *kafka_view(const KafkaCluster *cluster) {
        const MrTree *view = mr_facts_view(cluster->facts, "kafka");

        return mr_tree_get_string(view, "error") ? NULL : view;
}

const char *kafka_id_text(const KafkaCluster *cluster, int64_t id) {
        return mr_arena_strf(cluster->arena, "%" PRId64, id);
}

int64_t kafka_hosted(const KafkaCluster *cluster, int64_t id) {
        const MrTree *hosted =
                mr_tree_get(mr_tree_get(kafka_view(cluster), "partitions"), "hosted");

        return hosted ? mr_tree_get_int(hosted, kafka_id_text(cluster, id), 0) : -1;
}

const char *kafka_claim(const KafkaCluster *cluster, const KafkaNode *node, size_t volume) {
        const char *name = storage_volume_name(cluster->arena, node->storage,
                                               storage_volume_at(node->storage, volume));

        return mr_arena_strf(cluster->arena, "%s-%s", name, node->name);
}

static int check_roles(const KafkaCluster *cluster, MrError *err) {
        size_t controllers = kafka_controllers(cluster);

        if (!cluster->is_kraft && controllers > 0)
                return mr_fail(err, MR_INVALID, "spec.zookeeper",
                               "a cluster with ZooKeeper has no controllers of its own; give its "
                               "node pools only the role broker");
        if (cluster->is_kraft && controllers == 0)
                return mr_fail(err, MR_INVALID, "spec",
                               "there is no spec.zookeeper, and no node pool with replicas has "
                               "controller among its roles; add it to one");
        if (kafka_brokers(cluster) == 0)
                return mr_fail(err, MR_INVALID, "spec",
                               "no node pool with replicas has broker among its roles; add it to "
                               "one");
        return 0;
}

static int settle_storage(KafkaCluster *cluster, MrError *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < cluster->n_nodes; i++)
                r = kafka_storage_settle(cluster, &cluster->nodes[i], err);
        return r;
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

        int r = kafka_nodes_make(&cluster, err);
        if (r >= 0 && !resource->is_deleted)
                r = check_roles(&cluster, err);
        if (r >= 0)
                r = settle_storage(&cluster, err);
        if (r >= 0)
                r = kafka_quorum_check(&cluster, err);
        if (r >= 0)
                r = cluster_identity(resource, facts, arena, id, err);
        if (r >= 0)
                r = kafka_release_check(&cluster, err);
        if (r < 0)
                return r;
        cluster.id = mr_arena_strdup(arena, id);
        kafka_roles_settle(&cluster);
        kafka_leftovers_find(&cluster);
        *ret = cluster;
        return 0;
}

/* A claim that was made without one belongs to a node that is no founder of the quorum. */
const char *kafka_directory_id(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrTree *claim =
                mr_facts_claim(cluster->facts, kafka_claim(cluster, node, node->metadata));
        char id[MR_KAFKA_ID_MAX];

        if (claim || node->joins)
                return mr_tree_get_string(claim, "directory_id");
        mr_derived_id(mr_arena_strf(cluster->arena, "directory/%s/%s", cluster->id, node->name),
                      id);
        return mr_arena_strdup(cluster->arena, id);
}

const char *kafka_log_dir(const KafkaCluster *cluster, const KafkaNode *node, size_t volume) {
        const char *name = storage_volume_name(cluster->arena, node->storage,
                                               storage_volume_at(node->storage, volume));

        return mr_arena_strf(cluster->arena, "@{dir:%s}/kafka-log%" PRId64, name, node->id);
}
