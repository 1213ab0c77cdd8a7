/* Tarballs, good and hostile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "host/fetch.h"
#include "sdk/str.h"

typedef struct Place {
        char directory[32];
        char *archive, *target;
} Place;

typedef struct Entry {
        const char *name;
        const char *text; /* NULL: a directory */
        const char *link; /* NULL: none */
        mode_t mode;
        bool is_hard;
} Entry;

static int setup(void **state) {
        Place *p = mr_new(Place, 1);

        strncpy(p->directory, "/tmp/fetch-unpack-XXXXXX", sizeof(p->directory) - 1);
        assert_non_null(mkdtemp(p->directory));
        p->archive = mr_strf("%s/a.tgz", p->directory);
        p->target = mr_strf("%s/target", p->directory);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        Place *p = *state;

        fetch_remove(p->directory);
        free(p->archive);
        free(p->target);
        free(p);
        return 0;
}

static void pack(const Place *p, const Entry *entries) {
        struct archive *archive = archive_write_new();

        archive_write_add_filter_gzip(archive);
        archive_write_set_format_pax_restricted(archive);
        assert_int_equal(archive_write_open_filename(archive, p->archive), ARCHIVE_OK);
        for (const Entry *e = entries; e->name; e++) {
                struct archive_entry *entry = archive_entry_new();
                size_t size = e->text ? strlen(e->text) : 0;

                archive_entry_set_pathname(entry, e->name);
                archive_entry_set_perm(entry, e->mode ? e->mode : 0644);
                archive_entry_set_filetype(entry, e->text ? AE_IFREG : AE_IFDIR);
                archive_entry_set_size(entry, (la_int64_t) size);
                if (e->link && e->is_hard)
                        archive_entry_set_hardlink(entry, e->link);
                else if (e->link) {
                        archive_entry_set_filetype(entry, AE_IFLNK);
                        archive_entry_set_symlink(entry, e->link);
                }
                assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
                if (size > 0)
                        archive_write_data(archive, e->text, size);
                archive_entry_free(entry);
        }
        archive_write_free(archive);
}

static void holds(const Place *p, const char *name, const char *expected, mode_t mode) {
        _cleanup_free_ char *path = mr_strf("%s/%s", p->target, name);
        _cleanup_buf_ MrBuf text = {};
        struct stat st;

        assert_int_equal(read_file_capped(path, 1000, &text, NULL), 0);
        assert_string_equal(mr_buf_text(&text), expected);
        assert_int_equal(lstat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static void a_release_loses_its_leading_directory(void **state) {
        const Place *p = *state;
        _cleanup_error_ MrError err = {};
        Entry entries[] = {
                {.name = "kafka_2.13-3.9.1/", .mode = 0755},
                {.name = "kafka_2.13-3.9.1/libs/", .mode = 0700},
                {.name = "kafka_2.13-3.9.1/libs/a.jar", .text = "jar", .mode = 0600},
                {.name = "kafka_2.13-3.9.1/bin/deep/run.sh", .text = "#!", .mode = 04777},
                {},
        };

        pack(p, entries);
        assert_int_equal(fetch_unpack(p->archive, p->target, &err), 0);
        holds(p, "libs/a.jar", "jar", 0644);
        holds(p, "bin/deep/run.sh", "#!", 0755);
}

static void a_tarball_without_leading_directory_works_too(void **state) {
        const Place *p = *state;
        _cleanup_error_ MrError err = {};
        Entry entries[] = {
                {.name = "./", .mode = 0755},
                {.name = "./libs/", .mode = 0755},
                {.name = "./libs/a.jar", .text = "jar"},
                {},
        };

        pack(p, entries);
        assert_int_equal(fetch_unpack(p->archive, p->target, &err), 0);
        holds(p, "libs/a.jar", "jar", 0644);
}

static void refused(const Place *p, const Entry *entries, const char *expected) {
        _cleanup_error_ MrError err = {};

        fetch_remove(p->target);
        pack(p, entries);
        assert_true(fetch_unpack(p->archive, p->target, &err) < 0);
        assert_int_equal(err.kind, MR_INVALID);
        if (!strstr(err.message, expected))
                fail_msg("'%s' is not in '%s'", expected, err.message);
}

static void hostile_names_and_links_are_refused(void **state) {
        const Place *p = *state;
        _cleanup_free_ char *outside = mr_strf("%s/evil", p->directory);
        Entry entries[][3] = {
                {{.name = "../evil", .text = "x"}},
                {{.name = "k/../../evil", .text = "x"}},
                {{.name = "k/libs/..", .text = "x"}},
                {{.name = "/tmp/fetch-unpack-evil", .text = "x"}},
                {{.name = "k/link", .text = "", .link = "/etc"}},
                {{.name = "k/a", .text = "x"},
                 {.name = "k/b", .text = "", .link = "/etc/passwd", .is_hard = true}},
        };

        for (size_t i = 0; i < 4; i++)
                refused(p, entries[i], "wants to write outside of its directory");
        refused(p, entries[4], "neither a file nor a directory");
        refused(p, entries[5], "neither a file nor a directory");
        assert_int_equal(access(outside, F_OK), -1);
        assert_int_equal(access("/tmp/fetch-unpack-evil", F_OK), -1);
}

static void a_file_cannot_be_replaced_by_a_later_one(void **state) {
        const Place *p = *state;
        _cleanup_error_ MrError err = {};
        Entry entries[] = {{.name = "k/a", .text = "x"}, {.name = "k/a", .text = "y"}, {}};

        pack(p, entries);
        assert_true(fetch_unpack(p->archive, p->target, &err) < 0);
}

static void damage_is_noticed(void **state) {
        const Place *p = *state;
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {};
        Entry entries[] = {{.name = "k/libs/a.jar", .text = NULL}, {}};

        for (int i = 0; i < 50000; i++)
                mr_buf_printf(&text, "%d %d\n", i, i * 7919 % 104729);
        entries[0].text = text.data;
        pack(p, entries);
        assert_int_equal(truncate(p->archive, 5000), 0);
        assert_true(fetch_unpack(p->archive, p->target, &err) < 0);
        assert_non_null(strstr(err.message, "damaged or no tarball"));
        mr_error_done(&err);

        fetch_remove(p->target);
        assert_int_equal(write_file_atomic(p->archive, "hello\n", 6, 0600, NULL), 0);
        assert_true(fetch_unpack(p->archive, p->target, &err) < 0);
        assert_non_null(strstr(err.message, "damaged or no tarball"));
        mr_error_done(&err);

        fetch_remove(p->target);
        assert_true(fetch_unpack("/nowhere", p->target, &err) < 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                T(a_release_loses_its_leading_directory),
                T(a_tarball_without_leading_directory_works_too),
                T(hostile_names_and_links_are_refused),
                T(a_file_cannot_be_replaced_by_a_later_one),
                T(damage_is_noticed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
