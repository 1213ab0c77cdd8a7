#pragma once

/* X.509 certificates as PEM text: issuing them, and reading back what they say. The time is
 * always passed in. */

#include <stdbool.h>
#include <stdint.h>

#include "sdk/error.h"
#include "sdk/field.h"
#include "sdk/tree.h"

/* A certificate is valid from a little before it was made, because clocks of hosts differ. */
#define CERTIFICATE_SKEW_SEC 300
#define CERTIFICATE_DAY_SEC 86400

/* A day is shorter where renewals are rehearsed; day_sec 0: it is a real one. */
static inline int64_t certificate_days_sec(int64_t days, int64_t day_sec) {
        return days * (day_sec > 0 ? day_sec : CERTIFICATE_DAY_SEC);
}

typedef struct CertificateRequest {
        const char *common_name;
        const char *organization; /* NULL: none */
        MrStrings names;          /* DNS names and IP literals, resolved; duplicates are left out */
        int64_t now;              /* seconds since the epoch */
        int64_t validity_days;    /* 1 … 36500 */
        int64_t day_sec;          /* how long such a day is; 0: a real one */
        bool is_authority;        /* a CA that signs leaf certificates only */
} CertificateRequest;

/* Signs a certificate for the key `key`. With `authority_certificate` NULL it signs itself;
 * otherwise the authority's certificate and key (PEM) sign. Serial numbers are random. The
 * caller frees *ret. */
int certificate_issue(const CertificateRequest *request, const char *key,
                      const char *authority_certificate, const char *authority_key, char **ret,
                      MrError *err) _must_check_;

/* What the first certificate of a PEM text says. */
typedef struct CertificateFacts {
        char *common_name;  /* NULL: none */
        char *organization; /* NULL: none */
        char *issuer;       /* "O=io.strimzi, CN=cluster-ca v0" */
        char *serial;       /* lower-case hex */
        char *key_kind;     /* "EC P-256", "RSA 2048", or OpenSSL's name of another kind */
        char *digest;       /* SHA-256 of the DER form, hex */
        char *name_digest;  /* the same of the subject */
        char *key_digest;   /* the same of the public key: what a renewal with the same key keeps */
        char **names;       /* sorted; DNS names in lower case, addresses in canonical form */
        size_t n_names;
        int64_t not_before, not_after; /* seconds since the epoch */
        bool is_authority;
} CertificateFacts;

int certificate_facts_read(const char *pem, CertificateFacts *ret, MrError *err) _must_check_;
void certificate_facts_done(CertificateFacts *facts);
#define _cleanup_certificate_facts_ _cleanup_(certificate_facts_done)
bool certificate_facts_has_name(const CertificateFacts *facts, const char *name);
/* The same as a map, for comparing and printing: nothing in it is secret. The caller frees it. */
int certificate_facts(const char *pem, MrTree **ret, MrError *err) _must_check_;

/* The form in which names are compared: the caller frees it. NULL when it is neither a DNS name
 * nor an address. */
char *certificate_name_normal(const char *name);

/* Each certificate of a PEM text as a text of its own, always written the same way. Memory from
 * `arena`. */
int certificate_split(const char *pem, MrArena *arena, MrStrings *ret, MrError *err) _must_check_;

/* Answers are 1 (yes) or 0 (no); damaged input is MR_INVALID. */
int certificate_matches_key(const char *certificate, const char *key, MrError *err) _must_check_;
int certificate_is_signed_by(const char *certificate, const char *authority,
                             MrError *err) _must_check_;
/* Whether a chain text ends with exactly the authority's first certificate. */
int certificate_chain_ends_with(const char *chain, const char *authority,
                                MrError *err) _must_check_;
