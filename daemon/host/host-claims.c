#include "host-claims.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"
#include "sdk/str.h"

#define IDENTITY_MAX 65536U

int host_class_ids(const HostClass *class, uid_t *ret_uid, gid_t *ret_gid, MrError *err) {
        const struct passwd *user = getpwnam(class->user);
        if (!user)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "this host has no user %s; run systemd-sysusers", class->user);
        *ret_uid = user->pw_uid;

        const struct group *group = getgrnam(class->group);
        if (!group)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "this host has no group %s; run systemd-sysusers", class->group);
        *ret_gid = group->gr_gid;
        if (*ret_uid == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "nodes never run as root; name a system user in " HOST_CONFIG_PATH);
        return 0;
}

/* Returns 1 with the identity, 0 when there is no identity.json. */
static int identity_read(const HostDir *claim, MrArena *arena, HostIdentity **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf text = {};

        int r = host_file_read(claim, "identity.json", IDENTITY_MAX, &text, err);
        if (r <= 0)
                return r;
        r = mr_json_read(mr_buf_text(&text), text.size, NULL, &tree, err);
        if (r >= 0)
                r = host_identity_decode(tree, arena, ret, err);
        if (r < 0) {
                _cleanup_free_ char *path = mr_strf("%s/identity.json", claim->path);
                return mr_error_at(err, r, path, 0, 0);
        }
        return 1;
}

static int identity_write(const HostDir *claim, const HostIdentity *identity, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = host_identity_tree(identity);
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, MR_JSON_PRETTY, &text);
        int r = host_file_write(claim, "identity.json", text.data, text.size, getegid(), 0644, err);
        return r < 0 ? r : host_dir_sync(claim, err);
}

/* Whether the claim is known to have held data. */
static bool was_prepared(const HostDir *claim) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf text = {};

        return host_file_read(claim, "claim.json", IDENTITY_MAX, &text, NULL) > 0 &&
               mr_json_read(mr_buf_text(&text), text.size, NULL, &tree, NULL) >= 0 &&
               mr_tree_get_bool(tree, "prepared", false);
}

int host_claim_mark(const HostDir *claim, const MrTree *asked, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree =
                mr_tree_type(asked) == MR_TREE_MAP ? mr_tree_copy(asked) : mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_bool(tree, "prepared", true);
        mr_json_write(tree, MR_JSON_PRETTY, &text);
        return host_file_write(claim, "claim.json", text.data, text.size, getegid(), 0644, err);
}

/* What was asked for, and how large the disk was, so that an observer can compare. */
static int claim_json_write(const char *root, const HostDir *claim, const HostStep *step,
                            MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};
        bool prepared = step->begins_anew != 1 && was_prepared(claim);

        mr_tree_set_string(tree, "class", step->class_name);
        mr_tree_set_string(tree, "storage_class", step->storage_class);
        mr_tree_set_bool(tree, "ephemeral", step->is_ephemeral == 1);
        mr_tree_set_int(tree, "size", step->size);
        mr_tree_set_bool(tree, "delete", step->is_deleted_with_node == 1);
        mr_tree_set_string(tree, "marker", step->marker);
        mr_tree_set_bool(tree, "prepared", prepared);
        if (step->storage && step->storage->devices.n > 0)
                mr_tree_set_int(tree, "disk",
                                step->disk > 0 ? step->disk : disk_size(root, claim->fd));
        mr_json_write(tree, MR_JSON_PRETTY, &text);
        return host_file_write(claim, "claim.json", text.data, text.size, getegid(), 0644, err);
}

static int identity_conflict(const HostDir *claim, const HostIdentity *found,
                             const HostIdentity *wanted, MrError *err) {
        if (!mr_streq(found->cluster, wanted->cluster) ||
            !mr_streq(found->cluster_id, wanted->cluster_id))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s holds data of cluster %s (id %s), not of %s (id %s); move it "
                               "away, or give the cluster "
                               "another name",
                               claim->path, found->cluster, found->cluster_id, wanted->cluster,
                               wanted->cluster_id);
        return mr_fail(err, MR_INVALID, NULL,
                       "%s holds data of %s %lld (quorum %s) of cluster %s, not of %s %lld (quorum "
                       "%s); move it away",
                       claim->path, found->role, (long long) found->node_id,
                       found->quorum ? found->quorum : "none", found->cluster, wanted->role,
                       (long long) wanted->node_id, wanted->quorum ? wanted->quorum : "none");
}

