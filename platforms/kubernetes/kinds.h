#pragma once

/* The kinds of objects that are watched and written. */

#include <stdbool.h>

#include "alloc.h"

typedef struct ApiKind {
        const char *kind;     /* "StatefulSet" */
        const char *manifest; /* what manifests of it are called */
        const char *group;    /* path of its API: "/apis/apps/v1" */
        const char *plural;
        int rank;
        bool is_optional; /* not every cluster has it */
        bool is_global;   /* of no namespace; ours belongs to that of the account it speaks of */
        bool is_shown;    /* in manifests; the others are only looked at */
} ApiKind;

extern const ApiKind api_kinds[];
size_t api_kinds_size(void);
const ApiKind *api_kind_of_manifest(const char *manifest); /* NULL: none */
const char *api_version(const ApiKind *kind);              /* "apps/v1" */
/* "/api/v1/namespaces/NS/pods/NAME"; `ns` and `name` may be NULL: of all. */
char *api_path(const ApiKind *kind, const char *ns, const char *name);
