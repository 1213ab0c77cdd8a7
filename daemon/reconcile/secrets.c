/* Certificates and assembled secrets as manifests. */

#include "secrets.h"

#include <string.h>

#include "crypto/certificate-memo.h"
#include "model/facts.h"
#include "references.h"
#include "str.h"

typedef struct Lowering {
        const char *ns;
        const MrFacts *facts;
        MrManifests *wanted;
        MrManifests *found;
        MrArena *arena;
} Lowering;

static const char *lookup_fact(const char *secret, const char *key, void *userdata) {
        const Lowering *lowering = userdata;
        return mr_facts_secret(lowering->facts, secret, key);
}

/* Names whose node has no address yet are left out: the certificate is issued again when they are
 * known. */
static int resolve_names(Lowering *lowering, const MrStrings *names, MrStrings *ret, MrError *err) {
        for (size_t i = 0; i < names->n; i++) {
                const char *name;
                int r = reference_text(names->items[i], lowering->wanted, NULL, lowering->arena,
                                       &name, err);
                if (r < 0)
                        return mr_error_within(err, r, "names[%zu]", i);
                if (r == 0)
                        mr_strings_add(lowering->arena, ret, name);
        }
        return 0;
}

static MrTree *describe_certificate(const MrCertificate *certificate) {
        MrTree *body = mr_tree_new_map(), *tree = mr_tree_need_map(body, "certificate");
        MrTree *names = mr_tree_need_list(tree, "names"), *labels;

        for (size_t i = 0; i < certificate->names.n; i++)
                mr_tree_append(names, mr_tree_new_string(certificate->names.items[i]));
        mr_tree_set_string(tree, "authority", certificate->authority);
        mr_tree_set_string(tree, "key_prefix", certificate->key_prefix);
        mr_tree_set_string(tree, "common_name", certificate->common_name);
        mr_tree_set_string(tree, "organization", certificate->organization);
        mr_tree_set_int(tree, "validity_days", certificate->validity_days);
        mr_tree_set_int(tree, "renewal_days", certificate->renewal_days);
        mr_tree_set_bool(tree, "with_pkcs12", certificate->with_pkcs12);
        mr_tree_set_bool(tree, "with_authority", certificate->with_authority);
        labels = mr_tree_need_map(tree, "labels");
        for (size_t i = 0; i < certificate->labels.n; i++)
                mr_tree_set_string(labels, certificate->labels.items[i].key,
                                   certificate->labels.items[i].value);
        return body;
}

int secrets_certificate(const MrManifest *manifest, MrArena *arena, MrCertificate *ret) {
        const MrTree *tree = mr_tree_get(manifest->body, "certificate");
        const MrTree *names = mr_tree_get(tree, "names"), *labels = mr_tree_get(tree, "labels");

        if (!tree)
                return 0;
        *ret = (MrCertificate){
                .name = manifest->name,
                .authority = mr_tree_get_string(tree, "authority"),
                .key_prefix = mr_tree_get_string(tree, "key_prefix"),
                .common_name = mr_tree_get_string(tree, "common_name"),
                .organization = mr_tree_get_string(tree, "organization"),
                .validity_days = mr_tree_get_int(tree, "validity_days", 365),
                .renewal_days = mr_tree_get_int(tree, "renewal_days", 30),
                .with_pkcs12 = mr_tree_get_bool(tree, "with_pkcs12", false),
                .with_authority = mr_tree_get_bool(tree, "with_authority", false),
        };
        for (size_t i = 0; i < mr_tree_size(names); i++)
                mr_strings_add(arena, &ret->names, mr_tree_string(mr_tree_at(names, i)));
        for (size_t i = 0; i < mr_tree_size(labels); i++)
                mr_pairs_set(arena, &ret->labels, mr_tree_key(labels, i),
                             mr_tree_string(mr_tree_at(labels, i)));
        return 1;
}

static bool is_any_stored(Lowering *lowering, const MrCertificate *certificate) {
        const char *secret, *key;

        for (size_t i = 0; (key = certificate_key_at(certificate, i, lowering->arena, &secret));
             i++)
                if (mr_facts_secret(lowering->facts, secret, key))
                        return true;
        return false;
}

/* What a user wrote is never written over. */
static int check_written(Lowering *lowering, const MrCertificate *certificate, const char *reason,
                         MrError *err) {
        const char *secret;

        for (size_t i = 0; certificate_key_at(certificate, i, lowering->arena, &secret); i++)
                if (mr_facts_resource(lowering->facts, "Secret", secret))
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the Secret %s, which somebody wrote, does not serve: %s; "
                                       "correct it, or delete it so that millrace makes one",
                                       secret, reason);
        return 0;
}

static int lower_certificate(Lowering *lowering, const MrCertificate *part, MrError *err) {
        MrCertificate certificate = *part;
        MrManifest manifest = {
                .kind = "Secret",
                .ns = lowering->ns,
                .name = part->name,
                .rank = part->authority ? RANK_CERTIFICATE : RANK_AUTHORITY,
        };

        certificate.names = (MrStrings){};
        int r = resolve_names(lowering, &part->names, &certificate.names, err);
        if (r < 0)
                return mr_error_within(err, r, "%s", part->name);
        if (is_any_stored(lowering, &certificate)) {
                _cleanup_free_ char *reason = certificate_memo_check(
                        facts_certificate_memo(lowering->facts), &certificate, lookup_fact,
                        lowering, mr_facts_now(lowering->facts));
                r = reason ? check_written(lowering, &certificate, reason, err) : 0;
                if (r < 0)
                        return r;
                manifest.body = describe_certificate(&certificate);
                mr_tree_set_string(manifest.body, "reissue", reason);
                mr_manifests_add(lowering->found, manifest);
        } else
                r = check_written(lowering, &certificate, "it lacks the keys that are needed", err);
        if (r < 0)
                return r;
        manifest.body = describe_certificate(&certificate);
        mr_manifests_add(lowering->wanted, manifest);
        return 0;
}

static void set_digest(MrTree *map, const char *key, const char *value) {
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
                set_digest(mr_tree_need_map(wanted, "digests"), key, value->text);
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
        if (mr_facts_resource(lowering->facts, "Secret", part->name))
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
                        set_digest(mr_tree_need_map(found, "digests"), key, stored);
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

int secrets_lower(const char *ns, const MrParts *parts, const MrFacts *facts, MrManifests *wanted,
                  MrManifests *found, MrError *err) {
        Lowering lowering = {
                .ns = ns,
                .facts = facts,
                .wanted = wanted,
                .found = found,
                .arena = mr_manifests_arena(wanted),
        };

        for (size_t i = 0; i < mr_parts_size(parts); i++) {
                const MrPart *part = mr_parts_at(parts, i);
                int r = 0;
                if (part->kind == MR_PART_CERTIFICATE)
                        r = lower_certificate(&lowering, &part->certificate, err);
                else if (part->kind == MR_PART_SECRET)
                        r = lower_secret(&lowering, &part->secret, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
