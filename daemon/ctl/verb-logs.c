/* millctl logs: becomes journalctl for the unit of a node. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl-api.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

int verb_logs(Ctl *ctl) {
        const Options *options = &ctl->options;
        const char *arguments[12] = {"journalctl", "--output=cat"};
        size_t n = 2;

        if (options->n_arguments != 1)
                return ctl_misused(ctl, "name one node: millctl logs NODE");
        const char *node = options->arguments[0], *ns = api_namespace(ctl);
        if (!mr_is_object_name(node) || !mr_is_object_name(ns))
                return ctl_misused(ctl, "\"%s\" cannot be the name of a node", node);
        /* Whatever class of unit it is; the namespace stands before the name, unless it is the
         * default one. */
        bool is_default = mr_streq(ns, "default");
        _cleanup_free_ char *unit =
                mr_strf("*@%s%s%s.service", is_default ? "" : ns, is_default ? "" : "_", node);
        arguments[n++] = "--unit";
        arguments[n++] = unit;
        if (options->follow)
                arguments[n++] = "--follow";
        if (options->lines) {
                arguments[n++] = "--lines";
                arguments[n++] = options->lines;
        }
        if (options->since) {
                arguments[n++] = "--since";
                arguments[n++] = options->since;
        }
        (void) fflush(ctl->out);
        char *argv[MR_ELEMENTS(arguments)];
        memcpy(argv, arguments, sizeof(argv));
        (void) execvp(argv[0], argv);
        return ctl_fail_text(ctl, "cannot run journalctl: %s", strerror(errno));
}
