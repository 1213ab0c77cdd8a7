/* The walker of message tables: what it leaves out, fills in and refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kafka/codec.h"
#include "kafka/messages-tables.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

static const CodecField item[] = {{INT8("n")}, {STRING("note"), NULLABLE(1)}, {}};

static const CodecField table[] = {
        {BOOL("flag")},
        {UINT16("port"), SINCE(1)},
        {INT32("old"), UNTIL(1), FALLBACK(-7)},
        {STRUCTS("items", item), NULLABLE(2)},
        {BYTES("bytes")},
        {UUID("id")},
        {INT64("epoch"), SINCE(2), TAG(0), FALLBACK(-1)},
        {STRINGS("names"), SINCE(2), TAG(3)},
        {},
};

static const CodecForm fixed = {.version = 1};
static const CodecForm flexible = {.version = 2, .is_flexible = true};

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), "test", &tree, NULL), 0);
        return tree;
}

static void expect_round_trip(CodecForm form, const char *in, const char *out) {
        _cleanup_(mr_tree_freep) MrTree *tree = json(in);
        _cleanup_(mr_tree_freep) MrTree *found = NULL;
        _cleanup_buf_ MrBuf bytes = {};
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(codec_encode(table, form, tree, &bytes, NULL), 0);
        assert_int_equal(codec_decode(table, form, bytes.data, bytes.size, &found, NULL), 0);
        mr_json_write(found, 0, &text);
        assert_string_equal(mr_buf_text(&text), out);
}

static void versions_decide_what_is_there(void **state) {
        (void) state;
        expect_round_trip(
                fixed,
                "{\"flag\":true,\"port\":65535,\"old\":3,\"epoch\":9,\"bytes\":\"AAEC\","
                "\"items\":[{\"n\":-128,\"note\":null},{\"n\":5,\"note\":\"\\u00e4\"}]}",
                "{\"bytes\":\"AAEC\",\"flag\":true,\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\","
                "\"items\":[{\"n\":-128,\"note\":null},{\"n\":5,\"note\":\"\xc3\xa4\"}],\"old\":3,"
                "\"port\":65535}");
        expect_round_trip(
                (CodecForm){}, "{}",
                "{\"bytes\":\"\",\"flag\":false,\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"items\":[],"
                "\"old\":-7}");
}

static void tags_and_nulls_in_the_flexible_form(void **state) {
        (void) state;
        expect_round_trip(
                flexible, "{\"epoch\":77,\"names\":[\"a\",\"\"],\"items\":null}",
                "{\"bytes\":\"\",\"epoch\":77,\"flag\":false,\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\","
                "\"items\":null,\"names\":[\"a\",\"\"],\"port\":0}");
        expect_round_trip(
                flexible, "{\"items\":[]}",
                "{\"bytes\":\"\",\"flag\":false,\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"items\":[],"
                "\"port\":0}");
}

static void expect_refused(CodecForm form, const void *data, size_t size, const char *path) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *found = NULL;

        assert_int_equal(codec_decode(table, form, data, size, &found, &err), -EINVAL);
        assert_null(found);
        assert_int_equal(err.kind, MR_INVALID);
        if (path)
                assert_string_equal(err.path, path);
        else
                assert_null(err.path);
}

#define BYTES_OF(s) (s), sizeof(s) - 1
#define ID "0123456789abcdef"

static void bad_bytes_name_their_field(void **state) {
        (void) state;
        expect_refused((CodecForm){}, BYTES_OF(""), "flag");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0"), "old");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\2\1\0\0"), "items[1].n");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\1\1\xff\xff"), "items[0].note");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\1\1\xff\xfe"), "items[0].note");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\1\1\0\1\xff"), "items[0].note");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\xff\xff\xff\xff"), "items");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\x7f\xff\xff\xff"), "items");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\0\x7f\xff\xff\xff"), "bytes");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\0\xff\xff\xff\xff"), "bytes");
        expect_refused((CodecForm){},
                       BYTES_OF("\1\0\0\0\0\0\0\0\0\0\0\0\0"
                                "0123"),
                       "id");
        expect_refused((CodecForm){}, BYTES_OF("\1\0\0\0\0\0\0\0\0\0\0\0\0" ID "x"), NULL);
}

static void bad_tags_are_refused_and_unknown_ones_passed_over(void **state) {
        MrTree *found = NULL;

        (void) state;
        expect_refused(flexible, BYTES_OF("\1\0\1\1\1" ID), NULL);
        expect_refused(flexible, BYTES_OF("\1\0\1\1\1" ID "\1\0\7\0\0\0\0\0\0\0"), "epoch");
        expect_refused(flexible, BYTES_OF("\1\0\1\1\1" ID "\1\0\x09\0\0\0\0\0\0\0\1\0"), "epoch");
        expect_refused(flexible,
                       BYTES_OF("\1\0\1\1\1" ID "\1\x09\x7f"
                                "ab"),
                       NULL);
        expect_refused(flexible, BYTES_OF("\1\0\1\1\1" ID "\xff\xff\xff\xff\x0f"), NULL);
        assert_int_equal(codec_decode(table, flexible,
                                      BYTES_OF("\1\0\1\1\1" ID "\1\x09\2"
                                               "ab"),
                                      &found, NULL),
                         0);
        assert_int_equal(mr_tree_size(found), 5);
        mr_tree_free(found);
}

static void a_flood_of_values_is_refused(void **state) {
        _cleanup_buf_ MrBuf bytes = {};

        (void) state;
        mr_buf_append(&bytes, "\1\0\0\0\0", 5);
        mr_buf_append(&bytes, "\0\x1e\x84\x80", 4); /* two million items of three values each */
        for (unsigned i = 0; i < 2000000; i++)
                mr_buf_append(&bytes, "\1\0\0", 3);
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *found = NULL;
        assert_int_equal(codec_decode(table, (CodecForm){}, bytes.data, bytes.size, &found, &err),
                         -EINVAL);
        assert_non_null(strstr(err.message, "more than 2000000 values"));
}

