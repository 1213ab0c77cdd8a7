/* millctl restart: asks for a restart, which the daemon makes under its rules of safety. */

#include <string.h>

#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "sdk/alloc.h"

static int ask(Ctl *ctl, const char *what, const char *name) {
        _cleanup_free_ char *target = api_own_target(api_namespace(ctl), "restarts", NULL, NULL);
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_reply_ ApiReply reply = {};

        mr_tree_set_string(body, what, name);
        mr_tree_set_string(body, "reason",
                           ctl->options.reason ? ctl->options.reason
                                               : "asked for with millctl restart");
        if (api_call(ctl, "POST", target, "application/json", body, &reply, &err) < 0)
                return ctl_fail(ctl, &err);
        fprintf(ctl->out, "%s will restart when it is safe; millctl plan shows what it waits for\n",
                name);
        return CTL_OK;
}

int verb_restart(Ctl *ctl) {
        _cleanup_names_ Names names = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments == 0)
                return ctl_misused(ctl,
                                   "name a node, or a cluster: millctl restart kafka my-cluster");
        if (ctl->options.n_arguments == 1 && !strchr(ctl->options.arguments[0], '/'))
                return ask(ctl, "node", ctl->options.arguments[0]);
        if (names_read(ctl, 0, &names, &err) < 0)
                return ctl_fail(ctl, &err);
        if (names.n > 1)
                return ctl_misused(ctl, "restart one cluster at a time");
        return ask(ctl, "cluster", names.items[0].name);
}
