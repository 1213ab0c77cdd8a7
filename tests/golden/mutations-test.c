/* Every field of every example and golden spec is dropped, misspelled, given another type, and put
 * out of range. What may come of it is a plan, or an error that names that very field and says what
 * to do. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dirent.h>
#include <cmocka.h>

#include "base/file.h"
#include "io/plugins.h"
#include "reconcile/offline.h"
#include "str.h"

/* Traces of allocations would take most of the time here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
        return "malloc_context_size=1:quarantine_size_mb=8";
}

typedef struct World {
        Plugins plugins;
        Registry *registry;
        const MrPlugin *platform;
        /* The file under work. */
        const char *file;
        MrTree *documents;  /* as they are written */
        Document **decoded; /* the same, decoded */
        size_t n_documents;
        MrTree *changed; /* "KIND PATH" of fields that got all values, in whichever file */
        size_t n_tried, n_refused, n_wrong;
} World;

static int set_up(void **state) {
        World *world = mr_new(World, 1);
        const char *directory = getenv("MILLRACE_BUILD"), *source = getenv("MILLRACE_SOURCE");

        if (source && chdir(source) < 0)
                return -1;
        world->registry = registry_new();
        if (plugins_load(directory ? directory : "build", getuid(), NULL, NULL, &world->plugins,
                         NULL) < 0 ||
            plugins_register(&world->plugins, world->registry, NULL) < 0)
                return -1;
        world->platform = plugins_find_platform(&world->plugins, "rhel-baremetal");
        *state = world;
        return world->platform ? 0 : -1;
}

static int tear_down(void **state) {
        World *world = *state;

        registry_free(world->registry);
        plugins_done(&world->plugins);
        free(world);
        return 0;
}

static int plan(World *world, size_t at, Document *changed, MrError *err) {
        _cleanup_buf_ MrBuf out = {};
        Document *original = world->decoded[at];
        OfflineArgs args = {
                .registry = world->registry,
                .platform = world->platform,
                .documents = world->decoded,
                .n_documents = world->n_documents,
        };

        world->decoded[at] = changed;
        int r = offline_plan(&args, &out, NULL, err);
        world->decoded[at] = original;
        return r;
}

/* "spec.kafka.listeners[1].port" → "port". */
static char *last_name(const char *path) {
        size_t n = strlen(path);

        while (n > 0 && path[n - 1] == ']' && memrchr(path, '[', n) &&
               ((const char *) memrchr(path, '[', n))[1] != '"')
                n = (size_t) ((const char *) memrchr(path, '[', n) - path);
        size_t start = n;
        while (start > 0 && path[start - 1] != '.' && path[start - 1] != '[')
                start--;
        return mr_strndup(path + start, n - start);
}

/* The path of the error is that of the field, or one above or below it, or the message speaks of
 * the field by name. */
static bool names(const MrError *err, const char *path) {
        _cleanup_free_ char *name = last_name(path);
        const char *other = err->path ? err->path : "";

        if (mr_starts_with(other, path) || (strlen(other) > 5 && mr_starts_with(path, other)))
                return true;
        return strstr(other, name) || (err->message && strstr(err->message, name));
}

