/* What the service manager is told, with this test as the service manager. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/launch.h"

static int manager;
static unsigned managers;

static int setup(void **state _unused_) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct timeval patience = {.tv_sec = 10};
        /* A watcher of the test before may still hold the address of that test. */
        _cleanup_(text_free) char *name =
                text_format("@millrace-test-%d-%u", (int) getpid(), managers++);

        manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        memcpy(address.sun_path, name, strlen(name));
        address.sun_path[0] = '\0';
        assert_int_equal(bind(manager, (struct sockaddr *) &address,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                         0);
        assert_int_equal(setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
                         0);
        setenv("NOTIFY_SOCKET", name, 1);
        return 0;
}

static int teardown(void **state _unused_) {
        unsetenv("NOTIFY_SOCKET");
        close(manager);
        return 0;
}

/* The next message; a descriptor that came along is closed, which is the answer to a barrier. */
static void next(char *text, size_t size) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec part = {.iov_base = text, .iov_len = size - 1};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);

        assert_true(n > 0);
        text[n] = '\0';
        if (message.msg_controllen > 0) {
                int fd;

                memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
                close(fd);
        }
}

static void texts_arrive(void **state _unused_) {
        char text[256];

        notify_send("STATUS=%s %d", "port", 9091);
        next(text, sizeof(text));
        assert_string_equal(text, "STATUS=port 9091");
}

static void without_a_manager_nothing_happens(void **state _unused_) {
        Launch launch = {};

        unsetenv("NOTIFY_SOCKET");
        notify_send("STATUS=lost");
        watcher_start(&launch);
        setenv("NOTIFY_SOCKET", "relative", 1);
        notify_send("STATUS=lost");
        watcher_start(&launch);
}

/* A child plays the main process: it starts the watcher, and later binds the port. */
static pid_t node_start(uint16_t *ret_port, int *ret_go) {
        struct sockaddr_in any = {.sin_family = AF_INET};
        socklen_t size = sizeof(any);
        int go[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *) &any, sizeof(any)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *) &any, &size), 0);
        *ret_port = ntohs(any.sin_port);
        assert_int_equal(pipe2(go, O_CLOEXEC), 0);

        pid_t child = fork();
        if (child == 0) {
                _cleanup_(text_free) char *text = text_format("%u", *ret_port);
                Launch launch = {};
                char c;

                close(go[1]);
                words_add(&launch.ready, text);
                watcher_start(&launch);
                if (read(go[0], &c, 1) != 1)
                        _exit(3);
                listen(fd, 1);
                (void) !read(go[0], &c, 1);
                _exit(0);
        }
        close(fd);
        close(go[0]);
        *ret_go = go[1];
        return child;
}

static void ready_follows_the_port(void **state _unused_) {
        char text[256];
        uint16_t port;
        int go;
        pid_t child = node_start(&port, &go);
        _cleanup_(text_free) char *expected =
                text_format("STATUS=waiting for port %u\nEXTEND_TIMEOUT_USEC=60000000", port);

        next(text, sizeof(text));
        assert_string_equal(text, expected);
        assert_int_equal(write(go, "x", 1), 1);
        next(text, sizeof(text));
        assert_string_equal(text, "READY=1\nSTATUS=running");
        next(text, sizeof(text));
        assert_string_equal(text, "BARRIER=1");
        close(go);
        waitpid(child, NULL, 0);
}

static void an_early_end_is_told(void **state _unused_) {
        char text[256];
        uint16_t port;
        int go;
        pid_t child = node_start(&port, &go);

        next(text, sizeof(text));
        close(go);
        waitpid(child, NULL, 0);
        next(text, sizeof(text));
        assert_non_null(strstr(text, "STATUS=java ended before port"));
        next(text, sizeof(text));
        assert_string_equal(text, "BARRIER=1");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                T(texts_arrive),
                T(without_a_manager_nothing_happens),
                T(ready_follows_the_port),
                T(an_early_end_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
