/* Resources of the API server: into the store, and their status back. */

#include "resources.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/message-ids.h"
#include "refusal.h"
#include "sdk/str.h"

struct Resources {
        MrFollowing following;
        const Registry *registry;
        Store *store;
        const MrPlatformOps *ops;
        MrPlatform *platform;
        StoreSubscription *subscription;
        bool is_active;
        MrTree *seen;     /* map kind → map "NS/NAME" → null: until all of a kind were told */
        MrTree *refusals; /* map key → see refusal.h */
        MrTree *waiting;  /* map key → what comes when the former one of its name is gone */
};

static const MrTree *metadata_of(const MrTree *resource) {
        return mr_tree_get(resource, "metadata");
}

static const char *namespace_of(const MrTree *resource) {
        const char *ns = mr_tree_get_string(metadata_of(resource), "namespace");

        return ns ? ns : "default";
}

static char *key_of(const MrKind *kind, const MrTree *resource) {
        return mr_resource_key(kind->name, namespace_of(resource),
                               mr_tree_get_string(metadata_of(resource), "name"));
}

/* --- the status, on its way back */

static void write_status(Resources *resources, const MrKind *kind, const char *ns,
                         const char *name) {
        _cleanup_free_ char *key = mr_resource_key(kind->name, ns, name);
        const MrTree *refusal = mr_tree_get(resources->refusals, key), *status = NULL;
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_(mr_tree_freep) MrTree *refused = NULL;

        if (kind->is_data || !resources->is_active)
                return;
        if (store_get(resources->store, kind->name, ns, name, &stored, NULL) >= 0 &&
            mr_streq(stored.source, STORE_SOURCE_PLATFORM))
                status = mr_tree_get(stored.tree, "status");
        if (refusal)
                status = refused = refusal_status(refusal, status);
        if (status)
                resources->ops->write_status(resources->platform, kind->name, ns, name, status);
}

/* --- what is refused */

static void refuse(Resources *resources, const MrKind *kind, const char *key,
                   const MrTree *resource, const MrError *err) {
        const MrTree *before = mr_tree_get(resources->refusals, key);
        _cleanup_(mr_tree_freep) MrTree *refusal =
                refusal_new(resource, err, before, now_realtime_sec());
        const char *message = mr_tree_get_string(refusal, "message");

        if (!mr_streq(mr_tree_get_string(before, "message"), message))
                log_error(NULL, MSG_RESOURCE_REFUSED,
                          "%s of the cluster is refused: %s. What it was before stays in force.",
                          key, message);
        mr_tree_set(resources->refusals, key, TAKE(refusal));
        write_status(resources, kind, namespace_of(resource),
                     mr_tree_get_string(metadata_of(resource), "name"));
}

/* --- into the store */

static int delete_stored(Resources *resources, const MrKind *kind, const char *ns, const char *name,
                         const char *why) {
        _cleanup_error_ MrError err = {};
        int r = store_delete_platform_resource(resources->store, kind->name, ns, name, &err);

        if (r > 0 && !kind->is_data)
                log_notice(NULL, MSG_RESOURCE_DELETED,
                           "%s %s/%s %s and is taken down; its storage stays unless the spec says "
                           "deleteClaim.",
                           kind->name, ns, name, why);
        if (r < 0 && r != -ENOENT)
                log_error(NULL, NULL, "%s %s/%s cannot be marked as deleted: %s", kind->name, ns,
                          name, err.message);
        return r;
}

/* Another one of its name was here, and has to go first. */
static void wait_for_former(Resources *resources, const MrKind *kind, const char *key,
                            const MrTree *resource) {
        mr_tree_set(resources->waiting, key, mr_tree_copy(resource));
        (void) delete_stored(resources, kind, namespace_of(resource),
                             mr_tree_get_string(metadata_of(resource), "name"),
                             "was deleted and made anew");
}

static void take_status(Resources *resources, const MrKind *kind, const MrTree *resource) {
        const MrTree *status = mr_tree_get(resource, "status");

        if (status && !kind->is_data)
                (void) store_update_status(resources->store, kind->name, namespace_of(resource),
                                           mr_tree_get_string(metadata_of(resource), "name"),
                                           status, 0, NULL);
}

