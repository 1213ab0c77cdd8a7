/* Growing buffers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "buf.h"

static void an_empty_buffer(void **state _unused_) {
        _cleanup_buf_ MrBuf buf = {};
        _cleanup_free_ char *taken = NULL;

        assert_string_equal(mr_buf_text(&buf), "");
        mr_buf_clear(&buf);
        mr_buf_drop(&buf, 10);
        mr_buf_append(&buf, NULL, 0);
        assert_string_equal(mr_buf_text(&buf), "");
        mr_buf_done(&buf);
        taken = mr_buf_take(&buf);
        assert_string_equal(taken, "");
}

static void everything_is_appended(void **state _unused_) {
        _cleanup_buf_ MrBuf buf = {};

        mr_buf_puts(&buf, "a");
        mr_buf_putc(&buf, 'b');
        mr_buf_printf(&buf, "%03d", 7);
        mr_buf_append(&buf, "x\0y", 3);
        assert_int_equal(buf.size, 8);
        assert_memory_equal(buf.data, "ab007x\0y", 9);
}

static void it_grows(void **state _unused_) {
        _cleanup_buf_ MrBuf buf = {};

        for (int i = 0; i < 10000; i++)
                mr_buf_putc(&buf, (char) ('a' + i % 26));
        assert_int_equal(buf.size, 10000);
        assert_int_equal(strlen(mr_buf_text(&buf)), 10000);
        for (int i = 0; i < 10000; i++)
                assert_int_equal(buf.data[i], 'a' + i % 26);
}

static void the_front_can_be_dropped(void **state _unused_) {
        _cleanup_buf_ MrBuf buf = {};

        mr_buf_puts(&buf, "abcdef");
        mr_buf_drop(&buf, 0);
        mr_buf_drop(&buf, 2);
        assert_string_equal(mr_buf_text(&buf), "cdef");
        assert_int_equal(buf.size, 4);
        mr_buf_drop(&buf, 4);
        assert_string_equal(mr_buf_text(&buf), "");
        mr_buf_puts(&buf, "g");
        mr_buf_drop(&buf, 99);
        assert_int_equal(buf.size, 0);
}

static void clearing_keeps_the_memory(void **state _unused_) {
        _cleanup_buf_ MrBuf buf = {};

        mr_buf_puts(&buf, "abc");
        const char *data = buf.data;
        mr_buf_clear(&buf);
        assert_string_equal(mr_buf_text(&buf), "");
        mr_buf_puts(&buf, "d");
        assert_ptr_equal(buf.data, data);
        assert_string_equal(mr_buf_text(&buf), "d");
}

static void taking_moves_the_memory(void **state _unused_) {
        MrBuf buf = {};

        mr_buf_puts(&buf, "abc");
        _cleanup_free_ char *text = mr_buf_take(&buf);
        assert_string_equal(text, "abc");
        assert_null(buf.data);
        assert_int_equal(buf.size, 0);
}

static void wiping_empties(void **state _unused_) {
        MrBuf buf = {};

        mr_buf_wipe(&buf);
        mr_buf_puts(&buf, "secret");
        mr_buf_wipe(&buf);
        assert_null(buf.data);
        assert_int_equal(buf.allocated, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_buffer),
                cmocka_unit_test(everything_is_appended),
                cmocka_unit_test(it_grows),
                cmocka_unit_test(the_front_can_be_dropped),
                cmocka_unit_test(clearing_keeps_the_memory),
                cmocka_unit_test(taking_moves_the_memory),
                cmocka_unit_test(wiping_empties),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
