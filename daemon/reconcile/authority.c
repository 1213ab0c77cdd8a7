/* The stages of replacing an authority's key, read off secrets, files and nodes. */

#include "authority.h"

#include <string.h>

#include "crypto/certificate-memo.h"
#include "crypto/certificate.h"
#include "model/facts.h"
#include "str.h"

static const char *public_secret(const Loading *loading, const char *name) {
        return mr_arena_strf(loading->arena, "%s-cert", name);
}

static const char *former_text(const Loading *loading, const char *name, const char *former) {
        return mr_facts_secret(loading->facts, public_secret(loading, name),
                               mr_arena_strf(loading->arena, "%s.crt", former));
}

static const MrTrust *find_trust(const Loading *loading, const char *name) {
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                if (part->kind == MR_PART_TRUST && mr_streq(part->trust.authority, name))
                        return &part->trust;
        }
        return NULL;
}

const char *authority_memory(const Loading *loading, const char *name) {
        return mr_arena_strf(loading->arena, MR_SIGNS_KEY, loading->ns, name);
}

static void read_formers(const Loading *loading, Authority *authority) {
        MrStrings keys = mr_facts_secret_keys(
                loading->facts, public_secret(loading, authority->name), loading->arena);

        for (size_t i = 0; i < keys.n; i++) {
                const char *key = keys.items[i];
                if (!mr_starts_with(key, "ca-") || !mr_ends_with(key, ".crt"))
                        continue;
                char *former = mr_arena_strndup(loading->arena, key, strlen(key) - strlen(".crt"));
                mr_strings_add(loading->arena, &authority->formers, former);
                if (mr_facts_secret(loading->facts, authority->name,
                                    mr_arena_strf(loading->arena, "%s.key", former)))
                        mr_strings_add(loading->arena, &authority->former_keys, former);
        }
}

static CertificateBriefs briefs_of(const Loading *loading, const char *pem) {
        return certificate_memo_briefs(facts_certificate_memo(loading->facts), pem, loading->arena);
}

/* What the first certificate of a text says; NULL when there is none. */
static const CertificateBrief *brief_of(const Loading *loading, const char *pem) {
        CertificateBriefs briefs = briefs_of(loading, pem);
        return briefs.n > 0 ? &briefs.items[0] : NULL;
}

/* Whether every node works with a bundle that has the present key. */
static const char *trust_waits(const Loading *loading, const Authority *authority) {
        const MrTrust *trust = authority->trust;
        CertificateBriefs briefs =
                briefs_of(loading, mr_facts_secret(loading->facts, trust->name, trust->key));

        for (size_t i = 0; i < briefs.n; i++)
                if (mr_streq(briefs.items[i].key_digest, authority->key))
                        return loaded_waits_for(loading, trust->name, trust->key);
        return mr_arena_strf(loading->arena, "secret %s does not have it yet", trust->name);
}

/* The former certificate whose key signs until the present one is trusted. */
static const char *former_signer(const Loading *loading, const Authority *authority,
                                 const char *key) {
        for (size_t i = 0; i < authority->former_keys.n; i++) {
                const char *former = authority->former_keys.items[i];
                const CertificateBrief *brief =
                        brief_of(loading, former_text(loading, authority->name, former));
                if (brief && mr_streq(brief->key_digest, key))
                        return former;
        }
        return NULL;
}

static void read_signer(const Loading *loading, Authority *authority) {
        const char *key =
                mr_facts_remembered(loading->facts, authority_memory(loading, authority->name));

        authority->signer = "ca";
        authority->issuers = authority->certificate;
        if (!key || mr_streq(key, authority->key))
                return;
        authority->waits = authority->trust ? trust_waits(loading, authority)
                                            : "every node has to trust the new key first";
        if (!authority->waits)
                return;
        authority->signer = former_signer(loading, authority, key);
        if (authority->signer)
                authority->issuers =
                        mr_arena_strf(loading->arena, "%s\n%s",
                                      former_text(loading, authority->name, authority->signer),
                                      authority->certificate);
}

Authority authority_read(const Loading *loading, const char *name) {
        Authority authority = {
                .name = name,
                .trust = find_trust(loading, name),
                .certificate =
                        mr_facts_secret(loading->facts, public_secret(loading, name), "ca.crt"),
                .signer = "ca",
        };
        const CertificateBrief *brief = brief_of(loading, authority.certificate);

        if (!brief)
                return authority;
        authority.common_name = brief->common_name;
        authority.key = brief->key_digest;
        authority.name_digest = brief->name_digest;
        authority.not_after = brief->not_after;
        read_formers(loading, &authority);
        read_signer(loading, &authority);
        return authority;
}

static bool is_moved(const Loading *loading, const Authority *authority,
                     const MrCertificate *leaf) {
        const char *certificate =
                mr_facts_secret(loading->facts, leaf->name,
                                mr_arena_strf(loading->arena, "%s.crt", leaf->key_prefix));

        return certificate &&
               certificate_is_signed_by(certificate, authority->certificate, NULL) == 1 &&
               !loaded_waits_for(loading, leaf->name, NULL);
}

bool authority_is_moved(const Loading *loading, const Authority *authority) {
        if (!authority->trust || !authority->key || authority->waits)
                return false;
        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                const MrPart *part = mr_parts_at(loading->parts, i);
                if (part->kind == MR_PART_CERTIFICATE &&
                    mr_streq(part->certificate.authority, authority->name) &&
                    !is_moved(loading, authority, &part->certificate))
                        return false;
        }
        return true;
}

