#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/certificate.h"
#include "crypto/key.h"
#include "crypto/pem.h"
#include "crypto/secret.h"
#include "sdk/str.h"

#define NOW 1750000000

typedef struct Fixture {
        char *authority_key, *authority, *key, *leaf;
} Fixture;

static const char *leaf_names[] = {"kafka.example.com", "10.0.0.1", "B.example.com", "fd00:0::1",
                                   "kafka.EXAMPLE.com"};

static CertificateRequest leaf_request(void) {
        return (CertificateRequest){
                .common_name = "my-cluster-kafka",
                .organization = "io.strimzi",
                .names = {leaf_names, MR_ELEMENTS(leaf_names)},
                .now = NOW,
                .validity_days = 30,
        };
}

static CertificateRequest authority_request(void) {
        return (CertificateRequest){
                .common_name = "cluster-ca v0",
                .organization = "io.strimzi",
                .now = NOW,
                .validity_days = 365,
                .is_authority = true,
        };
}

static int make_fixture(void **state) {
        Fixture *f = mr_new(Fixture, 1);
        CertificateRequest authority = authority_request(), leaf = leaf_request();

        assert_int_equal(key_generate(KEY_EC_P256, &f->authority_key, NULL), 0);
        assert_int_equal(key_generate(KEY_EC_P256, &f->key, NULL), 0);
        assert_int_equal(
                certificate_issue(&authority, f->authority_key, NULL, NULL, &f->authority, NULL),
                0);
        assert_int_equal(
                certificate_issue(&leaf, f->key, f->authority, f->authority_key, &f->leaf, NULL),
                0);
        *state = f;
        return 0;
}

static int free_fixture(void **state) {
        Fixture *f = *state;

        secret_text_free(f->authority_key);
        secret_text_free(f->key);
        free(f->authority);
        free(f->leaf);
        free(f);
        return 0;
}

/* Asks OpenSSL's own path validation, as a peer with one trusted CA would. */
static int verify_at(const char *leaf, const char *authority, int64_t when) {
        _cleanup_(X509_freep) X509 *certificate = NULL, *trusted = NULL;
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *context = X509_STORE_CTX_new();

        assert_int_equal(pem_read_certificate(leaf, "leaf", &certificate, NULL), 0);
        assert_int_equal(pem_read_certificate(authority, "ca", &trusted, NULL), 0);
        assert_int_equal(X509_STORE_add_cert(store, trusted), 1);
        assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
        X509_STORE_CTX_set_time(context, 0, (time_t) when);
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
        int ok = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
        X509_STORE_CTX_free(context);
        X509_STORE_free(store);
        return ok;
}

static void a_chain_is_valid_to_a_strict_peer(void **state) {
        Fixture *f = *state;

        assert_int_equal(verify_at(f->leaf, f->authority, NOW), X509_V_OK);
        assert_int_equal(verify_at(f->leaf, f->authority, NOW - CERTIFICATE_SKEW_SEC), X509_V_OK);
        assert_int_equal(verify_at(f->leaf, f->authority, NOW - CERTIFICATE_SKEW_SEC - 1),
                         X509_V_ERR_CERT_NOT_YET_VALID);
        assert_int_equal(verify_at(f->leaf, f->authority, NOW + 31 * CERTIFICATE_DAY_SEC),
                         X509_V_ERR_CERT_HAS_EXPIRED);
}

static void facts_of_a_leaf_read_back(void **state) {
        Fixture *f = *state;
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        assert_int_equal(certificate_facts_read(f->leaf, &facts, NULL), 0);
        assert_string_equal(facts.common_name, "my-cluster-kafka");
        assert_string_equal(facts.organization, "io.strimzi");
        assert_string_equal(facts.issuer, "O=io.strimzi, CN=cluster-ca v0");
        assert_string_equal(facts.key_kind, "EC P-256");
        assert_int_equal(facts.not_before, NOW - CERTIFICATE_SKEW_SEC);
        assert_int_equal(facts.not_after, NOW + 30 * CERTIFICATE_DAY_SEC);
        assert_false(facts.is_authority);
        assert_int_equal(strlen(facts.serial), 40);
        assert_int_equal(strlen(facts.digest), 64);
        assert_int_equal(facts.n_names, 4);
        assert_string_equal(facts.names[0], "10.0.0.1");
        assert_string_equal(facts.names[1], "b.example.com");
        assert_string_equal(facts.names[2], "fd00::1");
        assert_string_equal(facts.names[3], "kafka.example.com");
        assert_true(certificate_facts_has_name(&facts, "FD00:0:0::1"));
        assert_true(certificate_facts_has_name(&facts, "B.EXAMPLE.com"));
        assert_false(certificate_facts_has_name(&facts, "10.0.0.2"));
}

