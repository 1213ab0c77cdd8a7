#include "host-units.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

/* systemd answers at once, except when it reloads a host full of units. */
#define CALL_TIMEOUT_USEC UINT64_C(90000000)
/* A signal may get lost when systemd is replaced, so a job that takes long is asked about. */
#define WAIT_POLL_USEC UINT64_C(2000000)

typedef struct UnitsCall UnitsCall;
struct UnitsCall {
        HostUnits *units;
        UnitsCall *next;
        char *unit;
        char *job; /* of systemd, whose end is waited for */
        bool is_waited, is_enable, is_question;
        bool absent_is_done; /* what does not exist is stopped and disabled */
        sd_bus_slot *slot;
        sd_event_source *timer;
        HostUnitsDone done;
        void *userdata;
};

struct HostUnits {
        sd_bus *bus;
        sd_bus_slot *job_removed;
        sd_bus_slot *subscribe;
        UnitsCall *calls; /* owned */
};

static void call_free(UnitsCall *call) {
        sd_bus_slot_unref(call->slot);
        sd_event_source_disable_unref(call->timer);
        free(call->unit);
        free(call->job);
        free(call);
}

static void call_finish(UnitsCall *call, int r, MrError *err) {
        HostUnitsDone done = call->done;
        void *userdata = call->userdata;

        for (UnitsCall **p = &call->units->calls; *p; p = &(*p)->next)
                if (*p == call) {
                        *p = call->next;
                        break;
                }
        call_free(call);
        done(userdata, r, err);
}

static const struct {
        const char *name;
        MrErrorKind kind;
        const char *text; /* "%s" is the unit */
} failures[] = {
        {SYSTEMD_NAME ".UnitMasked", MR_DENIED,
         "%s is masked, so it stays down; run: systemctl unmask %s"},
        {SYSTEMD_NAME ".NoSuchUnit", MR_INVALID,
         "there is no template for %s; install the units of millrace"},
        {SYSTEMD_NAME ".BadUnitSetting", MR_INVALID,
         "systemd refuses a setting of %s; run: systemctl cat %s"},
        {SYSTEMD_NAME ".LoadFailed", MR_INVALID,
         "systemd cannot load %s; run: systemctl status %s"},
        {SYSTEMD_NAME ".ShuttingDown", MR_TRANSIENT, "the host shuts down, so %s is left alone"},
        {SD_BUS_ERROR_FILE_NOT_FOUND, MR_INVALID,
         "there is no template for %s; install the units of millrace"},
        {SD_BUS_ERROR_ACCESS_DENIED, MR_DENIED,
         "systemd does not let millrace-hostd touch %s; it must run as root"},
};

int host_units_fail(MrError *err, const sd_bus_error *error, const char *unit) {
        const char *message = error->message ? error->message : error->name;

        for (size_t i = 0; i < MR_ELEMENTS(failures); i++)
                if (unit && mr_streq(error->name, failures[i].name)) {
                        _cleanup_buf_ MrBuf text = {};

                        for (const char *p = failures[i].text; *p; p++)
                                if (p[0] == '%' && p[1] == 's') {
                                        mr_buf_puts(&text, unit);
                                        p++;
                                } else
                                        mr_buf_putc(&text, *p);
                        return mr_fail(err, failures[i].kind, NULL, "%s", mr_buf_text(&text));
                }
        return mr_fail(err, MR_TRANSIENT, NULL, "systemd did not do it for %s: %s",
                       unit ? unit : "this host", message ? message : "no answer");
}

/* The end of a job: up, down, or gone from systemd's memory, which is the same as down. */
static int wait_polled(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitsCall *call = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const char *type = NULL;

        (void) ret_error;
        if (sd_bus_message_is_method_error(m, NULL)) {
                call_finish(call, 0, &err);
                return 0;
        }
        if (sd_bus_message_read(m, "v", "s", &type) >= 0 &&
            (mr_streq(type, "inactive") || mr_streq(type, "failed") ||
             (!call->absent_is_done && mr_streq(type, "active"))))
                call_finish(call, 0, &err);
        return 0;
}

