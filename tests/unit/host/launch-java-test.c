/* Command lines, the checks before java, and the short run that prepares storage. A shell script
 * plays java. */

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
        char *java, *libs, *jar, *release, *meta, *out;
} Place;

static void put(const char *path, const char *text, mode_t mode) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
        assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state) {
        Place *p = calloc(1, sizeof(Place));
        _cleanup_(text_free) char *bin = NULL;

        strncpy(p->directory, "/tmp/launch-java-XXXXXX", sizeof(p->directory) - 1);
        assert_non_null(mkdtemp(p->directory));
        bin = text_format("%s/bin", p->directory);
        p->java = text_format("%s/bin/java", p->directory);
        p->libs = text_format("%s/libs", p->directory);
        p->jar = text_format("%s/libs/a.jar", p->directory);
        p->release = text_format("%s/release", p->directory);
        p->meta = text_format("%s/meta.properties", p->directory);
        p->out = text_format("%s/out", p->directory);
        assert_int_equal(mkdir(bin, 0700), 0);
        assert_int_equal(mkdir(p->libs, 0700), 0);
        put(p->java, "#!/bin/sh\nexit 0\n", 0755);
        put(p->jar, "", 0644);
        *state = p;
        return 0;
}

static int drop(const char *path, const struct stat *st _unused_, int type _unused_,
                struct FTW *ftw _unused_) {
        return remove(path);
}

static int teardown(void **state) {
        Place *p = *state;

        nftw(p->directory, drop, 8, FTW_DEPTH | FTW_PHYS);
        free(p->java);
        free(p->libs);
        free(p->jar);
        free(p->release);
        free(p->meta);
        free(p->out);
        free(p);
        return 0;
}

static Launch launch_of(const Place *p) {
        return (Launch){.java = p->java,
                        .libs = p->libs,
                        .main_class = "a.Main",
                        .prepare_class = "a.Tool",
                        .prepared = p->meta};
}

static void joined(const Words *words, const char *expected) {
        _cleanup_(text_free) char *all = text_format("%s", "");

        for (size_t i = 0; i < words->n; i++) {
                char *longer = text_format("%s%s%s", all, i ? " " : "", words->items[i]);

                free(all);
                all = longer;
        }
        assert_string_equal(all, expected);
}

static void command_is(void (*make)(const Launch *, Words *, Words *), const Launch *launch,
                       const char *expected) {
        Words command = {}, owned = {};

        make(launch, &command, &owned);
        joined(&command, expected);
        assert_null(command.items[command.n]);
        for (size_t i = 0; i < owned.n; i++)
                free((void *) (uintptr_t) owned.items[i]);
        words_done(&owned);
        words_done(&command);
}

static void command_lines_are_in_order(void **state) {
        const Place *p = *state;
        Launch launch = {
                .java = p->java, .libs = "/l", .main_class = "a.Main", .prepare_class = "a.Tool"};

        words_add(&launch.options, "-Xmx1g");
        words_add(&launch.options, "-Dx=y z");
        words_add(&launch.arguments, "s.properties");
        words_add(&launch.prepare_arguments, "format");
        command_is(java_command, &launch, "java -Xmx1g -Dx=y z -cp /l/* a.Main s.properties");

        /* An archive counts only while it exists. */
        launch.archive = "/nowhere.jsa";
        command_is(java_command, &launch, "java -Xmx1g -Dx=y z -cp /l/* a.Main s.properties");
        launch.archive = "/etc/passwd";
        command_is(java_command, &launch,
                   "java -XX:SharedArchiveFile=/etc/passwd -Xshare:auto -Xmx1g -Dx=y z -cp /l/* "
                   "a.Main s.properties");
        launch.archive = NULL;
        words_add(&launch.options, "-Dcom.sun.management.jmxremote.port=9999");
        command_is(java_command, &launch,
                   "java -Xmx1g -Dx=y z -Dcom.sun.management.jmxremote.port=9999 -cp /l/* "
                   "a.Main s.properties");
        command_is(java_prepare_command, &launch,
                   "java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dx=y z -cp /l/* a.Tool "
                   "format");
        launch_done(&launch);
}

static void extras_are_libraries_but_no_agents(void **state _unused_) {
        static const char *const names[] = {"b.jar", "a.jar", "jmx_prometheus_javaagent-1.0.1.jar",
                                            "notes.txt", "c:d.jar"};
        char folder[] = "/tmp/launch-extras-XXXXXX";
        Launch launch = {.libs = "/l", .main_class = "a.Main"};

        assert_non_null(mkdtemp(folder));
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                _cleanup_(text_free) char *path = text_format("%s/%s", folder, names[i]);
                FILE *file = fopen(path, "we");
                assert_non_null(file);
                fclose(file);
        }
        launch.extras = folder;
        _cleanup_(text_free) char *wanted =
                text_format("java -cp /l/*:%s/a.jar:%s/b.jar a.Main", folder, folder);
        command_is(java_command, &launch, wanted);
        launch.extras = "/nowhere";
        command_is(java_command, &launch, "java -cp /l/* a.Main");
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                _cleanup_(text_free) char *path = text_format("%s/%s", folder, names[i]);
                assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(rmdir(folder), 0);
}

