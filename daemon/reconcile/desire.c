/* Operands, platform and core together make one resource's desired state. */

#include "desire.h"

#include <string.h>

#include "identity.h"
#include "references.h"
#include "secrets.h"
#include "settings.h"
#include "str.h"

Desire *desire_free(Desire *desire) {
        if (!desire)
                return NULL;
        desire->parts = mr_parts_free(desire->parts);
        desire->wanted = mr_manifests_free(desire->wanted);
        desire->found = mr_manifests_free(desire->found);
        desire->status = mr_tree_free(desire->status);
        mr_arena_free(desire->arena);
        free(desire);
        return NULL;
}

typedef struct Scope {
        const Registry *registry;
        const Document *document;
        const MrFacts *facts;
        Desire *desire;
} Scope;

static void join_health(Desire *desire, const MrHealth *health) {
        MrNodeHealth *items =
                mr_arena_new_array(desire->arena, MrNodeHealth, desire->health.n + health->n);

        if (desire->health.n > 0)
                memcpy(items, desire->health.items, desire->health.n * sizeof(MrNodeHealth));
        if (health->n > 0)
                memcpy(items + desire->health.n, health->items, health->n * sizeof(MrNodeHealth));
        desire->health = (MrHealth){.items = items, .n = desire->health.n + health->n};
}

static void join_strings(MrArena *arena, MrStrings *to, const MrStrings *from) {
        for (size_t i = 0; i < from->n; i++)
                if (!mr_strings_has(to, from->items[i]))
                        mr_strings_add(arena, to, from->items[i]);
}

static MrProbe *find_probe(MrProbes *probes, const MrProbe *like) {
        for (size_t i = 0; i < probes->n; i++)
                if (mr_streq(probes->items[i].name, like->name) &&
                    mr_streq(probes->items[i].protocol, like->protocol))
                        return &probes->items[i];
        return NULL;
}

/* Operands that look at the same thing share one look: it is at all of their nodes, and a node has
 * its own endpoints only. */
static void join_probes(Desire *desire, const MrProbes *probes) {
        MrProbes all = {
                .items = mr_arena_new_array(desire->arena, MrProbe, desire->probes.n + probes->n),
                .n = desire->probes.n};

        if (all.n > 0)
                memcpy(all.items, desire->probes.items, all.n * sizeof(MrProbe));
        for (size_t i = 0; i < probes->n; i++) {
                const MrProbe *probe = &probes->items[i];
                MrProbe *same = find_probe(&all, probe);
                if (!same) {
                        all.items[all.n++] = *probe;
                        continue;
                }
                join_strings(desire->arena, &same->nodes, &probe->nodes);
                join_strings(desire->arena, &same->endpoints, &probe->endpoints);
        }
        desire->probes = all;
}

static int ask_operand(Scope *scope, const MrOperandOps *ops, const void *spec, MrError *err) {
        const MrResource *resource = &scope->document->resource;
        Desire *desire = scope->desire;
        MrHealth health = {};
        MrProbes probes = {};

        int r = ops->desired(resource, spec, scope->facts, desire->parts, err);
        if (r >= 0 && ops->probes)
                r = ops->probes(resource, spec, scope->facts, desire->arena, &probes, err);
        if (r >= 0 && ops->health)
                r = ops->health(resource, spec, scope->facts, desire->arena, &health, err);
        if (r >= 0 && ops->status)
                r = ops->status(resource, spec, scope->facts, desire->status, err);
        if (r < 0)
                return r;
        join_health(desire, &health);
        join_probes(desire, &probes);
        return 0;
}

