/* Block-style YAML as kubectl prints it: two spaces, lists not indented below their key.
 * Whatever is printed reads back to an equal tree, so each string is written in the plainest
 * style that keeps it a string. */

#include <string.h>

#include "alloc.h"
#include "tree-node.h"

#define SIMPLE_KEY_MAX 900U /* a longer key needs "? "; YAML's own limit is 1024 */

typedef enum Style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL } Style;

/* Line breaks and marks that look like nothing are escaped, as is what no YAML file may contain. */
static bool is_printable(uint32_t c) {
        if (c < 0xA0)
                return c >= 0x20 && c < 0x7F;
        return c != 0x2028 && c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

typedef struct Traits {
        bool has_break, has_odd, has_mark;
} Traits;

static Traits traits_of(const char *text) {
        Traits traits = {};
        uint32_t c = 0;

        for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
                n = utf8_decode(text, left, &c);
                bool is_text = n > 0 && is_printable(c);
                traits.has_break |= c == '\n';
                traits.has_odd |= !is_text && (n == 0 || c != '\n');
                traits.has_mark |=
                        c == ':' && (text[1] == ' ' || text[1] == '\0' || text[1] == '\n');
                traits.has_mark |= c == ' ' && (text[1] == '#' || text[1] == '\0');
                n = n ? n : 1;
        }
        return traits;
}

static bool starts_like_syntax(const char *text) {
        if (*text == '-')
                return text[1] == '\0' || text[1] == ' ' || strncmp(text, "---", 3) == 0;
        return strchr(" ?:,[]{}#&*!|>'\"%@`", *text) != NULL || strncmp(text, "...", 3) == 0;
}

static Style style_of(const char *text, bool is_key) {
        Traits traits = traits_of(text);

        if (traits.has_odd || scalar_is_ambiguous(text))
                return STYLE_DOUBLE;
        /* A literal block finds its indentation by its first line, which therefore must not
         * start with a blank. */
        if (traits.has_break)
                return is_key || *text == ' ' || *text == '\n' ? STYLE_DOUBLE : STYLE_LITERAL;
        return traits.has_mark || starts_like_syntax(text) ? STYLE_SINGLE : STYLE_PLAIN;
}

static void write_escaped(uint32_t c, MrBuf *out) {
        static const char escaped[] = "\"\\\n\r\t\b\033", letters[] = "\"\\nrtbe";
        const char *found = c < 0x7F ? strchr(escaped, (int) c) : NULL;

        if (found)
                mr_buf_printf(out, "\\%c", letters[found - escaped]);
        else
                mr_buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

static void write_double(const char *text, size_t limit, MrBuf *out) {
        uint32_t c;

        mr_buf_putc(out, '"');
        for (size_t left = strlen(text), n; left > 0 && limit > 0; text += n, left -= n, limit--) {
                n = utf8_decode(text, left, &c);
                if (n == 0) {
                        write_escaped(0xFFFD, out);
                        n = 1;
                } else if (!is_printable(c) || c == '"' || c == '\\')
                        write_escaped(c, out);
                else
                        mr_buf_append(out, text, n);
        }
        mr_buf_putc(out, '"');
}

#define QUOTED_MAX 80U

void mr_text_quote(const char *text, MrBuf *out) {
        size_t shown = 0;

        write_double(text, QUOTED_MAX, out);
        for (const char *c = text; *c; c++)
                shown += ((unsigned char) *c & 0xC0U) != 0x80;
        if (shown > QUOTED_MAX)
                mr_buf_puts(out, "…");
}

static void write_single(const char *text, MrBuf *out) {
        mr_buf_putc(out, '\'');
        for (; *text; text++) {
                if (*text == '\'')
                        mr_buf_putc(out, '\'');
                mr_buf_putc(out, *text);
        }
        mr_buf_putc(out, '\'');
}

static void write_indent(unsigned indent, MrBuf *out) {
        mr_buf_printf(out, "%*s", (int) indent, "");
}

/* The caller ends the last line. */
static void write_literal(const char *text, unsigned indent, MrBuf *out) {
        size_t n = strlen(text);
        bool ends = text[n - 1] == '\n', ends_twice = ends && n > 1 && text[n - 2] == '\n';

        mr_buf_puts(out, ends_twice ? "|+" : ends ? "|" : "|-");
        for (const char *line = text; *line;) {
                size_t length = strcspn(line, "\n");
                mr_buf_putc(out, '\n');
                if (length > 0)
                        write_indent(indent, out);
                mr_buf_append(out, line, length);
                line += length + (line[length] == '\n');
        }
}

static void write_string(const char *text, unsigned indent, bool is_key, MrBuf *out) {
        switch (style_of(text, is_key)) {
        case STYLE_PLAIN:
                mr_buf_puts(out, text);
                return;
        case STYLE_SINGLE:
                write_single(text, out);
                return;
        case STYLE_DOUBLE:
                write_double(text, SIZE_MAX, out);
                return;
        case STYLE_LITERAL:
                write_literal(text, indent, out);
                return;
        }
}

static void write_scalar(const MrTree *tree, unsigned indent, MrBuf *out) {
        if (mr_tree_type(tree) == MR_TREE_STRING)
                write_string(mr_tree_string(tree), indent, false, out);
        else if (mr_tree_type(tree) == MR_TREE_MAP)
                mr_buf_puts(out, "{}");
        else if (mr_tree_type(tree) == MR_TREE_LIST)
                mr_buf_puts(out, "[]");
        else if (!mr_tree_text(tree, out))
                mr_buf_puts(out, "null");
        mr_buf_putc(out, '\n');
}

static void write_block(const MrTree *tree, unsigned indent, MrBuf *out);

/* Returns whether the key needed the long form. */
static bool write_key(const char *key, MrBuf *out) {
        size_t start = out->size;

        write_string(key, 0, true, out);
        if (out->size - start <= SIMPLE_KEY_MAX) {
                mr_buf_putc(out, ':');
                return false;
        }
        _cleanup_free_ char *written = mr_strdup(out->data + start);
        out->size = start;
        mr_buf_printf(out, "? %s\n", written);
        return true;
}

static void write_entry(const char *key, const MrTree *value, unsigned indent, MrBuf *out) {
        bool is_long = write_key(key, out);

        if (is_long) {
                write_indent(indent, out);
                mr_buf_putc(out, ':');
        }
        if (mr_tree_size(value) == 0) {
                mr_buf_putc(out, ' ');
                write_scalar(value, indent + 2, out);
                return;
        }
        unsigned inner = mr_tree_type(value) == MR_TREE_MAP || is_long ? indent + 2 : indent;
        mr_buf_putc(out, '\n');
        write_indent(inner, out);
        write_block(value, inner, out);
}

/* The first line is already indented. */
static void write_block(const MrTree *tree, unsigned indent, MrBuf *out) {
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                const MrTree *value = mr_tree_at(tree, i);
                if (i > 0)
                        write_indent(indent, out);
                if (mr_tree_type(tree) == MR_TREE_MAP)
                        write_entry(mr_tree_key(tree, i), value, indent, out);
                else {
                        mr_buf_puts(out, "- ");
                        if (mr_tree_size(value) == 0)
                                write_scalar(value, indent + 2, out);
                        else
                                write_block(value, indent + 2, out);
                }
        }
}

void mr_yaml_write(const MrTree *tree, MrBuf *out) {
        if (mr_tree_size(tree) == 0)
                write_scalar(tree, 2, out);
        else
                write_block(tree, 0, out);
}
