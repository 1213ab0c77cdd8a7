/* millctl check: the host preflight, one line for each finding. */

#include <errno.h>

#include "ctl/check.h"
#include "ctl/ctl.h"
#include "sdk/str.h"

int verb_check(Ctl *ctl) {
        static const char *const levels[_CHECK_LEVEL_MAX] = {
                [CHECK_OK] = "OK  ", [CHECK_WARN] = "WARN", [CHECK_FAIL] = "FAIL"};
        Check check = {.root = "", .data = "/var/lib/millrace-data"};
        size_t n[_CHECK_LEVEL_MAX] = {};

        if (ctl->options.n_arguments > 0)
                return ctl_misused(ctl, "check takes no arguments");
        if (ctl->options.heap && mr_parse_bytes(ctl->options.heap, &check.heap) < 0)
                return ctl_misused(ctl, "\"%s\" is no size; write for example 6Gi",
                                   ctl->options.heap);
        check_run(&check);
        for (size_t i = 0; i < check.n_findings; i++) {
                const Finding *finding = &check.findings[i];
                fprintf(ctl->out, "%s  %s%s%s\n", levels[finding->level], finding->what,
                        finding->advice ? "; " : "", finding->advice ? finding->advice : "");
                n[finding->level]++;
        }
        fprintf(ctl->out, "%zu in order, %zu to look at, %zu to change.\n", n[CHECK_OK],
                n[CHECK_WARN], n[CHECK_FAIL]);
        check_done(&check);
        return n[CHECK_FAIL] > 0 ? CTL_FAILED : CTL_OK;
}
