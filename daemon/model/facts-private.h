#pragma once

#include "facts.h"
#include "part.h"

/* Everything looked up often is sorted: thousands of lookups walk no list. */
struct MrFacts {
        MrArena *arena;
        int64_t now, day_sec;
        const char *platform;
        const MrResource **resources; /* sorted by kind and name */
        size_t n_resources, allocated_resources;
        MrPairs secrets;     /* "name/key" → value */
        MrPairs annotations; /* the same */
        MrPairs remembered;
        MrPairs *asked; /* see facts_asked() */
        MrNodeFact *nodes;
        size_t n_nodes, allocated_nodes;
        struct {
                const char *probe;
                const MrTree *view;
        } views[8];
        size_t n_views;
        const char *ns;
        const MrTree *claims;
        const MrTree *host;
        struct CertificateMemo *memo;
};
