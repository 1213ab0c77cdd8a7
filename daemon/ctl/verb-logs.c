/* millctl logs: becomes journalctl for the unit of a node. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl-api.h"
#include "ctl/nodes.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

typedef struct Known {
        const char *wanted;
        bool is_there;
        MrBuf others;
} Known;

static void compare(const char *node, void *userdata) {
        Known *known = userdata;

        known->is_there = known->is_there || mr_streq(node, known->wanted);
        mr_buf_printf(&known->others, "%s%s", known->others.size > 0 ? ", " : "", node);
}

/* A node that is gone may have left words in the journal, and a daemon that is down says nothing:
 * neither is refused. */
static void tell_unknown(Ctl *ctl, const char *node) {
        Known known = {.wanted = node};

        if (nodes_each(ctl, compare, &known) >= 0 && !known.is_there)
                fprintf(ctl->errors, "millctl: no resource has a node %s now; %s%s\n", node,
                        known.others.size > 0 ? "there are: " : "there is none at all",
                        mr_buf_text(&known.others));
        mr_buf_done(&known.others);
}

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
        tell_unknown(ctl, node);
        (void) fflush(ctl->out);
        (void) fflush(ctl->errors);
        char *argv[MR_ELEMENTS(arguments)];
        memcpy(argv, arguments, sizeof(argv));
        (void) execvp(argv[0], argv);
        return ctl_fail_text(ctl, "cannot run journalctl: %s", strerror(errno));
}
