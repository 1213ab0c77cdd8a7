#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host-node.h"
#include "sdk/str.h"

#define RUNNING_MAX (1024U * 1024)
#define DIGEST_FILE_MAX (16U * 1024 * 1024)

typedef struct Digest {
        char *path;
        struct stat st;
        char hex[MR_DIGEST_MAX];
        /* Of a manifest: what is rendered from it, remembered because decoding the properties is
         * most of what a look at a node costs. */
        char rendered_from[MR_DIGEST_MAX];
        char *dropin, *launch;
        MrTree *markers;
        /* Of a JSON file: what it says, and which file said it. */
        MrTree *content;
        struct stat content_st;
        char content_hex[MR_DIGEST_MAX];
} Digest;

struct HostDigests {
        Digest *items; /* sorted by path */
        size_t n, allocated;
};

HostDigests *host_digests_new(void) {
        return mr_new(HostDigests, 1);
}

HostDigests *host_digests_free(HostDigests *digests) {
        if (!digests)
                return NULL;
        host_digests_forget_rendered(digests);
        for (size_t i = 0; i < digests->n; i++) {
                mr_tree_free(digests->items[i].content);
                free(digests->items[i].path);
        }
        free(digests->items);
        free(digests);
        return NULL;
}

void host_digests_forget_rendered(HostDigests *digests) {
        for (size_t i = 0; i < digests->n; i++) {
                Digest *digest = &digests->items[i];
                digest->rendered_from[0] = '\0';
                free(TAKE(digest->dropin));
                free(TAKE(digest->launch));
                mr_tree_free(TAKE(digest->markers));
        }
}

static Digest *digest_find(HostDigests *digests, const char *path) {
        size_t low = 0, high = digests->n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                int c = strcmp(digests->items[middle].path, path);

                if (c == 0)
                        return &digests->items[middle];
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        MR_GROW(digests->items, digests->n, digests->allocated);
        memmove(&digests->items[low + 1], &digests->items[low],
                (digests->n - low) * sizeof(*digests->items));
        digests->items[low] = (Digest){.path = mr_strdup(path)};
        digests->n++;
        return &digests->items[low];
}

