/* Rows of metricsConfig, and the agent. */

#include "metrics.h"

#include <string.h>

#include "cluster.h"
#include "software.h"
#include "str.h"

static const MrEnum types[] = {
        {"jmxPrometheusExporter", METRICS_JMX_EXPORTER, "The Java agent of Prometheus."},
        {"strimziMetricsReporter", METRICS_STRIMZI_REPORTER, "Strimzi's reporter inside Kafka."},
        {},
};

static const MrField values_fields[] = {
        MR_STRINGS("allowList", MetricsValues, allow_list,
                   .doc = "Regular expressions for the names of metrics that are served; all "
                          "metrics when absent."),
        {},
};

/* clang-format off */
#define EXPORTER_ROWS                                                                              \
        MR_ENUM("type", Metrics, type, types, .flags = MR_REQUIRED,                                \
                .doc = "Who serves the metrics."),                                                 \
        MR_OBJECT("valueFrom", Metrics, source, ConfigSource, config_source_fields,                \
                  .doc = "Rules of the agent of Prometheus, in its format. A changed rule is "     \
                         "read again with the next scrape.")
/* clang-format on */

const MrField metrics_exporter_fields[] = {EXPORTER_ROWS, {}};

const MrCheck metrics_checks[] = {
        {"self.type != 'jmxPrometheusExporter' || has(self.valueFrom)",
         "valueFrom says which metrics the exporter shows; add it"},
        {},
};

const MrField metrics_fields[] = {
        EXPORTER_ROWS,
        MR_OBJECT("values", Metrics, values, MetricsValues, values_fields,
                  .doc = "Settings of Strimzi's reporter."),
        {},
};

int metrics_rule(const void *object, MrError *err) {
        const Metrics *metrics = object;

        if (metrics->type == METRICS_JMX_EXPORTER &&
            (!metrics->source || !metrics->source->config_map))
                return mr_fail(err, MR_INVALID, "valueFrom",
                               "the type jmxPrometheusExporter takes its rules from a ConfigMap; "
                               "add valueFrom.configMapKeyRef");
        return 0;
}

int metrics_exporter_rule(const void *object, MrError *err) {
        const Metrics *metrics = object;

        if (metrics->type == METRICS_STRIMZI_REPORTER)
                return mr_fail(err, MR_INVALID, "type",
                               "strimziMetricsReporter runs only inside Kafka; use "
                               "jmxPrometheusExporter here");
        return metrics_rule(object, err);
}

/* The agent ends the node it cannot read its rules for. */
static int check_rules(const MetricsRequest *request, const char *text, MrError *err) {
        const ConfigMapKey *key = request->metrics->source->config_map;
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;
        _cleanup_error_ MrError local = {};

        int r = mr_yaml_read(text, strlen(text), NULL, &documents, NULL, &local);
        const MrTree *rules = mr_tree_at(documents, 0);
        if (r >= 0 && (!rules || mr_tree_type(rules) == MR_TREE_MAP))
                return 0;
        _cleanup_free_ char *path = mr_strf("%s.valueFrom.configMapKeyRef", request->where);
        if (r >= 0)
                return mr_fail(err, MR_INVALID, path,
                               "%s of the ConfigMap %s is %s, not the map with rules the agent "
                               "reads; mend it there",
                               key->key, key->name, mr_tree_type_name(mr_tree_type(rules)));
        return mr_fail(err, MR_INVALID, path, "%s of the ConfigMap %s is not YAML, line %u: %s",
                       key->key, key->name, local.line, local.message);
}

int metrics_agent_rules(MrParts *parts, const MetricsRequest *request, const char **ret,
                        MrError *err) {
        const Metrics *metrics = request->metrics;

        *ret = NULL;
        if (!metrics || metrics->type != METRICS_JMX_EXPORTER)
                return 0;
        if (!software_has_jar(request->facts, CLUSTER_SOFTWARE, request->version, METRICS_AGENT)) {
                mr_parts_warn(parts, "MetricsUnavailable",
                              "%s has no effect: the distribution of %s %s has no " METRICS_AGENT
                              " jar; put it into its libs or extras",
                              request->where, CLUSTER_SOFTWARE, request->version);
                return 0;
        }
        const char *text;
        int r = config_source_text(metrics->source, request->where, request->facts, &text, err);
        if (r >= 0 && text)
                r = check_rules(request, text, err);
        if (r >= 0)
                *ret = mr_parts_literal(parts, text ? text : "{}\n");
        return r;
}

void metrics_add_endpoint(MrParts *parts, const char *node, const char *group) {
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_ENDPOINT,
                                    .endpoint = {.node = node,
                                                 .name = METRICS_ENDPOINT,
                                                 .group = group,
                                                 .port = METRICS_PORT,
                                                 .is_aside = true},
                            });
}

void metrics_add_agent(MrParts *parts, const char *rules, const char *group, MrWorkload *workload) {
        if (!rules)
                return;
        metrics_add_endpoint(parts, workload->node, group);
        /* The agent looks at the time of its file before each scrape. */
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_FILE,
                                    .file = {.node = workload->node,
                                             .name = METRICS_FILE,
                                             .content = rules,
                                             .effect = MR_EFFECT_RELOAD},
                            });
        mr_strings_add(mr_parts_arena(parts), &workload->jvm_options,
                       "-javaagent:@{jar:" METRICS_AGENT "}=@{bind:" METRICS_ENDPOINT
                       "}:@{file:" METRICS_FILE "}");
}
