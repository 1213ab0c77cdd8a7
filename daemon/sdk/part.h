#pragma once

/* Parts: what an operand wants, said once for every platform, in a few neutral nouns. An operand
 * adds parts; a platform lowers each to its own objects.
 *
 * Text in a part may hold references that only the platform can resolve:
 *
 *      @{addr:NODE}            the name or address under which other nodes and clients reach NODE
 *      @{host:NODE/ENDPOINT}   the name or address under which clients reach NODE's endpoint; in
 *                              names of certificates also that of a service, SERVICE/ENDPOINT
 *      @{port:NODE/ENDPOINT}   the port on which NODE's endpoint is reached (hosts may move it)
 *      @{bind:ENDPOINT}        the port this node itself listens on for its endpoint
 *      @{dir:VOLUME}           the directory of this node's volume, as the process sees it
 *      @{file:NAME}            the path of this node's file, as the process sees it
 *      @{secret:NAME/KEY}      the value of a key of a secret of the namespace; the text is secret
 *      @{lib}                  the directory with the jars of the workload's software
 *      @{jar:NAME}             the path of the jar of that name, with or without a version behind
 * it
 *      @{label:KEY}            a label of the place where this node runs; nothing when it has none
 *      @{variable:NAME}        an environment variable that a user gives the process; where there
 * are none, the label of that name
 *      @{random:N}             in a secret: N letters and digits, made once
 *      @{at}                   the character "@", before a reference: "0@{at}@{addr:NODE}"
 *
 * A literal "@{" in what a user wrote must pass through mr_parts_literal() first. Every string is
 * copied into the arena of the parts. */

#include "field.h"

typedef struct MrParts MrParts;

typedef enum MrPartKind {
        MR_PART_CERTIFICATE, /* keys and a certificate in a secret, kept valid */
        MR_PART_SECRET,      /* a secret assembled from literals and other secrets */
        MR_PART_TRUST,       /* whose certificates nodes trust, as a key of a secret */
        MR_PART_VOLUME,      /* durable or ephemeral storage of one node */
        MR_PART_FILE,        /* one configuration file of one node */
        MR_PART_ENDPOINT,    /* a port on which one node listens */
        MR_PART_WORKLOAD,    /* one node: a process with a stable identity */
        MR_PART_SETTING,     /* a setting of a running node that changes without a restart */
        MR_PART_GUARD,       /* how much of a set of nodes may be down */
        MR_PART_SERVICE,     /* a name under which nodes are reached */
        MR_PART_FIREWALL,    /* who may connect to a set of nodes */
        MR_PART_ACCOUNT,     /* as whom a set of nodes runs */
        _MR_PART_KIND_MAX,
} MrPartKind;

const char *mr_part_kind_name(MrPartKind kind);

/* What the objects made of a part are called by, beside their names, and whom they belong to. It
 * matters where a platform has labels, annotations and owners, and elsewhere means nothing. */
typedef struct MrTags {
        const char *component; /* "kafka" */
        const char *instance;  /* "my-cluster" */
        const char *part_of;   /* "strimzi-my-cluster" */
        MrPairs labels, annotations;
        const MrTree *template;         /* labels and annotations a user adds; may be NULL */
        const struct MrResource *owner; /* whose labels they have, and with which they go */
        bool stays;                     /* when the owner goes */
} MrTags;

/* A certificate lives in the secret `name` of the namespace. An authority (a CA) makes two secrets,
 * as Strimzi does: `name`-cert with ca.crt, ca.p12, ca.password, and `name` with ca.key, which no
 * reader ever gets. While a key is being replaced, the former one is there, too: its certificate as
 * ca-DATE.crt in the first, the key as ca-DATE.key in the second. */
typedef struct MrCertificate {
        const char *name; /* secret: "my-cluster-cluster-ca", "my-cluster-kafka-0", "my-user" */
        const char *authority;  /* secret name of the signing CA; NULL: this is a CA itself */
        const char *key_prefix; /* keys are PREFIX.crt, PREFIX.key and PREFIX.pem (key, chain in one
                                   file) */
        const char *common_name;  /* an authority's is followed by " vN": it counts its keys */
        const char *organization; /* NULL: none */
        MrStrings names; /* subject alternative names: DNS names or IP literals, may hold references
                          */
        int64_t validity_days;
        int64_t renewal_days;
        bool with_pkcs12;    /* also PREFIX.p12 and PREFIX.password, for clients */
        bool with_authority; /* also ca.crt, for clients */
        /* Of an authority: the kind of a new key, "EC", "RSA" or "RSA-2048"; NULL: that of the key
         * it has, else EC. */
        const char *key_type;
        bool replaces_key;     /* an authority that is renewed gets a new key, too */
        bool outlives;         /* it stays when its resource is deleted */
        const char *postponed; /* why what still serves is not renewed now; NULL: it is */
        MrPairs labels;
        MrTags tags;
} MrCertificate;