static int wait_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        UnitsCall *call = userdata;
        _cleanup_free_ char *path = NULL;

        (void) usec;
        call->slot = sd_bus_slot_unref(call->slot);
        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", call->unit, &path) >= 0)
                (void) sd_bus_call_method_async(call->units->bus, &call->slot, SYSTEMD_NAME, path,
                                                "org.freedesktop.DBus.Properties", "Get",
                                                wait_polled, call, "ss", SYSTEMD_UNIT,
                                                "ActiveState");
        (void) sd_event_source_set_time_relative(source, WAIT_POLL_USEC);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

static int wait_begin(UnitsCall *call, const char *job) {
        call->job = mr_strdup(job);
        return sd_event_add_time_relative(sd_bus_get_event(call->units->bus), &call->timer,
                                          CLOCK_MONOTONIC, WAIT_POLL_USEC, 0, wait_poll, call);
}

static int enable_answer(sd_bus_message *m) {
        int carries = 0;

        if (sd_bus_message_read(m, "b", &carries) < 0 ||
            sd_bus_message_enter_container(m, 'a', "(sss)") < 0)
                return 0;
        return sd_bus_message_at_end(m, 0) == 0;
}

static int reload_answer(sd_bus_message *m) {
        int outdated = 0;

        return sd_bus_message_read(m, "v", "b", &outdated) >= 0 && outdated;
}

static bool error_is_answer(const UnitsCall *call, const char *name) {
        if (call->is_question)
                return mr_streq(name, SYSTEMD_NAME ".NoSuchUnit");
        if (call->is_enable)
                return mr_streq(name, SYSTEMD_NAME ".UnitMasked");
        return call->absent_is_done && (mr_streq(name, SYSTEMD_NAME ".NoSuchUnit") ||
                                        mr_streq(name, SD_BUS_ERROR_FILE_NOT_FOUND));
}

static int call_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        UnitsCall *call = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const sd_bus_error *error = sd_bus_message_get_error(m);
        const char *job = NULL;
        int r = 0;

        (void) ret_error;
        call->slot = sd_bus_slot_unref(call->slot);
        if (error) {
                if (!error_is_answer(call, error->name))
                        r = host_units_fail(&err, error, call->unit);
        } else if (call->is_question)
                r = reload_answer(m);
        else if (call->is_enable)
                r = enable_answer(m);
        else if (call->is_waited && sd_bus_message_read(m, "o", &job) >= 0 &&
                 wait_begin(call, job) >= 0)
                return 0;
        call_finish(call, r, &err);
        return 0;
}

static int job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        HostUnits *units = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const char *job = NULL;
        uint32_t id;

        (void) ret_error;
        if (sd_bus_message_read(m, "uo", &id, &job) < 0)
                return 0;
        for (UnitsCall *call = units->calls; call; call = call->next)
                if (call->job && mr_streq(call->job, job)) {
                        call_finish(call, 0, &err);
                        break;
                }
        return 0;
}

static UnitsCall *call_new(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata) {
        UnitsCall *call = mr_new(UnitsCall, 1);

        *call = (UnitsCall){.units = units,
                            .next = units->calls,
                            .unit = mr_strdup(unit),
                            .done = done,
                            .userdata = userdata};
        units->calls = call;
        return call;
}

static int message_new(HostUnits *units, const char *member, sd_bus_message **ret) {
        return sd_bus_message_new_method_call(units->bus, ret, SYSTEMD_NAME, SYSTEMD_PATH,
                                              SYSTEMD_MANAGER, member);
}

/* Consumes `r`, the result of building the message, and the call when it cannot be sent. */
static int call_send(UnitsCall *call, int r, sd_bus_message *m, MrError *err) {
        if (r >= 0)
                r = sd_bus_call_async(call->units->bus, &call->slot, m, call_answered, call,
                                      CALL_TIMEOUT_USEC);
        if (r >= 0)
                return 0;
        call->units->calls = call->next;
        call_free(call);
        return mr_fail(err, MR_TRANSIENT, NULL, "cannot ask systemd: %s", strerror(-r));
}

