#pragma once

/* The platform at work: what the daemon opens. */

#include "cache.h"
#include "client.h"
#include "follow.h"
#include "lease.h"
#include "lower.h"
#include "watch.h"

typedef struct Batch Batch;
typedef struct Answer Answer;

struct MrPlatform {
        const Flavor *flavor;
        sd_event *event;
        MrChanged changed;
        MrKept kept;
        MrEnded ended;
        void *userdata;
        KubeConfig config;
        MrTree *host; /* what settings say of the cluster */
        Client *client;
        LeaseSettings lease_settings;
        Lease *lease; /* NULL: there is only one of us */
        bool is_over; /* nothing may be done any more */
        Cache cache;
        Watch **watches;
        size_t n_watches;
        Follow *follow; /* resources the API server keeps; NULL: none */
        /* The observation under way. */
        MrObserved observed;
        void *observed_userdata;
        sd_event_source *look;     /* when something may be there to be told */
        sd_event_source *deadline; /* when it has taken too long */
        Batch *batch;              /* under way; NULL: none */
        Answer *answers;           /* under way */
};

/* observe.c: what the cache holds, as an observation. Pure. */
void observation_of_cache(const Cache *cache, const MrTree *host, MrObservation *ret);
/* The pod of a node, NULL when there is none. */
const Object *cache_pod(const Cache *cache, const char *ns, const char *node);
const Object *cache_set(const Cache *cache, const char *ns, const char *node);
/* answer.c */
void answers_done(MrPlatform *platform);
/* apply.c */
Batch *batch_free(Batch *batch);
/* Something was seen that it may wait for; NULL: there is no batch. */
void batch_look(Batch *batch);
