/* millctl version. */

#include "ctl/ctl-api.h"
#include "sdk/str.h"

int verb_version(Ctl *ctl) {
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        fprintf(ctl->out, "millctl %s\n", MILLRACE_VERSION);
        if (api_get(ctl, "/version", &answer, &err) < 0)
                fprintf(ctl->out, "millraced (%s)\n", err.message);
        else
                fprintf(ctl->out, "millraced %s\n", mr_tree_get_string(answer, "millrace"));
        return CTL_OK;
}
