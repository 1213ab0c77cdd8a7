/* Looking at the running system as often as it is worth it. */

#include "base/clock.h"
#include "engine-private.h"
#include "model/annotations.h"

#define SEC UINT64_C(1000000)
/* While something is not ready, the running system is looked at this often, and less when nothing
 * has moved for a while: what waits for a person may wait for days. */
#define LOOK_UNSETTLED_USEC (250 * UINT64_C(1000))
/* While a node starts or stops, nothing can become ready that is worth asking for: its change of
 * state is told, and handshakes would cost JVMs that are starting more than anything else. */
#define LOOK_MOVING_USEC (5 * SEC)
#define LOOK_STUCK_USEC (5 * SEC)
#define STUCK_AFTER_USEC (60 * SEC)
#define LOOK_SETTLED_USEC (60 * SEC)

static bool is_any(const Desire *desire, const MrFacts *facts, MrNodeState state) {
        for (size_t i = 0; i < mr_manifests_nodes(desire->wanted); i++) {
                const MrNodeFact *fact =
                        mr_facts_node(facts, mr_manifests_node_at(desire->wanted, i)->node);
                if (fact && fact->state == state)
                        return true;
        }
        return false;
}

bool engine_all_ready(const Desire *desire) {
        for (size_t i = 0; i < desire->health.n; i++)
                if (!desire->health.items[i].is_ready)
                        return false;
        return true;
}

static bool is_waited_for(const Desire *desire) {
        for (size_t i = 0; i < desire->probes.n; i++)
                if (desire->probes.items[i].is_waited_for)
                        return true;
        return false;
}

static uint64_t look_interval(const Tracked *tracked, const Desire *desire, const Plan *plan,
                              const MrFacts *facts) {
        if ((plan_size(plan) == 0 && engine_all_ready(desire) && !is_waited_for(desire)) ||
            resource_is_paused(&tracked->document->resource))
                return LOOK_SETTLED_USEC;
        if (now_usec() - tracked->changed_usec > STUCK_AFTER_USEC)
                return LOOK_STUCK_USEC;
        return is_any(desire, facts, MR_NODE_STARTING) || is_any(desire, facts, MR_NODE_STOPPING)
                       ? LOOK_MOVING_USEC
                       : LOOK_UNSETTLED_USEC;
}

void engine_look(Engine *engine, Tracked *tracked, const Desire *desire, const Plan *plan,
                 const MrFacts *facts) {
        uint64_t since = views_since(tracked->views), age = since ? now_usec() - since : UINT64_MAX;
        uint64_t interval = look_interval(tracked, desire, plan, facts);

        if (desire->probes.n == 0)
                return;
        if (!is_any(desire, facts, MR_NODE_RUNNING)) {
                views_clear(tracked->views);
                return;
        }
        if (age >= interval)
                views_look(tracked->views, &desire->probes, desire->wanted, facts);
        else
                engine_wish(engine, interval - age);
}
