/* The containers of a pod: one with the process, and before it one that brings the launcher. */

#include "lower.h"

/* Where the settings name no other. */
#define LAUNCHER_IMAGE "millrace/launcher:" MILLRACE_VERSION
#define LAUNCHER "/usr/libexec/millrace/millrace-launch"
#define PLACE "/usr/libexec/millrace/millrace-place"

/* Nothing a process of ours does needs more than this. */
static MrTree *security(void) {
        MrTree *context = mr_tree_new_map();
        MrTree *dropped = mr_tree_need_list(mr_tree_need_map(context, "capabilities"), "drop");

        mr_tree_append(dropped, mr_tree_new_string("ALL"));
        mr_tree_set_bool(context, "allowPrivilegeEscalation", false);
        mr_tree_set_bool(context, "readOnlyRootFilesystem", true);
        return context;
}

static MrTree *add_mount(MrTree *container, const char *name, const char *path, bool is_read_only) {
        MrTree *mount =
                mr_tree_append(mr_tree_need_list(container, "volumeMounts"), mr_tree_new_map());

        mr_tree_set_string(mount, "name", name);
        mr_tree_set_string(mount, "mountPath", path);
        if (is_read_only)
                mr_tree_set_bool(mount, "readOnly", true);
        return mount;
}

static MrTree *container_new(const char *name, const char *image) {
        MrTree *container = mr_tree_new_map();

        mr_tree_set_string(container, "name", name);
        mr_tree_set_string(container, "image", image);
        mr_tree_set(container, "securityContext", security());
        return container;
}

/* What a user asks for comes after ours, and a variable or mount of the same name is theirs. */
static void add_asked(MrTree *container, const MrTree *asked, const char *key) {
        const MrTree *list = mr_tree_get(asked, key);

        for (size_t i = 0; i < mr_tree_size(list); i++)
                mr_tree_append(mr_tree_need_list(container, key),
                               mr_tree_copy(mr_tree_at(list, i)));
}

static void apply_asked(MrTree *container, const MrTree *asked) {
        add_asked(container, asked, "env");
        add_asked(container, asked, "volumeMounts");
        object_copy(container, asked, "securityContext");
}

static void set_amount(MrTree *container, const char *key, const char *name, const char *text) {
        MrTree *resources = mr_tree_need_map(container, "resources");

        mr_tree_set_string(mr_tree_need_map(resources, key), name, text);
}

static void copy_amount(MrTree *container, const char *key, const char *name,
                        const MrTree *amount) {
        _cleanup_buf_ MrBuf text = {};

        if (!mr_streq(name, "memory") && !mr_streq(name, "cpu") &&
            mr_tree_type(amount) != MR_TREE_NULL && mr_tree_text(amount, &text))
                set_amount(container, key, name, mr_buf_text(&text));
}

/* What only machines of a cluster tell apart. */
static void copy_amounts(const MrWorkload *workload, MrTree *container) {
        static const char *const sides[] = {"limits", "requests"};

        for (size_t i = 0; i < MR_ELEMENTS(sides); i++) {
                const MrTree *amounts = mr_tree_get(workload->resources, sides[i]);
                for (size_t k = 0; k < mr_tree_size(amounts); k++)
                        copy_amount(container, sides[i], mr_tree_key(amounts, k),
                                    mr_tree_at(amounts, k));
        }
}

static void set_resources(const Lowering *lowering, const MrWorkload *workload, MrTree *container) {
        MrArena *arena = lowering->arena;

        if (workload->memory_limit > 0)
                set_amount(container, "limits", "memory",
                           bytes_text(arena, workload->memory_limit));
        if (workload->cpu_limit > 0)
                set_amount(container, "limits", "cpu", milli_text(arena, workload->cpu_limit));
        if (workload->memory_request > 0)
                set_amount(container, "requests", "memory",
                           bytes_text(arena, workload->memory_request));
        if (workload->cpu_request > 0)
                set_amount(container, "requests", "cpu", milli_text(arena, workload->cpu_request));
        copy_amounts(workload, container);
}

static void set_ports(const Lowering *lowering, const MrWorkload *workload, MrTree *container) {
        MrTree *ports = mr_tree_need_list(container, "ports");

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_ENDPOINT || part->endpoint.loopback_only ||
                    !mr_streq(part->endpoint.node, workload->node))
                        continue;
                MrTree *entry = mr_tree_append(ports, mr_tree_new_map());
                mr_tree_set_string(entry, "name", part->endpoint.name);
                mr_tree_set_int(entry, "containerPort", inner_port(&part->endpoint));
                mr_tree_set_string(entry, "protocol", "TCP");
        }
}

static void set_check(MrTree *probe) {
        static const char *const command[] = {RUN_DIRECTORY "/launch", "--ready", NODE_DIRECTORY};
        MrTree *list = mr_tree_need_list(mr_tree_need_map(probe, "exec"), "command");

        for (size_t i = 0; i < MR_ELEMENTS(command); i++)
                mr_tree_append(list, mr_tree_new_string(command[i]));
        mr_tree_set_int(probe, "timeoutSeconds", 5);
}

