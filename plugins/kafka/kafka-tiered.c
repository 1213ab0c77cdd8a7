/* Rows of tieredStorage, and the options they stand for. */

#include "kafka-tiered.h"

#include <inttypes.h>

#define STORAGE "remote.log.storage."
#define METADATA "remote.log.metadata."
#define STORAGE_PREFIX "rsm.config."
#define METADATA_PREFIX "rlmm.config."
#define CLIENT METADATA_PREFIX METADATA "common.client."
#define TOPIC_REPLICATION METADATA_PREFIX METADATA "topic.replication.factor"
#define USUAL_REPLICATION 3

static const MrField storage_manager_fields[] = {
        MR_STRING("className", StorageManager, class_name,
                  .pattern = "^[A-Za-z_$][A-Za-z0-9_$]*(\\.[A-Za-z_$][A-Za-z0-9_$]*)*$",
                  .form = "the name of a Java class with its package",
                  .doc = "Class of the plugin."),
        MR_STRING("classPath", StorageManager, class_path,
                  .doc = "Where its jars are, as Java writes a class path. Not needed for jars in "
                         "libs or extras of the distribution."),
        MR_MAP("config", StorageManager, config,
               .doc = "Its options, with the prefix rsm.config. added."),
        {},
};

static const MrEnum types[] = {
        {"custom", 0, "A plugin of your own."},
        {},
};

const MrField tiered_storage_fields[] = {
        MR_ENUM("type", TieredStorage, type, types, .flags = MR_REQUIRED,
                .doc = "Where older segments are kept."),
        MR_OBJECT("remoteStorageManager", TieredStorage, manager, StorageManager,
                  storage_manager_fields, .doc = "The plugin that keeps them."),
        {},
};

int tiered_storage_rule(const void *object, MrError *err) {
        const StorageManager *manager = ((const TieredStorage *) object)->manager;

        if (manager && !mr_is_empty(manager->class_name))
                return 0;
        return mr_fail(err, MR_INVALID,
                       manager ? "remoteStorageManager.className" : "remoteStorageManager",
                       "the type custom needs the class of a plugin; name it in "
                       "remoteStorageManager.className");
}

/* The metadata manager is a client of the cluster's own brokers. */
static void add_client(const KafkaCluster *cluster, const char *file, MrPairs *properties) {
        MrArena *arena = cluster->arena;

        mr_pairs_set(arena, properties, METADATA "manager.listener.name", LISTENER_REPLICATION);
        mr_pairs_set(arena, properties, CLIENT "security.protocol", "SSL");
        mr_pairs_set(arena, properties, CLIENT "ssl.keystore.type", "PEM");
        mr_pairs_set(arena, properties, CLIENT "ssl.keystore.location",
                     mr_arena_strf(arena, "@{file:%s}", file));
        mr_pairs_set(arena, properties, CLIENT "ssl.truststore.type", "PEM");
        mr_pairs_set(arena, properties, CLIENT "ssl.truststore.location", "@{file:cluster-ca.crt}");
        size_t n = kafka_brokers(cluster);
        if (n < USUAL_REPLICATION && !mr_pairs_get(properties, TOPIC_REPLICATION))
                mr_pairs_set(arena, properties, TOPIC_REPLICATION, mr_arena_strf(arena, "%zu", n));
}

void tiered_add_options(const KafkaCluster *cluster, const KafkaNode *node, const char *file,
                        MrPairs *properties, MrParts *parts) {
        const TieredStorage *tiered = cluster->spec->kafka->tiered;
        MrArena *arena = cluster->arena;

        if (!tiered || !node->is_broker)
                return;
        const StorageManager *manager = tiered->manager;
        mr_pairs_set(arena, properties, STORAGE "system.enable", "true");
        mr_pairs_set(arena, properties, STORAGE "manager.class.name",
                     mr_parts_literal(parts, manager->class_name));
        if (!mr_is_empty(manager->class_path))
                mr_pairs_set(arena, properties, STORAGE "manager.class.path",
                             mr_parts_literal(parts, manager->class_path));
        mr_pairs_set(arena, properties, STORAGE "manager.impl.prefix", STORAGE_PREFIX);
        for (size_t i = 0; i < manager->config.n; i++)
                mr_pairs_set(arena, properties,
                             mr_arena_strf(arena, STORAGE_PREFIX "%s",
                                           mr_parts_literal(parts, manager->config.items[i].key)),
                             mr_parts_literal(parts, manager->config.items[i].value));
        mr_pairs_set(arena, properties, METADATA "manager.class.name",
                     "org.apache.kafka.server.log.remote.metadata.storage."
                     "TopicBasedRemoteLogMetadataManager");
        mr_pairs_set(arena, properties, METADATA "manager.impl.prefix", METADATA_PREFIX);
        add_client(cluster, file, properties);
}
