/* Facts, parts and manifests: the values that travel between the stations of a pass. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest.h"
#include "model/facts.h"
#include "str.h"

static const char *const versions[] = {"v1", NULL};
static const MrKind fish = {.group = "g", .versions = versions, .name = "Fish", .plural = "fishes"};
static const MrKind bird = {.group = "g", .versions = versions, .name = "Bird", .plural = "birds"};

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), "test", &tree, NULL), 0);
        return tree;
}

static void states_have_names(void **state _unused_) {
        for (MrNodeState s = MR_NODE_ABSENT; s < _MR_NODE_STATE_MAX; s++)
                assert_int_equal(mr_node_state_from_name(mr_node_state_name(s)), s);
        assert_int_equal(mr_node_state_from_name("happy"), -EINVAL);
        assert_int_equal(mr_node_state_from_name(NULL), -EINVAL);
}

static void resources_are_sorted_by_name(void **state _unused_) {
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");
        MrPair label = {.key = "c", .value = "x"};
        MrResource resources[] = {
                {.kind = &fish, .name = "z", .labels = {&label, 1}},
                {.kind = &bird, .name = "m", .labels = {&label, 1}},
                {.kind = &fish, .name = "a", .labels = {&label, 1}},
                {.kind = &fish, .name = "n"},
        };
        const MrResource *const *found;

        for (size_t i = 0; i < MR_ELEMENTS(resources); i++)
                facts_add_resource(facts, &resources[i]);
        assert_int_equal(mr_facts_resources(facts, "Fish", NULL, NULL, &found), 3);
        assert_string_equal(found[0]->name, "a");
        assert_string_equal(found[1]->name, "n");
        assert_string_equal(found[2]->name, "z");
        assert_int_equal(mr_facts_resources(facts, "Fish", "c", "x", &found), 2);
        assert_string_equal(found[1]->name, "z");
        assert_int_equal(mr_facts_resources(facts, "Fish", "c", "y", &found), 0);
        assert_int_equal(mr_facts_resources(facts, "Bird", NULL, NULL, &found), 1);
        assert_int_equal(mr_facts_resources(facts, "Cat", NULL, NULL, &found), 0);
}

static void secrets_and_memories(void **state _unused_) {
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");

        facts_add_secret(facts, "s", "a.crt", "1");
        facts_add_secret(facts, "s", "b.crt", "2");
        facts_add_secret(facts, "t", "a.crt", "3");
        facts_add_secret(facts, "t", "a.crt", "4");
        facts_remember(facts, "port/n/e", "9092/9102");
        assert_string_equal(mr_facts_secret(facts, "s", "b.crt"), "2");
        assert_string_equal(mr_facts_secret(facts, "t", "a.crt"), "4");
        assert_null(mr_facts_secret(facts, "t", "b.crt"));
        assert_null(mr_facts_secret(facts, "u", "a.crt"));
        assert_string_equal(mr_facts_remembered(facts, "port/n/e"), "9092/9102");
        assert_null(mr_facts_remembered(facts, "port/n/f"));
        assert_int_equal(mr_facts_now(facts), 5);
        assert_string_equal(mr_facts_platform(facts), "paper");
}

static void nodes_as_they_were_observed(void **state _unused_) {
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");
        _cleanup_(mr_tree_freep) MrTree *tree =
                json("{\"state\": \"running\", \"since\": 7, \"message\": \"m\", \"fingerprint\": "
                     "\"f\", \"settings\": {\"a\": "
                     "\"b\"}, \"address\": \"h\", \"where\": \"u\", \"restarts\": 2, \"pid\": 3}");
        _cleanup_(mr_tree_freep) MrTree *odd = json("{\"state\": \"odd\"}");

        facts_add_node(facts, "n", tree);
        facts_add_node(facts, "o", odd);
        const MrNodeFact *node = mr_facts_node(facts, "n");
        assert_int_equal(node->state, MR_NODE_RUNNING);
        assert_int_equal(node->since, 7);
        assert_string_equal(node->fingerprint, "f");
        assert_string_equal(mr_tree_get_string(node->settings, "a"), "b");
        assert_string_equal(node->where, "u");
        assert_int_equal(node->restarts, 2);
        assert_int_equal(node->pid, 3);
        assert_int_equal(mr_facts_node(facts, "o")->state, MR_NODE_ABSENT);
        assert_null(mr_facts_node(facts, "p"));
        assert_int_equal(facts_nodes(facts), 2);
        assert_null(facts_node_at(facts, 2));
}

static void claims_are_of_one_namespace(void **state _unused_) {
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");
        _cleanup_(mr_tree_freep) MrTree *claims =
                json("{\"x/data\": {\"node_id\": 1}, \"y/data\": {\"node_id\": 2}}");

        assert_null(mr_facts_claim(facts, "data"));
        facts_set_claims(facts, "y", claims);
        assert_int_equal(mr_tree_get_int(mr_facts_claim(facts, "data"), "node_id", 0), 2);
        assert_null(mr_facts_claim(facts, "other"));
}

static void views_by_probe(void **state _unused_) {
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");
        _cleanup_(mr_tree_freep) MrTree *view = json("{\"a\": 1}");

        for (int i = 0; i < 20; i++) {
                _cleanup_free_ char *name = mr_strf("p%d", i);
                facts_set_view(facts, name, view);
        }
        assert_ptr_equal(mr_facts_view(facts, "p3"), view);
        assert_null(mr_facts_view(facts, "q"));
        facts_set_host(facts, view);
        assert_ptr_equal(mr_facts_host(facts), view);
}

static void parts_keep_their_order_and_place(void **state _unused_) {
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        const char *reason, *message;
        MrPart *first =
                mr_parts_add(parts, (MrPart){.kind = MR_PART_WORKLOAD, .workload = {.node = "n"}});

        for (int i = 0; i < 100; i++)
                mr_parts_add(parts, (MrPart){.kind = MR_PART_FILE, .file = {.node = "n"}});
        assert_ptr_equal(mr_parts_at(parts, 0), first);
        assert_int_equal(mr_parts_size(parts), 101);
        assert_null(mr_parts_at(parts, 101));
        assert_ptr_equal(mr_parts_find_workload(parts, "n"), first);
        assert_null(mr_parts_find_workload(parts, "m"));
        mr_parts_warn(parts, "Why", "because of %d", 3);
        assert_int_equal(mr_parts_warnings(parts), 1);
        mr_parts_warning_at(parts, 0, &reason, &message);
        assert_string_equal(reason, "Why");
        assert_string_equal(message, "because of 3");
        for (MrPartKind kind = 0; kind < _MR_PART_KIND_MAX; kind++)
                assert_non_null(mr_part_kind_name(kind));
}

static int echo(const char *what, const char *argument, MrBuf *out, void *userdata _unused_,
                MrError *err) {
        if (mr_streq(what, "bad"))
                return mr_fail(err, MR_INVALID, NULL, "bad");
        mr_buf_printf(out, "[%s %s]", what, argument);
        return mr_streq(what, "later");
}

static void assert_expands(const char *text, int r, const char *expected) {
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(mr_expand(text, echo, NULL, &out, NULL), r);
        if (expected)
                assert_string_equal(mr_buf_text(&out), expected);
}

static void references_expand(void **state _unused_) {
        assert_expands("", 0, "");
        assert_expands("a@b @ @", 0, "a@b @ @");
        assert_expands("@{x:y}", 0, "[x y]");
        assert_expands("@{x}", 0, "[x ]");
        assert_expands("@{x:y:z}", 0, "[x y:z]");
        assert_expands("0@{at}@{x:y}", 0, "0@[x y]");
        assert_expands("@@{x}", 0, "@{x}");
        assert_expands("@{later:a} @{x:y}", 1, "[later a] [x y]");
        assert_expands("@{bad:a}", -EINVAL, NULL);
        assert_expands("@{x", -ENOTRECOVERABLE, NULL);
}

/* Whatever a user writes comes out as it was. */
static void what_users_write_is_literal(void **state _unused_) {
        static const char *const texts[] = {"",   "a",   "@{x:y}", "@@{x}",  "@",
                                            "@@", "a@{", "@{@{",   "@@@{b}", "}@{"};
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();

        for (size_t i = 0; i < MR_ELEMENTS(texts); i++) {
                _cleanup_buf_ MrBuf out = {};
                assert_int_equal(
                        mr_expand(mr_parts_literal(parts, texts[i]), echo, NULL, &out, NULL), 0);
                assert_string_equal(mr_buf_text(&out), texts[i]);
        }
        assert_ptr_equal(mr_parts_literal(parts, texts[1]), texts[1]);
        assert_null(mr_parts_literal(parts, NULL));
}

