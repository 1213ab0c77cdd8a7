/* Documents from texts, files and directories. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/documents.h"
#include "str.h"

typedef struct Fish {
        int64_t fins;
        const char *name;
} Fish;

static const MrField fields[] = {
        MR_INT("fins", Fish, fins, .doc = "Fins."),
        MR_STRING("name", Fish, name, .doc = "Name."),
        {},
};
static const char *const versions[] = {"v1", NULL};
static const MrKind fish = {
        .group = "sea",
        .versions = versions,
        .name = "Fish",
        .plural = "fishes",
        .spec = fields,
        .spec_size = sizeof(Fish),
};
static const MrKind *const kinds[] = {&fish, NULL};
static const MrOperandOps ops = {.struct_size = sizeof(MrOperandOps), .kinds = kinds};
static const MrPlugin plugin = {MR_PLUGIN_HEADER, .name = "fish", .operand = &ops};

typedef struct World {
        Registry *registry;
        char folder[64];
        Documents documents;
} World;

static int set_up(void **state) {
        World *w = mr_new(World, 1);

        w->registry = registry_new();
        (void) snprintf(w->folder, sizeof(w->folder), "/tmp/millrace-documents-XXXXXX");
        *state = w;
        return registry_add(w->registry, &plugin, NULL) >= 0 && mkdtemp(w->folder) ? 0 : -1;
}

static int tear_down(void **state) {
        World *w = *state;
        _cleanup_free_ char *command = mr_strf("rm -rf '%s'", w->folder);

        documents_done(&w->documents);
        registry_free(w->registry);
        free(w);
        return system(command);
}

#define FISH(name) "apiVersion: sea/v1\nkind: Fish\nmetadata: {name: " name "}\nspec: {}\n"

static int read_text(World *w, const char *text, const char *ns, MrError *err) {
        return documents_read_text(w->registry, text, strlen(text), "f.yaml", ns, &w->documents,
                                   err);
}

static void put(const World *w, const char *name, const char *text) {
        _cleanup_free_ char *path = mr_strf("%s/%s", w->folder, name);
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static const char *name_at(const World *w, size_t i) {
        return w->documents.items[i]->resource.name;
}

#define LISTED(name) "- {apiVersion: sea/v1, kind: Fish, metadata: {name: " name "}, spec: {}}\n"

static void a_list_is_its_items(void **state) {
        World *w = *state;

        assert_int_equal(read_text(w,
                                   FISH("a") "---\napiVersion: v1\nkind: List\nmetadata: {}\n"
                                             "items:\n" LISTED("b") LISTED("c"),
                                   "tank", NULL),
                         0);
        assert_int_equal(w->documents.n, 3);
        assert_string_equal(name_at(w, 1), "b");
        assert_string_equal(name_at(w, 2), "c");
        assert_string_equal(w->documents.items[2]->resource.ns, "tank");
        assert_int_equal(mr_tree_line(w->documents.items[2]->resource.tree), 11);
}

static void a_wrong_list_says_where(void **state) {
        static const struct {
                const char *items, *message;
        } cases[] = {
                {"items: 3\n", "f.yaml:3:8: items: a List holds its resources here; write them as "
                               "elements"},
                {"", "f.yaml:1:1: items: a List holds its resources here; write them as elements"},
                {"items:\n" LISTED("a") "- {apiVersion: sea/v1, kind: Fish}\n",
                 "f.yaml:5:3: items[1].metadata: is missing; write metadata with a name"},
                {"items:\n" LISTED("a") LISTED("a"),
                 "f.yaml:5:3: items[1]: Fish default/a is in f.yaml:4 already; remove one of the "
                 "two"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                World *w = *state;
                _cleanup_error_ MrError err = {};
                _cleanup_free_ char *text =
                        mr_strf("apiVersion: v1\nkind: List\n%s", cases[i].items);
                assert_int_equal(read_text(w, text, NULL, &err), -EINVAL);
                _cleanup_free_ char *said = mr_error_text(&err);
                assert_string_equal(said, cases[i].message);
                documents_done(&w->documents);
        }
}

static void all_documents_of_a_text(void **state) {
        World *w = *state;

        assert_int_equal(read_text(w, FISH("a") "---\n---\n" FISH("b"), NULL, NULL), 0);
        assert_int_equal(w->documents.n, 2);
        assert_string_equal(name_at(w, 0), "a");
        assert_string_equal(name_at(w, 1), "b");
        assert_string_equal(w->documents.items[0]->source, "f.yaml");
}

static void nothing_is_in_an_empty_text(void **state) {
        World *w = *state;

        assert_int_equal(read_text(w, "", NULL, NULL), 0);
        assert_int_equal(read_text(w, "# only a comment\n---\n", NULL, NULL), 0);
        assert_int_equal(w->documents.n, 0);
}

static void the_namespace_of_the_command_line(void **state) {
        World *w = *state;

        assert_int_equal(read_text(w,
                                   FISH("a") "---\napiVersion: sea/v1\nkind: Fish\nmetadata: "
                                             "{name: b, namespace: own}\nspec: {}\n",
                                   "pond", NULL),
                         0);
        assert_string_equal(w->documents.items[0]->resource.ns, "pond");
        assert_string_equal(w->documents.items[1]->resource.ns, "own");
}

static void the_same_resource_twice(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};

        assert_int_equal(read_text(w, FISH("a") "---\n" FISH("a"), NULL, &err), -EINVAL);
        _cleanup_free_ char *text = mr_error_text(&err);
        assert_string_equal(
                text, "f.yaml:6:1: Fish default/a is in f.yaml:1 already; remove one of the two");
        assert_int_equal(w->documents.n, 1);
}

static void the_same_name_elsewhere_is_another_resource(void **state) {
        World *w = *state;

        assert_int_equal(read_text(w, FISH("a"), "x", NULL), 0);
        assert_int_equal(read_text(w, FISH("a"), "y", NULL), 0);
        assert_int_equal(w->documents.n, 2);
}

/* YAML 1.1 has surprises: they are told once, with the file they are in. */
static void surprises_are_told(void **state) {
        World *w = *state;
        bool is_told = false;

        assert_int_equal(
                read_text(
                        w,
                        "apiVersion: sea/v1\nkind: Fish\nmetadata: {name: a}\nspec: {extra: yes}\n",
                        NULL, NULL),
                0);
        const MrTree *warnings = w->documents.items[0]->warnings;
        for (size_t i = 0; i < mr_tree_size(warnings); i++)
                is_told = is_told ||
                          strstr(mr_tree_get_string(mr_tree_at(warnings, i), "message"), "yes");
        assert_true(is_told);
}