static void accepted(Resources *resources, const MrKind *kind, const char *key,
                     const MrTree *resource, bool is_new) {
        if (is_new && !kind->is_data)
                log_notice(NULL, MSG_RESOURCE_ACCEPTED, "Accepted %s of the cluster.", key);
        mr_tree_remove(resources->refusals, key);
        if (!resources->is_active)
                take_status(resources, kind, resource);
        write_status(resources, kind, namespace_of(resource),
                     mr_tree_get_string(metadata_of(resource), "name"));
}

static int check(const Resources *resources, const MrTree *resource, MrError *err) {
        _cleanup_(document_freep) Document *document = NULL;

        return document_read(resources->registry, mr_tree_copy(resource), NULL, &document, err);
}

static void put(Resources *resources, const MrKind *kind, const char *key, const MrTree *resource) {
        _cleanup_error_ MrError err = {};
        int r = check(resources, resource, &err);

        if (r < 0) {
                refuse(resources, kind, key, resource, &err);
                return;
        }
        r = store_put_platform_resource(resources->store, resource, NULL, &err);
        if (r == -ESTALE)
                wait_for_former(resources, kind, key, resource);
        else if (r < 0) {
                if (r == -EEXIST)
                        mr_tree_set(resources->waiting, key, mr_tree_copy(resource));
                refuse(resources, kind, key, resource, &err);
        } else
                accepted(resources, kind, key, resource, r > 0);
}

/* It is being deleted, and something may keep it on our behalf. What was made of one that is not
 * known here, in an earlier life perhaps, has to go all the same. */
static void take_down(Resources *resources, const MrKind *kind, const MrTree *resource) {
        const char *ns = namespace_of(resource),
                   *name = mr_tree_get_string(metadata_of(resource), "name");

        if (delete_stored(resources, kind, ns, name, "is being deleted") != -ENOENT)
                return;
        if (check(resources, resource, NULL) >= 0 &&
            store_put_platform_resource(resources->store, resource, NULL, NULL) >= 0)
                (void) delete_stored(resources, kind, ns, name, "is being deleted");
        else if (resources->is_active)
                resources->ops->release(resources->platform, kind->name, ns, name);
}

static void on_seen(void *userdata, const MrKind *kind, const MrTree *resource) {
        Resources *resources = userdata;
        _cleanup_free_ char *key = key_of(kind, resource);
        MrTree *seen = mr_tree_get(resources->seen, kind->name);

        if (seen)
                mr_tree_set(seen, key, mr_tree_new_null());
        mr_tree_remove(resources->waiting, key);
        if (mr_tree_get_string(metadata_of(resource), "deletionTimestamp"))
                take_down(resources, kind, resource);
        else
                put(resources, kind, key, resource);
}

static void forget(Resources *resources, const char *key) {
        mr_tree_remove(resources->refusals, key);
        mr_tree_remove(resources->waiting, key);
}

static void on_gone(void *userdata, const MrKind *kind, const char *ns, const char *name) {
        Resources *resources = userdata;
        _cleanup_free_ char *key = mr_resource_key(kind->name, ns, name);

        forget(resources, key);
        (void) delete_stored(resources, kind, ns, name, "was deleted");
}

/* What was made for it stays; somebody else may care for it now. */
static void on_left(void *userdata, const MrKind *kind, const char *ns, const char *name) {
        Resources *resources = userdata;
        _cleanup_free_ char *key = mr_resource_key(kind->name, ns, name);
        _cleanup_resource_ StoreResource stored = {};

        forget(resources, key);
        if (store_get(resources->store, kind->name, ns, name, &stored, NULL) < 0 ||
            !mr_streq(stored.source, STORE_SOURCE_PLATFORM))
                return;
        if (!kind->is_data)
                log_notice(NULL, NULL,
                           "%s is no longer one that is to be followed here; nothing of it is "
                           "changed any more.",
                           key);
        (void) store_remove(resources->store, kind->name, ns, name, NULL);
}

static bool has_namespace(const MrTree *namespaces, const char *ns) {
        for (size_t i = 0; i < mr_tree_size(namespaces); i++)
                if (mr_streq(mr_tree_string(mr_tree_at(namespaces, i)), ns))
                        return true;
        return !namespaces;
}