static void facts_are_a_map(void **state) {
        Fixture *f = *state;
        _cleanup_(mr_tree_freep) MrTree *map = NULL, *again = NULL;

        assert_int_equal(certificate_facts(f->authority, &map, NULL), 0);
        assert_int_equal(certificate_facts(f->authority, &again, NULL), 0);
        assert_true(mr_tree_equal(map, again));
        assert_string_equal(mr_tree_get_string(map, "common_name"), "cluster-ca v0");
        assert_true(mr_tree_get_bool(map, "is_authority", false));
        assert_int_equal(mr_tree_get_int(map, "not_after", 0),
                         NOW + 365 * (int64_t) CERTIFICATE_DAY_SEC);
        assert_int_equal(mr_tree_size(mr_tree_get(map, "names")), 0);
}

static void serial_numbers_differ(void **state) {
        Fixture *f = *state;
        CertificateRequest request = leaf_request();
        _cleanup_certificate_facts_ CertificateFacts a = {}, b = {};
        _cleanup_free_ char *other = NULL;

        assert_int_equal(
                certificate_issue(&request, f->key, f->authority, f->authority_key, &other, NULL),
                0);
        assert_int_equal(certificate_facts_read(f->leaf, &a, NULL), 0);
        assert_int_equal(certificate_facts_read(other, &b, NULL), 0);
        assert_string_not_equal(a.serial, b.serial);
}

static void keys_and_signers_are_told_apart(void **state) {
        Fixture *f = *state;
        CertificateRequest request = authority_request();
        _cleanup_free_ char *impostor = NULL;
        _cleanup_(secret_text_freep) char *chain = secret_text_join(f->leaf, f->authority, NULL);

        assert_int_equal(certificate_issue(&request, f->key, NULL, NULL, &impostor, NULL), 0);
        assert_int_equal(certificate_matches_key(f->leaf, f->key, NULL), 1);
        assert_int_equal(certificate_matches_key(f->leaf, f->authority_key, NULL), 0);
        assert_int_equal(certificate_is_signed_by(f->leaf, f->authority, NULL), 1);
        assert_int_equal(certificate_is_signed_by(f->authority, f->authority, NULL), 1);
        assert_int_equal(certificate_is_signed_by(f->leaf, impostor, NULL), 0);
        assert_int_equal(certificate_chain_ends_with(chain, f->authority, NULL), 1);
        assert_int_equal(certificate_chain_ends_with(chain, impostor, NULL), 0);
        assert_int_not_equal(verify_at(f->leaf, impostor, NOW), X509_V_OK);
}

static void an_authority_signs_no_further_authority(void **state) {
        Fixture *f = *state;
        _cleanup_(X509_freep) X509 *x509 = NULL;

        assert_int_equal(pem_read_certificate(f->authority, "ca", &x509, NULL), 0);
        assert_int_equal(X509_get_pathlen(x509), 0);
        assert_int_equal(X509_get_key_usage(x509), X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN);
}

static void a_foreign_key_of_the_authority_is_refused(void **state) {
        Fixture *f = *state;
        CertificateRequest request = leaf_request();
        _cleanup_error_ MrError err = {};
        char *ret = NULL;

        assert_true(certificate_issue(&request, f->key, f->authority, f->key, &ret, &err) < 0);
        assert_null(ret);
        assert_int_equal(err.kind, MR_INVALID);
        assert_string_equal(err.message, "the key of the CA does not match its certificate");
}

static void refuse(const CertificateRequest *request, const char *key,
                   const char *part_of_message) {
        _cleanup_error_ MrError err = {};
        char *ret = NULL;

        assert_true(certificate_issue(request, key, NULL, NULL, &ret, &err) < 0);
        assert_null(ret);
        assert_int_equal(err.kind, MR_INVALID);
        assert_non_null(strstr(err.message, part_of_message));
}

static void bad_requests_are_refused_with_their_reason(void **state) {
        Fixture *f = *state;
        CertificateRequest request = leaf_request();
        const char *injection[] = {"a.example.com,DNS:evil.example.com"}, *empty[] = {""},
                   *space[] = {"a b"};

        request.names = (MrStrings){injection, 1};
        refuse(&request, f->key, "neither a DNS name nor an IP address");
        request.names = (MrStrings){empty, 1};
        refuse(&request, f->key, "neither a DNS name nor an IP address");
        request.names = (MrStrings){space, 1};
        refuse(&request, f->key, "neither a DNS name nor an IP address");
        request.names = (MrStrings){};
        request.validity_days = 0;
        refuse(&request, f->key, "valid for 0 days");
        request.validity_days = 36501;
        refuse(&request, f->key, "valid for 36501 days");
        request.validity_days = 1;
        request.common_name = "a23456789b123456789c123456789d123456789e123456789f123456789g12345";
        refuse(&request, f->key, "longer than 64");
        request.common_name = "";
        refuse(&request, f->key, "needs a common name");
        request.common_name = "x";
        refuse(&request, "no key", "no private key");
        refuse(&request, "", "is empty");
}

