#pragma once

/* What a platform plugin offers: it knows where. lower() is pure; open, observe, apply and watch do
 * I/O and never block: long work ends by a callback on the event loop. A platform never names
 * Kafka. */

#include <systemd/sd-event.h>

#include "facts.h"
#include "manifest.h"

typedef struct MrPlatform MrPlatform; /* defined by each platform */

/* What a platform saw. */
typedef struct MrObservation {
        MrManifests *found; /* owned by the receiver of the callback */
        /* map "NS/NODE" → {state, since, message, fingerprint, settings, address, where, restarts,
         * pid, owner, role, version, applied} */
        MrTree *nodes;
        MrTree *claims; /* map "NS/CLAIM" → what mr_facts_claim() tells */
        MrTree *host;   /* map; see mr_facts_host() */
        MrTree *asks;   /* what people ask for by annotating objects: list of maps {kind, ns, name,
                           uid, node, annotations}; NULL: nothing */
} MrObservation;

/* The annotations that ask for something, NULL at the end. */
extern const char *const mr_asks[];

void mr_observation_done(MrObservation *observation);

typedef enum MrVerb {
        MR_VERB_CREATE,
        MR_VERB_UPDATE,
        MR_VERB_REMOVE,
        MR_VERB_START,
        MR_VERB_STOP,
        MR_VERB_RESTART,
        _MR_VERB_MAX,
} MrVerb;

const char *mr_verb_name(MrVerb verb);

/* One thing to do. START, STOP and RESTART have no manifest. */
typedef struct MrAction {
        MrVerb verb;
        const MrManifest *manifest;
        const char *ns;
        const char *node;
        const char *role; /* class of the node, for START, STOP and RESTART */
} MrAction;

typedef void (*MrObserved)(void *userdata, int r, const MrError *err,
                           MrObservation *take_observation);
/* `n_done` actions of the batch succeeded, in order; on failure r and err speak of the next one, or
 * of action N when the path of err begins with "steps[N]". */
typedef void (*MrApplied)(void *userdata, int r, const MrError *err, size_t n_done);
/* Something changed: the core observes again. `node` NULL: anything. */
typedef void (*MrChanged)(void *userdata, const char *node);

/* A secret that was made here and that the platform keeps a copy of, told until the first
 * observation has come: what a program without a memory goes on from. `secret` is a map: values
 * (text, and base64 of what a key ending in ".p12" holds), labels, notes (maps), signs (which of
 * its keys signs; an authority's); NULL: it is gone. */
typedef void (*MrKept)(void *userdata, const char *ns, const char *name, const MrTree *secret);
/* It cannot go on: what was decided may not hold any more. The program ends, and may be started
 * again. */
typedef void (*MrEnded)(void *userdata, const MrError *err);

/* For a platform that keeps resources itself, as an API server does: what it is to follow, and whom
 * it tells. Each of these may be called from the loop at any time once it is open, and while
 * something is followed. */
typedef struct MrFollowing {
        const MrKind *const *kinds; /* NULL at the end. Those that hold data only as far as follow()
                                       asks for them. */
        /* It is there, or another than before: the document with the metadata and the status it has
         * there, borrowed. */
        void (*seen)(void *userdata, const MrKind *kind, const MrTree *resource);
        void (*gone)(void *userdata, const MrKind *kind, const char *ns, const char *name);
        /* It is there, and not our business any more. */
        void (*left)(void *userdata, const MrKind *kind, const char *ns, const char *name);
        /* Once for each kind: all there is of it was told. `namespaces` NULL: there are no others
         * than these; otherwise what is in others is not our business. */
        void (*listed)(void *userdata, const MrKind *kind, const MrTree *namespaces);
        /* A kind cannot be followed, and why; with r 0: it can again. Told when it changes. */
        void (*failed)(void *userdata, const MrKind *kind, int r, const MrError *err);
        void *userdata;
} MrFollowing;

typedef struct MrPlatformArgs {
        sd_event *event;      /* borrowed */
        const MrTree *config; /* the platform's section of millraced.yaml, borrowed; may be NULL */
        MrChanged changed;
        MrKept kept;   /* may be NULL */
        MrEnded ended; /* may be NULL */
        void *userdata;
        const MrFollowing *following; /* borrowed for as long as it is open; may be NULL */
} MrPlatformArgs;

/* What fields may concern that means nothing on a platform, and why, in words that follow the names
 * of fields: "services and load balancers do not exist on hosts". */
