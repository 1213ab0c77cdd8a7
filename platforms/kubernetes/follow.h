#pragma once

/* Resources that the API server keeps for us: custom resources, and data that somebody refers to.
 * All there is of the kinds is watched; of data, each object by its name. */

#include "client.h"
#include "kinds.h"
#include "platform.h"
#include "watch.h"

/* Keeps a resource there until what belongs to no namespace was removed. */
#define HOLD "millrace.io/cluster-scoped"

typedef struct Follow Follow;
typedef struct Followed Followed;

/* A custom resource, as far as it matters here. */
typedef struct Kept {
        Followed *of;
        char *ns, *name, *uid, *version;
        uint64_t number; /* of the version */
        bool is_seen;    /* in the list that is being read */
        bool is_told;
        bool is_going;
        MrTree *finalizers; /* list; NULL: none */
        char *owner;        /* name of the resource it is a part of; NULL: none */
        MrTree *held;       /* the document, while it is not told for want of its owner */
        char status[65];    /* digest of what it has */
        /* What it is to have; see status.c. */
        MrTree *wanted; /* NULL: nothing */
        char wanted_digest[65], sent[65], became[65];
        bool is_released;
        Request *request;
        unsigned failures;
        uint64_t not_before_usec;
} Kept;

/* One kind of them. */
struct Followed {
        Follow *follow;
        const MrKind *kind;
        ApiKind api; /* in the version that is asked for */
        char *group;
        size_t version;   /* which one */
        size_t n_missing; /* how many in a row the server does not have */
        Watch **watches;  /* one for each namespace, or one */
        size_t n_watches;
        bool is_sure; /* that the server has none of the versions before it */
        bool is_listed;
        char *error; /* told last */
        sd_event_source *again;
        Kept **items; /* sorted by namespace and name */
        size_t n, allocated;
};

typedef struct Pursuit Pursuit;

struct Follow {
        sd_event *event;
        Client *client;
        const MrFollowing *told;
        void (*changed)(void *userdata); /* what is known */
        void *userdata;
        MrTree *namespaces; /* list; NULL: all */
        MrTree *selector;   /* map of labels; NULL: all */
        Followed *kinds;
        size_t n_kinds;
        sd_event_source *writes; /* when the next status is due */
        Pursuit **pursuits;      /* see pursue.c */
        size_t n_pursuits, allocated_pursuits;
        sd_event_source *sweep;
};

/* `args` are those of the platform. */
int follow_new(sd_event *event, Client *client, const MrPlatformArgs *args,
               void (*changed)(void *userdata), void *userdata, Follow **ret,
               MrError *err) _must_check_;
Follow *follow_free(Follow *follow);
/* Whether each kind was told, or cannot be. */
bool follow_is_known(const Follow *follow);
Kept *follow_find(const Follow *follow, const char *kind, const char *ns, const char *name);
/* What the server answers to a write of it. */
void follow_take(Kept *kept, const MrTree *answer);
/* Tells that something of this kind cannot be done, once; err NULL: it can. */
void followed_tell(Followed *kind, int r, const MrError *err);

/* kept.c */
extern const WatchSink kept_sink; /* for a Followed */
void kept_free(Kept *kept);
/* That it is not our business any more. */
void kept_tell_left(Kept *kept);
/* Whether it can be said which of a kind are our business. */
bool followed_is_judged(const Followed *kind);

/* status.c */
int writes_new(Follow *follow, MrError *err) _must_check_;
void kept_want_status(Kept *kept, const MrTree *status);
void kept_release(Kept *kept);
/* Something of it has changed there. */
void kept_check(Kept *kept);
bool kept_is_held(const Kept *kept);
/* One request, which the caller takes the answer of. */
Request *kept_hold(const Kept *kept, ClientDone done, void *userdata);

/* pursue.c */
int pursue_new(Follow *follow, MrError *err) _must_check_;
void pursue_done(Follow *follow);
int pursue(Follow *follow, const char *sake, const MrStrings *names, MrError *err);
