/* millctl delete: asks for deletion, and waits until the daemon has finished it. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "io/documents.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define LOOK_AGAIN_USEC 100000

/* 0 gone, 1 still there when the time is up. A deletion without a limit may wait for an
 * administrator. */
static int wait_gone(Ctl *ctl, const MrKind *kind, const char *ns, const char *name, MrError *err) {
        int64_t limit = ctl->options.timeout_sec;
        uint64_t deadline = limit >= 0 ? now_usec() + (uint64_t) limit * 1000000 : UINT64_MAX;
        _cleanup_free_ char *target = api_target(kind, ns, name);

        for (;;) {
                _cleanup_(mr_tree_freep) MrTree *object = NULL;
                int r = api_get(ctl, target, &object, err);
                if (r == -ENOENT) {
                        mr_error_done(err);
                        return 0;
                }
                if (r < 0)
                        return r;
                /* Under a Secret that was deleted there may be one that was made here. */
                if (!mr_tree_get_string(mr_tree_get(object, "metadata"), "deletionTimestamp"))
                        return 0;
                if (now_usec() >= deadline)
                        return 1;
                _cleanup_(http_client_freep) HttpClient *client = NULL;
                _cleanup_free_ char *all = api_target(kind, ns, NULL);
                _cleanup_free_ char *one =
                        mr_strf("%s?fieldSelector=metadata.name%%3D%s", all, name);
                r = api_watch(
                        ctl, one,
                        mr_tree_get_string(mr_tree_get(object, "metadata"), "resourceVersion"),
                        &client, err);
                if (r == -EOPNOTSUPP) /* secrets cannot be watched */
                        (void) usleep(LOOK_AGAIN_USEC);
                else if (r < 0 && r != -ESTALE)
                        return r;
                mr_error_done(err);
                _cleanup_(mr_tree_freep) MrTree *event = NULL;
                if (client && api_watch_next(client, 1000, &event, err) < 0)
                        mr_error_done(err);
        }
}

static int delete_one(Ctl *ctl, const MrKind *kind, const char *ns, const char *name) {
        _cleanup_free_ char *target = api_target(kind, ns, name), *title = kind_title(kind, name);
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_reply_ ApiReply reply = {};

        if (api_call(ctl, "DELETE", target, NULL, NULL, &reply, &err) < 0)
                return ctl_fail(ctl, &err);
        int r = ctl->options.no_wait ? 0 : wait_gone(ctl, kind, ns, name, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        if (r == 1) {
                fprintf(ctl->errors,
                        "millctl: %s is still being deleted; millctl describe shows what it waits "
                        "for\n",
                        title);
                return CTL_TIMEOUT;
        }
        fprintf(ctl->out, "%s deleted\n", title);
        (void) fflush(ctl->out);
        return CTL_OK;
}

/* The last document first: what a file builds up from the top is taken down from the bottom. */
static int delete_files(Ctl *ctl) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Registry *registry;
        int code = CTL_OK;

        int r = ctl_registry(ctl, &registry, &err);
        for (size_t i = 0; r >= 0 && i < ctl->options.n_files; i++)
                r = documents_read_path(registry, ctl->options.files[i], ctl->options.ns,
                                        &documents, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        for (size_t i = documents.n; i-- > 0;) {
                const MrResource *resource = &documents.items[i]->resource;
                int one = delete_one(ctl, resource->kind, resource->ns, resource->name);
                code = one == CTL_OK ? code : one;
        }
        return code;
}

int verb_delete(Ctl *ctl) {
        _cleanup_names_ Names names = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        int code = CTL_OK;

        if (ctl->options.n_files > 0)
                return ctl->options.n_arguments > 0
                               ? ctl_misused(ctl, "name either files or resources")
                               : delete_files(ctl);
        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl, "say what to delete: millctl delete kafka my-cluster");
        if (names_read(ctl, 0, &names, &err) < 0)
                return ctl_fail(ctl, &err);
        for (size_t i = 0; i < names.n; i++) {
                int one = delete_one(ctl, names.items[i].kind, api_namespace(ctl),
                                     names.items[i].name);
                code = one == CTL_OK ? code : one;
        }
        return code;
}
