/* A certificate as the body of a manifest, and back. */

#include "secrets-private.h"

#include "str.h"

static void set_strings(MrTree *map, const char *key, const MrStrings *texts) {
        for (size_t i = 0; i < texts->n; i++)
                mr_tree_append(mr_tree_need_list(map, key), mr_tree_new_string(texts->items[i]));
}

static void set_number(MrTree *map, const char *key, int64_t value) {
        if (value != 0)
                mr_tree_set_int(map, key, value);
}

static void set_flag(MrTree *map, const char *key, bool value) {
        if (value)
                mr_tree_set_bool(map, key, true);
}

/* What is not said is as it is most of the time. */
void certificate_describe_terms(const CertificateTerms *terms, MrTree *body) {
        MrTree *map = mr_tree_new_map();

        if (terms->signer && !mr_streq(terms->signer, "ca"))
                mr_tree_set_string(map, "signer", terms->signer);
        set_flag(map, "kept", terms->is_kept);
        set_flag(map, "new_key", terms->has_new_key);
        set_strings(map, "formers", &terms->formers);
        set_strings(map, "former_keys", &terms->former_keys);
        set_number(map, "key_generation", terms->key_generation);
        set_number(map, "certificate_generation", terms->certificate_generation);
        if (terms->done)
                mr_tree_set_string(map, "done", terms->done);
        if (terms->done_public)
                mr_tree_set_string(map, "done_public", terms->done_public);
        if (mr_tree_size(map) > 0)
                mr_tree_set(body, "terms", map);
        else
                mr_tree_free(map);
}

MrTree *certificate_describe(const MrCertificate *certificate) {
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
        if (certificate->key_type)
                mr_tree_set_string(tree, "key_type", certificate->key_type);
        labels = mr_tree_need_map(tree, "labels");
        for (size_t i = 0; i < certificate->labels.n; i++)
                mr_tree_set_string(labels, certificate->labels.items[i].key,
                                   certificate->labels.items[i].value);
        return body;
}

static MrStrings strings_of(const MrTree *list, MrArena *arena) {
        MrStrings texts = {};

        for (size_t i = 0; i < mr_tree_size(list); i++)
                mr_strings_add(arena, &texts, mr_tree_string(mr_tree_at(list, i)));
        return texts;
}

static CertificateTerms terms_of(const MrTree *tree, MrArena *arena) {
        return (CertificateTerms){
                .signer = mr_tree_get_string(tree, "signer"),
                .is_kept = mr_tree_get_bool(tree, "kept", false),
                .has_new_key = mr_tree_get_bool(tree, "new_key", false),
                .formers = strings_of(mr_tree_get(tree, "formers"), arena),
                .former_keys = strings_of(mr_tree_get(tree, "former_keys"), arena),
                .key_generation = mr_tree_get_int(tree, "key_generation", 0),
                .certificate_generation = mr_tree_get_int(tree, "certificate_generation", 0),
                .done = mr_tree_get_string(tree, "done"),
                .done_public = mr_tree_get_string(tree, "done_public"),
        };
}

int secrets_certificate(const MrManifest *manifest, MrArena *arena, MrCertificate *ret,
                        CertificateTerms *ret_terms) {
        const MrTree *tree = mr_tree_get(manifest->body, "certificate");

        if (!tree)
                return 0;
        *ret = (MrCertificate){
                .name = manifest->name,
                .authority = mr_tree_get_string(tree, "authority"),
                .key_prefix = mr_tree_get_string(tree, "key_prefix"),
                .common_name = mr_tree_get_string(tree, "common_name"),
                .organization = mr_tree_get_string(tree, "organization"),
                .names = strings_of(mr_tree_get(tree, "names"), arena),
                .validity_days = mr_tree_get_int(tree, "validity_days", 365),
                .renewal_days = mr_tree_get_int(tree, "renewal_days", 30),
                .with_pkcs12 = mr_tree_get_bool(tree, "with_pkcs12", false),
                .with_authority = mr_tree_get_bool(tree, "with_authority", false),
                .key_type = mr_tree_get_string(tree, "key_type"),
                .labels = mr_pairs_of(arena, mr_tree_get(tree, "labels")),
        };
        *ret_terms = terms_of(mr_tree_get(manifest->body, "terms"), arena);
        return 1;
}
