/* millrace-launch NODEDIR RUNDIR: see launch.h. */

#include "launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int launch_prepare(const char *node_directory, const char *run_directory, Launch *launch,
                          Failure *failure) {
        if (launch_read(node_directory, launch, failure) < 0)
                return -1;
        if (manifest_copy(node_directory, run_directory, failure) < 0)
                return -1;
        if (files_fill(node_directory, run_directory, launch, failure) < 0)
                return -1;
        java_find(launch);
        if (java_check(launch, failure) < 0)
                return -1;
        if (storage_check(launch, failure) < 0)
                return -1;
        if (ports_check_free(launch, failure) < 0)
                return -1;
        if (storage_make(launch, failure) < 0)
                return -1;
        if (launch->prepare_class && !storage_is_prepared(launch))
                return java_prepare(launch, failure);
        return 0;
}

/* The journal takes a priority at the start of a line; a person at a terminal does not want to see
 * one. */
static int report(const Failure *failure) {
        notify_send("STATUS=%s", failure->text);
        fprintf(stderr, "%s%s\n", getenv("JOURNAL_STREAM") ? "<3>" : "", failure->text);
        return failure->code;
}

int main(int argc, char **argv) {
        _cleanup_(launch_done) Launch launch = {};
        _cleanup_(failure_done) Failure failure = {};

        if (argc != 3) {
                fputs("usage: millrace-launch NODEDIR RUNDIR\n"
                      "       millrace-launch --copy FILE\n"
                      "       millrace-launch --ready NODEDIR\n",
                      stderr);
                return LAUNCH_USAGE;
        }
        if (strcmp(argv[1], "--copy") == 0)
                return self_copy(argv[2], &failure) < 0 ? report(&failure) : 0;
        if (strcmp(argv[1], "--ready") == 0)
                return self_check_ready(argv[2], &failure) < 0 ? report(&failure) : 0;

        if (launch_prepare(argv[1], argv[2], &launch, &failure) < 0)
                return report(&failure);
        watcher_start(&launch);
        return java_become(&launch, &failure) < 0 ? report(&failure) : 0;
}
