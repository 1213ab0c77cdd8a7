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

Lowering lowering_of(const Flavor *flavor, const char *ns, const MrParts *parts,
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
