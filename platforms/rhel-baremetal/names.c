/* Names of instances and claims. No Kubernetes name contains '_', so it separates the namespace. */

#include "names.h"

#include <string.h>

#include "str.h"

const char *instance_name(MrArena *arena, const char *ns, const char *node) {
        if (!ns || mr_is_empty(ns) || mr_streq(ns, "default"))
                return node;
        return mr_arena_strf(arena, "%s_%s", ns, node);
}

void instance_split(MrArena *arena, const char *instance, const char **ret_ns,
                    const char **ret_node) {
        const char *separator = strchr(instance, '_');

        *ret_ns = separator ? mr_arena_strndup(arena, instance, (size_t) (separator - instance))
                            : mr_arena_strdup(arena, "default");
        *ret_node = mr_arena_strdup(arena, separator ? separator + 1 : instance);
}
