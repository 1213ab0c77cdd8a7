/* One node becomes one StatefulSet of one replica. Its pod comes back while the daemon is away, its
 * number may have gaps before it, and its claims are not the set's, so that they can grow. The set
 * never replaces a pod because its template changed: when a node may restart is decided elsewhere.
 */

#include <string.h>

#include "lower.h"

/* A label of the pod is the set's name and a hash of eleven characters. */
#define NAME_MAX_OF_SET 52

static MrTree *set_body(Lowering *lowering, const MrWorkload *workload, MrTree *take_pod) {
        MrTree *body =
                object_new(lowering, "apps/v1", "StatefulSet", workload->node, &workload->tags);
        MrTree *spec = mr_tree_need_map(body, "spec");
        MrTree *metadata = mr_tree_get(body, "metadata");

        mr_tree_set_string(mr_tree_need_map(metadata, "annotations"), ORDER_ANNOTATION,
                           mr_arena_strf(lowering->arena, "%d", workload->order));
        mr_tree_set_int(spec, "replicas", 1);
        mr_tree_set_string(spec, "serviceName", workload->service);
        mr_tree_set_string(spec, "podManagementPolicy", "Parallel");
        mr_tree_set_string(mr_tree_need_map(spec, "updateStrategy"), "type", "OnDelete");
        object_set_labels(mr_tree_need_map(spec, "selector"), "matchLabels", &workload->selector);
        mr_tree_set(spec, "template", take_pod);
        return body;
}

/* Over the template and over the files the process reads only when it starts. */
static void fingerprint_of(MrTree *pod, const NodeFiles *files, char ret[MR_DIGEST_MAX]) {
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(pod, 0, &text);
        mr_buf_printf(&text, "\n%s", files->digest);
        mr_digest(mr_buf_text(&text), text.size, ret);
}

/* For people only: the node itself learns its host where it runs. What they reach may be another
 * address of the machine, which is known to those who may read machines. */
static const char *host_of(const Reached *reached, const MrNodeFact *fact) {
        if (reached->host || !fact || !reached->learned.variable)
                return reached->host;
        return !reached->learned.asked || mr_streq(reached->learned.asked, "address:")
                       ? fact->machine
                       : NULL;
}

static void add_address(Lowering *lowering, const MrWorkload *workload,
                        const MrEndpoint *endpoint) {
        const MrNodeFact *fact = mr_facts_node(lowering->facts, workload->node);
        Reached reached;

        if (!lower_reach(lowering, workload->node, endpoint->name, &reached) || reached.pending)
                return;
        const char *host = host_of(&reached, fact);
        if (host)
                mr_manifests_add_address(lowering->out,
                                         (MrAddress){.node = workload->node,
                                                     .endpoint = endpoint->name,
                                                     .host = host,
                                                     .port = reached.port,
                                                     .at = fact ? fact->address : NULL,
                                                     .at_port = inner_port(endpoint),
                                                     .is_passing = !reached.host});
}

static void add_addresses(Lowering *lowering, const MrWorkload *workload) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_ENDPOINT && mr_streq(part->endpoint.node, workload->node))
                        add_address(lowering, workload, &part->endpoint);
        }
}

static int check_name(const MrWorkload *workload, MrError *err) {
        if (strlen(workload->node) <= NAME_MAX_OF_SET)
                return 0;
        return mr_fail(err, MR_INVALID, "metadata.name",
                       "the node %s would have a name of more than %d characters; use a shorter "
                       "name for the resource",
                       workload->node, NAME_MAX_OF_SET);
}

int lower_workload(Lowering *lowering, const MrWorkload *workload, MrError *err) {
        NodeFiles files = {};
        char fingerprint[MR_DIGEST_MAX];

        int r = check_name(workload, err);
        if (r >= 0)
                r = check_image(lowering, workload, err);
        if (r >= 0)
                r = lower_files(lowering, workload, &files, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", workload->node);
        MrTree *pod = lower_pod(lowering, workload, &files);
        fingerprint_of(pod, &files, fingerprint);
        mr_tree_set_string(mr_tree_need_map(mr_tree_need_map(pod, "metadata"), "annotations"),
                           FINGERPRINT_ANNOTATION, files.pending ? "pending" : fingerprint);
        mr_manifests_add(lowering->out, (MrManifest){.kind = "StatefulSet",
                                                     .ns = lowering->ns,
                                                     .name = workload->node,
                                                     .node = workload->node,
                                                     .rank = RANK_SET,
                                                     .restarts = true,
                                                     .pending = files.pending,
                                                     .body = set_body(lowering, workload, pod)});
        add_addresses(lowering, workload);
        mr_manifests_add_node(lowering->out,
                              (MrNodeWanted){.node = workload->node,
                                             .ns = lowering->ns,
                                             .group = workload->group,
                                             .role = workload->role,
                                             .order = workload->order,
                                             .fingerprint = files.pending ? NULL : fingerprint,
                                             .pending = files.pending});
        return 0;
}
