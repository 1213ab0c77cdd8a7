#include "crypto/key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "crypto/pem.h"
#include "sdk/str.h"

static const char *const kind_names[_KEY_KIND_MAX] = {
        [KEY_EC_P256] = "EC P-256",
        [KEY_RSA_2048] = "RSA 2048",
        [KEY_RSA_4096] = "RSA 4096",
};

const char *key_kind_name(KeyKind kind) {
        return (unsigned) kind < _KEY_KIND_MAX ? kind_names[kind] : "unknown";
}

int key_kind_from_type(const char *type, KeyKind *ret) {
        static const char *const types[_KEY_KIND_MAX] = {
                [KEY_EC_P256] = "EC",
                [KEY_RSA_2048] = "RSA-2048",
                [KEY_RSA_4096] = "RSA",
        };

        for (int i = 0; i < _KEY_KIND_MAX; i++)
                if (mr_streq(types[i], type)) {
                        *ret = (KeyKind) i;
                        return 0;
                }
        return -EINVAL;
}

static EVP_PKEY *key_make(KeyKind kind) {
        switch (kind) {
        case KEY_RSA_2048:
                return EVP_RSA_gen(2048);
        case KEY_RSA_4096:
                return EVP_RSA_gen(4096);
        default:
                return EVP_EC_gen("P-256");
        }
}

int key_generate(KeyKind kind, char **ret, MrError *err) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = key_make(kind);

        if (!key)
                return openssl_fail(err, "make a key");
        return pem_write_key(key, ret, err);
}

int key_read_kind(const char *pem, KeyKind *ret, MrError *err) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        int r = pem_read_key(pem, "the key", &key, err);

        if (r < 0)
                return r;

        if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
                *ret = EVP_PKEY_get_bits(key) >= 4096 ? KEY_RSA_4096 : KEY_RSA_2048;
        else
                *ret = KEY_EC_P256;
        return 0;
}
