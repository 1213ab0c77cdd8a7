/* The services, account and firewall of an ensemble, and the tags of everything it has. */

#include "zookeeper.h"

#include "jmx.h"
#include "tags.h"

#define COMPONENT "zookeeper"
#define POD_NAME_LABEL "strimzi.io/pod-name"

static const MrTree *template_of(const Ensemble *ensemble, const char *name) {
        return mr_tree_get(mr_tree_find(ensemble->resource->tree, "spec.zookeeper.template", false),
                           name);
}

static MrTags tags_of(const Ensemble *ensemble, const char *template) {
        MrTags tags = cluster_tags(ensemble->arena, ensemble->resource, NULL, COMPONENT);

        if (template)
                tags.template = template_of(ensemble, template);
        return tags;
}

static bool is_member(const Ensemble *ensemble, const char *name) {
        for (int64_t i = 0; i < ensemble->n; i++)
                if (mr_streq(ensemble_node(ensemble, i), name))
                        return true;
        return false;
}

static const char *name_of(const Ensemble *ensemble, const char *suffix) {
        return mr_arena_strf(ensemble->arena, "%s-" COMPONENT "%s", ensemble->resource->name,
                             suffix);
}

static MrPairs selector_of(const Ensemble *ensemble) {
        return cluster_selector(ensemble->arena, ensemble->resource, COMPONENT);
}

/* --- tags */

static void tag_volume(const Ensemble *ensemble, MrVolume *volume) {
        volume->tags = tags_of(ensemble, "persistentVolumeClaim");
        if (!volume->delete_claim)
                volume->tags.stays = true;
        tags_annotate(ensemble->arena, &volume->tags, "strimzi.io/delete-claim",
                      volume->delete_claim ? "true" : "false");
        volume->storage = mr_tree_find(ensemble->resource->tree, "spec.zookeeper.storage", false);
}

static void tag_workload(const Ensemble *ensemble, MrWorkload *workload) {
        const MrTree *spec = mr_tree_find(ensemble->resource->tree, "spec.zookeeper", false);
        MrArena *arena = ensemble->arena;

        workload->resources = mr_tree_get(spec, "resources");
        workload->image = mr_tree_get_string(spec, "image");
        workload->service = name_of(ensemble, "-nodes");
        workload->account = name_of(ensemble, "");
        workload->selector = selector_of(ensemble);
        mr_pairs_set(arena, &workload->selector, POD_NAME_LABEL, workload->node);
        workload->tags = tags_of(ensemble, "podSet");
        workload->pod_tags = tags_of(ensemble, "pod");
        tags_label(arena, &workload->pod_tags, POD_NAME_LABEL, workload->node);
        workload->pod = template_of(ensemble, "pod");
        workload->container = template_of(ensemble, "zookeeperContainer");
        workload->readiness = mr_tree_get(spec, "readinessProbe");
}

static void tag_guard(const Ensemble *ensemble, MrGuard *guard) {
        guard->selector = selector_of(ensemble);
        guard->tags = tags_of(ensemble, "podDisruptionBudget");
        guard->max_unavailable =
                mr_tree_get_int(guard->tags.template, "maxUnavailable", guard->max_unavailable);
}

static void tag_part(const Ensemble *ensemble, MrPart *part) {
        if (part->kind == MR_PART_VOLUME && is_member(ensemble, part->volume.node))
                tag_volume(ensemble, &part->volume);
        else if (part->kind == MR_PART_WORKLOAD && is_member(ensemble, part->workload.node))
                tag_workload(ensemble, &part->workload);
        else if (part->kind == MR_PART_CERTIFICATE && is_member(ensemble, part->certificate.name))
                part->certificate.tags = tags_of(ensemble, NULL);
        else if (part->kind == MR_PART_SECRET &&
                 mr_streq(part->secret.name, name_of(ensemble, "-jmx")))
                part->secret.tags = tags_of(ensemble, "jmxSecret");
        else if (part->kind == MR_PART_GUARD && mr_streq(part->guard.group, name_of(ensemble, "")))
                tag_guard(ensemble, &part->guard);
}