/* Data without an identity is somebody else's: it is neither taken over nor touched. */
static int identity_ensure(const HostDir *claim, const HostIdentity *wanted, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        HostIdentity *found = NULL;

        int r = identity_read(claim, arena, &found, err);
        if (r < 0)
                return r;
        if (r > 0)
                return host_identity_equal(found, wanted)
                               ? 0
                               : identity_conflict(claim, found, wanted, err);
        if (faccessat(claim->fd, "data", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "%s/data exists, but no identity.json tells whose it is; move it away",
                        claim->path);
        r = identity_write(claim, wanted, err);
        return r < 0 ? r : 1;
}

static bool directory_is_empty(int dirfd) {
        _cleanup_names_ HostNames names = {};
        HostDir dir = {.fd = dirfd, .path = NULL};

        return host_dir_list(&dir, true, &names, NULL) >= 0 && names.n == 0;
}

/* The owner is set once, when the directory is made: nothing in it is ever changed by root. */
static int data_ensure(const HostDir *claim, const HostClass *class, MrError *err) {
        struct stat st;
        uid_t uid;
        gid_t gid;

        int r = host_class_ids(class, &uid, &gid, err);
        if (r < 0)
                return r;
        bool made = mkdirat(claim->fd, "data", 0700) == 0;
        if (!made && errno != EEXIST)
                return host_path_fail(err, errno, "make", claim->path, "data");
        _cleanup_fd_ int fd = host_open_beneath(claim->fd, "data", O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return host_path_fail(err, -fd, "open", claim->path, "data");
        if (fstat(fd, &st) < 0)
                return host_path_fail(err, errno, "look at", claim->path, "data");
        if (st.st_uid == uid)
                return 0;
        if (st.st_uid != geteuid() || !directory_is_empty(fd))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s/data does not belong to %s; mend the owner of all in it, or "
                               "move it away",
                               claim->path, class->user);
        if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0750) < 0)
                return host_path_fail(err, errno, "set the owner of", claim->path, "data");
        r = host_dir_sync(claim, err);
        return r < 0 ? r : 1;
}

/* One name is one claim, in whatever class of storage. */
static int elsewhere_check(const char *root, const HostConfig *config, const HostStep *step,
                           MrError *err) {
        const HostStorageClass *classes = config->storage_classes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++) {
                _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;

                if (mr_streq(classes[i].path, step->base))
                        continue;
                int r = host_dir_open(root, classes[i].path, false, &base, err);
                if (r >= 0 && base.fd >= 0)
                        r = host_dir_open_beneath(&base, step->claim, &claim, err);
                if (r < 0)
                        return r;
                if (claim.fd >= 0)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "claim %s exists at %s, in storage class %s; data is not "
                                       "moved between classes",
                                       step->claim, claim.path, classes[i].name);
        }
        return 0;
}

bool host_claim_is_mounted(const HostDir *base, const HostDir *claim) {
        struct stat outer, inner;

        return base->fd >= 0 && claim->fd >= 0 && fstat(base->fd, &outer) == 0 &&
               fstat(claim->fd, &inner) == 0 && outer.st_dev != inner.st_dev;
}

bool host_claim_find_mounted(const char *root, const HostStep *step) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;

        return host_dir_open(root, step->base, false, &base, NULL) >= 0 && base.fd >= 0 &&
               host_dir_open_beneath(&base, step->claim, &claim, NULL) >= 0 &&
               host_claim_is_mounted(&base, &claim);
}

int64_t host_claim_disk_size(const char *root, const HostStep *step) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;

        if (host_dir_open(root, step->base, false, &base, NULL) < 0 || base.fd < 0 ||
            host_dir_open_beneath(&base, step->claim, &claim, NULL) < 0 || claim.fd < 0)
                return 0;
        return disk_size(root, claim.fd);
}

/* Nothing is written where the disk should be while it is not there. */
static int mount_check(const HostStep *step, const HostDir *base, const HostDir *claim,
                       MrError *err) {
        _cleanup_free_ char *where = NULL, *unit = NULL;

        if (!step->storage || step->storage->devices.n == 0 || host_claim_is_mounted(base, claim))
                return 0;
        where = disk_mount_point(step->storage, step->claim);
        unit = disk_unit_name(where);
        return mr_fail(err, MR_TRANSIENT, NULL,
                       "the disk of claim %s is not mounted; see systemctl status '%s'",
                       step->claim, unit);
}

int host_claim_create(const char *root, const HostConfig *config, const HostStep *step,
                      MrError *err) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;
        int changed = 0;

        int r = elsewhere_check(root, config, step, err);
        if (r >= 0)
                r = host_dir_open(root, step->base, true, &base, err);
        if (r >= 0)
                r = host_dir_make(&base, step->claim, getegid(), 0755, &claim, err);
        if (r >= 0)
                r = mount_check(step, &base, &claim, err);
        if (r < 0)
                return r;
        r = identity_ensure(&claim, step->identity, err);
        if (r < 0)
                return r;
        changed = r;
        r = claim_json_write(root, &claim, step, err);
        if (r < 0)
                return r;
        changed |= r;
        r = data_ensure(&claim, step->class, err);
        return r < 0 ? r : changed | r;
}

