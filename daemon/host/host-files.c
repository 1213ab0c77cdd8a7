#include "host-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sdk/str.h"

#define LIST_MAX 100000U

void host_fd_close(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                (void) close(*fd);
        *fd = -1;
        errno = saved;
}

void host_dir_done(HostDir *dir) {
        host_fd_close(&dir->fd);
        free(dir->path);
        dir->path = NULL;
}

static const char *advice_for(int errnum) {
        switch (errnum) {
        case ENOSPC:
                return "; the disk is full, free space on it";
        case EDQUOT:
                return "; the quota is used up, raise it or free space";
        case EROFS:
                return "; the file system is read-only, mount it writable";
        case ELOOP:
        case EXDEV:
                return "; a symbolic link lies on the path, remove it";
        case ENOTDIR:
                return "; a file or a symbolic link is in the place of a directory, move it away";
        default:
                return "";
        }
}

int host_path_fail(MrError *err, int errnum, const char *what, const char *path, const char *name) {
        _cleanup_free_ char *text = mr_strf("cannot %s %s%s%s: %s%s", what, path, name ? "/" : "",
                                            name ? name : "", strerror(errnum), advice_for(errnum));
        bool invalid = errnum == ELOOP || errnum == EXDEV || errnum == ENOTDIR;
        bool denied = errnum == EACCES || errnum == EPERM;

        return mr_fail(err,
                       denied    ? MR_DENIED
                       : invalid ? MR_INVALID
                                 : MR_TRANSIENT,
                       NULL, "%s", text);
}

int host_open_beneath(int dirfd, const char *name, int flags) {
        /* The kernel refuses O_PATH together with flags that mean nothing for it. */
        int tty = flags & O_PATH ? 0 : O_NOCTTY;
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC | O_NOFOLLOW | tty),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

        return fd < 0 ? -errno : (int) fd;
}

int host_open_directory(const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* A directory in which others can plant names is no place for root to work in. */
static int owner_check(int fd, const char *path, MrError *err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return host_path_fail(err, errno, "look at", path, NULL);
        if (st.st_uid != geteuid() && st.st_uid != 0)
                return mr_fail(err, MR_DENIED, NULL, "%s is not owned by root; run: chown root %s",
                               path, path);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return mr_fail(err, MR_DENIED, NULL,
                               "%s can be written by others; run: chmod go-w %s", path, path);
        return 0;
}

/* Makes every missing directory of a path. */
static int path_make(const char *path, MrError *err) {
        _cleanup_free_ char *copy = mr_strdup(path);

        for (char *p = copy + 1;; p++) {
                char c = *p;

                if (c && c != '/')
                        continue;
                *p = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return host_path_fail(err, errno, "make", copy, NULL);
                *p = c;
                if (!c)
                        return 0;
        }
}

static int dir_take(int fd, char *take_path, HostDir *ret, MrError *err) {
        HostDir dir = {.fd = fd, .path = take_path};

        int r = fd >= 0 ? owner_check(fd, take_path, err) : 0;
        if (r < 0) {
                host_dir_done(&dir);
                return r;
        }
        *ret = dir;
        return 0;
}

/* The administrator may have made the base directory itself a link to another disk, so links are
 * followed up to here. */
int host_dir_open(const char *root, const char *path, bool create, HostDir *ret, MrError *err) {
        _cleanup_free_ char *full = mr_strf("%s%s", root, path);

        int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && create) {
                int r = path_make(full, err);
                if (r < 0)
                        return r;
                fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (fd < 0 && (errno != ENOENT || create))
                return host_path_fail(err, errno, "open", full, NULL);
        return dir_take(fd, TAKE(full), ret, err);
}

int host_dir_open_beneath(const HostDir *parent, const char *name, HostDir *ret, MrError *err) {
        int fd = host_open_beneath(parent->fd, name, O_RDONLY | O_DIRECTORY);

        if (fd < 0 && fd != -ENOENT)
                return host_path_fail(err, -fd, "open", parent->path, name);
        return dir_take(fd < 0 ? -1 : fd, mr_strf("%s/%s", parent->path, name), ret, err);
}

static int group_check(const HostDir *dir, gid_t gid, MrError *err) {
        struct stat st;

        if (fstat(dir->fd, &st) < 0)
                return host_path_fail(err, errno, "look at", dir->path, NULL);
        if (st.st_gid != gid)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s has another group than asked for, so it is of another class of "
                               "units; remove that unit first",
                               dir->path);
        return 0;
}

