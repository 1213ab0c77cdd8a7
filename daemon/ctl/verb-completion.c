/* Words for the completion of a shell, from the tables and, where it answers, from the daemon.
 * Failures print nothing: the user is in the middle of a line. */

#include <string.h>

#include "ctl/ctl-api.h"
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

static void print_nodes_of(Ctl *ctl, const MrKind *kind, const char *name) {
        _cleanup_free_ char *target =
                api_own_target(api_namespace(ctl), kind->plural, name, "describe");
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        if (api_get(ctl, target, &answer, NULL) < 0)
                return;
        const MrTree *nodes = mr_tree_get(answer, "nodes");
        for (size_t i = 0; i < mr_tree_size(nodes); i++)
                fprintf(ctl->out, "%s\n", mr_tree_get_string(mr_tree_at(nodes, i), "name"));
}

static void print_nodes(Ctl *ctl) {
        const Registry *registry;

        if (ctl_registry(ctl, &registry, NULL) < 0)
                return;
        for (size_t i = 0; registry_kinds(registry)[i]; i++) {
                const MrKind *kind = registry_kinds(registry)[i];
                _cleanup_free_ char *target = api_target(kind, api_namespace(ctl), NULL);
                _cleanup_(mr_tree_freep) MrTree *list = NULL;
                if (!mr_kind_is_planned(kind) || api_get(ctl, target, &list, NULL) < 0)
                        continue;
                const MrTree *items = mr_tree_get(list, "items");
                for (size_t k = 0; k < mr_tree_size(items); k++)
                        print_nodes_of(
                                ctl, kind,
                                mr_tree_get_string(mr_tree_get(mr_tree_at(items, k), "metadata"),
                                                   "name"));
        }
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
                print_nodes(ctl);
        else
                return ctl_misused(ctl, "use verbs, options VERB, kinds, names KIND or nodes");
        return CTL_OK;
}
