#include "crypto/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "crypto/pem.h"

static const EVP_MD *digest_of(ScramHash hash) {
        return hash == SCRAM_SHA_512 ? EVP_sha512() : EVP_sha256();
}

size_t scram_size(ScramHash hash) {
        return hash == SCRAM_SHA_512 ? 64 : 32;
}

const char *scram_name(ScramHash hash) {
        return hash == SCRAM_SHA_512 ? "SCRAM-SHA-512" : "SCRAM-SHA-256";
}

int scram_salted_password(ScramHash hash, const char *password, const void *salt, size_t salt_size,
                          int iterations, uint8_t ret[SCRAM_SIZE_MAX], MrError *err) {
        /* A server chooses the count; an absurd one would block this process for minutes. */
        if (iterations < SCRAM_ITERATIONS_MIN || iterations > 1000000)
                return mr_fail(err, MR_INVALID, NULL,
                               "%d is no acceptable number of SCRAM iterations", iterations);
        if (salt_size > 1024 || strlen(password) > 64 * 1024)
                return mr_fail(err, MR_INVALID, NULL, "the SCRAM salt or password is too long");
        if (PKCS5_PBKDF2_HMAC(password, (int) strlen(password), salt, (int) salt_size, iterations,
                              digest_of(hash), (int) scram_size(hash), ret) != 1)
                return openssl_fail(err, "salt a password");
        return 0;
}

int scram_signature(ScramHash hash, const uint8_t *key, const char *auth_message,
                    uint8_t ret[SCRAM_SIZE_MAX], MrError *err) {
        if (!HMAC(digest_of(hash), key, (int) scram_size(hash),
                  (const unsigned char *) auth_message, strlen(auth_message), ret, NULL))
                return openssl_fail(err, "compute a SCRAM signature");
        return 0;
}

int scram_client_key(ScramHash hash, const uint8_t *salted_password, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) {
        return scram_signature(hash, salted_password, "Client Key", ret, err);
}

int scram_server_key(ScramHash hash, const uint8_t *salted_password, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) {
        return scram_signature(hash, salted_password, "Server Key", ret, err);
}

int scram_stored_key(ScramHash hash, const uint8_t *client_key, uint8_t ret[SCRAM_SIZE_MAX],
                     MrError *err) {
        if (EVP_Digest(client_key, scram_size(hash), ret, NULL, digest_of(hash), NULL) != 1)
                return openssl_fail(err, "compute a SCRAM key");
        return 0;
}

void scram_proof(ScramHash hash, const uint8_t *client_key, const uint8_t *signature,
                 uint8_t ret[SCRAM_SIZE_MAX]) {
        for (size_t i = 0; i < scram_size(hash); i++)
                ret[i] = client_key[i] ^ signature[i];
}

bool scram_equal(ScramHash hash, const uint8_t *a, const uint8_t *b) {
        return CRYPTO_memcmp(a, b, scram_size(hash)) == 0;
}
