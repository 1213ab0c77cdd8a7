#include "io/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/resolve.h"
#include "sdk/alloc.h"
#include "sdk/buf.h"

#define CONNECT_TIMEOUT_USEC (10U * 1000 * 1000)
#define TIMER_ACCURACY_USEC (20U * 1000)
#define READ_SIZE 16384U
/* Reads of one wake-up, so that a fast peer does not hold the loop for itself. */
#define READS_MAX 16U

typedef enum StreamState {
        STREAM_RESOLVING,
        STREAM_CONNECTING,
        STREAM_SHAKING_HANDS,
        STREAM_OPEN,
        STREAM_CLOSED,
} StreamState;

struct Stream {
        sd_event *event;
        const StreamOps *ops;
        void *userdata;
        TlsClient *tls;
        char *server_name;
        char *peer;
        StreamState state;

        Resolve *resolve;
        struct addrinfo *next; /* borrowed from resolve: the address to try after this one */
        int fd;
        TlsSession *session;
        MrBuf output;
        uint32_t extra_events; /* what TLS waits for beside incoming bytes */

        sd_event_source *io;
        sd_event_source *connect_timer;
        sd_event_source *timer;

        unsigned n_entered; /* > 0 while one of our functions is on the stack */
        bool is_freed;      /* freed meanwhile: the memory goes when the last one leaves */
};

static void stream_attend(Stream *stream);

MrTree *stream_shown(const Stream *stream) {
        return stream->session ? tls_session_shown(stream->session) : NULL;
}

const char *stream_peer(const Stream *stream) {
        return stream->peer;
}

static void stream_disconnect(Stream *stream) {
        stream->io = sd_event_source_disable_unref(stream->io);
        stream->session = tls_session_free(stream->session);
        if (stream->fd >= 0)
                close(stream->fd);
        stream->fd = -1;
        stream->extra_events = 0;
}

static void stream_shut(Stream *stream) {
        if (stream->state == STREAM_OPEN && stream->session)
                tls_session_end(stream->session);
        stream->state = STREAM_CLOSED;
        stream_disconnect(stream);
        stream->resolve = resolve_free(stream->resolve);
        stream->connect_timer = sd_event_source_disable_unref(stream->connect_timer);
        stream->timer = sd_event_source_disable_unref(stream->timer);
        mr_buf_wipe(&stream->output);
}

static void stream_release(Stream *stream) {
        tls_client_unref(stream->tls);
        sd_event_unref(stream->event);
        free(stream->server_name);
        free(stream->peer);
        free(stream);
}

Stream *stream_free(Stream *stream) {
        if (!stream)
                return NULL;
        stream_shut(stream);
        stream->is_freed = true;
        if (stream->n_entered == 0)
                stream_release(stream);
        return NULL;
}

static void stream_enter(Stream *stream) {
        stream->n_entered++;
}

static void stream_leave(Stream *stream) {
        if (--stream->n_entered == 0 && stream->is_freed)
                stream_release(stream);
}

static void stream_close(Stream *stream, const MrError *err) {
        if (stream->state == STREAM_CLOSED)
                return;
        stream_shut(stream);
        stream->ops->closed(stream, err, stream->userdata);
}

static void stream_close_failed(Stream *stream, int r, MrError *err) {
        (void) mr_error_within(err, r, "%s", stream->peer);
        stream_close(stream, err);
}

static void stream_opened(Stream *stream) {
        stream->state = STREAM_OPEN;
        stream->resolve = resolve_free(stream->resolve);
        stream->connect_timer = sd_event_source_disable_unref(stream->connect_timer);
        if (stream->ops->connected)
                stream->ops->connected(stream, stream->userdata);
}

static void stream_shake_hands(Stream *stream) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = tls_session_handshake(stream->session, &err);
        if (r == 0)
                stream_opened(stream);
        else if (r != -EAGAIN)
                stream_close_failed(stream, r, &err);
}

