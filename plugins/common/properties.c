/* Writes Java properties. References ("@{…}") pass unchanged: they contain nothing that needs
 * escaping. */

#include "properties.h"

#include <ctype.h>
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

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\f';
}

static void append_utf8(MrBuf *out, unsigned point) {
        if (point < 0x80) {
                mr_buf_putc(out, (char) point);
                return;
        }
        if (point < 0x800)
                mr_buf_putc(out, (char) (0xc0 | point >> 6));
        else {
                mr_buf_putc(out, (char) (0xe0 | point >> 12));
                mr_buf_putc(out, (char) (0x80 | (point >> 6 & 0x3f)));
        }
        mr_buf_putc(out, (char) (0x80 | (point & 0x3f)));
}

/* What follows a backslash; returns the first character behind it. */
static const char *read_escape(const char *text, MrBuf *out) {
        static const char from[] = "tnrf", to[] = "\t\n\r\f";
        const char *known = *text ? strchr(from, *text) : NULL;
        unsigned point = 0;

        if (*text != 'u') {
                if (*text)
                        mr_buf_putc(out, known ? to[known - from] : *text);
                return *text ? text + 1 : text;
        }
        text++;
        for (int i = 0; i < 4 && isxdigit((unsigned char) *text); i++, text++)
                point = point * 16 +
                        (unsigned) (isdigit((unsigned char) *text)
                                            ? *text - '0'
                                            : tolower((unsigned char) *text) - 'a' + 10);
        /* A zero would cut the text short. */
        if (point > 0)
                append_utf8(out, point);
        return text;
}

static const char *skip_blanks(const char *text) {
        while (is_blank(*text))
                text++;
        return text;
}

/* A backslash before the end of a line joins the next one, without its indentation. */
static const char *skip_joint(const char *text) {
        while (text[0] == '\\' && (text[1] == '\n' || text[1] == '\r')) {
                text += text[1] == '\r' && text[2] == '\n' ? 3 : 2;
                text = skip_blanks(text);
        }
        return text;
}

static bool is_end(char c) {
        return c == '\0' || c == '\n' || c == '\r';
}

/* One half of a pair, up to `stops` or the end of the line. */
static const char *read_half(const char *text, const char *stops, MrBuf *out) {
        for (;;) {
                text = skip_joint(text);
                if (is_end(*text) || strchr(stops, *text))
                        return text;
                if (*text == '\\')
                        text = read_escape(text + 1, out);
                else
                        mr_buf_putc(out, *text++);
        }
}

static const char *read_pair(MrArena *arena, const char *text, MrPairs *ret) {
        _cleanup_buf_ MrBuf key = {}, value = {};

        text = skip_blanks(skip_joint(read_half(text, "=: \t\f", &key)));
        if (*text == '=' || *text == ':')
                text = skip_blanks(skip_joint(text + 1));
        text = read_half(text, "", &value);
        mr_pairs_set(arena, ret, mr_arena_strdup(arena, mr_buf_text(&key)),
                     mr_arena_strdup(arena, mr_buf_text(&value)));
        return text;
}

MrPairs properties_read(MrArena *arena, const char *text) {
        MrPairs pairs = {};

        while (*text) {
                text = skip_blanks(text);
                if (*text == '#' || *text == '!')
                        text += strcspn(text, "\r\n");
                else if (!is_end(*text))
                        text = read_pair(arena, text, &pairs);
                if (*text)
                        text++;
        }
        return pairs;
}
