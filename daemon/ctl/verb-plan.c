/* millctl plan: what the daemon would do next, or, on paper, what it would do with some files on a
 * platform. */

#include <errno.h>

#include "config.h"
#include "ctl/ctl-api.h"
#include "ctl/names.h"
#include "io/documents.h"
#include "reconcile/offline.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static int read_format(const char *name, OfflineFormat *ret) {
        static const char *const names[_OFFLINE_FORMAT_MAX] = {[OFFLINE_TEXT] = "text",
                                                               [OFFLINE_JSON] = "json",
                                                               [OFFLINE_MANIFESTS] = "manifests"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++)
                if (mr_streq(name ? name : "text", names[i])) {
                        *ret = (OfflineFormat) i;
                        return 0;
                }
        return -EINVAL;
}

/* What the settings of this machine say of the platform, when they are for this one. */
static int read_settings(const MrPlugin *platform, MrTree *host, MrError *err) {
        _cleanup_(config_freep) Config *config = NULL;

        if (!platform->platform->settings)
                return 0;
        int r = config_read(CONFIG_PATH, &config, err);
        if (r < 0)
                return r;
        bool is_for_it = mr_streq(config->platform, platform->name);
        return platform->platform->settings(platform->platform,
                                            is_for_it ? config->platform_config : NULL, host, err);
}

static int plan_documents(Ctl *ctl, const Registry *registry, const Documents *documents,
                          OfflineFormat format, MrError *err) {
        const MrPlugin *platform = plugins_find_platform(&ctl->plugins, ctl->options.platform);
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list(), *host = mr_tree_new_map();
        _cleanup_buf_ MrBuf out = {};

        if (!platform)
                return mr_fail(err, MR_INVALID, NULL, "there is no platform plugin %s",
                               ctl->options.platform);
        OfflineArgs args = {.registry = registry,
                            .platform = platform,
                            .documents = documents->items,
                            .n_documents = documents->n,
                            .format = format,
                            .host = host};
        int r = read_settings(platform, host, err);
        if (r >= 0)
                r = offline_plan(&args, &out, warnings, err);
        ctl_print_warnings(ctl, NULL, warnings);
        if (r >= 0)
                ctl_print(ctl, &out);
        return r;
}

static int plan_on_paper(Ctl *ctl, OfflineFormat format) {
        _cleanup_documents_ Documents documents = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Registry *registry;

        int r = ctl_registry(ctl, &registry, &err);
        for (size_t i = 0; r >= 0 && i < ctl->options.n_files; i++)
                r = documents_read_path(registry, ctl->options.files[i], ctl->options.ns,
                                        &documents, &err);
        if (r >= 0)
                r = plan_documents(ctl, registry, &documents, format, &err);
        return r < 0 ? ctl_fail(ctl, &err) : CTL_OK;
}

static void print_steps(Ctl *ctl, const MrTree *answer) {
        const MrTree *steps = mr_tree_get(answer, "steps");
        const char *error = mr_tree_get_string(answer, "error");

        for (size_t i = 0; i < mr_tree_size(steps); i++) {
                const MrTree *step = mr_tree_at(steps, i);
                const char *verb = mr_tree_get_string(step, "verb"),
                           *waits = mr_tree_get_string(step, "waits"),
                           *outcome = mr_streq(verb, "restart")
                                              ? NULL
                                              : mr_tree_get_string(step, "outcome");
                fprintf(ctl->out, "%-8s %s: %s%s%s%s\n", verb, mr_tree_get_string(step, "subject"),
                        mr_tree_get_string(step, "reason"), outcome ? " (" : "",
                        outcome ? outcome : "", outcome ? ")" : "");
                if (waits)
                        fprintf(ctl->out, "         waits: %s\n", waits);
        }
        if (error)
                fprintf(ctl->out, "error    %s\n", error);
        else if (mr_tree_size(steps) == 0)
                fputs("Nothing to do.\n", ctl->out);
}

static int plan_one(Ctl *ctl, const MrKind *kind, const char *ns, const char *name, MrTree *json,
                    MrError *err) {
        _cleanup_free_ char *target = api_own_target(ns, kind->plural, name, "plan");
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        int r = api_get(ctl, target, &answer, err);
        if (r < 0)
                return r;
        if (json) {
                _cleanup_free_ char *key = mr_strf("%s/%s/%s", kind->name, ns, name);
                mr_tree_set_string(answer, "resource", key);
                mr_tree_append(json, TAKE(answer));
                return 0;
        }
        fprintf(ctl->out, "# %s/%s/%s\n", kind->name, ns, name);
        print_steps(ctl, answer);
        return 0;
}

static int plan_kind(Ctl *ctl, const MrKind *kind, MrTree *json, MrError *err) {
        _cleanup_free_ char *target = api_target(kind, api_namespace(ctl), NULL);
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        if (!mr_kind_is_planned(kind))
                return 0;
        int r = api_get(ctl, target, &list, err);
        const MrTree *items = mr_tree_get(list, "items");
        for (size_t i = 0; r >= 0 && i < mr_tree_size(items); i++)
                r = plan_one(
                        ctl, kind, api_namespace(ctl),
                        mr_tree_get_string(mr_tree_get(mr_tree_at(items, i), "metadata"), "name"),
                        json, err);
        return r;
}

static int plan_online(Ctl *ctl, MrTree *json) {
        _cleanup_names_ Names names = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const Registry *registry;

        int r = ctl_registry(ctl, &registry, &err);
        if (ctl->options.n_arguments == 0) {
                for (size_t i = 0; r >= 0 && registry_kinds(registry)[i]; i++)
                        r = plan_kind(ctl, registry_kinds(registry)[i], json, &err);
        } else {
                if (r >= 0)
                        r = names_read(ctl, 0, &names, &err);
                for (size_t i = 0; r >= 0 && i < names.n; i++)
                        r = plan_one(ctl, names.items[i].kind, api_namespace(ctl),
                                     names.items[i].name, json, &err);
        }
        if (r < 0)
                return ctl_fail(ctl, &err);
        if (json) {
                _cleanup_buf_ MrBuf text = {};
                mr_json_write(json, MR_JSON_PRETTY, &text);
                ctl_print(ctl, &text);
        }
        return CTL_OK;
}

int verb_plan(Ctl *ctl) {
        bool is_on_paper = ctl->options.platform || ctl->options.n_files > 0;
        OfflineFormat format;

        if (read_format(ctl->options.output, &format) < 0)
                return ctl_misused(ctl, "there is no format %s; use text, json or manifests",
                                   ctl->options.output);
        if (is_on_paper && (!ctl->options.platform || ctl->options.n_files == 0))
                return ctl_misused(
                        ctl, "a plan on paper needs both: millctl plan --platform NAME -f FILE");
        if (is_on_paper)
                return plan_on_paper(ctl, format);
        if (format == OFFLINE_MANIFESTS)
                return ctl_misused(ctl, "manifests are shown on paper: millctl plan --platform "
                                        "NAME -f FILE -o manifests");
        _cleanup_(mr_tree_freep) MrTree *json = format == OFFLINE_JSON ? mr_tree_new_list() : NULL;
        return plan_online(ctl, json);
}
