#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/certificate-memo.h"
#include "crypto/certificate.h"
#include "crypto/issue.h"
#include "crypto/pkcs12.h"
#include "sdk/str.h"

#define NOW 1750000000
#define DAY CERTIFICATE_DAY_SEC
#define SECRETS_MAX 16

/* A store of secrets: what was issued last under a name wins. */
typedef struct Vault {
        Secret *secrets[SECRETS_MAX];
        size_t n;
        CertificateMemo *memo; /* asked each time, too: it must never know better */
        int64_t day_sec;
} Vault;

static const char *vault_lookup(const char *name, const char *key, void *userdata) {
        Vault *vault = userdata;

        for (size_t i = 0; i < vault->n; i++)
                if (mr_streq(secret_name(vault->secrets[i]), name))
                        return secret_get(vault->secrets[i], key);
        return NULL;
}

static Secret *vault_secret(Vault *vault, const char *name) {
        for (size_t i = 0; i < vault->n; i++)
                if (mr_streq(secret_name(vault->secrets[i]), name))
                        return vault->secrets[i];
        assert_true(vault->n < SECRETS_MAX);
        return vault->secrets[vault->n++] = secret_new(name);
}

static void vault_store(Vault *vault, const Secret *secret) {
        Secret *copy = secret_new(secret_name(secret));
        size_t i = 0;

        for (size_t k = 0; k < secret_size(secret); k++)
                secret_set(copy, secret_key_at(secret, k), secret_value_at(secret, k));
        vault_secret(vault, secret_name(secret));
        while (!mr_streq(secret_name(vault->secrets[i]), secret_name(secret)))
                i++;
        secret_free(vault->secrets[i]);
        vault->secrets[i] = copy;
}

static void vault_done(Vault *vault) {
        for (size_t i = 0; i < vault->n; i++)
                secret_free(vault->secrets[i]);
}

static CertificateQuestion question(Vault *vault, const MrCertificate *wanted, int64_t now) {
        return (CertificateQuestion){
                .wanted = wanted,
                .lookup = vault_lookup,
                .userdata = vault,
                .now = now,
                .day_sec = vault->day_sec,
        };
}

static void issue_with(Vault *vault, const MrCertificate *wanted, const CertificateTerms *terms,
                       int64_t now) {
        CertificateQuestion asked = question(vault, wanted, now);

        asked.terms = terms;
        _cleanup_(issue_freep) Issue *issue = issue_new(&asked);

        assert_int_equal(issue_result(issue, NULL), -EINPROGRESS);
        assert_int_equal(issue_secrets(issue), 0);
        issue_work(issue);
        assert_int_equal(issue_result(issue, NULL), 0);
        for (size_t i = 0; i < issue_secrets(issue); i++)
                vault_store(vault, issue_secret_at(issue, i));
}

static void issue_into(Vault *vault, const MrCertificate *wanted, int64_t now) {
        issue_with(vault, wanted, NULL, now);
}

static void expect(Vault *vault, const MrCertificate *wanted, int64_t now, const char *reason) {
        CertificateQuestion asked = question(vault, wanted, now);
        CertificateVerdict verdict = certificate_check(&asked);
        _cleanup_free_ char *found = verdict.reason;

        assert_int_equal(verdict.need == CERTIFICATE_SERVES, found == NULL);
        for (int i = 0; i < 2; i++) {
                _cleanup_free_ char *again = certificate_memo_check(vault->memo, &asked).reason;
                assert_string_equal(again ? again : "(nothing)", found ? found : "(nothing)");
        }
        if (reason)
                assert_string_equal(found ? found : "(nothing)", reason);
        else if (found)
                fail_msg("wanted no reason, got: %s", found);
}

static const char *node_names[] = {"10.1.2.3", "kafka-0.example.com"};

static const MrCertificate authority = {
        .name = "c-cluster-ca",
        .common_name = "cluster-ca",
        .organization = "io.strimzi",
        .validity_days = 365,
        .renewal_days = 30,
};

