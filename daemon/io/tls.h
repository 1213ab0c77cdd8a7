#pragma once

/* The client side of TLS as streams need it: identity and trust from PEM text in memory, TLS 1.2 or
 * newer, and a peer whose certificate must carry the name or address it was asked by. Nothing here
 * waits: a session says which readiness it needs and is called again. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sdk/error.h"
#include "sdk/tree.h"

typedef struct TlsClient TlsClient;
typedef struct TlsSession TlsSession;

typedef struct TlsClientArgs {
        const char *certificate; /* PEM, own certificate first, then its chain; NULL: no client
                                    identity */
        const char *key;         /* PEM, not encrypted; NULL exactly when certificate is */
        const char *trust;       /* PEM, one or more certificates to trust */
        /* Only looks at what the peer shows: trusts nobody, sends no certificate, and counts the
         * handshake as done when it would be its turn to do so. Nothing can be sent. */
        bool only_looks;
} TlsClientArgs;

/* Shared by all streams of one identity. Reference counted; the text of args is not kept. */
int tls_client_new(const TlsClientArgs *args, TlsClient **ret, MrError *err) _must_check_;
TlsClient *tls_client_ref(TlsClient *client);
TlsClient *tls_client_unref(TlsClient *client);
DEFINE_CLEANUP(TlsClient *, tls_client_unref);

/* A session over a connected non-blocking socket, which stays the caller's. */
int tls_session_new(TlsClient *client, int fd, const char *server_name, TlsSession **ret,
                    MrError *err) _must_check_;
TlsSession *tls_session_free(TlsSession *session);

/* What the peer has shown in a handshake that is done: {certificate, authorities}, SHA-256 of its
 * certificate and of the name of each authority whose certificates it accepts; authorities is
 * absent when it asks for no certificate. */
MrTree *tls_session_shown(const TlsSession *session);

/* 0 when done, -EAGAIN when the socket must become ready first. */
int tls_session_handshake(TlsSession *session, MrError *err) _must_check_;
/* Bytes moved; 0 from read means that the peer has ended; -EAGAIN as above. */
ssize_t tls_session_read(TlsSession *session, void *buffer, size_t size, MrError *err) _must_check_;
ssize_t tls_session_write(TlsSession *session, const void *data, size_t size,
                          MrError *err) _must_check_;
/* Whether bytes wait inside the session, about which the socket says nothing. */
bool tls_session_has_pending(const TlsSession *session);
/* EPOLLIN or EPOLLOUT: what the last -EAGAIN waits for. */
uint32_t tls_session_wants(const TlsSession *session);
/* Tells the peer, without waiting, that nothing more comes. */
void tls_session_end(TlsSession *session);
