/* What millrace-hostd saw becomes an observation; half of it becomes none. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/host-batch.h"
#include "rhel-baremetal/names.c"
#include "rhel-baremetal/observation.c"

#define HOST                                                                                       \
        "\"host\": {\"hostname\": \"h1\", \"address\": \"h1.example.com\", \"distributions\": []}"

static int observe(const char *json, MrObservation *ret, MrError *err) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(json, strlen(json), "test", &tree, NULL), 0);
        return observation_of_host(tree, ret, err);
}

static void assert_body(const MrObservation *seen, const char *kind, const char *ns,
                        const char *name, const char *expected) {
        const MrManifest *manifest = mr_manifests_find(seen->found, kind, ns, name);
        _cleanup_buf_ MrBuf text = {};

        if (!manifest)
                fail_msg("there is no %s %s/%s", kind, ns, name);
        mr_json_write(manifest->body, 0, &text);
        assert_string_equal(mr_buf_text(&text), expected);
}

static void half_an_answer_is_none(void **state _unused_) {
        static const char *const answers[] = {
                "{}",
                "[]",
                "{\"version\": 1, \"instances\": {}, \"claims\": {}}",
                "{\"version\": 1, \"instances\": {}, " HOST "}",
                "{\"version\": 1, \"claims\": {}, " HOST "}",
                "{\"version\": 0, \"instances\": {}, \"claims\": {}, " HOST "}",
                "{\"instances\": {}, \"claims\": {}, " HOST "}",
                "{\"version\": 1, \"instances\": null, \"claims\": {}, " HOST "}",
                "{\"version\": 1, \"instances\": [], \"claims\": {}, " HOST "}",
                "{\"version\": 1, \"instances\": {}, \"claims\": {}, \"host\": \"h1\"}",
        };

        for (size_t i = 0; i < MR_ELEMENTS(answers); i++) {
                _cleanup_(mr_observation_done) MrObservation seen = {};
                _cleanup_error_ MrError err = {};
                if (observe(answers[i], &seen, &err) >= 0)
                        fail_msg("it passes: %s", answers[i]);
                assert_int_equal(err.kind, MR_TRANSIENT);
                assert_null(seen.found);
        }
}

static void an_empty_host_is_whole(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe("{\"version\": 1, \"instances\": {}, \"claims\": {}, " HOST "}",
                                 &seen, NULL),
                         0);
        assert_int_equal(mr_manifests_size(seen.found), 0);
        assert_int_equal(mr_tree_size(seen.nodes), 0);
        assert_string_equal(mr_tree_get_string(seen.host, "hostname"), "h1");
}

static const char whole[] = "{\"version\": 1, \"host\": {\"fqdn\": \"h1\", \"distributions\": "
                            "[{\"software\": \"fish\", \"version\": \"1\", "
                            "\"state\": \"ready\"}, {\"software\": \"fish\", \"version\": \"2\", "
                            "\"state\": \"fetching\"}, {\"software\": \"fish\", "
                            "\"version\": \"3\", \"state\": \"failed\"}, {\"software\": \"fish\", "
                            "\"version\": \"4\", \"state\": \"absent\"}, {\"software\": \"fish\", "
                            "\"version\": \"5\", \"state\": \"failed\", \"again\": false}, {}]}, "
                            "\"instances\": {\"n\": {\"class\": \"fish\", \"state\": \"running\", "
                            "\"since\": 7, \"message\": \"\", \"restarts\": 2, "
                            "\"pid\": 3, \"enabled\": true, \"dropin\": \"edited\", \"files\": "
                            "{\"f\": \"aa\"}, \"unit\": {\"fingerprint\": \"new\", "
                            "\"volumes\": [{\"claim\": \"data-n\"}]}, \"running\": "
                            "{\"fingerprint\": \"old\", \"version\": \"7\", \"settings\": {\"a\": "
                            "\"b\"}, \"volumes\": [{\"claim\": \"data-1-n\"}]}}, "
                            "\"sea_m\": {\"class\": \"fish\", \"state\": \"absent\", \"files\": "
                            "{\"g\": \"bb\"}, \"unit\": null, \"running\": null}}, "
                            "\"claims\": {\"data-n\": {\"path\": \"/p\", \"identity\": "
                            "{\"cluster\": \"default/c\", \"node_id\": 0}}, "
                            "\"sea_data-m\": {\"identity\": {\"cluster\": \"sea/d\"}}, "
                            "\"data-1-n\": {\"path\": \"/q\", \"identity\": {\"cluster\": "
                            "\"default/c\"}, \"size\": 5, \"delete\": true, \"marker\": \"x\", "
                            "\"storage_class\": \"fast\", \"capacity\": 9, \"prepared\": true, "
                            "\"lost\": true}, \"tmp-n\": {\"ephemeral\": true, \"identity\": {}, "
                            "\"outgrown\": true}}}";

static void objects(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe(whole, &seen, NULL), 0);
        assert_body(&seen, "File", "default", "n/f", "{\"class\":\"fish\",\"digest\":\"aa\"}");
        assert_body(&seen, "File", "sea", "m/g", "{\"class\":\"fish\",\"digest\":\"bb\"}");
        assert_body(&seen, "Unit", "default", "n",
                    "{\"class\":\"fish\",\"dropin\":\"edited\",\"enabled\":true,\"properties\":{"
                    "\"fingerprint\":\"new\","
                    "\"volumes\":[{\"claim\":\"data-n\"}]}}");
        assert_body(&seen, "Volume", "default", "data-n",
                    "{\"delete\":false,\"identity\":{\"cluster\":\"default/c\",\"node_id\":0},"
                    "\"size\":0}");
        assert_null(mr_manifests_find(seen.found, "Unit", "sea", "m"));
        assert_true(mr_manifests_find(seen.found, "Volume", "sea", "data-m")->keep);
}

static void owners_come_from_the_claims(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe(whole, &seen, NULL), 0);
        assert_string_equal(mr_manifests_find(seen.found, "Unit", "default", "n")->owner,
                            "default/c");
        assert_string_equal(mr_manifests_find(seen.found, "File", "default", "n/f")->owner,
                            "default/c");
        assert_string_equal(mr_manifests_find(seen.found, "Volume", "sea", "data-m")->owner,
                            "sea/d");
        assert_null(mr_manifests_find(seen.found, "File", "sea", "m/g")->owner);
        assert_string_equal(
                mr_tree_string(mr_tree_get(mr_tree_get(seen.nodes, "default/n"), "owner")),
                "default/c");
}

static void nodes(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe(whole, &seen, NULL), 0);
        const MrTree *node = mr_tree_get(seen.nodes, "default/n"),
                     *other = mr_tree_get(seen.nodes, "sea/m");
        assert_string_equal(mr_tree_get_string(node, "state"), "running");
        assert_int_equal(mr_tree_get_int(node, "since", 0), 7);
        assert_int_equal(mr_tree_get_int(node, "restarts", 0), 2);
        assert_string_equal(mr_tree_get_string(node, "fingerprint"), "old");
        assert_string_equal(mr_tree_get_string(mr_tree_get(node, "settings"), "a"), "b");
        assert_string_equal(mr_tree_get_string(node, "address"), "h1");
        assert_string_equal(mr_tree_get_string(node, "where"), "fish@n.service");
        assert_string_equal(mr_tree_get_string(other, "where"), "fish@sea_m.service");
        assert_null(mr_tree_get_string(other, "fingerprint"));
        assert_string_equal(mr_tree_get_string(mr_tree_get(seen.claims, "sea/data-m"), "cluster"),
                            "sea/d");
}

static void claims(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe(whole, &seen, NULL), 0);
        const MrManifest *used = mr_manifests_find(seen.found, "Volume", "default", "data-1-n"),
                         *told = mr_manifests_find(seen.found, "Volume", "default", "data-n"),
                         *brief = mr_manifests_find(seen.found, "Volume", "default", "tmp-n");
        assert_body(&seen, "Volume", "default", "data-1-n",
                    "{\"delete\":true,\"identity\":{\"cluster\":\"default/c\"},\"lost\":true,"
                    "\"marker\":\"x\",\"size\":5}");
        assert_body(&seen, "Volume", "default", "tmp-n",
                    "{\"delete\":false,\"identity\":{},\"reissue\":\"its disk has grown\","
                    "\"size\":0}");
        /* The process has it open, though its unit does not name it any more. */
        assert_true(used->is_in_use && !used->keep);
        assert_string_equal(used->node, "n");
        assert_true(!told->is_in_use && told->keep);
        assert_string_equal(told->node, "n");
        assert_true(!brief->keep && !brief->node);
        const MrTree *facts = mr_tree_get(seen.claims, "default/data-1-n");
        assert_string_equal(mr_tree_get_string(facts, "directory"), "/q/data");
        assert_string_equal(mr_tree_get_string(facts, "storage_class"), "fast");
        assert_int_equal(mr_tree_get_int(facts, "capacity", 0), 9);
        assert_true(mr_tree_get_bool(facts, "prepared", false));
        assert_true(mr_tree_get_bool(facts, "lost", false));
        assert_null(mr_tree_get_string(facts, "node"));
        assert_string_equal(mr_tree_get_string(mr_tree_get(seen.claims, "default/data-n"), "node"),
                            "n");
        assert_string_equal(mr_tree_get_string(mr_tree_get(seen.nodes, "default/n"), "version"),
                            "7");
}

