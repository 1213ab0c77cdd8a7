/* What the settings of the platform say of images: its section of millraced.yaml, and the
 * environment. What they say of the way to the API is read where it is gone. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "field.h"
#include "lease.h"
#include "lower.h"

typedef struct Settings {
        const MrTree *images;
        const char *launcher_image;
        const char *kubeconfig, *context, *selector;
        MrStrings namespaces;
        LeaseSection *lease;
} Settings;

static const MrField fields[] = {
        MR_TREE("images", Settings, images, .flags = MR_ONLY_MAP,
                .doc = "A map from software to a map from version to the image of both."),
        MR_STRING("launcher_image", Settings, launcher_image,
                  .doc = "The image that brings the launcher into each pod."),
        MR_STRING("kubeconfig", Settings, kubeconfig,
                  .doc = "A kubeconfig file; in a pod its service account counts without one."),
        MR_STRING("context", Settings, context, .doc = "The context of that file."),
        MR_STRINGS("namespaces", Settings, namespaces,
                   .doc = "The only namespaces that are looked at."),
        MR_OBJECT("lease", Settings, lease, LeaseSection, lease_fields,
                  .doc = "Only the replica that holds this Lease does anything."),
        MR_STRING("selector", Settings, selector,
                  .doc = "Labels of the custom resources that are cared for, KEY=VALUE."),
        {},
};

static int check_images(const MrTree *images, MrError *err) {
        for (size_t i = 0; i < mr_tree_size(images); i++) {
                const MrTree *versions = mr_tree_at(images, i);
                bool is_good = mr_tree_type(versions) == MR_TREE_MAP;
                for (size_t k = 0; k < mr_tree_size(versions); k++)
                        if (mr_is_empty(mr_tree_string(mr_tree_at(versions, k))))
                                is_good = false;
                if (!is_good)
                        return mr_fail(err, MR_INVALID, "images",
                                       "%s must be a map from versions to names of images, such as "
                                       "\"4.3.1\": registry.example.com/%s:4.3.1",
                                       mr_tree_key(images, i), mr_tree_key(images, i));
        }
        return 0;
}

static int read_config(const MrTree *config, MrTree *ret_host, MrError *err) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(mr_tree_freep) MrTree *warnings = mr_tree_new_list();
        Settings settings = {};

        int r = config ? mr_decode(fields, config, arena, &settings, warnings, err) : 0;
        if (r >= 0 && mr_tree_size(warnings) > 0) {
                const MrTree *first = mr_tree_at(warnings, 0);
                r = mr_fail(err, MR_INVALID, mr_tree_get_string(first, "path"), "%s",
                            mr_tree_get_string(first, "message"));
        }
        if (r >= 0)
                r = check_images(settings.images, err);
        if (r < 0)
                return mr_error_within(err, r, "platform_config");
        if (settings.images)
                mr_tree_set(ret_host, "images", mr_tree_copy(settings.images));
        mr_tree_set_string(ret_host, "launcher_image", settings.launcher_image);
        mr_tree_need_map(ret_host, "services");
        return 0;
}

/* "VERSION=IMAGE", one a line or with blanks between. */
static int read_list(const char *name, const char *text, MrTree *versions, MrError *err) {
        for (text += strspn(text, " \t\r\n"); *text; text += strspn(text, " \t\r\n")) {
                size_t n = strcspn(text, " \t\r\n");
                _cleanup_free_ char *word = mr_strndup(text, n);
                char *sign = strchr(word, '=');
                if (!sign || sign == word || !sign[1])
                        return mr_fail(err, MR_INVALID, NULL,
                                       "%s: \"%s\" does not read VERSION=IMAGE", name, word);
                *sign = '\0';
                mr_tree_set_string(versions, word, sign + 1);
                text += n;
        }
        return 0;
}

