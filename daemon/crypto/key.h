#pragma once

/* Private keys as PEM text (PKCS#8, unencrypted). Making an RSA key takes long: call
 * key_generate() in a worker. */

#include "sdk/error.h"

typedef enum KeyKind {
        KEY_EC_P256, /* the default for everything new */
        KEY_RSA_2048,
        KEY_RSA_4096,
        _KEY_KIND_MAX,
} KeyKind;

const char *key_kind_name(KeyKind kind); /* "EC P-256" */
/* "EC", "RSA" or "RSA-2048", as an authority's key may be asked for; -EINVAL for anything else. */
int key_kind_from_type(const char *type, KeyKind *ret);
/* The caller frees *ret with secret_text_free(). */
int key_generate(KeyKind kind, char **ret, MrError *err) _must_check_;
/* The kind that comes nearest to the key in the text, for making more keys like it: another
 * curve reads as EC P-256, an odd size of RSA as the next smaller one. Fails as MR_INVALID only
 * when the text holds no key. */
int key_read_kind(const char *pem, KeyKind *ret, MrError *err) _must_check_;
