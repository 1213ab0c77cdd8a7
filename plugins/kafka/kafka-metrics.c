/* What a node tells of itself, and of where it is. */

#include "kafka-metrics.h"

#include "software.h"

#define SERVER_REPORTER "server-metrics-reporter"
#define CLIENT_REPORTER "client-metrics-reporter"
#define REPORTER "prometheus.metrics.reporter."
#define REPORTERS "io.strimzi.kafka.metrics.prometheus."

static const MrEnum rack_types[] = {
        {"topology-label", RACK_LABEL, "A label of the place where the node runs."},
        {"environment-variable", RACK_ENVIRONMENT, "A variable in the environment of the node."},
        {},
};

const MrField rack_fields[] = {
        MR_ENUM("type", Rack, type, rack_types, .fallback = "topology-label",
                .doc = "Where the rack is written down. A host has no environment for its nodes, "
                       "so there both are a label of the host."),
        MR_STRING("topologyKey", Rack, topology_key,
                  .doc = "The label that says the rack or zone. "
                         "Labels of a host are in its hostd.yaml."),
        MR_STRING("envVarName", Rack, variable,
                  .doc = "With type environment-variable: the name of the variable."),
        {},
};

const MrCheck rack_checks[] = {
        {"(has(self.type) && self.type != 'topology-label') || "
         "(has(self.topologyKey) && self.topologyKey != '')",
         "topologyKey is missing; name the label that says the rack or zone"},
        {"!has(self.type) || self.type != 'environment-variable' || "
         "(has(self.envVarName) && self.envVarName != '')",
         "envVarName is missing; name the variable that says the rack"},
        {},
};

int rack_rule(const void *object, MrError *err) {
        const Rack *rack = object;
        bool is_label = rack->type != RACK_ENVIRONMENT;
        const char *field = is_label ? "topologyKey" : "envVarName";
        const char *value = is_label ? rack->topology_key : rack->variable;

        if (mr_is_empty(value))
                return mr_fail(err, MR_INVALID, field, "is missing; %s",
                               is_label ? "name the label that says the rack or zone"
                                        : "name the variable that says the rack");
        if (!mr_matches(value, "[A-Za-z0-9_][A-Za-z0-9._/-]*"))
                return mr_fail(
                        err, MR_INVALID, field,
                        "\"%s\" cannot be a name; use letters, digits, '.', '-', '_' and '/'",
                        value);
        return 0;
}

static const char *rack_label(const KafkaCluster *cluster) {
        const Rack *rack = cluster->spec->kafka->rack;

        if (!rack)
                return NULL;
        return rack->type == RACK_ENVIRONMENT ? rack->variable : rack->topology_key;
}

/* Where no labels are known, as in a plan on paper, or where each node may run on another machine,
 * the label is taken to be there. */
static bool is_labelled(const KafkaCluster *cluster, const char *label) {
        const MrTree *labels = mr_tree_get(mr_facts_host(cluster->facts), "labels");

        return !labels || !mr_is_empty(mr_tree_get_string(labels, label));
}

static bool wants_reporter(const KafkaCluster *cluster) {
        const Metrics *metrics = cluster->spec->kafka->metrics;

        return metrics && metrics->type == METRICS_STRIMZI_REPORTER;
}

static bool has_jar(const KafkaCluster *cluster, const char *name) {
        return software_has_jar(cluster->facts, CLUSTER_SOFTWARE, cluster->version->name, name);
}

static void append(const KafkaCluster *cluster, MrPairs *properties, const char *key,
                   const char *value) {
        const char *before = mr_pairs_get(properties, key);

        mr_pairs_set(cluster->arena, properties, key,
                     mr_is_empty(before) ? value
                                         : mr_arena_strf(cluster->arena, "%s,%s", before, value));
}

static const char *allowed(const KafkaCluster *cluster, MrParts *parts) {
        const MetricsValues *values = cluster->spec->kafka->metrics->values;
        const char *list = NULL;

        for (size_t i = 0; values && i < values->allow_list.n; i++) {
                const char *item = mr_parts_literal(parts, values->allow_list.items[i]);
                list = list ? mr_arena_strf(cluster->arena, "%s,%s", list, item) : item;
        }
        return list;
}

