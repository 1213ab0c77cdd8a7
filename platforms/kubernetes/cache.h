#pragma once

/* What was last seen of the objects we made: what we own of each, and what an observation needs
 * beyond that. */

#include "kinds.h"
#include "tree.h"

typedef struct Object {
        const ApiKind *kind;
        char *ns, *name, *uid;
        uint64_t version;
        bool is_going; /* deleted, and not gone yet */
        bool is_seen;  /* in the list that is being read */
        MrTree *body;  /* what we own of it */
        MrTree *state; /* map; see state.h */
        /* Where the server writes a value in another way than we do: what we sent last, and a
         * digest of what became of it. */
        MrTree *sent;
        char became[65];
} Object;

typedef struct Cache {
        Object **items; /* sorted by kind, namespace, name */
        size_t n, allocated;
        /* Told of each object that is new or another than before, whole, and with NULL of each that
         * is gone; may be NULL. */
        void (*seen)(void *userdata, const Object *object, const MrTree *whole);
        void *userdata;
} Cache;

void cache_done(Cache *cache);
Object *cache_find(const Cache *cache, const ApiKind *kind, const char *ns, const char *name);
/* True when something that matters is another than before. An object older than what is known
 * changes nothing. */
bool cache_put(Cache *cache, const ApiKind *kind, const MrTree *object);
bool cache_remove(Cache *cache, const ApiKind *kind, const MrTree *object);
bool cache_drop(Cache *cache, const ApiKind *kind, const char *ns, const char *name);
/* A list of these begins, and has ended: what was not in it is gone. `ns` NULL: all namespaces. */
void cache_list_begins(Cache *cache, const ApiKind *kind, const char *ns);
bool cache_list_ends(Cache *cache, const ApiKind *kind, const char *ns);
/* Remembers what was sent for it. */
void object_sent(Object *object, const MrTree *body);
/* What is compared with what is wanted. The caller frees it. */
MrTree *object_body(const Object *object);
