/* Objects as maps of fields, in what they mean: of a file of options each option is a field, of
 * loggers the level of those that differ from the root's, of a secret the names of its keys and
 * what was asked of its certificate. */

#include "object-fields.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

static void add_component(MrBuf *path, const char *key) {
        bool is_plain = mr_matches(key, "[A-Za-z0-9_-]+");

        mr_buf_printf(path, is_plain ? "%s%s" : "%s\"%s\"", path->size > 0 ? "." : "", key);
}

static void add_element(MrBuf *path, const MrTree *value, size_t i) {
        const char *path_of_mount = mr_tree_get_string(value, "mountPath");
        const char *name = path_of_mount ? path_of_mount : mr_tree_get_string(value, "name");
        int64_t port = mr_tree_int(mr_tree_find(value, "ports[0].port", false), 0);

        if (name)
                mr_buf_printf(path, "[%s]", name);
        else if (port > 0)
                mr_buf_printf(path, "[%lld]", (long long) port);
        else
                mr_buf_printf(path, "[%zu]", i);
}

/* Peers have neither name nor order. */
static void flatten_set(const char *path, const MrTree *list, MrTree *ret) {
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                _cleanup_buf_ MrBuf key = {};
                mr_buf_printf(&key, "%s{", path);
                mr_json_write(mr_tree_at(list, i), 0, &key);
                mr_buf_puts(&key, "}");
                mr_tree_set_string(ret, mr_buf_text(&key), "true");
        }
}

/* Every leaf of a tree as PATH → JSON; an element of a list is known by its name or port, or else
 * counted. */
static void flatten(const char *path, const MrTree *tree, MrTree *ret) {
        bool is_map = mr_tree_type(tree) == MR_TREE_MAP;

        if (mr_ends_with(path, ".from")) {
                flatten_set(path, tree, ret);
                return;
        }
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                _cleanup_buf_ MrBuf below = {};
                mr_buf_puts(&below, path);
                if (is_map)
                        add_component(&below, mr_tree_key(tree, i));
                else
                        add_element(&below, mr_tree_at(tree, i), i);
                flatten(mr_buf_text(&below), mr_tree_at(tree, i), ret);
        }
        if (mr_tree_size(tree) > 0)
                return;
        _cleanup_buf_ MrBuf text = {};
        mr_json_write(tree, 0, &text);
        mr_tree_set_string(ret, path, mr_buf_text(&text));
}

/* Listeners have no order: each is a field. */
static void set_elements(MrTree *options, const char *key, const char *list) {
        _cleanup_free_ char *copy = mr_strdup(list);
        char *rest = copy;

        for (char *item; (item = strsep(&rest, ","));) {
                _cleanup_free_ char *element = mr_strf("%s{%s}", key, item);
                mr_tree_set_bool(options, element, true);
        }
}

/* Of which secret and key a file of the node is: "SECRET/KEY"; NULL: of none. */
static char *origin_of(const MrTree *set, const char *path) {
        const MrTree *sources =
                mr_tree_find(set, "spec.template.spec.volumes[node].projected.sources", false);
        const char *file = strrchr(path, '/') + 1;

        for (size_t i = 0; i < mr_tree_size(sources); i++) {
                const MrTree *secret = mr_tree_get(mr_tree_at(sources, i), "secret");
                const MrTree *items = mr_tree_get(secret, "items");
                for (size_t k = 0; k < mr_tree_size(items); k++) {
                        const MrTree *item = mr_tree_at(items, k);
                        if (mr_streq(mr_tree_get_string(item, "path"), file))
                                return mr_strf("%s/%s", mr_tree_get_string(secret, "name"),
                                               mr_tree_get_string(item, "key"));
                }
        }
        return NULL;
}

/* What an option means: a store is what is in it, and names of it as a file mean nothing. */
static void set_meaning(MrTree *options, const MrTree *set, const char *key, const char *value) {
        static const char end[] = ".location";
        _cleanup_free_ char *origin = NULL;

        if (mr_ends_with(key, "listeners") || mr_ends_with(key, "protocol.map")) {
                set_elements(options, key, value);
                return;
        }
        if (set && mr_ends_with(key, end) && strchr(value, '/'))
                origin = origin_of(set, value);
        if (!origin) {
                mr_tree_set_string(options, key, value);
                return;
        }
        _cleanup_free_ char *store = mr_strndup(key, strlen(key) - strlen(end));
        if (mr_ends_with(origin, ".pem"))
                origin[strlen(origin) - strlen(".pem")] = '\0';
        mr_tree_set_string(options, store, origin);
}

/* Options of a file as fields FOLDER."KEY". */
static void add_options(MrTree *map, const char *folder, const MrTree *set, const char *text) {
        _cleanup_free_ char *copy = mr_strdup(text);
        char *rest = copy;

        for (char *line; (line = strsep(&rest, "\n"));) {
                char *value = strchr(line, '=');
                if (line[0] == '#' || !value)
                        continue;
                char *end = value++;
                while (end > line && end[-1] == ' ')
                        end--;
                *end = '\0';
                set_meaning(mr_tree_need_map(map, folder), set, line, value + strspn(value, " "));
        }
}

static void add_level(MrTree *levels, const MrTree *options, const char *key) {
        _cleanup_free_ char *name_key = mr_strndup(key, strlen(key) - strlen("level"));
        _cleanup_free_ char *name_option = mr_strf("%sname", name_key);
        const char *level = mr_tree_get_string(options, key);
        const char *name = mr_tree_get_string(options, name_option);

        if (!mr_streq(level, mr_tree_get_string(options, "rootLogger.level")))
                mr_tree_set_string(levels, name ? name : key, level);
}

