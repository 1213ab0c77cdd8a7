#include "lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "pace.h"
#include "str.h"

#define GROUP "/apis/coordination.k8s.io/v1"
#define TIMEOUT_SEC 5
/* The last request, for which nothing else waits. */
#define FAREWELL_SEC 1

struct Lease {
        LeaseArgs args;
        Request *request;
        sd_event_source *timer;    /* the next look or renewal */
        sd_event_source *deadline; /* when we do not lead any more */
        MrTree *known;             /* as last read or written; NULL: there is none */
        uint64_t known_usec;       /* since when it has been like that, as far as we saw */
        uint64_t asked_usec;       /* when the request under way was made */
        bool is_held;
        char *leader;
        MrError why; /* the last try failed */
};

/* --- the clock */

static void go_on(Lease *lease, uint64_t usec) {
        (void) sd_event_source_set_time_relative(lease->timer, usec);
        (void) sd_event_source_set_enabled(lease->timer, SD_EVENT_ONESHOT);
}

static void go_on_later(Lease *lease) {
        go_on(lease, (uint64_t) lease->args.settings->retry_sec * SEC);
}

/* --- what is known */

static void tell(Lease *lease) {
        lease->args.changed(lease->args.userdata);
}

static void take_known(Lease *lease, MrTree *take_tree) {
        const MrTree *spec = mr_tree_get(take_tree, "spec");

        if (!mr_tree_equal(spec, mr_tree_get(lease->known, "spec")) || !lease->known_usec)
                lease->known_usec = pace_now(lease->args.event, CLOCK_MONOTONIC);
        mr_tree_free(lease->known);
        lease->known = take_tree;
}

static LeaseView view_of(const Lease *lease) {
        return lease_view(lease->known, lease->args.settings,
                          pace_now(lease->args.event, CLOCK_MONOTONIC) - lease->known_usec);
}

static void set_leader(Lease *lease, const char *holder) {
        const LeaseSettings *settings = lease->args.settings;
        char *text = mr_is_empty(holder) ? NULL
                                         : mr_strf("the replica %s, which holds the lease %s/%s",
                                                   holder, settings->ns, settings->name);
        bool is_news = !mr_streq(text, lease->leader);

        mr_error_done(&lease->why);
        free(lease->leader);
        lease->leader = text;
        if (is_news)
                tell(lease);
}

static void held(Lease *lease) {
        bool is_news = !lease->is_held;

        lease->is_held = true;
        mr_error_done(&lease->why);
        free(TAKE(lease->leader));
        (void) sd_event_source_set_time(
                lease->deadline,
                lease->asked_usec + (uint64_t) lease->args.settings->deadline_sec * SEC);
        (void) sd_event_source_set_enabled(lease->deadline, SD_EVENT_ONESHOT);
        if (is_news)
                tell(lease);
}

static void lose(Lease *lease, const char *why) {
        const LeaseSettings *settings = lease->args.settings;
        _cleanup_error_ MrError err = {};

        lease->is_held = false;
        (void) sd_event_source_set_enabled(lease->deadline, SD_EVENT_OFF);
        (void) mr_fail(&err, MR_TRANSIENT, NULL, "the lease %s/%s is lost: %s", settings->ns,
                       settings->name, why);
        lease->args.lost(lease->args.userdata, &err);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Lease *lease = userdata;

        (void) source;
        (void) usec;
        if (lease->is_held)
                lose(lease, "it could not be renewed in time");
        return 0;
}

/* --- requests */

/* `done` NULL: it is waited for here. */
static void ask(Lease *lease, const char *method, const MrTree *body, ClientDone done) {
        const LeaseSettings *settings = lease->args.settings;
        bool is_new = mr_streq(method, "POST");
        _cleanup_free_ char *path = mr_strf(GROUP "/namespaces/%s/leases%s%s", settings->ns,
                                            is_new ? "" : "/", is_new ? "" : settings->name);
        _cleanup_free_ char *what = mr_strf("lease %s/%s", settings->ns, settings->name);
        RequestArgs args = {
                .method = method,
                .path = path,
                .what = what,
                .content = body,
                .timeout_sec = done ? TIMEOUT_SEC : FAREWELL_SEC,
                .done = done,
                .userdata = lease,
        };

        lease->asked_usec = pace_now(lease->args.event, CLOCK_MONOTONIC);
        if (done)
                lease->request = client_request(lease->args.client, &args);
        else
                client_request_at_once(lease->args.client, &args);
}

