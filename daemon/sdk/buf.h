#pragma once

/* A growing byte buffer. The content is always followed by a NUL byte that is not counted, so text
 * can be used in place. A zeroed MrBuf is empty and valid. */

#include <stdarg.h>
#include <stdbool.h>

#include "macros.h"

typedef struct MrBuf {
        char *data; /* NULL while nothing was ever appended */
        size_t size;
        size_t allocated;
} MrBuf;

void mr_buf_done(MrBuf *buf);
#define _cleanup_buf_ _cleanup_(mr_buf_done)
/* The same after wiping the content, for key material. */
void mr_buf_wipe(MrBuf *buf);
void mr_buf_append(MrBuf *buf, const void *data, size_t size);
void mr_buf_puts(MrBuf *buf, const char *s);
void mr_buf_putc(MrBuf *buf, char c);
void mr_buf_printf(MrBuf *buf, const char *format, ...) _printf_(2, 3);
void mr_buf_vprintf(MrBuf *buf, const char *format, va_list args) _printf_(2, 0);
void mr_buf_clear(MrBuf *buf);             /* empties, keeps the memory */
void mr_buf_drop(MrBuf *buf, size_t n);    /* removes n bytes from the front */
const char *mr_buf_text(const MrBuf *buf); /* never NULL */
char *mr_buf_take(MrBuf *buf);             /* moves the memory out; never NULL */
