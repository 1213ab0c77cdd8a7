/* Custom resources: watching them, and telling which are there. */

#include "follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "str.h"

#define SEC UINT64_C(1000000)
/* A kind that the server does not have is asked for this often. */
#define ABSENT_USEC (10 * SEC)
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* --- what is kept of each */

static size_t place_of(const Followed *kind, const char *ns, const char *name, bool *ret_is_there) {
        size_t low = 0, high = kind->n;

        *ret_is_there = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(kind->items[middle]->ns, ns);
                order = order ? order : strcmp(kind->items[middle]->name, name);
                if (order == 0) {
                        *ret_is_there = true;
                        return middle;
                }
                *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
        }
        return low;
}

static Kept *find(const Followed *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(kind, ns, name, &is_there);

        return is_there ? kind->items[i] : NULL;
}

static Kept *need(Followed *kind, const char *ns, const char *name) {
        bool is_there;
        size_t i = place_of(kind, ns, name, &is_there);

        if (is_there)
                return kind->items[i];
        Kept *kept = mr_new(Kept, 1);
        *kept = (Kept){.of = kind, .ns = mr_strdup(ns), .name = mr_strdup(name)};
        MR_GROW(kind->items, kind->n, kind->allocated);
        memmove(&kind->items[i + 1], &kind->items[i], (kind->n++ - i) * sizeof(Kept *));
        return kind->items[i] = kept;
}

static void kept_free(Kept *kept) {
        client_cancel(kept->of->follow->client, kept->request);
        mr_tree_free(kept->finalizers);
        mr_tree_free(kept->held);
        mr_tree_free(kept->wanted);
        free(kept->ns);
        free(kept->name);
        free(kept->uid);
        free(kept->version);
        free(kept->owner);
        free(kept);
}

static Followed *find_kind(const Follow *follow, const char *name) {
        for (size_t i = 0; i < follow->n_kinds; i++)
                if (mr_streq(follow->kinds[i].kind->name, name))
                        return &follow->kinds[i];
        return NULL;
}

Kept *follow_find(const Follow *follow, const char *kind, const char *ns, const char *name) {
        const Followed *followed = follow ? find_kind(follow, kind) : NULL;

        return followed && ns && name ? find(followed, ns, name) : NULL;
}

/* --- which of them are our business */

static bool selects(const MrTree *selector, const MrTree *resource) {
        const MrTree *labels = mr_tree_get(mr_tree_get(resource, "metadata"), "labels");

        for (size_t i = 0; i < mr_tree_size(selector); i++)
                if (!mr_streq(mr_tree_get_string(labels, mr_tree_key(selector, i)),
                              mr_tree_string(mr_tree_at(selector, i))))
                        return false;
        return true;
}

/* A part of another resource, or about one, is our business when that one is. */
static bool is_ours(const Kept *kept, const MrTree *resource) {
        const MrKind *kind = kept->of->kind;
        const char *owner_kind = kind->owner_kind ? kind->owner_kind : kind->about_kind;

        if (!kept->of->follow->selector)
                return true;
        if (!owner_kind)
                return selects(kept->of->follow->selector, resource);
        const Kept *owner = follow_find(kept->of->follow, owner_kind, kept->ns, kept->owner);
        return owner && owner->is_told;
}

/* Whether it can be said which of a kind are our business. */
static bool is_judged(const Followed *kind) {
        const char *owner_kind =
                kind->kind->owner_kind ? kind->kind->owner_kind : kind->kind->about_kind;
        const Followed *owner = owner_kind ? find_kind(kind->follow, owner_kind) : NULL;

        return !kind->follow->selector || !owner || owner->is_listed;
}

/* --- telling */

static void consider(Kept *kept, const MrTree *resource);

static void each_part(const Kept *owner, void (*found)(Kept *part)) {
        Follow *follow = owner->of->follow;

        for (size_t i = 0; i < follow->n_kinds; i++) {
                const MrKind *kind = follow->kinds[i].kind;
                if (!mr_streq(kind->owner_kind ? kind->owner_kind : kind->about_kind,
                              owner->of->kind->name))
                        continue;
                for (size_t k = 0; k < follow->kinds[i].n; k++) {
                        Kept *part = follow->kinds[i].items[k];
                        if (mr_streq(part->ns, owner->ns) && mr_streq(part->owner, owner->name))
                                found(part);
                }
        }
}

