/* From differences to ordered steps. The rules, in short:
 *
 * 1. What the whole resource shares comes first: secrets, distributions.
 * 2. A node that does not run gets everything it needs and is started; such nodes do not wait for
 * each other, because a cold quorum needs its members at once.
 * 3. A running node whose fingerprint still matches is repaired in place.
 * 4. Running nodes whose fingerprint differs form a roll: one at a time, unready ones first, then
 * by the order their operand gives; the next one waits until every node of the resource is ready
 * and the operand's gate is open. So the first failure stops the roll. Nodes that do not come up do
 * not wait for others. Nobody may connect to a node whose certificate has ended, so others may not
 * become ready before it restarts: it comes first, and waits for them only as long as nodes take to
 * start. All of a node's changes are made in its own turn.
 * 5. A node whose data is given up is stopped and loses its claims, in a turn of its own and only
 * when nothing is lost by it; then it is a node that does not run.
 * 6. What is no longer wanted goes last, and never what holds data unless the spec said so. */

#include "diff.h"
#include "gates.h"
#include "plan.h"
#include "str.h"

typedef struct Order {
        const PlanInput *input;
        Plan *plan;
        Diff *diff;
        const char *discarding; /* the node whose data is given up now; NULL: none */
} Order;

/* Why the running node has to restart, or NULL. */
static const char *restart_reason(Order *order, const MrNodeWanted *wanted) {
        const MrNodeFact *fact = mr_facts_node(order->input->facts, wanted->node);
        const char *asked =
                order->input->restarts ? mr_pairs_get(order->input->restarts, wanted->node) : NULL;

        if (asked)
                return mr_arena_strf(plan_arena(order->plan), "asked for: %s", asked);
        if (!wanted->fingerprint || !fact || !fact->fingerprint)
                return NULL;
        /* Nobody can connect to it to tell it to read its files again. */
        if (mr_streq(wanted->fingerprint, fact->fingerprint))
                return gates_has_expired(order->input, wanted->node)
                               ? "nobody can tell it to read its files again"
                               : NULL;
        return diff_restart_reason(plan_arena(order->plan), order->diff, wanted, fact);
}

/* What a change means for the running process. `is_in_roll`: its node restarts in this plan. */
static Outcome outcome_of(const Order *order, const Change *change, bool is_in_roll) {
        if (mr_streq(change->wanted->kind, "Setting"))
                return OUTCOME_ALTER;
        if (!change->node || !gates_is_up(gates_state(order->input, change->node)))
                return OUTCOME_NONE;
        if (is_in_roll)
                return change->wanted->restarts || change->wanted->reloads ? OUTCOME_ROLL
                                                                           : OUTCOME_NONE;
        if (change->wanted->reloads)
                return OUTCOME_RELOAD;
        return change->is_limit ? OUTCOME_LIMIT : OUTCOME_NONE;
}

static void add_changes(Order *order, const char *node, const char *waits, bool is_in_roll) {
        bool is_running = node && !is_in_roll && gates_is_up(gates_state(order->input, node));

        for (size_t i = 0; i < diff_size(order->diff); i++) {
                const Change *change = diff_at(order->diff, i);
                if (!mr_streq(change->node, node) || change->verb == MR_VERB_REMOVE)
                        continue;
                const char *why = waits ? waits : change->pending;
                plan_add(order->plan, (Step){
                                              .verb = change->verb,
                                              .manifest = change->wanted,
                                              .ns = change->wanted->ns,
                                              .node = node,
                                              .subject = change->subject,
                                              .reason = change->reason,
                                              .waits = why,
                                              .is_repair = is_running || change->is_repair,
                                              .outcome = outcome_of(order, change, is_in_roll),
                                              .is_gated = is_in_roll,
                                      });
        }
}

static const char *discard_reason(const Order *order, const char *node) {
        return order->input->discards ? mr_pairs_get(order->input->discards, node) : NULL;
}

/* A claim of the node with data in it. One that was only just made again is none. */
static bool holds_data(const Order *order, const MrManifest *found, const char *node) {
        const MrTree *claim = mr_facts_claim(order->input->facts, found->name);

        return mr_streq(found->node, node) && mr_tree_get(found->body, "identity") &&
               mr_tree_get_bool(claim, "prepared", false);
}

