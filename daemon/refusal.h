#pragma once

/* The status of a resource that is not valid. Pure. */

#include "sdk/error.h"
#include "sdk/tree.h"

/* Why a resource is refused: a map {message, generation, since}. What says the same as `before`
 * (the refusal until now, may be NULL) or as the status it has keeps its time. */
MrTree *refusal_new(const MrTree *resource, const MrError *err, const MrTree *before,
                    int64_t now_sec);
/* The status as it was (NULL: there was none) with the refusal in it. */
MrTree *refusal_status(const MrTree *refusal, const MrTree *status);
