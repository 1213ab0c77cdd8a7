#include "host-node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-claims.h"
#include "sdk/str.h"

#define NODE_MODE 0750
#define FILE_MODE 0640
#define PRIVATE_MODE 0600

static int node_open(const char *root, const char *instance, HostDir *ret, MrError *err) {
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT;

        int r = host_dir_open(root, HOST_NODES_DIRECTORY, false, &nodes, err);
        if (r < 0)
                return r;
        if (nodes.fd < 0) {
                *ret = HOST_DIR_INIT;
                return 0;
        }
        return host_dir_open_beneath(&nodes, instance, ret, err);
}

static int node_make(const char *root, const HostStep *step, gid_t *ret_gid, HostDir *ret,
                     MrError *err) {
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT;
        uid_t uid;

        int r = host_class_ids(step->class, &uid, ret_gid, err);
        if (r >= 0)
                r = host_dir_open(root, HOST_NODES_DIRECTORY, true, &nodes, err);
        return r < 0 ? r : host_dir_make(&nodes, step->instance, *ret_gid, NODE_MODE, ret, err);
}

int host_node_file_write(const char *root, const HostStep *step, MrError *err) {
        _cleanup_dir_ HostDir node = HOST_DIR_INIT;
        HostAccess access = {.uid = geteuid(), .mode = FILE_MODE};

        int r = node_make(root, step, &access.gid, &node, err);
        if (r >= 0 && step->is_private > 0) {
                access.mode = PRIVATE_MODE;
                r = host_class_ids(step->class, &access.uid, &access.gid, err);
        }
        return r < 0 ? r
                     : host_file_write_for(&node, step->name, step->content, strlen(step->content),
                                           access, err);
}

int host_node_file_remove(const char *root, const HostStep *step, MrError *err) {
        _cleanup_dir_ HostDir node = HOST_DIR_INIT;

        int r = node_open(root, step->instance, &node, err);
        return r < 0 || node.fd < 0 ? r : host_file_remove(&node, step->name, err);
}

/* The manifest of an instance, NULL when there is none. */
static int manifest_read(const HostDir *node, MrTree **ret, MrError *err) {
        _cleanup_buf_ MrBuf text = {};

        *ret = NULL;
        int r = host_file_read(node, "manifest.json", HOST_MANIFEST_MAX, &text, err);
        if (r <= 0)
                return r;
        return mr_json_read(mr_buf_text(&text), text.size, "manifest.json", ret, err);
}

/* An instance stays what it is; one whose manifest is damaged is written anew. */
static int class_check(const HostDir *node, const HostStep *step, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *manifest = NULL;

        if (manifest_read(node, &manifest, NULL) < 0)
                return 0;
        const char *found = mr_tree_get_string(manifest, "class");
        if (found && !mr_streq(found, step->class_name))
                return mr_fail(err, MR_INVALID, "class",
                               "%s is a unit of class %s; remove it first", step->instance, found);
        return 0;
}

