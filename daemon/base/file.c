/* Whole files, capped, and replaced in one move. */

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/alloc.h"

static void close_fd(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

static int read_capped(int fd, const char *path, size_t max, MrBuf *out, MrError *err) {
        size_t before = out->size;

        for (;;) {
                char chunk[16384];
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
                if (n == 0)
                        return 0;
                if (out->size - before + (size_t) n > max)
                        return mr_fail(err, MR_INVALID, NULL, "%s is larger than %zu bytes; split it or make it smaller",
                                       path, max);
                mr_buf_append(out, chunk, (size_t) n);
        }
}

int read_file_capped(const char *path, size_t max, MrBuf *out, MrError *err) {
        struct stat st;
        _cleanup_(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot open %s", path);
        if (fstat(fd, &st) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot read %s", path);
        if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL, "%s is no regular file; name a file", path);
        if (S_ISREG(st.st_mode) && (uint64_t) st.st_size > max)
                return mr_fail(err, MR_INVALID, NULL, "%s is larger than %zu bytes; split it or make it smaller", path,
                               max);
        return read_capped(fd, path, max, out, err);
}

int read_stdin_capped(size_t max, MrBuf *out, MrError *err) {
        return read_capped(STDIN_FILENO, "standard input", max, out, err);
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

static int write_temporary(const char *path, const void *data, size_t size, mode_t mode) {
        _cleanup_(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

        if (fd < 0)
                return -errno;
        int r = write_all(fd, data, size);
        if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
                r = -errno;
        return r;
}

int write_file_atomic(const char *path, const void *data, size_t size, mode_t mode, MrError *err) {
        _cleanup_free_ char *temporary = mr_strf("%s.tmp-%d", path, (int) getpid());

        (void) unlink(temporary);
        int r = write_temporary(temporary, data, size, mode);
        if (r >= 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r >= 0)
                return 0;
        (void) unlink(temporary);
        return mr_fail_errno(err, -r, NULL, "cannot write %s", path);
}
