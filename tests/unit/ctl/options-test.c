/* Options of the verbs. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/options.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define ARGUMENTS_MAX 16

/* Splits a line at blanks and reads it. */
static int read_line(const char *allowed, const char *line, char *memory, char *argv[],
                     Options *ret, MrError *err) {
        int argc = 0;

        memcpy(memory, line, strlen(line) + 1);
        for (char *word = strtok(memory, " "); word; word = strtok(NULL, " "))
                argv[argc++] = word;
        argv[argc] = NULL;
        return options_read(allowed, argc, argv, ret, err);
}

static void options_and_arguments_may_be_mixed(void **state _unused_) {
        char memory[256], *argv[ARGUMENTS_MAX];
        Options options;

        assert_int_equal(read_line("fnAow", "get kafka -n team -w a --output=wide -f x -f y",
                                   memory, argv, &options, NULL),
                         0);
        assert_string_equal(options.ns, "team");
        assert_string_equal(options.output, "wide");
        assert_true(options.watch);
        assert_false(options.all_namespaces);
        assert_int_equal(options.n_files, 2);
        assert_string_equal(options.files[1], "y");
        assert_int_equal(options.n_arguments, 2);
        assert_string_equal(options.arguments[0], "kafka");
        assert_string_equal(options.arguments[1], "a");
        options_done(&options);
}

static void a_letter_means_what_the_verb_says(void **state _unused_) {
        char memory[256], *argv[ARGUMENTS_MAX];
        Options options;

        assert_int_equal(read_line("nFNs", "logs -f node --lines 5", memory, argv, &options, NULL),
                         0);
        assert_true(options.follow);
        assert_int_equal(options.n_files, 0);
        assert_string_equal(options.lines, "5");
        assert_string_equal(options.arguments[0], "node");
        options_done(&options);
}

static void what_a_verb_does_not_take_is_refused(void **state _unused_) {
        static const char *const lines[][2] = {
                {"get -x", "get has no option -x"},
                {"get --reason y", "get has no option --reason"},
                {"get -n", "option -n needs a value"},
                {"get --namespace", "option --namespace needs a value"},
                {"get --timeout", "get has no option --timeout"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(lines); i++) {
                char memory[256], *argv[ARGUMENTS_MAX];
                Options options;
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                assert_int_equal(read_line("nAow", lines[i][0], memory, argv, &options, &err),
                                 -EINVAL);
                assert_string_equal(err.message, lines[i][1]);
                options_done(&options);
        }
}

static void help_is_taken_by_every_verb(void **state _unused_) {
        char memory[256], *argv[ARGUMENTS_MAX];
        Options options;

        assert_int_equal(read_line("", "version --help", memory, argv, &options, NULL), 0);
        assert_true(options.help);
        assert_int_equal(read_line("fn", "apply -h", memory, argv, &options, NULL), 0);
        assert_true(options.help);
}

static void durations_are_read(void **state _unused_) {
        static const struct {
                const char *text;
                int64_t seconds;
        } good[] = {{"90", 90}, {"30s", 30}, {"5m", 300}, {"1h30m", 5400}, {"1d", 86400}, {"0", 0}};
        static const char *const bad[] = {"x", "5x", "m", "-1", "1h5", "99999999999s"};
        int64_t seconds;

        for (size_t i = 0; i < MR_ELEMENTS(good); i++) {
                assert_int_equal(options_duration(good[i].text, &seconds), 0);
                assert_int_equal(seconds, good[i].seconds);
        }
        for (size_t i = 0; i < MR_ELEMENTS(bad); i++)
                assert_int_equal(options_duration(bad[i], &seconds), -EINVAL);
}

static void every_option_has_its_own_id(void **state _unused_) {
        for (const Option *a = ctl_options; a->id; a++)
                for (const Option *b = a + 1; b->id; b++)
                        assert_int_not_equal(a->id, b->id);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_and_arguments_may_be_mixed),
                cmocka_unit_test(a_letter_means_what_the_verb_says),
                cmocka_unit_test(what_a_verb_does_not_take_is_refused),
                cmocka_unit_test(help_is_taken_by_every_verb),
                cmocka_unit_test(durations_are_read),
                cmocka_unit_test(every_option_has_its_own_id),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
