#pragma once

/* What the files share that lower secrets. */

#include "secrets.h"

typedef struct Lowering {
        const char *ns;
        const MrFacts *facts;
        MrManifests *wanted;
        MrManifests *found;
        MrArena *arena;
        Loading loading;
} Lowering;

/* certificates.c */
int lower_certificate(Lowering *lowering, const MrCertificate *part, MrError *err) _must_check_;
/* trust.c: all keys of one secret with its first part, which is number `at`, and nothing with the
 * others. */
int lower_trust(Lowering *lowering, size_t at, MrError *err) _must_check_;
/* secrets.c */
void lower_digest(MrTree *map, const char *key, const char *value);
/* certificate-manifest.c */
MrTree *certificate_describe(const MrCertificate *certificate);
void certificate_describe_terms(const CertificateTerms *terms, MrTree *body);
