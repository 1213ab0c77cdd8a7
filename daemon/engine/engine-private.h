#pragma once

/* What the files of this folder share. */

#include "crypto/certificate-memo.h"
#include "crypto/issue.h"
#include "crypto/secret.h"
#include "engine.h"
#include "events.h"
#include "reconcile/desire.h"
#include "views.h"

#define ENGINE_PAUSED "its reconciliation is paused; 'millctl resume' ends that"

/* One resource under care. */
typedef struct Tracked {
        char *key;          /* "Kafka/default/my-cluster" */
        Document *document; /* NULL while what is stored cannot be decoded */
        Views *views;
        CertificateMemo *certificates;
        /* What the last pass saw and planned, for describe and metrics. */
        MrTree *snapshot;
        MrTree *steps;
        char *error; /* why the last try failed; NULL: it did not */
        MrErrorKind error_kind;
        unsigned failures;
        uint64_t retry_usec;   /* monotonic; not tried before */
        uint64_t changed_usec; /* when what was seen of its nodes last changed */
        uint64_t acted_usec;   /* when the last batch ended: views from before do not count for a
                                  restart */
        MrTree *stuck;         /* nodes whose storage could not be made with the last batches */
        char *reloaded;        /* the files a system was told to read again with the last batch */
        MrTree *followed;      /* map "Secret/NS/NAME" → null: data the platform keeps for it */
        bool had_turn;         /* in this round */
        bool is_settled;       /* the last plan was empty */
        bool is_in_force;      /* a plan for the present spec was empty once: what differs now has
                                  drifted */
} Tracked;

typedef enum EngineState {
        ENGINE_IDLE,
        ENGINE_OBSERVING,
        ENGINE_WORKING, /* on tracked[current]; an operation is under way */
} EngineState;

/* Steps being carried out. It owns what the steps point into, so that a resource may change or go
 * meanwhile. */
typedef struct Batch {
        Engine *engine;
        char *key; /* of the tracked resource */
        char *ns;
        Desire *desire;
        Plan *plan;
        const Step **steps;
        size_t n, at;
        MrAction *actions;
        MrSetting *settings;
        bool is_issue;
        int64_t now_sec, day_sec;
        Issue *issue; /* in the worker's hands while batch_issue_next() waits */
} Batch;

struct Engine {
        EngineArgs args;
        MrPlatform *platform;
        Events *events;
        StoreSubscription *subscription;
        sd_event_source *kick; /* defer source */
        sd_event_source *timer;
        Tracked **tracked; /* sorted by key */
        size_t n_tracked, allocated_tracked;
        EngineState state;
        bool is_dirty;      /* something changed since the round began */
        bool is_outdated;   /* what was seen last may not hold any more */
        bool is_remembered; /* the round goes by what an earlier one saw */
        size_t current;
        bool is_second_lap;        /* of the round: first what is not in force yet, then the rest */
        MrObservation observation; /* the last complete one */
        bool has_observation;
        bool takes_over; /* what the platform keeps; until the first observation */
        char *waits_for; /* whom the first observation waits for; NULL: nobody */
        MrTree *heard;   /* map: what of its asks was understood already */
        char *platform_error;
        char *told;         /* the last line of state */
        char *status_error; /* why the last status could not be written; NULL: it could */
        unsigned platform_failures;
        bool first_round_done;
        uint64_t next_usec; /* earliest wish for another round; 0 none */
        /* The batch under way. */
        Batch *batch;
        uint64_t n_rounds, n_steps, n_failures;
};

/* engine-track.c */
int engine_track_all(Engine *engine, MrError *err);
void engine_store_changed(void *userdata, const StoreEvent *event);
Tracked *engine_find(const Engine *engine, const char *kind, const char *ns, const char *name);
/* A value of the Secret a user wrote, else of the one that was made here: 1 and appended to `out`,
 * or 0. */
int engine_secret(Engine *engine, const char *ns, const char *name, const char *key, MrBuf *out);
/* A member whose owner is being deleted, too, lasts as long as its owner: only with it is known
 * what the owner consists of. */