static bool time_equal(struct timespec a, struct timespec b) {
        return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Times have a granularity: a file changed within the last seconds may change again without showing
 * it. */
static bool stat_is_settled(const struct stat *st) {
        return st->st_ctim.tv_sec + 2 < time(NULL);
}

static bool stat_equal(const struct stat *a, const struct stat *b) {
        return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
               time_equal(a->st_mtim, b->st_mtim) && time_equal(a->st_ctim, b->st_ctim);
}

int host_digests_get(HostDigests *digests, const HostDir *dir, const char *name, char ret[65],
                     MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s/%s", dir->path, name);
        _cleanup_buf_ MrBuf text = {};
        struct stat st;

        if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : host_path_fail(err, errno, "look at", dir->path, name);
        if (!S_ISREG(st.st_mode))
                return 0;

        Digest *digest = digest_find(digests, path);
        if (!digest->hex[0] || !stat_equal(&digest->st, &st)) {
                int r = host_file_read(dir, name, DIGEST_FILE_MAX, &text, err);
                if (r <= 0)
                        return r;
                mr_digest(mr_buf_text(&text), text.size, digest->hex);
                digest->st = st;
        }
        memcpy(ret, digest->hex, MR_DIGEST_MAX);
        if (!stat_is_settled(&digest->st))
                digest->hex[0] = '\0';
        return 1;
}

/* A JSON file as a tree, which stays the digests'. Returns 1, or 0 when there is none. */
static int content_get(HostDigests *digests, const HostDir *dir, const char *name, size_t max,
                       Digest **ret, MrError *err) {
        _cleanup_free_ char *path = mr_strf("%s/%s", dir->path, name);
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf text = {};
        Digest *digest = digest_find(digests, path);
        struct stat st;

        if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : host_path_fail(err, errno, "look at", dir->path, name);
        *ret = digest;
        if (digest->content && stat_equal(&digest->content_st, &st))
                return 1;
        mr_tree_free(TAKE(digest->content));
        int r = host_file_read(dir, name, max, &text, err);
        if (r > 0)
                r = mr_json_read(mr_buf_text(&text), text.size, name, &tree, err);
        if (r < 0 || !tree)
                return r;
        mr_digest(mr_buf_text(&text), text.size, digest->content_hex);
        digest->content = TAKE(tree);
        digest->content_st = stat_is_settled(&st) ? st : (struct stat){};
        return 1;
}

const char *host_dropin_name(HostDropin dropin) {
        static const char *const names[] = {[HOST_DROPIN_MISSING] = "missing",
                                            [HOST_DROPIN_EDITED] = "edited",
                                            [HOST_DROPIN_INTACT] = "intact"};

        return names[dropin];
}

void host_node_done(HostNode *node) {
        free(node->class_name);
        mr_tree_free(node->files);
        mr_tree_free(node->properties);
        mr_tree_free(node->markers);
        free(node->message);
        *node = (HostNode){};
}

static int files_observe(const HostDir *dir, HostDigests *digests, MrTree *files, MrError *err) {
        _cleanup_names_ HostNames names = {};

        int r = host_dir_list(dir, false, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n; i++) {
                char hex[MR_DIGEST_MAX];

                if (!host_file_name_is_valid(names.items[i]))
                        continue;
                r = host_digests_get(digests, dir, names.items[i], hex, err);
                if (r > 0)
                        mr_tree_set_string(files, names.items[i], hex);
        }
        return r < 0 ? r : 0;
}

static HostDropin text_compare(const HostDir *dir, const char *name, const char *wanted) {
        _cleanup_buf_ MrBuf found = {};

        int r = dir->fd < 0 ? 0 : host_file_read(dir, name, HOST_MANIFEST_MAX, &found, NULL);
        if (r == 0)
                return HOST_DROPIN_MISSING;
        return r > 0 && found.size == strlen(wanted) &&
                               memcmp(mr_buf_text(&found), wanted, found.size) == 0
                       ? HOST_DROPIN_INTACT
                       : HOST_DROPIN_EDITED;
}

static MrTree *markers_of(const HostProperties *properties) {
        const HostMarker *markers = properties->markers.items;
        MrTree *tree = mr_tree_new_map();

        for (size_t i = 0; i < properties->markers.n; i++)
                mr_tree_set_string(tree, markers[i].full, markers[i].claim);
        return tree;
}

/* Renders anew what follows from the manifest, unless it is the manifest of the last time. */
static int render(Digest *digest, const char *hex, const HostConfig *config, const char *instance,
                  const HostNode *node, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_buf_ MrBuf dropin = {}, launch = {};
        HostProperties *properties = NULL;

        if (mr_streq(digest->rendered_from, hex))
                return 0;
        int r = host_properties_decode(node->properties, config, arena, &properties, err);
        if (r < 0)
                return r;
        host_render_dropin(node->class_name, instance, properties, config, &dropin);
        host_render_launch(properties, config, &launch);
        free(digest->dropin);
        free(digest->launch);
        mr_tree_free(digest->markers);
        digest->dropin = mr_strdup(mr_buf_text(&dropin));
        digest->launch = mr_strdup(mr_buf_text(&launch));
        digest->markers = markers_of(properties);
        memcpy(digest->rendered_from, hex, MR_DIGEST_MAX);
        return 0;
}

/* The launch description counts with the drop-in: both are rendered, neither is for editing. */
static int dropin_observe(const HostDir *units, const HostDir *dir, const HostConfig *config,
                          HostDigests *digests, const char *instance, HostNode *node,
                          MrError *err) {
        _cleanup_dir_ HostDir dropins = HOST_DIR_INIT;
        _cleanup_free_ char *unit = host_unit_name(node->class_name, instance);
        _cleanup_free_ char *name = mr_strf("%s.d", unit);
        _cleanup_free_ char *manifest = mr_strf("%s/manifest.json", dir->path);
        Digest *digest = digest_find(digests, manifest);

        int r = render(digest, node->manifest_digest, config, instance, node, err);
        if (r < 0)
                return r;
        node->markers = mr_tree_copy(digest->markers);
        r = host_dir_open_beneath(units, name, &dropins, err);
        if (r < 0)
                return r;
        node->dropin = text_compare(&dropins, HOST_DROPIN_NAME, digest->dropin);
        HostDropin other = text_compare(dir, "launch", digest->launch);
        if (other < node->dropin)
                node->dropin = other;
        return 0;
}

static int manifest_observe(const HostDir *dir, HostDigests *digests, HostNode *node,
                            MrError *err) {
        Digest *digest = NULL;

        int r = content_get(digests, dir, "manifest.json", HOST_MANIFEST_MAX, &digest, err);
        if (r <= 0)
                return r;
        const MrTree *manifest = digest->content;
        if (mr_tree_type(mr_tree_get(manifest, "properties")) != MR_TREE_MAP ||
            !mr_tree_get_string(manifest, "class"))
                return mr_fail(err, MR_INVALID, NULL,
                               "%s/manifest.json was edited; it is written again", dir->path);
        memcpy(node->manifest_digest, digest->content_hex, MR_DIGEST_MAX);
        node->class_name = mr_strdup(mr_tree_get_string(manifest, "class"));
        node->properties = mr_tree_copy(mr_tree_get(manifest, "properties"));
        return 1;
}

static bool is_mask(const HostDir *units, const char *name) {
        char target[16];
        ssize_t n = readlinkat(units->fd, name, target, sizeof(target));

        return n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0;
}

/* An instance is masked by its own name or by its template's, for good or until the next boot. */
static bool unit_is_masked(const char *root, const HostDir *units, const char *unit,
                           const char *class_name) {
        _cleanup_free_ char *template = mr_strf("%s@.service", class_name);
        _cleanup_dir_ HostDir runtime = HOST_DIR_INIT;

        if (is_mask(units, unit) || is_mask(units, template))
                return true;
        if (host_dir_open(root, "/run/systemd/system", false, &runtime, NULL) < 0 || runtime.fd < 0)
                return false;
        return is_mask(&runtime, unit) || is_mask(&runtime, template);
}

/* Enabled means that some target wants the unit at boot. */
static bool unit_is_enabled(const HostDir *units, const char *unit) {
        _cleanup_names_ HostNames names = {};

        if (host_dir_list(units, false, &names, NULL) < 0)
                return false;
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", names.items[i], unit);

                if ((mr_ends_with(names.items[i], ".wants") ||
                     mr_ends_with(names.items[i], ".requires")) &&
                    faccessat(units->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        }
        return false;
}

static void unit_observe(const char *root, const HostDir *dir, const HostConfig *config,
                         HostDigests *digests, const char *instance, HostNode *node) {
        _cleanup_free_ char *unit = host_unit_name(node->class_name, instance);
        _cleanup_dir_ HostDir units = HOST_DIR_INIT;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (host_dir_open(root, HOST_UNITS_DIRECTORY, true, &units, &err) < 0 ||
            dropin_observe(&units, dir, config, digests, instance, node, &err) < 0) {
                node->dropin = HOST_DROPIN_EDITED;
                node->message = mr_error_text(&err);
        }
        if (units.fd < 0)
                return;
        node->is_enabled = unit_is_enabled(&units, unit);
        node->is_masked = unit_is_masked(root, &units, unit, node->class_name);
}

/* Files may be there before the first manifest: the group of the directory tells the class. */
static void class_guess(const HostDir *dir, const HostConfig *config, HostNode *node) {
        const HostClass *classes = config->classes.items;
        struct stat st;

        if (fstat(dir->fd, &st) < 0)
                return;
        for (size_t i = 0; i < config->classes.n && !node->class_name; i++) {
                const struct group *group = getgrnam(classes[i].group);

                if (group && group->gr_gid == st.st_gid)
                        node->class_name = mr_strdup(classes[i].name);
        }
}

int host_node_observe(const char *root, const HostConfig *config, HostDigests *digests,
                      const char *instance, HostNode *ret, MrError *err) {
        _cleanup_(host_node_done) HostNode node = {.files = mr_tree_new_map()};
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT, dir = HOST_DIR_INIT;
        _cleanup_error_ MrError damage = MR_ERROR_INIT;

        int r = host_dir_open(root, HOST_NODES_DIRECTORY, false, &nodes, err);
        if (r >= 0 && nodes.fd >= 0)
                r = host_dir_open_beneath(&nodes, instance, &dir, err);
        if (r < 0)
                return r;
        if (dir.fd >= 0) {
                r = files_observe(&dir, digests, node.files, err);
                if (r < 0)
                        return r;
                if (manifest_observe(&dir, digests, &node, &damage) < 0)
                        node.message = mr_error_text(&damage);
                else if (node.class_name && host_config_class(config, node.class_name))
                        unit_observe(root, &dir, config, digests, instance, &node);
                if (!node.class_name)
                        class_guess(&dir, config, &node);
        }
        *ret = node;
        node = (HostNode){};
        return 0;
}

MrTree *host_node_running(const char *root, HostDigests *digests, const char *class_name,
                          const char *instance) {
        _cleanup_free_ char *path = mr_strf("%s/run/%s/%s", root, class_name, instance);
        HostDir dir = {.fd = host_open_directory(path), .path = path};
        _cleanup_fd_ int fd = dir.fd;
        Digest *digest = NULL;

        if (fd < 0 || content_get(digests, &dir, "manifest.json", RUNNING_MAX, &digest, NULL) <= 0)
                return NULL;
        const MrTree *properties = mr_tree_get(digest->content, "properties");
        return mr_tree_type(properties) == MR_TREE_MAP ? mr_tree_copy(properties) : NULL;
}
