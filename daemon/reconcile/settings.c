/* Dynamic settings as manifests. */

#include "settings.h"

#include <string.h>

#include "str.h"

/* The view of protocol P is called P. Its "configs" map holds ID → {key: value} for each node that
 * answered, and "overrides" the part of it that was set dynamically; there the ID "" stands for the
 * default of all nodes. What is no configuration of a node has a map of its own: "loggers" for the
 * scope "logger/ID", "quotas" for "quota/". */
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

void settings_lower(const char *ns, const MrParts *parts, const MrFacts *facts, MrManifests *wanted,
                    MrManifests *found) {
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind != MR_PART_SETTING)
                        continue;
                const MrSetting *setting = &part->setting;
                const MrTree *known = read_back(facts, setting);
                const char *value = mr_tree_get_string(known, setting->key);
                if (!can_be_set(known, setting) || (!setting->value && !value))
                        continue;
                _cleanup_free_ char *name = settings_name(setting);
                MrManifest manifest = {.kind = "Setting",
                                       .ns = ns,
                                       .name = name,
                                       .rank = RANK_SETTING,
                                       .keep = true};
                manifest.body = describe(setting, value);
                mr_manifests_add(found, manifest);
                manifest.body = describe(setting, setting->value);
                if (is_accepted(facts, setting, name))
                        manifest.pending = "it was accepted, and is not in force everywhere yet";
                mr_manifests_add(wanted, manifest);
        }
}

MrSetting settings_setting(const MrManifest *manifest) {
        return (MrSetting){
                .protocol = mr_tree_get_string(manifest->body, "protocol"),
                .scope = mr_tree_get_string(manifest->body, "scope"),
                .key = mr_tree_get_string(manifest->body, "key"),
                .value = mr_tree_get_string(manifest->body, "value"),
        };
}
