/* What Metadata and DescribeQuorum mean for the question which broker may stop. Pure. */

#include "kafka/view.h"

#include "sdk/alloc.h"
#include "sdk/str.h"

/* What an older release says where a directory has no id. */
#define NO_DIRECTORY "AAAAAAAAAAAAAAAAAAAAAA"

/* More partitions than this are counted, not named. */
#define NAMED_MAX 10

typedef struct Partition {
        const char *topic;
        const MrTree *tree;
        int64_t index;
        size_t n_replicas, n_in_sync;
        int64_t minimum;
} Partition;

static bool contains(const MrTree *list, int64_t id) {
        for (size_t i = 0; i < mr_tree_size(list); i++)
                if (mr_tree_int(mr_tree_at(list, i), -1) == id)
                        return true;
        return false;
}

static void count(MrTree *map, const char *id) {
        mr_tree_set_int(map, id, mr_tree_get_int(map, id, 0) + 1);
}

/* Stopping a replica must not bring the partition below what its producers with acks=all need.
 * Where there are no more replicas than needed, it cannot be avoided and is nobody's fault but the
 * topic's; but then at least nobody else may be missing already. */
static bool blocks(const Partition *partition, bool is_in_sync) {
        if ((int64_t) partition->n_replicas <= partition->minimum)
                return is_in_sync && partition->n_in_sync < partition->n_replicas;
        if ((int64_t) partition->n_in_sync < partition->minimum)
                return true;
        return (int64_t) partition->n_in_sync == partition->minimum && is_in_sync;
}

static void name_blocking(MrTree *partitions, const char *id, const Partition *partition) {
        MrTree *list = mr_tree_need_list(mr_tree_need_map(partitions, "blocking"), id);

        _cleanup_free_ char *leader =
                mr_strf("%lld", (long long) mr_tree_get_int(partition->tree, "leader_id", -1));

        count(mr_tree_need_map(partitions, "blocked_counts"), id);
        count(mr_tree_need_map(mr_tree_need_map(partitions, "blocked_led_by"), id), leader);
        if (mr_tree_size(list) >= NAMED_MAX)
                return;
        _cleanup_free_ char *text =
                mr_strf("%s-%lld: %zu of %zu in sync, needs %lld", partition->topic,
                        (long long) partition->index, partition->n_in_sync, partition->n_replicas,
                        (long long) partition->minimum);
        mr_tree_append(list, mr_tree_new_string(text));
}

static void add_replica(MrTree *partitions, const Partition *partition, int64_t id) {
        _cleanup_free_ char *text = mr_strf("%lld", (long long) id);
        bool is_in_sync = contains(mr_tree_get(partition->tree, "isr_nodes"), id);

        count(mr_tree_need_map(partitions, "hosted"), text);
        if (!is_in_sync)
                count(mr_tree_need_map(partitions, "not_in_sync"), text);
        if (is_in_sync && partition->n_in_sync == 1)
                count(mr_tree_need_map(partitions, "only_here"), text);
        if (blocks(partition, is_in_sync))
                name_blocking(partitions, text, partition);
}

static void add_partition(MrTree *partitions, const char *topic, const MrTree *tree,
                          int64_t minimum) {
        const MrTree *replicas = mr_tree_get(tree, "replica_nodes");
        Partition partition = {
                .topic = topic,
                .tree = tree,
                .index = mr_tree_get_int(tree, "partition_index", -1),
                .n_replicas = mr_tree_size(replicas),
                .n_in_sync = mr_tree_size(mr_tree_get(tree, "isr_nodes")),
                .minimum = minimum,
        };

        count(partitions, "total");
        if (partition.n_in_sync < partition.n_replicas)
                count(partitions, "under_replicated");
        if (mr_tree_get_int(tree, "leader_id", -1) < 0)
                count(partitions, "offline");
        for (size_t i = 0; i < partition.n_replicas; i++)
                add_replica(partitions, &partition, mr_tree_int(mr_tree_at(replicas, i), -1));
}

MrTree *kafka_view_partitions(const MrTree *metadata, const MrTree *minimums) {
        static const char *const maps[] = {"hosted",         "not_in_sync",    "only_here",
                                           "blocked_counts", "blocked_led_by", "blocking"};
        static const char *const counts[] = {"total", "under_replicated", "offline"};
        const MrTree *topics = mr_tree_get(metadata, "topics");
        MrTree *partitions = mr_tree_new_map();

        for (size_t i = 0; i < MR_ELEMENTS(counts); i++)
                mr_tree_set_int(partitions, counts[i], 0);
        for (size_t i = 0; i < MR_ELEMENTS(maps); i++)
                (void) mr_tree_need_map(partitions, maps[i]);
        for (size_t i = 0; i < mr_tree_size(topics); i++) {
                const MrTree *topic = mr_tree_at(topics, i),
                             *list = mr_tree_get(topic, "partitions");
                const char *name = mr_tree_get_string(topic, "name");
                int64_t minimum = name ? mr_tree_get_int(minimums, name, 1) : 1;
                for (size_t k = 0; name && k < mr_tree_size(list); k++)
                        add_partition(partitions, name, mr_tree_at(list, k), minimum);
        }
        return partitions;
}

