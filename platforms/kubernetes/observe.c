/* What was seen of the objects becomes manifests, nodes, claims and facts of the cluster. */

#include <string.h>

#include "live.h"
#include "owned.h"
#include "state.h"

#define INSTANCE "app.kubernetes.io/instance"

typedef struct Seen {
        MrArena *arena;
        MrTree *users; /* map NS/CLAIM → the set that mounts it */
        const Cache *cache;
        MrObservation *out;
} Seen;

static const Object *find(const Cache *cache, const char *manifest, const char *ns,
                          const char *name) {
        return cache_find(cache, api_kind_of_manifest(manifest), ns, name);
}

const Object *cache_set(const Cache *cache, const char *ns, const char *node) {
        return find(cache, "StatefulSet", ns, node);
}

const Object *cache_pod(const Cache *cache, const char *ns, const char *node) {
        _cleanup_free_ char *name = mr_strf("%s-0", node);

        return find(cache, "Pod", ns, name);
}

static bool is_kind(const Object *object, const char *manifest) {
        return mr_streq(object->kind->manifest, manifest);
}

/* The node the object belongs to, NULL: none. */
static const char *node_of(const Seen *seen, const Object *object) {
        static const char suffix[] = "-files";

        if (is_kind(object, "StatefulSet") || is_kind(object, "ConfigMap"))
                return object->name;
        if (is_kind(object, "PersistentVolumeClaim"))
                return mr_tree_get_string(mr_tree_get(object->state, "identity"), "node");
        if (!is_kind(object, SECRET_OBJECT) || !mr_ends_with(object->name, suffix))
                return NULL;
        const char *node =
                mr_arena_strndup(seen->arena, object->name, strlen(object->name) - strlen(suffix));
        return find(seen->cache, "ConfigMap", object->ns, node) ? node : NULL;
}

/* For whom it was made. The secrets of one that has no nodes may bear the name of one that has, so
 * they are found by being wanted. */
static const char *owner_of(const Seen *seen, const Object *object, const char *node) {
        const MrTree *metadata = mr_tree_get(object->body, "metadata");
        const char *instance = mr_tree_get_string(mr_tree_get(metadata, "labels"), INSTANCE);

        if (!instance || (is_kind(object, SECRET_OBJECT) && !node))
                return NULL;
        return mr_arena_strf(seen->arena, "%s/%s", object->ns, instance);
}

static void add_manifest(Seen *seen, const Object *object) {
        const char *node = node_of(seen, object);
        bool is_claim = is_kind(object, "PersistentVolumeClaim");
        const MrTree *metadata = mr_tree_get(object->body, "metadata");

        mr_manifests_add(
                seen->out->found,
                (MrManifest){
                        .kind = object->kind->manifest,
                        .ns = object->ns,
                        .name = object->name,
                        .node = node,
                        .owner = owner_of(seen, object, node),
                        .rank = object->kind->rank,
                        .is_secret = is_kind(object, SECRET_OBJECT),
                        /* One that nobody owns is kept. */
                        .keep = is_claim && !mr_tree_get(metadata, "ownerReferences"),
                        .lingers = is_kind(object, "StatefulSet"),
                        .is_in_use = is_claim && node && cache_pod(seen->cache, object->ns, node),
                        .body = object_body(object),
                });
}

/* --- nodes */

static MrNodeState node_state(const Object *set, const Object *pod) {
        if (!pod)
                return mr_tree_get_int(set->state, "replicas", 0) > 0 && !set->is_going
                               ? MR_NODE_STARTING
                               : MR_NODE_STOPPED;
        if (pod->is_going)
                return MR_NODE_STOPPING;
        if (mr_tree_get_bool(pod->state, "ready", false))
                return MR_NODE_RUNNING;
        return mr_tree_get_bool(pod->state, "failed", false) ? MR_NODE_FAILED : MR_NODE_STARTING;
}

static void copy_value(MrTree *to, const char *key, const MrTree *from, const char *from_key) {
        const MrTree *value = mr_tree_get(from, from_key);

        if (value)
                mr_tree_set(to, key, mr_tree_copy(value));
}

/* One of the two may be missing. */
static void add_node(Seen *seen, const char *ns, const char *name, const Object *set,
                     const Object *pod) {
        const Object *any = set ? set : pod;
        MrTree *node =
                mr_tree_need_map(seen->out->nodes, mr_arena_strf(seen->arena, "%s/%s", ns, name));

        mr_tree_set_string(node, "state", mr_node_state_name(node_state(set, pod)));
        mr_tree_set_string(node, "owner", owner_of(seen, any, name));
        copy_value(node, "role", any->state, "role");
        copy_value(node, "order", any->state, "order");
        mr_tree_set_string(node, "where", mr_arena_strf(seen->arena, "pod %s-0", name));
        if (!pod)
                return;
        copy_value(node, "since", pod->state, "since");
        copy_value(node, "message", pod->state, "message");
        copy_value(node, "restarts", pod->state, "restarts");
        copy_value(node, "address", pod->state, "address");
        copy_value(node, "machine", pod->state, "machine");
        copy_value(node, "fingerprint", pod->state, "fingerprint");
}