static const MrCertificate node = {
        .name = "c-kafka-0",
        .authority = "c-cluster-ca",
        .key_prefix = "c-kafka-0",
        .common_name = "c-kafka",
        .organization = "io.strimzi",
        .names = {node_names, 2},
        .validity_days = 365,
        .renewal_days = 30,
};

static const MrCertificate user = {
        .name = "my-user",
        .authority = "c-cluster-ca",
        .key_prefix = "user",
        .common_name = "my-user",
        .validity_days = 365,
        .renewal_days = 30,
        .with_pkcs12 = true,
        .with_authority = true,
};

static int fill_vault(void **state) {
        Vault *vault = mr_new(Vault, 1);

        vault->memo = certificate_memo_new();
        issue_into(vault, &authority, NOW);
        issue_into(vault, &node, NOW);
        issue_into(vault, &user, NOW);
        expect(vault, &authority, NOW, NULL);
        expect(vault, &node, NOW, NULL);
        expect(vault, &user, NOW, NULL);
        *state = vault;
        return 0;
}

static int free_vault(void **state) {
        Vault *vault = *state;

        vault_done(vault);
        certificate_memo_free(vault->memo);
        free(vault);
        return 0;
}

static void what_was_issued_serves(void **state) {
        expect(*state, &authority, NOW, NULL);
        expect(*state, &node, NOW, NULL);
        expect(*state, &user, NOW, NULL);
        expect(*state, &node, NOW + 335 * DAY - 1, NULL);
        expect(*state, &node, NOW, NULL);
}

static void before_issuing_there_is_none_yet(void **state) {
        Vault empty = {};

        (void) state;
        expect(&empty, &authority, NOW, "none yet");
        expect(&empty, &user, NOW, "none yet");
        vault_done(&empty);
}

static void secrets_have_the_keys_clients_know(void **state) {
        Vault *vault = *state;
        const Secret *public = vault_secret(vault, "c-cluster-ca-cert"),
                     *private = vault_secret(vault, "c-cluster-ca");
        const Secret *broker = vault_secret(vault, "c-kafka-0"),
                     *client = vault_secret(vault, "my-user");

        assert_int_equal(secret_size(private), 1);
        assert_non_null(secret_get(private, "ca.key"));
        assert_int_equal(secret_size(public), 3);
        assert_null(secret_get(public, "ca.key"));
        assert_int_equal(secret_size(broker), 3);
        assert_int_equal(secret_size(client), 6);
        assert_string_equal(secret_get(client, "ca.crt"), secret_get(public, "ca.crt"));
        assert_int_equal(
                pkcs12_check(secret_get(public, "ca.p12"), secret_get(public, "ca.password"), NULL),
                0);
        assert_int_equal(pkcs12_check(secret_get(client, "user.p12"),
                                      secret_get(client, "user.password"), NULL),
                         0);
        assert_true(pkcs12_check(secret_get(client, "user.p12"), "wrong", NULL) < 0);

        _cleanup_(secret_text_freep) char *both = secret_text_join(
                secret_get(broker, "c-kafka-0.key"), secret_get(broker, "c-kafka-0.crt"), NULL);
        assert_string_equal(secret_get(broker, "c-kafka-0.pem"), both);
        assert_true(
                mr_ends_with(secret_get(broker, "c-kafka-0.crt"), secret_get(public, "ca.crt")));
}

static void the_end_is_foretold(void **state) {
        expect(*state, &node, NOW + 335 * DAY, "expires in 30 days (renewal 30 days before)");
        expect(*state, &node, NOW + 353 * DAY, "expires in 12 days (renewal 30 days before)");
        expect(*state, &node, NOW + 364 * DAY, "expires in 1 day (renewal 30 days before)");
        expect(*state, &node, NOW + 365 * DAY, "it expired today");
        expect(*state, &node, NOW + 366 * DAY, "it expired 1 day ago");
        expect(*state, &authority, NOW + 370 * DAY, "it expired 5 days ago");
        expect(*state, &node, NOW - DAY,
               "it is not valid yet; the clock of this host may have been wrong");
}

