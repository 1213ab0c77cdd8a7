#pragma once

/* One look at a running system with the client of its protocol, and one alteration of its settings.
 * This is the only place where protocols have names. */

#include <systemd/sd-event.h>

#include "sdk/facts.h"
#include "sdk/manifest.h"
#include "sdk/operand.h"

typedef struct Look Look;

/* What was seen, or a map with "error"; called once from the loop, never from look_new(). */
typedef void (*LookSeen)(void *userdata, MrTree *take_tree);

int look_new(sd_event *event, const MrProbe *probe, const MrManifests *wanted, const MrFacts *facts,
             LookSeen seen, void *userdata, Look **ret, MrError *err) _must_check_;
Look *look_free(Look *look); /* no callback any more; takes and returns NULL */

typedef struct Alteration Alteration;
typedef void (*AlterationDone)(void *userdata, int r, const MrError *err);

/* All settings are of the probe's protocol. */
int alteration_new(sd_event *event, const MrProbe *probe, const MrManifests *wanted,
                   const MrFacts *facts, const MrSetting *settings, size_t n, AlterationDone done,
                   void *userdata, Alteration **ret, MrError *err) _must_check_;
Alteration *alteration_free(Alteration *alteration);
