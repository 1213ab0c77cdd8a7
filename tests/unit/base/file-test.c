#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "sdk/alloc.h"

typedef struct Fixture {
        char directory[32];
        char *path;
} Fixture;

static int make_fixture(void **state) {
        Fixture *f = mr_new(Fixture, 1);

        *f = (Fixture){.directory = "/tmp/file-test-XXXXXX"};
        assert_non_null(mkdtemp(f->directory));
        f->path = mr_strf("%s/a", f->directory);
        *state = f;
        return 0;
}

static int free_fixture(void **state) {
        Fixture *f = *state;

        unlink(f->path);
        assert_int_equal(rmdir(f->directory), 0);
        free(f->path);
        free(f);
        return 0;
}

static void what_was_written_is_read(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf text = {};
        struct stat st;

        assert_int_equal(write_file_atomic(f->path, "first", 5, 0600, NULL), 0);
        assert_int_equal(write_file_atomic(f->path, "second", 6, 0640, NULL), 0);
        assert_int_equal(read_file_capped(f->path, 6, &text, NULL), 0);
        assert_string_equal(mr_buf_text(&text), "second");
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_failed_write_leaves_nothing_behind(void **state) {
        Fixture *f = *state;
        _cleanup_error_ MrError err = {};

        assert_int_equal(mkdir(f->path, 0700), 0);
        assert_int_equal(write_file_atomic(f->path, "x", 1, 0600, &err), -EISDIR);
        assert_non_null(strstr(err.message, "cannot write"));
        assert_int_equal(rmdir(f->path), 0);
        assert_int_equal(write_file_atomic("/nonexistent/x", "x", 1, 0600, NULL), -ENOENT);
}

static void too_much_is_refused(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf text = {};
        _cleanup_error_ MrError err = {};

        assert_int_equal(write_file_atomic(f->path, "12345", 5, 0600, NULL), 0);
        assert_int_equal(read_file_capped(f->path, 4, &text, &err), -EINVAL);
        assert_non_null(strstr(err.message, "larger than 4 bytes"));
        assert_true(read_file_capped("/proc/self/maps", 10, &text, NULL) < 0);
}

static void what_is_no_regular_file_is_refused(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(mkfifo(f->path, 0600), 0);
        assert_int_equal(read_file_capped(f->path, 4, &text, NULL), -EINVAL);
        assert_int_equal(read_file_capped(f->directory, 4, &text, NULL), -EINVAL);
        assert_int_equal(unlink(f->path), 0);
        assert_int_equal(read_file_capped(f->path, 4, &text, NULL), -ENOENT);
}

static void files_without_a_size_are_read(void **state) {
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        assert_int_equal(read_file_capped("/proc/self/stat", 65536, &text, NULL), 0);
        assert_true(text.size > 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_written_is_read, make_fixture,
                                                free_fixture),
                cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing_behind, make_fixture,
                                                free_fixture),
                cmocka_unit_test_setup_teardown(too_much_is_refused, make_fixture, free_fixture),
                cmocka_unit_test_setup_teardown(what_is_no_regular_file_is_refused, make_fixture,
                                                free_fixture),
                cmocka_unit_test(files_without_a_size_are_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