MrTree *kafka_view_quorum(const MrTree *describe_quorum) {
        const MrTree *topic = mr_tree_at(mr_tree_get(describe_quorum, "topics"), 0);
        const MrTree *partition = mr_tree_at(mr_tree_get(topic, "partitions"), 0);
        const MrTree *list = mr_tree_get(partition, "current_voters");
        MrTree *quorum = mr_tree_new_map(), *voters = mr_tree_need_map(quorum, "voters");
        int64_t leader = mr_tree_get_int(partition, "leader_id", -1), end = 0;

        mr_tree_set_int(quorum, "leader", leader);
        mr_tree_set_int(quorum, "leader_epoch", mr_tree_get_int(partition, "leader_epoch", -1));
        for (size_t i = 0; i < mr_tree_size(list); i++)
                if (mr_tree_get_int(mr_tree_at(list, i), "replica_id", -2) == leader)
                        end = mr_tree_get_int(mr_tree_at(list, i), "log_end_offset", 0);
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *voter = mr_tree_at(list, i);
                int64_t offset = mr_tree_get_int(voter, "log_end_offset", -1);
                _cleanup_free_ char *id =
                        mr_strf("%lld", (long long) mr_tree_get_int(voter, "replica_id", -1));
                MrTree *entry = mr_tree_need_map(voters, id);
                /* A voter nobody has heard of yet has no offset. */
                mr_tree_set_int(entry, "lag", offset < 0 ? -1 : offset < end ? end - offset : 0);
                mr_tree_set_int(entry, "last_caught_up_ms",
                                mr_tree_get_int(voter, "last_caught_up_timestamp", -1));
        }
        return quorum;
}

MrTree *kafka_view_log_dirs(const MrTree *describe_log_dirs) {
        const MrTree *results = mr_tree_get(describe_log_dirs, "results");
        MrTree *dirs = mr_tree_new_map();

        for (size_t i = 0; i < mr_tree_size(results); i++) {
                const MrTree *result = mr_tree_at(results, i),
                             *topics = mr_tree_get(result, "topics");
                const char *path = mr_tree_get_string(result, "log_dir");
                int64_t n = 0;
                for (size_t k = 0; k < mr_tree_size(topics); k++)
                        n += (int64_t) mr_tree_size(
                                mr_tree_get(mr_tree_at(topics, k), "partitions"));
                if (path)
                        mr_tree_set_int(dirs, path,
                                        mr_tree_get_int(result, "error_code", 0) ? -1 : n);
        }
        return dirs;
}

MrTree *kafka_view_features(const MrTree *api_versions) {
        const MrTree *list = mr_tree_get(api_versions, "finalized_features");
        MrTree *all = mr_tree_new_map(), *features = mr_tree_need_map(all, "");

        for (size_t i = 0; i < mr_tree_size(list); i++) {
                const MrTree *feature = mr_tree_at(list, i);
                const char *name = mr_tree_get_string(feature, "name");
                _cleanup_free_ char *level = mr_strf(
                        "%lld", (long long) mr_tree_get_int(feature, "max_version_level", 0));
                if (name)
                        mr_tree_set_string(features, name, level);
        }
        return all;
}

static const MrTree *quorum_partition(const MrTree *describe_quorum) {
        const MrTree *topic = mr_tree_at(mr_tree_get(describe_quorum, "topics"), 0);

        return mr_tree_at(mr_tree_get(topic, "partitions"), 0);
}

static const char *directory_of(const MrTree *replica) {
        const char *directory = mr_tree_get_string(replica, "replica_directory_id");

        return mr_is_empty(directory) || mr_streq(directory, NO_DIRECTORY) ? NULL : directory;
}

void kafka_view_members(const MrTree *describe_quorum, MrTree *view) {
        const MrTree *partition = quorum_partition(describe_quorum),
                     *voters = mr_tree_get(partition, "current_voters"),
                     *observers = mr_tree_get(partition, "observers");
        MrTree *voting = mr_tree_need_map(mr_tree_need_map(view, "voters"), ""),
               *following = mr_tree_need_map(view, "observers");
        int64_t end = mr_tree_get_int(partition, "high_watermark", 0);

        for (size_t i = 0; i < mr_tree_size(voters); i++) {
                const MrTree *voter = mr_tree_at(voters, i);
                _cleanup_free_ char *key =
                        mr_strf("%lld/%s", (long long) mr_tree_get_int(voter, "replica_id", -1),
                                directory_of(voter));
                if (directory_of(voter))
                        mr_tree_set_string(voting, key, "votes");
        }
        for (size_t i = 0; i < mr_tree_size(observers); i++) {
                const MrTree *observer = mr_tree_at(observers, i);
                _cleanup_free_ char *id =
                        mr_strf("%lld", (long long) mr_tree_get_int(observer, "replica_id", -1));
                int64_t offset = mr_tree_get_int(observer, "log_end_offset", -1);
                if (!directory_of(observer))
                        continue;
                MrTree *entry = mr_tree_need_map(following, id);
                mr_tree_set_string(entry, "directory", directory_of(observer));
                mr_tree_set_int(entry, "lag", offset < 0 ? -1 : offset < end ? end - offset : 0);
        }
}

MrTree *kafka_view_registrations(const MrTree *describe_cluster) {
        const MrTree *brokers = mr_tree_get(describe_cluster, "brokers");
        MrTree *result = mr_tree_new_map(), *all = mr_tree_need_map(result, "");

        for (size_t i = 0; i < mr_tree_size(brokers); i++) {
                const MrTree *broker = mr_tree_at(brokers, i);
                _cleanup_free_ char *id =
                        mr_strf("%lld", (long long) mr_tree_get_int(broker, "broker_id", -1));
                if (mr_tree_get_bool(broker, "is_fenced", false))
                        mr_tree_set_string(all, id, "fenced");
        }
        return result;
}
