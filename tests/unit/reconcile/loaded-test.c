/* What processes have read of their files, from fingerprints and from what they show. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/certificate.h"
#include "crypto/key.h"
#include "crypto/secret.h"
#include "model/facts.h"
#include "reconcile/loaded.h"
#include "str.h"

#define NOW 1790000000

typedef struct World {
        MrParts *parts;
        MrFacts *facts;
        MrManifests *wanted, *observed;
        MrTree *view, *node;
} World;

static void world_done(World *w) {
        mr_parts_free(w->parts);
        facts_free(w->facts);
        mr_manifests_free(w->wanted);
        mr_manifests_free(w->observed);
        mr_tree_free(w->view);
        mr_tree_free(w->node);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(MrFileEffect effect, MrFileShow shows) {
        World w = {
                .parts = mr_parts_new(),
                .facts = facts_new(NOW, "paper"),
                .wanted = mr_manifests_new(),
                .observed = mr_manifests_new(),
                .view = mr_tree_new_map(),
                .node = mr_tree_new_map(),
        };
        MrFile file = {.node = "n",
                       .name = "f",
                       .content = "@{secret:s/k}",
                       .effect = effect,
                       .shows = shows};

        mr_strings_add(mr_parts_arena(w.parts), &file.shown_at, "e");
        mr_parts_add(w.parts, (MrPart){.kind = MR_PART_FILE, .file = file});
        mr_manifests_add_node(
                w.wanted,
                (MrNodeWanted){.node = "n", .ns = "default", .group = "g", .fingerprint = "new"});
        facts_set_view(w.facts, "tls", w.view);
        return w;
}

static void add_file(MrManifests *manifests, const char *digest) {
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "digest", digest);
        mr_manifests_add(
                manifests,
                (MrManifest){
                        .kind = "File", .ns = "default", .name = "n/f", .node = "n", .body = body});
}

static void see(World *w, const char *state, const char *fingerprint) {
        mr_tree_set_string(w->node, "state", state);
        mr_tree_set_string(w->node, "fingerprint", fingerprint);
        facts_add_node(w->facts, "n", w->node);
}

static void show(World *w, const char *key, const char *digest) {
        MrTree *endpoint = mr_tree_need_map(mr_tree_need_map(w->view, "n"), "e");

        if (mr_streq(key, "authorities"))
                mr_tree_append(mr_tree_need_list(endpoint, key), mr_tree_new_string(digest));
        else
                mr_tree_set_string(endpoint, key, digest);
}

static void expect(World *w, const char *waits, bool is_late) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        Loading loading = {
                .ns = "default",
                .parts = w->parts,
                .facts = w->facts,
                .wanted = w->wanted,
                .observed = w->observed,
                .arena = arena,
        };
        const char *found = loaded_waits_for(&loading, "s", "k");

        assert_string_equal(found ? found : "(nothing)", waits ? waits : "(nothing)");
        assert_int_equal(loaded_is_late(&loading, "n/f"), is_late);
        assert_null(loaded_waits_for(&loading, "s", "other"));
        assert_false(loaded_is_late(&loading, "n/other"));
}

/* A certificate in the secret; the digests of itself and of its name. */
static void add_certificate(World *w, CertificateFacts *ret) {
        const CertificateRequest request = {
                .common_name = "c", .now = NOW, .validity_days = 1, .is_authority = true};
        _cleanup_(secret_text_freep) char *key = NULL;
        _cleanup_free_ char *pem = NULL;

        assert_int_equal(key_generate(KEY_EC_P256, &key, NULL), 0);
        assert_int_equal(certificate_issue(&request, key, NULL, NULL, &pem, NULL), 0);
        assert_int_equal(certificate_facts_read(pem, ret, NULL), 0);
        facts_add_secret(w->facts, "s", "k", pem);
}

static void a_node_that_does_not_run_needs_the_file_alone(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_RESTART, MR_SHOWS_NOTHING);

        expect(&w, NULL, false);
        add_file(w.wanted, "1");
        expect(&w, NULL, false); /* it comes with the node */
        add_file(w.observed, "0");
        expect(&w, "n does not have its f yet", false);
        add_file(w.observed, "1");
        expect(&w, NULL, false);
}

