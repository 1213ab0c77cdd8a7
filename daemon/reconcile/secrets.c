/* Certificates, bundles and assembled secrets as manifests. */

#include "secrets-private.h"

#include <string.h>

#include "model/facts.h"
#include "references.h"
#include "str.h"

void lower_digest(MrTree *map, const char *key, const char *value) {
        char digest[MR_DIGEST_MAX];

        mr_digest(value, strlen(value), digest);
        mr_tree_set_string(map, key, digest);
}

/* "@{random:N}" → N; 0 for any other text. */
static int64_t random_length(const char *text) {
        static const char prefix[] = "@{random:";
        int64_t length = 0;

        if (!mr_starts_with(text, prefix) || !mr_ends_with(text, "}"))
                return 0;
        _cleanup_free_ char *number =
                mr_strndup(text + strlen(prefix), strlen(text) - strlen(prefix) - 1);
        return mr_parse_int(number, &length) < 0 || length < 8 || length > 256 ? 0 : length;
}

typedef struct Value {
        const char *text; /* NULL: made when the secret is stored */
        int64_t random;
} Value;

/* What was made once stays; returns 1 when something it refers to is not there yet. */
static int secret_value(Lowering *lowering, const char *secret, const MrPair *pair, Value *ret,
                        MrError *err) {
        int64_t random = random_length(pair->value);

        if (random > 0) {
                const char *stored = mr_facts_secret(lowering->facts, secret, pair->key);
                *ret = (Value){.text = stored, .random = random};
                return 0;
        }
        return reference_text(pair->value, lowering->wanted, lowering->facts, lowering->arena,
                              &ret->text, err);
}

static void add_value(MrTree *values, MrTree *wanted, const char *key, const Value *value) {
        if (value->text) {
                mr_tree_set_string(values, key, value->text);
                lower_digest(mr_tree_need_map(wanted, "digests"), key, value->text);
                return;
        }
        mr_tree_set_int(mr_tree_need_map(values, key), "random", value->random);
        mr_tree_set_string(mr_tree_need_map(wanted, "digests"), key, "random");
}

/* A secret somebody wrote serves where its values are anybody's choice. */
static int check_own(const Lowering *lowering, const MrSecretPart *part, MrError *err) {
        for (size_t i = 0; i < part->values.n; i++) {
                const MrPair *pair = &part->values.items[i];
                if (random_length(pair->value) == 0)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "millrace makes the Secret %s itself; give yours another "
                                       "name",
                                       part->name);
                if (!mr_facts_secret(lowering->facts, part->name, pair->key))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the Secret %s, which somebody wrote, lacks the key %s; add "
                                       "it, or delete the Secret so that millrace makes one",
                                       part->name, pair->key);
        }
        return 0;
}

static int lower_secret(Lowering *lowering, const MrSecretPart *part, MrError *err) {
        if (facts_is_written(lowering->facts, part->name))
                return check_own(lowering, part, err);
        _cleanup_(mr_tree_freep) MrTree *values = mr_tree_new_map();
        _cleanup_(mr_buf_wipe) MrBuf payload = {};
        MrTree *wanted = mr_tree_new_map(), *found = mr_tree_new_map();
        bool is_pending = false, is_found = false;

        for (size_t i = 0; i < part->values.n; i++) {
                const char *key = part->values.items[i].key;
                Value value = {.text = ""};
                int r = secret_value(lowering, part->name, &part->values.items[i], &value, err);
                if (r < 0) {
                        mr_tree_free(wanted);
                        mr_tree_free(found);
                        return mr_error_within(err, r, "%s.%s", part->name, key);
                }
                is_pending = is_pending || r > 0;
                add_value(values, wanted, key, &value);
                const char *stored = mr_facts_secret(lowering->facts, part->name, key);
                if (stored)
                        lower_digest(mr_tree_need_map(found, "digests"), key, stored);
                is_found = is_found || stored;
        }
        mr_json_write(values, 0, &payload);
        MrManifest manifest = {
                .kind = "Secret", .ns = lowering->ns, .name = part->name, .rank = RANK_SECRET};
        manifest.body = found;
        if (is_found)
                mr_manifests_add(lowering->found, manifest);
        else
                mr_tree_free(found);
        manifest.body = wanted;
        manifest.is_secret = true;
        manifest.payload = mr_buf_text(&payload);
        manifest.pending = is_pending ? "a secret it is made from" : NULL;
        mr_manifests_add(lowering->wanted, manifest);
        return 0;
}

static int lower_part(Lowering *lowering, size_t i, MrError *err) {
        const MrPart *part = mr_parts_at(lowering->loading.parts, i);

        if (part->kind == MR_PART_CERTIFICATE)
                return lower_certificate(lowering, &part->certificate, err);
        if (part->kind == MR_PART_SECRET)
                return lower_secret(lowering, &part->secret, err);
        if (part->kind == MR_PART_TRUST)
                return lower_trust(lowering, i, err);
        return 0;
}

int secrets_lower(const Loading *loading, MrManifests *wanted, MrManifests *found, MrError *err) {
        Lowering lowering = {
                .ns = loading->ns,
                .facts = loading->facts,
                .wanted = wanted,
                .found = found,
                .arena = loading->arena,
                .loading = *loading,
        };

        for (size_t i = 0; i < mr_parts_size(loading->parts); i++) {
                int r = lower_part(&lowering, i, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
