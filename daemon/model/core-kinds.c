#include "core-kinds.h"

#include <string.h>

#include "str.h"

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define KEY_MAX 253U

#define HEAD(T)                                                                                    \
        MR_TREE("apiVersion", T, head, .flags = MR_REQUIRED,                                       \
                .doc = "Group and version of the schema of this resource."),                       \
                MR_TREE("kind", T, head, .flags = MR_REQUIRED, .doc = "What this resource is."),   \
                MR_TREE("metadata", T, head, .flags = MR_REQUIRED,                                 \
                        .doc = "Name, namespace, labels and annotations.")

static const MrField secret_fields[] = {
        HEAD(SecretData),
        MR_STRING("type", SecretData, type, .fallback = "Opaque",
                  .doc = "What kind of secret this is. Kept, and not looked at."),
        MR_MAP("data", SecretData, data, .flags = MR_SECRET | MR_STRICT,
               .doc = "Values by key, each in base64."),
        MR_MAP("stringData", SecretData, string_data, .flags = MR_SECRET | MR_STRICT,
               .doc = "Values by key, as text. A key that is in data as well counts from here."),
        MR_BOOL("immutable", SecretData, is_immutable, .fallback = "false",
                .doc = "Whether the values may not be changed any more."),
        {},
};

static const MrField config_fields[] = {
        HEAD(ConfigData),
        MR_MAP("data", ConfigData, data, .flags = MR_STRICT, .doc = "Values by key, as text."),
        MR_MAP("binaryData", ConfigData, binary_data, .flags = MR_STRICT,
               .doc = "Values by key, each in base64. Checked and kept; what refers to a ConfigMap "
                      "takes texts."),
        MR_BOOL("immutable", ConfigData, is_immutable, .fallback = "false",
                .doc = "Whether the values may not be changed any more."),
        {},
};

static const MrEnum reclaim_policies[] = {
        {"Delete", MR_RECLAIM_DELETE, "A volume goes away with its claim."},
        {"Retain", MR_RECLAIM_RETAIN, "A volume outlives its claim."},
        {},
};

static const MrField storage_class_fields[] = {
        HEAD(MrStorageClass),
        MR_STRING("provisioner", MrStorageClass, provisioner, .flags = MR_REQUIRED,
                  .doc = "Who makes the volumes of this class."),
        MR_MAP("parameters", MrStorageClass, parameters, .flags = MR_STRICT | MR_NOT_YET | MR_CLASS,
               .doc = "What the provisioner is told, by name."),
        MR_ENUM("reclaimPolicy", MrStorageClass, reclaim_policy, reclaim_policies,
                .fallback = "Delete", .flags = MR_NOT_YET | MR_CLASS,
                .doc = "What becomes of a volume whose claim was deleted."),
        MR_BOOL("allowVolumeExpansion", MrStorageClass, allows_expansion,
                .flags = MR_NOT_YET | MR_CLASS, .doc = "Whether a volume may grow."),
        MR_STRINGS("mountOptions", MrStorageClass, mount_options, .flags = MR_NOT_YET | MR_CLASS,
                   .doc = "Options the file systems of the volumes are mounted with."),
        MR_TREE("volumeBindingMode", MrStorageClass, not_yet, .flags = MR_NOT_YET | MR_CLASS,
                .doc = "Whether a volume is made at once or for its first user."),
        MR_TREE("allowedTopologies", MrStorageClass, not_yet, .flags = MR_NOT_YET | MR_CLASS,
                .doc = "Where volumes of this class may be made."),
        {},
};

static int keys_check(const MrPairs *pairs, const char *field, MrError *err) {
        for (size_t i = 0; i < pairs->n; i++) {
                const char *key = pairs->items[i].key;
                _cleanup_buf_ MrBuf path = {};
                size_t size = strlen(key);
                if (size > 0 && size <= KEY_MAX && strspn(key, KEY_CHARACTERS) == size)
                        continue;
                mr_buf_puts(&path, field);
                mr_tree_path_key(&path, key);
                return mr_fail(err, MR_INVALID, mr_buf_text(&path),
                               "is no key; use at most %u letters, digits, '-', '_' and '.'",
                               KEY_MAX);
        }
        return 0;
}

