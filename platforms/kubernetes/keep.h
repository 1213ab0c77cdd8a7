#pragma once

/* The Secrets of the cluster are the memory of a daemon that has none of its own: beside its
 * values, each says in an annotation what is noted of it. Pure. */

#include "lower.h"

/* A map: notes, and which of its keys signs. */
#define KEPT_ANNOTATION "millrace.io/kept"

/* lower-keep.c: the text of the annotation for a secret of the core. Memory from `arena`. */
const char *lower_keep_note(const MrFacts *facts, const char *ns, const char *name, MrArena *arena);
/* What MrKept is told of this object; NULL when it is no copy of a secret of the core. */
MrTree *keep_read(const MrTree *object);
