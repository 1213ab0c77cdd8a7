/* The launch description: what is understood, and what is refused with its line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/launch.h"

#define BASICS "java /usr/bin/java\nlibs /opt/k/libs\nclass kafka.Kafka\n"

static int parse(const char *text, Launch *launch, Failure *failure) {
        return launch_parse(strdup(text), strlen(text), "/n/launch", launch, failure);
}

static void refused(const char *text, const char *expected) {
        _cleanup_(launch_done) Launch launch = {};
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(parse(text, &launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_FILE);
        if (!strstr(failure.text, expected))
                fail_msg("'%s' is not in '%s'", expected, failure.text);
        assert_non_null(strstr(failure.text, "the daemon writes this file"));
}

static void a_whole_description_is_read(void **state _unused_) {
        _cleanup_(launch_done) Launch l = {};
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(
                parse(BASICS
                      "fingerprint 3f2a\narchive /a.jsa\ndirectory /d/log0\ndirectory /d/log1\n"
                      "content /d/myid 1\ncontent /d/empty \nprepared /d/log0/meta.properties\n"
                      "expect-prepared yes\nprepare-class kafka.tools.StorageTool\n"
                      "prepare-argument format\nprepare-argument --x y z\noption -Xmx512m\n"
                      "argument /etc/s.properties\n\nready 9091\nready 65535\n",
                      &l, &failure),
                0);
        assert_string_equal(l.fingerprint, "3f2a");
        assert_string_equal(l.java, "/usr/bin/java");
        assert_string_equal(l.main_class, "kafka.Kafka");
        assert_int_equal(l.directories.n, 2);
        assert_string_equal(l.directories.items[1], "/d/log1");
        assert_int_equal(l.contents.n, 4);
        assert_string_equal(l.contents.items[0], "/d/myid");
        assert_string_equal(l.contents.items[1], "1");
        assert_string_equal(l.contents.items[3], "");
        assert_non_null(l.expect_prepared);
        assert_string_equal(l.prepare_arguments.items[1], "--x y z");
        assert_null(l.prepare_arguments.items[2]);
        assert_int_equal(l.ready.n, 2);
        assert_string_equal(l.ready.items[1], "65535");
}

static void wrong_lines_are_named(void **state _unused_) {
        refused(BASICS "colour blue\n", "/n/launch:4: colour: unknown key");
        refused("java\n", "/n/launch:1: java: a key and a value are needed");
        refused(BASICS "class other.Main\n", "/n/launch:4: class: given twice");
        refused(BASICS "ready 0\n", ":4: ready: a port is a number");
        refused(BASICS "ready 65536\n", ":4: ready: a port is a number");
        refused(BASICS "ready +90\n", ":4: ready: a port is a number");
        refused(BASICS "ready 90x\n", ":4: ready: a port is a number");
        refused(BASICS "ready 99999999999999999999\n", ":4: ready: a port is a number");
        refused(BASICS "content /x\n", ":4: content: a path and a text");
        refused(BASICS "content x y\n", ":4: content: the path is not absolute");
        refused(BASICS "directory data\n", ":4: directory: the path is not absolute");
        refused(BASICS "directory /data/../etc\n",
                ":4: directory: the path is not absolute, or contains '..'");
        refused(BASICS "archive /data/..\n",
                ":4: archive: the path is not absolute, or contains '..'");
        refused(BASICS "expect-prepared no\n", ":4: expect-prepared: only 'yes'");
}

static void what_is_needed_must_be_there(void **state _unused_) {
        refused("", "'java' is missing");
        refused("java /j\nclass k\n", "'libs' is missing");
        refused("java /j\nlibs /l\n", "'class' is missing");
        refused(BASICS "prepare-class a.B\n", "'prepare-class' needs 'prepared'");
        refused(BASICS "expect-prepared yes\n", "'expect-prepared' needs 'prepared'");
}

static void a_binary_file_is_refused(void **state _unused_) {
        _cleanup_(launch_done) Launch launch = {};
        _cleanup_(failure_done) Failure failure = {};
        char *text = calloc(1, 10);

        memcpy(text, "ja\0va /x", 8);
        assert_int_equal(launch_parse(text, 8, "/n/launch", &launch, &failure), -1);
        assert_non_null(strstr(failure.text, "binary"));
}

static void a_long_unknown_key_does_not_flood_the_journal(void **state _unused_) {
        _cleanup_(launch_done) Launch launch = {};
        _cleanup_(failure_done) Failure failure = {};
        char *text = calloc(1, 100001);

        memset(text, 'k', 100000);
        assert_int_equal(launch_parse(text, 100000, "/n/launch", &launch, &failure), -1);
        assert_true(strlen(failure.text) < 300);
}

static void files_are_read_up_to_one_mebibyte(void **state _unused_) {
        char directory[] = "/tmp/launch-file-XXXXXX";
        _cleanup_(launch_done) Launch launch = {};
        _cleanup_(failure_done) Failure failure = {};

        assert_non_null(mkdtemp(directory));
        assert_int_equal(launch_read(directory, &launch, &failure), -1);
        assert_non_null(strstr(failure.text, "/launch: No such file"));

        _cleanup_(text_free) char *path = text_format("%s/launch", directory);
        FILE *file = fopen(path, "w");
        fputs(BASICS, file);
        fclose(file);
        assert_int_equal(launch_read(directory, &launch, &failure), 0);
        assert_int_equal(launch.known.n, 0);
        launch_done(&launch);

        assert_int_equal(truncate(path, LAUNCH_FILE_MAX + 1), 0);
        assert_int_equal(launch_read(directory, &launch, &failure), -1);
        assert_non_null(strstr(failure.text, "File too large"));
        unlink(path);
        rmdir(directory);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_whole_description_is_read),
                cmocka_unit_test(wrong_lines_are_named),
                cmocka_unit_test(what_is_needed_must_be_there),
                cmocka_unit_test(a_binary_file_is_refused),
                cmocka_unit_test(a_long_unknown_key_does_not_flood_the_journal),
                cmocka_unit_test(files_are_read_up_to_one_mebibyte),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
