#pragma once

/* Labels, annotations and owners of what is made for a cluster, and the details of a `template`. */

#include "cluster.h"

/* The labels of a component ("kafka") of the cluster and its owner, which is the cluster itself
 * when `owner` is NULL. */
MrTags cluster_tags(MrArena *arena, const MrResource *resource, const MrResource *owner,
                    const char *component);
/* Of an authority ("certificate-authority") and of what millrace itself needs ("strimzi"): they
 * belong to no component that runs. */
MrTags cluster_own_tags(MrArena *arena, const MrResource *resource, const char *component);
/* Of the labels of a component those by which its nodes are found. */
MrPairs cluster_selector(MrArena *arena, const MrResource *resource, const char *component);
void tags_label(MrArena *arena, MrTags *tags, const char *key, const char *value);
void tags_annotate(MrArena *arena, MrTags *tags, const char *key, const char *value);
/* The scalars of a map a user wrote: labels or annotations. */
void tags_add(MrArena *arena, MrPairs *pairs, const MrTree *map);
