#include "hostd.h"

#include <errno.h>
#include <malloc.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/message-ids.h"
#include "host-batch.h"
#include "host-observe.h"
#include "hostd-job.h"
#include "hostd-watch.h"
#include "sdk/str.h"

#define QUEUE_MAX 16U

/* A batch that waits for its turn, or has it. */
typedef struct Queued {
        char *path;
        HostBatch *batch; /* NULL once it runs */
} Queued;

struct Hostd {
        HostdArgs args;
        HostConfig *config; /* NULL until it could be read */
        struct stat config_stat;
        HostUnits *units;
        HostObserver *observer;
        HostWatch *watch;
        sd_bus_track *subscribers;
        bool has_subscribers;
        sd_bus_slot *object, *released;
        sd_event_source *idle;
        Queued queue[QUEUE_MAX]; /* the first one runs while `job` is set */
        size_t n_queued;
        HostJob *job;
        sd_event_source
                *next;    /* starts the next job, and frees the last one, outside of its callback */
        uint64_t last_id; /* begins with the time, so that no path is used by two services */
};

/* A caller that waits for an observation. */
typedef struct Request {
        Hostd *hostd;
        sd_bus_message *message;
} Request;

static bool hostd_is_busy(const Hostd *hostd) {
        return hostd->n_queued > 0 || host_observer_is_busy(hostd->observer);
}

/* --- errors on the bus */

static const char *error_name(MrErrorKind kind) {
        static const char *const names[_MR_ERROR_KIND_MAX] = {
                [MR_OK] = HOSTD_NAME ".Error.Bug",
                [MR_INVALID] = HOSTD_NAME ".Error.Invalid",
                [MR_TRANSIENT] = HOSTD_NAME ".Error.Transient",
                [MR_CONFLICT] = HOSTD_NAME ".Error.Conflict",
                [MR_DENIED] = SD_BUS_ERROR_ACCESS_DENIED,
                [MR_BUG] = HOSTD_NAME ".Error.Bug",
        };

        return names[kind];
}

static int reply_error(sd_bus_message *m, int r, const MrError *err) {
        _cleanup_free_ char *text = mr_error_text(err);

        log_warning(NULL, MSG_HOSTD_REFUSED, "%s: %s", sd_bus_message_get_member(m), text);
        return sd_bus_reply_method_errorf(m, error_name(mr_error_kind(err, r)), "%s", text);
}

/* The bus policy says the same; a policy can be edited, so both have to agree. */
static int caller_check(sd_bus_message *m, MrError *err) {
        sd_bus_creds *creds = NULL;
        uid_t uid = (uid_t) -1;

        int r = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &creds);
        if (r >= 0)
                r = sd_bus_creds_get_euid(creds, &uid);
        sd_bus_creds_unref(creds);
        if (r < 0)
                return mr_fail(err, MR_DENIED, NULL, "the bus does not tell who calls: %s",
                               strerror(-r));
        if (uid == 0 || uid == geteuid())
                return 0;

        const struct passwd *user = getpwnam(HOSTD_USER);
        if (user && user->pw_uid == uid)
                return 0;
        return mr_fail(err, MR_DENIED, NULL, "only root and " HOSTD_USER " may call");
}

/* --- configuration: read again when it changed, but not while anything borrows from it */

static bool config_changed(Hostd *hostd, const char *path) {
        struct stat st = {};

        if (stat(path, &st) < 0)
                st = (struct stat){};
        bool same = st.st_ino == hostd->config_stat.st_ino &&
                    st.st_size == hostd->config_stat.st_size &&
                    st.st_mtim.tv_sec == hostd->config_stat.st_mtim.tv_sec &&
                    st.st_mtim.tv_nsec == hostd->config_stat.st_mtim.tv_nsec &&
                    st.st_ctim.tv_nsec == hostd->config_stat.st_ctim.tv_nsec;
        hostd->config_stat = st;
        return !same;
}

static int config_need(Hostd *hostd, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s" HOST_CONFIG_PATH, hostd->args.root);
        HostConfig *config = NULL;

        if (hostd->config && (hostd_is_busy(hostd) || !config_changed(hostd, path)))
                return 0;
        int r = host_config_read(path, &config, err);
        if (r < 0) {
                hostd->config = host_config_free(hostd->config);
                return r;
        }
        host_config_free(hostd->config);
        hostd->config = config;
        host_observer_reconfigured(hostd->observer);
        return 0;
}

/* --- idleness */

static bool hostd_is_needed(const Hostd *hostd) {
        return hostd_is_busy(hostd) || hostd->has_subscribers;
}

/* A call may have come in while the name was given back: then it is answered first. */
static int name_released(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Hostd *hostd = userdata;

        (void) m;
        (void) ret_error;
        if (hostd_is_needed(hostd) && sd_bus_request_name(hostd->args.bus, HOSTD_NAME, 0) >= 0) {
                hostd->released = sd_bus_slot_unref(hostd->released);
                return 0;
        }
        return sd_event_exit(hostd->args.event, 0);
}

