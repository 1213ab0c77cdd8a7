/* Versions that storage remembers: the protocol between brokers beside ZooKeeper, and the version
 * of a KRaft cluster's metadata. Both follow the release once every node runs it, and neither ever
 * goes below what was written already. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <string.h>

#define PROTOCOL "inter.broker.protocol.version"
#define METADATA_FEATURE "metadata.version"

/* "3.9-IV0" → 3, 9; false when it does not begin so. */
static bool read_version(const char *text, int ret[2]) {
        int64_t number = 0;

        if (!text)
                return false;
        for (int i = 0; i < 2; i++) {
                size_t n = strspn(text, "0123456789");
                _cleanup_free_ char *digits = mr_strndup(text, n);
                if (n == 0 || n > 4 || mr_parse_int(digits, &number) < 0)
                        return false;
                ret[i] = (int) number;
                text += n;
                if (i == 0 && *text++ != '.')
                        return false;
        }
        return true;
}

/* By major and minor; what cannot be read is neither more nor less. */
static int compare(const char *a, const char *b) {
        int x[2], y[2];

        if (!read_version(a, x) || !read_version(b, y))
                return 0;
        return x[0] != y[0] ? x[0] - y[0] : x[1] - y[1];
}

/* Whether every node that is there runs the release that is wanted. */
static bool is_rolled_out(const KafkaCluster *cluster) {
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const MrNodeFact *fact = mr_facts_node(cluster->facts, cluster->nodes[i].name);
                if (fact && fact->state != MR_NODE_ABSENT && fact->applied &&
                    !mr_streq(fact->version, cluster->version->name))
                        return false;
        }
        return true;
}

/* The highest protocol any broker was told, and the lowest. */
static void told_protocols(const KafkaCluster *cluster, const char **ret_highest,
                           const char **ret_lowest) {
        *ret_highest = *ret_lowest = NULL;
        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const MrNodeFact *fact = mr_facts_node(cluster->facts, cluster->nodes[i].name);
                const char *told = fact ? mr_tree_get_string(fact->applied, PROTOCOL) : NULL;
                if (!told)
                        continue;
                if (!*ret_highest || compare(told, *ret_highest) > 0)
                        *ret_highest = told;
                if (!*ret_lowest || compare(told, *ret_lowest) < 0)
                        *ret_lowest = told;
        }
}

static int check_protocol(KafkaCluster *cluster, MrError *err) {
        const char *asked = mr_pairs_get(&cluster->spec->kafka->config, PROTOCOL);
        const char *own = cluster->version->protocol, *highest, *lowest;

        told_protocols(cluster, &highest, &lowest);
        if (asked && compare(asked, own) > 0)
                return mr_fail(err, MR_INVALID, "spec.kafka.config." PROTOCOL,
                               "Kafka %s speaks no protocol newer than %s; use that, or a newer "
                               "version",
                               cluster->version->name, own);
        if (highest && compare(own, highest) < 0)
                return mr_fail(err, MR_INVALID, "spec.kafka.version",
                               "the brokers have written with protocol %s, which Kafka %s cannot "
                               "read; use a version of at least %s",
                               highest, cluster->version->name, highest);
        if (asked && highest && compare(asked, highest) < 0)
                return mr_fail(err, MR_INVALID, "spec.kafka.config." PROTOCOL,
                               "the brokers have written with protocol %s already; use at least "
                               "that",
                               highest);
        cluster->protocol = asked ? asked
                            : lowest && compare(lowest, own) < 0 && !is_rolled_out(cluster)
                                    ? highest
                                    : own;
        return 0;
}

static int64_t level_seen(const KafkaCluster *cluster) {
        const char *text = mr_tree_get_string(
                mr_tree_get(mr_tree_get(kafka_view(cluster), "features"), ""), METADATA_FEATURE);
        int64_t level;

        return text && mr_parse_int(text, &level) == 0 ? level : -1;
}

static int check_metadata(KafkaCluster *cluster, MrError *err) {
        const char *asked = cluster->spec->kafka->metadata_version;
        const KafkaMetadata *own = kafka_metadata(cluster->version->metadata_version);
        const KafkaMetadata *wanted = asked ? kafka_metadata(asked) : own;
        const KafkaMetadata *oldest =
                kafka_metadata(cluster->version->major >= 4 ? "3.3-IV3" : "3.0-IV1");
        int64_t level = level_seen(cluster);

        if (!wanted || wanted->level > own->level)
                return mr_fail(err, MR_INVALID, "spec.kafka.metadataVersion",
                               "Kafka %s has no metadata version %s; use one up to %s",
                               cluster->version->name, asked, own->name);
        if (level > own->level)
                return mr_fail(err, MR_INVALID, "spec.kafka.version",
                               "the metadata of this cluster has version %s, which Kafka %s cannot "
                               "read; use a version that can",
                               kafka_metadata_name(cluster->arena, level), cluster->version->name);
        if (wanted->level < oldest->level)
                return mr_fail(err, MR_INVALID, "spec.kafka.metadataVersion",
                               "Kafka %s has left metadata version %s behind; use %s or a newer "
                               "one",
                               cluster->version->name, asked, oldest->name);
        cluster->metadata_version = wanted->name;
        if (asked && level > wanted->level) {
                kafka_note(cluster, "MetadataVersion",
                           "spec.kafka.metadataVersion: the metadata stays at version %s, it "
                           "cannot go back to %s",
                           kafka_metadata_name(cluster->arena, level), asked);
                cluster->metadata_version = kafka_metadata_name(cluster->arena, level);
        }
        return 0;
}

/* Kafka raises nothing above what a registered broker knew, even one that left long ago. */
static const char *upgrade_level(const KafkaCluster *cluster) {
        const KafkaMetadata *wanted = kafka_metadata(cluster->metadata_version);
        int64_t level = level_seen(cluster);

        if (!cluster->is_kraft || !wanted || level < 0 || level >= wanted->level ||
            !is_rolled_out(cluster) || kafka_has_gone(cluster))
                return NULL;
        return mr_arena_strf(cluster->arena, "%" PRId64, wanted->level);
}

void kafka_add_metadata(const KafkaCluster *cluster, MrParts *parts) {
        const char *level = upgrade_level(cluster);

        if (level)
                mr_parts_add(parts, (MrPart){
                                            .kind = MR_PART_SETTING,
                                            .setting = {.protocol = "kafka",
                                                        .scope = "feature/",
                                                        .key = METADATA_FEATURE,
                                                        .value = level},
                                    });
}

const char *kafka_metadata_now(const KafkaCluster *cluster) {
        int64_t level = level_seen(cluster);

        return level < 0 ? cluster->metadata_version : kafka_metadata_name(cluster->arena, level);
}

int kafka_release_check(KafkaCluster *cluster, MrError *err) {
        if (cluster->resource->is_deleted) {
                cluster->protocol = cluster->version->protocol;
                cluster->metadata_version = cluster->version->metadata_version;
                return 0;
        }
        return cluster->is_kraft ? check_metadata(cluster, err) : check_protocol(cluster, err);
}
