/* Sets of manifests, kept sorted so that a diff is a merge. */

#include "manifest.h"

#include <string.h>

#include "str.h"

typedef struct Note {
        const char *reason;
        const char *message;
} Note;

struct MrManifests {
        MrArena *arena;
        MrManifest *items;
        size_t n, allocated;
        MrNodeWanted *nodes;
        size_t n_nodes, allocated_nodes;
        MrAddress *addresses;
        size_t n_addresses, allocated_addresses;
        MrPairs remembered;
        Note *notes;
        size_t n_notes, allocated_notes;
};

MrManifests *mr_manifests_new(void) {
        MrManifests *manifests = mr_new(MrManifests, 1);

        manifests->arena = mr_arena_new();
        return manifests;
}

MrManifests *mr_manifests_free(MrManifests *manifests) {
        if (!manifests)
                return NULL;
        for (size_t i = 0; i < manifests->n; i++)
                mr_tree_free(manifests->items[i].body);
        free(manifests->items);
        free(manifests->nodes);
        free(manifests->addresses);
        free(manifests->notes);
        mr_arena_free(manifests->arena);
        free(manifests);
        return NULL;
}

MrArena *mr_manifests_arena(MrManifests *manifests) {
        return manifests->arena;
}

static int compare(const MrManifest *a, const char *kind, const char *ns, const char *name) {
        int order = strcmp(a->kind, kind);

        if (order == 0)
                order = strcmp(a->ns, ns);
        return order ? order : strcmp(a->name, name);
}

/* The place of the first manifest that is not smaller. */
static size_t lower_bound(const MrManifests *manifests, const char *kind, const char *ns,
                          const char *name) {
        size_t low = 0, high = manifests->n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (compare(&manifests->items[middle], kind, ns, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void copy_strings(MrArena *arena, MrManifest *manifest) {
        manifest->kind = mr_arena_strdup(arena, manifest->kind);
        manifest->ns = mr_arena_strdup(arena, manifest->ns ? manifest->ns : "");
        manifest->name = mr_arena_strdup(arena, manifest->name);
        manifest->node = mr_arena_strdup(arena, manifest->node);
        manifest->owner = mr_arena_strdup(arena, manifest->owner);
        manifest->pending = mr_arena_strdup(arena, manifest->pending);
        manifest->payload = mr_arena_strdup(arena, manifest->payload);
}

MrManifest *mr_manifests_add(MrManifests *manifests, MrManifest take_manifest) {
        copy_strings(manifests->arena, &take_manifest);
        size_t at =
                lower_bound(manifests, take_manifest.kind, take_manifest.ns, take_manifest.name);

        if (at < manifests->n && compare(&manifests->items[at], take_manifest.kind,
                                         take_manifest.ns, take_manifest.name) == 0) {
                mr_tree_free(manifests->items[at].body);
        } else {
                MR_GROW(manifests->items, manifests->n, manifests->allocated);
                memmove(manifests->items + at + 1, manifests->items + at,
                        (manifests->n - at) * sizeof(MrManifest));
                manifests->n++;
        }
        manifests->items[at] = take_manifest;
        return &manifests->items[at];
}

size_t mr_manifests_size(const MrManifests *manifests) {
        return manifests->n;
}

const MrManifest *mr_manifests_at(const MrManifests *manifests, size_t i) {
        return i < manifests->n ? &manifests->items[i] : NULL;
}

const MrManifest *mr_manifests_find(const MrManifests *manifests, const char *kind, const char *ns,
                                    const char *name) {
        size_t at = lower_bound(manifests, kind, ns, name);
        const MrManifest *manifest = mr_manifests_at(manifests, at);

        return manifest && compare(manifest, kind, ns, name) == 0 ? manifest : NULL;
}

static bool comes_before(const MrNodeWanted *a, const MrNodeWanted *b) {
        return a->order != b->order ? a->order < b->order : strcmp(a->node, b->node) < 0;
}

MrNodeWanted *mr_manifests_add_node(MrManifests *manifests, MrNodeWanted node) {
        MR_GROW(manifests->nodes, manifests->n_nodes, manifests->allocated_nodes);
        node.node = mr_arena_strdup(manifests->arena, node.node);
        node.ns = mr_arena_strdup(manifests->arena, node.ns);
        node.role = mr_arena_strdup(manifests->arena, node.role);
        node.group = mr_arena_strdup(manifests->arena, node.group);
        node.fingerprint = mr_arena_strdup(manifests->arena, node.fingerprint);
        node.pending = mr_arena_strdup(manifests->arena, node.pending);
        size_t at = manifests->n_nodes++;
        for (; at > 0 && comes_before(&node, &manifests->nodes[at - 1]); at--)
                manifests->nodes[at] = manifests->nodes[at - 1];
        manifests->nodes[at] = node;
        return &manifests->nodes[at];
}

size_t mr_manifests_nodes(const MrManifests *manifests) {
        return manifests->n_nodes;
}

const MrNodeWanted *mr_manifests_node_at(const MrManifests *manifests, size_t i) {
        return i < manifests->n_nodes ? &manifests->nodes[i] : NULL;
}

void mr_manifests_add_address(MrManifests *manifests, MrAddress address) {
        MR_GROW(manifests->addresses, manifests->n_addresses, manifests->allocated_addresses);
        address.node = mr_arena_strdup(manifests->arena, address.node);
        address.endpoint = mr_arena_strdup(manifests->arena, address.endpoint);
        address.host = mr_arena_strdup(manifests->arena, address.host);
        address.at = mr_arena_strdup(manifests->arena, address.at);
        manifests->addresses[manifests->n_addresses++] = address;
}

const MrAddress *mr_manifests_find_address(const MrManifests *manifests, const char *node,
                                           const char *endpoint) {
        for (size_t i = 0; i < manifests->n_addresses; i++)
                if (mr_streq(manifests->addresses[i].node, node) &&
                    (!endpoint || mr_streq(manifests->addresses[i].endpoint, endpoint)))
                        return &manifests->addresses[i];
        return NULL;
}

void mr_manifests_remember(MrManifests *manifests, const char *key, const char *value) {
        mr_pairs_set(manifests->arena, &manifests->remembered,
                     mr_arena_strdup(manifests->arena, key),
                     mr_arena_strdup(manifests->arena, value));
}

const MrPairs *mr_manifests_remembered(const MrManifests *manifests) {
        return &manifests->remembered;
}

void mr_manifests_warn(MrManifests *manifests, const char *reason, const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);
        MR_GROW(manifests->notes, manifests->n_notes, manifests->allocated_notes);
        manifests->notes[manifests->n_notes++] = (Note){
                .reason = mr_arena_strdup(manifests->arena, reason),
                .message = mr_arena_strdup(manifests->arena, message),
        };
}

size_t mr_manifests_warnings(const MrManifests *manifests) {
        return manifests->n_notes;
}

void mr_manifests_warning_at(const MrManifests *manifests, size_t i, const char **ret_reason,
                             const char **ret_message) {
        *ret_reason = manifests->notes[i].reason;
        *ret_message = manifests->notes[i].message;
}