typedef struct MrIgnored {
        unsigned flag; /* one of MR_CONCERNS; 0 ends a table */
        const char *reason;
} MrIgnored;

/* Where a platform differs from what the tables say of a field and of all below it: what has no
 * effect elsewhere yet has one here, or the other way round. By the field's own name, or by a path
 * of which the last names are left out. */
typedef struct MrExcept {
        const char *name; /* NULL ends a table */
        bool works;
        /* It never will, and why, in words that follow the name of the field; NULL: not yet. */
        const char *reason;
} MrExcept;

/* Variables of the environment by which a deployment is told what it is to do. */
#define MR_VARIABLE_PREFIX "STRIMZI_"

/* Which images of a software there are, a line "VERSION=IMAGE" for each version:
 * STRIMZI_KAFKA_IMAGES. */
#define MR_IMAGES_SUFFIX "_IMAGES"

/* And which namespaces it looks at, a list or "*", and which labels resources must have that it
 * cares for, a list of KEY=VALUE. */
#define MR_NAMESPACES_VARIABLE MR_VARIABLE_PREFIX "NAMESPACE"
#define MR_SELECTOR_VARIABLE MR_VARIABLE_PREFIX "CUSTOM_RESOURCE_SELECTOR"

/* The functions without an MrPlatform get the ops they were called through: platforms that share
 * them tell each other apart by `flavor`. */
typedef struct MrPlatformOps MrPlatformOps;
struct MrPlatformOps {
        size_t struct_size;
        const void *flavor;       /* the platform's own; may be NULL */
        const MrIgnored *ignored; /* may be NULL: nothing */
        const MrExcept *except;   /* may be NULL: nothing */
        /* Whatever an observation tells of and can change by itself is told of when it does: a plan
         * may be made of the last one. */
        bool tells_changes;
        /* Pure. Parts of one resource (namespace ns) → manifests. */
        int (*lower)(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                     const MrFacts *facts, MrManifests *ret, MrError *err);
        /* Pure; may be NULL. Where secrets are objects: completes the manifests of kind Secret that
         * the core has added since. */
        int (*lower_secrets)(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                             const MrFacts *facts, MrManifests *ret, MrError *err);
        /* May be NULL. Adds to a map what its settings (`config`, as in MrPlatformArgs) and the
         * environment say of the host or cluster; see mr_facts_host(). For plans on paper; an open
         * platform tells it with what it observes. */
        int (*settings)(const MrPlatformOps *ops, const MrTree *config, MrTree *ret_host,
                        MrError *err);
        int (*open)(const MrPlatformOps *ops, const MrPlatformArgs *args, MrPlatform **ret,
                    MrError *err);
        void (*close)(MrPlatform *platform);
        /* One observation of everything this program manages on the platform. At most one at a
         * time. */
        int (*observe)(MrPlatform *platform, MrObserved done, void *userdata, MrError *err);
        /* Carries out the actions in order and stops at the first failure. At most one batch at a
         * time. */
        int (*apply)(MrPlatform *platform, const MrAction *actions, size_t n, MrApplied done,
                     void *userdata, MrError *err);

        /* May be NULL. For whom an observation waits although all is well, in words: another
         * replica of this program, which leads. NULL: for nobody. `changed` is called when it
         * changes. */
        const char *(*waits_for)(const MrPlatform *platform);

        /* The rest is of platforms that keep resources, and NULL elsewhere. */

        /* The status a resource is to have there. It is written when it differs, as soon as that is
         * polite, and again when somebody else has changed it. Of one that is not there nothing
         * becomes. */
        void (*write_status)(MrPlatform *platform, const char *kind, const char *ns,
                             const char *name, const MrTree *status);
        /* What an annotation of an object asked for was understood: it goes. */
        void (*answer)(MrPlatform *platform, const char *kind, const char *ns, const char *name,
                       const char *annotation);
        /* All that was made for it is gone: what kept it there on our behalf lets go of it. */
        void (*release)(MrPlatform *platform, const char *kind, const char *ns, const char *name);
        /* Resources that hold data, "Secret/NS/NAME", which are needed for one's sake: those named
         * before for the same `sake` are not needed any more. What this program has made itself is
         * not told. Returns 1 when all of them have been told as far as they are there; 0: not yet,
         * `changed` is called then. */
        int (*follow)(MrPlatform *platform, const char *sake, const MrStrings *names, MrError *err);
};
