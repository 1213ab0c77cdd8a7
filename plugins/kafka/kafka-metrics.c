/* What a node tells of itself, and of where it is. */

#include "kafka-metrics.h"

#include "software.h"

#define REPORTER "prometheus.metrics.reporter."

/* Strimzi's reporters for servers, by the jars they come in, the newest first: one for the metrics
 * of Kafka's own kind and one for those it keeps with Yammer. The one for clients
 * (client-metrics-reporter) ends a broker that loads it. */
static const struct Reporter {
        const char *jar;
        const char *kafka, *yammer;
} reporters[] = {
        {"server-metrics-reporter",
         "io.strimzi.kafka.metrics.prometheus.ServerKafkaMetricsReporter",
         "io.strimzi.kafka.metrics.prometheus.ServerYammerMetricsReporter"},
        {"metrics-reporter", "io.strimzi.kafka.metrics.KafkaPrometheusMetricsReporter",
         "io.strimzi.kafka.metrics.YammerPrometheusMetricsReporter"},
};

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

/* NULL: none is wanted, or there is none. */
static const struct Reporter *reporter_of(const KafkaCluster *cluster) {
        for (size_t i = 0; wants_reporter(cluster) && i < MR_ELEMENTS(reporters); i++)
                if (software_has_jar(cluster->facts, CLUSTER_SOFTWARE, cluster->version->name,
                                     reporters[i].jar))
                        return &reporters[i];
        return NULL;
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
        const struct Reporter *reporter = reporter_of(cluster);
        MrArena *arena = cluster->arena;

        if (!reporter)
                return;
        append(cluster, properties, "metric.reporters", reporter->kafka);
        append(cluster, properties, "kafka.metrics.reporters", reporter->yammer);
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
        if (wants_reporter(cluster) && !reporter_of(cluster))
                mr_parts_warn(parts, "MetricsUnavailable",
                              "spec.kafka.metricsConfig has no effect: the distribution of Kafka "
                              "%s has neither %s nor %s; put one into its libs or extras, with "
                              "what it needs",
                              cluster->version->name, reporters[0].jar, reporters[1].jar);
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
        if (reporter_of(cluster))
                metrics_add_endpoint(parts, workload->node, group);
        jmx_add(parts, cluster->spec->kafka->jmx, jmx_secret(cluster), group, workload);
}