/* The key `key` of the secret `name` holds the certificates of an authority that nodes trust: the
 * present one, and a former one as long as something shows a certificate it has signed. A new one
 * comes in before anything is signed with its key, and the former one goes when nothing needs it.
 * The nodes are those with a file that refers to the key. */
typedef struct MrTrust {
        const char *name;      /* "my-cluster-trustbundle" */
        const char *key;       /* "cluster-ca.crt" */
        const char *authority; /* "my-cluster-cluster-ca" */
        int64_t renewal_days;  /* of its certificate */
        /* Its certificates are in hands nobody can see, so a former one stays until it ends. */
        bool is_public;
        MrPairs labels;
        MrTags tags;
} MrTrust;

typedef struct MrSecretPart {
        const char *name;
        MrPairs values; /* key → text, may hold @{secret:} references */
        MrPairs labels;
        MrTags tags;
} MrSecretPart;

typedef struct MrVolume {
        const char *node;
        const char *name;          /* unique in the node: "data" */
        const char *claim;         /* stable name of the storage: "data-my-cluster-kafka-0" */
        const char *storage_class; /* NULL: the platform's default */
        uint64_t size;             /* bytes; 0: no limit asked for */
        bool is_ephemeral;
        bool delete_claim; /* the data goes when the node is no longer wanted */
        /* Identity: made and stored before anything is written; a mismatch stops the node. */
        const char *cluster; /* "default/my-cluster" */
        const char
                *cluster_id; /* 22 characters; also Kafka's cluster id where the quorum is KRaft */
        const char *role;    /* "kafka", "zookeeper" */
        const char *quorum;  /* "zookeeper", "kraft-static", "kraft-dynamic", or NULL */
        int64_t node_id;
        const char *directory_id; /* 22 characters, or NULL */
        MrTags tags;
        const MrTree *storage; /* as the spec has it, for what only some platforms know */
        /* A file that exists once the volume holds data: "kafka-log0/meta.properties"; and lines it
         * then has to hold. A volume that held data and is empty stops its node. */
        const char *marker;
        MrStrings marker_lines;
        bool may_be_empty; /* what was on it can be had again from other nodes */
} MrVolume;

/* Whose the data is, as its storage carries it: a map {cluster, cluster_id, role, quorum, node_id,
 * directory_id}, the caller's. */
MrTree *mr_volume_identity(const MrVolume *volume);

typedef enum MrFileEffect {
        MR_EFFECT_RESTART, /* the process reads it only when it starts: a change needs a restart */
        MR_EFFECT_NONE,    /* matters at the next start; what matters now, a setting part tells */
        MR_EFFECT_RELOAD,  /* the process looks for changes and reads it again by itself */
} MrFileEffect;

/* How a process that reads a file while it runs shows from outside what it has read. */
typedef enum MrFileShow {
        MR_SHOWS_NOTHING,     /* it reads the file anew whenever it needs it */
        MR_SHOWS_CERTIFICATE, /* its TLS endpoints show the file's first certificate */
        MR_SHOWS_TRUST,       /* its TLS endpoints name the file's certificates as accepted */
} MrFileShow;

typedef struct MrFile {
        const char *node;
        const char *name;    /* "server.properties"; letters, digits, ".", "-", "_" */
        const char *content; /* may hold references */
        MrFileEffect effect;
        MrFileShow shows;
        MrStrings shown_at; /* endpoints of the node */
        bool is_private; /* only the process itself may read it: it belongs to its user, mode 0600
                          */
        /* For effect NONE of a file whose static part is known: what of it needs a restart after
         * all goes into the workload's `settings`. */
} MrFile;

