/* Resources that a platform keeps: into the store, and their status back. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resources.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

typedef struct Fish {
        const char *color;
} Fish;

static const MrField fish_fields[] = {
        MR_STRING("color", Fish, color, .flags = MR_REQUIRED, .pattern = "^[a-z]+$",
                  .form = "a color", .doc = "Its color."),
        {},
};

static const char *const versions[] = {"v1", NULL};
static const MrKind fish_kind = {
        .group = "example.com",
        .versions = versions,
        .name = "Fish",
        .plural = "fishes",
        .spec = fish_fields,
        .spec_size = sizeof(Fish),
};
static const MrKind *const kinds[] = {&fish_kind, NULL};
static const MrOperandOps fish_ops = {.struct_size = sizeof(MrOperandOps), .kinds = kinds};
static const MrPlugin fish_plugin = {MR_PLUGIN_HEADER, .name = "fish", .operand = &fish_ops};

/* What the platform was told last. */
struct MrPlatform {
        MrTree *status;
        int n_statuses, n_released;
};

static void write_status(MrPlatform *platform, const char *kind, const char *ns _unused_,
                         const char *name _unused_, const MrTree *status) {
        assert_string_equal(kind, "Fish");
        mr_tree_free(platform->status);
        platform->status = mr_tree_copy(status);
        platform->n_statuses++;
}

static void release(MrPlatform *platform, const char *kind _unused_, const char *ns _unused_,
                    const char *name _unused_) {
        platform->n_released++;
}

static const MrPlatformOps ops = {
        .struct_size = sizeof(MrPlatformOps), .write_status = write_status, .release = release};

typedef struct Fixture {
        Registry *registry;
        Store *store;
        Resources *resources;
        MrPlatform platform;
} Fixture;

static void begin_watching(Fixture *fixture) {
        fixture->resources = resources_new(fixture->registry, fixture->store);
        resources_attach(fixture->resources, &ops, &fixture->platform);
}

static void begin(Fixture *fixture) {
        begin_watching(fixture);
        resources_activate(fixture->resources);
}

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        *state = fixture;
        fixture->registry = registry_new();
        if (registry_add(fixture->registry, &fish_plugin, NULL) < 0 ||
            store_open(":memory:", &fixture->store, NULL) < 0)
                return -1;
        begin(fixture);
        return 0;
}

static int tear_down(void **state) {
        Fixture *fixture = *state;

        resources_free(fixture->resources);
        store_free(fixture->store);
        registry_free(fixture->registry);
        mr_tree_free(fixture->platform.status);
        free(fixture);
        return 0;
}

static void see(Fixture *fixture, const char *uid, int generation, const char *color,
                const char *more) {
        const MrFollowing *following = resources_following(fixture->resources);
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_free_ char *json =
                mr_strf("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Fish\",\"metadata\":{"
                        "\"name\":\"nemo\",\"namespace\":\"sea\",\"uid\":\"%s\",\"generation\":%d,"
                        "\"resourceVersion\":\"77\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\""
                        "%s},\"spec\":{\"color\":\"%s\"}}",
                        uid, generation, more, color);

        assert_int_equal(mr_json_read(json, strlen(json), NULL, &tree, NULL), 0);
        following->seen(following->userdata, &fish_kind, tree);
}

static void lose(Fixture *fixture) {
        const MrFollowing *following = resources_following(fixture->resources);

        following->gone(following->userdata, &fish_kind, "sea", "nemo");
}

static const char *color_of(const StoreResource *stored) {
        return mr_tree_get_string(mr_tree_get(stored->tree, "spec"), "color");
}

static bool is_stored(Fixture *fixture, StoreResource *ret) {
        return store_get(fixture->store, "Fish", "sea", "nemo", ret, NULL) >= 0;
}

static const MrTree *ready_of(const MrTree *status) {
        return mr_tree_at(mr_tree_get(status, "conditions"), 0);
}

static void it_is_what_it_is_there(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {};

        see(fixture, "u-1", 5, "red", "");
        assert_true(is_stored(fixture, &stored));
        assert_string_equal(stored.uid, "u-1");
        assert_string_equal(stored.source, STORE_SOURCE_PLATFORM);
        assert_int_equal(stored.generation, 5);
        assert_string_equal(color_of(&stored), "red");
        assert_string_equal(
                mr_tree_get_string(mr_tree_get(stored.tree, "metadata"), "creationTimestamp"),
                "2026-01-01T00:00:00Z");
}

static void its_status_goes_back(void **state) {
        Fixture *fixture = *state;
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();

        see(fixture, "u-1", 1, "red", "");
        assert_int_equal(fixture->platform.n_statuses, 0);
        mr_tree_set_int(status, "scales", 12);
        assert_int_equal(
                store_update_status(fixture->store, "Fish", "sea", "nemo", status, 0, NULL), 1);
        assert_int_equal(fixture->platform.n_statuses, 1);
        assert_true(mr_tree_equal(fixture->platform.status, status));
}

