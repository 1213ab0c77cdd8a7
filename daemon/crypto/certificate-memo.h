#pragma once

/* Certificates that were found to serve, so that a pass need not parse and verify them again: that
 * is most of what a pass over a settled cluster costs. A memo changes how long an answer takes and
 * never which answer it is: it is asked with everything the answer depends on. */

#include "crypto/certificate-check.h"
#include "sdk/str.h"

typedef struct CertificateMemo CertificateMemo;

/* What is asked of certificates again and again. Digests as in CertificateFacts. */
typedef struct CertificateBrief {
        char common_name[80]; /* "" none, or longer */
        char digest[MR_DIGEST_MAX], key_digest[MR_DIGEST_MAX], name_digest[MR_DIGEST_MAX];
        int64_t not_after;
        bool is_authority;
} CertificateBrief;

typedef struct CertificateBriefs {
        const CertificateBrief *items;
        size_t n; /* 0: the text holds no certificate, or a damaged one */
} CertificateBriefs;

CertificateMemo *certificate_memo_new(void);
CertificateMemo *certificate_memo_free(CertificateMemo *memo);
DEFINE_CLEANUP(CertificateMemo *, certificate_memo_free);

/* certificate_check() by way of `memo`, which may be NULL. */
/* All certificates of a PEM text, which may hold a key, too. `memo` may be NULL. The items live in
 * `arena`. */
CertificateBriefs certificate_memo_briefs(CertificateMemo *memo, const char *pem, MrArena *arena);
CertificateVerdict certificate_memo_check(CertificateMemo *memo,
                                          const CertificateQuestion *question);