/* Without the name no call can get lost: it starts the service anew. */
static int idle_expired(sd_event_source *source, uint64_t usec, void *userdata) {
        Hostd *hostd = userdata;

        (void) source;
        (void) usec;
        if (hostd_is_needed(hostd) || hostd->released)
                return 0;
        log_debug(NULL, NULL, "Nobody is subscribed; leaving.");
        return sd_bus_release_name_async(hostd->args.bus, &hostd->released, HOSTD_NAME,
                                         name_released, hostd);
}

/* Called whenever something ends; the time counts from the last end. */
static void idle_arm(Hostd *hostd) {
        (void) sd_event_source_set_time_relative(hostd->idle, hostd->args.idle_usec);
        (void) sd_event_source_set_enabled(hostd->idle, hostd_is_needed(hostd) ? SD_EVENT_OFF
                                                                               : SD_EVENT_ONESHOT);
}

static int subscribers_gone(sd_bus_track *track, void *userdata) {
        Hostd *hostd = userdata;

        (void) track;
        hostd->has_subscribers = false;
        idle_arm(hostd);
        return 1; /* with 0 it is called again at once */
}

/* --- changes */

static void host_changed(void *userdata, const char *instance) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!hostd->has_subscribers)
                return;
        if (config_need(hostd, &err) >= 0)
                host_watch_refresh(hostd->watch, hostd->config);
        (void) sd_bus_emit_signal(hostd->args.bus, HOSTD_PATH, HOSTD_NAME, "Changed", "s",
                                  instance);
}

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) ret_error;
        int r = caller_check(m, &err);
        if (r >= 0)
                r = config_need(hostd, &err);
        if (r < 0)
                return reply_error(m, r, &err);
        if (sd_bus_track_count_sender(hostd->subscribers, m) == 0)
                r = sd_bus_track_add_sender(hostd->subscribers, m);
        if (r < 0)
                return r;
        hostd->has_subscribers = true;
        host_watch_refresh(hostd->watch, hostd->config);
        idle_arm(hostd);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_unsubscribe(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) ret_error;
        int r = caller_check(m, &err);
        if (r < 0)
                return reply_error(m, r, &err);
        (void) sd_bus_track_remove_sender(hostd->subscribers, m);
        return sd_bus_reply_method_return(m, NULL);
}

/* --- observe */

static void observed(void *userdata, int r, const MrError *err, const char *text) {
        Request *request = userdata;
        Hostd *hostd = request->hostd;

        if (r < 0)
                (void) reply_error(request->message, r, err);
        else
                (void) sd_bus_reply_method_return(request->message, "s", text);
        sd_bus_message_unref(request->message);
        free(request);
        idle_arm(hostd);
        (void) malloc_trim(0);
}

static int method_observe(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) ret_error;
        int r = caller_check(m, &err);
        if (r >= 0)
                r = config_need(hostd, &err);
        if (r < 0)
                return reply_error(m, r, &err);
        Request *request = mr_new(Request, 1);
        *request = (Request){.hostd = hostd, .message = sd_bus_message_ref(m)};
        r = host_observer_run(hostd->observer, hostd->config, observed, request, &err);
        if (r < 0) {
                sd_bus_message_unref(request->message);
                free(request);
                return reply_error(m, r, &err);
        }
        idle_arm(hostd);
        return 1;
}

/* --- apply */

static char *outcome_text(size_t n_done, const MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *outcome = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_int(outcome, "done", (int64_t) n_done);
        mr_tree_set(outcome, "error", NULL);
        if (err) {
                MrTree *error = mr_tree_set(outcome, "error", mr_tree_new_map());
                mr_tree_set_string(error, "kind", mr_error_kind_name(err->kind));
                mr_tree_set_string(error, "path", err->path ? err->path : "");
                mr_tree_set_string(error, "message", err->message);
        }
        mr_json_write(outcome, 0, &text);
        return mr_buf_take(&text);
}

static void queue_drop_first(Hostd *hostd) {
        free(hostd->queue[0].path);
        host_batch_free(hostd->queue[0].batch);
        memmove(&hostd->queue[0], &hostd->queue[1], (hostd->n_queued - 1) * sizeof(Queued));
        hostd->n_queued--;
}

static void job_tell(Hostd *hostd, size_t n_done, const MrError *err) {
        _cleanup_free_ char *outcome = outcome_text(n_done, err);

        if (err)
                log_warning(NULL, MSG_HOSTD_REFUSED, "%s: %s", err->path ? err->path : "batch",
                            err->message);
        (void) sd_bus_emit_signal(hostd->args.bus, HOSTD_PATH, HOSTD_NAME, "JobDone", "os",
                                  hostd->queue[0].path, outcome);
        queue_drop_first(hostd);
        (void) sd_event_source_set_enabled(hostd->next, SD_EVENT_ONESHOT);
}

static void job_done(void *userdata, size_t n_done, const MrError *err) {
        Hostd *hostd = userdata;

        job_tell(hostd, n_done, err);
        if (hostd->has_subscribers)
                host_watch_refresh(hostd->watch, hostd->config);
}