typedef struct MrEndpoint {
        const char *node;
        const char *name;   /* "tcp-clients", "tcp-replication" */
        const char *group;  /* nodes of one group share the standard port where they can:
                               "my-cluster-kafka" */
        int64_t port;       /* the standard port */
        int64_t inner_port; /* of a container, which needs no port of the machine; 0: the same */
        bool is_aside;      /* metrics and the like: where it moves says nothing about the others */
        bool is_fixed;      /* the port was chosen for this node, so no other will do */
        bool is_ready_check; /* the node is started when this port is bound */
        bool is_external;    /* clients outside the cluster use it */
        bool loopback_only;
        bool with_domain;     /* known by its whole name, where names have a domain */
        const char *listener; /* name of the spec's listener, or NULL */
        bool is_guarded;      /* only `peers` may connect */
        MrStrings peers;      /* networks, "10.0.0.0/8"; "!10.1.0.0/16" is left out of those before
                                 it */
        bool has_other_peers; /* there are more, which are no networks */
} MrEndpoint;

typedef struct MrWorkload {
        const char *node; /* "my-cluster-kafka-0" */
        int64_t node_id;
        const char *role;  /* class of unit: "kafka", "zookeeper" */
        const char *group; /* set of like nodes: "my-cluster-kafka" */
        int order;         /* cold start and delete in this order; nodes of one order in parallel */
        const char *software; /* "kafka" */
        const char *version;  /* "3.9.1" */
        const char *main_class;
        MrStrings arguments;   /* of the main class, may hold references */
        MrStrings jvm_options; /* may hold references */
        /* Storage is formatted by running this class with these arguments, when `prepared_path` is
         * missing. */
        const char *prepare_class; /* NULL: nothing to prepare */
        MrStrings prepare_arguments;
        const char *prepared_path; /* "@{dir:data}/kafka-log0/meta.properties" */
        MrStrings directories;     /* made empty before the first start: "@{dir:data}/kafka-log0" */
        MrPairs contents; /* small files made in volumes before the start: path → text ("…/myid" →
                             "1") */
        MrPairs settings;    /* static configuration, key → value: a difference is the reason of a
                                restart */
        uint64_t heap_bytes; /* -Xmx, for checks and messages; 0 unknown */
        uint64_t memory_limit; /* bytes, 0 none */
        uint64_t memory_request;
        uint64_t cpu_limit; /* thousandths of a core, 0 none */
        uint64_t cpu_request;
        int64_t stop_timeout_sec; /* after a polite stop */
        MrPairs labels;
        /* Where a node is a container: */
        const char *image;   /* as the user named it; NULL: the platform's choice */
        const char *service; /* the MR_REACH_NODES service that gives the node a name */
        const char *account;
        MrPairs selector;      /* of its labels, those that tell it from all other nodes */
        MrTags tags, pod_tags; /* of what keeps the container running, and of the container */
        const MrTree *pod, *container, *init; /* details a user asks for; all may be NULL */
        const MrTree *resources; /* as the spec has them, for what only containers know */
        const MrTree *readiness; /* times of the check; may be NULL */
} MrWorkload;

typedef struct MrSetting {
        const char *protocol; /* which running system takes it: "kafka" */
        const char *scope; /* "broker/0", or "broker/" for the cluster-wide default; "logger/0" for
                              a level; "quota/" for the quotas of all users; "feature/" for
                              a feature of the cluster, whose level is only ever raised; "voter/"
                              for who votes in its quorum; "registration/" for who is a member */
        const char *key;
        const char *value; /* NULL: back to what the file says */
        /* The running system lists the key only once it has a value; a key it does not list is
         * otherwise one it does not know. */
        bool may_be_unlisted;
        /* NODE/NAME of a file the system reads again when the setting is written, whatever its
         * value. It is written while the node shows that it has not read the file; NULL: the value
         * is what counts. */
        const char *file;
} MrSetting;

typedef struct MrGuard {
        const char *group;
        int64_t max_unavailable;
        MrPairs selector; /* labels of the nodes */
        MrTags tags;
} MrGuard;

typedef enum MrReach {
        MR_REACH_NODES,     /* each node under a name of its own, also while it is not ready */
        MR_REACH_INSIDE,    /* one address within the platform */
        MR_REACH_NODE_PORT, /* a port of every machine */
        MR_REACH_BALANCER,  /* a load balancer */
} MrReach;

