/* Writes Java properties. References ("@{…}") pass unchanged: they contain nothing that needs
 * escaping. */

#include "properties.h"

#include <stdbool.h>
#include <string.h>

/* Java reads properties as Latin-1, so what is not ASCII goes as UTF-16 escapes. Returns the bytes
 * taken; what is no UTF-8 is taken byte by byte, as Latin-1. */
static size_t append_unicode(MrBuf *out, const unsigned char *text) {
        uint32_t point = text[0];
        size_t n = 1;

        if (text[0] >= 0xc2 && text[0] < 0xf5)
                n = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
        for (size_t i = 1; i < n; i++)
                if ((text[i] & 0xc0) != 0x80)
                        n = 1;
        if (n > 1)
                point = text[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++)
                point = point << 6 | (text[i] & 0x3fU);
        if (point > 0xffff) {
                mr_buf_printf(out, "\\u%04X", 0xd800 + ((point - 0x10000) >> 10));
                point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        mr_buf_printf(out, "\\u%04X", point);
        return n;
}

static void append_escaped(MrBuf *out, const char *text, bool is_key) {
        for (const char *c = text; *c;) {
                /* A leading blank of a value would be taken for the space after the equals sign. */
                bool is_blank = *c == ' ' && (is_key || c == text);
                if ((unsigned char) *c >= 0x7f ||
                    ((unsigned char) *c < 0x20 && !strchr("\n\r\t", *c))) {
                        c += append_unicode(out, (const unsigned char *) c);
                        continue;
                }
                if (*c == '\n')
                        mr_buf_puts(out, "\\n");
                else if (*c == '\r')
                        mr_buf_puts(out, "\\r");
                else if (*c == '\t')
                        mr_buf_puts(out, "\\t");
                else {
                        if (*c == '\\' || is_blank || (is_key && strchr("=:#!", *c)))
                                mr_buf_putc(out, '\\');
                        mr_buf_putc(out, *c);
                }
                c++;
        }
}

const char *properties_text(MrArena *arena, const MrPairs *properties) {
        _cleanup_buf_ MrBuf out = {};

        mr_buf_puts(&out, "# Written by millrace; changes made here are put back.\n");
        for (size_t i = 0; i < properties->n; i++) {
                append_escaped(&out, properties->items[i].key, true);
                mr_buf_putc(&out, '=');
                append_escaped(&out, properties->items[i].value, false);
                mr_buf_putc(&out, '\n');
        }
        return mr_arena_strdup(arena, mr_buf_text(&out));
}