static void what_is_not_valid_leaves_what_was(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {};
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map(), *first = NULL;

        see(fixture, "u-1", 1, "red", "");
        mr_tree_set_int(status, "scales", 12);
        (void) store_update_status(fixture->store, "Fish", "sea", "nemo", status, 0, NULL);
        see(fixture, "u-1", 2, "R2", "");
        assert_int_equal(resources_refused(fixture->resources), 1);
        assert_true(is_stored(fixture, &stored));
        assert_string_equal(color_of(&stored), "red");
        first = mr_tree_copy(fixture->platform.status);
        assert_int_equal(mr_tree_get_int(first, "observedGeneration", 0), 2);
        assert_int_equal(mr_tree_get_int(first, "scales", 0), 12);
        assert_string_equal(mr_tree_get_string(ready_of(first), "status"), "False");
        assert_string_equal(mr_tree_get_string(ready_of(first), "reason"), "InvalidResource");
        assert_non_null(strstr(mr_tree_get_string(ready_of(first), "message"), "spec.color: "));
        /* What the engine says of the one in force does not hide that. */
        mr_tree_set_int(status, "scales", 13);
        (void) store_update_status(fixture->store, "Fish", "sea", "nemo", status, 0, NULL);
        assert_int_equal(mr_tree_get_int(fixture->platform.status, "scales", 0), 13);
        assert_true(mr_tree_equal(ready_of(fixture->platform.status), ready_of(first)));
        see(fixture, "u-1", 3, "blue", "");
        assert_int_equal(resources_refused(fixture->resources), 0);
        assert_true(mr_tree_equal(fixture->platform.status, status));
}

static void a_refusal_keeps_its_time(void **state) {
        Fixture *fixture = *state;
        const char *since;
        _cleanup_free_ char *status = NULL;
        _cleanup_buf_ MrBuf message = {};

        see(fixture, "u-1", 1, "R2", "");
        mr_json_write(mr_tree_get(ready_of(fixture->platform.status), "message"), 0, &message);
        resources_free(fixture->resources);
        begin(fixture);
        status = mr_strf("},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"reason\":"
                         "\"InvalidResource\",\"message\":%s,\"lastTransitionTime\":"
                         "\"2026-02-02T00:00:00Z\"}]",
                         mr_buf_text(&message));
        see(fixture, "u-1", 1, "R2", status);
        since = mr_tree_get_string(ready_of(fixture->platform.status), "lastTransitionTime");
        assert_string_equal(since, "2026-02-02T00:00:00Z");
}

static void it_is_deleted_in_two_steps(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {}, none = {};

        see(fixture, "u-1", 1, "red", "");
        see(fixture, "u-1", 2, "red", ",\"deletionTimestamp\":\"2026-01-02T00:00:00Z\"");
        assert_true(is_stored(fixture, &stored));
        assert_true(stored.is_deleting);
        assert_int_equal(fixture->platform.n_released, 0);
        assert_true(store_remove(fixture->store, "Fish", "sea", "nemo", NULL) >= 0);
        assert_int_equal(fixture->platform.n_released, 1);
        lose(fixture);
        assert_false(is_stored(fixture, &none));
}

/* What was made of it in an earlier life goes before it is let go. */
static void one_that_was_not_known_is_taken_down(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {};

        see(fixture, "u-1", 2, "red", ",\"deletionTimestamp\":\"2026-01-02T00:00:00Z\"");
        assert_true(is_stored(fixture, &stored));
        assert_true(stored.is_deleting);
        assert_int_equal(fixture->platform.n_released, 0);
        assert_true(store_remove(fixture->store, "Fish", "sea", "nemo", NULL) >= 0);
        assert_int_equal(fixture->platform.n_released, 1);
}

static void one_that_makes_no_sense_is_let_go(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource none = {};

        see(fixture, "u-1", 2, "R2", ",\"deletionTimestamp\":\"2026-01-02T00:00:00Z\"");
        assert_int_equal(fixture->platform.n_released, 1);
        assert_false(is_stored(fixture, &none));
}

static void another_of_its_name_waits_for_its_end(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource first = {}, second = {};

        see(fixture, "u-1", 1, "red", "");
        see(fixture, "u-2", 1, "blue", "");
        assert_true(is_stored(fixture, &first));
        assert_true(first.is_deleting);
        assert_string_equal(first.uid, "u-1");
        assert_true(store_remove(fixture->store, "Fish", "sea", "nemo", NULL) >= 0);
        assert_true(is_stored(fixture, &second));
        assert_false(second.is_deleting);
        assert_string_equal(second.uid, "u-2");
        assert_string_equal(color_of(&second), "blue");
        assert_int_equal(fixture->platform.n_released, 0);
}

