#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/certificate.h"
#include "crypto/key.h"
#include "crypto/pkcs12.h"
#include "crypto/secret.h"
#include "sdk/str.h"

#define NOW 1750000000
#define PASSWORD "onlyForThisTest42"

typedef struct Fixture {
        char *key, *authority, *other;
        char path[32];
} Fixture;

static int make_fixture(void **state) {
        Fixture *f = mr_new(Fixture, 1);
        CertificateRequest request = {
                .common_name = "ca", .now = NOW, .validity_days = 30, .is_authority = true};

        *f = (Fixture){.path = "/tmp/pkcs12-test-XXXXXX"};
        close(mkstemp(f->path));
        assert_int_equal(key_generate(KEY_EC_P256, &f->key, NULL), 0);
        assert_int_equal(certificate_issue(&request, f->key, NULL, NULL, &f->authority, NULL), 0);
        request.common_name = "other";
        assert_int_equal(certificate_issue(&request, f->key, NULL, NULL, &f->other, NULL), 0);
        *state = f;
        return 0;
}

static int free_fixture(void **state) {
        Fixture *f = *state;

        unlink(f->path);
        secret_text_free(f->key);
        free(f->authority);
        free(f->other);
        free(f);
        return 0;
}

/* What Java's own tool says of a store; skips the test where there is no Java. */
static char *keytool_lists(const Fixture *f, const char *base64) {
        _cleanup_buf_ MrBuf bytes = {};
        MrBuf out = {};
        char chunk[512];

        if (system("command -v keytool >/dev/null 2>&1") != 0)
                skip();
        assert_int_equal(mr_unbase64(base64, strlen(base64), &bytes), 0);
        FILE *file = fopen(f->path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
        fclose(file);

        _cleanup_free_ char *command =
                mr_strf("LC_ALL=C keytool -list -storetype PKCS12 -keystore %s -storepass %s 2>&1",
                        f->path, PASSWORD);
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        for (size_t n; (n = fread(chunk, 1, sizeof(chunk), pipe)) > 0;)
                mr_buf_append(&out, chunk, n);
        pclose(pipe);
        return mr_buf_take(&out);
}

static void java_finds_a_trusted_entry_under_the_usual_alias(void **state) {
        Fixture *f = *state;
        _cleanup_(secret_text_freep) char *store = NULL;

        assert_int_equal(pkcs12_make_trust_store(f->authority, PASSWORD, &store, NULL), 0);
        assert_int_equal(pkcs12_check(store, PASSWORD, NULL), 0);
        _cleanup_free_ char *listing = keytool_lists(f, store);
        assert_non_null(strstr(listing, "contains 1 entry"));
        assert_non_null(strstr(listing, "ca.crt, "));
        assert_non_null(strstr(listing, "trustedCertEntry"));
}

static void java_finds_every_trusted_certificate(void **state) {
        Fixture *f = *state;
        _cleanup_(secret_text_freep) char *store = NULL,
                                          *both = secret_text_join(f->authority, f->other, NULL);

        assert_int_equal(pkcs12_make_trust_store(both, PASSWORD, &store, NULL), 0);
        _cleanup_free_ char *listing = keytool_lists(f, store);
        assert_non_null(strstr(listing, "contains 2 entries"));
        assert_non_null(strstr(listing, "ca.crt, "));
        assert_non_null(strstr(listing, "ca-2.crt, "));
}

static void java_finds_the_private_key(void **state) {
        Fixture *f = *state;
        _cleanup_(secret_text_freep) char *store = NULL;

        assert_int_equal(
                pkcs12_make_key_store(f->key, f->authority, "user", PASSWORD, &store, NULL), 0);
        assert_int_equal(pkcs12_check(store, PASSWORD, NULL), 0);
        _cleanup_free_ char *listing = keytool_lists(f, store);
        assert_non_null(strstr(listing, "user, "));
        assert_non_null(strstr(listing, "PrivateKeyEntry"));
}

static void a_wrong_password_or_damage_is_noticed(void **state) {
        Fixture *f = *state;
        _cleanup_(secret_text_freep) char *store = NULL;
        _cleanup_error_ MrError err = {};

        assert_int_equal(pkcs12_make_trust_store(f->authority, PASSWORD, &store, NULL), 0);
        assert_true(pkcs12_check(store, "wrong", &err) < 0);
        assert_string_equal(err.message, "the password does not open the PKCS#12 store");
        assert_int_equal(pkcs12_check_form(store, NULL), 0);
        assert_true(pkcs12_check_form("AAAA", NULL) < 0);
        assert_true(pkcs12_check_form("not base64!", NULL) < 0);
        assert_true(pkcs12_check_form(NULL, NULL) < 0);
        store[strlen(store) / 4 * 2] = '\0';
        assert_true(pkcs12_check_form(store, NULL) < 0);
}

static void a_foreign_key_makes_no_store(void **state) {
        Fixture *f = *state;
        _cleanup_(secret_text_freep) char *key = NULL;
        char *store = NULL;

        assert_int_equal(key_generate(KEY_EC_P256, &key, NULL), 0);
        assert_true(pkcs12_make_key_store(key, f->authority, "user", PASSWORD, &store, NULL) < 0);
        assert_true(pkcs12_make_trust_store("nothing", PASSWORD, &store, NULL) < 0);
        assert_null(store);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(java_finds_a_trusted_entry_under_the_usual_alias),
                cmocka_unit_test(java_finds_every_trusted_certificate),
                cmocka_unit_test(java_finds_the_private_key),
                cmocka_unit_test(a_wrong_password_or_damage_is_noticed),
                cmocka_unit_test(a_foreign_key_makes_no_store),
        };

        return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
