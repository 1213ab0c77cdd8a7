#include "crypto/issue.h"

#include <errno.h>
#include <time.h>

#include "crypto/certificate.h"
#include "crypto/pkcs12.h"
#include "sdk/str.h"

/* A certificate of an authority whose key was replaced. */
typedef struct Former {
        char *name; /* "ca-2027-…Z" */
        char *certificate;
        char *key; /* NULL: it signs nothing any more */
} Former;

struct Issue {
        MrArena *arena; /* holds the copy of what is wanted; nothing secret */
        MrCertificate wanted;
        CertificateTerms terms;
        int64_t now, day_sec;
        /* What is stored already, NULL where nothing is. */
        char *authority_certificate; /* of the signing CA, or of this authority as it was */
        char *authority_key;
        char *certificate, *key; /* of what an authority signs */
        char *password;
        Former *formers; /* those that stay, and room for one more */
        size_t n_formers;
        /* The outcome. */
        Secret *secrets[ISSUE_SECRETS_MAX];
        size_t n_secrets;
        int result; /* -EINPROGRESS until the work is done */
        MrError error;
};

static void copy_wanted(Issue *issue, const MrCertificate *wanted) {
        MrArena *arena = issue->arena;
        MrCertificate *copy = &issue->wanted;

        *copy = *wanted;
        copy->name = mr_arena_strdup(arena, wanted->name);
        copy->authority = mr_arena_strdup(arena, wanted->authority);
        copy->key_prefix = mr_arena_strdup(arena, wanted->key_prefix);
        copy->common_name = mr_arena_strdup(arena, wanted->common_name);
        copy->organization = mr_arena_strdup(arena, wanted->organization);
        copy->key_type = mr_arena_strdup(arena, wanted->key_type);
        copy->labels = (MrPairs){};
        copy->postponed = NULL;
        copy->names.items = mr_arena_new_array(arena, const char *, wanted->names.n + 1);
        for (size_t i = 0; i < wanted->names.n; i++)
                copy->names.items[i] = mr_arena_strdup(arena, wanted->names.items[i]);
}

static const char *look(const CertificateQuestion *question, const char *secret, const char *key) {
        return question->lookup(secret, key, question->userdata);
}

static void load_authority(Issue *issue, const CertificateQuestion *question) {
        const MrCertificate *wanted = &issue->wanted;
        const MrStrings *formers = &issue->terms.formers;
        const char *public = certificate_public_secret(issue->arena, wanted->name);

        issue->authority_key = mr_strdup(look(question, wanted->name, "ca.key"));
        issue->authority_certificate = mr_strdup(look(question, public, "ca.crt"));
        issue->password = mr_strdup(look(question, public, "ca.password"));
        issue->formers = mr_new(Former, formers->n + 1);
        for (size_t i = 0; i < formers->n; i++) {
                const char *name = formers->items[i];
                const char *certificate =
                        look(question, public, mr_arena_strf(issue->arena, "%s.crt", name));
                bool keeps_key = mr_strings_has(&issue->terms.former_keys, name);
                if (!certificate)
                        continue;
                issue->formers[issue->n_formers++] = (Former){
                        .name = mr_strdup(name),
                        .certificate = mr_strdup(certificate),
                        .key = keeps_key ? mr_strdup(look(
                                                   question, wanted->name,
                                                   mr_arena_strf(issue->arena, "%s.key", name)))
                                         : NULL,
                };
        }
}

static void load_leaf(Issue *issue, const CertificateQuestion *question) {
        const MrCertificate *wanted = &issue->wanted;
        const char *signer = issue->terms.signer ? issue->terms.signer : "ca";
        const char *public = certificate_public_secret(issue->arena, wanted->authority);

        issue->authority_key = mr_strdup(
                look(question, wanted->authority, mr_arena_strf(issue->arena, "%s.key", signer)));
        issue->authority_certificate =
                mr_strdup(look(question, public, mr_arena_strf(issue->arena, "%s.crt", signer)));
        if (wanted->with_pkcs12)
                issue->password = mr_strdup(
                        look(question, wanted->name,
                             mr_arena_strf(issue->arena, "%s.password", wanted->key_prefix)));
        if (!issue->terms.is_kept)
                return;
        issue->key = mr_strdup(look(question, wanted->name,
                                    mr_arena_strf(issue->arena, "%s.key", wanted->key_prefix)));
        issue->certificate = mr_strdup(look(
                question, wanted->name, mr_arena_strf(issue->arena, "%s.crt", wanted->key_prefix)));
}

