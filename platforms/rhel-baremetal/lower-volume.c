/* Volumes become claims. What is on a disk decides: a foreign one is left alone, and one that has
 * lost its data begins anew only where nothing can be lost by it. */

#include <inttypes.h>

#include "lower.h"
#include "names.h"
#include "str.h"

static const char *text_of(const MrTree *claim, const char *key) {
        return mr_tree_get_string(claim, key);
}

/* Whose the claim is, when it is not this node's; NULL when it is. */
static const char *foreign(Lowering *lowering, const MrVolume *volume, const MrTree *found) {
        if (!text_of(found, "cluster_id"))
                return mr_arena_strf(lowering->arena,
                                     "nothing tells whose the data of %s is; move it away",
                                     volume->claim);
        if (!mr_streq(text_of(found, "cluster"), volume->cluster) ||
            !mr_streq(text_of(found, "cluster_id"), volume->cluster_id))
                return mr_arena_strf(lowering->arena,
                                     "%s holds data of cluster %s with id %s; mount the disk that "
                                     "belongs here, or move that one away",
                                     volume->claim, text_of(found, "cluster"),
                                     text_of(found, "cluster_id"));
        if (!mr_streq(text_of(found, "role"), volume->role) ||
            mr_tree_get_int(found, "node_id", -1) != volume->node_id)
                return mr_arena_strf(lowering->arena,
                                     "%s holds data of %s %" PRId64 ", not of %s %" PRId64
                                     "; mount the disk that belongs here",
                                     volume->claim, text_of(found, "role"),
                                     mr_tree_get_int(found, "node_id", -1), volume->role,
                                     volume->node_id);
        return NULL;
}

static const char *known_key(const Lowering *lowering, const MrVolume *volume) {
        return mr_arena_strf(lowering->arena, "claim/%s/%s", lowering->ns, volume->claim);
}

static bool is_known(const Lowering *lowering, const MrVolume *volume) {
        const char *value = mr_facts_remembered(lowering->facts, known_key(lowering, volume));

        return value && mr_ends_with(value, " prepared");
}

/* Remembered besides on the disk itself, because a disk can be lost as a whole. */
static void remember(Lowering *lowering, const MrVolume *volume, const MrTree *found) {
        _cleanup_free_ char *value =
                mr_strf("%s %s", volume->node,
                        mr_tree_get_bool(found, "prepared", false) ? "prepared" : "made");

        mr_manifests_remember(lowering->out, known_key(lowering, volume), value);
}

static bool is_lost(const Lowering *lowering, const MrVolume *volume, const MrTree *found) {
        return found ? mr_tree_get_bool(found, "lost", false) : is_known(lowering, volume);
}

static bool may_begin_anew(const Lowering *lowering, const MrVolume *volume) {
        _cleanup_free_ char *renew = mr_strf("renew/%s/%s", lowering->ns, volume->node),
                            *discard = mr_strf("discard/%s/%s", lowering->ns, volume->node);

        return volume->may_be_empty || mr_facts_remembered(lowering->facts, renew) ||
               mr_facts_remembered(lowering->facts, discard);
}

const char *lower_volume_problem(Lowering *lowering, const MrVolume *volume) {
        const MrTree *found = mr_facts_claim(lowering->facts, volume->claim);
        const char *problem = found ? foreign(lowering, volume, found) : NULL;

        if (problem || !is_lost(lowering, volume, found) || may_begin_anew(lowering, volume))
                return problem;
        return mr_arena_strf(lowering->arena,
                             "the disk of a known node is empty: %s has lost its data; mount the "
                             "disk that holds it, or, when it is lost, let the node begin anew: "
                             "millctl renew %s",
                             volume->claim, volume->node);
}

/* How the claim is made. Only what is in the body is compared with what is there. */
static void add_making(Lowering *lowering, const MrVolume *volume, const char *class,
                       const MrTree *found, MrBuf *out) {
        _cleanup_(mr_tree_freep) MrTree *making = mr_tree_new_map();

        mr_tree_set_string(making, "class", class);
        mr_tree_set_string(making, "storage_class",
                           volume->storage_class ? volume->storage_class : DEFAULT_STORAGE_CLASS);
        mr_tree_set_bool(making, "ephemeral", volume->is_ephemeral);
        mr_tree_set_int(making, "size", (int64_t) volume->size);
        mr_tree_set_bool(making, "delete", volume->delete_claim);
        mr_tree_set_string(making, "marker", volume->marker);
        if (is_lost(lowering, volume, found))
                mr_tree_set_bool(making, "anew", true);
        mr_json_write(making, 0, out);
}

static MrTree *body_of(const MrVolume *volume) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set(body, "identity", mr_volume_identity(volume));
        mr_tree_set_int(body, "size", (int64_t) volume->size);
        mr_tree_set_bool(body, "delete", volume->delete_claim);
        mr_tree_set_string(body, "marker", volume->marker);
        return body;
}

