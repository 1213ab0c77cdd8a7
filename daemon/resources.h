#pragma once

/* Resources that the platform keeps itself, as an API server does: what it tells goes into the
 * store, and the status the engine writes there goes back. What is not valid is said in its status,
 * and what was there before stays in force. */

#include "model/registry.h"
#include "store/store.h"

typedef struct Resources Resources;

Resources *resources_new(const Registry *registry, Store *store);
Resources *resources_free(Resources *resources);
DEFINE_CLEANUP(Resources *, resources_free);
/* For the platform that is opened. */
const MrFollowing *resources_following(const Resources *resources);
/* Nothing is told before the loop runs, and by then it is known which platform it is. */
void resources_attach(Resources *resources, const MrPlatformOps *ops, MrPlatform *platform);
/* From now on this program is the one that acts. Until then somebody else may be writing to the
 * resources, and what their status says is taken over. */
void resources_activate(Resources *resources);
/* How many resources of the platform are refused now. */
size_t resources_refused(const Resources *resources);
