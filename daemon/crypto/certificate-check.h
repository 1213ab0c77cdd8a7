#pragma once

/* Compares a certificate an operand wants with what is stored, and says why it must be issued
 * again. No I/O, no clock: the same input gives the same answer. */

#include <stdint.h>

#include "sdk/part.h"

/* The stored value of a key of a secret as text (stores in base64, see secret.h); NULL when
 * there is none. The text must stay valid until certificate_check() or issue_new() returns;
 * never print it. */
typedef const char *(*SecretLookup)(const char *secret, const char *key, void *userdata);

/* What the state of its authority means for a certificate, and the state of a rotation for an
 * authority. Everything zero: the authority has one key, and it signs. */
typedef struct CertificateTerms {
        /* Of a certificate that an authority signs. */
        const char
                *signer; /* SIGNER.crt and SIGNER.key of the authority's secrets sign; NULL: "ca" */
        const char
                *issuers; /* PEM: whoever of these has signed it counts; NULL: the signer alone */
        bool is_kept;     /* key and certificate serve: only what is made of them is made anew */
        /* Of an authority. */
        bool has_new_key;
        MrStrings formers;     /* "ca-2027-…Z": former certificates that stay trusted */
        MrStrings former_keys; /* those of them whose key stays, too */
        int64_t key_generation, certificate_generation;
        /* What somebody asked for by an annotation, and is done with this: of the secret itself,
         * and of an authority's public one. */
        const char *done, *done_public;
} CertificateTerms;

typedef struct CertificateQuestion {
        const MrCertificate *wanted;   /* with its references resolved */
        const CertificateTerms *terms; /* NULL: none */
        SecretLookup lookup;
        void *userdata;
        int64_t now;
        int64_t day_sec; /* 0: a day is a real one */
} CertificateQuestion;

typedef enum CertificateNeed {
        CERTIFICATE_SERVES,
        CERTIFICATE_COPY,  /* key and certificate serve; something made of them does not */
        CERTIFICATE_RENEW, /* it serves, and ends soon */
        CERTIFICATE_MAKE,  /* it does not serve */
} CertificateNeed;

typedef struct CertificateVerdict {
        CertificateNeed need;
        /* For people: "none yet", "expires in 12 days (renewal 30 days before)", "name
         * kafka.example.com is missing", "its CA has a new key", "the key does not match the
         * certificate", "my-user.crt is damaged". NULL when it serves. */
        char *reason;
        int64_t until; /* when it serves: the first moment at which the answer will be another for
                          the same input */
} CertificateVerdict;

CertificateVerdict certificate_check(const CertificateQuestion *question);

/* The keys of the secrets a certificate consists of: i from 0 until NULL is returned.
 * *ret_secret is the secret the key is in. Both strings are owned by `arena`. */
const char *certificate_key_at(const MrCertificate *wanted, size_t i, MrArena *arena,
                               const char **ret_secret);
/* Where clients find the certificate of an authority: "NAME-cert". */
char *certificate_public_secret(MrArena *arena, const char *authority);
