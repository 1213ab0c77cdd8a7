#pragma once

/* A plan is data: the ordered steps that make what was found into what is wanted, each with a
 * reason a person can read, and, where it may not be carried out yet, what it waits for. Making a
 * plan is pure. */

#include "manifest.h"
#include "operand.h"
#include "platform.h"

/* What a step means for a node that runs. */
typedef enum Outcome {
        OUTCOME_NONE,   /* nothing: it does not run, or the change concerns only its next start */
        OUTCOME_RELOAD, /* the process reads the file again by itself */
        OUTCOME_ALTER,  /* the running system is told */
        OUTCOME_LIMIT,  /* the limits of the running process change in place */
        OUTCOME_ROLL,   /* it restarts, in its turn */
} Outcome;

/* "reload", "alter", "live limit", "roll"; NULL for OUTCOME_NONE. */
const char *outcome_name(Outcome outcome);

typedef struct Step {
        MrVerb verb;
        const MrManifest
                *manifest; /* borrowed from wanted or found; NULL for start, stop, restart */
        const char *ns;
        const char *node;    /* NULL for what the whole resource shares */
        const char *role;    /* class of the node, for start, stop and restart */
        const char *subject; /* "file my-cluster-kafka-0/server.properties", "my-cluster-kafka-0" */
        const char *reason;
        const char *waits; /* NULL: may be carried out now */
        bool is_repair;    /* puts right what drifted, as opposed to following a changed spec */
        Outcome outcome;
        bool begins_anew; /* its data was given up, and is not there any more */
        bool is_gated;    /* decided by what was seen of the running system, so not carried out on
                             an old view */
} Step;

typedef struct Plan Plan;

Plan *plan_new(void);
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);
MrArena *plan_arena(Plan *plan);
Step *plan_add(Plan *plan, Step step);
/* Every step waits for this. */
void plan_hold(Plan *plan, const char *reason);
size_t plan_size(const Plan *plan);
const Step *plan_at(const Plan *plan, size_t i);
/* How many steps wait for nothing. */
size_t plan_ready(const Plan *plan);
/* The plan must be made again after this many seconds even when nothing happens; 0: no need. */
void plan_set_recheck(Plan *plan, int64_t seconds);
int64_t plan_recheck(const Plan *plan);

/* Everything order() looks at. All members are borrowed. */
typedef struct PlanInput {
        const MrManifests *wanted;
        const MrManifests *found;
        const MrFacts *facts;
        const MrHealth *health;
        const char *owner;       /* "default/my-cluster" */
        const MrPairs *holds;    /* node → reason; may be NULL */
        const MrPairs *restarts; /* node → reason of a restart somebody asked for; may be NULL */
        const MrPairs *discards; /* node → reason why its data is given up; may be NULL */
        const char *paused;      /* why nothing may be done now; NULL: it may */
        int64_t grace_sec; /* how long a node stopped by hand stays down before it is started again
                            */
        bool is_deleted;
} PlanInput;

int plan_make(const PlanInput *input, Plan **ret, MrError *err) _must_check_;

/* "create", "update" … with what is done to what, why, and what it waits for: one line a step. */
void plan_print_text(const Plan *plan, MrBuf *out);
MrTree *plan_to_tree(const Plan *plan);
/* Each manifest with its body and payload, secrets masked. The objects of an API are complete
 * documents, without a payload; what else is known of them stands in comments. */
void manifests_print(const MrManifests *manifests, MrBuf *out);
