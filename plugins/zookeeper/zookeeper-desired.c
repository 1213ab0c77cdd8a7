/* The parts of one ensemble. */

#include "zookeeper.h"

#include <errno.h>
#include <inttypes.h>

#include "cluster.h"
#include "ensemble.h"
#include "properties.h"
#include "version.h"

#define DEFAULT_HEAP (UINT64_C(512) << 20)
#define STOP_TIMEOUT_SEC 30

Ensemble ensemble_of(const MrResource *resource, const ZooKeeperSpec *spec, const MrFacts *facts,
                     MrArena *arena) {
        return (Ensemble){
                .resource = resource,
                .spec = spec,
                .facts = facts,
                .arena = arena,
                .n = ensemble_members(resource, facts),
                .asked = spec->replicas,
        };
}

const char *ensemble_node(const Ensemble *ensemble, int64_t i) {
        return mr_arena_strf(ensemble->arena, "%s-zookeeper-%" PRId64, ensemble->resource->name, i);
}

static void add_certificate(const Ensemble *ensemble, const char *node, MrParts *parts) {
        const MrResource *resource = ensemble->resource;
        const char *client = mr_arena_strf(ensemble->arena, "%s-zookeeper-client", resource->name);
        const char *nodes = mr_arena_strf(ensemble->arena, "%s-zookeeper-nodes", resource->name);
        MrCertificate certificate = cluster_node_certificate(
                ensemble->arena, resource, ensemble->facts, node, "zookeeper", nodes);

        cluster_add_service_names(ensemble->arena, &certificate.names, client, resource->ns);
        mr_strings_add(ensemble->arena, &certificate.names,
                       mr_arena_strf(ensemble->arena, "*.%s.%s.svc", nodes, resource->ns));
        mr_parts_add(parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = certificate});
}

static void add_volume(const Ensemble *ensemble, int64_t i, const char *cluster_id,
                       MrParts *parts) {
        const Storage *storage = ensemble->spec->storage;
        MrVolume volume =
                storage_volume_part(ensemble->arena, storage, storage, ensemble_node(ensemble, i));

        volume.cluster = cluster_key(ensemble->arena, ensemble->resource);
        volume.cluster_id = cluster_id;
        volume.role = "zookeeper";
        volume.quorum = "zookeeper";
        volume.node_id = i;
        volume.storage_class = storage_class_of(storage, i);
        volume.marker = "data/myid";
        mr_strings_add(ensemble->arena, &volume.marker_lines,
                       mr_arena_strf(ensemble->arena, "%" PRId64, i + 1));
        volume.may_be_empty =
                volume.is_ephemeral && ensemble_majority_without(ensemble, volume.node);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_VOLUME, .volume = volume});
}

static void add_file(const char *node, const char *name, const char *content, MrFileEffect effect,
                     MrParts *parts) {
        mr_parts_add(
                parts,
                (MrPart){
                        .kind = MR_PART_FILE,
                        .file = {.node = node, .name = name, .content = content, .effect = effect},
                });
}

static void add_own_file(const Ensemble *ensemble, const char *node, MrParts *parts) {
        MrArena *arena = ensemble->arena;
        MrFile file = {
                .node = node,
                .name = mr_arena_strf(arena, "%s.pem", node),
                .content = mr_arena_strf(arena, "@{secret:%s/%s.pem}", node, node),
                .effect = MR_EFFECT_RESTART,
                .shows = MR_SHOWS_CERTIFICATE,
        };

        mr_strings_add(arena, &file.shown_at, ZOOKEEPER_CLIENTS);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_FILE, .file = file});
}

/* Loggers nobody says anything of are left as they are. */
static const MrPair levels[] = {{}};

static int make_log_file(const Ensemble *ensemble, MrParts *parts, LogFile *ret, MrError *err) {
        LogRequest request = {
                /* Of what is deleted the ConfigMap may be gone already. */
                .logging = ensemble->resource->is_deleted ? NULL : ensemble->spec->logging,
                .where = "spec.zookeeper.logging",
                .library = LOG_RELOAD4J,
                .levels = levels,
                .facts = ensemble->facts,
        };

        return log_file_make(parts, &request, ret, err);
}

