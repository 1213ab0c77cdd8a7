/* Certificates and assembled secrets as manifests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/issue.h"
#include "model/core-kinds.h"
#include "model/facts.h"
#include "reconcile/secrets.h"
#include "str.h"

#define NOW 1790000000

typedef struct World {
        MrParts *parts;
        MrFacts *facts;
        MrManifests *wanted, *found;
} World;

static void world_done(World *w) {
        mr_parts_free(w->parts);
        facts_free(w->facts);
        mr_manifests_free(w->wanted);
        mr_manifests_free(w->found);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(void) {
        return (World){
                .parts = mr_parts_new(),
                .facts = facts_new(NOW, "paper"),
                .wanted = mr_manifests_new(),
                .found = mr_manifests_new(),
        };
}

static int try_to_lower(World *w, MrError *err) {
        Loading loading = {
                .ns = "default",
                .parts = w->parts,
                .facts = w->facts,
                .wanted = w->wanted,
                .arena = mr_manifests_arena(w->wanted),
        };

        return secrets_lower(&loading, w->wanted, w->found, err);
}

static void lower(World *w) {
        assert_int_equal(try_to_lower(w, NULL), 0);
}

static void again(World *w) {
        mr_manifests_free(w->wanted);
        mr_manifests_free(w->found);
        w->wanted = mr_manifests_new();
        w->found = mr_manifests_new();
        lower(w);
}

static const MrManifest *secret(const MrManifests *manifests, const char *name) {
        return mr_manifests_find(manifests, "Secret", "default", name);
}

static const char *no_secret(const char *name _unused_, const char *key _unused_,
                             void *userdata _unused_) {
        return NULL;
}

/* Issues what a wanted manifest describes, and makes it a fact. */
static void issue(World *w, const MrManifest *manifest, SecretLookup lookup) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_error_ MrError err = {};
        MrCertificate certificate;
        CertificateTerms terms;

        assert_int_equal(secrets_certificate(manifest, arena, &certificate, &terms), 1);
        _cleanup_(issue_freep) Issue *made = issue_new(&(CertificateQuestion){
                .wanted = &certificate,
                .terms = &terms,
                .lookup = lookup,
                .userdata = w->facts,
                .now = NOW,
        });
        issue_work(made);
        assert_int_equal(issue_result(made, &err), 0);
        for (size_t i = 0; i < issue_secrets(made); i++) {
                const Secret *result = issue_secret_at(made, i);
                for (size_t k = 0; k < secret_size(result); k++)
                        facts_add_secret(w->facts, secret_name(result), secret_key_at(result, k),
                                         secret_value_at(result, k));
        }
}

static const char *from_facts(const char *name, const char *key, void *userdata) {
        return mr_facts_secret(userdata, name, key);
}

static MrCertificate authority(void) {
        return (MrCertificate){.name = "c-ca",
                               .key_prefix = "ca",
                               .common_name = "c-ca",
                               .validity_days = 365,
                               .renewal_days = 30,
                               .with_pkcs12 = true};
}

static MrCertificate leaf(World *w) {
        MrCertificate certificate = {.name = "n",
                                     .authority = "c-ca",
                                     .key_prefix = "n",
                                     .common_name = "n",
                                     .validity_days = 365,
                                     .renewal_days = 30};

        mr_strings_add(mr_parts_arena(w->parts), &certificate.names, "n.example.com");
        mr_strings_add(mr_parts_arena(w->parts), &certificate.names, "@{addr:n}");
        mr_pairs_set(mr_parts_arena(w->parts), &certificate.labels, "a", "b");
        return certificate;
}

static void a_certificate_that_is_not_there(void **state _unused_) {
        _cleanup_world_ w = world();

        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = authority()});
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = leaf(&w)});
        lower(&w);
        assert_int_equal(mr_manifests_size(w.found), 0);
        assert_int_equal(mr_manifests_size(w.wanted), 2);
        assert_true(secret(w.wanted, "c-ca")->rank < secret(w.wanted, "n")->rank);
        assert_null(secret(w.wanted, "n")->payload);
}

