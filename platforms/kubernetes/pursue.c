/* Data that somebody refers to: each object is watched by its name. */

#include <errno.h>
#include <string.h>

#include "follow.h"
#include "str.h"

#define MANAGED_BY "app.kubernetes.io/managed-by"

struct Pursuit {
        Follow *follow;
        const MrKind *kind;
        ApiKind api;
        char *group, *ns, *name, *selector;
        Watch *watch;
        MrTree *sakes; /* map: for whom */
        uint64_t number;
        bool is_seen, is_told;
};

static bool is_ours(const MrTree *metadata) {
        return mr_streq(mr_tree_get_string(mr_tree_get(metadata, "labels"), MANAGED_BY),
                        "millrace");
}

static void tell_gone(Pursuit *pursuit) {
        const MrFollowing *told = pursuit->follow->told;

        pursuit->is_told = false;
        told->gone(told->userdata, pursuit->kind, pursuit->ns ? pursuit->ns : "default",
                   pursuit->name);
}

static bool on_put(void *userdata, MrTree *object) {
        Pursuit *pursuit = userdata;
        const MrFollowing *told = pursuit->follow->told;
        MrTree *metadata = mr_tree_get(object, "metadata");
        const char *version = mr_tree_get_string(metadata, "resourceVersion");
        uint64_t number = version ? strtoull(version, NULL, 10) : 0;
        bool is_going = mr_tree_get_string(metadata, "deletionTimestamp") != NULL;

        pursuit->is_seen = true;
        if (number <= pursuit->number)
                return false;
        pursuit->number = number;
        if (is_ours(metadata) || is_going) {
                if (pursuit->is_told)
                        tell_gone(pursuit);
                pursuit->is_seen = false;
                return false;
        }
        mr_tree_remove(metadata, "managedFields");
        mr_tree_remove(metadata, "annotations");
        mr_tree_remove(metadata, "ownerReferences");
        pursuit->is_told = true;
        told->seen(told->userdata, pursuit->kind, object);
        return false;
}

static bool on_remove(void *userdata, const MrTree *object _unused_) {
        Pursuit *pursuit = userdata;

        if (pursuit->is_told)
                tell_gone(pursuit);
        return false;
}

static void on_begins(void *userdata, const char *ns _unused_) {
        ((Pursuit *) userdata)->is_seen = false;
}

/* It may have been there before this program was started. */
static bool on_ends(void *userdata, const char *ns _unused_) {
        Pursuit *pursuit = userdata;

        if (!pursuit->is_seen)
                tell_gone(pursuit);
        return false;
}

static const WatchSink sink = {
        .begins = on_begins,
        .put = on_put,
        .remove = on_remove,
        .ends = on_ends,
};

static void on_changed(void *userdata) {
        Pursuit *pursuit = userdata;

        pursuit->follow->changed(pursuit->follow->userdata);
}

/* --- which are followed */

static Pursuit *pursuit_free(Pursuit *pursuit) {
        watch_free(pursuit->watch);
        mr_tree_free(pursuit->sakes);
        free(pursuit->group);
        free(pursuit->ns);
        free(pursuit->name);
        free(pursuit->selector);
        free(pursuit);
        return NULL;
}

static const MrKind *data_kind(const Follow *follow, const char *name) {
        const MrKind *const *kinds = follow->told->kinds;

        for (size_t i = 0; kinds[i]; i++)
                if (kinds[i]->is_data && mr_streq(kinds[i]->name, name))
                        return kinds[i];
        return NULL;
}

static ApiKind api_of(const MrKind *kind, const char *group) {
        return (ApiKind){.kind = kind->name,
                         .manifest = kind->name,
                         .group = group,
                         .plural = kind->plural,
                         .is_global = kind->is_global};
}

static int begin(Pursuit *pursuit, MrError *err) {
        const MrKind *kind = pursuit->kind;

        pursuit->group = *kind->group ? mr_strf("/apis/%s/%s", kind->group, kind->versions[0])
                                      : mr_strf("/api/%s", kind->versions[0]);
        pursuit->api = api_of(kind, pursuit->group);
        pursuit->selector = mr_strf("fieldSelector=metadata.name%%3D%s", pursuit->name);
        WatchArgs args = {
                .event = pursuit->follow->event,
                .client = pursuit->follow->client,
                .sink = &sink,
                .kind = &pursuit->api,
                .selector = pursuit->selector,
                .ns = pursuit->ns,
                .changed = on_changed,
                .userdata = pursuit,
        };
        return watch_new(&args, &pursuit->watch, err);
}