/* ZooKeeper reads its loggers only when it starts. */
static MrPairs static_settings(const Ensemble *ensemble, const MrPairs *config,
                               const LogFile *log) {
        MrPairs settings = {};

        for (size_t i = 0; i < config->n; i++)
                mr_pairs_set(ensemble->arena, &settings, config->items[i].key,
                             config->items[i].value);
        for (size_t i = 0; i < log->fixed.n; i++)
                mr_pairs_set(ensemble->arena, &settings, log->fixed.items[i].key,
                             log->fixed.items[i].value);
        for (size_t i = 0; i < log->levels.n; i++) {
                const MrPair *pair = &log->levels.items[i];
                if (mr_streq(pair->key, LOG_ROOT) && mr_streq(pair->value, "INFO"))
                        continue;
                mr_pairs_set(ensemble->arena, &settings,
                             mr_arena_strf(ensemble->arena, "log4j.logger.%s", pair->key),
                             pair->value);
        }
        return settings;
}

static void add_files(const Ensemble *ensemble, const char *node, const MrPairs *config,
                      const LogFile *log, MrParts *parts) {
        MrArena *arena = ensemble->arena;

        /* The workload's settings hold the same configuration, so that a difference can be named.
         */
        add_file(node, "zoo.cfg", properties_text(arena, config), MR_EFFECT_NONE, parts);
        add_file(node, log->name, log->content, MR_EFFECT_NONE, parts);
        /* Members could be told to read these again for the links between them, but
         * ZooKeeper 3.8.4, which every release of Kafka 3.8 and 3.9 brings, keeps those for its
         * clients until it ends (client.certReload came with 3.8.5). */
        add_own_file(ensemble, node, parts);
        add_file(node, "cluster-ca.crt",
                 cluster_trust_text(arena, ensemble->resource, CLUSTER_TRUST_KEY),
                 MR_EFFECT_RESTART, parts);
}

static void add_endpoints(const Ensemble *ensemble, const char *node, MrParts *parts) {
        static const struct {
                const char *name;
                int64_t port;
                bool is_ready_check;
        } ports[] = {{ZOOKEEPER_CLIENTS, 2181, true},
                     {ZOOKEEPER_CLUSTERING, 2888, false},
                     {ZOOKEEPER_ELECTION, 3888, false}};

        for (size_t i = 0; i < MR_ELEMENTS(ports); i++)
                mr_parts_add(parts,
                             (MrPart){
                                     .kind = MR_PART_ENDPOINT,
                                     .endpoint =
                                             {
                                                     .node = node,
                                                     .name = ports[i].name,
                                                     .group = mr_arena_strf(
                                                             ensemble->arena, "%s-zookeeper",
                                                             ensemble->resource->name),
                                                     .port = ports[i].port,
                                                     .is_ready_check = ports[i].is_ready_check,
                                             },
                             });
}

static const char *jmx_secret(const Ensemble *ensemble) {
        return mr_arena_strf(ensemble->arena, "%s-zookeeper-jmx", ensemble->resource->name);
}

static int prepare_metrics(const Ensemble *ensemble, const KafkaVersion *version, MrParts *parts,
                           const char **ret_rules, MrError *err) {
        MetricsRequest request = {
                .metrics = ensemble->spec->metrics,
                .where = "spec.zookeeper.metricsConfig",
                .version = version->name,
                .facts = ensemble->facts,
        };

        *ret_rules = NULL;
        jmx_add_secret(parts, ensemble->spec->jmx, jmx_secret(ensemble),
                       cluster_labels(ensemble->arena, ensemble->resource, "zookeeper"));
        if (ensemble->resource->is_deleted)
                return 0;
        jmx_warn(parts, ensemble->spec->jmx, "spec.zookeeper.jmxOptions");
        return metrics_agent_rules(parts, &request, ret_rules, err);
}