static void the_manifest_describes_the_certificate(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrCertificate certificate;
        CertificateTerms terms;

        mr_manifests_add_address(
                w.wanted, (MrAddress){.node = "n", .endpoint = "e", .host = "h1", .port = 1});
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = leaf(&w)});
        lower(&w);
        assert_int_equal(secrets_certificate(secret(w.wanted, "n"), arena, &certificate, &terms),
                         1);
        assert_string_equal(certificate.name, "n");
        assert_string_equal(certificate.authority, "c-ca");
        assert_int_equal(certificate.names.n, 2);
        assert_string_equal(certificate.names.items[1], "h1");
        assert_int_equal(certificate.validity_days, 365);
        assert_int_equal(certificate.renewal_days, 30);
        assert_false(certificate.with_pkcs12);
        assert_string_equal(mr_pairs_get(&certificate.labels, "a"), "b");
}

static void names_without_an_address_are_left_out(void **state _unused_) {
        _cleanup_world_ w = world();

        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = leaf(&w)});
        lower(&w);
        assert_int_equal(
                mr_tree_size(mr_tree_find(secret(w.wanted, "n")->body, "certificate.names", false)),
                1);
}

static void what_serves_equals_what_is_wanted(void **state _unused_) {
        _cleanup_world_ w = world();

        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = authority()});
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = leaf(&w)});
        lower(&w);
        issue(&w, secret(w.wanted, "c-ca"), no_secret);
        again(&w);
        assert_true(mr_tree_equal(secret(w.wanted, "c-ca")->body, secret(w.found, "c-ca")->body));
        assert_null(secret(w.found, "n"));
        issue(&w, secret(w.wanted, "n"), from_facts);
        again(&w);
        assert_true(mr_tree_equal(secret(w.wanted, "n")->body, secret(w.found, "n")->body));
}

static void what_does_not_serve_says_why(void **state _unused_) {
        _cleanup_world_ w = world();

        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = authority()});
        facts_add_secret(w.facts, "c-ca-cert", "ca.crt", "damaged");
        lower(&w);
        assert_non_null(mr_tree_get_string(secret(w.found, "c-ca")->body, "reissue"));
        assert_false(mr_tree_equal(secret(w.wanted, "c-ca")->body, secret(w.found, "c-ca")->body));
}

static void add_assembled(World *w) {
        MrSecretPart part = {.name = "s"};

        mr_pairs_set(mr_parts_arena(w->parts), &part.values, "literal", "text");
        mr_pairs_set(mr_parts_arena(w->parts), &part.values, "copied", "<@{secret:other/key}>");
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_SECRET, .secret = part});
}

static void an_assembled_secret_waits_for_its_sources(void **state _unused_) {
        _cleanup_world_ w = world();

        add_assembled(&w);
        lower(&w);
        assert_non_null(secret(w.wanted, "s")->pending);
        assert_null(secret(w.found, "s"));
        facts_add_secret(w.facts, "other", "key", "hidden");
        again(&w);
        assert_null(secret(w.wanted, "s")->pending);
        assert_true(secret(w.wanted, "s")->is_secret);
        assert_string_equal(secret(w.wanted, "s")->payload,
                            "{\"copied\":\"<hidden>\",\"literal\":\"text\"}");
        assert_int_equal(secrets_certificate(secret(w.wanted, "s"), NULL, NULL, NULL), 0);
}

static void an_assembled_secret_is_compared_by_digest(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_buf_ MrBuf text = {};

        add_assembled(&w);
        facts_add_secret(w.facts, "other", "key", "hidden");
        facts_add_secret(w.facts, "s", "literal", "text");
        facts_add_secret(w.facts, "s", "copied", "<hidden>");
        lower(&w);
        assert_true(mr_tree_equal(secret(w.wanted, "s")->body, secret(w.found, "s")->body));
        mr_json_write(secret(w.wanted, "s")->body, 0, &text);
        assert_null(strstr(mr_buf_text(&text), "hidden"));
        facts_add_secret(w.facts, "s", "copied", "<old>");
        again(&w);
        assert_false(mr_tree_equal(secret(w.wanted, "s")->body, secret(w.found, "s")->body));
}

/* A Secret somebody wrote, with what a secret that was made here holds. */
static void write_down(World *w, MrArena *arena, const char *name, const char *from) {
        const MrKind *kind = NULL;
        MrResource *resource = mr_arena_alloc(arena, sizeof(MrResource));
        SecretData *data = mr_arena_alloc(arena, sizeof(SecretData));
        static const char *const keys[] = {"ca.key", "ca.crt"};

        for (size_t i = 0; core_kinds[i]; i++)
                if (mr_streq(core_kinds[i]->name, "Secret"))
                        kind = core_kinds[i];
        for (size_t i = 0; from && i < MR_ELEMENTS(keys); i++) {
                const char *value = mr_facts_secret(w->facts, from, keys[i]);
                if (value)
                        mr_pairs_set(arena, &data->string_data, keys[i],
                                     mr_arena_strdup(arena, value));
        }
        if (!from)
                mr_pairs_set(arena, &data->string_data, "other", "x");
        *resource = (MrResource){.kind = kind, .name = name, .ns = "default", .spec = data};
        facts_add_resource(w->facts, resource);
}

