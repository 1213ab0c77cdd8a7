/* The quorum of controllers: its kind, its members, and what a change of roles may do to it. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <string.h>

/* Where a cluster has its metadata is written on its storage and never changes because a spec or a
 * version did. */
static int check_claim(KafkaCluster *cluster, const char *name, const char *quorum, MrError *err) {
        bool was_kraft = !mr_streq(quorum, "zookeeper");

        if (was_kraft != cluster->is_kraft && !cluster->resource->is_deleted)
                return mr_fail(err, MR_INVALID, "spec.zookeeper",
                               "storage %s belongs to a cluster %s ZooKeeper, and moving "
                               "between the two is not "
                               "supported yet; put spec.zookeeper back as it was",
                               name, was_kraft ? "without" : "with");
        cluster->is_dynamic = mr_streq(quorum, "kraft-dynamic");
        return 0;
}

/* A new quorum can change its voters from Kafka 4.1 on, if its metadata is at least that of 3.9. */
static bool founds_dynamic(const KafkaCluster *cluster) {
        const char *asked = cluster->spec->kafka->metadata_version;
        const KafkaMetadata *metadata = asked ? kafka_metadata(asked) : NULL,
                            *needed = kafka_metadata("3.9-IV0");

        return kafka_version_is_at_least(cluster->version, 4, 1) &&
               (!metadata || metadata->level >= needed->level);
}

int kafka_quorum_check(KafkaCluster *cluster, MrError *err) {
        cluster->is_dynamic = cluster->is_kraft && founds_dynamic(cluster);
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                for (size_t k = 0; k < storage_volumes(node->storage); k++) {
                        const char *claim = kafka_claim(cluster, node, k);
                        const char *quorum =
                                mr_tree_get_string(mr_facts_claim(cluster->facts, claim), "quorum");
                        if (quorum)
                                return check_claim(cluster, claim, quorum, err);
                }
        }
        return 0;
}

static const MrTree *voters_seen(const KafkaCluster *cluster) {
        const MrTree *voters = mr_tree_get(mr_tree_get(kafka_view(cluster), "quorum"), "voters");

        return mr_tree_size(voters) > 0 ? voters : NULL;
}

bool kafka_may_vote(const KafkaCluster *cluster, int64_t id) {
        const MrTree *voters = voters_seen(cluster);

        return !voters || mr_tree_get(voters, kafka_id_text(cluster, id));
}

static const MrTree *metadata_claim(const KafkaCluster *cluster, const KafkaNode *node) {
        return mr_facts_claim(cluster->facts, kafka_claim(cluster, node, node->metadata));
}

static const char *told(const KafkaCluster *cluster, const KafkaNode *node, const char *key) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);

        return fact ? mr_tree_get_string(fact->applied ? fact->applied : fact->settings, key)
                    : NULL;
}

/* Whether the node was a controller, a broker, before this spec. */
static bool had_role(const KafkaCluster *cluster, const KafkaNode *node, const char *role) {
        const char *roles = told(cluster, node, "process.roles");

        return roles && strstr(roles, role);
}

static bool was_told_roles(const KafkaCluster *cluster, const KafkaNode *node) {
        return told(cluster, node, "process.roles") != NULL;
}

/* "0@host:9090,1@host:9090" of the first controller that was told; NULL when none was. */
static const char *told_voters(const KafkaCluster *cluster) {
        const char *voters = NULL;

        for (size_t i = 0; i < cluster->n_nodes && !voters; i++)
                voters = told(cluster, &cluster->nodes[i], "controller.quorum.voters");
        return voters;
}

static bool voters_name(const char *voters, int64_t id) {
        _cleanup_free_ char *first = mr_strf("%" PRId64 "@", id),
                            *later = mr_strf(",%" PRId64 "@", id);

        return mr_starts_with(voters, first) || strstr(voters, later);
}

/* Whether any controller has formatted its storage or runs: from then on the quorum has the members
 * it was founded with. */
static bool is_founded(const KafkaCluster *cluster) {
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
                if ((fact && fact->settings) ||
                    mr_tree_get_bool(metadata_claim(cluster, node), "prepared", false))
                        return true;
        }
        return voters_seen(cluster) != NULL;
}

static void keep_roles(KafkaCluster *cluster, KafkaNode *node) {
        if (had_role(cluster, node, "controller") && !node->is_controller &&
            kafka_may_vote(cluster, node->id)) {
                node->is_controller = true;
                node->leaves = cluster->is_dynamic;
                kafka_note(cluster, "RoleChange",
                           cluster->is_dynamic
                                   ? "%s stays a controller while it votes"
                                   : "%s stays a controller: the number of controllers cannot be "
                                     "changed yet",
                           node->name);
        }
        if (had_role(cluster, node, "broker") && !node->is_broker &&
            kafka_hosted(cluster, node->id) != 0) {
                node->is_broker = true;
                kafka_note(cluster, "RoleChange", "%s stays a broker: %s", node->name,
                           kafka_hosted(cluster, node->id) < 0
                                   ? "it is not known yet whether it hosts partitions"
                                   : "it hosts partitions; move them to other brokers first");
        }
        if (was_told_roles(cluster, node) && !had_role(cluster, node, "controller") &&
            node->is_controller) {
                node->is_controller = false;
                node->is_broker = true;
                kafka_note(cluster, "RoleChange",
                           "%s stays a broker only: the number of controllers cannot be changed "
                           "yet",
                           node->name);
        }
}

/* A quorum that runs cannot take another controller of a static kind; of a dynamic kind such a node
 * joins without a vote. */
static bool may_be_made(KafkaCluster *cluster, KafkaNode *node, const char *voters) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
        bool is_there = fact && fact->state != MR_NODE_ABSENT;

        if (!node->is_controller)
                return true;
        if (!cluster->is_dynamic)
                return is_there || !voters || voters_name(voters, node->id);
        if (voters_seen(cluster)) {
                node->joins = !kafka_may_vote(cluster, node->id);
                return true;
        }
        /* Who votes is not known: what has a claim goes on as it was. */
        const MrTree *claim = metadata_claim(cluster, node);
        node->joins = claim && !mr_tree_get_string(claim, "directory_id");
        return claim || is_there || !is_founded(cluster);
}

static void leave_out(KafkaCluster *cluster, const KafkaNode *node) {
        mr_strings_add(cluster->arena, &cluster->left_out, node->name);
        kafka_note(cluster, "ControllerScaling",
                   cluster->is_dynamic ? "%s is not made: it is not known yet who votes"
                                       : "%s is not made: the number of controllers cannot be "
                                         "changed yet",
                   node->name);
}

void kafka_roles_settle(KafkaCluster *cluster) {
        const char *voters = is_founded(cluster) ? told_voters(cluster) : NULL;
        size_t n = 0;

        if (!cluster->is_kraft)
                return;
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                KafkaNode *node = &cluster->nodes[i];
                keep_roles(cluster, node);
                if (!may_be_made(cluster, node, voters)) {
                        leave_out(cluster, node);
                        continue;
                }
                if (node->joins)
                        kafka_note(
                                cluster, "ControllerScaling",
                                "%s does not vote yet: it gets a vote once it follows the others",
                                node->name);
                cluster->nodes[n++] = *node;
        }
        cluster->n_nodes = n;
}
