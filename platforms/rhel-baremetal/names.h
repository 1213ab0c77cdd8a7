#pragma once

/* How nodes and claims of a namespace are called on a host; see daemon/host/README.md. */

#include "alloc.h"

#define NODE_BASE "/etc/millrace/nodes"
#define DATA_BASE "/var/lib/millrace-data"
#define DISTRIBUTION_BASE "/var/lib/millrace-dist"
#define DEFAULT_STORAGE_CLASS "directory"

/* NODE in the namespace default, NS_NODE elsewhere. */
const char *instance_name(MrArena *arena, const char *ns, const char *node);
/* The namespace and the plain name an instance or claim name stands for; both live in the arena. */
void instance_split(MrArena *arena, const char *instance, const char **ret_ns,
                    const char **ret_node);