/* Units hide the base directories of all storage classes, which must exist for that. */
static int volumes_check(const char *root, const HostConfig *config, const HostStep *step,
                         MrError *err) {
        const HostStorageClass *classes = config->storage_classes.items;
        const HostVolume *volumes = step->properties->volumes.items;

        for (size_t i = 0; i < config->storage_classes.n; i++) {
                _cleanup_dir_ HostDir base = HOST_DIR_INIT;
                int r = host_dir_open(root, classes[i].path, true, &base, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < step->properties->volumes.n; i++) {
                int r = host_claim_check(root, &volumes[i], step->class, err);
                if (r < 0)
                        return mr_error_within(err, r, "properties.volumes[%zu]", i);
        }
        return 0;
}

static int dropin_write(const char *root, const HostConfig *config, const HostStep *step,
                        MrError *err) {
        _cleanup_dir_ HostDir units = HOST_DIR_INIT, dropins = HOST_DIR_INIT;
        _cleanup_free_ char *unit = host_unit_name(step->class_name, step->instance);
        _cleanup_free_ char *name = mr_strf("%s.d", unit);
        _cleanup_buf_ MrBuf text = {};

        host_render_dropin(step->class_name, step->instance, step->properties, config, &text);
        int r = host_dir_open(root, HOST_UNITS_DIRECTORY, true, &units, err);
        if (r >= 0)
                r = host_dir_make(&units, name, getegid(), 0755, &dropins, err);
        return r < 0 ? r
                     : host_file_write(&dropins, HOST_DROPIN_NAME, text.data, text.size, getegid(),
                                       0644, err);
}

/* The manifest comes last: what it says was applied, was. */
int host_node_unit_write(const char *root, const HostConfig *config, const HostStep *step,
                         MrError *err) {
        _cleanup_dir_ HostDir node = HOST_DIR_INIT;
        _cleanup_buf_ MrBuf launch = {}, manifest = {};
        int changed, r;
        gid_t gid;

        if ((r = volumes_check(root, config, step, err)) < 0 ||
            (r = node_make(root, step, &gid, &node, err)) < 0 ||
            (r = class_check(&node, step, err)) < 0)
                return r;
        host_render_launch(step->properties, config, &launch);
        changed = r =
                host_file_write(&node, "launch", launch.data, launch.size, gid, FILE_MODE, err);
        if (r < 0)
                return r;
        r = dropin_write(root, config, step, err);
        if (r < 0)
                return r;
        changed |= r;
        host_render_manifest(step->class_name, step->instance, step->properties->tree, &manifest);
        r = host_file_write(&node, "manifest.json", manifest.data, manifest.size, gid, FILE_MODE,
                            err);
        return r < 0 ? r : changed | r;
}

int host_node_known_write(const char *root, const char *instance, const MrTree *markers,
                          const MrTree *claims, MrError *err) {
        _cleanup_dir_ HostDir node = HOST_DIR_INIT;
        _cleanup_buf_ MrBuf known = {}, found = {};

        if (mr_tree_size(markers) == 0)
                return 0;
        for (size_t i = 0; i < mr_tree_size(markers); i++) {
                const char *claim = mr_tree_string(mr_tree_at(markers, i));
                if (mr_tree_get_bool(mr_tree_get(claims, claim), "prepared", false))
                        mr_buf_printf(&known, "%s\n", mr_tree_key(markers, i));
        }
        int r = node_open(root, instance, &node, err);
        if (r >= 0 && node.fd >= 0)
                r = host_file_read(&node, HOST_KNOWN_NAME, HOST_MANIFEST_MAX, &found, err);
        if (r < 0 || node.fd < 0 || (r == 0 && known.size == 0) ||
            (r > 0 && mr_streq(mr_buf_text(&found), mr_buf_text(&known))))
                return r < 0 ? r : 0;
        struct stat st;
        if (fstat(node.fd, &st) < 0)
                return host_path_fail(err, errno, "look at", node.path, NULL);
        return host_file_write(&node, HOST_KNOWN_NAME, mr_buf_text(&known), known.size, st.st_gid,
                               FILE_MODE, err);
}

/* Other drop-ins in the directory are the administrator's and stay. */
static int dropin_remove(const char *root, const char *unit, MrError *err) {
        _cleanup_dir_ HostDir units = HOST_DIR_INIT, dropins = HOST_DIR_INIT;
        _cleanup_free_ char *name = mr_strf("%s.d", unit);

        int r = host_dir_open(root, HOST_UNITS_DIRECTORY, true, &units, err);
        if (r >= 0)
                r = host_dir_open_beneath(&units, name, &dropins, err);
        if (r < 0 || dropins.fd < 0)
                return r;
        r = host_file_remove(&dropins, HOST_DROPIN_NAME, err);
        if (r >= 0)
                (void) unlinkat(units.fd, name, AT_REMOVEDIR);
        return r;
}

/* The drop-in goes first: a node directory without one is seen as such and removed in the next
 * pass. */
int host_node_unit_remove(const char *root, const HostStep *step, bool *ret_dropin, MrError *err) {
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT;
        _cleanup_free_ char *unit = host_unit_name(step->class_name, step->instance);

        int changed = dropin_remove(root, unit, err);
        if (changed < 0)
                return changed;
        *ret_dropin = changed > 0;
        int r = host_dir_open(root, HOST_NODES_DIRECTORY, true, &nodes, err);
        if (r < 0)
                return r;
        r = host_tree_remove(&nodes, step->instance, err);
        return r < 0 ? r : changed | r;
}