/* What a file of either generation of log4j says of levels. */
static void add_levels(MrTree *map, const char *text) {
        static const char old[] = "log4j.logger.", root[] = "log4j.rootLogger";
        _cleanup_(mr_tree_freep) MrTree *options = mr_tree_new_map();
        MrTree *levels = mr_tree_need_map(map, "log");

        add_options(options, "all", NULL, text);
        const MrTree *all = mr_tree_get(options, "all");
        const char *of_root = mr_tree_get_string(all, "rootLogger.level");
        const char *of_old_root = mr_tree_get_string(all, root);
        _cleanup_free_ char *usual =
                of_root ? mr_strdup(of_root)
                        : mr_strndup(of_old_root ? of_old_root : "",
                                     of_old_root ? strcspn(of_old_root, ", ") : 0);
        mr_tree_set_string(levels, "root", usual);
        for (size_t i = 0; i < mr_tree_size(all); i++) {
                const char *key = mr_tree_key(all, i);
                const char *value = mr_tree_string(mr_tree_at(all, i));
                _cleanup_free_ char *level = mr_strndup(value, strcspn(value, ", "));
                if (mr_streq(level, "INHERITED"))
                        continue;
                if (mr_starts_with(key, "logger.") && mr_ends_with(key, ".level"))
                        add_level(levels, all, key);
                else if (mr_starts_with(key, old) && !mr_streq(level, usual))
                        mr_tree_set_string(levels, key + strlen(old), level);
        }
}

static void add_key(MrTree *map, const char *prefix, const char *suffix) {
        _cleanup_free_ char *key = mr_strf("%s%s", prefix, suffix);

        mr_tree_set_bool(mr_tree_need_map(map, "data"), key, true);
}

static void add_texts(const MrTree *data, const MrTree *set, MrTree *map) {
        for (size_t i = 0; i < mr_tree_size(data); i++) {
                const char *key = mr_tree_key(data, i), *text = mr_tree_string(mr_tree_at(data, i));
                if (mr_streq(key, "server.properties"))
                        add_options(map, "server", set, text);
                else if (mr_starts_with(key, "log4j"))
                        add_levels(map, text);
                else
                        add_key(map, key, "");
        }
}

/* A certificate's keys are known by what was asked of it; of an authority there are two secrets. */
static void add_keys(const MrTree *body, MrTree *map) {
        const MrTree *certificate = mr_tree_get(body, "certificate");
        const MrTree *digests = mr_tree_get(body, "digests");
        const char *prefix = mr_tree_get_string(certificate, "key_prefix");
        bool is_authority = certificate && !mr_tree_get_string(certificate, "authority");
        const char *name = mr_tree_get_string(mr_tree_get(body, "metadata"), "name");

        for (size_t i = 0; i < mr_tree_size(digests); i++)
                add_key(map, mr_tree_key(digests, i), "");
        if (certificate)
                add_key(map, prefix, ".key");
        if (certificate && !is_authority) {
                MrTree *told = mr_tree_need_map(map, "certificate");
                _cleanup_free_ char *subject =
                        mr_strf("O=%s, CN=%s", mr_tree_get_string(certificate, "organization"),
                                mr_tree_get_string(certificate, "common_name"));
                mr_tree_set_string(told, "subject", subject);
                mr_tree_set_int(told, "days", mr_tree_get_int(certificate, "validity_days", 0));
                mr_tree_set(told, "from", mr_tree_copy(mr_tree_get(certificate, "names")));
                add_key(map, prefix, ".crt");
                add_key(map, prefix, ".pem");
        }
        if (!certificate && mr_ends_with(name, "-ca-cert")) {
                add_key(map, "ca.crt", "");
                add_key(map, "ca.p12", "");
                add_key(map, "ca.password", "");
        }
}

/* Names are the objects' keys. */
static MrTree *fields_of(const MrTree *object, const MrTree *set) {
        static const char *const kept[] = {"apiVersion", "metadata", "type"};
        const char *kind = mr_tree_get_string(object, "kind");
        bool is_secret = mr_streq(kind, "Secret"), is_config = mr_streq(kind, "ConfigMap");
        _cleanup_(mr_tree_freep) MrTree *copy =
                is_secret || is_config ? mr_tree_new_map() : mr_tree_copy(object);
        MrTree *ret = mr_tree_new_map(), *metadata;

        for (size_t i = 0; (is_secret || is_config) && i < MR_ELEMENTS(kept); i++)
                if (mr_tree_get(object, kept[i]))
                        mr_tree_set(copy, kept[i], mr_tree_copy(mr_tree_get(object, kept[i])));
        if (is_secret)
                add_keys(object, copy);
        if (is_config)
                add_texts(mr_tree_get(object, "data"), set, copy);
        mr_tree_remove(copy, "kind");
        metadata = mr_tree_get(copy, "metadata");
        mr_tree_remove(metadata, "name");
        mr_tree_remove(metadata, "namespace");
        MrTree *owners = mr_tree_get(metadata, "ownerReferences");
        for (size_t i = 0; i < mr_tree_size(owners); i++)
                mr_tree_remove(mr_tree_at(owners, i), "uid");
        flatten("", copy, ret);
        return ret;
}

void object_fields(const MrManifests *manifests, MrTree *ret) {
        for (size_t i = 0; i < mr_manifests_size(manifests); i++) {
                const MrManifest *manifest = mr_manifests_at(manifests, i);
                if (!mr_tree_get(manifest->body, "apiVersion"))
                        continue;
                _cleanup_free_ char *key = mr_strf("%s/%s", manifest->kind, manifest->name);
                const MrManifest *set = manifest->node
                                                ? mr_manifests_find(manifests, "StatefulSet",
                                                                    manifest->ns, manifest->node)
                                                : NULL;
                mr_tree_set(ret, key, fields_of(manifest->body, set ? set->body : NULL));
        }
}
