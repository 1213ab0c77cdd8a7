/* Dynamic settings as manifests. */

#include "settings.h"

#include <string.h>

#include "str.h"

/* The view of protocol P is called P. Its "configs" map holds ID → {key: value} for each node that
 * answered, and "overrides" the part of it that was set dynamically; there the ID "" stands for the
 * default of all nodes. What is no configuration of a node has a map of its own: "loggers" for the
 * scope "logger/ID", "quotas" for "quota/", "features" for "feature/", "voters" for
 * "voter/", "registrations" for "registration/". */
static const MrTree *read_back(const MrFacts *facts, const MrSetting *setting) {
        const char *slash = strchr(setting->scope, '/'), *id = slash ? slash + 1 : "";
        const MrTree *view = mr_facts_view(facts, setting->protocol),
                     *configs = mr_tree_get(view, "configs");

        if (slash && !mr_starts_with(setting->scope, "broker/")) {
                _cleanup_free_ char *map =
                        mr_strf("%.*ss", (int) (slash - setting->scope), setting->scope);
                return mr_tree_get(mr_tree_get(view, map), id);
        }

        /* To go back to the file's value there must be something to go back from. */
        if (!setting->value)
                return configs ? mr_tree_get(mr_tree_get(view, "overrides"), id) : NULL;
        return *id ? mr_tree_get(configs, id) : mr_tree_at(configs, 0);
}

/* A key that is null has no value yet; one that is not there cannot have one, as a rule. */
static bool can_be_set(const MrTree *known, const MrSetting *setting) {
        return known && (setting->may_be_unlisted || mr_tree_get(known, setting->key));
}

char *settings_name(const MrSetting *setting) {
        return mr_strf("%s/%s", setting->scope, setting->key);
}

/* The view's "accepted" map has what was altered a moment ago, by name. */
static bool is_accepted(const MrFacts *facts, const MrSetting *setting, const char *name) {
        const MrTree *accepted = mr_tree_get(mr_facts_view(facts, setting->protocol), "accepted");

        return mr_tree_get(accepted, name) &&
               mr_streq(mr_tree_get_string(accepted, name), setting->value);
}

static MrTree *describe(const MrSetting *setting, const char *value) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "protocol", setting->protocol);
        mr_tree_set_string(body, "scope", setting->scope);
        mr_tree_set_string(body, "key", setting->key);
        mr_tree_set_string(body, "value", value);
        return body;
}

static MrManifest manifest_of(const Loading *loading, const MrSetting *setting) {
        _cleanup_free_ char *name = settings_name(setting);

        return (MrManifest){
                .kind = "Setting",
                .ns = loading->ns,
                .name = mr_arena_strdup(loading->arena, name),
                .rank = RANK_SETTING,
                .keep = true,
        };
}

/* Written while the node works with what the file held before, and only then. */
static void lower_file(const Loading *loading, const MrSetting *setting, MrManifests *wanted,
                       MrManifests *found) {
        MrManifest manifest = manifest_of(loading, setting);

        if (!loaded_is_late(loading, setting->file))
                return;
        manifest.body = describe(setting, setting->value);
        mr_tree_set_string(manifest.body, "file", setting->file);
        mr_tree_set_string(manifest.body, "reissue",
                           mr_arena_strf(loading->arena, "%s is to be read again", setting->file));
        mr_manifests_add(found, manifest);
        manifest.body = describe(setting, setting->value);
        mr_tree_set_string(manifest.body, "file", setting->file);
        mr_manifests_add(wanted, manifest);
}

static void lower_value(const Loading *loading, const MrSetting *setting, MrManifests *wanted,
                        MrManifests *found) {
        MrManifest manifest = manifest_of(loading, setting);
        const MrTree *known = read_back(loading->facts, setting);
        const char *value = mr_tree_get_string(known, setting->key);

        if (!can_be_set(known, setting) || (!setting->value && !value))
                return;
        manifest.body = describe(setting, value);
        mr_manifests_add(found, manifest);
        manifest.body = describe(setting, setting->value);
        if (is_accepted(loading->facts, setting, manifest.name))
                manifest.pending = "it was accepted, and is not in force everywhere yet";
        mr_manifests_add(wanted, manifest);
}

void settings_lower(const Loading *loading, MrManifests *wanted, MrManifests *found) {
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                if (part->kind == MR_PART_SETTING && part->setting.file)
                        lower_file(loading, &part->setting, wanted, found);
                else if (part->kind == MR_PART_SETTING)
                        lower_value(loading, &part->setting, wanted, found);
        }
}

MrSetting settings_setting(const MrManifest *manifest) {
        return (MrSetting){
                .protocol = mr_tree_get_string(manifest->body, "protocol"),
                .scope = mr_tree_get_string(manifest->body, "scope"),
                .key = mr_tree_get_string(manifest->body, "key"),
                .value = mr_tree_get_string(manifest->body, "value"),
                .file = mr_tree_get_string(manifest->body, "file"),
        };
}
