/* Errors that grow their path on the way up. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "error.h"

static void assert_text(const MrError *err, const char *expected) {
        _cleanup_free_ char *text = mr_error_text(err);

        assert_string_equal(text, expected);
}

static void a_path_grows(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        int r = mr_fail(&err, MR_INVALID, "tls", "a route carries only TLS; set %s to true", "tls");
        assert_int_equal(r, -EINVAL);
        r = mr_error_within(&err, r, "[%d]", 1);
        r = mr_error_within(&err, r, "listeners");
        r = mr_error_within(&err, r, "spec");
        assert_int_equal(r, -EINVAL);
        assert_text(&err, "spec.listeners[1].tls: a route carries only TLS; set tls to true");
        assert_int_equal(mr_error_at(&err, r, "f.yaml", 14, 9), -EINVAL);
        assert_text(
                &err,
                "f.yaml:14:9: spec.listeners[1].tls: a route carries only TLS; set tls to true");
}

static void a_path_may_be_missing(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_fail(&err, MR_TRANSIENT, NULL, "m");
        assert_text(&err, "m");
        mr_error_within(&err, -1, "spec");
        assert_text(&err, "spec: m");
        mr_error_at(&err, -1, "f", 0, 0);
        assert_text(&err, "f: spec: m");
        mr_error_at(&err, -1, NULL, 3, 4);
        assert_text(&err, "f:3:4: spec: m");
        mr_error_at(&err, -1, "g", 0, 0);
        assert_text(&err, "g:3:4: spec: m");
}

static void a_place_without_a_file(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_fail(&err, MR_INVALID, NULL, "m");
        mr_error_at(&err, -1, NULL, 3, 4);
        assert_text(&err, "3:4: m");
}

static void the_first_error_stays(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_fail(&err, MR_INVALID, "a", "first");
        assert_int_equal(mr_fail(&err, MR_DENIED, "b", "second"), -EACCES);
        assert_int_equal(mr_fail_errno(&err, ENOENT, "c", "third"), -ENOENT);
        assert_text(&err, "a: first");
        assert_int_equal(err.kind, MR_INVALID);
}

static void nobody_has_to_listen(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        assert_int_equal(mr_fail(NULL, MR_CONFLICT, "a", "x"), -ESTALE);
        assert_int_equal(mr_fail_errno(NULL, EIO, "a", "x"), -EIO);
        assert_int_equal(mr_error_within(NULL, -5, "a"), -5);
        assert_int_equal(mr_error_at(NULL, -5, "f", 1, 1), -5);
        assert_int_equal(mr_error_within(&err, -5, "a"), -5);
        assert_null(err.path);
        assert_text(&err, "no error");
}

static void kinds_and_numbers(void **state _unused_) {
        static const struct {
                int errnum;
                MrErrorKind kind;
        } cases[] = {
                {EINVAL, MR_INVALID},   {ERANGE, MR_INVALID},  {EACCES, MR_DENIED},
                {EPERM, MR_DENIED},     {EROFS, MR_DENIED},    {ENOENT, MR_TRANSIENT},
                {ENOSPC, MR_TRANSIENT}, {ESTALE, MR_CONFLICT}, {ENOTRECOVERABLE, MR_BUG},
                {EAGAIN, MR_TRANSIENT},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_error_ MrError err = MR_ERROR_INIT;
                assert_int_equal(mr_fail_errno(&err, cases[i].errnum, NULL, "cannot open %s", "/x"),
                                 -cases[i].errnum);
                assert_int_equal(err.kind, cases[i].kind);
                assert_int_equal(mr_error_kind(NULL, -cases[i].errnum), cases[i].kind);
        }
        for (MrErrorKind kind = MR_INVALID; kind < _MR_ERROR_KIND_MAX; kind++) {
                int r = mr_fail(NULL, kind, NULL, "x");
                assert_int_equal(mr_error_kind(NULL, r), kind);
                assert_non_null(mr_error_kind_name(kind));
        }
        assert_int_equal(mr_error_kind(NULL, 0), MR_OK);
        assert_int_equal(mr_error_kind(NULL, 7), MR_OK);
}

static void the_system_says_why(void **state _unused_) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_fail_errno(&err, EACCES, NULL, "cannot open %s", "/x");
        assert_text(&err, "cannot open /x: Permission denied");
}

static void errors_move(void **state _unused_) {
        _cleanup_error_ MrError a = MR_ERROR_INIT, b = MR_ERROR_INIT, c = MR_ERROR_INIT;

        mr_fail(&a, MR_INVALID, "p", "m");
        mr_error_move(&b, &a);
        assert_null(a.message);
        assert_text(&b, "p: m");
        mr_fail(&c, MR_DENIED, NULL, "other");
        mr_error_move(&b, &c);
        assert_null(c.message);
        assert_text(&b, "p: m");
        mr_error_move(NULL, &b);
        assert_null(b.message);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_path_grows),           cmocka_unit_test(a_path_may_be_missing),
                cmocka_unit_test(a_place_without_a_file), cmocka_unit_test(the_first_error_stays),
                cmocka_unit_test(nobody_has_to_listen),   cmocka_unit_test(kinds_and_numbers),
                cmocka_unit_test(the_system_says_why),    cmocka_unit_test(errors_move),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