/* Its owner has become our business. What it is may not be known any more; then it is read again. */
static void part_comes(Kept *part) {
        _cleanup_(mr_tree_freep) MrTree *held = TAKE(part->held);

        if (held)
                consider(part, held);
        else if (!part->is_told) {
                part->number = 0;
                (void) sd_event_source_set_time_relative(part->of->again, 0);
                (void) sd_event_source_set_enabled(part->of->again, SD_EVENT_ONESHOT);
        }
}

static void tell_left(Kept *kept) {
        const MrFollowing *told = kept->of->follow->told;

        if (!kept->is_told)
                return;
        kept->is_told = false;
        kept->wanted = mr_tree_free(kept->wanted);
        told->left(told->userdata, kept->of->kind, kept->ns, kept->name);
        each_part(kept, tell_left);
}

/* Whether it was so already when this program was started is not known here. */
static void hold_back(Kept *kept, const MrTree *resource) {
        bool is_new = !kept->held;

        mr_tree_free(kept->held);
        kept->held = mr_tree_copy(resource);
        kept->is_told = kept->is_told || (is_new && is_judged(kept->of));
        tell_left(kept);
}

static void consider(Kept *kept, const MrTree *resource) {
        const MrFollowing *told = kept->of->follow->told;

        if (!is_ours(kept, resource)) {
                hold_back(kept, resource);
                return;
        }
        bool is_new = !kept->is_told;
        kept->held = mr_tree_free(kept->held);
        kept->is_told = true;
        told->seen(told->userdata, kept->of->kind, resource);
        kept_check(kept);
        if (is_new && kept->of->follow->selector)
                each_part(kept, part_comes);
}

static void drop_at(Followed *kind, size_t i) {
        const MrFollowing *told = kind->follow->told;
        Kept *kept = kind->items[i];

        memmove(&kind->items[i], &kind->items[i + 1], (--kind->n - i) * sizeof(Kept *));
        if (kept->is_told)
                told->gone(told->userdata, kind->kind, kept->ns, kept->name);
        kept_free(kept);
}

/* --- what a watch finds */

static void set_text(char **text, const char *value) {
        free(*text);
        *text = mr_strdup(value);
}

static uint64_t number_of(const char *version) {
        return version ? strtoull(version, NULL, 10) : 0;
}

static void fill(Kept *kept, const MrTree *metadata, const MrTree *status) {
        const MrKind *kind = kept->of->kind;
        const MrTree *labels = mr_tree_get(metadata, "labels");
        const MrTree *finalizers = mr_tree_get(metadata, "finalizers");
        const char *label = kind->owner_kind ? kind->owner_label : kind->about_label;
        const char *uid = mr_tree_get_string(metadata, "uid");

        if (!mr_streq(kept->uid, uid))
                *kept->sent = *kept->became = '\0';
        set_text(&kept->uid, uid);
        set_text(&kept->version, mr_tree_get_string(metadata, "resourceVersion"));
        set_text(&kept->owner, label ? mr_tree_get_string(labels, label) : NULL);
        kept->number = number_of(kept->version);
        kept->is_seen = true;
        kept->is_going = mr_tree_get_string(metadata, "deletionTimestamp") != NULL;
        mr_tree_free(kept->finalizers);
        kept->finalizers = mr_tree_size(finalizers) > 0 ? mr_tree_copy(finalizers) : NULL;
        mr_tree_digest(status, kept->status);
}

/* Nobody looks at these, and they are large. */
static void strip(MrTree *resource) {
        MrTree *metadata = mr_tree_get(resource, "metadata");

        mr_tree_remove(metadata, "managedFields");
        if (mr_tree_get(metadata, "annotations"))
                mr_tree_remove(mr_tree_get(metadata, "annotations"), LAST_APPLIED);
}

static bool on_put(void *userdata, MrTree *resource) {
        Followed *kind = userdata;
        const MrTree *metadata = mr_tree_get(resource, "metadata");
        const char *ns = mr_tree_get_string(metadata, "namespace"),
                   *name = mr_tree_get_string(metadata, "name");

        if (!ns || !name)
                return false;
        Kept *kept = need(kind, ns, name);
        kept->is_seen = true;
        if (kept->number >= number_of(mr_tree_get_string(metadata, "resourceVersion")))
                return false;
        fill(kept, metadata, mr_tree_get(resource, "status"));
        strip(resource);
        consider(kept, resource);
        return false;
}

void follow_take(Kept *kept, const MrTree *answer) {
        _cleanup_(mr_tree_freep) MrTree *resource = mr_tree_copy(answer);

        (void) on_put(kept->of, resource);
}

