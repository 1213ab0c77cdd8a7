/* Recording a pass, and making it again. */

#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "inline.h"
#include "mask.h"
#include "model/core-kinds.h"
#include "model/facts.h"
#include "str.h"

/* --- manifests as data */

static const struct {
        const char *name;
        size_t offset;
} flags[] = {
        {"secret", offsetof(MrManifest, is_secret)},  {"private", offsetof(MrManifest, is_private)},
        {"keep", offsetof(MrManifest, keep)},         {"inUse", offsetof(MrManifest, is_in_use)},
        {"restarts", offsetof(MrManifest, restarts)}, {"reloads", offsetof(MrManifest, reloads)},
        {"lingers", offsetof(MrManifest, lingers)},
};

static MrTree *tree_of_manifest(const MrManifest *manifest) {
        MrTree *tree = mr_tree_new_map();

        mr_tree_set_string(tree, "kind", manifest->kind);
        mr_tree_set_string(tree, "namespace", manifest->ns);
        mr_tree_set_string(tree, "name", manifest->name);
        mr_tree_set_string(tree, "node", manifest->node);
        mr_tree_set_string(tree, "owner", manifest->owner);
        mr_tree_set_string(tree, "pending", manifest->pending);
        mr_tree_set_int(tree, "rank", manifest->rank);
        for (size_t i = 0; i < MR_ELEMENTS(flags); i++)
                if (*(const bool *) ((const char *) manifest + flags[i].offset))
                        mr_tree_set_bool(tree, flags[i].name, true);
        mr_tree_set(tree, "body", mr_tree_copy(manifest->body));
        return tree;
}

static void add_manifest(MrManifests *manifests, const MrTree *tree) {
        MrManifest manifest = {
                .kind = mr_tree_get_string(tree, "kind"),
                .ns = mr_tree_get_string(tree, "namespace"),
                .name = mr_tree_get_string(tree, "name"),
                .node = mr_tree_get_string(tree, "node"),
                .owner = mr_tree_get_string(tree, "owner"),
                .pending = mr_tree_get_string(tree, "pending"),
                .rank = (int) mr_tree_get_int(tree, "rank", 0),
        };

        for (size_t i = 0; i < MR_ELEMENTS(flags); i++)
                *(bool *) ((char *) &manifest + flags[i].offset) =
                        mr_tree_get_bool(tree, flags[i].name, false);
        if (!manifest.kind || !manifest.ns || !manifest.name)
                return;
        manifest.body = mr_tree_copy(mr_tree_get(tree, "body"));
        mr_manifests_add(manifests, manifest);
}

/* --- a pass, made from what is recorded */

typedef struct Again {
        MrArena *arena;
        Document *document;
        Document **resources;
        size_t n_resources;
        MrFacts *facts;
        MrManifests *found;
        Desire *desire;
        Plan *plan;
} Again;

static void again_done(Again *again) {
        plan_free(again->plan);
        desire_free(again->desire);
        mr_manifests_free(again->found);
        facts_free(again->facts);
        for (size_t i = 0; i < again->n_resources; i++)
                document_free(again->resources[i]);
        free(again->resources);
        document_free(again->document);
        mr_arena_free(again->arena);
}

static int read_resources(const Registry *registry, const MrTree *list, Again *again,
                          MrError *err) {
        again->resources = mr_new(Document *, mr_tree_size(list) + 1);
        for (size_t i = 0; i < mr_tree_size(list); i++) {
                int r = document_read(registry, mr_tree_copy(mr_tree_at(list, i)), NULL,
                                      &again->resources[i], err);
                if (r < 0)
                        return mr_error_within(err, r, "resources[%zu]", i);
                again->n_resources++;
                facts_add_resource(again->facts, &again->resources[i]->resource);
        }
        return 0;
}

