#pragma once

/* Objects on their way into the store: what of an object a user may set, and what the store sets.
 * Pure. */

#include "store/store-private.h"

/* The identity of an object, checked; strings are borrowed from it (or constant). */
typedef struct ObjectKey {
        const char *kind;
        const char *ns;
        const char *name;
} ObjectKey;

int object_key(const MrTree *object, ObjectKey *ret, MrError *err);
/* A copy without status and without what only the store may set; name and namespace are always
 * there. */
MrTree *object_accept(const MrTree *object, const ObjectKey *key);
/* Takes server-side metadata and status over from the stored object. */
void object_inherit(MrTree *object, const MrTree *stored);
/* True when the same but for metadata, status and apiVersion: the generation stays. */
bool object_content_equal(const MrTree *a, const MrTree *b);
