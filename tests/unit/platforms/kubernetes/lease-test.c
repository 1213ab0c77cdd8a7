/* Who leads, by what a lease says and for how long it has said so. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/lease-body.c"
#include "kubernetes/lease-settings.c"

static char ns[] = "n", name[] = "millrace", identity[] = "a";
static const LeaseSettings settings = {
        .ns = ns,
        .name = name,
        .identity = identity,
        .duration_sec = 15,
        .deadline_sec = 10,
        .retry_sec = 2,
};

static MrTree *read_json(const char *json) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(json, strlen(json), "test", &tree, NULL), 0);
        return tree;
}

#define LEASE(holder, duration)                                                                    \
        "{\"metadata\": {\"name\": \"millrace\", \"resourceVersion\": \"7\", \"managedFields\": "  \
        "[]}, "                                                                                    \
        "\"spec\": {\"holderIdentity\": \"" holder "\", \"leaseDurationSeconds\": " duration       \
        ", \"leaseTransitions\": 3, \"acquireTime\": \"t\", \"renewTime\": \"t\"}}"

static void assert_view(const char *json, uint64_t sec, bool is_ours, bool is_free) {
        _cleanup_(mr_tree_freep) MrTree *lease = read_json(json);
        LeaseView view = lease_view(lease, &settings, sec * SEC);

        assert_int_equal(view.is_ours, is_ours);
        assert_int_equal(view.is_free, is_free);
        assert_int_equal(view.transitions, 3);
}

static void it_is_free_when_nobody_renews_it(void **state _unused_) {
        assert_view(LEASE("b", "15"), 14, false, false);
        assert_view(LEASE("b", "15"), 15, false, true);
        /* Whoever has it says for how long. */
        assert_view(LEASE("b", "60"), 59, false, false);
        assert_view(LEASE("b", "60"), 60, false, true);
        assert_view(LEASE("", "15"), 0, false, true);
        assert_view(LEASE("a", "15"), 0, true, false);
}

static MrTree *spec_after(const char *json) {
        _cleanup_(mr_tree_freep) MrTree *before = json ? read_json(json) : NULL;
        _cleanup_(mr_tree_freep) MrTree *body = lease_body(before, &settings, 1700000000123456);

        assert_string_equal(mr_tree_get_string(mr_tree_get(body, "metadata"), "name"), "millrace");
        assert_null(mr_tree_get(mr_tree_get(body, "metadata"), "managedFields"));
        if (json)
                assert_string_equal(
                        mr_tree_get_string(mr_tree_get(body, "metadata"), "resourceVersion"), "7");
        return mr_tree_copy(mr_tree_get(body, "spec"));
}

static void taking_it_counts_and_renewing_does_not(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *made = spec_after(NULL),
                                        *taken = spec_after(LEASE("b", "60")),
                                        *renewed = spec_after(LEASE("a", "15"));
        static const char now[] = "2023-11-14T22:13:20.123456Z";

        assert_int_equal(mr_tree_get_int(made, "leaseTransitions", -1), 0);
        assert_string_equal(mr_tree_get_string(made, "acquireTime"), now);
        assert_int_equal(mr_tree_get_int(taken, "leaseTransitions", -1), 4);
        assert_string_equal(mr_tree_get_string(taken, "holderIdentity"), "a");
        assert_int_equal(mr_tree_get_int(taken, "leaseDurationSeconds", 0), 15);
        assert_string_equal(mr_tree_get_string(taken, "acquireTime"), now);
        assert_int_equal(mr_tree_get_int(renewed, "leaseTransitions", -1), 3);
        assert_string_equal(mr_tree_get_string(renewed, "acquireTime"), "t");
        assert_string_equal(mr_tree_get_string(renewed, "renewTime"), now);
}

/* --- settings */

static int read_settings(const char *json, const char *where, LeaseSettings *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *config = json ? read_json(json) : NULL;

        return lease_settings_read(config, where, ret, err);
}

static int clear(void **state _unused_) {
        static const char *const names[] = {"ENABLED",  "LEASE_NAME",        "LEASE_NAMESPACE",
                                            "IDENTITY", "LEASE_DURATION_MS", "RENEW_DEADLINE_MS"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++) {
                _cleanup_free_ char *whole = mr_strf("STRIMZI_LEADER_ELECTION_%s", names[i]);
                (void) unsetenv(whole);
        }
        return 0;
}

static void one_replica_needs_none(void **state _unused_) {
        LeaseSettings ret = {};

        assert_int_equal(read_settings(NULL, "n", &ret, NULL), 0);
        assert_int_equal(read_settings("{}", "n", &ret, NULL), 0);
}

static void a_section_asks_for_one(void **state _unused_) {
        LeaseSettings ret = {};

        assert_int_equal(read_settings("{\"lease\": {\"identity\": \"me\"}}", "n", &ret, NULL), 1);
        assert_string_equal(ret.ns, "n");
        assert_string_equal(ret.name, "millrace");
        assert_string_equal(ret.identity, "me");
        assert_int_equal(ret.duration_sec, 15);
        assert_int_equal(ret.deadline_sec, 10);
        assert_int_equal(ret.retry_sec, 2);
        lease_settings_done(&ret);
}

static void variables_win(void **state _unused_) {
        LeaseSettings ret = {};

        (void) setenv("STRIMZI_LEADER_ELECTION_ENABLED", "true", 1);
        (void) setenv("STRIMZI_LEADER_ELECTION_LEASE_NAME", "of-variable", 1);
        (void) setenv("STRIMZI_LEADER_ELECTION_LEASE_DURATION_MS", "30000", 1);
        assert_int_equal(read_settings("{\"lease\": {\"name\": \"of-file\"}}", "n", &ret, NULL), 1);
        assert_string_equal(ret.name, "of-variable");
        assert_int_equal(ret.duration_sec, 30);
        lease_settings_done(&ret);
        (void) setenv("STRIMZI_LEADER_ELECTION_ENABLED", "false", 1);
        assert_int_equal(read_settings("{\"lease\": {}}", "n", &ret, NULL), 0);
}

static void assert_refused(const char *json, const char *where, const char *words) {
        LeaseSettings ret = {};
        _cleanup_error_ MrError err = {};

        assert_true(read_settings(json, where, &ret, &err) < 0);
        assert_non_null(strstr(err.message, words));
        lease_settings_done(&ret);
}

static void what_makes_no_sense_is_refused(void **state _unused_) {
        assert_refused("{\"lease\": {}}", NULL, "in which namespace");
        assert_refused("{\"lease\": {\"renew_deadline_seconds\": 15}}", "n", "more often");
        (void) setenv("STRIMZI_LEADER_ELECTION_LEASE_DURATION_MS", "soon", 1);
        assert_refused("{\"lease\": {}}", "n", "LEASE_DURATION_MS=soon");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clear, clear)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(it_is_free_when_nobody_renews_it),
                TEST(taking_it_counts_and_renewing_does_not),
                TEST(one_replica_needs_none),
                TEST(a_section_asks_for_one),
                TEST(variables_win),
                TEST(what_makes_no_sense_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
