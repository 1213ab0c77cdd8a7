/* Strings, quantities and digests. */

#include "str.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <regex.h>
#include <string.h>

#include "alloc.h"

bool mr_streq(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

bool mr_starts_with(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool mr_ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool mr_is_empty(const char *s) {
        return !s || !*s;
}

int mr_parse_int(const char *s, int64_t *ret) {
        char *end;

        if (mr_is_empty(s) || isspace((unsigned char) *s))
                return -EINVAL;
        errno = 0;
        long long value = strtoll(s, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno)
                return -ERANGE;
        *ret = value;
        return 0;
}

/* Kubernetes quantities (resource.Quantity): a decimal number and one suffix. */
static const struct {
        const char *suffix;
        double factor;
} suffixes[] = {
        {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50},
        {"Ei", 0x1p60}, {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},     {"G", 1e9},
        {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"", 1},
};

static int parse_quantity(const char *s, double scale, uint64_t *ret) {
        char *end;

        if (mr_is_empty(s) || !(isdigit((unsigned char) *s) || *s == '.' || *s == '+'))
                return -EINVAL;
        if (strchr(s, 'x') || strchr(s, 'X'))
                return -EINVAL;
        double value = strtod(s, &end);
        for (size_t i = 0; i < MR_ELEMENTS(suffixes); i++) {
                if (strcmp(end, suffixes[i].suffix) != 0)
                        continue;
                value = ceil(value * suffixes[i].factor * scale - 1e-6);
                if (!(value >= 0) || value > 0x1p63)
                        return -ERANGE;
                *ret = (uint64_t) value;
                return 0;
        }
        return -EINVAL;
}

int mr_parse_bytes(const char *s, uint64_t *ret) {
        return parse_quantity(s, 1, ret);
}

int mr_parse_milli(const char *s, uint64_t *ret) {
        return parse_quantity(s, 1000, ret);
}

bool mr_matches(const char *s, const char *pattern) {
        regex_t regex;
        regmatch_t match;

        if (regcomp(&regex, pattern, REG_EXTENDED) != 0)
                abort();
        int r = regexec(&regex, s, 1, &match, 0);
        regfree(&regex);
        return r == 0 && match.rm_so == 0 && s[match.rm_eo] == '\0';
}

bool mr_is_object_name(const char *s) {
        if (mr_is_empty(s) || strlen(s) > 253)
                return false;
        char before = '.';
        for (; *s; before = *s++) {
                bool is_alnum = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');
                if (is_alnum)
                        continue;
                /* A label starts and ends with a letter or digit. */
                if ((*s != '-' && *s != '.') || before == '.' || (*s == '.' && before == '-'))
                        return false;
        }
        return before != '.' && before != '-';
}

void mr_digest(const void *data, size_t size, char ret[MR_DIGEST_MAX]) {
        static const char digits[] = "0123456789abcdef";
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (EVP_Digest(data, size, digest, &n, EVP_sha256(), NULL) != 1 || n != 32)
                abort();
        for (unsigned i = 0; i < n; i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[64] = '\0';
}

void mr_base64(const void *data, size_t size, MrBuf *out) {
        _cleanup_free_ unsigned char *text = mr_malloc(4 * ((size + 2) / 3) + 1);
        int n = EVP_EncodeBlock(text, data, (int) size);

        mr_buf_append(out, text, (size_t) n);
}

int mr_unbase64(const char *s, size_t size, MrBuf *out) {
        if (size % 4 != 0 || size > 64U * 1024 * 1024)
                return -EINVAL;
        size_t padding = 0;
        while (padding < 2 && padding < size && s[size - 1 - padding] == '=')
                padding++;
        for (size_t i = 0; i < size - padding; i++)
                if (!isalnum((unsigned char) s[i]) && s[i] != '+' && s[i] != '/')
                        return -EINVAL;
        _cleanup_free_ unsigned char *data = mr_malloc(size / 4 * 3 + 1);
        int n = EVP_DecodeBlock(data, (const unsigned char *) s, (int) size);
        if (n < 0)
                return -EINVAL;
        mr_buf_append(out, data, (size_t) n - padding);
        return 0;
}

void mr_derived_id(const char *text, char ret[MR_KAFKA_ID_MAX]) {
        unsigned char digest[EVP_MAX_MD_SIZE], encoded[32];

        if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
                abort();
        /* Version and variant bits of RFC 4122, because Kafka reads ids as UUIDs. */
        digest[6] = (digest[6] & 0x0f) | 0x40;
        digest[8] = (digest[8] & 0x3f) | 0x80;
        EVP_EncodeBlock(encoded, digest, 16);
        for (size_t i = 0; i < MR_KAFKA_ID_MAX - 1; i++)
                ret[i] = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : (char) encoded[i];
        /* Command-line tools would take a leading dash for an option. */
        if (ret[0] == '-')
                ret[0] = 'A';
        ret[MR_KAFKA_ID_MAX - 1] = '\0';
}
