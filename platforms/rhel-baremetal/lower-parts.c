/* Each part becomes its object; what several parts say of one node is gathered in its unit
 * (lower-workload.c). */

#include "lower.h"
#include "names.h"
#include "str.h"

static const char *class_of(const Lowering *lowering, const char *node, const char *otherwise) {
        const MrPart *owner = mr_parts_find_workload(lowering->parts, node);
        return owner ? owner->workload.role : otherwise;
}

static int lower_file(Lowering *lowering, const MrFile *file, MrError *err) {
        const char *content, *pending = NULL;
        bool is_secret = false;
        char digest[MR_DIGEST_MAX];

        int r = lower_text(lowering, file->node, file->content, &content, &is_secret, &pending,
                           err);
        if (r < 0)
                return mr_error_within(err, r, "%s", file->name);
        mr_digest(content, __builtin_strlen(content), digest);
        MrTree *body = mr_tree_new_map();
        mr_tree_set_string(body, "class", class_of(lowering, file->node, NULL));
        mr_tree_set_string(body, "digest", pending ? "pending" : digest);
        mr_manifests_add(lowering->out, (MrManifest){
                                                .kind = "File",
                                                .ns = lowering->ns,
                                                .node = file->node,
                                                .rank = RANK_FILE,
                                                .is_secret = is_secret,
                                                .is_private = file->is_private,
                                                .name = mr_arena_strf(lowering->arena, "%s/%s",
                                                                      file->node, file->name),
                                                .body = body,
                                                .restarts = file->effect == MR_EFFECT_RESTART,
                                                .reloads = file->effect == MR_EFFECT_RELOAD,
                                                .pending = pending,
                                                .payload = content,
                                        });
        return 0;
}

static void warn_about_sharing(Lowering *lowering) {
        const MrParts *parts = lowering->parts;

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                size_t n = 0;
                bool is_first = true;
                if (part->kind != MR_PART_WORKLOAD)
                        continue;
                for (size_t k = 0; k < mr_parts_size(parts); k++) {
                        const MrPart *other = mr_parts_at(parts, k);
                        if (other->kind != MR_PART_WORKLOAD ||
                            !mr_streq(other->workload.group, part->workload.group))
                                continue;
                        is_first = is_first && (n > 0 || k == i);
                        n++;
                }
                if (n > 1 && is_first)
                        mr_manifests_warn(lowering->out, "SharedHost",
                                          "all %zu nodes of %s run on one host, so this is no high "
                                          "availability: they "
                                          "fail together; use one host per node where data matters",
                                          n, part->workload.group);
        }
}

/* Certificates, secrets and settings are the same on every platform; the core lowers them. */
static int lower_part(Lowering *lowering, const MrPart *part, MrError *err) {
        switch (part->kind) {
        case MR_PART_VOLUME:
                lower_volume(lowering, &part->volume);
                return 0;
        case MR_PART_FILE:
                return lower_file(lowering, &part->file, err);
        default:
                return 0;
        }
}

int rhel_lower(const MrPlatformOps *ops _unused_, const char *ns, const MrParts *parts,
               const MrFacts *facts, MrManifests *ret, MrError *err) {
        Lowering lowering = {
                .ns = ns,
                .parts = parts,
                .facts = facts,
                .out = ret,
                .arena = mr_manifests_arena(ret),
        };

        int r = lower_ports(&lowering, err);
        for (size_t i = 0; r >= 0 && i < mr_parts_size(parts); i++)
                r = lower_part(&lowering, mr_parts_at(parts, i), err);
        /* Units come last: their fingerprints cover the files. */
        for (size_t i = 0; r >= 0 && i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_WORKLOAD)
                        r = lower_workload(&lowering, &part->workload, err);
        }
        if (r < 0)
                return r;
        warn_about_sharing(&lowering);
        lower_guard_warn(&lowering);
        lower_warn_of_sizes(&lowering);
        return 0;
}
