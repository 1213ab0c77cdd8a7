/* The kinds of all operands, and those that are the core's own. */

#include "registry.h"

#include <string.h>
#include <strings.h>

#include "core-kinds.h"
#include "str.h"

struct Registry {
        const MrOperandOps **operands;
        size_t n_operands, allocated_operands;
        const MrKind **kinds; /* NULL at the end */
        size_t n_kinds, allocated_kinds;
};

Registry *registry_free(Registry *registry) {
        if (!registry)
                return NULL;
        free(registry->operands);
        free(registry->kinds);
        free(registry);
        return NULL;
}

size_t registry_operands(const Registry *registry) {
        return registry->n_operands;
}

const MrOperandOps *registry_operand_at(const Registry *registry, size_t i) {
        return i < registry->n_operands ? registry->operands[i] : NULL;
}

const MrKind *const *registry_kinds(const Registry *registry) {
        return registry->kinds;
}

static bool has_name(const MrKind *kind, const char *name) {
        if (strcasecmp(kind->name, name) == 0 || strcasecmp(kind->plural, name) == 0)
                return true;
        for (size_t i = 0; kind->short_names && kind->short_names[i]; i++)
                if (strcasecmp(kind->short_names[i], name) == 0)
                        return true;
        return false;
}

const MrKind *registry_find(const Registry *registry, const char *name) {
        for (size_t i = 0; i < registry->n_kinds; i++)
                if (has_name(registry->kinds[i], name))
                        return registry->kinds[i];
        return NULL;
}

static int by_name(const void *a, const void *b) {
        const MrKind *const *x = a, *const *y = b;
        return strcmp((*x)->name, (*y)->name);
}

static void add_kind(Registry *registry, const MrKind *kind) {
        MR_GROW(registry->kinds, registry->n_kinds + 1, registry->allocated_kinds);
        registry->kinds[registry->n_kinds++] = kind;
        qsort(registry->kinds, registry->n_kinds, sizeof(*registry->kinds), by_name);
        registry->kinds[registry->n_kinds] = NULL;
}

Registry *registry_new(void) {
        Registry *registry = mr_new(Registry, 1);

        for (size_t i = 0; core_kinds[i]; i++)
                add_kind(registry, core_kinds[i]);
        return registry;
}

static bool is_section_taken(const Registry *registry, const MrSection *section) {
        for (size_t i = 0; i < registry->n_operands; i++) {
                const MrSection *other = registry->operands[i]->section;
                if (other && mr_streq(other->kind, section->kind) &&
                    mr_streq(other->field, section->field))
                        return true;
        }
        return false;
}

int registry_add(Registry *registry, const MrPlugin *plugin, MrError *err) {
        const MrOperandOps *ops = plugin->operand;

        for (size_t i = 0; ops->kinds && ops->kinds[i]; i++)
                if (registry_find(registry, ops->kinds[i]->name))
                        return mr_fail(err, MR_INVALID, plugin->name,
                                       "another plugin owns the kind %s already",
                                       ops->kinds[i]->name);
        if (ops->section && is_section_taken(registry, ops->section))
                return mr_fail(err, MR_INVALID, plugin->name,
                               "another plugin owns spec.%s of %s already", ops->section->field,
                               ops->section->kind);
        for (size_t i = 0; ops->kinds && ops->kinds[i]; i++)
                add_kind(registry, ops->kinds[i]);
        MR_GROW(registry->operands, registry->n_operands, registry->allocated_operands);
        registry->operands[registry->n_operands++] = ops;
        return 0;
}

static const MrSection *section_of(const Registry *registry, const MrKind *kind,
                                   const MrField *field) {
        for (size_t i = 0; i < registry->n_operands; i++) {
                const MrSection *section = registry->operands[i]->section;
                if (section && mr_streq(section->kind, kind->name) &&
                    mr_streq(section->field, field->name))
                        return section;
        }
        return NULL;
}

MrKind registry_whole(const Registry *registry, const MrKind *kind, MrArena *arena) {
        size_t n = 0;

        while (kind->spec[n].type != MR_TYPE_NONE)
                n++;
        MrField *rows = mr_arena_new_array(arena, MrField, n + 1);
        for (size_t i = 0; i < n; i++) {
                const MrSection *section =
                        kind->is_data ? NULL : section_of(registry, kind, &kind->spec[i]);
                rows[i] = kind->spec[i];
                if (section) {
                        rows[i].fields = section->fields;
                        rows[i].flags |= MR_ONLY_MAP;
                }
        }
        MrKind whole = *kind;
        whole.spec = rows;
        return whole;
}

typedef struct Walk {
        const MrKind *kind;
        FieldFound found;
        void *userdata;
        MrBuf path;
} Walk;

static void walk(Walk *at, const MrField *fields, unsigned inherited) {
        size_t before = at->path.size;

        for (const MrField *field = fields; field && field->type != MR_TYPE_NONE; field++) {
                unsigned flags = field->flags | inherited;
                mr_tree_path_key(&at->path, field->name);
                at->found(at->userdata, at->kind, mr_buf_text(&at->path), field, flags);
                if (field->type == MR_TYPE_LIST)
                        mr_buf_puts(&at->path, "[]");
                walk(at, field->fields, flags & MR_INHERITED);
                at->path.size = before;
                at->path.data[before] = '\0';
        }
}

void registry_walk(const Registry *registry, const MrKind *kind, FieldFound found, void *userdata) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrKind whole = registry_whole(registry, kind, arena);
        Walk at = {.kind = kind, .found = found, .userdata = userdata};

        mr_buf_puts(&at.path, kind->is_data ? "" : "spec");
        walk(&at, whole.spec, 0);
        mr_buf_done(&at.path);
}