/* What lives for minutes is renewed minutes before; nobody takes it for what lives for days. */
static void days_may_be_shorter(void **state) {
        Vault *vault = *state;

        vault->day_sec = 60;
        issue_into(vault, &node, NOW);
        expect(vault, &node, NOW + 335 * 60 - 1, NULL);
        expect(vault, &node, NOW + 335 * 60, "expires in 30 days (renewal 30 days before)");
        expect(vault, &node, NOW + 365 * 60, "it expired today");
        expect(vault, &authority, NOW + 364 * DAY, NULL);
        vault->day_sec = 0;
        expect(vault, &node, NOW, "expires in 0 days (renewal 30 days before)");
        expect(vault, &authority, NOW + 364 * DAY, "expires in 1 day (renewal 30 days before)");
}

static void a_window_longer_than_the_life_does_not_renew_for_ever(void **state) {
        MrCertificate wanted = node;

        wanted.validity_days = 20;
        issue_into(*state, &wanted, NOW);
        expect(*state, &wanted, NOW, NULL);
        expect(*state, &wanted, NOW + 10 * DAY, "expires in 10 days (renewal 10 days before)");
}

static void names_and_subject_are_compared(void **state) {
        const char *more[] = {"10.1.2.3", "kafka-0.example.com", "x.example.com"},
                   *same[] = {"KAFKA-0.example.com", "10.1.2.3"};
        MrCertificate wanted = node;

        wanted.names = (MrStrings){more, 3};
        expect(*state, &wanted, NOW, "name x.example.com is missing");
        wanted.names = (MrStrings){more, 1};
        expect(*state, &wanted, NOW, "name kafka-0.example.com is no longer wanted");
        wanted.names = (MrStrings){same, 2};
        expect(*state, &wanted, NOW, NULL);
        wanted.common_name = "other";
        expect(*state, &wanted, NOW, "its subject becomes other");
        wanted = node;
        wanted.organization = NULL;
        expect(*state, &wanted, NOW, "its subject becomes c-kafka");
}

static void missing_and_damaged_values_are_named(void **state) {
        Vault *vault = *state;
        Secret *client = vault_secret(vault, "my-user"), *broker = vault_secret(vault, "c-kafka-0");
        _cleanup_(secret_text_freep) char *key = mr_strdup(secret_get(client, "user.key"));

        secret_set(client, "user.p12", "");
        expect(vault, &user, NOW, "user.p12 is missing");
        secret_set(client, "user.p12", "AAAA");
        expect(vault, &user, NOW, "user.p12 is damaged");
        secret_set(client, "ca.crt", "edited");
        expect(vault, &user, NOW, "ca.crt is not that of its CA");
        secret_set(client, "user.key", secret_get(broker, "c-kafka-0.key"));
        expect(vault, &user, NOW, "the key does not match the certificate");
        secret_set(client, "user.key", "x");
        expect(vault, &user, NOW, "the key of user.crt is damaged");
        secret_set(client, "user.crt", "x");
        expect(vault, &user, NOW, "user.crt is damaged");
        secret_set(broker, "c-kafka-0.pem", key);
        expect(vault, &node, NOW, "c-kafka-0.pem is damaged");
        secret_set(vault_secret(vault, "c-cluster-ca-cert"), "ca.p12", "!");
        expect(vault, &authority, NOW, "ca.p12 is damaged");
}

static void renewing_an_authority_keeps_its_key_and_password(void **state) {
        Vault *vault = *state;
        _cleanup_(secret_text_freep) char
                *key = mr_strdup(vault_lookup("c-cluster-ca", "ca.key", vault)),
                *password = mr_strdup(vault_lookup("c-cluster-ca-cert", "ca.password", vault)),
                *leaf = mr_strdup(vault_lookup("c-kafka-0", "c-kafka-0.crt", vault));

        issue_into(vault, &authority, NOW + 200 * DAY);
        assert_string_equal(vault_lookup("c-cluster-ca", "ca.key", vault), key);
        assert_string_equal(vault_lookup("c-cluster-ca-cert", "ca.password", vault), password);
        assert_int_equal(secret_size(vault_secret(vault, "c-cluster-ca-cert")), 3);
        assert_int_equal(certificate_is_signed_by(
                                 leaf, vault_lookup("c-cluster-ca-cert", "ca.crt", vault), NULL),
                         1);
        expect(vault, &authority, NOW + 200 * DAY, NULL);
        expect(vault, &node, NOW + 200 * DAY, NULL);
}

