#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/scram.h"
#include "sdk/str.h"

/* The example conversation of RFC 7677. */
static void the_example_of_rfc_7677_comes_out(void **state) {
        const char *auth = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%"
                           "hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                           "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
                           "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        uint8_t salted[SCRAM_SIZE_MAX], client[SCRAM_SIZE_MAX], stored[SCRAM_SIZE_MAX],
                server[SCRAM_SIZE_MAX];
        uint8_t signature[SCRAM_SIZE_MAX], proof[SCRAM_SIZE_MAX], back[SCRAM_SIZE_MAX],
                hashed[SCRAM_SIZE_MAX];
        _cleanup_buf_ MrBuf salt = {}, text = {};

        (void) state;
        assert_int_equal(mr_unbase64("W22ZaJ0SNY7soEsUEjb6gQ==", 24, &salt), 0);
        assert_int_equal(scram_salted_password(SCRAM_SHA_256, "pencil", salt.data, salt.size, 4096,
                                               salted, NULL),
                         0);
        assert_int_equal(scram_client_key(SCRAM_SHA_256, salted, client, NULL), 0);
        assert_int_equal(scram_stored_key(SCRAM_SHA_256, client, stored, NULL), 0);
        assert_int_equal(scram_signature(SCRAM_SHA_256, stored, auth, signature, NULL), 0);
        scram_proof(SCRAM_SHA_256, client, signature, proof);
        mr_base64(proof, scram_size(SCRAM_SHA_256), &text);
        assert_string_equal(mr_buf_text(&text), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

        /* What a server does with the proof. */
        scram_proof(SCRAM_SHA_256, proof, signature, back);
        assert_int_equal(scram_stored_key(SCRAM_SHA_256, back, hashed, NULL), 0);
        assert_true(scram_equal(SCRAM_SHA_256, hashed, stored));
        assert_false(scram_equal(SCRAM_SHA_256, hashed, client));

        assert_int_equal(scram_server_key(SCRAM_SHA_256, salted, server, NULL), 0);
        assert_int_equal(scram_signature(SCRAM_SHA_256, server, auth, signature, NULL), 0);
        mr_buf_clear(&text);
        mr_base64(signature, scram_size(SCRAM_SHA_256), &text);
        assert_string_equal(mr_buf_text(&text), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

/* Computed with Python's hashlib.pbkdf2_hmac. */
static void sha_512_is_as_long_as_it_should_be(void **state) {
        uint8_t salted[SCRAM_SIZE_MAX];
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        assert_int_equal(scram_size(SCRAM_SHA_512), 64);
        assert_string_equal(scram_name(SCRAM_SHA_512), "SCRAM-SHA-512");
        assert_string_equal(scram_name(SCRAM_SHA_256), "SCRAM-SHA-256");
        assert_int_equal(
                scram_salted_password(SCRAM_SHA_512, "pencil", "salt", 4, 4096, salted, NULL), 0);
        mr_base64(salted, 64, &text);
        assert_string_equal(
                mr_buf_text(&text),
                "LP46HBUWYrHqSdE/"
                "WVZ0ocZmrdcN8V09AiVOmQWZOHgmHadAf9EcL+5LCjDfUVSxp1L4ahM4Dd1L3Zp8lY7HaQ==");
}

static void absurd_numbers_are_refused(void **state) {
        uint8_t salted[SCRAM_SIZE_MAX];

        (void) state;
        assert_true(scram_salted_password(SCRAM_SHA_512, "p", "salt", 4, 1, salted, NULL) < 0);
        assert_true(scram_salted_password(SCRAM_SHA_512, "p", "salt", 4, 2000000000, salted, NULL) <
                    0);
        assert_true(scram_salted_password(SCRAM_SHA_512, "p", "salt", 5000, 4096, salted, NULL) <
                    0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example_of_rfc_7677_comes_out),
                cmocka_unit_test(sha_512_is_as_long_as_it_should_be),
                cmocka_unit_test(absurd_numbers_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
