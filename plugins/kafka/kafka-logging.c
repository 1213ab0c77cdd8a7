/* From Kafka 4 on log4j2 looks for changes of its file by itself. Before, brokers are told the
 * levels of loggers that exist in them; the rest takes a restart: appenders and other lines,
 * loggers that do not exist yet, levels Kafka refuses to set, and everything of nodes that are no
 * brokers, because only brokers are asked. */

#include "kafka-logging.h"

#include <inttypes.h>
#include <string.h>

/* The static setting that names the loggers a node has to be started with. */
#define STARTED_WITH "log4j.loggers"

static const MrPair levels[] = {
        {"kafka.network.RequestChannel$", "WARN"},
        {"kafka.request.logger", "WARN"},
        {},
};

/* Packages and loggers an administrator may want to hear more or less of. Named in the file they
 * exist from the start, and Kafka sets only levels of what exists. */
static const char *const prepared[] = {
        "io.strimzi",
        "kafka",
        "kafka.authorizer.logger",
        "kafka.cluster",
        "kafka.controller",
        "kafka.coordinator",
        "kafka.coordinator.group",
        "kafka.coordinator.transaction",
        "kafka.log",
        "kafka.log.LogCleaner",
        "kafka.network",
        "kafka.network.Processor",
        "kafka.network.RequestChannel$",
        "kafka.raft",
        "kafka.request.logger",
        "kafka.security",
        "kafka.server",
        "kafka.server.KafkaApis",
        "kafka.server.metadata",
        "kafka.utils",
        "kafka.zk",
        "kafka.zookeeper",
        "org.apache",
        "org.apache.kafka",
        "org.apache.kafka.clients",
        "org.apache.kafka.common",
        "org.apache.kafka.controller",
        "org.apache.kafka.coordinator",
        "org.apache.kafka.image",
        "org.apache.kafka.metadata",
        "org.apache.kafka.raft",
        "org.apache.kafka.server",
        "org.apache.kafka.storage",
        "org.apache.zookeeper",
        "state.change.logger",
        NULL,
};

static bool is_log4j2(const KafkaCluster *cluster) {
        return cluster->version->major >= 4;
}

int kafka_log_file(const KafkaCluster *cluster, MrParts *parts, LogFile *ret, MrError *err) {
        LogRequest request = {
                /* Of what is deleted the ConfigMap may be gone already. */
                .logging = cluster->resource->is_deleted ? NULL : cluster->spec->kafka->logging,
                .where = "spec.kafka.logging",
                .library = is_log4j2(cluster) ? LOG_LOG4J2 : LOG_RELOAD4J,
                .levels = levels,
                .prepared = prepared,
                .facts = cluster->facts,
        };

        return log_file_make(parts, &request, ret, err);
}

bool kafka_log_is_told(const KafkaCluster *cluster) {
        return !is_log4j2(cluster);
}

MrFileEffect kafka_log_effect(const KafkaCluster *cluster) {
        return is_log4j2(cluster) ? MR_EFFECT_RELOAD : MR_EFFECT_NONE;
}

/* What the running broker says of its loggers, NULL while it has not been asked. */
static const MrTree *loggers_of(const KafkaCluster *cluster, const KafkaNode *node) {
        const char *id = mr_arena_strf(cluster->arena, "%" PRId64, node->id);

        return mr_tree_get(mr_tree_get(mr_facts_view(cluster->facts, "kafka"), "loggers"), id);
}

/* Kafka sets no level that is none. */
static bool can_be_told(const char *level) {
        return !mr_streq(level, "OFF") && !mr_streq(level, "ALL");
}

static bool is_prepared(const char *logger) {
        for (size_t i = 0; prepared[i]; i++)
                if (mr_streq(prepared[i], logger))
                        return true;
        return mr_streq(logger, LOG_ROOT);
}

/* The level a logger has from those above it, when nothing is said of itself. */
static const char *inherited(const LogFile *file, const char *logger) {
        _cleanup_free_ char *above = mr_strdup(logger);

        for (char *dot; (dot = strrchr(above, '.'));) {
                *dot = '\0';
                const char *level = mr_pairs_get(&file->levels, above);
                if (level)
                        return level;
        }
        return mr_pairs_get(&file->levels, LOG_ROOT);
}

/* In older releases a logger without a level of its own shows that of the root. Where the root's is
 * wanted below a package with another, it cannot be seen there whether it was set. */
static bool can_be_seen(const LogFile *file, const char *logger, const char *level) {
        const char *root = mr_pairs_get(&file->levels, LOG_ROOT);

        return mr_streq(logger, LOG_ROOT) || !mr_streq(level, root) ||
               mr_streq(inherited(file, logger), root);
}

static bool list_has(const char *list, const char *item) {
        size_t n = strlen(item);

        for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
                if (strncmp(list, item, n) == 0 && (list[n] == ',' || list[n] == '\0'))
                        return true;
        return false;
}

/* How the list of loggers a node is started with speaks of this one; NULL: it need not, because the
 * running broker can be told. What is not known of a running broker is no reason to restart it. */
