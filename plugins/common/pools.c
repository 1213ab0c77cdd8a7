/* Which pool owns which node id. The answer follows from the pools and from what exists, nothing is
 * stored. */

#include "pools.h"

#include <inttypes.h>
#include <string.h>

#include "node-ids.h"
#include "part.h"
#include "str.h"

typedef struct Ids {
        int64_t *items;
        size_t n;
} Ids;

/* One pool, and the ids it has had so far. */
typedef struct Pool {
        const MrResource *resource;
        const char *prefix; /* of its nodes' names: "CLUSTER-POOL-" */
        int64_t wanted;
        Ids nodes;  /* nodes there are, or that its status names */
        Ids there;  /* those of them that the platform knows */
        Ids claims; /* nodes of which only storage is left */
        Ids kept, surplus;
} Pool;

/* The assignment of one cluster. */
typedef struct Assignment {
        MrArena *arena;
        const MrFacts *facts;
        Pool *pools;
        size_t n;
} Assignment;

static int64_t pool_replicas(const MrResource *pool) {
        int64_t replicas = mr_tree_int(mr_tree_find(pool->tree, "spec.replicas", false), 0);
        return replicas < 0 ? 0 : replicas > 1000 ? 1000 : replicas;
}

static int pool_compare(const void *a, const void *b) {
        return strcmp((*(const MrResource *const *) a)->name,
                      (*(const MrResource *const *) b)->name);
}

size_t pools_of(const char *cluster, const MrFacts *facts, MrArena *arena,
                const MrResource ***ret) {
        const MrResource *const *found;
        size_t n_found = mr_facts_resources(facts, POOL_KIND, CLUSTER_LABEL, cluster, &found),
               n = 0;
        const MrResource **pools = mr_arena_new_array(arena, const MrResource *, n_found + 1);

        /* A pool that is being deleted is among the facts only while its cluster is deleted with
         * it. */
        for (size_t i = 0; i < n_found; i++)
                pools[n++] = found[i];
        if (n > 1)
                qsort(pools, n, sizeof(*pools), pool_compare);
        *ret = pools;
        return n;
}

static bool ids_have(const Ids *ids, int64_t id) {
        for (size_t i = 0; i < ids->n; i++)
                if (ids->items[i] == id)
                        return true;
        return false;
}

static void ids_add(MrArena *arena, Ids *ids, int64_t id) {
        if (ids_have(ids, id))
                return;
        /* Grows by doubling; what it grew out of stays in the arena. */
        if ((ids->n & (ids->n + 1)) == 0) {
                int64_t *items = mr_arena_new_array(arena, int64_t, ids->n * 2 + 1);
                if (ids->n > 0)
                        memcpy(items, ids->items, ids->n * sizeof(*items));
                ids->items = items;
        }
        ids->items[ids->n++] = id;
}

static int id_compare(const void *a, const void *b) {
        const int64_t *first = a, *second = b;
        return (*first > *second) - (*first < *second);
}

static void ids_sort(Ids *ids) {
        if (ids->n > 1)
                qsort(ids->items, ids->n, sizeof(*ids->items), id_compare);
}

/* The id in a node's name "PREFIXid"; -1 when it is no name of this pool. */
static int64_t id_of(const Pool *pool, const char *name) {
        int64_t id;

        if (!mr_starts_with(name, pool->prefix))
                return -1;
        name += strlen(pool->prefix);
        if (strspn(name, "0123456789") != strlen(name) || (name[0] == '0' && name[1]) ||
            mr_parse_int(name, &id) < 0 || id > INT32_MAX)
                return -1;
        return id;
}

/* "data-NODE" and "data-VOLUME-NODE" → the place of NODE */
static const char *claim_node(const Pool *pool, const char *claim) {
        if (!mr_starts_with(claim, "data-"))
                return NULL;
        claim += strlen("data-");
        if (id_of(pool, claim) >= 0)
                return claim;
        size_t digits = strspn(claim, "0123456789");
        return digits > 0 && claim[digits] == '-' ? claim + digits + 1 : NULL;
}

static void find_nodes(const Assignment *a, Pool *pool) {
        const MrTree *ids = mr_tree_find(pool->resource->tree, "status.nodeIds", false);
        const MrNodeFact *fact;

        for (size_t i = 0; (fact = mr_facts_node_at(a->facts, i)); i++)
                if (fact->state != MR_NODE_ABSENT && id_of(pool, fact->node) >= 0) {
                        ids_add(a->arena, &pool->nodes, id_of(pool, fact->node));
                        ids_add(a->arena, &pool->there, id_of(pool, fact->node));
                }
        for (size_t i = 0; i < mr_tree_size(ids); i++) {
                int64_t id = mr_tree_int(mr_tree_at(ids, i), -1);
                if (id >= 0 && id <= INT32_MAX)
                        ids_add(a->arena, &pool->nodes, id);
        }
        ids_sort(&pool->nodes);
}

/* Storage that outlived its node is taken again when the pool grows. */
static void find_claims(const Assignment *a, Pool *pool) {
        const char *name;

        for (size_t cursor = 0; mr_facts_next_claim(a->facts, &cursor, &name);) {
                const char *node = claim_node(pool, name);
                int64_t id = node ? id_of(pool, node) : -1;
                if (id >= 0 && !ids_have(&pool->nodes, id))
                        ids_add(a->arena, &pool->claims, id);
        }
        ids_sort(&pool->claims);
}