static void add_reporter(const KafkaCluster *cluster, MrPairs *properties, MrParts *parts) {
        MrArena *arena = cluster->arena;

        if (!wants_reporter(cluster))
                return;
        if (has_jar(cluster, SERVER_REPORTER)) {
                append(cluster, properties, "metric.reporters",
                       REPORTERS "ServerKafkaMetricsReporter");
                append(cluster, properties, "kafka.metrics.reporters",
                       REPORTERS "ServerYammerMetricsReporter");
        } else if (has_jar(cluster, CLIENT_REPORTER))
                append(cluster, properties, "metric.reporters", REPORTERS "ClientMetricsReporter");
        else
                return;
        const char *list = allowed(cluster, parts);
        if (list)
                mr_pairs_set(arena, properties, REPORTER "allowlist", list);
        mr_pairs_set(arena, properties, REPORTER "listener",
                     "http://:@{bind:" METRICS_ENDPOINT "}");
        mr_pairs_set(arena, properties, REPORTER "listener.enable", "true");
}

void kafka_metrics_options(const KafkaCluster *cluster, const KafkaNode *node, MrPairs *properties,
                           MrParts *parts) {
        const char *label = rack_label(cluster);

        add_reporter(cluster, properties, parts);
        if (label && node->is_broker && is_labelled(cluster, label))
                mr_pairs_set(cluster->arena, properties, "broker.rack",
                             mr_arena_strf(cluster->arena, "@{%s:%s}",
                                           cluster->spec->kafka->rack->type == RACK_ENVIRONMENT
                                                   ? "variable"
                                                   : "label",
                                           label));
}

static const char *jmx_secret(const KafkaCluster *cluster) {
        return mr_arena_strf(cluster->arena, "%s-kafka-jmx", cluster->resource->name);
}

static void warn(const KafkaCluster *cluster, MrParts *parts) {
        const char *label = rack_label(cluster);

        if (label && !is_labelled(cluster, label))
                mr_parts_warn(parts, "RackUnknown",
                              "spec.kafka.rack has no effect: the host has no label %s; add it to "
                              "labels in /etc/millrace/hostd.yaml",
                              label);
        if (!wants_reporter(cluster) || has_jar(cluster, SERVER_REPORTER))
                return;
        if (has_jar(cluster, CLIENT_REPORTER))
                mr_parts_warn(
                        parts, "MetricsIncomplete",
                        "spec.kafka.metricsConfig: the distribution has only the reporter for "
                        "clients, which leaves out the metrics of the broker that Kafka "
                        "keeps with Yammer; add " SERVER_REPORTER " to its libs or extras");
        else
                mr_parts_warn(parts, "MetricsUnavailable",
                              "spec.kafka.metricsConfig has no effect: the distribution of Kafka "
                              "%s has neither " SERVER_REPORTER " nor " CLIENT_REPORTER
                              "; put it into its libs or extras",
                              cluster->version->name);
}

int kafka_metrics_prepare(const KafkaCluster *cluster, MrParts *parts, const char **ret_rules,
                          MrError *err) {
        const KafkaServer *server = cluster->spec->kafka;
        MetricsRequest request = {
                .metrics = server->metrics,
                .where = "spec.kafka.metricsConfig",
                .version = cluster->version->name,
                .facts = cluster->facts,
        };

        *ret_rules = NULL;
        jmx_add_secret(parts, server->jmx, jmx_secret(cluster),
                       cluster_labels(cluster->arena, cluster->resource, "kafka"));
        if (cluster->resource->is_deleted)
                return 0;
        jmx_warn(parts, server->jmx, "spec.kafka.jmxOptions");
        warn(cluster, parts);
        return metrics_agent_rules(parts, &request, ret_rules, err);
}

void kafka_metrics_add(const KafkaCluster *cluster, const char *rules, MrParts *parts,
                       MrWorkload *workload) {
        const char *group = kafka_group(cluster);

        metrics_add_agent(parts, rules, group, workload);
        if (wants_reporter(cluster) &&
            (has_jar(cluster, SERVER_REPORTER) || has_jar(cluster, CLIENT_REPORTER)))
                metrics_add_endpoint(parts, workload->node, group);
        jmx_add(parts, cluster->spec->kafka->jmx, jmx_secret(cluster), group, workload);
}
