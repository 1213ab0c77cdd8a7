#pragma once

/* spec.storage of brokers, pools and ZooKeeper: rows, rules, and the volumes of one node. */

#include "part.h"

typedef enum StorageType {
        STORAGE_EPHEMERAL,
        STORAGE_PERSISTENT,
        STORAGE_JBOD,
} StorageType;

typedef struct StorageOverride {
        int64_t node_id;
        const char *storage_class;
} StorageOverride;

typedef struct Storage {
        int type;
        int64_t id;
        uint64_t size;
        uint64_t size_limit;
        const char *storage_class;
        int delete_claim;
        int kraft_metadata; /* 0 when this volume holds the metadata log, MR_UNSET otherwise */
        MrList volumes;     /* of Storage, for jbod */
        MrPairs selector;
        const char *attributes_class;
        MrList overrides; /* of StorageOverride */
} Storage;

extern const MrField storage_fields[];        /* with jbod */
extern const MrField single_storage_fields[]; /* without */
int storage_rule(const void *object, MrError *err);

/* One volume of a storage: a jbod has several, the other types are their own only volume. */
size_t storage_volumes(const Storage *storage);
const Storage *storage_volume_at(const Storage *storage, size_t i);
/* "data" or "data-ID", the name inside the node. */
const char *storage_volume_name(MrArena *arena, const Storage *storage, const Storage *volume);
/* Index of the volume with the metadata log: the one marked so, else the one with the lowest id. */
size_t storage_metadata_volume(const Storage *storage);
/* The storage class of a volume for one node, NULL for the platform's default. */
const char *storage_class_of(const Storage *volume, int64_t node_id);
/* A volume part with everything the storage says; identity is the caller's. */
MrVolume storage_volume_part(MrArena *arena, const Storage *storage, const Storage *volume,
                             const char *node);
