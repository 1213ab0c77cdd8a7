/* A node's storage as it is now. What cannot be had without moving or losing data is put back to
 * what exists, with a note; a volume the spec gave up stays as long as something is on it. */

#include "kafka-cluster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REASON "StorageChange"

typedef struct Settling {
        KafkaCluster *cluster;
        KafkaNode *node;
        Storage *storage; /* a copy, ours to change */
} Settling;

static const char *sizes(MrArena *arena, uint64_t size) {
        return mr_arena_strf(arena, "%" PRIu64 " bytes", size);
}

static void settle_type(Settling *s, Storage *volume, const MrTree *claim, const char *name) {
        bool was_ephemeral = mr_tree_get_bool(claim, "ephemeral", false);

        if (!mr_tree_get(claim, "ephemeral") ||
            was_ephemeral == (volume->type == STORAGE_EPHEMERAL))
                return;
        kafka_note(s->cluster, REASON, "storage %s stays %s: its type cannot change", name,
                   was_ephemeral ? "ephemeral" : "a persistent claim");
        volume->type = was_ephemeral ? STORAGE_EPHEMERAL : STORAGE_PERSISTENT;
        volume->size = volume->size_limit =
                (uint64_t) mr_tree_get_int(claim, "size", (int64_t) volume->size);
}

static void settle_class(Settling *s, Storage *volume, const MrTree *claim, const char *name) {
        const char *class = mr_tree_get_string(claim, "storage_class");

        if (!class || mr_streq(class, volume->storage_class))
                return;
        if (volume->storage_class)
                kafka_note(s->cluster, REASON,
                           "storage %s stays in class %s: moving it to %s would leave its data "
                           "behind",
                           name, class, volume->storage_class);
        volume->storage_class = class;
}

static void settle_size(Settling *s, Storage *volume, const MrTree *claim, const char *name) {
        uint64_t had = (uint64_t) mr_tree_get_int(claim, "size", 0);

        if (volume->type != STORAGE_PERSISTENT || volume->size >= had)
                return;
        kafka_note(s->cluster, REASON, "storage %s keeps its size of %s: a claim cannot shrink",
                   name, sizes(s->cluster->arena, had));
        volume->size = had;
}

static void settle_volume(Settling *s, size_t i) {
        Storage *volume = s->storage->type == STORAGE_JBOD
                                  ? (Storage *) s->storage->volumes.items + i
                                  : s->storage;
        const char *name = kafka_claim(s->cluster, s->node, i);
        const MrTree *claim = mr_facts_claim(s->cluster->facts, name);

        volume->storage_class = storage_class_of(volume, s->node->id);
        if (!claim)
                return;
        settle_type(s, volume, claim, name);
        settle_class(s, volume, claim, name);
        settle_size(s, volume, claim, name);
}

/* --- volumes the spec does not name any more */

static bool is_wanted(const Settling *s, const char *claim) {
        for (size_t i = 0; i < storage_volumes(s->storage); i++)
                if (mr_streq(kafka_claim(s->cluster, s->node, i), claim))
                        return true;
        return false;
}

/* Replicas in the log directories beneath a directory; -1 while that is not known. */
static int64_t replicas_in(const Settling *s, const char *directory) {
        const MrTree *all = mr_tree_get(kafka_view(s->cluster), "log_dirs");
        const MrTree *dirs = mr_tree_get(all, kafka_id_text(s->cluster, s->node->id));
        size_t n_directory = directory ? strlen(directory) : 0;
        int64_t n = -1;

        for (size_t i = 0; directory && i < mr_tree_size(dirs); i++) {
                const char *path = mr_tree_key(dirs, i);
                if (!mr_starts_with(path, directory) || path[n_directory] != '/')
                        continue;
                int64_t replicas = mr_tree_int(mr_tree_at(dirs, i), -1);
                if (replicas < 0)
                        return -1;
                n = n < 0 ? replicas : n + replicas;
        }
        return n;
}

static bool is_of_metadata(const Settling *s, const MrTree *claim) {
        const MrNodeFact *fact = mr_facts_node(s->cluster->facts, s->node->name);
        const char *path = fact ? mr_tree_get_string(fact->applied, "metadata.log.dir") : NULL;
        const char *directory = mr_tree_get_string(claim, "directory");

        return path && directory && mr_starts_with(path, directory) &&
               path[strlen(directory)] == '/';
}

/* Why a volume that the spec gave up must stay; NULL when it may go. */
static const char *reason_to_keep(const Settling *s, const MrTree *claim) {
        s->cluster->needs_log_dirs = true;
        int64_t n = replicas_in(s, mr_tree_get_string(claim, "directory"));

        if (s->node->is_controller && is_of_metadata(s, claim))
                return "it holds the metadata of a controller";
        if (!s->node->is_broker)
                return NULL;
        if (n < 0)
                return "it is not known yet whether replicas are on it";
        return n > 0 ? mr_arena_strf(s->cluster->arena,
                                     "%" PRId64
                                     " replicas are on it; move them to other volumes first",
                                     n)
                     : NULL;
}

