#pragma once

/* Files as root, without trusting the tree they lie in: everything is opened with openat2() beneath
 * a directory that only root can write, symbolic links are never followed, and a file is replaced
 * whole or not at all.
 *
 * Paths in messages are the real ones; `root` is a prefix for tests, "" on a real host. */

#include <stdbool.h>
#include <sys/types.h>

#include "sdk/alloc.h"
#include "sdk/buf.h"
#include "sdk/error.h"

void host_fd_close(int *fd);
#define _cleanup_fd_ _cleanup_(host_fd_close)

/* A directory that was opened and checked, with its path for messages. */
typedef struct HostDir {
        int fd;     /* -1: not there */
        char *path; /* owned */
} HostDir;

#define HOST_DIR_INIT ((HostDir){.fd = -1})
void host_dir_done(HostDir *dir);
#define _cleanup_dir_ _cleanup_(host_dir_done)

/* Opens an absolute path as a base directory: a directory owned by root that nobody else can write.
 * Made with mode 0755 when it is missing and `create` is set; without it a missing directory gives
 * fd -1 and 0. */
int host_dir_open(const char *root, const char *path, bool create, HostDir *ret,
                  MrError *err) _must_check_;
/* Opens the directory `name` beneath `parent`; a missing one gives fd -1 and 0. The same checks. */
int host_dir_open_beneath(const HostDir *parent, const char *name, HostDir *ret,
                          MrError *err) _must_check_;
/* The same, made when it is missing with owner root, this group and mode. Another group is an
 * error. */
int host_dir_make(const HostDir *parent, const char *name, gid_t gid, mode_t mode, HostDir *ret,
                  MrError *err) _must_check_;

/* Opens a directory that may belong to a service, only to read in it; the last component is no
 * link. -errno. */
int host_open_directory(const char *path);
/* openat2() beneath dir without links. Returns the descriptor or -errno. */
int host_open_beneath(int dirfd, const char *name, int flags);

/* Writes a file of `dir`: a temporary file gets owner, mode and content, reaches the disk, and
 * takes the name. Returns 1 when something changed, 0 when the file was already so. After a power
 * failure the old file may be back; whoever cannot have that calls host_dir_sync(). */
int host_file_write(const HostDir *dir, const char *name, const char *content, size_t size,
                    gid_t gid, mode_t mode, MrError *err) _must_check_;

typedef struct HostAccess {
        uid_t uid;
        gid_t gid;
        mode_t mode;
} HostAccess;

/* The same for a file that belongs to somebody else. */
int host_file_write_for(const HostDir *dir, const char *name, const char *content, size_t size,
                        HostAccess access, MrError *err) _must_check_;
/* Returns 1 when there was a file. */
int host_file_remove(const HostDir *dir, const char *name, MrError *err) _must_check_;
/* Reads a regular file of at most `max` bytes. Returns 1, or 0 when there is none. */
int host_file_read(const HostDir *dir, const char *name, size_t max, MrBuf *out,
                   MrError *err) _must_check_;
/* Forces the names in a directory to the disk. */
int host_dir_sync(const HostDir *dir, MrError *err) _must_check_;
/* A failed call on a path as a message with advice for the errors an administrator can mend. */
int host_path_fail(MrError *err, int errnum, const char *what, const char *path, const char *name);

/* Removes the directory `name` beneath `dir` with all it holds. A service user may write inside
 * meanwhile: links are removed, not followed, other file systems are not entered, and any depth is
 * handled. Blocks: run it in a child. */
int host_tree_remove(const HostDir *dir, const char *name, MrError *err) _must_check_;

/* Names in a directory, sorted, those that start with '.' left out. The caller frees with
 * host_names_free(). */
typedef struct HostNames {
        char **items;
        size_t n;
} HostNames;
void host_names_done(HostNames *names);
#define _cleanup_names_ _cleanup_(host_names_done)
int host_dir_list(const HostDir *dir, bool hidden, HostNames *ret, MrError *err) _must_check_;
