#pragma once

/* What is known of each unit from one look to the next. systemd says when a property of a unit
 * changes, so what it answered holds until then and is not asked again: asking for five properties
 * of six units was half of what a look took. And systemd forgets a stopped unit, and with it since
 * when it is stopped, unless somebody refers to it: it is referred to while it is known. */

#include <systemd/sd-bus.h>

#include "host-unit-state.h"
#include "sdk/macros.h"

typedef struct HostKnown HostKnown;

/* `bus`, borrowed, has asked systemd for its signals (host_units_new()). */
HostKnown *host_known_new(sd_bus *bus);
HostKnown *host_known_free(HostKnown *known);
DEFINE_CLEANUP(HostKnown *, host_known_free);

/* Copies what is known into `state`, whose load, active and sub are those of systemd's list and
 * must be the same still. False: ask, and say the answer with host_known_learn(). NeedDaemonReload
 * is never known: systemd does not say when it changes. */
bool host_known_recall(HostKnown *known, const char *unit, HostUnitState *state);
/* An answer that is none. */
#define HOST_KNOWN_NEVER UINT64_MAX
/* Answers that came before a change are of no use: they are not learnt. */
void host_known_learn(HostKnown *known, const char *unit, const HostUnitState *state);
/* Forgets the units of which `is_wanted` says no. */
void host_known_keep(HostKnown *known, bool (*is_wanted)(const char *unit, void *userdata),
                     void *userdata);
