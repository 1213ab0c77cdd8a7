/* Facts as data: what a pass knew can be kept, and the pass made again. */

#include <string.h>

#include "facts-private.h"
#include "str.h"

size_t facts_resources(const MrFacts *facts) {
        return facts->n_resources;
}

const MrResource *facts_resource_at(const MrFacts *facts, size_t i) {
        return i < facts->n_resources ? facts->resources[i] : NULL;
}

/* The map facts_add_node() reads. */
static MrTree *tree_of_node(const MrNodeFact *node) {
        MrTree *map = mr_tree_new_map();

        mr_tree_set_string(map, "state", mr_node_state_name(node->state));
        mr_tree_set_int(map, "since", node->since);
        mr_tree_set_string(map, "message", node->message);
        mr_tree_set_string(map, "fingerprint", node->fingerprint);
        mr_tree_set(map, "settings", node->settings ? mr_tree_copy(node->settings) : NULL);
        mr_tree_set_string(map, "address", node->address);
        mr_tree_set_string(map, "machine", node->machine);
        mr_tree_set_string(map, "where", node->where);
        mr_tree_set_int(map, "restarts", node->restarts);
        mr_tree_set_int(map, "pid", node->pid);
        mr_tree_set_string(map, "owner", node->owner);
        mr_tree_set_string(map, "role", node->role);
        mr_tree_set_string(map, "version", node->version);
        mr_tree_set(map, "applied", node->applied ? mr_tree_copy(node->applied) : NULL);
        return map;
}

MrTree *facts_to_tree(const MrFacts *facts) {
        MrTree *tree = mr_tree_new_map();

        mr_tree_set_int(tree, "now", facts->now);
        mr_tree_set_int(tree, "day", facts->day_sec);
        mr_tree_set_string(tree, "platform", facts->platform);
        mr_tree_set_string(tree, "namespace", facts->ns);
        mr_tree_set(tree, "secrets", mr_pairs_tree(&facts->secrets));
        mr_tree_set(tree, "annotations", mr_pairs_tree(&facts->annotations));
        mr_tree_set(tree, "remembered", mr_pairs_tree(&facts->remembered));
        MrTree *nodes = mr_tree_need_list(tree, "nodes");
        for (size_t i = 0; i < facts->n_nodes; i++) {
                MrTree *node = mr_tree_append(nodes, tree_of_node(&facts->nodes[i]));
                mr_tree_set_string(node, "name", facts->nodes[i].node);
        }
        mr_tree_set(tree, "claims", facts->claims ? mr_tree_copy(facts->claims) : NULL);
        mr_tree_set(tree, "host", facts->host ? mr_tree_copy(facts->host) : NULL);
        MrTree *views = mr_tree_need_map(tree, "views");
        for (size_t i = 0; i < facts->n_views; i++)
                mr_tree_set(views, facts->views[i].probe,
                            facts->views[i].view ? mr_tree_copy(facts->views[i].view) : NULL);
        return tree;
}

static const MrTree *known(const MrTree *tree) {
        return mr_tree_type(tree) == MR_TREE_NULL ? NULL : tree;
}

static void pairs_of_tree(MrArena *arena, const MrTree *map, MrPairs *ret) {
        for (size_t i = 0; i < mr_tree_size(map); i++)
                mr_pairs_set(arena, ret, mr_arena_strdup(arena, mr_tree_key(map, i)),
                             mr_arena_strdup(arena, mr_tree_string(mr_tree_at(map, i))));
}

MrFacts *facts_of_tree(const MrTree *tree) {
        MrFacts *facts =
                facts_new(mr_tree_get_int(tree, "now", 0), mr_tree_get_string(tree, "platform"));
        const MrTree *nodes = mr_tree_get(tree, "nodes"), *views = mr_tree_get(tree, "views");
        const char *ns = mr_tree_get_string(tree, "namespace");

        facts_set_day(facts, mr_tree_get_int(tree, "day", 0));
        pairs_of_tree(facts->arena, mr_tree_get(tree, "secrets"), &facts->secrets);
        pairs_of_tree(facts->arena, mr_tree_get(tree, "annotations"), &facts->annotations);
        pairs_of_tree(facts->arena, mr_tree_get(tree, "remembered"), &facts->remembered);
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                facts_add_node(facts, mr_tree_get_string(mr_tree_at(nodes, i), "name"),
                               mr_tree_at(nodes, i));
        if (ns)
                facts_set_claims(facts, ns, known(mr_tree_get(tree, "claims")));
        facts_set_host(facts, known(mr_tree_get(tree, "host")));
        for (size_t i = 0; i < mr_tree_size(views); i++)
                facts_set_view(facts, mr_tree_key(views, i), known(mr_tree_at(views, i)));
        return facts;
}