static void lists_and_pairs(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        MrStrings strings = {};
        MrPairs pairs = {};

        for (int i = 0; i < 50; i++) {
                mr_strings_add(arena, &strings, mr_arena_strf(arena, "%d", i));
                mr_pairs_set(arena, &pairs, mr_arena_strf(arena, "%02d", (i * 37) % 50), "x");
        }
        mr_pairs_set(arena, &pairs, "07", "y");
        assert_int_equal(strings.n, 50);
        assert_string_equal(strings.items[49], "49");
        assert_int_equal(pairs.n, 50);
        for (size_t i = 1; i < pairs.n; i++)
                assert_true(strcmp(pairs.items[i - 1].key, pairs.items[i].key) < 0);
        assert_string_equal(mr_pairs_get(&pairs, "07"), "y");
        assert_null(mr_pairs_get(&pairs, "50"));
}

static void manifests_are_sorted_and_unique(void **state _unused_) {
        _cleanup_(mr_manifests_freep) MrManifests *manifests = mr_manifests_new();
        static const char *const order[] = {"File default/a", "File default/b", "File other/a",
                                            "Unit default/a"};
        static const MrManifest in[] = {
                {.kind = "Unit", .ns = "default", .name = "a"},
                {.kind = "File", .ns = "other", .name = "a"},
                {.kind = "File", .ns = "default", .name = "b"},
                {.kind = "File", .ns = "default", .name = "a"},
                {.kind = "File", .ns = "default", .name = "b", .node = "n"}};

        for (size_t i = 0; i < MR_ELEMENTS(in); i++) {
                MrManifest manifest = in[i];
                manifest.body = mr_tree_new_map();
                mr_manifests_add(manifests, manifest);
        }
        assert_int_equal(mr_manifests_size(manifests), MR_ELEMENTS(order));
        for (size_t i = 0; i < MR_ELEMENTS(order); i++) {
                const MrManifest *manifest = mr_manifests_at(manifests, i);
                _cleanup_free_ char *key =
                        mr_strf("%s %s/%s", manifest->kind, manifest->ns, manifest->name);
                assert_string_equal(key, order[i]);
        }
        assert_string_equal(mr_manifests_find(manifests, "File", "default", "b")->node, "n");
        assert_null(mr_manifests_find(manifests, "File", "default", "c"));
        assert_null(mr_manifests_at(manifests, 4));
}