/* What is being fetched needs no second order; what failed does, but not at once. */
static void distributions(void **state _unused_) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_int_equal(observe(whole, &seen, NULL), 0);
        assert_body(&seen, "Distribution", "", "fish-1",
                    "{\"software\":\"fish\",\"state\":\"ready\",\"version\":\"1\"}");
        assert_body(&seen, "Distribution", "", "fish-2",
                    "{\"software\":\"fish\",\"state\":\"ready\",\"version\":\"2\"}");
        assert_null(mr_manifests_find(seen.found, "Distribution", "", "fish-3"));
        assert_null(mr_manifests_find(seen.found, "Distribution", "", "fish-4"));
        assert_non_null(mr_manifests_find(seen.found, "Distribution", "", "fish-5"));
}

static int agree(const char *json, int64_t *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;

        assert_int_equal(mr_json_read(json, strlen(json), "test", &tree, NULL), 0);
        return protocol_agree(tree, ret, err);
}

static void both_sides_speak_the_newest_that_both_know(void **state _unused_) {
        int64_t protocol = 0;

        assert_int_equal(PROTOCOL, HOST_PROTOCOL);
        assert_int_equal(agree("{\"version\": 2, \"accepts\": 1}", &protocol, NULL), 0);
        assert_int_equal(protocol, 2);
        /* A host service of the package before, and one of the package after. */
        assert_int_equal(agree("{\"version\": 1}", &protocol, NULL), 0);
        assert_int_equal(protocol, 1);
        assert_int_equal(agree("{\"version\": 3, \"accepts\": 2}", &protocol, NULL), 0);
        assert_int_equal(protocol, 2);
}

static void what_cannot_be_spoken_is_refused(void **state _unused_) {
        _cleanup_error_ MrError older = {}, newer = {};
        int64_t protocol = 0;

        assert_int_equal(agree("{\"version\": 0}", &protocol, &older), -EAGAIN);
        assert_non_null(strstr(older.message, "systemctl stop millrace-hostd"));
        assert_int_equal(agree("{\"version\": 4, \"accepts\": 3}", &protocol, &newer), -EAGAIN);
        assert_non_null(strstr(newer.message, "install the newer millrace again"));
        assert_int_equal(protocol, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(half_an_answer_is_none),
                cmocka_unit_test(an_empty_host_is_whole),
                cmocka_unit_test(objects),
                cmocka_unit_test(owners_come_from_the_claims),
                cmocka_unit_test(nodes),
                cmocka_unit_test(claims),
                cmocka_unit_test(distributions),
                cmocka_unit_test(both_sides_speak_the_newest_that_both_know),
                cmocka_unit_test(what_cannot_be_spoken_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
