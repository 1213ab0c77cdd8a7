/* Who may connect. A unit has one filter of addresses, for all its ports and for both directions.
 * So it stands for the peers of the listeners only when each listener has some; it then lets in who
 * may reach any of them, and lets out to the host's own addresses and name servers, too. */

#include <string.h>

#include "lower.h"
#include "str.h"

typedef struct Guard {
        MrStrings networks;
        const char *open;    /* a listener that everybody may reach */
        const char *special; /* a listener with peers a filter of addresses cannot tell */
        const char *guarded; /* a listener with peers */
        bool differs;        /* not all listeners have the same */
} Guard;

static void add(MrArena *arena, MrStrings *strings, const char *text) {
        if (text && !mr_strings_has(strings, text))
                mr_strings_add(arena, strings, text);
}

static void add_endpoint(MrArena *arena, const MrEndpoint *endpoint, Guard *guard) {
        size_t before = guard->networks.n;

        if (!endpoint->is_guarded) {
                guard->open = endpoint->listener;
                return;
        }
        for (size_t i = 0; i < endpoint->peers.n; i++) {
                if (endpoint->peers.items[i][0] == '!')
                        guard->special = endpoint->listener;
                add(arena, &guard->networks, endpoint->peers.items[i]);
        }
        if (endpoint->has_other_peers)
                guard->special = endpoint->listener;
        if (guard->guarded &&
            (guard->networks.n > before || guard->networks.n != endpoint->peers.n))
                guard->differs = true;
        guard->guarded = endpoint->listener;
}

static Guard guard_of(const Lowering *lowering, const char *node) {
        Guard guard = {};

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_ENDPOINT && part->endpoint.is_external &&
                    mr_streq(part->endpoint.node, node))
                        add_endpoint(lowering->arena, &part->endpoint, &guard);
        }
        return guard;
}

static void add_facts(Lowering *lowering, const char *fact, MrStrings *networks) {
        const MrTree *list = mr_tree_get(mr_facts_host(lowering->facts), fact);

        for (size_t i = 0; i < mr_tree_size(list); i++)
                add(lowering->arena, networks, mr_tree_string(mr_tree_at(list, i)));
}

void lower_guard(Lowering *lowering, const char *node, MrTree *properties) {
        Guard guard = guard_of(lowering, node);

        if (!guard.guarded || guard.open || guard.special)
                return;
        add_facts(lowering, "addresses", &guard.networks);
        add_facts(lowering, "nameservers", &guard.networks);
        MrTree *list = mr_tree_need_list(properties, "networks");
        for (size_t i = 0; i < guard.networks.n; i++)
                mr_tree_append(list, mr_tree_new_string(guard.networks.items[i]));
}

/* Once for all nodes: they have the same listeners. */
void lower_guard_warn(Lowering *lowering) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_WORKLOAD)
                        continue;
                Guard guard = guard_of(lowering, part->workload.node);
                if (!guard.guarded)
                        continue;
                if (guard.special)
                        mr_manifests_warn(lowering->out, "PeersNotEnforced",
                                          "networkPolicyPeers are not enforced: on a host only "
                                          "whole networks can be told apart, and listener %s has "
                                          "exceptions or selectors; use a firewall",
                                          guard.special);
                else if (guard.open)
                        mr_manifests_warn(lowering->out, "PeersNotEnforced",
                                          "networkPolicyPeers are not enforced: a unit has one "
                                          "filter for all its ports, and everybody may reach "
                                          "listener %s; give every listener peers, or use a "
                                          "firewall",
                                          guard.open);
                else if (guard.differs)
                        mr_manifests_warn(lowering->out, "PeersShared",
                                          "whoever is a peer of one listener reaches all, because "
                                          "a unit has one filter for all its ports; use a firewall "
                                          "where that matters");
                return;
        }
}
