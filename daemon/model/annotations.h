#pragma once

/* Annotations that ask the core for something, whatever the kind of the resource. They are named as
 * users of Strimzi know them. */

#include "resource.h"
#include "str.h"

/* "true": nothing is done for the resource until it is gone. */
#define ANNOTATION_PAUSE "strimzi.io/pause-reconciliation"
/* Any value but "false": all nodes restart once, one by one; another value asks again. */
#define ANNOTATION_ROLL "strimzi.io/manual-rolling-update"
/* Names of nodes, with commas between them: the data of each is given up once, and it begins anew.
 */
#define ANNOTATION_DISCARD "strimzi.io/delete-pod-and-pvc"

/* On a Secret: its certificate is made anew; of an authority, its key. */
#define ANNOTATION_RENEW "strimzi.io/force-renew"
#define ANNOTATION_REPLACE "strimzi.io/force-replace"

static inline bool resource_is_paused(const MrResource *resource) {
        return !resource->is_deleted &&
               mr_streq(mr_pairs_get(&resource->annotations, ANNOTATION_PAUSE), "true");
}
