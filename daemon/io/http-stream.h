#pragma once

/* The open end of a streamed response: its producer writes, its consumer (the HTTP server, or a
 * test) takes the bytes away. Both hold a reference; each learns when the other has gone. */

#include <stdbool.h>

#include "sdk/buf.h"

/* A stream whose reader falls this far behind is ended: the client lists again. */
#define HTTP_STREAM_MAX (16U * 1024 * 1024)

typedef struct HttpStream HttpStream;

/* `gone` tells the producer, once, that nobody reads any more; it then drops its reference. */
typedef void (*HttpStreamGone)(void *userdata, HttpStream *stream);
/* `wake` tells the consumer that there are bytes, or the end. */
typedef void (*HttpStreamWake)(void *userdata);

HttpStream *http_stream_new(HttpStreamGone gone,
                            void *userdata); /* one reference, the producer's */
HttpStream *http_stream_ref(HttpStream *stream);
HttpStream *http_stream_unref(HttpStream *stream); /* returns NULL; takes NULL */
DEFINE_CLEANUP(HttpStream *, http_stream_unref);

/* For the producer. */
void http_stream_write(HttpStream *stream, const void *data, size_t size);
void http_stream_end(HttpStream *stream); /* `gone` is not called after this */

/* For the consumer. */
void http_stream_attach(HttpStream *stream, HttpStreamWake wake, void *userdata);
size_t http_stream_take(HttpStream *stream, void *data, size_t size); /* 0: nothing there now */
bool http_stream_is_ended(const HttpStream *stream);                  /* and everything was taken */
void http_stream_hang_up(HttpStream *stream); /* detaches, and tells the producer */
