/* YAML documents: structure, positions, and everything that is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "alloc.h"
#include "tree.h"

static MrTree *yaml(const char *text) {
        MrTree *documents = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (mr_yaml_read(text, strlen(text), NULL, &documents, NULL, &err) < 0)
                fail_msg("%s: %s", text, err.message);
        return documents;
}

static void documents_become_json(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                {"", "[]"},
                {"# only a comment\n", "[]"},
                {"---\n---\n# nothing\n---\na: 1\n---\n", "[{\"a\":1}]"},
                {"a: 1\n---\nb: 2\n...\n---\n- 3\n", "[{\"a\":1},{\"b\":2},[3]]"},
                {"b: {y1: 1, x: [1, [2], {z: 3}]}\na:\n  - p: 1\n    q: 2\n  - r\n",
                 "[{\"a\":[{\"p\":1,\"q\":2},\"r\"],\"b\":{\"x\":[1,[2],{\"z\":3}],\"y1\":1}}]"},
                {"a:\n- 1\n-\n  b: 1\n", "[{\"a\":[1,{\"b\":1}]}]"},
                {"\xef\xbb\xbf"
                 "a: 1\r\nb: 2\r\n",
                 "[{\"a\":1,\"b\":2}]"},
                {"a: |\n  x\n   y\n\n  z\n", "[{\"a\":\"x\\n y\\n\\nz\\n\"}]"},
                {"a: >\n  x\n  y\n", "[{\"a\":\"x y\\n\"}]"},
                {"1: a\n2.5: b\nfalse: c\n0x10: d\n'1e3': e\n",
                 "[{\"1\":\"a\",\"16\":\"d\",\"1e3\":\"e\",\"2.5\":\"b\",\"false\":\"c\"}]"},
                {"? a\n: 1\n? b\n", "[{\"a\":1,\"b\":null}]"},
                {"%YAML 1.1\n---\na: \"\\x41\\u00e4\\U0001F600\"\n", "[{\"a\":\"Aä😀\"}]"},
                {"just text\n", "[\"just text\"]"},
                {"a: {b: https://x/y}\n", "[{\"a\":{\"b\":\"https://x/y\"}}]"},
                /* Aliases and merges. */
                {"a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "[{\"a\":1,\"b\":1,\"c\":2,\"d\":2}]"},
                {"a: &a {c: 1}\nb: *a\n", "[{\"a\":{\"c\":1},\"b\":{\"c\":1}}]"},
                {"a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}\n",
                 "[{\"a\":{\"x\":1,\"z\":2},\"b\":{\"x\":1,\"z\":3}}]"},
                {"a: &a {x: 1, z: 2}\nb: {z: 3, <<: *a}\n",
                 "[{\"a\":{\"x\":1,\"z\":2},\"b\":{\"x\":1,\"z\":3}}]"},
                {"a: &a {x: 1}\nb: &b {x: 2, w: 3}\nc: {<<: [*a, *b], v: 4}\n",
                 "[{\"a\":{\"x\":1},\"b\":{\"w\":3,\"x\":2},\"c\":{\"v\":4,\"w\":3,\"x\":1}}]"},
                {"<<: &m {a: 1}\nz: *m\n", "[{\"a\":1,\"z\":{\"a\":1}}]"},
                {"&k z: 1\nv: *k\n", "[{\"v\":\"z\",\"z\":1}]"},
                {"'<<': {a: 1}\n", "[{\"<<\":{\"a\":1}}]"},
                {"!!merge <<: {a: 1}\n", "[{\"a\":1}]"},
                {"a: &x\nb: *x\n", "[{\"a\":null,\"b\":null}]"},
                {"a: !local {b: !other [1]}\n", "[{\"a\":{\"b\":[1]}}]"},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(mr_tree_freep) MrTree *documents = yaml(cases[i].text);
                _cleanup_buf_ MrBuf out = {};
                mr_json_write(documents, 0, &out);
                assert_string_equal(mr_buf_text(&out), cases[i].expected);
        }
}