void lower_volume(Lowering *lowering, const MrVolume *volume) {
        const MrPart *owner = mr_parts_find_workload(lowering->parts, volume->node);
        const MrTree *found = mr_facts_claim(lowering->facts, volume->claim);
        _cleanup_buf_ MrBuf payload = {};

        if (found)
                remember(lowering, volume, found);
        add_making(lowering, volume, owner ? owner->workload.role : volume->role, found, &payload);
        mr_manifests_add(lowering->out,
                         (MrManifest){
                                 .kind = "Volume",
                                 .ns = lowering->ns,
                                 .name = volume->claim,
                                 .node = volume->node,
                                 .rank = RANK_VOLUME,
                                 .keep = !volume->delete_claim && !volume->is_ephemeral,
                                 .pending = lower_volume_problem(lowering, volume),
                                 .body = body_of(volume),
                                 .payload = mr_buf_text(&payload),
                         });
}

/* --- disks that are too small */

static const char *size_text(MrArena *arena, uint64_t bytes) {
        if (bytes < UINT64_C(1) << 30)
                return mr_arena_strf(arena, "%" PRIu64 " MiB", bytes >> 20);
        return mr_arena_strf(arena, "%.1f GiB", (double) bytes / (1024.0 * 1024 * 1024));
}

/* What ends for want of space says so only in its own log. */
static bool is_nearly_full(uint64_t size, uint64_t free) {
        return size > 0 && free < size / 50;
}

/* The text has no numbers: a status is written anew when it changes. */
static void warn_of_full(Lowering *lowering, const char *whose) {
        mr_manifests_warn(lowering->out, "DiskFull",
                          "the disk of %s is nearly full; nodes that cannot write end themselves: "
                          "free space there, or make it larger",
                          whose);
}

static void warn_of_claim(Lowering *lowering, const MrVolume *volume, const MrTree *found) {
        uint64_t capacity = (uint64_t) mr_tree_get_int(found, "capacity", 0),
                 used = (uint64_t) mr_tree_get_int(found, "used", 0);

        if (is_nearly_full(capacity, capacity > used ? capacity - used : 0))
                warn_of_full(lowering, volume->claim);
        /* A file system takes a little of its disk for itself. */
        if (capacity == 0 || capacity + capacity / 20 >= volume->size)
                return;
        mr_manifests_warn(lowering->out, "DiskTooSmall",
                          "%s asks for %s, but its disk has %s; use a larger one, or ask for less",
                          volume->claim, size_text(lowering->arena, volume->size),
                          size_text(lowering->arena, capacity));
}

/* All claims of a class of directories share one disk. */
static void warn_of_class(Lowering *lowering, const char *class, uint64_t asked) {
        const MrTree *storage =
                mr_tree_get(mr_tree_get(mr_facts_host(lowering->facts), "storage"), class);
        uint64_t size = (uint64_t) mr_tree_get_int(storage, "size", 0);

        if (is_nearly_full(size, (uint64_t) mr_tree_get_int(storage, "free", (int64_t) size)))
                warn_of_full(lowering, mr_arena_strf(lowering->arena, "storage class %s", class));
        if (size > 0 && size < asked)
                mr_manifests_warn(lowering->out, "DiskTooSmall",
                                  "the claims of storage class %s ask for %s, but its disk has "
                                  "%s; use a larger one, or ask for less",
                                  class, size_text(lowering->arena, asked),
                                  size_text(lowering->arena, size));
}

/* Nothing keeps a directory from growing: what it holds is looked at, and told. Whoever ends a node
 * for it, as Kubernetes does, takes its data. */
static void warn_of_limit(Lowering *lowering, const MrVolume *volume, const MrTree *found) {
        const MrTree *measured = mr_tree_get(found, "used");
        uint64_t used = (uint64_t) mr_tree_int(measured, 0);

        if (!volume->is_ephemeral || volume->size == 0)
                return;
        if (measured && mr_tree_type(measured) == MR_TREE_NULL)
                mr_manifests_warn(lowering->out, "SizeLimitUnknown",
                                  "%s holds more files than are counted, so nobody tells when it "
                                  "exceeds its sizeLimit of %s; look at it yourself",
                                  volume->claim, size_text(lowering->arena, volume->size));
        if (used > volume->size)
                mr_manifests_warn(
                        lowering->out, "SizeLimitExceeded",
                        "%s holds %s, more than its sizeLimit of %s; hosts tell that, and "
                        "do not enforce it: let the node keep less, or raise the limit",
                        volume->claim, size_text(lowering->arena, used),
                        size_text(lowering->arena, volume->size));
}

static const char *class_of(const MrVolume *volume) {
        return volume->storage_class ? volume->storage_class : DEFAULT_STORAGE_CLASS;
}

/* Whether the volume is the first of its class, and what all of that ask for. */
static bool is_first_of_class(const MrParts *parts, size_t first, uint64_t *ret_asked) {
        const char *class = class_of(&mr_parts_at(parts, first)->volume);
        uint64_t asked = 0;

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind != MR_PART_VOLUME || !mr_streq(class_of(&part->volume), class))
                        continue;
                if (i < first)
                        return false;
                asked += part->volume.size;
        }
        *ret_asked = asked;
        return true;
}

void lower_warn_of_sizes(Lowering *lowering) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_VOLUME)
                        continue;
                const MrTree *found = mr_facts_claim(lowering->facts, part->volume.claim);
                warn_of_claim(lowering, &part->volume, found);
                warn_of_limit(lowering, &part->volume, found);
                uint64_t asked;
                if (is_first_of_class(lowering->parts, i, &asked))
                        warn_of_class(lowering, class_of(&part->volume), asked);
        }
}