/* A pod whose set is gone is still on its way out. */
static void add_nodes(Seen *seen, const Object *object) {
        const char *node = object->name;

        if (is_kind(object, "StatefulSet")) {
                add_node(seen, object->ns, node, object, cache_pod(seen->cache, object->ns, node));
                return;
        }
        node = mr_tree_get_string(object->state, "set");
        if (is_kind(object, "Pod") && node && !cache_set(seen->cache, object->ns, node))
                add_node(seen, object->ns, node, NULL, object);
}

/* --- claims and the rest */

/* The first one, where several do. */
static void note_users(Seen *seen) {
        for (size_t i = 0; i < seen->cache->n; i++) {
                const Object *set = seen->cache->items[i];
                const MrTree *claims = mr_tree_get(set->state, "claims");
                for (size_t k = 0; k < mr_tree_size(claims); k++) {
                        const char *claim = mr_arena_strf(seen->arena, "%s/%s", set->ns,
                                                          mr_tree_string(mr_tree_at(claims, k)));
                        if (!mr_tree_get(seen->users, claim))
                                mr_tree_set_string(seen->users, claim, set->name);
                }
        }
}

static void add_claim(Seen *seen, const Object *object) {
        const MrTree *identity = mr_tree_get(object->state, "identity"),
                     *spec = mr_tree_get(object->body, "spec");
        const char *name = mr_arena_strf(seen->arena, "%s/%s", object->ns, object->name);
        MrTree *claim = identity ? mr_tree_copy(identity) : mr_tree_new_map();

        copy_value(claim, "storage_class", spec, "storageClassName");
        copy_value(claim, "size", object->state, "size");
        copy_value(claim, "capacity", object->state, "capacity");
        mr_tree_remove(claim, "node");
        mr_tree_set_string(claim, "node", mr_tree_get_string(seen->users, name));
        mr_tree_set(seen->out->claims, name, claim);
}

/* What was assigned to it: under which address it is reached from outside. */
static void add_service(Seen *seen, const Object *object) {
        MrTree *services = mr_tree_need_map(seen->out->host, "services");
        MrTree *entry = mr_tree_need_map(
                services, mr_arena_strf(seen->arena, "%s/%s", object->ns, object->name));

        copy_value(entry, "host", object->state, "host");
        copy_value(entry, "port", object->state, "port");
}

static void add_asks(Seen *seen, const Object *object) {
        const MrTree *asks = mr_tree_get(object->state, "asks");
        const char *set = mr_tree_get_string(object->state, "set");

        if (!asks || object->is_going)
                return;
        if (!seen->out->asks)
                seen->out->asks = mr_tree_new_list();
        MrTree *entry = mr_tree_append(seen->out->asks, mr_tree_new_map());
        mr_tree_set_string(entry, "kind", object->kind->kind);
        mr_tree_set_string(entry, "ns", object->ns);
        mr_tree_set_string(entry, "name", object->name);
        mr_tree_set_string(entry, "uid", object->uid);
        mr_tree_set_string(entry, "node", is_kind(object, "StatefulSet") ? object->name : set);
        mr_tree_set(entry, "annotations", mr_tree_copy(asks));
}

void observation_of_cache(const Cache *cache, const MrTree *host, MrObservation *ret) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *users = mr_tree_new_map();
        Seen seen = {.arena = arena, .users = users, .cache = cache, .out = ret};

        *ret = (MrObservation){
                .found = mr_manifests_new(),
                .nodes = mr_tree_new_map(),
                .claims = mr_tree_new_map(),
                .host = host ? mr_tree_copy(host) : mr_tree_new_map(),
        };
        mr_tree_set_bool(ret->host, "live", true);
        note_users(&seen);
        for (size_t i = 0; i < cache->n; i++) {
                const Object *object = cache->items[i];
                add_nodes(&seen, object);
                add_asks(&seen, object);
                if (object->is_going || !object->kind->is_shown)
                        continue;
                add_manifest(&seen, object);
                if (is_kind(object, "PersistentVolumeClaim"))
                        add_claim(&seen, object);
                if (is_kind(object, "Service") || is_kind(object, "Route"))
                        add_service(&seen, object);
        }
}
