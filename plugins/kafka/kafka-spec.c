/* Rows of Kafka.spec, except the listeners. */

#include "kafka.h"

#include "cron.h"
#include "kafka-metrics.h"
#include "kafka-quotas.h"
#include "kafka-tiered.h"
#include "probe.h"
#include "version.h"

#define SERVER_NOT_YET(n, ...) MR_TREE(n, KafkaServer, not_yet, .flags = MR_NOT_YET, __VA_ARGS__)
#define SPEC_NOT_YET(n, ...) MR_TREE(n, KafkaSpec, not_yet, .flags = MR_NOT_YET, __VA_ARGS__)

static const MrField server_fields[] = {
        MR_STRING("version", KafkaServer, version, .pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+$",
                  .form = "three numbers such as 4.3.1",
                  .doc = "Release of Kafka to run, such as 3.9.1. By default 3.9.1 with ZooKeeper "
                         "and 4.3.1 without."),
        MR_STRING("metadataVersion", KafkaServer, metadata_version,
                  .pattern = "^[0-9]+\\.[0-9]+(-IV[0-9]+)?$",
                  .form = "a version such as 4.3 or 4.3-IV0",
                  .doc = "Metadata version of a KRaft cluster, such as 4.3 or 4.3-IV0; by default "
                         "that of the release."),
        MR_INT("replicas", KafkaServer, replicas, .min = 1, .max = 1000,
               .doc = "Number of brokers, where no node pools are used."),
        MR_LIST("listeners", KafkaServer, listeners, Listener, listener_fields,
                .flags = MR_REQUIRED, .min = 1, .max = 100, .rule = listener_rule,
                .doc = "Where clients connect: one entry for each port and kind of security."),
        MR_MAP("config", KafkaServer, config,
               .doc = "Options of the brokers. Options that Kafka can change while it runs are "
                      "changed without a restart; "
                      "options that belong to millrace, such as listeners, are left out with a "
                      "warning."),
        MR_OBJECT("storage", KafkaServer, storage, Storage, storage_fields, .rule = storage_rule,
                  .doc = "Where a broker keeps its data, where no node pools are used."),
        MR_OBJECT("authorization", KafkaServer, authorization, Authorization, authorization_fields,
                  .rule = authorization_rule,
                  .doc = "Who may do what. Without it every client may do everything."),
        MR_OBJECT("jvmOptions", KafkaServer, jvm, JavaOptions, java_options_fields,
                  .rule = java_options_rule,
                  .doc = "Options of the Java virtual machine; a pool can have its own."),
        MR_OBJECT("resources", KafkaServer, resources, Resources, resources_fields,
                  .doc = "Memory and processor time of each broker; a pool can have its own."),
        MR_OBJECT(
                "rack", KafkaServer, rack, Rack, rack_fields, .rule = rack_rule,
                .checks = rack_checks,
                .doc = "How a broker learns in which rack or zone it is. Replicas are then spread "
                       "over racks; with the option replica.selector.class consumers read from "
                       "the nearest one."),
        MR_STRING("image", KafkaServer, unread.text, .flags = MR_POD,
                  .doc = "Container image of the nodes."),
        MR_STRING("brokerRackInitImage", KafkaServer, unread.text, .flags = MR_POD,
                  .doc = "Container image that finds out the rack."),
        MR_OBJECT("livenessProbe", KafkaServer, unread.object, MrUnread, probe_fields,
                  .flags = MR_PROBE, .doc = "When a broker counts as dead."),
        MR_OBJECT("readinessProbe", KafkaServer, unread.object, MrUnread, probe_fields,
                  .flags = MR_PROBE, .doc = "When a broker counts as ready."),
        MR_OBJECT("jmxOptions", KafkaServer, jmx, Jmx, jmx_fields,
                  .doc = "Opens the JMX port of each node. Its users are in the secret "
                         "NAME-kafka-jmx."),
        MR_OBJECT("metricsConfig", KafkaServer, metrics, Metrics, metrics_fields,
                  .rule = metrics_rule, .checks = metrics_checks,
                  .doc = "Metrics for Prometheus on port 9404 of each node: by which means, and "
                         "which."),
        MR_OBJECT("logging", KafkaServer, logging, Logging, logging_fields, .rule = logging_rule,
                  .doc = "Levels of the loggers. Changed without a restart where Kafka can."),
        MR_OBJECT("template", KafkaServer, unread.object, MrUnread, kafka_template_fields,
                  .doc = "Labels, annotations and details of the generated objects."),
        MR_OBJECT("tieredStorage", KafkaServer, tiered, TieredStorage, tiered_storage_fields,
                  .rule = tiered_storage_rule,
                  .doc = "Older segments in remote storage, through a plugin."),
        MR_OBJECT("quotas", KafkaServer, quotas, Quotas, quotas_fields, .rule = quotas_rule,
                  .doc = "Default limits for clients, enforced by the brokers."),
        {},
};

