/* Storage of another cluster, or of another kind of quorum, is not taken over. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/identity.h"
#include "str.h"

static const char *const mine =
        "{\"identity\": {\"cluster_id\": \"abc\", \"quorum\": \"zookeeper\"}}";

static MrManifests *one(const char *kind, const char *name, const char *owner, const char *body) {
        MrManifests *manifests = mr_manifests_new();
        MrManifest manifest = {.kind = kind, .ns = "default", .name = name, .owner = owner};

        assert_int_equal(mr_json_read(body, strlen(body), "test", &manifest.body, NULL), 0);
        mr_manifests_add(manifests, manifest);
        return manifests;
}

static void assert_agrees(const char *wanted_body, const char *kind, const char *owner,
                          const char *found_body, const char *const words[]) {
        _cleanup_(mr_manifests_freep)
                MrManifests *wanted = one("Volume", "data-0-new", NULL, wanted_body),
                            *found = one(kind, "data-0-old", owner, found_body);
        _cleanup_error_ MrError err = {};

        int r = identity_check(wanted, found, "default/c", &err);
        assert_true(words ? r < 0 : r == 0);
        if (words)
                assert_int_equal(err.kind, MR_INVALID);
        for (size_t i = 0; words && words[i]; i++)
                if (!strstr(err.message, words[i]))
                        fail_msg("\"%s\" does not say \"%s\"", err.message, words[i]);
}

static void the_same_cluster_agrees(void **state) {
        (void) state;
        assert_agrees(mine, "Volume", "default/c", mine, NULL);
        assert_agrees(mine, "Volume", "default/c", "{\"identity\": {}}", NULL);
        assert_agrees(mine, "Volume", "default/c", "{}", NULL);
}

static void another_id_is_refused_with_both(void **state) {
        static const char *const words[] = {"data-0-old",
                                            "id xyz",
                                            "data-0-new",
                                            "id abc",
                                            "restore the storage that belongs here",
                                            NULL};

        (void) state;
        assert_agrees(mine, "Volume", "default/c", "{\"identity\": {\"cluster_id\": \"xyz\"}}",
                      words);
}

static void what_others_own_is_their_business(void **state) {
        static const char foreign[] = "{\"identity\": {\"cluster_id\": \"xyz\"}}";

        (void) state;
        assert_agrees(mine, "Volume", "default/other", foreign, NULL);
        assert_agrees(mine, "Volume", NULL, foreign, NULL);
        assert_agrees(mine, "File", "default/c", foreign, NULL);
}

static void what_has_no_identity_is_not_compared(void **state) {
        (void) state;
        assert_agrees("{}", "Volume", "default/c", mine, NULL);
}

static void a_cluster_is_not_converted_by_an_edit(void **state) {
        static const char *const words[] = {"holds a cluster whose quorum is zookeeper",
                                            "describes kraft-dynamic", "change the spec back",
                                            NULL};
        static const char kraft[] =
                "{\"identity\": {\"cluster_id\": \"abc\", \"quorum\": \"kraft-dynamic\"}}";

        (void) state;
        assert_agrees(kraft, "Volume", "default/c", mine, words);
        assert_agrees(kraft, "Volume", "default/c", kraft, NULL);
}

static void two_ways_of_one_kind_are_one(void **state) {
        (void) state;
        assert_agrees("{\"identity\": {\"quorum\": \"kraft-dynamic\"}}", "Volume", "default/c",
                      "{\"identity\": {\"quorum\": \"kraft-static\"}}", NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_cluster_agrees),
                cmocka_unit_test(another_id_is_refused_with_both),
                cmocka_unit_test(what_others_own_is_their_business),
                cmocka_unit_test(what_has_no_identity_is_not_compared),
                cmocka_unit_test(a_cluster_is_not_converted_by_an_edit),
                cmocka_unit_test(two_ways_of_one_kind_are_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
