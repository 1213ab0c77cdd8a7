/* millctl renew: says that the data of a node is lost, so that it may begin anew with an empty
 * disk. */

#include "ctl/ctl-api.h"
#include "sdk/alloc.h"

int verb_renew(Ctl *ctl) {
        _cleanup_free_ char *target = api_own_target(api_namespace(ctl), "renewals", NULL, NULL);
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_reply_ ApiReply reply = {};

        if (ctl->options.n_arguments != 1)
                return ctl_misused(ctl, "name one node: millctl renew my-cluster-kafka-0");
        mr_tree_set_string(body, "node", ctl->options.arguments[0]);
        mr_tree_set_string(body, "reason",
                           ctl->options.reason ? ctl->options.reason
                                               : "asked for with millctl renew");
        if (api_call(ctl, "POST", target, "application/json", body, &reply, &err) < 0)
                return ctl_fail(ctl, &err);
        fprintf(ctl->out, "%s begins anew with an empty disk\n", ctl->options.arguments[0]);
        return CTL_OK;
}
