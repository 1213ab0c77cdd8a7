/* Written YAML looks as kubectl prints it and reads back to an equal tree. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "alloc.h"
#include "tree.h"

static void assert_written(const char *json, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(mr_json_read(json, strlen(json), NULL, &tree, NULL), 0);
        mr_yaml_write(tree, &out);
        assert_string_equal(mr_buf_text(&out), expected);
}

static void documents_look_as_kubectl_prints_them(void **state) {
        (void) state;
        assert_written("{\"kind\":\"Kafka\",\"spec\":{\"list\":[1,{\"a\":1,\"b\":[true]},[2,[3]],[]"
                       ",{}],\"none\":null}}",
                       "kind: Kafka\nspec:\n  list:\n  - 1\n  - a: 1\n    b:\n    - true\n  - - "
                       "2\n    - - 3\n  - []\n  - {}\n"
                       "  none: null\n");
        assert_written("{}", "{}\n");
        assert_written("[]", "[]\n");
        assert_written("1", "1\n");
        assert_written("[{\"a\":{\"b\":1}},\"x\"]", "- a:\n    b: 1\n- x\n");
        assert_written("{\"a\":\"one\\ntwo\\n\",\"b\":[\"x\\n\\n  y\"],\"c\":\"z\\n\\n\"}",
                       "a: |\n  one\n  two\nb:\n- |-\n  x\n\n    y\nc: |+\n  z\n\n");
}

static void strings_stay_strings(void **state) {
        (void) state;
        assert_written("[\"1\",\"1.0\",\"true\",\"no\",\"y\",\"null\",\"~\",\"\",\"0x1\",\"1_0\","
                       "\".inf\",\"12:30\",\"2001-01-01\",\"=\",\"<<\"]",
                       "- \"1\"\n- \"1.0\"\n- \"true\"\n- \"no\"\n- \"y\"\n- \"null\"\n- \"~\"\n- "
                       "\"\"\n- \"0x1\"\n- \"1_0\"\n"
                       "- \".inf\"\n- \"12:30\"\n- \"2001-01-01\"\n- \"=\"\n- \"<<\"\n");
        assert_written("[\"a: b\",\"a:b\",\"- a\",\"-a\",\"a #b\",\"a#b\",\"{a\",\"it's\",\"'\",\" "
                       "a\",\"a \",\"a:\",\"---\",\"%\",\"*a\"]",
                       "- 'a: b'\n- a:b\n- '- a'\n- -a\n- 'a #b'\n- a#b\n- '{a'\n- it's\n- ''''\n- "
                       "' a'\n- 'a '\n- 'a:'\n"
                       "- '---'\n- '%'\n- '*a'\n");
        assert_written("[\"a\\tb\",\"\\u0001\",\"\\u0085\",\"\\u2028\",\"ä\",\"\\n\",\" "
                       "x\\ny\",\"a\\r\\n\",\"q\\\"\\\\\\t\"]",
                       "- \"a\\tb\"\n- \"\\x01\"\n- \"\\x85\"\n- \"\\u2028\"\n- ä\n- \"\\n\"\n- \" "
                       "x\\ny\"\n- \"a\\r\\n\"\n"
                       "- \"q\\\"\\\\\\t\"\n");
        assert_written("{\"true\":1,\"1\":2,\"a b\":3,\"a: b\":4,\"log.dirs\":5,\"x\\ny\":6}",
                       "\"1\": 2\na b: 3\n'a: b': 4\nlog.dirs: 5\n\"true\": 1\n\"x\\ny\": 6\n");
}

static void assert_reads_back(const MrTree *tree) {
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_yaml_write(tree, &out);
        if (mr_yaml_read(mr_buf_text(&out), out.size, NULL, &documents, NULL, &err) < 0)
                fail_msg("%s\n%s", err.message, mr_buf_text(&out));
        if (!mr_tree_equal(tree, mr_tree_at(documents, 0)))
                fail_msg("reads back differently:\n%s", mr_buf_text(&out));
}

static void assert_text_reads_back(const char *text) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map(), *alone = mr_tree_new_string(text);
        const char *key = strlen(text) > MR_KEY_MAX ? "long" : text;

        mr_tree_set_string(map, "a", text);
        mr_tree_set_string(mr_tree_need_map(map, "b"), key, text);
        mr_tree_append(mr_tree_need_list(map, "c"), mr_tree_new_string(text));
        mr_tree_append(mr_tree_need_list(map, key), mr_tree_new_string(text));
        mr_tree_set_int(map, "z", 1);
        assert_reads_back(map);
        assert_reads_back(alone);
}

/* All strings of up to three of the characters that mean something in YAML. */
static void all_short_strings_read_back(void **state) {
        static const char alphabet[] = " \n\t:-#'\"\\?,[{|>!&*%@~.=<a1_x\x7f";
        size_t n = strlen(alphabet);

        (void) state;
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j <= n; j++)
                        for (size_t k = 0; k <= (j < n ? n : 0); k += 1) {
                                char text[4] = {alphabet[i], j < n ? alphabet[j] : '\0',
                                                k < n ? alphabet[k] : '\0', '\0'};
                                assert_text_reads_back(text);
                        }
}

