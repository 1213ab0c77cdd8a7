#pragma once

/* Where the keys of a certificate authority stand. A key is replaced in stages, and each stage is
 * read off what is there, so that it goes on after any interruption:
 *
 *      1. the authority has a new key; the former one still signs, and everybody is to trust both
 *      2. every node trusts the new key: it signs, and what the former one has signed is made anew
 *      3. no node shows a certificate of the former key: it is trusted no more
 *
 * Which key signs is remembered (MR_SIGNS_KEY), because other resources (users)
 * depend on it and know nothing of the nodes. */

#include "loaded.h"

typedef struct Authority {
        const char *name;
        const MrTrust *trust;    /* how its nodes come to trust it; NULL: not known here */
        const char *certificate; /* text of ca.crt; NULL: there is none yet */
        const char *common_name;
        const char *key; /* digest of its public key */
        const char *name_digest;
        int64_t not_after;
        MrStrings formers;     /* "ca-2027-…Z": certificates that are kept beside it */
        MrStrings former_keys; /* of which the private key is there, too */
        const char *signer;    /* "ca", one of the formers, or NULL: nobody may sign now */
        const char *issuers;   /* PEM: whose signature counts */
        const char *waits;     /* why the present key does not sign yet; NULL: it does */
} Authority;

/* Memory from loading->arena. */
Authority authority_read(const Loading *loading, const char *name);
/* Whether no certificate signed by a former key is in use by what belongs to this resource. */
bool authority_is_moved(const Loading *loading, const Authority *authority);
/* The text the bundle of its nodes should hold; NULL while there is no certificate. *ret_reason
 * says how it differs from what is stored, NULL when it does not. */
const char *authority_bundle(const Loading *loading, const Authority *authority,
                             const char **ret_reason);
/* Whether this former certificate is still good for something. */
bool authority_keeps(const Loading *loading, const Authority *authority, const char *former);
/* The key under which it is remembered who signs. */
const char *authority_memory(const Loading *loading, const char *name);
