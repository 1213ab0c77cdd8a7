#include "crypto/certificate-check.h"

#include <string.h>

#include "crypto/certificate.h"
#include "crypto/pem.h"
#include "crypto/pkcs12.h"
#include "crypto/secret.h"
#include "sdk/str.h"

/* One comparison at work. Texts are borrowed from the store behind the lookup. */
typedef struct Check {
        const MrCertificate *wanted;
        const CertificateTerms *terms;
        SecretLookup lookup;
        void *userdata;
        int64_t now, day_sec;
        MrArena *arena;
        const char *certificate, *key; /* what is stored */
        const char *certificate_key;   /* under which key, for messages: "user.crt" */
        const char *signer;            /* of the signing CA; NULL: none stored, or this is a CA */
        const char *issuers;           /* those who may have signed it */
        CertificateNeed need;          /* what the stage at work asks for when it finds something */
        X509 *x509;                    /* the certificate, read once for all stages */
        CertificateFacts facts;
} Check;

char *certificate_public_secret(MrArena *arena, const char *authority) {
        return mr_arena_strf(arena, "%s-cert", authority);
}

static const char *authority_key_at(const MrCertificate *wanted, size_t i, MrArena *arena,
                                    const char **ret_secret) {
        static const char *const keys[] = {"ca.key", "ca.crt", "ca.p12", "ca.password"};

        if (i >= MR_ELEMENTS(keys))
                return NULL;
        *ret_secret = i == 0 ? mr_arena_strdup(arena, wanted->name)
                             : certificate_public_secret(arena, wanted->name);
        return keys[i];
}

const char *certificate_key_at(const MrCertificate *wanted, size_t i, MrArena *arena,
                               const char **ret_secret) {
        const struct {
                const char *suffix;
                bool is_wanted;
        } rows[] = {
                {".key", true},
                {".crt", true},
                {".pem", true},
                {".p12", wanted->with_pkcs12},
                {".password", wanted->with_pkcs12},
        };

        if (!wanted->authority)
                return authority_key_at(wanted, i, arena, ret_secret);
        *ret_secret = mr_arena_strdup(arena, wanted->name);
        for (size_t row = 0; row < MR_ELEMENTS(rows); row++)
                if (rows[row].is_wanted && i-- == 0)
                        return mr_arena_strf(arena, "%s%s", wanted->key_prefix, rows[row].suffix);
        return wanted->with_authority && i == 0 ? "ca.crt" : NULL;
}

static const char *stored(const Check *check, const char *secret, const char *key) {
        return check->lookup(secret, key, check->userdata);
}

/* What the rest is made from comes first: where that is missing, everything is made anew. */
static char *check_presence(Check *check) {
        const char *secret, *key, *missing = NULL;
        size_t n_found = 0;

        check->need = CERTIFICATE_MAKE;
        for (size_t i = 0; (key = certificate_key_at(check->wanted, i, check->arena, &secret));
             i++) {
                if (!mr_is_empty(stored(check, secret, key)))
                        n_found++;
                else if (!missing) {
                        missing = key;
                        check->need = i < 2 ? CERTIFICATE_MAKE : CERTIFICATE_COPY;
                }
        }
        if (n_found == 0)
                return mr_strdup("none yet");
        return missing ? mr_strf("%s is missing", missing) : NULL;
}

static void check_load(Check *check) {
        const MrCertificate *wanted = check->wanted;
        const char *signer = check->terms->signer ? check->terms->signer : "ca";

        if (wanted->authority) {
                check->certificate_key = mr_arena_strf(check->arena, "%s.crt", wanted->key_prefix);
                check->certificate = stored(check, wanted->name, check->certificate_key);
                check->key = stored(check, wanted->name,
                                    mr_arena_strf(check->arena, "%s.key", wanted->key_prefix));
                check->signer =
                        stored(check, certificate_public_secret(check->arena, wanted->authority),
                               mr_arena_strf(check->arena, "%s.crt", signer));
                check->issuers = check->terms->issuers ? check->terms->issuers : check->signer;
        } else {
                check->certificate_key = "ca.crt";
                check->certificate = stored(
                        check, certificate_public_secret(check->arena, wanted->name), "ca.crt");
                check->key = stored(check, wanted->name, "ca.key");
        }
}

