/* What is kept of objects, and what an observation makes of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/cache.c"
#include "kubernetes/kinds.c"
#include "kubernetes/observe.c"
#include "kubernetes/owned.c"
#include "kubernetes/state.c"

#define OURS(fields)                                                                               \
        "\"managedFields\": [{\"manager\": \"millrace\", \"operation\": \"Apply\", "               \
        "\"fieldsV1\": " fields "}]"
#define LABELS "\"labels\": {\"app.kubernetes.io/instance\": \"c\"}"
#define LABELS_OURS "\"f:metadata\": {\"f:labels\": {\"f:app.kubernetes.io/instance\": {}}}"

static bool put(Cache *cache, const char *manifest, const char *version, const char *metadata,
                const char *rest) {
        const ApiKind *kind = api_kind_of_manifest(manifest);
        _cleanup_(mr_tree_freep) MrTree *object = NULL;
        _cleanup_free_ char *json =
                mr_strf("{\"apiVersion\": \"%s\", \"kind\": \"%s\", \"metadata\": {\"namespace\": "
                        "\"d\", \"uid\": \"u\", \"resourceVersion\": \"%s\", %s}%s%s}",
                        api_version(kind), kind->kind, version, metadata, *rest ? ", " : "", rest);

        assert_int_equal(mr_json_read(json, strlen(json), "test", &object, NULL), 0);
        return cache_put(cache, kind, object);
}

static void put_set(Cache *cache, int replicas) {
        _cleanup_free_ char *rest = mr_strf(
                "\"spec\": {\"replicas\": %d, \"template\": {\"metadata\": {\"annotations\": "
                "{\"millrace.io/fingerprint\": \"new\"}}, \"spec\": {\"containers\": [{\"name\": "
                "\"fish\"}], \"volumes\": [{\"name\": \"v\", \"persistentVolumeClaim\": "
                "{\"claimName\": \"data-n\"}}]}}}",
                replicas);

        assert_true(put(cache, "StatefulSet", "5",
                        "\"name\": \"n\", " LABELS ", " OURS("{" LABELS_OURS "}"), rest));
}

static void put_pod(Cache *cache, const char *version, const char *metadata, const char *status) {
        _cleanup_free_ char *all = mr_strf(
                "\"name\": \"n-0\", \"creationTimestamp\": \"2026-01-02T03:04:05Z\", "
                "\"ownerReferences\": [{\"kind\": \"StatefulSet\", \"name\": \"n\", "
                "\"controller\": true}], \"annotations\": {\"millrace.io/fingerprint\": \"old\"}%s",
                metadata);
        _cleanup_free_ char *rest = mr_strf("\"spec\": {\"nodeName\": \"m\", \"containers\": "
                                            "[{\"name\": \"fish\"}]}, \"status\": {%s}",
                                            status);

        assert_true(put(cache, "Pod", version, all, rest));
}

static const MrTree *look(const Cache *cache, MrObservation *seen) {
        mr_observation_done(seen);
        observation_of_cache(cache, NULL, seen);
        return mr_tree_get(seen->nodes, "d/n");
}

static void assert_state(const Cache *cache, const char *state) {
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_string_equal(mr_tree_get_string(look(cache, &seen), "state"), state);
}

static void a_node_is_as_its_pod(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_null(look(&cache, &seen));
        put_set(&cache, 0);
        assert_state(&cache, "stopped");
        cache_done(&cache);
        put_set(&cache, 1);
        assert_state(&cache, "starting");
        put_pod(&cache, "1", "", "\"phase\": \"Pending\"");
        assert_state(&cache, "starting");
        put_pod(&cache, "2", "",
                "\"phase\": \"Running\", \"podIP\": \"10.0.0.9\", \"conditions\": [{\"type\": "
                "\"Ready\", \"status\": \"True\", \"lastTransitionTime\": "
                "\"2026-01-02T03:04:06Z\"}], \"containerStatuses\": [{\"restartCount\": 2}]");
        const MrTree *node = look(&cache, &seen);
        assert_string_equal(mr_tree_get_string(node, "state"), "running");
        assert_int_equal(mr_tree_get_int(node, "since", 0), 1767323046);
        assert_int_equal(mr_tree_get_int(node, "restarts", 0), 2);
        assert_string_equal(mr_tree_get_string(node, "address"), "10.0.0.9");
        assert_string_equal(mr_tree_get_string(node, "fingerprint"), "old");
        assert_string_equal(mr_tree_get_string(node, "owner"), "d/c");
        assert_string_equal(mr_tree_get_string(node, "role"), "fish");
        assert_string_equal(mr_tree_get_string(node, "where"), "pod n-0");
        put_pod(&cache, "3", ", \"deletionTimestamp\": \"2026-01-02T03:04:07Z\"", "");
        assert_state(&cache, "stopping");
        assert_true(cache_drop(&cache, api_kind_of_manifest("StatefulSet"), "d", "n"));
        assert_state(&cache, "stopping");
}

static void what_waits_for_its_disk_may_still_start(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};

        put_set(&cache, 1);
        put_pod(&cache, "1", "",
                "\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": "
                "\"Unschedulable\", \"message\": \"0/1 nodes are available: pod has unbound "
                "immediate PersistentVolumeClaims. not found\"}]");
        const MrTree *node = look(&cache, &seen);
        assert_string_equal(mr_tree_get_string(node, "state"), "starting");
        assert_non_null(strstr(mr_tree_get_string(node, "message"), "unbound"));
}

static void what_cannot_start_has_failed(void **state _unused_) {
        static const struct {
                const char *status, *message;
        } cases[] = {
                {"\"containerStatuses\": [{\"state\": {\"waiting\": {\"reason\": \"A\", "
                 "\"message\": \"b\"}}}]",
                 "A: b"},
                {"\"initContainerStatuses\": [{\"state\": {\"waiting\": {\"reason\": \"A\"}}}]",
                 "A"},
                {"\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", "
                 "\"reason\": \"Unschedulable\", \"message\": \"none fits\"}]",
                 "Unschedulable: none fits"},
                {"\"phase\": \"Failed\", \"reason\": \"Evicted\", \"message\": \"full\"",
                 "Evicted: full"},
        };

        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _cleanup_(cache_done) Cache cache = {};
                _cleanup_(mr_observation_done) MrObservation seen = {};
                put_set(&cache, 1);
                put_pod(&cache, "1", "", cases[i].status);
                const MrTree *node = look(&cache, &seen);
                assert_string_equal(mr_tree_get_string(node, "state"), "failed");
                assert_string_equal(mr_tree_get_string(node, "message"), cases[i].message);
        }
}

static void one_that_is_being_made_has_not(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};

        put_set(&cache, 1);
        put_pod(&cache, "1", "",
                "\"initContainerStatuses\": [{\"state\": {\"running\": {}}}], "
                "\"containerStatuses\": [{\"state\": {\"waiting\": {\"reason\": "
                "\"PodInitializing\"}}}]");
        assert_state(&cache, "starting");
}

#define IDENTITY                                                                                   \
        "\"annotations\": {\"millrace.io/identity\": "                                             \
        "\"{\\\"cluster_id\\\":\\\"id\\\",\\\"node\\\":\\\"n\\\"}\"}"

static bool is_taken(const char *version, int generation, int observed) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_free_ char *metadata = mr_strf("\"name\": \"n\", \"generation\": %d", generation);
        _cleanup_free_ char *rest =
                observed ? mr_strf("\"status\": {\"observedGeneration\": %d}", observed)
                         : mr_strdup("");

        assert_true(put(&cache, "StatefulSet", version, metadata, rest));
        return mr_tree_get_bool(cache_set(&cache, "d", "n")->state, "taken", false);
}

static void a_set_is_taken_when_its_controller_saw_it(void **state _unused_) {
        assert_false(is_taken("1", 1, 0));
        assert_true(is_taken("2", 1, 1));
        assert_false(is_taken("3", 2, 1));
}

static void claims_say_whose_they_are(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};

        put_set(&cache, 1);
        assert_true(put(&cache, "PersistentVolumeClaim", "1",
                        "\"name\": \"data-n\", " LABELS ", " IDENTITY
                        ", " OURS("{" LABELS_OURS "}"),
                        "\"spec\": {\"storageClassName\": \"default\", \"resources\": "
                        "{\"requests\": {\"storage\": \"1Gi\"}}}"));
        (void) look(&cache, &seen);
        const MrTree *claim = mr_tree_get(seen.claims, "d/data-n");
        assert_string_equal(mr_tree_get_string(claim, "cluster_id"), "id");
        assert_string_equal(mr_tree_get_string(claim, "node"), "n");
        assert_int_equal(mr_tree_get_int(claim, "size", 0), 1 << 30);
        /* The class was chosen by the server. */
        assert_null(mr_tree_get(claim, "storage_class"));
        const MrManifest *manifest =
                mr_manifests_find(seen.found, "PersistentVolumeClaim", "d", "data-n");
        assert_true(manifest->keep);
        assert_false(manifest->is_in_use);
        assert_string_equal(manifest->node, "n");
        assert_string_equal(manifest->owner, "d/c");
}