static bool on_remove(void *userdata, const MrTree *resource) {
        Followed *kind = userdata;
        const MrTree *metadata = mr_tree_get(resource, "metadata");
        const char *ns = mr_tree_get_string(metadata, "namespace"),
                   *name = mr_tree_get_string(metadata, "name");
        bool is_there = false;
        size_t i = ns && name ? place_of(kind, ns, name, &is_there) : 0;

        /* Another of that name may have been made since. */
        if (is_there && kind->items[i]->number <=
                                number_of(mr_tree_get_string(metadata, "resourceVersion")))
                drop_at(kind, i);
        return false;
}

static void on_begins(void *userdata, const char *ns) {
        Followed *kind = userdata;

        for (size_t i = 0; i < kind->n; i++)
                if (!ns || mr_streq(kind->items[i]->ns, ns))
                        kind->items[i]->is_seen = false;
}

static bool on_ends(void *userdata, const char *ns) {
        Followed *kind = userdata;

        for (size_t i = kind->n; i-- > 0;)
                if ((!ns || mr_streq(kind->items[i]->ns, ns)) && !kind->items[i]->is_seen)
                        drop_at(kind, i);
        return false;
}

static const WatchSink sink = {
        .begins = on_begins,
        .put = on_put,
        .remove = on_remove,
        .ends = on_ends,
};

/* --- kinds */

void followed_tell(Followed *kind, int r, const MrError *err) {
        const MrFollowing *told = kind->follow->told;
        const char *message = err && err->message ? err->message : NULL;

        if (mr_streq(kind->error, message))
                return;
        set_text(&kind->error, message);
        told->failed(told->userdata, kind->kind, message ? r : 0, err);
}

static bool is_known(const Followed *kind) {
        return kind->is_listed || kind->error;
}

bool follow_is_known(const Follow *follow) {
        for (size_t i = 0; follow && i < follow->n_kinds; i++)
                if (!is_known(&follow->kinds[i]))
                        return false;
        return true;
}

static size_t n_versions(const MrKind *kind) {
        size_t n = 0;

        while (kind->versions[n])
                n++;
        return n;
}