static int job_next(sd_event_source *source, void *userdata) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) source;
        if (hostd->job && hostd->n_queued > 0 && !hostd->queue[0].batch)
                return 0;
        hostd->job = host_job_free(hostd->job);
        idle_arm(hostd);
        (void) malloc_trim(0);
        if (hostd->n_queued == 0)
                return 0;
        HostJobArgs args = {.event = hostd->args.event,
                            .units = hostd->units,
                            .config = hostd->config,
                            .root = hostd->args.root,
                            .done = job_done,
                            .userdata = hostd};
        if (host_job_new(&args, TAKE(hostd->queue[0].batch), &hostd->job, &err) < 0)
                job_tell(hostd, 0, &err);
        return 0;
}

static int apply_check(Hostd *hostd, sd_bus_message *m, const char **ret_text, MrError *err) {
        int r = caller_check(m, err);
        if (r >= 0)
                r = config_need(hostd, err);
        if (r < 0)
                return r;
        if (sd_bus_message_read(m, "s", ret_text) < 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "the call carries no text; send a batch as JSON");
        if (hostd->n_queued >= QUEUE_MAX)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "%u batches wait already; wait for their end", QUEUE_MAX);
        return 0;
}

static int method_apply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Hostd *hostd = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HostBatch *batch = NULL;
        const char *text = NULL;

        (void) ret_error;
        int r = apply_check(hostd, m, &text, &err);
        if (r >= 0)
                r = host_batch_parse(text, strlen(text), hostd->config, &batch, &err);
        if (r < 0)
                return reply_error(m, r, &err);
        Queued *queued = &hostd->queue[hostd->n_queued++];
        *queued = (Queued){
                .path = mr_strf(HOSTD_PATH "/job/%llu", (unsigned long long) ++hostd->last_id),
                .batch = batch};
        idle_arm(hostd);
        /* The answer leaves before the job begins, so its end never comes first. */
        r = sd_bus_reply_method_return(m, "o", queued->path);
        if (!hostd->job)
                (void) sd_event_source_set_enabled(hostd->next, SD_EVENT_ONESHOT);
        return r;
}

static int property_version(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *ret_error) {
        (void) bus;
        (void) path;
        (void) interface;
        (void) property;
        (void) userdata;
        (void) ret_error;
        return sd_bus_message_append(reply, "u", (uint32_t) HOST_PROTOCOL);
}

/* "Unprivileged" only switches off a check by capabilities that would refuse the daemon;
 * caller_check() decides. */
static const sd_bus_vtable hostd_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Observe", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", host), method_observe,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("s", batch), SD_BUS_RESULT("o", job),
                                method_apply, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Subscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_subscribe,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_unsubscribe,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("JobDone", SD_BUS_ARGS("o", job, "s", outcome), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Changed", SD_BUS_ARGS("s", instance), 0),
        SD_BUS_PROPERTY("Version", "u", property_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_VTABLE_END,
};

static int hostd_sources_add(Hostd *hostd) {
        const HostdArgs *args = &hostd->args;

        int r = sd_event_add_time_relative(args->event, &hostd->idle, CLOCK_MONOTONIC,
                                           args->idle_usec, 0, idle_expired, hostd);
        if (r >= 0)
                r = sd_event_add_defer(args->event, &hostd->next, job_next, hostd);
        if (r >= 0)
                r = sd_event_source_set_enabled(hostd->next, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_bus_track_new(args->bus, &hostd->subscribers, subscribers_gone, hostd);
        if (r >= 0)
                r = sd_bus_add_object_vtable(args->bus, &hostd->object, HOSTD_PATH, HOSTD_NAME,
                                             hostd_vtable, hostd);
        return r;
}

int hostd_new(const HostdArgs *args, Hostd **ret, MrError *err) {
        _cleanup_(hostd_freep) Hostd *hostd = mr_new(Hostd, 1);

        hostd->args = *args;
        hostd->last_id = now_usec();
        hostd->observer = host_observer_new(args->bus, args->root);
        int r = host_units_new(args->bus, &hostd->units, err);
        if (r >= 0)
                r = host_watch_new(args->event, args->bus, args->root, host_changed, hostd,
                                   &hostd->watch, err);
        if (r < 0)
                return r;
        r = hostd_sources_add(hostd);
        if (r >= 0)
                r = sd_bus_request_name(args->bus, HOSTD_NAME, 0);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot offer " HOSTD_NAME " on the bus");
        *ret = TAKE(hostd);
        return 0;
}

Hostd *hostd_free(Hostd *hostd) {
        if (!hostd)
                return NULL;
        host_job_free(hostd->job);
        while (hostd->n_queued > 0)
                queue_drop_first(hostd);
        host_observer_free(hostd->observer);
        host_watch_free(hostd->watch);
        host_units_free(hostd->units);
        sd_bus_slot_unref(hostd->object);
        sd_bus_slot_unref(hostd->released);
        sd_bus_track_unref(hostd->subscribers);
        sd_event_source_disable_unref(hostd->idle);
        sd_event_source_disable_unref(hostd->next);
        host_config_free(hostd->config);
        free(hostd);
        return NULL;
}
