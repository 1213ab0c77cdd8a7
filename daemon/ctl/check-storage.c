/* Where the data goes: file system, mount options, space, owner. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "ctl/check.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define GIBIBYTE (1024ULL * 1024 * 1024)

typedef struct Mount {
        char *point;
        char *options;
        char *type;
} Mount;

static void mount_done(Mount *mount) {
        free(mount->point);
        free(mount->options);
        free(mount->type);
}

/* The i-th field of a line, from 0. */
static char *field(const char *line, size_t i) {
        for (; i > 0 && *line; i--) {
                line += strcspn(line, " ");
                line += strspn(line, " ");
        }
        return mr_strndup(line, strcspn(line, " "));
}

static bool is_below(const char *path, const char *point) {
        size_t n = strlen(point);

        return mr_streq(point, "/") ||
               (strncmp(path, point, n) == 0 && (!path[n] || path[n] == '/'));
}

/* "36 35 98:0 /root /point options … - type source …": the longest point above the path, the last
 * one of equals. */
static int find_mount(const Check *check, const char *path, Mount *ret) {
        _cleanup_free_ char *text = check_read(check, "/proc/self/mountinfo");
        char *rest = text;

        for (char *line; rest && (line = strsep(&rest, "\n"));) {
                const char *dash = strstr(line, " - ");
                Mount mount = {.point = field(line, 4)};
                if (!dash || !is_below(path, mount.point) ||
                    (ret->point && strlen(mount.point) < strlen(ret->point))) {
                        mount_done(&mount);
                        continue;
                }
                mount.options = field(line, 5);
                mount.type = field(dash + 3, 0);
                mount_done(ret);
                *ret = mount;
        }
        return ret->point ? 0 : -ENOENT;
}

static void check_mount(Check *check, const char *path) {
        __attribute__((cleanup(mount_done))) Mount mount = {};

        if (find_mount(check, path, &mount) < 0)
                return check_add(check, CHECK_WARN, "see whether /proc is mounted",
                                 "the file system of %s is unknown", path);
        bool is_good = mr_streq(mount.type, "xfs") || mr_streq(mount.type, "ext4");
        bool is_remote = mr_starts_with(mount.type, "nfs") || mr_streq(mount.type, "cifs") ||
                         mr_streq(mount.type, "tmpfs");
        check_add(check,
                  is_good     ? CHECK_OK
                  : is_remote ? CHECK_FAIL
                              : CHECK_WARN,
                  "use XFS or ext4 on a local disk for data that should last", "%s is on %s", path,
                  mount.type);
        check_add(check, mr_streq(mount.point, "/") ? CHECK_WARN : CHECK_OK,
                  "a full disk would stop the host as well; mount a disk of its own there",
                  "%s is %s", path,
                  mr_streq(mount.point, "/") ? "on the root file system" : "on a mount of its own");
        check_add(check, strstr(mount.options, "noatime") ? CHECK_OK : CHECK_WARN,
                  "mount it with noatime", "%s is mounted %s noatime", mount.point,
                  strstr(mount.options, "noatime") ? "with" : "without");
}

static void check_space(Check *check, const char *path) {
        _cleanup_free_ char *full = mr_strf("%s%s", check->root, path);
        struct statvfs fs;

        if (statvfs(full, &fs) < 0)
                return check_add(check, CHECK_WARN, "see whether you may look there",
                                 "the free space of %s is unknown", path);
        uint64_t free_bytes = (uint64_t) fs.f_bavail * fs.f_frsize,
                 total = (uint64_t) fs.f_blocks * fs.f_frsize;
        bool is_tight = free_bytes < 5 * GIBIBYTE || free_bytes < total / 10;
        check_add(check,
                  free_bytes < GIBIBYTE ? CHECK_FAIL
                  : is_tight            ? CHECK_WARN
                                        : CHECK_OK,
                  "a broker whose disk is full stops; make room or use a larger disk",
                  "%.1f of %.1f GiB are free in %s", (double) free_bytes / (double) GIBIBYTE,
                  (double) total / (double) GIBIBYTE, path);
}

static void check_owner(Check *check, const char *path) {
        _cleanup_free_ char *full = mr_strf("%s%s", check->root, path);
        struct stat st;

        if (stat(full, &st) < 0)
                return check_add(check, CHECK_OK, NULL,
                                 "%s does not exist yet; it is made when it is needed", path);
        if (!S_ISDIR(st.st_mode))
                return check_add(check, CHECK_FAIL, "move it away", "%s is no directory", path);
        bool is_open = (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 || (st.st_uid != 0 && !*check->root);
        check_add(check, is_open ? CHECK_FAIL : CHECK_OK,
                  "it must belong to root and be writable by root alone: chown root and "
                  "chmod 0755",
                  "%s belongs to user %u, mode %04o", path, (unsigned) st.st_uid,
                  (unsigned) st.st_mode & 07777);
}

/* The path itself, or what of it exists. */
static char *existing(const Check *check, const char *path) {
        char *at = mr_strdup(path);

        for (;;) {
                _cleanup_free_ char *full = mr_strf("%s%s", check->root, at);
                struct stat st;
                char *slash = strrchr(at, '/');
                if (stat(full, &st) == 0 || !slash)
                        return at;
                slash[slash == at] = '\0';
                if (mr_streq(at, "/"))
                        return at;
        }
}

static void check_claims(Check *check, const char *data) {
        _cleanup_free_ char *path = existing(check, data);

        check_mount(check, path);
        check_space(check, path);
        check_owner(check, data);
}

/* Each claim of a class with devices is a disk of its own, so its directory says nothing. */
void check_storage(Check *check) {
        const MrTree *classes = mr_tree_get(check->config, "storage_classes");

        for (size_t i = 0; i < mr_tree_size(classes); i++) {
                const MrTree *class = mr_tree_at(classes, i);
                const char *path = mr_tree_get_string(class, "path");
                if (path && mr_tree_size(mr_tree_get(class, "devices")) == 0)
                        check_claims(check, path);
        }
        if (mr_tree_size(classes) == 0)
                check_claims(check, check->data);
}
