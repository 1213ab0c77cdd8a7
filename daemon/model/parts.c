/* The list of parts an operand wants, and the texts they share. */

#include "part.h"

#include <string.h>

#include "str.h"

typedef struct Note {
        const char *reason;
        const char *message;
} Note;

struct MrParts {
        MrArena *arena;
        MrPart **items; /* pointers, so that a returned part stays valid */
        size_t n, allocated;
        Note *notes;
        size_t n_notes, allocated_notes;
};

MrTree *mr_volume_identity(const MrVolume *volume) {
        MrTree *identity = mr_tree_new_map();

        mr_tree_set_string(identity, "cluster", volume->cluster);
        mr_tree_set_string(identity, "cluster_id", volume->cluster_id);
        mr_tree_set_string(identity, "role", volume->role);
        mr_tree_set_string(identity, "quorum", volume->quorum);
        mr_tree_set_int(identity, "node_id", volume->node_id);
        mr_tree_set_string(identity, "directory_id", volume->directory_id);
        return identity;
}

const char *mr_part_kind_name(MrPartKind kind) {
        static const char *const names[_MR_PART_KIND_MAX] = {
                [MR_PART_CERTIFICATE] = "certificate",
                [MR_PART_SECRET] = "secret",
                [MR_PART_TRUST] = "trust",
                [MR_PART_VOLUME] = "volume",
                [MR_PART_FILE] = "file",
                [MR_PART_ENDPOINT] = "endpoint",
                [MR_PART_WORKLOAD] = "workload",
                [MR_PART_SETTING] = "setting",
                [MR_PART_GUARD] = "guard",
                [MR_PART_SERVICE] = "service",
                [MR_PART_FIREWALL] = "firewall",
                [MR_PART_ACCOUNT] = "account",
        };
        return names[kind];
}

MrParts *mr_parts_new(void) {
        MrParts *parts = mr_new(MrParts, 1);

        parts->arena = mr_arena_new();
        return parts;
}

MrParts *mr_parts_free(MrParts *parts) {
        if (!parts)
                return NULL;
        mr_arena_free(parts->arena);
        free(parts->items);
        free(parts->notes);
        free(parts);
        return NULL;
}

MrArena *mr_parts_arena(MrParts *parts) {
        return parts->arena;
}

MrPart *mr_parts_add(MrParts *parts, MrPart part) {
        MR_GROW(parts->items, parts->n, parts->allocated);
        MrPart *stored = mr_arena_alloc(parts->arena, sizeof(MrPart));
        *stored = part;
        parts->items[parts->n++] = stored;
        return stored;
}

size_t mr_parts_size(const MrParts *parts) {
        return parts->n;
}

const MrPart *mr_parts_at(const MrParts *parts, size_t i) {
        return i < parts->n ? parts->items[i] : NULL;
}

MrPart *mr_parts_edit(MrParts *parts, size_t i) {
        return i < parts->n ? parts->items[i] : NULL;
}

const MrPart *mr_parts_find_workload(const MrParts *parts, const char *node) {
        for (size_t i = 0; i < parts->n; i++) {
                const MrPart *part = parts->items[i];
                if (part->kind == MR_PART_WORKLOAD && mr_streq(part->workload.node, node))
                        return part;
        }
        return NULL;
}

void mr_parts_warn(MrParts *parts, const char *reason, const char *format, ...) {
        va_list args;

        va_start(args, format);
        _cleanup_free_ char *message = mr_vstrf(format, args);
        va_end(args);
        MR_GROW(parts->notes, parts->n_notes, parts->allocated_notes);
        parts->notes[parts->n_notes++] = (Note){
                .reason = mr_arena_strdup(parts->arena, reason),
                .message = mr_arena_strdup(parts->arena, message),
        };
}

size_t mr_parts_warnings(const MrParts *parts) {
        return parts->n_notes;
}

void mr_parts_warning_at(const MrParts *parts, size_t i, const char **ret_reason,
                         const char **ret_message) {
        *ret_reason = parts->notes[i].reason;
        *ret_message = parts->notes[i].message;
}

const char *mr_parts_literal(MrParts *parts, const char *s) {
        if (!s || !strstr(s, "@{"))
                return s;
        _cleanup_buf_ MrBuf text = {};
        for (; *s; s++) {
                if (s[0] == '@' && s[1] == '{')
                        mr_buf_putc(&text, '@');
                mr_buf_putc(&text, *s);
        }
        return mr_arena_strdup(parts->arena, mr_buf_text(&text));
}

void mr_strings_add(MrArena *arena, MrStrings *strings, const char *s) {
        /* Grown by powers of two; the size before tells when. */
        if ((strings->n & (strings->n - 1)) == 0) {
                size_t capacity = strings->n ? 2 * strings->n : 1;
                const char **items = mr_arena_new_array(arena, const char *, capacity);
                if (strings->n > 0)
                        memcpy(items, strings->items, strings->n * sizeof(*items));
                strings->items = items;
        }
        strings->items[strings->n++] = s;
}

void mr_pairs_set(MrArena *arena, MrPairs *pairs, const char *key, const char *value) {
        size_t low = 0, high = pairs->n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                int order = strcmp(pairs->items[middle].key, key);
                if (order == 0) {
                        pairs->items[middle].value = value;
                        return;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        if ((pairs->n & (pairs->n - 1)) == 0) {
                size_t capacity = pairs->n ? 2 * pairs->n : 1;
                MrPair *items = mr_arena_new_array(arena, MrPair, capacity);
                if (pairs->n > 0)
                        memcpy(items, pairs->items, pairs->n * sizeof(*items));
                pairs->items = items;
        }
        memmove(pairs->items + low + 1, pairs->items + low, (pairs->n - low) * sizeof(MrPair));
        pairs->items[low] = (MrPair){.key = key, .value = value};
        pairs->n++;
}

MrPairs mr_pairs_of(MrArena *arena, const MrTree *map) {
        MrPairs pairs = {};

        for (size_t i = 0; i < mr_tree_size(map); i++)
                mr_pairs_set(arena, &pairs, mr_tree_key(map, i),
                             mr_tree_string(mr_tree_at(map, i)));
        return pairs;
}
