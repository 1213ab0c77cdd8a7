/* Rolls that an annotation asks for, and data that one gives up. What it said last is remembered,
 * so that each value asks once. */

#include <ctype.h>
#include <string.h>

#include "base/log.h"
#include "engine-private.h"
#include "model/annotations.h"
#include "sdk/str.h"

/* What an annotated resource has to do with the nodes of the one that is under care. */
typedef struct Asking {
        Engine *engine;
        const Tracked *owner;
        const MrResource *resource; /* the owner's own, or a member of it */
} Asking;

/* Nodes of a member are called OWNER-MEMBER-NUMBER. */
static bool is_meant(const Asking *asking, const char *node) {
        const MrResource *owner = &asking->owner->document->resource;

        if (asking->resource == owner)
                return true;
        _cleanup_free_ char *prefix = mr_strf("%s-%s-", owner->name, asking->resource->name);
        return mr_starts_with(node, prefix) && isdigit((unsigned char) node[strlen(prefix)]) &&
               !strchr(node + strlen(prefix), '-');
}

static int restart_nodes(const Asking *asking, const char *value _unused_, MrError *err) {
        const MrTree *nodes = mr_tree_get(asking->owner->snapshot, "nodes");
        int r = 0;

        for (size_t i = 0; r >= 0 && i < mr_tree_size(nodes); i++) {
                const char *node = mr_tree_get_string(mr_tree_at(nodes, i), "name");
                if (is_meant(asking, node))
                        r = engine_ask(asking->engine, "restart", asking->resource->ns, node,
                                       "the annotation " ANNOTATION_ROLL, err);
        }
        return r;
}

static bool is_node(const Asking *asking, const char *name) {
        const MrTree *nodes = mr_tree_get(asking->owner->snapshot, "nodes");

        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                if (mr_streq(mr_tree_get_string(mr_tree_at(nodes, i), "name"), name))
                        return is_meant(asking, name);
        return false;
}

static int discard_node(const Asking *asking, const char *name, MrError *err) {
        const MrResource *resource = asking->resource;
        _cleanup_error_ MrError own = {};

        int r = is_node(asking, name)
                        ? engine_discard(asking->engine, resource->ns, name,
                                         "the annotation " ANNOTATION_DISCARD, &own)
                        : mr_fail(&own, MR_INVALID, NULL, "no node of it is called so");
        if (r >= 0)
                return 0;
        if (mr_error_kind(&own, r) != MR_INVALID) {
                if (err)
                        mr_error_move(err, &own);
                return r;
        }
        log_warning(NULL, NULL,
                    "%s %s/%s: the annotation " ANNOTATION_DISCARD " has no effect on \"%s\": %s",
                    resource->kind->name, resource->ns, resource->name, name, own.message);
        return 0;
}

static int discard_nodes(const Asking *asking, const char *value, MrError *err) {
        _cleanup_free_ char *names = mr_strdup(value);
        char *memory = NULL;
        int r = 0;

        for (char *name = strtok_r(names, ", ", &memory); name && r >= 0;
             name = strtok_r(NULL, ", ", &memory))
                r = discard_node(asking, name, err);
        return r;
}

static int follow(const Asking *asking, const char *annotation, const char *memory,
                  int (*act)(const Asking *asking, const char *value, MrError *err), MrError *err) {
        const MrResource *resource = asking->resource;
        const char *value = mr_pairs_get(&resource->annotations, annotation);
        _cleanup_free_ char *key =
                mr_strf("%s/%s/%s/%s", memory, resource->kind->name, resource->ns, resource->name);
        _cleanup_(mr_tree_freep) MrTree *known = NULL;

        if (resource->is_deleted || mr_streq(value, "false"))
                value = NULL;
        int r = store_remembered(asking->engine->args.store, key, &known, err);
        if (r < 0 || mr_streq(value, mr_tree_get_string(known, key)))
                return r;
        r = value ? act(asking, value, err) : 0;
        return r < 0 ? r : store_remember(asking->engine->args.store, key, value, err);
}

static int follow_all(const Asking *asking, MrError *err) {
        int r = follow(asking, ANNOTATION_ROLL, "rolled", restart_nodes, err);

        return r < 0 ? r : follow(asking, ANNOTATION_DISCARD, "discarded", discard_nodes, err);
}

static bool is_member_of(const MrResource *resource, const MrResource *owner) {
        const MrKind *kind = resource->kind;

        return mr_streq(kind->owner_kind, owner->kind->name) && mr_streq(resource->ns, owner->ns) &&
               kind->owner_label &&
               mr_streq(mr_pairs_get(&resource->labels, kind->owner_label), owner->name);
}

int engine_follow_annotations(Engine *engine, const Tracked *tracked, MrError *err) {
        const MrResource *owner = &tracked->document->resource;
        Asking asking = {.engine = engine, .owner = tracked, .resource = owner};

        /* Before its nodes were seen nobody knows which they are. */
        if (!tracked->snapshot)
                return 0;
        int r = follow_all(&asking, err);
        for (size_t i = 0; r >= 0 && i < engine->n_tracked; i++) {
                const Document *document = engine->tracked[i]->document;
                if (!document || !is_member_of(&document->resource, owner))
                        continue;
                asking.resource = &document->resource;
                r = follow_all(&asking, err);
        }
        return r;
}
