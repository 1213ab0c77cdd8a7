/* Words for the completion of a shell, from the tables and, where it answers, from the daemon.
 * Failures print nothing: the user is in the middle of a line. */

#include <string.h>

#include "ctl/ctl-api.h"
#include "ctl/nodes.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static void print_options(Ctl *ctl, const Verb *verb) {
        for (const Option *option = ctl_options; verb && option->id; option++)
                if (option->id == 'h' || strchr(verb->options, option->id))
                        fprintf(ctl->out, "--%s\n", option->name);
}

static void print_kinds(Ctl *ctl) {
        const Registry *registry;

        if (ctl_registry(ctl, &registry, NULL) < 0)
                return;
        for (size_t i = 0; registry_kinds(registry)[i]; i++) {
                const MrKind *kind = registry_kinds(registry)[i];
                _cleanup_free_ char *title = kind_title(kind, "");
                fprintf(ctl->out, "%s\n%.*s\n", kind->plural, (int) strcspn(title, "./"), title);
        }
}

static void print_names(Ctl *ctl, const char *kind_name) {
        const MrKind *kind;
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        if (ctl_kind(ctl, kind_name, &kind, NULL) < 0)
                return;
        _cleanup_free_ char *target = api_target(kind, api_namespace(ctl), NULL);
        if (api_get(ctl, target, &list, NULL) < 0)
                return;
        const MrTree *items = mr_tree_get(list, "items");
        for (size_t i = 0; i < mr_tree_size(items); i++)
                fprintf(ctl->out, "%s\n",
                        mr_tree_get_string(mr_tree_get(mr_tree_at(items, i), "metadata"), "name"));
}

static void print_node(const char *node, void *userdata) {
        const Ctl *ctl = userdata;

        fprintf(ctl->out, "%s\n", node);
}

static void print_platforms(Ctl *ctl) {
        const Registry *registry;

        if (ctl_registry(ctl, &registry, NULL) < 0)
                return;
        for (size_t i = 0; i < ctl->plugins.n; i++)
                if (ctl->plugins.items[i]->platform)
                        fprintf(ctl->out, "%s\n", ctl->plugins.items[i]->name);
}

/* "kafka.spec.kafka" → "kafka.spec.kafka.replicas" … */
static void print_fields(Ctl *ctl, const char *path) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_free_ char *name = mr_strndup(path, strcspn(path, "."));
        const char *below = path + strlen(name);
        const MrField *fields = NULL;
        const MrKind *kind;

        if (ctl_kind(ctl, name, &kind, NULL) < 0)
                return;
        MrKind whole = registry_whole(ctl->registry, kind, arena);
        if (!*below)
                fprintf(ctl->out, "%s.spec\n", path);
        else if (mr_streq(below, ".spec"))
                fields = whole.spec;
        else if (mr_starts_with(below, ".spec.") &&
                 mr_field_find(whole.spec, below + strlen(".spec.")))
                fields = mr_field_find(whole.spec, below + strlen(".spec."))->fields;
        for (; fields && fields->type != MR_TYPE_NONE; fields++)
                fprintf(ctl->out, "%s.%s\n", path, fields->name);
}

int verb_completion(Ctl *ctl) {
        const Options *options = &ctl->options;
        const char *what = options->n_arguments > 0 ? options->arguments[0] : "";
        const char *of = options->n_arguments > 1 ? options->arguments[1] : "";

        if (mr_streq(what, "verbs"))
                for (const Verb *verb = ctl_verbs; verb->name; verb++)
                        fprintf(ctl->out, "%s\n", verb->name);
        else if (mr_streq(what, "options"))
                print_options(ctl, verb_find(of));
        else if (mr_streq(what, "kinds"))
                print_kinds(ctl);
        else if (mr_streq(what, "names"))
                print_names(ctl, of);
        else if (mr_streq(what, "nodes"))
                nodes_each(ctl, print_node, ctl);
        else if (mr_streq(what, "platforms"))
                print_platforms(ctl);
        else if (mr_streq(what, "fields"))
                print_fields(ctl, of);
        else
                return ctl_misused(ctl, "use verbs, options VERB, kinds, names KIND, nodes, "
                                        "platforms or fields PATH");
        return CTL_OK;
}
