/* millrace-place [--account DIR] FILE NAME=WHAT...: see place.h. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "place.h"
#include "sdk/str.h"

static int learn(const PlaceServer *server, const char *path, char *const *wanted, size_t n,
                 MrError *err) {
        const char *machine = getenv("NODE_NAME");
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf text = {};

        if (!server->host || !server->port || !machine || !mr_is_object_name(machine))
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and NODE_NAME must "
                        "be set; this program runs in a pod");
        int r = place_ask(server, machine, &tree, err);
        if (r >= 0)
                r = place_text(tree, wanted, n, &text, err);
        return r < 0 ? r : write_file_atomic(path, mr_buf_text(&text), text.size, 0644, err);
}

int main(int argc, char **argv) {
        _cleanup_error_ MrError err = {};
        PlaceServer server = {.host = getenv("KUBERNETES_SERVICE_HOST"),
                              .port = getenv("KUBERNETES_SERVICE_PORT"),
                              .account = PLACE_ACCOUNT};

        if (argc > 2 && mr_streq(argv[1], "--account")) {
                server.account = argv[2];
                argc -= 2;
                argv += 2;
        }
        if (argc < 3) {
                (void) fputs("usage: millrace-place [--account DIR] FILE NAME=label:KEY|"
                             "NAME=address:TYPE...\n",
                             stderr);
                return 2;
        }
        if (learn(&server, argv[1], argv + 2, (size_t) argc - 2, &err) >= 0)
                return EXIT_SUCCESS;
        (void) fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
}