/* "PREFIX_SOME_DB_IMAGES" → "some-db"; NULL: it is no such variable. */
static char *software_of(const char *variable, size_t n) {
        static const char prefix[] = MR_VARIABLE_PREFIX, suffix[] = MR_IMAGES_SUFFIX;
        _cleanup_free_ char *name = mr_strndup(variable, n);

        if (!mr_starts_with(name, prefix) || !mr_ends_with(name, suffix) ||
            n <= strlen(prefix) + strlen(suffix))
                return NULL;
        char *software = mr_strndup(name + strlen(prefix), n - strlen(prefix) - strlen(suffix));
        for (char *c = software; *c; c++)
                *c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char) (*c - 'A' + 'a') : *c;
        return software;
}

/* What a variable says wins over the file, version by version. */
static int read_variable(const char *variable, MrTree *ret_host, MrError *err) {
        const char *sign = strchr(variable, '=');
        size_t n = sign ? (size_t) (sign - variable) : 0;
        _cleanup_free_ char *name = mr_strndup(variable, n), *software = software_of(variable, n);

        if (mr_streq(name, "MILLRACE_LAUNCHER_IMAGE") && sign[1])
                mr_tree_set_string(ret_host, "launcher_image", sign + 1);
        if (!software || !sign[1 + strspn(sign + 1, " \t\r\n")])
                return 0;
        MrTree *images = mr_tree_need_map(ret_host, "images");
        return read_list(name, sign + 1, mr_tree_need_map(images, software), err);
}

/* "*": all. */
static MrTree *namespaces_of(const char *text) {
        _cleanup_free_ char *copy = mr_strdup(text);
        MrTree *list = mr_tree_new_list();
        char *memory = NULL;

        for (char *name = strtok_r(copy, ", \t\n", &memory); name;
             name = strtok_r(NULL, ", \t\n", &memory)) {
                if (mr_streq(name, "*"))
                        return mr_tree_free(list);
                mr_tree_append(list, mr_tree_new_string(name));
        }
        return list;
}

static int read_selector(const char *text, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *selector = mr_tree_new_map();
        _cleanup_free_ char *copy = mr_strdup(text);
        char *memory = NULL;

        for (char *pair = strtok_r(copy, ", ", &memory); pair;
             pair = strtok_r(NULL, ", ", &memory)) {
                char *value = strchr(pair, '=');
                if (!value || value == pair)
                        return mr_fail(err, MR_INVALID, "platform_config.selector",
                                       "\"%s\" is no list of labels; write KEY=VALUE, with commas "
                                       "between several",
                                       text);
                *value++ = '\0';
                mr_tree_set_string(selector, pair, *value == '=' ? value + 1 : value);
        }
        *ret = TAKE(selector);
        return 0;
}

int kubernetes_scope(const MrTree *config, MrTree **ret_namespaces, MrTree **ret_selector,
                     MrError *err) {
        const MrTree *listed = mr_tree_get(config, "namespaces");
        const char *names = getenv(MR_NAMESPACES_VARIABLE), *labels = getenv(MR_SELECTOR_VARIABLE);
        _cleanup_(mr_tree_freep) MrTree *namespaces = NULL, *selector = NULL;

        if (mr_is_empty(labels))
                labels = mr_tree_get_string(config, "selector");
        int r = labels ? read_selector(labels, &selector, err) : 0;
        if (r < 0)
                return r;
        if (mr_is_empty(names))
                namespaces = listed ? mr_tree_copy(listed) : NULL;
        else
                namespaces = namespaces_of(names);
        *ret_namespaces = mr_tree_size(namespaces) > 0 ? TAKE(namespaces) : NULL;
        *ret_selector = mr_tree_size(selector) > 0 ? TAKE(selector) : NULL;
        return 0;
}

int kubernetes_settings(const MrPlatformOps *ops _unused_, const MrTree *config, MrTree *ret_host,
                        MrError *err) {
        int r = read_config(config, ret_host, err);

        for (char **variable = environ; r >= 0 && *variable; variable++)
                r = read_variable(*variable, ret_host, err);
        return r;
}