static char *check_pair(Check *check) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

        check->need = CERTIFICATE_MAKE;
        if (pem_read_certificate(check->certificate, "it", &check->x509, NULL) < 0 ||
            certificate_facts_of(check->x509, &check->facts, NULL) < 0)
                return mr_strf("%s is damaged", check->certificate_key);
        /* Of a recorded pass: that they matched was seen when it was recorded. */
        if (secret_text_is_masked(check->key))
                return NULL;
        if (pem_read_key(check->key, "it", &key, NULL) < 0)
                return mr_strf("the key of %s is damaged", check->certificate_key);
        if (EVP_PKEY_eq(X509_get0_pubkey(check->x509), key) != 1)
                return mr_strdup("the key does not match the certificate");
        return NULL;
}

/* An authority's name ends with the number of its key. */
static bool is_name_of(const char *name, const char *wanted, bool is_authority) {
        size_t size = strlen(wanted);

        if (!name || !is_authority || strncmp(name, wanted, size) != 0)
                return mr_streq(name, wanted);
        return name[size] == '\0' || mr_matches(name + size, " v[0-9]+");
}

static char *check_subject(Check *check) {
        const MrCertificate *wanted = check->wanted;
        bool is_authority = !wanted->authority;

        if (!is_name_of(check->facts.common_name, wanted->common_name, is_authority) ||
            !mr_streq(check->facts.organization, wanted->organization))
                return mr_strf("its subject becomes %s", wanted->common_name);
        if (check->facts.is_authority != is_authority)
                return mr_strdup(is_authority ? "it is no certificate of a CA"
                                              : "it is the certificate of a CA");
        return NULL;
}

static bool is_wanted_name(const MrStrings *names, const char *normal) {
        for (size_t i = 0; i < names->n; i++) {
                _cleanup_free_ char *name = certificate_name_normal(names->items[i]);

                if (mr_streq(name, normal))
                        return true;
        }
        return false;
}

static char *check_names(Check *check) {
        const MrStrings *names = &check->wanted->names;

        for (size_t i = 0; i < names->n; i++)
                if (!certificate_facts_has_name(&check->facts, names->items[i]))
                        return mr_strf("name %s is missing", names->items[i]);
        for (size_t i = 0; i < check->facts.n_names; i++)
                if (!is_wanted_name(names, check->facts.names[i]))
                        return mr_strf("name %s is no longer wanted", check->facts.names[i]);
        return NULL;
}

static bool is_signed_by_any(X509 *certificate, STACK_OF(X509) * issuers) {
        for (int i = 0; i < sk_X509_num(issuers); i++)
                if (certificate_is_issued_by(certificate, sk_X509_value(issuers, i)))
                        return true;
        return false;
}

static char *check_signer(Check *check) {
        const MrCertificate *wanted = check->wanted;
        _cleanup_(x509_stack_freep) STACK_OF(X509) *issuers = NULL;

        if (!wanted->authority)
                return certificate_is_issued_by(check->x509, check->x509)
                               ? NULL
                               : mr_strdup("it is not self-signed");
        if (mr_is_empty(check->signer) ||
            pem_read_certificates(check->issuers, "it", &issuers, NULL) < 0)
                return mr_strf("its CA %s is made anew", wanted->authority);
        /* A CA that was renewed with the same key has signed it as well as before. */
        return is_signed_by_any(check->x509, issuers) ? NULL : mr_strdup("its CA has a new key");
}

/* Days before the end at which a certificate is renewed. A window as long as the whole life
 * would renew in each pass. */
static int64_t renewal_window(const MrCertificate *wanted) {
        if (wanted->renewal_days < wanted->validity_days)
                return wanted->renewal_days;
        return wanted->validity_days / 2;
}

