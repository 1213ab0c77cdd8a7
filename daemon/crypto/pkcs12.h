#pragma once

/* PKCS#12 stores for Java and other clients, as base64 text: encrypted with AES-256 (PBES2), MAC
 * with SHA-256. */

#include "sdk/error.h"

/* Long enough that the few key derivation rounds of the format do not matter. */
#define PKCS12_PASSWORD_LENGTH 32

/* A key with its chain: `chain` is the leaf certificate, then its CAs, in one PEM text. The
 * caller frees *ret with secret_text_free(). */
int pkcs12_make_key_store(const char *key, const char *chain, const char *alias,
                          const char *password, char **ret, MrError *err) _must_check_;
/* Certificates to trust. They carry the mark by which Java's KeyStore takes them for trusted
 * entries. The first one gets the alias "ca.crt", further ones "ca-2.crt" and so on. */
int pkcs12_make_trust_store(const char *certificates, const char *password, char **ret,
                            MrError *err) _must_check_;
/* 0 when the text is a PKCS#12 store this password opens, MR_INVALID otherwise. */
int pkcs12_check(const char *base64, const char *password, MrError *err) _must_check_;
/* The same without the password, and so without its slow key derivation: only that the text is
 * such a store. */
int pkcs12_check_form(const char *base64, MrError *err) _must_check_;