static int read_record(const Registry *registry, const MrTree *record, Again *again, MrError *err) {
        const MrTree *found = mr_tree_get(record, "found");

        if (mr_tree_get_int(record, "version", 0) != 1)
                return mr_fail(err, MR_INVALID, "version",
                               "this millrace reads records of version 1 only");
        again->arena = mr_arena_new();
        again->facts = facts_of_tree(mr_tree_get(record, "facts"));
        again->found = mr_manifests_new();
        for (size_t i = 0; i < mr_tree_size(found); i++)
                add_manifest(again->found, mr_tree_at(found, i));
        int r = read_resources(registry, mr_tree_get(record, "resources"), again, err);
        return r < 0 ? r
                     : document_read(registry, mr_tree_copy(mr_tree_get(record, "document")), NULL,
                                     &again->document, err);
}

static int plan_again(const MrTree *record, Again *again, MrError *err) {
        MrPairs holds = mr_pairs_of(again->arena, mr_tree_get(record, "holds")),
                restarts = mr_pairs_of(again->arena, mr_tree_get(record, "restarts")),
                discards = mr_pairs_of(again->arena, mr_tree_get(record, "discards"));
        PlanInput input = {
                .wanted = again->desire->wanted,
                .found = again->desire->found,
                .facts = again->facts,
                .health = &again->desire->health,
                .owner = again->desire->owner,
                .holds = &holds,
                .restarts = &restarts,
                .discards = &discards,
                .paused = mr_tree_get_string(record, "paused"),
                .grace_sec = mr_tree_get_int(record, "grace", 0),
                .is_deleted = again->document->resource.is_deleted,
        };

        return plan_make(&input, &again->plan, err);
}

static int make_again(const Registry *registry, const MrPlatformOps *platform, const MrTree *record,
                      Again *again, MrError *err) {
        int r = read_record(registry, record, again, err);
        if (r >= 0)
                r = desire_make(registry, platform, again->document, again->facts, again->found,
                                &again->desire, err);
        return r < 0 ? r : plan_again(record, again, err);
}

int record_replay(const Registry *registry, const MrPlatformOps *platform, const MrTree *record,
                  MrTree **ret_steps, MrError *err) {
        _cleanup_(again_done) Again again = {};

        int r = make_again(registry, platform, record, &again, err);
        if (r >= 0)
                *ret_steps = plan_to_tree(again.plan);
        return r;
}

/* --- masking */

/* What was written into a resource is known by its name; only what is not shorter than this is
 * looked for without it. */
#define INLINE_MIN 6U

typedef struct Value {
        char *path, *text;
        bool is_made;
        char *name, *lead; /* of one that stands in a resource itself */
} Value;

typedef struct Values {
        Value *items;
        size_t n, allocated;
} Values;

static void values_done(Values *values) {
        for (size_t i = 0; i < values->n; i++) {
                explicit_bzero(values->items[i].text, strlen(values->items[i].text));
                free(values->items[i].text);
                free(values->items[i].path);
                free(values->items[i].name);
                free(values->items[i].lead);
        }
        free(values->items);
}

static Value *add_value(Values *values, const char *path, const char *text, bool is_made) {
        MR_GROW(values->items, values->n, values->allocated);
        Value *value = &values->items[values->n++];
        *value = (Value){.path = mr_strdup(path), .text = mr_strdup(text), .is_made = is_made};
        return value;
}

typedef struct Written {
        Values *values;
        const char *resource;
        const Values *known; /* what is among these is left out; may be NULL */
} Written;

static bool has_value(const Values *values, const char *lead, const char *text) {
        for (size_t i = 0; values && i < values->n; i++)
                if (mr_streq(values->items[i].lead, lead) && mr_streq(values->items[i].text, text))
                        return true;
        return false;
}

static void add_inline(const char *name, const char *lead, const char *text, void *userdata) {
        const Written *written = userdata;
        _cleanup_free_ char *path = mr_strf("%s/%s", written->resource, name);

        if (has_value(written->values, lead, text) || has_value(written->known, lead, text))
                return;
        Value *value = add_value(written->values, path, text, false);
        value->name = mr_strdup(name);
        value->lead = mr_strdup(lead);
}

static int by_length(const void *a, const void *b) {
        const Value *x = a, *y = b;
        size_t n = strlen(x->text), m = strlen(y->text);

        return n != m ? (n > m) - (n < m) : strcmp(x->path, y->path);
}

