#include "disk.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "host-files.h"
#include "sdk/str.h"

#define UNIT_MAX 65536U /* of any text that is read */
#define ARGUMENTS_MAX 7
#define SECTOR_SIZE 512 /* in which the kernel counts, whatever a disk has */

char *disk_mount_point(const HostStorageClass *class, const char *claim) {
        return mr_strf("%s/%s", class->path, claim);
}

char *disk_unit_name(const char *path) {
        _cleanup_buf_ MrBuf out = {};

        for (const char *p = path + strspn(path, "/"); *p; p++)
                if (*p == '/')
                        mr_buf_putc(&out, '-');
                else if (isalnum((unsigned char) *p) || strchr(":_", *p) ||
                         (*p == '.' && out.size > 0))
                        mr_buf_putc(&out, *p);
                else
                        mr_buf_printf(&out, "\\x%02x", (unsigned char) *p);
        mr_buf_puts(&out, ".mount");
        return mr_buf_take(&out);
}

static int spawn(char *const arguments[], MrBuf *out) {
        posix_spawn_file_actions_t actions;
        char block[1024];
        int pipes[2], status = 0;
        pid_t pid;

        if (pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, pipes[1], STDERR_FILENO);
        int r = -posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        (void) close(pipes[1]);
        for (ssize_t n; r == 0 && (n = read(pipes[0], block, sizeof(block))) > 0;)
                mr_buf_append(out, block, (size_t) n);
        (void) close(pipes[0]);
        if (r < 0)
                return r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EPROTO;
}

int disk_run(const char *const arguments[], MrBuf *out) {
        char *copied[ARGUMENTS_MAX + 1] = {};

        for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
                copied[i] = mr_strdup(arguments[i]);
        int r = spawn(copied, out);
        for (size_t i = 0; copied[i]; i++)
                free(copied[i]);
        return r;
}

static int run(const Disk *disk, const char *const arguments[], MrBuf *out, MrError *err) {
        int r = (disk->run ? disk->run : disk_run)(arguments, out);

        if (r == -ENOENT)
                return mr_fail(err, MR_INVALID, NULL, "%s is not installed; install %s",
                               arguments[0],
                               mr_streq(arguments[0], "wipefs") ? "util-linux" : "xfsprogs");
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot run %s", arguments[0]) : r;
}

/* --- mount units: which disk a claim has */

static int units_open(const Disk *disk, HostDir *ret, MrError *err) {
        return host_dir_open(disk->root, DISK_UNITS_DIRECTORY, true, ret, err);
}

/* The disk that a unit mounts; NULL when the unit says nothing of the kind. */
static char *unit_device(const HostDir *units, const char *name) {
        _cleanup_buf_ MrBuf text = {};

        if (host_file_read(units, name, UNIT_MAX, &text, NULL) <= 0)
                return NULL;
        const char *what = strstr(mr_buf_text(&text), "\nWhat=");
        return what ? mr_strndup(what + 6, strcspn(what + 6, "\n")) : NULL;
}

static bool is_taken(const HostDir *units, const char *device) {
        _cleanup_names_ HostNames names = {};
        bool taken = false;

        if (host_dir_list(units, false, &names, NULL) < 0)
                return true;
        for (size_t i = 0; i < names.n && !taken; i++) {
                _cleanup_free_ char *other = mr_ends_with(names.items[i], ".mount")
                                                     ? unit_device(units, names.items[i])
                                                     : NULL;
                taken = mr_streq(other, device);
        }
        return taken;
}

static int unit_write(const Disk *disk, const HostDir *units, const char *device, MrError *err) {
        _cleanup_free_ char *where = disk_mount_point(disk->class, disk->claim),
                            *name = disk_unit_name(where);
        _cleanup_buf_ MrBuf text = {}, quoted = {};

        /* A percent sign is systemd's. */
        for (const char *p = where; *p; p++)
                mr_buf_puts(&quoted, (char[]){*p, *p == '%' ? '%' : '\0', '\0'});
        mr_buf_printf(
                &text,
                "# Written by millrace-disk: the disk of claim %s. Its data is beneath it, in "
                "data/.\n\n[Unit]\nDescription=millrace claim %s\n\n[Mount]\nWhat=%s\n"
                "Where=%s\nType=xfs\nOptions=noatime,nodev,nosuid\n\n[Install]\n"
                "WantedBy=local-fs.target\n",
                disk->claim, disk->claim, device, mr_buf_text(&quoted));
        int r = host_file_write(units, name, text.data, text.size, getegid(), 0644, err);
        return r < 0 ? r : host_dir_sync(units, err);
}

/* --- disks */

/* Why the disk cannot be taken, added to `why`; nothing when it is blank. */
static int look(const Disk *disk, const char *device, MrBuf *why, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s%s", disk->root, device);
        const char *const arguments[] = {"wipefs", "--noheadings", "--output", "TYPE", path, NULL};
        _cleanup_buf_ MrBuf found = {};
        struct stat st;

        if (stat(path, &st) < 0)
                return mr_buf_puts(why, "is not there"), 0;
        if (!S_ISBLK(st.st_mode) && mr_is_empty(disk->root))
                return mr_buf_puts(why, "is no block device"), 0;
        /* The kernel refuses an exclusive look at what is mounted, or part of something else. */
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return mr_buf_printf(why, "cannot be opened (%s)", strerror(errno)), 0;
        int r = run(disk, arguments, &found, err);
        if (r < 0)
                return r;
        if (r > 0)
                mr_buf_printf(why, "cannot be read by wipefs");
        else if (found.size > 0)
                mr_buf_printf(why, "holds %.*s", (int) strcspn(mr_buf_text(&found), "\n"),
                              mr_buf_text(&found));
        return 0;
}