static void long_keys_and_texts_read_back(void **state) {
        _cleanup_free_ char *text = mr_calloc(3001, 1);

        (void) state;
        memset(text, 'k', 3000);
        assert_text_reads_back(text);
        text[1000] = '\n';
        text[2000] = ' ';
        text[2001] = ' ';
        assert_text_reads_back(text);
        text[0] = '-';
        text[1] = ' ';
        assert_text_reads_back(text);
}

static void long_keys_of_odd_characters_read_back(void **state) {
        _cleanup_(mr_tree_freep) MrTree *map = mr_tree_new_map();
        char key[MR_KEY_MAX + 1] = "";

        (void) state;
        memset(key, 1, MR_KEY_MAX);
        mr_tree_set_int(mr_tree_need_map(map, key), key, 1);
        key[0] = 2;
        mr_tree_append(mr_tree_need_list(map, key), mr_tree_new_string("x\ny\n"));
        mr_tree_set_int(map, "z", 1);
        assert_reads_back(map);
}

static void quoted_text_is_short_and_harmless(void **state) {
        static const struct {
                const char *text, *expected;
        } cases[] = {
                {"abc", "\"abc\""},
                {"", "\"\""},
                {"a\nb\033[1m\x7f\"\\", "\"a\\nb\\e[1m\\x7f\\\"\\\\\""},
                {"\xc2\x9b\xff", "\"\\x9b\\ufffd\""},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_buf_ MrBuf out = {};
                mr_text_quote(cases[i].text, &out);
                assert_string_equal(mr_buf_text(&out), cases[i].expected);
        }
        _cleanup_buf_ MrBuf text = {}, out = {};
        for (int i = 0; i < 81; i++)
                mr_buf_puts(&text, "ä");
        mr_text_quote(mr_buf_text(&text), &out);
        assert_int_equal(out.size, 80 * strlen("ä") + 2 + strlen("…"));
        mr_buf_clear(&out);
        mr_text_quote(mr_buf_text(&text) + strlen("ä"), &out);
        assert_int_equal(out.size, 80 * strlen("ä") + 2);
}

static void numbers_read_back(void **state) {
        static const double values[] = {0.1,    -0.1,
                                        1e300,  1e-300,
                                        5e-324, 1.7976931348623157e308,
                                        1e19,   0.30000000000000004};
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(values); i++) {
                _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_real(values[i]);
                assert_reads_back(tree);
        }
        _cleanup_(mr_tree_freep) MrTree *smallest = mr_tree_new_int(INT64_MIN);
        assert_reads_back(smallest);
}

static void text_that_is_not_utf8_is_replaced(void **state) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_string("a\xff");
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        mr_yaml_write(tree, &out);
        assert_string_equal(mr_buf_text(&out), "\"a\\ufffd\"\n");
        mr_buf_clear(&out);
        mr_yaml_write(NULL, &out);
        assert_string_equal(mr_buf_text(&out), "null\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents_look_as_kubectl_prints_them),
                cmocka_unit_test(strings_stay_strings),
                cmocka_unit_test(all_short_strings_read_back),
                cmocka_unit_test(long_keys_and_texts_read_back),
                cmocka_unit_test(long_keys_of_odd_characters_read_back),
                cmocka_unit_test(quoted_text_is_short_and_harmless),
                cmocka_unit_test(numbers_read_back),
                cmocka_unit_test(text_that_is_not_utf8_is_replaced),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
