#pragma once

/* A manifest is one object of a platform (a unit, a file, a claim, later a StatefulSet), as data.
 * Wanted manifests come from lowering, found ones from observation; the diff of the two is the
 * plan. The body is what gets compared and printed; the payload is what gets applied and is never
 * compared (its digest is in the body). */

#include "part.h"

typedef struct MrManifest {
        const char *kind; /* "Secret", "Volume", "File", "Unit" */
        const char *ns;
        const char
                *name; /* unique per kind and namespace: "my-cluster-kafka-0/server.properties" */
        const char *node; /* the node it belongs to; NULL: shared by the whole resource */
        const char *
                owner; /* found ones: the cluster it was made for ("default/my-cluster"), or NULL */
        int rank;      /* applied in this order within a node, removed in the opposite order */
        bool is_secret;  /* the payload is masked when printed */
        bool is_private; /* a file only the process that reads it may read */
        bool keep;       /* never removed because it is no longer wanted (storage) */
        bool is_in_use;  /* found ones: the process of the node has it open, so it is not removed
                            before that restarts */
        bool lingers;    /* found ones: what runs of it ends some time after it was removed */
        bool restarts;   /* a changed body takes effect only when the node restarts */
        bool reloads;    /* the running process picks up a changed body by itself */
        const char *pending; /* what must exist before the payload is known: "secret my-user"; NULL:
                                complete */
        MrTree *body;        /* compared; owned by the manifests */
        const char *payload; /* applied; text; may be NULL */
} MrManifest;

typedef struct MrManifests MrManifests;

MrManifests *mr_manifests_new(void);
MrManifests *mr_manifests_free(MrManifests *manifests);
DEFINE_CLEANUP(MrManifests *, mr_manifests_free);
MrArena *mr_manifests_arena(MrManifests *manifests);
/* Adds a copy of the struct; strings are copied into the arena, `body` is taken over. Returns the
 * stored one, valid until the next add. A manifest with the same kind, namespace and name is
 * replaced. */
MrManifest *mr_manifests_add(MrManifests *manifests, MrManifest take_manifest);
/* Sorted by kind, namespace, name. */
size_t mr_manifests_size(const MrManifests *manifests);
const MrManifest *mr_manifests_at(const MrManifests *manifests, size_t i);
const MrManifest *mr_manifests_find(const MrManifests *manifests, const char *kind, const char *ns,
                                    const char *name);

/* Lowering also says, per node: the fingerprint of everything that needs a restart, and what to
 * remember. */
typedef struct MrNodeWanted {
        const char *node;
        const char *ns;
        const char *group;
        const char *role; /* the class of unit that runs it */
        int order;
        const char *fingerprint; /* NULL while something it depends on is pending */
        const MrTree
                *settings;   /* static settings, resolved; borrowed from the body of a manifest */
        const char *pending; /* why the fingerprint is not known */
} MrNodeWanted;

/* Nodes are kept sorted by their order, then by name: the order of a cold start. */
MrNodeWanted *mr_manifests_add_node(MrManifests *manifests, MrNodeWanted node);
size_t mr_manifests_nodes(const MrManifests *manifests);
const MrNodeWanted *mr_manifests_node_at(const MrManifests *manifests, size_t i);
/* Where an endpoint of a node is reached, for probes, status and people. */
typedef struct MrAddress {
        const char *node;
        const char *endpoint;
        const char *host;
        int64_t port;
        const char *at; /* a numeric address where it was seen, which is reached where no name of
                           the platform is; NULL: none */
        int64_t at_port;
        bool is_passing; /* where it happens to be now: told, and nothing is made of it */
} MrAddress;

void mr_manifests_add_address(MrManifests *manifests, MrAddress address);
/* `endpoint` NULL: any endpoint of the node. */
const MrAddress *mr_manifests_find_address(const MrManifests *manifests, const char *node,
                                           const char *endpoint);
void mr_manifests_remember(MrManifests *manifests, const char *key, const char *value);
const MrPairs *mr_manifests_remembered(const MrManifests *manifests);
void mr_manifests_warn(MrManifests *manifests, const char *reason, const char *format, ...)
        _printf_(3, 4);
size_t mr_manifests_warnings(const MrManifests *manifests);
void mr_manifests_warning_at(const MrManifests *manifests, size_t i, const char **ret_reason,
                             const char **ret_message);