static void expect_bad_tree(const char *text, const char *path) {
        _cleanup_(mr_tree_freep) MrTree *tree = json(text);
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf bytes = {};

        assert_int_equal(codec_encode(table, fixed, tree, &bytes, &err), -EINVAL);
        assert_string_equal(err.path, path);
}

static void trees_of_wrong_types_are_refused(void **state) {
        (void) state;
        expect_bad_tree("{\"flag\":1}", "flag");
        expect_bad_tree("{\"port\":65536}", "port");
        expect_bad_tree("{\"port\":-1}", "port");
        expect_bad_tree("{\"old\":2147483648}", "old");
        expect_bad_tree("{\"old\":\"1\"}", "old");
        expect_bad_tree("{\"items\":{}}", "items");
        expect_bad_tree("{\"items\":[1]}", "items[0]");
        expect_bad_tree("{\"items\":[{},{\"n\":128}]}", "items[1].n");
        expect_bad_tree("{\"items\":[{\"note\":7}]}", "items[0].note");
        expect_bad_tree("{\"bytes\":\"?\"}", "bytes");
        expect_bad_tree("{\"id\":\"short\"}", "id");
}

static void reals_keep_every_bit(void **state) {
        static const CodecField reals[] = {{FLOAT64("x")}, {}};
        static const char *const values[] = {"0",     "-1",      "0.5", "1048576",
                                             "1e300", "2.5e-10", "0.1"};
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *tree = NULL;

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(values); i++) {
                _cleanup_free_ char *text = mr_strf("{\"x\":%s}", values[i]);
                _cleanup_(mr_tree_freep) MrTree *in = json(text), *out = NULL;
                _cleanup_buf_ MrBuf bytes = {};
                assert_int_equal(codec_encode(reals, fixed, in, &bytes, NULL), 0);
                assert_int_equal(bytes.size, 8);
                assert_int_equal(codec_decode(reals, fixed, bytes.data, 8, &out, NULL), 0);
                assert_true(mr_tree_equal(in, out));
        }
        assert_int_equal(codec_decode(reals, fixed, "\x3f\xe0\0\0\0\0\0\0", 8, &tree, NULL), 0);
        assert_true(mr_tree_real(mr_tree_get(tree, "x"), 0) == 0.5);
        tree = mr_tree_free(tree);
        assert_int_equal(codec_decode(reals, fixed, "\x7f\xf8\0\0\0\0\0\0", 8, &tree, &err),
                         -EINVAL);
        assert_string_equal(err.message, "is no number");
        _cleanup_(mr_tree_freep) MrTree *word = json("{\"x\":\"1\"}");
        _cleanup_buf_ MrBuf bytes = {};
        assert_int_equal(codec_encode(reals, fixed, word, &bytes, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reals_keep_every_bit),
                cmocka_unit_test(versions_decide_what_is_there),
                cmocka_unit_test(tags_and_nulls_in_the_flexible_form),
                cmocka_unit_test(bad_bytes_name_their_field),
                cmocka_unit_test(bad_tags_are_refused_and_unknown_ones_passed_over),
                cmocka_unit_test(a_flood_of_values_is_refused),
                cmocka_unit_test(trees_of_wrong_types_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
