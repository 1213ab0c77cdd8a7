/* Plans and manifests as they print themselves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/plan.h"
#include "str.h"

static void an_empty_plan(void **state _unused_) {
        _cleanup_(plan_freep) Plan *plan = plan_new();
        _cleanup_buf_ MrBuf text = {};
        _cleanup_(mr_tree_freep) MrTree *tree = plan_to_tree(plan);

        plan_print_text(plan, &text);
        assert_string_equal(mr_buf_text(&text), "Nothing to do.\n");
        assert_int_equal(mr_tree_type(tree), MR_TREE_LIST);
        assert_int_equal(mr_tree_size(tree), 0);
        assert_null(plan_at(plan, 0));
        assert_int_equal(plan_recheck(plan), 0);
}

static void the_earliest_recheck_counts(void **state _unused_) {
        _cleanup_(plan_freep) Plan *plan = plan_new();

        plan_set_recheck(plan, 20);
        plan_set_recheck(plan, 30);
        assert_int_equal(plan_recheck(plan), 20);
        plan_set_recheck(plan, 5);
        assert_int_equal(plan_recheck(plan), 5);
}

static void what_waits_is_not_ready(void **state _unused_) {
        _cleanup_(plan_freep) Plan *plan = plan_new();

        for (int i = 0; i < 20; i++)
                plan_add(plan, (Step){.verb = MR_VERB_START,
                                      .subject = "n",
                                      .reason = "r",
                                      .waits = i % 4 ? NULL : "w"});
        assert_int_equal(plan_size(plan), 20);
        assert_int_equal(plan_ready(plan), 15);
}

static void manifests_print_with_their_content(void **state _unused_) {
        _cleanup_(mr_manifests_freep) MrManifests *manifests = mr_manifests_new();
        _cleanup_buf_ MrBuf text = {};
        MrTree *body = mr_tree_new_map();

        mr_tree_set_string(body, "digest", "ab");
        mr_manifests_add(manifests, (MrManifest){.kind = "File",
                                                 .ns = "default",
                                                 .name = "n/f",
                                                 .body = body,
                                                 .payload = "one\n\ntwo"});
        body = mr_tree_new_map();
        mr_tree_set_int(body, "x", 1);
        mr_manifests_add(manifests,
                         (MrManifest){.kind = "Distribution", .name = "d", .body = body});
        manifests_print(manifests, &text);
        assert_string_equal(mr_buf_text(&text),
                            "---\n# Distribution d\nx: 1\n"
                            "---\n# File default/n/f\ndigest: ab\ncontent: |\n  one\n\n  two\n");
}

static void what_is_secret_is_masked(void **state _unused_) {
        _cleanup_(mr_manifests_freep) MrManifests *manifests = mr_manifests_new();
        _cleanup_buf_ MrBuf text = {};

        mr_manifests_add(manifests, (MrManifest){.kind = "File",
                                                 .ns = "default",
                                                 .name = "n/key",
                                                 .is_secret = true,
                                                 .body = mr_tree_new_map(),
                                                 .payload = "PRIVATE"});
        manifests_print(manifests, &text);
        assert_non_null(strstr(mr_buf_text(&text), "content: (secret)\n"));
        assert_null(strstr(mr_buf_text(&text), "PRIVATE"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_plan),
                cmocka_unit_test(the_earliest_recheck_counts),
                cmocka_unit_test(what_waits_is_not_ready),
                cmocka_unit_test(manifests_print_with_their_content),
                cmocka_unit_test(what_is_secret_is_masked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
