/* The nodes of all resources, as the daemon describes them. */

#include "ctl/nodes.h"

#include "ctl/ctl-api.h"
#include "sdk/alloc.h"

static int nodes_of(Ctl *ctl, const MrKind *kind, const char *name, NodeSeen seen, void *userdata) {
        _cleanup_free_ char *target =
                api_own_target(api_namespace(ctl), kind->plural, name, "describe");
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        int r = api_get(ctl, target, &answer, NULL);
        if (r < 0)
                return r;
        const MrTree *nodes = mr_tree_get(answer, "nodes");
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                seen(mr_tree_get_string(mr_tree_at(nodes, i), "name"), userdata);
        return 0;
}

int nodes_each(Ctl *ctl, NodeSeen seen, void *userdata) {
        const Registry *registry;

        int r = ctl_registry(ctl, &registry, NULL);
        for (size_t i = 0; r >= 0 && registry_kinds(registry)[i]; i++) {
                const MrKind *kind = registry_kinds(registry)[i];
                _cleanup_free_ char *target = api_target(kind, api_namespace(ctl), NULL);
                _cleanup_(mr_tree_freep) MrTree *list = NULL;
                if (!mr_kind_is_planned(kind))
                        continue;
                r = api_get(ctl, target, &list, NULL);
                const MrTree *items = mr_tree_get(list, "items");
                for (size_t k = 0; r >= 0 && k < mr_tree_size(items); k++) {
                        const MrTree *metadata = mr_tree_get(mr_tree_at(items, k), "metadata");
                        r = nodes_of(ctl, kind, mr_tree_get_string(metadata, "name"), seen,
                                     userdata);
                }
        }
        return r;
}
