/* Custom resources, kind by kind: watching them in a version the server has. */

#include "follow.h"

#include <errno.h>
#include <string.h>

#include "lower.h"
#include "pace.h"
#include "str.h"

/* A kind that the server does not have is asked for this often. */
#define ABSENT_USEC (10 * SEC)

/* --- kinds */

void followed_tell(Followed *kind, int r, const MrError *err) {
        const MrFollowing *told = kind->follow->told;
        const char *message = err && err->message ? err->message : NULL;

        if (mr_streq(kind->error, message))
                return;
        free(kind->error);
        kind->error = mr_strdup(message);
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

/* What the watches of the version before say does not count any more. */
static bool is_changing(const Followed *kind) {
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(kind->again, &enabled);
        return enabled != SD_EVENT_OFF;
}

static void change_after(Followed *kind, uint64_t usec) {
        (void) sd_event_source_set_time_relative(kind->again, usec);
        (void) sd_event_source_set_enabled(kind->again, SD_EVENT_ONESHOT);
}

/* The server may have it in another version, or not yet. */
static void try_next_version(Followed *kind) {
        size_t n = n_versions(kind->kind);
        _cleanup_error_ MrError err = {};

        bool is_absent = ++kind->n_missing >= n;
        kind->is_sure = kind->is_sure && !is_absent;
        kind->version = (kind->version + 1) % n;
        change_after(kind, kind->n_missing % n ? 0 : ABSENT_USEC);
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
        change_after(kind, 0);
}

/* What was held back until its owners were known is not our business, if it still is. */
static void tell_held(const Followed *kind) {
        for (size_t i = 0; i < kind->n; i++)
                if (kind->items[i]->held) {
                        kind->items[i]->is_told = true;
                        kept_tell_left(kind->items[i]);
                }
}

static void note_listed(Followed *kind) {
        const MrFollowing *told = kind->follow->told;
        Follow *follow = kind->follow;

        if (kind->is_listed || !followed_is_judged(kind))
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

        if (is_changing(kind))
                return;
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
                .sink = &kept_sink,
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
        kind->group =
                mr_strf("/apis/%s/%s", kind->kind->group, kind->kind->versions[kind->version]);
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
        int r = sd_event_add_time(follow->event, &followed->again, CLOCK_MONOTONIC, UINT64_MAX, 1,
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
