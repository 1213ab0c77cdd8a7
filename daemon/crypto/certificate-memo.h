#pragma once

/* Certificates that were found to serve, so that a pass need not parse and verify them again: that
 * is most of what a pass over a settled cluster costs. A memo changes how long an answer takes and
 * never which answer it is: it is asked with everything the answer depends on. */

#include "crypto/certificate-check.h"

typedef struct CertificateMemo CertificateMemo;

CertificateMemo *certificate_memo_new(void);
CertificateMemo *certificate_memo_free(CertificateMemo *memo);
DEFINE_CLEANUP(CertificateMemo *, certificate_memo_free);

/* certificate_check() by way of `memo`, which may be NULL. */
char *certificate_memo_check(CertificateMemo *memo, const MrCertificate *wanted,
                             SecretLookup lookup, void *userdata, int64_t now);
