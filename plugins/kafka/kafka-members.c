/* Who belongs to a cluster that runs: controllers get a vote or lose it, one at a time, and brokers
 * that are gone for good are no longer registered. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <string.h>

#define CAUGHT_UP 1000 /* records; the leader itself waits for the rest */

static void add_setting(const char *scope, const char *key, const char *value, MrParts *parts) {
        mr_parts_add(parts, (MrPart){
                                    .kind = MR_PART_SETTING,
                                    .setting = {.protocol = "kafka",
                                                .scope = scope,
                                                .key = key,
                                                .value = value,
                                                .may_be_unlisted = true},
                            });
}

/* "CONTROLPLANE-9090://h1:9090" of a controller that runs; NULL when that is not known. */
static const char *listener_of(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
        const char *names = fact ? mr_tree_get_string(fact->settings, "controller.listener.names")
                                 : NULL,
                   *all = fact ? mr_tree_get_string(fact->settings, "advertised.listeners") : NULL;

        for (const char *p = all; names && p && *p; p += *p == ',') {
                size_t n = strcspn(p, ","), name = strlen(names);
                if (strncmp(p, names, name) == 0 && strncmp(p + name, "://", 3) == 0)
                        return mr_arena_strf(cluster->arena, "%.*s", (int) n, p);
                p += n;
        }
        return NULL;
}

/* The next one that is to vote, and follows closely already. Returns false when all do. */
static bool add_vote(const KafkaCluster *cluster, MrParts *parts) {
        const MrTree *observers = mr_tree_get(kafka_view(cluster), "observers");
        bool waits = false;

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const KafkaNode *node = &cluster->nodes[i];
                if (!node->is_controller || !node->joins)
                        continue;
                const MrTree *seen = mr_tree_get(observers, kafka_id_text(cluster, node->id));
                const char *directory = mr_tree_get_string(seen, "directory"),
                           *listener = listener_of(cluster, node);
                int64_t lag = mr_tree_get_int(seen, "lag", -1);
                waits = true;
                if (!directory || !listener || lag < 0 || lag > CAUGHT_UP)
                        continue;
                add_setting("voter/",
                            mr_arena_strf(cluster->arena, "%" PRId64 "/%s", node->id, directory),
                            listener, parts);
                return true;
        }
        return waits;
}

static const char *vote_of(const KafkaCluster *cluster, int64_t id) {
        const MrTree *voters = mr_tree_get(mr_tree_get(kafka_view(cluster), "voters"), "");
        const char *prefix = mr_arena_strf(cluster->arena, "%" PRId64 "/", id);

        for (size_t i = 0; i < mr_tree_size(voters); i++)
                if (mr_starts_with(mr_tree_key(voters, i), prefix))
                        return mr_arena_strdup(cluster->arena, mr_tree_key(voters, i));
        return NULL;
}

/* Only while those that are left have a majority, and once everybody who is to vote does. */
static void take_vote(const KafkaCluster *cluster, MrParts *parts) {
        for (size_t i = cluster->n_nodes; i-- > 0;) {
                const KafkaNode *node = &cluster->nodes[i];
                const char *vote = node->leaves ? vote_of(cluster, node->id) : NULL;
                if (!vote || !kafka_majority_after(cluster, node))
                        continue;
                add_setting("voter/", vote, NULL, parts);
                return;
        }
}

static bool is_member(const KafkaCluster *cluster, const char *id) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(kafka_id_text(cluster, cluster->nodes[i].id), id))
                        return true;
        for (size_t i = 0; i < cluster->n_leftovers; i++)
                if (mr_streq(kafka_id_text(cluster, cluster->leftovers[i].id), id))
                        return true;
        return false;
}

/* A broker that nobody asks for, that has no unit any more, hosts nothing and does not answer. */
static bool is_gone(const KafkaCluster *cluster, const char *id) {
        int64_t number;

        return !is_member(cluster, id) && mr_parse_int(id, &number) == 0 &&
               kafka_hosted(cluster, number) == 0;
}

static const MrTree *registered(const KafkaCluster *cluster) {
        return mr_tree_get(mr_tree_get(kafka_view(cluster), "registrations"), "");
}

static void unregister(const KafkaCluster *cluster, MrParts *parts) {
        const MrTree *seen = registered(cluster);

        for (size_t i = 0; i < mr_tree_size(seen); i++) {
                const char *id = mr_tree_key(seen, i);
                if (is_gone(cluster, id))
                        add_setting("registration/", mr_arena_strdup(cluster->arena, id), NULL,
                                    parts);
        }
}

bool kafka_has_gone(const KafkaCluster *cluster) {
        const MrTree *seen = registered(cluster);

        for (size_t i = 0; i < mr_tree_size(seen); i++)
                if (is_gone(cluster, mr_tree_key(seen, i)))
                        return true;
        return false;
}

void kafka_add_members(const KafkaCluster *cluster, MrParts *parts) {
        if (!cluster->is_kraft || cluster->resource->is_deleted || !kafka_view(cluster))
                return;
        if (cluster->is_dynamic && !add_vote(cluster, parts))
                take_vote(cluster, parts);
        unregister(cluster, parts);
}