/* Under a name of its own first, so that a directory never shows itself half made. */
static int dir_make_new(const HostDir *parent, const char *name, gid_t gid, mode_t mode,
                        MrError *err) {
        _cleanup_free_ char *temporary = mr_strf(".%s.new", name);
        _cleanup_fd_ int fd = -1;

        if (mkdirat(parent->fd, temporary, 0700) < 0 && errno != EEXIST)
                return host_path_fail(err, errno, "make", parent->path, temporary);
        fd = host_open_beneath(parent->fd, temporary, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return host_path_fail(err, -fd, "open", parent->path, temporary);
        if (fchown(fd, (uid_t) -1, gid) < 0 || fchmod(fd, mode) < 0)
                return host_path_fail(err, errno, "set the owner of", parent->path, temporary);
        if (renameat(parent->fd, temporary, parent->fd, name) < 0)
                return host_path_fail(err, errno, "rename", parent->path, temporary);
        return host_dir_sync(parent, err);
}

int host_dir_make(const HostDir *parent, const char *name, gid_t gid, mode_t mode, HostDir *ret,
                  MrError *err) {
        _cleanup_dir_ HostDir dir = HOST_DIR_INIT;

        int r = host_dir_open_beneath(parent, name, &dir, err);
        if (r < 0)
                return r;
        if (dir.fd < 0) {
                r = dir_make_new(parent, name, gid, mode, err);
                if (r < 0)
                        return r;
                host_dir_done(&dir);
                r = host_dir_open_beneath(parent, name, &dir, err);
                if (r < 0)
                        return r;
                if (dir.fd < 0)
                        return mr_fail(err, MR_TRANSIENT, NULL, "%s disappeared; it is made again",
                                       dir.path);
        }
        r = group_check(&dir, gid, err);
        if (r < 0)
                return r;
        *ret = dir;
        dir = HOST_DIR_INIT;
        return 0;
}

int host_dir_sync(const HostDir *dir, MrError *err) {
        if (fsync(dir->fd) < 0)
                return host_path_fail(err, errno, "flush", dir->path, NULL);
        return 0;
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

/* Whether the file is already as wanted: owner, mode and every byte. */
static bool file_is(const HostDir *dir, const char *name, const char *content, size_t size,
                    HostAccess access) {
        _cleanup_fd_ int fd = host_open_beneath(dir->fd, name, O_RDONLY | O_NONBLOCK);
        _cleanup_buf_ MrBuf found = {};
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != access.uid ||
            st.st_gid != access.gid || (st.st_mode & 07777) != access.mode || st.st_nlink != 1 ||
            (size_t) st.st_size != size)
                return false;
        return host_file_read(dir, name, size, &found, NULL) == 1 && found.size == size &&
               (size == 0 || memcmp(found.data, content, size) == 0);
}

static int temporary_fill(int fd, const char *content, size_t size, HostAccess access) {
        uid_t uid = access.uid == geteuid() ? (uid_t) -1 : access.uid;
        int r = fchown(fd, uid, access.gid) < 0 || fchmod(fd, access.mode) < 0 ? -errno : 0;

        if (r >= 0)
                r = write_all(fd, content, size);
        if (r >= 0 && fsync(fd) < 0)
                r = -errno;
        return r;
}

static int file_replace(const HostDir *dir, const char *name, const char *content, size_t size,
                        HostAccess access, MrError *err) {
        uint64_t random = 0;

        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t) sizeof(random))
                random = (uint64_t) getpid();
        _cleanup_free_ char *temporary =
                mr_strf(".%.100s.%016llx", name, (unsigned long long) random);
        _cleanup_fd_ int fd = openat(dir->fd, temporary,
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return host_path_fail(err, errno, "write", dir->path, name);

        int r = temporary_fill(fd, content, size, access);
        if (r >= 0 && renameat(dir->fd, temporary, dir->fd, name) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(dir->fd, temporary, 0);
                return host_path_fail(err, -r, "write", dir->path, name);
        }
        return 0;
}

