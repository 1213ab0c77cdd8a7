/* Certificates as manifests: what serves, what is issued anew, and why. */

#include "secrets-private.h"

#include <string.h>

#include "authority.h"
#include "crypto/certificate-memo.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "model/facts.h"
#include "references.h"
#include "str.h"

static const char *lookup_fact(const char *secret, const char *key, void *userdata) {
        const Lowering *lowering = userdata;
        return mr_facts_secret(lowering->facts, secret, key);
}

/* Where an endpoint is reached may be the address of the node, which is there already. Names whose
 * node has no address yet are left out: the certificate is issued again when they are known. */
static int resolve_names(Lowering *lowering, const MrStrings *names, MrStrings *ret, MrError *err) {
        for (size_t i = 0; i < names->n; i++) {
                const char *name;
                int r = reference_text(names->items[i], lowering->wanted, NULL, lowering->arena,
                                       &name, err);
                if (r < 0)
                        return mr_error_within(err, r, "names[%zu]", i);
                bool is_assigned = mr_starts_with(names->items[i], "@{host:");
                if (r == 0 && !(is_assigned && mr_strings_has(ret, name)))
                        mr_strings_add(lowering->arena, ret, name);
        }
        return 0;
}

static bool is_any_stored(Lowering *lowering, const MrCertificate *certificate) {
        const char *secret, *key;

        for (size_t i = 0; (key = certificate_key_at(certificate, i, lowering->arena, &secret));
             i++)
                if (mr_facts_secret(lowering->facts, secret, key))
                        return true;
        return false;
}

/* What a user wrote is never written over. */
static int check_written(Lowering *lowering, const MrCertificate *certificate, const char *reason,
                         MrError *err) {
        const char *secret;

        for (size_t i = 0; certificate_key_at(certificate, i, lowering->arena, &secret); i++)
                if (facts_is_written(lowering->facts, secret))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the Secret %s, which somebody wrote, does not serve: %s; "
                                       "correct it, or delete it so that millrace makes one",
                                       secret, reason);
        return 0;
}

static int add_certificate(Lowering *lowering, const MrCertificate *certificate,
                           const CertificateTerms *terms, MrManifest manifest, const char *reason,
                           MrError *err) {
        bool is_found = is_any_stored(lowering, certificate);
        int r = reason ? check_written(lowering, certificate,
                                       is_found ? reason : "it lacks the keys that are needed", err)
                       : 0;

        if (r < 0)
                return r;
        if (is_found) {
                manifest.body = certificate_describe(certificate);
                mr_tree_set_string(manifest.body, "reissue", reason);
                mr_manifests_add(lowering->found, manifest);
        }
        manifest.body = certificate_describe(certificate);
        if (reason)
                certificate_describe_terms(terms, manifest.body);
        mr_manifests_add(lowering->wanted, manifest);
        return 0;
}

static CertificateVerdict check(Lowering *lowering, const MrCertificate *certificate,
                                const CertificateTerms *terms) {
        return certificate_memo_check(facts_certificate_memo(lowering->facts),
                                      &(CertificateQuestion){
                                              .wanted = certificate,
                                              .terms = terms,
                                              .lookup = lookup_fact,
                                              .userdata = lowering,
                                              .now = mr_facts_now(lowering->facts),
                                              .day_sec = facts_day(lowering->facts),
                                      });
}

static void warn_of_postponement(Lowering *lowering, const MrCertificate *certificate,
                                 const char *reason) {
        mr_manifests_warn(lowering->wanted, "CertificateRenewal", "%s %s; %s", certificate->name,
                          reason, certificate->postponed);
}

/* What an annotation of a Secret asks for, and who asks, so that it is done once; NULL: nothing, or
 * it is done. `secret` is where it is asked for and noted. */
static const char *asked_for(Lowering *lowering, const char *secret, const char *annotation) {
        const MrResource *written = mr_facts_resource(lowering->facts, "Secret", secret);
        const char *value = written ? mr_pairs_get(&written->annotations, annotation) : NULL;

        if (mr_is_empty(value) || mr_streq(value, "false"))
                return NULL;
        const char *mark = mr_arena_strf(lowering->arena, "%s %s", written->uid, value);
        return mr_streq(facts_annotation(lowering->facts, secret, DONE_ANNOTATION), mark) ? NULL
                                                                                          : mark;
}

/* --- what an authority signs */