bool engine_lasts_with_owner(const Engine *engine, const MrResource *member);
Tracked *tracked_free(Tracked *tracked);
/* engine-facts.c */
MrFacts *engine_facts(Engine *engine, const Tracked *tracked, MrError *err);
/* The map node → reason of holds, and of what was asked for ("restart", "discard"), of one
 * namespace, in `arena`. */
int engine_holds(Engine *engine, const char *ns, MrArena *arena, MrPairs *ret, MrError *err);
int engine_asked(Engine *engine, const char *what, const char *ns, MrArena *arena, MrPairs *ret,
                 MrError *err);
/* Asks for one of these on behalf of a node; `reason` may be NULL. */
int engine_ask(Engine *engine, const char *what, const char *ns, const char *node,
               const char *reason, MrError *err);
/* engine-follow.c: has the platform follow the data that was asked for and is none of ours. 1: it
 * is all there, as far as it exists; 0: not yet. `desire` NULL: it could not be made. */
int engine_follow(Engine *engine, Tracked *tracked, const MrFacts *facts, const Desire *desire,
                  MrError *err);
void engine_unfollow(Engine *engine, Tracked *tracked);
/* engine-asks.c: remembers what annotations of the platform's objects ask for. */
void engine_hear(Engine *engine);
/* engine-renew.c: forgets who was to begin anew, where no storage is without its data any more. */
int engine_end_renewals(Engine *engine, const char *ns, MrError *err);
/* engine-annotations.c: asks for the restarts that annotations of the resource and its members ask
 * for. */
int engine_follow_annotations(Engine *engine, const Tracked *tracked, MrError *err);
/* engine-status.c: writes conditions and the operands' fields, if they changed. */
void engine_report(Engine *engine, Tracked *tracked, const Desire *desire, const Plan *plan,
                   const MrFacts *facts);
void engine_report_error(Engine *engine, Tracked *tracked, int r, const MrError *err);
/* engine-act.c: begins to carry out what the plan allows now. Returns 1 when a batch is under way
 * (engine_acted() will be called), 0 when there is nothing to do. Takes over desire and plan when
 * it returns 1. */
int engine_act(Engine *engine, Tracked *tracked, Desire **desire, Plan **plan, const MrFacts *facts,
               MrError *err);
/* engine.c: a batch has ended. `again`: the same resource is planned again at once, because nothing
 * but the store has changed; otherwise the platform is observed first. */
void engine_acted(Engine *engine, const char *key, bool again, int r, const MrError *err);
Batch *batch_free(Batch *batch);
/* engine-issue.c: secrets of a batch, one after the other. */
int batch_issue_next(Batch *batch, MrError *err);
/* Puts one secret into the store; `labels` and `notes` may be NULL. */
int engine_put_secret(Engine *engine, const char *ns, const Secret *secret, const MrPairs *labels,
                      const MrPairs *notes, MrError *err);
/* engine-look.c: looks at the running system, or wishes for a round in which to do so. */
void engine_look(Engine *engine, Tracked *tracked, const Desire *desire, const Plan *plan,
                 const MrFacts *facts);
bool engine_all_ready(const Desire *desire);
/* engine-platform.c: see MrChanged and MrEnded. */
void engine_platform_changed(void *userdata, const char *node);
void engine_platform_ended(void *userdata, const MrError *err);
/* engine-keep.c: what the platform keeps of an earlier life; see MrKept. */
void engine_take_kept(void *userdata, const char *ns, const char *name, const MrTree *secret);
/* engine-event.c: tells the journal and the events what was done. */
void engine_tell_step(Engine *engine, const Tracked *tracked, const Step *step);
void engine_tell_revival(Engine *engine, const Tracked *tracked, const MrTree *node,
                         const char *last);
void engine_tell_error(Engine *engine, const Tracked *tracked, const char *what,
                       const MrError *err);
/* Begins a round as soon as possible, of which what was seen last may be good enough: nothing has
 * happened to the platform. engine_kick() looks in any case. */
void engine_plan_again(Engine *engine);
/* Wishes for a round `usec` from now at the latest. */
void engine_wish(Engine *engine, uint64_t usec);
