#pragma once

/* A pass as data: everything its plan was made from, and the plan itself, so that it can be made
 * again elsewhere. No secret is in it: each value is masked wherever it stands, and what was made
 * of it (digests of files, fingerprints of processes) becomes what would have been made of the
 * mask. So the same steps follow from the masked facts, which record_make() has tried. Pure.
 *
 * {"version": 1, "document": {…}, "resources": [{…}], "facts": {…}, "found": [{…}], "holds": {…},
 *  "restarts": {…}, "discards": {…}, "paused": …, "grace": …, "steps": [{…}], "faithful": true} */

#include "desire.h"
#include "plugin.h"

typedef struct RecordArgs {
        const Registry *registry;
        const MrPlatformOps *platform;
        const Document *document;
        const MrFacts *facts;
        const MrManifests *observed;
        const MrPairs *holds, *restarts, *discards;
        const char *paused;
        int64_t grace_sec;
} RecordArgs;

int record_make(const RecordArgs *args, MrTree **ret, MrError *err) _must_check_;
/* The steps that follow from what is recorded. */
int record_replay(const Registry *registry, const MrPlatformOps *platform, const MrTree *record,
                  MrTree **ret_steps, MrError *err) _must_check_;
