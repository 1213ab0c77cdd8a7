#pragma once

/* One answer to Observe: what lies on disk for every instance and claim, joined with what systemd
 * says of the units. Files are read at once; systemd is asked for all units at the same time. When
 * systemd does not answer there is no answer at all, because half of the truth would look like
 * nodes that are gone. */

#include <systemd/sd-bus.h>

#include "host-config.h"
#include "sdk/tree.h"

typedef struct HostObserver HostObserver;
/* `text` is JSON, borrowed; NULL when r is negative. */
typedef void (*HostObserved)(void *userdata, int r, const MrError *err, const char *text);

/* `bus` and `root` are borrowed. */
HostObserver *host_observer_new(sd_bus *bus, const char *root);
/* What is under way is forgotten: no callback comes any more. */
HostObserver *host_observer_free(HostObserver *observer);
DEFINE_CLEANUP(HostObserver *, host_observer_free);
/* Another configuration is in force from now on. */
void host_observer_reconfigured(HostObserver *observer);
/* `config` is borrowed until `done` was called. Several may be under way. */
int host_observer_run(HostObserver *observer, const HostConfig *config, HostObserved done,
                      void *userdata, MrError *err) _must_check_;
bool host_observer_is_busy(const HostObserver *observer);

/* What systemd says of one unit. */
typedef struct HostUnitState {
        bool is_loaded;
        int32_t is_outdated;       /* systemd has not read the unit's files as they are now */
        char *load, *active, *sub; /* owned */
        char *status;              /* the unit's own words, owned; may be NULL */
        char *result;              /* "success", "exit-code" …; owned; may be NULL */
        int32_t exit_code;         /* si_code of the main process that ended */
        int32_t exit_status;
        uint64_t since_usec;
        uint32_t pid;
        uint32_t restarts;
} HostUnitState;

void host_unit_state_done(HostUnitState *state);
/* One of the names in README.md. */
const char *host_unit_state_name(const HostUnitState *state, bool is_masked, bool has_manifest);
/* A sentence for people; the caller frees. */
char *host_unit_state_message(const HostUnitState *state, const char *unit);
