#pragma once

/* The other end of a stream, for tests: certificates made in memory and a small server in a thread.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct TestIdentity {
        char *certificate; /* PEM */
        char *key;         /* PEM */
} TestIdentity;

/* `san` as OpenSSL writes it: "DNS:localhost,IP:127.0.0.1". issuer NULL: signed by itself, a CA. */
TestIdentity test_identity_new(const char *common_name, const char *san,
                               const TestIdentity *issuer);
void test_identity_done(TestIdentity *identity);

typedef enum TestPeerMode {
        TEST_PEER_ECHO,   /* sends back what it gets, until the client ends */
        TEST_PEER_ANSWER, /* reads a little, sends `answer`, ends */
        TEST_PEER_SILENT, /* accepts and says nothing, not even a handshake */
} TestPeerMode;

typedef struct TestPeerArgs {
        TestPeerMode mode;
        const TestIdentity *identity; /* NULL: plain TCP */
        const char *client_trust;     /* PEM: clients must show a certificate of this CA; NULL: none
                                         asked */
        const char *answer;
} TestPeerArgs;

typedef struct TestPeer TestPeer;

/* Listens on a free port of 127.0.0.1 and serves one connection after the other. */
TestPeer *test_peer_new(const TestPeerArgs *args);
uint16_t test_peer_port(const TestPeer *peer);
unsigned test_peer_accepted(const TestPeer *peer);
TestPeer *test_peer_free(TestPeer *peer);