Issue *issue_new(const CertificateQuestion *question) {
        Issue *issue = mr_new(Issue, 1);

        *issue = (Issue){.arena = mr_arena_new(),
                         .now = question->now,
                         .day_sec = question->day_sec,
                         .result = -EINPROGRESS};
        if (question->terms)
                issue->terms = *question->terms;
        copy_wanted(issue, question->wanted);
        if (issue->wanted.authority)
                load_leaf(issue, question);
        else
                load_authority(issue, question);
        /* What is asked from here on is in the copies; these would be borrowed. */
        issue->terms.signer = issue->terms.issuers = NULL;
        issue->terms.done = issue->terms.done_public = NULL;
        issue->terms.formers = issue->terms.former_keys = (MrStrings){};
        return issue;
}

Issue *issue_free(Issue *issue) {
        if (!issue)
                return NULL;
        for (size_t i = 0; i < issue->n_secrets; i++)
                secret_free(issue->secrets[i]);
        for (size_t i = 0; i < issue->n_formers; i++) {
                free(issue->formers[i].name);
                free(issue->formers[i].certificate);
                secret_text_free(issue->formers[i].key);
        }
        free(issue->formers);
        secret_text_free(issue->authority_key);
        secret_text_free(issue->key);
        secret_text_free(issue->password);
        free(issue->authority_certificate);
        free(issue->certificate);
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
static int issue_password(const Issue *issue, char **ret, MrError *err) {
        *ret = mr_is_empty(issue->password) ? secret_password_new(PKCS12_PASSWORD_LENGTH)
                                            : mr_strdup(issue->password);
        return *ret ? 0
                    : mr_fail(err, MR_TRANSIENT, NULL,
                              "the operating system gives no random numbers");
}

static CertificateRequest issue_request(const Issue *issue) {
        const MrCertificate *wanted = &issue->wanted;

        return (CertificateRequest){
                .common_name =
                        wanted->authority
                                ? wanted->common_name
                                : mr_arena_strf(issue->arena, "%s v%lld", wanted->common_name,
                                                (long long) issue->terms.key_generation),
                .organization = wanted->organization,
                .names = wanted->names,
                .now = issue->now,
                .validity_days = wanted->validity_days,
                .day_sec = issue->day_sec,
                .is_authority = !wanted->authority,
        };
}

static char *former_name(const CertificateFacts *facts) {
        char text[64] = "";
        struct tm tm;
        time_t when = (time_t) facts->not_after;

        if (gmtime_r(&when, &tm))
                strftime(text, sizeof(text), "ca-%Y-%m-%dT%H-%M-%SZ", &tm);
        return mr_strdup(text);
}

/* Keeps the certificate of a key that is replaced among the trusted ones, because nodes and clients
 * show certificates it signed, and the key, because it signs until everybody trusts the new one. */
static void issue_keep_former(Issue *issue, const char *key) {
        _cleanup_certificate_facts_ CertificateFacts facts = {};
        const char *former = issue->authority_certificate;

        if (!former || certificate_facts_read(former, &facts, NULL) < 0 || !facts.is_authority)
                return;
        if (facts.not_after <= issue->now || certificate_matches_key(former, key, NULL) != 0)
                return;
        issue->formers[issue->n_formers++] = (Former){
                .name = former_name(&facts),
                .certificate = mr_strdup(former),
                .key = certificate_matches_key(former, issue->authority_key, NULL) == 1
                               ? mr_strdup(issue->authority_key)
                               : NULL,
        };
}

static void issue_add_formers(const Issue *issue, Secret *private, Secret *public) {
        for (size_t i = 0; i < issue->n_formers; i++) {
                const Former *former = &issue->formers[i];
                secret_set(public, mr_arena_strf(issue->arena, "%s.crt", former->name),
                           former->certificate);
                secret_set(private, mr_arena_strf(issue->arena, "%s.key", former->name),
                           former->key);
        }
}

static int issue_trust_store(const Issue *issue, const char *certificate, Secret *public,
                             MrError *err) {
        _cleanup_(secret_text_freep) char *password = NULL, *store = NULL,
                                          *trusted = mr_strdup(certificate);
        int r = issue_password(issue, &password, err);

        for (size_t i = 0; i < issue->n_formers; i++) {
                char *more = secret_text_join(trusted, issue->formers[i].certificate, NULL);
                secret_text_free(trusted);
                trusted = more;
        }
        if (r >= 0)
                r = pkcs12_make_trust_store(trusted, password, &store, err);
        if (r < 0)
                return r;
        secret_take(public, "ca.p12", TAKE(store));
        secret_take(public, "ca.password", TAKE(password));
        return 0;
}

/* The key it has, unless there is none that can be used or a new one is wanted. */
static int authority_key(Issue *issue, char **ret, MrError *err) {
        KeyKind kind = KEY_EC_P256;
        bool has_key =
                issue->authority_key && key_read_kind(issue->authority_key, &kind, NULL) >= 0;

        if (has_key && !issue->terms.has_new_key) {
                *ret = mr_strdup(issue->authority_key);
                return 0;
        }
        (void) key_kind_from_type(issue->wanted.key_type, &kind);
        return key_generate(kind, ret, err);
}

static int issue_authority(Issue *issue, MrError *err) {
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *certificate = NULL;
        CertificateRequest request = issue_request(issue);
        int r = authority_key(issue, &key, err);

        if (r >= 0 && issue->terms.is_kept)
                certificate = mr_strdup(issue->authority_certificate);
        else if (r >= 0)
                r = certificate_issue(&request, key, NULL, NULL, &certificate, err);
        if (r < 0)
                return r;
        issue_keep_former(issue, key);
        Secret *private = issue_add_secret(issue, issue->wanted.name);
        Secret *public = issue_add_secret(
                issue, certificate_public_secret(issue->arena, issue->wanted.name));
        r = issue_trust_store(issue, certificate, public, err);
        if (r < 0)
                return r;
        issue_add_formers(issue, private, public);
        secret_set(public, "ca.crt", certificate);
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
        _cleanup_(secret_text_freep) char *password = NULL, *store = NULL;
        int r = issue_password(issue, &password, err);

        if (r >= 0)
                r = pkcs12_make_key_store(key, chain, issue->wanted.key_prefix, password, &store,
                                          err);
        if (r < 0)
                return r;
        leaf_set(issue, secret, ".p12", TAKE(store));
        leaf_set(issue, secret, ".password", TAKE(password));
        return 0;
}

static int leaf_make(Issue *issue, char **ret_key, char **ret_certificate, MrError *err) {
        CertificateRequest request = issue_request(issue);
        int r = leaf_key(issue, ret_key, err);

        return r < 0 ? r
                     : certificate_issue(&request, *ret_key, issue->authority_certificate,
                                         issue->authority_key, ret_certificate, err);
}

/* What is stored, without the certificates of its CA, which may have been renewed. */
static int leaf_keep(Issue *issue, char **ret_key, char **ret_certificate, MrError *err) {
        MrStrings chain;
        int r = certificate_split(issue->certificate, issue->arena, &chain, err);

        if (r < 0)
                return r;
        *ret_key = mr_strdup(issue->key);
        *ret_certificate = mr_strdup(chain.items[0]);
        return 0;
}

static int issue_leaf(Issue *issue, MrError *err) {
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *certificate = NULL;

        if (!issue->authority_certificate || (!issue->authority_key && !issue->terms.is_kept))
                return mr_fail(err, MR_TRANSIENT, NULL, "its CA %s does not exist yet",
                               issue->wanted.authority);
        int r = issue->terms.is_kept ? leaf_keep(issue, &key, &certificate, err)
                                     : leaf_make(issue, &key, &certificate, err);
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
