#pragma once

/* One kind of objects, of one namespace or of all, kept up to date: first a list, page by page,
 * then a watch from where the list ended, again and again. */

#include "cache.h"
#include "client.h"

/* What becomes of what it finds. What returns a bool says whether `changed` is to be called. */
typedef struct WatchSink {
        void (*begins)(void *userdata, const char *ns); /* a list */
        bool (*put)(void *userdata, MrTree *object);
        bool (*remove)(void *userdata, const MrTree *object);
        bool (*ends)(void *userdata, const char *ns);
} WatchSink;

/* What a watch needs and whom it tells. */
typedef struct WatchArgs {
        sd_event *event;
        Client *client;
        Cache *cache;          /* or, with a sink, NULL */
        const WatchSink *sink; /* gets the same userdata */
        const ApiKind *kind;
        const char *selector;            /* of the query; NULL: of our own objects; copied */
        const char *ns;                  /* NULL: all; copied */
        void (*changed)(void *userdata); /* of the cache, or of whether it can be relied on */
        void *userdata;
} WatchArgs;

typedef struct Watch Watch;

int watch_new(const WatchArgs *args, Watch **ret, MrError *err) _must_check_;
Watch *watch_free(Watch *watch);
/* Whether the cache holds what there is: 1; 0: not yet; negative: why it cannot be told, -ENOENT
 * when the server has no such kind. */
int watch_state(const Watch *watch, MrError *err);
