#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host-files.h"
#include "sdk/str.h"

/* Removal of a tree that somebody hostile may be changing. Only the descriptors of directories
 * opened without following links are trusted. Directories deeper than DEPTH_MAX are moved up to the
 * top, so neither the stack nor the number of open files depends on what was built in there. */

#define DEPTH_MAX 32U

typedef struct Removal {
        int top;          /* the directory that is being emptied */
        unsigned n_moved; /* names made up for what is moved to the top */
        int error;        /* the first -errno; the rest is still removed */
} Removal;

static void removal_failed(Removal *removal, int r) {
        if (removal->error == 0)
                removal->error = r;
}

/* One component, no link, and not another file system. */
static int component_open(int dirfd, const char *name) {
        struct open_how how = {
                .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                           RESOLVE_NO_XDEV,
        };
        long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

        return fd < 0 ? -errno : (int) fd;
}

static void directory_empty(Removal *removal, int take_fd, unsigned depth);

static void subdirectory_remove(Removal *removal, int dirfd, const char *name, unsigned depth) {
        if (depth >= DEPTH_MAX) {
                _cleanup_free_ char *moved = mr_strf("moved-%u", removal->n_moved++);

                if (renameat(dirfd, name, removal->top, moved) < 0)
                        removal_failed(removal, -errno);
                return;
        }

        int fd = component_open(dirfd, name);
        if (fd < 0) {
                if (fd != -ENOENT)
                        removal_failed(removal, fd);
                return;
        }
        directory_empty(removal, fd, depth + 1);
        if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                removal_failed(removal, -errno);
}

static void entry_remove(Removal *removal, int dirfd, const char *name, unsigned depth) {
        if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
                return;
        if (errno == EISDIR || errno == EPERM)
                subdirectory_remove(removal, dirfd, name, depth);
        else
                removal_failed(removal, -errno);
}

static void directory_empty(Removal *removal, int take_fd, unsigned depth) {
        DIR *stream = fdopendir(take_fd);
        struct dirent *entry;

        if (!stream) {
                removal_failed(removal, -errno);
                (void) close(take_fd);
                return;
        }
        while ((entry = readdir(stream)))
                if (!mr_streq(entry->d_name, ".") && !mr_streq(entry->d_name, ".."))
                        entry_remove(removal, dirfd(stream), entry->d_name, depth);
        (void) closedir(stream);
}

/* Each pass over the top may have moved deep directories there; the next takes them. */
static void top_empty(Removal *removal) {
        unsigned before;

        do {
                before = removal->n_moved;
                int fd = component_open(removal->top, ".");

                if (fd < 0)
                        removal_failed(removal, fd);
                else
                        directory_empty(removal, fd, 1);
        } while (removal->n_moved > before && removal->n_moved < 1000000);
}

int host_tree_remove(const HostDir *dir, const char *name, MrError *err) {
        _cleanup_fd_ int top = host_open_beneath(dir->fd, name, O_RDONLY | O_DIRECTORY);
        Removal removal = {.top = top};

        if (top == -ENOENT)
                return 0;
        if (top < 0)
                return host_path_fail(err, -top, "open", dir->path, name);
        top_empty(&removal);
        /* What failed on the way may have been a directory whose deep part had to be moved first.
         */
        if (unlinkat(dir->fd, name, AT_REMOVEDIR) == 0)
                return 1;
        return host_path_fail(err, removal.error < 0 ? -removal.error : errno, "remove", dir->path,
                              name);
}
