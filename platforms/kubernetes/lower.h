#pragma once

/* Lowering: neutral parts → the objects of a Kubernetes API. Everything behind this header is pure,
 * and the platforms that build on that API share it.
 *
 * kind                                     rank  made of the part
 * ServiceAccount, NetworkPolicy,           0     account, firewall,
 * PodDisruptionBudget, ClusterRoleBinding        guard
 * Service, and Ingress, TLSRoute or Route  1     service
 * PersistentVolumeClaim                    2     volume
 * ConfigMap NODE, Secret NODE-files        3     file, and the launch description of a workload
 * StatefulSet NODE                         4     workload
 *
 * The body of a manifest is the object itself. */

#include "facts.h"
#include "manifest.h"
#include "platform.h"
#include "str.h"

/* On the template of a pod, on a claim, and on a set. */
#define FINGERPRINT_ANNOTATION "millrace.io/fingerprint"
#define IDENTITY_ANNOTATION "millrace.io/identity"
/* On an object of no namespace: for which resource it is, "KIND/NS/NAME". */
#define RESOURCE_ANNOTATION "millrace.io/resource"
#define ORDER_ANNOTATION "millrace.io/order"

enum {
        RANK_SHARED,
        RANK_SERVICE,
        RANK_CLAIM,
        RANK_FILES,
        RANK_SET,
};

/* What manifests of kind Secret are called once they are compared with objects: those the core
 * describes are about what it keeps itself. */
#define SECRET_OBJECT "SecretObject"

/* What tells one platform with this API from another. */
typedef struct Flavor {
        const char *name;   /* for people */
        const char *plugin; /* for millctl */
        bool has_routes;    /* route.openshift.io */
        bool assigns_users; /* the API chooses user and group of a container itself */
} Flavor;

/* One lowering under way. */
typedef struct Lowering {
        const Flavor *flavor;
        const char *ns;
        const MrParts *parts;
        const MrFacts *facts;
        MrManifests *out;
        MrArena *arena; /* of out */
} Lowering;

/* A file of a node: a key of the node's ConfigMap, a key of some Secret, or, when it mixes text and
 * secrets, a key of the node's own Secret. */
typedef struct NodeFile {
        const char *name;
        const char *secret, *key; /* NULL: it is in the ConfigMap */
        bool restarts;
} NodeFile;

typedef struct NodeFiles {
        NodeFile *items;
        size_t n;
        char digest[MR_DIGEST_MAX]; /* of what the process reads only when it starts */
        const char *pending;
} NodeFiles;

extern const MrExcept kubernetes_except[];
extern const MrIgnored kubernetes_ignored[];

/* Slots of the ops of every platform with this API; their flavor is a Flavor. */
int kubernetes_lower(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                     const MrFacts *facts, MrManifests *ret, MrError *err);
int kubernetes_lower_secrets(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                             const MrFacts *facts, MrManifests *ret, MrError *err);
int kubernetes_open(const MrPlatformOps *ops, const MrPlatformArgs *args, MrPlatform **ret,
                    MrError *err);
void kubernetes_close(MrPlatform *platform);
int kubernetes_observe(MrPlatform *platform, MrObserved done, void *userdata, MrError *err);
int kubernetes_apply(MrPlatform *platform, const MrAction *actions, size_t n, MrApplied done,
                     void *userdata, MrError *err);
const char *kubernetes_waits_for(const MrPlatform *platform);
void kubernetes_write_status(MrPlatform *platform, const char *kind, const char *ns,
                             const char *name, const MrTree *status);
void kubernetes_release(MrPlatform *platform, const char *kind, const char *ns, const char *name);
void kubernetes_answer(MrPlatform *platform, const char *kind, const char *ns, const char *name,
                       const char *annotation);
int kubernetes_follow(MrPlatform *platform, const char *sake, const MrStrings *names, MrError *err);
/* settings.c: what settings and variables say of images, as mr_facts_host() has it. */
int kubernetes_settings(const MrPlatformOps *ops, const MrTree *config, MrTree *ret_host,
                        MrError *err);
/* What is looked at, as the environment or else the settings say: a list of namespaces and a map of
 * labels; NULL: all. */
int kubernetes_scope(const MrTree *config, MrTree **ret_namespaces, MrTree **ret_selector,
                     MrError *err) _must_check_;
/* All of them, for the platform of this flavor. */
#define KUBERNETES_OPS(f)                                                                          \
        {                                                                                          \
                .struct_size = sizeof(MrPlatformOps), .flavor = (f),                               \
                .ignored = kubernetes_ignored, .except = kubernetes_except,                        \
                .settings = kubernetes_settings, .lower = kubernetes_lower,                        \
                .lower_secrets = kubernetes_lower_secrets, .open = kubernetes_open,                \
                .close = kubernetes_close, .observe = kubernetes_observe,                          \
                .apply = kubernetes_apply, .write_status = kubernetes_write_status,                \
                .release = kubernetes_release, .follow = kubernetes_follow,                        \
                .answer = kubernetes_answer, .waits_for = kubernetes_waits_for,                    \
        }

/* lower-parts.c */
Lowering lowering_of(const Flavor *flavor, const char *ns, const MrParts *parts,
                     const MrFacts *facts, MrManifests *out);
