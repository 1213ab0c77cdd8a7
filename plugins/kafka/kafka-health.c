/* When a node does its work, and when the cluster can spare it. What is not known counts against
 * stopping. */

#include "kafka-certificates.h"
#include "kafka-cluster.h"
#include "kafka-logging.h"

#include <inttypes.h>

#define ORDER_NOT_READY 10
#define ORDER_NODE 11
#define ORDER_ACTIVE_CONTROLLER 12
#define DEFAULT_FETCH_TIMEOUT_MS 2000

typedef struct Look {
        const KafkaCluster *cluster;
        const MrTree *view; /* NULL: nothing known, or what is known is not to be trusted */
        const char *error;  /* why it is not to be trusted */
} Look;

static Look look_at(const KafkaCluster *cluster) {
        const MrTree *view = mr_facts_view(cluster->facts, "kafka");
        const char *error = mr_tree_get_string(view, "error");

        if (!view)
                error = "it has not been asked yet";
        return (Look){.cluster = cluster, .view = error ? NULL : view, .error = error};
}

static const char *id_text(const KafkaCluster *cluster, const KafkaNode *node) {
        return mr_arena_strf(cluster->arena, "%" PRId64, node->id);
}

static const MrTree *partitions_of(const Look *look) {
        return mr_tree_get(look->view, "partitions");
}

static bool is_registered(const Look *look, const KafkaNode *node) {
        return mr_tree_get(mr_tree_get(look->view, "brokers"), id_text(look->cluster, node)) !=
               NULL;
}

static const MrTree *voters_of(const Look *look) {
        return mr_tree_get(mr_tree_get(look->view, "quorum"), "voters");
}

static bool is_running(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
        return fact && fact->state == MR_NODE_RUNNING;
}

static const char *waits_of_broker(const Look *look, const KafkaNode *node) {
        const char *id = id_text(look->cluster, node);

        if (!is_registered(look, node))
                return "is not registered with the cluster yet";
        int64_t n = mr_tree_get_int(mr_tree_get(partitions_of(look), "not_in_sync"), id, 0);
        return n > 0 ? mr_arena_strf(look->cluster->arena,
                                     "%" PRId64 " of its partitions are not in sync yet", n)
                     : NULL;
}

/* Whether a voter has had everything at some time since it began; what it lacks later is for the
 * gate of the next restart. */
static bool has_followed(const Look *look, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(look->cluster->facts, node->name);
        const MrTree *quorum = mr_tree_get(look->view, "quorum"),
                     *voter = mr_tree_get(voters_of(look), id_text(look->cluster, node));

        if (node->id == mr_tree_get_int(quorum, "leader", -1) || !fact || fact->since == 0)
                return true;
        return mr_tree_get_int(voter, "lag", -1) == 0 ||
               mr_tree_get_int(voter, "last_caught_up_ms", -1) / 1000 >= fact->since;
}

static const char *waits_of_controller(const Look *look, const KafkaNode *node) {
        const MrTree *quorum = mr_tree_get(look->view, "quorum");

        if (mr_tree_get_int(quorum, "leader", -1) < 0)
                return "the controllers have no leader yet";
        /* Also of one that joins: until all vote who are to, the others are fewer than they seem.
         */
        if (!mr_tree_get(voters_of(look), id_text(look->cluster, node)))
                return node->joins ? "does not vote among the controllers yet"
                                   : "is not in the quorum of controllers yet";
        if (!has_followed(look, node))
                return "has not caught up with the other controllers yet";
        return NULL;
}

static void judge_readiness(const Look *look, const KafkaNode *node, MrNodeHealth *health) {
        const MrNodeFact *fact = mr_facts_node(look->cluster->facts, node->name);

        if (!fact || fact->state != MR_NODE_RUNNING)
                health->waits =
                        mr_arena_strf(look->cluster->arena, "is %s",
                                      mr_node_state_name(fact ? fact->state : MR_NODE_ABSENT));
        else if (!look->view)
                health->waits = mr_arena_strf(look->cluster->arena,
                                              "nothing is known of the cluster: %s", look->error);
        else if (node->is_broker)
                health->waits = waits_of_broker(look, node);
        if (!health->waits && look->view && node->is_controller)
                health->waits = waits_of_controller(look, node);
        health->is_ready = !health->waits;
}

/* A broker that reads its log again after a crash would start all over when it is stopped. */
static const char *stop_of_starting(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);

        if (!fact || fact->state != MR_NODE_STARTING || fact->restarts > 0)
                return NULL;
        return mr_arena_strf(cluster->arena, "it is still starting%s%s", fact->message ? ": " : "",
                             fact->message ? fact->message : "");
}

