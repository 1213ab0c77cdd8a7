/* Rows of valueFrom, and the look-up. */

#include "config-map.h"

#include "str.h"

static const MrField key_fields[] = {
        MR_STRING("name", ConfigMapKey, name, .flags = MR_REQUIRED,
                  .doc = "Name of the ConfigMap."),
        MR_STRING("key", ConfigMapKey, key, .flags = MR_REQUIRED,
                  .doc = "Key of the ConfigMap whose value is taken."),
        MR_BOOL("optional", ConfigMapKey, is_optional, .fallback = "false",
                .doc = "Whether the ConfigMap or its key may be missing."),
        {},
};

const MrField config_source_fields[] = {
        MR_OBJECT("configMapKeyRef", ConfigSource, config_map, ConfigMapKey, key_fields,
                  .doc = "A key of a ConfigMap of the same namespace."),
        {},
};

int config_source_text(const ConfigSource *source, const char *where, const MrFacts *facts,
                       const char **ret, MrError *err) {
        const ConfigMapKey *key = source ? source->config_map : NULL;

        *ret = key ? mr_facts_config(facts, key->name, key->key) : NULL;
        if (*ret || !key || key->is_optional > 0)
                return 0;
        bool is_there = mr_facts_resource(facts, "ConfigMap", key->name) != NULL;
        _cleanup_free_ char *path = mr_strf("%s.valueFrom.configMapKeyRef", where);
        return mr_fail(err, MR_TRANSIENT, path,
                       is_there ? "the ConfigMap %s has no key %s; add it"
                                : "there is no ConfigMap %s with the key %s; add it, for example "
                                  "in the same file",
                       key->name, key->key);
}
