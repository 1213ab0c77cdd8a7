/* Rows of what may run beside a cluster: the entity operator, Cruise Control, Kafka Exporter, and
 * JmxTrans, which is gone. They are checked and kept. */

#include "kafka.h"

#include "template-spec.h"

/* Every row below fills an MrUnread. */
#define TEXT(n, d) MR_STRING(n, MrUnread, text, .doc = (d))
#define FLAG(n, d) MR_BOOL(n, MrUnread, word, .doc = (d))
#define COUNT(n, u, d)                                                                             \
        MR_INT(n, MrUnread, integer, .min = 0, .max = INT32_MAX, .unit = (u), .doc = (d))
#define OBJECT(n, f, d) MR_OBJECT(n, MrUnread, object, MrUnread, f, .doc = (d))
#define IMAGE(d) MR_STRING("image", MrUnread, text, .flags = MR_POD, .doc = (d))
#define OBSOLETE(n, d)                                                                             \
        MR_INT(n, MrUnread, integer, .min = 0, .max = INT32_MAX, .flags = MR_OBSOLETE, .doc = (d))
#define RESOURCES                                                                                  \
        MR_UNREAD_OBJECT("resources", MrUnread, object, Resources, resources_fields,               \
                         .doc = "Memory and processor time.")
#define JAVA                                                                                       \
        MR_UNREAD_OBJECT("jvmOptions", MrUnread, object, JavaOptions, java_options_fields,         \
                         .rule = java_options_rule, .doc = "Options of the Java virtual machine.")

#define AT_LEAST_ONCE(n, u, d)                                                                     \
        MR_INT(n, MrUnread, integer, .min = 1, .max = INT32_MAX, .unit = (u), .doc = (d))

static const MrField probe_rows[] = {
        COUNT("initialDelaySeconds", "seconds", "How long after its start it is asked first."),
        AT_LEAST_ONCE("periodSeconds", "seconds", "How often it is asked."),
        AT_LEAST_ONCE("timeoutSeconds", "seconds", "How long an answer may take."),
        AT_LEAST_ONCE("successThreshold", "answers", "Good answers in a row that make it well."),
        AT_LEAST_ONCE("failureThreshold", "answers", "Bad answers in a row that make it unwell."),
        {},
};

#define PROBES                                                                                     \
        MR_OBJECT("livenessProbe", MrUnread, object, MrUnread, probe_rows, .flags = MR_POD,        \
                  .doc = "When it counts as dead and is started again."),                          \
                MR_OBJECT("readinessProbe", MrUnread, object, MrUnread, probe_rows,                \
                          .flags = MR_POD, .doc = "When it counts as ready.")

#define LOGGING                                                                                    \
        MR_UNREAD_OBJECT("logging", MrUnread, object, Logging, logging_fields,                     \
                         .rule = logging_rule, .doc = "Levels of the loggers.")

static const MrField values_rows[] = {
        MR_STRINGS("allowList", MrUnread, texts, .doc = "Patterns of metrics that are exported."),
        {},
};

static const MrEnum metrics_types[] = {
        {"jmxPrometheusExporter", 0, "The Prometheus agent for Java."},
        {"strimziMetricsReporter", 1, "Strimzi's reporter of client metrics."},
        {},
};

static const MrField metrics_rows[] = {
        MR_ENUM("type", MrUnread, word, metrics_types, .flags = MR_REQUIRED,
                .doc = "Who exports the metrics."),
        MR_UNREAD_OBJECT("valueFrom", MrUnread, object, ConfigSource, config_source_fields,
                         .doc = "Rules of the agent."),
        OBJECT("values", values_rows, "Settings of the reporter."),
        {},
};

static const MrEnum sidecar_levels[] = {
        {"emerg", 0, "Only what ends it."},
        {"alert", 1, "And what needs a hand at once."},
        {"crit", 2, "And what is critical."},
        {"err", 3, "And errors."},
        {"warning", 4, "And warnings."},
        {"notice", 5, "And what is unusual."},
        {"info", 6, "And what happens."},
        {"debug", 7, "Everything."},
        {},
};

