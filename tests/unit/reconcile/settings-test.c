/* Settings of a running system as manifests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/facts.h"
#include "reconcile/settings.h"
#include "str.h"

typedef struct World {
        MrParts *parts;
        MrFacts *facts;
        MrManifests *wanted, *found;
        MrTree *view;
} World;

static void world_done(World *w) {
        mr_parts_free(w->parts);
        facts_free(w->facts);
        mr_manifests_free(w->wanted);
        mr_manifests_free(w->found);
        mr_tree_free(w->view);
}
#define _cleanup_world_ _cleanup_(world_done) World

static World world(const char *view) {
        World w = {
                .parts = mr_parts_new(),
                .facts = facts_new(1, "paper"),
                .wanted = mr_manifests_new(),
                .found = mr_manifests_new(),
        };

        if (view) {
                assert_int_equal(mr_json_read(view, strlen(view), "view", &w.view, NULL), 0);
                facts_set_view(w.facts, "kafka", w.view);
        }
        return w;
}

static void want(World *w, const char *scope, const char *key, const char *value) {
        mr_parts_add(w->parts, (MrPart){
                                       .kind = MR_PART_SETTING,
                                       .setting = {.protocol = "kafka",
                                                   .scope = scope,
                                                   .key = key,
                                                   .value = value},
                               });
}

static void lower(World *w) {
        Loading loading = {
                .ns = "default",
                .parts = w->parts,
                .facts = w->facts,
                .wanted = w->wanted,
                .arena = mr_manifests_arena(w->wanted),
        };

        settings_lower(&loading, w->wanted, w->found);
}

#define VIEW                                                                                       \
        "{\"configs\": {\"0\": {\"a\": \"1\", \"none\": null}, \"1\": {\"a\": \"2\"}}, "           \
        "\"overrides\": {\"0\": {\"a\": \"1\"}}}"

static void what_could_not_be_asked_is_not_planned(void **state _unused_) {
        _cleanup_world_ w = world(NULL);

        want(&w, "broker/0", "a", "2");
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted) + mr_manifests_size(w.found), 0);
}

static void unknown_nodes_and_keys_are_not_planned(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/7", "a", "2");
        want(&w, "broker/0", "b", "2");
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted) + mr_manifests_size(w.found), 0);
}

static void what_was_accepted_is_waited_for(void **state _unused_) {
        _cleanup_world_ w =
                world("{\"configs\": {\"0\": {\"a\": \"1\", \"b\": \"1\", \"c\": \"1\"}}, "
                      "\"overrides\": {\"0\": {\"c\": \"1\"}}, \"accepted\": "
                      "{\"broker/0/a\": \"2\", \"broker/0/b\": \"3\", \"broker/0/c\": null}}");

        want(&w, "broker/0", "a", "2");
        want(&w, "broker/0", "b", "2");
        want(&w, "broker/0", "c", NULL);
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted), 3);
        assert_string_equal(mr_manifests_at(w.wanted, 0)->pending,
                            "it was accepted, and is not in force everywhere yet");
        assert_null(mr_manifests_at(w.wanted, 1)->pending);
        assert_non_null(mr_manifests_at(w.wanted, 2)->pending);
}

static void what_differs(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/0", "a", "2");
        lower(&w);
        const MrManifest *wanted = mr_manifests_find(w.wanted, "Setting", "default", "broker/0/a");
        const MrManifest *found = mr_manifests_find(w.found, "Setting", "default", "broker/0/a");
        MrSetting setting = settings_setting(wanted);
        assert_string_equal(setting.protocol, "kafka");
        assert_string_equal(setting.scope, "broker/0");
        assert_string_equal(setting.key, "a");
        assert_string_equal(setting.value, "2");
        assert_string_equal(settings_setting(found).value, "1");
        assert_true(wanted->keep);
}

static void what_holds_already(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/1", "a", "2");
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted), 1);
        assert_true(mr_tree_equal(mr_manifests_at(w.wanted, 0)->body,
                                  mr_manifests_at(w.found, 0)->body));
}

static void back_to_the_file_from_what_was_set(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/0", "a", NULL);
        want(&w, "broker/1", "a", NULL);
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted), 1);
        assert_string_equal(mr_manifests_at(w.wanted, 0)->name, "broker/0/a");
        assert_null(settings_setting(mr_manifests_at(w.wanted, 0)).value);
        assert_string_equal(settings_setting(mr_manifests_at(w.found, 0)).value, "1");
}

static void a_first_value(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/0", "none", "5");
        lower(&w);
        assert_string_equal(settings_setting(mr_manifests_at(w.wanted, 0)).value, "5");
        assert_null(settings_setting(mr_manifests_at(w.found, 0)).value);
}

static void a_key_that_is_listed_once_it_is_set(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);
        MrPart part = {.kind = MR_PART_SETTING,
                       .setting = {.protocol = "kafka",
                                   .scope = "broker/0",
                                   .key = "late",
                                   .value = "5",
                                   .may_be_unlisted = true}};

        mr_parts_add(w.parts, part);
        part.setting.scope = "broker/7";
        mr_parts_add(w.parts, part);
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted), 1);
        assert_string_equal(mr_manifests_at(w.wanted, 0)->name, "broker/0/late");
        assert_null(settings_setting(mr_manifests_at(w.found, 0)).value);
}

static void the_default_of_all_is_read_from_any(void **state _unused_) {
        _cleanup_world_ w = world(VIEW);

        want(&w, "broker/", "a", "3");
        lower(&w);
        assert_int_equal(mr_manifests_size(w.wanted), 1);
        assert_string_equal(settings_setting(mr_manifests_at(w.found, 0)).value, "1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_could_not_be_asked_is_not_planned),
                cmocka_unit_test(unknown_nodes_and_keys_are_not_planned),
                cmocka_unit_test(what_was_accepted_is_waited_for),
                cmocka_unit_test(what_differs),
                cmocka_unit_test(what_holds_already),
                cmocka_unit_test(back_to_the_file_from_what_was_set),
                cmocka_unit_test(a_first_value),
                cmocka_unit_test(a_key_that_is_listed_once_it_is_set),
                cmocka_unit_test(the_default_of_all_is_read_from_any),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
