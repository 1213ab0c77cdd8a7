#pragma once

/* How verbs name resources: "KIND NAME…", "KIND/NAME…". */

#include "ctl/ctl.h"

typedef struct Name {
        const MrKind *kind;
        const char *name; /* borrowed */
} Name;

typedef struct Names {
        Name *items;
        size_t n;
} Names;

void names_done(Names *names);
#define _cleanup_names_ _cleanup_(names_done)
/* Reads all arguments from the i-th on. A kind without a name is an error. */
int names_read(Ctl *ctl, size_t first, Names *ret, MrError *err) _must_check_;