static const char *start_entry(const KafkaCluster *cluster, const KafkaNode *node,
                               const LogFile *file, const MrPair *pair) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
        const char *started_with = fact ? mr_tree_get_string(fact->settings, STARTED_WITH) : NULL;
        const MrTree *loggers = loggers_of(cluster, node);

        if (!can_be_told(pair->value) || !can_be_seen(file, pair->key, pair->value))
                return mr_arena_strf(cluster->arena, "%s=%s", pair->key, pair->value);
        if (is_prepared(pair->key))
                return NULL;
        if (!fact || !fact->settings || list_has(started_with, pair->key))
                return pair->key;
        return loggers && !mr_tree_get(loggers, pair->key) ? pair->key : NULL;
}

static bool is_default_level(const MrPair *pair) {
        for (size_t i = 0; levels[i].key; i++)
                if (mr_streq(levels[i].key, pair->key))
                        return mr_streq(levels[i].value, pair->value);
        return mr_streq(pair->key, LOG_ROOT) && mr_streq(pair->value, "INFO");
}

static void add_levels(const KafkaCluster *cluster, const LogFile *file, MrPairs *settings) {
        for (size_t i = 0; i < file->levels.n; i++) {
                const MrPair *pair = &file->levels.items[i];
                if (!is_default_level(pair))
                        mr_pairs_set(cluster->arena, settings,
                                     mr_arena_strf(cluster->arena, "log4j.logger.%s", pair->key),
                                     pair->value);
        }
}

void kafka_log_restart(const KafkaCluster *cluster, const KafkaNode *node, const LogFile *file,
                       MrPairs *settings) {
        const char *list = NULL;

        for (size_t i = 0; i < file->fixed.n; i++)
                mr_pairs_set(cluster->arena, settings, file->fixed.items[i].key,
                             file->fixed.items[i].value);
        if (!node->is_broker) {
                add_levels(cluster, file, settings);
                return;
        }
        for (size_t i = 0; i < file->levels.n; i++) {
                const char *entry = start_entry(cluster, node, file, &file->levels.items[i]);
                if (entry)
                        list = list ? mr_arena_strf(cluster->arena, "%s,%s", list, entry) : entry;
        }
        if (list)
                mr_pairs_set(cluster->arena, settings, STARTED_WITH, list);
}

static void add_setting(const KafkaCluster *cluster, const KafkaNode *node, const char *logger,
                        const char *level, MrParts *parts) {
        mr_parts_add(parts,
                     (MrPart){
                             .kind = MR_PART_SETTING,
                             .setting =
                                     {
                                             .protocol = "kafka",
                                             .scope = mr_arena_strf(cluster->arena,
                                                                    "logger/%" PRId64, node->id),
                                             .key = logger,
                                             .value = level,
                                     },
                     });
}

/* The level of the nearest logger above that exists in the broker. */
static const char *level_above(const MrTree *loggers, const char *logger) {
        _cleanup_free_ char *above = mr_strdup(logger);

        for (char *dot; (dot = strrchr(above, '.'));) {
                *dot = '\0';
                const char *level = mr_tree_get_string(loggers, above);
                if (level)
                        return level;
        }
        return mr_tree_get_string(loggers, LOG_ROOT);
}

/* Whether a level was set for this very logger. One without a level of its own shows that of the
 * logger above it, or, in older releases, that of the root. */
static bool is_set(const MrTree *loggers, const char *logger, const char *level) {
        return !mr_streq(level, level_above(loggers, logger)) &&
               !mr_streq(level, mr_tree_get_string(loggers, LOG_ROOT));
}

/* Levels that are set and that the spec does not know go back to what is above them. */
static void add_resets(const KafkaCluster *cluster, const KafkaNode *node, const LogFile *file,
                       MrParts *parts) {
        const MrTree *loggers = loggers_of(cluster, node);

        for (size_t i = 0; i < mr_tree_size(loggers); i++) {
                const char *logger = mr_tree_key(loggers, i),
                           *level = mr_tree_string(mr_tree_at(loggers, i));
                if (level && is_set(loggers, logger, level) && can_be_told(level) &&
                    !mr_pairs_get(&file->levels, logger))
                        add_setting(cluster, node, mr_arena_strdup(cluster->arena, logger), NULL,
                                    parts);
        }
}

void kafka_log_settings(const KafkaCluster *cluster, const LogFile *file, MrParts *parts) {
        if (is_log4j2(cluster))
                return;
        for (size_t k = 0; k < cluster->n_nodes; k++) {
                const KafkaNode *node = &cluster->nodes[k];
                if (!node->is_broker)
                        continue;
                for (size_t i = 0; i < file->levels.n; i++) {
                        const MrPair *pair = &file->levels.items[i];
                        if (can_be_told(pair->value) && can_be_seen(file, pair->key, pair->value))
                                add_setting(cluster, node, pair->key, pair->value, parts);
                }
                add_resets(cluster, node, file, parts);
        }
}
