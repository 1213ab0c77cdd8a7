#include "crypto/issue.h"

#include <errno.h>
#include <time.h>

#include "crypto/certificate.h"
#include "crypto/pkcs12.h"
#include "sdk/str.h"

struct Issue {
        MrArena *arena; /* holds the copy of what is wanted; nothing secret */
        MrCertificate wanted;
        int64_t now;
        KeyKind authority_kind;
        /* What is stored already, NULL where nothing is. */
        char *authority_certificate; /* of the signing CA, or of this authority as it was */
        char *authority_key;
        char *password;
        /* The outcome. */
        Secret *secrets[2];
        size_t n_secrets;
        int result; /* -EINPROGRESS until the work is done */
        MrError error;
};

static void copy_wanted(Issue *issue, const MrCertificate *wanted) {
        MrArena *arena = issue->arena;
        MrCertificate *copy = &issue->wanted;

        *copy = (MrCertificate){
                .name = mr_arena_strdup(arena, wanted->name),
                .authority = wanted->authority ? mr_arena_strdup(arena, wanted->authority) : NULL,
                .key_prefix =
                        wanted->key_prefix ? mr_arena_strdup(arena, wanted->key_prefix) : NULL,
                .common_name =
                        wanted->common_name ? mr_arena_strdup(arena, wanted->common_name) : NULL,
                .organization =
                        wanted->organization ? mr_arena_strdup(arena, wanted->organization) : NULL,
                .validity_days = wanted->validity_days,
                .renewal_days = wanted->renewal_days,
                .with_pkcs12 = wanted->with_pkcs12,
                .with_authority = wanted->with_authority,
        };
        copy->names.items = mr_arena_new_array(arena, const char *, wanted->names.n + 1);
        for (size_t i = 0; i < wanted->names.n; i++)
                copy->names.items[copy->names.n++] = mr_arena_strdup(arena, wanted->names.items[i]);
}

Issue *issue_new(const MrCertificate *wanted, SecretLookup lookup, void *userdata, int64_t now,
                 KeyKind authority_kind) {
        Issue *issue = mr_new(Issue, 1);

        *issue = (Issue){.arena = mr_arena_new(),
                         .now = now,
                         .authority_kind = authority_kind,
                         .result = -EINPROGRESS};
        copy_wanted(issue, wanted);

        const char *authority = wanted->authority ? wanted->authority : wanted->name;
        const char *public = certificate_public_secret(issue->arena, authority);
        issue->authority_key = mr_strdup(lookup(authority, "ca.key", userdata));
        issue->authority_certificate = mr_strdup(lookup(public, "ca.crt", userdata));
        if (!wanted->authority)
                issue->password = mr_strdup(lookup(public, "ca.password", userdata));
        else if (wanted->with_pkcs12)
                issue->password = mr_strdup(lookup(
                        wanted->name,
                        mr_arena_strf(issue->arena, "%s.password", wanted->key_prefix), userdata));
        return issue;
}

Issue *issue_free(Issue *issue) {
        if (!issue)
                return NULL;
        for (size_t i = 0; i < issue->n_secrets; i++)
                secret_free(issue->secrets[i]);
        secret_text_free(issue->authority_key);
        secret_text_free(issue->password);
        free(issue->authority_certificate);
        mr_error_done(&issue->error);
        mr_arena_free(issue->arena);
        free(issue);
        return NULL;
}

void issue_drop(void *issue) {
        issue_free(issue);
}

static Secret *issue_add_secret(Issue *issue, const char *name) {
        return issue->secrets[issue->n_secrets++] = secret_new(name);
}

/* The stored password, when it is one that a store can be made with, or a new one. */
static char *issue_password(const Issue *issue) {
        if (!mr_is_empty(issue->password))
                return mr_strdup(issue->password);
        return secret_password_new(PKCS12_PASSWORD_LENGTH);
}

static CertificateRequest issue_request(const Issue *issue) {
        return (CertificateRequest){
                .common_name = issue->wanted.common_name,
                .organization = issue->wanted.organization,
                .names = issue->wanted.names,
                .now = issue->now,
                .validity_days = issue->wanted.validity_days,
                .is_authority = !issue->wanted.authority,
        };
}

static char *former_key(const CertificateFacts *facts) {
        char text[64] = "";
        struct tm tm;
        time_t when = (time_t) facts->not_after;

        if (gmtime_r(&when, &tm))
                strftime(text, sizeof(text), "ca-%Y-%m-%dT%H-%M-%SZ.crt", &tm);
        return mr_strdup(text);
}

/* Keeps the certificate of a key that is gone among the trusted ones: nodes and clients still
 * show certificates it signed. Returns it, or NULL when there is no such certificate or it
 * serves nobody any more. */
static const char *issue_keep_former(const Issue *issue, const char *key, Secret *secret) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        const char *former = issue->authority_certificate;

        if (!former || certificate_facts_read(former, &facts, NULL) < 0 || !facts.is_authority)
                return NULL;
        if (facts.not_after <= issue->now || certificate_matches_key(former, key, NULL) != 0)
                return NULL;

        _cleanup_free_ char *name = former_key(&facts);
        secret_set(secret, name, former);
        return former;
}

