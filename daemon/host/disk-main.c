/* millrace-disk CLASS:CLAIM: see disk.h. What is wrong goes to the journal, and into a file from
 * which millrace-hostd takes it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "host-claims.h"
#include "host-files.h"
#include "sdk/str.h"

/* millrace-hostd looks there when the disk is not mounted after all. */
static void leave_message(const char *claim, const char *text) {
        _cleanup_dir_ HostDir directory = HOST_DIR_INIT;

        if (host_dir_open("", DISK_MESSAGES_DIRECTORY, true, &directory, NULL) < 0)
                return;
        if (text)
                (void) !host_file_write(&directory, claim, text, strlen(text), getegid(), 0644,
                                        NULL);
        else
                (void) !host_file_remove(&directory, claim, NULL);
}

static int bring(const char *class_name, const char *claim, MrError *err) {
        _cleanup_(host_config_freep) HostConfig *config = NULL;

        int r = host_config_read(HOST_CONFIG_PATH, &config, err);
        if (r < 0)
                return r;
        const HostStorageClass *class = host_config_storage_class(config, class_name);
        if (!class || class->devices.n == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s is no storage class with devices; add it to %s", class_name,
                               HOST_CONFIG_PATH);
        const Disk disk = {.root = "", .class = class, .claim = claim};
        const HostStep step = {.base = class->path, .claim = claim};
        return host_claim_find_mounted("", &step) ? disk_grow(&disk, err) : disk_bring(&disk, err);
}

int main(int argc, char **argv) {
        _cleanup_error_ MrError err = {};
        const char *colon = argc == 2 ? strchr(argv[1], ':') : NULL;

        if (!colon || !host_name_is_valid(colon + 1)) {
                (void) fputs("usage: millrace-disk CLASS:CLAIM\n", stderr);
                return 2;
        }
        (void) umask(0022);
        _cleanup_free_ char *class_name = mr_strndup(argv[1], (size_t) (colon - argv[1]));
        int r = bring(class_name, colon + 1, &err);
        leave_message(colon + 1, r < 0 ? err.message : NULL);
        if (r >= 0)
                return EXIT_SUCCESS;
        (void) fprintf(stderr, "%s\n", err.message);
        return EXIT_FAILURE;
}
