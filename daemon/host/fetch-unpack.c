/* Unpacking. Names in a tarball are not trusted: each is taken apart, and only what stays beneath
 * the new directory, and is a regular file or a directory, is made. Links are never made, so none
 * can be followed. */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch.h"
#include "sdk/str.h"

#define NAME_LENGTH_MAX 1024U

DEFINE_CLEANUP(struct archive *, archive_read_free);

static void fd_close(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

typedef struct Unpack {
        struct archive *archive;
        const char *directory;
        size_t entries;
        int64_t size;
} Unpack;

static int corrupt(const Unpack *unpack, MrError *err) {
        const char *reason = archive_error_string(unpack->archive);

        return mr_fail(err, MR_INVALID, NULL,
                       "the archive is damaged or no tarball: %s; get it anew",
                       reason ? reason : "unknown reason");
}

static bool segment_is(const char *segment, size_t n, const char *word) {
        return strlen(word) == n && strncmp(segment, word, n) == 0;
}

/* Whether a name stays where it is put: relative, and without "..". */
static bool name_is_safe(const char *name) {
        if (name[0] == '/' || strlen(name) > NAME_LENGTH_MAX)
                return false;
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, "/");

                if (segment_is(p, n, ".."))
                        return false;
                p += n + (p[n] == '/');
        }
        return true;
}

/* The name without "./" and without the directory that a release packs everything in; "" is that
 * directory itself. */
static const char *name_strip(const char *name) {
        while (strncmp(name, "./", 2) == 0)
                name += 2;
        if (segment_is(name, strcspn(name, "/"), "libs") || segment_is(name, strlen(name), "."))
                return segment_is(name, strlen(name), ".") ? "" : name;

        const char *slash = strchr(name, '/');
        return slash ? slash + 1 : "";
}

static int parents_make(const Unpack *unpack, const char *name, MrError *err) {
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *path =
                        mr_strf("%s/%.*s", unpack->directory, (int) (slash - name), name);

                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return mr_fail_errno(err, errno, NULL, "cannot make %s", path);
        }
        return 0;
}

static int data_write(const Unpack *unpack, int fd, MrError *err) {
        const void *block;
        size_t size;
        la_int64_t offset;

        for (;;) {
                int r = archive_read_data_block(unpack->archive, &block, &size, &offset);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return corrupt(unpack, err);
                if (offset < 0 || offset > FETCH_UNPACKED_MAX)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the archive unpacks to more than 4 GiB; name another one");
                if (pwrite(fd, block, size, offset) != (ssize_t) size)
                        return mr_fail_errno(err, errno ? errno : ENOSPC, NULL,
                                             "cannot unpack; make room in the file system of %s",
                                             unpack->directory);
        }
}

static int file_unpack(const Unpack *unpack, struct archive_entry *entry, const char *name,
                       MrError *err) {
        mode_t mode = archive_entry_perm(entry) & 0111 ? 0755 : 0644;
        _cleanup_free_ char *path = mr_strf("%s/%s", unpack->directory, name);

        int r = parents_make(unpack, name, err);
        if (r < 0)
                return r;
        _cleanup_(fd_close) int fd =
                open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make %s", path);
        return data_write(unpack, fd, err);
}

static int directory_unpack(const Unpack *unpack, const char *name, MrError *err) {
        _cleanup_free_ char *with_slash = mr_strf("%s/", name);

        return parents_make(unpack, with_slash, err);
}

static int entry_check(Unpack *unpack, struct archive_entry *entry, const char *name,
                       MrError *err) {
        unpack->entries++;
        unpack->size += archive_entry_size(entry);
        if (unpack->entries > FETCH_ENTRIES_MAX || unpack->size > FETCH_UNPACKED_MAX)
                return mr_fail(err, MR_INVALID, NULL,
                               "the archive holds more than %u files or 4 GiB; name another one",
                               FETCH_ENTRIES_MAX);
        if (!name || !name_is_safe(name))
                return mr_fail(err, MR_INVALID, NULL,
                               "the archive wants to write outside of its directory ('%.200s'); do "
                               "not use it",
                               name ? name : "");
        if (archive_entry_hardlink(entry) || (archive_entry_filetype(entry) != AE_IFREG &&
                                              archive_entry_filetype(entry) != AE_IFDIR))
                return mr_fail(err, MR_INVALID, NULL,
                               "the archive holds '%.200s', which is neither a file nor a "
                               "directory; pack it without links",
                               name);
        return 0;
}

static int entry_unpack(Unpack *unpack, struct archive_entry *entry, MrError *err) {
        const char *name = archive_entry_pathname(entry);

        int r = entry_check(unpack, entry, name, err);
        if (r < 0)
                return r;
        name = name_strip(name);
        if (mr_is_empty(name))
                return 0;
        if (archive_entry_filetype(entry) == AE_IFDIR)
                return directory_unpack(unpack, name, err);
        return file_unpack(unpack, entry, name, err);
}

static int entries_unpack(Unpack *unpack, MrError *err) {
        struct archive_entry *entry;

        for (;;) {
                int r = archive_read_next_header(unpack->archive, &entry);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                        return corrupt(unpack, err);
                r = entry_unpack(unpack, entry, err);
                if (r < 0)
                        return r;
        }
}

int fetch_unpack(const char *path, const char *directory, MrError *err) {
        _cleanup_(archive_read_freep) struct archive *archive = archive_read_new();
        Unpack unpack = {.archive = archive, .directory = directory};

        if (mkdir(directory, 0755) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot make %s", directory);
        archive_read_support_format_tar(archive);
        archive_read_support_filter_gzip(archive);
        archive_read_support_filter_xz(archive);
        archive_read_support_filter_bzip2(archive);
        archive_read_support_filter_zstd(archive);
        if (archive_read_open_filename(archive, path, 65536) != ARCHIVE_OK)
                return corrupt(&unpack, err);

        int r = entries_unpack(&unpack, err);
        if (r < 0)
                return r;
        if (unpack.entries == 0)
                return mr_fail(err, MR_INVALID, NULL, "the archive is empty; get it anew");
        return 0;
}
