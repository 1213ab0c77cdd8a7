/* Plain scalars as kubectl's YAML library resolves them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tree.h"

/* Each text stands as "v: TEXT"; expected is what the document is as JSON. */
static const struct {
        const char *text, *expected;
} cases[] = {
        {"true", "true"},
        {"True", "true"},
        {"TRUE", "true"},
        {"tRUE", "\"tRUE\""},
        {"false", "false"},
        {"False", "false"},
        {"FALSE", "false"},
        {"yes", "true"},
        {"Yes", "true"},
        {"YES", "true"},
        {"yEs", "\"yEs\""},
        {"no", "false"},
        {"No", "false"},
        {"NO", "false"},
        {"on", "true"},
        {"On", "true"},
        {"ON", "true"},
        {"off", "false"},
        {"Off", "false"},
        {"OFF", "false"},
        {"y", "true"},
        {"Y", "true"},
        {"n", "false"},
        {"N", "false"},
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "\"nULL\""},
        {"0", "0"},
        {"-0", "0"},
        {"+1", "1"},
        {"-1", "-1"},
        {"1_000", "1000"},
        {"+685_230", "685230"},
        {"0777", "511"},
        {"0o777", "511"},
        {"0O17", "15"},
        {"-017", "-15"},
        {"02472256", "685230"},
        {"00", "0"},
        {"08", "8"},
        {"09.5", "9.5"},
        {"0o8", "\"0o8\""},
        {"0x1F", "31"},
        {"0X1f", "31"},
        {"0x_0A_74_AE", "685230"},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"0x0x1", "\"0x0x1\""},
        {"-0x10", "-16"},
        {"0b1010_0111_0100_1010_1110", "685230"},
        {"-0b101010", "-42"},
        {"0b", "\"0b\""},
        {"0b2", "\"0b2\""},
        {"0b0b1", "\"0b0b1\""},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775808", "9.223372036854776e+18"},
        {"18446744073709551615", "1.8446744073709552e+19"},
        {"-9223372036854775809", "-9223372036854775808"},
        {"99999999999999999999999", "1e+23"},
        {"0.1", "0.1"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"1.", "1"},
        {"1.0", "1"},
        {"6.8523e+5", "685230"},
        {"685.230_15e+03", "685230.15"},
        {"1e3", "1000"},
        {"1E-2", "0.01"},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {"1e400", "\"1e400\""},
        {"1.2.3", "\"1.2.3\""},
        {".", "\".\""},
        {".5_0", "\".5_0\""},
        {"+", "\"+\""},
        {"-b_c", "\"-b_c\""},
        {"+b_c", "\"+b_c\""},
        {"50cent_of_dollar", "\"50cent_of_dollar\""},
        {"++1", "\"++1\""},
        {"0+1", "\"0+1\""},
        {"0x-1", "\"0x-1\""},
        {"-inf", "\"-inf\""},
        {".Nan", "\".Nan\""},
        {"10Gi", "\"10Gi\""},
        {"500m", "\"500m\""},
        {"3.9.1", "\"3.9.1\""},
        {"3.9", "3.9"},
        {"1:20", "\"1:20\""},
        {"190:20:30", "\"190:20:30\""},
        {"2001-01-01", "\"2001-01-01\""},
        {"2001-12-14t21:59:43.10-05:00", "\"2001-12-14t21:59:43.10-05:00\""},
        {"a b", "\"a b\""},
        {"'1'", "\"1\""},
        {"\"true\"", "\"true\""},
        {"'yes'", "\"yes\""},
        {"''", "\"\""},
        {"!!str 1", "\"1\""},
        {"!!str yes", "\"yes\""},
        {"!!int '3'", "3"},
        {"!!float 1", "1"},
        {"!!float '1.5'", "1.5"},
        {"!!null ''", "null"},
        {"!!bool yes", "true"},
        {"!!timestamp 2001-01-01", "\"2001-01-01\""},
        {"!custom 7", "\"7\""},
        {"! test", "\"test\""},
        {"|\n  1\n", "\"1\\n\""},
        {">-\n  1\n  2\n", "\"1 2\""},
};

static void scalars_are_typed_as_kubectl_types_them(void **state) {
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_buf_ MrBuf text = {}, out = {};
                _cleanup_(mr_tree_freep) MrTree *documents = NULL;
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                mr_buf_printf(&text, "v: %s\n", cases[i].text);
                if (mr_yaml_read(mr_buf_text(&text), text.size, NULL, &documents, NULL, &err) < 0)
                        fail_msg("%s: %s", cases[i].text, err.message);
                mr_json_write(mr_tree_get(mr_tree_at(documents, 0), "v"), 0, &out);
                if (strcmp(mr_buf_text(&out), cases[i].expected) != 0)
                        fail_msg("%s is %s, not %s", cases[i].text, mr_buf_text(&out),
                                 cases[i].expected);
        }
}

static void what_json_cannot_say_is_refused(void **state) {
        static const char *const texts[] = {".inf",      "-.inf",         "+.Inf",    ".nan",
                                            ".NaN",      "!!int x",       "!!bool 1", "!!null x",
                                            "!!float x", "!!binary aGk=", "\"a\\0b\""};
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(texts); i++) {
                _cleanup_buf_ MrBuf text = {};
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                MrTree *documents = NULL;
                mr_buf_printf(&text, "v: %s\n", texts[i]);
                assert_int_equal(
                        mr_yaml_read(mr_buf_text(&text), text.size, NULL, &documents, NULL, &err),
                        -22);
                assert_int_equal(err.line, 1);
                assert_int_equal(err.column, 4);
                assert_non_null(strstr(err.message, "; "));
        }
}

static void surprising_booleans_are_warned_about(void **state) {
        static const char text[] = "a: yes\nb: true\nc: 'no'\n  \nd: !!str no\ne: [off]\ny: 1\n";
        _cleanup_(mr_tree_freep) MrTree *documents = NULL, *warnings = mr_tree_new_list();
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        assert_int_equal(mr_yaml_read(text, strlen(text), NULL, &documents, warnings, NULL), 0);
        assert_int_equal(mr_tree_size(warnings), 3);
        assert_int_equal(mr_tree_get_int(mr_tree_at(warnings, 0), "line", 0), 1);
        assert_int_equal(mr_tree_get_int(mr_tree_at(warnings, 0), "column", 0), 4);
        assert_int_equal(mr_tree_get_int(mr_tree_at(warnings, 1), "line", 0), 6);
        assert_int_equal(mr_tree_get_int(mr_tree_at(warnings, 2), "line", 0), 7);
        assert_non_null(
                strstr(mr_tree_get_string(mr_tree_at(warnings, 0), "message"), "in quotes"));
        mr_json_write(mr_tree_at(documents, 0), 0, &out);
        assert_string_equal(
                mr_buf_text(&out),
                "{\"a\":true,\"b\":true,\"c\":\"no\",\"d\":\"no\",\"e\":[false],\"true\":1}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(scalars_are_typed_as_kubectl_types_them),
                cmocka_unit_test(what_json_cannot_say_is_refused),
                cmocka_unit_test(surprising_booleans_are_warned_about),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
