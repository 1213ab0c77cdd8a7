/* Text from outside is refused with a position and an advice, not with a parser's words. */

#include "yaml-check.h"

#include <string.h>

#include "tree-node.h"

size_t utf8_decode(const char *text, size_t n, uint32_t *ret) {
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *c = (const unsigned char *) text;
        size_t length = c[0] < 0x80       ? 1
                        : c[0] >> 5 == 6  ? 2
                        : c[0] >> 4 == 14 ? 3
                        : c[0] >> 3 == 30 ? 4
                                          : 0;

        if (length == 0 || length > n)
                return 0;
        uint32_t value = length == 1 ? c[0] : c[0] & (0xFFU >> (length + 1));
        for (size_t i = 1; i < length; i++) {
                if (c[i] >> 6 != 2)
                        return 0;
                value = value << 6 | (c[i] & 0x3FU);
        }
        if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
                return 0;
        *ret = value;
        return length;
}

static const char *complaint(uint32_t c) {
        if (c == 0)
                return "a NUL byte; this is no text file, check which file was given";
        if (c == '\t' || c == '\n' || c == '\r' || c == 0x85)
                return NULL;
        if (c < 0x20 || c == 0x7F || (c > 0x7F && c < 0xA0) || c == 0xFFFE || c == 0xFFFF)
                return "a control character; remove it, or write it as an escape in double quotes";
        return NULL;
}

int text_check(const char *text, size_t size, MrError *err) {
        unsigned line = 1, column = 1;
        uint32_t c;

        if (size > MR_DOCUMENT_MAX)
                return mr_fail(err, MR_INVALID, NULL,
                               "the file has %zu bytes, more than the %u allowed; split it", size,
                               MR_DOCUMENT_MAX);
        for (size_t i = 0, n; i < size; i += n) {
                n = utf8_decode(text + i, size - i, &c);
                const char *wrong =
                        n == 0 ? "a byte that is not UTF-8; save the file as UTF-8" : complaint(c);
                if (wrong) {
                        int r = mr_fail(err, MR_INVALID, NULL, "%s", wrong);
                        return mr_error_at(err, r, NULL, line, column);
                }
                column++;
                if (c == '\n') {
                        line++;
                        column = 1;
                }
        }
        return 0;
}

#define UNCLOSED_AT_END "found unexpected end of stream"
#define UNCLOSED_IN_DOCUMENT "found unexpected document indicator"

/* The words of libyaml on the left are its interface here; ours are on the right. */
static const struct {
        const char *problem, *advice;
} advices[] = {
        {"found character that cannot start any token",
         "this character cannot start a value; put the value in quotes"},
        {"mapping values are not allowed in this context",
         "a ':' is not allowed here; check the indentation, or put the value in quotes"},
        {"could not find expected ':'", "a key without ':'; add it, or check the indentation"},
        {"did not find expected key",
         "neither a key nor the end of the map; check the indentation and the quotes"},
        {"did not find expected '-' indicator",
         "neither '-' nor the end of the list; check the indentation"},
        {"did not find expected ',' or ']'", "a list in brackets is not closed; add ',' or ']'"},
        {"did not find expected ',' or '}'", "a map in braces is not closed; add ',' or '}'"},
        {UNCLOSED_AT_END, "a quote is opened here and never closed; close it"},
        {UNCLOSED_IN_DOCUMENT, "a quote is opened here and not closed in its document; close it"},
        {"found unknown escape character",
         "an unknown escape; write \\\\ for a backslash, or use single quotes"},
        {"block sequence entries are not allowed in this context",
         "a '-' is not allowed here; put the list on lines of its own, or check the indentation"},
        {"mapping keys are not allowed in this context",
         "a key is not allowed here; check the indentation"},
        {"did not find expected node content", "a value is missing; write one"},
        {"found a tab character that violates indentation",
         "a tab starts the line; indent with spaces"},
        {"found a tab character where an indentation space is expected",
         "a tab starts the line; indent with spaces"},
        {"did not find expected <document start>",
         "text after the end of a document; begin the next one with a line of ---"},
        {"found undefined tag handle", "an unknown tag; remove what starts with '!'"},
        {"found incompatible YAML document", "an unknown version of YAML; remove the %YAML line"},
};

static bool is_tab_at(const yaml_mark_t *mark, const char *text, size_t size) {
        const char *line = text, *end = text + size;

        for (size_t i = 0; i < mark->line && line; i++) {
                line = memchr(line, '\n', (size_t) (end - line));
                line = line ? line + 1 : NULL;
        }
        if (!line)
                return false;
        while (line < end && *line == ' ')
                line++;
        return line < end && *line == '\t';
}

bool yaml_is_unclosed(const yaml_parser_t *parser) {
        return parser->problem && (strcmp(parser->problem, UNCLOSED_AT_END) == 0 ||
                                   strcmp(parser->problem, UNCLOSED_IN_DOCUMENT) == 0);
}

const char *yaml_advice(const yaml_parser_t *parser, const char *text, size_t size) {
        const char *problem = parser->problem ? parser->problem : "";

        if (is_tab_at(&parser->problem_mark, text, size))
                return "a tab starts the line; indent with spaces";
        for (size_t i = 0; i < MR_ELEMENTS(advices); i++)
                if (strcmp(problem, advices[i].problem) == 0)
                        return advices[i].advice;
        return "this is not valid YAML; check the indentation, quotes and brackets";
}