static void nodes_know_where_they_stand(void **state) {
        static const struct {
                const char *path;
                unsigned line, column;
        } cases[] = {
                {"", 2, 1},
                {"[0].kind", 2, 7},
                {"[0].spec", 4, 3},
                {"[0].spec.ünï", 4, 8},
                {"[0].spec.list", 6, 3},
                {"[0].spec.list[1]", 7, 5},
                {"[0].spec.flow.x", 8, 13},
                {"[1].a", 10, 4},
        };
        _cleanup_(mr_tree_freep) MrTree *documents =
                yaml("# first\nkind: K\nspec:\n  ünï: 1\n  list:\n  - 1\n  - b: 2\n  flow: {x: "
                     "1}\n---\na: 1\n");
        unsigned column;

        (void) state;
        for (size_t i = 1; i < MR_ELEMENTS(cases); i++) {
                MrTree *found = mr_tree_find(documents, cases[i].path, false);
                if (strstr(cases[i].path, "ünï"))
                        found = mr_tree_get(mr_tree_find(documents, "[0].spec", false), "ünï");
                assert_non_null(found);
                assert_int_equal(mr_tree_line(found), cases[i].line);
                assert_int_equal(mr_tree_column(found), cases[i].column);
        }
        const MrTree *spec = mr_tree_find(documents, "[0].spec", false);
        assert_string_equal(mr_tree_key(spec, 1), "list");
        assert_int_equal(mr_tree_key_line(spec, 1, &column), 5);
        assert_int_equal(column, 3);
        assert_int_equal(mr_tree_key_line(spec, 9, &column), 0);
        assert_int_equal(column, 0);
}

static void merged_keys_keep_their_place(void **state) {
        _cleanup_(mr_tree_freep) MrTree *documents = yaml("a: &a\n  x: 1\nb:\n  <<: *a\n");
        unsigned column;

        (void) state;
        const MrTree *b = mr_tree_find(documents, "[0].b", false);
        assert_int_equal(mr_tree_key_line(b, 0, &column), 2);
        assert_int_equal(column, 3);
        assert_int_equal(mr_tree_line(mr_tree_at(b, 0)), 2);
}

static void assert_refused(const char *text, size_t size, unsigned line, unsigned column,
                           const char *words) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *documents = NULL;

        assert_int_equal(mr_yaml_read(text, size, "f.yaml", &documents, NULL, &err), -22);
        assert_null(documents);
        assert_int_equal(err.kind, MR_INVALID);
        assert_string_equal(err.source, "f.yaml");
        if (!strstr(err.message, words) || !strstr(err.message, "; "))
                fail_msg("\"%s\" does not say \"%s\"", err.message, words);
        if (err.line != line || err.column != column)
                fail_msg("%s: at %u:%u, not %u:%u", text, err.line, err.column, line, column);
        assert_int_equal(mr_yaml_read(text, size, "f.yaml", &documents, NULL, NULL), -22);
}

