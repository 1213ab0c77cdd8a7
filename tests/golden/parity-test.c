/* Objects on Kubernetes and OpenShift, field by field, against what Strimzi makes of the same
 * specs. `NAME.yaml` is a spec, `NAME.expected` what Strimzi makes of it: a line for each object,
 * and below it a line for each field. Fields that an API server sets by itself are left out. Every
 * difference is explained in `explained.tsv`, and every explanation is of use. */

#include <dirent.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "io/documents.h"
#include "io/plugins.h"
#include "reconcile/offline.h"
#include "str.h"

#define FOLDER "tests/golden/parity"
#define SHOWN_MAX 40

typedef struct Explanation {
        const char *sign, *pattern, *reason;
        size_t n;
} Explanation;

typedef struct World {
        Plugins plugins;
        Registry *registry;
        MrArena *arena;
        Explanation *explanations;
        size_t n_explanations, allocated;
        size_t n_unexplained, n_fields, n_specs;
} World;

static const char *read_text(const World *world, const char *path) {
        _cleanup_buf_ MrBuf text = {};
        _cleanup_error_ MrError err = {};

        if (read_file_capped(path, MR_DOCUMENT_MAX, &text, &err) < 0)
                fail_msg("%s", err.message);
        mr_buf_puts(&text, "");
        return mr_arena_strdup(world->arena, mr_buf_text(&text));
}

static char *next_line(char **rest) {
        return strtok_r(NULL, "\n", rest);
}

static void read_explanations(World *world) {
        char *rest = mr_arena_strdup(world->arena, read_text(world, FOLDER "/explained.tsv"));

        for (char *line; (line = next_line(&rest));) {
                char *first = strchr(line, '\t'), *second = first ? strchr(first + 1, '\t') : NULL;
                if (!second || !second[1])
                        fail_msg("explained.tsv: no sign, pattern and reason: %s", line);
                *first = *second = '\0';
                MR_GROW(world->explanations, world->n_explanations, world->allocated);
                world->explanations[world->n_explanations++] =
                        (Explanation){.sign = line, .pattern = first + 1, .reason = second + 1};
        }
}

static int set_up(void **state) {
        World *world = mr_new(World, 1);
        const char *directory = getenv("MILLRACE_BUILD"), *source = getenv("MILLRACE_SOURCE");

        if (source && chdir(source) < 0)
                return -1;
        world->arena = mr_arena_new();
        world->registry = registry_new();
        *state = world;
        return plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &world->plugins,
                            NULL) < 0
                       ? -1
                       : plugins_register(&world->plugins, world->registry, NULL);
}

static int tear_down(void **state) {
        World *world = *state;

        registry_free(world->registry);
        plugins_done(&world->plugins);
        mr_arena_free(world->arena);
        free(world->explanations);
        free(world);
        return 0;
}

/* --- objects as maps of fields */

static void add_component(MrBuf *path, const char *key) {
        bool is_plain = mr_matches(key, "[A-Za-z0-9_-]+");

        mr_buf_printf(path, is_plain ? "%s%s" : "%s\"%s\"", path->size > 0 ? "." : "", key);
}