static bool is_made_here(Lowering *lowering, const char *authority) {
        for (size_t i = 0; i < mr_parts_size(lowering->loading.parts); i++) {
                const MrPart *part = mr_parts_at(lowering->loading.parts, i);
                if (part->kind == MR_PART_CERTIFICATE && !part->certificate.authority &&
                    mr_streq(part->certificate.name, authority))
                        return true;
        }
        return false;
}

/* What is issued in the same pass comes first, and changes what the rest is to be signed with. Only
 * at the very beginning nobody depends on it yet. */
static bool is_being_issued(Lowering *lowering, const char *authority) {
        const MrManifest *found =
                mr_manifests_find(lowering->found, "Secret", lowering->ns, authority);

        return mr_facts_remembered(lowering->facts,
                                   authority_memory(&lowering->loading, authority)) &&
               (!found || mr_tree_get_string(found->body, "reissue"));
}

/* Why nothing can be signed now, or NULL. */
static const char *signing_waits(Lowering *lowering, const Authority *authority) {
        if (is_made_here(lowering, authority->name)) {
                if (is_being_issued(lowering, authority->name))
                        return mr_arena_strf(lowering->arena, "secret %s", authority->name);
                return authority->signer || !authority->key ? NULL : authority->waits;
        }
        if (!authority->key)
                return mr_arena_strf(lowering->arena, "ca.crt of the secret %s-cert",
                                     authority->name);
        if (!mr_facts_secret(lowering->facts, authority->name, "ca.key"))
                return mr_arena_strf(lowering->arena, "ca.key of the secret %s", authority->name);
        return authority->signer ? NULL : authority->waits;
}

static int lower_leaf(Lowering *lowering, const MrCertificate *certificate, MrManifest manifest,
                      MrError *err) {
        Authority authority = authority_read(&lowering->loading, certificate->authority);
        CertificateTerms terms = {.signer = authority.signer, .issuers = authority.issuers};
        const char *asked = asked_for(lowering, certificate->name, RENEW_ANNOTATION);
        CertificateVerdict verdict = check(lowering, certificate, &terms);
        _cleanup_free_ char *reason = verdict.reason;

        if (verdict.need == CERTIFICATE_RENEW && certificate->postponed && !asked) {
                warn_of_postponement(lowering, certificate, reason);
                free(TAKE(reason));
        }
        if (!reason && asked)
                reason = mr_strdup("asked for by the annotation " RENEW_ANNOTATION);
        terms.is_kept = reason && verdict.need == CERTIFICATE_COPY && !asked;
        terms.done = asked;
        if (!terms.is_kept)
                manifest.pending = signing_waits(lowering, &authority);
        return add_certificate(lowering, certificate, &terms, manifest, reason, err);
}

/* --- authorities */

static int64_t number_of(const char *text, int64_t fallback) {
        int64_t number;

        return text && mr_parse_int(text, &number) == 0 ? number : fallback;
}

/* "cluster-ca v3" → 3 */
static int64_t number_in_name(const char *name) {
        const char *at = name ? strrchr(name, 'v') : NULL;

        return number_of(at ? at + 1 : NULL, 0);
}

static void count_generations(Lowering *lowering, const Authority *authority, bool is_anew,
                              CertificateTerms *terms) {
        const char *public = certificate_public_secret(lowering->arena, authority->name);

        terms->key_generation =
                number_of(facts_annotation(lowering->facts, authority->name, KEY_GENERATION),
                          number_in_name(authority->common_name));
        terms->certificate_generation =
                number_of(facts_annotation(lowering->facts, public, CERTIFICATE_GENERATION), 0);
        if (!is_anew)
                return;
        terms->certificate_generation++;
        terms->key_generation += terms->has_new_key;
}

static bool has_usable_key(Lowering *lowering, const char *name) {
        const char *key = mr_facts_secret(lowering->facts, name, "ca.key");
        KeyKind kind;

        /* A recorded pass has the mask of a key in its place. */
        return key && (secret_text_is_masked(key) || key_read_kind(key, &kind, NULL) >= 0);
}

/* A former certificate goes when nothing needs it, its key already when the present one signs. */
static void choose_formers(Lowering *lowering, const Authority *authority,
                           CertificateTerms *terms) {
        for (size_t i = 0; i < authority->formers.n; i++)
                if (authority_keeps(&lowering->loading, authority, authority->formers.items[i]))
                        mr_strings_add(lowering->arena, &terms->formers,
                                       authority->formers.items[i]);
        for (size_t i = 0; authority->waits && i < authority->former_keys.n; i++)
                mr_strings_add(lowering->arena, &terms->former_keys,
                               authority->former_keys.items[i]);
}