static void damaged_text_is_invalid(void **state) {
        Fixture *f = *state;
        CertificateFacts facts = {};
        _cleanup_(secret_text_freep) char *damaged = mr_strdup(f->leaf),
                                          *half = mr_strndup(f->leaf, strlen(f->leaf) / 2);
        _cleanup_(secret_text_freep) char *large = mr_calloc(PEM_SIZE_MAX + 2, 1);

        memset(large, 'x', PEM_SIZE_MAX + 1);
        memset(damaged + 100, '!', 20);
        assert_true(certificate_facts_read(damaged, &facts, NULL) < 0);
        assert_true(certificate_facts_read(half, &facts, NULL) < 0);
        assert_true(certificate_facts_read(large, &facts, NULL) < 0);
        assert_true(certificate_facts_read(NULL, &facts, NULL) < 0);
        assert_true(certificate_facts_read(f->key, &facts, NULL) < 0);
        assert_true(certificate_matches_key(f->leaf, "x", NULL) < 0);
}

static void an_encrypted_key_does_not_ask_a_terminal(void **state) {
        KeyKind kind;
        const char *encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED "
                                "PRIVATE KEY-----\n";

        (void) state;
        assert_true(key_read_kind(encrypted, &kind, NULL) < 0);
}

static void keys_read_back_as_what_they_are(void **state) {
        (void) state;
        for (KeyKind kind = 0; kind <= KEY_RSA_2048; kind++) {
                _cleanup_(secret_text_freep) char *key = NULL;
                KeyKind read;

                assert_int_equal(key_generate(kind, &key, NULL), 0);
                assert_true(mr_starts_with(key, "-----BEGIN PRIVATE KEY-----\n"));
                assert_int_equal(key_read_kind(key, &read, NULL), 0);
                assert_int_equal(read, kind);
        }
        assert_string_equal(key_kind_name(KEY_RSA_4096), "RSA 4096");
        assert_string_equal(key_kind_name(_KEY_KIND_MAX), "unknown");
}

static void an_rsa_authority_signs(void **state) {
        Fixture *f = *state;
        CertificateRequest authority = authority_request(), leaf = leaf_request();
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *ca = NULL, *certificate = NULL;
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        assert_int_equal(key_generate(KEY_RSA_2048, &key, NULL), 0);
        assert_int_equal(certificate_issue(&authority, key, NULL, NULL, &ca, NULL), 0);
        assert_int_equal(certificate_issue(&leaf, f->key, ca, key, &certificate, NULL), 0);
        assert_int_equal(verify_at(certificate, ca, NOW), X509_V_OK);
        assert_int_equal(certificate_facts_read(ca, &facts, NULL), 0);
        assert_string_equal(facts.key_kind, "RSA 2048");
}

static void secrets_are_sorted_maps(void **state) {
        _cleanup_(secret_freep) Secret *secret = secret_new("my-user");

        (void) state;
        secret_set(secret, "user.key", "k");
        secret_set(secret, "ca.crt", "c");
        secret_set(secret, "user.crt", NULL);
        secret_set(secret, "user.key", "k2");
        assert_string_equal(secret_name(secret), "my-user");
        assert_int_equal(secret_size(secret), 2);
        assert_string_equal(secret_key_at(secret, 0), "ca.crt");
        assert_string_equal(secret_value_at(secret, 1), "k2");
        assert_null(secret_key_at(secret, 2));
        assert_null(secret_value_at(secret, 2));
        assert_null(secret_get(secret, "user.crt"));
        assert_true(secret_key_is_binary("ca.p12"));
        assert_false(secret_key_is_binary("ca.crt"));
}

static void passwords_are_letters_and_digits_of_the_wanted_length(void **state) {
        (void) state;
        for (size_t n = 12; n <= 32; n += 10) {
                _cleanup_(secret_text_freep) char *a = secret_password_new(n),
                                                  *b = secret_password_new(n);

                assert_int_equal(strlen(a), n);
                assert_int_equal(
                        strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
                        n);
                assert_string_not_equal(a, b);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_chain_is_valid_to_a_strict_peer),
                cmocka_unit_test(facts_of_a_leaf_read_back),
                cmocka_unit_test(facts_are_a_map),
                cmocka_unit_test(serial_numbers_differ),
                cmocka_unit_test(keys_and_signers_are_told_apart),
                cmocka_unit_test(an_authority_signs_no_further_authority),
                cmocka_unit_test(a_foreign_key_of_the_authority_is_refused),
                cmocka_unit_test(bad_requests_are_refused_with_their_reason),
                cmocka_unit_test(damaged_text_is_invalid),
                cmocka_unit_test(an_encrypted_key_does_not_ask_a_terminal),
                cmocka_unit_test(keys_read_back_as_what_they_are),
                cmocka_unit_test(an_rsa_authority_signs),
                cmocka_unit_test(secrets_are_sorted_maps),
                cmocka_unit_test(passwords_are_letters_and_digits_of_the_wanted_length),
        };

        return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
