/* libmicrohttpd behind sd-event. Its epoll descriptor is one source of the loop; its time-outs are
 * a timer that runs only while a connection is open. */

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http-server.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define CONNECTIONS_MAX 2048U
#define CONNECTION_MEMORY (16U * 1024)
#define IDLE_TIMEOUT_SEC 30U
#define STREAM_BLOCK 2048U

typedef struct Exchange Exchange;

struct HttpServer {
        sd_event *event;
        struct MHD_Daemon *daemon;
        sd_event_source *io_source;
        sd_event_source *time_source;
        sd_event_source *resume_source; /* set off when a connection was resumed, which wakes no
                                           descriptor */
        HttpHandler handler;
        void *userdata;
        bool is_local;
        Exchange *streams; /* exchanges whose response is an open stream */
        bool had_streams;  /* memory of many watches is worth giving back when the last has ended */
};

/* One request and its response. libmicrohttpd ends the two in either order, so each holds a
 * reference. */
struct Exchange {
        unsigned n_refs;
        HttpServer *server; /* weak */
        struct MHD_Connection *connection;
        HttpRequest request;
        char *target;
        bool is_started;
        bool is_too_big;
        HttpStream *stream;
        bool is_suspended;
        bool is_hung_up;
        sd_event_source *hang_up_source;
        Exchange *previous, *next; /* in the server's streams */
};

static Exchange *exchange_unref(Exchange *exchange) {
        if (--exchange->n_refs > 0)
                return NULL;
        http_request_done(&exchange->request);
        free(exchange->target);
        free(exchange);
        return NULL;
}

