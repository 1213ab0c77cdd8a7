/* Secrets. The core keeps and describes them; here they become objects.
 *
 * On paper what the core describes is completed, so that it can be read and applied. Where objects
 * are found, each secret has one: a copy of what the core keeps, known by digests. From these a
 * daemon that has lost its memory goes on; see keep.h. */

#include <string.h>

#include "keep.h"

bool lower_is_live(const Lowering *lowering) {
        return mr_tree_get_bool(mr_facts_host(lowering->facts), "live", false);
}

/* One without values only asks for something. */
static bool is_written(const Lowering *lowering, const char *name) {
        const MrResource *secret = mr_facts_resource(lowering->facts, "Secret", name);

        return secret && mr_tree_size(mr_tree_get(secret->tree, "data")) +
                                         mr_tree_size(mr_tree_get(secret->tree, "stringData")) >
                                 0;
}

/* A copy of what is kept. */
static void copy_secret(const Lowering *lowering, const char *name, const MrTags *tags) {
        MrStrings keys = mr_facts_secret_keys(lowering->facts, name, lowering->arena);
        _cleanup_(mr_tree_freep) MrTree *values = mr_tree_new_map();
        _cleanup_(mr_buf_wipe) MrBuf payload = {};

        /* One that a user wrote is there already. */
        if (mr_manifests_find(lowering->out, SECRET_OBJECT, lowering->ns, name) ||
            is_written(lowering, name))
                return;
        MrTree *body = object_new(lowering, "v1", "Secret", name, tags);
        mr_tree_set_string(body, "type", "Opaque");
        mr_tree_set_string(mr_tree_need_map(mr_tree_get(body, "metadata"), "annotations"),
                           KEPT_ANNOTATION,
                           lower_keep_note(lowering->facts, lowering->ns, name, lowering->arena));
        for (size_t i = 0; i < keys.n; i++) {
                const char *text = mr_facts_secret(lowering->facts, name, keys.items[i]);
                char digest[MR_DIGEST_MAX];
                mr_digest(text, strlen(text), digest);
                mr_tree_set_string(mr_tree_need_map(body, "digests"), keys.items[i], digest);
                mr_tree_set_string(values, keys.items[i], text);
        }
        mr_json_write(values, 0, &payload);
        mr_manifests_add(
                lowering->out,
                (MrManifest){
                        .kind = SECRET_OBJECT,
                        .ns = lowering->ns,
                        .name = name,
                        .rank = RANK_SHARED,
                        .is_secret = true,
                        .pending = keys.n > 0 ? NULL
                                              : mr_arena_strf(lowering->arena, "secret %s", name),
                        .payload = mr_buf_text(&payload),
                        .body = body,
                });
}

/* The core has described the secret; here it becomes an object. One that somebody else made is left
 * as it is. */
static void fill_secret(const Lowering *lowering, const char *name, const MrTags *tags) {
        const MrManifest *manifest = mr_manifests_find(lowering->out, "Secret", lowering->ns, name);

        if (lower_is_live(lowering)) {
                copy_secret(lowering, name, tags);
                return;
        }
        /* Several parts may be of one secret. */
        if (!manifest || mr_tree_get(manifest->body, "metadata"))
                return;
        mr_tree_remove(manifest->body, "labels"); /* an object's are in its metadata */
        object_fill(lowering, manifest->body, "v1", "Secret", name, tags);
        mr_tree_set_string(manifest->body, "type", "Opaque");
}

/* An authority has two secrets, one with what everybody may know. */
static void fill_authority(const Lowering *lowering, const MrCertificate *certificate) {
        const char *name = mr_arena_strf(lowering->arena, "%s-cert", certificate->name);
        MrTags of_key = certificate->tags;

        /* What a user adds is for those who read certificates. */
        of_key.template = NULL;
        if (lower_is_live(lowering)) {
                copy_secret(lowering, certificate->name, &of_key);
                copy_secret(lowering, name, &certificate->tags);
                return;
        }
        fill_secret(lowering, certificate->name, &of_key);
        if (!mr_manifests_find(lowering->out, "Secret", lowering->ns, certificate->name))
                return;
        MrTree *body = object_new(lowering, "v1", "Secret", name, &certificate->tags);
        mr_tree_set_string(body, "type", "Opaque");
        mr_manifests_add(lowering->out, (MrManifest){.kind = "Secret",
                                                     .ns = lowering->ns,
                                                     .name = name,
                                                     .rank = RANK_SHARED,
                                                     .body = body});
}

int kubernetes_lower_secrets(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                             const MrFacts *facts, MrManifests *ret, MrError *err _unused_) {
        Lowering lowering = lowering_of(ops->flavor, ns, parts, facts, ret);

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_SECRET)
                        fill_secret(&lowering, part->secret.name, &part->secret.tags);
                else if (part->kind == MR_PART_TRUST)
                        fill_secret(&lowering, part->trust.name, &part->trust.tags);
                else if (part->kind == MR_PART_CERTIFICATE && part->certificate.authority)
                        fill_secret(&lowering, part->certificate.name, &part->certificate.tags);
                else if (part->kind == MR_PART_CERTIFICATE)
                        fill_authority(&lowering, &part->certificate);
        }
        return 0;
}