#define _cleanup_message_ _cleanup_(message_unref)

static void message_unref(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}

typedef enum Wait {
        WAIT_NOT,
        WAIT_UP,
        WAIT_DOWN,
} Wait;

static int job_call(HostUnits *units, const char *member, const char *unit, Wait wait,
                    HostUnitsDone done, void *userdata, MrError *err) {
        UnitsCall *call = call_new(units, unit, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;

        call->is_waited = wait != WAIT_NOT;
        call->absent_is_done = wait == WAIT_DOWN;
        int r = message_new(units, member, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", unit, "replace");
        return call_send(call, r, m, err);
}

int host_units_start(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                     MrError *err) {
        return job_call(units, "StartUnit", unit, WAIT_NOT, done, userdata, err);
}

int host_units_bring_up(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                        MrError *err) {
        return job_call(units, "StartUnit", unit, WAIT_UP, done, userdata, err);
}

int host_units_restart(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                       MrError *err) {
        return job_call(units, "RestartUnit", unit, WAIT_NOT, done, userdata, err);
}

int host_units_stop(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                    MrError *err) {
        return job_call(units, "StopUnit", unit, WAIT_DOWN, done, userdata, err);
}

int host_units_begin_stop(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                          MrError *err) {
        return job_call(units, "StopUnit", unit, WAIT_NOT, done, userdata, err);
}

int host_units_enable(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                      MrError *err) {
        UnitsCall *call = call_new(units, unit, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;

        call->is_enable = true;
        int r = message_new(units, "EnableUnitFiles", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "asbb", 1, unit, false, false);
        return call_send(call, r, m, err);
}

int host_units_disable(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                       MrError *err) {
        UnitsCall *call = call_new(units, unit, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;

        call->absent_is_done = true;
        int r = message_new(units, "DisableUnitFiles", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "asb", 1, unit, false);
        return call_send(call, r, m, err);
}

int host_units_forget(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                      MrError *err) {
        UnitsCall *call = call_new(units, unit, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;

        call->absent_is_done = true;
        int r = message_new(units, "ResetFailedUnit", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", unit);
        return call_send(call, r, m, err);
}

int host_units_is_outdated(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                           MrError *err) {
        UnitsCall *call = call_new(units, unit, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_free_ char *path = NULL;

        call->is_question = true;
        int r = sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_call(units->bus, &m, SYSTEMD_NAME, path,
                                                   "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(m, "ss", SYSTEMD_UNIT, "NeedDaemonReload");
        return call_send(call, r, m, err);
}

int host_units_reload(HostUnits *units, HostUnitsDone done, void *userdata, MrError *err) {
        UnitsCall *call = call_new(units, NULL, done, userdata);
        _cleanup_message_ sd_bus_message *m = NULL;
        int r = message_new(units, "Reload", &m);

        return call_send(call, r, m, err);
}

static int subscribed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        (void) m;
        (void) userdata;
        (void) ret_error;
        return 0;
}

int host_units_new(sd_bus *bus, HostUnits **ret, MrError *err) {
        _cleanup_(host_units_freep) HostUnits *units = mr_new(HostUnits, 1);

        units->bus = bus;
        int r = sd_bus_match_signal_async(bus, &units->job_removed, SYSTEMD_NAME, SYSTEMD_PATH,
                                          SYSTEMD_MANAGER, "JobRemoved", job_removed, NULL, units);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, &units->subscribe, SYSTEMD_NAME, SYSTEMD_PATH,
                                             SYSTEMD_MANAGER, "Subscribe", subscribed, units, NULL);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot listen to systemd");
        *ret = TAKE(units);
        return 0;
}

HostUnits *host_units_free(HostUnits *units) {
        if (!units)
                return NULL;
        while (units->calls) {
                UnitsCall *call = units->calls;

                units->calls = call->next;
                call_free(call);
        }
        sd_bus_slot_unref(units->job_removed);
        sd_bus_slot_unref(units->subscribe);
        free(units);
        return NULL;
}
