/* The HTTP server over real sockets: answers, limits, and many streams that come and go. */

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/http-server.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define STREAMS 500

typedef struct Fixture {
        sd_event *event;
        HttpServer *server;
        char *folder;
        char *path;
        HttpStream *streams[STREAMS + 1];
        size_t n_streams;
        size_t n_gone;
        uid_t uid;
} Fixture;

static void gone(void *userdata, HttpStream *stream) {
        Fixture *fixture = userdata;

        for (size_t i = 0; i < fixture->n_streams; i++)
                if (fixture->streams[i] == stream)
                        fixture->streams[i] = http_stream_unref(stream);
        fixture->n_gone++;
}

static void handle(void *userdata, const HttpRequest *request, HttpResponse *response) {
        Fixture *fixture = userdata;

        response->status = 200;
        fixture->uid = request->uid;
        if (mr_streq(request->path, "/watch")) {
                HttpStream *stream = http_stream_new(gone, fixture);
                fixture->streams[fixture->n_streams++] = stream;
                response->stream = http_stream_ref(stream);
                response->content_type = "application/json";
                return;
        }
        if (mr_streq(request->path, "/warn"))
                http_response_warn(response, "a \"quoted\"\nline");
        for (int i = 0; i < 100 && mr_streq(request->path, "/warn/often"); i++) {
                char text[300];
                memset(text, 'w', sizeof(text) - 1);
                text[sizeof(text) - 1] = '\0';
                http_response_warn(response, text);
        }
        mr_buf_printf(&response->body, "%s %s %zu %s %zu", request->method, request->path,
                      request->n_parameters, request->content_type ? request->content_type : "-",
                      request->body.size);
}

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        fixture->folder = mr_strdup("/tmp/http-test-XXXXXX");
        if (!mkdtemp(fixture->folder) || sd_event_new(&fixture->event) < 0)
                return -1;
        fixture->path = mr_strf("%s/socket", fixture->folder);
        int fd = http_listen_unix(fixture->path, NULL, NULL);
        *state = fixture;
        return fd < 0 ? fd
                      : http_server_new(fixture->event, fd, handle, fixture, &fixture->server,
                                        NULL);
}

static int tear_down(void **state) {
        Fixture *fixture = *state;

        http_server_free(fixture->server);
        for (size_t i = 0; i < fixture->n_streams; i++)
                http_stream_unref(fixture->streams[i]);
        sd_event_unref(fixture->event);
        (void) unlink(fixture->path);
        int r = rmdir(fixture->folder);
        free(fixture->folder);
        free(fixture->path);
        free(fixture);
        return r;
}

