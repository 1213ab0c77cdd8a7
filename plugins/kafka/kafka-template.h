#pragma once

/* Templates of host names and ports of brokers. */

#include "alloc.h"
#include "error.h"

/* "broker-{nodeId}.example.com" → "broker-3.example.com". {nodePodName} stands for the node. */
const char *template_host(MrArena *arena, const char *text, int64_t id, const char *node);
/* "9000 + 10 * {nodeId}" → 9030. The number takes the place of {nodeId} before anything is
 * computed, so "90{nodeId}" is 903. */
int template_port(const char *text, int64_t id, int64_t *ret, MrError *err);
/* Whether a host's template holds no placeholder but those two. */
int template_host_check(const char *text, MrError *err);
