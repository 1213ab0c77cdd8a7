/* Bringing an archive and running the whole fetcher, with a shell script as java. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "host/fetch.h"
#include "sdk/str.h"
#include "sdk/tree.h"

/* The SHA-512 of "hello\n". */
#define HELLO_SUM                                                                                  \
        "e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931"                         \
        "f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629"

typedef struct Place {
        char directory[32];
        char *archive, *download, *java, *config;
        HostDistribution distribution;
        HostConfig host;
        Fetch fetch;
} Place;

static int setup(void **state) {
        Place *p = mr_new(Place, 1);

        strncpy(p->directory, "/tmp/fetch-source-XXXXXX", sizeof(p->directory) - 1);
        assert_non_null(mkdtemp(p->directory));
        p->archive = mr_strf("%s/a.tgz", p->directory);
        p->download = mr_strf("%s/download", p->directory);
        p->java = mr_strf("%s/java", p->directory);
        p->distribution =
                (HostDistribution){.software = "thing", .version = "1.0", .archive = p->archive};
        p->host = (HostConfig){.java = p->java};
        fetch_init(&p->fetch, &p->host, &p->distribution, p->directory);
        assert_int_equal(write_file_atomic(p->java, "#!/bin/sh\nexit 1\n", 17, 0755, NULL), 0);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        Place *p = *state;

        fetch_remove(p->directory);
        fetch_done(&p->fetch);
        free(p->archive);
        free(p->download);
        free(p->java);
        free(p);
        return 0;
}

static void put(const char *path, const char *text) {
        assert_int_equal(write_file_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static void pack(const char *path, const char *name) {
        struct archive *archive = archive_write_new();
        struct archive_entry *entry = archive_entry_new();

        archive_write_add_filter_gzip(archive);
        archive_write_set_format_ustar(archive);
        assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
        archive_entry_set_pathname(entry, name);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, 3);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        archive_write_data(archive, "jar", 3);
        archive_entry_free(entry);
        archive_write_free(archive);
}

static void state_is(const Place *p, const char *state, const char *message) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(read_file_capped(p->fetch.state, 10000, &text, NULL), 0);
        assert_int_equal(mr_json_read(text.data, text.size, NULL, &tree, NULL), 0);
        assert_string_equal(mr_tree_get_string(tree, "state"), state);
        if (!strstr(mr_tree_get_string(tree, "message"), message))
                fail_msg("'%s' is not in '%s'", message, mr_tree_get_string(tree, "message"));
}

static void fails(const Place *p, MrErrorKind kind, const char *expected) {
        _cleanup_error_ MrError err = {};

        (void) unlink(p->download);
        assert_true(fetch_source(&p->fetch, p->download, &err) < 0);
        assert_int_equal(err.kind, kind);
        if (!strstr(err.message, expected))
                fail_msg("'%s' is not in '%s'", expected, err.message);
}

static void a_path_is_copied_and_checked(void **state) {
        Place *p = *state;
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {};

        put(p->archive, "hello\n");
        assert_int_equal(fetch_source(&p->fetch, p->download, &err), 0);
        (void) unlink(p->download);
        p->distribution.sha512 = HELLO_SUM;
        assert_int_equal(fetch_source(&p->fetch, p->download, &err), 0);
        assert_int_equal(read_file_capped(p->download, 100, &text, NULL), 0);
        assert_string_equal(mr_buf_text(&text), "hello\n");

        put(p->archive, "hellO\n");
        fails(p, MR_INVALID, "says " HELLO_SUM);
        put(p->archive, "");
        fails(p, MR_INVALID, "the archive is empty");
        p->distribution.archive = "/tmp";
        fails(p, MR_INVALID, "no regular file");
        p->distribution.archive = "/nowhere.tgz";
        fails(p, MR_TRANSIENT, "cannot open the archive /nowhere.tgz");
}

static void a_url_is_downloaded_and_checked(void **state) {
        Place *p = *state;
        _cleanup_free_ char *url = mr_strf("file://%s", p->archive);
        _cleanup_error_ MrError err = {};

        put(p->archive, "hello\n");
        p->distribution.archive = url;
        p->distribution.sha512 = HELLO_SUM;
        assert_int_equal(fetch_source(&p->fetch, p->download, &err), 0);
        put(p->archive, "hellO\n");
        fails(p, MR_INVALID, "is not what was expected: its SHA-512 is ");

        (void) unlink(p->archive);
        fails(p, MR_TRANSIENT, "check 'archive'");
        /* Nobody listens there, and the password is not told. */
        p->distribution.archive = "http://name:secret@127.0.0.1:1/k.tgz";
        fails(p, MR_TRANSIENT, "http://127.0.0.1:1/k.tgz: ");
}

static void a_whole_run_leaves_a_distribution(void **state) {
        Place *p = *state;
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *jar = mr_strf("%s/thing-1.0/libs/a.jar", p->directory);
        _cleanup_free_ char *left = mr_strf("%s/.thing-1.0.download", p->directory);

        pack(p->archive, "thing-1.0/libs/a.jar");
        assert_int_equal(fetch_run(&p->fetch, &err), 0);
        assert_int_equal(access(jar, R_OK), 0);
        assert_int_equal(access(left, F_OK), -1);
        state_is(p, "ready", "");

        /* What is there stays, whatever the archive says now. */
        put(p->archive, "garbage");
        assert_int_equal(fetch_run(&p->fetch, &err), 0);
        state_is(p, "ready", "");
}

static void a_failed_run_leaves_its_reason(void **state) {
        Place *p = *state;
        _cleanup_error_ MrError err = {};

        pack(p->archive, "thing-1.0/bin/a.jar");
        assert_true(fetch_run(&p->fetch, &err) < 0);
        state_is(p, "failed", "holds no libs/; it is no binary release");
        assert_int_equal(access(p->fetch.directory, F_OK), -1);
        mr_error_done(&err);

        (void) unlink(p->archive);
        assert_true(fetch_run(&p->fetch, &err) < 0);
        state_is(p, "failed", "cannot open the archive");
        mr_error_done(&err);

        p->distribution.directory = "/nowhere";
        fetch_done(&p->fetch);
        fetch_init(&p->fetch, &p->host, &p->distribution, p->directory);
        assert_true(fetch_run(&p->fetch, &err) < 0);
        state_is(p, "failed", "/nowhere holds no libs/");
}

static void without_a_class_data_archive_it_is_ready_all_the_same(void **state) {
        Place *p = *state;
        _cleanup_error_ MrError err = {};

        p->distribution.software = "kafka";
        fetch_done(&p->fetch);
        fetch_init(&p->fetch, &p->host, &p->distribution, p->directory);
        pack(p->archive, "kafka-1.0/libs/a.jar");
        assert_int_equal(fetch_run(&p->fetch, &err), 0);
        state_is(p, "ready",
                 "no class-data archive, nodes start slower: format ended with exit code 1");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                T(a_path_is_copied_and_checked),
                T(a_url_is_downloaded_and_checked),
                T(a_whole_run_leaves_a_distribution),
                T(a_failed_run_leaves_its_reason),
                T(without_a_class_data_archive_it_is_ready_all_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
