#pragma once

/* PEM text to OpenSSL objects and back, for the files of this folder only: the rest of the
 * program sees text. */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "sdk/error.h"

/* More than this is no certificate or key of ours. */
#define PEM_SIZE_MAX (256U * 1024)

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(X509 *, X509_free);

static inline void x509_stack_free(STACK_OF(X509) * stack) {
        sk_X509_pop_free(stack, X509_free);
}
DEFINE_CLEANUP(STACK_OF(X509) *, x509_stack_free);

/* `what` names the text in messages ("the CA key"). A key must be unencrypted. */
int pem_read_key(const char *pem, const char *what, EVP_PKEY **ret, MrError *err) _must_check_;
/* All certificates of the text, at least one. */
int pem_read_certificates(const char *pem, const char *what, STACK_OF(X509) * *ret,
                          MrError *err) _must_check_;
int pem_read_certificate(const char *pem, const char *what, X509 **ret, MrError *err) _must_check_;
/* PKCS#8, unencrypted. The caller frees it with secret_text_free(). */
int pem_write_key(EVP_PKEY *key, char **ret, MrError *err) _must_check_;
int pem_write_certificate(X509 *certificate, char **ret, MrError *err) _must_check_;

/* What certificate.h offers for text, for what was read already. */
struct CertificateFacts;
int certificate_facts_of(X509 *certificate, struct CertificateFacts *ret,
                         MrError *err) _must_check_;
bool certificate_is_issued_by(X509 *certificate, X509 *authority);

/* Fails as MR_BUG with OpenSSL's own reason: "cannot sign: …". Empties OpenSSL's error queue. */
int openssl_fail(MrError *err, const char *what);