/* A client's copy of the authority's certificate follows; its own key and certificate stay. */
static void a_renewed_authority_is_copied_to_whoever_has_a_copy(void **state) {
        Vault *vault = *state;
        const CertificateTerms kept = {.is_kept = true};
        _cleanup_(secret_text_freep) char *key =
                mr_strdup(vault_lookup("my-user", "user.key", vault));
        MrStrings before, after;
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        assert_int_equal(
                certificate_split(vault_lookup("my-user", "user.crt", vault), arena, &before, NULL),
                0);
        issue_into(vault, &authority, NOW + 200 * DAY);
        expect(vault, &user, NOW + 200 * DAY, "ca.crt is not that of its CA");
        issue_with(vault, &user, &kept, NOW + 200 * DAY);
        expect(vault, &user, NOW + 200 * DAY, NULL);
        assert_string_equal(vault_lookup("my-user", "user.key", vault), key);
        assert_int_equal(
                certificate_split(vault_lookup("my-user", "user.crt", vault), arena, &after, NULL),
                0);
        assert_string_equal(after.items[0], before.items[0]);
        assert_string_not_equal(after.items[1], before.items[1]);
        assert_int_equal(pkcs12_check(vault_lookup("my-user", "user.p12", vault),
                                      vault_lookup("my-user", "user.password", vault), NULL),
                         0);
}

#define FORMER "ca-2026-06-15T15-06-40Z"

static void a_lost_authority_key_keeps_the_former_certificate_trusted(void **state) {
        Vault *vault = *state;
        _cleanup_free_ char *former = mr_strdup(vault_lookup("c-cluster-ca-cert", "ca.crt", vault));

        secret_set(vault_secret(vault, "c-cluster-ca"), "ca.key", "");
        expect(vault, &authority, NOW, "ca.key is missing");
        issue_into(vault, &authority, NOW);
        expect(vault, &authority, NOW, NULL);
        expect(vault, &node, NOW, "its CA has a new key");
        assert_string_equal(vault_lookup("c-cluster-ca-cert", FORMER ".crt", vault), former);
        assert_null(vault_lookup("c-cluster-ca", FORMER ".key", vault));
        assert_int_equal(pkcs12_check(vault_lookup("c-cluster-ca-cert", "ca.p12", vault),
                                      vault_lookup("c-cluster-ca-cert", "ca.password", vault),
                                      NULL),
                         0);
}

static void a_replaced_key_signs_until_the_new_one_is_trusted(void **state) {
        Vault *vault = *state;
        const char *names[] = {FORMER};
        _cleanup_(secret_text_freep) char *key =
                mr_strdup(vault_lookup("c-cluster-ca", "ca.key", vault));
        CertificateTerms terms = {.has_new_key = true, .key_generation = 1};
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        issue_with(vault, &authority, &terms, NOW);
        expect(vault, &authority, NOW, NULL);
        assert_string_not_equal(vault_lookup("c-cluster-ca", "ca.key", vault), key);
        assert_string_equal(vault_lookup("c-cluster-ca", FORMER ".key", vault), key);
        assert_int_equal(certificate_facts_read(vault_lookup("c-cluster-ca-cert", "ca.crt", vault),
                                                &facts, NULL),
                         0);
        assert_string_equal(facts.common_name, "cluster-ca v1");

        terms = (CertificateTerms){.signer = FORMER};
        CertificateQuestion asked = question(vault, &node, NOW);
        asked.terms = &terms;
        assert_int_equal(certificate_check(&asked).need, CERTIFICATE_SERVES);
        issue_with(vault, &node, &terms, NOW);
        assert_int_equal(certificate_is_signed_by(
                                 vault_lookup("c-kafka-0", "c-kafka-0.crt", vault),
                                 vault_lookup("c-cluster-ca-cert", FORMER ".crt", vault), NULL),
                         1);

        /* Then only its certificate stays, and in the end nothing. */
        terms = (CertificateTerms){.is_kept = true, .formers = {names, 1}};
        issue_with(vault, &authority, &terms, NOW);
        assert_null(vault_lookup("c-cluster-ca", FORMER ".key", vault));
        assert_non_null(vault_lookup("c-cluster-ca-cert", FORMER ".crt", vault));
        terms = (CertificateTerms){.is_kept = true};
        issue_with(vault, &authority, &terms, NOW);
        assert_int_equal(secret_size(vault_secret(vault, "c-cluster-ca-cert")), 3);
        assert_int_equal(secret_size(vault_secret(vault, "c-cluster-ca")), 1);
        expect(vault, &authority, NOW, NULL);
        expect(vault, &node, NOW, "its CA has a new key");
}

