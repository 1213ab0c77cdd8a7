#include "io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sdk/alloc.h"
#include "sdk/str.h"

struct TlsClient {
        unsigned n_ref;
        SSL_CTX *context;
        BIO_METHOD *method;
};

struct TlsSession {
        TlsClient *client;
        SSL *ssl;
        uint32_t wants;
};

static void bio_freep(BIO **bio) {
        BIO_free(*bio);
}

static void key_freep(EVP_PKEY **key) {
        EVP_PKEY_free(*key);
}

static void x509_freep(X509 **certificate) {
        X509_free(*certificate);
}

/* An encrypted key is refused instead of asking the terminal for its password. */
static int refuse_password(char *buffer, int size, int is_writing, void *userdata) {
        (void) buffer;
        (void) size;
        (void) is_writing;
        (void) userdata;
        return -1;
}

/* Reads the next certificate: 1 one was read, 0 there is none left, -1 the text is damaged. */
static int next_certificate(BIO *bio, X509 **ret) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, refuse_password, NULL);

        if (certificate) {
                *ret = certificate;
                return 1;
        }
        bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return is_end ? 0 : -1;
}

static int client_trust(TlsClient *client, const char *pem, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
        X509_STORE *store = SSL_CTX_get_cert_store(client->context);
        size_t n = 0;

        for (;; n++) {
                _cleanup_(x509_freep) X509 *certificate = NULL;
                int r = next_certificate(bio, &certificate);
                if (r == 0)
                        break;
                if (r < 0 || X509_STORE_add_cert(store, certificate) != 1)
                        return mr_fail(err, MR_INVALID, "trust",
                                       "certificate %zu is damaged; it must be PEM text", n + 1);
        }
        if (n == 0)
                return mr_fail(err, MR_INVALID, "trust", "holds no certificate in PEM text");
        /* As in Java, any certificate one trusts ends a chain, not only a root. */
        (void) X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        return 0;
}

static int client_certificate(TlsClient *client, const char *pem, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);

        for (size_t n = 0;; n++) {
                _cleanup_(x509_freep) X509 *certificate = NULL;
                int r = next_certificate(bio, &certificate);
                if (r == 0 && n > 0)
                        return 0;
                if (r > 0)
                        r = n == 0 ? SSL_CTX_use_certificate(client->context, certificate)
                                   : (int) SSL_CTX_add1_chain_cert(client->context, certificate);
                if (r <= 0)
                        return mr_fail(err, MR_INVALID, "certificate",
                                       "is not a certificate in PEM text that can be used");
        }
}

static int client_key(TlsClient *client, const char *pem, MrError *err) {
        _cleanup_(bio_freep) BIO *bio = BIO_new_mem_buf(pem, -1);
        _cleanup_(key_freep) EVP_PKEY *key =
                PEM_read_bio_PrivateKey(bio, NULL, refuse_password, NULL);

        if (!key)
                return mr_fail(err, MR_INVALID, "key",
                               "is not a private key in PEM text without a password");
        if (SSL_CTX_use_PrivateKey(client->context, key) != 1)
                return mr_fail(err, MR_INVALID, "key", "does not belong to the certificate");
        return 0;
}

/* Writes to a socket whose peer is gone must not raise SIGPIPE, which OpenSSL's own socket BIO
 * would. */
static int socket_write(BIO *bio, const char *data, int size) {
        ssize_t n = send((int) (intptr_t) BIO_get_data(bio), data, (size_t) size, MSG_NOSIGNAL);

        BIO_clear_retry_flags(bio);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                BIO_set_retry_write(bio);
        return (int) n;
}

static int socket_read(BIO *bio, char *buffer, int size) {
        ssize_t n = recv((int) (intptr_t) BIO_get_data(bio), buffer, (size_t) size, 0);

        BIO_clear_retry_flags(bio);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                BIO_set_retry_read(bio);
        if (n == 0)
                BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return (int) n;
}