/* What is wrong shows where it is used: the path changed, and the path that is then named. */
static bool shows_elsewhere(const MrError *err, const char *path) {
        static const char *const pairs[][2] = {
                {"data", "configMapKeyRef"},
                {"spec.kafka.rack.type", "spec.kafka.rack.topologyKey"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(pairs); i++)
                if (mr_starts_with(path, pairs[i][0]) && err->path &&
                    mr_ends_with(err->path, pairs[i][1]))
                        return true;
        return false;
}

/* What is not there may still come. */
static bool is_kind_right(const MrError *err, int r) {
        MrErrorKind kind = mr_error_kind(err, r);

        return kind == MR_INVALID ||
               (kind == MR_TRANSIENT && err->path && mr_ends_with(err->path, "configMapKeyRef"));
}

static void judge(World *world, const char *path, const char *what, int r, const MrError *err) {
        if (r >= 0)
                return;
        world->n_refused++;
        if (is_kind_right(err, r) && err->message && strchr(err->message, ';') &&
            (names(err, path) || shows_elsewhere(err, path)))
                return;
        _cleanup_free_ char *text = mr_error_text(err);
        if (world->n_wrong++ < 30)
                print_error("%s: %s %s: %s\n", world->file, path, what, text);
}

/* Tries the whole with `take_tree` in the place of document `at`. */
static void try(World *world, size_t at, MrTree *take_tree, const char *path, const char *what) {
        _cleanup_error_ MrError err = {};
        Document *document = NULL;

        world->n_tried++;
        int r = document_read(world->registry, take_tree, world->file, &document, &err);
        if (r >= 0)
                r = plan(world, at, document, &err);
        document_free(document);
        judge(world, path, what, r, &err);
}

static MrTree *copy_without(const MrTree *root, const char *parent, size_t i) {
        MrTree *copy = mr_tree_copy(root);

        mr_tree_remove_at(mr_tree_find(copy, parent, false), i);
        return copy;
}

/* A list only grows at its end: what follows is moved behind the new value. */
static void replace(MrTree *parent, size_t i, MrTree *take_value) {
        if (mr_tree_type(parent) == MR_TREE_MAP) {
                _cleanup_free_ char *key = mr_strdup(mr_tree_key(parent, i));
                mr_tree_set(parent, key, take_value);
                return;
        }
        size_t n = mr_tree_size(parent);
        mr_tree_append(parent, take_value);
        for (size_t k = i + 1; k < n; k++)
                mr_tree_append(parent, mr_tree_copy(mr_tree_at(parent, k)));
        for (size_t k = i; k < n; k++)
                mr_tree_remove_at(parent, i);
}

static void try_value(World *world, size_t at, const char *parent, size_t i, const char *path,
                      MrTree *take_value, const char *what) {
        MrTree *copy = mr_tree_copy(mr_tree_at(world->documents, at));

        replace(mr_tree_find(copy, parent, false), i, take_value);
        try(world, at, copy, path, what);
}

static void try_misspelled(World *world, size_t at, const char *parent, size_t i,
                           const char *path) {
        MrTree *copy = mr_tree_copy(mr_tree_at(world->documents, at));
        MrTree *map = mr_tree_find(copy, parent, false);
        _cleanup_free_ char *key = mr_strf("%sx", mr_tree_key(map, i));
        MrTree *value = mr_tree_copy(mr_tree_at(map, i));

        mr_tree_remove_at(map, i);
        mr_tree_set(map, key, value);
        try(world, at, copy, path, "misspelled");
}

static MrTree *list_of_one(void) {
        MrTree *list = mr_tree_new_list();

        mr_tree_append(list, mr_tree_new_int(1));
        return list;
}

static MrTree *map_of_one(void) {
        MrTree *map = mr_tree_new_map();

        mr_tree_set_int(map, "odd", 1);
        return map;
}

/* A field gets all values once; that it is needed is tried wherever it stands. */
static bool is_new(World *world, size_t at, const char *path) {
        _cleanup_free_ char *key = mr_strf("%s %s", world->decoded[at]->resource.kind->name, path);
        char *to = key;

        for (const char *from = key; *from; from++)
                if (*from < '0' || *from > '9')
                        *to++ = *from;
        *to = '\0';
        bool is_known = mr_tree_get(world->changed, key);
        mr_tree_set_bool(world->changed, key, true);
        return !is_known;
}

static void change(World *world, size_t at, const char *parent, size_t i, const char *path) {
        static const int64_t numbers[] = {-1, 70000, INT64_MAX};
        static const char *const texts[] = {"", "../no such word", "line\nbreak@{addr:x}"};

        for (size_t k = 0; k < MR_ELEMENTS(numbers); k++)
                try_value(world, at, parent, i, path, mr_tree_new_int(numbers[k]), "a number");
        for (size_t k = 0; k < MR_ELEMENTS(texts); k++)
                try_value(world, at, parent, i, path, mr_tree_new_string(texts[k]), texts[k]);
        try_value(world, at, parent, i, path, mr_tree_new_bool(true), "a boolean");
        try_value(world, at, parent, i, path, mr_tree_new_real(0.5), "half");
        try_value(world, at, parent, i, path, list_of_one(), "a list");
        try_value(world, at, parent, i, path, map_of_one(), "a map");
        try_value(world, at, parent, i, path, mr_tree_new_null(), "null");
}

static void mutate(World *world, size_t at, const char *parent) {
        const MrTree *root = mr_tree_at(world->documents, at);
        const MrTree *tree = mr_tree_find(root, parent, false);

        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                _cleanup_buf_ MrBuf path = {};
                mr_buf_puts(&path, parent);
                if (mr_tree_type(tree) == MR_TREE_MAP)
                        mr_tree_path_key(&path, mr_tree_key(tree, i));
                else
                        mr_tree_path_index(&path, i);
                try(world, at, copy_without(root, parent, i), mr_buf_text(&path), "dropped");
                bool is_first = is_new(world, at, mr_buf_text(&path));
                if (is_first && mr_tree_type(tree) == MR_TREE_MAP)
                        try_misspelled(world, at, parent, i, mr_buf_text(&path));
                if (is_first)
                        change(world, at, parent, i, mr_buf_text(&path));
                mutate(world, at, mr_buf_text(&path));
        }
}

static void decode_all(World *world) {
        world->n_documents = mr_tree_size(world->documents);
        world->decoded = mr_new(Document *, world->n_documents);
        for (size_t i = 0; i < world->n_documents; i++)
                assert_int_equal(document_read(world->registry,
                                               mr_tree_copy(mr_tree_at(world->documents, i)),
                                               world->file, &world->decoded[i], NULL),
                                 0);
}

static void mutate_file(World *world, const char *path) {
        _cleanup_buf_ MrBuf text = {};

        world->file = path;
        assert_int_equal(read_file_capped(path, MR_DOCUMENT_MAX, &text, NULL), 0);
        assert_int_equal(
                mr_yaml_read(mr_buf_text(&text), text.size, path, &world->documents, NULL, NULL),
                0);
        decode_all(world);
        for (size_t i = 0; i < world->n_documents; i++)
                mutate(world, i, world->decoded[i]->resource.kind->is_data ? "data" : "spec");
        for (size_t i = 0; i < world->n_documents; i++)
                document_free(world->decoded[i]);
        free(world->decoded);
        mr_tree_free(world->documents);
}

static int is_yaml(const struct dirent *entry) {
        return mr_ends_with(entry->d_name, ".yaml");
}

static void mutate_folder(World *world, const char *folder) {
        struct dirent **entries;
        int n = scandir(folder, &entries, is_yaml, alphasort);

        assert_true(n > 2);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", folder, entries[i]->d_name);
                mutate_file(world, path);
                free(entries[i]);
        }
        free(entries);
}

static void what_is_wrong_is_named(void **state) {
        World *world = *state;

        world->changed = mr_tree_new_map();
        mutate_folder(world, "etc/examples");
        mutate_folder(world, "tests/golden/specs");
        mr_tree_free(world->changed);
        print_message("%zu changes, %zu of them refused\n", world->n_tried, world->n_refused);
        assert_int_equal(world->n_wrong, 0);
        assert_true(world->n_tried > 3000);
        assert_true(world->n_refused > world->n_tried / 3);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_wrong_is_named),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