static void a_new_key_is_like_the_one_before_unless_asked_for(void **state) {
        Vault vault = {};
        MrCertificate wanted = authority;
        const CertificateTerms anew = {.has_new_key = true};
        KeyKind kind;

        (void) state;
        wanted.key_type = "RSA-2048";
        issue_into(&vault, &wanted, NOW);
        issue_with(&vault, &authority, &anew, NOW);
        assert_int_equal(key_read_kind(vault_lookup("c-cluster-ca", "ca.key", &vault), &kind, NULL),
                         0);
        assert_int_equal(kind, KEY_RSA_2048);
        wanted.key_type = "EC";
        issue_with(&vault, &wanted, &anew, NOW);
        assert_int_equal(key_read_kind(vault_lookup("c-cluster-ca", "ca.key", &vault), &kind, NULL),
                         0);
        assert_int_equal(kind, KEY_EC_P256);
        vault_done(&vault);
}

static void an_expired_former_authority_is_dropped(void **state) {
        Vault *vault = *state;

        secret_set(vault_secret(vault, "c-cluster-ca"), "ca.key", "");
        issue_into(vault, &authority, NOW + 400 * DAY);
        assert_int_equal(secret_size(vault_secret(vault, "c-cluster-ca-cert")), 3);
}

static void issuing_again_keeps_the_password_but_not_the_key(void **state) {
        Vault *vault = *state;
        _cleanup_(secret_text_freep) char *key = mr_strdup(
                                                  vault_lookup("my-user", "user.key", vault)),
                                          *password = mr_strdup(
                                                  vault_lookup("my-user", "user.password", vault));

        issue_into(vault, &user, NOW);
        assert_string_not_equal(vault_lookup("my-user", "user.key", vault), key);
        assert_string_equal(vault_lookup("my-user", "user.password", vault), password);
        expect(vault, &user, NOW, NULL);
}

static void a_leaf_waits_for_its_authority(void **state) {
        Vault empty = {};
        _cleanup_error_ MrError err = {};
        _cleanup_(issue_freep) Issue *issue = issue_new(&(CertificateQuestion){
                .wanted = &node, .lookup = vault_lookup, .userdata = &empty, .now = NOW});

        (void) state;
        issue_work(issue);
        assert_true(issue_result(issue, &err) < 0);
        assert_int_equal(err.kind, MR_TRANSIENT);
        assert_string_equal(err.message, "its CA c-cluster-ca does not exist yet");
        assert_string_equal(err.path, "certificate c-kafka-0");
        assert_int_equal(issue_secrets(issue), 0);
        assert_null(issue_secret_at(issue, 0));
}

static void a_leaf_whose_authority_is_gone_is_made_anew(void **state) {
        Vault *vault = *state;

        secret_set(vault_secret(vault, "c-cluster-ca-cert"), "ca.crt", "");
        expect(vault, &node, NOW, "its CA c-cluster-ca is made anew");
}

static void a_leaf_is_no_authority(void **state) {
        Vault *vault = *state;
        MrCertificate wanted = authority;

        secret_set(vault_secret(vault, "c-cluster-ca-cert"), "ca.crt",
                   vault_lookup("my-user", "user.crt", vault));
        secret_set(vault_secret(vault, "c-cluster-ca"), "ca.key",
                   vault_lookup("my-user", "user.key", vault));
        expect(vault, &wanted, NOW, "it is not self-signed");
}

