#pragma once

/* Small questions about strings, string lists and digests that the field tables, operands and
 * platforms share. */

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

bool mr_streq(const char *a, const char *b); /* NULL equals only NULL */
bool mr_starts_with(const char *s, const char *prefix);
bool mr_ends_with(const char *s, const char *suffix);
bool mr_is_empty(const char *s); /* NULL or "" */
/* Whole-string decimal integer, optional sign. Returns -EINVAL or -ERANGE otherwise. */
int mr_parse_int(const char *s, int64_t *ret) _must_check_;
/* Kubernetes quantity of bytes: "100Gi", "512M", "1.5Gi", "1024" → bytes. Rounds up. */
int mr_parse_bytes(const char *s, uint64_t *ret) _must_check_;
/* Kubernetes quantity of CPU: "500m", "2", "0.5" → thousandths of a core. Rounds up. */
int mr_parse_milli(const char *s, uint64_t *ret) _must_check_;
/* Matches a POSIX extended regular expression against the whole string. The pattern is ours, so a
 * bad one aborts. */
bool mr_matches(const char *s, const char *pattern);
/* An RFC 1123 label list as Kubernetes names objects: lower case, digits, '-', '.', at most 253
 * bytes. */
bool mr_is_object_name(const char *s);

/* SHA-256 as 64 lower-case hex digits and a NUL. */
#define MR_DIGEST_MAX 65
void mr_digest(const void *data, size_t size, char ret[MR_DIGEST_MAX]);
/* base64 with '+', '/' and padding into out; and back (fails with -EINVAL on anything else). */
void mr_base64(const void *data, size_t size, MrBuf *out);
int mr_unbase64(const char *s, size_t size, MrBuf *out) _must_check_;
/* A UUID-like identity derived from text, as Kafka writes ids: 22 characters of base64url, never
 * starting with '-'. */
#define MR_KAFKA_ID_MAX 23
void mr_derived_id(const char *text, char ret[MR_KAFKA_ID_MAX]);
