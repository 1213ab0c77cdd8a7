/* The HTTP client against a peer that says exactly what the test wants. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/http-client.h"
#include "io/http-server.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

typedef struct Fixture {
        char folder[32];
        char *path;
        pid_t pid;
} Fixture;

/* The child answers one connection with `parts`, one write each, with a pause between them. */
static void serve(Fixture *fixture, const char *const *parts) {
        int fd = http_listen_unix(fixture->path, NULL, NULL);

        assert_true(fd >= 0);
        fixture->pid = fork();
        if (fixture->pid == 0) {
                char request[4096];
                int client;
                while ((client = accept(fd, NULL, NULL)) < 0 && (errno == EAGAIN || errno == EINTR))
                        usleep(1000);
                (void) !recv(client, request, sizeof(request), 0);
                for (size_t i = 0; parts[i]; i++) {
                        usleep(3000);
                        (void) !send(client, parts[i], strlen(parts[i]), MSG_NOSIGNAL);
                }
                close(client);
                _exit(0);
        }
        close(fd);
}

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        (void) snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/client-test-XXXXXX");
        *state = fixture;
        if (!mkdtemp(fixture->folder))
                return -1;
        fixture->path = mr_strf("%s/socket", fixture->folder);
        return 0;
}

static int tear_down(void **state) {
        Fixture *fixture = *state;

        if (fixture->pid > 0)
                (void) waitpid(fixture->pid, NULL, 0);
        (void) unlink(fixture->path);
        int r = rmdir(fixture->folder);
        free(fixture->path);
        free(fixture);
        return r;
}

static int open_client(Fixture *fixture, HttpClient **ret, MrError *err) {
        return http_client_open(fixture->path,
                                &(HttpCall){.method = "GET", .target = "/", .timeout_msec = 2000},
                                ret, err);
}

static void a_body_of_known_length_is_read(void **state) {
        static const char *const parts[] = {"HTTP/1.1 200 OK\r\nContent-Le",
                                            "ngth: 5\r\nWarning: 299 - \"a\"\r\n\r\nhe", "llo",
                                            NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_buf_ MrBuf body = {};

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_status(client), 200);
        assert_string_equal(http_client_warning(client, 0), "a");
        assert_null(http_client_warning(client, 1));
        assert_int_equal(http_client_read(client, &body, NULL), 0);
        assert_string_equal(mr_buf_text(&body), "hello");
}

static void a_body_until_the_end_of_the_connection_is_read(void **state) {
        static const char *const parts[] = {"HTTP/1.1 404 Not Found\r\n\r\n", "all", NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_buf_ MrBuf body = {};

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_status(client), 404);
        assert_int_equal(http_client_read(client, &body, NULL), 0);
        assert_string_equal(mr_buf_text(&body), "all");
}

static void chunks_are_put_together_however_they_arrive(void **state) {
        static const char *const parts[] = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "
                                            "OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
                                            "\r\na",
                                            "\r",
                                            "\n2;x=y\r\nb",
                                            "c\r\n",
                                            "0",
                                            "\r\n\r\n",
                                            NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_buf_ MrBuf body = {};

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_read(client, &body, NULL), 0);
        assert_string_equal(mr_buf_text(&body), "abc");
}

static void a_stream_is_read_line_by_line(void **state) {
        static const char *const parts[] = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                            "3\r\na\nb\r\n", "2\r\nc\n\r\n", "0\r\n\r\n", NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_free_ char *one = NULL, *two = NULL, *none = NULL;

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_read_line(client, 2000, &one, NULL), 1);
        assert_string_equal(one, "a");
        assert_int_equal(http_client_read_line(client, -1, &two, NULL), 1);
        assert_string_equal(two, "bc");
        assert_int_equal(http_client_read_line(client, 2000, &none, NULL), -ENODATA);
}

static void a_line_that_does_not_come_is_not_waited_for_too_long(void **state) {
        static const char *const parts[] = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                            "1\r\na\r\n",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "",
                                            "1\r\n\n\r\n",
                                            NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_free_ char *line = NULL;

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_read_line(client, 10, &line, NULL), 0);
        assert_int_equal(http_client_read_line(client, 2000, &line, NULL), 1);
        assert_string_equal(line, "a");
}

#define INTERIM "HTTP/1.1 102 Processing\r\n\r\n"
#define FOUR INTERIM INTERIM INTERIM INTERIM

static void what_comes_before_the_answer_says_nothing_of_its_body(void **state) {
        static const char *const parts[] = {
                "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" FOUR,
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nall", NULL};
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_buf_ MrBuf body = {};

        serve(*state, parts);
        assert_int_equal(open_client(*state, &client, NULL), 0);
        assert_int_equal(http_client_read(client, &body, NULL), 0);
        assert_string_equal(mr_buf_text(&body), "all");
}

static void nonsense_is_refused(void **state) {
        Fixture *fixture = *state;
        static const char *const answers[] = {
                "SSH-2.0-x\r\n\r\n",
                "HTTP/1.1 xyz\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                "HTTP",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
                FOUR FOUR FOUR FOUR "HTTP/1.1 200 OK\r\n\r\n",
                NULL,
        };

        for (size_t i = 0; answers[i]; i++) {
                const char *parts[] = {answers[i], NULL};
                _cleanup_(http_client_freep) HttpClient *client = NULL;
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                _cleanup_buf_ MrBuf body = {};

                serve(fixture, parts);
                int r = open_client(fixture, &client, &err);
                if (r == 0)
                        r = http_client_read(client, &body, &err);
                assert_int_equal(r, -EAGAIN);
                assert_non_null(err.message);
                (void) waitpid(fixture->pid, NULL, 0);
                fixture->pid = 0;
        }
}

static void an_absent_socket_is_explained(void **state) {
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(open_client(*state, &client, &err), -ECONNREFUSED);
        assert_non_null(strstr(err.message, "is it running? systemctl status millraced"));
}

static void a_forbidden_socket_is_explained(void **state) {
        Fixture *fixture = *state;
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        int status = 0;

        int fd = http_listen_unix(fixture->path, NULL, NULL);
        assert_true(fd >= 0);
        if (geteuid() == 0) {
                assert_int_equal(chmod(fixture->folder, 0755), 0);
                pid_t pid = fork();
                if (pid == 0) {
                        if (setgid(65534) < 0 || setuid(65534) < 0)
                                _exit(1);
                        _exit(open_client(fixture, &client, &err) == -EACCES &&
                                              strstr(err.message, "group millrace")
                                      ? 0
                                      : 1);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
        close(fd);
}

static void names_are_encoded(void **state _unused_) {
        _cleanup_buf_ MrBuf out = {};

        http_encode("a-b.c/d e\xc3\xa9?", &out);
        assert_string_equal(mr_buf_text(&out), "a-b.c%2Fd%20e%C3%A9%3F");
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_body_of_known_length_is_read),
                TEST(a_body_until_the_end_of_the_connection_is_read),
                TEST(chunks_are_put_together_however_they_arrive),
                TEST(a_stream_is_read_line_by_line),
                TEST(a_line_that_does_not_come_is_not_waited_for_too_long),
                TEST(what_comes_before_the_answer_says_nothing_of_its_body),
                TEST(nonsense_is_refused),
                TEST(an_absent_socket_is_explained),
                TEST(a_forbidden_socket_is_explained),
                TEST(names_are_encoded),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
