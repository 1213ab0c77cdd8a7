/* The few string helpers of the launcher. Out of memory ends the program: the service manager
 * starts it again. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "launch.h"

static void out_of_memory(void) {
        fputs("out of memory\n", stderr);
        abort();
}

static char *text_format_v(const char *format, va_list args) _printf_(1, 0);
static char *text_format_v(const char *format, va_list args) {
        char *text = NULL;

        if (vasprintf(&text, format, args) < 0)
                out_of_memory();
        return text;
}

char *text_format(const char *format, ...) {
        va_list args;

        va_start(args, format);
        char *text = text_format_v(format, args);
        va_end(args);
        return text;
}

void failure_done(Failure *failure) {
        free(failure->text);
        *failure = (Failure){};
}

int failure_set(Failure *failure, int code, const char *format, ...) {
        va_list args;

        va_start(args, format);
        char *text = text_format_v(format, args);
        va_end(args);

        failure_done(failure);
        *failure = (Failure){.code = code, .text = text};
        return -1;
}

void words_add(Words *words, const char *word) {
        if (words->n + 1 >= words->allocated) {
                words->allocated = words->allocated ? words->allocated * 2 : 16;
                words->items = reallocarray(words->items, words->allocated, sizeof(char *));
                if (!words->items)
                        out_of_memory();
        }
        words->items[words->n++] = word;
        words->items[words->n] = NULL;
}

void words_done(Words *words) {
        free(words->items);
        *words = (Words){};
}
