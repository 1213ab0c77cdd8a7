/* Storage: what is made, what is left alone, and what stops a node. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/launch.h"

typedef struct Place {
        char directory[32];
} Place;

static int setup(void **state) {
        Place *place = calloc(1, sizeof(Place));

        strncpy(place->directory, "/tmp/launch-storage-XXXXXX", sizeof(place->directory) - 1);
        assert_non_null(mkdtemp(place->directory));
        *state = place;
        return 0;
}

static int drop(const char *path, const struct stat *st _unused_, int type _unused_,
                struct FTW *ftw _unused_) {
        return remove(path);
}

static int teardown(void **state) {
        Place *place = *state;

        nftw(place->directory, drop, 8, FTW_DEPTH | FTW_PHYS);
        free(place);
        return 0;
}

static char *beneath(const Place *place, const char *name) {
        return text_format("%s/%s", place->directory, name);
}

static void put(const char *path, const char *text) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static void holds(const char *path, const char *expected) {
        _cleanup_(text_free) char *text = NULL;
        size_t size;

        assert_int_equal(file_read(path, &text, &size), 1);
        assert_string_equal(text, expected);
}

static mode_t mode_of(const char *path) {
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        return st.st_mode & 07777;
}

static void directories_and_contents_are_made_once(void **state) {
        _cleanup_(text_free) char *directory = beneath(*state, "log0");
        _cleanup_(text_free) char *id = beneath(*state, "log0/myid");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        words_add(&launch.directories, directory);
        words_add(&launch.contents, id);
        words_add(&launch.contents, "7");
        assert_int_equal(storage_make(&launch, &failure), 0);
        holds(id, "7\n");
        assert_int_equal(mode_of(directory), 0750);
        assert_int_equal(mode_of(id), 0640);

        put(id, "8\n");
        assert_int_equal(storage_make(&launch, &failure), 0);
        holds(id, "8\n");
        launch_done(&launch);
}

static void an_unmounted_disk_is_not_written_to(void **state) {
        _cleanup_(text_free) char *directory = beneath(*state, "disk/log0");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        words_add(&launch.directories, directory);
        assert_int_equal(storage_make(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NO_STORAGE);
        assert_non_null(strstr(failure.text, "is the disk mounted?"));
        launch_done(&launch);
}

static void links_are_not_followed(void **state) {
        _cleanup_(text_free) char *target = beneath(*state, "target");
        _cleanup_(text_free) char *link = beneath(*state, "myid");
        _cleanup_(text_free) char *staged = beneath(*state, "myid.new");
        _cleanup_(text_free) char *directory = beneath(*state, "linked");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        assert_int_equal(symlink(target, link), 0);
        words_add(&launch.contents, link);
        words_add(&launch.contents, "7");
        assert_int_equal(storage_make(&launch, &failure), -1);
        assert_non_null(strstr(failure.text, "no regular file"));
        assert_int_equal(access(target, F_OK), -1);

        /* A link where the file is staged is replaced, not written through. */
        assert_int_equal(unlink(link), 0);
        assert_int_equal(symlink(target, staged), 0);
        assert_int_equal(storage_make(&launch, &failure), 0);
        assert_int_equal(access(target, F_OK), -1);
        holds(link, "7\n");

        assert_int_equal(symlink("/tmp", directory), 0);
        words_add(&launch.directories, directory);
        assert_int_equal(storage_make(&launch, &failure), -1);
        assert_non_null(strstr(failure.text, "is no directory"));
        launch_done(&launch);
}