static void server_arm(HttpServer *server) {
        MHD_UNSIGNED_LONG_LONG msec = 0;

        if (MHD_get_timeout(server->daemon, &msec) != MHD_YES) {
                (void) sd_event_source_set_enabled(server->time_source, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time_relative(server->time_source, (uint64_t) msec * 1000);
        (void) sd_event_source_set_enabled(server->time_source, SD_EVENT_ONESHOT);
}

static void server_run(HttpServer *server) {
        (void) MHD_run(server->daemon);
        if (server->had_streams && !server->streams) {
                server->had_streams = false;
                (void) malloc_trim(0);
        }
        server_arm(server);
}

static int server_on_io(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                        void *userdata) {
        server_run(userdata);
        return 0;
}

static int server_on_time(sd_event_source *source _unused_, uint64_t usec _unused_,
                          void *userdata) {
        server_run(userdata);
        return 0;
}

static int server_on_resume(sd_event_source *source _unused_, void *userdata) {
        server_run(userdata);
        return 0;
}

static void stream_resume(Exchange *exchange) {
        if (!exchange->is_suspended)
                return;
        exchange->is_suspended = false;
        MHD_resume_connection(exchange->connection);
        if (exchange->server->resume_source)
                (void) sd_event_source_set_enabled(exchange->server->resume_source,
                                                   SD_EVENT_ONESHOT);
}

static void stream_on_wake(void *userdata) {
        stream_resume(userdata);
}

/* A suspended connection is not watched by libmicrohttpd, so a client that goes away is noticed
 * here. */
static int stream_on_hang_up(sd_event_source *source, int fd _unused_, uint32_t events _unused_,
                             void *userdata) {
        Exchange *exchange = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        exchange->is_hung_up = true;
        http_stream_hang_up(exchange->stream);
        stream_resume(exchange);
        return 0;
}

static ssize_t stream_read(void *userdata, uint64_t at _unused_, char *buffer, size_t size) {
        Exchange *exchange = userdata;

        size_t n = http_stream_take(exchange->stream, buffer, size);
        if (n > 0)
                return (ssize_t) n;
        if (exchange->is_hung_up)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        if (http_stream_is_ended(exchange->stream))
                return MHD_CONTENT_READER_END_OF_STREAM;
        exchange->is_suspended = true;
        MHD_suspend_connection(exchange->connection);
        return 0;
}

/* Both ends of an exchange come before its socket is closed, so the source never watches a
 * stranger's descriptor. */
static void stream_detach(Exchange *exchange) {
        if (!exchange->stream)
                return;
        exchange->hang_up_source = sd_event_source_disable_unref(exchange->hang_up_source);
        if (exchange->previous)
                exchange->previous->next = exchange->next;
        else
                exchange->server->streams = exchange->next;
        if (exchange->next)
                exchange->next->previous = exchange->previous;
        http_stream_hang_up(exchange->stream);
        exchange->stream = http_stream_unref(exchange->stream);
}

static void stream_on_end(void *userdata) {
        stream_detach(userdata);
        exchange_unref(userdata);
}

static int connection_fd(struct MHD_Connection *connection) {
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -1;
}

static struct MHD_Response *stream_response(Exchange *exchange, HttpStream *take_stream) {
        HttpServer *server = exchange->server;

        struct MHD_Response *made = MHD_create_response_from_callback(
                MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, exchange, stream_on_end);
        if (!made) {
                http_stream_hang_up(take_stream);
                http_stream_unref(take_stream);
                return NULL;
        }
        exchange->n_refs++;
        exchange->stream = take_stream;
        exchange->next = server->streams;
        if (exchange->next)
                exchange->next->previous = exchange;
        server->streams = exchange;
        server->had_streams = true;
        http_stream_attach(take_stream, stream_on_wake, exchange);
        (void) sd_event_add_io(server->event, &exchange->hang_up_source,
                               connection_fd(exchange->connection), EPOLLRDHUP, stream_on_hang_up,
                               exchange);
        return made;
}

static struct MHD_Response *body_response(HttpResponse *response) {
        size_t size = response->body.size;

        return MHD_create_response_from_buffer(size, mr_buf_take(&response->body),
                                               MHD_RESPMEM_MUST_FREE);
}

static void add_warnings(struct MHD_Response *made, const HttpResponse *response) {
        for (size_t i = 0; i < response->n_warnings; i++) {
                _cleanup_free_ char *text = mr_strf("299 - \"%s\"", response->warnings[i]);
                (void) MHD_add_response_header(made, "Warning", text);
        }
}

static enum MHD_Result exchange_respond(Exchange *exchange, HttpResponse *response) {
        struct MHD_Response *made = response->stream
                                            ? stream_response(exchange, TAKE(response->stream))
                                            : body_response(response);
        if (!made)
                return MHD_NO;
        (void) MHD_add_response_header(made, "Content-Type",
                                       response->content_type ? response->content_type
                                                              : "text/plain");
        (void) MHD_add_response_header(made, "Cache-Control", "no-store");
        add_warnings(made, response);
        enum MHD_Result r = MHD_queue_response(exchange->connection, response->status, made);
        MHD_destroy_response(made);
        return r;
}

static enum MHD_Result exchange_fail(Exchange *exchange, unsigned status, const char *message) {
        HttpResponse response = {};

        http_response_fail(&response, status, NULL, message, NULL);
        enum MHD_Result r = exchange_respond(exchange, &response);
        http_response_done(&response);
        return r;
}

static char *media_type(const char *header) {
        char *type = header ? mr_strndup(header, strcspn(header, "; \t")) : NULL;

        for (char *c = type; c && *c; c++)
                *c = (char) tolower((unsigned char) *c);
        return type;
}

static uid_t peer_uid(const HttpServer *server, int fd) {
        struct ucred credentials;
        socklen_t size = sizeof(credentials);

        if (!server->is_local || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return (uid_t) -1;
        return credentials.uid;
}

/* The first of several calls for a request: headers are known, the body is not. */
static enum MHD_Result exchange_begin(Exchange *exchange, const char *method) {
        struct MHD_Connection *connection = exchange->connection;
        const char *length =
                MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
        int64_t size = 0;

        exchange->is_started = true;
        exchange->request.method = method;
        exchange->request.content_type = media_type(
                MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"));
        exchange->request.is_local = exchange->server->is_local;
        exchange->request.uid = peer_uid(exchange->server, connection_fd(connection));
        if (length && mr_parse_int(length, &size) == 0 && size > HTTP_BODY_MAX)
                return exchange_fail(exchange, 413,
                                     "the request is larger than 4 MiB; send less at once");
        return MHD_YES;
}

static enum MHD_Result exchange_add_body(Exchange *exchange, const char *data, size_t *size) {
        MrBuf *body = &exchange->request.body;

        if (body->size + *size > HTTP_BODY_MAX)
                exchange->is_too_big = true;
        if (exchange->is_too_big)
                mr_buf_clear(body);
        else
                mr_buf_append(body, data, *size);
        *size = 0;
        return MHD_YES;
}

static enum MHD_Result exchange_finish(Exchange *exchange) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        HttpResponse response = {.status = 500};

        if (exchange->is_too_big)
                return exchange_fail(exchange, 413,
                                     "the request is larger than 4 MiB; send less at once");
        if (http_request_set_target(&exchange->request, exchange->target ? exchange->target : "",
                                    &err) < 0)
                return exchange_fail(exchange, 400, err.message);
        exchange->server->handler(exchange->server->userdata, &exchange->request, &response);
        enum MHD_Result r = exchange_respond(exchange, &response);
        http_response_done(&response);
        return r;
}

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *connection,
                                 const char *url _unused_, const char *method,
                                 const char *version _unused_, const char *data, size_t *size,
                                 void **context) {
        Exchange *exchange = *context;

        if (!exchange)
                return MHD_NO;
        exchange->server = userdata;
        exchange->connection = connection;
        if (!exchange->is_started)
                return exchange_begin(exchange, method);
        if (*size > 0)
                return exchange_add_body(exchange, data, size);
        return exchange_finish(exchange);
}

/* Sees the target as it was sent, before anything is decoded; what it returns becomes the context.
 */
static void *on_target(void *userdata _unused_, const char *target,
                       struct MHD_Connection *connection _unused_) {
        Exchange *exchange = mr_new(Exchange, 1);

        exchange->n_refs = 1;
        exchange->target = mr_strdup(target);
        return exchange;
}

static void on_completed(void *userdata _unused_, struct MHD_Connection *connection _unused_,
                         void **context, enum MHD_RequestTerminationCode why _unused_) {
        Exchange *exchange = *context;

        if (!exchange)
                return;
        stream_detach(exchange);
        *context = exchange_unref(exchange);
}

static bool is_unix(int fd) {
        struct sockaddr_storage address = {};
        socklen_t size = sizeof(address);

        return getsockname(fd, (struct sockaddr *) &address, &size) == 0 &&
               address.ss_family == AF_UNIX;
}

static int server_start(HttpServer *server, int take_fd, MrError *err) {
        server->is_local = is_unix(take_fd);
        server->daemon = MHD_start_daemon(
                MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, server,
                MHD_OPTION_LISTEN_SOCKET, take_fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
                MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_SEC, MHD_OPTION_URI_LOG_CALLBACK,
                on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
                MHD_OPTION_END);
        if (!server->daemon) {
                close(take_fd);
                return mr_fail(err, MR_TRANSIENT, NULL, "cannot start the HTTP server");
        }
        return 0;
}

static int server_connect(HttpServer *server, sd_event *event, MrError *err) {
        const union MHD_DaemonInfo *info =
                MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        if (!info)
                return mr_fail(err, MR_BUG, NULL, "the HTTP server has no epoll descriptor");

        server->event = sd_event_ref(event);
        int r = sd_event_add_io(event, &server->io_source, info->epoll_fd, EPOLLIN, server_on_io,
                                server);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &server->time_source, CLOCK_MONOTONIC, 0, 0,
                                               server_on_time, server);
        if (r >= 0)
                r = sd_event_source_set_enabled(server->time_source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &server->resume_source, server_on_resume, server);
        if (r >= 0)
                r = sd_event_source_set_enabled(server->resume_source, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot connect the HTTP server to the loop")
                     : 0;
}

int http_server_new(sd_event *event, int take_fd, HttpHandler handler, void *userdata,
                    HttpServer **ret, MrError *err) {
        _cleanup_(http_server_freep) HttpServer *server = mr_new(HttpServer, 1);

        server->handler = handler;
        server->userdata = userdata;
        int r = server_start(server, take_fd, err);
        if (r == 0)
                r = server_connect(server, event, err);
        if (r < 0)
                return r;
        *ret = TAKE(server);
        return 0;
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
HttpServer *http_server_free(HttpServer *server) {
        if (!server)
                return NULL;
        sd_event_source_disable_unref(server->io_source);
        sd_event_source_disable_unref(server->time_source);
        server->resume_source = sd_event_source_disable_unref(server->resume_source);
        for (Exchange *exchange = server->streams; exchange; exchange = exchange->next) {
                exchange->is_hung_up = true;
                http_stream_hang_up(exchange->stream);
                stream_resume(exchange);
        }
        if (server->daemon) {
                (void) MHD_run(server->daemon);
                MHD_stop_daemon(server->daemon);
        }
        sd_event_unref(server->event);
        free(server);
        return NULL;
}
