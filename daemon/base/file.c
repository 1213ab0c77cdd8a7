#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/alloc.h"

#define CHUNK_SIZE 65536U

static inline void fd_close(int *fd) {
        if (*fd >= 0)
                close(*fd);
}
#define _cleanup_close_ _cleanup_(fd_close)

static int too_large(const char *path, size_t max, MrError *err) {
        return mr_fail(err, MR_INVALID, NULL, "%s is larger than %zu bytes; make it smaller", path,
                       max);
}

/* Reads to the end and not by the size in the inode: files in /proc and /sys have none, and a
 * file may be growing. */
static int read_all(int fd, const char *path, size_t max, MrBuf *out, MrError *err) {
        _cleanup_free_ char *chunk = mr_malloc(CHUNK_SIZE);
        size_t total = 0;

        for (;;) {
                ssize_t n = read(fd, chunk, CHUNK_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
                if (n == 0)
                        return 0;
                total += (size_t) n;
                if (total > max)
                        return too_large(path, max, err);
                mr_buf_append(out, chunk, (size_t) n);
        }
}

int read_file_capped(const char *path, size_t max, MrBuf *out, MrError *err) {
        /* Without O_NONBLOCK a FIFO somebody left there would hold up the loop. */
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot open %s", path);
        if (!S_ISREG(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL, "%s is not a regular file", path);
        if (st.st_size > 0 && (size_t) st.st_size > max)
                return too_large(path, max, err);
        return read_all(fd, path, max, out, err);
}

static int write_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static int write_temporary(char *temporary, const void *data, size_t size, mode_t mode) {
        _cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, data, size);
        if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
                r = -errno;
        if (r < 0)
                (void) unlink(temporary);
        return r;
}

/* The new name is durable only when its directory is. */
static int sync_directory(const char *directory) {
        _cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode, MrError *err) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *directory =
                slash ? mr_strndup(path, (size_t) (name - path)) : mr_strdup("./");
        _cleanup_free_ char *temporary = mr_strf("%s.%s.XXXXXX", directory, name);
        int r = write_temporary(temporary, data, size, mode);

        if (r >= 0 && rename(temporary, path) < 0) {
                r = -errno;
                (void) unlink(temporary);
        }
        if (r >= 0)
                r = sync_directory(directory);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot write %s", path) : 0;
}
