/* millctl renew and discard: let a node begin anew with an empty disk, because its data is lost, or
 * is to be taken away. */

#include "ctl/ctl-api.h"
#include "sdk/alloc.h"

static int begin_anew(Ctl *ctl, const char *verb, const char *plural, const char *said) {
        _cleanup_free_ char *target = api_own_target(api_namespace(ctl), plural, NULL, NULL),
                            *reason = mr_strf("asked for with millctl %s", verb);
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_reply_ ApiReply reply = {};

        if (ctl->options.n_arguments != 1)
                return ctl_misused(ctl, "name one node: millctl %s my-cluster-kafka-0", verb);
        mr_tree_set_string(body, "node", ctl->options.arguments[0]);
        mr_tree_set_string(body, "reason", ctl->options.reason ? ctl->options.reason : reason);
        if (api_call(ctl, "POST", target, "application/json", body, &reply, &err) < 0)
                return ctl_fail(ctl, &err);
        fprintf(ctl->out, "%s %s\n", ctl->options.arguments[0], said);
        return CTL_OK;
}

int verb_renew(Ctl *ctl) {
        return begin_anew(ctl, "renew", "renewals", "begins anew with an empty disk");
}

int verb_discard(Ctl *ctl) {
        return begin_anew(ctl, "discard", "discards",
                          "begins anew as soon as nothing is lost by it; 'millctl plan' shows what "
                          "it waits for");
}
