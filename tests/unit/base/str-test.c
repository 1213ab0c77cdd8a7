/* Strings, quantities and digests. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "str.h"

static void questions(void **state _unused_) {
        assert_true(mr_streq("a", "a") && mr_streq(NULL, NULL));
        assert_false(mr_streq("a", "b") || mr_streq("a", NULL) || mr_streq(NULL, ""));
        assert_true(mr_starts_with("abc", "ab") && mr_starts_with("abc", ""));
        assert_false(mr_starts_with("ab", "abc"));
        assert_true(mr_ends_with("abc", "bc") && mr_ends_with("abc", ""));
        assert_false(mr_ends_with("bc", "abc") || mr_ends_with("abd", "bc"));
        assert_true(mr_is_empty(NULL) && mr_is_empty(""));
        assert_false(mr_is_empty(" "));
}

static void integers(void **state _unused_) {
        static const struct {
                const char *text;
                int r;
                int64_t value;
        } cases[] = {
                {"0", 0, 0},
                {"-5", 0, -5},
                {"+7", 0, 7},
                {"9223372036854775807", 0, INT64_MAX},
                {"-9223372036854775808", 0, INT64_MIN},
                {"9223372036854775808", -ERANGE, 0},
                {"", -EINVAL, 0},
                {" 1", -EINVAL, 0},
                {"1 ", -EINVAL, 0},
                {"1x", -EINVAL, 0},
                {"0x10", -EINVAL, 0},
                {"-", -EINVAL, 0},
                {"1.0", -EINVAL, 0},
                {NULL, -EINVAL, 0},
                {"\n1", -EINVAL, 0},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                int64_t value = 0;
                assert_int_equal(mr_parse_int(cases[i].text, &value), cases[i].r);
                assert_true(value == cases[i].value);
        }
}

static void quantities_of_bytes(void **state _unused_) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } cases[] = {
                {"1024", 0, 1024},
                {"100Gi", 0, UINT64_C(100) << 30},
                {"512M", 0, 512000000},
                {"1.5Gi", 0, 3U << 29},
                {"1k", 0, 1000},
                {"0.5", 0, 1},
                {"100m", 0, 1},
                {"1e3", 0, 1000},
                {"0", 0, 0},
                {"1Ei", 0, UINT64_C(1) << 60},
                {"1K", -EINVAL, 0},
                {"10 GB", -EINVAL, 0},
                {"GB", -EINVAL, 0},
                {"", -EINVAL, 0},
                {"-1", -EINVAL, 0},
                {"0x10", -EINVAL, 0},
                {"nan", -EINVAL, 0},
                {"inf", -EINVAL, 0},
                {"1e400", -ERANGE, 0},
                {"100Ei", -ERANGE, 0},
                {NULL, -EINVAL, 0},
                {"1GiB", -EINVAL, 0},
                {"1gi", -EINVAL, 0},
                {".", -EINVAL, 0},
                {"+", -EINVAL, 0},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                uint64_t value = 0;
                int r = mr_parse_bytes(cases[i].text, &value);
                if (r != cases[i].r || value != cases[i].value)
                        fail_msg("%s: %d, %llu", cases[i].text, r, (unsigned long long) value);
        }
}

static void quantities_of_processors(void **state _unused_) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } cases[] = {
                {"500m", 0, 500},    {"2", 0, 2000},       {"0.5", 0, 500},
                {"1.0001", 0, 1001}, {"100u", -EINVAL, 0}, {"2c", -EINVAL, 0},
                {"0.1", 0, 100},     {"0.3", 0, 300},      {"1k", 0, 1000000},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                uint64_t value = 0;
                int r = mr_parse_milli(cases[i].text, &value);
                if (r != cases[i].r || value != cases[i].value)
                        fail_msg("%s: %d, %llu", cases[i].text, r, (unsigned long long) value);
        }
}

static void patterns(void **state _unused_) {
        assert_true(mr_matches("abc1", "^[a-z0-9]{1,11}$"));
        assert_true(mr_matches("abc", "[a-z]+"));
        assert_false(mr_matches("abc1", "[a-z]+"));
        assert_false(mr_matches("1abc", "[a-z]+"));
        assert_false(mr_matches("abc\n", "^[a-z]+$"));
        assert_true(mr_matches("", "x*"));
}

static void names_of_objects(void **state _unused_) {
        static const char *const good[] = {"a", "0", "my-cluster", "a.b-c.d0", "a--b"};
        static const char *const bad[] = {"",     "-a",   "a-",  ".a",  "a.",  "a..b", "a.-b",
                                          "a-.b", "A",    "a_b", "a/b", "..",  "a b",  "a\nb",
                                          "é",    "a\\b", "%i",  "a@b", "a:b", "*"};
        char longest[255];

        for (size_t i = 0; i < MR_ELEMENTS(good); i++)
                assert_true(mr_is_object_name(good[i]));
        for (size_t i = 0; i < MR_ELEMENTS(bad); i++)
                if (mr_is_object_name(bad[i]))
                        fail_msg("\"%s\" passes for a name", bad[i]);
        memset(longest, 'a', sizeof(longest));
        longest[253] = '\0';
        assert_true(mr_is_object_name(longest));
        longest[253] = 'a';
        longest[254] = '\0';
        assert_false(mr_is_object_name(longest));
        assert_false(mr_is_object_name(NULL));
}

static void digests(void **state _unused_) {
        char digest[MR_DIGEST_MAX];

        mr_digest("abc", 3, digest);
        assert_string_equal(digest,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        mr_digest(NULL, 0, digest);
        assert_string_equal(digest,
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void base64(void **state _unused_) {
        static const struct {
                const char *raw, *text;
        } cases[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                     {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
        static const char *const bad[] = {
                "Z", "Zg=", "Zg", "Zg==\n", "Z===", "====", "Zg=A", "Zm 9v", "-_79", "Zm9v="};

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_buf_ MrBuf text = {}, raw = {};
                mr_base64(cases[i].raw, strlen(cases[i].raw), &text);
                assert_string_equal(mr_buf_text(&text), cases[i].text);
                assert_int_equal(mr_unbase64(cases[i].text, strlen(cases[i].text), &raw), 0);
                assert_int_equal(raw.size, strlen(cases[i].raw));
                assert_memory_equal(mr_buf_text(&raw), cases[i].raw, raw.size);
        }
        for (size_t i = 0; i < MR_ELEMENTS(bad); i++) {
                _cleanup_buf_ MrBuf raw = {};
                if (mr_unbase64(bad[i], strlen(bad[i]), &raw) != -EINVAL)
                        fail_msg("\"%s\" passes for base64", bad[i]);
        }
}

static void identities(void **state _unused_) {
        char a[MR_KAFKA_ID_MAX], b[MR_KAFKA_ID_MAX];

        for (int i = 0; i < 500; i++) {
                _cleanup_free_ char *text = mr_strf("cluster-%d", i);
                mr_derived_id(text, a);
                mr_derived_id(text, b);
                assert_string_equal(a, b);
                assert_int_equal(strlen(a), 22);
                assert_true(mr_matches(a, "^[A-Za-z0-9_][A-Za-z0-9_-]{21}$"));
                /* The version of RFC 4122 stands in the ninth character. */
                assert_non_null(strchr("QRST", a[8]));
        }
        mr_derived_id("x", a);
        mr_derived_id("y", b);
        assert_string_not_equal(a, b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(questions),
                cmocka_unit_test(integers),
                cmocka_unit_test(quantities_of_bytes),
                cmocka_unit_test(quantities_of_processors),
                cmocka_unit_test(patterns),
                cmocka_unit_test(names_of_objects),
                cmocka_unit_test(digests),
                cmocka_unit_test(base64),
                cmocka_unit_test(identities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
