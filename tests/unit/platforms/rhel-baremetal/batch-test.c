/* Actions become steps of a batch as daemon/host/README.md describes them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rhel-baremetal/batch.c"
#include "rhel-baremetal/names.c"

static MrTree *json(const char *text) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(text, strlen(text), "test", &tree, NULL), 0);
        return tree;
}

static void assert_step(MrAction action, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *batch = batch_of_actions(&action, 1, 2),
                                        *wanted = json(expected);
        _cleanup_buf_ MrBuf text = {};

        assert_int_equal(mr_tree_get_int(batch, "version", 0), 2);
        mr_json_write(mr_tree_find(batch, "steps[0]", false), 0, &text);
        if (!mr_tree_equal(mr_tree_find(batch, "steps[0]", false), wanted))
                fail_msg("%s is not %s", mr_buf_text(&text), expected);
}

static void claims(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *body =
                json("{\"identity\": {\"cluster\": \"sea/c\", \"cluster_id\": \"i\"}}");
        MrManifest manifest = {.kind = "Volume",
                               .ns = "sea",
                               .name = "data-n",
                               .body = body,
                               .payload =
                                       "{\"class\": \"fish\", \"size\": 5, \"ephemeral\": false}"};

        assert_step((MrAction){.verb = MR_VERB_CREATE, .manifest = &manifest, .ns = "sea"},
                    "{\"op\": \"claim.create\", \"claim\": \"sea_data-n\", \"class\": \"fish\", "
                    "\"size\": 5, \"ephemeral\": "
                    "false, \"identity\": {\"cluster\": \"sea/c\", \"cluster_id\": \"i\"}}");
        assert_step((MrAction){.verb = MR_VERB_REMOVE, .manifest = &manifest, .ns = "sea"},
                    "{\"op\": \"claim.remove\", \"claim\": \"sea_data-n\", \"cluster_id\": \"i\"}");
}

static void files(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *body = json("{\"class\": \"fish\", \"digest\": \"d\"}");
        MrManifest manifest = {.kind = "File",
                               .ns = "default",
                               .name = "n/f.properties",
                               .node = "n",
                               .body = body,
                               .payload = "a=b\n"};

        assert_step((MrAction){.verb = MR_VERB_UPDATE, .manifest = &manifest, .ns = "default"},
                    "{\"op\": \"file.write\", \"instance\": \"n\", \"name\": \"f.properties\", "
                    "\"class\": \"fish\", "
                    "\"content\": \"a=b\\n\"}");
        manifest.is_private = true;
        assert_step((MrAction){.verb = MR_VERB_UPDATE, .manifest = &manifest, .ns = "default"},
                    "{\"op\": \"file.write\", \"instance\": \"n\", \"name\": \"f.properties\", "
                    "\"class\": \"fish\", \"content\": \"a=b\\n\", \"private\": true}");
        assert_step((MrAction){.verb = MR_VERB_REMOVE, .manifest = &manifest, .ns = "default"},
                    "{\"op\": \"file.remove\", \"instance\": \"n\", \"name\": \"f.properties\"}");
}

static void units(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *body =
                json("{\"class\": \"fish\", \"properties\": {\"a\": 1}}");
        MrManifest manifest = {.kind = "Unit", .ns = "sea", .name = "n", .node = "n", .body = body};

        assert_step((MrAction){.verb = MR_VERB_CREATE, .manifest = &manifest, .ns = "sea"},
                    "{\"op\": \"unit.write\", \"instance\": \"sea_n\", \"class\": \"fish\", "
                    "\"properties\": {\"a\": 1}}");
        assert_step((MrAction){.verb = MR_VERB_REMOVE, .manifest = &manifest, .ns = "sea"},
                    "{\"op\": \"unit.remove\", \"instance\": \"sea_n\", \"class\": \"fish\"}");
}

static void distributions(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *body =
                json("{\"software\": \"fish\", \"version\": \"1\", \"state\": \"ready\"}");
        MrManifest manifest = {.kind = "Distribution", .ns = "", .name = "fish-1", .body = body};

        assert_step(
                (MrAction){.verb = MR_VERB_UPDATE, .manifest = &manifest},
                "{\"op\": \"distribution.ensure\", \"software\": \"fish\", \"version\": \"1\"}");
}

static void verbs_of_nodes(void **state _unused_) {
        static const char *const verbs[] = {
                [MR_VERB_START] = "start", [MR_VERB_STOP] = "stop", [MR_VERB_RESTART] = "restart"};

        for (MrVerb verb = MR_VERB_START; verb <= MR_VERB_RESTART; verb++) {
                _cleanup_free_ char *expected =
                        mr_strf("{\"op\": \"%s\", \"instance\": \"sea_n\", \"class\": \"fish\"}",
                                verbs[verb]);
                assert_step((MrAction){.verb = verb, .ns = "sea", .node = "n", .role = "fish"},
                            expected);
        }
}

static void the_order_stays(void **state _unused_) {
        MrAction actions[20];

        for (int i = 0; i < 20; i++)
                actions[i] = (MrAction){.verb = i % 2 ? MR_VERB_START : MR_VERB_STOP,
                                        .ns = "default",
                                        .node = "n",
                                        .role = "r"};
        _cleanup_(mr_tree_freep) MrTree *batch = batch_of_actions(actions, 20, 1),
                                        *empty = batch_of_actions(NULL, 0, 1);
        const MrTree *steps = mr_tree_get(batch, "steps");
        assert_int_equal(mr_tree_size(steps), 20);
        for (size_t i = 0; i < 20; i++)
                assert_string_equal(mr_tree_get_string(mr_tree_at(steps, i), "op"),
                                    i % 2 ? "start" : "stop");
        assert_int_equal(mr_tree_type(mr_tree_get(empty, "steps")), MR_TREE_LIST);
}

static void names_go_and_come_back(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        static const char *const namespaces[] = {"default", "sea", "a.b-c"};
        const char *ns, *node;

        for (size_t i = 0; i < MR_ELEMENTS(namespaces); i++) {
                instance_split(arena, instance_name(arena, namespaces[i], "my-n-0"), &ns, &node);
                assert_string_equal(ns, namespaces[i]);
                assert_string_equal(node, "my-n-0");
        }
        assert_string_equal(instance_name(arena, NULL, "n"), "n");
        assert_string_equal(instance_name(arena, "", "n"), "n");
        assert_string_equal(instance_name(arena, "sea", "n"), "sea_n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(claims),
                cmocka_unit_test(files),
                cmocka_unit_test(units),
                cmocka_unit_test(distributions),
                cmocka_unit_test(verbs_of_nodes),
                cmocka_unit_test(the_order_stays),
                cmocka_unit_test(names_go_and_come_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
