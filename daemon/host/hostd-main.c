/* millrace-hostd: does on this host what needs root, for callers that have not. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "hostd.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#ifndef MILLRACE_VERSION
#define MILLRACE_VERSION "0.1.0"
#endif

#define IDLE_SEC 30

typedef struct Options {
        const char *root;
        const char *bus;
        int64_t idle_sec;
} Options;

static const char help[] = "Usage: millrace-hostd [OPTION…]\n"
                           "\n"
                           "Offers org.millrace.Host1 on the system bus: claims, files and units "
                           "of nodes on this host. It is started by the\n"
                           "first call and leaves when nobody is subscribed. The administrator's "
                           "choices are in /etc/millrace/hostd.yaml.\n"
                           "\n"
                           "  --bus ADDRESS   use another bus: \"user\", or the address of one\n"
                           "  --root DIR      prefix of every path, for tests\n"
                           "  --idle SECONDS  stay this long without a subscriber (30)\n"
                           "  --help          print this and exit\n"
                           "  --version       print the version and exit\n";

/* Returns 1 when the program should go on, 0 when it said all there was to say. */
static int options_parse(int argc, char **argv, Options *options) {
        static const struct option known[] = {
                {"bus", required_argument, NULL, 'b'},  {"root", required_argument, NULL, 'r'},
                {"idle", required_argument, NULL, 'i'}, {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},    {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0)
                switch (c) {
                case 'b':
                        options->bus = optarg;
                        break;
                case 'r':
                        options->root = optarg;
                        break;
                case 'i':
                        if (mr_parse_int(optarg, &options->idle_sec) < 0 || options->idle_sec < 0)
                                return -EINVAL;
                        break;
                case 'h':
                        (void) fputs(help, stdout);
                        return 0;
                case 'v':
                        (void) puts("millrace-hostd " MILLRACE_VERSION);
                        return 0;
                default:
                        return -EINVAL;
                }
        return optind == argc ? 1 : -EINVAL;
}

static int bus_open(const char *name, sd_bus **ret) {
        int r;

        if (!name)
                return sd_bus_open_system(ret);
        if (mr_streq(name, "user"))
                return sd_bus_open_user(ret);
        r = sd_bus_new(ret);
        if (r >= 0)
                r = sd_bus_set_address(*ret, name);
        if (r >= 0)
                r = sd_bus_set_bus_client(*ret, true);
        return r < 0 ? r : sd_bus_start(*ret);
}

/* The end of a child is asked for by the loop, so its signal is kept from everybody else. */
static int signals_add(sd_event *event) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        int r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        return r < 0 ? r : sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
}

static int hostd_run(sd_event *event, sd_bus *bus, const Options *options) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_(hostd_freep) Hostd *hostd = NULL;
        HostdArgs args = {.event = event,
                          .bus = bus,
                          .root = options->root,
                          .idle_usec = (uint64_t) options->idle_sec * 1000000};

        int r = signals_add(event);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(bus, true);
        if (r < 0)
                return r;
        r = hostd_new(&args, &hostd, &err);
        if (r < 0) {
                log_error(NULL, NULL, "%s", err.message);
                return r;
        }
        return sd_event_loop(event);
}

int main(int argc, char **argv) {
        Options options = {.root = "", .idle_sec = IDLE_SEC};
        sd_event *event = NULL;
        sd_bus *bus = NULL;

        log_open("millrace-hostd");
        (void) umask(0022);
        int r = options_parse(argc, argv, &options);
        if (r < 0)
                (void) fprintf(stderr, "Try: millrace-hostd --help\n");
        if (r <= 0)
                return r < 0 ? 2 : EXIT_SUCCESS;

        r = sd_event_new(&event);
        if (r >= 0)
                r = bus_open(options.bus, &bus);
        if (r < 0)
                log_error(NULL, NULL, "Cannot reach the bus: %s.", strerror(-r));
        else
                r = hostd_run(event, bus, &options);
        sd_bus_flush_close_unref(bus);
        sd_event_unref(event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