/* Finds the claim in the named class of storage, or in any. */
static int claim_find(const char *root, const HostConfig *config, const HostStep *step,
                      HostDir *ret_base, HostDir *ret_claim, MrError *err) {
        const HostStorageClass *classes = config->storage_classes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++) {
                _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;

                if (step->base && !mr_streq(step->base, classes[i].path))
                        continue;
                int r = host_dir_open(root, classes[i].path, false, &base, err);
                if (r >= 0 && base.fd >= 0)
                        r = host_dir_open_beneath(&base, step->claim, &claim, err);
                if (r < 0)
                        return r;
                if (claim.fd < 0)
                        continue;
                *ret_base = base;
                *ret_claim = claim;
                base = claim = HOST_DIR_INIT;
                return 1;
        }
        return 0;
}

static int removal_check(const HostDir *claim, const char *cluster_id, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        HostIdentity *found = NULL;

        int r = identity_read(claim, arena, &found, err);
        if (r < 0)
                return r;
        if (r == 0)
                return mr_fail(err, MR_INVALID, NULL,
                               "%s has no identity.json, so it is not removed; remove it by hand",
                               claim->path);
        if (!mr_streq(found->cluster_id, cluster_id))
                return mr_fail(err, MR_INVALID, "cluster_id",
                               "%s holds data of cluster %s (id %s), so it is not removed",
                               claim->path, found->cluster, found->cluster_id);
        return 0;
}

/* A mount point cannot be renamed, but what is on it can. */
static int empty_disk(HostDir *claim, const char *hidden, HostDir *ret, MrError *err) {
        if (renameat(claim->fd, "data", claim->fd, hidden) < 0 && errno != ENOENT)
                return host_path_fail(err, errno, "rename", claim->path, "data");
        int r = host_file_remove(claim, "claim.json", err);
        if (r >= 0)
                r = host_file_remove(claim, "identity.json", err);
        if (r >= 0)
                r = host_dir_sync(claim, err);
        if (r < 0)
                return r;
        *ret = *claim;
        *claim = HOST_DIR_INIT;
        return 2;
}

int host_claim_remove(const char *root, const HostConfig *config, const HostStep *step,
                      HostDir *ret_base, MrError *err) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;
        struct timespec now = {};

        int r = claim_find(root, config, step, &base, &claim, err);
        if (r <= 0)
                return r;
        r = removal_check(&claim, step->cluster_id, err);
        if (r < 0)
                return r;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        _cleanup_free_ char *hidden = mr_strf(HOST_REMOVED_PREFIX "%s-%lld-%ld", step->claim,
                                              (long long) now.tv_sec, now.tv_nsec);
        if (host_claim_is_mounted(&base, &claim))
                return empty_disk(&claim, hidden, ret_base, err);
        if (renameat(base.fd, step->claim, base.fd, hidden) < 0)
                return host_path_fail(err, errno, "rename", base.path, step->claim);
        r = host_dir_sync(&base, err);
        if (r < 0)
                return r;
        *ret_base = base;
        base = HOST_DIR_INIT;
        return 1;
}

int host_claims_sweep(const HostDir *base, MrError *err) {
        _cleanup_names_ HostNames names = {};

        int r = host_dir_list(base, true, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                if (mr_starts_with(names.items[i], HOST_REMOVED_PREFIX))
                        r = host_tree_remove(base, names.items[i], err);
        return r < 0 ? r : 0;
}

int host_claim_check(const char *root, const HostVolume *volume, const HostClass *class,
                     MrError *err) {
        _cleanup_dir_ HostDir base = HOST_DIR_INIT, claim = HOST_DIR_INIT;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        HostIdentity *identity = NULL;
        struct stat st;
        uid_t uid;
        gid_t gid;

        int r = host_class_ids(class, &uid, &gid, err);
        if (r >= 0)
                r = host_dir_open(root, volume->base, false, &base, err);
        if (r >= 0 && base.fd >= 0)
                r = host_dir_open_beneath(&base, volume->claim, &claim, err);
        if (r < 0)
                return r;
        r = claim.fd < 0 ? 0 : identity_read(&claim, arena, &identity, err);
        if (r < 0)
                return r;
        if (r == 0 || fstatat(claim.fd, "data", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISDIR(st.st_mode))
                return mr_fail(err, MR_INVALID, NULL,
                               "claim %s does not exist in storage class %s; create it first",
                               volume->claim, volume->storage_class);
        if (st.st_uid != uid)
                return mr_fail(
                        err, MR_INVALID, NULL,
                        "the data of claim %s does not belong to %s; use a claim of this class",
                        volume->claim, class->user);
        return 0;
}