static void a_file_that_was_there_must_be_there(void **state) {
        _cleanup_(text_free) char *meta = beneath(*state, "meta.properties");
        _cleanup_(text_free) char *other = beneath(*state, "nowhere/meta.properties");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        put(meta, "x\n");
        words_add(&launch.known, meta);
        assert_int_equal(storage_check(&launch, &failure), 0);
        words_add(&launch.known, other);
        assert_int_equal(storage_check(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_STORAGE);
        assert_non_null(strstr(failure.text, "the disk of a known node is empty"));
        assert_non_null(strstr(failure.text, "nowhere/meta.properties"));
        launch_done(&launch);
}

static void a_directory_is_no_data(void **state) {
        _cleanup_(text_free) char *meta = beneath(*state, "meta.properties");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        assert_int_equal(mkdir(meta, 0700), 0);
        words_add(&launch.known, meta);
        assert_int_equal(storage_check(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_STORAGE);
        launch_done(&launch);
}

static void the_disk_of_another_node_stops_it(void **state) {
        static const char *const foreign[] = {"node.id=1\n", "xnode.id=0\n", "node.id=00\n",
                                              "node.id=0 \n", ""};
        _cleanup_(text_free) char *meta = beneath(*state, "meta.properties");
        Launch launch = {};

        words_add(&launch.expected_lines, meta);
        words_add(&launch.expected_lines, "node.id=0");
        {
                _cleanup_(failure_done) Failure failure = {};
                /* Nothing there yet: it is going to be prepared. */
                assert_int_equal(storage_check(&launch, &failure), 0);
                put(meta, "#\nversion=1\nnode.id=0");
                assert_int_equal(storage_check(&launch, &failure), 0);
                put(meta, "node.id=0\ncluster.id=x\n");
                assert_int_equal(storage_check(&launch, &failure), 0);
        }
        for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
                _cleanup_(failure_done) Failure failure = {};
                put(meta, foreign[i]);
                assert_int_equal(storage_check(&launch, &failure), -1);
                assert_int_equal(failure.code, LAUNCH_BAD_STORAGE);
                assert_non_null(strstr(failure.text, "does not say node.id=0"));
        }
        launch_done(&launch);
}

static void a_disk_that_was_added_is_prepared(void **state) {
        _cleanup_(text_free) char *meta = beneath(*state, "meta.properties");
        _cleanup_(text_free) char *other = beneath(*state, "other.properties");
        Launch launch = {.prepared = meta};

        put(meta, "x\n");
        assert_true(storage_is_prepared(&launch));
        words_add(&launch.prepared_too, other);
        assert_false(storage_is_prepared(&launch));
        put(other, "x\n");
        assert_true(storage_is_prepared(&launch));
        launch_done(&launch);
}

static void the_empty_disk_of_a_known_node_stops_it(void **state) {
        _cleanup_(text_free) char *meta = beneath(*state, "meta.properties");
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {.prepared = meta};

        assert_int_equal(storage_check(&launch, &failure), 0);
        assert_false(storage_is_prepared(&launch));
        launch.expect_prepared = "yes";
        assert_int_equal(storage_check(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_STORAGE);
        assert_non_null(strstr(failure.text, "the disk of a known node is empty"));
        put(meta, "x");
        assert_int_equal(storage_check(&launch, &failure), 0);
        assert_true(storage_is_prepared(&launch));
}

static void the_manifest_is_copied(void **state) {
        const Place *place = *state;
        _cleanup_(text_free) char *node = beneath(place, "node");
        _cleanup_(text_free) char *from = beneath(place, "node/manifest.json");
        _cleanup_(text_free) char *to = beneath(place, "manifest.json");
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(mkdir(node, 0700), 0);
        put(from, "{}");
        assert_int_equal(manifest_copy(node, place->directory, &failure), 0);
        holds(to, "{}");
        assert_int_equal(mode_of(to), 0640);

        put(from, "{\"a\":1}");
        assert_int_equal(manifest_copy(node, place->directory, &failure), 0);
        holds(to, "{\"a\":1}");

        unlink(from);
        assert_int_equal(manifest_copy(node, place->directory, &failure), 0);
        assert_int_equal(access(to, F_OK), -1);

        put(from, "{}");
        assert_int_equal(manifest_copy(node, "/nowhere", &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NO_STORAGE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(directories_and_contents_are_made_once, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(an_unmounted_disk_is_not_written_to, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file_that_was_there_must_be_there, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_directory_is_no_data, setup, teardown),
                cmocka_unit_test_setup_teardown(a_disk_that_was_added_is_prepared, setup, teardown),
                cmocka_unit_test_setup_teardown(the_disk_of_another_node_stops_it, setup, teardown),
                cmocka_unit_test_setup_teardown(the_empty_disk_of_a_known_node_stops_it, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(the_manifest_is_copied, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