static void secrets_of_a_node_go_with_it(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};
        static const char *const secrets[] = {"n", "n-files", "other-files"};

        assert_true(put(&cache, "ConfigMap", "1",
                        "\"name\": \"n\", " LABELS ", " OURS("{" LABELS_OURS "}"), ""));
        for (size_t i = 0; i < MR_ELEMENTS(secrets); i++) {
                _cleanup_free_ char *metadata = mr_strf(
                        "\"name\": \"%s\", " LABELS ", " OURS("{" LABELS_OURS "}"), secrets[i]);
                assert_true(put(&cache, SECRET_OBJECT, "1", metadata, ""));
        }
        (void) look(&cache, &seen);
        for (size_t i = 0; i < MR_ELEMENTS(secrets); i++) {
                const MrManifest *found =
                        mr_manifests_find(seen.found, SECRET_OBJECT, "d", secrets[i]);
                bool is_of_node = mr_streq(secrets[i], "n-files");
                assert_true(found->is_secret);
                assert_true(is_of_node == (found->node && found->owner));
        }
        assert_string_equal(mr_manifests_find(seen.found, "ConfigMap", "d", "n")->node, "n");
}

static void what_is_going_is_not_found(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_true(put(&cache, "ConfigMap", "1",
                        "\"name\": \"n\", \"deletionTimestamp\": \"2026-01-02T03:04:07Z\"", ""));
        (void) look(&cache, &seen);
        assert_int_equal(mr_manifests_size(seen.found), 0);
        assert_true(mr_tree_get_bool(seen.host, "live", false));
}

