/* Plugins, documents and facts for tests of operands. */

#include "operand-world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

static void refused(void *userdata _unused_, const char *path, const MrError *err) {
        fprintf(stderr, "%s: %s\n", path, err->message);
}

World *world_new(void) {
        World *world = mr_new(World, 1);
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        const char *directory = getenv("MILLRACE_PLUGINS");

        world->registry = registry_new();
        world->facts = facts_new(WORLD_NOW, "paper");
        if (plugins_load(directory ? directory : ".", getuid(), refused, NULL, &world->plugins,
                         &err) < 0 ||
            plugins_register(&world->plugins, world->registry, &err) < 0) {
                fprintf(stderr, "plugins: %s\n", err.message);
                abort();
        }
        return world;
}

World *world_free(World *world) {
        if (!world)
                return NULL;
        facts_free(world->facts);
        for (size_t i = 0; i < world->n_documents; i++)
                document_free(world->documents[i]);
        for (size_t i = 0; i < world->n_trees; i++)
                mr_tree_free(world->trees[i]);
        registry_free(world->registry);
        plugins_done(&world->plugins);
        free(world);
        return NULL;
}

int world_read(World *world, const char *yaml, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        int r = mr_yaml_read(yaml, strlen(yaml), "test.yaml", &list, NULL, err);
        for (size_t i = 0; r >= 0 && i < mr_tree_size(list); i++) {
                Document *document = NULL;
                r = document_read(world->registry, mr_tree_copy(mr_tree_at(list, i)), "test.yaml",
                                  &document, err);
                if (r < 0)
                        return r;
                world->documents[world->n_documents++] = document;
                facts_add_resource(world->facts, &document->resource);
        }
        return r;
}

const Document *world_find(const World *world, const char *kind, const char *name) {
        for (size_t i = 0; i < world->n_documents; i++) {
                const MrResource *resource = &world->documents[i]->resource;
                if (mr_streq(resource->kind->name, kind) && mr_streq(resource->name, name))
                        return world->documents[i];
        }
        return NULL;
}

static MrTree *keep(World *world, const char *json) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        MrTree *tree = NULL;

        if (mr_json_read(json, strlen(json), "facts", &tree, &err) < 0) {
                fprintf(stderr, "facts: %s: %s\n", err.message, json);
                abort();
        }
        world->trees[world->n_trees++] = tree;
        return tree;
}

void world_see_nodes(World *world, const char *json) {
        MrTree *tree = keep(world, json);

        for (size_t i = 0; i < mr_tree_size(tree); i++)
                facts_add_node(world->facts, mr_tree_key(tree, i), mr_tree_at(tree, i));
}

void world_see_claims(World *world, const char *json) {
        facts_set_claims(world->facts, "default", keep(world, json));
}

void world_see_view(World *world, const char *probe, const char *json) {
        facts_set_view(world->facts, probe, keep(world, json));
}

