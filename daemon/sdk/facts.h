#pragma once

/* Facts: everything a pure station may know about the world, gathered before it runs. Nothing
 * behind these functions does I/O, and two calls with the same facts give the same answers. */

#include "resource.h"

typedef struct MrFacts MrFacts;

/* What a platform saw of one node. */
typedef enum MrNodeState {
        MR_NODE_ABSENT,  /* nothing there */
        MR_NODE_STOPPED, /* not running, and not because of a failure */
        MR_NODE_STARTING,
        MR_NODE_RUNNING, /* its port is bound */
        MR_NODE_STOPPING,
        MR_NODE_FAILED, /* does not run, and nothing restarts it */
        MR_NODE_HELD,   /* an administrator keeps it down (systemctl mask, a hold) */
        _MR_NODE_STATE_MAX,
} MrNodeState;

typedef struct MrNodeFact {
        const char *node;
        MrNodeState state;
        int64_t since; /* seconds since the epoch the state has lasted; 0 unknown */
        const char
                *message; /* what the node itself says it is doing, or why it failed; may be NULL */
        const char *fingerprint; /* of the configuration the running process was started with; NULL
                                    when not running */
        const MrTree *settings;  /* static settings the running process was started with, a map; may
                                    be NULL */
        const char *address;     /* host name or address */
        const char *machine;     /* where it runs, when that has an address of its own */
        const char *where;       /* unit or pod, for people: "kafka@my-cluster-kafka-0.service" */
        int64_t restarts;        /* automatic restarts the service manager has made */
        int64_t pid;
        const char *owner;   /* the cluster it was made for ("default/my-cluster"); may be NULL */
        const char *role;    /* its class: "kafka", "zookeeper"; may be NULL */
        const char *version; /* of the software the running process was started with; NULL when not
                                running */
        const MrTree *applied; /* static settings it was last told, running or not; may be NULL */
        int order;             /* its place in a cold start, as it was last told */
} MrNodeFact;

const char *mr_node_state_name(MrNodeState state);
int mr_node_state_from_name(const char *name); /* -EINVAL when unknown */

int64_t mr_facts_now(const MrFacts *facts);          /* seconds since the epoch */
const char *mr_facts_platform(const MrFacts *facts); /* "rhel-baremetal" */
/* Other resources of the same namespace, sorted by name, of one kind whose label has this value. */
size_t mr_facts_resources(const MrFacts *facts, const char *kind, const char *label,
                          const char *value, const MrResource *const **ret);
/* The other resource of this kind and name in the same namespace, NULL when there is none. */
const MrResource *mr_facts_resource(const MrFacts *facts, const char *kind, const char *name);
/* The value of a key of a secret of the namespace: of the Secret a user wrote, else of the one that
 * was made here. NULL when absent, or when it is no text; what a key ending in ".p12" holds is
 * base64. Never print it. */
const char *mr_facts_secret(const MrFacts *facts, const char *name, const char *key);
/* The names of the keys of a secret, of the one a user wrote and of the one made here, sorted. */
MrStrings mr_facts_secret_keys(const MrFacts *facts, const char *name, MrArena *arena);
/* What is noted of a secret that was made here, sorted. */
MrPairs mr_facts_secret_notes(const MrFacts *facts, const char *name, MrArena *arena);
/* The value of a key of a ConfigMap, NULL when there is none. */
const char *mr_facts_config(const MrFacts *facts, const char *name, const char *key);
/* A StorageClass a user wrote, NULL when there is none. */
const MrStorageClass *mr_facts_storage_class(const MrFacts *facts, const char *name);
const MrNodeFact *mr_facts_node(const MrFacts *facts, const char *node); /* NULL: never seen */
/* All nodes of the namespace that were seen, NULL beyond the last. */
const MrNodeFact *mr_facts_node_at(const MrFacts *facts, size_t i);
/* What a probe found, NULL while nothing is known; see operand.h. */
const MrTree *mr_facts_view(const MrFacts *facts, const char *probe);
/* What was found of this claim, NULL when it does not exist: a map with its identity (cluster_id,
 * node_id, role, quorum, directory_id), how it was made (storage_class, ephemeral, size), where the
 * process sees it (directory), the node that is told to use it (node), whether data was on it once
 * (prepared) and is gone (lost). */
const MrTree *mr_facts_claim(const MrFacts *facts, const char *claim);
/* The next claim of the namespace at or after *cursor, which begins at 0 and moves on; NULL when
 * there is no further one. */
const MrTree *mr_facts_next_claim(const MrFacts *facts, size_t *cursor, const char **ret_name);
/* The host or cluster itself: addresses, memory, cpus, labels (a map; none where each node may run
 * on another machine), distributions (a list of maps software, version, state, message, libs and
 * extra_jars: names of jars), images (a map software → version → name, where containers run),
 * launcher_image, services (a map NS/NAME → host, port; none where there is no such thing). */
const MrTree *mr_facts_host(const MrFacts *facts);
/* Under which key it is remembered which key of an authority signs: formatted with the namespace
 * and the authority's name. */
#define MR_SIGNS_KEY "signs/%s/%s"
/* A value remembered from an earlier pass (allocated ports); NULL when none. */
const char *mr_facts_remembered(const MrFacts *facts, const char *key);