/* lower-secrets.c: whether objects were looked at, or this is a plan on paper. */
bool lower_is_live(const Lowering *lowering);

/* lower-object.c: bodies. */
MrTree *object_new(const Lowering *lowering, const char *api_version, const char *kind,
                   const char *name, const MrTags *tags);
/* Completes a body that exists. */
void object_fill(const Lowering *lowering, MrTree *body, const char *api_version, const char *kind,
                 const char *name, const MrTags *tags);
/* Labels and annotations, as objects and the templates of pods have them. */
void object_set_tags(const Lowering *lowering, MrTree *metadata, const MrTags *tags);
void object_set_labels(MrTree *map, const char *key, const MrPairs *labels);
/* Adds a map or a list from a user's tree under the same key, when it is there. */
void object_copy(MrTree *map, const MrTree *from, const char *key);
/* A variable of a container that is a field of its pod; NULL sets nothing. */
void object_set_field(MrTree *container, const char *variable, const char *field);
/* The quantity of so many bytes or thousandths, in the largest unit without a fraction. */
const char *bytes_text(MrArena *arena, uint64_t bytes);
const char *milli_text(MrArena *arena, uint64_t milli);

/* lower-text.c: references. */
int lower_text(Lowering *lowering, const char *node, const char *text, const char **ret,
               bool *ret_is_secret, const char **ret_pending, MrError *err) _must_check_;
const MrVolume *lower_find_volume(const Lowering *lowering, const char *node, const char *name);
const char *lower_volume_path(const Lowering *lowering, const MrVolume *volume);
/* lower-place.c: what a node learns of its machine only where it runs, and how. */
typedef struct Learned {
        const char *variable; /* that holds it; NULL: nothing */
        const char *field;    /* of the pod, which tells it without any rights, or … */
        const char *asked;    /* … what millrace-place asks the API for, "label:KEY" */
        const char *label;    /* of the machine that it is; may be NULL */
} Learned;

/* lower-reach.c: where clients reach an endpoint of a node. */
typedef struct Reached {
        const char *host; /* NULL: not known yet */
        Learned learned;  /* only the node itself learns its host */
        int64_t port;     /* 0: not known yet */
        const char *pending;
} Reached;

/* False when there is no such endpoint. */
bool lower_reach(Lowering *lowering, const char *node, const char *endpoint, Reached *ret);
/* The same of a service. */
void lower_reach_service(const Lowering *lowering, const MrService *service, Reached *ret);
int64_t inner_port(const MrEndpoint *endpoint);
const char *lower_pod_address(const Lowering *lowering, const MrWorkload *workload);
/* lower-place.c again. */
Learned place_label(MrArena *arena, const char *key);
/* The address of its machine of the type that is preferred (NULL: none is). */
Learned place_address(const char *type);
/* Whether the launcher fills something into the node's file. */
bool place_fills(Lowering *lowering, const char *node, const char *file);
/* Whether the API is asked before the node starts. */
bool place_asks(Lowering *lowering, const char *node);
void place_add_lines(Lowering *lowering, const MrWorkload *workload, MrBuf *out);
void place_add_variables(Lowering *lowering, const MrWorkload *workload, MrTree *container);
/* The labels of machines that the node learns, as the keys of a map of the caller's. */
MrTree *place_labels(Lowering *lowering, const MrWorkload *workload);
/* That the pod runs only where there are the labels it is told of. */
void place_require_labels(Lowering *lowering, const MrWorkload *workload, MrTree *spec);
/* What millrace-place is told to find out. */
void place_add_arguments(Lowering *lowering, const MrWorkload *workload, MrTree *command);
#define NODE_DIRECTORY "/etc/millrace/node"
#define RUN_DIRECTORY "/run/millrace"
#define ACCOUNT_DIRECTORY "/var/run/secrets/kubernetes.io/serviceaccount"
#define SOFTWARE_DIRECTORY "/opt"
#define JAVA "/opt/java/openjdk/bin/java"

void lower_service(Lowering *lowering, const MrService *service);
void lower_firewall(Lowering *lowering, const MrFirewall *firewall);
void lower_guard(Lowering *lowering, const MrGuard *guard);
void lower_account(Lowering *lowering, const MrAccount *account);
void lower_volume(Lowering *lowering, const MrVolume *volume);
/* lower-files.c */
int lower_files(Lowering *lowering, const MrWorkload *workload, NodeFiles *ret,
                MrError *err) _must_check_;
/* lower-launch.c: the description the launcher reads, and a digest of that which matters to the
 * process once it runs. */
int lower_launch(Lowering *lowering, const MrWorkload *workload, const char **ret,
                 char ret_digest[MR_DIGEST_MAX], MrError *err) _must_check_;
/* lower-pod.c: the template of a pod. */
MrTree *lower_pod(Lowering *lowering, const MrWorkload *workload, const NodeFiles *files);
/* lower-container.c */
int check_image(const Lowering *lowering, const MrWorkload *workload, MrError *err) _must_check_;
MrTree *lower_container(Lowering *lowering, const MrWorkload *workload);
MrTree *lower_init_container(Lowering *lowering, const MrWorkload *workload);
/* The container that asks the API about the machine, before all else. */
MrTree *lower_place_container(Lowering *lowering, const MrWorkload *workload);
int lower_workload(Lowering *lowering, const MrWorkload *workload, MrError *err) _must_check_;