/* Of a Secret a user wrote; what is no text there is masked as it stands. And what somebody wrote
 * into another resource instead of into a Secret. */
static void add_written(Values *values, const MrTree *document) {
        const char *name = mr_tree_get_string(mr_tree_get(document, "metadata"), "name");
        const MrTree *data = mr_tree_get(document, "data"),
                     *texts = mr_tree_get(document, "stringData");

        inline_find(document, add_inline, &(Written){.values = values, .resource = name});
        if (!mr_streq(mr_tree_get_string(document, "kind"), "Secret"))
                return;
        for (size_t i = 0; i < mr_tree_size(data); i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", name, mr_tree_key(data, i));
                const char *coded = mr_tree_string(mr_tree_at(data, i));
                MrBuf plain = {};
                if (coded && mr_unbase64(coded, strlen(coded), &plain) >= 0 &&
                    strlen(mr_buf_text(&plain)) == plain.size)
                        add_value(values, path, mr_buf_text(&plain), false);
                else if (coded)
                        add_value(values, path, coded, false);
                mr_buf_wipe(&plain);
        }
        for (size_t i = 0; i < mr_tree_size(texts); i++) {
                _cleanup_free_ char *path = mr_strf("%s/%s", name, mr_tree_key(texts, i));
                const char *text = mr_tree_string(mr_tree_at(texts, i));
                add_value(values, path, text ? text : "", false);
        }
}

/* What was written before, and is no longer: running processes and files may still have it. What is
 * wanted now, and in no document, was made here and is open. */
static void add_former(Values *values, const MrTree *record, const MrManifests *wanted) {
        const MrTree *facts = mr_tree_get(record, "facts"), *found = mr_tree_get(record, "found");
        _cleanup_(values_done) Values made = {};
        Written written = {.values = values, .resource = "former", .known = &made};

        for (size_t i = 0; i < mr_manifests_size(wanted); i++)
                inline_find(mr_manifests_at(wanted, i)->body, add_inline,
                            &(Written){.values = &made, .resource = ""});
        inline_find(mr_tree_get(facts, "nodes"), add_inline, &written);
        inline_find(mr_tree_get(facts, "views"), add_inline, &written);
        for (size_t i = 0; i < mr_tree_size(found); i++)
                if (!mr_tree_get_bool(mr_tree_at(found, i), "secret", false))
                        inline_find(mr_tree_at(found, i), add_inline, &written);
}

/* Before all others: what comes later is looked for first, and may hold these. */
static void add_named(Masks *masks, const Value *value) {
        if (value->name)
                masks_add_named(masks, value->path, value->name, value->lead, value->text);
}

/* A value that is itself a word for such things ("password") stands in too many texts. */
static void add_mask(Masks *masks, const Value *value) {
        bool is_long = strlen(value->text) >= INLINE_MIN && !inline_is_secret(value->text);

        if (!value->name || is_long)
                masks_add(masks, value->path, value->text, value->is_made);
}

static Masks *masks_of(const MrTree *record, const MrManifests *wanted) {
        const MrTree *secrets = mr_tree_get(mr_tree_get(record, "facts"), "secrets"),
                     *resources = mr_tree_get(record, "resources");
        _cleanup_(values_done) Values values = {};
        Masks *masks = masks_new();

        for (size_t i = 0; i < mr_tree_size(secrets); i++)
                add_value(&values, mr_tree_key(secrets, i), mr_tree_string(mr_tree_at(secrets, i)),
                          true);
        for (size_t i = 0; i < mr_tree_size(resources); i++)
                add_written(&values, mr_tree_at(resources, i));
        add_written(&values, mr_tree_get(record, "document"));
        add_former(&values, record, wanted);
        if (values.n > 0)
                qsort(values.items, values.n, sizeof(*values.items), by_length);
        for (size_t i = 0; i < values.n; i++)
                add_named(masks, &values.items[i]);
        for (size_t i = 0; i < values.n; i++)
                add_mask(masks, &values.items[i]);
        return masks;
}

