#pragma once

/* Values of secrets, and what stands for them in what leaves the host. Pure. */

#include <stdbool.h>

#include "tree.h"

typedef struct Masks Masks;

Masks *masks_new(void);
Masks *masks_free(Masks *masks); /* wipes */
DEFINE_CLEANUP(Masks *, masks_free);
/* `path` names the value ("my-user/user.key"). Certificates are public and get no mask, of a
 * private key its lines between the marks do. `is_made` tells that it was made here: then it may be
 * composed of others, and only these are masked in it. Shorter values come first. */
void masks_add(Masks *masks, const char *path, const char *value, bool is_made);
/* A value that has a name, in a tree or, behind `lead`, in a text ("NAME="). It is masked there
 * however short it is. */
void masks_add_named(Masks *masks, const char *path, const char *name, const char *lead,
                     const char *value);
/* The tree with masks wherever a value or its base64 stands in a text. */
MrTree *masks_copy(const Masks *masks, const MrTree *tree);
/* Equal texts are exchanged: what was made of values becomes what was made of their masks. */
void masks_exchange(Masks *masks, const char *from, const char *to);
