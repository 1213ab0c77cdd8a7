#include "crypto/seal.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "sdk/alloc.h"

#define IV_SIZE 12U
#define TAG_SIZE 16U

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);
DEFINE_CLEANUP(EVP_KDF *, EVP_KDF_free);
DEFINE_CLEANUP(EVP_KDF_CTX *, EVP_KDF_CTX_free);

int seal_random(uint8_t *ret, size_t size, MrError *err) {
        if (size > INT_MAX || RAND_bytes(ret, (int) size) != 1)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the operating system gives no random numbers");
        return 0;
}

int seal_derive(const char *passphrase, const uint8_t salt[SEAL_SALT_SIZE],
                uint8_t ret[SEAL_KEY_SIZE], MrError *err) {
        _cleanup_(EVP_KDF_freep) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
        _cleanup_(EVP_KDF_CTX_freep) EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
        uint64_t n = SEAL_SCRYPT_N, max = 64U << 20U;
        uint32_t r = SEAL_SCRYPT_R, p = SEAL_SCRYPT_P;
        uint8_t copy[SEAL_SALT_SIZE];
        _cleanup_free_ char *secret = mr_strdup(passphrase);
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, secret, strlen(secret)),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, copy, sizeof(copy)),
                OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
                OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
                OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
                OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max),
                OSSL_PARAM_construct_end(),
        };

        memcpy(copy, salt, sizeof(copy));
        int ok = context && EVP_KDF_derive(context, ret, SEAL_KEY_SIZE, params) == 1;
        explicit_bzero(secret, strlen(secret));
        return ok ? 0 : mr_fail(err, MR_BUG, NULL, "OpenSSL has no scrypt");
}

static EVP_CIPHER_CTX *cipher_new(const uint8_t *key, const uint8_t *iv, const char *header,
                                  bool encrypt) {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        int n;

        if (context && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv, encrypt) == 1 &&
            EVP_CipherUpdate(context, NULL, &n, (const uint8_t *) header, (int) strlen(header)) ==
                    1)
                return context;
        EVP_CIPHER_CTX_free(context);
        return NULL;
}

int seal_encrypt(const uint8_t key[SEAL_KEY_SIZE], const char *header, const void *text,
                 size_t size, MrBuf *out, MrError *err) {
        uint8_t iv[IV_SIZE], tag[TAG_SIZE], last[16];
        int n = 0, rest = 0;

        if (size > INT_MAX - 64)
                return mr_fail(err, MR_INVALID, NULL, "it is too large to be sealed");
        int r = seal_random(iv, sizeof(iv), err);
        if (r < 0)
                return r;
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *context = cipher_new(key, iv, header, true);
        _cleanup_free_ uint8_t *sealed = mr_new(uint8_t, size + 1);
        if (!context || EVP_CipherUpdate(context, sealed, &n, text, (int) size) != 1 ||
            EVP_CipherFinal_ex(context, last, &rest) != 1 ||
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) != 1)
                return mr_fail(err, MR_BUG, NULL, "OpenSSL cannot encrypt");
        mr_buf_append(out, iv, sizeof(iv));
        mr_buf_append(out, sealed, (size_t) n);
        mr_buf_append(out, tag, sizeof(tag));
        return 0;
}

int seal_decrypt(const uint8_t key[SEAL_KEY_SIZE], const char *header, const void *sealed,
                 size_t size, MrBuf *out, MrError *err) {
        const uint8_t *data = sealed;
        uint8_t tag[TAG_SIZE], last[16];
        int n = 0, rest = 0;

        if (size < IV_SIZE + TAG_SIZE || size > INT_MAX)
                return mr_fail(err, MR_INVALID, NULL, "it is cut off; use another copy");
        _cleanup_(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *context =
                cipher_new(key, data, header, false);
        size_t text_size = size - IV_SIZE - TAG_SIZE;
        _cleanup_free_ uint8_t *text = mr_new(uint8_t, text_size + 1);
        memcpy(tag, data + size - TAG_SIZE, TAG_SIZE);
        bool is_right = context &&
                        EVP_CipherUpdate(context, text, &n, data + IV_SIZE, (int) text_size) == 1 &&
                        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
                        EVP_CipherFinal_ex(context, last, &rest) == 1;
        if (is_right)
                mr_buf_append(out, text, (size_t) n);
        explicit_bzero(text, text_size);
        if (!is_right) {
                (void) mr_fail(err, MR_INVALID, NULL,
                               "the passphrase is another one, or the file was changed");
                return -EBADMSG;
        }
        return 0;
}