/* Nobody can begin to follow a leader whose certificate has ended, so what it leads, or what has no
 * leader at all, gets no better by waiting. */
static bool is_hopeless_leader(const KafkaCluster *cluster, const char *leader) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(id_text(cluster, &cluster->nodes[i]), leader))
                        return certificates_have_ended(cluster, &cluster->nodes[i]);
        return mr_streq(leader, "-1");
}

/* Partitions that would lose too many replicas, as far as it makes sense to wait for more. */
static int64_t blocked(const Look *look, const KafkaNode *node) {
        const char *id = id_text(look->cluster, node);
        const MrTree *partitions = partitions_of(look);
        const MrTree *leaders = mr_tree_get(mr_tree_get(partitions, "blocked_led_by"), id);
        int64_t n = mr_tree_get_int(mr_tree_get(partitions, "blocked_counts"), id, 0);

        if (!certificates_have_ended(look->cluster, node))
                return n;
        for (size_t i = 0; i < mr_tree_size(leaders); i++)
                if (is_hopeless_leader(look->cluster, mr_tree_key(leaders, i)))
                        n -= mr_tree_int(mr_tree_at(leaders, i), 0);
        return n;
}

static const char *stop_of_broker(const Look *look, const KafkaNode *node) {
        const char *id = id_text(look->cluster, node);
        const MrTree *partitions = partitions_of(look);
        int64_t n = blocked(look, node);

        /* A cluster of one broker has nobody to hand its partitions to, so there is nothing to wait
         * for. */
        if (kafka_brokers(look->cluster) == 1)
                return NULL;
        /* Those whose certificates have ended may be the reason why nothing is known. */
        if (!partitions && certificates_have_ended(look->cluster, node))
                return NULL;
        if (!look->view)
                return mr_arena_strf(look->cluster->arena,
                                     "nothing is known of the cluster's partitions: %s",
                                     look->error);
        if (!is_registered(look, node))
                return NULL;
        if (!partitions)
                return "nothing is known of the cluster's partitions";
        const char *first =
                mr_tree_string(mr_tree_at(mr_tree_get(mr_tree_get(partitions, "blocking"), id), 0));
        if (n <= 0)
                return NULL;
        return mr_arena_strf(look->cluster->arena,
                             "%" PRId64 " partitions would lose too many replicas%s%s", n,
                             first ? ": " : "", first ? first : "");
}

static int64_t fetch_timeout_ms(const KafkaCluster *cluster) {
        const char *text =
                mr_pairs_get(&cluster->spec->kafka->config, "controller.quorum.fetch.timeout.ms");
        int64_t value;

        return text && mr_parse_int(text, &value) == 0 && value > 0 ? value
                                                                    : DEFAULT_FETCH_TIMEOUT_MS;
}

/* A voter has caught up when it had everything not longer ago than the time after which it would
 * leave its leader. */
static bool is_caught_up(const Look *look, const MrTree *voter, int64_t leader_ms) {
        int64_t caught_up_ms = mr_tree_get_int(voter, "last_caught_up_ms", -1);

        if (mr_tree_get_int(voter, "lag", -1) == 0)
                return true;
        return caught_up_ms >= 0 && leader_ms >= 0 &&
               leader_ms - caught_up_ms <= fetch_timeout_ms(look->cluster);
}

/* A leader learns only after a while that a voter is gone, and the platform knows at once. */
static bool is_seen_down(const KafkaCluster *cluster, const char *voter) {
        for (size_t i = 0; i < cluster->n_nodes; i++)
                if (mr_streq(id_text(cluster, &cluster->nodes[i]), voter))
                        return !is_running(cluster, &cluster->nodes[i]);
        return false;
}

/* Voters other than this one that have caught up. */
static int64_t others_caught_up(const Look *look, const KafkaNode *node) {
        const MrTree *voters = voters_of(look);
        int64_t n = 0, leader = mr_tree_get_int(mr_tree_get(look->view, "quorum"), "leader", -1);
        const MrTree *leading = mr_tree_get(voters, kafka_id_text(look->cluster, leader));
        int64_t leader_ms = mr_tree_get_int(leading, "last_caught_up_ms", -1);

        for (size_t i = 0; i < mr_tree_size(voters); i++)
                if (!mr_streq(mr_tree_key(voters, i), id_text(look->cluster, node)) &&
                    !is_seen_down(look->cluster, mr_tree_key(voters, i)))
                        n += mr_tree_at(voters, i) == leading ||
                             is_caught_up(look, mr_tree_at(voters, i), leader_ms);
        return n;
}

