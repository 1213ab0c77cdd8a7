/* References the core resolves itself. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/facts.h"
#include "reconcile/references.h"
#include "str.h"

typedef struct World {
        MrManifests *manifests;
        MrFacts *facts;
        MrArena *arena;
} World;

static void world_done(World *w) {
        mr_manifests_free(w->manifests);
        facts_free(w->facts);
        mr_arena_free(w->arena);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(void) {
        World w = {.manifests = mr_manifests_new(),
                   .facts = facts_new(1, "paper"),
                   .arena = mr_arena_new()};

        mr_manifests_add_address(
                w.manifests,
                (MrAddress){.node = "n", .endpoint = "tls", .host = "h1", .port = 9093});
        mr_manifests_add_address(
                w.manifests,
                (MrAddress){.node = "n", .endpoint = "plain", .host = "h1", .port = 9092});
        facts_add_secret(w.facts, "s", "k", "value");
        return w;
}

static void assert_text(const World *w, const char *text, int expected_r, const char *expected) {
        _cleanup_error_ MrError err = {};
        const char *value = NULL;

        assert_int_equal(reference_text(text, w->manifests, w->facts, w->arena, &value, &err),
                         expected_r);
        if (expected)
                assert_string_equal(value, expected);
}

static void texts(void **state _unused_) {
        _cleanup_world_ w = world();

        assert_text(&w, "plain", 0, "plain");
        assert_text(&w, "", 0, "");
        assert_text(&w, "@{addr:n}:@{port:n/plain},@{addr:n}:@{port:n/tls}", 0, "h1:9092,h1:9093");
        assert_text(&w, "<@{secret:s/k}>", 0, "<value>");
        assert_text(&w, "0@{at}@{addr:n} a@b @@{addr:n}", 0, "0@h1 a@b @{addr:n}");
}

static void what_is_not_known_yet(void **state _unused_) {
        _cleanup_world_ w = world();

        assert_text(&w, "@{addr:m}", 1, "");
        assert_text(&w, "@{port:n/none}", 1, "");
        assert_text(&w, "@{port:n}", 1, "");
        assert_text(&w, "@{secret:s/none}", 1, "");
        assert_text(&w, "@{secret:s}", 1, "");
        facts_free(w.facts);
        w.facts = NULL;
        assert_text(&w, "@{secret:s/k}", 1, "");
}

static void what_means_nothing(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_error_ MrError err = {};
        const char *value;

        assert_text(&w, "@{dir:data}", -ENOTRECOVERABLE, NULL);
        assert_text(&w, "@{addr:n", -ENOTRECOVERABLE, NULL);
        assert_int_equal(reference_text("@{x}", w.manifests, NULL, w.arena, &value, &err),
                         -ENOTRECOVERABLE);
        assert_int_equal(err.kind, MR_BUG);
}

static void trees(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};
        MrTree *list = mr_tree_need_list(tree, "list"),
               *entry = mr_tree_append(list, mr_tree_new_map());

        mr_tree_set_string(entry, "host", "@{addr:n}");
        mr_tree_set_string(entry, "port", "@{port:n/tls}");
        mr_tree_set_string(entry, "both", "@{addr:n}:@{port:n/tls}");
        mr_tree_set_int(entry, "number", 1);
        assert_int_equal(reference_tree(tree, w.manifests, NULL), 0);
        mr_json_write(tree, 0, &text);
        assert_string_equal(
                mr_buf_text(&text),
                "{\"list\":[{\"both\":\"h1:9093\",\"host\":\"h1\",\"number\":1,\"port\":9093}]}");
        mr_tree_set_string(tree, "bad", "@{what:ever}");
        assert_int_equal(reference_tree(tree, w.manifests, NULL), -ENOTRECOVERABLE);
}

/* What is not known is not told: the others of a list are. */
static void what_is_unknown_is_left_out(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        MrTree *list = mr_tree_need_list(tree, "list");
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_string(mr_tree_append(list, mr_tree_new_map()), "host", "@{host:m/tls}");
        mr_tree_set_string(mr_tree_append(list, mr_tree_new_map()), "host", "@{host:n/tls}");
        MrTree *named = mr_tree_append(list, mr_tree_new_map());
        mr_tree_set_string(named, "name", "x");
        mr_tree_set_string(named, "host", "@{host:m/tls}");
        mr_tree_set_string(tree, "all", "@{host:m/tls}:@{port:m/tls},@{host:n/tls}:@{port:n/tls}");
        mr_tree_set_string(tree, "none", "@{host:m/tls}:@{port:m/tls}");
        assert_int_equal(reference_tree(tree, w.manifests, NULL), 0);
        mr_json_write(tree, 0, &text);
        assert_string_equal(mr_buf_text(&text),
                            "{\"all\":\"h1:9093\",\"list\":[{\"host\":\"h1\"},{\"name\":\"x\"}]}");
}

/* No certificate follows a node from machine to machine. */
static void what_passes_is_only_told(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();
        const char *text;

        mr_manifests_add_address(w.manifests, (MrAddress){.node = "p",
                                                          .endpoint = "out",
                                                          .host = "h7",
                                                          .port = 1,
                                                          .is_passing = true});
        mr_tree_set_string(tree, "all", "@{host:p/out}:@{port:p/out}");
        assert_int_equal(reference_tree(tree, w.manifests, NULL), 0);
        assert_string_equal(mr_tree_get_string(tree, "all"), "h7:1");
        assert_int_equal(reference_text("@{host:p/out}", w.manifests, NULL, w.arena, &text, NULL),
                         1);
        assert_string_equal(text, "");
}

/* Strings in a list are references as well as those in a map. */
static void lists_of_texts(void **state _unused_) {
        _cleanup_world_ w = world();
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();

        MrTree *list = mr_tree_need_list(tree, "list");

        mr_tree_append(list, mr_tree_new_string("@{addr:n}"));
        mr_tree_append(list, mr_tree_new_string("x"));
        mr_tree_append(list, mr_tree_new_string("@{port:n/tls}"));
        assert_int_equal(reference_tree(tree, w.manifests, NULL), 0);
        assert_int_equal(mr_tree_size(list), 3);
        assert_string_equal(mr_tree_string(mr_tree_at(list, 0)), "h1");
        assert_string_equal(mr_tree_string(mr_tree_at(list, 1)), "x");
        assert_int_equal(mr_tree_int(mr_tree_at(list, 2), 0), 9093);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts),
                cmocka_unit_test(what_is_not_known_yet),
                cmocka_unit_test(what_means_nothing),
                cmocka_unit_test(trees),
                cmocka_unit_test(lists_of_texts),
                cmocka_unit_test(what_passes_is_only_told),
                cmocka_unit_test(what_is_unknown_is_left_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
