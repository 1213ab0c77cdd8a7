/* JSON with sorted keys and one spelling for each value, so that equal trees give equal bytes
 * and digests. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "str.h"
#include "tree-node.h"

/* The shortest decimal that reads back as the same number. */
static void write_real(double value, MrBuf *out) {
        char text[40];

        for (int digits = 15; digits <= 17; digits++) {
                snprintf(text, sizeof(text), "%.*g", digits, value);
                if (strtod(text, NULL) >= value && strtod(text, NULL) <= value)
                        break;
        }
        mr_buf_puts(out, text);
}

bool mr_tree_text(const MrTree *tree, MrBuf *out) {
        switch (mr_tree_type(tree)) {
        case MR_TREE_BOOL:
                mr_buf_puts(out, tree->boolean ? "true" : "false");
                return true;
        case MR_TREE_INT:
                mr_buf_printf(out, "%lld", (long long) tree->integer);
                return true;
        case MR_TREE_REAL:
                write_real(tree->real, out);
                return true;
        case MR_TREE_STRING:
                mr_buf_puts(out, mr_tree_string(tree));
                return true;
        default:
                return false;
        }
}

static void write_character(const char *c, size_t n, MrBuf *out) {
        static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        const char *found = n == 1 ? strchr(escaped, *c) : NULL;

        if (n == 0)
                mr_buf_puts(out, "\\ufffd");
        else if (found)
                mr_buf_printf(out, "\\%c", letters[found - escaped]);
        else if (n == 1 && (unsigned char) *c < 0x20)
                mr_buf_printf(out, "\\u%04x", (unsigned) (unsigned char) *c);
        else
                mr_buf_append(out, c, n);
}

static void write_string(const char *text, MrBuf *out) {
        uint32_t c;

        mr_buf_putc(out, '"');
        for (size_t left = strlen(text), n; left > 0; text += n ? n : 1, left -= n ? n : 1) {
                n = utf8_decode(text, left, &c);
                write_character(text, n, out);
        }
        mr_buf_putc(out, '"');
}

static void write_break(bool pretty, unsigned depth, MrBuf *out) {
        if (pretty)
                mr_buf_printf(out, "\n%*s", (int) depth * 2, "");
}

static void write_value(const MrTree *tree, bool pretty, unsigned depth, MrBuf *out) {
        bool is_map = mr_tree_type(tree) == MR_TREE_MAP;

        if (mr_tree_type(tree) == MR_TREE_STRING) {
                write_string(mr_tree_string(tree), out);
                return;
        }
        if (!is_map && mr_tree_type(tree) != MR_TREE_LIST) {
                if (!mr_tree_text(tree, out))
                        mr_buf_puts(out, "null");
                return;
        }
        mr_buf_putc(out, is_map ? '{' : '[');
        for (size_t i = 0; i < mr_tree_size(tree); i++) {
                if (i > 0)
                        mr_buf_putc(out, ',');
                write_break(pretty, depth + 1, out);
                if (is_map) {
                        write_string(mr_tree_key(tree, i), out);
                        mr_buf_puts(out, pretty ? ": " : ":");
                }
                write_value(mr_tree_at(tree, i), pretty, depth + 1, out);
        }
        if (mr_tree_size(tree) > 0)
                write_break(pretty, depth, out);
        mr_buf_putc(out, is_map ? '}' : ']');
}

void mr_json_write(const MrTree *tree, unsigned flags, MrBuf *out) {
        bool pretty = flags & MR_JSON_PRETTY;

        write_value(tree, pretty, 0, out);
        if (pretty)
                mr_buf_putc(out, '\n');
}

void mr_tree_digest(const MrTree *tree, char ret[65]) {
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, 0, &text);
        mr_digest(mr_buf_text(&text), text.size, ret);
}