int host_file_write_for(const HostDir *dir, const char *name, const char *content, size_t size,
                        HostAccess access, MrError *err) {
        if (file_is(dir, name, content, size, access))
                return 0;
        int r = file_replace(dir, name, content, size, access, err);
        return r < 0 ? r : 1;
}

int host_file_write(const HostDir *dir, const char *name, const char *content, size_t size,
                    gid_t gid, mode_t mode, MrError *err) {
        HostAccess access = {.uid = geteuid(), .gid = gid, .mode = mode};

        return host_file_write_for(dir, name, content, size, access, err);
}

int host_file_remove(const HostDir *dir, const char *name, MrError *err) {
        if (unlinkat(dir->fd, name, 0) == 0)
                return 1;
        if (errno == ENOENT)
                return 0;
        return host_path_fail(err, errno, "remove", dir->path, name);
}

static int fd_read(int fd, size_t max, MrBuf *out) {
        char block[8192];

        for (;;) {
                ssize_t n = read(fd, block, sizeof(block));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                if (out->size + (size_t) n > max)
                        return -EFBIG;
                mr_buf_append(out, block, (size_t) n);
        }
}

int host_file_read(const HostDir *dir, const char *name, size_t max, MrBuf *out, MrError *err) {
        _cleanup_fd_ int fd = host_open_beneath(dir->fd, name, O_RDONLY | O_NONBLOCK);
        struct stat st;

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return host_path_fail(err, -fd, "read", dir->path, name);
        if (fstat(fd, &st) < 0)
                return host_path_fail(err, errno, "look at", dir->path, name);
        if (!S_ISREG(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL, "%s/%s is no regular file; remove it",
                               dir->path, name);

        int r = fd_read(fd, max, out);
        if (r < 0)
                return host_path_fail(err, -r, "read", dir->path, name);
        return 1;
}

void host_names_done(HostNames *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i]);
        free(names->items);
        *names = (HostNames){};
}

static int name_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void dir_closep(DIR **stream) {
        if (*stream)
                (void) closedir(*stream);
}

int host_dir_list(const HostDir *dir, bool hidden, HostNames *ret, MrError *err) {
        _cleanup_names_ HostNames names = {};
        size_t allocated = 0;
        int fd = host_open_beneath(dir->fd, ".", O_RDONLY | O_DIRECTORY);
        _cleanup_(dir_closep) DIR *stream = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!stream)
                return host_path_fail(err, fd < 0 ? -fd : errno, "list", dir->path, NULL);
        while ((errno = 0, entry = readdir(stream))) {
                const char *name = entry->d_name;

                if (mr_streq(name, ".") || mr_streq(name, "..") || (name[0] == '.' && !hidden))
                        continue;
                if (names.n >= LIST_MAX)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "%s holds too many names; clean it up", dir->path);
                MR_GROW(names.items, names.n, allocated);
                names.items[names.n++] = mr_strdup(name);
        }
        if (errno != 0)
                return host_path_fail(err, errno, "list", dir->path, NULL);
        if (names.n > 0)
                qsort(names.items, names.n, sizeof(*names.items), name_compare);
        *ret = names;
        names = (HostNames){};
        return 0;
}
