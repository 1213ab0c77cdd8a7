#pragma once

/* HTTP/1.1 over a UNIX socket, for command line tools: one connection a request, blocking with
 * deadlines. */

#include <stdbool.h>
#include <stdint.h>

#include "sdk/buf.h"
#include "sdk/error.h"

typedef struct HttpCall {
        const char *method;
        const char *target;       /* encoded already */
        const char *content_type; /* NULL: no body */
        const void *body;
        size_t body_size;
        int64_t timeout_msec; /* until the head of the response is there; 0: 30 s */
} HttpCall;

typedef struct HttpClient HttpClient;

/* Sends the request and reads the head of the response. When nobody listens that is
 * -ECONNREFUSED, whatever the reason. */
int http_client_open(const char *socket_path, const HttpCall *call, HttpClient **ret,
                     MrError *err) _must_check_;
HttpClient *http_client_free(HttpClient *client); /* returns NULL; takes NULL */
DEFINE_CLEANUP(HttpClient *, http_client_free);

unsigned http_client_status(const HttpClient *client);
/* Texts of the Warning headers; NULL beyond the last. */
const char *http_client_warning(const HttpClient *client, size_t i);
/* The whole body, which ends by itself. */
int http_client_read(HttpClient *client, MrBuf *out, MrError *err) _must_check_;
/* The next line of a stream, without its end: 1; 0 when none came within the time (-1: for ever);
 * -ENODATA when the stream has ended. The caller frees it. */
int http_client_read_line(HttpClient *client, int64_t timeout_msec, char **ret,
                          MrError *err) _must_check_;
int http_client_fd(const HttpClient *client);

/* Appends text so that it can stand in a target, between slashes. */
void http_encode(const char *text, MrBuf *out);