static void add_workload(const Ensemble *ensemble, int64_t i, const KafkaVersion *version,
                         const MrPairs *config, const LogFile *log, const char *metrics,
                         MrParts *parts) {
        MrArena *arena = ensemble->arena;
        MrWorkload workload = {
                .node = ensemble_node(ensemble, i),
                .node_id = i,
                .role = "zookeeper",
                .group = mr_arena_strf(arena, "%s-zookeeper", ensemble->resource->name),
                .order = 0,
                .software = CLUSTER_SOFTWARE,
                .version = version->name,
                .main_class = "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                .settings = static_settings(ensemble, config, log),
                .stop_timeout_sec = STOP_TIMEOUT_SEC,
                .labels = cluster_labels(arena, ensemble->resource, "zookeeper"),
        };

        mr_strings_add(arena, &workload.arguments, "@{file:zoo.cfg}");
        mr_strings_add(arena, &workload.directories, "@{dir:data}/data");
        mr_pairs_set(arena, &workload.contents, "@{dir:data}/data/myid",
                     mr_arena_strf(arena, "%" PRId64, i + 1));
        java_apply(arena, ensemble->spec->jvm, ensemble->spec->resources, DEFAULT_HEAP, &workload);
        mr_strings_add(arena, &workload.jvm_options, log->option);
        /* A port that another process holds for a moment must not end the member for good. */
        mr_strings_add(arena, &workload.jvm_options, "-Dzookeeper.electionPortBindRetry=0");
        metrics_add_agent(parts, metrics, workload.group, &workload);
        jmx_add(parts, ensemble->spec->jmx, jmx_secret(ensemble), workload.group, &workload);
        mr_parts_add(parts, (MrPart){.kind = MR_PART_WORKLOAD, .workload = workload});
}

static void warn_of_size(const Ensemble *ensemble, MrParts *parts) {
        if (ensemble->n != ensemble->asked)
                mr_parts_warn(parts, "ZooKeeperScaling",
                              "spec.zookeeper.replicas: the ensemble keeps its %" PRId64
                              " members, changing their number to "
                              "%" PRId64 " is not supported yet",
                              ensemble->n, ensemble->asked);
        if (ensemble->n % 2 == 0)
                mr_parts_warn(parts, "ZooKeeperEvenReplicas",
                              "spec.zookeeper.replicas: %" PRId64
                              " members survive no more failures than %" PRId64
                              "; use an odd number",
                              ensemble->n, ensemble->n - 1);
}

static const KafkaVersion *version_of(const MrResource *resource, MrError *err) {
        const char *name =
                mr_tree_string(mr_tree_find(resource->tree, "spec.kafka.version", false));
        const KafkaVersion *version = kafka_version(name, true);

        if (!version)
                mr_fail(err, MR_INVALID, "spec.kafka.version", "Kafka %s is not known", name);
        return version;
}

int zookeeper_desired(const MrResource *resource, const void *spec, const MrFacts *facts,
                      MrParts *ret, MrError *err) {
        Ensemble ensemble = ensemble_of(resource, spec, facts, mr_parts_arena(ret));
        char id[MR_KAFKA_ID_MAX];
        const char *metrics;
        LogFile log;

        const KafkaVersion *version = version_of(resource, err);
        if (!version)
                return -EINVAL;
        int r = cluster_identity(resource, facts, ensemble.arena, id, err);
        if (r >= 0)
                r = make_log_file(&ensemble, ret, &log, err);
        if (r >= 0)
                r = prepare_metrics(&ensemble, version, ret, &metrics, err);
        if (r < 0)
                return r;
        const char *cluster_id = mr_arena_strdup(ensemble.arena, id);
        warn_of_size(&ensemble, ret);
        for (int64_t i = 0; i < ensemble.n; i++) {
                const char *node = ensemble_node(&ensemble, i);
                MrPairs config = zookeeper_config(&ensemble, i, ret);
                add_certificate(&ensemble, node, ret);
                add_volume(&ensemble, i, cluster_id, ret);
                add_endpoints(&ensemble, node, ret);
                add_files(&ensemble, node, &config, &log, ret);
                add_workload(&ensemble, i, version, &config, &log, metrics, ret);
        }
        mr_parts_add(ret, (MrPart){
                                  .kind = MR_PART_GUARD,
                                  .guard = {.group = mr_arena_strf(ensemble.arena, "%s-zookeeper",
                                                                   resource->name),
                                            .max_unavailable = 1},
                          });
        ensemble_add_objects(&ensemble, ret);
        return 0;
}
