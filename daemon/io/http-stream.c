/* Bytes between a producer and a consumer that may each go first. */

#include <string.h>

#include "io/http-stream.h"
#include "sdk/alloc.h"

struct HttpStream {
        unsigned n_refs;
        MrBuf pending;
        size_t taken; /* bytes of pending that were taken already */
        bool is_ended;
        HttpStreamGone gone; /* NULL once told, or ended */
        void *gone_userdata;
        HttpStreamWake wake; /* NULL while no consumer is attached */
        void *wake_userdata;
};

HttpStream *http_stream_new(HttpStreamGone gone, void *userdata) {
        HttpStream *stream = mr_new(HttpStream, 1);

        *stream = (HttpStream){.n_refs = 1, .gone = gone, .gone_userdata = userdata};
        return stream;
}

HttpStream *http_stream_ref(HttpStream *stream) {
        stream->n_refs++;
        return stream;
}

HttpStream *http_stream_unref(HttpStream *stream) {
        if (!stream || --stream->n_refs > 0)
                return NULL;
        mr_buf_done(&stream->pending);
        free(stream);
        return NULL;
}

static void stream_wake(HttpStream *stream) {
        if (stream->wake)
                stream->wake(stream->wake_userdata);
}

static void stream_tell_gone(HttpStream *stream) {
        HttpStreamGone gone = TAKE(stream->gone);

        if (gone)
                gone(stream->gone_userdata, stream);
}

/* A reader that is too slow is told the end; its producer learns that it has gone. */
void http_stream_write(HttpStream *stream, const void *data, size_t size) {
        if (stream->is_ended || size == 0)
                return;
        if (stream->pending.size - stream->taken + size > HTTP_STREAM_MAX) {
                stream->is_ended = true;
                mr_buf_clear(&stream->pending);
                stream->taken = 0;
                stream_wake(stream);
                stream_tell_gone(stream);
                return;
        }
        mr_buf_append(&stream->pending, data, size);
        stream_wake(stream);
}

void http_stream_end(HttpStream *stream) {
        stream->gone = NULL;
        if (stream->is_ended)
                return;
        stream->is_ended = true;
        stream_wake(stream);
}

void http_stream_attach(HttpStream *stream, HttpStreamWake wake, void *userdata) {
        stream->wake = wake;
        stream->wake_userdata = userdata;
}

size_t http_stream_take(HttpStream *stream, void *data, size_t size) {
        size_t n = stream->pending.size - stream->taken;

        if (n > size)
                n = size;
        if (n > 0)
                memcpy(data, stream->pending.data + stream->taken, n);
        stream->taken += n;
        if (stream->taken == stream->pending.size) { /* Idle watches keep no memory. */
                mr_buf_done(&stream->pending);
                stream->taken = 0;
        }
        return n;
}

bool http_stream_is_ended(const HttpStream *stream) {
        return stream->is_ended && stream->taken == stream->pending.size;
}

void http_stream_hang_up(HttpStream *stream) {
        stream->wake = NULL;
        stream->is_ended = true;
        mr_buf_done(&stream->pending);
        stream->taken = 0;
        stream_tell_gone(stream);
}