static ssize_t stream_read_some(Stream *stream, char *buffer, size_t size, MrError *err) {
        if (stream->session)
                return tls_session_read(stream->session, buffer, size, err);
        ssize_t n = recv(stream->fd, buffer, size, 0);
        if (n >= 0)
                return n;
        if (errno == EAGAIN || errno == EINTR)
                return -EAGAIN;
        return mr_fail_errno(err, errno, NULL, "cannot read");
}

static ssize_t stream_write_some(Stream *stream, MrError *err) {
        if (stream->session)
                return tls_session_write(stream->session, stream->output.data, stream->output.size,
                                         err);
        ssize_t n = send(stream->fd, stream->output.data, stream->output.size, MSG_NOSIGNAL);
        if (n >= 0)
                return n;
        if (errno == EAGAIN || errno == EINTR)
                return -EAGAIN;
        return mr_fail_errno(err, errno, NULL, "cannot write");
}

static void stream_note_wants(Stream *stream) {
        if (stream->session)
                stream->extra_events |= tls_session_wants(stream->session);
}

static void stream_read(Stream *stream) {
        char buffer[READ_SIZE];

        for (unsigned i = 0; stream->state == STREAM_OPEN; i++) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                if (i >= READS_MAX &&
                    !(stream->session && tls_session_has_pending(stream->session)))
                        return;
                ssize_t n = stream_read_some(stream, buffer, sizeof(buffer), &err);
                if (n == -EAGAIN)
                        return stream_note_wants(stream);
                if (n == 0)
                        return stream_close(stream, NULL);
                if (n < 0)
                        return stream_close_failed(stream, (int) n, &err);
                stream->ops->received(stream, buffer, (size_t) n, stream->userdata);
        }
}

/* A peer that has gone may have said why before it went, as TLS does when it refuses a certificate:
 * what is still to be read explains more than the failure to write. */
static void stream_write_failed(Stream *stream, int r, MrError *err) {
        stream_read(stream);
        if (stream->state == STREAM_OPEN)
                stream_close_failed(stream, r, err);
}

static void stream_flush(Stream *stream) {
        while (stream->state == STREAM_OPEN && stream->output.size > 0) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                ssize_t n = stream_write_some(stream, &err);
                if (n == -EAGAIN)
                        return stream_note_wants(stream);
                if (n < 0)
                        return stream_write_failed(stream, (int) n, &err);
                mr_buf_drop(&stream->output, (size_t) n);
        }
}

/* The events that the present state waits for. */
static uint32_t stream_events(const Stream *stream) {
        switch (stream->state) {
        case STREAM_CONNECTING:
                return EPOLLOUT;
        case STREAM_SHAKING_HANDS:
                return tls_session_wants(stream->session);
        default:
                return EPOLLIN | stream->extra_events | (stream->output.size > 0 ? EPOLLOUT : 0);
        }
}

static int stream_start_tls(Stream *stream, MrError *err) {
        stream->state = STREAM_SHAKING_HANDS;
        return tls_session_new(stream->tls, stream->fd, stream->server_name, &stream->session, err);
}

