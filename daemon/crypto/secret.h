#pragma once

/* The values of one secret in memory: key → text, sorted by key, wiped when freed. Every value
 * is text; what is binary by nature (a key ending in ".p12") is held as base64, exactly as it
 * stands in the data of a Kubernetes Secret. */

#include <stdbool.h>

#include "sdk/alloc.h"

typedef struct Secret Secret;

Secret *secret_new(const char *name);
Secret *secret_free(Secret *secret); /* wipes; takes NULL, returns NULL */
DEFINE_CLEANUP(Secret *, secret_free);
const char *secret_name(const Secret *secret);
void secret_set(Secret *secret, const char *key,
                const char *value); /* copies; a NULL value sets nothing */
void secret_take(Secret *secret, const char *key,
                 char *take_value); /* replaces; a NULL value sets nothing */
const char *secret_get(const Secret *secret, const char *key); /* borrowed; NULL when absent */
size_t secret_size(const Secret *secret);
const char *secret_key_at(const Secret *secret, size_t i);
const char *secret_value_at(const Secret *secret, size_t i);
bool secret_key_is_binary(const char *key);

/* What stands in the place of a value that must not leave the host: this, and where the value is.
 */
#define SECRET_MASK "(masked "
bool secret_text_is_masked(const char *text);

/* Text that must not stay in memory. */
char *secret_text_free(char *text); /* wipes; takes NULL, returns NULL */
DEFINE_CLEANUP(char *, secret_text_free);
/* a, b and c one after the other, without leaving copies behind; each may be NULL. */
char *secret_text_join(const char *a, const char *b, const char *c);
/* A password of `length` letters and digits, from the operating system's random source. NULL
 * when that fails. */
char *secret_password_new(size_t length);