static void leaves_of_an_rsa_authority_have_rsa_keys(void **state) {
        Vault vault = {};
        MrCertificate wanted = authority;

        wanted.key_type = "RSA-2048";
        _cleanup_(issue_freep) Issue *issue = issue_new(&(CertificateQuestion){
                .wanted = &wanted, .lookup = vault_lookup, .userdata = &vault, .now = NOW});
        KeyKind kind;

        (void) state;
        issue_work(issue);
        assert_int_equal(issue_secrets(issue), 2);
        assert_string_equal(secret_name(issue_secret_at(issue, 0)), "c-cluster-ca");
        vault_store(&vault, issue_secret_at(issue, 0));
        vault_store(&vault, issue_secret_at(issue, 1));
        issue_into(&vault, &node, NOW);
        assert_int_equal(
                key_read_kind(vault_lookup("c-kafka-0", "c-kafka-0.key", &vault), &kind, NULL), 0);
        assert_int_equal(kind, KEY_RSA_2048);
        expect(&vault, &node, NOW, NULL);
        vault_done(&vault);
}

static void errors_name_the_certificate(void **state) {
        MrCertificate wanted = node;
        const char *bad[] = {"not a name"};
        _cleanup_error_ MrError err = {};

        wanted.names = (MrStrings){bad, 1};
        _cleanup_(issue_freep) Issue *issue = issue_new(&(CertificateQuestion){
                .wanted = &wanted, .lookup = vault_lookup, .userdata = *state, .now = NOW});
        issue_work(issue);
        assert_true(issue_result(issue, &err) < 0);
        assert_int_equal(err.kind, MR_INVALID);
        assert_string_equal(err.path, "certificate c-kafka-0");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_issued_serves, fill_vault, free_vault),
                cmocka_unit_test(before_issuing_there_is_none_yet),
                cmocka_unit_test_setup_teardown(secrets_have_the_keys_clients_know, fill_vault,
                                                free_vault),
                cmocka_unit_test_setup_teardown(the_end_is_foretold, fill_vault, free_vault),
                cmocka_unit_test_setup_teardown(days_may_be_shorter, fill_vault, free_vault),
                cmocka_unit_test_setup_teardown(
                        a_window_longer_than_the_life_does_not_renew_for_ever, fill_vault,
                        free_vault),
                cmocka_unit_test_setup_teardown(names_and_subject_are_compared, fill_vault,
                                                free_vault),
                cmocka_unit_test_setup_teardown(missing_and_damaged_values_are_named, fill_vault,
                                                free_vault),
                cmocka_unit_test_setup_teardown(renewing_an_authority_keeps_its_key_and_password,
                                                fill_vault, free_vault),
                cmocka_unit_test_setup_teardown(
                        a_lost_authority_key_keeps_the_former_certificate_trusted, fill_vault,
                        free_vault),
                cmocka_unit_test_setup_teardown(a_renewed_authority_is_copied_to_whoever_has_a_copy,
                                                fill_vault, free_vault),
                cmocka_unit_test_setup_teardown(a_replaced_key_signs_until_the_new_one_is_trusted,
                                                fill_vault, free_vault),
                cmocka_unit_test(a_new_key_is_like_the_one_before_unless_asked_for),
                cmocka_unit_test_setup_teardown(an_expired_former_authority_is_dropped, fill_vault,
                                                free_vault),
                cmocka_unit_test_setup_teardown(issuing_again_keeps_the_password_but_not_the_key,
                                                fill_vault, free_vault),
                cmocka_unit_test(a_leaf_waits_for_its_authority),
                cmocka_unit_test_setup_teardown(a_leaf_whose_authority_is_gone_is_made_anew,
                                                fill_vault, free_vault),
                cmocka_unit_test_setup_teardown(a_leaf_is_no_authority, fill_vault, free_vault),
                cmocka_unit_test(leaves_of_an_rsa_authority_have_rsa_keys),
                cmocka_unit_test_setup_teardown(errors_name_the_certificate, fill_vault,
                                                free_vault),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
