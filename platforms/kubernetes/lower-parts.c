/* Each part becomes its objects; what several parts say of one node is gathered in its set. */

#include <string.h>

#include "lower.h"

const MrExcept kubernetes_except[] = {
        {"networkPolicyPeers", true},
        {"selector", true},
        {"volumeAttributesClass", true},
        {"livenessProbe", false,
         "a container ends when its process ends, and a probe could only end one that is busy"},
        {"useServiceDnsDomain", true},
        {"claims", false,
         "they choose among the devices of a pod, and nothing in a resource gives it any"},
        {"brokerRackInitImage", false,
         "pods are told the rack of their machine, or the launcher's image finds it out"},
        {},
};

const MrIgnored kubernetes_ignored[] = {
        {MR_CLASS, "the cluster reads its storage classes itself"},
        {},
};

int kubernetes_open(const MrPlatformOps *ops, const MrPlatformArgs *args _unused_,
                    MrPlatform **ret _unused_, MrError *err) {
        const Flavor *flavor = ops->flavor;

        return mr_fail(err, MR_INVALID, "platform",
                       "%s is only planned for on paper yet; use millctl plan --platform %s -f "
                       "FILE, or the platform rhel-baremetal",
                       flavor->name, flavor->plugin);
}

static void lower_part(Lowering *lowering, const MrPart *part) {
        switch (part->kind) {
        case MR_PART_VOLUME:
                lower_volume(lowering, &part->volume);
                break;
        case MR_PART_SERVICE:
                lower_service(lowering, &part->service);
                break;
        case MR_PART_FIREWALL:
                lower_firewall(lowering, &part->firewall);
                break;
        case MR_PART_ACCOUNT:
                lower_account(lowering, &part->account);
                break;
        case MR_PART_GUARD:
                lower_guard(lowering, &part->guard);
                break;
        default:
                break;
        }
}

static Lowering lowering_of(const Flavor *flavor, const char *ns, const MrParts *parts,
                            const MrFacts *facts, MrManifests *out) {
        return (Lowering){
                .flavor = flavor,
                .ns = ns,
                .parts = parts,
                .facts = facts,
                .out = out,
                .arena = mr_manifests_arena(out),
        };
}

int kubernetes_lower(const MrPlatformOps *ops, const char *ns, const MrParts *parts,
                     const MrFacts *facts, MrManifests *ret, MrError *err) {
        Lowering lowering = lowering_of(ops->flavor, ns, parts, facts, ret);

        for (size_t i = 0; i < mr_parts_size(parts); i++)
                lower_part(&lowering, mr_parts_at(parts, i));
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                int r = part->kind == MR_PART_WORKLOAD
                                ? lower_workload(&lowering, &part->workload, err)
                                : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The core has described the secret; here it becomes an object. One that somebody else made is left
 * as it is. */
static void fill_secret(const Lowering *lowering, const char *name, const MrTags *tags) {
        const MrManifest *manifest = mr_manifests_find(lowering->out, "Secret", lowering->ns, name);

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

        fill_secret(lowering, certificate->name, &certificate->tags);
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
