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
