/* millctl crd: what an API server needs to know about the kinds. */

#include "ctl/ctl.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static void put(const Registry *registry, const MrKind *kind, MrBuf *out) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrKind whole = registry_whole(registry, kind, arena);
        _cleanup_(mr_tree_freep) MrTree *crd = mr_crd_new(&whole);

        mr_buf_puts(out, "---\n");
        mr_yaml_write(crd, out);
}

/* The kinds of the core group are the API server's own. */
static void put_all(const Registry *registry, MrBuf *out) {
        const MrKind *const *kinds = registry_kinds(registry);

        for (size_t i = 0; kinds[i]; i++)
                if (!kinds[i]->is_data)
                        put(registry, kinds[i], out);
}

static int put_named(Ctl *ctl, const char *name, MrBuf *out, MrError *err) {
        const MrKind *kind;

        int r = ctl_kind(ctl, name, &kind, err);
        if (r < 0)
                return r;
        if (kind->is_data)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is a kind every API server has; name another", kind->name);
        put(ctl->registry, kind, out);
        return 0;
}

int verb_crd(Ctl *ctl) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf out = {};
        const Registry *registry;

        int r = ctl_registry(ctl, &registry, &err);
        for (size_t i = 0; r >= 0 && i < ctl->options.n_arguments; i++)
                r = put_named(ctl, ctl->options.arguments[i], &out, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        if (ctl->options.n_arguments == 0)
                put_all(registry, &out);
        ctl_print(ctl, &out);
        return CTL_OK;
}