/* Whether its ports are bound is all a node can tell of itself; the rest is judged by who knows
 * them all. A container lives as long as its process, so there is no check of that, which could
 * only end a node that is busy. While it starts it is looked at often, so that a roll does not wait
 * for the next look, and for a day, since no start is too slow. */
static void set_probes(const MrWorkload *workload, MrTree *container) {
        static const char *const keys[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                                           "successThreshold", "failureThreshold"};
        MrTree *ready = mr_tree_need_map(container, "readinessProbe"),
               *started = mr_tree_need_map(container, "startupProbe");

        set_check(ready);
        for (size_t i = 0; i < MR_ELEMENTS(keys); i++)
                object_copy(ready, workload->readiness, keys[i]);
        set_check(started);
        mr_tree_set_int(started, "periodSeconds", 2);
        mr_tree_set_int(started, "failureThreshold", 43200);
}

static void set_mounts(const Lowering *lowering, const MrWorkload *workload, MrTree *container) {
        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_VOLUME && mr_streq(part->volume.node, workload->node))
                        add_mount(container, part->volume.name,
                                  lower_volume_path(lowering, &part->volume), false);
        }
        add_mount(container, "node", NODE_DIRECTORY, true);
        add_mount(container, "run", RUN_DIRECTORY, false);
        add_mount(container, "tmp", "/tmp", false);
}

static const MrTree *images_of(const Lowering *lowering, const MrWorkload *workload) {
        return mr_tree_get(mr_tree_get(mr_facts_host(lowering->facts), "images"),
                           workload->software);
}

/* Whoever says which images there are says so of all versions. */
int check_image(const Lowering *lowering, const MrWorkload *workload, MrError *err) {
        const MrTree *images = images_of(lowering, workload);
        _cleanup_buf_ MrBuf known = {};

        if (workload->image || !images || mr_tree_get_string(images, workload->version))
                return 0;
        for (size_t i = 0; i < mr_tree_size(images); i++)
                mr_buf_printf(&known, "%s%s", i > 0 ? ", " : "", mr_tree_key(images, i));
        return mr_fail(
                err, MR_INVALID, NULL,
                "the settings of the platform name no image of %s %s, only of %s; use one of "
                "these versions, or name an image",
                workload->software, workload->version, mr_buf_text(&known));
}

static const char *image_of(const Lowering *lowering, const MrWorkload *workload) {
        const char *named = mr_tree_get_string(images_of(lowering, workload), workload->version);

        if (workload->image || named)
                return workload->image ? workload->image : named;
        return mr_arena_strf(lowering->arena, "apache/%s:%s", workload->software,
                             workload->version);
}

MrTree *lower_container(Lowering *lowering, const MrWorkload *workload) {
        MrTree *container = container_new(workload->role, image_of(lowering, workload));
        MrTree *command = mr_tree_need_list(container, "command");

        mr_tree_append(command, mr_tree_new_string(RUN_DIRECTORY "/launch"));
        mr_tree_append(command, mr_tree_new_string(NODE_DIRECTORY));
        mr_tree_append(command, mr_tree_new_string(RUN_DIRECTORY));
        set_ports(lowering, workload, container);
        set_resources(lowering, workload, container);
        set_probes(workload, container);
        set_mounts(lowering, workload, container);
        place_add_variables(lowering, workload, container);
        apply_asked(container, workload->container);
        return container;
}

static const char *launcher_image(const Lowering *lowering) {
        const char *image = mr_tree_get_string(mr_facts_host(lowering->facts), "launcher_image");

        return image ? image : LAUNCHER_IMAGE;
}

MrTree *lower_place_container(Lowering *lowering, const MrWorkload *workload) {
        MrTree *container = container_new("place", launcher_image(lowering));
        MrTree *command = mr_tree_need_list(container, "command");

        mr_tree_append(command, mr_tree_new_string(PLACE));
        place_add_arguments(lowering, workload, command);
        object_set_field(container, "NODE_NAME", "spec.nodeName");
        add_mount(container, "run", RUN_DIRECTORY, false);
        add_mount(container, "api", ACCOUNT_DIRECTORY, true);
        apply_asked(container, workload->init);
        return container;
}

MrTree *lower_init_container(Lowering *lowering, const MrWorkload *workload) {
        MrTree *container = container_new("launcher", launcher_image(lowering));
        MrTree *command = mr_tree_need_list(container, "command");

        mr_tree_append(command, mr_tree_new_string(LAUNCHER));
        mr_tree_append(command, mr_tree_new_string("--copy"));
        mr_tree_append(command, mr_tree_new_string(RUN_DIRECTORY "/launch"));
        add_mount(container, "run", RUN_DIRECTORY, false);
        apply_asked(container, workload->init);
        return container;
}