static void stream_tcp_connected(Stream *stream) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (!stream->tls)
                return stream_opened(stream);
        int r = stream_start_tls(stream, &err);
        if (r < 0)
                return stream_close_failed(stream, r, &err);
        stream_shake_hands(stream);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static int stream_connect_to(Stream *stream, const struct addrinfo *address) {
        static const int on = 1;

        stream->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (stream->fd < 0)
                return -errno;
        (void) setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void) setsockopt(stream->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        if (connect(stream->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
                return -errno;
        return sd_event_add_io(stream->event, &stream->io, stream->fd, EPOLLOUT, on_io, stream);
}

/* Tries the addresses one after the other; the error of the last one is the one reported. */
static void stream_connect_next(Stream *stream, int r) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        stream->state = STREAM_CONNECTING;
        while (stream->next) {
                const struct addrinfo *address = stream->next;
                stream->next = stream->next->ai_next;
                stream_disconnect(stream);
                r = stream_connect_to(stream, address);
                if (r >= 0)
                        return;
        }
        (void) mr_fail_errno(&err, -r, NULL, "cannot connect");
        stream_close_failed(stream, r, &err);
}

static void stream_finish_connect(Stream *stream) {
        int failure = 0;
        socklen_t size = sizeof(failure);

        if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
                failure = errno;
        if (failure == 0)
                stream_tcp_connected(stream);
        else
                stream_connect_next(stream, -failure);
}

static void stream_attend(Stream *stream) {
        if (stream->state == STREAM_CLOSED || !stream->io)
                return;
        int r = sd_event_source_set_io_events(stream->io, stream_events(stream));
        if (r < 0) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                (void) mr_fail_errno(&err, -r, NULL, "cannot watch a socket");
                stream_close_failed(stream, r, &err);
        }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Stream *stream = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        stream_enter(stream);
        stream->extra_events = 0;
        if (stream->state == STREAM_CONNECTING)
                stream_finish_connect(stream);
        else if (stream->state == STREAM_SHAKING_HANDS)
                stream_shake_hands(stream);
        /* Bytes may have come with the end of the handshake, and TLS may have to read to write. */
        if (stream->state == STREAM_OPEN)
                stream_flush(stream);
        if (stream->state == STREAM_OPEN)
                stream_read(stream);
        stream_attend(stream);
        stream_leave(stream);
        return 0;
}

static void on_resolved(const MrError *err, const struct addrinfo *addresses, void *userdata) {
        Stream *stream = userdata;

        stream_enter(stream);
        if (err)
                stream_close(stream, err);
        else {
                stream->next = (struct addrinfo *) (uintptr_t) addresses;
                stream_connect_next(stream, -EADDRNOTAVAIL);
        }
        stream_leave(stream);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Stream *stream = userdata;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) usec;
        stream_enter(stream);
        (void) mr_fail_errno(&err, ETIMEDOUT, NULL,
                             source == stream->timer ? "no answer in time" : "cannot connect");
        stream_close_failed(stream, -ETIMEDOUT, &err);
        stream_leave(stream);
        return 0;
}

static int stream_arm(Stream *stream, sd_event_source **timer, uint64_t usec, MrError *err) {
        int r = sd_event_add_time_relative(stream->event, timer, CLOCK_MONOTONIC, usec,
                                           TIMER_ACCURACY_USEC, on_timeout, stream);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot arm a timer") : 0;
}

static int stream_start(Stream *stream, const StreamArgs *args, MrError *err) {
        uint64_t usec =
                args->connect_timeout_usec ? args->connect_timeout_usec : CONNECT_TIMEOUT_USEC;

        int r = stream_arm(stream, &stream->connect_timer, usec, err);
        if (r >= 0 && args->timeout_usec > 0)
                r = stream_arm(stream, &stream->timer, args->timeout_usec, err);
        if (r < 0)
                return r;
        return resolve_start(stream->event, args->host, args->port, on_resolved, stream,
                             &stream->resolve, err);
}

int stream_new(sd_event *event, const StreamArgs *args, Stream **ret, MrError *err) {
        _cleanup_(stream_freep) Stream *stream = mr_new(Stream, 1);

        *stream = (Stream){
                .event = sd_event_ref(event),
                .ops = args->ops,
                .userdata = args->userdata,
                .tls = tls_client_ref(args->tls),
                .server_name = mr_strdup(args->server_name ? args->server_name : args->host),
                .peer = mr_strf(strchr(args->host, ':') ? "[%s]:%u" : "%s:%u", args->host,
                                (unsigned) args->port),
                .fd = -1,
        };
        int r = stream_start(stream, args, err);
        if (r < 0)
                return r;
        *ret = TAKE(stream);
        return 0;
}

void stream_write(Stream *stream, const void *data, size_t size) {
        if (stream->state == STREAM_CLOSED)
                return;
        mr_buf_append(&stream->output, data, size);
        /* Sent from the loop, so that no callback ever runs below the caller. */
        stream_attend(stream);
}
