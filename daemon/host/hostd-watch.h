#pragma once

/* Notices that something changed: the state of a unit, a file of a node, a drop-in, a mask, a
 * distribution. Only the units of instances are listened to, so what else happens on the host costs
 * nothing. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "host-config.h"

typedef struct HostWatch HostWatch;
/* `instance` is "" when it may be any. Changes that come together are told once, a moment later. */
typedef void (*HostWatchChanged)(void *userdata, const char *instance);

/* `root` is borrowed. */
int host_watch_new(sd_event *event, sd_bus *bus, const char *root, HostWatchChanged changed,
                   void *userdata, HostWatch **ret, MrError *err) _must_check_;
HostWatch *host_watch_free(HostWatch *watch);
DEFINE_CLEANUP(HostWatch *, host_watch_free);
/* Looks again which instances there are, and listens to those. */
void host_watch_refresh(HostWatch *watch, const HostConfig *config);
