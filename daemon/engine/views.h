#pragma once

/* What probes have seen of the running system behind one resource. Looking takes time and never
 * blocks: the engine plans with what is there, asks for a new look when it needs one, and is called
 * when it has come. */

#include <systemd/sd-event.h>

#include "model/facts.h"
#include "sdk/manifest.h"
#include "sdk/operand.h"

typedef struct Views Views;

/* `changed` is called when a look has ended, whatever it saw. */
Views *views_new(sd_event *event, void (*changed)(void *userdata), void *userdata);
Views *views_free(Views *views);
DEFINE_CLEANUP(Views *, views_free);

/* Begins a look, unless one is under way. Addresses come from `wanted`, credentials from `facts`;
 * nothing is borrowed. A probe whose credentials or addresses are not there yet sees nothing. */
void views_look(Views *views, const MrProbes *probes, const MrManifests *wanted,
                const MrFacts *facts);
bool views_are_looking(const Views *views);
/* When the look began that the present views come from (monotonic usec); 0: there is none. */
uint64_t views_since(const Views *views);
/* Whether something was altered since the last look, so that it has to be read back. */
bool views_are_outdated(const Views *views);
/* Forgets everything: nothing runs that could be seen. */
void views_clear(Views *views);
void views_add_facts(const Views *views, MrFacts *facts);

/* Alters dynamic settings of the running system: all of one protocol, in one call. One at a time.
 */
typedef void (*ViewsAltered)(void *userdata, int r, const MrError *err);
int views_alter(Views *views, const MrProbe *probe, const MrManifests *wanted, const MrFacts *facts,
                const MrSetting *settings, size_t n, ViewsAltered done, void *userdata,
                MrError *err);
