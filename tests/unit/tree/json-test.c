/* JSON in and out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "alloc.h"
#include "tree.h"

static void assert_round(const char *text, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(mr_json_read(text, strlen(text), NULL, &tree, NULL), 0);
        mr_json_write(tree, 0, &out);
        assert_string_equal(mr_buf_text(&out), expected);
}

static void values_are_written_in_one_way(void **state) {
        (void) state;
        assert_round("{ \"b\" : 1, \"a\" : [ true, false, null ] }",
                     "{\"a\":[true,false,null],\"b\":1}");
        assert_round("1.0", "1");
        assert_round("1e3", "1000");
        assert_round("0.1", "0.1");
        assert_round("-0.30000000000000004", "-0.30000000000000004");
        assert_round("1e22", "1e+22");
        assert_round("9223372036854775807", "9223372036854775807");
        assert_round("\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\\u00e4\"",
                     "\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/ä\"");
        assert_round("[]", "[]");
        assert_round("{\"a\":{}}", "{\"a\":{}}");
}

static void pretty_is_indented(void **state) {
        static const char text[] = "{\"a\":[1,{\"b\":[]}],\"c\":{}}";
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        assert_int_equal(mr_json_read(text, strlen(text), NULL, &tree, NULL), 0);
        mr_json_write(tree, MR_JSON_PRETTY, &out);
        assert_string_equal(
                mr_buf_text(&out),
                "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}\n");
}

static void what_is_not_utf8_is_replaced(void **state) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_string("a\xff"
                                                                   "b\xc3");
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        mr_json_write(tree, 0, &out);
        assert_string_equal(mr_buf_text(&out), "\"a\\ufffdb\\ufffd\"");
}

static void absent_is_null(void **state) {
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        mr_json_write(NULL, 0, &out);
        assert_string_equal(mr_buf_text(&out), "null");
}

static void assert_refused(const char *text, size_t size, unsigned line, const char *words) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *tree = NULL;

        assert_true(mr_json_read(text, size, "body", &tree, &err) < 0);
        assert_null(tree);
        assert_int_equal(err.kind, MR_INVALID);
        assert_string_equal(err.source, "body");
        assert_int_equal(err.line, line);
        if (!strstr(err.message, words))
                fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void errors_have_positions(void **state) {
        (void) state;
        assert_refused("{\n \"a\": 1,\n}", 12, 3, "write valid JSON");
        assert_refused("", 0, 1, "write valid JSON");
        assert_refused("[1", 2, 1, "write valid JSON");
        assert_refused("{\"a\":1,\"a\":2}", 13, 1, "duplicate");
        assert_refused("\"\\u0000\"", 8, 1, "write valid JSON");
        assert_refused("\"\xff\"", 3, 1, "unable to decode byte");
        assert_refused("\x1b[1m", 4, 1, "near '?'");
        assert_refused("99999999999999999999", 20, 1, "too big");
}

static void bombs_are_refused(void **state) {
        _cleanup_buf_ MrBuf deep = {}, wide = {};

        (void) state;
        for (int i = 0; i < 100000; i++)
                mr_buf_putc(&deep, '[');
        assert_refused(mr_buf_text(&deep), deep.size, 1, "64 levels");
        mr_buf_putc(&wide, '[');
        for (unsigned i = 0; i <= MR_NODES_MAX; i++)
                mr_buf_puts(&wide, "1,");
        mr_buf_puts(&wide, "1]");
        assert_refused(mr_buf_text(&wide), wide.size, 1, "200000 values");
        mr_buf_clear(&wide);
        mr_buf_putc(&wide, '[');
        for (unsigned i = 0; i <= MR_NODES_MAX; i++)
                mr_buf_puts(&wide, "[],");
        mr_buf_puts(&wide, "1]");
        assert_refused(mr_buf_text(&wide), wide.size, 1, "200000 values");
        mr_buf_clear(&wide);
        mr_buf_puts(&wide, "[{\"a\":[{\"");
        for (unsigned i = 0; i <= MR_KEY_MAX; i++)
                mr_buf_putc(&wide, 'k');
        mr_buf_puts(&wide, "\":1}]}]");
        assert_refused(mr_buf_text(&wide), wide.size, 0, "a key is longer");
        _cleanup_free_ char *large = mr_calloc(MR_DOCUMENT_MAX + 2, 1);
        assert_refused(large, MR_DOCUMENT_MAX + 1, 0, "4 MiB");
}

static void strings_hide_brackets_from_the_count(void **state) {
        _cleanup_buf_ MrBuf text = {};
        MrTree *tree = NULL;

        (void) state;
        mr_buf_puts(&text, "[\"\\\"");
        for (int i = 0; i < 1000; i++)
                mr_buf_putc(&text, '[');
        mr_buf_puts(&text, "\"]");
        assert_int_equal(mr_json_read(mr_buf_text(&text), text.size, NULL, &tree, NULL), 0);
        mr_tree_free(tree);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_written_in_one_way),
                cmocka_unit_test(pretty_is_indented),
                cmocka_unit_test(what_is_not_utf8_is_replaced),
                cmocka_unit_test(absent_is_null),
                cmocka_unit_test(errors_have_positions),
                cmocka_unit_test(bombs_are_refused),
                cmocka_unit_test(strings_hide_brackets_from_the_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
