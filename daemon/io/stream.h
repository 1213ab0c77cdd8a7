#pragma once

/* A byte stream to one TCP peer on the event loop, with or without TLS. It resolves, connects and
 * shakes hands by itself, never blocks, and reports by three callbacks. It knows nothing of what
 * the bytes mean, and never logs them. */

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "io/tls.h"
#include "sdk/error.h"

typedef struct Stream Stream;

/* All are called from the loop, never from stream_new() or stream_write(), and the stream may be
 * freed from inside each. */
typedef struct StreamOps {
        /* The peer can be talked to. NULL: nobody wants to know. */
        void (*connected)(Stream *stream, void *userdata);
        /* Bytes have come; they are borrowed. */
        void (*received)(Stream *stream, const void *data, size_t size, void *userdata);
        /* The last call. err is NULL when the peer has ended in good order, else borrowed. */
        void (*closed)(Stream *stream, const MrError *err, void *userdata);
} StreamOps;

typedef struct StreamArgs {
        const char *host; /* name or numeric address */
        uint16_t port;
        TlsClient *tls;                /* NULL: plain TCP */
        const char *server_name;       /* what the peer's certificate must carry; NULL: host */
        uint64_t connect_timeout_usec; /* name, TCP and TLS together; 0: ten seconds */
        uint64_t timeout_usec;         /* of the whole life; 0: none */
        const StreamOps *ops;          /* static */
        void *userdata;
} StreamArgs;

/* Starts to connect. Nothing in args is kept but ops, userdata and a reference to tls. */
int stream_new(sd_event *event, const StreamArgs *args, Stream **ret, MrError *err) _must_check_;
/* Closes without a further callback. Takes and returns NULL. */
Stream *stream_free(Stream *stream);
DEFINE_CLEANUP(Stream *, stream_free);
/* Queues bytes; before the stream is connected they wait, after it has closed they are dropped. */
void stream_write(Stream *stream, const void *data, size_t size);
/* Once connected: what the peer showed in the handshake; see tls_session_shown(). NULL without TLS.
 */
MrTree *stream_shown(const Stream *stream);
/* "host:port", for messages. */
const char *stream_peer(const Stream *stream);