static long socket_control(BIO *bio, int command, long number, void *pointer) {
        (void) number;
        (void) pointer;
        if (command == BIO_CTRL_EOF)
                return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
        return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method_new(void) {
        BIO_METHOD *method =
                BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream socket");

        if (!method)
                return NULL;
        (void) BIO_meth_set_write(method, socket_write);
        (void) BIO_meth_set_read(method, socket_read);
        (void) BIO_meth_set_ctrl(method, socket_control);
        return method;
}

/* Asked when the peer wants a certificate: the handshake stops there. */
static int stop_looking(SSL *ssl, void *userdata) {
        (void) ssl;
        (void) userdata;
        return -1;
}

static int client_setup(TlsClient *client, const TlsClientArgs *args, MrError *err) {
        if (!client->context || !client->method)
                return mr_fail(err, MR_BUG, NULL, "cannot make a TLS context");
        SSL_CTX_set_min_proto_version(client->context, TLS1_2_VERSION);
        SSL_CTX_set_options(client->context,
                            SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_mode(client->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                                  SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);

        if (args->only_looks) {
                SSL_CTX_set_verify(client->context, SSL_VERIFY_NONE, NULL);
                SSL_CTX_set_cert_cb(client->context, stop_looking, NULL);
                return 0;
        }
        if (!args->trust)
                return mr_fail(err, MR_INVALID, "trust",
                               "is missing; a peer cannot be trusted blindly");
        if (!args->certificate != !args->key)
                return mr_fail(err, MR_INVALID, args->key ? "certificate" : "key",
                               "is missing; a certificate and its key go together");
        int r = client_trust(client, args->trust, err);
        if (r < 0 || !args->certificate)
                return r;
        r = client_certificate(client, args->certificate, err);
        if (r < 0)
                return r;
        return client_key(client, args->key, err);
}

int tls_client_new(const TlsClientArgs *args, TlsClient **ret, MrError *err) {
        _cleanup_(tls_client_unrefp) TlsClient *client = mr_new(TlsClient, 1);

        client->n_ref = 1;
        client->context = SSL_CTX_new(TLS_client_method());
        client->method = socket_method_new();
        int r = client_setup(client, args, err);
        ERR_clear_error();
        if (r < 0)
                return r;
        *ret = TAKE(client);
        return 0;
}

TlsClient *tls_client_ref(TlsClient *client) {
        if (client)
                client->n_ref++;
        return client;
}

TlsClient *tls_client_unref(TlsClient *client) {
        if (!client || --client->n_ref > 0)
                return NULL;
        SSL_CTX_free(client->context);
        BIO_meth_free(client->method);
        free(client);
        return NULL;
}

/* An address is compared with the addresses in the certificate and never sent as a name. */
static int session_expect(TlsSession *session, const char *name) {
        struct in6_addr address;
        X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);

        if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1)
                return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? 0 : -EINVAL;

        /* The library's macro casts constness away, so it gets a copy of its own. */
        _cleanup_free_ char *host = mr_strdup(name);
        SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(session->ssl, host) != 1)
                return -EINVAL;
        return SSL_set_tlsext_host_name(session->ssl, host) == 1 ? 0 : -EINVAL;
}

int tls_session_new(TlsClient *client, int fd, const char *server_name, TlsSession **ret,
                    MrError *err) {
        TlsSession *session = mr_new(TlsSession, 1);
        BIO *bio = BIO_new(client->method);

        session->client = tls_client_ref(client);
        session->ssl = SSL_new(client->context);
        if (!bio || !session->ssl || session_expect(session, server_name) < 0) {
                BIO_free(bio);
                tls_session_free(session);
                ERR_clear_error();
                return mr_fail(err, MR_INVALID, NULL, "cannot use TLS with %s", server_name);
        }
        BIO_set_data(bio, (void *) (intptr_t) fd);
        BIO_set_init(bio, 1);
        SSL_set_bio(session->ssl, bio, bio);
        SSL_set_connect_state(session->ssl);
        *ret = session;
        return 0;
}

TlsSession *tls_session_free(TlsSession *session) {
        if (!session)
                return NULL;
        SSL_free(session->ssl);
        tls_client_unref(session->client);
        free(session);
        return NULL;
}

