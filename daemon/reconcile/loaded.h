#pragma once

/* What the process of a node has read of its files: a stage of a rotation ends when every node
 * works with what the stage has written. Pure. */

#include "facts.h"
#include "manifest.h"
#include "part.h"

typedef struct Loading {
        const char *ns;
        const MrParts *parts;
        const MrFacts *facts;
        const MrManifests *wanted;   /* lowered by the platform */
        const MrManifests *observed; /* NULL: a plan on paper */
        MrArena *arena;
} Loading;

/* Why the node does not work with the file as it is wanted, for people; NULL when it does. A node
 * that does not run reads its files when it starts, so they only have to be there. */
const char *loaded_waits(const Loading *loading, const MrFile *file);
/* The same of every file that refers to this key of a secret; `key` NULL: to any of its keys. */
const char *loaded_waits_for(const Loading *loading, const char *secret, const char *key);
/* Whether the file NODE/NAME is on the host as wanted, its node runs, and what that shows is known
 * and something else: it has to be told. */
bool loaded_is_late(const Loading *loading, const char *name);
/* Whether the node shows a certificate that has ended, and would show one that has not if it
 * restarted. */
bool loaded_outlives(const Loading *loading, const char *node);
