#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "disk.h"
#include "host-claims.h"
#include "sdk/str.h"

/* What an observer sees of claims. Looking into data/ is bounded, because it happens on the event
 * loop: a claim with more entries than that has an unknown use. */

#define USED_MAX_AGE_USEC UINT64_C(60000000)
#define ENTRIES_MAX 4096
#define DEPTH_MAX 16
#define JSON_MAX 65536U

typedef struct Used {
        char *path;
        uint64_t at_usec;
        int64_t bytes; /* -1 unknown */
} Used;

struct HostUsage {
        Used *items;
        size_t n, allocated;
};

HostUsage *host_usage_new(void) {
        return mr_new(HostUsage, 1);
}

HostUsage *host_usage_free(HostUsage *usage) {
        if (!usage)
                return NULL;
        for (size_t i = 0; i < usage->n; i++)
                free(usage->items[i].path);
        free(usage->items);
        free(usage);
        return NULL;
}

typedef struct Walk {
        int64_t bytes;
        int entries;
} Walk;

static int walk_directory(Walk *walk, int take_fd, int depth);

static int walk_entry(Walk *walk, int dirfd, const char *name, int depth) {
        struct stat st;

        if (++walk->entries > ENTRIES_MAX || depth > DEPTH_MAX)
                return -EFBIG;
        if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        walk->bytes += (int64_t) st.st_blocks * 512;
        if (!S_ISDIR(st.st_mode))
                return 0;
        int fd = host_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY);
        return fd < 0 ? 0 : walk_directory(walk, fd, depth + 1);
}

static int walk_directory(Walk *walk, int take_fd, int depth) {
        DIR *stream = fdopendir(take_fd);
        struct dirent *entry;
        int r = 0;

        if (!stream) {
                (void) close(take_fd);
                return 0;
        }
        while (r >= 0 && (entry = readdir(stream)))
                if (!mr_streq(entry->d_name, ".") && !mr_streq(entry->d_name, ".."))
                        r = walk_entry(walk, dirfd(stream), entry->d_name, depth);
        (void) closedir(stream);
        return r;
}

static Used *used_find(HostUsage *usage, const char *path) {
        for (size_t i = 0; i < usage->n; i++)
                if (mr_streq(usage->items[i].path, path))
                        return &usage->items[i];
        MR_GROW(usage->items, usage->n, usage->allocated);
        Used *used = &usage->items[usage->n++];
        *used = (Used){.path = mr_strdup(path), .bytes = -1};
        return used;
}

static int64_t claim_used(HostUsage *usage, const HostDir *claim) {
        Used *used = used_find(usage, claim->path);
        uint64_t now = now_usec();
        Walk walk = {};

        if (used->at_usec > 0 && now - used->at_usec < USED_MAX_AGE_USEC)
                return used->bytes;
        int fd = host_open_beneath(claim->fd, "data", O_RDONLY | O_DIRECTORY);
        used->at_usec = now;
        used->bytes = fd >= 0 && walk_directory(&walk, fd, 0) >= 0 ? walk.bytes : -1;
        return used->bytes;
}

/* NULL when there is none or it is no JSON; `message` then says so. */
static MrTree *json_of(const HostDir *claim, const char *name, char **message) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf text = {};
        MrTree *tree = NULL;

        int r = host_file_read(claim, name, JSON_MAX, &text, &err);
        if (r > 0)
                r = mr_json_read(mr_buf_text(&text), text.size, name, &tree, &err);
        if (r < 0 && message && !*message)
                *message = mr_error_text(&err);
        return tree;
}

static void copy_members(MrTree *to, const MrTree *from) {
        static const char *const names[] = {"class",  "storage_class", "ephemeral", "size",
                                            "delete", "marker",        "disk"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++)
                if (mr_tree_get(from, names[i]))
                        mr_tree_set(to, names[i], mr_tree_copy(mr_tree_get(from, names[i])));
}