static bool has_data(const Order *order, const char *node) {
        for (size_t i = 0; i < mr_manifests_size(order->input->found); i++)
                if (holds_data(order, mr_manifests_at(order->input->found, i), node))
                        return true;
        return false;
}

/* How long a node stopped by hand may still stay down; 0: it is started now. One that was stopped
 * to give its data up, and has it still, stays down as long: it would only be stopped again. */
static int64_t grace_left(Order *order, const MrNodeFact *fact) {
        if (!fact || fact->state != MR_NODE_STOPPED || fact->since == 0 ||
            (discard_reason(order, fact->node) && !has_data(order, fact->node)))
                return 0;
        int64_t left = fact->since + order->input->grace_sec - mr_facts_now(order->input->facts);
        return left > 0 ? left : 0;
}

static const char *start_reason(Order *order, const MrNodeFact *fact) {
        MrArena *arena = plan_arena(order->plan);

        if (fact && discard_reason(order, fact->node) && !has_data(order, fact->node))
                return mr_arena_strf(arena, "its data was given up: %s",
                                     discard_reason(order, fact->node));
        if (fact && fact->state == MR_NODE_FAILED)
                return mr_arena_strf(arena, "it failed%s%s", fact->message ? ": " : "",
                                     fact->message ? fact->message : "");
        if (fact && fact->state == MR_NODE_STOPPED && fact->since > 0)
                return mr_arena_strf(arena,
                                     "it was stopped by hand; 'millctl hold %s' keeps it down",
                                     fact->node);
        return "it does not run yet";
}

static void plan_start(Order *order, const MrNodeWanted *wanted) {
        const MrNodeFact *fact = mr_facts_node(order->input->facts, wanted->node);
        const char *hold = gates_hold(order->input, wanted->node), *waits = wanted->pending;
        int64_t left = grace_left(order, fact);
        MrArena *arena = plan_arena(order->plan);

        if (hold)
                waits = mr_arena_strf(arena, "it is held: %s", hold);
        else if (!waits && left > 0) {
                waits = mr_arena_strf(
                        arena,
                        "it was stopped by hand and is started again within %lld s of that; "
                        "'millctl hold %s' keeps it down",
                        (long long) order->input->grace_sec, wanted->node);
                plan_set_recheck(order->plan, left);
        }
        plan_add(order->plan,
                 (Step){
                         .verb = MR_VERB_START,
                         .ns = wanted->ns,
                         .node = wanted->node,
                         .role = wanted->role,
                         .subject = wanted->node,
                         .reason = start_reason(order, fact),
                         .waits = waits,
                         .is_repair = fact && (fact->state == MR_NODE_FAILED || fact->since > 0),
                         .begins_anew = discard_reason(order, wanted->node) &&
                                        !has_data(order, wanted->node),
                 });
}

/* Steps that stop the node and take its claims away; false: there is nothing to take. */
static bool plan_discard(Order *order, const MrNodeWanted *wanted, const char *waits) {
        const char *reason = mr_arena_strf(plan_arena(order->plan), "its data is given up: %s",
                                           discard_reason(order, wanted->node));
        Step step = {.ns = wanted->ns,
                     .node = wanted->node,
                     .reason = reason,
                     .waits = waits,
                     .is_gated = true};
        bool is_stopped = !gates_is_up(gates_state(order->input, wanted->node)), has_any = false;

        for (size_t i = 0; i < mr_manifests_size(order->input->found); i++) {
                const MrManifest *found = mr_manifests_at(order->input->found, i);
                if (!holds_data(order, found, wanted->node))
                        continue;
                if (!is_stopped) {
                        step.verb = MR_VERB_STOP;
                        step.subject = wanted->node;
                        step.role = wanted->role;
                        plan_add(order->plan, step);
                        is_stopped = true;
                }
                step.verb = MR_VERB_REMOVE;
                step.manifest = found;
                step.subject = mr_arena_strf(plan_arena(order->plan), "volume %s", found->name);
                step.role = NULL;
                plan_add(order->plan, step);
                has_any = true;
        }
        return has_any;
}

/* One after the other; one that has to wait holds up nobody. */
static void plan_discards(Order *order) {
        for (size_t i = 0; i < mr_manifests_nodes(order->input->wanted); i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(order->input->wanted, i);
                if (!discard_reason(order, wanted->node))
                        continue;
                const char *waits =
                        order->discarding ? mr_arena_strf(plan_arena(order->plan), "%s comes first",
                                                          order->discarding)
                                          : gates_discard(order->input, order->plan, wanted->node);
                if (plan_discard(order, wanted, waits) && !waits)
                        order->discarding = wanted->node;
        }
}

