/* The platform of plain systemd hosts: millrace-hostd does what needs root, this side talks to it
 * over D-Bus. */

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <systemd/sd-bus.h>

#include "batch.h"
#include "lower.h"
#include "plugin.h"
#include "str.h"

#define HOSTD_NAME "org.millrace.Host1"
#define HOSTD_PATH "/org/millrace/Host1"

struct MrPlatform {
        sd_event *event;
        sd_bus *bus;   /* NULL while there is no connection */
        char *address; /* of the bus; NULL: the system bus */
        MrChanged changed;
        void *userdata;
        /* The observation under way. */
        sd_bus_slot *observe_slot;
        MrObserved observed;
        void *observed_userdata;
        /* The batch under way. */
        sd_bus_slot *apply_slot;
        char *job;
        int64_t protocol; /* what both sides speak, since the last observation */
        MrApplied applied;
        void *applied_userdata;
};

static void finish_observe(MrPlatform *platform, int r, const MrError *err,
                           MrObservation *observation) {
        MrObserved done = platform->observed;

        platform->observe_slot = sd_bus_slot_unref(platform->observe_slot);
        platform->observed = NULL;
        if (done)
                done(platform->observed_userdata, r, err, observation);
}

static void finish_apply(MrPlatform *platform, int r, const MrError *err, size_t n_done) {
        MrApplied done = platform->applied;

        platform->apply_slot = sd_bus_slot_unref(platform->apply_slot);
        free(TAKE(platform->job));
        platform->applied = NULL;
        if (done)
                done(platform->applied_userdata, r, err, n_done);
}

static void fail_all(MrPlatform *platform, const char *why) {
        _cleanup_error_ MrError err = {};
        int r = mr_fail(&err, MR_TRANSIENT, NULL, "%s; see 'systemctl status millrace-hostd'", why);

        finish_observe(platform, r, &err, NULL);
        finish_apply(platform, r, &err, 0);
}

/* The bus is gone: what was under way fails, and the next call connects again. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;

        (void) message;
        (void) error;
        platform->bus = sd_bus_close_unref(platform->bus);
        fail_all(platform, "the connection to the system bus is gone");
        platform->changed(platform->userdata, NULL);
        return 0;
}

static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;
        const char *instance = NULL;

        (void) error;
        if (sd_bus_message_read(message, "s", &instance) >= 0)
                platform->changed(platform->userdata, mr_is_empty(instance) ? NULL : instance);
        return 0;
}

/* {"done": N, "error": null or {kind, path, message}} */
static int read_result(const char *text, size_t *ret_done, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *result = NULL;

        int r = mr_json_read(text, strlen(text), NULL, &result, err);
        if (r < 0)
                return r;
        *ret_done = (size_t) mr_tree_get_int(result, "done", 0);
        const MrTree *error = mr_tree_get(result, "error");
        if (mr_tree_type(error) != MR_TREE_MAP)
                return 0;
        MrErrorKind kind = MR_TRANSIENT;
        for (MrErrorKind k = MR_INVALID; k < _MR_ERROR_KIND_MAX; k++)
                if (mr_streq(mr_tree_get_string(error, "kind"), mr_error_kind_name(k)))
                        kind = k;
        const char *message = mr_tree_get_string(error, "message");
        return mr_fail(err, kind, mr_tree_get_string(error, "path"), "%s",
                       message ? message : "it failed");
}

static int on_job_done(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;
        const char *job, *text;
        _cleanup_error_ MrError err = {};
        size_t n_done = 0;

        (void) error;
        if (sd_bus_message_read(message, "os", &job, &text) < 0 || !mr_streq(job, platform->job))
                return 0;
        int r = read_result(text, &n_done, &err);
        finish_apply(platform, r, &err, n_done);
        return 0;
}

/* hostd went away or came: its jobs are lost, and a new one must be told that we listen. */
static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;
        const char *name, *before, *after;

        (void) error;
        if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0)
                return 0;
        if (*before)
                fail_all(platform, "millrace-hostd has stopped");
        if (*after)
                (void) sd_bus_call_method_async(platform->bus, NULL, HOSTD_NAME, HOSTD_PATH,
                                                HOSTD_NAME, "Subscribe", NULL, NULL, NULL);
        platform->changed(platform->userdata, NULL);
        return 0;
}