static void check_fails(const Launch *launch, const char *expected) {
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(java_check(launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NO_SOFTWARE);
        if (!strstr(failure.text, expected))
                fail_msg("'%s' is not in '%s'", expected, failure.text);
}

static void a_missing_or_wrong_java_is_named(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = launch_of(p);

        assert_int_equal(java_check(&launch, &failure), 0);
        put(p->release, "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\n", 0644);
        assert_int_equal(java_check(&launch, &failure), 0);
        put(p->release, "JAVA_VERSION=\"11.0.2\"\n", 0644);
        check_fails(&launch, "is java 11, and 17 is needed; install a Java 17 runtime");
        put(p->release, "JAVA_VERSION=\"1.8.0_312\"\n", 0644);
        check_fails(&launch, "17 is needed");

        launch.java = "/nowhere/java";
        check_fails(&launch, "java not found at /nowhere/java; install a Java 17 runtime or set "
                             "'java' in /etc/millrace/hostd.yaml");
        launch.java = p->libs;
        check_fails(&launch, "is no program that can be run");
        launch.java = p->jar;
        check_fails(&launch, "is no program that can be run");
}

static void java_may_be_elsewhere(void **state) {
        const Place *p = *state;
        Launch launch = launch_of(p);
        const char *java = launch.java;

        words_add(&launch.other_java, "/nowhere/java");
        words_add(&launch.other_java, java);
        java_find(&launch);
        assert_ptr_equal(launch.java, java);
        launch.java = "/nowhere/else/java";
        java_find(&launch);
        assert_ptr_equal(launch.java, java);
        launch.other_java.n = 1;
        launch.java = "/nowhere/else/java";
        java_find(&launch);
        assert_string_equal(launch.java, "/nowhere/else/java");
        words_done(&launch.other_java);
}

static void a_missing_distribution_is_named(void **state) {
        const Place *p = *state;
        Launch launch = launch_of(p);

        unlink(p->jar);
        check_fails(&launch, "holds no jars");
        launch.libs = "/nowhere/libs";
        check_fails(&launch, "cannot open /nowhere/libs: No such file or directory; the "
                             "distribution is missing");
}

static void prepare_fails(const Place *p, const char *script, const char *expected) {
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = launch_of(p);

        put(p->java, script, 0755);
        assert_int_equal(java_prepare(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NOT_PREPARED);
        if (!strstr(failure.text, expected))
                fail_msg("'%s' is not in '%s'", expected, failure.text);
}

static void preparing_is_checked(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};
        _cleanup_(text_free) char *script = text_format("#!/bin/sh\ntouch %s\n", p->meta);
        Launch launch = launch_of(p);

        prepare_fails(p, "#!/bin/sh\nexit 3\n", "a.Tool failed with exit code 3");
        prepare_fails(p, "#!/bin/sh\nkill -9 $$\n", "a.Tool was killed by signal 9");
        prepare_fails(p, "#!/bin/sh\nexit 0\n", "is still missing");
        put(p->java, script, 0755);
        assert_int_equal(java_prepare(&launch, &failure), 0);
        assert_true(storage_is_prepared(&launch));
}

/* What the format tool prints may be a salted password. */
static void output_is_dropped_and_the_environment_is_small(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};
        _cleanup_(text_free) char *script =
                text_format("#!/bin/sh\necho secret\nout=$(readlink /proc/$$/fd/1)\necho $out > "
                            "%s\nenv >> %s\ntouch %s\n",
                            p->out, p->out, p->meta);
        _cleanup_(text_free) char *seen = NULL;
        Launch launch = launch_of(p);
        size_t size;

        put(p->java, script, 0755);
        setenv("MILLRACE_TEST_SECRET", "x", 1);
        assert_int_equal(java_prepare(&launch, &failure), 0);
        assert_int_equal(file_read(p->out, &seen, &size), 1);
        assert_non_null(strstr(seen, "/dev/null"));
        assert_non_null(strstr(seen, "PATH="));
        assert_null(strstr(seen, "MILLRACE_TEST_SECRET"));
        assert_null(strstr(seen, "NOTIFY_SOCKET"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                T(command_lines_are_in_order),
                T(extras_are_libraries_but_no_agents),
                T(a_missing_or_wrong_java_is_named),
                T(java_may_be_elsewhere),
                T(a_missing_distribution_is_named),
                T(preparing_is_checked),
                T(output_is_dropped_and_the_environment_is_small),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
