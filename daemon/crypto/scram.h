#pragma once

/* The arithmetic of SCRAM (RFC 5802 with SHA-256 and SHA-512), as Kafka's clients and its stored
 * credentials need it. Buffers for keys have SCRAM_SIZE_MAX bytes; scram_size() says how many of
 * them count. The caller wipes them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/error.h"

#define SCRAM_SIZE_MAX 64
#define SCRAM_ITERATIONS_MIN 4096

typedef enum ScramHash {
        SCRAM_SHA_256,
        SCRAM_SHA_512,
} ScramHash;

size_t scram_size(ScramHash hash);
const char *scram_name(ScramHash hash); /* the SASL mechanism: "SCRAM-SHA-512" */

/* The password goes in as it is: Kafka does not normalise it either. */
int scram_salted_password(ScramHash hash, const char *password, const void *salt, size_t salt_size,
                          int iterations, uint8_t ret[SCRAM_SIZE_MAX], MrError *err) _must_check_;
int scram_client_key(ScramHash hash, const uint8_t *salted_password, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) _must_check_;
int scram_stored_key(ScramHash hash, const uint8_t *client_key, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) _must_check_;
int scram_server_key(ScramHash hash, const uint8_t *salted_password, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) _must_check_;
/* HMAC of text: the client signature with the stored key, the server signature with the server
 * key. */
int scram_signature(ScramHash hash, const uint8_t *key, const char *auth_message,
                    uint8_t ret[SCRAM_SIZE_MAX], MrError *err) _must_check_;
/* client key XOR client signature. */
void scram_proof(ScramHash hash, const uint8_t *client_key, const uint8_t *signature,
                 uint8_t ret[SCRAM_SIZE_MAX]);
/* Compares in constant time. */
bool scram_equal(ScramHash hash, const uint8_t *a, const uint8_t *b);
