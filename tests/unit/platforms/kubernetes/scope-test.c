/* Which namespaces and which resources are followed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kubernetes/lease-settings.c"
#include "kubernetes/settings.c"
#include "str.h"

static void assert_scope(const char *json, const char *namespaces, const char *selector) {
        _cleanup_(mr_tree_freep) MrTree *config = NULL, *names = NULL, *labels = NULL;
        _cleanup_buf_ MrBuf first = {}, second = {};

        assert_int_equal(mr_json_read(json, strlen(json), NULL, &config, NULL), 0);
        assert_int_equal(kubernetes_scope(config, &names, &labels, NULL), 0);
        mr_json_write(names, 0, &first);
        mr_json_write(labels, 0, &second);
        assert_string_equal(mr_buf_text(&first), namespaces);
        assert_string_equal(mr_buf_text(&second), selector);
}

static int clear(void **state _unused_) {
        unsetenv(MR_NAMESPACES_VARIABLE);
        unsetenv(MR_SELECTOR_VARIABLE);
        return 0;
}

static void settings_say_it(void **state _unused_) {
        assert_scope("{}", "null", "null");
        assert_scope("{\"namespaces\": []}", "null", "null");
        assert_scope("{\"namespaces\": [\"a\"], \"selector\": \"team=x, tier==gold\"}", "[\"a\"]",
                     "{\"team\":\"x\",\"tier\":\"gold\"}");
}

static void variables_win(void **state _unused_) {
        setenv(MR_NAMESPACES_VARIABLE, "red, blue", 1);
        setenv(MR_SELECTOR_VARIABLE, "team=y", 1);
        assert_scope("{\"namespaces\": [\"a\"], \"selector\": \"team=x\"}", "[\"red\",\"blue\"]",
                     "{\"team\":\"y\"}");
        setenv(MR_NAMESPACES_VARIABLE, "*", 1);
        setenv(MR_SELECTOR_VARIABLE, "", 1);
        assert_scope("{\"namespaces\": [\"a\"], \"selector\": \"team=x\"}", "null",
                     "{\"team\":\"x\"}");
}

static void a_selector_that_is_none(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *names = NULL, *labels = NULL;
        _cleanup_error_ MrError err = {};

        setenv(MR_SELECTOR_VARIABLE, "team in (a)", 1);
        assert_true(kubernetes_scope(NULL, &names, &labels, &err) < 0);
        assert_non_null(strstr(err.message, "write KEY=VALUE"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(settings_say_it, clear, clear),
                cmocka_unit_test_setup_teardown(variables_win, clear, clear),
                cmocka_unit_test_setup_teardown(a_selector_that_is_none, clear, clear),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
