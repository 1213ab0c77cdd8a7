/* The template of a node's pod. */

#include <string.h>

#include "lower.h"

#define MACHINE_LABEL "kubernetes.io/hostname"

/* Keys of a user's template that go into the pod as they are. */
static const char *const passed[] = {
        "affinity",           "dnsConfig",
        "dnsPolicy",          "hostAliases",
        "hostUsers",          "imagePullSecrets",
        "priorityClassName",  "schedulerName",
        "securityContext",    "terminationGracePeriodSeconds",
        "tolerations",        "topologySpreadConstraints",
        "enableServiceLinks",
};
/* Keys that are read elsewhere. */
static const char *const known[] = {"metadata", "tmpDirSizeLimit", "volumes", "templatedVolumes"};

static bool is_one_of(const char *key, const char *const *keys, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (mr_streq(key, keys[i]))
                        return true;
        return false;
}

static void apply_asked(Lowering *lowering, const MrWorkload *workload, MrTree *spec) {
        for (size_t i = 0; i < mr_tree_size(workload->pod); i++) {
                const char *key = mr_tree_key(workload->pod, i);
                if (is_one_of(key, passed, MR_ELEMENTS(passed)))
                        object_copy(spec, workload->pod, key);
                else if (!is_one_of(key, known, MR_ELEMENTS(known)))
                        mr_manifests_warn(lowering->out, "NotYet",
                                          "template.pod.%s has no effect on %s yet", key,
                                          workload->node);
        }
}

static MrTree *add_volume(MrTree *volumes, const char *name) {
        MrTree *volume = mr_tree_append(volumes, mr_tree_new_map());

        mr_tree_set_string(volume, "name", name);
        return volume;
}

static void add_storage(const Lowering *lowering, const MrVolume *part, MrTree *volumes) {
        MrTree *volume = add_volume(volumes, part->name);

        if (!part->is_ephemeral) {
                mr_tree_set_string(mr_tree_need_map(volume, "persistentVolumeClaim"), "claimName",
                                   part->claim);
                return;
        }
        MrTree *directory = mr_tree_need_map(volume, "emptyDir");
        if (part->size > 0)
                mr_tree_set_string(directory, "sizeLimit", bytes_text(lowering->arena, part->size));
}

/* The source of a projected volume with the given object, made when it is not there. */
static MrTree *source_of(MrTree *sources, const char *kind, const char *name) {
        for (size_t i = 0; i < mr_tree_size(sources); i++) {
                MrTree *source = mr_tree_get(mr_tree_at(sources, i), kind);
                if (mr_streq(mr_tree_get_string(source, "name"), name))
                        return source;
        }
        MrTree *source = mr_tree_need_map(mr_tree_append(sources, mr_tree_new_map()), kind);
        mr_tree_set_string(source, "name", name);
        return source;
}

/* All files of a node in one directory, wherever they are kept. */
static void add_files(const MrWorkload *workload, const NodeFiles *files, MrTree *volumes) {
        MrTree *projected = mr_tree_need_map(add_volume(volumes, "node"), "projected");
        MrTree *sources = mr_tree_need_list(projected, "sources");

        for (size_t i = 0; i < files->n; i++) {
                const NodeFile *file = &files->items[i];
                MrTree *source = file->secret ? source_of(sources, "secret", file->secret)
                                              : source_of(sources, "configMap", workload->node);
                MrTree *item =
                        mr_tree_append(mr_tree_need_list(source, "items"), mr_tree_new_map());
                mr_tree_set_string(item, "key", file->secret ? file->key : file->name);
                mr_tree_set_string(item, "path", file->name);
        }
}

static void add_scratch(const MrWorkload *workload, MrTree *volumes) {
        const char *limit = mr_tree_get_string(workload->pod, "tmpDirSizeLimit");
        MrTree *directory = mr_tree_need_map(add_volume(volumes, "tmp"), "emptyDir");

        mr_tree_set_string(directory, "medium", "Memory");
        mr_tree_set_string(directory, "sizeLimit", limit ? limit : "5Mi");
        mr_tree_need_map(add_volume(volumes, "run"), "emptyDir");
}

/* A token for the container that asks about the machine, and whom to trust: what the API would
 * mount into all containers of a pod. */
static void add_account(MrTree *volumes) {
        MrTree *projected = mr_tree_need_map(add_volume(volumes, "api"), "projected");
        MrTree *sources = mr_tree_need_list(projected, "sources");
        MrTree *token =
                mr_tree_need_map(mr_tree_append(sources, mr_tree_new_map()), "serviceAccountToken");
        MrTree *authority = source_of(sources, "configMap", "kube-root-ca.crt");
        MrTree *item = mr_tree_append(mr_tree_need_list(authority, "items"), mr_tree_new_map());

        mr_tree_set_string(token, "path", "token");
        mr_tree_set_int(token, "expirationSeconds", 3607);
        mr_tree_set_string(item, "key", "ca.crt");
        mr_tree_set_string(item, "path", "ca.crt");
}

static const char *filled_text(const Lowering *lowering, const MrWorkload *workload,
                               const char *text) {
        static const char id[] = "{nodeId}", pod[] = "{nodePodName}";
        _cleanup_buf_ MrBuf out = {};

        while (*text) {
                if (mr_starts_with(text, id)) {
                        mr_buf_printf(&out, "%lld", (long long) workload->node_id);
                        text += strlen(id);
                } else if (mr_starts_with(text, pod)) {
                        mr_buf_puts(&out, workload->node);
                        text += strlen(pod);
                } else
                        mr_buf_putc(&out, *text++);
        }
        return mr_arena_strdup(lowering->arena, mr_buf_text(&out));
}

