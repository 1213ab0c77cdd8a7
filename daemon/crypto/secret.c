#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "sdk/str.h"

typedef struct SecretValue {
        char *key;
        char *value;
} SecretValue;

struct Secret {
        char *name;
        SecretValue *values; /* sorted by key, each key once */
        size_t n_values, allocated;
};

Secret *secret_new(const char *name) {
        Secret *secret = mr_new(Secret, 1);

        secret->name = mr_strdup(name);
        return secret;
}

Secret *secret_free(Secret *secret) {
        if (!secret)
                return NULL;
        for (size_t i = 0; i < secret->n_values; i++) {
                free(secret->values[i].key);
                secret_text_free(secret->values[i].value);
        }
        free(secret->values);
        free(secret->name);
        free(secret);
        return NULL;
}

const char *secret_name(const Secret *secret) {
        return secret->name;
}

/* The place of a key, or where it belongs. */
static size_t secret_place(const Secret *secret, const char *key) {
        size_t i = 0;

        while (i < secret->n_values && strcmp(secret->values[i].key, key) < 0)
                i++;
        return i;
}

static bool secret_has_at(const Secret *secret, size_t i, const char *key) {
        return i < secret->n_values && strcmp(secret->values[i].key, key) == 0;
}

void secret_take(Secret *secret, const char *key, char *take_value) {
        if (!take_value)
                return;

        size_t i = secret_place(secret, key);
        if (secret_has_at(secret, i, key)) {
                secret_text_free(secret->values[i].value);
                secret->values[i].value = take_value;
                return;
        }
        MR_GROW(secret->values, secret->n_values, secret->allocated);
        memmove(&secret->values[i + 1], &secret->values[i],
                (secret->n_values - i) * sizeof(SecretValue));
        secret->values[i] = (SecretValue){mr_strdup(key), take_value};
        secret->n_values++;
}

void secret_set(Secret *secret, const char *key, const char *value) {
        secret_take(secret, key, mr_strdup(value));
}

const char *secret_get(const Secret *secret, const char *key) {
        size_t i = secret_place(secret, key);

        return secret_has_at(secret, i, key) ? secret->values[i].value : NULL;
}

size_t secret_size(const Secret *secret) {
        return secret->n_values;
}

const char *secret_key_at(const Secret *secret, size_t i) {
        return i < secret->n_values ? secret->values[i].key : NULL;
}

const char *secret_value_at(const Secret *secret, size_t i) {
        return i < secret->n_values ? secret->values[i].value : NULL;
}

bool secret_key_is_binary(const char *key) {
        return mr_ends_with(key, ".p12");
}

bool secret_text_is_masked(const char *text) {
        return text && strstr(text, SECRET_MASK) != NULL;
}

char *secret_text_free(char *text) {
        if (text)
                OPENSSL_cleanse(text, strlen(text));
        free(text);
        return NULL;
}

char *secret_text_join(const char *a, const char *b, const char *c) {
        const char *const pieces[] = {a ? a : "", b ? b : "", c ? c : ""};
        size_t size = 1, used = 0;

        for (size_t i = 0; i < MR_ELEMENTS(pieces); i++)
                size += strlen(pieces[i]);

        char *text = mr_malloc(size);
        for (size_t i = 0; i < MR_ELEMENTS(pieces); i++) {
                size_t n = strlen(pieces[i]);

                memcpy(text + used, pieces[i], n);
                used += n;
        }
        text[used] = '\0';
        return text;
}

char *secret_password_new(size_t length) {
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        const size_t n = sizeof(alphabet) - 1;
        _cleanup_(secret_text_freep) char *password = mr_calloc(length + 1, 1);

        for (size_t used = 0; used < length;) {
                unsigned char byte;

                if (RAND_bytes(&byte, 1) != 1)
                        return NULL;
                /* Bytes beyond the last whole multiple are thrown away, so every character is
                 * equally likely. */
                if (byte < 256 / n * n)
                        password[used++] = alphabet[byte % n];
        }
        return TAKE(password);
}
