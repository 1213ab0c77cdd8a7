/* What is given back is gone from memory, and there again when it is needed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>
#include <cmocka.h>

#include "io/resident.h"

typedef struct Text {
        const volatile char *begin, *end;
        size_t resident; /* KiB */
} Text;

/* The code of libcrypto, which is large, and of which this program needs little. */
static void text_find(Text *text) {
        FILE *file = fopen("/proc/self/smaps", "re");
        char line[4096], mode[5];
        uintptr_t begin, end;
        bool is_text = false;

        *text = (Text){};
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                if (sscanf(line, "%lx-%lx %4s", &begin, &end, mode) == 3) {
                        is_text = strcmp(mode, "r-xp") == 0 && strstr(line, "libcrypto.so");
                        if (is_text)
                                *text = (Text){(const char *) begin, (const char *) end, 0};
                } else if (is_text)
                        (void) sscanf(line, "Rss: %zu kB", &text->resident);
        }
        (void) fclose(file);
        assert_non_null(text->begin);
}

static char digest_begins_with(const char *text) {
        unsigned char digest[SHA256_DIGEST_LENGTH];

        assert_non_null(SHA256((const unsigned char *) text, strlen(text), digest));
        return (char) digest[0];
}

static void what_was_read_is_given_back(void **state) {
        char before = digest_begins_with("abc");
        Text text, after;
        unsigned sum = 0;

        (void) state;
        text_find(&text);
        for (const volatile char *page = text.begin; page < text.end; page += 4096)
                sum += (unsigned char) *page;
        assert_true(sum > 0);
        text_find(&text);
        assert_true(text.resident > 1024);
        resident_trim();
        text_find(&after);
        assert_true(after.resident < text.resident / 4);
        assert_int_equal(digest_begins_with("abc"), before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_read_is_given_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
