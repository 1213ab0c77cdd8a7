#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "alloc.h"
#include "crypto/seal.h"
#include "ctl/backup.h"
#include "io/filter.h"
#include "str.h"

#define PASSPHRASE "correct horse"

static void fill(Backup *backup) {
        mr_buf_append(backup_add(backup, "state.db"), "a\0b", 3);
        mr_buf_puts(backup_add(backup, "resources/my-cluster.yaml"), "kind: Kafka\n");
        (void) backup_add(backup, "hostd.yaml");
}

static void what_is_sealed_is_read_again(void **state _unused_) {
        _cleanup_(backup_done) Backup before = {}, after = {};
        _cleanup_buf_ MrBuf file = {};
        _cleanup_free_ char *host = NULL;
        bool is_needed = false;

        fill(&before);
        assert_int_equal(backup_write(&before, PASSPHRASE, &file, NULL), 0);
        assert_true(mr_starts_with(mr_buf_text(&file), "millrace-backup 1\n{"));
        assert_null(memmem(file.data, file.size, "Kafka", 5));
        assert_int_equal(backup_needs_passphrase(&file, &is_needed, &host, NULL), 0);
        assert_true(is_needed);
        assert_true(strlen(host) > 0);

        assert_int_equal(backup_read(&file, PASSPHRASE, &after, NULL), 0);
        assert_int_equal(after.n, 3);
        assert_int_equal(backup_find(&after, "state.db")->content.size, 3);
        assert_memory_equal(backup_find(&after, "state.db")->content.data, "a\0b", 3);
        assert_string_equal(mr_buf_text(&backup_find(&after, "resources/my-cluster.yaml")->content),
                            "kind: Kafka\n");
        assert_int_equal(backup_find(&after, "hostd.yaml")->content.size, 0);
        assert_null(backup_find(&after, "other"));
}

static void no_two_are_alike(void **state _unused_) {
        _cleanup_(backup_done) Backup backup = {};
        _cleanup_buf_ MrBuf first = {}, second = {};

        fill(&backup);
        assert_int_equal(backup_write(&backup, PASSPHRASE, &first, NULL), 0);
        assert_int_equal(backup_write(&backup, PASSPHRASE, &second, NULL), 0);
        assert_memory_not_equal(first.data + first.size - 32, second.data + second.size - 32, 32);
}

static void refuses(const MrBuf *file, const char *passphrase, const char *why) {
        _cleanup_(backup_done) Backup after = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_true(backup_read(file, passphrase, &after, &err) < 0);
        assert_int_equal(after.n, 0);
        if (!strstr(err.message, why))
                fail_msg("'%s' is not in: %s", why, err.message);
}

static void what_was_touched_is_refused(void **state _unused_) {
        _cleanup_(backup_done) Backup backup = {};
        _cleanup_buf_ MrBuf file = {};

        fill(&backup);
        assert_int_equal(backup_write(&backup, PASSPHRASE, &file, NULL), 0);
        refuses(&file, "another one", "passphrase is another one");
        const size_t head = (size_t) (strchr(file.data, '{') - file.data),
                     places[] = {file.size - 1, file.size - 20, file.size / 2 + 60};
        for (size_t i = 0; i < MR_ELEMENTS(places); i++) {
                file.data[places[i]] ^= 1;
                refuses(&file, PASSPHRASE, "the file was changed");
                file.data[places[i]] ^= 1;
        }
        /* The head is not hidden, and counts all the same. */
        char *created = strstr(file.data, "\"created\":") + strlen("\"created\":");
        *created = *created == '1' ? '2' : '1';
        refuses(&file, PASSPHRASE, "the file was changed");
        file.data[head] = '[';
        refuses(&file, PASSPHRASE, "no backup that this version");
        file.data[0] = 'M';
        refuses(&file, PASSPHRASE, "no backup that this version");
        file.size = 5;
        refuses(&file, PASSPHRASE, "no backup that this version");
}

static void a_cut_file_is_refused(void **state _unused_) {
        _cleanup_(backup_done) Backup backup = {};
        _cleanup_buf_ MrBuf file = {};

        fill(&backup);
        assert_int_equal(backup_write(&backup, PASSPHRASE, &file, NULL), 0);
        size_t head = (size_t) (strchr(file.data + 18, '\n') + 1 - file.data);
        file.size -= 1;
        refuses(&file, PASSPHRASE, "the file was changed");
        file.size = head + 3;
        refuses(&file, PASSPHRASE, "cut off");
}

static void a_filter_says_what_went_wrong(void **state _unused_) {
        char shell[] = "sh", option[] = "-c", good[] = "tr a-z A-Z", bad[] = "echo no >&2; exit 3";
        char none[] = "/nonexistent/program";
        char *works[] = {shell, option, good, NULL}, *fails[] = {shell, option, bad, NULL};
        char *missing[] = {none, NULL};
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = MR_ERROR_INIT, other = MR_ERROR_INIT;

        assert_int_equal(filter_run(works, "text", 4, &out, NULL), 0);
        assert_string_equal(mr_buf_text(&out), "TEXT");
        assert_true(filter_run(fails, NULL, 0, &out, &err) < 0);
        assert_non_null(strstr(err.message, "sh failed: no"));
        assert_int_equal(filter_run(missing, NULL, 0, &out, &other), -ENOENT);
        assert_non_null(strstr(other.message, "/nonexistent/program"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_sealed_is_read_again),
                cmocka_unit_test(no_two_are_alike),
                cmocka_unit_test(what_was_touched_is_refused),
                cmocka_unit_test(a_cut_file_is_refused),
                cmocka_unit_test(a_filter_says_what_went_wrong),
        };

        return cmocka_run_group_tests_name("ctl/backup", tests, NULL, NULL);
}