static const char *reason_to_tidy(const Authority *authority, const CertificateTerms *terms) {
        if (terms->formers.n < authority->formers.n)
                return "nothing shows a certificate of a former key any more";
        if (terms->former_keys.n < authority->former_keys.n)
                return "every node trusts the present key, so the former one signs no more";
        return NULL;
}

/* What somebody wrote is his to renew; trust.c says when. */
static bool is_written(Lowering *lowering, const MrCertificate *certificate) {
        return facts_is_written(lowering->facts, certificate->name) ||
               facts_is_written(lowering->facts,
                                certificate_public_secret(lowering->arena, certificate->name));
}

typedef struct Asked {
        const char *renewal, *replacement;
} Asked;

/* Why the authority is issued anew, and with a new key or not. One key is replaced after the other,
 * so what is only soon to end waits for that. */
static char *reason_to_issue(Lowering *lowering, const MrCertificate *certificate,
                             const Authority *authority, const Asked *asked,
                             CertificateTerms *terms) {
        CertificateVerdict verdict = check(lowering, certificate, NULL);
        bool is_urgent = verdict.need == CERTIFICATE_MAKE;
        _cleanup_free_ char *reason = verdict.reason;

        terms->has_new_key = authority->key && (!has_usable_key(lowering, certificate->name) ||
                                                certificate->replaces_key);
        if (!authority->key) {
                /* A request that is older than the authority was meant for another. */
                terms->done = asked->replacement;
                terms->done_public = asked->renewal;
        }
        if (is_urgent)
                return TAKE(reason);
        if (is_written(lowering, certificate))
                return NULL;
        if (verdict.need == CERTIFICATE_COPY) {
                terms->is_kept = true;
                return TAKE(reason);
        }
        if (!authority->waits && asked->replacement) {
                terms->has_new_key = true;
                terms->done = asked->replacement;
                return mr_strdup("asked for by the annotation " REPLACE_ANNOTATION);
        }
        if (asked->renewal && !(terms->has_new_key && authority->waits)) {
                terms->done_public = asked->renewal;
                return mr_strdup("asked for by the annotation " RENEW_ANNOTATION);
        }
        if (reason && certificate->postponed)
                warn_of_postponement(lowering, certificate, reason);
        if (!reason || certificate->postponed || (terms->has_new_key && authority->waits))
                return NULL;
        return TAKE(reason);
}

static int lower_authority(Lowering *lowering, const MrCertificate *certificate,
                           MrManifest manifest, MrError *err) {
        Authority authority = authority_read(&lowering->loading, certificate->name);
        CertificateTerms terms = {};
        Asked asked = {
                .renewal = asked_for(lowering,
                                     certificate_public_secret(lowering->arena, certificate->name),
                                     RENEW_ANNOTATION),
                .replacement = asked_for(lowering, certificate->name, REPLACE_ANNOTATION),
        };
        _cleanup_free_ char *reason =
                reason_to_issue(lowering, certificate, &authority, &asked, &terms);
        bool is_anew = reason && authority.key && !terms.is_kept;

        choose_formers(lowering, &authority, &terms);
        if (!reason && !is_written(lowering, certificate)) {
                const char *tidying = reason_to_tidy(&authority, &terms);
                terms.has_new_key = false;
                terms.is_kept = tidying != NULL;
                reason = mr_strdup(tidying);
        }
        count_generations(lowering, &authority, is_anew, &terms);
        return add_certificate(lowering, certificate, &terms, manifest, reason, err);
}

int lower_certificate(Lowering *lowering, const MrCertificate *part, MrError *err) {
        MrCertificate certificate = *part;
        MrManifest manifest = {
                .kind = "Secret",
                .ns = lowering->ns,
                .name = part->name,
                .rank = part->authority ? RANK_CERTIFICATE : RANK_AUTHORITY,
                .keep = part->outlives,
        };

        certificate.names = (MrStrings){};
        int r = resolve_names(lowering, &part->names, &certificate.names, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", part->name);
        return part->authority ? lower_leaf(lowering, &certificate, manifest, err)
                               : lower_authority(lowering, &certificate, manifest, err);
}
