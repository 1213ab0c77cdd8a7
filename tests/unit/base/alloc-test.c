/* Allocation and arenas. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"

static void nothing_is_an_allocation_too(void **state _unused_) {
        void *a = mr_malloc(0), *b = mr_calloc(0, 8), *c = mr_calloc(8, 0),
             *d = mr_realloc_array(NULL, 0, 4);

        assert_non_null(a);
        assert_non_null(b);
        assert_non_null(c);
        assert_non_null(d);
        free(a);
        free(b);
        free(c);
        free(d);
}

static void copies(void **state _unused_) {
        _cleanup_free_ char *whole = mr_strdup("text"), *part = mr_strndup("text", 2),
                            *more = mr_strndup("ab", 9), *made = mr_strf("%s-%d", "n", 7);

        assert_null(mr_strdup(NULL));
        assert_null(mr_strndup(NULL, 3));
        assert_string_equal(whole, "text");
        assert_string_equal(part, "te");
        assert_string_equal(more, "ab");
        assert_string_equal(made, "n-7");
}

static void arrays_grow(void **state _unused_) {
        int *array = NULL;
        size_t n = 0, allocated = 0;

        for (int i = 0; i < 1000; i++) {
                MR_GROW(array, n, allocated);
                array[n++] = i;
        }
        assert_true(allocated >= 1000 && allocated < 4000);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(array[i], i);
        free(array);
}

static void ownership_moves(void **state _unused_) {
        char *a = mr_strdup("x"), *b = TAKE(a);

        assert_null(a);
        free(b);
}

static void arenas_are_zeroed_and_aligned(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();

        for (size_t size = 0; size < 300; size += 7) {
                unsigned char *p = mr_arena_alloc(arena, size);
                assert_int_equal((uintptr_t) p % 16, 0);
                for (size_t i = 0; i < size; i++)
                        assert_int_equal(p[i], 0);
                memset(p, 0xff, size);
        }
}

static void arenas_hold_small_and_large(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        char *first = mr_arena_strdup(arena, "first"), *large = mr_arena_alloc(arena, 1U << 20);

        memset(large, 1, 1U << 20);
        char *last = mr_arena_strf(arena, "%s %d", "last", 1);
        assert_string_equal(first, "first");
        assert_string_equal(last, "last 1");
        assert_string_equal(mr_arena_strndup(arena, "abc", 2), "ab");
        assert_null(mr_arena_strdup(arena, NULL));
        assert_null(mr_arena_free(NULL));
}

/* A size that cannot be had ends the process, and never wraps around. */
static void too_much_aborts(void **state _unused_) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                struct rlimit none = {};
                setrlimit(RLIMIT_CORE, &none);
                (void) close(2);
                free(mr_realloc_array(NULL, SIZE_MAX / 2, 16));
                _exit(0);
        }
        assert_true(waitpid(pid, &status, 0) == pid);
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_an_allocation_too),
                cmocka_unit_test(copies),
                cmocka_unit_test(arrays_grow),
                cmocka_unit_test(ownership_moves),
                cmocka_unit_test(arenas_are_zeroed_and_aligned),
                cmocka_unit_test(arenas_hold_small_and_large),
                cmocka_unit_test(too_much_aborts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