static const MrField sidecar_rows[] = {
        IMAGE("Container image of the sidecar."),
        MR_ENUM("logLevel", MrUnread, word, sidecar_levels, .doc = "How much it logs."),
        PROBES,
        RESOURCES,
        {},
};

#define SIDECAR                                                                                    \
        MR_OBJECT("tlsSidecar", MrUnread, object, MrUnread, sidecar_rows, .flags = MR_OBSOLETE,    \
                  .doc = "A container that once spoke TLS for the other one.")

#define OPERATOR_ROWS                                                                              \
        TEXT("watchedNamespace", "Namespace whose resources count; the cluster's when absent."),   \
                IMAGE("Container image of the operator."),                                         \
                COUNT("reconciliationIntervalMs", "ms", "How often everything is compared."),      \
                OBSOLETE("reconciliationIntervalSeconds",                                          \
                         "The same in seconds; reconciliationIntervalMs took its place."),         \
                OBSOLETE("zookeeperSessionTimeoutSeconds",                                         \
                         "Session of the operator with ZooKeeper, which it no longer has."),       \
                RESOURCES, LOGGING, JAVA, PROBES

static const MrField topic_operator_rows[] = {
        OPERATOR_ROWS,
        MR_OBJECT("startupProbe", MrUnread, object, MrUnread, probe_rows, .flags = MR_POD,
                  .doc = "When it counts as started."),
        OBSOLETE("topicMetadataMaxAttempts",
                 "How often the metadata of a topic was asked for in vain."),
        {},
};

static const MrField user_operator_rows[] = {
        OPERATOR_ROWS,
        TEXT("secretPrefix", "What the names of users' Secrets begin with."),
        {},
};

