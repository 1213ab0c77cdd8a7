/* millctl explain: what the field tables say. */

#include <string.h>

#include "ctl/ctl.h"
#include "ctl/reference.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static int explain(Ctl *ctl, const MrKind *kind, const char *path, MrBuf *out, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrKind whole = registry_whole(ctl->registry, kind, arena);

        return mr_explain(&whole, path, ctl->options.recursive, out, err);
}

int verb_explain(Ctl *ctl) {
        const char *format = ctl->options.output;
        bool is_man = mr_streq(format, "man");
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf out = {};
        const MrKind *kind;

        if (ctl->options.n_arguments != 1)
                return ctl_misused(
                        ctl, "say what to explain: millctl explain kafka.spec.kafka.listeners");
        if (format && !is_man && !mr_streq(format, "markdown"))
                return ctl_misused(ctl, "there is no format %s; use markdown or man", format);
        const char *argument = ctl->options.arguments[0];
        _cleanup_free_ char *name = mr_strndup(argument, strcspn(argument, "."));
        const char *path = argument + strlen(name) + (argument[strlen(name)] == '.');
        if (format && *path)
                return ctl_misused(ctl,
                                   "the reference is of a whole kind: millctl explain %s -o %s",
                                   name, format);
        int r = ctl_kind(ctl, name, &kind, &err);
        if (r >= 0 && format)
                reference_write(ctl->registry, &ctl->plugins, kind,
                                is_man ? REFERENCE_MAN : REFERENCE_MARKDOWN, &out);
        else if (r >= 0)
                r = explain(ctl, kind, path, &out, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        ctl_print(ctl, &out);
        return CTL_OK;
}