static void assigned_addresses_are_facts(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};

        assert_true(put(&cache, "Service", "1", "\"name\": \"s\"",
                        "\"spec\": {\"ports\": [{\"nodePort\": 31234}]}, \"status\": "
                        "{\"loadBalancer\": {\"ingress\": [{\"ip\": \"192.0.2.1\"}]}}"));
        (void) look(&cache, &seen);
        const MrTree *service = mr_tree_get(mr_tree_get(seen.host, "services"), "d/s");
        assert_string_equal(mr_tree_get_string(service, "host"), "192.0.2.1");
        assert_int_equal(mr_tree_get_int(service, "port", 0), 31234);
}

/* --- the cache */

static void older_news_are_none(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        const ApiKind *kind = api_kind_of_manifest("ConfigMap");
        static const char named[] = "\"name\": \"n\", " LABELS ", " OURS("{\"f:data\": {}}");

        assert_true(put(&cache, "ConfigMap", "10", named, "\"data\": {\"k\": \"1\"}"));
        assert_false(put(&cache, "ConfigMap", "9", named, "\"data\": {\"k\": \"0\"}"));
        assert_false(put(&cache, "ConfigMap", "11", named, "\"data\": {\"k\": \"1\"}"));
        assert_true(put(&cache, "ConfigMap", "12", named, "\"data\": {\"k\": \"2\"}"));
        const Object *object = cache_find(&cache, kind, "d", "n");
        assert_string_equal(mr_tree_get_string(mr_tree_get(object->body, "data"), "k"), "2");
        assert_int_equal(cache.n, 1);
}

static void what_is_in_no_list_is_gone(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        const ApiKind *kind = api_kind_of_manifest("ConfigMap");

        assert_true(put(&cache, "ConfigMap", "1", "\"name\": \"a\"", ""));
        assert_true(put(&cache, "ConfigMap", "2", "\"name\": \"b\"", ""));
        assert_true(put(&cache, "Service", "3", "\"name\": \"a\"", ""));
        cache_list_begins(&cache, kind, NULL);
        assert_false(put(&cache, "ConfigMap", "2", "\"name\": \"b\"", ""));
        assert_true(cache_list_ends(&cache, kind, "elsewhere") == false);
        assert_true(cache_list_ends(&cache, kind, NULL));
        assert_null(cache_find(&cache, kind, "d", "a"));
        assert_non_null(cache_find(&cache, kind, "d", "b"));
        assert_non_null(cache_find(&cache, api_kind_of_manifest("Service"), "d", "a"));
}

