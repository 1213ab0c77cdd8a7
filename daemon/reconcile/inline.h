#pragma once

/* Passwords that somebody wrote straight into a resource instead of into a Secret. They are told by
 * what they are called, so this is for what is shown of a resource, not for what is done with it.
 * Pure. */

#include <stdbool.h>

#include "tree.h"

/* Whether a value of this name, or at this path, is a password or the like:
 * "ssl.keystore.password", "API_TOKEN". */
bool inline_is_secret(const char *name);
/* Whether the value at a path of some configuration must not be shown: for it, or something in it,
 * is a password, or the mask of one. */
bool inline_hides(const char *path, const MrTree *value);

/* `lead` is what stands before the value wherever it is part of a text: "ssl.key.password=". */
typedef void (*InlineFound)(const char *name, const char *lead, const char *value, void *userdata);
/* All of them in a document that is no Secret: by the key of a map, by the name beside a value, and
 * within texts. */
void inline_find(const MrTree *document, InlineFound found, void *userdata);
