#pragma once

/* Compares a certificate an operand wants with what is stored, and says why it must be issued
 * again. No I/O, no clock: the same input gives the same answer. */

#include <stdint.h>

#include "sdk/part.h"

/* The stored value of a key of a secret as text (stores in base64, see secret.h); NULL when
 * there is none. The text must stay valid until certificate_check() or issue_new() returns;
 * never print it. */
typedef const char *(*SecretLookup)(const char *secret, const char *key, void *userdata);

/* Returns NULL when what is stored serves, otherwise the reason for people, which the caller
 * frees: "none yet", "expires in 12 days (renewal 30 days before)", "name kafka.example.com is
 * missing", "signed by an older CA", "the key does not match the certificate", "my-user.crt is
 * damaged". `wanted` has its references resolved. */
char *certificate_check(const MrCertificate *wanted, SecretLookup lookup, void *userdata,
                        int64_t now);
/* The same; when the answer is NULL, *ret_until is the first moment at which it will be another for
 * the same input. */
char *certificate_check_until(const MrCertificate *wanted, SecretLookup lookup, void *userdata,
                              int64_t now, int64_t *ret_until);

/* The keys of the secrets a certificate consists of: i from 0 until NULL is returned.
 * *ret_secret is the secret the key is in. Both strings are owned by `arena`. */
const char *certificate_key_at(const MrCertificate *wanted, size_t i, MrArena *arena,
                               const char **ret_secret);
/* Where clients find the certificate of an authority: "NAME-cert". */
char *certificate_public_secret(MrArena *arena, const char *authority);