static int ask_operands(Scope *scope, MrError *err) {
        for (size_t i = 0; i < registry_operands(scope->registry); i++) {
                const void *spec = document_spec_for(scope->registry, scope->document, i);
                int r = spec ? ask_operand(scope, registry_operand_at(scope->registry, i), spec,
                                           err)
                             : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether other resources are members of this kind, so that it has nodes. */
static bool has_members(const Registry *registry, const MrKind *kind) {
        const MrKind *const *kinds = registry_kinds(registry);

        for (size_t i = 0; kinds[i]; i++)
                if (mr_streq(kinds[i]->owner_kind, kind->name))
                        return true;
        return false;
}

/* The storage says whose it is. Where none is wanted any more, it was that of the resource. */
static const char *owner_of(const Scope *scope) {
        const MrResource *resource = &scope->document->resource;
        const MrParts *parts = scope->desire->parts;

        for (size_t i = 0; i < mr_parts_size(parts); i++)
                if (mr_parts_at(parts, i)->kind == MR_PART_VOLUME)
                        return mr_parts_at(parts, i)->volume.cluster;
        if (!has_members(scope->registry, resource->kind))
                return NULL;
        return mr_arena_strf(scope->desire->arena, "%s/%s", resource->ns, resource->name);
}

/* The copy a platform has of a secret goes with the secret. */
static bool is_copy(const Desire *desire, const MrManifest *observed) {
        return observed->is_secret &&
               mr_manifests_find(desire->found, "Secret", observed->ns, observed->name);
}

/* Only what is wanted, or was made for this owner, takes part in the diff. */
static void select_found(Desire *desire, const MrManifests *observed) {
        for (size_t i = 0; i < mr_manifests_size(observed); i++) {
                const MrManifest *manifest = mr_manifests_at(observed, i);
                bool is_ours = (desire->owner && mr_streq(manifest->owner, desire->owner)) ||
                               is_copy(desire, manifest);
                if (!is_ours && !mr_manifests_find(desire->wanted, manifest->kind, manifest->ns,
                                                   manifest->name))
                        continue;
                MrManifest copy = *manifest;
                copy.body = mr_tree_copy(manifest->body);
                mr_manifests_add(desire->found, copy);
        }
}

/* Whoever would show the same again has nothing to hurry for. */
static void settle_health(const Loading *loading, MrHealth *health) {
        for (size_t i = 0; i < health->n; i++)
                health->items[i].has_expired = health->items[i].has_expired &&
                                               loaded_outlives(loading, health->items[i].node);
}

int desire_make(const Registry *registry, const MrPlatformOps *platform, const Document *document,
                const MrFacts *facts, const MrManifests *observed, Desire **ret, MrError *err) {
        _cleanup_(desire_freep) Desire *desire = mr_new(Desire, 1);
        Scope scope = {
                .registry = registry, .document = document, .facts = facts, .desire = desire};
        const char *ns = document->resource.ns;

        desire->arena = mr_arena_new();
        desire->parts = mr_parts_new();
        desire->wanted = mr_manifests_new();
        desire->found = mr_manifests_new();
        desire->status = mr_tree_new_map();
        int r = ask_operands(&scope, err);
        if (r >= 0)
                r = platform->lower(platform, ns, desire->parts, facts, desire->wanted, err);
        Loading loading = {
                .ns = ns,
                .parts = desire->parts,
                .facts = facts,
                .wanted = desire->wanted,
                .observed = observed,
                .arena = mr_manifests_arena(desire->wanted),
        };
        if (r >= 0)
                r = secrets_lower(&loading, desire->wanted, desire->found, err);
        if (r >= 0 && platform->lower_secrets)
                r = platform->lower_secrets(platform, ns, desire->parts, facts, desire->wanted,
                                            err);
        if (r >= 0)
                r = reference_tree(desire->status, desire->wanted, err);
        if (r < 0)
                return r;
        settings_lower(&loading, desire->wanted, desire->found);
        settle_health(&loading, &desire->health);
        desire->owner = owner_of(&scope);
        if (observed && desire->owner) {
                r = document->resource.is_deleted
                            ? 0
                            : identity_check(desire->wanted, observed, desire->owner, err);
                if (r < 0)
                        return r;
        }
        if (observed)
                select_found(desire, observed);
        *ret = TAKE(desire);
        return 0;
}
