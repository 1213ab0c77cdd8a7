#pragma once

/* References the core resolves itself, from the addresses a platform has given: "@{addr:NODE}",
 * "@{host:NODE/ENDPOINT}", "@{port:NODE/ENDPOINT}", and "@{secret:NAME/KEY}" from the facts. */

#include "facts.h"
#include "manifest.h"

/* Returns 1 when something is not known yet; *ret (in the arena) is then incomplete. `facts` may be
 * NULL. */
int reference_text(const char *text, const MrManifests *manifests, const MrFacts *facts,
                   MrArena *arena, const char **ret, MrError *err) _must_check_;
/* Every string of a tree, in place. Of a text "A,B" what is known is told; what is not known is
 * left out, and with it the element of a list that says nothing else. */
int reference_tree(MrTree *tree, const MrManifests *manifests, MrError *err) _must_check_;