typedef enum MrRouting {
        MR_ROUTING_NONE,
        MR_ROUTING_INGRESS, /* the next three tell services apart by the host name of TLS */
        MR_ROUTING_GATEWAY,
        MR_ROUTING_ROUTE,
} MrRouting;

typedef struct MrServicePort {
        const char *name; /* of the endpoint */
        int64_t port;
        int64_t node_port; /* of every machine; 0: the platform's choice */
} MrServicePort;

typedef struct MrService {
        const char *name;
        const char *node; /* the only node behind it, or NULL */
        MrReach reach;
        MrPairs selector; /* labels of the nodes behind it */
        const MrServicePort *ports;
        size_t n_ports;
        bool with_unready;
        MrRouting routing;
        const char *host;      /* of the routing; NULL: the platform's choice */
        const char *route;     /* name of the routing's object */
        const MrTree *options; /* what the user says of all services of a listener … */
        const MrTree *own;     /* … and of this one; both may be NULL */
        const MrTree *template;
        MrTags tags, route_tags;
} MrService;

/* Who may connect: nodes with these labels, of this namespace or of any. */
typedef struct MrPeer {
        MrPairs labels;
        bool is_anywhere;
} MrPeer;

typedef struct MrAccess {
        int64_t port;
        const MrPeer *peers; /* none: everybody */
        size_t n_peers;
        const MrTree *asked; /* peers as a user wrote them; NULL: none */
} MrAccess;

typedef struct MrFirewall {
        const char *name;
        MrPairs selector;
        const MrAccess *accesses;
        size_t n_accesses;
        MrTags tags;
} MrFirewall;

typedef struct MrAccount {
        const char *name;
        MrTags tags;
        /* Of what binds it to rights across a cluster, where it needs any. */
        const char *binding;
        MrTags binding_tags;
} MrAccount;

typedef struct MrPart {
        MrPartKind kind;
        union {
                MrCertificate certificate;
                MrSecretPart secret;
                MrTrust trust;
                MrVolume volume;
                MrFile file;
                MrEndpoint endpoint;
                MrWorkload workload;
                MrSetting setting;
                MrGuard guard;
                MrService service;
                MrFirewall firewall;
                MrAccount account;
        };
} MrPart;

MrParts *mr_parts_new(void);
MrParts *mr_parts_free(MrParts *parts);
DEFINE_CLEANUP(MrParts *, mr_parts_free);
/* The arena all texts of the parts live in: operands build their strings with mr_arena_strf(). */
MrArena *mr_parts_arena(MrParts *parts);
/* Adds a copy; strings inside are borrowed and must live as long as the parts (use the arena). */
MrPart *mr_parts_add(MrParts *parts, MrPart part);
size_t mr_parts_size(const MrParts *parts);
const MrPart *mr_parts_at(const MrParts *parts, size_t i);
/* For what is said of several parts at once, such as their tags. */
MrPart *mr_parts_edit(MrParts *parts, size_t i);
const MrPart *mr_parts_find_workload(const MrParts *parts, const char *node);

/* Warnings and notes for the status: reason in CamelCase, message for people. */
void mr_parts_warn(MrParts *parts, const char *reason, const char *format, ...) _printf_(3, 4);
size_t mr_parts_warnings(const MrParts *parts);
void mr_parts_warning_at(const MrParts *parts, size_t i, const char **ret_reason,
                         const char **ret_message);

/* Escapes "@{" in text a user wrote. Returns s itself when there is nothing to escape. */
const char *mr_parts_literal(MrParts *parts, const char *s);

/* String list helpers on an arena. */
void mr_strings_add(MrArena *arena, MrStrings *strings, const char *s);
void mr_pairs_set(MrArena *arena, MrPairs *pairs, const char *key,
                  const char *value); /* keeps the order sorted */
/* A map of strings as pairs, which borrow them from it. */
MrPairs mr_pairs_of(MrArena *arena, const MrTree *map);

/* Expands references in text. The resolver appends what a reference stands for ("port",
 * "NODE/ENDPOINT") or fails; it returns 1 when the value is not known yet (the caller then gets 1
 * and out is incomplete). */
typedef int (*MrResolver)(const char *what, const char *argument, MrBuf *out, void *userdata,
                          MrError *err);
int mr_expand(const char *text, MrResolver resolver, void *userdata, MrBuf *out,
              MrError *err) _must_check_;
