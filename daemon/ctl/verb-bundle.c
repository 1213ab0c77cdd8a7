/* millctl bundle: what is needed to understand from afar why a cluster is as it is. The daemon
 * masks secrets before anything leaves it. */

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "ctl/backup.h"
#include "ctl/ctl-api.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static void add_tree(Backup *bundle, const char *name, const MrTree *tree) {
        mr_json_write(tree, MR_JSON_PRETTY, backup_add(bundle, name));
}

/* What cannot be had is said in its place: a bundle of something broken is worth most. */
static void add_answer(Ctl *ctl, Backup *bundle, const char *name, const char *target) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (api_get(ctl, target, &tree, &err) < 0) {
                mr_tree_free(tree);
                tree = mr_tree_new_map();
                mr_tree_set_string(tree, "error", err.message);
        }
        add_tree(bundle, name, tree);
}

static void add_resource(Ctl *ctl, Backup *bundle, const MrKind *kind, const MrTree *object) {
        static const char *const views[] = {"record", "describe"};
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const char *ns = mr_tree_get_string(metadata, "namespace"),
                   *name = mr_tree_get_string(metadata, "name");

        for (size_t i = 0; i < MR_ELEMENTS(views); i++) {
                _cleanup_free_ char *target = api_own_target(ns, kind->plural, name, views[i]);
                _cleanup_free_ char *file =
                        mr_strf("%s/%s/%s/%s.json", kind->plural, ns, name, views[i]);
                add_answer(ctl, bundle, file, target);
        }
}

/* What is not planned by itself stands in the records of those that use it. */
static int add_kind(Ctl *ctl, Backup *bundle, const MrKind *kind, MrError *err) {
        _cleanup_free_ char *target = api_target(kind, NULL, NULL);
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        if (!mr_kind_is_planned(kind))
                return 0;
        int r = api_get(ctl, target, &list, err);
        const MrTree *items = mr_tree_get(list, "items");
        for (size_t i = 0; r >= 0 && i < mr_tree_size(items); i++)
                add_resource(ctl, bundle, kind, mr_tree_at(items, i));
        return r;
}

static int collect(Ctl *ctl, Backup *bundle, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *versions = NULL;
        const Registry *registry;

        int r = ctl_registry(ctl, &registry, err);
        if (r >= 0)
                r = api_get(ctl, "/version", &versions, err);
        if (r < 0)
                return r;
        mr_tree_set_string(versions, "millctl", MILLRACE_VERSION);
        add_tree(bundle, "versions.json", versions);
        add_answer(ctl, bundle, "holds.json", "/apis/millrace.io/v1/holds");
        for (size_t i = 0; r >= 0 && registry_kinds(registry)[i]; i++)
                r = add_kind(ctl, bundle, registry_kinds(registry)[i], err);
        return r;
}

static int bundle_write(Ctl *ctl, const char *path, MrError *err) {
        _cleanup_(backup_done) Backup bundle = {};
        _cleanup_buf_ MrBuf packed = {};

        int r = collect(ctl, &bundle, err);
        if (r >= 0)
                r = backup_pack(&bundle, &packed, err);
        if (r >= 0)
                r = write_file_atomic(path, mr_buf_text(&packed), packed.size, 0600, err);
        if (r >= 0)
                fprintf(ctl->out, "%s: %zu files, %zu bytes; values of secrets are masked.\n", path,
                        bundle.n, packed.size);
        return r;
}

int verb_bundle(Ctl *ctl) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (ctl->options.n_arguments != 1)
                return ctl_misused(ctl, "name the file to write");
        return bundle_write(ctl, ctl->options.arguments[0], &err) < 0 ? ctl_fail(ctl, &err)
                                                                      : CTL_OK;
}
