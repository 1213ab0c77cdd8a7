/* Copies of files with variables filled in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/launch.h"

typedef struct Place {
        char node[32], run[32];
        char *from, *to;
        Launch launch;
} Place;

static int setup(void **state) {
        Place *p = calloc(1, sizeof(Place));

        strncpy(p->node, "/tmp/launch-fill-XXXXXX", sizeof(p->node) - 1);
        strncpy(p->run, "/tmp/launch-fill-XXXXXX", sizeof(p->run) - 1);
        assert_non_null(mkdtemp(p->node));
        assert_non_null(mkdtemp(p->run));
        p->from = text_format("%s/f", p->node);
        p->to = text_format("%s/f", p->run);
        words_add(&p->launch.fills, "f");
        words_add(&p->launch.variables, "FILL_ZONE");
        words_add(&p->launch.variables, "FILL_ABSENT");
        assert_int_equal(setenv("FILL_ZONE", "west", 1), 0);
        assert_int_equal(setenv("FILL_OTHER", "wrong", 1), 0);
        assert_int_equal(unsetenv("FILL_ABSENT"), 0);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        Place *p = *state;

        (void) unlink(p->from);
        (void) unlink(p->to);
        (void) rmdir(p->node);
        (void) rmdir(p->run);
        free(p->from);
        free(p->to);
        launch_done(&p->launch);
        free(p);
        return 0;
}

static int fill(const Place *p, const char *text, Failure *failure) {
        FILE *file = fopen(p->from, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        return files_fill(p->node, p->run, &p->launch, failure);
}

static void check(const Place *p, const char *text, const char *expected) {
        _cleanup_(failure_done) Failure failure = {};
        _cleanup_(text_free) char *written = NULL;
        size_t size;

        assert_int_equal(fill(p, text, &failure), 0);
        assert_int_equal(file_read(p->to, &written, &size), 1);
        assert_string_equal(written, expected);
}

static void write_place(const Place *p, const char *text) {
        FILE *file = fopen(p->launch.place, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void what_was_found_out_before_is_as_good_as_a_variable(void **state) {
        Place *p = *state;
        _cleanup_(failure_done) Failure bad = {}, missing = {};
        _cleanup_(text_free) char *path = text_format("%s/place", p->run);

        p->launch.place = path;
        write_place(p, "FILL_ABSENT=a=b\nFILL_ZONE=east\nFILL_UNUSED=x\n");
        check(p, "[@{variable:FILL_ABSENT}@{variable:FILL_ZONE}]", "[a=beast]");
        write_place(p, "no sign\n");
        assert_int_equal(fill(p, "x", &bad), -1);
        assert_non_null(strstr(bad.text, "does not read NAME=VALUE"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(fill(p, "x", &missing), -1);
        assert_int_equal(missing.code, LAUNCH_BAD_FILE);
        assert_non_null(strstr(missing.text, "millrace-place has to run before"));
        p->launch.place = NULL;
}

static void only_the_named_variables_are_filled_in(void **state) {
        const Place *p = *state;

        check(p, "rack=@{variable:FILL_ZONE}\n", "rack=west\n");
        check(p, "@{variable:FILL_ZONE}@{variable:FILL_ZONE}", "westwest");
        check(p, "[@{variable:FILL_ABSENT}]", "[]");
        check(p, "[@{variable:FILL_OTHER}]", "[@{variable:FILL_OTHER}]");
        check(p, "[@{variable:FILL_ZON}]", "[@{variable:FILL_ZON}]");
        check(p, "[@{label:FILL_ZONE} ${FILL_ZONE}]", "[@{label:FILL_ZONE} ${FILL_ZONE}]");
        check(p, "@{variable:FILL_ZONE", "@{variable:FILL_ZONE");
        check(p, "@{variable:@{variable:FILL_ZONE}}", "@{variable:west}");
        check(p, "", "");
}

/* A container may be started again in the same pod, and the volume is still there. */
static void a_former_copy_is_replaced_and_private(void **state) {
        const Place *p = *state;
        struct stat found;

        check(p, "@{variable:FILL_ZONE} and more", "west and more");
        assert_int_equal(setenv("FILL_ZONE", "east", 1), 0);
        check(p, "@{variable:FILL_ZONE}", "east");
        assert_int_equal(stat(p->to, &found), 0);
        assert_int_equal(found.st_mode & 07777, 0600);
}

static void a_value_cannot_add_lines(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(setenv("FILL_ZONE", "west\nsuper.users=all", 1), 0);
        assert_int_equal(fill(p, "rack=@{variable:FILL_ZONE}", &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_FILE);
        assert_non_null(strstr(failure.text, "FILL_ZONE"));
        assert_null(strstr(failure.text, "super.users"));
}

static void what_cannot_be_read_or_written_is_told(void **state) {
        Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(files_fill(p->node, p->run, &p->launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_FILE);
        assert_int_equal(fill(p, "x", &failure), 0);
        assert_int_equal(unlink(p->to), 0);
        assert_int_equal(rmdir(p->run), 0);
        assert_int_equal(fill(p, "x", &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NO_STORAGE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_found_out_before_is_as_good_as_a_variable,
                                                setup, teardown),
                cmocka_unit_test_setup_teardown(only_the_named_variables_are_filled_in, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_former_copy_is_replaced_and_private, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_value_cannot_add_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(what_cannot_be_read_or_written_is_told, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