static const MrEnum expiration_policies[] = {
        {"renew-certificate", EXPIRATION_RENEW_CERTIFICATE,
         "The authority keeps its key; what it has signed stays valid."},
        {"replace-key", EXPIRATION_REPLACE_KEY,
         "The authority gets a new key, and everything it has signed is made anew."},
        {},
};

static const MrField authority_fields[] = {
        MR_BOOL("generateCertificateAuthority", CertificateAuthority, generate, .fallback = "true",
                .doc = "Whether millrace makes the authority. With false its two secrets must "
                       "exist before the cluster."),
        MR_INT("validityDays", CertificateAuthority, validity_days, .min = 1, .max = 36500,
               .fallback = "365", .unit = "days",
               .doc = "How long certificates of this authority are valid."),
        MR_INT("renewalDays", CertificateAuthority, renewal_days, .min = 1, .max = 36500,
               .fallback = "30", .unit = "days",
               .doc = "How long before their end certificates are renewed."),
        MR_BOOL("generateSecretOwnerReference", CertificateAuthority, goes_with_cluster,
                .fallback = "true",
                .doc = "Whether the authority's secrets go away with the cluster. With false the "
                       "next cluster of its name has the same authority."),
        MR_ENUM("certificateExpirationPolicy", CertificateAuthority, expiration_policy,
                expiration_policies, .fallback = "renew-certificate",
                .doc = "Whether renewal keeps the authority's key or makes a new one."),
        {},
};

static int authority_rule(const void *object, MrError *err) {
        const CertificateAuthority *authority = object;

        if (authority->renewal_days >= authority->validity_days)
                return mr_fail(err, MR_INVALID, "renewalDays",
                               "certificates would be renewed as soon as they are made; "
                               "use less than validityDays, which is %lld",
                               (long long) authority->validity_days);
        return 0;
}

static const MrField kafka_fields[] = {
        MR_OBJECT("kafka", KafkaSpec, kafka, KafkaServer, server_fields, .flags = MR_REQUIRED,
                  .doc = "The brokers."),
        MR_TREE("zookeeper", KafkaSpec, zookeeper,
                .doc = "The ZooKeeper ensemble of a cluster before Kafka 4. Without it the cluster "
                       "runs in KRaft mode and "
                       "its nodes come from node pools."),
        MR_OBJECT("clusterCa", KafkaSpec, cluster_ca, CertificateAuthority, authority_fields,
                  .rule = authority_rule,
                  .doc = "The authority that signs the certificates of all nodes."),
        MR_OBJECT("clientsCa", KafkaSpec, clients_ca, CertificateAuthority, authority_fields,
                  .rule = authority_rule,
                  .doc = "The authority that signs the certificates of users."),
        MR_OBJECT("entityOperator", KafkaSpec, unread.object, MrUnread, entity_operator_fields,
                  .flags = MR_NOT_YET, .doc = "Topics and users as resources of their own."),
        MR_OBJECT("cruiseControl", KafkaSpec, unread.object, MrUnread, cruise_control_fields,
                  .flags = MR_NOT_YET,
                  .doc = "Cruise Control, which balances partitions over brokers."),
        MR_OBJECT("kafkaExporter", KafkaSpec, unread.object, MrUnread, kafka_exporter_fields,
                  .flags = MR_NOT_YET,
                  .doc = "Kafka Exporter, which reports the lag of consumer groups."),
        MR_OBJECT("jmxTrans", KafkaSpec, unread.object, MrUnread, jmx_trans_fields,
                  .flags = MR_OBSOLETE, .doc = "JmxTrans, which carried metrics elsewhere."),
        MR_STRINGS("maintenanceTimeWindows", KafkaSpec, maintenance_windows,
                   .doc = "When certificates that end soon may be renewed, as cron expressions of "
                          "Quartz in UTC, such as \"* * 2-4 ? * SUN\". At any time when absent; "
                          "what does not serve any more is made anew at once."),
        {},
};

