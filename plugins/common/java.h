#pragma once

/* What every operand that runs on Java has in its spec: jvmOptions and resources, and how they
 * become the options of a workload. */

#include "part.h"

typedef struct JavaProperty {
        const char *name;
        const char *value;
} JavaProperty;

typedef struct JavaOptions {
        const char *xms;
        const char *xmx;
        int gc_logging;
        MrPairs xx;        /* -XX: "UseG1GC" → "true", "MaxGCPauseMillis" → "20" */
        MrList properties; /* of JavaProperty */
} JavaOptions;

typedef struct Amounts {
        uint64_t memory;
        uint64_t cpu;
        const MrTree *not_yet;
} Amounts;

typedef struct Resources {
        Amounts *requests;
        Amounts *limits;
        const MrTree *not_yet;
} Resources;

extern const MrField java_options_fields[];
extern const MrField resources_fields[];
/* The rule of every jvmOptions row. */
int java_options_rule(const void *object, MrError *err);

/* Fills -Xms, -Xmx, collector, properties and the limits of a workload. Both structs may be NULL.
 * Without -Xmx the heap is half of the memory limit (at most 5 GiB), without a limit it is
 * `default_heap` bytes. */
void java_apply(MrArena *arena, const JavaOptions *options, const Resources *resources,
                uint64_t default_heap, MrWorkload *workload);
/* "512m", "1g", "1048576" as bytes; 0 when it is nothing of the kind. */
uint64_t java_heap_bytes(const char *text);
