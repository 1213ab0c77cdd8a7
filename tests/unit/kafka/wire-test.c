/* Primitive types of the protocol, at their edges. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kafka/wire.h"

static void integers_keep_their_sign(void **state) {
        static const int64_t values[] = {0,      1,         -1,        127,       -128,     32767,
                                         -32768, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(values); i++)
                for (size_t size = 1; size <= 8; size *= 2) {
                        _cleanup_buf_ MrBuf buf = {};
                        int64_t found = 0;
                        int64_t wanted = (int64_t) ((uint64_t) values[i] << (64 - 8 * size)) >>
                                         (64 - 8 * size);
                        wire_write_int(&buf, size, values[i]);
                        assert_int_equal(buf.size, size);
                        WireReader reader = WIRE_READER(buf.data, buf.size);
                        assert_int_equal(wire_read_int(&reader, size, &found, NULL), 0);
                        assert_int_equal(found, wanted);
                        assert_int_equal(reader.left, 0);
                        reader = WIRE_READER(buf.data, buf.size - 1);
                        assert_int_equal(wire_read_int(&reader, size, &found, NULL), -EINVAL);
                        assert_int_equal(reader.left, size - 1);
                }
}

static void varints_come_back(void **state) {
        static const struct {
                uint32_t value;
                size_t size;
        } cases[] = {{0, 1},     {127, 1},       {128, 2},       {16383, 2},
                     {16384, 3}, {INT32_MAX, 5}, {UINT32_MAX, 5}};

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_buf_ MrBuf buf = {};
                uint32_t found = 0;
                wire_write_varuint(&buf, cases[i].value);
                assert_int_equal(buf.size, cases[i].size);
                WireReader reader = WIRE_READER(buf.data, buf.size);
                assert_int_equal(wire_read_varuint(&reader, &found, NULL), 0);
                assert_int_equal(found, cases[i].value);
                reader = WIRE_READER(buf.data, buf.size - 1);
                assert_int_equal(wire_read_varuint(&reader, &found, NULL), -EINVAL);
        }
}

static void overlong_varints_are_refused(void **state) {
        uint32_t found = 0;
        WireReader too_large = WIRE_READER("\xff\xff\xff\xff\x1f", 5);
        WireReader too_long = WIRE_READER("\x80\x80\x80\x80\x80\x01", 6);

        (void) state;
        assert_int_equal(wire_read_varuint(&too_large, &found, NULL), -EINVAL);
        assert_int_equal(wire_read_varuint(&too_long, &found, NULL), -EINVAL);
}

static void text_is_utf8_without_nul(void **state) {
        static const char *const good[] = {
                "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
        static const char *const bad[] = {"\x80",
                                          "\xc3",
                                          "\xc0\xaf",
                                          "\xe0\x80\x80",
                                          "\xed\xa0\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xf4\x90\x80\x80",
                                          "a\xff",
                                          "\xe2\x82"};

        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(good); i++)
                assert_true(wire_is_text(good[i], strlen(good[i])));
        for (size_t i = 0; i < MR_ELEMENTS(bad); i++)
                assert_false(wire_is_text(bad[i], strlen(bad[i])));
        assert_false(wire_is_text("a\0b", 3));
}

static void ids_are_written_as_kafka_writes_them(void **state) {
        uint8_t uuid[WIRE_UUID_SIZE], again[WIRE_UUID_SIZE];
        char text[WIRE_UUID_TEXT_MAX];

        (void) state;
        assert_int_equal(wire_uuid_parse("MkU3OEVBNTcwNTJENDM2Qg", uuid, NULL), 0);
        assert_memory_equal(uuid, "2E78EA57052D436B", 16);
        for (unsigned i = 0; i < 256; i++) {
                for (size_t k = 0; k < sizeof(uuid); k++)
                        uuid[k] = (uint8_t) (i + k * 37);
                wire_uuid_text(uuid, text);
                assert_int_equal(strlen(text), 22);
                assert_int_equal(wire_uuid_parse(text, again, NULL), 0);
                assert_memory_equal(uuid, again, sizeof(uuid));
        }
        assert_int_equal(wire_uuid_parse("short", uuid, NULL), -EINVAL);
        assert_int_equal(wire_uuid_parse("MkU3OEVBNTcwNTJENDM2Q=", uuid, NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(integers_keep_their_sign),
                cmocka_unit_test(varints_come_back),
                cmocka_unit_test(overlong_varints_are_refused),
                cmocka_unit_test(text_is_utf8_without_nul),
                cmocka_unit_test(ids_are_written_as_kafka_writes_them),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
