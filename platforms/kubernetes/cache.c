#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "owned.h"
#include "state.h"
#include "str.h"

static Object *object_free(Object *object) {
        free(object->ns);
        free(object->name);
        free(object->uid);
        mr_tree_free(object->body);
        mr_tree_free(object->state);
        mr_tree_free(object->sent);
        free(object);
        return NULL;
}

void cache_done(Cache *cache) {
        for (size_t i = 0; i < cache->n; i++)
                object_free(cache->items[i]);
        free(cache->items);
        *cache = (Cache){};
}

static int compare(const Object *object, const ApiKind *kind, const char *ns, const char *name) {
        if (object->kind != kind)
                return object->kind < kind ? -1 : 1;
        int order = strcmp(object->ns, ns);
        return order ? order : strcmp(object->name, name);
}

/* The place of the object, or where it would be. */
static size_t place_of(const Cache *cache, const ApiKind *kind, const char *ns, const char *name,
                       bool *ret_is_there) {
        size_t low = 0, high = cache->n;

        *ret_is_there = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = compare(cache->items[middle], kind, ns, name);
                if (order == 0) {
                        *ret_is_there = true;
                        return middle;
                }
                *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
        }
        return low;
}

Object *cache_find(const Cache *cache, const ApiKind *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(cache, kind, ns, name, &is_there);

        return is_there ? cache->items[i] : NULL;
}

static void tell(const Cache *cache, const Object *object, const MrTree *whole) {
        if (cache->seen)
                cache->seen(cache->userdata, object, whole);
}

static void drop_at(Cache *cache, size_t i) {
        tell(cache, cache->items[i], NULL);
        object_free(cache->items[i]);
        memmove(&cache->items[i], &cache->items[i + 1], (--cache->n - i) * sizeof(Object *));
}

static Object *insert(Cache *cache, size_t i, const ApiKind *kind, const char *ns,
                      const char *name) {
        Object *object = mr_new(Object, 1);

        *object = (Object){.kind = kind, .ns = mr_strdup(ns), .name = mr_strdup(name)};
        MR_GROW(cache->items, cache->n, cache->allocated);
        memmove(&cache->items[i + 1], &cache->items[i], (cache->n++ - i) * sizeof(Object *));
        cache->items[i] = object;
        return object;
}

static const char *namespace_of(const ApiKind *kind, const MrTree *object) {
        const MrTree *subject = mr_tree_at(mr_tree_get(object, "subjects"), 0);

        return mr_tree_get_string(kind->is_global ? subject : mr_tree_get(object, "metadata"),
                                  "namespace");
}

static uint64_t version_of(const MrTree *metadata) {
        const char *text = mr_tree_get_string(metadata, "resourceVersion");

        return text ? strtoull(text, NULL, 10) : 0;
}

static bool fill(Object *object, const MrTree *tree) {
        const MrTree *metadata = mr_tree_get(tree, "metadata");
        bool was_going = object->is_going;
        MrTree *body = owned_body(tree), *state = state_of(object->kind, tree);
        bool is_news = !mr_tree_equal(body, object->body) || !mr_tree_equal(state, object->state);

        mr_tree_free(object->body);
        mr_tree_free(object->state);
        object->body = body;
        object->state = state;
        object->version = version_of(metadata);
        object->is_going = mr_tree_get_string(metadata, "deletionTimestamp") != NULL;
        object->is_seen = true;
        if (!mr_streq(object->uid, mr_tree_get_string(metadata, "uid"))) {
                free(object->uid);
                object->uid = mr_strdup(mr_tree_get_string(metadata, "uid"));
                is_news = true;
        }
        return is_news || was_going != object->is_going;
}

bool cache_put(Cache *cache, const ApiKind *kind, const MrTree *object) {
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const char *ns = namespace_of(kind, object), *name = mr_tree_get_string(metadata, "name");
        bool is_there;

        if (!ns || !name)
                return false;
        size_t i = place_of(cache, kind, ns, name, &is_there);
        Object *known = is_there ? cache->items[i] : insert(cache, i, kind, ns, name);
        if (is_there && known->version >= version_of(metadata)) {
                known->is_seen = true;
                return false;
        }
        tell(cache, known, object);
        return fill(known, object);
}

bool cache_drop(Cache *cache, const ApiKind *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(cache, kind, ns, name, &is_there);

        if (is_there)
                drop_at(cache, i);
        return is_there;
}

bool cache_remove(Cache *cache, const ApiKind *kind, const MrTree *object) {
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const char *ns = namespace_of(kind, object), *name = mr_tree_get_string(metadata, "name");
        const Object *known = ns && name ? cache_find(cache, kind, ns, name) : NULL;

        /* Another of that name may have been made since. */
        if (!known || known->version > version_of(metadata))
                return false;
        return cache_drop(cache, kind, ns, name);
}

static bool is_of(const Object *object, const ApiKind *kind, const char *ns) {
        return object->kind == kind && (!ns || mr_streq(object->ns, ns));
}

void cache_list_begins(Cache *cache, const ApiKind *kind, const char *ns) {
        for (size_t i = 0; i < cache->n; i++)
                if (is_of(cache->items[i], kind, ns))
                        cache->items[i]->is_seen = false;
}

bool cache_list_ends(Cache *cache, const ApiKind *kind, const char *ns) {
        bool is_news = false;

        for (size_t i = cache->n; i-- > 0;)
                if (is_of(cache->items[i], kind, ns) && !cache->items[i]->is_seen) {
                        drop_at(cache, i);
                        is_news = true;
                }
        return is_news;
}

void object_sent(Object *object, const MrTree *body) {
        mr_tree_free(object->sent);
        object->sent = mr_tree_equal(object->body, body) ? NULL : mr_tree_copy(body);
        mr_tree_digest(object->body, object->became);
}

MrTree *object_body(const Object *object) {
        char digest[65];

        if (object->sent) {
                mr_tree_digest(object->body, digest);
                if (mr_streq(digest, object->became))
                        return mr_tree_copy(object->sent);
        }
        return mr_tree_copy(object->body);
}
