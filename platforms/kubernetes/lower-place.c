/* What a node learns only where it runs: labels and addresses of its machine, and variables a user
 * gives its container. The launcher fills them into copies of the files that refer to them.
 *
 * A pod that asks the API for its machine needs rights across the cluster. Kubernetes itself hands
 * the labels of zone and region to each pod when it is placed, and its machine's name and inner
 * address are known anyway, so these need no rights at all. For all else a container of its own
 * asks, before the node starts, and only that container gets a token. */

#include <ctype.h>
#include <string.h>

#include "lower.h"

#define PLACE_FILE RUN_DIRECTORY "/place"

Learned place_label(MrArena *arena, const char *key) {
        static const struct {
                const char *label;
                Learned learned;
        } told[] = {
                {"topology.kubernetes.io/zone",
                 {"MILLRACE_ZONE", "metadata.labels['topology.kubernetes.io/zone']", NULL, NULL}},
                {"topology.kubernetes.io/region",
                 {"MILLRACE_REGION", "metadata.labels['topology.kubernetes.io/region']", NULL,
                  NULL}},
                {"kubernetes.io/hostname", {"MILLRACE_MACHINE", "spec.nodeName", NULL, NULL}},
        };

        for (size_t i = 0; i < MR_ELEMENTS(told); i++)
                if (mr_streq(told[i].label, key)) {
                        Learned learned = told[i].learned;
                        learned.label = told[i].label;
                        return learned;
                }
        char *variable = mr_arena_strf(arena, "MILLRACE_LABEL_%s", key);
        for (char *c = variable; *c; c++)
                *c = isalnum((unsigned char) *c) ? (char) toupper((unsigned char) *c) : '_';
        return (Learned){.variable = variable,
                         .asked = mr_arena_strf(arena, "label:%s", key),
                         .label = mr_arena_strdup(arena, key)};
}

Learned place_address(const char *type) {
        static const struct {
                const char *type;
                Learned learned;
        } types[] = {
                {"InternalIP", {"MILLRACE_INTERNAL_IP", "status.hostIP", NULL, NULL}},
                {"InternalDNS", {"MILLRACE_INTERNAL_DNS", NULL, "address:InternalDNS", NULL}},
                {"ExternalIP", {"MILLRACE_EXTERNAL_IP", NULL, "address:ExternalIP", NULL}},
                {"ExternalDNS", {"MILLRACE_EXTERNAL_DNS", NULL, "address:ExternalDNS", NULL}},
                {"Hostname", {"MILLRACE_HOSTNAME", NULL, "address:Hostname", NULL}},
        };

        for (size_t i = 0; i < MR_ELEMENTS(types); i++)
                if (mr_streq(types[i].type, type))
                        return types[i].learned;
        return (Learned){.variable = "MILLRACE_ADDRESS", .asked = "address:"};
}

/* Calls `found` with whatever a text refers to that is learned where the node runs. */
typedef void (*Found)(const Learned *learned, void *userdata);

typedef struct Search {
        Lowering *lowering;
        const char *node;
        Found found;
        void *userdata;
} Search;

/* Only an endpoint of the node itself: where others are, they learn themselves. */
static Learned learned_host(const Search *search, const char *argument) {
        const char *slash = strchr(argument, '/');
        size_t n = strlen(search->node);
        Reached reached;

        if (!slash || (size_t) (slash - argument) != n || strncmp(argument, search->node, n) != 0 ||
            !lower_reach(search->lowering, search->node, slash + 1, &reached))
                return (Learned){};
        return reached.learned;
}

static Learned learned_of(const Search *search, const char *what, const char *argument) {
        if (mr_streq(what, "label"))
                return place_label(search->lowering->arena, argument);
        if (mr_streq(what, "variable"))
                return (Learned){.variable = mr_arena_strdup(search->lowering->arena, argument)};
        return mr_streq(what, "host") ? learned_host(search, argument) : (Learned){};
}

static void find_in_text(const Search *search, const char *text) {
        for (const char *at = strstr(text, "@{"); at; at = strstr(at + 2, "@{")) {
                size_t n = strcspn(at, "}"), colon = strcspn(at, ":");
                /* All others are by far the most. */
                if (colon >= n || !strchr("lvh", at[2]))
                        continue;
                _cleanup_free_ char *what = mr_strndup(at + 2, colon - 2),
                                    *argument = mr_strndup(at + colon + 1, n - colon - 1);
                Learned learned = learned_of(search, what, argument);
                if (learned.variable)
                        search->found(&learned, search->userdata);
        }
}

/* In one file of the node, or, with NULL, in all. */
static void find_in_node(const Search *search, const char *file) {
        for (size_t i = 0; i < mr_parts_size(search->lowering->parts); i++) {
                const MrPart *part = mr_parts_at(search->lowering->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, search->node) &&
                    (!file || mr_streq(part->file.name, file)))
                        find_in_text(search, part->file.content);
        }
}

