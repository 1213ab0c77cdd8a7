#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

/* Standard error goes into a memory file for the time of one test. */
static int saved = -1, memory = -1;
static char captured[8192];

static int capture(void **state) {
        (void) state;
        saved = dup(STDERR_FILENO);
        memory = memfd_create("log", MFD_CLOEXEC);
        return dup2(memory, STDERR_FILENO) < 0 ? -1 : 0;
}

static int release(void **state) {
        (void) state;
        log_set_level(LOG_INFO);
        dup2(saved, STDERR_FILENO);
        close(saved);
        return close(memory);
}

static const char *output(void) {
        ssize_t n = pread(memory, captured, sizeof(captured) - 1, 0);

        captured[n < 0 ? 0 : n] = '\0';
        return captured;
}

static void before_opening_entries_are_text(void **state) {
        const LogScope scope = {.kind = "Kafka", .ns = "default", .name = "my-cluster"};

        (void) state;
        log_info(NULL, NULL, "Started %d.", 3);
        log_warning(&scope, NULL, "bell \a and escape \033[2J");
        assert_string_equal(output(),
                            "Started 3.\nwarning: Kafka/my-cluster: bell ? and escape ?[2J\n");
}

static void an_entry_is_one_json_object_with_journal_field_names(void **state) {
        const LogScope scope = {
                .kind = "Kafka", .ns = "n", .name = "c", .station = "apply", .node = "c-kafka-0"};

        (void) state;
        log_open("unit");
        log_fields(LOG_NOTICE, &scope, "0123456789abcdef0123456789abcdef",
                   LOG_FIELDS({"MILLRACE_ACTION", "restart"}, {"MILLRACE_ABSENT", NULL}),
                   "a \"quoted\"\nline \xff end");

        const char *s = output();
        assert_non_null(strstr(s, "\"MESSAGE\": \"a \\\"quoted\\\"\\u000aline \\ufffd end\""));
        assert_non_null(strstr(s, "\"PRIORITY\": \"5\""));
        assert_non_null(strstr(s, "\"SYSLOG_IDENTIFIER\": \"unit\""));
        assert_non_null(strstr(s, "\"MESSAGE_ID\": \"0123456789abcdef0123456789abcdef\""));
        assert_non_null(strstr(s, "\"MILLRACE_NAMESPACE\": \"n\""));
        assert_non_null(strstr(s, "\"MILLRACE_STATION\": \"apply\""));
        assert_non_null(strstr(s, "\"MILLRACE_NODE\": \"c-kafka-0\""));
        assert_non_null(strstr(s, "\"MILLRACE_ACTION\": \"restart\""));
        assert_null(strstr(s, "MILLRACE_ABSENT"));
        assert_non_null(strstr(s, "\"CODE_FUNC\""));
        assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
}

static void a_journal_stream_of_another_file_is_not_believed(void **state) {
        (void) state;
        setenv("JOURNAL_STREAM", "1:1", 1);
        log_open("unit");
        unsetenv("JOURNAL_STREAM");
        log_info(NULL, NULL, "here");
        assert_non_null(strstr(output(), "\"MESSAGE\": \"here\""));
}

static void less_important_entries_are_dropped(void **state) {
        (void) state;
        log_debug(NULL, NULL, "hidden");
        assert_string_equal(output(), "");
        log_set_level(LOG_DEBUG);
        assert_int_equal(log_level(), LOG_DEBUG);
        log_debug(NULL, NULL, "shown");
        assert_non_null(strstr(output(), "shown"));
}

static void errno_survives(void **state) {
        (void) state;
        errno = ENOSPC;
        log_error(NULL, NULL, "failed");
        assert_int_equal(errno, ENOSPC);
}

static void levels_have_names(void **state) {
        (void) state;
        assert_int_equal(log_level_from_name("warning"), LOG_WARNING);
        assert_int_equal(log_level_from_name("error"), LOG_ERR);
        assert_int_equal(log_level_from_name("loud"), -EINVAL);
        assert_int_equal(log_level_from_name(NULL), -EINVAL);
        assert_string_equal(log_level_name(LOG_NOTICE), "notice");
        assert_string_equal(log_level_name(LOG_EMERG), "error");
}

static void clocks_advance(void **state) {
        uint64_t before = now_usec();

        (void) state;
        usleep(2000);
        assert_true(now_usec() >= before + 2000);
        assert_true(now_realtime_sec() > 1600000000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(before_opening_entries_are_text, capture, release),
                cmocka_unit_test_setup_teardown(
                        an_entry_is_one_json_object_with_journal_field_names, capture, release),
                cmocka_unit_test_setup_teardown(a_journal_stream_of_another_file_is_not_believed,
                                                capture, release),
                cmocka_unit_test_setup_teardown(less_important_entries_are_dropped, capture,
                                                release),
                cmocka_unit_test_setup_teardown(errno_survives, capture, release),
                cmocka_unit_test(levels_have_names),
                cmocka_unit_test(clocks_advance),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
