/* The table of options that Kafka changes while it runs, taken from what the releases document as
 * their update mode, not from whether an alteration is accepted: some are accepted and ignored. */

#include "kafka-options.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "kafka-listener.h"

#define LISTENER_PREFIX "listener.name."
#define NO_LIMIT "2147483647"

/* Everything that names addresses, security, storage or the cluster's metadata. */
static const char *const forbidden_prefixes[] = {
        "listeners",
        "advertised.",
        "broker.",
        "listener.",
        "host.name",
        "port",
        "inter.broker.listener.name",
        "sasl.",
        "ssl.",
        "security.",
        "password.",
        "log.dir",
        "zookeeper.connect",
        "zookeeper.set.acl",
        "zookeeper.ssl",
        "zookeeper.clientCnxnSocket",
        "authorizer.",
        "super.user",
        "cruise.control.metrics.topic",
        "cruise.control.metrics.reporter.bootstrap.servers",
        "node.id",
        "process.roles",
        "controller.",
        "control.plane.listener.name",
        "metadata.log.dir",
        "zookeeper.metadata.migration.enable",
        "client.quota.callback.static.kafka.admin.",
        "client.quota.callback.static.produce",
        "client.quota.callback.static.fetch",
        "client.quota.callback.static.storage.per.volume.limit.min.available.",
        "client.quota.callback.static.excluded.principal.name.list",
        "prometheus.metrics.reporter.",
        "cordoned.log.dirs",
};

static const char *const allowed[] = {
        "zookeeper.connection.timeout.ms",
        "sasl.server.max.receive.size",
        "ssl.cipher.suites",
        "ssl.protocol",
        "ssl.enabled.protocols",
        "ssl.secure.random.implementation",
        "cruise.control.metrics.topic.num.partitions",
        "cruise.control.metrics.topic.replication.factor",
        "cruise.control.metrics.topic.retention.ms",
        "cruise.control.metrics.topic.auto.create.retries",
        "cruise.control.metrics.topic.auto.create.timeout.ms",
        "cruise.control.metrics.topic.min.insync.replicas",
        "broker.session.timeout.ms",
        "broker.heartbeat.interval.ms",
        "controller.socket.timeout.ms",
        "controller.quorum.election.backoff.max.ms",
        "controller.quorum.election.timeout.ms",
        "controller.quorum.fetch.timeout.ms",
};

/* Allowed behind "listener.name.NAME-PORT.". */
static const char *const allowed_per_listener[] = {
        "connections.max.reauth.ms",    "max.connections",
        "max.connections.per.ip",       "max.connections.per.ip.overrides",
        "max.connection.creation.rate",
};

typedef enum Kind {
        KIND_WHOLE,
        KIND_REAL,
        KIND_BOOLEAN,
        KIND_TEXT,
        KIND_LIST,
        KIND_THREADS, /* a whole number that may at most double or halve at once */
} Kind;

typedef enum Releases {
        ALWAYS,
        ONLY_3,
        SINCE_4_3,
} Releases;

typedef struct Option {
        const char *key;
        Kind kind;
        Releases releases;
} Option;

/* Sorted. Options for security, listeners and plugins are dynamic too, but a restart is what makes
 * them sure. */
