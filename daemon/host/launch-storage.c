/* Storage of a node, made by the user who runs it. A directory is made only when its parent exists,
 * a file only when there is none: whatever a disk already holds is left alone. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

static int write_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

/* Writes a new file that is complete before it has its name. No link is followed: neither name may
 * exist as one. */
static int file_stage(const char *path, const char *data, size_t size, mode_t mode) {
        (void) unlink(path);
        _cleanup_(fd_close) int fd =
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

        if (fd < 0)
                return -1;
        /* The mode is part of the contract, whatever the umask says. */
        if (fchmod(fd, mode) < 0 || write_all(fd, data, size) < 0 || fsync(fd) < 0) {
                int saved = errno;

                (void) unlink(path);
                errno = saved;
                return -1;
        }
        return 0;
}

/* A rename survives a power failure once its directory is on disk. */
static void parent_sync(const char *path) {
        _cleanup_(text_free) char *parent = text_format("%s", path);
        char *slash = strrchr(parent, '/');

        if (slash)
                *(slash == parent ? slash + 1 : slash) = '\0';
        _cleanup_(fd_close) int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                (void) fsync(fd);
}

int manifest_copy(const char *node_directory, const char *run_directory, Failure *failure) {
        _cleanup_(text_free) char *from = text_format("%s/manifest.json", node_directory);
        _cleanup_(text_free) char *to = text_format("%s/manifest.json", run_directory);
        _cleanup_(text_free) char *staged = text_format("%s/.manifest.json.new", run_directory);
        _cleanup_(text_free) char *data = NULL;
        size_t size = 0;

        if (!file_read(from, &data, &size)) {
                if (errno != ENOENT)
                        return failure_set(failure, LAUNCH_BAD_FILE, "cannot read %s: %s", from,
                                           strerror(errno));
                /* A copy from an earlier start would tell of another configuration. */
                (void) unlink(to);
                return 0;
        }
        if (file_stage(staged, data, size, 0640) < 0 || rename(staged, to) < 0)
                return failure_set(failure, LAUNCH_NO_STORAGE, "cannot write %s: %s", to,
                                   strerror(errno));
        return 0;
}

static bool is_file(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool storage_is_prepared(const Launch *launch) {
        for (size_t i = 0; i < launch->prepared_too.n; i++)
                if (!is_file(launch->prepared_too.items[i]))
                        return false;
        return launch->prepared && is_file(launch->prepared);
}

static int known_check(const char *path, Failure *failure) {
        struct stat st;

        int r = lstat(path, &st);
        if (r == 0 && S_ISREG(st.st_mode))
                return 0;
        if (r < 0 && errno != ENOENT && errno != ENOTDIR)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot look at %s: %s; check the disk and its permissions",
                                   path, strerror(errno));
        return failure_set(failure, LAUNCH_BAD_STORAGE,
                           "the disk of a known node is empty: %s is missing; mount the disk that "
                           "holds its data, or, when the data is lost, let the node begin anew "
                           "with 'millctl renew'",
                           path);
}

static bool has_line(const char *text, const char *line) {
        size_t n = strlen(line);

        for (const char *p = text; p; p = strchr(p, '\n')) {
                p += *p == '\n';
                if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == '\0'))
                        return true;
        }
        return false;
}

/* A disk that was prepared for somebody else is neither taken over nor formatted again. */
static int line_check(const char *path, const char *line, Failure *failure) {
        _cleanup_(text_free) char *text = NULL;
        size_t size = 0;

        if (!file_read(path, &text, &size)) {
                if (errno == ENOENT || errno == ENOTDIR)
                        return 0;
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot read %s: %s; check the disk and its permissions", path,
                                   strerror(errno));
        }
        if (has_line(text, line))
                return 0;
        return failure_set(failure, LAUNCH_BAD_STORAGE,
                           "the disk holds data of another node: %s does not say %s; mount the "
                           "disk that belongs here",
                           path, line);
}

static int data_check(const Launch *launch, Failure *failure) {
        for (size_t i = 0; i < launch->known.n; i++)
                if (known_check(launch->known.items[i], failure) < 0)
                        return -1;
        for (size_t i = 0; i + 1 < launch->expected_lines.n; i += 2)
                if (line_check(launch->expected_lines.items[i], launch->expected_lines.items[i + 1],
                               failure) < 0)
                        return -1;
        return 0;
}

/* A node that once had data must not begin anew with an empty disk: it would rejoin under its old
 * name without what it promised to keep. */
int storage_check(const Launch *launch, Failure *failure) {
        struct stat st;

        if (data_check(launch, failure) < 0)
                return -1;
        if (!launch->expect_prepared || storage_is_prepared(launch))
                return 0;
        if (lstat(launch->prepared, &st) < 0 && errno != ENOENT && errno != ENOTDIR)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot look at %s: %s; check the disk and its permissions",
                                   launch->prepared, strerror(errno));
        return failure_set(failure, LAUNCH_BAD_STORAGE,
                           "the disk of a known node is empty: %s is missing; mount the disk that "
                           "holds its data, or, when the "
                           "data is lost, remove the claim so that the node begins anew",
                           launch->prepared);
}

static int directory_make(const char *path, Failure *failure) {
        struct stat st;

        if (mkdir(path, 0750) == 0) {
                parent_sync(path);
                return 0;
        }
        if (errno == ENOENT)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot make %s: its parent is missing; is the disk mounted?",
                                   path);
        if (errno != EEXIST)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot make %s: %s; check the disk and its permissions", path,
                                   strerror(errno));
        if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                return failure_set(failure, LAUNCH_NO_STORAGE, "%s is no directory; move it away",
                                   path);
        return 0;
}

static int content_check(const char *path, Failure *failure) {
        struct stat st;

        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
                return 0;
        return failure_set(failure, LAUNCH_NO_STORAGE, "%s is no regular file; move it away", path);
}

static int content_make(const char *path, const char *text, Failure *failure) {
        _cleanup_(text_free) char *staged = text_format("%s.new", path);
        _cleanup_(text_free) char *data = text_format("%s\n", text);
        struct stat st;

        if (lstat(path, &st) == 0)
                return content_check(path, failure);
        if (errno != ENOENT)
                return failure_set(failure, LAUNCH_NO_STORAGE, "cannot look at %s: %s", path,
                                   strerror(errno));
        if (file_stage(staged, data, strlen(data), 0640) < 0 || rename(staged, path) < 0)
                return failure_set(failure, LAUNCH_NO_STORAGE,
                                   "cannot write %s: %s; check the disk and its permissions", path,
                                   strerror(errno));
        parent_sync(path);
        return 0;
}

int storage_make(const Launch *launch, Failure *failure) {
        for (size_t i = 0; i < launch->directories.n; i++)
                if (directory_make(launch->directories.items[i], failure) < 0)
                        return -1;
        for (size_t i = 0; i + 1 < launch->contents.n; i += 2)
                if (content_make(launch->contents.items[i], launch->contents.items[i + 1],
                                 failure) < 0)
                        return -1;
        return 0;
}