static int connect_client(Fixture *fixture) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, fixture->path, strlen(fixture->path));
        assert_int_equal(connect(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

static void client_send(int fd, const char *text) {
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turn(Fixture *fixture) {
        while (sd_event_run(fixture->event, 0) > 0)
                ;
}

/* Runs the loop until the client has read `words`, or the end. */
static char *client_read(Fixture *fixture, int fd, const char *words) {
        _cleanup_buf_ MrBuf buf = {};
        char chunk[4096];

        for (int i = 0; i < 500; i++) {
                turn(fixture);
                ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
                if (n == 0)
                        break;
                if (n > 0)
                        mr_buf_append(&buf, chunk, (size_t) n);
                if (words && strstr(mr_buf_text(&buf), words))
                        break;
                if (n < 0)
                        (void) sd_event_run(fixture->event, 2000);
        }
        return mr_buf_take(&buf);
}

static void a_request_arrives_decoded(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "POST /a%20b?x=1&watch HTTP/1.1\r\nHost: x\r\nContent-Type: "
                        "Application/JSON; charset=utf-8\r\n"
                        "Content-Length: 5\r\n\r\nhello");
        _cleanup_free_ char *text = client_read(fixture, fd, "POST /a");
        assert_non_null(strstr(text, "HTTP/1.1 200"));
        assert_non_null(strstr(text, "POST /a b 2 application/json 5"));
        assert_int_equal(fixture->uid, getuid());
        close(fd);
}

static void one_connection_serves_many_requests(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        for (int i = 0; i < 20; i++) {
                client_send(fd, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
                _cleanup_free_ char *text = client_read(fixture, fd, "GET /again 0 - 0");
                assert_non_null(strstr(text, "GET /again"));
        }
        close(fd);
}

static void warnings_become_headers(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "GET /warn HTTP/1.1\r\nHost: x\r\n\r\n");
        _cleanup_free_ char *text = client_read(fixture, fd, "GET /warn");
        assert_non_null(strstr(text, "Warning: 299 - \"a 'quoted' line\"\r\n"));
        close(fd);
}

static void as_many_warnings_as_there_may_be_fit_into_a_response(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "GET /warn/often HTTP/1.1\r\nHost: x\r\n\r\n");
        _cleanup_free_ char *text = client_read(fixture, fd, "GET /warn/often");
        assert_non_null(strstr(text, "there are more warnings"));
        assert_non_null(strstr(text, "GET /warn/often"));
        close(fd);
}

static void broken_addresses_are_refused(void **state) {
        Fixture *fixture = *state;
        static const char *const targets[] = {"/%zz", "/%", "/%0", "/a?b=%g1", "/%00", "x"};

        for (size_t i = 0; i < MR_ELEMENTS(targets); i++) {
                _cleanup_free_ char *request =
                        mr_strf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[i]);
                int fd = connect_client(fixture);
                client_send(fd, request);
                _cleanup_free_ char *text = client_read(fixture, fd, "\"code\":400");
                assert_non_null(strstr(text, "HTTP/1.1 400"));
                assert_non_null(strstr(text, "\"kind\":\"Status\""));
                close(fd);
        }
}

static void a_body_beyond_the_limit_is_refused(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4194305\r\n\r\n");
        _cleanup_free_ char *text = client_read(fixture, fd, "\"code\":413");
        assert_non_null(strstr(text, "HTTP/1.1 413"));
        close(fd);
}

