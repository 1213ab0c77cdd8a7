/* Questions about tables: finding rows, names of types, looking up pairs, and `explain`. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "schema-example.h"

static void rows_are_found_by_path(void **state) {
        (void) state;
        assert_ptr_equal(mr_field_find(example_fields, "replicas"), &example_fields[0]);
        assert_ptr_equal(mr_field_find(example_fields, "listeners.port"),
                         &example_listener_fields[1]);
        assert_ptr_equal(mr_field_find(example_fields, "listeners[1].port"),
                         &example_listener_fields[1]);
        assert_string_equal(mr_field_find(example_fields, "listeners[1]")->name, "listeners");
        assert_null(mr_field_find(example_fields, "listeners.none"));
        assert_null(mr_field_find(example_fields, "replicas.x"));
        assert_null(mr_field_find(example_fields, "replica"));
        assert_null(mr_field_find(example_fields, ""));
        assert_null(mr_field_find(example_fields, NULL));
        assert_null(mr_field_find(NULL, "a"));
        assert_non_null(mr_field_find(example_fields, "listeners[1"));
}

static void types_have_names(void **state) {
        (void) state;
        for (int type = MR_TYPE_NONE; type <= MR_TYPE_TREE; type++)
                assert_string_not_equal(mr_type_name((MrType) type), "unknown");
        assert_string_equal(mr_type_name(MR_TYPE_LIST), "list of objects");
        assert_string_equal(mr_type_name((MrType) 99), "unknown");
}

static void pairs_are_looked_up(void **state) {
        MrPair items[] = {{"a", "1"}, {"c", "2"}, {"e", "3"}};
        MrPairs pairs = {items, MR_ELEMENTS(items)};

        (void) state;
        assert_string_equal(mr_pairs_get(&pairs, "a"), "1");
        assert_string_equal(mr_pairs_get(&pairs, "c"), "2");
        assert_string_equal(mr_pairs_get(&pairs, "e"), "3");
        assert_null(mr_pairs_get(&pairs, "b"));
        assert_null(mr_pairs_get(&pairs, ""));
        assert_null(mr_pairs_get(&pairs, "f"));
        assert_null(mr_pairs_get(NULL, "a"));
        assert_null(mr_pairs_get(&(MrPairs){}, "a"));
}

static const char *const versions[] = {"v1", NULL};
static const MrKind kind = {
        .group = "example.org",
        .versions = versions,
        .name = "Example",
        .plural = "examples",
        .spec = example_fields,
        .doc = "An example that is described at such length that its text has to be broken into "
               "more than one line of "
               "the terminal.",
};

static void a_kind_is_explained(void **state) {
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        assert_int_equal(mr_explain(&kind, "", false, &out, NULL), 0);
        assert_non_null(strstr(mr_buf_text(&out),
                               "GROUP:      example.org\nKIND:       Example\nVERSION:    v1\n\n"
                               "DESCRIPTION:\n    An example that"));
        assert_non_null(
                strstr(mr_buf_text(&out), "FIELDS:\n  apiVersion\t<string> -required-\n    Group"));
        for (char *line = strtok(out.data, "\n"); line; line = strtok(NULL, "\n"))
                assert_true(strlen(line) <= 80);
}

static void a_field_is_explained(void **state) {
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        assert_int_equal(mr_explain(&kind, "spec.listeners[0].port", false, &out, NULL), 0);
        assert_string_equal(mr_buf_text(&out),
                            "GROUP:      example.org\nKIND:       Example\nVERSION:    v1\n\n"
                            "FIELD: port <integer> -required-\n\nDESCRIPTION:\n"
                            "    Port on which every broker listens.\n    Range: 9092 to 65535\n");
        mr_buf_clear(&out);
        assert_int_equal(mr_explain(&kind, "spec.listeners", false, &out, NULL), 0);
        assert_non_null(strstr(mr_buf_text(&out), "    Elements: 0 to 3\n"));
        assert_non_null(
                strstr(mr_buf_text(&out),
                       "  name\t<string> -required-\n    Name of the listener, unique within the "
                       "cluster.\n    Pattern: ^[a-z0-9]{1,11}$\n"));
        assert_non_null(
                strstr(mr_buf_text(&out),
                       "    Possible values:\n      internal: Reached from inside.\n      route\n"
                       "    Default: internal\n"));
        assert_non_null(
                strstr(mr_buf_text(&out), "    Accepted and kept, but without effect yet.\n"));
        mr_buf_clear(&out);
        assert_int_equal(mr_explain(&kind, "spec", false, &out, NULL), 0);
        assert_non_null(strstr(mr_buf_text(&out), "Range: 1 or more\n"));
        assert_non_null(strstr(mr_buf_text(&out), "Secret: "));
        assert_non_null(strstr(mr_buf_text(&out), "Deprecated: "));
        assert_non_null(strstr(mr_buf_text(&out), "<map[string]string>"));
        mr_buf_clear(&out);
        assert_int_equal(mr_explain(&kind, "spec.storage", false, &out, NULL), 0);
        assert_non_null(strstr(mr_buf_text(&out), "Unit: bytes\n"));
}

static void recursion_lists_names_alone(void **state) {
        _cleanup_buf_ MrBuf out = {};

        (void) state;
        assert_int_equal(mr_explain(&kind, "spec.listeners", true, &out, NULL), 0);
        assert_non_null(
                strstr(mr_buf_text(&out),
                       "FIELDS:\n  name\t<string> -required-\n  port\t<integer> -required-\n"
                       "  type\t<string>\n  tls\t<boolean>\n"));
        mr_buf_clear(&out);
        assert_int_equal(mr_explain(&kind, NULL, true, &out, NULL), 0);
        assert_non_null(strstr(mr_buf_text(&out),
                               "    listeners\t<[]Object>\n      name\t<string> -required-\n"));
}

static void an_unknown_field_is_refused(void **state) {
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) state;
        assert_int_equal(mr_explain(&kind, "spec.nothing", false, &out, &err), -22);
        assert_string_equal(err.path, "spec.nothing");
        assert_non_null(strstr(err.message, "millctl explain examples"));
        assert_int_equal(out.size, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_are_found_by_path),
                cmocka_unit_test(types_have_names),
                cmocka_unit_test(pairs_are_looked_up),
                cmocka_unit_test(a_kind_is_explained),
                cmocka_unit_test(a_field_is_explained),
                cmocka_unit_test(recursion_lists_names_alone),
                cmocka_unit_test(an_unknown_field_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
