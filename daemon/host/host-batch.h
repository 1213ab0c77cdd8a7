#pragma once

/* A batch: what a client of org.millrace.Host1 asks for, decoded from JSON through field tables and
 * checked whole before its first step runs. Whoever calls may be hostile, so nothing leaves here
 * that could become another line of a unit or launch file, another path, another user, or a program
 * of the caller's choice outside the sandbox of the unit. Pure. */

#include <stdbool.h>

#include "host-config.h"

#define HOST_BATCH_MAX MR_DOCUMENT_MAX /* bytes of one batch */
#define HOST_FILE_MAX (1024U * 1024)   /* bytes of one file */
#define HOST_STEPS_MAX 2000
#define HOST_OBJECT_NAME_MAX 200U /* bytes of the name of an instance or a claim */
#define HOST_PROTOCOL 2           /* ours */
#define HOST_PROTOCOL_OLDEST 1    /* of a millraced that was not upgraded yet */

typedef enum HostOp {
        HOST_CLAIM_CREATE,
        HOST_CLAIM_REMOVE,
        HOST_FILE_WRITE,
        HOST_FILE_REMOVE,
        HOST_UNIT_WRITE,
        HOST_UNIT_REMOVE,
        HOST_START,
        HOST_STOP,
        HOST_RESTART,
        HOST_DISTRIBUTION_ENSURE,
        _HOST_OP_MAX,
} HostOp;

const char *host_op_name(HostOp op); /* "claim.create" */

/* Who owns a claim's data; stored in identity.json before anything else. */
typedef struct HostIdentity {
        const char *cluster; /* "default/my-cluster" */
        const char *cluster_id;
        const char *role;
        const char *quorum;       /* may be NULL */
        const char *directory_id; /* may be NULL */
        int64_t node_id;
} HostIdentity;

typedef struct HostVolume {
        const char *name;
        const char *claim;
        const char *storage_class;
        const char *base; /* computed: directory of the storage class */
        const char *data; /* computed: BASE/CLAIM/data */
        bool is_mounted;  /* computed: BASE/CLAIM is a disk of its own */
} HostVolume;

/* What a volume that holds data must show. */
typedef struct HostMarker {
        const char *volume;
        const char *path; /* beneath the volume */
        MrStrings lines;
        const char *claim; /* computed */
        const char *full;  /* computed: BASE/CLAIM/data/PATH */
} HostMarker;

typedef struct HostProperties {
        const char *software;
        const char *version;
        const char *main_class;
        MrStrings arguments;
        MrStrings jvm_options;
        const char *prepare_class;
        MrStrings prepare_arguments;
        const char *prepared_path;
        int expect_prepared; /* the claim is known to hold data */
        MrStrings directories;
        MrPairs contents;
        MrList volumes; /* HostVolume */
        MrList markers; /* HostMarker */
        MrInts ready_ports;
        int64_t memory_limit; /* bytes, 0 none */
        int64_t memory_request;
        int64_t cpu_limit; /* thousandths of a core, 0 none */
        int64_t cpu_request;
        int64_t stop_timeout_sec;
        int64_t order;      /* kept for the observer */
        MrStrings networks; /* none: any */
        const char *fingerprint;
        const MrTree *settings; /* a map, kept for the observer; may be NULL */
        const MrTree *tree;     /* all of the above as it came, borrowed from the document */
        const HostDistribution *distribution; /* computed */
} HostProperties;

typedef struct HostStep {
        HostOp op;
        const char *instance;
        const char *claim;
        const char *name; /* of a file */
        const char *content;
        int is_private; /* only the user of the class may read it */
        const char *cluster_id;
        const char *class_name;
        const char *storage_class;
        const char *software;
        const char *version;
        int is_ephemeral;
        int64_t size; /* of a claim, bytes, 0 unlimited */
        int is_deleted_with_node;
        const char *marker; /* file beneath data/ that exists once the claim holds data; may be NULL
                             */
        int begins_anew;    /* data that was there once may be missing */
        HostIdentity *identity;
        HostProperties *properties;
        const HostClass *class;               /* computed, borrowed from the configuration */
        const char *base;                     /* computed: directory of the storage class */
        const HostStorageClass *storage;      /* computed; NULL: any */
        int64_t disk;                         /* computed: its bytes before; 0: as it is now */
        const HostDistribution *distribution; /* computed, for distribution.ensure */
} HostStep;

typedef struct HostBatch {
        MrArena *arena;
        MrTree *document;
        HostStep *steps; /* in the arena */
        size_t n_steps;
} HostBatch;

/* Decodes and checks a batch. `config` is borrowed and must outlive it. Errors name the step:
 * "steps[3].name: …". */
int host_batch_parse(const char *text, size_t size, const HostConfig *config, HostBatch **ret,
                     MrError *err) _must_check_;
HostBatch *host_batch_free(HostBatch *batch);
DEFINE_CLEANUP(HostBatch *, host_batch_free);

/* Decodes and checks the properties of a unit, from a batch or from a manifest.json written
 * earlier. Strings live in the arena, trees are borrowed from `tree`. */
int host_properties_decode(const MrTree *tree, const HostConfig *config, MrArena *arena,
                           HostProperties **ret, MrError *err) _must_check_;
/* Decodes an identity.json. */
int host_identity_decode(const MrTree *tree, MrArena *arena, HostIdentity **ret,
                         MrError *err) _must_check_;
MrTree *host_identity_tree(const HostIdentity *identity);
bool host_identity_equal(const HostIdentity *a, const HostIdentity *b);

/* mr_decode(), except that a member the table does not know is an error with its path. */
int host_table_decode(const MrField *fields, const MrTree *tree, MrArena *arena, void *object,
                      MrError *err) _must_check_;

bool host_name_is_valid(const char *name);      /* of an instance or a claim */
bool host_file_name_is_valid(const char *name); /* of a file clients may write */
bool host_path_is_plain(const char *path);      /* components without "." and ".." */
bool host_text_is_line(const char *text);       /* no control character, so it stays one line */