static void an_authority_somebody_wrote_serves(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_world_ from = world(), w = world();
        MrCertificate plain = authority();

        plain.with_pkcs12 = false;
        mr_parts_add(from.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = plain});
        lower(&from);
        issue(&from, secret(from.wanted, "c-ca"), no_secret);
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = plain});
        facts_free(w.facts);
        w.facts = TAKE(from.facts);
        write_down(&w, arena, "c-ca", "c-ca");
        write_down(&w, arena, "c-ca-cert", "c-ca-cert");
        lower(&w);
        assert_true(mr_tree_equal(secret(w.wanted, "c-ca")->body, secret(w.found, "c-ca")->body));
        from.facts = facts_new(NOW, "paper");
}

static void what_somebody_wrote_is_never_written_over(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_world_ w = world(), v = world();
        _cleanup_error_ MrError a = {}, b = {};
        MrSecretPart part = {.name = "s"};

        write_down(&w, arena, "c-ca", NULL);
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_CERTIFICATE, .certificate = authority()});
        assert_true(try_to_lower(&w, &a) < 0);
        assert_string_equal(a.message,
                            "the Secret c-ca, which somebody wrote, does not serve: it lacks the "
                            "keys that are needed; correct it, or delete it so that millrace "
                            "makes one");
        write_down(&v, arena, "s", NULL);
        mr_pairs_set(mr_parts_arena(v.parts), &part.values, "k", "v");
        mr_parts_add(v.parts, (MrPart){.kind = MR_PART_SECRET, .secret = part});
        assert_true(try_to_lower(&v, &b) < 0);
        assert_string_equal(b.message,
                            "millrace makes the Secret s itself; give yours another name");
}

static void add_random(World *w) {
        MrSecretPart part = {.name = "r"};

        mr_pairs_set(mr_parts_arena(w->parts), &part.values, "user", "@{random:32}");
        mr_pairs_set(mr_parts_arena(w->parts), &part.values, "password", "@{random:16}");
        mr_parts_add(w->parts, (MrPart){.kind = MR_PART_SECRET, .secret = part});
}

static void what_is_random_is_made_once(void **state _unused_) {
        _cleanup_world_ w = world();

        add_random(&w);
        lower(&w);
        assert_null(secret(w.found, "r"));
        assert_null(secret(w.wanted, "r")->pending);
        assert_string_equal(secret(w.wanted, "r")->payload,
                            "{\"password\":{\"random\":16},\"user\":{\"random\":32}}");
        facts_add_secret(w.facts, "r", "user", "made");
        again(&w);
        assert_string_equal(secret(w.wanted, "r")->payload,
                            "{\"password\":{\"random\":16},\"user\":\"made\"}");
        assert_false(mr_tree_equal(secret(w.wanted, "r")->body, secret(w.found, "r")->body));
        facts_add_secret(w.facts, "r", "password", "word");
        again(&w);
        assert_true(mr_tree_equal(secret(w.wanted, "r")->body, secret(w.found, "r")->body));
}

static void a_reference_that_means_nothing(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_error_ MrError err = {};
        MrSecretPart part = {.name = "s"};

        mr_pairs_set(mr_parts_arena(w.parts), &part.values, "k", "@{dir:x}");
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_SECRET, .secret = part});
        assert_true(try_to_lower(&w, &err) < 0);
        assert_string_equal(err.path, "s.k");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_certificate_that_is_not_there),
                cmocka_unit_test(the_manifest_describes_the_certificate),
                cmocka_unit_test(names_without_an_address_are_left_out),
                cmocka_unit_test(what_serves_equals_what_is_wanted),
                cmocka_unit_test(what_does_not_serve_says_why),
                cmocka_unit_test(an_assembled_secret_waits_for_its_sources),
                cmocka_unit_test(an_assembled_secret_is_compared_by_digest),
                cmocka_unit_test(an_authority_somebody_wrote_serves),
                cmocka_unit_test(what_somebody_wrote_is_never_written_over),
                cmocka_unit_test(what_is_random_is_made_once),
                cmocka_unit_test(a_reference_that_means_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