static char *check_end(Check *check) {
        int64_t left = check->facts.not_after - check->now;
        long long days = (long long) (left / certificate_days_sec(1, check->day_sec));

        if (check->facts.not_before > check->now)
                return mr_strdup("it is not valid yet; the clock of this host may have been wrong");
        if (left > 0)
                return NULL;
        return days == 0 ? mr_strdup("it expired today")
                         : mr_strf("it expired %lld day%s ago", -days, days == -1 ? "" : "s");
}

static char *check_renewal(Check *check) {
        int64_t left = check->facts.not_after - check->now, window = renewal_window(check->wanted);
        long long days = (long long) (left / certificate_days_sec(1, check->day_sec));

        check->need = CERTIFICATE_RENEW;
        if (left > certificate_days_sec(window, check->day_sec))
                return NULL;
        return mr_strf("expires in %lld day%s (renewal %lld days before)", days,
                       days == 1 ? "" : "s", (long long) window);
}

static char *check_copies(Check *check) {
        const MrCertificate *wanted = check->wanted;
        const char *secret = wanted->authority
                                     ? wanted->name
                                     : certificate_public_secret(check->arena, wanted->name);
        const char *prefix = wanted->authority ? wanted->key_prefix : "ca";

        check->need = CERTIFICATE_COPY;
        if (wanted->authority) {
                _cleanup_(secret_text_freep) char *both =
                        secret_text_join(check->key, check->certificate, NULL);
                const char *pem = mr_arena_strf(check->arena, "%s.pem", prefix);

                if (!mr_streq(stored(check, secret, pem), both))
                        return mr_strf("%s is damaged", pem);
                if (wanted->with_authority &&
                    !mr_streq(stored(check, secret, "ca.crt"), check->signer))
                        return mr_strdup("ca.crt is not that of its CA");
        }
        if (!wanted->authority || wanted->with_pkcs12) {
                const char *store = mr_arena_strf(check->arena, "%s.p12", prefix);

                const char *text = stored(check, secret, store);

                if (!secret_text_is_masked(text) && pkcs12_check_form(text, NULL) < 0)
                        return mr_strf("%s is damaged", store);
        }
        return NULL;
}

/* What ends soon is looked at last: only that may be put off. */
static CertificateVerdict check_stored(Check *check) {
        static char *(*const stages[])(Check * check) = {
                check_pair,  check_signer, check_end,     check_subject,
                check_names, check_copies, check_renewal,
        };
        CertificateVerdict verdict = {};

        check_load(check);
        for (size_t i = 0; i < MR_ELEMENTS(stages) && !verdict.reason; i++)
                verdict.reason = stages[i](check);
        verdict.need = verdict.reason ? check->need : CERTIFICATE_SERVES;
        verdict.until = check->facts.not_after -
                        certificate_days_sec(renewal_window(check->wanted), check->day_sec);
        certificate_facts_done(&check->facts);
        X509_free(check->x509);
        return verdict;
}

CertificateVerdict certificate_check(const CertificateQuestion *question) {
        static const CertificateTerms no_terms;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        Check check = {
                .wanted = question->wanted,
                .terms = question->terms ? question->terms : &no_terms,
                .lookup = question->lookup,
                .userdata = question->userdata,
                .now = question->now,
                .day_sec = question->day_sec,
                .arena = arena,
        };
        char *reason = check_presence(&check);

        /* A copy that is missing does not hide that the certificate serves no more. */
        CertificateVerdict verdict =
                reason && check.need == CERTIFICATE_MAKE
                        ? (CertificateVerdict){.need = check.need, .reason = reason}
                        : check_stored(&check);
        if (reason && verdict.need <= CERTIFICATE_COPY) {
                free(verdict.reason);
                verdict = (CertificateVerdict){.need = CERTIFICATE_COPY, .reason = reason};
        } else if (reason && verdict.reason != reason)
                free(reason);
        return verdict;
}
