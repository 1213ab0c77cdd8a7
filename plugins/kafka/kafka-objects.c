/* The firewall and account of a cluster, and the tags of everything it has. */

#include "kafka-objects.h"

#include "pools.h"

#define OWN_CERTIFICATE "cluster-operator-certs"

const MrResource *kafka_node_pool(const KafkaCluster *cluster, const KafkaNode *node) {
        return node->pool ? mr_facts_resource(cluster->facts, POOL_KIND, node->pool) : NULL;
}

const MrTree *kafka_template(const KafkaCluster *cluster, const KafkaNode *node, const char *name) {
        const MrResource *pool = node ? kafka_node_pool(cluster, node) : NULL;
        const MrTree *own =
                pool ? mr_tree_get(mr_tree_find(pool->tree, "spec.template", false), name) : NULL;

        return own ? own
                   : mr_tree_get(
                             mr_tree_find(cluster->resource->tree, "spec.kafka.template", false),
                             name);
}

MrTags kafka_node_tags(const KafkaCluster *cluster, const KafkaNode *node) {
        MrTags tags = cluster_tags(cluster->arena, cluster->resource,
                                   kafka_node_pool(cluster, node), "kafka");

        tags_label(cluster->arena, &tags, POOL_LABEL, node->pool ? node->pool : "kafka");
        return tags;
}

MrPairs kafka_node_selector(const KafkaCluster *cluster, const KafkaNode *node) {
        MrPairs selector = cluster_selector(cluster->arena, cluster->resource, "kafka");

        mr_pairs_set(cluster->arena, &selector, POD_NAME_LABEL, node->name);
        mr_pairs_set(cluster->arena, &selector, POOL_LABEL, node->pool ? node->pool : "kafka");
        return selector;
}

/* --- tags */

static const KafkaNode *find_node(const KafkaCluster *cluster, const char *name) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(cluster->nodes[i].name, name))
                        return &cluster->nodes[i];
        return NULL;
}

/* The volume as it is written, of the storage of the pool or of the cluster. */
static const MrTree *written_storage(const KafkaCluster *cluster, const KafkaNode *node,
                                     const char *name) {
        const MrResource *pool = kafka_node_pool(cluster, node);
        const MrTree *storage =
                pool ? mr_tree_find(pool->tree, "spec.storage", false)
                     : mr_tree_find(cluster->resource->tree, "spec.kafka.storage", false);
        const MrTree *volumes = mr_tree_get(storage, "volumes");

        for (size_t i = 0; i < mr_tree_size(volumes); i++) {
                const MrTree *volume = mr_tree_at(volumes, i);
                const char *own = mr_arena_strf(cluster->arena, "data-%lld",
                                                (long long) mr_tree_get_int(volume, "id", 0));
                if (mr_streq(own, name))
                        return volume;
        }
        return storage;
}

static void tag_volume(const KafkaCluster *cluster, const KafkaNode *node, MrVolume *volume) {
        volume->tags = kafka_node_tags(cluster, node);
        volume->tags.template = kafka_template(cluster, node, "persistentVolumeClaim");
        if (!volume->delete_claim)
                volume->tags.stays = true;
        tags_annotate(cluster->arena, &volume->tags, "strimzi.io/delete-claim",
                      volume->delete_claim ? "true" : "false");
        volume->storage = written_storage(cluster, node, volume->name);
}

static MrPairs pod_labels(const KafkaCluster *cluster, const KafkaNode *node) {
        MrTags tags = kafka_node_tags(cluster, node);

        tags_label(cluster->arena, &tags, POD_NAME_LABEL, node->name);
        tags_label(cluster->arena, &tags, "strimzi.io/broker-role",
                   node->is_broker ? "true" : "false");
        tags_label(cluster->arena, &tags, "strimzi.io/controller-role",
                   node->is_controller ? "true" : "false");
        return tags.labels;
}