/* A copy in which every text is that of this node. */
static MrTree *filled(const Lowering *lowering, const MrWorkload *workload, const MrTree *tree) {
        MrTreeType type = mr_tree_type(tree);
        MrTree *copy = type == MR_TREE_MAP    ? mr_tree_new_map()
                       : type == MR_TREE_LIST ? mr_tree_new_list()
                                              : NULL;

        if (type == MR_TREE_STRING)
                return mr_tree_new_string(filled_text(lowering, workload, mr_tree_string(tree)));
        for (size_t i = 0; copy && i < mr_tree_size(tree); i++) {
                MrTree *value = filled(lowering, workload, mr_tree_at(tree, i));
                if (type == MR_TREE_MAP)
                        mr_tree_set(copy, mr_tree_key(tree, i), value);
                else
                        mr_tree_append(copy, value);
        }
        return copy ? copy : mr_tree_copy(tree);
}

static void add_volumes(Lowering *lowering, const MrWorkload *workload, const NodeFiles *files,
                        MrTree *spec) {
        MrTree *volumes = mr_tree_need_list(spec, "volumes");
        const MrTree *asked = mr_tree_get(workload->pod, "volumes");
        const MrTree *templated = mr_tree_get(workload->pod, "templatedVolumes");

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_VOLUME && mr_streq(part->volume.node, workload->node))
                        add_storage(lowering, &part->volume, volumes);
        }
        add_files(workload, files, volumes);
        add_scratch(workload, volumes);
        if (place_asks(lowering, workload->node))
                add_account(volumes);
        for (size_t i = 0; i < mr_tree_size(asked); i++)
                mr_tree_append(volumes, mr_tree_copy(mr_tree_at(asked, i)));
        for (size_t i = 0; i < mr_tree_size(templated); i++)
                mr_tree_append(volumes, filled(lowering, workload, mr_tree_at(templated, i)));
}

static const MrGuard *guard_of(const Lowering *lowering, const MrWorkload *workload) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_GUARD && mr_streq(part->guard.group, workload->group))
                        return &part->guard;
        }
        return NULL;
}

static void spread_over(const MrGuard *guard, const char *key, MrTree *constraints) {
        MrTree *constraint = mr_tree_append(constraints, mr_tree_new_map());

        mr_tree_set_int(constraint, "maxSkew", 1);
        mr_tree_set_string(constraint, "topologyKey", key);
        mr_tree_set_string(constraint, "whenUnsatisfiable", "ScheduleAnyway");
        object_set_labels(mr_tree_need_map(constraint, "labelSelector"), "matchLabels",
                          &guard->selector);
}

/* A scheduler keeps pods of one set apart. Here each has a set of its own, so it is told which
 * belong together: not two on a machine when there is another one, and where nodes say in which
 * rack they are, not two in a rack. Other zones are for users to say: with a label that machines
 * lack, nothing at all would be kept apart. */
static void spread(Lowering *lowering, const MrWorkload *workload, MrTree *spec) {
        _cleanup_(mr_tree_freep) MrTree *labels = place_labels(lowering, workload);
        const MrGuard *guard = guard_of(lowering, workload);

        if (!guard)
                return;
        MrTree *constraints = mr_tree_need_list(spec, "topologySpreadConstraints");
        spread_over(guard, MACHINE_LABEL, constraints);
        for (size_t i = 0; i < mr_tree_size(labels); i++)
                if (!mr_streq(mr_tree_key(labels, i), MACHINE_LABEL))
                        spread_over(guard, mr_tree_key(labels, i), constraints);
}

/* Where the API does not assign users itself, a process runs as one without a name or rights, and
 * owns its volumes by their group. */
static MrTree *security(const Lowering *lowering) {
        MrTree *context = mr_tree_new_map();

        mr_tree_set_bool(context, "runAsNonRoot", true);
        mr_tree_set_string(mr_tree_need_map(context, "seccompProfile"), "type", "RuntimeDefault");
        if (lowering->flavor->assigns_users)
                return context;
        mr_tree_set_int(context, "runAsUser", 1000);
        mr_tree_set_int(context, "runAsGroup", 1000);
        mr_tree_set_int(context, "fsGroup", 1000);
        mr_tree_set_string(context, "fsGroupChangePolicy", "OnRootMismatch");
        return context;
}

MrTree *lower_pod(Lowering *lowering, const MrWorkload *workload, const NodeFiles *files) {
        MrTree *template = mr_tree_new_map(), *spec = mr_tree_need_map(template, "spec");

        object_set_tags(lowering, mr_tree_need_map(template, "metadata"), &workload->pod_tags);
        mr_tree_set_string(spec, "serviceAccountName", workload->account);
        mr_tree_set_bool(spec, "automountServiceAccountToken", false);
        mr_tree_set_int(spec, "terminationGracePeriodSeconds", workload->stop_timeout_sec);
        mr_tree_set(spec, "securityContext", security(lowering));
        MrTree *before = mr_tree_need_list(spec, "initContainers");
        if (place_asks(lowering, workload->node))
                mr_tree_append(before, lower_place_container(lowering, workload));
        mr_tree_append(before, lower_init_container(lowering, workload));
        mr_tree_append(mr_tree_need_list(spec, "containers"), lower_container(lowering, workload));
        add_volumes(lowering, workload, files, spec);
        spread(lowering, workload, spec);
        apply_asked(lowering, workload, spec);
        place_require_labels(lowering, workload, spec);
        return template;
}
