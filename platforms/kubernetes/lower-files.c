/* The files of a node. Text goes into its ConfigMap. What is nothing but the value of a secret is
 * mounted from that Secret, so that it is kept once. What mixes both goes into a Secret of the
 * node. */

#include <string.h>

#include "lower.h"

#define REFERENCE "@{secret:"

/* "@{secret:NAME/KEY}" and nothing else. */
static bool is_reference(Lowering *lowering, const char *text, NodeFile *file) {
        size_t n = strlen(text), start = strlen(REFERENCE);
        const char *slash;

        if (!mr_starts_with(text, REFERENCE) || strchr(text, '}') != text + n - 1)
                return false;
        slash = strchr(text, '/');
        if (!slash)
                return false;
        file->secret =
                mr_arena_strndup(lowering->arena, text + start, (size_t) (slash - text) - start);
        file->key = mr_arena_strndup(lowering->arena, slash + 1, strlen(slash) - 2);
        return true;
}

typedef struct Writer {
        Lowering *lowering;
        const MrWorkload *workload;
        NodeFiles *files;
        MrTree *data;    /* of the ConfigMap */
        MrTree *secrets; /* of the Secret of the node: name → text */
        MrBuf restarting;
        const char *pending; /* of the text in the ConfigMap */
} Writer;

static const char *secret_name(const Writer *writer) {
        return mr_arena_strf(writer->lowering->arena, "%s-files", writer->workload->node);
}

static int add_text(Writer *writer, const MrFile *part, NodeFile *file, MrError *err) {
        const char *text, *pending = NULL;
        bool is_secret = false;

        int r = lower_text(writer->lowering, part->node, part->content, &text, &is_secret, &pending,
                           err);
        if (r < 0)
                return mr_error_within(err, r, "%s", part->name);
        if (is_secret) {
                file->secret = secret_name(writer);
                file->key = part->name;
        }
        mr_tree_set_string(is_secret ? writer->secrets : writer->data, part->name, text);
        if (pending)
                writer->files->pending = pending;
        if (pending && !is_secret)
                writer->pending = pending;
        if (file->restarts)
                mr_buf_printf(&writer->restarting, "%s\n%s\n", part->name, text);
        return 0;
}

/* A secret the process reads only when it starts counts by its value. */
static void add_reference(Writer *writer, const MrFile *part, const NodeFile *file) {
        const char *value = mr_facts_secret(writer->lowering->facts, file->secret, file->key);
        char digest[MR_DIGEST_MAX];

        if (!value)
                writer->files->pending =
                        mr_arena_strf(writer->lowering->arena, "secret %s", file->secret);
        if (!value || !file->restarts)
                return;
        mr_digest(value, strlen(value), digest);
        mr_buf_printf(&writer->restarting, "%s\n%s\n", part->name, digest);
}

static int add_file(Writer *writer, const MrFile *part, MrError *err) {
        NodeFile *file = &writer->files->items[writer->files->n];

        *file = (NodeFile){.name = part->name, .restarts = part->effect == MR_EFFECT_RESTART};
        if (is_reference(writer->lowering, part->content, file)) {
                add_reference(writer, part, file);
        } else {
                int r = add_text(writer, part, file, err);
                if (r < 0)
                        return r;
        }
        writer->files->n++;
        return 0;
}

/* A user's template and the annotations are of the set; files are found by the node's labels. */
static MrTags tags_of(const Writer *writer) {
        const MrPairs *selector = &writer->workload->selector;
        MrTags tags = writer->workload->tags;
        MrArena *arena = writer->lowering->arena;
        MrPairs labels = {};

        for (size_t i = 0; i < tags.labels.n; i++)
                mr_pairs_set(arena, &labels, tags.labels.items[i].key, tags.labels.items[i].value);
        for (size_t i = 0; i < selector->n; i++)
                mr_pairs_set(arena, &labels, selector->items[i].key, selector->items[i].value);
        tags.labels = labels;
        tags.annotations = (MrPairs){};
        tags.template = NULL;
        return tags;
}

static void add_config_map(Writer *writer) {
        Lowering *lowering = writer->lowering;
        MrTags tags = tags_of(writer);
        MrTree *body = object_new(lowering, "v1", "ConfigMap", writer->workload->node, &tags);

        mr_tree_set(body, "data", TAKE(writer->data));
        mr_manifests_add(lowering->out, (MrManifest){.kind = "ConfigMap",
                                                     .ns = lowering->ns,
                                                     .name = writer->workload->node,
                                                     .node = writer->workload->node,
                                                     .rank = RANK_FILES,
                                                     .pending = writer->pending,
                                                     .body = body});
}

/* Only digests are compared and printed; the values are the payload. */
static void add_secret(Writer *writer) {
        Lowering *lowering = writer->lowering;
        _cleanup_(mr_buf_wipe) MrBuf payload = {};
        MrTags tags = tags_of(writer);

        if (mr_tree_size(writer->secrets) == 0)
                return;
        MrTree *body = object_new(lowering, "v1", "Secret", secret_name(writer), &tags);
        MrTree *digests = mr_tree_need_map(body, "digests");
        mr_tree_set_string(body, "type", "Opaque");
        for (size_t i = 0; i < mr_tree_size(writer->secrets); i++) {
                const char *text = mr_tree_string(mr_tree_at(writer->secrets, i));
                char digest[MR_DIGEST_MAX];
                mr_digest(text, strlen(text), digest);
                mr_tree_set_string(digests, mr_tree_key(writer->secrets, i),
                                   writer->files->pending ? "pending" : digest);
        }
        mr_json_write(writer->secrets, 0, &payload);
        mr_manifests_add(lowering->out,
                         (MrManifest){.kind = lower_is_live(lowering) ? SECRET_OBJECT : "Secret",
                                      .ns = lowering->ns,
                                      .name = secret_name(writer),
                                      .node = writer->workload->node,
                                      .rank = RANK_FILES,
                                      .is_secret = true,
                                      .pending = writer->files->pending,
                                      .payload = mr_buf_text(&payload),
                                      .body = body});
}

static int collect(Writer *writer, MrError *err) {
        const MrParts *parts = writer->lowering->parts;
        char digest[MR_DIGEST_MAX];
        const char *launch;

        writer->files->items =
                mr_arena_new_array(writer->lowering->arena, NodeFile, mr_parts_size(parts) + 1);
        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                if (part->kind != MR_PART_FILE ||
                    !mr_streq(part->file.node, writer->workload->node))
                        continue;
                int r = add_file(writer, &part->file, err);
                if (r < 0)
                        return r;
        }
        int r = lower_launch(writer->lowering, writer->workload, &launch, digest, err);
        if (r < 0)
                return r;
        mr_buf_printf(&writer->restarting, "launch\n%s\n", digest);
        mr_tree_set_string(writer->data, "launch", launch);
        writer->files->items[writer->files->n++] = (NodeFile){.name = "launch"};
        return 0;
}

int lower_files(Lowering *lowering, const MrWorkload *workload, NodeFiles *ret, MrError *err) {
        Writer writer = {.lowering = lowering,
                         .workload = workload,
                         .files = ret,
                         .data = mr_tree_new_map(),
                         .secrets = mr_tree_new_map()};

        int r = collect(&writer, err);
        if (r >= 0) {
                mr_digest(mr_buf_text(&writer.restarting), writer.restarting.size, ret->digest);
                add_config_map(&writer);
                add_secret(&writer);
        }
        mr_buf_wipe(&writer.restarting);
        mr_tree_free(writer.data);
        mr_tree_free(writer.secrets);
        return r;
}