static void broken_documents_are_refused_with_a_place_and_advice(void **state) {
        static const struct {
                const char *text;
                unsigned line, column;
                const char *words;
        } cases[] = {
                {"a:\n\tb: 1\n", 2, 1, "a tab starts the line"},
                {"a:\n  \tb: 1\n", 2, 3, "a tab starts the line"},
                {"a: 1\nb: 2\na: 3\n", 3, 1, "the key \"a\" is written twice, first on line 1"},
                {"a: {b: 1, c: 2, b: 3}\n", 1, 17, "the key \"b\""},
                {"1: a\n'1': b\n", 2, 1, "the key \"1\""},
                {"<<: {a: 1}\n<<: {b: 1}\n", 2, 1, "<<"},
                {"<<: 1\n", 1, 5, "only maps"},
                {"\"a\\e[1m\": 1\n\"a\\e[1m\": 2\n", 2, 1, "the key \"a\\e[1m\" is"},
                {"a: !!int \"\\e\"\n", 1, 4, "\"\\e\" does not fit"},
                {"<<: [{a: 1}, 2]\n", 1, 5, "only maps"},
                {"a: *x\n", 1, 4, "no anchor \"x\""},
                {"a: &x 1\n---\nb: *x\n", 3, 4, "no anchor \"x\""},
                {"a: &x [*x]\n", 1, 8, "inside its own anchor"},
                {"a: [1, 2\nb: 3\n", 2, 2, "not closed"},
                {"a: {b: 1\n", 2, 1, "not closed"},
                {"a: \"b\nc: 1\n", 1, 4, "quote"},
                {"a: 'b\n---\n", 1, 4, "quote"},
                {"a: b: c\n", 1, 5, "':'"},
                {"a: @b\n", 1, 4, "in quotes"},
                {"a: \"\\q\"\n", 1, 5, "escape"},
                {"a: 1\n b: 2\n", 2, 3, "indentation"},
                {"- a\nb: 1\n", 2, 1, "indentation"},
                {"a:\n  - 1\n b: 1\n", 3, 2, "indentation"},
                {"a: 1\nb\n", 3, 1, "':'"},
                {"a: - b\n", 1, 4, "'-'"},
                {"? [a]\n: 1\n", 1, 3, "a key must be"},
                {"? {a: 1}\n: 1\n", 1, 3, "a key must be"},
                {"~: 1\n", 1, 1, "a key must be"},
                {".inf: 1\n", 1, 1, "no number"},
                {"a: !x!y z\n", 1, 4, "tag"},
                {"%YAML 3.0\n---\na: 1\n", 1, 1, "version"},
                {"a: \x01\n", 1, 4, "control character"},
                {"a: 1\nb: \xff\n", 2, 4, "not UTF-8"},
                {"a: \xc3", 1, 4, "not UTF-8"},
                {"a: \xed\xa0\x80", 1, 4, "not UTF-8"},
                {"a: \xc0\x80", 1, 4, "not UTF-8"},
                {"a: \xf5\x80\x80\x80", 1, 4, "not UTF-8"},
                {"a: \x7f", 1, 4, "control character"},
                {"a: \xc2\x80", 1, 4, "control character"},
                {"a: \xef\xbf\xbf", 1, 4, "control character"},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++)
                assert_refused(cases[i].text, strlen(cases[i].text), cases[i].line, cases[i].column,
                               cases[i].words);
        assert_refused("a: b\0c", 6, 1, 5, "NUL");
        assert_refused("\x7f"
                       "ELF\0\0",
                       6, 1, 1, "control character");
        assert_refused("\xff\xfe"
                       "a\0",
                       4, 1, 1, "not UTF-8");
}