static int add_matches(MrPlatform *platform) {
        int r = sd_bus_match_signal_async(platform->bus, NULL, HOSTD_NAME, HOSTD_PATH, HOSTD_NAME,
                                          "JobDone", on_job_done, NULL, platform);
        if (r >= 0)
                r = sd_bus_match_signal_async(platform->bus, NULL, HOSTD_NAME, HOSTD_PATH,
                                              HOSTD_NAME, "Changed", on_changed, NULL, platform);
        if (r >= 0)
                r = sd_bus_match_signal_async(platform->bus, NULL, "org.freedesktop.DBus.Local",
                                              NULL, "org.freedesktop.DBus.Local", "Disconnected",
                                              on_disconnected, NULL, platform);
        if (r >= 0)
                r = sd_bus_add_match_async(
                        platform->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                        "arg0='" HOSTD_NAME "'",
                        on_owner_changed, NULL, platform);
        if (r >= 0)
                r = sd_bus_call_method_async(platform->bus, NULL, HOSTD_NAME, HOSTD_PATH,
                                             HOSTD_NAME, "Subscribe", NULL, NULL, NULL);
        return r;
}

static int open_bus(MrPlatform *platform) {
        if (!platform->address)
                return sd_bus_open_system(&platform->bus);
        int r = sd_bus_new(&platform->bus);
        if (r >= 0)
                r = sd_bus_set_address(platform->bus, platform->address);
        if (r >= 0)
                r = sd_bus_set_bus_client(platform->bus, 1);
        return r < 0 ? r : sd_bus_start(platform->bus);
}

static int connect_bus(MrPlatform *platform, MrError *err) {
        if (platform->bus && sd_bus_is_open(platform->bus) > 0)
                return 0;
        platform->bus = sd_bus_close_unref(platform->bus);
        int r = open_bus(platform);
        if (r >= 0)
                r = sd_bus_attach_event(platform->bus, platform->event, 0);
        if (r >= 0)
                r = add_matches(platform);
        if (r >= 0)
                return 0;
        platform->bus = sd_bus_close_unref(platform->bus);
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "cannot reach the system bus (%s); check 'systemctl status dbus'",
                       strerror(-r));
}

/* What millrace-hostd itself answers says what to do; its own errors bear their kind as the last
 * part of the name. */
static bool is_kind_of(const sd_bus_error *error, MrErrorKind kind) {
        const char *name = mr_starts_with(error->name, HOSTD_NAME ".Error.")
                                   ? strrchr(error->name, '.') + 1
                                   : "";

        return strcasecmp(name, mr_error_kind_name(kind)) == 0;
}

/* "steps[3].content: what": the path goes where paths belong. */
static int fail_as_told(const char *message, MrErrorKind kind, MrError *err) {
        const char *colon = mr_starts_with(message, "steps[") ? strstr(message, ": ") : NULL;
        _cleanup_free_ char *path = colon ? mr_strndup(message, (size_t) (colon - message)) : NULL;

        return mr_fail(err, kind, path, "%s", colon ? colon + 2 : message);
}

static int fail_call(sd_bus_message *message, MrError *err) {
        const sd_bus_error *error = sd_bus_message_get_error(message);

        if (!error)
                return 0;
        for (MrErrorKind kind = MR_INVALID; kind < _MR_ERROR_KIND_MAX; kind++)
                if (is_kind_of(error, kind))
                        return fail_as_told(error->message, kind, err);
        if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitMasked"))
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "millrace-hostd is masked; 'systemctl unmask millrace-hostd' gives "
                               "it back");
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED))
                return mr_fail(err, MR_DENIED, NULL,
                               "millrace-hostd refuses this program: %s; it must run as root or as "
                               "user millrace",
                               error->message);
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "millrace-hostd does not answer: %s; see 'systemctl status millrace-hostd'",
                       error->message);
}

static int on_observed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;
        MrObservation observation = {};
        _cleanup_error_ MrError err = {};
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        const char *text = NULL;

        (void) error;
        int r = fail_call(message, &err);
        if (r >= 0 && sd_bus_message_read(message, "s", &text) < 0)
                r = mr_fail(&err, MR_TRANSIENT, NULL,
                            "the answer of millrace-hostd makes no sense");
        if (r >= 0)
                r = mr_json_read(text, strlen(text), "millrace-hostd", &tree, &err);
        if (r >= 0)
                r = protocol_agree(tree, &platform->protocol, &err);
        if (r >= 0)
                r = observation_of_host(TAKE(tree), &observation, &err);
        finish_observe(platform, r, &err, r < 0 ? NULL : &observation);
        return 0;
}

