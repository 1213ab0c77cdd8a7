/* A growing byte buffer that always ends in an uncounted NUL. */

#include "buf.h"

#include <openssl/crypto.h>
#include <string.h>

#include "alloc.h"

void mr_buf_done(MrBuf *buf) {
        free(buf->data);
        *buf = (MrBuf){};
}

void mr_buf_wipe(MrBuf *buf) {
        if (buf->data)
                OPENSSL_cleanse(buf->data, buf->allocated);
        mr_buf_done(buf);
}

static void buf_need(MrBuf *buf, size_t more) {
        size_t needed = buf->size + more + 1;

        if (needed <= buf->allocated)
                return;
        size_t doubled = buf->allocated * 2;
        buf->allocated = needed > doubled ? needed : doubled;
        if (buf->allocated < 64)
                buf->allocated = 64;
        buf->data = mr_realloc_array(buf->data, buf->allocated, 1);
}

void mr_buf_append(MrBuf *buf, const void *data, size_t size) {
        buf_need(buf, size);
        if (size > 0)
                memcpy(buf->data + buf->size, data, size);
        buf->size += size;
        buf->data[buf->size] = '\0';
}

void mr_buf_puts(MrBuf *buf, const char *s) {
        mr_buf_append(buf, s, strlen(s));
}

void mr_buf_putc(MrBuf *buf, char c) {
        mr_buf_append(buf, &c, 1);
}

void mr_buf_vprintf(MrBuf *buf, const char *format, va_list args) {
        _cleanup_free_ char *text = mr_vstrf(format, args);
        mr_buf_puts(buf, text);
}

void mr_buf_printf(MrBuf *buf, const char *format, ...) {
        va_list args;

        va_start(args, format);
        mr_buf_vprintf(buf, format, args);
        va_end(args);
}

void mr_buf_clear(MrBuf *buf) {
        buf->size = 0;
        if (buf->data)
                buf->data[0] = '\0';
}

void mr_buf_drop(MrBuf *buf, size_t n) {
        if (n >= buf->size) {
                mr_buf_clear(buf);
                return;
        }
        memmove(buf->data, buf->data + n, buf->size - n + 1);
        buf->size -= n;
}

const char *mr_buf_text(const MrBuf *buf) {
        return buf->data ? buf->data : "";
}

char *mr_buf_take(MrBuf *buf) {
        buf_need(buf, 0);
        buf->data[buf->size] = '\0';
        char *data = TAKE(buf->data);
        *buf = (MrBuf){};
        return data;
}
