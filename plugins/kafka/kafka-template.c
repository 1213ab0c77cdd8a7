/* Templates: placeholders are replaced first; a port is then a sum of products of whole numbers. */

#include "kafka-template.h"

#include <inttypes.h>
#include <string.h>

#include "str.h"

#define DEPTH_MAX 16
#define NUMBER_MAX 1000000000

static bool is_at(const char *text, const char *placeholder) {
        return strncmp(text, placeholder, strlen(placeholder)) == 0;
}

static void replace(const char *text, int64_t id, const char *node, MrBuf *out) {
        while (*text) {
                if (is_at(text, "{nodeId}")) {
                        mr_buf_printf(out, "%" PRId64, id);
                        text += strlen("{nodeId}");
                } else if (node && is_at(text, "{nodePodName}")) {
                        mr_buf_puts(out, node);
                        text += strlen("{nodePodName}");
                } else
                        mr_buf_putc(out, *text++);
        }
}

const char *template_host(MrArena *arena, const char *text, int64_t id, const char *node) {
        _cleanup_buf_ MrBuf out = {};

        replace(text, id, node, &out);
        return mr_arena_strdup(arena, mr_buf_text(&out));
}

int template_host_check(const char *text, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        replace(text, 0, "n", &out);
        if (!strpbrk(mr_buf_text(&out), "{}"))
                return 0;
        return mr_fail(err, MR_INVALID, NULL,
                       "\"%s\" holds an unknown placeholder; use {nodeId} or {nodePodName}", text);
}

typedef struct Reader {
        const char *at;
        unsigned depth;
        bool is_wrong;
} Reader;

static int64_t read_sum(Reader *reader);

static char peek(Reader *reader) {
        reader->at += strspn(reader->at, " ");
        return *reader->at;
}

static int64_t bounded(Reader *reader, int64_t value) {
        if (value <= NUMBER_MAX && value >= -NUMBER_MAX)
                return value;
        reader->is_wrong = true;
        return 0;
}

static int64_t read_number(Reader *reader) {
        int64_t value = 0;
        size_t n = strspn(reader->at, "0123456789");

        reader->is_wrong = reader->is_wrong || n == 0;
        for (size_t i = 0; i < n; i++)
                value = bounded(reader, value * 10 + (reader->at[i] - '0'));
        reader->at += n;
        return value;
}

static int64_t read_factor(Reader *reader) {
        char c = peek(reader);
        int64_t value;

        if (reader->depth >= DEPTH_MAX) {
                reader->is_wrong = true;
                return 0;
        }
        if (c != '(' && c != '-')
                return read_number(reader);
        reader->at++;
        reader->depth++;
        value = c == '-' ? -read_factor(reader) : read_sum(reader);
        reader->depth--;
        if (c == '-')
                return value;
        if (peek(reader) == ')')
                reader->at++;
        else
                reader->is_wrong = true;
        return value;
}

static int64_t read_product(Reader *reader) {
        int64_t value = read_factor(reader);

        while (!reader->is_wrong && peek(reader) == '*') {
                reader->at++;
                value = bounded(reader, value * read_factor(reader));
        }
        return value;
}

static int64_t read_sum(Reader *reader) {
        int64_t value = read_product(reader);

        while (!reader->is_wrong && (peek(reader) == '+' || peek(reader) == '-')) {
                bool is_minus = *reader->at++ == '-';
                int64_t next = read_product(reader);
                value = bounded(reader, is_minus ? value - next : value + next);
        }
        return value;
}

int template_port(const char *text, int64_t id, int64_t *ret, MrError *err) {
        _cleanup_buf_ MrBuf out = {};

        replace(text, id, NULL, &out);
        Reader reader = {.at = mr_buf_text(&out)};
        int64_t port = read_sum(&reader);
        if (reader.is_wrong || peek(&reader) != '\0')
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" is no sum or product; use whole numbers, {nodeId}, +, -, * "
                               "and parentheses",
                               text);
        if (port < 1 || port > 65535)
                return mr_fail(err, MR_INVALID, NULL,
                               "\"%s\" makes port %" PRId64 " for broker %" PRId64
                               "; choose numbers that stay between 1 and 65535",
                               text, port, id);
        *ret = port;
        return 0;
}
