/* Ports on a host that several nodes share. The first node of a group gets the standard ports, the
 * next ones the same ports moved by a multiple of ten, so that an administrator can tell them
 * apart. What was given once is remembered, because clients and certificates know it. A port that
 * was chosen for one node never moves. */

#include <string.h>

#include "lower.h"
#include "str.h"

#define STEP 10
#define PORT_MAX 65535

static const char *remembered_key(Lowering *lowering, const MrEndpoint *endpoint) {
        return mr_arena_strf(lowering->arena, "port/%s/%s/%s", lowering->ns, endpoint->node,
                             endpoint->name);
}

/* The port given earlier, or 0. A changed standard port makes what was remembered void. */
static int64_t remembered_port(Lowering *lowering, const MrEndpoint *endpoint) {
        const char *text = mr_facts_remembered(lowering->facts, remembered_key(lowering, endpoint));
        _cleanup_free_ char *standard = mr_strf("%lld/", (long long) endpoint->port);
        int64_t port;

        if (!text || !mr_starts_with(text, standard) || endpoint->is_fixed)
                return 0;
        return mr_parse_int(text + strlen(standard), &port) < 0 ? 0 : port;
}

/* By a node of these parts. */
static bool is_taken_here(const Lowering *lowering, int64_t port) {
        _cleanup_free_ char *text = mr_strf("%lld", (long long) port);

        for (size_t i = 0; i < lowering->ports.n; i++)
                if (mr_streq(lowering->ports.items[i].value, text))
                        return true;
        return false;
}

static bool is_of_parts(const Lowering *lowering, const char *owner) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_ENDPOINT)
                        continue;
                _cleanup_free_ char *node = mr_strf("%s/%s/", lowering->ns, part->endpoint.node);
                if (mr_starts_with(owner, node))
                        return true;
        }
        return false;
}

/* What nodes of these parts were given earlier is theirs to use; who had it then may be gone. */
static bool is_taken(const Lowering *lowering, int64_t port) {
        const MrTree *taken = mr_tree_get(mr_facts_host(lowering->facts), "taken_ports");
        _cleanup_free_ char *text = mr_strf("%lld", (long long) port);
        const char *owner = mr_tree_get_string(taken, text);

        return is_taken_here(lowering, port) || (owner && !is_of_parts(lowering, owner));
}

static void give(Lowering *lowering, const MrEndpoint *endpoint, int64_t port) {
        MrArena *arena = lowering->arena;

        mr_manifests_add_address(lowering->out, (MrAddress){
                                                        .node = endpoint->node,
                                                        .endpoint = endpoint->name,
                                                        .host = lower_address(lowering),
                                                        .port = port,
                                                });
        mr_pairs_set(arena, &lowering->ports,
                     mr_arena_strf(arena, "%s/%s", endpoint->node, endpoint->name),
                     mr_arena_strf(arena, "%lld", (long long) port));
        mr_manifests_remember(
                lowering->out, remembered_key(lowering, endpoint),
                mr_arena_strf(arena, "%lld/%lld", (long long) endpoint->port, (long long) port));
}

/* Ports that were chosen for a node come before those that can move. */
static int give_fixed(Lowering *lowering, const MrEndpoint *endpoint, MrError *err) {
        if (is_taken(lowering, endpoint->port))
                return mr_fail(err, MR_INVALID, NULL,
                               "port %lld of %s is in use on this host; choose another for its "
                               "endpoint %s",
                               (long long) endpoint->port, endpoint->node, endpoint->name);
        give(lowering, endpoint, endpoint->port);
        return 0;
}

static bool is_of_node(const MrPart *part, const char *node) {
        return part->kind == MR_PART_ENDPOINT && mr_streq(part->endpoint.node, node);
}

static bool is_given(const Lowering *lowering, const MrEndpoint *endpoint) {
        _cleanup_free_ char *key = mr_strf("%s/%s", endpoint->node, endpoint->name);
        return mr_pairs_get(&lowering->ports, key) != NULL;
}

/* Endpoints of a node that move together: those clients and nodes use, or those aside. */
typedef struct Together {
        const char *node;
        bool is_aside;
} Together;

static bool is_to_give(const Lowering *lowering, const MrPart *part, const Together *together) {
        return is_of_node(part, together->node) && part->endpoint.is_aside == together->is_aside &&
               !is_given(lowering, &part->endpoint);
}

/* Whether all of the node's endpoints that have no port yet could move by `offset`. */
static bool fits(const Lowering *lowering, const Together *together, int64_t offset) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (!is_to_give(lowering, part, together))
                        continue;
                int64_t port = part->endpoint.port + offset;
                if (port > PORT_MAX || is_taken(lowering, port))
                        return false;
        }
        return true;
}

/* A new endpoint of a known node moves as far as the node's other endpoints did, if it can. */
static int64_t first_offset(const Lowering *lowering, const char *node) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (!is_of_node(part, node) || !is_given(lowering, &part->endpoint) ||
                    part->endpoint.is_fixed || part->endpoint.is_aside)
                        continue;
                _cleanup_free_ char *key = mr_strf("%s/%s", node, part->endpoint.name);
                int64_t port;
                if (mr_parse_int(mr_pairs_get(&lowering->ports, key), &port) == 0)
                        return port - part->endpoint.port;
        }
        return 0;
}

static int give_together(Lowering *lowering, const Together *together, MrError *err) {
        int64_t offset = first_offset(lowering, together->node), next = 0;

        while (!fits(lowering, together, offset)) {
                offset = next;
                next += STEP;
                if (offset > PORT_MAX)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "no free ports are left on this host for %s; choose other "
                                       "listener ports",
                                       together->node);
        }
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (is_to_give(lowering, part, together))
                        give(lowering, &part->endpoint, part->endpoint.port + offset);
        }
        return 0;
}

static int give_rest(Lowering *lowering, bool is_aside, MrError *err) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_ENDPOINT || part->endpoint.is_aside != is_aside ||
                    is_given(lowering, &part->endpoint))
                        continue;
                Together together = {.node = part->endpoint.node, .is_aside = is_aside};
                int r = give_together(lowering, &together, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int lower_ports(Lowering *lowering, MrError *err) {
        const MrParts *parts = lowering->parts;

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind != MR_PART_ENDPOINT || !part->endpoint.is_fixed)
                        continue;
                int r = give_fixed(lowering, &part->endpoint, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                int64_t port = part->kind == MR_PART_ENDPOINT
                                       ? remembered_port(lowering, &part->endpoint)
                                       : 0;
                /* Somebody may have chosen it for another node since. */
                if (port > 0 && !is_taken_here(lowering, port))
                        give(lowering, &part->endpoint, port);
        }
        int r = give_rest(lowering, false, err);
        return r < 0 ? r : give_rest(lowering, true, err);
}