/* --- services, account and firewall */

static const MrServicePort ports[] = {
        {.name = ZOOKEEPER_CLIENTS, .port = 2181},
        {.name = ZOOKEEPER_CLUSTERING, .port = 2888},
        {.name = ZOOKEEPER_ELECTION, .port = 3888},
        {.name = JMX_ENDPOINT, .port = JMX_PORT},
};
#define N_PORTS 3

static void add_service(const Ensemble *ensemble, const char *suffix, MrReach reach, size_t n_ports,
                        const char *template, MrParts *parts) {
        mr_parts_add(parts, (MrPart){.kind = MR_PART_SERVICE,
                                     .service = {.name = name_of(ensemble, suffix),
                                                 .reach = reach,
                                                 .selector = selector_of(ensemble),
                                                 .ports = ports,
                                                 .n_ports = n_ports,
                                                 .template = template_of(ensemble, template),
                                                 .tags = tags_of(ensemble, template)}});
}

/* Metrics and the like, which everybody may ask for. */
static size_t aside_accesses(const Ensemble *ensemble, const MrParts *parts, MrAccess *ret) {
        size_t n = 0;

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == MR_PART_ENDPOINT && part->endpoint.is_aside &&
                    !part->endpoint.loopback_only &&
                    mr_streq(part->endpoint.node, ensemble_node(ensemble, 0)))
                        ret[n++] = (MrAccess){.port = part->endpoint.port};
        }
        return n;
}

/* Members talk among themselves; brokers and millrace are clients. */
static void add_firewall(const Ensemble *ensemble, MrParts *parts) {
        MrArena *arena = ensemble->arena;
        MrPeer *peers = mr_arena_new_array(arena, MrPeer, 3);
        MrAccess *accesses = mr_arena_new_array(arena, MrAccess, N_PORTS + mr_parts_size(parts));
        size_t n = 0;

        peers[0].labels = selector_of(ensemble);
        mr_pairs_set(arena, &peers[1].labels, "strimzi.io/name",
                     mr_arena_strf(arena, "%s-kafka", ensemble->resource->name));
        mr_pairs_set(arena, &peers[2].labels, "strimzi.io/kind", "cluster-operator");
        peers[2].is_anywhere = true;
        for (size_t i = 1; i < N_PORTS; i++)
                accesses[n++] = (MrAccess){.port = ports[i].port, .peers = peers, .n_peers = 1};
        accesses[n++] = (MrAccess){.port = ports[0].port, .peers = peers, .n_peers = 3};
        n += aside_accesses(ensemble, parts, accesses + n);
        mr_parts_add(
                parts,
                (MrPart){.kind = MR_PART_FIREWALL,
                         .firewall = {.name = mr_arena_strf(arena, "%s-network-policy-" COMPONENT,
                                                            ensemble->resource->name),
                                      .selector = selector_of(ensemble),
                                      .accesses = accesses,
                                      .n_accesses = n,
                                      .tags = tags_of(ensemble, NULL)}});
}

void ensemble_add_objects(const Ensemble *ensemble, MrParts *parts) {
        for (size_t i = 0; i < mr_parts_size(parts); i++)
                tag_part(ensemble, mr_parts_edit(parts, i));
        mr_parts_add(parts, (MrPart){.kind = MR_PART_ACCOUNT,
                                     .account = {.name = name_of(ensemble, ""),
                                                 .tags = tags_of(ensemble, "serviceAccount")}});
        add_service(ensemble, "-client", MR_REACH_INSIDE, 1, "clientService", parts);
        add_service(ensemble, "-nodes", MR_REACH_NODES,
                    jmx_is_reached(ensemble->spec->jmx) ? MR_ELEMENTS(ports) : N_PORTS,
                    "nodesService", parts);
        add_firewall(ensemble, parts);
}
