#include "tls-peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdk/alloc.h"

struct TestPeer {
        TestPeerArgs args;
        SSL_CTX *context;
        int listener;
        int stop[2];
        uint16_t port;
        atomic_uint n_accepted;
        pthread_t thread;
};

static void need(bool is_so) {
        if (!is_so)
                abort();
}

static char *bio_text(BIO *bio) {
        char *data = NULL;
        long size = BIO_get_mem_data(bio, &data);
        char *text = mr_strndup(data, (size_t) size);

        BIO_free(bio);
        return text;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
        X509V3_CTX context;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        need(extension && X509_add_ext(certificate, extension, -1));
        X509_EXTENSION_free(extension);
}

static EVP_PKEY *read_key(const char *pem) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

        BIO_free(bio);
        return key;
}

static X509 *read_certificate(const char *pem) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        BIO_free(bio);
        return certificate;
}

TestIdentity test_identity_new(const char *common_name, const char *san,
                               const TestIdentity *issuer) {
        static int64_t serial;
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();
        X509 *issuer_certificate = issuer ? read_certificate(issuer->certificate) : certificate;
        EVP_PKEY *issuer_key = issuer ? read_key(issuer->key) : key;
        X509_NAME *name = X509_get_subject_name(certificate);

        X509_set_version(certificate, 2);
        ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *) common_name,
                                   -1, -1, 0);
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer_certificate));
        X509_set_pubkey(certificate, key);
        add_extension(certificate, issuer_certificate, NID_basic_constraints,
                      issuer ? "CA:FALSE" : "critical,CA:TRUE");
        if (san)
                add_extension(certificate, issuer_certificate, NID_subject_alt_name, san);
        need(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);

        BIO *certificate_bio = BIO_new(BIO_s_mem());
        BIO *key_bio = BIO_new(BIO_s_mem());
        need(PEM_write_bio_X509(certificate_bio, certificate));
        need(PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL));
        TestIdentity identity = {.certificate = bio_text(certificate_bio),
                                 .key = bio_text(key_bio)};
        if (issuer) {
                X509_free(issuer_certificate);
                EVP_PKEY_free(issuer_key);
        }
        X509_free(certificate);
        EVP_PKEY_free(key);
        return identity;
}

void test_identity_done(TestIdentity *identity) {
        free(identity->certificate);
        free(identity->key);
        *identity = (TestIdentity){};
}

static SSL_CTX *make_context(const TestPeerArgs *args) {
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());
        X509 *certificate = read_certificate(args->identity->certificate);
        EVP_PKEY *key = read_key(args->identity->key);

        need(SSL_CTX_use_certificate(context, certificate) == 1);
        need(SSL_CTX_use_PrivateKey(context, key) == 1);
        X509_free(certificate);
        EVP_PKEY_free(key);
        if (args->client_trust) {
                X509 *trust = read_certificate(args->client_trust);
                need(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), trust) == 1);
                need(SSL_CTX_add_client_CA(context, trust) == 1);
                X509_free(trust);
                SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                   NULL);
        }
        return context;
}

static bool wait_readable(const TestPeer *peer, int fd) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = peer->stop[0], .events = POLLIN}};

        return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

static ssize_t peer_read(int fd, SSL *ssl, char *buffer, size_t size) {
        return ssl ? SSL_read(ssl, buffer, (int) size) : recv(fd, buffer, size, 0);
}

static void peer_write(int fd, SSL *ssl, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n =
                        ssl ? SSL_write(ssl, data, (int) size) : send(fd, data, size, MSG_NOSIGNAL);
                if (n <= 0)
                        return;
                data += n;
                size -= (size_t) n;
        }
}

static void peer_talk(const TestPeer *peer, int fd, SSL *ssl) {
        char buffer[65536];

        while ((ssl && SSL_pending(ssl) > 0) || wait_readable(peer, fd)) {
                ssize_t n = peer_read(fd, ssl, buffer, sizeof(buffer));
                if (n <= 0)
                        return;
                if (peer->args.mode == TEST_PEER_ECHO) {
                        peer_write(fd, ssl, buffer, (size_t) n);
                        continue;
                }
                peer_write(fd, ssl, peer->args.answer, strlen(peer->args.answer));
                return;
        }
}

static void peer_serve(const TestPeer *peer, int fd) {
        SSL *ssl = NULL;

        if (peer->args.mode == TEST_PEER_SILENT) {
                (void) wait_readable(peer, peer->stop[0]);
                return;
        }
        if (peer->context) {
                ssl = SSL_new(peer->context);
                SSL_set_fd(ssl, fd);
                if (SSL_accept(ssl) != 1) {
                        SSL_free(ssl);
                        return;
                }
        }
        peer_talk(peer, fd, ssl);
        if (ssl)
                SSL_shutdown(ssl);
        SSL_free(ssl);
}

static void *peer_run(void *userdata) {
        TestPeer *peer = userdata;

        while (wait_readable(peer, peer->listener)) {
                int fd = accept(peer->listener, NULL, NULL);
                if (fd < 0)
                        break;
                atomic_fetch_add(&peer->n_accepted, 1);
                peer_serve(peer, fd);
                shutdown(fd, SHUT_WR);
                close(fd);
        }
        return NULL;
}

TestPeer *test_peer_new(const TestPeerArgs *args) {
        TestPeer *peer = mr_new(TestPeer, 1);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(address);

        peer->args = *args;
        peer->context = args->identity ? make_context(args) : NULL;
        peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        need(bind(peer->listener, (struct sockaddr *) &address, size) == 0);
        need(listen(peer->listener, 8) == 0);
        need(getsockname(peer->listener, (struct sockaddr *) &address, &size) == 0);
        peer->port = ntohs(address.sin_port);
        need(pipe(peer->stop) == 0);
        need(pthread_create(&peer->thread, NULL, peer_run, peer) == 0);
        return peer;
}

uint16_t test_peer_port(const TestPeer *peer) {
        return peer->port;
}

unsigned test_peer_accepted(const TestPeer *peer) {
        return atomic_load(&peer->n_accepted);
}

TestPeer *test_peer_free(TestPeer *peer) {
        if (!peer)
                return NULL;
        need(write(peer->stop[1], "x", 1) == 1);
        pthread_join(peer->thread, NULL);
        close(peer->stop[0]);
        close(peer->stop[1]);
        close(peer->listener);
        SSL_CTX_free(peer->context);
        free(peer);
        return NULL;
}
