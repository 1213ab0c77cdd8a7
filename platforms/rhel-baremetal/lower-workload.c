/* One node becomes one unit: the typed properties from which millrace-hostd renders drop-in and
 * launch description, and the fingerprint that decides about restarts. */

#include <inttypes.h>
#include <string.h>

#include "lower.h"
#include "names.h"
#include "str.h"

static int set_texts(Lowering *lowering, const char *node, MrTree *properties, const char *key,
                     const MrStrings *texts, MrError *err) {
        MrTree *list = mr_tree_need_list(properties, key);

        for (size_t i = 0; i < texts->n; i++) {
                const char *text;
                int r = lower_text(lowering, node, texts->items[i], &text, NULL, NULL, err);
                if (r < 0)
                        return mr_error_within(err, r, "%s[%zu]", key, i);
                mr_tree_append(list, mr_tree_new_string(text));
        }
        return 0;
}

static int set_pairs(Lowering *lowering, const char *node, MrTree *properties, const char *key,
                     const MrPairs *pairs, MrError *err) {
        MrTree *map = mr_tree_need_map(properties, key);

        for (size_t i = 0; i < pairs->n; i++) {
                const char *name, *value;
                int r = lower_text(lowering, node, pairs->items[i].key, &name, NULL, NULL, err);
                if (r >= 0)
                        r = lower_text(lowering, node, pairs->items[i].value, &value, NULL, NULL,
                                       err);
                if (r < 0)
                        return mr_error_within(err, r, "%s[%s]", key, pairs->items[i].key);
                mr_tree_set_string(map, name, value);
        }
        return 0;
}

/* What the disks of the node must show once they hold data. */
static void set_markers(Lowering *lowering, const char *node, MrTree *properties) {
        MrTree *list = mr_tree_need_list(properties, "markers");

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_VOLUME || !mr_streq(part->volume.node, node) ||
                    !part->volume.marker)
                        continue;
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(entry, "volume", part->volume.name);
                mr_tree_set_string(entry, "path", part->volume.marker);
                MrTree *lines = mr_tree_need_list(entry, "lines");
                for (size_t k = 0; k < part->volume.marker_lines.n; k++)
                        mr_tree_append(lines,
                                       mr_tree_new_string(part->volume.marker_lines.items[k]));
        }
}

static const char *volumes_problem(Lowering *lowering, const char *node) {
        const char *problem = NULL;

        for (size_t i = 0; i < mr_parts_size(lowering->parts) && !problem; i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind == MR_PART_VOLUME && mr_streq(part->volume.node, node))
                        problem = lower_volume_problem(lowering, &part->volume);
        }
        return problem;
}

static int set_prepare(Lowering *lowering, const MrWorkload *workload, MrTree *properties,
                       MrError *err) {
        const char *path;

        if (!workload->prepare_class)
                return 0;
        int r = lower_text(lowering, workload->node, workload->prepared_path, &path, NULL, NULL,
                           err);
        if (r < 0)
                return mr_error_within(err, r, "prepared_path");
        mr_tree_set_string(properties, "prepare_class", workload->prepare_class);
        mr_tree_set_string(properties, "prepared_path", path);
        return set_texts(lowering, workload->node, properties, "prepare_arguments",
                         &workload->prepare_arguments, err);
}

static void set_volumes(Lowering *lowering, const char *node, MrTree *properties) {
        MrTree *list = mr_tree_need_list(properties, "volumes");

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_VOLUME || !mr_streq(part->volume.node, node))
                        continue;
                const MrVolume *volume = &part->volume;
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(entry, "name", volume->name);
                mr_tree_set_string(entry, "claim",
                                   instance_name(lowering->arena, lowering->ns, volume->claim));
                mr_tree_set_string(entry, "storage_class",
                                   volume->storage_class ? volume->storage_class
                                                         : DEFAULT_STORAGE_CLASS);
        }
}

static void set_ready_ports(Lowering *lowering, const char *node, MrTree *properties) {
        MrTree *list = mr_tree_need_list(properties, "ready_ports");

        for (size_t i = 0; i < mr_parts_size(lowering->parts); i++) {
                const MrPart *part = mr_parts_at(lowering->parts, i);
                if (part->kind != MR_PART_ENDPOINT || !part->endpoint.is_ready_check ||
                    !mr_streq(part->endpoint.node, node))
                        continue;
                _cleanup_free_ char *key = mr_strf("%s/%s", node, part->endpoint.name);
                int64_t port;
                if (mr_parse_int(mr_pairs_get(&lowering->ports, key), &port) == 0)
                        mr_tree_append(list, mr_tree_new_int(port));
        }
}

/* Limits of the control group change in place, so they stay out of the fingerprint. */
static void set_limits(const MrWorkload *workload, MrTree *properties) {
        mr_tree_set_int(properties, "memory_limit", (int64_t) workload->memory_limit);
        mr_tree_set_int(properties, "memory_request", (int64_t) workload->memory_request);
        mr_tree_set_int(properties, "cpu_limit", (int64_t) workload->cpu_limit);
        mr_tree_set_int(properties, "cpu_request", (int64_t) workload->cpu_request);
        mr_tree_set_int(properties, "stop_timeout_sec", workload->stop_timeout_sec);
}

/* SHA-256 over the properties so far and the digests of the files the process reads only when it
 * starts. Returns the reason when one of them is not known yet. */
