#pragma once

/* What happened to which resource, for `millctl describe` and the events of the local API. The last
 * thousand are kept in memory; the journal keeps them all. */

#include "sdk/tree.h"

typedef struct Events Events;

Events *events_new(void);
Events *events_free(Events *events);
/* `type` is "Normal" or "Warning"; node may be NULL. An event equal to the newest one of the
 * resource only counts up. */
void events_add(Events *events, const char *resource, const char *node, const char *type,
                const char *reason, const char *message);
/* Newest last: a list of maps {time, resource, node, type, reason, message, count}. */
MrTree *events_of(const Events *events, const char *resource);