/* Lower comes first: those whose certificates have ended, nodes that are not ready, then the
 * operand's order, then the order of the workloads. */
static int64_t roll_weight(Order *order, const MrNodeWanted *wanted) {
        const MrNodeHealth *health = gates_health(order->input, wanted->node);
        bool is_ready = gates_state(order->input, wanted->node) == MR_NODE_RUNNING &&
                        (!health || health->is_ready);

        return (gates_has_expired(order->input, wanted->node) ? 0 : INT64_C(1) << 41) +
               (is_ready ? INT64_C(1) << 40 : 0) + ((int64_t) wanted->order << 20) +
               (health ? health->order : 0);
}

static bool is_discarding(const Order *order, const MrNodeWanted *wanted) {
        return order->discarding && mr_streq(order->discarding, wanted->node);
}

static const MrNodeWanted *next_of_roll(Order *order, bool *done) {
        const MrNodeWanted *best = NULL;

        for (size_t i = 0; i < mr_manifests_nodes(order->input->wanted); i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(order->input->wanted, i);
                if (done[i] || !gates_is_up(gates_state(order->input, wanted->node)) ||
                    !restart_reason(order, wanted))
                        continue;
                if (!best || roll_weight(order, wanted) < roll_weight(order, best))
                        best = wanted;
        }
        return best;
}

static const char *roll_reason(Order *order, const MrNodeWanted *wanted) {
        const char *reason = restart_reason(order, wanted);

        return gates_has_expired(order->input, wanted->node)
                       ? mr_arena_strf(plan_arena(order->plan),
                                       "%s; the certificate it uses has expired", reason)
                       : reason;
}

static void plan_roll(Order *order) {
        size_t n = mr_manifests_nodes(order->input->wanted);
        _cleanup_free_ bool *done = mr_new(bool, n);
        const char *before = order->discarding;

        for (size_t i = 0; i < n; i++)
                done[i] = is_discarding(order, mr_manifests_node_at(order->input->wanted, i));
        for (const MrNodeWanted *wanted; (wanted = next_of_roll(order, done));) {
                const char *waits =
                        before ? mr_arena_strf(plan_arena(order->plan), "%s comes first", before)
                               : gates_restart(order->input, order->plan, wanted);
                add_changes(order, wanted->node, waits, true);
                plan_add(order->plan, (Step){
                                              .verb = MR_VERB_RESTART,
                                              .ns = wanted->ns,
                                              .node = wanted->node,
                                              .role = wanted->role,
                                              .subject = wanted->node,
                                              .reason = roll_reason(order, wanted),
                                              .waits = waits,
                                              .outcome = OUTCOME_ROLL,
                                              .is_gated = true,
                                      });
                for (size_t i = 0; i < n; i++)
                        done[i] =
                                done[i] || mr_manifests_node_at(order->input->wanted, i) == wanted;
                /* A held node does not hold up the others, nor does one that came first only
                 * because others may wait for it. */
                if (!gates_hold(order->input, wanted->node) &&
                    !(waits && gates_has_expired(order->input, wanted->node)))
                        before = before ? before : wanted->node;
        }
}

static void plan_nodes(Order *order) {
        size_t n = mr_manifests_nodes(order->input->wanted);

        for (size_t i = 0; i < n; i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(order->input->wanted, i);
                bool is_running = gates_is_up(gates_state(order->input, wanted->node));
                if (!is_discarding(order, wanted) &&
                    (!is_running || !restart_reason(order, wanted)))
                        add_changes(order, wanted->node, NULL, false);
        }
        /* Starts come after all writes, so that the service manager reloads once. */
        for (size_t i = 0; i < n; i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(order->input->wanted, i);
                if (!is_discarding(order, wanted) &&
                    !gates_is_up(gates_state(order->input, wanted->node)))
                        plan_start(order, wanted);
        }
        plan_roll(order);
}

static bool is_wanted_node(const Order *order, const char *node) {
        for (size_t i = 0; i < mr_manifests_nodes(order->input->wanted); i++)
                if (mr_streq(mr_manifests_node_at(order->input->wanted, i)->node, node))
                        return true;
        return false;
}

/* The place of a node in a cold start; what no node owns comes before all of them. A node that is
 * wanted no more has the one it was told last. */