static const char *fingerprint_of(Lowering *lowering, const char *node, const MrTree *properties,
                                  char ret[MR_DIGEST_MAX]) {
        _cleanup_buf_ MrBuf text = {};
        const char *pending = NULL;

        mr_json_write(properties, 0, &text);
        for (size_t i = 0; i < mr_manifests_size(lowering->out); i++) {
                const MrManifest *manifest = mr_manifests_at(lowering->out, i);
                if (!mr_streq(manifest->kind, "File") || !mr_streq(manifest->node, node))
                        continue;
                if (manifest->pending)
                        pending = manifest->pending;
                if (manifest->restarts)
                        mr_buf_printf(&text, "\n%s %s", manifest->name,
                                      mr_tree_get_string(manifest->body, "digest"));
        }
        mr_digest(mr_buf_text(&text), text.size, ret);
        return pending;
}

static void need_distribution(Lowering *lowering, const MrWorkload *workload) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "software", workload->software);
        mr_tree_set_string(body, "version", workload->version);
        mr_tree_set_string(body, "state", "ready");
        mr_manifests_add(lowering->out,
                         (MrManifest){
                                 .kind = "Distribution",
                                 .ns = "",
                                 .rank = RANK_DISTRIBUTION,
                                 .keep = true,
                                 .body = body,
                                 .name = mr_arena_strf(lowering->arena, "%s-%s", workload->software,
                                                       workload->version),
                         });
}

/* Why the node cannot be started yet, or NULL. Without facts of a host (a plan on paper) nothing
 * stands in the way. */
static const char *distribution_pending(Lowering *lowering, const MrWorkload *workload) {
        if (!mr_tree_get(mr_facts_host(lowering->facts), "distributions"))
                return NULL;
        const MrTree *entry = lower_distribution(lowering, workload->software, workload->version);
        const char *name =
                mr_arena_strf(lowering->arena, "%s %s", workload->software, workload->version);
        if (!entry)
                return mr_arena_strf(lowering->arena,
                                     "a distribution of %s: /etc/millrace/hostd.yaml names none; "
                                     "add it to distributions",
                                     name);
        const char *state = mr_tree_get_string(entry, "state"),
                   *message = mr_tree_get_string(entry, "message");
        if (mr_streq(state, "ready"))
                return NULL;
        return mr_arena_strf(lowering->arena, "the distribution of %s, which is %s%s%s", name,
                             state, mr_is_empty(message) ? "" : ": ", message ? message : "");
}

/* What the running process depends on. */
static int set_running(Lowering *lowering, const MrWorkload *workload, MrTree *properties,
                       MrError *err) {
        mr_tree_set_string(properties, "software", workload->software);
        mr_tree_set_string(properties, "version", workload->version);
        mr_tree_set_string(properties, "main_class", workload->main_class);
        set_volumes(lowering, workload->node, properties);
        set_ready_ports(lowering, workload->node, properties);
        int r = set_texts(lowering, workload->node, properties, "arguments", &workload->arguments,
                          err);
        if (r >= 0)
                r = set_texts(lowering, workload->node, properties, "jvm_options",
                              &workload->jvm_options, err);
        return r < 0 ? r
                     : set_pairs(lowering, workload->node, properties, "settings",
                                 &workload->settings, err);
}

/* What matters only before the first start: a change of it restarts nobody. */
static int set_first_start(Lowering *lowering, const MrWorkload *workload, MrTree *properties,
                           MrError *err) {
        int r = set_texts(lowering, workload->node, properties, "directories",
                          &workload->directories, err);

        if (r >= 0)
                r = set_pairs(lowering, workload->node, properties, "contents", &workload->contents,
                              err);
        set_markers(lowering, workload->node, properties);
        return r < 0 ? r : set_prepare(lowering, workload, properties, err);
}

int lower_workload(Lowering *lowering, const MrWorkload *workload, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *body = mr_tree_new_map();
        MrTree *properties = mr_tree_need_map(body, "properties");
        char fingerprint[MR_DIGEST_MAX];

        int r = set_running(lowering, workload, properties, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", workload->node);
        const char *pending = fingerprint_of(lowering, workload->node, properties, fingerprint);
        if (!pending)
                pending = distribution_pending(lowering, workload);
        const char *problem = volumes_problem(lowering, workload->node);
        if (problem)
                pending = problem;
        mr_tree_set_string(properties, "fingerprint", fingerprint);
        r = set_first_start(lowering, workload, properties, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", workload->node);
        set_limits(workload, properties);
        mr_tree_set_int(properties, "order", workload->order);
        lower_guard(lowering, workload->node, properties);
        mr_tree_set_string(body, "class", workload->role);
        mr_tree_set_string(body, "dropin", "intact");
        mr_tree_set_bool(body, "enabled", true);
        need_distribution(lowering, workload);
        MrManifest *unit = mr_manifests_add(lowering->out, (MrManifest){
                                                                   .kind = "Unit",
                                                                   .ns = lowering->ns,
                                                                   .name = workload->node,
                                                                   .node = workload->node,
                                                                   .rank = RANK_UNIT,
                                                                   .restarts = true,
                                                                   .pending = pending,
                                                                   .body = TAKE(body),
                                                           });
        mr_manifests_add_node(
                lowering->out,
                (MrNodeWanted){
                        .node = workload->node,
                        .ns = lowering->ns,
                        .group = workload->group,
                        .role = workload->role,
                        .order = workload->order,
                        .fingerprint = pending ? NULL : fingerprint,
                        .pending = pending,
                        .settings = mr_tree_get(mr_tree_get(unit->body, "properties"), "settings"),
                });
        return 0;
}