static const MrField entity_template_rows[] = {
        DETAIL("deployment", deployment_template, MR_POD, "The object that runs the operators."),
        DETAIL("pod", pod_template, MR_POD, "The pod of the operators."),
        DETAIL("topicOperatorContainer", container_template, MR_POD,
               "The container of the topic operator."),
        DETAIL("userOperatorContainer", container_template, MR_POD,
               "The container of the user operator."),
        DETAIL("tlsSidecarContainer", container_template, MR_OBSOLETE,
               "The container of the sidecar."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pod runs under."),
        DETAIL("entityOperatorRole", metadata_template, MR_POD, "What the account may do."),
        DETAIL("topicOperatorRoleBinding", metadata_template, MR_POD,
               "What gives that role to the topic operator."),
        DETAIL("userOperatorRoleBinding", metadata_template, MR_POD,
               "What gives that role to the user operator."),
        DETAIL("podDisruptionBudget", budget_template, MR_BUDGET,
               "How many of the pods others may evict at once."),
        {},
};

const MrField entity_operator_fields[] = {
        OBJECT("topicOperator", topic_operator_rows, "Topics as resources, KafkaTopic."),
        OBJECT("userOperator", user_operator_rows, "Users as resources, KafkaUser."),
        SIDECAR,
        DETAIL("template", entity_template_rows, 0, "Details of the generated objects."),
        {},
};

#define CAPACITY_RATE "^[0-9]+([KMG]i?)?B/s$"
#define CAPACITY_CPU "^[0-9]+([.][0-9]{0,3}|m)?$"
#define CAPACITY_CPU_FORM "an amount such as 2, 1.5 or 1500m"
#define CAPACITY_RATE_FORM "a rate such as 10000KiB/s"

#define CAPACITY_ROWS                                                                              \
        MR_STRING("cpu", MrUnread, text, .pattern = CAPACITY_CPU, .form = CAPACITY_CPU_FORM,       \
                  .doc = "Processor time of a broker, such as 2 or 1500m."),                       \
                MR_STRING("inboundNetwork", MrUnread, text, .pattern = CAPACITY_RATE,              \
                          .form = CAPACITY_RATE_FORM,                                              \
                          .doc = "What a broker can receive, such as 10000KiB/s."),                \
                MR_STRING("outboundNetwork", MrUnread, text, .pattern = CAPACITY_RATE,             \
                          .form = CAPACITY_RATE_FORM,                                              \
                          .doc = "What a broker can send, such as 10000KiB/s.")

static const MrField capacity_override_rows[] = {
        MR_INTS("brokers", MrUnread, integers, .min = 0, .max = INT32_MAX, .flags = MR_REQUIRED,
                .doc = "Ids of the brokers this is about."),
        CAPACITY_ROWS,
        {},
};

static const MrField capacity_rows[] = {
        CAPACITY_ROWS,
        MR_LIST("overrides", MrUnread, list, MrUnread, capacity_override_rows,
                .doc = "Brokers that differ."),
        MR_STRING("disk", MrUnread, text, .pattern = "^[0-9]+([.][0-9]*)?([KMGTPE]i?|e[0-9]+)?$",
                  .form = "a size such as 100Gi", .flags = MR_OBSOLETE,
                  .doc = "Size of a broker's disks; taken from its volumes instead."),
        MR_INT("cpuUtilization", MrUnread, integer, .min = 0, .max = 100, .unit = "percent",
               .flags = MR_OBSOLETE,
               .doc = "Share of its processors a broker may use; has no effect any more."),
        {},
};

static const MrEnum user_types[] = {
        {"hashLoginService", 0, "A file of names and passwords, as Jetty reads it."},
        {},
};

static const MrField secret_source_rows[] = {
        OBJECT("secretKeyRef", key_reference_fields, "A key of a Secret."),
        {},
};

static const MrField api_user_rows[] = {
        MR_ENUM("type", MrUnread, word, user_types, .flags = MR_REQUIRED,
                .doc = "How names and passwords are written."),
        MR_OBJECT("valueFrom", MrUnread, object, MrUnread, secret_source_rows, .flags = MR_REQUIRED,
                  .doc = "Where they stand."),
        {},
};

static const MrEnum rebalance_modes[] = {
        {"add-brokers", 0, "After brokers were added."},
        {"remove-brokers", 1, "Before brokers are removed."},
        {},
};

static const MrField rebalance_template_rows[] = {
        TEXT("name", "Name of a KafkaRebalance with the annotation strimzi.io/rebalance-template."),
        {},
};

static const MrField rebalance_rows[] = {
        MR_ENUM("mode", MrUnread, word, rebalance_modes, .flags = MR_REQUIRED,
                .doc = "When partitions are moved without being asked."),
        OBJECT("template", rebalance_template_rows, "Which goals it follows."),
        {},
};

static const MrField cruise_control_template_rows[] = {
        DETAIL("deployment", deployment_template, MR_POD, "The object that runs Cruise Control."),
        DETAIL("pod", pod_template, MR_POD, "The pod of Cruise Control."),
        DETAIL("cruiseControlContainer", container_template, MR_POD,
               "The container of Cruise Control."),
        DETAIL("tlsSidecarContainer", container_template, MR_OBSOLETE,
               "The container of the sidecar."),
        DETAIL("apiService", service_template, MR_SERVICE, "The service of its interface."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pod runs under."),
        DETAIL("podDisruptionBudget", budget_template, MR_BUDGET,
               "How many of the pods others may evict at once."),
        {},
};

const MrField cruise_control_fields[] = {
        IMAGE("Container image of Cruise Control."),
        MR_MAP("config", MrUnread, pairs, .doc = "Options of Cruise Control."),
        OBJECT("brokerCapacity", capacity_rows, "What brokers can bear."),
        OBJECT("apiUsers", api_user_rows, "Further users of its interface."),
        MR_LIST("autoRebalance", MrUnread, list, MrUnread, rebalance_rows, .min = 1, .max = 2,
                .doc = "When partitions are moved without being asked."),
        RESOURCES,
        JAVA,
        LOGGING,
        OBJECT("metricsConfig", metrics_rows, "Which metrics are exported."),
        PROBES,
        SIDECAR,
        DETAIL("template", cruise_control_template_rows, 0, "Details of the generated objects."),
        {},
};

static const MrField exporter_template_rows[] = {
        DETAIL("deployment", deployment_template, MR_POD, "The object that runs the exporter."),
        DETAIL("pod", pod_template, MR_POD, "The pod of the exporter."),
        DETAIL("container", container_template, MR_POD, "The container of the exporter."),
        DETAIL("service", service_template, MR_SERVICE, "The service of the exporter."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pod runs under."),
        DETAIL("podDisruptionBudget", budget_template, MR_BUDGET,
               "How many of the pods others may evict at once."),
        {},
};

const MrField kafka_exporter_fields[] = {
        IMAGE("Container image of the exporter."),
        MR_STRING("groupRegex", MrUnread, text, .fallback = ".*",
                  .doc = "Consumer groups that are reported."),
        MR_STRING("topicRegex", MrUnread, text, .fallback = ".*",
                  .doc = "Topics that are reported."),
        TEXT("groupExcludeRegex", "Consumer groups that are not."),
        TEXT("topicExcludeRegex", "Topics that are not."),
        MR_STRING("logging", MrUnread, text, .fallback = "info",
                  .doc = "How much the exporter logs."),
        FLAG("enableSaramaLogging", "Whether its Kafka client logs as well."),
        FLAG("showAllOffsets", "Whether groups without members are reported."),
        RESOURCES,
        PROBES,
        DETAIL("template", exporter_template_rows, 0, "Details of the generated objects."),
        {},
};

static const MrField jmx_output_rows[] = {
        MR_STRING("name", MrUnread, text, .flags = MR_REQUIRED,
                  .doc = "Name, to which queries refer."),
        MR_STRING("outputType", MrUnread, text, .flags = MR_REQUIRED,
                  .doc = "Class that wrote the values."),
        TEXT("host", "Host that received them."),
        MR_INT("port", MrUnread, integer, .min = 1, .max = 65535, .doc = "On which port."),
        COUNT("flushDelayInSeconds", "seconds", "How long values were collected."),
        MR_STRINGS("typeNames", MrUnread, texts, .doc = "Types that became part of the name."),
        {},
};

static const MrField jmx_query_rows[] = {
        MR_STRING("targetMBean", MrUnread, text, .flags = MR_REQUIRED,
                  .doc = "Which beans were read."),
        MR_STRINGS("attributes", MrUnread, texts, .flags = MR_REQUIRED,
                   .doc = "Which of their attributes."),
        MR_STRINGS("outputs", MrUnread, texts, .flags = MR_REQUIRED,
                   .doc = "Where the values were written."),
        {},
};

static const MrField jmx_trans_template_rows[] = {
        DETAIL("deployment", deployment_template, MR_POD, "The object that ran JmxTrans."),
        DETAIL("pod", pod_template, MR_POD, "The pod of JmxTrans."),
        DETAIL("container", container_template, MR_POD, "The container of JmxTrans."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pod ran under."),
        {},
};

const MrField jmx_trans_fields[] = {
        IMAGE("Container image of JmxTrans."),
        MR_LIST("outputDefinitions", MrUnread, list, MrUnread, jmx_output_rows,
                .flags = MR_REQUIRED, .doc = "Where values were written."),
        MR_LIST("kafkaQueries", MrUnread, list, MrUnread, jmx_query_rows, .flags = MR_REQUIRED,
                .doc = "Which values were read."),
        TEXT("logLevel", "How much JmxTrans logged."),
        RESOURCES,
        DETAIL("template", jmx_trans_template_rows, 0, "Details of the generated objects."),
        {},
};