static void what_a_file_holds_stays_its(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {}, taken = {};
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        static const char json[] =
                "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Fish\",\"metadata\":"
                "{\"name\":\"nemo\",\"namespace\":\"sea\"},\"spec\":{\"color\":\"green\"}}";

        assert_int_equal(mr_json_read(json, strlen(json), NULL, &tree, NULL), 0);
        assert_int_equal(store_put_file_resource(fixture->store, "/x.yaml", tree, NULL, NULL), 1);
        see(fixture, "u-1", 1, "red", "");
        assert_true(is_stored(fixture, &stored));
        assert_string_equal(color_of(&stored), "green");
        assert_non_null(strstr(mr_tree_get_string(ready_of(fixture->platform.status), "message"),
                               "/x.yaml"));
        lose(fixture);
        store_resource_done(&stored);
        assert_true(is_stored(fixture, &stored));
        assert_false(stored.is_deleting);
        see(fixture, "u-1", 1, "red", "");
        assert_true(store_remove(fixture->store, "Fish", "sea", "nemo", NULL) >= 0);
        assert_true(is_stored(fixture, &taken));
        assert_string_equal(color_of(&taken), "red");
}

/* After a start: only what is stored is known, and what is in the list is told. */
static void restart(Fixture *fixture, const char *namespaces, bool is_seen) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        resources_free(fixture->resources);
        begin(fixture);
        const MrFollowing *following = resources_following(fixture->resources);
        if (is_seen)
                see(fixture, "u-1", 1, "red", "");
        if (namespaces)
                assert_int_equal(mr_json_read(namespaces, strlen(namespaces), NULL, &list, NULL),
                                 0);
        following->listed(following->userdata, &fish_kind, list);
}

static void what_went_meanwhile_is_deleted(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {}, gone = {};

        see(fixture, "u-1", 1, "red", "");
        restart(fixture, NULL, true);
        assert_true(is_stored(fixture, &stored));
        assert_false(stored.is_deleting);
        restart(fixture, "[\"sea\"]", false);
        assert_true(is_stored(fixture, &gone));
        assert_true(gone.is_deleting);
}

static void what_is_not_followed_is_forgotten_untouched(void **state) {
        Fixture *fixture = *state;
        const MrFollowing *following = resources_following(fixture->resources);
        _cleanup_resource_ StoreResource none = {};

        see(fixture, "u-1", 1, "red", "");
        restart(fixture, "[\"lake\"]", false);
        assert_false(is_stored(fixture, &none));
        following = resources_following(fixture->resources);
        see(fixture, "u-1", 1, "red", "");
        following->left(following->userdata, &fish_kind, "sea", "nemo");
        assert_false(is_stored(fixture, &none));
}

static void who_does_not_act_does_not_write(void **state) {
        Fixture *fixture = *state;
        _cleanup_resource_ StoreResource stored = {};

        resources_free(fixture->resources);
        begin_watching(fixture);
        see(fixture, "u-1", 1, "red", "},\"status\":{\"scales\":1");
        see(fixture, "u-1", 1, "red", "},\"status\":{\"scales\":2");
        assert_true(is_stored(fixture, &stored));
        assert_int_equal(mr_tree_get_int(mr_tree_get(stored.tree, "status"), "scales", 0), 2);
        see(fixture, "u-1", 2, "R2", "},\"status\":{\"scales\":2");
        assert_int_equal(fixture->platform.n_statuses, 0);
        resources_activate(fixture->resources);
        assert_int_equal(fixture->platform.n_statuses, 1);
        assert_int_equal(mr_tree_get_int(fixture->platform.status, "scales", 0), 2);
        assert_string_equal(mr_tree_get_string(ready_of(fixture->platform.status), "reason"),
                            "InvalidResource");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_what_it_is_there, set_up, tear_down),
                cmocka_unit_test_setup_teardown(its_status_goes_back, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_valid_leaves_what_was, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(a_refusal_keeps_its_time, set_up, tear_down),
                cmocka_unit_test_setup_teardown(it_is_deleted_in_two_steps, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_makes_no_sense_is_let_go, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(one_that_was_not_known_is_taken_down, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(another_of_its_name_waits_for_its_end, set_up,
                                                tear_down),
                cmocka_unit_test_setup_teardown(what_a_file_holds_stays_its, set_up, tear_down),
                cmocka_unit_test_setup_teardown(who_does_not_act_does_not_write, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_went_meanwhile_is_deleted, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_followed_is_forgotten_untouched, set_up,
                                                tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
