/* A watch's stream becomes events. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "kubernetes/lines.c"

typedef struct Heard {
        unsigned n;
        int64_t sum;
        int answer;
} Heard;

static int hear(void *userdata, MrTree *event, MrError *err _unused_) {
        Heard *heard = userdata;

        heard->n++;
        heard->sum += mr_tree_get_int(event, "a", 0);
        return heard->answer;
}

static int push(Lines *lines, const char *text, Heard *heard, MrError *err) {
        return lines_push(lines, text, strlen(text), hear, heard, err);
}

static void pieces_make_lines(void **state _unused_) {
        _cleanup_(lines_done) Lines lines = {};
        Heard heard = {};

        assert_int_equal(push(&lines, "{\"a\":", &heard, NULL), 0);
        assert_int_equal(heard.n, 0);
        assert_int_equal(push(&lines, "1}\n\n{\"a\":20}\r\n{\"a\"", &heard, NULL), 0);
        assert_int_equal(heard.n, 2);
        assert_int_equal(push(&lines, ":300}\n", &heard, NULL), 0);
        assert_int_equal(heard.n, 3);
        assert_int_equal(heard.sum, 321);
        assert_int_equal(lines.rest.size, 0);
}

static void no_json_is_an_error(void **state _unused_) {
        _cleanup_(lines_done) Lines lines = {};
        _cleanup_error_ MrError err = {};
        Heard heard = {};

        assert_int_equal(push(&lines, "{\"a\":1}\nno\n{\"a\":1}\n", &heard, &err), -EINVAL);
        assert_int_equal(heard.n, 1);
        assert_non_null(err.message);
}

static void who_has_heard_enough_hears_no_more(void **state _unused_) {
        _cleanup_(lines_done) Lines lines = {};
        Heard heard = {.answer = -ESTALE};

        assert_int_equal(push(&lines, "{\"a\":1}\n{\"a\":1}\n", &heard, NULL), -ESTALE);
        assert_int_equal(heard.n, 1);
}

static void a_line_without_end_is_an_error(void **state _unused_) {
        _cleanup_(lines_done) Lines lines = {};
        _cleanup_error_ MrError err = {};
        _cleanup_free_ char *block = mr_malloc(LINE_MAX_SIZE);
        Heard heard = {};

        memset(block, ' ', LINE_MAX_SIZE);
        assert_int_equal(lines_push(&lines, block, LINE_MAX_SIZE, hear, &heard, &err), 0);
        assert_int_equal(lines_push(&lines, " ", 1, hear, &heard, &err), -EAGAIN);
        assert_int_equal(err.kind, MR_TRANSIENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_make_lines),
                cmocka_unit_test(no_json_is_an_error),
                cmocka_unit_test(who_has_heard_enough_hears_no_more),
                cmocka_unit_test(a_line_without_end_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
