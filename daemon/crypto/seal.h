#pragma once

/* Authenticated encryption of something that leaves the host, with AES-256-GCM (NIST SP 800-38D).
 */

#include <stdint.h>

#include "sdk/buf.h"
#include "sdk/error.h"

#define SEAL_KEY_SIZE 32U
#define SEAL_SALT_SIZE 16U

/* What a passphrase costs who guesses: 2^15 rounds of 8 blocks, 32 MiB (RFC 7914). */
#define SEAL_SCRYPT_N 32768U
#define SEAL_SCRYPT_R 8U
#define SEAL_SCRYPT_P 1U

/* A fresh key, or a fresh salt. -EIO when the operating system gives no random numbers. */
int seal_random(uint8_t *ret, size_t size, MrError *err) _must_check_;
/* The key a passphrase stands for. */
int seal_derive(const char *passphrase, const uint8_t salt[SEAL_SALT_SIZE],
                uint8_t ret[SEAL_KEY_SIZE], MrError *err) _must_check_;
/* Appends the sealed text to `out`. `header` is not hidden, but cannot be changed either; a key
 * seals any number of texts. */
int seal_encrypt(const uint8_t key[SEAL_KEY_SIZE], const char *header, const void *text,
                 size_t size, MrBuf *out, MrError *err) _must_check_;
/* Appends the text to `out`, or -EBADMSG: another key, or something was changed. */
int seal_decrypt(const uint8_t key[SEAL_KEY_SIZE], const char *header, const void *sealed,
                 size_t size, MrBuf *out, MrError *err) _must_check_;
