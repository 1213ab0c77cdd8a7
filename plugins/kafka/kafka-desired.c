/* The parts of one cluster: authorities, and for each node its certificate, volumes, ports, files
 * and process. */

#include "kafka-certificates.h"
#include "kafka-cluster.h"
#include "kafka-listener.h"
#include "kafka-logging.h"
#include "kafka-metrics.h"
#include "kafka-objects.h"
#include "kafka-options.h"
#include "kafka-properties.h"
#include "kafka-quotas.h"
#include "properties.h"

#include <inttypes.h>
#include <string.h>

#define DEFAULT_HEAP (UINT64_C(1) << 30)
#define STOP_TIMEOUT_SEC 300
/* Brokers need controllers, or ZooKeeper, to begin and to end in an orderly way. */
#define ORDER_CONTROLLER 0
#define ORDER_BROKER 1

/* By what Kafka itself writes on each of its disks. */
static void add_marker(const KafkaCluster *cluster, const KafkaNode *node, size_t i,
                       MrVolume *volume) {
        MrArena *arena = cluster->arena;

        volume->marker = mr_arena_strf(arena, "kafka-log%" PRId64 "/meta.properties", node->id);
        mr_strings_add(arena, &volume->marker_lines,
                       mr_arena_strf(arena, "%s=%" PRId64,
                                     cluster->is_kraft ? "node.id" : "broker.id", node->id));
        if (cluster->is_kraft)
                mr_strings_add(arena, &volume->marker_lines,
                               mr_arena_strf(arena, "cluster.id=%s", cluster->id));
        volume->may_be_empty =
                volume->is_ephemeral && (!node->is_controller || i != node->metadata ||
                                         kafka_majority_without(cluster, node));
}

static void add_volumes(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        for (size_t i = 0; i < storage_volumes(node->storage); i++) {
                MrVolume volume =
                        storage_volume_part(cluster->arena, node->storage,
                                            storage_volume_at(node->storage, i), node->name);
                volume.cluster = cluster_key(cluster->arena, cluster->resource);
                volume.cluster_id = cluster->id;
                volume.role = "kafka";
                volume.quorum = !cluster->is_kraft    ? "zookeeper"
                                : cluster->is_dynamic ? "kraft-dynamic"
                                                      : "kraft-static";
                volume.node_id = node->id;
                if (node->is_controller && i == node->metadata)
                        volume.directory_id = kafka_directory_id(cluster, node);
                add_marker(cluster, node, i, &volume);
                mr_parts_add(parts, (MrPart){.kind = MR_PART_VOLUME, .volume = volume});
        }
}

static void add_endpoint(const KafkaCluster *cluster, const KafkaNode *node, MrEndpoint endpoint,
                         MrParts *parts) {
        endpoint.node = node->name;
        endpoint.group = kafka_group(cluster);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_ENDPOINT, .endpoint = endpoint});
}

static void add_endpoints(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        const MrList *listeners = &cluster->spec->kafka->listeners;

        if (node->is_controller)
                add_endpoint(cluster, node,
                             (MrEndpoint){.name = ENDPOINT_CONTROL,
                                          .port = 9090,
                                          .is_ready_check = !node->is_broker},
                             parts);
        if (!node->is_broker)
                return;
        add_endpoint(
                cluster, node,
                (MrEndpoint){.name = ENDPOINT_REPLICATION, .port = 9091, .is_ready_check = true},
                parts);
        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                MrEndpoint endpoint = {
                        .name = listener_endpoint(cluster->arena, listener),
                        .port = listener_port(listener, node->id),
                        .inner_port = listener->port,
                        .is_fixed = listener_port_is_fixed(listener, node->id),
                        .is_external = true,
                        /* A port that is taken is told before java starts. */
                        .is_ready_check = true,
                        .listener = listener->name,
                        .with_domain = listener_has_domain(listener),
                };
                listener_add_peers(cluster->arena, listener, &endpoint);
                add_endpoint(cluster, node, endpoint, parts);
        }
}

static void add_file(const KafkaNode *node, const char *name, const char *content,
                     MrFileEffect effect, MrParts *parts) {
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_FILE,
                                    .file = {.node = node->name,
                                             .name = name,
                                             .content = content,
                                             .effect = effect},
                            });
}

static void add_listener_files(const KafkaCluster *cluster, const KafkaNode *node, MrParts *parts) {
        const MrList *listeners = &cluster->spec->kafka->listeners;
        MrArena *arena = cluster->arena;

        for (size_t i = 0; i < listeners->n; i++) {
                const Listener *listener = (const Listener *) listeners->items + i;
                if (!listener_has(listener, AUTHENTICATION_CUSTOM))
                        continue;
                const MrList *secrets = &listener->authentication->secrets;
                for (size_t k = 0; k < secrets->n; k++) {
                        const SecretKey *key = (const SecretKey *) secrets->items + k;
                        add_file(node, listener_secret_file(arena, listener, key),
                                 mr_arena_strf(arena, "@{secret:%s/%s}", key->secret, key->key),
                                 MR_EFFECT_RESTART, parts);
                }
        }
}

static void add_files(const KafkaCluster *cluster, const KafkaNode *node, const MrPairs *properties,
                      const LogFile *log, MrParts *parts) {
        MrArena *arena = cluster->arena;

        /* What needs a restart is in the workload's settings; the rest is altered while the broker
         * runs. */
        add_file(node, "server.properties", properties_text(arena, properties), MR_EFFECT_NONE,
                 parts);
        add_file(node, log->name, log->content, kafka_log_effect(cluster), parts);
        if (node->is_broker)
                add_listener_files(cluster, node, parts);
}

/* Storage of a KRaft node is formatted once. A node that founds a dynamic quorum writes its
 * founders; one that joins a quorum must not. */
