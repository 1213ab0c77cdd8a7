#pragma once

/* One look at a whole cluster, and alterations of brokers' dynamic configuration: what the
 * reconcile core asks of the admin client. A look is a tree:
 *
 *      cluster_id, controller  of Metadata; with KRaft the controller means nothing, see quorum
 *      brokers: {ID: {host, port, rack}}
 *      quorum: {leader, leader_epoch, voters: {ID: {lag, last_caught_up_ms}}}, with KRaft only
 *      partitions: {total, under_replicated, offline,
 *                   hosted: {ID: n}, not_in_sync: {ID: n},
 *                   blocked_counts: {ID: n}, blocking: {ID: ["topic-0: 2 of 3 in sync, …", …]},
 *                   blocked_led_by: {ID: {LEADER: n}}}  whose followers they are; -1: nobody's
 *      configs: {ID: {KEY: VALUE}}    what can change while the broker runs, as it holds now;
 *                                     null: nothing is set, and another key takes its place
 *      overrides: {ID: {KEY: VALUE}}  the part of it that was set dynamically for this broker;
 *                                     ID "" stands for the default of the whole cluster
 *      loggers: {ID: {LOGGER: LEVEL}} when asked for: loggers that exist in a broker; one without a
 *                                     level of its own has that of the one above it, in older
 *                                     releases that of "root"
 *      quotas: {"": {KEY: VALUE}}     when asked for: the quotas of all users that have none of
 *                                     their own; null: none is set
 *      log_dirs: {ID: {PATH: n}}      replicas in each log directory, -1 where it is offline; asked
 *                                     for with KAFKA_ASK_LOG_DIRS
 *      features: {"": {NAME: LEVEL}}  those that are finalized; with KAFKA_ASK_FEATURES
 *      voters: {"": {"ID/DIRECTORY": "votes"}}  of a quorum whose voters have directories
 *      observers: {ID: {directory, lag}}        who follows such a quorum without a vote
 *      registrations: {"": {ID: "fenced"}}      brokers that are registered and do not answer; with
 *                                     KAFKA_ASK_REGISTRATIONS, from Kafka 4.0 on
 *      error                          instead of all that: why nothing could be seen
 */

#include "kafka/client.h"

typedef struct KafkaView KafkaView;

/* Takes over the tree. From the loop, once; the view may be freed from inside. */
typedef void (*KafkaSeen)(void *userdata, MrTree *take_view);

typedef enum KafkaAsk {
        KAFKA_ASK_LOGGERS = 1U << 0,
        KAFKA_ASK_QUOTAS = 1U << 1,
        KAFKA_ASK_LOG_DIRS = 1U << 2,
        KAFKA_ASK_FEATURES = 1U << 3,
        KAFKA_ASK_REGISTRATIONS = 1U << 4,
} KafkaAsk;

/* `client` is borrowed and must live as long as the view. `also`: further KafkaQuestions. */
KafkaView *kafka_view_new(KafkaClient *client, unsigned also, KafkaSeen seen, void *userdata);
KafkaView *kafka_view_free(KafkaView *view); /* no callback any more; takes and returns NULL */

/* The pure part: responses in, tree out. `minimums` is a map topic → min.insync.replicas. For
 * tests. */
MrTree *kafka_view_partitions(const MrTree *metadata, const MrTree *minimums);
MrTree *kafka_view_quorum(const MrTree *describe_quorum);
MrTree *kafka_view_quotas(const MrTree *describe_client_quotas);
MrTree *kafka_view_log_dirs(const MrTree *describe_log_dirs);
/* Adds voters and observers to a view. */
void kafka_view_members(const MrTree *describe_quorum, MrTree *view);
MrTree *kafka_view_registrations(const MrTree *describe_cluster);
MrTree *kafka_view_features(const MrTree *api_versions);

typedef enum KafkaSubject {
        KAFKA_SUBJECT_BROKER,  /* dynamic configuration */
        KAFKA_SUBJECT_LOGGER,  /* level of a logger of one broker */
        KAFKA_SUBJECT_QUOTA,   /* default quota of all users */
        KAFKA_SUBJECT_FEATURE, /* a feature of the cluster, to be raised to this level */
        KAFKA_SUBJECT_VOTER,   /* "ID/DIRECTORY", to vote at "LISTENER://HOST:PORT", or no more */
        KAFKA_SUBJECT_REGISTRATION, /* of a broker that is gone, to be removed */
} KafkaSubject;

/* One change of what a running cluster goes by. */
typedef struct KafkaConfigChange {
        KafkaSubject subject;
        const char *broker; /* its id, or "" for the default of the whole cluster */
        const char *key;
        const char *value; /* NULL: back to what the file says, to what is above, to none */
} KafkaConfigChange;

typedef struct KafkaAlteration KafkaAlteration;
typedef void (*KafkaAltered)(void *userdata, int r, const MrError *err);

/* Alters brokers one after the other and stops at the first that refuses. Everything is copied. */
KafkaAlteration *kafka_alteration_new(KafkaClient *client, const KafkaConfigChange *changes,
                                      size_t n, KafkaAltered done, void *userdata);
KafkaAlteration *kafka_alteration_free(KafkaAlteration *alteration);
