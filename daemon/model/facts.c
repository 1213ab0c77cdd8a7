/* Everything a pure station may know, gathered before it runs. */

#include "facts.h"

#include <errno.h>
#include <string.h>

#include "core-kinds.h"
#include "facts-private.h"
#include "part.h"
#include "str.h"

static const char *const state_names[_MR_NODE_STATE_MAX] = {
        [MR_NODE_ABSENT] = "absent",     [MR_NODE_STOPPED] = "stopped",
        [MR_NODE_STARTING] = "starting", [MR_NODE_RUNNING] = "running",
        [MR_NODE_STOPPING] = "stopping", [MR_NODE_FAILED] = "failed",
        [MR_NODE_HELD] = "held",
};

const char *mr_node_state_name(MrNodeState state) {
        return state_names[state];
}

int mr_node_state_from_name(const char *name) {
        for (int i = 0; i < _MR_NODE_STATE_MAX; i++)
                if (mr_streq(state_names[i], name))
                        return i;
        return -EINVAL;
}

MrFacts *facts_new(int64_t now_sec, const char *platform) {
        MrFacts *facts = mr_new(MrFacts, 1);

        facts->arena = mr_arena_new();
        facts->now = now_sec;
        facts->platform = mr_arena_strdup(facts->arena, platform);
        facts->asked = mr_arena_new_array(facts->arena, MrPairs, 1);
        return facts;
}

MrFacts *facts_free(MrFacts *facts) {
        if (!facts)
                return NULL;
        free(facts->resources);
        free(facts->nodes);
        mr_arena_wipe(facts->arena);
        free(facts);
        return NULL;
}