static int issue_public(Issue *issue, const char *key, Secret *secret, MrError *err) {
        _cleanup_(secret_text_freep) char *password = issue_password(issue), *store = NULL;
        _cleanup_free_ char *certificate = NULL;
        CertificateRequest request = issue_request(issue);
        int r = certificate_issue(&request, key, NULL, NULL, &certificate, err);

        if (r < 0)
                return r;
        if (!password)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the operating system gives no random numbers");

        const char *former = issue_keep_former(issue, key, secret);
        _cleanup_free_ char *trusted = secret_text_join(certificate, former, NULL);
        r = pkcs12_make_trust_store(trusted, password, &store, err);
        if (r < 0)
                return r;
        secret_set(secret, "ca.crt", certificate);
        secret_take(secret, "ca.p12", TAKE(store));
        secret_take(secret, "ca.password", TAKE(password));
        return 0;
}

static int issue_authority(Issue *issue, MrError *err) {
        _cleanup_(secret_text_freep) char *key = NULL;
        KeyKind kind;
        int r;

        if (issue->authority_key && key_read_kind(issue->authority_key, &kind, NULL) >= 0)
                key = mr_strdup(issue->authority_key);
        if (!key) {
                r = key_generate(issue->authority_kind, &key, err);
                if (r < 0)
                        return r;
        }

        Secret *private = issue_add_secret(issue, issue->wanted.name);
        Secret *public = issue_add_secret(
                issue, certificate_public_secret(issue->arena, issue->wanted.name));
        r = issue_public(issue, key, public, err);
        if (r < 0)
                return r;
        secret_take(private, "ca.key", TAKE(key));
        return 0;
}

static int leaf_key(const Issue *issue, char **ret, MrError *err) {
        KeyKind kind;
        int r = key_read_kind(issue->authority_key, &kind, err);

        if (r < 0)
                return mr_error_within(err, r, "%s/ca.key", issue->wanted.authority);
        return key_generate(kind == KEY_EC_P256 ? KEY_EC_P256 : KEY_RSA_2048, ret, err);
}

static void leaf_set(Issue *issue, Secret *secret, const char *suffix, char *take_value) {
        secret_take(secret, mr_arena_strf(issue->arena, "%s%s", issue->wanted.key_prefix, suffix),
                    take_value);
}

static int leaf_add_store(Issue *issue, const char *key, const char *chain, Secret *secret,
                          MrError *err) {
        _cleanup_(secret_text_freep) char *password = issue_password(issue), *store = NULL;

        if (!password)
                return mr_fail(err, MR_TRANSIENT, NULL,
                               "the operating system gives no random numbers");
        int r = pkcs12_make_key_store(key, chain, issue->wanted.key_prefix, password, &store, err);
        if (r < 0)
                return r;
        leaf_set(issue, secret, ".p12", TAKE(store));
        leaf_set(issue, secret, ".password", TAKE(password));
        return 0;
}

static int issue_leaf(Issue *issue, MrError *err) {
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *certificate = NULL;
        CertificateRequest request = issue_request(issue);

        if (!issue->authority_certificate || !issue->authority_key)
                return mr_fail(err, MR_TRANSIENT, NULL, "its CA %s does not exist yet",
                               issue->wanted.authority);
        int r = leaf_key(issue, &key, err);
        if (r < 0)
                return r;
        r = certificate_issue(&request, key, issue->authority_certificate, issue->authority_key,
                              &certificate, err);
        if (r < 0)
                return r;

        _cleanup_free_ char *chain =
                secret_text_join(certificate, issue->authority_certificate, NULL);
        Secret *secret = issue_add_secret(issue, issue->wanted.name);
        if (issue->wanted.with_pkcs12) {
                r = leaf_add_store(issue, key, chain, secret, err);
                if (r < 0)
                        return r;
        }
        if (issue->wanted.with_authority)
                secret_set(secret, "ca.crt", issue->authority_certificate);
        leaf_set(issue, secret, ".pem", secret_text_join(key, chain, NULL));
        leaf_set(issue, secret, ".crt", TAKE(chain));
        leaf_set(issue, secret, ".key", TAKE(key));
        return 0;
}

void issue_work(void *data) {
        Issue *issue = data;
        int r = issue->wanted.authority ? issue_leaf(issue, &issue->error)
                                        : issue_authority(issue, &issue->error);

        issue->result =
                r < 0 ? mr_error_within(&issue->error, r, "certificate %s", issue->wanted.name) : 0;
}

int issue_result(const Issue *issue, MrError *err) {
        if (issue->result < 0 && issue->error.message) {
                mr_fail(err, issue->error.kind, issue->error.path, "%s", issue->error.message);
                return issue->result;
        }
        return issue->result;
}

size_t issue_secrets(const Issue *issue) {
        return issue->result == 0 ? issue->n_secrets : 0;
}

const Secret *issue_secret_at(const Issue *issue, size_t i) {
        return i < issue_secrets(issue) ? issue->secrets[i] : NULL;
}
