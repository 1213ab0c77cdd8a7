/* millraced: arguments and configuration → an App and its event loop. */

#include <getopt.h>
#include <stdio.h>

#include "app.h"
#include "base/log.h"
#include "base/message-ids.h"

static const char usage[] =
        "millraced [OPTION…]\n"
        "\n"
        "Keeps Kafka clusters as their resources describe them.\n"
        "\n"
        "  -c, --config FILE   settings, default " CONFIG_PATH "\n"
        "      --check         read the settings, say whether they are right, and end\n"
        "  -h, --help          this text\n"
        "      --version       the version\n";

typedef struct Arguments {
        const char *config;
        bool only_check;
        int exit_code; /* -1: go on */
} Arguments;

static Arguments parse(int argc, char *argv[]) {
        static const struct option options[] = {
                {"config", required_argument, NULL, 'c'},
                {"check", no_argument, NULL, 'k'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},
                {},
        };
        Arguments arguments = {.config = CONFIG_PATH, .exit_code = -1};

        for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) >= 0;) {
                if (c == 'c')
                        arguments.config = optarg;
                else if (c == 'k')
                        arguments.only_check = true;
                else if (c == 'v') {
                        puts("millrace " MILLRACE_VERSION);
                        arguments.exit_code = 0;
                } else {
                        fputs(usage, c == 'h' ? stdout : stderr);
                        arguments.exit_code = c == 'h' ? 0 : 2;
                }
        }
        return arguments;
}

static int fail(const MrError *err, const char *id) {
        _cleanup_free_ char *text = mr_error_text(err);

        log_error(NULL, id, "%s", text);
        return 1;
}

int main(int argc, char *argv[]) {
        Arguments arguments = parse(argc, argv);
        _cleanup_error_ MrError err = {};
        _cleanup_(app_freep) App *app = NULL;

        if (arguments.exit_code >= 0)
                return arguments.exit_code;
        log_open("millraced");
        if (arguments.only_check) {
                _cleanup_(config_freep) Config *config = NULL;
                return config_read(arguments.config, &config, &err) < 0 ? fail(&err, NULL) : 0;
        }
        if (app_new(arguments.config, &app, &err) < 0)
                return fail(&err, err.kind == MR_DENIED ? MSG_STORE_DAMAGED : NULL);
        return app_run(app, &err) < 0 ? fail(&err, NULL) : 0;
}