/* What the library has to say, in the words of its own error strings; they name no secret. */
static int session_explain(TlsSession *session, int saved_errno, MrError *err) {
        unsigned long code = ERR_peek_last_error();
        long verdict = SSL_get_verify_result(session->ssl);

        if (verdict != X509_V_OK)
                return mr_fail(err, MR_DENIED, NULL, "the peer's certificate is refused: %s",
                               X509_verify_cert_error_string(verdict));
        if (code == 0)
                return mr_fail_errno(err, saved_errno ? saved_errno : ECONNRESET, NULL,
                                     "the connection broke");

        const char *reason = ERR_reason_error_string(code);
        /* Reasons above this offset are alerts, so it is the peer who refuses. */
        bool is_alert = ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET;
        return mr_fail(err, is_alert ? MR_DENIED : MR_TRANSIENT, NULL, "TLS failed: %s",
                       reason ? reason : "unknown reason");
}

/* Maps the answer of an SSL call that did not succeed; 0 means that the peer has ended. */
static int session_result(TlsSession *session, int result, MrError *err) {
        int saved_errno = errno;
        int code = SSL_get_error(session->ssl, result);
        int r;

        switch (code) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
                session->wants = code == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        default:
                r = session_explain(session, saved_errno, err);
                ERR_clear_error();
                return r == -EAGAIN ? -ECONNRESET : r;
        }
}

int tls_session_handshake(TlsSession *session, MrError *err) {
        ERR_clear_error();
        errno = 0;
        int result = SSL_do_handshake(session->ssl);
        if (result == 1 || SSL_want_x509_lookup(session->ssl))
                return 0;
        int r = session_result(session, result, err);
        if (r == 0)
                r = mr_fail_errno(err, ECONNRESET, NULL, "the peer ended during the TLS handshake");
        return r;
}

static void add_authorities(const TlsSession *session, MrTree *list) {
        const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(session->ssl);

        for (int i = 0; names && i < sk_X509_NAME_num(names); i++) {
                unsigned char *der = NULL;
                int size = i2d_X509_NAME(sk_X509_NAME_value(names, i), &der);
                char digest[MR_DIGEST_MAX];
                if (size > 0) {
                        mr_digest(der, (size_t) size, digest);
                        mr_tree_append(list, mr_tree_new_string(digest));
                }
                OPENSSL_free(der);
        }
}

static void add_end(const X509 *certificate, MrTree *map) {
        struct tm tm = {};

        if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm) == 1)
                mr_tree_set_int(map, "not_after", (int64_t) timegm(&tm));
}

MrTree *tls_session_shown(const TlsSession *session) {
        _cleanup_(x509_freep) X509 *certificate = SSL_get1_peer_certificate(session->ssl);
        MrTree *map = mr_tree_new_map();
        unsigned char *der = NULL;
        int size = certificate ? i2d_X509(certificate, &der) : 0;

        if (size > 0) {
                char digest[MR_DIGEST_MAX];
                mr_digest(der, (size_t) size, digest);
                mr_tree_set_string(map, "certificate", digest);
                add_end(certificate, map);
        }
        OPENSSL_free(der);
        if (SSL_want_x509_lookup(session->ssl))
                add_authorities(session, mr_tree_need_list(map, "authorities"));
        ERR_clear_error();
        return map;
}

ssize_t tls_session_read(TlsSession *session, void *buffer, size_t size, MrError *err) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_read(session->ssl, buffer, size > INT_MAX ? INT_MAX : (int) size);
        return n > 0 ? n : session_result(session, n, err);
}

ssize_t tls_session_write(TlsSession *session, const void *data, size_t size, MrError *err) {
        ERR_clear_error();
        errno = 0;
        int n = SSL_write(session->ssl, data, size > INT_MAX ? INT_MAX : (int) size);
        if (n > 0)
                return n;
        int r = session_result(session, n, err);
        if (r == 0)
                r = mr_fail_errno(err, EPIPE, NULL, "the peer has ended");
        return r;
}

bool tls_session_has_pending(const TlsSession *session) {
        return SSL_pending(session->ssl) > 0;
}

uint32_t tls_session_wants(const TlsSession *session) {
        return session->wants;
}

void tls_session_end(TlsSession *session) {
        ERR_clear_error();
        (void) SSL_shutdown(session->ssl);
        ERR_clear_error();
}