static void tag_workload(const KafkaCluster *cluster, const KafkaNode *node, MrWorkload *workload) {
        const MrTree *server = mr_tree_find(cluster->resource->tree, "spec.kafka", false);
        MrArena *arena = cluster->arena;

        const MrResource *pool = kafka_node_pool(cluster, node);
        const MrTree *of_pool = pool ? mr_tree_find(pool->tree, "spec.resources", false) : NULL;

        workload->resources = of_pool ? of_pool : mr_tree_get(server, "resources");
        workload->image = mr_tree_get_string(server, "image");
        workload->service = mr_arena_strf(arena, "%s-kafka-brokers", cluster->resource->name);
        workload->account = kafka_group(cluster);
        workload->selector = kafka_node_selector(cluster, node);
        workload->pod = kafka_template(cluster, node, "pod");
        workload->tags = kafka_node_tags(cluster, node);
        tags_annotate(arena, &workload->tags, "strimzi.io/kafka-version", workload->version);
        workload->pod_tags = workload->tags;
        workload->pod_tags.labels = pod_labels(cluster, node);
        workload->pod_tags.template = workload->pod;
        workload->tags.template = kafka_template(cluster, node, "podSet");
        workload->container = kafka_template(cluster, node, "kafkaContainer");
        workload->init = kafka_template(cluster, node, "initContainer");
        workload->readiness = mr_tree_get(server, "readinessProbe");
}

static void tag_certificate(const KafkaCluster *cluster, MrCertificate *certificate) {
        if (find_node(cluster, certificate->name)) {
                certificate->tags = cluster_tags(cluster->arena, cluster->resource, NULL, "kafka");
        } else if (certificate->authority) {
                if (mr_ends_with(certificate->name, "-" OWN_CERTIFICATE))
                        certificate->tags =
                                cluster_own_tags(cluster->arena, cluster->resource, "strimzi");
        } else {
                certificate->tags = cluster_own_tags(cluster->arena, cluster->resource,
                                                     "certificate-authority");
                if (mr_ends_with(certificate->name, "-cluster-ca"))
                        certificate->tags.template = kafka_template(cluster, NULL, "clusterCaCert");
                if (certificate->outlives)
                        certificate->tags.stays = true;
        }
}

static void tag_guard(const KafkaCluster *cluster, MrGuard *guard) {
        const MrTree *template = kafka_template(cluster, NULL, "podDisruptionBudget");

        guard->selector = cluster_selector(cluster->arena, cluster->resource, "kafka");
        guard->tags = cluster_tags(cluster->arena, cluster->resource, NULL, "kafka");
        guard->tags.template = template;
        guard->max_unavailable =
                mr_tree_get_int(template, "maxUnavailable", guard->max_unavailable);
}

static void tag_jmx(const KafkaCluster *cluster, MrSecretPart *secret) {
        secret->tags = cluster_tags(cluster->arena, cluster->resource, NULL, "kafka");
        secret->tags.template = kafka_template(cluster, NULL, "jmxSecret");
}

static void tag_part(const KafkaCluster *cluster, MrPart *part) {
        const KafkaNode *node = part->kind == MR_PART_VOLUME ? find_node(cluster, part->volume.node)
                                : part->kind == MR_PART_WORKLOAD
                                        ? find_node(cluster, part->workload.node)
                                        : NULL;

        if (part->kind == MR_PART_VOLUME && node)
                tag_volume(cluster, node, &part->volume);
        else if (part->kind == MR_PART_WORKLOAD && node)
                tag_workload(cluster, node, &part->workload);
        else if (part->kind == MR_PART_CERTIFICATE)
                tag_certificate(cluster, &part->certificate);
        else if (part->kind == MR_PART_TRUST)
                part->trust.tags =
                        cluster_own_tags(cluster->arena, cluster->resource, "trust-bundle");
        else if (part->kind == MR_PART_SECRET && mr_ends_with(part->secret.name, "-kafka-jmx"))
                tag_jmx(cluster, &part->secret);
        else if (part->kind == MR_PART_GUARD && mr_streq(part->guard.group, kafka_group(cluster)))
                tag_guard(cluster, &part->guard);
}

/* --- account and firewall */