static void a_process_that_reads_it_at_its_start(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_RESTART, MR_SHOWS_NOTHING),
                        v = world(MR_EFFECT_RESTART, MR_SHOWS_NOTHING);

        see(&w, "running", "old");
        expect(&w, "n has not restarted with its f", false);
        see(&v, "starting", "new");
        expect(&v, NULL, false);
}

static void a_process_that_shows_its_certificate(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_NONE, MR_SHOWS_CERTIFICATE);
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        add_certificate(&w, &facts);
        add_file(w.wanted, "1");
        see(&w, "running", "new");
        expect(&w, "n does not have its f yet", false);
        add_file(w.observed, "1");
        expect(&w, "it is not known yet which f n has read", false);
        show(&w, "certificate", "another");
        expect(&w, "n has not read its f yet", true);
        show(&w, "certificate", facts.digest);
        expect(&w, NULL, false);
        show(&w, "error", "it hung up");
        expect(&w, "it is not known yet which f n has read", false);
}

/* Two authorities may have the same name, so the names are counted. */
static void a_process_that_shows_whom_it_trusts(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_NONE, MR_SHOWS_TRUST);
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        add_certificate(&w, &facts);
        see(&w, "running", "new");
        show(&w, "certificate", "any");
        expect(&w, "it is not known yet which f n has read", false);
        show(&w, "authorities", facts.name_digest);
        expect(&w, NULL, false);
        show(&w, "authorities", facts.name_digest);
        expect(&w, "n has not read its f yet", true);
}

static void a_process_that_starts_shows_nothing_yet(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_NONE, MR_SHOWS_TRUST),
                        v = world(MR_EFFECT_NONE, MR_SHOWS_NOTHING);

        see(&w, "starting", "new");
        expect(&w, "n is starting", false);
        see(&v, "starting", "new");
        expect(&v, NULL, false);
}

static bool outlives(World *w) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        Loading loading = {.ns = "default",
                           .parts = w->parts,
                           .facts = w->facts,
                           .wanted = w->wanted,
                           .observed = w->observed,
                           .arena = arena};

        assert_false(loaded_outlives(&loading, "other"));
        return loaded_outlives(&loading, "n");
}

static void show_end(World *w, int64_t not_after) {
        mr_tree_set_int(mr_tree_need_map(mr_tree_need_map(w->view, "n"), "e"), "not_after",
                        not_after);
}

/* What it shows has ended, and what it would show has not. */
static void a_process_whose_certificate_has_ended(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_RESTART, MR_SHOWS_CERTIFICATE),
                        told = world(MR_EFFECT_NONE, MR_SHOWS_CERTIFICATE),
                        trusting = world(MR_EFFECT_RESTART, MR_SHOWS_TRUST);
        _cleanup_certificate_facts_ CertificateFacts facts = {}, more = {}, most = {};

        show_end(&w, NOW);
        assert_false(outlives(&w)); /* what it would show is not there yet */
        add_certificate(&w, &facts);
        assert_true(outlives(&w));
        show_end(&w, NOW + 1);
        assert_false(outlives(&w));
        /* Nobody can connect to tell it. */
        show_end(&told, NOW - 1);
        add_certificate(&told, &more);
        assert_true(outlives(&told));
        show_end(&trusting, NOW - 1);
        add_certificate(&trusting, &most);
        assert_false(outlives(&trusting));
}

static void another_certificate_that_has_ended_is_no_reason(void **state _unused_) {
        _cleanup_world_ w = world(MR_EFFECT_RESTART, MR_SHOWS_CERTIFICATE);
        _cleanup_certificate_facts_ CertificateFacts facts = {};

        add_certificate(&w, &facts);
        facts_free(w.facts);
        w.facts = facts_new(facts.not_after, "paper");
        facts_set_view(w.facts, "tls", w.view);
        show_end(&w, NOW);
        assert_false(outlives(&w));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_node_that_does_not_run_needs_the_file_alone),
                cmocka_unit_test(a_process_that_reads_it_at_its_start),
                cmocka_unit_test(a_process_that_shows_its_certificate),
                cmocka_unit_test(a_process_that_shows_whom_it_trusts),
                cmocka_unit_test(a_process_that_starts_shows_nothing_yet),
                cmocka_unit_test(a_process_whose_certificate_has_ended),
                cmocka_unit_test(another_certificate_that_has_ended_is_no_reason),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
