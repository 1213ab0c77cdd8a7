#pragma once

/* A resource is what a user wrote: a Strimzi custom resource or one of our own, decoded and valid.
 */

#include "field.h"

typedef struct MrResource {
        const MrKind *kind;      /* borrowed from the operand */
        const char *api_version; /* as written: "kafka.strimzi.io/v1beta2" */
        const char *name;
        const char *ns;     /* namespace; "default" when the file names none */
        const char *uid;    /* stable for the life of the resource, RFC 4122 text */
        int64_t generation; /* counts changes of spec, from 1 */
        MrPairs labels;
        MrPairs annotations;
        bool is_deleted;    /* desired state is "nothing"; what the spec says about deletion still
                               holds */
        const void *spec;   /* struct of kind->spec */
        const MrTree *tree; /* the whole document */
} MrResource;

/* Kinds that every operand may refer to are the core's own: Secret and ConfigMap, whose values
 * facts.h answers for, and StorageClass. */
typedef enum MrReclaimPolicy {
        MR_RECLAIM_DELETE,
        MR_RECLAIM_RETAIN,
} MrReclaimPolicy;

typedef struct MrStorageClass {
        const MrTree *head; /* of the document: apiVersion, kind, metadata */
        const char *provisioner;
        MrPairs parameters;
        int reclaim_policy; /* MrReclaimPolicy */
        int allows_expansion;
        MrStrings mount_options;
        const MrTree *not_yet;
} MrStorageClass;

/* "Kafka/default/my-cluster", the key of queue, plan, events and log fields. */
char *mr_resource_key(const char *kind, const char *ns, const char *name);
/* Takes a copy of one apart, in place; false: it does not read so, and nothing was changed. */
bool mr_resource_key_split(char *key, char **ret_ns, char **ret_name) _must_check_;