/* What went away while nobody looked. */
static void on_listed(void *userdata, const MrKind *kind, const MrTree *namespaces) {
        Resources *resources = userdata;
        _cleanup_resources_ StoreResources stored = {};
        const MrTree *seen = mr_tree_get(resources->seen, kind->name);

        if (!seen || store_list(resources->store, kind->name, NULL, &stored, NULL) < 0)
                return;
        for (size_t i = 0; i < stored.n; i++) {
                const StoreResource *resource = &stored.items[i];
                _cleanup_free_ char *key =
                        mr_resource_key(kind->name, resource->ns, resource->name);
                if (!mr_streq(resource->source, STORE_SOURCE_PLATFORM) || mr_tree_get(seen, key))
                        continue;
                if (has_namespace(namespaces, resource->ns))
                        on_gone(resources, kind, resource->ns, resource->name);
                else
                        on_left(resources, kind, resource->ns, resource->name);
        }
        mr_tree_remove(resources->seen, kind->name);
}

static void on_failed(void *userdata, const MrKind *kind, int r, const MrError *err) {
        (void) userdata;
        if (r < 0)
                log_error(NULL, MSG_RESOURCE_REFUSED, "Resources of kind %s: %s", kind->name,
                          err->message ? err->message : strerror(-r));
        else
                log_notice(NULL, NULL, "Resources of kind %s are followed.", kind->name);
}

/* --- what the store tells */

static void on_removed(Resources *resources, const MrKind *kind, const StoreEvent *event,
                       const char *key) {
        _cleanup_(mr_tree_freep) MrTree *next = NULL;
        const MrTree *waiting = mr_tree_get(resources->waiting, key);

        if (!waiting && resources->is_active)
                resources->ops->release(resources->platform, event->kind, event->ns, event->name);
        if (!waiting)
                return;
        next = mr_tree_copy(waiting);
        mr_tree_remove(resources->waiting, key);
        put(resources, kind, key, next);
}

static void on_store_changed(void *userdata, const StoreEvent *event) {
        Resources *resources = userdata;
        const MrKind *kind = registry_find(resources->registry, event->kind);
        _cleanup_free_ char *key = mr_resource_key(event->kind, event->ns, event->name);

        if (!resources->platform || !kind || !event->json)
                return;
        if (event->change == STORE_DELETED)
                on_removed(resources, kind, event, key);
        else if (event->is_status_only)
                write_status(resources, kind, event->ns, event->name);
}

/* --- life */

Resources *resources_new(const Registry *registry, Store *store) {
        Resources *resources = mr_new(Resources, 1);
        const MrKind *const *kinds = registry_kinds(registry);

        *resources = (Resources){
                .following = {.kinds = kinds,
                              .seen = on_seen,
                              .gone = on_gone,
                              .left = on_left,
                              .listed = on_listed,
                              .failed = on_failed,
                              .userdata = resources},
                .registry = registry,
                .store = store,
                .seen = mr_tree_new_map(),
                .refusals = mr_tree_new_map(),
                .waiting = mr_tree_new_map(),
        };
        for (size_t i = 0; kinds[i]; i++)
                if (!kinds[i]->is_data)
                        mr_tree_need_map(resources->seen, kinds[i]->name);
        resources->subscription = store_subscribe(store, on_store_changed, resources);
        return resources;
}

Resources *resources_free(Resources *resources) {
        if (!resources)
                return NULL;
        store_unsubscribe(resources->subscription);
        mr_tree_free(resources->seen);
        mr_tree_free(resources->refusals);
        mr_tree_free(resources->waiting);
        free(resources);
        return NULL;
}

const MrFollowing *resources_following(const Resources *resources) {
        return &resources->following;
}

void resources_attach(Resources *resources, const MrPlatformOps *ops, MrPlatform *platform) {
        resources->ops = ops;
        resources->platform = platform;
}

/* What was refused meanwhile has not been told. */
void resources_activate(Resources *resources) {
        _cleanup_(mr_tree_freep) MrTree *refusals = mr_tree_copy(resources->refusals);

        if (resources->is_active)
                return;
        resources->is_active = true;
        for (size_t i = 0; i < mr_tree_size(refusals); i++) {
                _cleanup_free_ char *kind = mr_strdup(mr_tree_key(refusals, i));
                char *ns, *name;
                if (mr_resource_key_split(kind, &ns, &name))
                        write_status(resources, registry_find(resources->registry, kind), ns, name);
        }
}

size_t resources_refused(const Resources *resources) {
        return mr_tree_size(resources->refusals);
}
