/* The launcher in a container: the copy of itself, and the check of readiness. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "host/launch.h"

typedef struct Place {
        char directory[32];
        char *copy, *launch;
} Place;

static int setup(void **state) {
        Place *p = calloc(1, sizeof(Place));

        strncpy(p->directory, "/tmp/launch-self-XXXXXX", sizeof(p->directory) - 1);
        assert_non_null(mkdtemp(p->directory));
        p->copy = text_format("%s/copy", p->directory);
        p->launch = text_format("%s/launch", p->directory);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        Place *p = *state;

        (void) unlink(p->copy);
        (void) unlink(p->launch);
        (void) rmdir(p->directory);
        free(p->copy);
        free(p->launch);
        free(p);
        return 0;
}

static void the_copy_is_this_program_and_can_be_run(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};
        struct stat own, copy;

        /* A second run, as after a restart of the container, replaces the first copy. */
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(self_copy(p->copy, &failure), 0);
        assert_int_equal(stat("/proc/self/exe", &own), 0);
        assert_int_equal(stat(p->copy, &copy), 0);
        assert_int_equal(copy.st_size, own.st_size);
        assert_int_equal(copy.st_mode & 07777, 0755);
        _cleanup_(text_free) char *staged = text_format("%s.new", p->copy);
        assert_int_equal(access(staged, F_OK), -1);
}

static void a_place_that_cannot_be_written_is_named(void **state _unused_) {
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(self_copy("/nowhere/copy", &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NO_STORAGE);
        assert_non_null(strstr(failure.text, "/nowhere/copy"));
}

static void describe(const Place *p, unsigned port) {
        FILE *file = fopen(p->launch, "we");

        assert_non_null(file);
        assert_true(fprintf(file, "java /j\nlibs /l\nclass a.Main\nready %u\n", port) > 0);
        assert_int_equal(fclose(file), 0);
}

static void a_node_is_not_ready_before_its_port_is_bound(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t size = sizeof(address);
        _cleanup_(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &address, &size), 0);
        describe(p, ntohs(address.sin_port));
        assert_int_equal(self_check_ready(p->directory, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_NOT_READY);
        assert_non_null(strstr(failure.text, "waiting for port"));
}

static void without_a_description_nothing_is_ready(void **state) {
        const Place *p = *state;
        _cleanup_(failure_done) Failure failure = {};

        assert_int_equal(self_check_ready(p->directory, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_BAD_FILE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_copy_is_this_program_and_can_be_run, setup,
                                                teardown),
                cmocka_unit_test(a_place_that_cannot_be_written_is_named),
                cmocka_unit_test_setup_teardown(a_node_is_not_ready_before_its_port_is_bound, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(without_a_description_nothing_is_ready, setup,
                                                teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
