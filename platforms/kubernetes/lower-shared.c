/* What the nodes of one set have together: an account, a firewall, a budget of disruption. And the
 * claims of a node. */

#include "lower.h"

static void add_shared(Lowering *lowering, const char *kind, const char *name, MrTree *body) {
        mr_manifests_add(lowering->out, (MrManifest){.kind = kind,
                                                     .ns = lowering->ns,
                                                     .name = name,
                                                     .rank = RANK_SHARED,
                                                     .body = body});
}

static bool has_asking_node(Lowering *lowering, const MrAccount *account) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_WORKLOAD &&
                    mr_streq(part->workload.account, account->name) &&
                    place_asks(lowering, part->workload.node))
                        return true;
        }
        return false;
}

static void set_resource(MrTree *body, const MrResource *owner) {
        MrTree *metadata = mr_tree_get(body, "metadata");
        _cleanup_free_ char *key = mr_resource_key(owner->kind->name, owner->ns, owner->name);

        mr_tree_set_string(mr_tree_need_map(metadata, "annotations"), RESOURCE_ANNOTATION, key);
}

/* The right to read machines is one across the cluster; so what grants it is in no namespace, and
 * nothing in one can own it. */
static void lower_binding(Lowering *lowering, const MrAccount *account) {
        static const char rights[] = "rbac.authorization.k8s.io";
        MrTags tags = account->binding_tags;
        const MrResource *owner = tags.owner;

        tags.owner = NULL;
        MrTree *body = object_new(lowering, "rbac.authorization.k8s.io/v1", "ClusterRoleBinding",
                                  account->binding, &tags);
        if (owner)
                set_resource(body, owner);
        MrTree *role = mr_tree_need_map(body, "roleRef");
        MrTree *subject = mr_tree_append(mr_tree_need_list(body, "subjects"), mr_tree_new_map());
        mr_tree_remove(mr_tree_get(body, "metadata"), "namespace");
        mr_tree_set_string(role, "apiGroup", rights);
        mr_tree_set_string(role, "kind", "ClusterRole");
        mr_tree_set_string(role, "name", "millrace-machine-reader");
        mr_tree_set_string(subject, "kind", "ServiceAccount");
        mr_tree_set_string(subject, "name", account->name);
        mr_tree_set_string(subject, "namespace", lowering->ns);
        add_shared(lowering, "ClusterRoleBinding", account->binding, body);
}

/* Nodes ask the API for nothing, and no token of their account reaches them. It has a right only
 * where it must be asked on which machine they are. */
void lower_account(Lowering *lowering, const MrAccount *account) {
        MrTree *body = object_new(lowering, "v1", "ServiceAccount", account->name, &account->tags);

        add_shared(lowering, "ServiceAccount", account->name, body);
        if (account->binding && has_asking_node(lowering, account))
                lower_binding(lowering, account);
}

void lower_guard(Lowering *lowering, const MrGuard *guard) {
        MrTree *body = object_new(lowering, "policy/v1", "PodDisruptionBudget", guard->group,
                                  &guard->tags);
        MrTree *spec = mr_tree_need_map(body, "spec");

        mr_tree_set_int(spec, "maxUnavailable", guard->max_unavailable);
        object_set_labels(mr_tree_need_map(spec, "selector"), "matchLabels", &guard->selector);
        add_shared(lowering, "PodDisruptionBudget", guard->group, body);
}

static void add_peer(MrTree *from, const MrPeer *peer) {
        MrTree *entry = mr_tree_append(from, mr_tree_new_map());

        object_set_labels(mr_tree_need_map(entry, "podSelector"), "matchLabels", &peer->labels);
        if (peer->is_anywhere)
                mr_tree_need_map(entry, "namespaceSelector");
}

static void add_access(MrTree *ingress, const MrAccess *access) {
        MrTree *rule = mr_tree_append(ingress, mr_tree_new_map());
        MrTree *port = mr_tree_append(mr_tree_need_list(rule, "ports"), mr_tree_new_map());

        mr_tree_set_int(port, "port", access->port);
        mr_tree_set_string(port, "protocol", "TCP");
        for (size_t i = 0; i < access->n_peers; i++)
                add_peer(mr_tree_need_list(rule, "from"), &access->peers[i]);
        for (size_t i = 0; i < mr_tree_size(access->asked); i++)
                mr_tree_append(mr_tree_need_list(rule, "from"),
                               mr_tree_copy(mr_tree_at(access->asked, i)));
}

void lower_firewall(Lowering *lowering, const MrFirewall *firewall) {
        MrTree *body = object_new(lowering, "networking.k8s.io/v1", "NetworkPolicy", firewall->name,
                                  &firewall->tags);
        MrTree *spec = mr_tree_need_map(body, "spec"),
               *ingress = mr_tree_need_list(spec, "ingress");

        object_set_labels(mr_tree_need_map(spec, "podSelector"), "matchLabels",
                          &firewall->selector);
        mr_tree_append(mr_tree_need_list(spec, "policyTypes"), mr_tree_new_string("Ingress"));
        for (size_t i = 0; i < firewall->n_accesses; i++)
                add_access(ingress, &firewall->accesses[i]);
        add_shared(lowering, "NetworkPolicy", firewall->name, body);
}

/* Whose the data is. It outlives everything else that knows. */
static void set_identity(MrTree *body, const MrVolume *volume) {
        _cleanup_(mr_tree_freep) MrTree *identity = mr_volume_identity(volume);
        MrTree *metadata = mr_tree_get(body, "metadata");
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_string(identity, "node", volume->node);
        mr_json_write(identity, 0, &text);
        mr_tree_set_string(mr_tree_need_map(metadata, "annotations"), IDENTITY_ANNOTATION,
                           mr_buf_text(&text));
}

void lower_volume(Lowering *lowering, const MrVolume *volume) {
        if (volume->is_ephemeral)
                return;
        MrTree *body =
                object_new(lowering, "v1", "PersistentVolumeClaim", volume->claim, &volume->tags);
        MrTree *spec = mr_tree_need_map(body, "spec");
        MrTree *requests = mr_tree_need_map(mr_tree_need_map(spec, "resources"), "requests");
        const MrTree *selector = mr_tree_get(volume->storage, "selector");

        set_identity(body, volume);
        mr_tree_append(mr_tree_need_list(spec, "accessModes"), mr_tree_new_string("ReadWriteOnce"));
        mr_tree_set_string(requests, "storage", bytes_text(lowering->arena, volume->size));
        mr_tree_set_string(spec, "storageClassName", volume->storage_class);
        mr_tree_set_string(spec, "volumeAttributesClassName",
                           mr_tree_get_string(volume->storage, "volumeAttributesClass"));
        if (mr_tree_size(selector) > 0)
                mr_tree_set(mr_tree_need_map(spec, "selector"), "matchLabels",
                            mr_tree_copy(selector));
        mr_manifests_add(lowering->out, (MrManifest){.kind = "PersistentVolumeClaim",
                                                     .ns = lowering->ns,
                                                     .name = volume->claim,
                                                     .node = volume->node,
                                                     .rank = RANK_CLAIM,
                                                     .keep = !volume->delete_claim,
                                                     .body = body});
}