bool kafka_majority_without(const KafkaCluster *cluster, const KafkaNode *node) {
        Look look = look_at(cluster);
        int64_t total = (int64_t) mr_tree_size(voters_of(&look));

        return total > 0 && others_caught_up(&look, node) >= total / 2 + 1;
}

bool kafka_majority_after(const KafkaCluster *cluster, const KafkaNode *node) {
        Look look = look_at(cluster);
        int64_t left = (int64_t) mr_tree_size(voters_of(&look)) - 1;

        return left > 0 && others_caught_up(&look, node) >= left / 2 + 1;
}

static bool is_up(const KafkaCluster *cluster, const KafkaNode *node) {
        const MrNodeFact *fact = mr_facts_node(cluster->facts, node->name);
        return fact && (fact->state == MR_NODE_RUNNING || fact->state == MR_NODE_STARTING);
}

/* A controller whose certificate has ended keeps others from catching up, and may be the one that
 * would tell how far they are: what can be judged is whether they run. */
static const char *stop_of_ended_controller(const KafkaCluster *cluster, const KafkaNode *node) {
        int64_t total = (int64_t) kafka_controllers(cluster), n = 0;

        for (size_t i = 0; i < cluster->n_nodes; i++)
                n += cluster->nodes[i].is_controller && &cluster->nodes[i] != node &&
                     is_up(cluster, &cluster->nodes[i]);
        if (n >= total / 2 + 1 || (total == 2 && n == 1))
                return NULL;
        return mr_arena_strf(cluster->arena,
                             "only %" PRId64
                             " of the other controllers run, the quorum needs %" PRId64,
                             n, total / 2 + 1);
}

static const char *stop_of_controller(const Look *look, const KafkaNode *node) {
        MrArena *arena = look->cluster->arena;
        const MrTree *voters = voters_of(look);
        int64_t total = (int64_t) mr_tree_size(voters);

        if (kafka_controllers(look->cluster) == 1)
                return NULL;
        if (certificates_have_ended(look->cluster, node))
                return stop_of_ended_controller(look->cluster, node);
        if (!look->view || total == 0)
                return mr_arena_strf(arena, "nothing is known of the quorum of controllers: %s",
                                     look->error ? look->error : "no voters");
        if (!mr_tree_get(voters, id_text(look->cluster, node)))
                return NULL;
        int64_t n = others_caught_up(look, node);
        /* Two controllers cannot lose one and keep a majority, so the other being well has to do.
         */
        if (n >= total / 2 + 1 || (total == 2 && n == 1))
                return NULL;
        return mr_arena_strf(arena,
                             "only %" PRId64
                             " of the other controllers have caught up, the quorum needs %" PRId64,
                             n, total / 2 + 1);
}

static void judge_stop(const Look *look, const KafkaNode *node, MrNodeHealth *health) {
        if (!is_running(look->cluster, node)) {
                health->in_the_way = stop_of_starting(look->cluster, node);
        } else {
                if (node->is_broker)
                        health->in_the_way = stop_of_broker(look, node);
                if (!health->in_the_way && node->is_controller)
                        health->in_the_way = stop_of_controller(look, node);
        }
        health->may_stop = !health->in_the_way;
}

/* What would be lost with the data of a broker, whether it runs or not; NULL: nothing. */
static const char *lost_with_broker(const Look *look, const KafkaNode *node) {
        MrArena *arena = look->cluster->arena;
        const MrTree *partitions = partitions_of(look);

        if (!partitions)
                return mr_arena_strf(arena, "nothing is known of the cluster's partitions: %s",
                                     look->error ? look->error : "they were not told");
        int64_t n = mr_tree_get_int(mr_tree_get(partitions, "only_here"),
                                    id_text(look->cluster, node), 0);
        return n > 0 ? mr_arena_strf(arena,
                                     "%" PRId64 " partitions are in sync only on it; wait for "
                                     "their other replicas, or move them",
                                     n)
                     : NULL;
}

static void judge_data(const Look *look, const KafkaNode *node, MrNodeHealth *health) {
        if (node->is_broker)
                health->only_here = lost_with_broker(look, node);
        if (!health->only_here && node->is_controller &&
            !kafka_majority_without(look->cluster, node))
                health->only_here = "the other controllers are no majority that has all metadata";
        health->may_lose_data = !health->only_here;
}