static void note_failure(Lease *lease, int r, const MrError *err) {
        bool is_news = !mr_streq(lease->why.message, err->message);

        mr_error_done(&lease->why);
        (void) mr_fail(&lease->why, mr_error_kind(err, r), NULL, "%s", err->message);
        if (is_news)
                tell(lease);
}

static void on_written(void *userdata, int r, const MrError *err, unsigned status,
                       MrTree *take_answer) {
        Lease *lease = userdata;

        lease->request = NULL;
        if (r >= 0) {
                take_known(lease, take_answer);
                held(lease);
                go_on_later(lease);
                return;
        }
        mr_tree_free(take_answer);
        /* Somebody else was faster, or has taken it from us: a look tells. */
        lease->known = mr_tree_free(lease->known);
        if (status != 409)
                note_failure(lease, r, err);
        go_on(lease, status == 409 ? 0 : SEC);
}

static void write_lease(Lease *lease) {
        int64_t now = (int64_t) pace_now(lease->args.event, CLOCK_REALTIME);
        _cleanup_(mr_tree_freep) MrTree *body = lease_body(lease->known, lease->args.settings, now);

        ask(lease, lease->known ? "PUT" : "POST", body, on_written);
}

static void on_read(void *userdata, int r, const MrError *err, unsigned status _unused_,
                    MrTree *take_answer) {
        Lease *lease = userdata;

        lease->request = NULL;
        if (r == -ENOENT) {
                mr_tree_free(take_answer);
                lease->known = mr_tree_free(lease->known);
                write_lease(lease);
                return;
        }
        if (r < 0) {
                mr_tree_free(take_answer);
                note_failure(lease, r, err);
                go_on_later(lease);
                return;
        }
        take_known(lease, take_answer);
        LeaseView view = view_of(lease);
        if (lease->is_held && !view.is_ours) {
                lose(lease, "another replica has taken it");
                return;
        }
        if (view.is_ours || view.is_free) {
                write_lease(lease);
                return;
        }
        set_leader(lease, view.holder);
        go_on_later(lease);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Lease *lease = userdata;

        (void) source;
        (void) usec;
        if (lease->request)
                return 0;
        if (lease->is_held && lease->known)
                write_lease(lease);
        else
                ask(lease, "GET", NULL, on_read);
        return 0;
}

/* --- life */

int lease_new(const LeaseArgs *args, Lease **ret, MrError *err) {
        Lease *lease = mr_new(Lease, 1);

        lease->args = *args;
        int r = sd_event_add_time(args->event, &lease->timer, CLOCK_MONOTONIC, 0, 5000, on_timer,
                                  lease);
        if (r >= 0)
                r = sd_event_add_time(args->event, &lease->deadline, CLOCK_MONOTONIC, UINT64_MAX,
                                      5000, on_deadline, lease);
        if (r >= 0)
                r = sd_event_source_set_enabled(lease->deadline, SD_EVENT_OFF);
        if (r < 0) {
                lease_free(lease);
                return mr_fail_errno(err, -r, NULL, "cannot set up the event loop");
        }
        *ret = lease;
        return 0;
}

static void let_go(Lease *lease) {
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_copy(lease->known);

        mr_tree_set_string(mr_tree_need_map(body, "spec"), "holderIdentity", "");
        ask(lease, "PUT", body, NULL);
}

Lease *lease_free(Lease *lease) {
        if (!lease)
                return NULL;
        if (lease->request)
                client_cancel(lease->args.client, TAKE(lease->request));
        (void) sd_event_source_set_enabled(lease->timer, SD_EVENT_OFF);
        if (lease->is_held && lease->known)
                let_go(lease);
        sd_event_source_disable_unref(lease->timer);
        sd_event_source_disable_unref(lease->deadline);
        mr_tree_free(lease->known);
        mr_error_done(&lease->why);
        free(lease->leader);
        free(lease);
        return NULL;
}

int lease_state(const Lease *lease, MrError *err) {
        if (lease->is_held)
                return 1;
        return lease->why.message ? mr_fail(err, lease->why.kind, NULL, "%s", lease->why.message)
                                  : 0;
}

const char *lease_leader(const Lease *lease) {
        return lease->is_held ? NULL : lease->leader;
}