/* The server may have it in another version, or not yet. */
static void try_next_version(Followed *kind) {
        size_t n = n_versions(kind->kind);
        _cleanup_error_ MrError err = {};
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(kind->again, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        bool is_absent = ++kind->n_missing >= n;
        kind->is_sure = kind->is_sure && !is_absent;
        kind->version = (kind->version + 1) % n;
        (void) sd_event_source_set_time_relative(kind->again,
                                                 kind->n_missing % n ? 0 : ABSENT_USEC);
        (void) sd_event_source_set_enabled(kind->again, SD_EVENT_ONESHOT);
        if (!is_absent)
                return;
        int r = mr_fail(&err, MR_INVALID, NULL,
                        "the API server does not know %s.%s; install what describes them: kubectl "
                        "apply --server-side -f packaging/kubernetes/crds",
                        kind->kind->plural, kind->kind->group);
        followed_tell(kind, r, &err);
}

/* 1: all was listed; 0: not yet; negative: why not. */
static int watches_state(const Followed *kind, MrError *err) {
        int all = 1;

        for (size_t i = 0; i < kind->n_watches; i++) {
                int r = watch_state(kind->watches[i], err);
                if (r < 0)
                        return r;
                all = all && r;
        }
        return all;
}

/* It may have got the versions one after the other while they were tried. What owners are called
 * follows from the version, and must not depend on that. */
static void begin_again(Followed *kind) {
        kind->is_sure = true;
        kind->version = 0;
        (void) sd_event_source_set_time_relative(kind->again, 0);
        (void) sd_event_source_set_enabled(kind->again, SD_EVENT_ONESHOT);
}

/* What was held back until its owners were known is not our business, if it still is. */
static void tell_held(const Followed *kind) {
        for (size_t i = 0; i < kind->n; i++)
                if (kind->items[i]->held) {
                        kind->items[i]->is_told = true;
                        tell_left(kind->items[i]);
                }
}

static void note_listed(Followed *kind) {
        const MrFollowing *told = kind->follow->told;
        Follow *follow = kind->follow;

        if (kind->is_listed || !is_judged(kind))
                return;
        tell_held(kind);
        told->listed(told->userdata, kind->kind, follow->namespaces);
        kind->is_listed = true;
        for (size_t i = 0; i < follow->n_kinds; i++)
                if (watches_state(&follow->kinds[i], NULL) > 0)
                        note_listed(&follow->kinds[i]);
}

static void on_changed(void *userdata) {
        Followed *kind = userdata;
        _cleanup_error_ MrError err = {};
        int r = watches_state(kind, &err);

        if (r == -ENOENT)
                try_next_version(kind);
        else if (r < 0 && mr_error_kind(&err, r) == MR_DENIED)
                followed_tell(kind, r, &err);
        else if (r > 0 && kind->version > 0 && !kind->is_sure)
                begin_again(kind);
        else if (r > 0) {
                kind->n_missing = 0;
                followed_tell(kind, 0, NULL);
                note_listed(kind);
        }
        kind->follow->changed(kind->follow->userdata);
}

static void drop_watches(Followed *kind) {
        for (size_t i = 0; i < kind->n_watches; i++)
                watch_free(kind->watches[i]);
        kind->n_watches = 0;
}

static int add_watch(Followed *kind, const char *ns, MrError *err) {
        WatchArgs args = {
                .event = kind->follow->event,
                .client = kind->follow->client,
                .sink = &sink,
                .kind = &kind->api,
                .selector = "",
                .ns = ns,
                .changed = on_changed,
                .userdata = kind,
        };

        int r = watch_new(&args, &kind->watches[kind->n_watches], err);
        kind->n_watches += r >= 0;
        return r;
}

static int watch_all(Followed *kind, MrError *err) {
        const MrTree *namespaces = kind->follow->namespaces;

        drop_watches(kind);
        for (size_t i = 0; i < kind->n; i++)
                kind->items[i]->number = 0;
        free(kind->group);
        kind->group = mr_strf("/apis/%s/%s", kind->kind->group, kind->kind->versions[kind->version]);
        kind->api = (ApiKind){.kind = kind->kind->name,
                              .manifest = kind->kind->name,
                              .group = kind->group,
                              .plural = kind->kind->plural};
        int r = namespaces ? 0 : add_watch(kind, NULL, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(namespaces); i++)
                r = add_watch(kind, mr_tree_string(mr_tree_at(namespaces, i)), err);
        return r;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        Followed *kind = userdata;
        _cleanup_error_ MrError err = {};

        (void) source;
        (void) usec;
        int r = watch_all(kind, &err);
        if (r < 0)
                followed_tell(kind, r, &err);
        return 0;
}

static int add_kind(Follow *follow, const MrKind *kind, MrError *err) {
        Followed *followed = &follow->kinds[follow->n_kinds++];

        *followed = (Followed){.follow = follow, .kind = kind};
        followed->watches = mr_new(Watch *, mr_tree_size(follow->namespaces) + 1);
        int r = sd_event_add_time(follow->event, &followed->again, CLOCK_MONOTONIC, UINT64_MAX, 0,
                                  on_again, followed);
        if (r >= 0)
                r = sd_event_source_set_enabled(followed->again, SD_EVENT_OFF);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot set up the event loop");
        return watch_all(followed, err);
}

static int add_kinds(Follow *follow, MrError *err) {
        const MrKind *const *kinds = follow->told->kinds;
        size_t n = 0;
        int r = 0;

        while (kinds[n])
                n++;
        follow->kinds = mr_new(Followed, n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!kinds[i]->is_data)
                        r = add_kind(follow, kinds[i], err);
        return r;
}

int follow_new(sd_event *event, Client *client, const MrPlatformArgs *args,
               void (*changed)(void *userdata), void *userdata, Follow **ret, MrError *err) {
        Follow *follow = mr_new(Follow, 1);

        *follow = (Follow){
                .event = event,
                .client = client,
                .told = args->following,
                .changed = changed,
                .userdata = userdata,
        };
        int r = kubernetes_scope(args->config, &follow->namespaces, &follow->selector, err);
        if (r >= 0)
                r = writes_new(follow, err);
        if (r >= 0)
                r = pursue_new(follow, err);
        if (r >= 0)
                r = add_kinds(follow, err);
        if (r < 0)
                follow_free(follow);
        else
                *ret = follow;
        return r;
}

static void followed_done(Followed *kind) {
        drop_watches(kind);
        for (size_t i = 0; i < kind->n; i++)
                kept_free(kind->items[i]);
        free(kind->items);
        free(kind->watches);
        free(kind->group);
        free(kind->error);
        sd_event_source_disable_unref(kind->again);
}

Follow *follow_free(Follow *follow) {
        if (!follow)
                return NULL;
        pursue_done(follow);
        for (size_t i = 0; i < follow->n_kinds; i++)
                followed_done(&follow->kinds[i]);
        free(follow->kinds);
        mr_tree_free(follow->namespaces);
        mr_tree_free(follow->selector);
        sd_event_source_disable_unref(follow->writes);
        sd_event_source_disable_unref(follow->sweep);
        free(follow);
        return NULL;
}
