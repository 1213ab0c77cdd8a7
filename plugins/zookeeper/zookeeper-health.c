/* When a member is ready, and when the ensemble can spare it. */

#include "zookeeper.h"

#include "cluster.h"

#define ORDER_NOT_SERVING 0
#define ORDER_FOLLOWER 1
#define ORDER_LEADER 2
/* Nobody is kept waiting so long by a member that only starts. */
#define LATE_SEC 10

static const char *member_state(const MrTree *view, const char *node) {
        return mr_tree_get_string(mr_tree_get(mr_tree_get(view, "members"), node), "state");
}

/* Members take another certificate only with a restart. */
static bool has_ended(const Ensemble *ensemble, const char *node) {
        const MrTree *shown = mr_tree_get(mr_facts_view(ensemble->facts, "tls"), node);
        int64_t end = mr_tree_get_int(mr_tree_get(shown, ZOOKEEPER_CLIENTS), "not_after", 0);

        return end > 0 && end <= mr_facts_now(ensemble->facts);
}

static bool is_serving(const char *state) {
        return mr_streq(state, "leader") || mr_streq(state, "follower") ||
               mr_streq(state, "standalone");
}

static int64_t serving_others(const Ensemble *ensemble, const MrTree *view, const char *node) {
        int64_t n = 0;

        for (int64_t i = 0; i < ensemble->n; i++) {
                const char *other = ensemble_node(ensemble, i);
                const MrNodeFact *fact = mr_facts_node(ensemble->facts, other);
                if (!mr_streq(other, node) && fact && fact->state == MR_NODE_RUNNING &&
                    is_serving(member_state(view, other)))
                        n++;
        }
        return n;
}

static int64_t running_others(const Ensemble *ensemble, const char *node) {
        int64_t n = 0;

        for (int64_t i = 0; i < ensemble->n; i++) {
                const char *other = ensemble_node(ensemble, i);
                const MrNodeFact *fact = mr_facts_node(ensemble->facts, other);
                n += !mr_streq(other, node) && fact &&
                     (fact->state == MR_NODE_RUNNING || fact->state == MR_NODE_STARTING);
        }
        return n;
}

bool ensemble_majority_without(const Ensemble *ensemble, const char *node) {
        return serving_others(ensemble, mr_facts_view(ensemble->facts, "zookeeper"), node) >=
               ensemble->n / 2 + 1;
}

static void judge_readiness(const Ensemble *ensemble, const MrTree *view, MrNodeHealth *health) {
        const MrNodeFact *fact = mr_facts_node(ensemble->facts, health->node);
        const MrTree *member = mr_tree_get(mr_tree_get(view, "members"), health->node);
        const char *state = mr_tree_get_string(member, "state"),
                   *error = mr_tree_get_string(member, "error");

        if (!fact || fact->state != MR_NODE_RUNNING)
                health->waits =
                        mr_arena_strf(ensemble->arena, "is %s",
                                      mr_node_state_name(fact ? fact->state : MR_NODE_ABSENT));
        else if (is_serving(state))
                health->is_ready = true;
        else if (error)
                health->waits = mr_arena_strf(ensemble->arena, "does not answer: %s", error);
        else if (state)
                health->waits = "has no leader yet";
        else
                health->waits = "has not been asked yet";
}

/* Nobody can ask a member whose certificate has ended how it is, and those that begin anew cannot
 * follow it: what can be judged is whether the others run. */
static void judge_stop_of_ended(const Ensemble *ensemble, MrNodeHealth *health) {
        int64_t others = running_others(ensemble, health->node), majority = ensemble->n / 2 + 1;

        health->may_stop = others >= majority || (ensemble->n == 2 && others == 1);
        if (!health->may_stop)
                health->in_the_way = mr_arena_strf(
                        ensemble->arena,
                        "only %lld of the other %lld members run, the quorum needs %lld",
                        (long long) others, (long long) ensemble->n - 1, (long long) majority);
}

