#pragma once

/* What an operand plugin offers: it knows what to run. Every slot is a pure function of its
 * arguments: no clock, no file descriptor, no random, no log; the purity suite checks the plugin's
 * object files. An operand never names a platform. */

#include "facts.h"
#include "part.h"

/* An operand may own a part of another operand's kind, for example spec.zookeeper of Kafka. */
typedef struct MrSection {
        const char *kind;  /* "Kafka" */
        const char *field; /* name of the MR_TREE row in that kind's spec: "zookeeper" */
        const MrField *fields;
        size_t size;
        int (*rule)(const void *section, MrError *err);
} MrSection;

/* How to look at the running system: data, carried out by the core. */
typedef struct MrProbe {
        const char *name; /* "kafka": the key of the view, unique within the resource */
        /* Which client of the core looks: "kafka", "zookeeper", or "tls", which only looks what
         * endpoints show in a handshake: {NODE: {ENDPOINT: {certificate, not_after,
         * authorities}}}. */
        const char *protocol;
        MrStrings nodes;      /* nodes to ask */
        const char *endpoint; /* endpoint of those nodes */
        MrStrings endpoints;  /* protocol "tls": all that are looked at, where a node has them */
        const char *secret; /* secret with the client certificate: SECRET/PREFIX.crt, PREFIX.key */
        const char *secret_prefix;
        const char *authority;     /* secret with the certificates to trust */
        const char *authority_key; /* NULL: ca.crt */
        bool is_waited_for;        /* something is kept back until this look tells more */
        MrStrings also; /* parts of the view that are filled only when asked for: "loggers" */
} MrProbe;

typedef struct MrProbes {
        MrProbe *items;
        size_t n;
} MrProbes;

/* What an operand thinks of one of its nodes, given facts and views. */
typedef struct MrNodeHealth {
        const char *node;
        bool is_ready;          /* does its work: registered, in sync, in quorum */
        const char *waits;      /* what it waits for, in words, when not ready */
        bool may_stop;          /* a restart now breaks no promise to clients */
        const char *in_the_way; /* why not, in words: "12 partitions of my-cluster-kafka-1 are not
                                   in sync" */
        /* Whether the data of the node may be given up, whether it runs or not, and if not, what
         * would be lost: "2 partitions are in sync only here". */
        bool may_lose_data;
        const char *only_here;
        int order; /* nodes with lower numbers restart first; the leader of a quorum last */
        /* The certificate it shows has ended, so that nobody may connect to it any more. A restart
         * that brings another one waits for nobody's readiness, because others may not become ready
         * before it. `may_stop` allows for that, too. */
        bool has_expired;
} MrNodeHealth;

typedef struct MrHealth {
        MrNodeHealth *items;
        size_t n;
} MrHealth;

typedef struct MrOperandOps {
        size_t struct_size;         /* slots appended later are absent in older plugins */
        const MrKind *const *kinds; /* kinds this operand owns, NULL at the end; may be NULL */
        const MrSection *section;   /* part of another kind, or NULL */

        /* All four slots get the resource and `spec`, the struct of the kind or of the section.
         * Memory comes from `arena`. */

        /* The parts that should exist. Also called for a deleted resource, to know what its
         * deletion means. */
        int (*desired)(const MrResource *resource, const void *spec, const MrFacts *facts,
                       MrParts *ret, MrError *err);
        /* Where and how to look; NULL slot: nothing to look at. */
        int (*probes)(const MrResource *resource, const void *spec, const MrFacts *facts,
                      MrArena *arena, MrProbes *ret, MrError *err);
        /* Readiness and restart gates of its nodes; NULL slot: running means ready. */
        int (*health)(const MrResource *resource, const void *spec, const MrFacts *facts,
                      MrArena *arena, MrHealth *ret, MrError *err);
        /* Adds its fields to the status (a map; conditions and observedGeneration are the core's).
         * NULL slot: none. */
        int (*status)(const MrResource *resource, const void *spec, const MrFacts *facts,
                      MrTree *status, MrError *err);
} MrOperandOps;
