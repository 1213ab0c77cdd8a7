/* Paths into a tree, differences between trees, and patches of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), NULL, &tree, NULL), 0);
        return tree;
}

static void assert_json(const MrTree *tree, const char *expected) {
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, 0, &text);
        assert_string_equal(mr_buf_text(&text), expected);
}

static const char document[] =
        "{\"a\":{\"b\":[{\"c\":1},{\"c\":2}]},\"log.dirs\":{\"x\":3},\"q\\\"e\":4,\"\":6,"
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},{\"name\":\"9a\",\"v\":5}]}";

static void paths_find_nodes(void **state) {
        static const struct {
                const char *path, *found, *nearest;
        } cases[] = {
                {"a.b[0].c", "1", "1"},
                {"a.b[1].c", "2", "2"},
                {"[\"log.dirs\"].x", "3", "3"},
                {"[\"q\\\"e\"]", "4", "4"},
                {"conditions[Ready].status", "\"True\"", "\"True\""},
                {"conditions[9a].v", "5", "5"},
                {"[\"\"]", "6", "6"},
                {"a.b[2].c", NULL, "[{\"c\":1},{\"c\":2}]"},
                {"a.b[1].d.e", NULL, "{\"c\":2}"},
                {"a.b[1].c.e", NULL, "2"},
                {"a.b[99999999999999999999]", NULL, "[{\"c\":1},{\"c\":2}]"},
                {"a.b[1", NULL, "[{\"c\":1},{\"c\":2}]"},
                {"a.b[\"x", NULL, "[{\"c\":1},{\"c\":2}]"},
                {"a[0]", NULL, "{\"b\":[{\"c\":1},{\"c\":2}]}"},
                {"a[Ready]", NULL, "{\"b\":[{\"c\":1},{\"c\":2}]}"},
                {"a.b[None]", NULL, "[{\"c\":1},{\"c\":2}]"},
        };
        _cleanup_(mr_tree_freep) MrTree *tree = json(document);

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                MrTree *found = mr_tree_find(tree, cases[i].path, false);
                if (cases[i].found)
                        assert_json(found, cases[i].found);
                else
                        assert_null(found);
                assert_json(mr_tree_find(tree, cases[i].path, true), cases[i].nearest);
        }
        assert_ptr_equal(mr_tree_find(tree, "", false), tree);
        assert_ptr_equal(mr_tree_find(tree, NULL, false), tree);
}

static void built_paths_are_found_again(void **state) {
        static const char *const keys[] = {"plain",       "log.dirs", "a b", "x[0]",     "q\"uote",
                                           "back\\slash", "",         "ü",   "a\nb\x7f", "\\x0a"};
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(keys); i++) {
                _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
                mr_tree_set_int(mr_tree_need_map(mr_tree_need_map(tree, "outer"), keys[i]), "inner",
                                1);
                _cleanup_buf_ MrBuf path = {};
                mr_tree_path_key(&path, "outer");
                mr_tree_path_key(&path, keys[i]);
                mr_tree_path_key(&path, "inner");
                assert_int_equal(mr_tree_int(mr_tree_find(tree, mr_buf_text(&path), false), 0), 1);
        }
}

static void note(const char *path, const MrTree *a, const MrTree *b, void *userdata) {
        MrBuf *notes = userdata;

        mr_buf_printf(notes, "%s ", path);
        if (a)
                mr_json_write(a, 0, notes);
        else
                mr_buf_putc(notes, '-');
        mr_buf_putc(notes, ' ');
        if (b)
                mr_json_write(b, 0, notes);
        else
                mr_buf_putc(notes, '-');
        mr_buf_putc(notes, '\n');
}

static void differences_name_leaves(void **state) {
        static const struct {
                const char *a, *b, *notes;
        } cases[] = {
                {"{\"a\":1}", "{\"a\":1}", ""},
                {"{\"a\":1}", "{\"a\":2}", "a 1 2\n"},
                {"{\"a\":1}", "{\"b\":2}", "a 1 -\nb - 2\n"},
                {"{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3,4]}}", "a.b[1] 2 3\na.b[2] - 4\n"},
                {"{\"a\":{\"log.dirs\":1}}", "{\"a\":{\"log.dirs\":2}}", "a[\"log.dirs\"] 1 2\n"},
                {"{}", "{\"a\":{\"b\":{\"c\":1},\"d\":[]}}", "a.b.c - 1\na.d - []\n"},
                {"{\"a\":[[]]}", "{}", "a[0] [] -\n"},
                {"{\"a\":{\"b\":1}}", "{\"a\":[1]}", "a {\"b\":1} [1]\n"},
                {"{\"a\":{}}", "{\"a\":{\"b\":1}}", "a.b - 1\n"},
                {"{\"a\":null}", "{}", "a null -\n"},
                {"1", "2", " 1 2\n"},
                {"[1,[2,{\"x\":3}]]", "[1,[2,{\"x\":4}]]", "[1][1].x 3 4\n"},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(mr_tree_freep) MrTree *a = json(cases[i].a), *b = json(cases[i].b);
                _cleanup_buf_ MrBuf notes = {};
                mr_tree_diff(a, b, note, &notes);
                assert_string_equal(mr_buf_text(&notes), cases[i].notes);
                assert_int_equal(mr_tree_equal(a, b), !*cases[i].notes);
        }
        _cleanup_(mr_tree_freep) MrTree *only = json("{\"a\":1}");
        _cleanup_buf_ MrBuf notes = {};
        mr_tree_diff(NULL, only, note, &notes);
        mr_tree_diff(only, NULL, note, &notes);
        mr_tree_diff(NULL, NULL, note, &notes);
        assert_string_equal(mr_buf_text(&notes), "a - 1\na 1 -\n");
}

static void equality_is_by_value(void **state) {
        static const char *const values[] = {"null", "true",      "false",     "1",        "0.5",
                                             "0.25", "\"1\"",     "[]",        "{}",       "[1]",
                                             "[2]",  "{\"a\":1}", "{\"b\":1}", "{\"a\":2}"};
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(values); i++)
                for (size_t j = 0; j < MR_ELEMENTS(values); j++) {
                        _cleanup_(mr_tree_freep) MrTree *a = json(values[i]), *b = json(values[j]);
                        mr_tree_set_position(a, 1, 2);
                        assert_int_equal(mr_tree_equal(a, b), i == j);
                        char digest_a[65], digest_b[65];
                        mr_tree_digest(a, digest_a);
                        mr_tree_digest(b, digest_b);
                        assert_int_equal(strcmp(digest_a, digest_b) == 0, i == j);
                }
        assert_true(mr_tree_equal(NULL, NULL));
}

/* The examples of RFC 7386, appendix A, in our words. */
static void patches_follow_the_rfc(void **state) {
        static const struct {
                const char *target, *patch, *result;
        } cases[] = {
                {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
                {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
                {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
                {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
                {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
                {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
                 "{\"a\":{\"b\":\"d\"}}"},
                {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
                {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
                {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
                {"{\"a\":\"foo\"}", "null", "null"},
                {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
                {"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
                {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
                {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(mr_tree_freep) MrTree *patch = json(cases[i].patch);
                _cleanup_(mr_tree_freep) MrTree *result =
                        mr_tree_merge_patch(json(cases[i].target), patch);
                assert_json(result, cases[i].result);
        }
        _cleanup_(mr_tree_freep) MrTree *patch = json("{\"a\":{\"b\":1}}");
        _cleanup_(mr_tree_freep) MrTree *result = mr_tree_merge_patch(NULL, patch);
        assert_json(result, "{\"a\":{\"b\":1}}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_find_nodes),
                cmocka_unit_test(built_paths_are_found_again),
                cmocka_unit_test(differences_name_leaves),
                cmocka_unit_test(equality_is_by_value),
                cmocka_unit_test(patches_follow_the_rfc),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