/* --- the bundle */

typedef struct Bundle {
        const Loading *loading;
        const Authority *authority;
        int drops_formers; /* -1: not asked yet, because it takes long to tell */
        MrStrings texts;
        MrStrings digests;
} Bundle;

static bool is_renewal(const Authority *authority, const CertificateBrief *brief) {
        return mr_streq(brief->key_digest, authority->key) &&
               mr_streq(brief->name_digest, authority->name_digest);
}

static bool is_expired(const Loading *loading, const CertificateBrief *brief) {
        return brief->not_after <= mr_facts_now(loading->facts);
}

static void add_text(Bundle *bundle, const char *text, const CertificateBrief *brief) {
        MrArena *arena = bundle->loading->arena;

        if (!brief || mr_strings_has(&bundle->digests, brief->digest))
                return;
        mr_strings_add(arena, &bundle->texts, text);
        mr_strings_add(arena, &bundle->digests, brief->digest);
}

/* Certificates other than the present ones. */
static void add_former(Bundle *bundle, const char *text) {
        const CertificateBrief *brief = brief_of(bundle->loading, text);

        if (!brief || !brief->is_authority || is_expired(bundle->loading, brief) ||
            is_renewal(bundle->authority, brief) || mr_strings_has(&bundle->digests, brief->digest))
                return;
        if (bundle->drops_formers < 0)
                bundle->drops_formers = !bundle->authority->trust->is_public &&
                                        authority_is_moved(bundle->loading, bundle->authority);
        if (!bundle->drops_formers)
                add_text(bundle, text, brief);
}

/* A certificate that was only renewed is the same to whoever trusts it, so nothing has to be read
 * again because of it: the older one stays until it ends soon. */
static const char *older_text(const Bundle *bundle, const MrStrings *stored) {
        const Loading *loading = bundle->loading;
        int64_t soon = mr_facts_now(loading->facts) +
                       certificate_days_sec(bundle->authority->trust->renewal_days,
                                            facts_day(loading->facts));

        for (size_t i = 0; i < stored->n; i++) {
                const CertificateBrief *brief = brief_of(loading, stored->items[i]);
                if (brief && is_renewal(bundle->authority, brief) && brief->not_after > soon)
                        return stored->items[i];
        }
        return NULL;
}

static void add_present(Bundle *bundle, const MrStrings *stored) {
        const char *older = older_text(bundle, stored);
        MrStrings present = {};

        if (certificate_split(bundle->authority->certificate, bundle->loading->arena, &present,
                              NULL) < 0)
                return;
        for (size_t i = 0; i < present.n; i++) {
                const char *text = i == 0 && older ? older : present.items[i];
                add_text(bundle, text, brief_of(bundle->loading, text));
        }
}

static const char *common_name(const Loading *loading, const char *text) {
        const CertificateBrief *brief = brief_of(loading, text);

        return brief && *brief->common_name ? brief->common_name : "a certificate";
}

static const char *bundle_reason(const Bundle *bundle, const MrStrings *stored) {
        const Loading *loading = bundle->loading;
        MrArena *arena = loading->arena;

        if (stored->n == 0)
                return "it does not exist yet";
        if (bundle->texts.n < stored->n)
                for (size_t i = 0; i < stored->n; i++)
                        if (!mr_strings_has(&bundle->texts, stored->items[i]))
                                return mr_arena_strf(arena, "nothing needs to trust %s any more",
                                                     common_name(loading, stored->items[i]));
        for (size_t i = 0; i < bundle->texts.n; i++)
                if (!mr_strings_has(stored, bundle->texts.items[i]))
                        return mr_arena_strf(arena,
                                             bundle->texts.n > stored->n
                                                     ? "%s is to be trusted, too"
                                                     : "%s was renewed",
                                             common_name(loading, bundle->texts.items[i]));
        return "it differs from the spec";
}

const char *authority_bundle(const Loading *loading, const Authority *authority,
                             const char **ret_reason) {
        const MrTrust *trust = authority->trust;
        const char *bundled = mr_facts_secret(loading->facts, trust->name, trust->key),
                   *text = NULL;
        Bundle bundle = {.loading = loading, .authority = authority, .drops_formers = -1};
        MrStrings stored = {};

        *ret_reason = NULL;
        if (!authority->key)
                return NULL;
        if (authority->formers.n == 0 && mr_streq(bundled, authority->certificate))
                return bundled;
        if (bundled && certificate_split(bundled, loading->arena, &stored, NULL) < 0)
                stored = (MrStrings){};
        add_present(&bundle, &stored);
        for (size_t i = 0; i < authority->formers.n; i++)
                add_former(&bundle,
                           former_text(loading, authority->name, authority->formers.items[i]));
        for (size_t i = 0; i < stored.n; i++)
                add_former(&bundle, stored.items[i]);
        for (size_t i = 0; i < bundle.texts.n; i++)
                text = mr_arena_strf(loading->arena, "%s%s", text ? text : "",
                                     bundle.texts.items[i]);
        if (!mr_streq(text, bundled))
                *ret_reason = bundle_reason(&bundle, &stored);
        return text;
}

bool authority_keeps(const Loading *loading, const Authority *authority, const char *former) {
        const CertificateBrief *brief =
                brief_of(loading, former_text(loading, authority->name, former));

        if (!brief || is_expired(loading, brief))
                return false;
        /* Where nobody says who is to trust it, nobody can say that it is needed no more. */
        return !authority->trust || authority->trust->is_public ||
               !authority_is_moved(loading, authority);
}