static const Option options[] = {
        {"background.threads", KIND_THREADS, ALWAYS},
        {"compression.gzip.level", KIND_WHOLE, ALWAYS},
        {"compression.lz4.level", KIND_WHOLE, ALWAYS},
        {"compression.type", KIND_TEXT, ALWAYS},
        {"compression.zstd.level", KIND_WHOLE, ALWAYS},
        {"follower.fetch.last.tiered.offset.enable", KIND_BOOLEAN, SINCE_4_3},
        {"group.consumer.assignment.interval.ms", KIND_WHOLE, SINCE_4_3},
        {"group.coordinator.cached.buffer.max.bytes", KIND_WHOLE, SINCE_4_3},
        {"group.share.assignment.interval.ms", KIND_WHOLE, SINCE_4_3},
        {"group.streams.assignment.interval.ms", KIND_WHOLE, SINCE_4_3},
        {"log.cleaner.backoff.ms", KIND_WHOLE, ALWAYS},
        {"log.cleaner.dedupe.buffer.size", KIND_WHOLE, ALWAYS},
        {"log.cleaner.delete.retention.ms", KIND_WHOLE, ALWAYS},
        {"log.cleaner.io.buffer.load.factor", KIND_REAL, ALWAYS},
        {"log.cleaner.io.buffer.size", KIND_WHOLE, ALWAYS},
        {"log.cleaner.io.max.bytes.per.second", KIND_REAL, ALWAYS},
        {"log.cleaner.max.compaction.lag.ms", KIND_WHOLE, ALWAYS},
        {"log.cleaner.min.cleanable.ratio", KIND_REAL, ALWAYS},
        {"log.cleaner.min.compaction.lag.ms", KIND_WHOLE, ALWAYS},
        {"log.cleaner.threads", KIND_THREADS, ALWAYS},
        {"log.cleanup.policy", KIND_LIST, ALWAYS},
        {"log.flush.interval.messages", KIND_WHOLE, ALWAYS},
        {"log.flush.interval.ms", KIND_WHOLE, ALWAYS},
        {"log.index.interval.bytes", KIND_WHOLE, ALWAYS},
        {"log.index.size.max.bytes", KIND_WHOLE, ALWAYS},
        {"log.local.retention.bytes", KIND_WHOLE, ALWAYS},
        {"log.local.retention.ms", KIND_WHOLE, ALWAYS},
        {"log.message.downconversion.enable", KIND_BOOLEAN, ONLY_3},
        {"log.message.timestamp.after.max.ms", KIND_WHOLE, ALWAYS},
        {"log.message.timestamp.before.max.ms", KIND_WHOLE, ALWAYS},
        {"log.message.timestamp.difference.max.ms", KIND_WHOLE, ONLY_3},
        {"log.message.timestamp.type", KIND_TEXT, ALWAYS},
        {"log.preallocate", KIND_BOOLEAN, ALWAYS},
        {"log.retention.bytes", KIND_WHOLE, ALWAYS},
        {"log.retention.ms", KIND_WHOLE, ALWAYS},
        {"log.roll.jitter.ms", KIND_WHOLE, ALWAYS},
        {"log.roll.ms", KIND_WHOLE, ALWAYS},
        {"log.segment.bytes", KIND_WHOLE, ALWAYS},
        {"log.segment.delete.delay.ms", KIND_WHOLE, ALWAYS},
        {"max.connection.creation.rate", KIND_WHOLE, ALWAYS},
        {"max.connections", KIND_WHOLE, ALWAYS},
        {"max.connections.per.ip", KIND_WHOLE, ALWAYS},
        {"max.connections.per.ip.overrides", KIND_TEXT, ALWAYS},
        {"message.max.bytes", KIND_WHOLE, ALWAYS},
        {"min.insync.replicas", KIND_WHOLE, ALWAYS},
        {"num.io.threads", KIND_THREADS, ALWAYS},
        {"num.network.threads", KIND_THREADS, ALWAYS},
        {"num.recovery.threads.per.data.dir", KIND_THREADS, ALWAYS},
        {"num.replica.fetchers", KIND_THREADS, ALWAYS},
        {"producer.id.expiration.ms", KIND_WHOLE, ALWAYS},
        {"remote.fetch.max.wait.ms", KIND_WHOLE, ALWAYS},
        {"remote.list.offsets.request.timeout.ms", KIND_WHOLE, SINCE_4_3},
        {"remote.log.index.file.cache.total.size.bytes", KIND_WHOLE, ALWAYS},
        {"remote.log.manager.copier.thread.pool.size", KIND_THREADS, SINCE_4_3},
        {"remote.log.manager.copy.max.bytes.per.second", KIND_WHOLE, ALWAYS},
        {"remote.log.manager.expiration.thread.pool.size", KIND_THREADS, SINCE_4_3},
        {"remote.log.manager.fetch.max.bytes.per.second", KIND_WHOLE, ALWAYS},
        {"remote.log.manager.follower.thread.pool.size", KIND_THREADS, SINCE_4_3},
        {"remote.log.reader.threads", KIND_THREADS, SINCE_4_3},
        {"share.coordinator.cached.buffer.max.bytes", KIND_WHOLE, SINCE_4_3},
        {"transaction.partition.verification.enable", KIND_BOOLEAN, ALWAYS},
        {"unclean.leader.election.enable", KIND_BOOLEAN, ALWAYS},
};

bool option_is_forbidden(const char *key) {
        for (size_t i = 0; i < MR_ELEMENTS(allowed); i++)
                if (mr_streq(key, allowed[i]))
                        return false;
        for (size_t i = 0;
             i < MR_ELEMENTS(allowed_per_listener) && mr_starts_with(key, LISTENER_PREFIX); i++) {
                const char *rest = strchr(key + strlen(LISTENER_PREFIX), '.');
                if (rest && mr_streq(rest + 1, allowed_per_listener[i]))
                        return false;
        }
        for (size_t i = 0; i < MR_ELEMENTS(forbidden_prefixes); i++)
                if (mr_starts_with(key, forbidden_prefixes[i]))
                        return true;
        return false;
}