static void hostile_sizes_are_refused(void **state) {
        _cleanup_buf_ MrBuf deep = {}, bomb = {}, chain = {}, many = {};

        (void) state;
        for (int i = 0; i < 100000; i++)
                mr_buf_putc(&deep, '[');
        assert_refused(mr_buf_text(&deep), deep.size, 1, 65, "64 levels");

        mr_buf_puts(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 10; i++)
                mr_buf_printf(&bomb,
                              "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
                              i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        assert_refused(mr_buf_text(&bomb), bomb.size, 6, 15, "200000 values");

        mr_buf_puts(&chain, "a0: &a0 [x]\n");
        for (int i = 1; i < 100; i++)
                mr_buf_printf(&chain, "a%d: &a%d [*a%d]\n", i, i, i - 1);
        assert_refused(mr_buf_text(&chain), chain.size, 63, 12, "64 levels");

        for (unsigned i = 0; i <= MR_NODES_MAX; i++)
                mr_buf_puts(&many, "- 1\n");
        assert_refused(mr_buf_text(&many), many.size, MR_NODES_MAX, 3, "200000 values");

        mr_buf_clear(&many);
        for (int i = 0; i <= 1000; i++)
                mr_buf_printf(&many, "- &a%d x\n", i);
        assert_refused(mr_buf_text(&many), many.size, 1001, 3, "1000 anchors");
        mr_buf_clear(&many);
        for (int i = 0; i <= 1000; i++)
                mr_buf_printf(&many, "- &a%d []\n", i);
        assert_refused(mr_buf_text(&many), many.size, 1001, 3, "1000 anchors");
        mr_buf_clear(&many);
        mr_buf_puts(&many, "<<: [{}");
        for (int i = 0; i < 100; i++)
                mr_buf_puts(&many, ",{}");
        mr_buf_puts(&many, "]\n");
        assert_refused(mr_buf_text(&many), many.size, 1, 5, "100 maps");
        mr_buf_clear(&many);
        mr_buf_puts(&many, "a: 1\n? ");
        for (unsigned i = 0; i <= MR_KEY_MAX; i++)
                mr_buf_putc(&many, 'k');
        mr_buf_puts(&many, "\n: 1\n");
        assert_refused(mr_buf_text(&many), many.size, 2, 3, "a key is longer");

        size_t size = 100U * 1024 * 1024;
        _cleanup_free_ char *large = mr_calloc(size, 1);
        assert_refused(large, size, 0, 0, "4194304");
}

/* Work that grows with the square of the input would take minutes here. */
static void merging_and_duplicates_are_quick(void **state) {
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        mr_buf_puts(&text, "a: &a\n");
        for (int i = 0; i < 60000; i++)
                mr_buf_printf(&text, "  k%05d: 1\n", i);
        mr_buf_puts(&text, "b:\n  <<: *a\n");
        for (int i = 0; i < 60000; i++)
                mr_buf_printf(&text, "  z%05d: 1\n", i);
        _cleanup_(mr_tree_freep) MrTree *documents = yaml(mr_buf_text(&text));
        assert_int_equal(mr_tree_size(mr_tree_find(documents, "[0].b", false)), 120000);
}

static void warnings_are_bounded(void **state) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL, *warnings = mr_tree_new_list();
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        for (unsigned i = 0; i < 2 * MR_WARNINGS_MAX; i++)
                mr_buf_puts(&text, "- yes\n");
        assert_int_equal(
                mr_yaml_read(mr_buf_text(&text), text.size, NULL, &documents, warnings, NULL), 0);
        assert_int_equal(mr_tree_size(warnings), MR_WARNINGS_MAX);
}

static void depth_64_is_allowed(void **state) {
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        for (int i = 0; i < 64; i++)
                mr_buf_putc(&text, '[');
        for (int i = 0; i < 64; i++)
                mr_buf_putc(&text, ']');
        _cleanup_(mr_tree_freep) MrTree *documents = yaml(mr_buf_text(&text));
        assert_int_equal(mr_tree_size(documents), 1);
}

static void every_prefix_is_read_or_refused(void **state) {
        static const char text[] = "apiVersion: v1\nspec: &a\n  l:\n  - {a: \"x\\n\", b: 'y'}\n  - "
                                   "|\n    text\n  - *a\n"
                                   "---\n<<: [{a: 1}]\n? k\n: !!int 3\n";
        (void) state;
        for (size_t n = 0; n <= strlen(text); n++) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                MrTree *documents = NULL;
                int r = mr_yaml_read(text, n, "f", &documents, NULL, &err);
                assert_true(r == 0 || (r == -22 && err.line > 0 && err.message));
                mr_tree_free(documents);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents_become_json),
                cmocka_unit_test(nodes_know_where_they_stand),
                cmocka_unit_test(merged_keys_keep_their_place),
                cmocka_unit_test(broken_documents_are_refused_with_a_place_and_advice),
                cmocka_unit_test(hostile_sizes_are_refused),
                cmocka_unit_test(merging_and_duplicates_are_quick),
                cmocka_unit_test(warnings_are_bounded),
                cmocka_unit_test(depth_64_is_allowed),
                cmocka_unit_test(every_prefix_is_read_or_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