static void manifests_know_addresses_nodes_and_notes(void **state _unused_) {
        _cleanup_(mr_manifests_freep) MrManifests *manifests = mr_manifests_new();
        const char *reason, *message;

        for (int i = 0; i < 20; i++) {
                _cleanup_free_ char *endpoint = mr_strf("e%d", i);
                mr_manifests_add_address(
                        manifests,
                        (MrAddress){.node = "n", .endpoint = endpoint, .host = "h", .port = i});
        }
        assert_int_equal(mr_manifests_find_address(manifests, "n", "e7")->port, 7);
        assert_int_equal(mr_manifests_find_address(manifests, "n", NULL)->port, 0);
        assert_null(mr_manifests_find_address(manifests, "m", NULL));
        assert_null(mr_manifests_find_address(manifests, "n", "f"));
        mr_manifests_add_node(manifests,
                              (MrNodeWanted){.node = "late", .ns = "default", .order = 1});
        mr_manifests_add_node(manifests,
                              (MrNodeWanted){.node = "early", .ns = "default", .order = 0});
        assert_int_equal(mr_manifests_nodes(manifests), 2);
        assert_string_equal(mr_manifests_node_at(manifests, 0)->node, "early");
        assert_null(mr_manifests_node_at(manifests, 2));
        mr_manifests_remember(manifests, "k", "v");
        assert_string_equal(mr_pairs_get(mr_manifests_remembered(manifests), "k"), "v");
        mr_manifests_warn(manifests, "R", "%s", "m");
        mr_manifests_warning_at(manifests, 0, &reason, &message);
        assert_string_equal(message, "m");
        assert_int_equal(mr_manifests_warnings(manifests), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(states_have_names),
                cmocka_unit_test(resources_are_sorted_by_name),
                cmocka_unit_test(secrets_and_memories),
                cmocka_unit_test(nodes_as_they_were_observed),
                cmocka_unit_test(claims_are_of_one_namespace),
                cmocka_unit_test(views_by_probe),
                cmocka_unit_test(parts_keep_their_order_and_place),
                cmocka_unit_test(references_expand),
                cmocka_unit_test(what_users_write_is_literal),
                cmocka_unit_test(lists_and_pairs),
                cmocka_unit_test(manifests_are_sorted_and_unique),
                cmocka_unit_test(manifests_know_addresses_nodes_and_notes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
