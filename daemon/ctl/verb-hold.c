/* millctl hold and release. */

#include <errno.h>

#include "ctl/ctl-api.h"
#include "sdk/alloc.h"

static int call_hold(Ctl *ctl, const char *method, const MrTree *body, MrError *err) {
        _cleanup_free_ char *target =
                api_own_target(api_namespace(ctl), "holds", ctl->options.arguments[0], NULL);
        _cleanup_reply_ ApiReply reply = {};

        int r = api_call(ctl, method, target, "application/json", body, &reply, err);
        return r < 0 ? r : (int) reply.status;
}

static int list_holds(Ctl *ctl) {
        _cleanup_free_ char *target = api_own_target(api_namespace(ctl), "holds", NULL, NULL);
        _cleanup_(mr_tree_freep) MrTree *list = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (api_get(ctl, target, &list, &err) < 0)
                return ctl_fail(ctl, &err);
        const MrTree *items = mr_tree_get(list, "items");
        for (size_t i = 0; i < mr_tree_size(items); i++) {
                const char *reason = mr_tree_get_string(mr_tree_at(items, i), "reason");
                fprintf(ctl->out, "%s%s%s\n", mr_tree_get_string(mr_tree_at(items, i), "node"),
                        reason && *reason ? ": " : "", reason ? reason : "");
        }
        if (mr_tree_size(items) == 0)
                fprintf(ctl->out, "No node is held.\n");
        return CTL_OK;
}

int verb_hold(Ctl *ctl) {
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments == 0)
                return list_holds(ctl);
        if (ctl->options.n_arguments > 1)
                return ctl_misused(ctl, "name one node: millctl hold NODE");
        mr_tree_set_string(body, "reason",
                           ctl->options.reason ? ctl->options.reason : "no reason was given");
        int r = call_hold(ctl, "PUT", body, &err);
        if (r < 0)
                return ctl_fail(ctl, &err);
        fprintf(ctl->out, "%s %s; millctl release %s ends it\n", ctl->options.arguments[0],
                r == 201 ? "held" : "was held already", ctl->options.arguments[0]);
        return CTL_OK;
}

int verb_release(Ctl *ctl) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments != 1)
                return ctl_misused(ctl, "name one node: millctl release NODE");
        if (call_hold(ctl, "DELETE", NULL, &err) < 0)
                return ctl_fail(ctl, &err);
        fprintf(ctl->out, "%s released\n", ctl->options.arguments[0]);
        return CTL_OK;
}
