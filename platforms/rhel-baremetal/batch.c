/* Actions become steps of a batch. */

#include "batch.h"

#include <string.h>

#include "names.h"
#include "str.h"

typedef struct Batch {
        MrArena *arena;
        MrTree *steps;
} Batch;

static MrTree *add_step(Batch *batch, const char *op) {
        MrTree *step = mr_tree_append(batch->steps, mr_tree_new_map());

        mr_tree_set_string(step, "op", op);
        return step;
}

static void add_distribution(Batch *batch, const MrManifest *manifest) {
        MrTree *step = add_step(batch, "distribution.ensure");

        mr_tree_set_string(step, "software", mr_tree_get_string(manifest->body, "software"));
        mr_tree_set_string(step, "version", mr_tree_get_string(manifest->body, "version"));
}

static void add_volume(Batch *batch, MrVerb verb, const MrManifest *manifest) {
        MrTree *step = add_step(batch, verb == MR_VERB_REMOVE ? "claim.remove" : "claim.create");
        const MrTree *identity = mr_tree_get(manifest->body, "identity");
        _cleanup_(mr_tree_freep) MrTree *making = NULL;

        mr_tree_set_string(step, "claim",
                           instance_name(batch->arena, manifest->ns, manifest->name));
        if (verb == MR_VERB_REMOVE) {
                mr_tree_set_string(step, "cluster_id", mr_tree_get_string(identity, "cluster_id"));
                return;
        }
        if (mr_json_read(manifest->payload, strlen(manifest->payload), NULL, &making, NULL) < 0)
                return;
        for (size_t i = 0; i < mr_tree_size(making); i++)
                mr_tree_set(step, mr_tree_key(making, i), mr_tree_copy(mr_tree_at(making, i)));
        mr_tree_set(step, "identity", mr_tree_copy(identity));
}

static void add_file(Batch *batch, MrVerb verb, const MrManifest *manifest) {
        MrTree *step = add_step(batch, verb == MR_VERB_REMOVE ? "file.remove" : "file.write");
        const char *slash = strrchr(manifest->name, '/');

        mr_tree_set_string(step, "instance",
                           instance_name(batch->arena, manifest->ns, manifest->node));
        mr_tree_set_string(step, "name", slash ? slash + 1 : manifest->name);
        if (verb == MR_VERB_REMOVE)
                return;
        mr_tree_set_string(step, "class", mr_tree_get_string(manifest->body, "class"));
        mr_tree_set_string(step, "content", manifest->payload);
        if (manifest->is_private)
                mr_tree_set_bool(step, "private", true);
}

static void add_unit(Batch *batch, MrVerb verb, const MrManifest *manifest) {
        MrTree *step = add_step(batch, verb == MR_VERB_REMOVE ? "unit.remove" : "unit.write");

        mr_tree_set_string(step, "instance",
                           instance_name(batch->arena, manifest->ns, manifest->node));
        mr_tree_set_string(step, "class", mr_tree_get_string(manifest->body, "class"));
        if (verb != MR_VERB_REMOVE)
                mr_tree_set(step, "properties",
                            mr_tree_copy(mr_tree_get(manifest->body, "properties")));
}

static void add_node_verb(Batch *batch, const MrAction *action) {
        MrTree *step = add_step(batch, mr_verb_name(action->verb));

        mr_tree_set_string(step, "instance", instance_name(batch->arena, action->ns, action->node));
        mr_tree_set_string(step, "class", action->role);
}

static void add_action(Batch *batch, const MrAction *action) {
        const MrManifest *manifest = action->manifest;

        if (!manifest)
                add_node_verb(batch, action);
        else if (mr_streq(manifest->kind, "Distribution"))
                add_distribution(batch, manifest);
        else if (mr_streq(manifest->kind, "Volume"))
                add_volume(batch, action->verb, manifest);
        else if (mr_streq(manifest->kind, "File"))
                add_file(batch, action->verb, manifest);
        else
                add_unit(batch, action->verb, manifest);
}

MrTree *batch_of_actions(const MrAction *actions, size_t n, int64_t protocol) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrTree *tree = mr_tree_new_map();
        Batch batch = {.arena = arena, .steps = mr_tree_need_list(tree, "steps")};

        mr_tree_set_int(tree, "version", protocol);
        for (size_t i = 0; i < n; i++)
                add_action(&batch, &actions[i]);
        return tree;
}
