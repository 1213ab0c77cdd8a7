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
        SecretLookup lookup;
        void *userdata;
        int64_t now;
        MrArena *arena;
        const char *certificate, *key; /* what is stored */
        const char *certificate_key;   /* under which key, for messages: "user.crt" */
        const char *authority;         /* of the signing CA; NULL: none stored, or this is a CA */
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

static char *check_presence(Check *check) {
        const char *secret, *key, *missing = NULL;
        size_t n_found = 0;

        for (size_t i = 0; (key = certificate_key_at(check->wanted, i, check->arena, &secret));
             i++) {
                if (!mr_is_empty(stored(check, secret, key)))
                        n_found++;
                else if (!missing)
                        missing = key;
        }
        if (n_found == 0)
                return mr_strdup("none yet");
        return missing ? mr_strf("%s is missing", missing) : NULL;
}

static void check_load(Check *check) {
        const MrCertificate *wanted = check->wanted;

        if (wanted->authority) {
                check->certificate_key = mr_arena_strf(check->arena, "%s.crt", wanted->key_prefix);
                check->certificate = stored(check, wanted->name, check->certificate_key);
                check->key = stored(check, wanted->name,
                                    mr_arena_strf(check->arena, "%s.key", wanted->key_prefix));
                check->authority =
                        stored(check, certificate_public_secret(check->arena, wanted->authority),
                               "ca.crt");
        } else {
                check->certificate_key = "ca.crt";
                check->certificate = stored(
                        check, certificate_public_secret(check->arena, wanted->name), "ca.crt");
                check->key = stored(check, wanted->name, "ca.key");
        }
}

static char *check_pair(Check *check) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;

        if (pem_read_certificate(check->certificate, "it", &check->x509, NULL) < 0 ||
            certificate_facts_of(check->x509, &check->facts, NULL) < 0)
                return mr_strf("%s is damaged", check->certificate_key);
        if (pem_read_key(check->key, "it", &key, NULL) < 0)
                return mr_strf("the key of %s is damaged", check->certificate_key);
        if (EVP_PKEY_eq(X509_get0_pubkey(check->x509), key) != 1)
                return mr_strdup("the key does not match the certificate");
        return NULL;
}

static char *check_subject(Check *check) {
        const MrCertificate *wanted = check->wanted;
        bool is_authority = !wanted->authority;

        if (!mr_streq(check->facts.common_name, wanted->common_name) ||
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

static char *check_signer(Check *check) {
        const MrCertificate *wanted = check->wanted;
        _cleanup_(X509_freep) X509 *issuer = NULL;

        if (!wanted->authority)
                return certificate_is_issued_by(check->x509, check->x509)
                               ? NULL
                               : mr_strdup("it is not self-signed");
        if (mr_is_empty(check->authority) ||
            pem_read_certificate(check->authority, "it", &issuer, NULL) < 0)
                return mr_strf("its CA %s is made anew", wanted->authority);
        /* The chain is written as the certificate and then the text of the authority, so text
         * can be compared. */
        if (!certificate_is_issued_by(check->x509, issuer) ||
            !mr_ends_with(check->certificate, check->authority))
                return mr_strdup("signed by an older CA");
        if (wanted->with_authority &&
            !mr_streq(stored(check, wanted->name, "ca.crt"), check->authority))
                return mr_strdup("ca.crt is not that of its CA");
        return NULL;
}

/* Days before the end at which a certificate is renewed. A window as long as the whole life
 * would renew in each pass. */
static int64_t renewal_window(const MrCertificate *wanted) {
        if (wanted->renewal_days < wanted->validity_days)
                return wanted->renewal_days;
        return wanted->validity_days / 2;
}

static char *check_time(Check *check) {
        int64_t left = check->facts.not_after - check->now, window = renewal_window(check->wanted);
        long long days = (long long) (left / CERTIFICATE_DAY_SEC);

        if (check->facts.not_before > check->now)
                return mr_strdup("it is not valid yet; the clock of this host may have been wrong");
        if (left <= 0)
                return days == 0
                               ? mr_strdup("it expired today")
                               : mr_strf("it expired %lld day%s ago", -days, days == -1 ? "" : "s");
        if (left <= window * CERTIFICATE_DAY_SEC)
                return mr_strf("expires in %lld day%s (renewal %lld days before)", days,
                               days == 1 ? "" : "s", (long long) window);
        return NULL;
}

static char *check_copies(Check *check) {
        const MrCertificate *wanted = check->wanted;
        const char *secret = wanted->authority
                                     ? wanted->name
                                     : certificate_public_secret(check->arena, wanted->name);
        const char *prefix = wanted->authority ? wanted->key_prefix : "ca";

        if (wanted->authority) {
                _cleanup_(secret_text_freep) char *both =
                        secret_text_join(check->key, check->certificate, NULL);
                const char *pem = mr_arena_strf(check->arena, "%s.pem", prefix);

                if (!mr_streq(stored(check, secret, pem), both))
                        return mr_strf("%s is damaged", pem);
        }
        if (!wanted->authority || wanted->with_pkcs12) {
                const char *store = mr_arena_strf(check->arena, "%s.p12", prefix);

                if (pkcs12_check_form(stored(check, secret, store), NULL) < 0)
                        return mr_strf("%s is damaged", store);
        }
        return NULL;
}

char *certificate_check_until(const MrCertificate *wanted, SecretLookup lookup, void *userdata,
                              int64_t now, int64_t *ret_until) {
        static char *(*const stages[])(Check * check) = {
                check_pair, check_signer, check_time, check_subject, check_names, check_copies,
        };
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        Check check = {.wanted = wanted,
                       .lookup = lookup,
                       .userdata = userdata,
                       .now = now,
                       .arena = arena};
        char *reason = check_presence(&check);

        if (reason)
                return reason;
        check_load(&check);
        for (size_t i = 0; i < MR_ELEMENTS(stages) && !reason; i++)
                reason = stages[i](&check);
        *ret_until = check.facts.not_after - renewal_window(wanted) * CERTIFICATE_DAY_SEC;
        certificate_facts_done(&check.facts);
        X509_free(check.x509);
        return reason;
}

char *certificate_check(const MrCertificate *wanted, SecretLookup lookup, void *userdata,
                        int64_t now) {
        int64_t until;

        return certificate_check_until(wanted, lookup, userdata, now, &until);
}