static void add_account(const KafkaCluster *cluster, MrParts *parts) {
        MrAccount account = {
                .name = kafka_group(cluster),
                .tags = cluster_tags(cluster->arena, cluster->resource, NULL, "kafka"),
        };

        account.binding = mr_arena_strf(cluster->arena, "strimzi-%s-%s-init", cluster->resource->ns,
                                        account.name);
        account.binding_tags = account.tags;
        account.tags.template = kafka_template(cluster, NULL, "serviceAccount");
        account.binding_tags.template = kafka_template(cluster, NULL, "clusterRoleBinding");
        mr_parts_add(parts, (MrPart){.kind = MR_PART_ACCOUNT, .account = account});
}

static MrPeer named_peer(const KafkaCluster *cluster, const char *component) {
        MrPeer peer = {};

        mr_pairs_set(cluster->arena, &peer.labels, "strimzi.io/name",
                     mr_arena_strf(cluster->arena, "%s-%s", cluster->resource->name, component));
        return peer;
}

/* Who may use the ports of the nodes among themselves: the nodes, millrace, and for replication the
 * helpers of the cluster. */
static MrAccess internal_access(const KafkaCluster *cluster, int64_t port, bool with_helpers) {
        static const char *const helpers[] = {"entity-operator", "kafka-exporter",
                                              "cruise-control"};
        MrPeer *peers = mr_arena_new_array(cluster->arena, MrPeer, 2 + MR_ELEMENTS(helpers));
        size_t n = 0;

        peers[n++] =
                (MrPeer){.labels = cluster_selector(cluster->arena, cluster->resource, "kafka")};
        peers[n] = (MrPeer){.is_anywhere = true};
        mr_pairs_set(cluster->arena, &peers[n++].labels, "strimzi.io/kind", "cluster-operator");
        for (size_t i = 0; with_helpers && i < MR_ELEMENTS(helpers); i++)
                peers[n++] = named_peer(cluster, helpers[i]);
        return (MrAccess){.port = port, .peers = peers, .n_peers = n};
}

/* Metrics and the like, which everybody may ask for. */
static size_t aside_accesses(const KafkaCluster *cluster, const MrParts *parts, MrAccess *ret) {
        size_t n = 0;

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_ENDPOINT && part->endpoint.is_aside &&
                    !part->endpoint.loopback_only &&
                    mr_streq(part->endpoint.node, cluster->nodes[0].name))
                        ret[n++] = (MrAccess){.port = part->endpoint.port};
        }
        return n;
}

static void add_firewall(const KafkaCluster *cluster, MrParts *parts) {
        const MrTree *written =
                mr_tree_find(cluster->resource->tree, "spec.kafka.listeners", false);
        const MrList *listeners = &cluster->spec->kafka->listeners;
        MrAccess *accesses = mr_arena_new_array(cluster->arena, MrAccess,
                                                listeners->n + mr_parts_size(parts) + 2);
        size_t n = 0;

        if (cluster->is_kraft)
                accesses[n++] = internal_access(cluster, 9090, false);
        accesses[n++] = internal_access(cluster, 9091, true);
        for (size_t i = 0; i < listeners->n; i++)
                accesses[n++] = (MrAccess){
                        .port = ((const Listener *) listeners->items + i)->port,
                        .asked = mr_tree_get(mr_tree_at(written, i), "networkPolicyPeers"),
                };
        n += aside_accesses(cluster, parts, accesses + n);
        mr_parts_add(parts,
                     (MrPart){.kind = MR_PART_FIREWALL,
                              .firewall = {.name = mr_arena_strf(cluster->arena,
                                                                 "%s-network-policy-kafka",
                                                                 cluster->resource->name),
                                           .selector = cluster_selector(cluster->arena,
                                                                        cluster->resource, "kafka"),
                                           .accesses = accesses,
                                           .n_accesses = n,
                                           .tags = cluster_tags(cluster->arena, cluster->resource,
                                                                NULL, "kafka")}});
}

void kafka_add_objects(const KafkaCluster *cluster, MrParts *parts) {
        for (size_t i = 0; i < mr_parts_size(parts); i++)
                tag_part(cluster, mr_parts_edit(parts, i));
        add_account(cluster, parts);
        add_firewall(cluster, parts);
        kafka_add_services(cluster, parts);
}