static void note(const Learned *learned _unused_, void *userdata) {
        *(bool *) userdata = true;
}

static bool is_filled_in(Lowering *lowering, const MrFile *file) {
        bool is_filled = false;

        find_in_text(&(Search){lowering, file->node, note, &is_filled}, file->content);
        return is_filled;
}

bool place_fills(Lowering *lowering, const char *node, const char *file) {
        bool is_filled = false;

        find_in_node(&(Search){lowering, node, note, &is_filled}, file);
        return is_filled;
}

static void note_asked(const Learned *learned, void *userdata) {
        if (learned->asked)
                *(bool *) userdata = true;
}

bool place_asks(Lowering *lowering, const char *node) {
        bool is_asked = false;

        find_in_node(&(Search){lowering, node, note_asked, &is_asked}, NULL);
        return is_asked;
}

/* Each variable once, whatever refers to it. */
static void collect(const Learned *learned, void *userdata) {
        MrTree *entry = mr_tree_need_map(userdata, learned->variable);

        mr_tree_set_string(entry, "field", learned->field);
        mr_tree_set_string(entry, "asked", learned->asked);
        mr_tree_set_string(entry, "label", learned->label);
}

static MrTree *all_of(Lowering *lowering, const MrWorkload *workload) {
        MrTree *variables = mr_tree_new_map();

        find_in_node(&(Search){lowering, workload->node, collect, variables}, NULL);
        return variables;
}

void place_add_lines(Lowering *lowering, const MrWorkload *workload, MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *variables = all_of(lowering, workload);

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_FILE && mr_streq(part->file.node, workload->node) &&
                    is_filled_in(lowering, &part->file))
                        mr_buf_printf(out, "fill %s\n", part->file.name);
        }
        for (size_t i = 0; i < mr_tree_size(variables); i++)
                mr_buf_printf(out, "variable %s\n", mr_tree_key(variables, i));
        if (place_asks(lowering, workload->node))
                mr_buf_puts(out, "place " PLACE_FILE "\n");
}

void place_add_variables(Lowering *lowering, const MrWorkload *workload, MrTree *container) {
        _cleanup_(mr_tree_freep) MrTree *variables = all_of(lowering, workload);

        for (size_t i = 0; i < mr_tree_size(variables); i++)
                object_set_field(container, mr_tree_key(variables, i),
                                 mr_tree_get_string(mr_tree_at(variables, i), "field"));
}

void place_add_arguments(Lowering *lowering, const MrWorkload *workload, MrTree *command) {
        _cleanup_(mr_tree_freep) MrTree *variables = all_of(lowering, workload);

        mr_tree_append(command, mr_tree_new_string(PLACE_FILE));
        for (size_t i = 0; i < mr_tree_size(variables); i++) {
                const char *asked = mr_tree_get_string(mr_tree_at(variables, i), "asked");
                if (asked)
                        mr_tree_append(command, mr_tree_new_string(mr_arena_strf(
                                                        lowering->arena, "%s=%s",
                                                        mr_tree_key(variables, i), asked)));
        }
}

MrTree *place_labels(Lowering *lowering, const MrWorkload *workload) {
        _cleanup_(mr_tree_freep) MrTree *variables = all_of(lowering, workload);
        MrTree *labels = mr_tree_new_map();

        for (size_t i = 0; i < mr_tree_size(variables); i++) {
                const char *label = mr_tree_get_string(mr_tree_at(variables, i), "label");
                if (label)
                        mr_tree_set_bool(labels, label, true);
        }
        return labels;
}

static void require_label(MrTree *term, const char *label) {
        MrTree *wanted =
                mr_tree_append(mr_tree_need_list(term, "matchExpressions"), mr_tree_new_map());

        mr_tree_set_string(wanted, "key", label);
        mr_tree_set_string(wanted, "operator", "Exists");
}

/* A node that is to say in which rack it is runs only where there is a label that tells. One of the
 * terms of a user has to hold, so each gets the label besides. */
void place_require_labels(Lowering *lowering, const MrWorkload *workload, MrTree *spec) {
        _cleanup_(mr_tree_freep) MrTree *labels = place_labels(lowering, workload);

        for (size_t i = 0; i < mr_tree_size(labels); i++) {
                MrTree *of_nodes =
                        mr_tree_need_map(mr_tree_need_map(spec, "affinity"), "nodeAffinity");
                MrTree *terms = mr_tree_need_list(
                        mr_tree_need_map(of_nodes,
                                         "requiredDuringSchedulingIgnoredDuringExecution"),
                        "nodeSelectorTerms");
                if (mr_tree_size(terms) == 0)
                        mr_tree_append(terms, mr_tree_new_map());
                for (size_t k = 0; k < mr_tree_size(terms); k++)
                        require_label(mr_tree_at(terms, k), mr_tree_key(labels, i));
        }
}
