#pragma once

/* A small HTTP/1.1 server behind sd-event: libmicrohttpd does the protocol, this file turns it into
 * one function from request to response. A response may be a stream, to which lines are written as
 * long as the client listens. Plain HTTP only; access is decided by the mode of the UNIX socket, or
 * by where the TCP socket is bound. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "io/http-stream.h"
#include "sdk/buf.h"
#include "sdk/error.h"
#include "sdk/tree.h"

#define HTTP_BODY_MAX (4U * 1024 * 1024)
#define HTTP_PARAMETERS_MAX 32U

typedef struct HttpParameter {
        char *name;
        char *value; /* "" for "?watch" */
} HttpParameter;

/* A request, complete with its body. Tests and the fuzz target make one by hand. */
typedef struct HttpRequest {
        const char *method;        /* "GET", borrowed */
        char *path;                /* decoded, without the query: "/apis/…" */
        HttpParameter *parameters; /* decoded, in order */
        size_t n_parameters;
        char *content_type; /* without parameters, lower case; NULL when absent */
        MrBuf body;
        uid_t uid;     /* of the peer on a UNIX socket, (uid_t) -1 otherwise */
        bool is_local; /* came over the UNIX socket */
} HttpRequest;

void http_request_done(HttpRequest *request);
/* Splits and decodes "/path?name=value&…". Refuses what is no absolute path, a broken escape and
 * NUL bytes. */
int http_request_set_target(HttpRequest *request, const char *target, MrError *err) _must_check_;
/* The value of a parameter, NULL when absent. */
const char *http_request_parameter(const HttpRequest *request, const char *name);
bool http_request_flag(const HttpRequest *request, const char *name); /* "1", "true" or "" */

typedef struct HttpResponse {
        unsigned status;          /* 200 … */
        const char *content_type; /* static text */
        MrBuf body;
        HttpStream *stream; /* instead of a body: the reference the server takes over */
        char **warnings;    /* texts of Warning headers */
        size_t n_warnings;
} HttpResponse;

void http_response_done(HttpResponse *response);
/* Answers with an error the way Kubernetes does: a Status object. `reason` NULL: the usual one of
 * the status code; `details` may be NULL. */
void http_response_fail(HttpResponse *response, unsigned status, const char *reason,
                        const char *message, MrTree *take_details);
void http_response_json(HttpResponse *response, unsigned status, const MrTree *tree);
/* Adds `Warning: 299 - "text"`; what cannot stand in a header is replaced. */
void http_response_warn(HttpResponse *response, const char *text);

/* Fills the response; called on the loop, must not block. */
typedef void (*HttpHandler)(void *userdata, const HttpRequest *request, HttpResponse *response);

typedef struct HttpServer HttpServer;

/* Serves a listening socket, which the server closes at the end (also when this fails). */
int http_server_new(sd_event *event, int take_fd, HttpHandler handler, void *userdata,
                    HttpServer **ret, MrError *err);
HttpServer *http_server_free(HttpServer *server); /* returns NULL; takes NULL; ends all streams */
DEFINE_CLEANUP(HttpServer *, http_server_free);

/* Listening sockets. The UNIX one replaces a stale socket, never a living one or a file, and gets
 * mode 0660; `group` (NULL: unchanged) owns it. The TCP address is "127.0.0.1:9404", "[::1]:9404"
 * or ":9404" (every address). */
int http_listen_unix(const char *path, const char *group, MrError *err);
int http_listen_tcp(const char *address, MrError *err);
