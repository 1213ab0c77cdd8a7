/* What a node learns only where it runs: labels of its machine, and variables a user gives its
 * container. The launcher fills them into copies of the files that refer to them.
 *
 * A pod that asks the API for its machine would need rights across the cluster. Kubernetes hands
 * the labels of zone and region to each pod when it is placed, and the name of the machine is known
 * anyway, so that racks need no rights at all. */

#include <string.h>

#include "lower.h"

static const struct {
        const char *label, *variable, *field;
} known[] = {
        {"topology.kubernetes.io/zone", "MILLRACE_ZONE",
         "metadata.labels['topology.kubernetes.io/zone']"},
        {"topology.kubernetes.io/region", "MILLRACE_REGION",
         "metadata.labels['topology.kubernetes.io/region']"},
        {"kubernetes.io/hostname", "MILLRACE_MACHINE", "spec.nodeName"},
};

const char *place_variable(const char *label, const char **ret_field) {
        for (size_t i = 0; i < MR_ELEMENTS(known); i++)
                if (mr_streq(known[i].label, label)) {
                        *ret_field = known[i].field;
                        return known[i].variable;
                }
        return NULL;
}

/* Calls `found` with each reference of a text to a label or a variable. */
typedef void (*Found)(const char *variable, const char *field, void *userdata);

static void find_in_text(const char *text, Found found, void *userdata) {
        static const char label[] = "@{label:", variable[] = "@{variable:";

        for (const char *at = strstr(text, "@{"); at; at = strstr(at + 2, "@{")) {
                bool is_label = mr_starts_with(at, label);
                if (!is_label && !mr_starts_with(at, variable))
                        continue;
                const char *name = at + strlen(is_label ? label : variable), *field = NULL;
                _cleanup_free_ char *key = mr_strndup(name, strcspn(name, "}"));
                const char *filled = is_label ? place_variable(key, &field) : key;
                if (filled)
                        found(filled, field, userdata);
        }
}

static void find_in_node(const Lowering *lowering, const char *node, Found found, void *userdata) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, node))
                        find_in_text(part->file.content, found, userdata);
        }
}

static void note(const char *variable _unused_, const char *field _unused_, void *userdata) {
        *(bool *) userdata = true;
}

static bool text_is_filled(const char *text) {
        bool is_filled = false;

        find_in_text(text, note, &is_filled);
        return is_filled;
}

bool place_fills(const Lowering *lowering, const char *node, const char *file) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, node) &&
                    mr_streq(part->file.name, file) && text_is_filled(part->file.content))
                        return true;
        }
        return false;
}

/* Each variable once, whatever refers to it. */
static void collect(const char *variable, const char *field, void *userdata) {
        mr_tree_set_string(userdata, variable, field ? field : "");
}

void place_add_lines(const Lowering *lowering, const MrWorkload *workload, MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *variables = mr_tree_new_map();

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, workload->node) &&
                    text_is_filled(part->file.content))
                        mr_buf_printf(out, "fill %s\n", part->file.name);
        }
        find_in_node(lowering, workload->node, collect, variables);
        for (size_t i = 0; i < mr_tree_size(variables); i++)
                mr_buf_printf(out, "variable %s\n", mr_tree_key(variables, i));
}

void place_add_variables(const Lowering *lowering, const MrWorkload *workload, MrTree *container) {
        _cleanup_(mr_tree_freep) MrTree *variables = mr_tree_new_map();

        find_in_node(lowering, workload->node, collect, variables);
        for (size_t i = 0; i < mr_tree_size(variables); i++) {
                const char *field = mr_tree_string(mr_tree_at(variables, i));
                if (mr_is_empty(field))
                        continue;
                MrTree *entry =
                        mr_tree_append(mr_tree_need_list(container, "env"), mr_tree_new_map());
                MrTree *from = mr_tree_need_map(entry, "valueFrom");
                mr_tree_set_string(entry, "name", mr_tree_key(variables, i));
                mr_tree_set_string(mr_tree_need_map(from, "fieldRef"), "fieldPath", field);
        }
}
