/* Which pool owns which node id. The answer follows from the pools and from what exists, nothing is
 * stored. */

#include "pools.h"

#include <inttypes.h>
#include <string.h>

#include "part.h"
#include "str.h"

/* How far beyond the number of nodes an id is looked for: pools that went away leave gaps. */
#define ID_SLACK 32

typedef struct Ids {
        int64_t bound; /* ids below are looked at */
        bool *taken;   /* by any pool */
} Ids;

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

static const char *node_name(MrArena *arena, const char *cluster, const MrResource *pool,
                             int64_t id) {
        return mr_arena_strf(arena, "%s-%s-%" PRId64, cluster, pool->name, id);
}

/* A node exists when the platform knows it, when its first claim is there, or when the pool's
 * status names it. */
static bool node_exists(const char *cluster, const MrResource *pool, int64_t id,
                        const MrFacts *facts, MrArena *arena) {
        const char *name = node_name(arena, cluster, pool, id);
        const MrNodeFact *fact = mr_facts_node(facts, name);

        if (fact && fact->state != MR_NODE_ABSENT)
                return true;
        if (mr_facts_claim(facts, mr_arena_strf(arena, "data-%s", name)))
                return true;
        const MrTree *volumes = mr_tree_find(pool->tree, "spec.storage.volumes", false);
        for (size_t i = 0; i < mr_tree_size(volumes); i++)
                if (mr_facts_claim(facts,
                                   mr_arena_strf(arena, "data-%" PRId64 "-%s",
                                                 mr_tree_get_int(mr_tree_at(volumes, i), "id", 0),
                                                 name)))
                        return true;
        const MrTree *ids = mr_tree_find(pool->tree, "status.nodeIds", false);
        for (size_t i = 0; i < mr_tree_size(ids); i++)
                if (mr_tree_int(mr_tree_at(ids, i), -1) == id)
                        return true;
        return false;
}

static void nodes_add(MrArena *arena, PoolNodes *nodes, size_t capacity, PoolNode node) {
        if (!nodes->items)
                nodes->items = mr_arena_new_array(arena, PoolNode, capacity);
        if (nodes->n < capacity)
                nodes->items[nodes->n++] = node;
}

static void keep_existing(const char *cluster, const MrResource *pool, const MrFacts *facts,
                          MrArena *arena, Ids *ids, PoolNodes *kept, PoolNodes *surplus,
                          size_t capacity) {
        int64_t wanted = pool_replicas(pool), n = 0;

        for (int64_t id = 0; id < ids->bound; id++) {
                if (ids->taken[id] || !node_exists(cluster, pool, id, facts, arena))
                        continue;
                PoolNode node = {
                        .pool = pool, .id = id, .name = node_name(arena, cluster, pool, id)};
                if (n++ < wanted) {
                        ids->taken[id] = true;
                        nodes_add(arena, kept, capacity, node);
                } else
                        nodes_add(arena, surplus, capacity, node);
        }
}

static void add_new(const char *cluster, const MrResource *pool, MrArena *arena, Ids *ids,
                    int64_t missing, PoolNodes *kept, size_t capacity) {
        for (int64_t id = 0; missing > 0 && id < ids->bound; id++) {
                if (ids->taken[id])
                        continue;
                ids->taken[id] = true;
                missing--;
                nodes_add(arena, kept, capacity,
                          (PoolNode){.pool = pool,
                                     .id = id,
                                     .name = node_name(arena, cluster, pool, id)});
        }
}

static int64_t nodes_of_pool(const PoolNodes *nodes, const MrResource *pool) {
        int64_t n = 0;

        for (size_t i = 0; i < nodes->n; i++)
                n += nodes->items[i].pool == pool;
        return n;
}

static int node_compare(const void *a, const void *b) {
        const PoolNode *first = a, *second = b;
        int order = strcmp(first->pool->name, second->pool->name);

        return order ? order : (first->id > second->id) - (first->id < second->id);
}

static void assign(const char *cluster, const MrFacts *facts, MrArena *arena, PoolNodes *kept,
                   PoolNodes *surplus) {
        const MrResource **pools;
        size_t n = pools_of(cluster, facts, arena, &pools);
        Ids ids = {.bound = ID_SLACK};

        for (size_t i = 0; i < n; i++)
                ids.bound += pool_replicas(pools[i]);
        size_t capacity = (size_t) ids.bound * (n ? n : 1);
        ids.taken = mr_arena_new_array(arena, bool, (size_t) ids.bound);
        for (size_t i = 0; i < n; i++)
                keep_existing(cluster, pools[i], facts, arena, &ids, kept, surplus, capacity);
        for (size_t i = 0; i < n; i++)
                add_new(cluster, pools[i], arena, &ids,
                        pool_replicas(pools[i]) - nodes_of_pool(kept, pools[i]), kept, capacity);
        if (kept->n > 1)
                qsort(kept->items, kept->n, sizeof(PoolNode), node_compare);
}

PoolNodes pool_nodes(const char *cluster, const MrFacts *facts, MrArena *arena) {
        PoolNodes kept = {}, surplus = {};

        assign(cluster, facts, arena, &kept, &surplus);
        return kept;
}

PoolNodes pool_surplus(const char *cluster, const MrFacts *facts, MrArena *arena) {
        PoolNodes kept = {}, surplus = {};

        assign(cluster, facts, arena, &kept, &surplus);
        return surplus;
}