int world_parts(const World *world, const Document *document, MrParts *parts, MrError *err) {
        for (size_t i = 0; i < registry_operands(world->registry); i++) {
                const void *spec = document_spec_for(world->registry, document, i);
                if (!spec)
                        continue;
                int r = registry_operand_at(world->registry, i)
                                ->desired(&document->resource, spec, world->facts, parts, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int world_health(const World *world, const Document *document, MrArena *arena, MrHealth *ret,
                 MrError *err) {
        MrNodeHealth *items = mr_arena_new_array(arena, MrNodeHealth, 64);
        size_t n = 0;

        for (size_t i = 0; i < registry_operands(world->registry); i++) {
                const MrOperandOps *ops = registry_operand_at(world->registry, i);
                const void *spec = document_spec_for(world->registry, document, i);
                MrHealth health = {};
                int r = spec && ops->health ? ops->health(&document->resource, spec, world->facts,
                                                          arena, &health, err)
                                            : 0;
                if (r < 0)
                        return r;
                for (size_t k = 0; k < health.n && n < 64; k++)
                        items[n++] = health.items[k];
        }
        *ret = (MrHealth){.items = items, .n = n};
        return 0;
}

int world_status(const World *world, const Document *document, MrTree *status, MrError *err) {
        for (size_t i = 0; i < registry_operands(world->registry); i++) {
                const MrOperandOps *ops = registry_operand_at(world->registry, i);
                const void *spec = document_spec_for(world->registry, document, i);
                int r = spec && ops->status
                                ? ops->status(&document->resource, spec, world->facts, status, err)
                                : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static const char *node_of(const MrPart *part) {
        switch (part->kind) {
        case MR_PART_VOLUME:
                return part->volume.node;
        case MR_PART_FILE:
                return part->file.node;
        case MR_PART_ENDPOINT:
                return part->endpoint.node;
        case MR_PART_WORKLOAD:
                return part->workload.node;
        case MR_PART_SETTING:
                return part->setting.scope;
        case MR_PART_CERTIFICATE:
        case MR_PART_SECRET:
        case MR_PART_TRUST:
        case MR_PART_GUARD:
        case MR_PART_SERVICE:
        case MR_PART_FIREWALL:
        case MR_PART_ACCOUNT:
        case _MR_PART_KIND_MAX:
                return NULL;
        }
        return NULL;
}

static const char *name_of(const MrPart *part) {
        switch (part->kind) {
        case MR_PART_CERTIFICATE:
                return part->certificate.name;
        case MR_PART_SECRET:
                return part->secret.name;
        case MR_PART_TRUST:
                return part->trust.key;
        case MR_PART_VOLUME:
                return part->volume.name;
        case MR_PART_FILE:
                return part->file.name;
        case MR_PART_ENDPOINT:
                return part->endpoint.name;
        case MR_PART_SETTING:
                return part->setting.key;
        case MR_PART_GUARD:
                return part->guard.group;
        case MR_PART_SERVICE:
                return part->service.name;
        case MR_PART_FIREWALL:
                return part->firewall.name;
        case MR_PART_ACCOUNT:
                return part->account.name;
        case MR_PART_WORKLOAD:
        case _MR_PART_KIND_MAX:
                return NULL;
        }
        return NULL;
}

const MrPart *parts_find(const MrParts *parts, MrPartKind kind, const char *node,
                         const char *name) {
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind == kind && mr_streq(node_of(part), node) &&
                    mr_streq(name_of(part), name))
                        return part;
        }
        return NULL;
}

static void text(MrBuf *out, const char *key, const char *value) {
        if (value)
                mr_buf_printf(out, "  %s: %s\n", key, value);
}

static void number(MrBuf *out, const char *key, int64_t value) {
        if (value)
                mr_buf_printf(out, "  %s: %lld\n", key, (long long) value);
}

static void strings(MrBuf *out, const char *key, const MrStrings *values) {
        for (size_t i = 0; i < values->n; i++)
                text(out, key, values->items[i]);
}

static void pairs(MrBuf *out, const char *key, const MrPairs *values) {
        for (size_t i = 0; i < values->n; i++)
                mr_buf_printf(out, "  %s %s=%s\n", key, values->items[i].key,
                              values->items[i].value);
}

static void write_certificate(MrBuf *out, const MrCertificate *certificate) {
        text(out, "authority", certificate->authority);
        text(out, "prefix", certificate->key_prefix);
        text(out, "common name", certificate->common_name);
        text(out, "organization", certificate->organization);
        strings(out, "name", &certificate->names);
        number(out, "validity days", certificate->validity_days);
        number(out, "renewal days", certificate->renewal_days);
        number(out, "pkcs12", certificate->with_pkcs12);
        number(out, "with authority", certificate->with_authority);
        text(out, "key type", certificate->key_type);
        number(out, "replaces key", certificate->replaces_key);
        number(out, "outlives", certificate->outlives);
        text(out, "postponed", certificate->postponed);
        pairs(out, "label", &certificate->labels);
}

static void write_trust(MrBuf *out, const MrTrust *trust) {
        text(out, "secret", trust->name);
        text(out, "authority", trust->authority);
        number(out, "public", trust->is_public);
        number(out, "renewal days", trust->renewal_days);
        pairs(out, "label", &trust->labels);
}

static void write_volume(MrBuf *out, const MrVolume *volume) {
        text(out, "claim", volume->claim);
        text(out, "class", volume->storage_class);
        number(out, "size", (int64_t) volume->size);
        number(out, "ephemeral", volume->is_ephemeral);
        number(out, "delete claim", volume->delete_claim);
        text(out, "cluster", volume->cluster);
        text(out, "cluster id", volume->cluster_id);
        text(out, "role", volume->role);
        text(out, "quorum", volume->quorum);
        number(out, "node id", volume->node_id);
        text(out, "directory id", volume->directory_id);
        text(out, "marker", volume->marker);
        strings(out, "marker line", &volume->marker_lines);
        number(out, "may be empty", volume->may_be_empty);
}

static void write_file(MrBuf *out, const MrFile *file) {
        text(out, "effect",
             file->effect == MR_EFFECT_RESTART  ? "restart"
             : file->effect == MR_EFFECT_RELOAD ? "reload"
                                                : "none");
        number(out, "private", file->is_private);
        strings(out, file->shows == MR_SHOWS_TRUST ? "trust shown at" : "certificate shown at",
                &file->shown_at);
        for (const char *line = file->content; *line;) {
                size_t size = strcspn(line, "\n");
                mr_buf_puts(out, "  | ");
                mr_buf_append(out, line, size);
                mr_buf_putc(out, '\n');
                line += size + (line[size] == '\n');
        }
}

static void write_endpoint(MrBuf *out, const MrEndpoint *endpoint) {
        text(out, "group", endpoint->group);
        number(out, "port", endpoint->port);
        number(out, "fixed", endpoint->is_fixed);
        number(out, "ready check", endpoint->is_ready_check);
        number(out, "external", endpoint->is_external);
        text(out, "listener", endpoint->listener);
        number(out, "guarded", endpoint->is_guarded);
        strings(out, "peer", &endpoint->peers);
        number(out, "other peers", endpoint->has_other_peers);
}

static void write_workload(MrBuf *out, const MrWorkload *workload) {
        number(out, "node id", workload->node_id);
        text(out, "role", workload->role);
        text(out, "group", workload->group);
        number(out, "order", workload->order);
        text(out, "software", workload->software);
        text(out, "version", workload->version);
        text(out, "class", workload->main_class);
        strings(out, "argument", &workload->arguments);
        strings(out, "jvm", &workload->jvm_options);
        text(out, "prepare class", workload->prepare_class);
        strings(out, "prepare", &workload->prepare_arguments);
        text(out, "prepared path", workload->prepared_path);
        strings(out, "directory", &workload->directories);
        pairs(out, "content", &workload->contents);
        pairs(out, "setting", &workload->settings);
        number(out, "heap", (int64_t) workload->heap_bytes);
        number(out, "memory limit", (int64_t) workload->memory_limit);
        number(out, "memory request", (int64_t) workload->memory_request);
        number(out, "cpu limit", (int64_t) workload->cpu_limit);
        number(out, "cpu request", (int64_t) workload->cpu_request);
        number(out, "stop timeout", workload->stop_timeout_sec);
        pairs(out, "label", &workload->labels);
}

static void write_setting(MrBuf *out, const MrSetting *setting) {
        text(out, "value", setting->value);
        text(out, "file", setting->file);
}

static void write_part(MrBuf *out, const MrPart *part) {
        mr_buf_printf(out, "%s %s %s\n", mr_part_kind_name(part->kind),
                      node_of(part) ? node_of(part) : "-", name_of(part) ? name_of(part) : "-");
        if (part->kind == MR_PART_CERTIFICATE)
                write_certificate(out, &part->certificate);
        else if (part->kind == MR_PART_TRUST)
                write_trust(out, &part->trust);
        else if (part->kind == MR_PART_VOLUME)
                write_volume(out, &part->volume);
        else if (part->kind == MR_PART_FILE)
                write_file(out, &part->file);
        else if (part->kind == MR_PART_ENDPOINT)
                write_endpoint(out, &part->endpoint);
        else if (part->kind == MR_PART_WORKLOAD)
                write_workload(out, &part->workload);
        else if (part->kind == MR_PART_SETTING)
                write_setting(out, &part->setting);
        else if (part->kind == MR_PART_GUARD)
                number(out, "max unavailable", part->guard.max_unavailable);
        else if (part->kind == MR_PART_SECRET)
                pairs(out, "value", &part->secret.values);
}

void parts_write(const MrParts *parts, MrBuf *out) {
        for (size_t i = 0; i < mr_parts_size(parts); i++)
                write_part(out, mr_parts_at(parts, i));
        for (size_t i = 0; i < mr_parts_warnings(parts); i++) {
                const char *reason, *message;
                mr_parts_warning_at(parts, i, &reason, &message);
                mr_buf_printf(out, "warning %s: %s\n", reason, message);
        }
}