static void a_file(void **state) {
        World *w = *state;
        _cleanup_free_ char *path = mr_strf("%s/a.yaml", w->folder);

        put(w, "a.yaml", FISH("a"));
        assert_int_equal(documents_read_path(w->registry, path, NULL, &w->documents, NULL), 0);
        assert_string_equal(name_at(w, 0), "a");
        assert_string_equal(w->documents.items[0]->source, path);
}

static void a_directory_in_the_order_of_its_names(void **state) {
        World *w = *state;

        put(w, "20-b.yml", FISH("b"));
        put(w, "10-a.yaml", FISH("a"));
        put(w, "30-c.json",
            "{\"apiVersion\": \"sea/v1\", \"kind\": \"Fish\", \"metadata\": {\"name\": \"c\"}, "
            "\"spec\": {}}");
        put(w, ".hidden.yaml", "x: [");
        put(w, "notes.txt", "x: [");
        put(w, "old.yaml~", "x: [");
        assert_int_equal(documents_read_path(w->registry, w->folder, NULL, &w->documents, NULL), 0);
        assert_int_equal(w->documents.n, 3);
        assert_string_equal(name_at(w, 0), "a");
        assert_string_equal(name_at(w, 1), "b");
        assert_string_equal(name_at(w, 2), "c");
}

static void two_files_with_the_same_resource(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *expected = mr_strf(
                "Fish default/a is in %s/1.yaml:1 already; remove one of the two", w->folder);

        put(w, "1.yaml", FISH("a"));
        put(w, "2.yaml", FISH("a"));
        assert_int_equal(documents_read_path(w->registry, w->folder, NULL, &w->documents, &err),
                         -EINVAL);
        assert_string_equal(err.message, expected);
        assert_true(mr_ends_with(err.source, "/2.yaml"));
}

static void one_bad_file_stops_all(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};

        put(w, "1.yaml", FISH("a"));
        put(w, "2.yaml", "x: [");
        put(w, "3.yaml", FISH("b"));
        assert_true(documents_read_path(w->registry, w->folder, NULL, &w->documents, &err) < 0);
        assert_true(mr_ends_with(err.source, "/2.yaml"));
}

static void what_is_not_there(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};

        assert_int_equal(
                documents_read_path(w->registry, "/nowhere/x.yaml", NULL, &w->documents, &err),
                -ENOENT);
        assert_non_null(strstr(err.message, "/nowhere/x.yaml"));
}

static void too_much(void **state) {
        World *w = *state;
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *path = mr_strf("%s/large.yaml", w->folder);

        put(w, "large.yaml", FISH("a"));
        assert_int_equal(truncate(path, 100 * 1024 * 1024), 0);
        assert_true(documents_read_path(w->registry, path, NULL, &w->documents, &err) < 0);
        assert_int_equal(mr_error_kind(&err, -EINVAL), MR_INVALID);
        assert_int_equal(w->documents.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_list_is_its_items),
                TEST(a_wrong_list_says_where),
                TEST(all_documents_of_a_text),
                TEST(nothing_is_in_an_empty_text),
                TEST(the_namespace_of_the_command_line),
                TEST(the_same_resource_twice),
                TEST(the_same_name_elsewhere_is_another_resource),
                TEST(surprises_are_told),
                TEST(a_file),
                TEST(a_directory_in_the_order_of_its_names),
                TEST(two_files_with_the_same_resource),
                TEST(one_bad_file_stops_all),
                TEST(what_is_not_there),
                TEST(too_much),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