static Pursuit *find(const Follow *follow, const char *kind, const char *ns, const char *name) {
        for (size_t i = 0; i < follow->n_pursuits; i++) {
                Pursuit *pursuit = follow->pursuits[i];
                if (mr_streq(pursuit->kind->name, kind) && mr_streq(pursuit->name, name) &&
                    (pursuit->kind->is_global || mr_streq(pursuit->ns, ns)))
                        return pursuit;
        }
        return NULL;
}

/* What cannot be a name is nowhere. */
static int need(Follow *follow, const char *key, Pursuit **ret, MrError *err) {
        _cleanup_free_ char *copy = mr_strdup(key);
        char *ns, *name;

        *ret = NULL;
        if (!mr_resource_key_split(copy, &ns, &name))
                return 0;
        const MrKind *kind = data_kind(follow, copy);
        if (!kind || !mr_is_object_name(name))
                return 0;
        *ret = find(follow, copy, ns, name);
        if (*ret)
                return 0;
        Pursuit *pursuit = mr_new(Pursuit, 1);
        *pursuit = (Pursuit){.follow = follow,
                             .kind = kind,
                             .ns = kind->is_global ? NULL : mr_strdup(ns),
                             .name = mr_strdup(name),
                             .sakes = mr_tree_new_map()};
        int r = begin(pursuit, err);
        if (r < 0) {
                pursuit_free(pursuit);
                return r;
        }
        MR_GROW(follow->pursuits, follow->n_pursuits, follow->allocated_pursuits);
        *ret = follow->pursuits[follow->n_pursuits++] = pursuit;
        return 0;
}

/* Later: whoever asks is in the middle of something. */
static int on_sweep(sd_event_source *source, void *userdata) {
        Follow *follow = userdata;
        const MrFollowing *told = follow->told;

        (void) source;
        for (size_t i = follow->n_pursuits; i-- > 0;) {
                Pursuit *pursuit = follow->pursuits[i];
                if (mr_tree_size(pursuit->sakes) > 0)
                        continue;
                follow->pursuits[i] = follow->pursuits[--follow->n_pursuits];
                if (pursuit->is_told)
                        told->left(told->userdata, pursuit->kind,
                                   pursuit->ns ? pursuit->ns : "default", pursuit->name);
                pursuit_free(pursuit);
        }
        return 0;
}

static void leave(Follow *follow, const char *sake) {
        for (size_t i = 0; i < follow->n_pursuits; i++)
                mr_tree_remove(follow->pursuits[i]->sakes, sake);
        (void) sd_event_source_set_enabled(follow->sweep, SD_EVENT_ONESHOT);
}

int pursue(Follow *follow, const char *sake, const MrStrings *names, MrError *err) {
        int all = 1;

        leave(follow, sake);
        for (size_t i = 0; i < names->n; i++) {
                Pursuit *pursuit;
                int r = need(follow, names->items[i], &pursuit, err);
                if (r < 0)
                        return r;
                if (pursuit)
                        mr_tree_set(pursuit->sakes, sake, mr_tree_new_null());
        }
        for (size_t i = 0; i < follow->n_pursuits; i++) {
                const Pursuit *pursuit = follow->pursuits[i];
                int r = mr_tree_get(pursuit->sakes, sake) ? watch_state(pursuit->watch, err) : 1;
                if (r < 0)
                        return r;
                all = all && r;
        }
        return all;
}

int pursue_new(Follow *follow, MrError *err) {
        int r = sd_event_add_defer(follow->event, &follow->sweep, on_sweep, follow);

        if (r >= 0)
                r = sd_event_source_set_enabled(follow->sweep, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

void pursue_done(Follow *follow) {
        for (size_t i = 0; i < follow->n_pursuits; i++)
                pursuit_free(follow->pursuits[i]);
        free(follow->pursuits);
}