static void add_preparation(const KafkaCluster *cluster, const KafkaNode *node,
                            MrWorkload *workload) {
        const char *const common[] = {
                "format",
                /* A disk that was added later is prepared beside those that hold data already. */
                "--ignore-formatted",
                "-t",
                cluster->id,
                "-c",
                "@{file:server.properties}",
                "-r",
                cluster->metadata_version,
        };
        MrStrings *arguments = &workload->prepare_arguments;
        MrArena *arena = cluster->arena;

        workload->prepare_class = "kafka.tools.StorageTool";
        workload->prepared_path = mr_arena_strf(arena, "%s/meta.properties",
                                                kafka_log_dir(cluster, node, node->metadata));
        for (size_t i = 0; i < MR_ELEMENTS(common); i++)
                mr_strings_add(arena, arguments, common[i]);
        if (!cluster->is_dynamic || !node->is_controller)
                return;
        if (node->joins) {
                mr_strings_add(arena, arguments, "--no-initial-controllers");
                return;
        }
        const char *founders = kafka_initial_controllers(cluster);
        if (!founders)
                return;
        mr_strings_add(arena, arguments, "--initial-controllers");
        mr_strings_add(arena, arguments, founders);
}

static MrPairs node_labels(const KafkaCluster *cluster, const KafkaNode *node) {
        MrPairs labels = cluster_labels(cluster->arena, cluster->resource, "kafka");

        if (node->pool)
                mr_pairs_set(cluster->arena, &labels, "strimzi.io/pool-name", node->pool);
        mr_pairs_set(cluster->arena, &labels, "strimzi.io/broker-role",
                     node->is_broker ? "true" : "false");
        mr_pairs_set(cluster->arena, &labels, "strimzi.io/controller-role",
                     node->is_controller ? "true" : "false");
        return labels;
}

static void add_workload(const KafkaCluster *cluster, const KafkaNode *node,
                         const MrPairs *settings, const LogFile *log, const char *metrics,
                         MrParts *parts) {
        MrArena *arena = cluster->arena;
        MrWorkload workload = {
                .node = node->name,
                .node_id = node->id,
                .role = "kafka",
                .group = kafka_group(cluster),
                .order = node->is_broker ? ORDER_BROKER : ORDER_CONTROLLER,
                .software = CLUSTER_SOFTWARE,
                .version = cluster->version->name,
                .main_class = "kafka.Kafka",
                .settings = *settings,
                .stop_timeout_sec = STOP_TIMEOUT_SEC,
                .labels = node_labels(cluster, node),
        };

        mr_strings_add(arena, &workload.arguments, "@{file:server.properties}");
        for (size_t i = 0; i < storage_volumes(node->storage); i++)
                mr_strings_add(arena, &workload.directories, kafka_log_dir(cluster, node, i));
        java_apply(arena, node->jvm, node->resources, DEFAULT_HEAP, &workload);
        mr_strings_add(arena, &workload.jvm_options, log->option);
        kafka_metrics_add(cluster, metrics, parts, &workload);
        if (cluster->is_kraft)
                add_preparation(cluster, node, &workload);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_WORKLOAD, .workload = workload});
}

static void warn_of_notes(const KafkaCluster *cluster, MrParts *parts) {
        for (size_t i = 0; i < cluster->n_notes; i++)
                mr_parts_warn(parts, cluster->notes[i].reason, "%s", cluster->notes[i].message);
}

/* The longest name in a certificate is made of the cluster's. */
static int check_name(const MrResource *resource, MrError *err) {
        size_t most = COMMON_NAME_MAX - strlen("-zookeeper");

        if (strlen(resource->name) <= most || resource->is_deleted)
                return 0;
        return mr_fail(
                err, MR_INVALID, "metadata.name",
                "certificates have room for %zu characters of a cluster's name; use a shorter one",
                most);
}

int kafka_desired(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                  MrParts *parts, MrError *err) {
        KafkaCluster cluster;
        const char *metrics;
        LogFile log;

        int r = check_name(resource, err);
        if (r < 0)
                return r;
        r = kafka_cluster_make(resource, spec, facts, mr_parts_arena(parts), &cluster, err);
        if (r >= 0)
                r = kafka_log_file(&cluster, parts, &log, err);
        if (r >= 0)
                r = kafka_metrics_prepare(&cluster, parts, &metrics, err);
        if (r < 0)
                return r;
        if (!resource->is_deleted) {
                r = listeners_check_nodes(&cluster, err);
                if (r < 0)
                        return r;
        }
        kafka_warn_of_options(&cluster, parts);
        listeners_warn(&cluster, parts);
        warn_of_notes(&cluster, parts);
        certificates_add(&cluster, parts);
        for (size_t i = 0; i < cluster.n_nodes; i++) {
                const KafkaNode *node = &cluster.nodes[i];
                ServerProperties properties = kafka_properties(&cluster, node, parts);
                certificates_add_node(&cluster, node, parts);
                add_volumes(&cluster, node, parts);
                add_endpoints(&cluster, node, parts);
                kafka_log_restart(&cluster, node, &log, &properties.restart);
                add_files(&cluster, node, &properties.all, &log, parts);
                add_workload(&cluster, node, &properties.restart, &log, metrics, parts);
        }
        options_add_settings(&cluster, parts);
        kafka_add_metadata(&cluster, parts);
        kafka_add_members(&cluster, parts);
        kafka_log_settings(&cluster, &log, parts);
        quotas_add_settings(&cluster, parts);
        quotas_warn(&cluster, parts);
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_GUARD,
                                    .guard = {.group = kafka_group(&cluster), .max_unavailable = 1},
                            });
        kafka_add_objects(&cluster, parts);
        return 0;
}