static void add_element(MrBuf *path, const MrTree *value, size_t i) {
        const char *name = mr_tree_get_string(value, "name");
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

/* Of what holds values only the rest counts here, and names are the objects' keys. */
static MrTree *fields_of(MrTree *object) {
        static const char *const kept[] = {"apiVersion", "metadata", "type"};
        const char *kind = mr_tree_get_string(object, "kind");
        bool is_data = mr_streq(kind, "Secret") || mr_streq(kind, "ConfigMap");
        _cleanup_(mr_tree_freep) MrTree *copy = is_data ? mr_tree_new_map() : mr_tree_copy(object);
        MrTree *ret = mr_tree_new_map(), *metadata;

        for (size_t i = 0; is_data && i < MR_ELEMENTS(kept); i++)
                if (mr_tree_get(object, kept[i]))
                        mr_tree_set(copy, kept[i], mr_tree_copy(mr_tree_get(object, kept[i])));
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

/* What the plan on paper prints, read back. */
static MrTree *our_objects(const World *world, const char *name) {
        bool is_openshift = mr_starts_with(name, "openshift-") || mr_ends_with(name, "-route");
        _cleanup_free_ char *path = mr_strf(FOLDER "/%s.yaml", name);
        _cleanup_documents_ Documents documents = {};
        _cleanup_(mr_tree_freep) MrTree *list = NULL;
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf out = {};
        MrTree *ret = mr_tree_new_map();

        int r = documents_read_path(world->registry, path, NULL, &documents, &err);
        OfflineArgs args = {
                .registry = world->registry,
                .platform = plugins_find_platform(&world->plugins,
                                                  is_openshift ? "openshift" : "kubernetes"),
                .documents = documents.items,
                .n_documents = documents.n,
                .format = OFFLINE_MANIFESTS,
        };
        if (r >= 0)
                r = offline_plan(&args, &out, NULL, &err);
        if (r >= 0)
                r = mr_yaml_read(mr_buf_text(&out), out.size, name, &list, NULL, &err);
        if (r < 0) {
                _cleanup_free_ char *text = mr_error_text(&err);
                fail_msg("%s", text);
        }
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                MrTree *object = mr_tree_at(list, i);
                _cleanup_free_ char *key =
                        mr_strf("%s/%s", mr_tree_get_string(object, "kind"),
                                mr_tree_get_string(mr_tree_get(object, "metadata"), "name"));
                mr_tree_set(ret, key, fields_of(object));
        }
        return ret;
}

/* The first blank that is not within quotes. */
static char *path_end(char *text) {
        bool is_quoted = false;

        for (; *text && (is_quoted || *text != ' '); text++)
                is_quoted ^= *text == '"';
        return *text ? text : NULL;
}

static MrTree *their_objects(const World *world, const char *name) {
        _cleanup_free_ char *path = mr_strf(FOLDER "/%s.expected", name);
        char *rest = mr_arena_strdup(world->arena, read_text(world, path));
        MrTree *ret = mr_tree_new_map(), *object = NULL;

        for (char *line; (line = next_line(&rest));) {
                if (line[0] != ' ') {
                        object = mr_tree_need_map(ret, line);
                        continue;
                }
                char *space = path_end(line + 1);
                assert_non_null(space);
                *space = '\0';
                mr_tree_set_string(object, line + 1, space + 1);
        }
        return ret;
}

/* --- differences */

static void differ(World *world, const char *sign, const char *name, const char *object,
                   const char *field, const char *theirs, const char *ours) {
        _cleanup_free_ char *what = mr_strf("%s %s%s%s", name, object, *field ? " " : "", field);

        for (size_t i = 0; i < world->n_explanations; i++) {
                Explanation *explanation = &world->explanations[i];
                if (!mr_streq(explanation->sign, sign) ||
                    fnmatch(explanation->pattern, what, 0) != 0)
                        continue;
                explanation->n++;
                return;
        }
        if (world->n_unexplained++ < SHOWN_MAX)
                print_error("%s %s: %s → %s\n", sign, what, theirs ? theirs : "nothing",
                            ours ? ours : "nothing");
}

static void compare_fields(World *world, const char *name, const char *object, const MrTree *theirs,
                           const MrTree *ours) {
        for (size_t i = 0; i < mr_tree_size(theirs); i++) {
                const char *field = mr_tree_key(theirs, i);
                const char *their = mr_tree_string(mr_tree_at(theirs, i));
                const char *our = mr_tree_get_string(ours, field);
                world->n_fields++;
                if (!mr_streq(their, our))
                        differ(world, our ? "~" : "-", name, object, field, their, our);
        }
        for (size_t i = 0; i < mr_tree_size(ours); i++)
                if (!mr_tree_get(theirs, mr_tree_key(ours, i)))
                        differ(world, "+", name, object, mr_tree_key(ours, i), NULL,
                               mr_tree_string(mr_tree_at(ours, i)));
}

static void compare(World *world, const char *name) {
        _cleanup_(mr_tree_freep) MrTree *theirs = their_objects(world, name);
        _cleanup_(mr_tree_freep) MrTree *ours = our_objects(world, name);

        world->n_specs++;
        for (size_t i = 0; i < mr_tree_size(theirs); i++) {
                const char *object = mr_tree_key(theirs, i);
                const MrTree *our = mr_tree_get(ours, object);
                if (our)
                        compare_fields(world, name, object, mr_tree_at(theirs, i), our);
                else
                        differ(world, "-", name, object, "", "an object", NULL);
        }
        for (size_t i = 0; i < mr_tree_size(ours); i++)
                if (!mr_tree_get(theirs, mr_tree_key(ours, i)))
                        differ(world, "+", name, mr_tree_key(ours, i), "", NULL, "an object");
}

static int is_spec(const struct dirent *entry) {
        return mr_ends_with(entry->d_name, ".yaml");
}

static void every_difference_is_explained(void **state) {
        World *world = *state;
        struct dirent **entries;
        int n = scandir(FOLDER, &entries, is_spec, alphasort);

        read_explanations(world);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *name =
                        mr_strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
                compare(world, name);
                free(entries[i]);
        }
        free(entries);
        assert_true(world->n_specs >= 20);
        assert_true(world->n_fields >= 5000);
        if (world->n_unexplained > 0)
                fail_msg("%zu differences are not explained", world->n_unexplained);
}

static void every_explanation_is_of_use(void **state) {
        const World *world = *state;
        size_t n_idle = 0;

        for (size_t i = 0; i < world->n_explanations; i++)
                if (world->explanations[i].n == 0) {
                        print_error("nothing differs like this: %s %s\n",
                                    world->explanations[i].sign, world->explanations[i].pattern);
                        n_idle++;
                }
        assert_true(world->n_explanations > 0);
        assert_int_equal(n_idle, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_difference_is_explained),
                cmocka_unit_test(every_explanation_is_of_use),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
