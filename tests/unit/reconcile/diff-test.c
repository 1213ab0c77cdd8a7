/* Differences and the words for them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/facts.h"
#include "reconcile/diff.h"
#include "str.h"

typedef struct Pair {
        MrArena *arena;
        MrManifests *wanted, *found;
        Diff *diff;
} Pair;

static void pair_done(Pair *pair) {
        diff_free(pair->diff);
        mr_manifests_free(pair->wanted);
        mr_manifests_free(pair->found);
        mr_arena_free(pair->arena);
}
#define _cleanup_pair_ _cleanup_(pair_done) Pair

static Pair pair_new(void) {
        return (Pair){
                .arena = mr_arena_new(), .wanted = mr_manifests_new(), .found = mr_manifests_new()};
}

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), "test", &tree, NULL), 0);
        return tree;
}

static void add(MrManifests *manifests, const char *kind, const char *name, int rank,
                const char *body) {
        mr_manifests_add(manifests, (MrManifest){
                                            .kind = kind,
                                            .ns = "default",
                                            .name = name,
                                            .owner = "default/c",
                                            .rank = rank,
                                            .body = json(body),
                                    });
}

static void make(Pair *pair, bool is_deleted) {
        PlanInput input = {
                .wanted = pair->wanted,
                .found = pair->found,
                .owner = "default/c",
                .is_deleted = is_deleted,
        };

        pair->diff = diff_free(pair->diff);
        assert_int_equal(diff_make(pair->arena, &input, &pair->diff, NULL), 0);
}

static const char *reason_of(const char *found, const char *wanted) {
        static char text[512];
        _cleanup_pair_ pair = pair_new();

        add(pair.found, "Unit", "u", 0, found);
        add(pair.wanted, "Unit", "u", 0, wanted);
        make(&pair, false);
        assert_int_equal(diff_size(pair.diff), 1);
        assert_int_equal(diff_at(pair.diff, 0)->verb, MR_VERB_UPDATE);
        (void) snprintf(text, sizeof(text), "%s", diff_at(pair.diff, 0)->reason);
        return text;
}

static void a_merge_of_two_sorted_lists(void **state _unused_) {
        static const struct {
                MrVerb verb;
                const char *subject;
        } expected[] = {
                {MR_VERB_CREATE, "file a"},
                {MR_VERB_UPDATE, "file c"},
                {MR_VERB_CREATE, "unit z"},
                {MR_VERB_REMOVE, "file b"},
        };
        _cleanup_pair_ pair = pair_new();

        add(pair.wanted, "File", "a", 1, "{}");
        add(pair.found, "File", "b", 7, "{}");
        add(pair.wanted, "File", "c", 1, "{\"x\": 1}");
        add(pair.found, "File", "c", 1, "{\"x\": 2}");
        add(pair.wanted, "File", "same", 1, "{\"x\": 2}");
        add(pair.found, "File", "same", 1, "{\"x\": 2}");
        add(pair.wanted, "Unit", "z", 2, "{}");
        make(&pair, false);
        assert_int_equal(diff_size(pair.diff), MR_ELEMENTS(expected));
        for (size_t i = 0; i < MR_ELEMENTS(expected); i++) {
                assert_int_equal(diff_at(pair.diff, i)->verb, expected[i].verb);
                assert_string_equal(diff_at(pair.diff, i)->subject, expected[i].subject);
        }
        assert_null(diff_at(pair.diff, MR_ELEMENTS(expected)));
}

static void nothing_differs(void **state _unused_) {
        _cleanup_pair_ pair = pair_new();

        make(&pair, false);
        assert_int_equal(diff_size(pair.diff), 0);
        make(&pair, true);
        assert_int_equal(diff_size(pair.diff), 0);
}

static void words_name_what_differs(void **state _unused_) {
        assert_string_equal(reason_of("{\"heap\": \"1g\"}", "{\"heap\": \"2g\"}"), "heap 1g → 2g");
        assert_string_equal(reason_of("{}", "{\"heap\": \"2g\"}"), "heap nothing → 2g");
        assert_string_equal(reason_of("{\"heap\": \"\"}", "{}"), "heap \"\" → nothing");
        assert_string_equal(reason_of("{\"n\": 1}", "{\"n\": true}"), "n 1 → true");
        assert_string_equal(reason_of("{\"dropin\": \"edited\"}", "{\"dropin\": \"intact\"}"),
                            "dropin edited → intact");
}

static void long_values_are_not_repeated(void **state _unused_) {
        assert_string_equal(
                reason_of("{\"k\": "
                          "\"0123456789012345678901234567890123456789012345678901234567890\"}",
                          "{\"k\": \"a\\nb\"}"),
                "k … → …");
}

static void many_differences_are_counted(void **state _unused_) {
        assert_string_equal(reason_of("{\"a\": 1, \"b\": 1, \"c\": 1, \"d\": 1, \"e\": 1}",
                                      "{\"a\": 2, \"b\": 2, \"c\": 2, \"d\": 2, \"e\": 2}"),
                            "a 1 → 2, b 1 → 2, c 1 → 2 and 2 more");
}

static void a_fingerprint_alone_is_no_reason_in_words(void **state _unused_) {
        assert_string_equal(reason_of("{\"properties\": {\"fingerprint\": \"a\"}}",
                                      "{\"properties\": {\"fingerprint\": \"b\"}}"),
                            "it differs from the spec");
        assert_string_equal(reason_of("{\"properties\": {\"fingerprint\": \"a\", \"x\": 1}}",
                                      "{\"properties\": {\"fingerprint\": \"b\", \"x\": 2}}"),
                            "x 1 → 2");
}

static void digests_are_not_for_people(void **state _unused_) {
        assert_string_equal(reason_of("{\"digest\": \"aa\"}", "{\"digest\": \"bb\"}"),
                            "its content differs from the spec");
}

static void what_was_found_may_bring_its_own_reason(void **state _unused_) {
        assert_string_equal(reason_of("{\"reissue\": \"expires in 3 days\"}", "{}"),
                            "expires in 3 days");
}

static void only_what_was_made_for_the_owner_goes(void **state _unused_) {
        _cleanup_pair_ pair = pair_new();

        add(pair.found, "File", "ours", 0, "{}");
        mr_manifests_add(pair.found, (MrManifest){.kind = "File",
                                                  .ns = "default",
                                                  .name = "theirs",
                                                  .owner = "default/d",
                                                  .body = mr_tree_new_map()});
        mr_manifests_add(pair.found, (MrManifest){.kind = "File",
                                                  .ns = "default",
                                                  .name = "nobodys",
                                                  .body = mr_tree_new_map()});
        mr_manifests_add(pair.found, (MrManifest){.kind = "Volume",
                                                  .ns = "default",
                                                  .name = "kept",
                                                  .keep = true,
                                                  .owner = "default/c",
                                                  .body = mr_tree_new_map()});
        for (int is_deleted = 0; is_deleted < 2; is_deleted++) {
                make(&pair, is_deleted);
                assert_int_equal(diff_size(pair.diff), 1);
                assert_int_equal(diff_at(pair.diff, 0)->verb, MR_VERB_REMOVE);
                assert_string_equal(diff_at(pair.diff, 0)->subject, "file ours");
        }
}

static void the_reason_of_a_restart(void **state _unused_) {
        _cleanup_pair_ pair = pair_new();
        _cleanup_(mr_tree_freep) MrTree *old = json("{\"heap\": \"1g\"}"),
                                        *new = json("{\"heap\": \"2g\"}");
        MrNodeWanted wanted = {.node = "n", .settings = new};
        MrNodeFact fact = {.node = "n", .settings = old};

        mr_manifests_add(pair.wanted, (MrManifest){.kind = "File",
                                                   .ns = "default",
                                                   .name = "n/quiet",
                                                   .node = "n",
                                                   .body = mr_tree_new_map()});
        make(&pair, false);
        assert_string_equal(diff_restart_reason(pair.arena, pair.diff, &wanted, &fact),
                            "heap 1g → 2g");
        fact.settings = new;
        assert_string_equal(diff_restart_reason(pair.arena, pair.diff, &wanted, &fact),
                            "it runs with an older configuration");
        mr_manifests_add(pair.wanted, (MrManifest){.kind = "File",
                                                   .ns = "default",
                                                   .name = "n/key.pem",
                                                   .node = "n",
                                                   .restarts = true,
                                                   .body = mr_tree_new_map()});
        make(&pair, false);
        assert_string_equal(diff_restart_reason(pair.arena, pair.diff, &wanted, &fact),
                            "file n/key.pem: it does not exist yet");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_merge_of_two_sorted_lists),
                cmocka_unit_test(nothing_differs),
                cmocka_unit_test(words_name_what_differs),
                cmocka_unit_test(long_values_are_not_repeated),
                cmocka_unit_test(many_differences_are_counted),
                cmocka_unit_test(a_fingerprint_alone_is_no_reason_in_words),
                cmocka_unit_test(digests_are_not_for_people),
                cmocka_unit_test(what_was_found_may_bring_its_own_reason),
                cmocka_unit_test(only_what_was_made_for_the_owner_goes),
                cmocka_unit_test(the_reason_of_a_restart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
