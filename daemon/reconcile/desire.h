#pragma once

/* The middle of a pass, all of it pure: a resource and facts in, everything one pass needs to know
 * out. The operands say what should exist, the platform what that means there, and the core adds
 * what is the same everywhere. */

#include "model/registry.h"
#include "plan.h"

typedef struct Desire {
        MrArena *arena;
        MrParts *parts;
        MrManifests *wanted;
        MrManifests *found; /* what concerns this resource: copies */
        MrHealth health;
        MrProbes probes;
        const char *owner; /* mark on storage and nodes: "default/my-cluster"; NULL: it owns none */
        MrTree *status;    /* the operands' fields */
} Desire;

/* `observed` (may be NULL: a plan on paper) is everything the platform has seen. */
int desire_make(const Registry *registry, const MrPlatformOps *platform, const Document *document,
                const MrFacts *facts, const MrManifests *observed, Desire **ret,
                MrError *err) _must_check_;
Desire *desire_free(Desire *desire);
DEFINE_CLEANUP(Desire *, desire_free);