/* The server may write a quantity in its own way; a difference is what comes after. */
static void what_was_sent_counts_until_it_changes(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        static const char named[] = "\"name\": \"n\", " OURS("{\"f:data\": {}}");
        _cleanup_(mr_tree_freep) MrTree *sent = mr_tree_new_map(), *same = NULL, *other = NULL;

        assert_true(put(&cache, "ConfigMap", "1", named, "\"data\": {\"k\": \"1\"}"));
        Object *object = cache_find(&cache, api_kind_of_manifest("ConfigMap"), "d", "n");
        mr_tree_set_string(mr_tree_need_map(sent, "data"), "k", "1000m");
        object_sent(object, sent);
        same = object_body(object);
        assert_true(mr_tree_equal(same, sent));
        assert_true(put(&cache, "ConfigMap", "2", named, "\"data\": {\"k\": \"2\"}"));
        other = object_body(object);
        assert_string_equal(mr_tree_get_string(mr_tree_get(other, "data"), "k"), "2");
}

static void paths_of_the_api(void **state _unused_) {
        _cleanup_free_ char *all = api_path(api_kind_of_manifest("StatefulSet"), NULL, NULL),
                            *one = api_path(api_kind_of_manifest(SECRET_OBJECT), "d", "n");

        assert_string_equal(all, "/apis/apps/v1/statefulsets");
        assert_string_equal(one, "/api/v1/namespaces/d/secrets/n");
        assert_string_equal(api_version(api_kind_of_manifest("StatefulSet")), "apps/v1");
        assert_string_equal(api_version(api_kind_of_manifest("Pod")), "v1");
        assert_null(api_kind_of_manifest("Secret"));
}

static void annotations_ask(void **state _unused_) {
        _cleanup_(cache_done) Cache cache = {};
        _cleanup_(mr_observation_done) MrObservation seen = {};
        _cleanup_buf_ MrBuf text = {};

        put_set(&cache, 1);
        assert_null((look(&cache, &seen), seen.asks));
        assert_true(put(&cache, "StatefulSet", "6",
                        "\"name\": \"n\", \"annotations\": {\"strimzi.io/manual-rolling-update\": "
                        "\"true\", \"strimzi.io/force-renew\": \"false\", \"a\": \"b\"}",
                        ""));
        (void) look(&cache, &seen);
        mr_json_write(seen.asks, 0, &text);
        assert_string_equal(mr_buf_text(&text),
                            "[{\"annotations\":{\"strimzi.io/manual-rolling-update\":\"true\"},"
                            "\"kind\":\"StatefulSet\",\"name\":\"n\",\"node\":\"n\","
                            "\"ns\":\"d\",\"uid\":\"u\"}]");
        /* Who is on the way out is asked nothing. */
        assert_true(put(&cache, "StatefulSet", "7",
                        "\"name\": \"n\", \"deletionTimestamp\": \"2026-01-02T03:04:05Z\", "
                        "\"annotations\": {\"strimzi.io/manual-rolling-update\": \"true\"}",
                        ""));
        assert_null((look(&cache, &seen), seen.asks));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_node_is_as_its_pod),
                cmocka_unit_test(what_cannot_start_has_failed),
                cmocka_unit_test(what_waits_for_its_disk_may_still_start),
                cmocka_unit_test(one_that_is_being_made_has_not),
                cmocka_unit_test(a_set_is_taken_when_its_controller_saw_it),
                cmocka_unit_test(claims_say_whose_they_are),
                cmocka_unit_test(secrets_of_a_node_go_with_it),
                cmocka_unit_test(what_is_going_is_not_found),
                cmocka_unit_test(assigned_addresses_are_facts),
                cmocka_unit_test(older_news_are_none),
                cmocka_unit_test(what_is_in_no_list_is_gone),
                cmocka_unit_test(what_was_sent_counts_until_it_changes),
                cmocka_unit_test(annotations_ask),
                cmocka_unit_test(paths_of_the_api),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