/* "data-3-NODE" → 3; -1 when it is no volume of a jbod of this node. */
static int64_t volume_id(const Settling *s, const char *claim) {
        const char *id = claim + strlen("data-"), *end = strchr(id, '-');
        int64_t n;

        if (!end || !mr_streq(end + 1, s->node->name))
                return -1;
        _cleanup_free_ char *text = mr_strndup(id, (size_t) (end - id));
        return strspn(text, "0123456789") == strlen(text) && mr_parse_int(text, &n) == 0 ? n : -1;
}

static void keep_volume(Settling *s, int64_t id, const MrTree *claim) {
        Storage *old = s->storage->volumes.items;
        size_t n = s->storage->volumes.n;
        Storage *volumes = mr_arena_new_array(s->cluster->arena, Storage, n + 1);
        bool is_ephemeral = mr_tree_get_bool(claim, "ephemeral", false);
        uint64_t size = (uint64_t) mr_tree_get_int(claim, "size", 0);

        if (n > 0)
                memcpy(volumes, old, n * sizeof(*volumes));
        volumes[n] = (Storage){
                .type = is_ephemeral ? STORAGE_EPHEMERAL : STORAGE_PERSISTENT,
                .id = id,
                .size = size,
                .size_limit = size,
                .storage_class = mr_tree_get_string(claim, "storage_class"),
                .kraft_metadata = MR_UNSET,
        };
        s->storage->volumes = (MrList){.items = volumes, .n = n + 1};
}

static int settle_surplus(Settling *s, const char *name, const MrTree *claim, MrError *err) {
        int64_t id = mr_starts_with(name, "data-") ? volume_id(s, name) : -1;

        if (s->cluster->resource->is_deleted)
                return 0;
        /* All data would stay behind on the other form of storage. */
        if (id < 0 || s->storage->type != STORAGE_JBOD)
                return mr_fail(err, MR_INVALID, NULL,
                               "the storage of %s cannot change between a single volume and a "
                               "jbod, because its data is in %s; put the storage back as it was, "
                               "or add a node pool and move the partitions",
                               s->node->name, name);
        const char *why = reason_to_keep(s, claim);
        if (!why)
                return 0;
        kafka_note(s->cluster, REASON, "volume %" PRId64 " of %s stays: %s", id, s->node->name,
                   why);
        keep_volume(s, id, claim);
        return 0;
}

/* Only storage the node was told to use counts: a claim may be left from an earlier life. */
static int settle_claims(Settling *s, MrError *err) {
        const MrTree *claim;
        const char *name;
        int r = 0;

        for (size_t cursor = 0;
             r >= 0 && (claim = mr_facts_next_claim(s->cluster->facts, &cursor, &name));)
                if (mr_streq(mr_tree_get_string(claim, "node"), s->node->name) &&
                    !is_wanted(s, name))
                        r = settle_surplus(s, name, claim, err);
        return r;
}

/* --- the metadata log */

/* Kafka refuses to find the log elsewhere than it is, so it stays while its volume does. */
static size_t metadata_volume(const Settling *s) {
        size_t asked = storage_metadata_volume(s->storage);

        for (size_t i = 0; i < storage_volumes(s->storage); i++) {
                const MrTree *claim =
                        mr_facts_claim(s->cluster->facts, kafka_claim(s->cluster, s->node, i));
                bool is_here =
                        is_of_metadata(s, claim) || mr_tree_get_string(claim, "directory_id");
                if (!is_here || i == asked)
                        continue;
                if (storage_volume_at(s->storage, asked)->kraft_metadata == 0)
                        kafka_note(s->cluster, REASON,
                                   "the metadata log of %s stays on volume %" PRId64
                                   ": it cannot be moved",
                                   s->node->name, storage_volume_at(s->storage, i)->id);
                return i;
        }
        return asked;
}

static Storage *copy_of(MrArena *arena, const Storage *storage) {
        Storage *copy = mr_arena_new_array(arena, Storage, 1);
        size_t n = storage->volumes.n;

        *copy = *storage;
        if (n == 0)
                return copy;
        Storage *volumes = mr_arena_new_array(arena, Storage, n);
        memcpy(volumes, storage->volumes.items, n * sizeof(*volumes));
        copy->volumes.items = volumes;
        return copy;
}

static int by_id(const void *a, const void *b) {
        const Storage *x = a, *y = b;

        return x->id < y->id ? -1 : x->id > y->id;
}

/* The order in which a spec lists volumes, and whether it lists one that stays, means nothing: the
 * options of Kafka that name them must not change with it. */
static void sort_volumes(Storage *storage) {
        if (storage->volumes.n > 1)
                qsort(storage->volumes.items, storage->volumes.n, sizeof(Storage), by_id);
}

int kafka_storage_settle(KafkaCluster *cluster, KafkaNode *node, MrError *err) {
        Settling settling = {
                .cluster = cluster,
                .node = node,
                .storage = copy_of(cluster->arena, node->storage),
        };

        node->storage = settling.storage;
        for (size_t i = 0; i < storage_volumes(node->storage); i++)
                settle_volume(&settling, i);
        int r = settle_claims(&settling, err);
        if (r < 0)
                return r;
        sort_volumes(settling.storage);
        node->metadata = metadata_volume(&settling);
        return 0;
}
