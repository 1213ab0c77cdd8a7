/* Ports: the kernel's table, sockets of this process, and a port that somebody else has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "host/launch.h"

/* A socket on a port of the kernel's choice. */
static int socket_bound(int family, uint16_t *ret_port) {
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } address = {.any = {.sa_family = (sa_family_t) family}};
        socklen_t size = family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -1;
        if (family == AF_INET)
                address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, &address.any, size), 0);
        assert_int_equal(getsockname(fd, &address.any, &size), 0);
        *ret_port = ntohs(family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
        return fd;
}

static void lines_of_the_table_are_read(void **state _unused_) {
        uint64_t inode = 0;
        uint16_t port = 0;

        assert_true(port_line_parse("   0: 00000000:2383 00000000:0000 0A 00000000:00000000 "
                                    "00:00000000 00000000   998        0 41234 1 0 100 0 0 10 0\n",
                                    &port, &inode));
        assert_int_equal(port, 9091);
        assert_int_equal(inode, 41234);
        assert_true(
                port_line_parse("  12: 00000000000000000000000000000000:0BB9 "
                                "00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 7 1 0\n",
                                &port, &inode));
        assert_int_equal(port, 3001);
        assert_int_equal(inode, 7);
        /* An established connection, the heading, and nonsense. */
        assert_false(port_line_parse("   1: 0100007F:2383 0100007F:9C40 01 00000000:00000000 "
                                     "00:00000000 00000000 998 0 5 1\n",
                                     &port, &inode));
        assert_false(port_line_parse("  sl  local_address rem_address   st tx_queue rx_queue tr "
                                     "tm->when retrnsmt   uid  timeout inode\n",
                                     &port, &inode));
        assert_false(port_line_parse("", &port, &inode));
        assert_false(port_line_parse("0: 0000", &port, &inode));
}

static void a_port_counts_when_it_listens_and_is_ours(void **state) {
        int family = (int) (intptr_t) *state;
        Launch launch = {};
        uint16_t port;
        _cleanup_(fd_close) int fd = socket_bound(family, &port);

        if (fd < 0)
                skip();
        _cleanup_(text_free) char *text = text_format("%u", port);
        words_add(&launch.ready, text);
        assert_string_equal(ports_waiting(&launch, getpid()), text);
        assert_int_equal(listen(fd, 1), 0);
        assert_null(ports_waiting(&launch, getpid()));

        /* Another process does not hold it: one that closed it after the fork. */
        int pair[2];
        assert_int_equal(pipe(pair), 0);
        pid_t child = fork();
        if (child == 0) {
                char c;

                close(fd);
                close(pair[1]);
                _exit(read(pair[0], &c, 1) < 0);
        }
        close(pair[0]);
        const char *waiting = NULL;
        for (int i = 0; i < 100 && !waiting; i++) {
                waiting = ports_waiting(&launch, child);
                usleep(10000);
        }
        close(pair[1]);
        waitpid(child, NULL, 0);
        assert_non_null(waiting);
        launch_done(&launch);
}

static void a_taken_port_is_named(void **state) {
        int family = (int) (intptr_t) *state;
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};
        uint16_t port;
        int fd = socket_bound(family, &port);

        if (fd < 0)
                skip();
        _cleanup_(text_free) char *text = text_format("%u", port);
        words_add(&launch.ready, text);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(ports_check_free(&launch, &failure), -1);
        assert_int_equal(failure.code, LAUNCH_PORT_TAKEN);
        _cleanup_(text_free) char *expected =
                text_format("port %s is taken by another process", text);
        assert_non_null(strstr(failure.text, expected));
        close(fd);
        assert_int_equal(ports_check_free(&launch, &failure), 0);
        launch_done(&launch);
}

static void no_ports_are_no_wait(void **state _unused_) {
        _cleanup_(failure_done) Failure failure = {};
        Launch launch = {};

        assert_null(ports_waiting(&launch, getpid()));
        assert_int_equal(ports_check_free(&launch, &failure), 0);
}

#define IPV4 ((void *) (intptr_t) AF_INET)
#define IPV6 ((void *) (intptr_t) AF_INET6)

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_of_the_table_are_read),
                cmocka_unit_test_prestate(a_port_counts_when_it_listens_and_is_ours, IPV4),
                cmocka_unit_test_prestate(a_port_counts_when_it_listens_and_is_ours, IPV6),
                cmocka_unit_test_prestate(a_taken_port_is_named, IPV4),
                cmocka_unit_test_prestate(a_taken_port_is_named, IPV6),
                cmocka_unit_test(no_ports_are_no_wait),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