static bool is_owned(const Assignment *a, int64_t id, const Pool *except) {
        for (size_t i = 0; i < a->n; i++) {
                const Pool *pool = &a->pools[i];
                if (pool != except && (ids_have(&pool->nodes, id) || ids_have(&pool->kept, id)))
                        return true;
        }
        return false;
}

typedef struct Fit {
        const Assignment *assignment;
        const Pool *pool;
} Fit;

static bool is_free(int64_t id, void *userdata) {
        const Fit *fit = userdata;

        return !is_owned(fit->assignment, id, NULL);
}

static bool may_leave(int64_t id, void *userdata) {
        const Fit *fit = userdata;

        return ids_have(&fit->pool->nodes, id) && !ids_have(&fit->pool->surplus, id);
}

static NodeIds annotation(const Assignment *a, const Pool *pool, const char *name) {
        const char *text = mr_pairs_get(&pool->resource->annotations, name);
        NodeIds ids;

        return node_ids_parse(a->arena, text, &ids, NULL) < 0 ? (NodeIds){} : ids;
}

/* The highest id, but first those of nodes that are gone already. */
static int64_t highest(const Pool *pool) {
        int64_t best = -1;

        for (size_t i = 0; i < pool->nodes.n; i++) {
                int64_t id = pool->nodes.items[i];
                if (ids_have(&pool->surplus, id))
                        continue;
                if (!ids_have(&pool->there, id) || best < 0 || ids_have(&pool->there, best))
                        best = id;
        }
        return best;
}

static void shrink(const Assignment *a, Pool *pool) {
        NodeIds first = annotation(a, pool, REMOVE_IDS_ANNOTATION);
        Fit fit = {.assignment = a, .pool = pool};

        while ((int64_t) pool->nodes.n - (int64_t) pool->surplus.n > pool->wanted) {
                int64_t id = node_ids_first(&first, may_leave, &fit);
                ids_add(a->arena, &pool->surplus, id < 0 ? highest(pool) : id);
        }
        for (size_t i = 0; i < pool->nodes.n; i++)
                if (!ids_have(&pool->surplus, pool->nodes.items[i]))
                        ids_add(a->arena, &pool->kept, pool->nodes.items[i]);
        ids_sort(&pool->surplus);
}

static void grow(const Assignment *a, Pool *pool) {
        NodeIds next = annotation(a, pool, NEXT_IDS_ANNOTATION);
        Fit fit = {.assignment = a, .pool = pool};
        int64_t lowest = 0;

        while ((int64_t) pool->kept.n < pool->wanted) {
                int64_t id = node_ids_first(&next, is_free, &fit);
                for (size_t i = 0; id < 0 && i < pool->claims.n; i++)
                        if (is_free(pool->claims.items[i], &fit))
                                id = pool->claims.items[i];
                for (; id < 0; lowest++)
                        if (is_free(lowest, &fit))
                                id = lowest;
                ids_add(a->arena, &pool->kept, id);
        }
        ids_sort(&pool->kept);
}

static Assignment assign(const char *cluster, const MrFacts *facts, MrArena *arena) {
        const MrResource **resources;
        Assignment a = {.arena = arena, .facts = facts};

        a.n = pools_of(cluster, facts, arena, &resources);
        a.pools = mr_arena_new_array(arena, Pool, a.n + 1);
        for (size_t i = 0; i < a.n; i++) {
                Pool *pool = &a.pools[i];
                *pool = (Pool){
                        .resource = resources[i],
                        .prefix = mr_arena_strf(arena, "%s-%s-", cluster, resources[i]->name),
                        .wanted = pool_replicas(resources[i]),
                };
                find_nodes(&a, pool);
                find_claims(&a, pool);
        }
        for (size_t i = 0; i < a.n; i++)
                shrink(&a, &a.pools[i]);
        for (size_t i = 0; i < a.n; i++)
                grow(&a, &a.pools[i]);
        return a;
}

static PoolNodes nodes_of(const Assignment *a, bool surplus) {
        PoolNodes nodes = {};
        size_t n = 0;

        for (size_t i = 0; i < a->n; i++)
                n += surplus ? a->pools[i].surplus.n : a->pools[i].kept.n;
        nodes.items = mr_arena_new_array(a->arena, PoolNode, n + 1);
        for (size_t i = 0; i < a->n; i++) {
                const Pool *pool = &a->pools[i];
                const Ids *ids = surplus ? &pool->surplus : &pool->kept;
                for (size_t k = 0; k < ids->n; k++)
                        nodes.items[nodes.n++] = (PoolNode){
                                .pool = pool->resource,
                                .id = ids->items[k],
                                .name = mr_arena_strf(a->arena, "%s%" PRId64, pool->prefix,
                                                      ids->items[k]),
                        };
        }
        return nodes;
}

PoolNodes pool_nodes(const char *cluster, const MrFacts *facts, MrArena *arena) {
        Assignment a = assign(cluster, facts, arena);

        return nodes_of(&a, false);
}

PoolNodes pool_surplus(const char *cluster, const MrFacts *facts, MrArena *arena) {
        Assignment a = assign(cluster, facts, arena);

        return nodes_of(&a, true);
}

const char *pool_ids_problem(const MrResource *pool, MrArena *arena) {
        static const char *const names[] = {NEXT_IDS_ANNOTATION, REMOVE_IDS_ANNOTATION};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                NodeIds ids;
                if (node_ids_parse(arena, mr_pairs_get(&pool->annotations, names[i]), &ids, &err) <
                    0)
                        return mr_arena_strf(arena,
                                             "annotation %s of pool %s is left out of account: %s",
                                             names[i], pool->name, err.message);
        }
        return NULL;
}
