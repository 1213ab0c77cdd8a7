/* Tables, values at paths, ages. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/table.h"
#include "sdk/alloc.h"

static char *printed(Table *table) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        table_print(table, out);
        fclose(out);
        return text;
}

static void columns_are_aligned_and_nothing_follows_the_last(void **state _unused_) {
        static const char *const cells[] = {"NAME", "READY",        "AGE",  "a",  NULL,
                                            "3m",   "a-longer-one", "True", "10s"};
        _cleanup_table_ Table table = {};

        table_init(&table, 3);
        for (size_t i = 0; i < MR_ELEMENTS(cells); i++)
                table_add(&table, cells[i]);
        _cleanup_free_ char *text = printed(&table);
        assert_string_equal(text, "NAME           READY   AGE\n"
                                  "a                      3m\n"
                                  "a-longer-one   True    10s\n");
}

static void later_rows_are_printed_alone_and_umlauts_take_one_place(void **state _unused_) {
        _cleanup_table_ Table table = {};

        table_init(&table, 2);
        table_add(&table, "NAME");
        table_add(&table, "X");
        _cleanup_free_ char *first = printed(&table);
        assert_string_equal(first, "NAME   X\n");
        table_add(&table, "\xc3\xa4");
        table_add(&table, "y");
        _cleanup_free_ char *second = printed(&table);
        assert_string_equal(second, "\xc3\xa4      y\n");
        table_add(&table, "half");
        _cleanup_free_ char *third = printed(&table);
        assert_string_equal(third, "");
}

static void values_are_found_by_path(void **state _unused_) {
        static const char json[] =
                "{\"a\":{\"x.y/z\":\"label\",\"n\":3,\"b\":true,\"r\":1.5,\"list\":[1,\"two\"]},"
                "\"conditions\":[{\"type\":\"Other\",\"status\":\"0\"},{\"type\":\"Ready\","
                "\"status\":\"True\"}]}";
        static const char *const paths[][2] = {
                {"a.x\\.y/z", "label"},
                {"a.n", "3"},
                {"a.b", "true"},
                {"a.r", "1.5"},
                {"a.list", "1,two"},
                {"a.list[1]", "two"},
                {"a.list[2]", ""},
                {"a.list[-1]", ""},
                {"conditions[Ready].status", "True"},
                {"conditions[Never].status", ""},
                {"nothing.at.all", ""},
                {"a", ""},
                {"a.n.deeper", ""},
                {"[", ""},
        };
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;

        assert_int_equal(mr_json_read(json, strlen(json), NULL, &tree, NULL), 0);
        for (size_t i = 0; i < MR_ELEMENTS(paths); i++) {
                _cleanup_free_ char *value = column_value(tree, paths[i][0]);
                assert_string_equal(value, paths[i][1]);
        }
}

static void ages_read_as_kubectl_writes_them(void **state _unused_) {
        static const struct {
                int64_t seconds;
                const char *text;
        } ages[] = {{-5, "0s"},       {0, "0s"},      {119, "119s"},      {120, "2m"},
                    {125, "2m5s"},    {600, "10m"},   {10799, "179m"},    {10800, "3h"},
                    {11000, "3h3m"},  {28800, "8h"},  {172799, "47h"},    {172800, "2d"},
                    {180000, "2d2h"}, {691200, "8d"}, {63072000, "2y0d"}, {70000000, "2y80d"}};

        for (size_t i = 0; i < MR_ELEMENTS(ages); i++) {
                _cleanup_free_ char *text = age_text(ages[i].seconds);
                assert_string_equal(text, ages[i].text);
        }
}

static void times_are_read(void **state _unused_) {
        int64_t seconds = 0;

        assert_int_equal(time_read("1970-01-02T00:00:01Z", &seconds), 0);
        assert_int_equal(seconds, 86401);
        assert_int_equal(time_read("1970-01-02", &seconds), -EINVAL);
        assert_int_equal(time_read("1970-01-02T00:00:01Zx", &seconds), -EINVAL);
        assert_int_equal(time_read(NULL, &seconds), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(columns_are_aligned_and_nothing_follows_the_last),
                cmocka_unit_test(later_rows_are_printed_alone_and_umlauts_take_one_place),
                cmocka_unit_test(values_are_found_by_path),
                cmocka_unit_test(ages_read_as_kubectl_writes_them),
                cmocka_unit_test(times_are_read),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