static void judge_stop(const Ensemble *ensemble, const MrTree *view, MrNodeHealth *health) {
        const MrNodeFact *fact = mr_facts_node(ensemble->facts, health->node);
        int64_t others = serving_others(ensemble, view, health->node),
                majority = ensemble->n / 2 + 1;

        health->may_stop = true;
        if (!fact || fact->state != MR_NODE_RUNNING || ensemble->n == 1)
                return;
        if (health->has_expired) {
                judge_stop_of_ended(ensemble, health);
                return;
        }
        /* A member known to serve nobody can be spared; one that was never asked cannot. */
        const char *state = member_state(view, health->node);
        if (state && !is_serving(state))
                return;
        /* Two members cannot lose one and keep a majority, so there both being well has to do. */
        if (others >= majority || (ensemble->n == 2 && others == 1))
                return;
        health->may_stop = false;
        if (!view)
                health->in_the_way = "nothing is known of the ensemble yet";
        else
                health->in_the_way = mr_arena_strf(
                        ensemble->arena,
                        "only %lld of the other %lld members serve, the quorum needs %lld",
                        (long long) others, (long long) ensemble->n - 1, (long long) majority);
}

int zookeeper_health(const MrResource *resource, const void *spec, const MrFacts *facts,
                     MrArena *arena, MrHealth *ret, MrError *err _unused_) {
        Ensemble ensemble = ensemble_of(resource, spec, facts, arena);
        const MrTree *view = mr_facts_view(facts, "zookeeper");

        ret->items = mr_arena_new_array(arena, MrNodeHealth, (size_t) ensemble.n);
        ret->n = (size_t) ensemble.n;
        for (size_t i = 0; i < ret->n; i++) {
                MrNodeHealth *health = &ret->items[i];
                health->node = ensemble_node(&ensemble, (int64_t) i);
                health->has_expired = has_ended(&ensemble, health->node);
                judge_readiness(&ensemble, view, health);
                judge_stop(&ensemble, view, health);
                health->may_lose_data = ensemble_majority_without(&ensemble, health->node);
                if (!health->may_lose_data)
                        health->only_here = "the other members that serve are no majority";
                const char *state = member_state(view, health->node);
                bool is_leader = mr_streq(state, "leader") || mr_streq(state, "standalone");
                health->order = !health->is_ready ? ORDER_NOT_SERVING
                                : is_leader       ? ORDER_LEADER
                                                  : ORDER_FOLLOWER;
        }
        return 0;
}

/* Whether something keeps a member from becoming ready, which may be the certificate of any. */
static bool is_anybody_late(const Ensemble *ensemble) {
        const MrTree *view = mr_facts_view(ensemble->facts, "zookeeper");
        int64_t now = mr_facts_now(ensemble->facts);

        for (int64_t i = 0; i < ensemble->n; i++) {
                MrNodeHealth health = {.node = ensemble_node(ensemble, i)};
                const MrNodeFact *fact = mr_facts_node(ensemble->facts, health.node);
                judge_readiness(ensemble, view, &health);
                if (!health.is_ready && fact && fact->since > 0 && now - fact->since >= LATE_SEC)
                        return true;
        }
        return false;
}

int zookeeper_probes(const MrResource *resource, const void *spec, const MrFacts *facts,
                     MrArena *arena, MrProbes *ret, MrError *err _unused_) {
        Ensemble ensemble = ensemble_of(resource, spec, facts, arena);
        MrProbe probe = {
                .name = "zookeeper",
                .protocol = "zookeeper",
                .endpoint = ZOOKEEPER_CLIENTS,
                .secret = mr_arena_strf(arena, "%s-cluster-operator-certs", resource->name),
                .secret_prefix = "cluster-operator",
                .authority = cluster_trust(arena, resource),
                .authority_key = CLUSTER_TRUST_KEY,
        };

        for (int64_t i = 0; i < ensemble.n; i++)
                mr_strings_add(arena, &probe.nodes, ensemble_node(&ensemble, i));
        ret->items = mr_arena_new_array(arena, MrProbe, 2);
        ret->items[ret->n++] = probe;
        if (is_anybody_late(&ensemble)) {
                MrProbe shown = {.name = "tls", .protocol = "tls", .nodes = probe.nodes};
                mr_strings_add(arena, &shown.endpoints, ZOOKEEPER_CLIENTS);
                ret->items[ret->n++] = shown;
        }
        return 0;
}