/* The first blank disk that no other claim has. */
static int choose(const Disk *disk, const HostDir *units, const char **ret, MrError *err) {
        _cleanup_buf_ MrBuf told = {};

        for (size_t i = 0; i < disk->class->devices.n; i++) {
                const char *device = disk->class->devices.items[i];
                _cleanup_buf_ MrBuf why = {};
                int r = 0;

                if (is_taken(units, device))
                        mr_buf_puts(&why, "belongs to another claim");
                else
                        r = look(disk, device, &why, err);
                if (r < 0)
                        return r;
                if (why.size == 0) {
                        *ret = device;
                        return 0;
                }
                mr_buf_printf(&told, "%s%s %s", told.size > 0 ? ", " : "", device,
                              mr_buf_text(&why));
        }
        return mr_fail(err, MR_INVALID, NULL,
                       "storage class %s has no blank disk left for %s: %s; add one to devices in "
                       "%s, or empty one whose data nobody needs with 'wipefs --all'",
                       disk->class->name, disk->claim, mr_buf_text(&told), HOST_CONFIG_PATH);
}

/* Without -f, mkfs.xfs refuses by itself what shows a signature. */
static int format(const Disk *disk, const char *device, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s%s", disk->root, device);
        const char *const arguments[] = {"mkfs.xfs", "-q", path, NULL};
        _cleanup_buf_ MrBuf out = {};

        int r = run(disk, arguments, &out, err);
        if (r > 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "mkfs.xfs fails for %s: %.*s; see %s",
                               device, (int) strcspn(mr_buf_text(&out), "\n"), mr_buf_text(&out),
                               "'journalctl -t millrace-disk'");
        return r;
}

/* The unit is written before the file system is made: an interruption goes on with the same disk,
 * as long as that is still blank. */
int disk_bring(const Disk *disk, MrError *err) {
        _cleanup_free_ char *where = disk_mount_point(disk->class, disk->claim),
                            *name = disk_unit_name(where), *known = NULL;
        _cleanup_dir_ HostDir units = HOST_DIR_INIT;
        _cleanup_buf_ MrBuf why = {};
        const char *device = NULL;

        int r = units_open(disk, &units, err);
        if (r < 0)
                return r;
        device = known = unit_device(&units, name);
        if (!device) {
                r = choose(disk, &units, &device, err);
                if (r >= 0)
                        r = unit_write(disk, &units, device, err);
        } else
                r = look(disk, device, &why, err);
        if (r < 0)
                return r;
        /* It holds what it held. */
        if (why.size > 0)
                return 0;
        r = format(disk, device, err);
        return r < 0 ? r : 1;
}

/* --- disks that have grown */

/* Of the many lines it prints, the one that says why. */
static const char *complaint(const MrBuf *out, size_t *ret_size) {
        const char *line = strstr(mr_buf_text(out), "xfs_growfs: ");

        line = line ? line : mr_buf_text(out);
        *ret_size = strcspn(line, "\n");
        return line;
}

int disk_grow(const Disk *disk, MrError *err) {
        _cleanup_free_ char *where = disk_mount_point(disk->class, disk->claim),
                            *name = disk_unit_name(where), *device = NULL,
                            *path = mr_strf("%s%s", disk->root, where);
        const char *const arguments[] = {"xfs_growfs", "-d", path, NULL};
        _cleanup_dir_ HostDir units = HOST_DIR_INIT;
        _cleanup_buf_ MrBuf out = {};

        int r = units_open(disk, &units, err);
        if (r < 0)
                return r;
        device = unit_device(&units, name);
        if (!device)
                return 0;
        r = run(disk, arguments, &out, err);
        if (r <= 0)
                return r;
        size_t n;
        const char *line = complaint(&out, &n);
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "the file system of %s cannot take all of %s: %.*s; see "
                       "'journalctl -t millrace-disk' and hostd.yaml(5)",
                       disk->claim, device, (int) n, line);
}

int64_t disk_size(const char *root, int fd) {
        _cleanup_buf_ MrBuf text = {};
        struct stat st;

        if (fstat(fd, &st) < 0)
                return 0;
        _cleanup_free_ char *path =
                mr_strf("%s/sys/dev/block/%u:%u/size", root, major(st.st_dev), minor(st.st_dev));
        /* The kernel calls it as large as a page, whatever is in it. */
        if (read_file_capped(path, UNIT_MAX, &text, NULL) < 0)
                return 0;
        int64_t sectors = strtoll(mr_buf_text(&text), NULL, 10);
        return sectors > 0 && sectors <= INT64_MAX / SECTOR_SIZE ? sectors * SECTOR_SIZE : 0;
}