static int windows_check(const MrStrings *windows, MrError *err) {
        for (size_t i = 0; i < windows->n; i++) {
                Cron cron;
                int r = cron_parse(windows->items[i], &cron, err);
                if (r < 0)
                        return mr_error_within(err, r, "maintenanceTimeWindows[%zu]", i);
        }
        return 0;
}

static int kafka_rule(const void *object, MrError *err) {
        const KafkaSpec *spec = object;
        const KafkaVersion *version = kafka_version(spec->kafka->version, spec->zookeeper != NULL);

        if (!version) {
                _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
                return mr_fail(err, MR_INVALID, "kafka.version",
                               "Kafka %s is not known; use one of %s", spec->kafka->version,
                               kafka_versions_text(arena));
        }
        if (spec->zookeeper && version->major >= 4)
                return mr_fail(err, MR_INVALID, "zookeeper",
                               "Kafka %s runs without ZooKeeper; use version 3.9.1, or remove "
                               "spec.zookeeper and add node pools",
                               version->name);
        int r = windows_check(&spec->maintenance_windows, err);
        if (r < 0)
                return r;
        r = listeners_check(&spec->kafka->listeners, err);
        return r < 0 ? mr_error_within(err, r, "kafka") : 0;
}

static const MrField address_fields[] = {
        MR_STRING("host", MrUnread, text, .doc = "Name or address."),
        MR_INT("port", MrUnread, integer, .doc = "Port."),
        {},
};

static const MrField listener_status_fields[] = {
        MR_STRING("name", MrUnread, text, .doc = "Name of the listener."),
        MR_LIST("addresses", MrUnread, list, MrUnread, address_fields,
                .doc = "Where it is reached."),
        MR_STRING("bootstrapServers", MrUnread, text,
                  .doc = "The same as clients want it for bootstrap.servers."),
        MR_STRINGS("certificates", MrUnread, texts, .doc = "Certificates to trust, as PEM."),
        {},
};

static const MrField pool_name_fields[] = {
        MR_STRING("name", MrUnread, text, .doc = "Name of the pool."),
        {},
};

static const MrField kafka_status_fields[] = {
        MR_LIST("listeners", MrUnread, list, MrUnread, listener_status_fields,
                .doc = "Where and how clients reach the brokers."),
        MR_LIST("kafkaNodePools", MrUnread, list, MrUnread, pool_name_fields,
                .doc = "Node pools of the cluster."),
        MR_STRING("clusterId", MrUnread, text, .doc = "Id the cluster gave itself."),
        MR_STRING("kafkaVersion", MrUnread, text, .doc = "Version of Kafka that runs."),
        MR_STRING("kafkaMetadataVersion", MrUnread, text, .doc = "Version of the metadata."),
        MR_STRING("kafkaMetadataState", MrUnread, text, .doc = "ZooKeeper or KRaft."),
        {},
};

static const char *const versions[] = {"v1beta2", "v1", NULL};
static const char *const short_names[] = {"k", NULL};
static const MrColumn columns[] = {
        {"READY", "status.conditions[Ready].status", false},
        {"KAFKA", "spec.kafka.replicas", false},
        {"ZOOKEEPER", "spec.zookeeper.replicas", false},
        {"VERSION", "status.kafkaVersion", false},
        {"METADATA STATE", "status.kafkaMetadataState", false},
        {"WARNINGS", "status.conditions[Warning].status", false},
        {"CLUSTER ID", "status.clusterId", true},
        {},
};

const MrKind kafka_kind = {
        .group = "kafka.strimzi.io",
        .versions = versions,
        .name = "Kafka",
        .plural = "kafkas",
        .short_names = short_names,
        .spec = kafka_fields,
        .spec_size = sizeof(KafkaSpec),
        .rule = kafka_rule,
        .columns = columns,
        .status = kafka_status_fields,
        .doc = "A Kafka cluster, with ZooKeeper or in KRaft mode.",
};