static int start_order(const Order *order, const char *node) {
        const MrNodeFact *fact = node ? mr_facts_node(order->input->facts, node) : NULL;

        for (size_t i = 0; i < mr_manifests_nodes(order->input->wanted); i++) {
                const MrNodeWanted *wanted = mr_manifests_node_at(order->input->wanted, i);
                if (mr_streq(wanted->node, node))
                        return wanted->order;
        }
        return !node ? -1 : fact ? fact->order : 0;
}

/* Why a node that is no longer wanted must stay for now, or NULL. What its operand says nothing
 * about stays: it may hold the only copy of something. */
static const char *leftover_waits(const Order *order, const char *node) {
        const MrNodeHealth *health = gates_health(order->input, node);
        const char *hold = gates_hold(order->input, node);

        if (hold)
                return mr_arena_strf(plan_arena(order->plan), "it is held: %s", hold);
        if (health)
                return health->may_stop ? NULL : health->in_the_way;
        return mr_arena_strf(
                plan_arena(order->plan),
                "the data of %s must be moved to other nodes first; set the replicas back", node);
}

/* The node of a cluster that is deleted which ends now, or is told to by this plan, and may need
 * for that what began before it; NULL: none. */
static const char *who_ends_first(const Order *order, int place) {
        const MrNodeFact *fact;

        for (size_t i = 0;
             order->input->is_deleted && (fact = mr_facts_node_at(order->input->facts, i)); i++)
                if (fact->state == MR_NODE_STOPPING && start_order(order, fact->node) > place &&
                    (!fact->owner || mr_streq(fact->owner, order->input->owner)))
                        return fact->node;
        for (size_t i = 0; order->input->is_deleted && i < diff_size(order->diff); i++) {
                const Change *change = diff_at(order->diff, i);
                if (change->verb == MR_VERB_REMOVE && change->found->lingers &&
                    start_order(order, change->node) > place)
                        return change->node;
        }
        return NULL;
}

static void plan_removal(Order *order, const Change *change, const char *first) {
        bool is_leftover =
                !order->input->is_deleted && change->node && !is_wanted_node(order, change->node);
        const char *waits = is_leftover ? leftover_waits(order, change->node) : NULL;

        if (!waits && change->found->is_in_use && is_wanted_node(order, change->node))
                waits = mr_arena_strf(plan_arena(order->plan), "%s uses it until it restarts",
                                      change->node);
        if (!waits && first)
                waits = mr_arena_strf(plan_arena(order->plan), "%s ends first", first);
        plan_add(order->plan, (Step){
                                      .verb = MR_VERB_REMOVE,
                                      .manifest = change->found,
                                      .ns = change->found->ns,
                                      .node = change->node,
                                      .subject = change->subject,
                                      .reason = change->reason,
                                      .waits = waits,
                                      .is_gated = is_leftover,
                              });
}

/* Removals, in the opposite order of creation: whoever ends may need those that began before. */
static void plan_removals(Order *order) {
        int last = -1;

        for (size_t i = 0; i < diff_size(order->diff); i++) {
                const Change *change = diff_at(order->diff, i);
                int place = start_order(order, change->node);
                if (change->verb == MR_VERB_REMOVE && place > last)
                        last = place;
        }
        for (int place = last; place >= -1; place--) {
                const char *first = who_ends_first(order, place);
                for (size_t i = diff_size(order->diff); i-- > 0;) {
                        const Change *change = diff_at(order->diff, i);
                        if (change->verb == MR_VERB_REMOVE &&
                            start_order(order, change->node) == place)
                                plan_removal(order, change, first);
                }
        }
}

static void plan_shared(Order *order) {
        add_changes(order, NULL, NULL, false);
}

int plan_make(const PlanInput *input, Plan **ret, MrError *err) {
        _cleanup_(plan_freep) Plan *plan = plan_new();
        _cleanup_(diff_freep) Diff *diff = NULL;

        int r = diff_make(plan_arena(plan), input, &diff, err);
        if (r < 0)
                return r;
        Order order = {.input = input, .plan = plan, .diff = diff};
        if (!input->is_deleted) {
                plan_shared(&order);
                plan_discards(&order);
                plan_nodes(&order);
        }
        plan_removals(&order);
        if (input->paused)
                plan_hold(plan, input->paused);
        *ret = TAKE(plan);
        return 0;
}
