#pragma once

/* Lists of node ids as annotations hold them: "[0, 2, 10-20, 1999-1990]". A range runs in the
 * direction it is written in. */

#include <stdbool.h>

#include "alloc.h"
#include "error.h"

typedef struct NodeIdRange {
        int64_t first, last;
} NodeIdRange;

typedef struct NodeIds {
        NodeIdRange *ranges;
        size_t n;
} NodeIds;

/* Fails with what is wrong; NULL is an empty list. */
int node_ids_parse(MrArena *arena, const char *text, NodeIds *ret, MrError *err) _must_check_;
/* The first id, in the order of the list, that `fits`; -1 when none does. */
int64_t node_ids_first(const NodeIds *ids, bool (*fits)(int64_t id, void *userdata),
                       void *userdata);
