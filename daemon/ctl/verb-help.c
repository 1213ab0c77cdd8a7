/* millctl help: everything in it comes from the tables of verbs and options. */

#include <string.h>

#include "ctl/ctl.h"
#include "sdk/alloc.h"

static void print_option(Ctl *ctl, const Option *option) {
        char letter[] = {'-', option->letter, ',', ' ', '\0'};
        _cleanup_free_ char *left =
                mr_strf("%s--%s%s%s", option->letter ? letter : "    ", option->name,
                        option->value ? " " : "", option->value ? option->value : "");

        fprintf(ctl->out, "  %-26s %s\n", left, option->doc);
}

void verb_print_help(Ctl *ctl, const Verb *verb) {
        fprintf(ctl->out, "millctl %s%s %s\n\n%s.\n", verb->name,
                *verb->options ? " [OPTION…]" : "", verb->arguments, verb->doc);
        if (verb->more)
                fprintf(ctl->out, "%s", verb->more);
        fputs("\n", ctl->out);
        for (const Option *option = ctl_options; option->id; option++)
                if (option->id == 'h' || strchr(verb->options, option->id))
                        print_option(ctl, option);
}

int verb_help(Ctl *ctl) {
        if (ctl->options.n_arguments > 0) {
                const Verb *verb = verb_find(ctl->options.arguments[0]);
                if (!verb)
                        return ctl_misused(ctl, "there is no verb %s", ctl->options.arguments[0]);
                verb_print_help(ctl, verb);
                return CTL_OK;
        }
        fputs("millctl [--socket PATH] VERB [OPTION…] [ARGUMENT…]\n\n", ctl->out);
        for (const Verb *verb = ctl_verbs; verb->name; verb++)
                fprintf(ctl->out, "  %-11s %s\n", verb->name, verb->doc);
        fputs("\nmillctl help VERB says more. Exit codes: 0 done, 1 failed, 2 used wrongly, 3 time "
              "is up.\n",
              ctl->out);
        return CTL_OK;
}
