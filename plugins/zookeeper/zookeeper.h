#pragma once

/* The section spec.zookeeper of a Kafka resource: one ensemble. */

#include "operand.h"

#include "java.h"
#include "jmx.h"
#include "logging.h"
#include "metrics.h"
#include "storage.h"

#define ZOOKEEPER_CLIENTS "tcp-clients"
#define ZOOKEEPER_CLUSTERING "tcp-clustering"
#define ZOOKEEPER_ELECTION "tcp-election"

typedef struct ZooKeeperSpec {
        int64_t replicas;
        Storage *storage;
        MrPairs config;
        JavaOptions *jvm;
        Resources *resources;
        Logging *logging;
        Metrics *metrics;
        Jmx *jmx;
        MrUnread unread;
        const MrTree *not_yet;
} ZooKeeperSpec;

/* The ensemble as it should run now. */
typedef struct Ensemble {
        const MrResource *resource;
        const ZooKeeperSpec *spec;
        const MrFacts *facts;
        MrArena *arena;
        int64_t n;     /* members */
        int64_t asked; /* members the spec asks for */
} Ensemble;

extern const MrSection zookeeper_section;

Ensemble ensemble_of(const MrResource *resource, const ZooKeeperSpec *spec, const MrFacts *facts,
                     MrArena *arena);
const char *ensemble_node(const Ensemble *ensemble, int64_t i);
/* Whether the other members that serve are a majority. */
bool ensemble_majority_without(const Ensemble *ensemble, const char *node);
/* The static configuration of a member, sorted. Options that may not be set are left out and named
 * in a warning. */
MrPairs zookeeper_config(const Ensemble *ensemble, int64_t i, MrParts *parts);

/* What the ensemble has on platforms with services, accounts and firewalls, and the tags of all its
 * parts, which are there already. */
void ensemble_add_objects(const Ensemble *ensemble, MrParts *parts);

int zookeeper_desired(const MrResource *resource, const void *spec, const MrFacts *facts,
                      MrParts *ret, MrError *err);
int zookeeper_probes(const MrResource *resource, const void *spec, const MrFacts *facts,
                     MrArena *arena, MrProbes *ret, MrError *err);
int zookeeper_health(const MrResource *resource, const void *spec, const MrFacts *facts,
                     MrArena *arena, MrHealth *ret, MrError *err);
