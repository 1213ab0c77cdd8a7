#pragma once

/* What TLS endpoints show to anybody who asks: their certificate, and whose certificates they
 * accept. It is the only way to learn which files a process has read. The handshake is broken off
 * before it is our turn to prove who we are, which servers take for a lost connection. */

#include "io/stream.h"
#include "sdk/tree.h"

typedef struct TlsEndpoint {
        const char *node, *endpoint; /* keys in the answer */
        const char *host;
        uint16_t port;
} TlsEndpoint;

typedef struct TlsLook TlsLook;

/* {NODE: {ENDPOINT: {"certificate", "authorities", "error"}}}, see tls_session_shown(); taken over
 * by the receiver, to whom the look may be freed already. */
typedef void (*TlsSeen)(void *userdata, MrTree *take_view);

/* Looks at all at once, each for at most `timeout_usec`. Everything is copied. */
int tls_look_new(sd_event *event, const TlsEndpoint *endpoints, size_t n, uint64_t timeout_usec,
                 TlsSeen seen, void *userdata, TlsLook **ret, MrError *err) _must_check_;
/* No callback comes any more. Takes and returns NULL. */
TlsLook *tls_look_free(TlsLook *look);
