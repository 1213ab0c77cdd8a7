#pragma once

/* The differences between wanted and found manifests: a merge of two sorted lists. */

#include "plan.h"

typedef struct Change {
        MrVerb verb; /* CREATE, UPDATE or REMOVE */
        const MrManifest *wanted;
        const MrManifest *found;
        const char *node;
        const char *subject;
        const char *reason;
        const char *pending;
        bool is_repair;
        bool is_limit; /* among what differs is a limit that changes in place */
} Change;

typedef struct Diff Diff;

/* Texts live in `arena`. Sorted by rank, then kind and name. */
int diff_make(MrArena *arena, const PlanInput *input, Diff **ret, MrError *err) _must_check_;
Diff *diff_free(Diff *diff);
DEFINE_CLEANUP(Diff *, diff_free);
size_t diff_size(const Diff *diff);
const Change *diff_at(const Diff *diff, size_t i);
/* In words, why a running node has to restart: the settings that differ, else the objects that
 * changed. */
const char *diff_restart_reason(MrArena *arena, const Diff *diff, const MrNodeWanted *wanted,
                                const MrNodeFact *fact);