static int64_t active_controller(const Look *look) {
        return look->cluster->is_kraft
                       ? mr_tree_get_int(mr_tree_get(look->view, "quorum"), "leader", -1)
                       : mr_tree_get_int(look->view, "controller", -1);
}

/* A node nobody asks for any more may go when nothing is on it; that includes a vote. */
static void judge_leftover(const KafkaCluster *cluster, const KafkaLeftover *leftover,
                           MrNodeHealth *health) {
        int64_t n = kafka_hosted(cluster, leftover->id);

        *health = (MrNodeHealth){.node = leftover->name, .is_ready = true};
        if (leftover->was_controller && kafka_may_vote(cluster, leftover->id))
                health->in_the_way = "it votes in the quorum of controllers, whose number cannot "
                                     "be changed yet; put the node back";
        else if (n < 0)
                health->in_the_way = "it is not known yet whether it hosts partitions";
        else if (n > 0)
                health->in_the_way = mr_arena_strf(cluster->arena,
                                                   "it hosts %" PRId64 " partitions; put the node "
                                                   "back until they are moved to other brokers",
                                                   n);
        health->may_stop = !health->in_the_way;
}

int kafka_health(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrArena *arena, MrHealth *ret, MrError *err) {
        KafkaCluster cluster;

        int r = kafka_cluster_make(resource, spec, facts, arena, &cluster, err);
        if (r < 0)
                return r;
        Look look = look_at(&cluster);
        ret->items =
                mr_arena_new_array(arena, MrNodeHealth, cluster.n_nodes + cluster.n_leftovers + 1);
        ret->n = cluster.n_nodes + cluster.n_leftovers;
        for (size_t i = 0; i < cluster.n_leftovers; i++)
                judge_leftover(&cluster, &cluster.leftovers[i], &ret->items[cluster.n_nodes + i]);
        for (size_t i = 0; i < cluster.n_nodes; i++) {
                const KafkaNode *node = &cluster.nodes[i];
                MrNodeHealth *health = &ret->items[i];
                health->node = node->name;
                judge_readiness(&look, node, health);
                judge_stop(&look, node, health);
                judge_data(&look, node, health);
                health->has_expired = certificates_have_ended(&cluster, node);
                health->order = !health->is_ready                      ? ORDER_NOT_READY
                                : node->id == active_controller(&look) ? ORDER_ACTIVE_CONTROLLER
                                                                       : ORDER_NODE;
        }
        return 0;
}

/* Nobody is kept waiting so long by a node that only starts. */
#define LATE_SEC 10

/* Whether something keeps a node from becoming ready, which may be the certificate of another. */
static bool is_anybody_late(const KafkaCluster *cluster) {
        Look look = look_at(cluster);
        int64_t now = mr_facts_now(cluster->facts);

        for (size_t i = 0; i < cluster->n_nodes; i++) {
                const MrNodeFact *fact = mr_facts_node(cluster->facts, cluster->nodes[i].name);
                MrNodeHealth health = {};
                judge_readiness(&look, &cluster->nodes[i], &health);
                if (!health.is_ready && fact && fact->since > 0 && now - fact->since >= LATE_SEC)
                        return true;
        }
        return false;
}

int kafka_probes(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                 MrArena *arena, MrProbes *ret, MrError *err) {
        KafkaCluster cluster;
        MrProbe probe = {
                .name = "kafka",
                .protocol = "kafka",
                .endpoint = ENDPOINT_REPLICATION,
                .secret = mr_arena_strf(arena, "%s-cluster-operator-certs", resource->name),
                .secret_prefix = "cluster-operator",
                .authority = cluster_trust(arena, resource),
                .authority_key = CLUSTER_TRUST_KEY,
        };

        int r = kafka_cluster_make(resource, spec, facts, arena, &cluster, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < cluster.n_nodes; i++)
                if (cluster.nodes[i].is_broker)
                        mr_strings_add(arena, &probe.nodes, cluster.nodes[i].name);
        mr_strings_add(arena, &probe.also, "quotas");
        probe.is_waited_for = cluster.needs_log_dirs;
        if (cluster.needs_log_dirs)
                mr_strings_add(arena, &probe.also, "log_dirs");
        if (cluster.is_kraft) {
                mr_strings_add(arena, &probe.also, "features");
                mr_strings_add(arena, &probe.also, "registrations");
        }
        if (kafka_log_is_told(&cluster))
                mr_strings_add(arena, &probe.also, "loggers");
        ret->items = mr_arena_new_array(arena, MrProbe, 2);
        ret->items[ret->n++] = probe;
        certificates_add_probe(&cluster, is_anybody_late(&cluster), ret);
        return 0;
}