static int rhel_observe(MrPlatform *platform, MrObserved done, void *userdata, MrError *err) {
        int r = connect_bus(platform, err);
        if (r < 0)
                return r;
        if (platform->observed)
                return mr_fail(err, MR_BUG, NULL, "an observation is under way already");
        r = sd_bus_call_method_async(platform->bus, &platform->observe_slot, HOSTD_NAME, HOSTD_PATH,
                                     HOSTD_NAME, "Observe", on_observed, platform, NULL);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot call millrace-hostd");
        platform->observed = done;
        platform->observed_userdata = userdata;
        return 0;
}

static int on_applied(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        MrPlatform *platform = userdata;
        _cleanup_error_ MrError err = {};
        const char *job = NULL;

        (void) error;
        platform->apply_slot = sd_bus_slot_unref(platform->apply_slot);
        int r = fail_call(message, &err);
        if (r >= 0 && sd_bus_message_read(message, "o", &job) < 0)
                r = mr_fail(&err, MR_TRANSIENT, NULL,
                            "the answer of millrace-hostd makes no sense");
        if (r < 0)
                finish_apply(platform, r, &err, 0);
        else
                platform->job = mr_strdup(job);
        return 0;
}

static int rhel_apply(MrPlatform *platform, const MrAction *actions, size_t n, MrApplied done,
                      void *userdata, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *batch = batch_of_actions(actions, n, platform->protocol);
        _cleanup_(mr_buf_wipe) MrBuf text = {};

        int r = connect_bus(platform, err);
        if (r < 0)
                return r;
        if (platform->applied)
                return mr_fail(err, MR_BUG, NULL, "a batch is under way already");
        mr_json_write(batch, 0, &text);
        r = sd_bus_call_method_async(platform->bus, &platform->apply_slot, HOSTD_NAME, HOSTD_PATH,
                                     HOSTD_NAME, "Apply", on_applied, platform, "s",
                                     mr_buf_text(&text));
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot call millrace-hostd");
        platform->applied = done;
        platform->applied_userdata = userdata;
        return 0;
}

static int rhel_open(const MrPlatformOps *ops _unused_, const MrPlatformArgs *args,
                     MrPlatform **ret, MrError *err) {
        MrPlatform *platform = mr_new(MrPlatform, 1);

        (void) err;
        platform->event = sd_event_ref(args->event);
        platform->protocol = PROTOCOL_OLDEST;
        platform->address = mr_strdup(mr_tree_get_string(args->config, "bus"));
        platform->changed = args->changed;
        platform->userdata = args->userdata;
        *ret = platform;
        return 0;
}

static void rhel_close(MrPlatform *platform) {
        sd_bus_slot_unref(platform->observe_slot);
        sd_bus_slot_unref(platform->apply_slot);
        sd_bus_flush_close_unref(platform->bus);
        sd_event_unref(platform->event);
        free(platform->address);
        free(platform->job);
        free(platform);
}

static const MrIgnored ignored[] = {
        {MR_POD, "hosts run units, and neither pods nor containers"},
        {MR_SERVICE, "clients reach the nodes of a host directly"},
        {MR_METADATA, "what is made on hosts carries no labels or annotations"},
        {MR_BUDGET, "nodes of hosts stop one at a time"},
        {MR_PROBE, "systemd restarts what ended, and a node is ready when the cluster says so"},
        {MR_CHOICE,
         "a storage class of a host is one directory, and there is nothing to choose from"},
        {MR_CLASS, "storage classes of a host are in its hostd.yaml"},
        {},
};

static const MrPlatformOps rhel_ops = {
        .struct_size = sizeof(MrPlatformOps),
        .ignored = ignored,
        .lower = rhel_lower,
        .open = rhel_open,
        .close = rhel_close,
        .observe = rhel_observe,
        .tells_changes = true,
        .apply = rhel_apply,
};

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "rhel-baremetal",
        .doc = "Plain systemd hosts: units, files and claims, through millrace-hostd.",
        .platform = &rhel_ops,
};
