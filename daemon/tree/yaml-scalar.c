/* Plain YAML scalars, typed as kubectl types them: its YAML library follows YAML 1.1 for
 * booleans, takes underscores out of numbers and lets a leading zero mean octal. Sexagesimal
 * numbers and dates stay strings. */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "tree-node.h"

typedef enum Word {
        WORD_NONE,
        WORD_TRUE,
        WORD_FALSE,
        WORD_YES,
        WORD_NO,
        WORD_NULL,
        WORD_NO_NUMBER
} Word;

static const struct {
        Word word;
        const char *spellings[7];
} words[] = {
        {WORD_TRUE, {"true", "True", "TRUE"}},
        {WORD_FALSE, {"false", "False", "FALSE"}},
        {WORD_YES, {"yes", "Yes", "YES", "y", "Y"}},
        {WORD_YES, {"on", "On", "ON"}},
        {WORD_NO, {"no", "No", "NO", "n", "N"}},
        {WORD_NO, {"off", "Off", "OFF"}},
        {WORD_NULL, {"", "~", "null", "Null", "NULL"}},
        {WORD_NO_NUMBER, {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"}},
        {WORD_NO_NUMBER, {"+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"}},
};

static Word word_find(const char *text, size_t n) {
        if (n > 5)
                return WORD_NONE;
        for (size_t i = 0; i < MR_ELEMENTS(words); i++)
                for (const char *const *word = words[i].spellings; *word; word++)
                        if (strlen(*word) == n && memcmp(*word, text, n) == 0)
                                return words[i].word;
        return WORD_NONE;
}

/* An integer in the notations of the Go language: decimal, 0x, 0b, 0o and a leading 0 for octal.
 * Returns false when the text is none; *ret_wide is set when it fits only an unsigned number. */
static bool parse_integer(const char *text, int64_t *ret, uint64_t *ret_wide) {
        bool negative = *text == '-';
        int base = 10;

        if (*text == '-' || *text == '+')
                text++;
        if (text[0] == '0' && text[1]) {
                int kind = tolower((unsigned char) text[1]);
                base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
                text += kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1;
        }
        /* strtoull() would take a second sign, spaces and a second prefix. */
        int second = *text ? tolower((unsigned char) text[1]) : 0;
        if (!isalnum((unsigned char) *text) || (base == 16 && second == 'x') ||
            (base == 2 && second == 'b'))
                return false;
        char *end;
        errno = 0;
        uint64_t value = strtoull(text, &end, base);
        if (*end || errno != 0)
                return false;
        *ret_wide = 0;
        if (negative) {
                if (value > (uint64_t) INT64_MAX + 1)
                        return false;
                *ret = (int64_t) (0 - value);
        } else if (value > INT64_MAX)
                *ret_wide = value;
        else
                *ret = (int64_t) value;
        return true;
}

static const char *skip_digits(const char *c) {
        while (isdigit((unsigned char) *c))
                c++;
        return c;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_real_notation(const char *text) {
        const char *c = *text == '-' || *text == '+' ? text + 1 : text;
        const char *start = c;

        if (*c == '.') {
                if (!isdigit((unsigned char) c[1]))
                        return false;
                c = skip_digits(c + 1);
        } else {
                c = skip_digits(c);
                if (c == start)
                        return false;
                if (*c == '.')
                        c = skip_digits(c + 1);
        }
        if (*c == 'e' || *c == 'E') {
                c++;
                if (*c == '-' || *c == '+')
                        c++;
                if (!isdigit((unsigned char) *c))
                        return false;
                c = skip_digits(c);
        }
        return !*c;
}

static MrTree *parse_number(const char *text) {
        int64_t value;
        uint64_t wide;

        if (text[0] != '.' && parse_integer(text, &value, &wide))
                return wide ? mr_tree_new_real((double) wide) : mr_tree_new_int(value);
        if (!is_real_notation(text))
                return NULL;
        double real = strtod(text, NULL);
        return isfinite(real) ? mr_tree_new_real(real) : NULL;
}

/* Underscores count only where a number starts with a sign or a digit. */
static MrTree *number_find(const char *text, size_t n) {
        if (n == 0 || (!isdigit((unsigned char) text[0]) && !strchr("+-.", text[0])))
                return NULL;
        _cleanup_free_ char *plain = mr_strndup(text, n);
        size_t used = 0;
        for (size_t i = 0; plain[i]; i++)
                if (plain[i] != '_' || text[0] == '.')
                        plain[used++] = plain[i];
        plain[used] = '\0';
        return parse_number(plain);
}

ScalarSurprise scalar_resolve(const char *text, size_t n, MrTree **ret) {
        Word word = word_find(text, n);

        switch (word) {
        case WORD_TRUE:
        case WORD_YES:
        case WORD_FALSE:
        case WORD_NO:
                *ret = mr_tree_new_bool(word == WORD_TRUE || word == WORD_YES);
                return word == WORD_YES || word == WORD_NO ? SCALAR_BECAME_BOOL : SCALAR_AS_WRITTEN;
        case WORD_NULL:
                *ret = mr_tree_new_null();
                return SCALAR_AS_WRITTEN;
        case WORD_NO_NUMBER:
                *ret = NULL;
                return SCALAR_AS_WRITTEN;
        case WORD_NONE:
                break;
        }
        *ret = number_find(text, n);
        if (!*ret)
                *ret = mr_tree_new_string_n(text, n);
        return SCALAR_AS_WRITTEN;
}

/* Also what only other YAML readers take for a date or a number to the base 60. */
static bool is_date_or_clock(const char *text) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0)
                return false;
        return text[digits] == ':' || (digits == 4 && text[digits] == '-');
}

bool scalar_is_ambiguous(const char *text) {
        size_t n = strlen(text);

        if (word_find(text, n) != WORD_NONE || is_date_or_clock(text) || strcmp(text, "=") == 0 ||
            strcmp(text, "<<") == 0)
                return true;
        _cleanup_(mr_tree_freep) MrTree *number = number_find(text, n);
        return number != NULL;
}
