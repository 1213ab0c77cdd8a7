/* What all objects have in common: names, labels, annotations, owners; and quantities. */

#include <inttypes.h>

#include "lower.h"

#define LABEL_PREFIX "app.kubernetes.io/"

void object_set_labels(MrTree *map, const char *key, const MrPairs *labels) {
        if (labels->n == 0)
                return;
        MrTree *target = mr_tree_need_map(map, key);
        for (size_t i = 0; i < labels->n; i++)
                mr_tree_set_string(target, labels->items[i].key, labels->items[i].value);
}

/* Labels that say by whom and with what an object was made are not passed on from the resource:
 * they would be wrong. */
static bool is_inherited(const char *label) {
        return !mr_starts_with(label, LABEL_PREFIX) &&
               !mr_starts_with(label, "kustomize.toolkit.fluxcd.io");
}

static void set_user_pairs(MrTree *metadata, const char *key, const MrTree *template) {
        const MrTree *from = mr_tree_get(mr_tree_get(template, "metadata"), key);

        for (size_t i = 0; i < mr_tree_size(from); i++) {
                _cleanup_buf_ MrBuf text = {};
                if (mr_tree_text(mr_tree_at(from, i), &text))
                        mr_tree_set_string(mr_tree_need_map(metadata, key), mr_tree_key(from, i),
                                           mr_buf_text(&text));
        }
}

void object_set_tags(const Lowering *lowering, MrTree *metadata, const MrTags *tags) {
        MrTree *labels = mr_tree_need_map(metadata, "labels");

        for (size_t i = 0; tags->owner && i < tags->owner->labels.n; i++)
                if (is_inherited(tags->owner->labels.items[i].key))
                        mr_tree_set_string(labels, tags->owner->labels.items[i].key,
                                           tags->owner->labels.items[i].value);
        set_user_pairs(metadata, "labels", tags->template);
        set_user_pairs(metadata, "annotations", tags->template);
        mr_tree_set_string(labels, LABEL_PREFIX "part-of", tags->part_of);
        mr_tree_set_string(labels, LABEL_PREFIX "name", tags->component);
        mr_tree_set_string(labels, LABEL_PREFIX "instance", tags->instance);
        mr_tree_set_string(labels, LABEL_PREFIX "managed-by", "millrace");
        object_set_labels(metadata, "labels", &tags->labels);
        object_set_labels(metadata, "annotations", &tags->annotations);
        (void) lowering;
}

static void set_owner(MrTree *metadata, const MrResource *owner) {
        if (!owner)
                return;
        MrTree *entry =
                mr_tree_append(mr_tree_need_list(metadata, "ownerReferences"), mr_tree_new_map());
        mr_tree_set_string(entry, "apiVersion", owner->api_version);
        mr_tree_set_string(entry, "kind", owner->kind->name);
        mr_tree_set_string(entry, "name", owner->name);
        mr_tree_set_string(entry, "uid", owner->uid);
        mr_tree_set_bool(entry, "controller", false);
        mr_tree_set_bool(entry, "blockOwnerDeletion", true);
}

void object_fill(const Lowering *lowering, MrTree *body, const char *api_version, const char *kind,
                 const char *name, const MrTags *tags) {
        MrTree *metadata = mr_tree_need_map(body, "metadata");

        mr_tree_set_string(body, "apiVersion", api_version);
        mr_tree_set_string(body, "kind", kind);
        mr_tree_set_string(metadata, "name", name);
        mr_tree_set_string(metadata, "namespace", lowering->ns);
        object_set_tags(lowering, metadata, tags);
        set_owner(metadata, tags->stays ? NULL : tags->owner);
}

MrTree *object_new(const Lowering *lowering, const char *api_version, const char *kind,
                   const char *name, const MrTags *tags) {
        MrTree *body = mr_tree_new_map();

        object_fill(lowering, body, api_version, kind, name, tags);
        return body;
}

void object_copy(MrTree *map, const MrTree *from, const char *key) {
        const MrTree *value = mr_tree_get(from, key);

        if (value && mr_tree_type(value) != MR_TREE_NULL)
                mr_tree_set(map, key, mr_tree_copy(value));
}

void object_set_field(MrTree *container, const char *variable, const char *field) {
        if (!field)
                return;
        MrTree *entry = mr_tree_append(mr_tree_need_list(container, "env"), mr_tree_new_map());
        MrTree *from = mr_tree_need_map(entry, "valueFrom");
        mr_tree_set_string(entry, "name", variable);
        mr_tree_set_string(mr_tree_need_map(from, "fieldRef"), "fieldPath", field);
}

const char *bytes_text(MrArena *arena, uint64_t bytes) {
        static const struct {
                const char *suffix;
                uint64_t size;
        } units[] = {{"Ti", UINT64_C(1) << 40},      {"Gi", UINT64_C(1) << 30},
                     {"Mi", UINT64_C(1) << 20},      {"Ki", UINT64_C(1) << 10},
                     {"T", UINT64_C(1000000000000)}, {"G", UINT64_C(1000000000)},
                     {"M", UINT64_C(1000000)}};

        for (size_t i = 0; bytes > 0 && i < MR_ELEMENTS(units); i++)
                if (bytes % units[i].size == 0)
                        return mr_arena_strf(arena, "%" PRIu64 "%s", bytes / units[i].size,
                                             units[i].suffix);
        return mr_arena_strf(arena, "%" PRIu64, bytes);
}

const char *milli_text(MrArena *arena, uint64_t milli) {
        if (milli % 1000 == 0)
                return mr_arena_strf(arena, "%" PRIu64, milli / 1000);
        return mr_arena_strf(arena, "%" PRIu64 "m", milli);
}
