/* Rows of spec.zookeeper. */

#include "zookeeper.h"

#include "probe.h"
#include "template-spec.h"

#define NOT_YET(n, ...) MR_TREE(n, ZooKeeperSpec, not_yet, .flags = MR_NOT_YET, __VA_ARGS__)

static const MrField template_fields[] = {
        DETAIL("podSet", metadata_template, MR_POD, "The object that stands for a set of pods."),
        DETAIL("statefulset", set_template, MR_OBSOLETE,
               "The stateful set of the members; there are none any more."),
        DETAIL("pod", pod_template, MR_POD, "The pod of each member."),
        DETAIL("zookeeperContainer", container_template, MR_POD, "The container of ZooKeeper."),
        DETAIL("clientService", service_template, MR_SERVICE, "The service for the brokers."),
        DETAIL("nodesService", service_template, MR_SERVICE,
               "The service that gives each member a name."),
        DETAIL("persistentVolumeClaim", metadata_template, MR_METADATA,
               "The claims of the members."),
        DETAIL("podDisruptionBudget", budget_template, MR_BUDGET,
               "How many members others may evict at once."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pods run under."),
        DETAIL("jmxSecret", metadata_template, MR_METADATA,
               "The Secret with the name and password for JMX."),
        {},
};

static const MrField zookeeper_fields[] = {
        MR_INT("replicas", ZooKeeperSpec, replicas, .min = 1, .max = 255, .flags = MR_REQUIRED,
               .doc = "Members of the ensemble. Odd numbers make sense: 1, 3 or 5."),
        MR_OBJECT("storage", ZooKeeperSpec, storage, Storage, single_storage_fields,
                  .rule = storage_rule, .flags = MR_REQUIRED,
                  .doc = "Where a member keeps its snapshots and transaction log."),
        MR_MAP("config", ZooKeeperSpec, config,
               .doc = "Options of ZooKeeper, such as tickTime. Addresses, ports, directories and "
                      "security are set by "
                      "millrace; options that touch them are left out with a warning."),
        MR_OBJECT("jvmOptions", ZooKeeperSpec, jvm, JavaOptions, java_options_fields,
                  .rule = java_options_rule, .doc = "Options of the Java virtual machine."),
        MR_OBJECT("resources", ZooKeeperSpec, resources, Resources, resources_fields,
                  .doc = "Memory and processor time of each member."),
        MR_STRING("image", ZooKeeperSpec, unread.text, .flags = MR_POD,
                  .doc = "Container image of the members."),
        MR_OBJECT("livenessProbe", ZooKeeperSpec, unread.object, MrUnread, probe_fields,
                  .flags = MR_PROBE, .doc = "When a member counts as dead."),
        MR_OBJECT("readinessProbe", ZooKeeperSpec, unread.object, MrUnread, probe_fields,
                  .flags = MR_PROBE, .doc = "When a member counts as ready."),
        MR_OBJECT("jmxOptions", ZooKeeperSpec, jmx, Jmx, jmx_fields,
                  .doc = "Opens the JMX port of each member. Its users are in the secret "
                         "NAME-zookeeper-jmx."),
        MR_OBJECT("metricsConfig", ZooKeeperSpec, metrics, Metrics, metrics_exporter_fields,
                  .rule = metrics_exporter_rule, .checks = metrics_checks,
                  .doc = "Metrics for Prometheus on port 9404 of each member."),
        MR_OBJECT("logging", ZooKeeperSpec, logging, Logging, logging_fields, .rule = logging_rule,
                  .doc = "Levels of the loggers. ZooKeeper reads them when it starts, so a change "
                         "restarts the members one by one."),
        MR_OBJECT("template", ZooKeeperSpec, unread.object, MrUnread, template_fields,
                  .doc = "Labels, annotations and details of the generated objects."),
        {},
};

const MrSection zookeeper_section = {
        .kind = "Kafka",
        .field = "zookeeper",
        .fields = zookeeper_fields,
        .size = sizeof(ZooKeeperSpec),
};