/* Whether the file that shows that the claim holds data is there. */
static bool marker_exists(const HostDir *claim, const char *marker) {
        _cleanup_free_ char *path = mr_strf("data/%s", marker);
        struct stat st;
        _cleanup_fd_ int fd = host_open_beneath(claim->fd, path, O_PATH);

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* What held data once must go on doing so, and is noted for that. Without a marker nobody can tell.
 */
static void data_observe(const HostDir *claim, const MrTree *asked, MrTree *out) {
        const char *marker = mr_tree_get_string(asked, "marker");
        bool is_known = mr_tree_get_bool(asked, "prepared", false);
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!marker || !host_path_is_plain(marker))
                return;
        bool is_there = marker_exists(claim, marker);
        if (is_there && !is_known && host_claim_mark(claim, asked, &err) < 0)
                log_warning(NULL, NULL, "%s", err.message);
        mr_tree_set_bool(out, "prepared", is_there || is_known);
        mr_tree_set_bool(out, "lost", is_known && !is_there);
}

/* Of a claim that is a disk of its own: what its file system holds, and whether the disk became
 * larger since the file system was made to fill it. */
static void capacity_observe(const char *root, const HostDir *base, const HostDir *claim,
                             MrTree *out) {
        int64_t disk = mr_tree_get_int(out, "disk", 0);
        struct statvfs st;

        mr_tree_remove(out, "disk");
        if (!host_claim_is_mounted(base, claim) || fstatvfs(claim->fd, &st) < 0)
                return;
        mr_tree_set_int(out, "capacity", (int64_t) st.f_blocks * (int64_t) st.f_frsize);
        if (disk > 0 && disk_size(root, claim->fd) > disk)
                mr_tree_set_bool(out, "outgrown", true);
}

static void claim_observe(const HostDir *claim, const char *path, HostUsage *usage, MrTree *out) {
        _cleanup_free_ char *message = NULL;
        _cleanup_(mr_tree_freep) MrTree *asked = json_of(claim, "claim.json", NULL);
        MrTree *identity = json_of(claim, "identity.json", &message);
        int64_t used = claim_used(usage, claim);

        mr_tree_set_string(out, "path", path);
        mr_tree_set(out, "used", used < 0 ? NULL : mr_tree_new_int(used));
        mr_tree_set(out, "identity", identity);
        copy_members(out, asked);
        data_observe(claim, asked, out);
        mr_tree_set_string(out, "message", message);
}

static int base_observe(const char *root, const HostStorageClass *class, HostUsage *usage,
                        MrTree *claims, MrError *err) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT;
        _cleanup_names_ HostNames names = {};

        int r = host_dir_open(root, class->path, false, &base, err);
        if (r < 0 || base.fd < 0)
                return r;
        r = host_dir_list(&base, false, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                _cleanup_dir_ HostDir claim = HOST_DIR_INIT;
                _cleanup_free_ char *path = mr_strf("%s/%s", class->path, names.items[i]);

                if (!host_name_is_valid(names.items[i]) || mr_tree_get(claims, names.items[i]))
                        continue;
                /* lost+found, files and whatever others put there is not ours. */
                if (host_dir_open_beneath(&base, names.items[i], &claim, NULL) < 0 || claim.fd < 0)
                        continue;
                /* Neither identity nor data: the making of the claim was interrupted and starts
                 * over. */
                if (faccessat(claim.fd, "identity.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
                    faccessat(claim.fd, "data", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                claim_observe(&claim, path, usage, mr_tree_need_map(claims, names.items[i]));
                capacity_observe(root, &base, &claim, mr_tree_get(claims, names.items[i]));
        }
        return r;
}

int host_claims_observe(const char *root, const HostConfig *config, HostUsage *usage,
                        MrTree *claims, MrError *err) {
        const HostStorageClass *classes = config->storage_classes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++) {
                int r = base_observe(root, &classes[i], usage, claims, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
