/* millctl explain: what the field tables say. */

#include <string.h>

#include "ctl/ctl.h"
#include "sdk/alloc.h"

int verb_explain(Ctl *ctl) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf out = {};
        const MrKind *kind;

        if (ctl->options.n_arguments != 1)
                return ctl_misused(
                        ctl, "say what to explain: millctl explain kafka.spec.kafka.listeners");
        const char *argument = ctl->options.arguments[0];
        _cleanup_free_ char *name = mr_strndup(argument, strcspn(argument, "."));
        const char *path = argument + strlen(name) + (argument[strlen(name)] == '.');
        int r = ctl_kind(ctl, name, &kind, &err);
        if (r >= 0) {
                _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
                MrKind whole = registry_whole(ctl->registry, kind, arena);
                r = mr_explain(&whole, path, ctl->options.recursive, &out, &err);
        }
        if (r < 0)
                return ctl_fail(ctl, &err);
        ctl_print(ctl, &out);
        return CTL_OK;
}
