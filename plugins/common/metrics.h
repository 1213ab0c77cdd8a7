#pragma once

/* spec.*.metricsConfig: metrics of a node for Prometheus, by its Java agent or by Strimzi's
 * reporter inside Kafka. */

#include "config-map.h"
#include "part.h"

typedef enum MetricsType {
        METRICS_JMX_EXPORTER,
        METRICS_STRIMZI_REPORTER,
} MetricsType;

typedef struct MetricsValues {
        MrStrings allow_list;
} MetricsValues;

typedef struct Metrics {
        int type;
        ConfigSource *source;
        MetricsValues *values;
} Metrics;

/* Rows where there is a reporter to choose, and where there is none. */
extern const MrField metrics_fields[], metrics_exporter_fields[];
extern const MrCheck metrics_checks[];
/* The rule of every metricsConfig row, and that of those without the reporter. */
int metrics_rule(const void *object, MrError *err);
int metrics_exporter_rule(const void *object, MrError *err);

#define METRICS_ENDPOINT "tcp-prometheus"
#define METRICS_PORT 9404
#define METRICS_FILE "metrics.yaml"
#define METRICS_AGENT "jmx_prometheus_javaagent"

typedef struct MetricsRequest {
        const Metrics *metrics; /* may be NULL */
        const char *where;      /* "spec.kafka.metricsConfig" */
        const char *version;    /* of the software */
        const MrFacts *facts;
} MetricsRequest;

/* The rules of the exporter, once for all nodes: NULL where the agent is not wanted, or cannot be
 * had, which is a warning. */
int metrics_agent_rules(MrParts *parts, const MetricsRequest *request, const char **ret,
                        MrError *err) _must_check_;
/* The agent in one node: its option, its file, its port. `group` is that of the node's endpoints.
 */
void metrics_add_agent(MrParts *parts, const char *rules, const char *group, MrWorkload *workload);
/* Only the port, for metrics that the node serves itself. */
void metrics_add_endpoint(MrParts *parts, const char *node, const char *group);
