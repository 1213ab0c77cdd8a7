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
        const char *pool; /* NULL without pools */
        const Storage *storage;
        const JavaOptions *jvm;
        const Resources *resources;
} KafkaNode;

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
} KafkaCluster;

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