static void a_chunked_body_beyond_the_limit_is_refused(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *chunk = mr_malloc(65536 + 1), *text = NULL;
        int fd = connect_client(fixture);

        memset(chunk, 'x', 65536);
        chunk[65536] = 0;
        client_send(fd, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 65; i++) {
                client_send(fd, "10000\r\n");
                for (size_t sent = 0; sent < 65536;) {
                        ssize_t n =
                                send(fd, chunk + sent, 65536 - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
                        if (n > 0)
                                sent += (size_t) n;
                        turn(fixture);
                }
                client_send(fd, "\r\n");
                turn(fixture);
        }
        client_send(fd, "0\r\n\r\n");
        text = client_read(fixture, fd, "\"code\":413");
        assert_non_null(strstr(text, "HTTP/1.1 413"));
        close(fd);
}

static void a_client_that_leaves_within_a_request_is_no_trouble(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
        turn(fixture);
        close(fd);
        turn(fixture);
        a_request_arrives_decoded(state);
}

static size_t open_descriptors(void) {
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static void five_hundred_streams_get_every_line_and_leave_nothing_behind(void **state) {
        Fixture *fixture = *state;
        int clients[STREAMS];
        const struct rlimit limit = {4096, 4096};

        (void) setrlimit(RLIMIT_NOFILE, &limit);
        size_t before = open_descriptors();
        for (size_t i = 0; i < STREAMS; i++) {
                clients[i] = connect_client(fixture);
                client_send(clients[i], "GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
                turn(fixture);
        }
        assert_int_equal(fixture->n_streams, STREAMS);
        /* All of them sleep: nothing is left to do for the loop. */
        assert_int_equal(sd_event_run(fixture->event, 20000), 0);
        for (int round = 0; round < 3; round++) {
                for (size_t i = 0; i < STREAMS; i++)
                        http_stream_write(fixture->streams[i], "one line\n", 9);
                for (size_t i = 0; i < STREAMS; i++) {
                        _cleanup_free_ char *text = client_read(fixture, clients[i], "one line\n");
                        assert_non_null(strstr(text, "one line\n"));
                }
        }
        for (size_t i = 0; i < STREAMS; i++)
                close(clients[i]);
        for (int i = 0; i < 2000 && fixture->n_gone < STREAMS; i++)
                (void) sd_event_run(fixture->event, 1000);
        assert_int_equal(fixture->n_gone, STREAMS);
        turn(fixture);
        assert_int_equal(open_descriptors(), before);
}

static void an_ended_stream_ends_the_response(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
        turn(fixture);
        http_stream_write(fixture->streams[0], "last\n", 5);
        http_stream_end(fixture->streams[0]);
        _cleanup_free_ char *text = client_read(fixture, fd, "0\r\n\r\n");
        assert_non_null(strstr(text, "last\n"));
        assert_non_null(strstr(text, "0\r\n\r\n"));
        assert_int_equal(fixture->n_gone, 0);
        close(fd);
}

static void a_reader_that_is_too_slow_loses_its_stream(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *megabyte = mr_calloc(1, 1024 * 1024);
        int fd = connect_client(fixture);

        client_send(fd, "GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
        turn(fixture);
        for (int i = 0; i < 40 && fixture->streams[0]; i++) {
                http_stream_write(fixture->streams[0], megabyte, 1024 * 1024);
                turn(fixture);
        }
        assert_null(fixture->streams[0]);
        assert_int_equal(fixture->n_gone, 1);
        close(fd);
        turn(fixture);
}

static void freeing_the_server_ends_its_streams(void **state) {
        Fixture *fixture = *state;
        int fd = connect_client(fixture);

        client_send(fd, "GET /watch HTTP/1.1\r\nHost: x\r\n\r\n");
        turn(fixture);
        assert_int_equal(fixture->n_streams, 1);
        fixture->server = http_server_free(fixture->server);
        assert_int_equal(fixture->n_gone, 1);
        close(fd);
}

static void a_stale_socket_is_replaced_and_nothing_else(void **state) {
        Fixture *fixture = *state;
        _cleanup_error_ MrError err = MR_ERROR_INIT, other = MR_ERROR_INIT;
        _cleanup_free_ char *file = mr_strf("%s/file", fixture->folder);
        struct stat st;

        assert_int_equal(stat(fixture->path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0660);
        assert_int_equal(http_listen_unix(fixture->path, NULL, &err), -EACCES);
        assert_non_null(strstr(err.message, "another program answers"));
        fixture->server = http_server_free(fixture->server);
        int fd = http_listen_unix(fixture->path, NULL, NULL);
        assert_true(fd >= 0);
        close(fd);
        FILE *stream = fopen(file, "w");
        assert_non_null(stream);
        fclose(stream);
        assert_int_equal(http_listen_unix(file, NULL, &other), -EACCES);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(unlink(file), 0);
}

static void tcp_addresses_are_understood(void **state _unused_) {
        static const char *const good[] = {"127.0.0.1:0", "[::1]:0", ":0"};
        static const char *const bad[] = {"127.0.0.1", "localhost:1", "127.0.0.1:x", "", ":"};

        for (size_t i = 0; i < MR_ELEMENTS(good); i++) {
                int fd = http_listen_tcp(good[i], NULL);
                if (i != 1) /* A machine may be without IPv6. */
                        assert_true(fd >= 0);
                if (fd >= 0)
                        close(fd);
        }
        for (size_t i = 0; i < MR_ELEMENTS(bad); i++)
                assert_int_equal(http_listen_tcp(bad[i], NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_request_arrives_decoded, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_connection_serves_many_requests, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(warnings_become_headers, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        as_many_warnings_as_there_may_be_fit_into_a_response, set_up, tear_down),
                cmocka_unit_test_setup_teardown(broken_addresses_are_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_body_beyond_the_limit_is_refused, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_chunked_body_beyond_the_limit_is_refused, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_client_that_leaves_within_a_request_is_no_trouble,
                                                set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        five_hundred_streams_get_every_line_and_leave_nothing_behind, set_up,
                        tear_down),
                cmocka_unit_test_setup_teardown(an_ended_stream_ends_the_response, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_reader_that_is_too_slow_loses_its_stream, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(freeing_the_server_ends_its_streams, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced_and_nothing_else, set_up,
                                                tear_down),
                cmocka_unit_test(tcp_addresses_are_understood),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
