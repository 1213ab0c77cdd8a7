/* The program: see fetch.h. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch.h"
#include "sdk/str.h"

static int fail(const MrError *err) {
        _cleanup_free_ char *text = mr_error_text(err);

        fprintf(stderr, "%s\n", text);
        return EXIT_FAILURE;
}

int main(int argc, char **argv) {
        _cleanup_(host_config_freep) HostConfig *config = NULL;
        _cleanup_error_ MrError err = {};
        _cleanup_fetch_ Fetch fetch = {};
        const char *config_path = HOST_CONFIG_PATH, *base = HOST_DIST_DIRECTORY;

        /* The second form is for preparing a distribution somewhere else, without root. */
        if (argc == 4) {
                config_path = argv[2];
                base = argv[3];
        } else if (argc != 2 || argv[1][0] == '-') {
                fputs("usage: millrace-fetch SOFTWARE-VERSION [CONFIGURATION DIRECTORY]\n", stderr);
                return 2;
        }

        (void) umask(0022);
        setvbuf(stdout, NULL, _IOLBF, 0);
        if (host_config_read(config_path, &config, &err) < 0)
                return fail(&err);
        const HostDistribution *distribution = host_config_distribution_by_id(config, argv[1]);
        if (!distribution) {
                (void) mr_fail(&err, MR_INVALID, NULL,
                               "%s is not listed; add it to distributions in %s", argv[1],
                               config_path);
                return fail(&err);
        }
        fetch_init(&fetch, config, distribution, base);
        return fetch_run(&fetch, &err) < 0 ? fail(&err) : EXIT_SUCCESS;
}