/* The place of the first resource that is not before this kind and name. */
static size_t resource_place(const MrFacts *facts, const char *kind, const char *name) {
        size_t low = 0, high = facts->n_resources;

        while (low < high) {
                size_t middle = (low + high) / 2;
                const MrResource *resource = facts->resources[middle];
                int order = strcmp(resource->kind->name, kind);
                if (order < 0 || (order == 0 && strcmp(resource->name, name) < 0))
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void facts_add_resource(MrFacts *facts, const MrResource *resource) {
        size_t at = resource_place(facts, resource->kind->name, resource->name);

        MR_GROW(facts->resources, facts->n_resources, facts->allocated_resources);
        memmove(facts->resources + at + 1, facts->resources + at,
                (facts->n_resources - at) * sizeof(*facts->resources));
        facts->resources[at] = resource;
        facts->n_resources++;
}

void facts_add_secret(MrFacts *facts, const char *name, const char *key, const char *value) {
        mr_pairs_set(facts->arena, &facts->secrets, mr_arena_strf(facts->arena, "%s/%s", name, key),
                     mr_arena_strdup(facts->arena, value));
}

void facts_annotate(MrFacts *facts, const char *secret, const char *key, const char *value) {
        mr_pairs_set(facts->arena, &facts->annotations,
                     mr_arena_strf(facts->arena, "%s/%s", secret, key),
                     mr_arena_strdup(facts->arena, value));
}

const char *facts_annotation(const MrFacts *facts, const char *secret, const char *key) {
        _cleanup_free_ char *path = mr_strf("%s/%s", secret, key);
        return mr_pairs_get(&facts->annotations, path);
}

bool facts_is_written(const MrFacts *facts, const char *secret) {
        const MrResource *written = mr_facts_resource(facts, "Secret", secret);
        const SecretData *data = written ? written->spec : NULL;

        return data && data->data.n + data->string_data.n > 0;
}

/* The place of the first key that is not before this one. */
static size_t pair_place(const MrPairs *pairs, const char *key) {
        size_t low = 0, high = pairs->n;

        while (low < high) {
                size_t middle = (low + high) / 2;
                if (strcmp(pairs->items[middle].key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void add_keys(const MrPairs *pairs, const char *prefix, MrArena *arena, MrPairs *ret) {
        for (size_t i = pair_place(pairs, prefix);
             i < pairs->n && mr_starts_with(pairs->items[i].key, prefix); i++)
                mr_pairs_set(arena, ret,
                             mr_arena_strdup(arena, pairs->items[i].key + strlen(prefix)), "");
}

MrPairs mr_facts_secret_notes(const MrFacts *facts, const char *name, MrArena *arena) {
        _cleanup_free_ char *prefix = mr_strf("%s/", name);
        MrPairs notes = {};

        for (size_t i = pair_place(&facts->annotations, prefix);
             i < facts->annotations.n && mr_starts_with(facts->annotations.items[i].key, prefix);
             i++)
                mr_pairs_set(arena, &notes, facts->annotations.items[i].key + strlen(prefix),
                             facts->annotations.items[i].value);
        return notes;
}

MrStrings mr_facts_secret_keys(const MrFacts *facts, const char *name, MrArena *arena) {
        const MrResource *written = mr_facts_resource(facts, "Secret", name);
        _cleanup_free_ char *prefix = mr_strf("%s/", name);
        MrPairs keys = {};
        MrStrings result = {};

        add_keys(&facts->secrets, prefix, arena, &keys);
        if (written) {
                add_keys(&((const SecretData *) written->spec)->data, "", arena, &keys);
                add_keys(&((const SecretData *) written->spec)->string_data, "", arena, &keys);
        }
        for (size_t i = 0; i < keys.n; i++)
                mr_strings_add(arena, &result, keys.items[i].key);
        return result;
}

void facts_add_node(MrFacts *facts, const char *node, const MrTree *observed) {
        int state = mr_node_state_from_name(mr_tree_get_string(observed, "state"));

        MR_GROW(facts->nodes, facts->n_nodes, facts->allocated_nodes);
        facts->nodes[facts->n_nodes++] = (MrNodeFact){
                .node = mr_arena_strdup(facts->arena, node),
                .state = state < 0 ? MR_NODE_ABSENT : (MrNodeState) state,
                .since = mr_tree_get_int(observed, "since", 0),
                .message = mr_tree_get_string(observed, "message"),
                .fingerprint = mr_tree_get_string(observed, "fingerprint"),
                .settings = mr_tree_get(observed, "settings"),
                .address = mr_tree_get_string(observed, "address"),
                .machine = mr_tree_get_string(observed, "machine"),
                .where = mr_tree_get_string(observed, "where"),
                .restarts = mr_tree_get_int(observed, "restarts", 0),
                .pid = mr_tree_get_int(observed, "pid", 0),
                .owner = mr_tree_get_string(observed, "owner"),
                .role = mr_tree_get_string(observed, "role"),
                .version = mr_tree_get_string(observed, "version"),
                .applied = mr_tree_get(observed, "applied"),
                .order = (int) mr_tree_get_int(observed, "order", 0),
        };
}

void facts_set_view(MrFacts *facts, const char *probe, const MrTree *view) {
        if (facts->n_views == MR_ELEMENTS(facts->views))
                return;
        facts->views[facts->n_views].probe = mr_arena_strdup(facts->arena, probe);
        facts->views[facts->n_views++].view = view;
}

void facts_set_claims(MrFacts *facts, const char *ns, const MrTree *claims) {
        facts->ns = mr_arena_strdup(facts->arena, ns);
        facts->claims = claims;
}

void facts_set_host(MrFacts *facts, const MrTree *host) {
        facts->host = host;
}

void facts_remember(MrFacts *facts, const char *key, const char *value) {
        mr_pairs_set(facts->arena, &facts->remembered, mr_arena_strdup(facts->arena, key),
                     mr_arena_strdup(facts->arena, value));
}

size_t facts_nodes(const MrFacts *facts) {
        return facts->n_nodes;
}

const MrNodeFact *facts_node_at(const MrFacts *facts, size_t i) {
        return i < facts->n_nodes ? &facts->nodes[i] : NULL;
}

int64_t mr_facts_now(const MrFacts *facts) {
        return facts->now;
}

void facts_set_day(MrFacts *facts, int64_t sec) {
        facts->day_sec = sec;
}

int64_t facts_day(const MrFacts *facts) {
        return facts->day_sec;
}

const char *mr_facts_platform(const MrFacts *facts) {
        return facts->platform;
}

static bool is_of_kind(const MrFacts *facts, size_t i, const char *kind) {
        return i < facts->n_resources && mr_streq(facts->resources[i]->kind->name, kind);
}

size_t mr_facts_resources(const MrFacts *facts, const char *kind, const char *label,
                          const char *value, const MrResource *const **ret) {
        size_t first = resource_place(facts, kind, ""), n_all = 0, n = 0;

        for (size_t i = first; is_of_kind(facts, i, kind); i++)
                n_all += !label ||
                         mr_streq(mr_pairs_get(&facts->resources[i]->labels, label), value);
        const MrResource **matches =
                mr_arena_new_array(facts->arena, const MrResource *, n_all + 1);
        for (size_t i = first; n < n_all; i++)
                if (!label || mr_streq(mr_pairs_get(&facts->resources[i]->labels, label), value))
                        matches[n++] = facts->resources[i];
        *ret = matches;
        return n;
}

static bool is_made(const MrFacts *facts, const char *kind, const char *name) {
        _cleanup_free_ char *prefix = mr_strf("%s/", name);
        size_t at = pair_place(&facts->secrets, prefix);

        return mr_streq(kind, "Secret") && at < facts->secrets.n &&
               mr_starts_with(facts->secrets.items[at].key, prefix);
}

static void note_asked(const MrFacts *facts, const char *kind, const char *name) {
        static const char *const kinds[] = {"ConfigMap", "Secret", "StorageClass"};

        for (size_t i = 0; i < MR_ELEMENTS(kinds); i++) {
                if (!mr_streq(kind, kinds[i]) || is_made(facts, kind, name))
                        continue;
                _cleanup_free_ char *key = mr_strf("%s/%s", kind, name);
                if (!mr_pairs_get(facts->asked, key))
                        mr_pairs_set(facts->arena, facts->asked, mr_arena_strdup(facts->arena, key),
                                     kinds[i]);
        }
}

const MrPairs *facts_asked(const MrFacts *facts) {
        return facts->asked;
}

const MrResource *mr_facts_resource(const MrFacts *facts, const char *kind, const char *name) {
        size_t at = resource_place(facts, kind, name);

        note_asked(facts, kind, name);
        return is_of_kind(facts, at, kind) && mr_streq(facts->resources[at]->name, name)
                       ? facts->resources[at]
                       : NULL;
}

/* What a user wrote, as text. */
static const char *declared_secret(const MrFacts *facts, const char *name, const char *key) {
        const MrResource *secret = mr_facts_resource(facts, "Secret", name);
        _cleanup_(mr_buf_wipe) MrBuf bytes = {}, text = {};

        if (!secret || document_secret_value(secret, key, &bytes) <= 0)
                return NULL;
        if (mr_ends_with(key, ".p12")) {
                mr_base64(mr_buf_text(&bytes), bytes.size, &text);
                return mr_arena_strdup(facts->arena, mr_buf_text(&text));
        }
        if (strlen(mr_buf_text(&bytes)) != bytes.size)
                return NULL;
        return mr_arena_strdup(facts->arena, mr_buf_text(&bytes));
}

const char *mr_facts_secret(const MrFacts *facts, const char *name, const char *key) {
        const char *declared = declared_secret(facts, name, key);
        _cleanup_free_ char *path = mr_strf("%s/%s", name, key);

        return declared ? declared : mr_pairs_get(&facts->secrets, path);
}

const char *mr_facts_config(const MrFacts *facts, const char *name, const char *key) {
        const MrResource *config = mr_facts_resource(facts, "ConfigMap", name);

        return config ? mr_pairs_get(&((const ConfigData *) config->spec)->data, key) : NULL;
}

const MrStorageClass *mr_facts_storage_class(const MrFacts *facts, const char *name) {
        const MrResource *resource = mr_facts_resource(facts, "StorageClass", name);

        return resource ? resource->spec : NULL;
}

const MrNodeFact *mr_facts_node(const MrFacts *facts, const char *node) {
        for (size_t i = 0; i < facts->n_nodes; i++)
                if (mr_streq(facts->nodes[i].node, node))
                        return &facts->nodes[i];
        return NULL;
}

const MrNodeFact *mr_facts_node_at(const MrFacts *facts, size_t i) {
        return facts_node_at(facts, i);
}

const MrTree *mr_facts_view(const MrFacts *facts, const char *probe) {
        for (size_t i = 0; i < facts->n_views; i++)
                if (mr_streq(facts->views[i].probe, probe))
                        return facts->views[i].view;
        return NULL;
}

const MrTree *mr_facts_claim(const MrFacts *facts, const char *claim) {
        _cleanup_free_ char *key = mr_strf("%s/%s", facts->ns ? facts->ns : "default", claim);
        return mr_tree_get(facts->claims, key);
}

const MrTree *mr_facts_next_claim(const MrFacts *facts, size_t *cursor, const char **ret_name) {
        const char *ns = facts->ns ? facts->ns : "default";
        size_t n = strlen(ns);

        while (*cursor < mr_tree_size(facts->claims)) {
                size_t i = (*cursor)++;
                const char *key = mr_tree_key(facts->claims, i);
                if (!mr_starts_with(key, ns) || key[n] != '/')
                        continue;
                *ret_name = key + n + 1;
                return mr_tree_at(facts->claims, i);
        }
        return NULL;
}

const MrTree *mr_facts_host(const MrFacts *facts) {
        return facts->host;
}

const char *mr_facts_remembered(const MrFacts *facts, const char *key) {
        return mr_pairs_get(&facts->remembered, key);
}

void facts_set_certificate_memo(MrFacts *facts, struct CertificateMemo *memo) {
        facts->memo = memo;
}

struct CertificateMemo *facts_certificate_memo(const MrFacts *facts) {
        return facts->memo;
}
