/* Tags of a cluster's parts. */

#include "tags.h"

#include "pools.h"

#define NAME_LABEL "strimzi.io/name"
#define COMPONENT_LABEL "strimzi.io/component-type"

MrTags cluster_tags(MrArena *arena, const MrResource *resource, const MrResource *owner,
                    const char *component) {
        return (MrTags){
                .component = component,
                .instance = resource->name,
                .part_of = mr_arena_strf(arena, "strimzi-%s", resource->name),
                .labels = cluster_labels(arena, resource, component),
                .owner = owner ? owner : resource,
        };
}

MrTags cluster_own_tags(MrArena *arena, const MrResource *resource, const char *component) {
        MrTags tags = cluster_tags(arena, resource, NULL, component);

        mr_pairs_set(arena, &tags.labels, NAME_LABEL, "strimzi");
        return tags;
}

MrPairs cluster_selector(MrArena *arena, const MrResource *resource, const char *component) {
        MrPairs labels = cluster_labels(arena, resource, component), selector = {};

        for (size_t i = 0; i < labels.n; i++)
                if (!mr_streq(labels.items[i].key, COMPONENT_LABEL))
                        mr_pairs_set(arena, &selector, labels.items[i].key, labels.items[i].value);
        return selector;
}

void tags_label(MrArena *arena, MrTags *tags, const char *key, const char *value) {
        mr_pairs_set(arena, &tags->labels, key, value);
}

void tags_annotate(MrArena *arena, MrTags *tags, const char *key, const char *value) {
        mr_pairs_set(arena, &tags->annotations, key, value);
}

void tags_add(MrArena *arena, MrPairs *pairs, const MrTree *map) {
        for (size_t i = 0; i < mr_tree_size(map); i++) {
                _cleanup_buf_ MrBuf text = {};
                if (mr_tree_text(mr_tree_at(map, i), &text))
                        mr_pairs_set(arena, pairs, mr_tree_key(map, i),
                                     mr_arena_strdup(arena, mr_buf_text(&text)));
        }
}
