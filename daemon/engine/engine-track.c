/* Which resources there are: the store says, and says when they change. */

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/message-ids.h"
#include "engine-private.h"
#include "sdk/str.h"

Tracked *tracked_free(Tracked *tracked) {
        if (!tracked)
                return NULL;
        document_free(tracked->document);
        views_free(tracked->views);
        certificate_memo_free(tracked->certificates);
        mr_tree_free(tracked->snapshot);
        mr_tree_free(tracked->steps);
        mr_tree_free(tracked->followed);
        mr_tree_free(tracked->stuck);
        free(tracked->key);
        free(tracked->error);
        free(tracked->reloaded);
        free(tracked);
        return NULL;
}

static size_t lower_bound(const Engine *engine, const char *key) {
        size_t low = 0, high = engine->n_tracked;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (strcmp(engine->tracked[middle]->key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static Tracked *find_key(const Engine *engine, const char *key) {
        size_t at = lower_bound(engine, key);

        return at < engine->n_tracked && mr_streq(engine->tracked[at]->key, key)
                       ? engine->tracked[at]
                       : NULL;
}

Tracked *engine_find(const Engine *engine, const char *kind, const char *ns, const char *name) {
        _cleanup_free_ char *key = mr_resource_key(kind, ns, name);
        return find_key(engine, key);
}

bool engine_lasts_with_owner(const Engine *engine, const MrResource *member) {
        const char *name = member->kind->owner_label
                                   ? mr_pairs_get(&member->labels, member->kind->owner_label)
                                   : NULL;
        const Tracked *owner =
                name ? engine_find(engine, member->kind->owner_kind, member->ns, name) : NULL;

        return owner && owner->document && owner->document->resource.is_deleted;
}

static void view_changed(void *userdata) {
        engine_kick(userdata);
}

static Tracked *track(Engine *engine, const char *key) {
        Tracked *tracked = find_key(engine, key);

        if (tracked)
                return tracked;
        size_t at = lower_bound(engine, key);
        MR_GROW(engine->tracked, engine->n_tracked, engine->allocated_tracked);
        memmove(engine->tracked + at + 1, engine->tracked + at,
                (engine->n_tracked - at) * sizeof(*engine->tracked));
        engine->n_tracked++;
        tracked = engine->tracked[at] = mr_new(Tracked, 1);
        tracked->key = mr_strdup(key);
        tracked->views = views_new(engine->args.event, view_changed, engine);
        tracked->certificates = certificate_memo_new();
        /* The one under work has moved. */
        if (engine->state == ENGINE_WORKING && at <= engine->current)
                engine->current++;
        return tracked;
}

static bool is_said_ready(const MrResource *resource) {
        const MrTree *status = mr_tree_get(resource->tree, "status"),
                     *conditions = mr_tree_get(status, "conditions");

        if (mr_tree_get_int(status, "observedGeneration", -1) != resource->generation)
                return false;
        for (size_t i = 0; i < mr_tree_size(conditions); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(conditions, i), "type"), "Ready"))
                        return mr_streq(mr_tree_get_string(mr_tree_at(conditions, i), "status"),
                                        "True");
        return false;
}

/* A member's spec is part of its owner's, and so is what it refers to; which owner that is does not
 * matter here. */
static void note_new_spec(Engine *engine, Tracked *tracked, const Document *before) {
        const MrResource *resource = &tracked->document->resource;

        if (!before)
                tracked->is_in_force = is_said_ready(resource);
        else if (before->resource.generation != resource->generation)
                tracked->is_in_force = false;
        if (mr_kind_is_planned(resource->kind) || tracked->is_in_force)
                return;
        /* What was there when the daemon started is no news. */
        if (resource->kind->is_data && !before && !engine->first_round_done)
                return;
        for (size_t i = 0; i < engine->n_tracked; i++)
                engine->tracked[i]->is_in_force = false;
}

/* Others may have failed for want of what this one holds. */
static void retry_all(Engine *engine) {
        for (size_t i = 0; i < engine->n_tracked; i++)
                engine->tracked[i]->retry_usec = 0;
}

/* Takes a new version of a resource. What cannot be decoded any more (a newer program wrote it) is
 * kept and reported. */
static void take(Engine *engine, const char *key, MrTree *take_tree) {
        Tracked *tracked = track(engine, key);
        _cleanup_error_ MrError err = {};
        Document *document = NULL;

        int r = document_read(engine->args.registry, take_tree, NULL, &document, &err);
        if (r < 0) {
                engine_report_error(engine, tracked, r, &err);
                return;
        }
        _cleanup_(document_freep) Document *before = tracked->document;
        tracked->document = document;
        note_new_spec(engine, tracked, before);
        tracked->failures = 0;
        tracked->retry_usec = 0;
        tracked->is_settled = document->resource.kind->is_data;
        if (document->resource.kind->is_data)
                retry_all(engine);
}

int engine_track_all(Engine *engine, MrError *err) {
        _cleanup_resources_ StoreResources resources = {};

        int r = store_list(engine->args.store, NULL, NULL, &resources, err);
        for (size_t i = 0; r >= 0 && i < resources.n; i++) {
                StoreResource *resource = &resources.items[i];
                _cleanup_free_ char *key =
                        mr_resource_key(resource->kind, resource->ns, resource->name);
                take(engine, key, TAKE(resource->tree));
        }
        return r;
}

static void forget(Engine *engine, const char *key) {
        size_t at = lower_bound(engine, key);

        if (at >= engine->n_tracked || !mr_streq(engine->tracked[at]->key, key))
                return;
        engine_unfollow(engine, engine->tracked[at]);
        tracked_free(engine->tracked[at]);
        engine->n_tracked--;
        memmove(engine->tracked + at, engine->tracked + at + 1,
                (engine->n_tracked - at) * sizeof(*engine->tracked));
        if (engine->state == ENGINE_WORKING && at < engine->current)
                engine->current--;
}

void engine_store_changed(void *userdata, const StoreEvent *event) {
        Engine *engine = userdata;
        _cleanup_free_ char *key = mr_resource_key(event->kind, event->ns, event->name);
        MrTree *tree = NULL;

        if (event->is_status_only)
                return;
        if (event->json && event->change != STORE_DELETED) {
                if (mr_json_read(event->json, strlen(event->json), NULL, &tree, NULL) >= 0)
                        take(engine, key, tree);
        } else if (event->json)
                forget(engine, key);
        engine_plan_again(engine);
}
