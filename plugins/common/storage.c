/* Storage of a node: ephemeral, one claim, or several disks. */

#include "storage.h"

#include <inttypes.h>

#include "str.h"

static const MrEnum storage_types[] = {
        {"ephemeral", STORAGE_EPHEMERAL, "Empty whenever the node is made anew."},
        {"persistent-claim", STORAGE_PERSISTENT,
         "Survives the node; found again by its name and identity."},
        {"jbod", STORAGE_JBOD, "Several disks, each with its own log directory."},
        {},
};

static const MrEnum single_storage_types[] = {
        {"ephemeral", STORAGE_EPHEMERAL, "Empty whenever the node is made anew."},
        {"persistent-claim", STORAGE_PERSISTENT,
         "Survives the node; found again by its name and identity."},
        {},
};

static const MrEnum kraft_metadata_values[] = {
        {"shared", 0, "The metadata log shares this volume with the partitions."},
        {},
};

static const MrField override_fields[] = {
        MR_INT("broker", StorageOverride, node_id, .min = 0, .max = INT32_MAX,
               .doc = "Id of the node."),
        MR_STRING("class", StorageOverride, storage_class,
                  .doc = "Its storage class; that of the others when absent."),
        {},
};

#define STORAGE_ROWS                                                                               \
        MR_INT("id", Storage, id, .min = 0, .max = INT32_MAX,                                      \
               .doc = "Number of the disk, unique within a jbod."),                                \
                MR_BYTES("size", Storage, size, .unit = "bytes",                                   \
                         .doc = "Size of a persistent claim, for example 100Gi."),                 \
                MR_BYTES("sizeLimit", Storage, size_limit, .unit = "bytes",                        \
                         .doc = "Most an ephemeral volume may hold. Where nothing enforces "       \
                                "that, more is reported."),                                        \
                MR_STRING(                                                                         \
                        "class", Storage, storage_class,                                           \
                        .doc = "Storage class of the claim; the platform's default when absent."), \
                MR_BOOL("deleteClaim", Storage, delete_claim, .fallback = "false",                 \
                        .doc = "Whether the data is deleted with the node. By default a claim "    \
                               "outlives its node."),                                              \
                MR_ENUM("kraftMetadata", Storage, kraft_metadata, kraft_metadata_values,           \
                        .doc = "Marks the volume that holds the metadata log of KRaft; at most "   \
                               "one volume has it."),                                              \
                MR_MAP("selector", Storage, selector, .flags = MR_CHOICE,                          \
                       .doc = "Labels a volume must carry to be taken for the claim."),            \
                MR_LIST("overrides", Storage, overrides, StorageOverride, override_fields,         \
                        .max = 1000, .flags = MR_DEPRECATED,                                       \
                        .doc = "Storage classes of single nodes; use pools for that."),            \
                MR_STRING("volumeAttributesClass", Storage, attributes_class, .flags = MR_CHOICE,  \
                          .doc = "Class of volume attributes that may change while the volume is " \
                                 "in use.")

static const MrField volume_fields[] = {
        MR_ENUM("type", Storage, type, single_storage_types, .flags = MR_REQUIRED,
                .doc = "Kind of this disk."),
        STORAGE_ROWS,
        {},
};

const MrField storage_fields[] = {
        MR_ENUM("type", Storage, type, storage_types, .flags = MR_REQUIRED,
                .doc = "Kind of storage each node gets."),
        STORAGE_ROWS,
        MR_LIST("volumes", Storage, volumes, Storage, volume_fields,
                .doc = "Disks of a jbod, each with its id."),
        {},
};

const MrField single_storage_fields[] = {
        MR_ENUM("type", Storage, type, single_storage_types, .flags = MR_REQUIRED,
                .doc = "Kind of storage each node gets."),
        STORAGE_ROWS,
        {},
};

static int volume_check(const Storage *volume, MrError *err) {
        if (volume->type == STORAGE_PERSISTENT && volume->size == 0)
                return mr_fail(err, MR_INVALID, "size",
                               "a persistent claim needs a size; add one, for example 100Gi");
        return 0;
}

static int jbod_check(const Storage *storage, MrError *err) {
        const Storage *volumes = storage->volumes.items;
        size_t n_metadata = 0;

        if (storage->volumes.n == 0)
                return mr_fail(err, MR_INVALID, "volumes",
                               "a jbod needs at least one volume; add one with id 0");
        for (size_t i = 0; i < storage->volumes.n; i++) {
                int r = volume_check(&volumes[i], err);
                if (r < 0)
                        return mr_error_within(err, r, "volumes[%zu]", i);
                if (volumes[i].id == MR_INT_UNSET) {
                        r = mr_fail(err, MR_INVALID, "id",
                                    "each volume of a jbod needs an id; number them from 0");
                        return mr_error_within(err, r, "volumes[%zu]", i);
                }
                for (size_t k = 0; k < i; k++)
                        if (volumes[k].id == volumes[i].id) {
                                r = mr_fail(err, MR_INVALID, "id",
                                            "volume %zu has the id %" PRId64
                                            " already; use another",
                                            k, volumes[i].id);
                                return mr_error_within(err, r, "volumes[%zu]", i);
                        }
                n_metadata += volumes[i].kraft_metadata == 0;
        }
        if (n_metadata > 1)
                return mr_fail(err, MR_INVALID, "volumes",
                               "only one volume can have kraftMetadata; keep one");
        return 0;
}

int storage_rule(const void *object, MrError *err) {
        const Storage *storage = object;

        if (storage->type == STORAGE_JBOD)
                return jbod_check(storage, err);
        if (storage->volumes.n > 0)
                return mr_fail(err, MR_INVALID, "volumes",
                               "volumes need type jbod; set type: jbod or remove them");
        return volume_check(storage, err);
}

size_t storage_volumes(const Storage *storage) {
        return storage->type == STORAGE_JBOD ? storage->volumes.n : 1;
}

const Storage *storage_volume_at(const Storage *storage, size_t i) {
        return storage->type == STORAGE_JBOD ? (const Storage *) storage->volumes.items + i
                                             : storage;
}

const char *storage_volume_name(MrArena *arena, const Storage *storage, const Storage *volume) {
        if (storage->type != STORAGE_JBOD)
                return "data";
        return mr_arena_strf(arena, "data-%" PRId64, volume->id);
}

size_t storage_metadata_volume(const Storage *storage) {
        size_t lowest = 0;

        for (size_t i = 0; i < storage_volumes(storage); i++) {
                const Storage *volume = storage_volume_at(storage, i);
                if (volume->kraft_metadata == 0)
                        return i;
                if (volume->id < storage_volume_at(storage, lowest)->id)
                        lowest = i;
        }
        return lowest;
}

const char *storage_class_of(const Storage *volume, int64_t node_id) {
        const StorageOverride *overrides = volume->overrides.items;

        for (size_t i = 0; i < volume->overrides.n; i++)
                if (overrides[i].node_id == node_id && overrides[i].storage_class)
                        return overrides[i].storage_class;
        return volume->storage_class;
}

MrVolume storage_volume_part(MrArena *arena, const Storage *storage, const Storage *volume,
                             const char *node) {
        const char *name = storage_volume_name(arena, storage, volume);

        return (MrVolume){
                .node = node,
                .name = name,
                .claim = mr_arena_strf(arena, "%s-%s", name, node),
                .storage_class = volume->storage_class,
                .size = volume->type == STORAGE_EPHEMERAL ? volume->size_limit : volume->size,
                .is_ephemeral = volume->type == STORAGE_EPHEMERAL,
                .delete_claim = volume->delete_claim > 0,
        };
}