/* Some limits can be given to a single listener. "listener.name.plain-9092.max.connections" →
 * "max.connections"; every other key stays what it is. */
static const char *without_listener(const char *key) {
        static const char *const limits[] = {"max.connection.creation.rate", "max.connections"};
        const char *rest = mr_starts_with(key, LISTENER_PREFIX)
                                   ? strchr(key + strlen(LISTENER_PREFIX), '.')
                                   : NULL;

        for (size_t i = 0; i < MR_ELEMENTS(limits) && rest; i++)
                if (mr_streq(rest + 1, limits[i]))
                        return limits[i];
        return key;
}

static const Option *option_find(const char *name) {
        const char *key = without_listener(name);
        size_t low = 0, high = MR_ELEMENTS(options);

        while (low < high) {
                size_t middle = (low + high) / 2;
                int order = strcmp(key, options[middle].key);
                if (order == 0)
                        return &options[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

bool option_is_dynamic(const char *key, const KafkaVersion *version) {
        const Option *option = option_find(key);

        if (!option)
                return false;
        if (option->releases == ONLY_3)
                return version->major == 3;
        return option->releases == ALWAYS || kafka_version_is_at_least(version, 4, 3);
}

static const char *without_blanks(MrArena *arena, const char *value) {
        char *text = mr_arena_strdup(arena, value), *to = text;

        for (; *value; value++)
                if (!isspace((unsigned char) *value))
                        *to++ = *value;
        *to = '\0';
        return text;
}

/* Java writes a double with at least one digit behind the point, and no more than it needs. */
static const char *real_text(MrArena *arena, const char *value) {
        char *text = mr_arena_strf(arena, "%s", value);
        size_t size = strlen(text);

        if (strspn(text, "-0123456789.") != size || size == 0)
                return value;
        if (!strchr(text, '.'))
                return mr_arena_strf(arena, "%s.0", text);
        while (size > 2 && text[size - 1] == '0' && text[size - 2] != '.')
                text[--size] = '\0';
        return text[0] == '.' ? mr_arena_strf(arena, "0%s", text) : text;
}

const char *option_canonical(MrArena *arena, const char *key, const char *value) {
        const Option *option = option_find(key);
        int64_t number;

        if (!option || option->kind == KIND_TEXT)
                return value;
        value = without_blanks(arena, value);
        if (option->kind == KIND_REAL)
                return real_text(arena, value);
        if (option->kind == KIND_BOOLEAN && strcasecmp(value, "true") == 0)
                return "true";
        if (option->kind == KIND_BOOLEAN && strcasecmp(value, "false") == 0)
                return "false";
        if ((option->kind == KIND_WHOLE || option->kind == KIND_THREADS) &&
            mr_parse_int(value, &number) == 0)
                return mr_arena_strf(arena, "%" PRId64, number);
        return value;
}

/* Kafka refuses to make a pool of threads more than twice or less than half as large; the next pass
 * goes on from there. */
static const char *next_size(MrArena *arena, const char *wanted, const char *current) {
        int64_t to, from;

        if (!current || mr_parse_int(wanted, &to) < 0 || mr_parse_int(current, &from) < 0 ||
            from <= 0)
                return wanted;
        if (to > 2 * from)
                to = 2 * from;
        if (to < (from + 1) / 2)
                to = (from + 1) / 2;
        return mr_arena_strf(arena, "%" PRId64, to);
}

/* The dynamic options of the spec: those of all brokers, and the limits of listeners. */
static MrPairs wanted_options(const KafkaCluster *cluster) {
        const KafkaServer *server = cluster->spec->kafka;
        MrPairs pairs = {};

        for (size_t i = 0; i < server->config.n; i++) {
                const MrPair *pair = &server->config.items[i];
                if (!option_is_forbidden(pair->key) &&
                    option_is_dynamic(pair->key, cluster->version))
                        mr_pairs_set(cluster->arena, &pairs, pair->key, pair->value);
        }
        for (size_t i = 0; i < server->listeners.n; i++)
                listener_add_limits(cluster->arena, (const Listener *) server->listeners.items + i,
                                    &pairs);
        return pairs;
}

static void add_setting(MrParts *parts, const char *scope, const char *key, const char *value) {
        mr_parts_add(parts,
                     (MrPart){
                             .kind = MR_PART_SETTING,
                             .setting = {.protocol = "kafka",
                                         .scope = scope,
                                         .key = key,
                                         .value = value,
                                         .may_be_unlisted = mr_starts_with(key, LISTENER_PREFIX)},
                     });
}

static const char *broker_scope(const KafkaCluster *cluster, const KafkaNode *node) {
        return mr_arena_strf(cluster->arena, "broker/%" PRId64, node->id);
}

/* What the broker says of itself. */
static const MrTree *configs_of(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrTree *configs = mr_tree_get(mr_facts_view(cluster->facts, "kafka"), "configs");

        return mr_tree_get(configs, mr_arena_strf(cluster->arena, "%" PRId64, node->id));
}

static void add_broker_setting(const KafkaCluster *cluster, const KafkaNode *node,
                               const MrPair *pair, MrParts *parts) {
        MrArena *arena = cluster->arena;
        const char *value = option_canonical(arena, pair->key, pair->value);

        if (option_find(pair->key)->kind == KIND_THREADS)
                value = next_size(arena, value,
                                  mr_tree_get_string(configs_of(cluster, node), pair->key));
        add_setting(parts, broker_scope(cluster, node), pair->key, value);
}

/* "listener.name.plain-9092.max.connections" of a listener of the spec. */
static bool is_limit(const KafkaCluster *cluster, const char *key) {
        const MrList *listeners = &cluster->spec->kafka->listeners;

        if (without_listener(key) == key)
                return false;
        for (size_t i = 0; i < listeners->n; i++) {
                const char *id =
                        listener_id(cluster->arena, (const Listener *) listeners->items + i);
                if (mr_streq(key, listener_key(cluster->arena, id, without_listener(key))))
                        return true;
        }
        return false;
}

/* What was set while the broker ran and is no longer in the spec goes back to what the file says.
 * Options this table does not know, the throttles of a reassignment for example, are somebody
 * else's. */
static void add_resets(const KafkaCluster *cluster, const MrPairs *wanted, const char *id,
                       MrParts *parts) {
        const MrTree *overrides =
                mr_tree_get(mr_tree_get(mr_facts_view(cluster->facts, "kafka"), "overrides"), id);

        for (size_t i = 0; i < mr_tree_size(overrides); i++) {
                const char *key = mr_tree_key(overrides, i);
                if (!option_is_dynamic(key, cluster->version) || mr_pairs_get(wanted, key) ||
                    is_limit(cluster, key))
                        continue;
                /* Kafka sets this one itself where eligible leader replicas are in use, and does
                 * not let it be taken away. */
                bool is_kept = mr_is_empty(id) && mr_streq(key, "min.insync.replicas");
                add_setting(parts, mr_arena_strf(cluster->arena, "broker/%s", id),
                            mr_arena_strdup(cluster->arena, key), is_kept ? "1" : NULL);
        }
}

/* A limit that went from the spec may be in the file the broker was started with, so it is not
 * enough to take the override back: the limit is set to Kafka's own, which is none. */
static void add_lifted_limits(const KafkaCluster *cluster, const MrPairs *wanted,
                              const KafkaNode *node, MrParts *parts) {
        const MrTree *configs = configs_of(cluster, node);

        for (size_t i = 0; i < mr_tree_size(configs); i++) {
                const char *key = mr_tree_key(configs, i);
                if (is_limit(cluster, key) && !mr_pairs_get(wanted, key))
                        add_setting(parts, broker_scope(cluster, node),
                                    mr_arena_strdup(cluster->arena, key), NO_LIMIT);
        }
}

static void add_wanted_setting(const KafkaCluster *cluster, const MrPair *pair, MrParts *parts) {
        /* Where eligible leader replicas are in use, Kafka takes this one only for the whole
         * cluster. */
        if (mr_streq(pair->key, "min.insync.replicas")) {
                add_setting(parts, "broker/", pair->key,
                            option_canonical(cluster->arena, pair->key, pair->value));
                return;
        }
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (cluster->nodes[i].is_broker)
                        add_broker_setting(cluster, &cluster->nodes[i], pair, parts);
}

void options_add_settings(const KafkaCluster *cluster, MrParts *parts) {
        MrPairs wanted = wanted_options(cluster);

        for (size_t i = 0; i < wanted.n; i++)
                add_wanted_setting(cluster, &wanted.items[i], parts);
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (!node->is_broker)
                        continue;
                add_lifted_limits(cluster, &wanted, node, parts);
                add_resets(cluster, &wanted, mr_arena_strf(cluster->arena, "%" PRId64, node->id),
                           parts);
        }
        add_resets(cluster, &wanted, "", parts);
}
