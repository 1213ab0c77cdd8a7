/* The conversation against the example of RFC 7677, and servers that lie. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kafka/sasl-scram.h"
#include "sdk/str.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

static SaslScram *start(ScramHash hash, const char *user, const char *password, const char *nonce) {
        SaslScram *scram = NULL;

        assert_int_equal(sasl_scram_new(hash, user, password, nonce, &scram, NULL), 0);
        return scram;
}

static void the_example_of_rfc_7677(void **state) {
        _cleanup_(sasl_scram_freep) SaslScram *scram =
                start(SCRAM_SHA_256, "user", "pencil", NONCE);
        _cleanup_buf_ MrBuf first = {};
        _cleanup_buf_ MrBuf proof = {};

        (void) state;
        sasl_scram_first(scram, &first);
        assert_string_equal(mr_buf_text(&first), "n,,n=user,r=" NONCE);
        assert_int_equal(sasl_scram_prove(scram, SERVER_FIRST, &proof, NULL), 0);
        assert_string_equal(mr_buf_text(&proof), "c=biws,r=" SERVER_NONCE
                                                 ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        assert_int_equal(
                sasl_scram_verify(scram, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", NULL),
                0);
}

/* Computed with Python's hashlib and hmac from the formulas of RFC 5802. */
static void the_same_with_sha_512(void **state) {
        _cleanup_(sasl_scram_freep) SaslScram *scram =
                start(SCRAM_SHA_512, "user", "pencil", NONCE);
        _cleanup_buf_ MrBuf proof = {};

        (void) state;
        assert_int_equal(sasl_scram_prove(scram, SERVER_FIRST, &proof, NULL), 0);
        assert_string_equal(
                mr_buf_text(&proof),
                "c=biws,r=" SERVER_NONCE ",p=gMGXRcevScNtxZ6/"
                "8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==");
        assert_int_equal(
                sasl_scram_verify(scram,
                                  "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/"
                                  "AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
                                  NULL),
                0);
}

static void names_are_escaped_and_nonces_differ(void **state) {
        _cleanup_(sasl_scram_freep) SaslScram *scram = start(SCRAM_SHA_512, "CN=a,O=b", "x", NULL);
        _cleanup_(sasl_scram_freep) SaslScram *other = start(SCRAM_SHA_512, "CN=a,O=b", "x", NULL);
        _cleanup_buf_ MrBuf first = {};
        _cleanup_buf_ MrBuf second = {};

        (void) state;
        sasl_scram_first(scram, &first);
        sasl_scram_first(other, &second);
        assert_true(mr_starts_with(mr_buf_text(&first), "n,,n=CN=3Da=2CO=3Db,r="));
        assert_int_equal(first.size, second.size);
        assert_string_not_equal(mr_buf_text(&first), mr_buf_text(&second));
}

static void servers_that_lie_are_denied(void **state) {
        static const char *const firsts[] = {
                "",
                "r=" NONCE,
                "r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "r=somebody-else-and-more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "r=" SERVER_NONCE ",s=,i=4096",
                "r=" SERVER_NONCE ",s=???,i=4096",
                "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
                "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
                "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=x",
                "m=ext,r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        };

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(firsts); i++) {
                _cleanup_(sasl_scram_freep) SaslScram *scram =
                        start(SCRAM_SHA_256, "user", "pencil", NONCE);
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                _cleanup_buf_ MrBuf proof = {};
                assert_true(sasl_scram_prove(scram, firsts[i], &proof, &err) < 0);
                assert_int_equal(err.kind, MR_DENIED);
                assert_int_equal(proof.size, 0);
        }
}

static void a_server_without_the_password_is_denied(void **state) {
        static const char *const finals[] = {"", "v=", "e=other-error",
                                             "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};
        _cleanup_(sasl_scram_freep) SaslScram *scram =
                start(SCRAM_SHA_256, "user", "pencil", NONCE);
        _cleanup_buf_ MrBuf proof = {};

        (void) state;
        assert_true(sasl_scram_verify(scram,
                                      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", NULL) < 0);
        assert_int_equal(sasl_scram_prove(scram, SERVER_FIRST, &proof, NULL), 0);
        for (size_t i = 0; i < MR_ELEMENTS(finals); i++)
                assert_true(sasl_scram_verify(scram, finals[i], NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example_of_rfc_7677),
                cmocka_unit_test(the_same_with_sha_512),
                cmocka_unit_test(names_are_escaped_and_nonces_differ),
                cmocka_unit_test(servers_that_lie_are_denied),
                cmocka_unit_test(a_server_without_the_password_is_denied),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