/* Lines may be broken anywhere in base64. */
static int decode(const char *text, MrBuf *out) {
        _cleanup_(mr_buf_wipe) MrBuf joined = {};

        for (; *text; text++)
                if (*text != '\n' && *text != '\r')
                        mr_buf_putc(&joined, *text);
        return mr_unbase64(mr_buf_text(&joined), joined.size, out);
}

static int base64_check(const MrPairs *pairs, const char *field, const char *texts, MrError *err) {
        int r = keys_check(pairs, field, err);

        for (size_t i = 0; r >= 0 && i < pairs->n; i++) {
                _cleanup_(mr_buf_wipe) MrBuf bytes = {};
                _cleanup_buf_ MrBuf path = {};
                mr_buf_puts(&path, field);
                mr_tree_path_key(&path, pairs->items[i].key);
                if (decode(pairs->items[i].value, &bytes) < 0)
                        r = mr_fail(err, MR_INVALID, mr_buf_text(&path),
                                    "is not base64; encode it, or write it as text under %s",
                                    texts);
        }
        return r;
}

static int secret_rule(const void *spec, MrError *err) {
        const SecretData *secret = spec;

        int r = base64_check(&secret->data, "data", "stringData", err);
        return r < 0 ? r : keys_check(&secret->string_data, "stringData", err);
}

static int config_rule(const void *spec, MrError *err) {
        const ConfigData *config = spec;

        int r = keys_check(&config->data, "data", err);
        if (r >= 0)
                r = base64_check(&config->binary_data, "binaryData", "data", err);
        for (size_t i = 0; r >= 0 && i < config->binary_data.n; i++) {
                _cleanup_buf_ MrBuf path = {};
                const char *key = config->binary_data.items[i].key;
                if (!mr_pairs_get(&config->data, key))
                        continue;
                mr_buf_puts(&path, "binaryData");
                mr_tree_path_key(&path, key);
                r = mr_fail(err, MR_INVALID, mr_buf_text(&path),
                            "is in data, too; keep one of the two");
        }
        return r;
}

int document_secret_value(const MrResource *secret, const char *key, MrBuf *out) {
        const SecretData *data = secret->spec;
        const char *text = mr_pairs_get(&data->string_data, key);

        if (text) {
                mr_buf_puts(out, text);
                return 1;
        }
        text = mr_pairs_get(&data->data, key);
        return text && decode(text, out) >= 0;
}

static const char *const versions[] = {"v1", NULL};
static const char *const config_names[] = {"cm", NULL};
static const char *const class_names[] = {"sc", NULL};
static const MrColumn secret_columns[] = {{"TYPE", "type", false}, {}};
static const MrColumn class_columns[] = {
        {"PROVISIONER", "provisioner", false},
        {"RECLAIMPOLICY", "reclaimPolicy", false},
        {},
};

static const MrKind secret_kind = {
        .group = "",
        .versions = versions,
        .name = "Secret",
        .plural = "secrets",
        .spec = secret_fields,
        .spec_size = sizeof(SecretData),
        .rule = secret_rule,
        .columns = secret_columns,
        .doc = "Keys, certificates and passwords, which other resources refer to by name and key.",
        .is_data = true,
};

static const MrKind config_kind = {
        .group = "",
        .versions = versions,
        .name = "ConfigMap",
        .plural = "configmaps",
        .short_names = config_names,
        .spec = config_fields,
        .spec_size = sizeof(ConfigData),
        .rule = config_rule,
        .doc = "Texts, which other resources refer to by name and key.",
        .is_data = true,
};

static const MrKind storage_class_kind = {
        .group = "storage.k8s.io",
        .versions = versions,
        .name = "StorageClass",
        .plural = "storageclasses",
        .short_names = class_names,
        .spec = storage_class_fields,
        .spec_size = sizeof(MrStorageClass),
        .columns = class_columns,
        .doc = "A kind of storage, which persistent claims refer to by name.",
        .is_data = true,
        .is_global = true,
};

const MrKind *const core_kinds[] = {&secret_kind, &config_kind, &storage_class_kind, NULL};