/* kubectl keeps a whole Secret there. */
static void drop_copies(MrTree *resources) {
        for (size_t i = 0; i < mr_tree_size(resources); i++) {
                MrTree *metadata = mr_tree_get(mr_tree_at(resources, i), "metadata");
                mr_tree_remove(mr_tree_get(metadata, "annotations"),
                               "kubectl.kubernetes.io/last-applied-configuration");
        }
}

static void note_exchange(const char *path _unused_, const MrTree *a, const MrTree *b,
                          void *userdata) {
        if (mr_tree_string(a) && mr_tree_string(b))
                masks_exchange(userdata, mr_tree_string(a), mr_tree_string(b));
}

/* What is wanted with the values, and what with their masks: where these differ, what was found
 * and equals the one becomes the other. */
static MrTree *exchange_found(const Desire *with_values, const Desire *with_masks,
                              const MrTree *record) {
        _cleanup_(masks_freep) Masks *pairs = masks_new();

        for (size_t i = 0; i < mr_manifests_size(with_values->wanted); i++) {
                const MrManifest *a = mr_manifests_at(with_values->wanted, i);
                const MrManifest *b =
                        mr_manifests_find(with_masks->wanted, a->kind, a->ns, a->name);
                if (b)
                        mr_tree_diff(a->body, b->body, note_exchange, pairs);
        }
        for (size_t i = 0; i < mr_manifests_nodes(with_values->wanted) &&
                           i < mr_manifests_nodes(with_masks->wanted);
             i++) {
                const char *a = mr_manifests_node_at(with_values->wanted, i)->fingerprint,
                           *b = mr_manifests_node_at(with_masks->wanted, i)->fingerprint;
                if (a && b && !mr_streq(a, b))
                        masks_exchange(pairs, a, b);
        }
        return masks_copy(pairs, record);
}

static MrTree *plain_record(const RecordArgs *args) {
        MrTree *record = mr_tree_new_map();

        mr_tree_set_int(record, "version", 1);
        mr_tree_set(record, "document", mr_tree_copy(args->document->tree));
        MrTree *resources = mr_tree_need_list(record, "resources");
        for (size_t i = 0; i < facts_resources(args->facts); i++)
                mr_tree_append(resources, mr_tree_copy(facts_resource_at(args->facts, i)->tree));
        drop_copies(resources);
        mr_tree_set(record, "facts", facts_to_tree(args->facts));
        MrTree *found = mr_tree_need_list(record, "found");
        for (size_t i = 0; i < mr_manifests_size(args->observed); i++)
                mr_tree_append(found, tree_of_manifest(mr_manifests_at(args->observed, i)));
        mr_tree_set(record, "holds", mr_pairs_tree(args->holds));
        mr_tree_set(record, "restarts", mr_pairs_tree(args->restarts));
        mr_tree_set(record, "discards", mr_pairs_tree(args->discards));
        mr_tree_set_string(record, "paused", args->paused);
        mr_tree_set_int(record, "grace", args->grace_sec);
        return record;
}

int record_make(const RecordArgs *args, MrTree **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *plain = plain_record(args), *masked = NULL, *steps = NULL;
        _cleanup_(again_done) Again first = {}, second = {};

        int r = make_again(args->registry, args->platform, plain, &first, err);
        if (r < 0)
                return r;
        _cleanup_(masks_freep) Masks *masks = masks_of(plain, first.desire->wanted);
        masked = masks_copy(masks, plain);
        r = make_again(args->registry, args->platform, masked, &second, NULL);
        MrTree *record = r < 0 ? TAKE(masked) : exchange_found(first.desire, second.desire, masked);
        _cleanup_(mr_tree_freep) MrTree *told = plan_to_tree(first.plan);
        r = record_replay(args->registry, args->platform, record, &steps, NULL);
        mr_tree_set(record, "steps", masks_copy(masks, told));
        mr_tree_set_bool(record, "faithful",
                         r >= 0 && mr_tree_equal(steps, mr_tree_get(record, "steps")));
        *ret = record;
        return 0;
}
