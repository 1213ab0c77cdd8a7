/* What keeps a node from being restarted, or from losing its data, for now. */

#include "gates.h"

#include "str.h"

/* A node that is starting is left alone: it may be recovering its logs, which nobody can tell how
 * long it takes. One with a wrong configuration ends by itself and reads the right one when the
 * service manager starts it again. A person may know better after this long. */
#define STARTING_PATIENCE_SEC 120
/* Whoever takes longer than this may be waiting for the node whose certificate has ended. */
#define EXPIRED_PATIENCE_SEC 30
#define STARTING_WAITS "it is still starting, and may be recovering its storage"

const MrNodeHealth *gates_health(const PlanInput *input, const char *node) {
        const MrHealth *health = input->health;

        for (size_t i = 0; health && i < health->n; i++)
                if (mr_streq(health->items[i].node, node))
                        return &health->items[i];
        return NULL;
}

MrNodeState gates_state(const PlanInput *input, const char *node) {
        const MrNodeFact *fact = mr_facts_node(input->facts, node);
        return fact ? fact->state : MR_NODE_ABSENT;
}

bool gates_is_up(MrNodeState state) {
        return state == MR_NODE_RUNNING || state == MR_NODE_STARTING || state == MR_NODE_STOPPING;
}

const char *gates_hold(const PlanInput *input, const char *node) {
        const char *reason = input->holds ? mr_pairs_get(input->holds, node) : NULL;

        if (!reason && gates_state(input, node) == MR_NODE_HELD)
                reason = "its unit is masked";
        return reason;
}

bool gates_has_expired(const PlanInput *input, const char *node) {
        const MrNodeHealth *health = gates_health(input, node);

        return gates_state(input, node) == MR_NODE_RUNNING && health && health->has_expired;
}

/* Whether a node whose certificate has ended still waits for this one, which is not ready. */
static bool is_given_time(const PlanInput *input, Plan *plan, const char *node) {
        const MrNodeFact *fact = mr_facts_node(input->facts, node);
        int64_t left = fact && fact->since > 0
                               ? fact->since + EXPIRED_PATIENCE_SEC - mr_facts_now(input->facts)
                               : 0;

        /* One that ends again and again is always young. */
        if (left <= 0 || fact->restarts > 0)
                return false;
        plan_set_recheck(plan, left);
        return true;
}

/* The first node, other than `except`, that is wanted but does not do its work; a held node is
 * nobody's fault. `is_urgent`: one that has been so for long does not count. */
static const char *who_is_not_ready(const PlanInput *input, Plan *plan, const char *except,
                                    bool is_urgent) {
        for (size_t i = 0; i < mr_manifests_nodes(input->wanted); i++) {
                const char *node = mr_manifests_node_at(input->wanted, i)->node;
                const MrNodeHealth *health = gates_health(input, node);
                MrNodeState state = gates_state(input, node);
                if (mr_streq(node, except) || gates_hold(input, node))
                        continue;
                if (state == MR_NODE_RUNNING && (!health || health->is_ready))
                        continue;
                if (!is_urgent || is_given_time(input, plan, node))
                        return mr_arena_strf(plan_arena(plan), "%s is not ready: %s", node,
                                             health && health->waits ? health->waits
                                                                     : mr_node_state_name(state));
        }
        return NULL;
}

const char *gates_discard(const PlanInput *input, Plan *plan, const char *node) {
        const MrNodeHealth *health = gates_health(input, node);
        const char *hold = gates_hold(input, node),
                   *other = who_is_not_ready(input, plan, node, false);

        if (hold)
                return mr_arena_strf(plan_arena(plan), "it is held: %s", hold);
        if (other)
                return other;
        if (!health)
                return "nothing is known of what only it holds";
        if (gates_state(input, node) == MR_NODE_RUNNING && !health->may_stop)
                return health->in_the_way ? health->in_the_way : "it may not stop now";
        if (health->may_lose_data)
                return NULL;
        return health->only_here ? health->only_here : "its data is nowhere else";
}

static const char *starting_waits(const PlanInput *input, Plan *plan, const MrNodeFact *fact) {
        bool is_asked = input->restarts && mr_pairs_get(input->restarts, fact->node);
        int64_t patience = fact->since + STARTING_PATIENCE_SEC - mr_facts_now(input->facts);

        if (fact->state != MR_NODE_STARTING || (is_asked && patience <= 0))
                return NULL;
        if (is_asked) {
                plan_set_recheck(plan, patience);
                return STARTING_WAITS;
        }
        return mr_arena_strf(plan_arena(plan),
                             STARTING_WAITS "; 'millctl restart %s' restarts it all the same",
                             fact->node);
}

const char *gates_restart(const PlanInput *input, Plan *plan, const MrNodeWanted *wanted) {
        const MrNodeHealth *health = gates_health(input, wanted->node);
        const MrNodeFact *fact = mr_facts_node(input->facts, wanted->node);
        const char *hold = gates_hold(input, wanted->node);

        if (hold)
                return mr_arena_strf(plan_arena(plan), "it is held: %s", hold);
        if (wanted->pending)
                return wanted->pending;
        if (fact->state == MR_NODE_STOPPING)
                return "it is stopping";
        const char *starting = starting_waits(input, plan, fact);
        if (starting)
                return starting;
        /* Nodes that do not come up do not wait for each other: all may have the same wrong
         * configuration. */
        const char *other = fact->state == MR_NODE_STARTING
                                    ? NULL
                                    : who_is_not_ready(input, plan, wanted->node,
                                                       gates_has_expired(input, wanted->node));
        if (other)
                return other;
        /* What is not ready may still serve part of what it should; what does not run serves
         * nobody. */
        if (health && fact->state == MR_NODE_RUNNING && !health->may_stop)
                return health->in_the_way ? health->in_the_way : "it may not stop now";
        return NULL;
}
