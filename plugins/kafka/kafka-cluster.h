#pragma once

/* One cluster as it should run now: its mode, its identity and its nodes. Everything else in this
 * plugin starts here. */

#include "kafka.h"

#include "cluster.h"
#include "version.h"

#define ENDPOINT_CONTROL "tcp-ctrlplane"
#define ENDPOINT_REPLICATION "tcp-replication"
#define LISTENER_CONTROL "CONTROLPLANE-9090"
#define LISTENER_REPLICATION "REPLICATION-9091"

typedef struct KafkaNode {
        const char *name;
        int64_t id;
        bool is_broker, is_controller;
        /* Beyond what the spec asks for, and kept because something would be lost without it. */
        const char *kept_because;
        /* A controller that joins a quorum which runs already, so it must not take part in founding
         * one. */
        bool joins;
        bool leaves;            /* a controller that is no longer asked for, and still votes */
        const char *pool;       /* NULL without pools */
        const Storage *storage; /* as it is now: what the spec asks for, as far as it can be had */
        size_t metadata;        /* its volume with the metadata log */
        const JavaOptions *jvm;
        const Resources *resources;
} KafkaNode;

/* A node the spec does not know any more, and that is still there. */
typedef struct KafkaLeftover {
        const char *name;
        int64_t id;
        bool was_controller;
} KafkaLeftover;

/* Something to tell whoever wrote the spec. */
typedef struct KafkaNote {
        const char *reason, *message;
} KafkaNote;

typedef struct KafkaCluster {
        const MrResource *resource;
        const KafkaSpec *spec;
        const MrFacts *facts;
        MrArena *arena;
        const KafkaVersion *version;
        bool is_kraft;
        bool is_dynamic;  /* KRaft: voters can be changed by command */
        const char *id;   /* 22 characters */
        KafkaNode *nodes; /* in the order of names and ids */
        size_t n_nodes;
        MrStrings left_out; /* nodes that must not be made while the quorum is what it is */
        KafkaLeftover *leftovers;
        size_t n_leftovers;
        KafkaNote *notes;
        size_t n_notes, allocated_notes;
        bool needs_log_dirs;          /* to tell whether a volume may go */
        const char *protocol;         /* inter.broker.protocol.version; NULL in KRaft mode */
        const char *metadata_version; /* of a KRaft cluster: "4.3-IV0" */
} KafkaCluster;

/* Adds a note, once. */
void kafka_note(KafkaCluster *cluster, const char *reason, const char *format, ...) _printf_(3, 4);
/* What the cluster itself says; NULL while nothing trustworthy is known. */
const MrTree *kafka_view(const KafkaCluster *cluster);
/* Partitions on a broker; -1 while that is not known. */
int64_t kafka_hosted(const KafkaCluster *cluster, int64_t id);
const char *kafka_id_text(const KafkaCluster *cluster, int64_t id);
const char *kafka_claim(const KafkaCluster *cluster, const KafkaNode *node, size_t volume);

/* kafka-nodes.c: the nodes the spec asks for, those that must stay, and those that are left over.
 */
int kafka_nodes_make(KafkaCluster *cluster, MrError *err);
void kafka_leftovers_find(KafkaCluster *cluster);
/* kafka-storage.c: brings a node's storage in line with what exists. */
int kafka_storage_settle(KafkaCluster *cluster, KafkaNode *node, MrError *err);
/* kafka-quorum.c: which kind of quorum there is, and who may be a controller in it. */
int kafka_quorum_check(KafkaCluster *cluster, MrError *err);
void kafka_roles_settle(KafkaCluster *cluster);
/* Whether the id votes; unknown counts as a yes. */
bool kafka_may_vote(const KafkaCluster *cluster, int64_t id);
/* Who is to vote from now on, and who no longer; and brokers that are gone for good. */
void kafka_add_members(const KafkaCluster *cluster, MrParts *parts);
/* Whether brokers that are gone for good are still registered. */
bool kafka_has_gone(const KafkaCluster *cluster);
/* kafka-release.c: versions of protocol and metadata, never below what storage has. */
int kafka_release_check(KafkaCluster *cluster, MrError *err);
/* What the metadata of the cluster is at, as far as that is known. */
const char *kafka_metadata_now(const KafkaCluster *cluster);
/* Raises the metadata of a cluster whose nodes all run its release. */
void kafka_add_metadata(const KafkaCluster *cluster, MrParts *parts);

/* kafka-health.c: whether the controllers have a majority of members that caught up without this
 * one.
 */
bool kafka_majority_without(const KafkaCluster *cluster, const KafkaNode *node);
/* The same of those that are left when this one, which votes, does so no more: of two, one is. */
bool kafka_majority_after(const KafkaCluster *cluster, const KafkaNode *node);

int kafka_cluster_make(const MrResource *resource, const KafkaSpec *spec, const MrFacts *facts,
                       MrArena *arena, KafkaCluster *ret, MrError *err);
/* "my-cluster-kafka": name of the group, common name of the certificates. */
const char *kafka_group(const KafkaCluster *cluster);
size_t kafka_brokers(const KafkaCluster *cluster);
size_t kafka_controllers(const KafkaCluster *cluster);
/* The id of the directory in which a controller keeps the metadata log. */
const char *kafka_directory_id(const KafkaCluster *cluster, const KafkaNode *node);
/* "@{dir:data}/kafka-log0" */
const char *kafka_log_dir(const KafkaCluster *cluster, const KafkaNode *node, size_t volume);
