#pragma once

/* systemd, asked over the bus. Nothing here waits: each function starts one thing and `done` is
 * called once, later, from the event loop, with 0 or a positive answer, or a negative errno and an
 * error. */

#include <systemd/sd-bus.h>

#include "sdk/error.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT "org.freedesktop.systemd1.Unit"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"

typedef struct HostUnits HostUnits;
typedef void (*HostUnitsDone)(void *userdata, int r, const MrError *err);

/* `bus` is borrowed and must be attached to its event loop. Asks systemd to send its signals to us.
 */
int host_units_new(sd_bus *bus, HostUnits **ret, MrError *err) _must_check_;
HostUnits *host_units_free(
        HostUnits *units); /* what is under way is forgotten: no callback comes any more */
DEFINE_CLEANUP(HostUnits *, host_units_free);

/* Each of these fails at once only when the bus is gone. */
int host_units_start(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                     MrError *err) _must_check_;
/* Done when the unit is up, has ended or has failed; which of these it is, its effect tells. */
int host_units_bring_up(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                        MrError *err) _must_check_;
int host_units_restart(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                       MrError *err) _must_check_;
/* Done when the unit is down. */
int host_units_stop(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                    MrError *err) _must_check_;
/* Done when systemd was told: the unit may take its time to end. */
int host_units_begin_stop(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                          MrError *err) _must_check_;
/* A masked unit counts as enabled: the administrator has the last word. */
int host_units_enable(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                      MrError *err) _must_check_;
int host_units_disable(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                       MrError *err) _must_check_;
/* A failure of the unit is no longer remembered. */
int host_units_forget(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                      MrError *err) _must_check_;
/* Answers 1 when systemd goes by older files of the unit than there are, and 0 when it knows them
 * or will read them anew. */
int host_units_is_outdated(HostUnits *units, const char *unit, HostUnitsDone done, void *userdata,
                           MrError *err) _must_check_;
int host_units_reload(HostUnits *units, HostUnitsDone done, void *userdata,
                      MrError *err) _must_check_;

/* Turns an error of systemd into one with advice; `unit` may be NULL. Returns the negative errno.
 */
int host_units_fail(MrError *err, const sd_bus_error *error, const char *unit);
