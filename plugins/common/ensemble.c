/* How many members an ensemble has, from the spec and from what runs. */

#include "ensemble.h"

#include <inttypes.h>

#include "str.h"

/* What the first running member was started with; 0 when none runs. */
static int64_t running_members(const char *cluster, int64_t asked, const MrFacts *facts) {
        const MrTree *settings = NULL;
        int64_t n = 0;

        for (int64_t i = 0; i < asked && !settings; i++) {
                _cleanup_free_ char *node = mr_strf("%s-zookeeper-%" PRId64, cluster, i);
                const MrNodeFact *fact = mr_facts_node(facts, node);
                settings = fact ? fact->settings : NULL;
        }
        for (size_t i = 0; i < mr_tree_size(settings); i++)
                n += mr_starts_with(mr_tree_key(settings, i), "server.");
        return n;
}

int64_t ensemble_members(const MrResource *resource, const MrFacts *facts) {
        int64_t asked =
                mr_tree_int(mr_tree_find(resource->tree, "spec.zookeeper.replicas", false), 0);
        int64_t running = running_members(resource->name, asked, facts);

        return running > 0 ? running : asked;
}
