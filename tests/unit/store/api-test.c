/* The local API, by requests made by hand and, at the end, over its socket. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/core-kinds.h"
#include "sdk/alloc.h"
#include "sdk/str.h"
#include "store/api.h"

typedef struct Fixture {
        Store *store;
        Api *api;
        HttpResponse response;
        MrTree *answer; /* the body of the last response */
        int restarts, renewals, discards;
        bool is_sick;
} Fixture;

static const char *const versions[] = {"v1beta2", "v1", NULL};
static const char *const own_versions[] = {"v1", NULL};
static const char *const short_names[] = {"k", NULL};
static const MrKind kafka_kind = {.group = "kafka.strimzi.io",
                                  .versions = versions,
                                  .name = "Kafka",
                                  .plural = "kafkas",
                                  .short_names = short_names};
static const MrKind user_kind = {.group = "kafka.strimzi.io",
                                 .versions = versions,
                                 .name = "KafkaUser",
                                 .plural = "kafkausers"};
static const MrKind own_kind = {
        .group = "millrace.io", .versions = own_versions, .name = "Thing", .plural = "things"};
static const MrKind *const kinds[] = {&kafka_kind, &user_kind, &own_kind, NULL};

static int admit(void *userdata _unused_, const MrTree *resource, MrTree *warnings, MrError *err) {
        const MrTree *bad = mr_tree_find(resource, "spec.bad", false);

        if (bad) {
                int r = mr_fail(err, MR_INVALID, "spec.bad", "it is bad; make it good");
                return mr_error_at(err, r, NULL, mr_tree_line(bad), mr_tree_column(bad));
        }
        if (mr_tree_find(resource, "spec.odd", false)) {
                MrTree *warning = mr_tree_append(warnings, mr_tree_new_map());
                mr_tree_set_string(warning, "path", "spec.odd");
                mr_tree_set_string(warning, "message", "it is \"odd\"");
        }
        return 0;
}

static int plan(void *userdata _unused_, const char *kind, const char *ns, const char *name,
                MrTree **ret, MrError *err _unused_) {
        *ret = mr_tree_new_map();
        _cleanup_free_ char *text = mr_strf("%s/%s/%s", kind, ns, name);
        mr_tree_set_string(*ret, "of", text);
        return 0;
}

static int restart(void *userdata, const char *ns _unused_, const char *cluster, const char *node,
                   const char *reason _unused_, MrError *err) {
        Fixture *fixture = userdata;

        if (mr_streq(node, "nobody"))
                return mr_fail(err, MR_INVALID, NULL, "there is no node nobody");
        fixture->restarts += cluster || node;
        return 0;
}

static int renew(void *userdata, const char *ns _unused_, const char *node,
                 const char *reason _unused_, MrError *err) {
        Fixture *fixture = userdata;

        if (mr_streq(node, "nobody"))
                return mr_fail(err, MR_INVALID, NULL, "there is nothing to renew");
        fixture->renewals++;
        return 0;
}

static int discard(void *userdata, const char *ns _unused_, const char *node,
                   const char *reason _unused_, MrError *err) {
        Fixture *fixture = userdata;

        if (mr_streq(node, "nobody"))
                return mr_fail(err, MR_INVALID, NULL, "there is nothing to give up");
        fixture->discards++;
        return 0;
}

static int health(void *userdata, bool ready, MrError *err) {
        Fixture *fixture = userdata;

        return fixture->is_sick && ready
                       ? mr_fail(err, MR_TRANSIENT, NULL, "the first pass is not done")
                       : 0;
}

static void metrics(void *userdata _unused_, MrBuf *out) {
        mr_buf_puts(out, "millrace_up 1\n");
}

static const ApiOps ops = {.admit = admit,
                           .plan = plan,
                           .restart = restart,
                           .renew = renew,
                           .discard = discard,
                           .health = health,
                           .metrics = metrics};

static int set_up(void **state) {
        Fixture *fixture = mr_new(Fixture, 1);

        *state = fixture;
        int r = store_open(":memory:", &fixture->store, NULL);
        return r < 0 ? r
                     : api_new(fixture->store, kinds, "0.1.0", &ops, fixture, &fixture->api, NULL);
}

static int tear_down(void **state) {
        Fixture *fixture = *state;

        http_response_done(&fixture->response);
        fixture->answer = mr_tree_free(fixture->answer);
        api_free(fixture->api);
        store_free(fixture->store);
        free(fixture);
        return 0;
}

static unsigned ask_as(Fixture *fixture, bool is_local, const char *method, const char *target,
                       const char *type, const char *body) {
        HttpRequest request = {
                .method = method, .is_local = is_local, .content_type = mr_strdup(type)};

        http_response_done(&fixture->response);
        fixture->answer = mr_tree_free(fixture->answer);
        assert_int_equal(http_request_set_target(&request, target, NULL), 0);
        if (body)
                mr_buf_puts(&request.body, body);
        api_handle(fixture->api, &request, &fixture->response);
        http_request_done(&request);
        if (mr_streq(fixture->response.content_type, "application/json") &&
            !fixture->response.stream)
                assert_int_equal(mr_json_read(mr_buf_text(&fixture->response.body),
                                              fixture->response.body.size, NULL, &fixture->answer,
                                              NULL),
                                 0);
        return fixture->response.status;
}

static unsigned ask(Fixture *fixture, const char *method, const char *target, const char *body) {
        return ask_as(fixture, true, method, target, "application/yaml", body);
}

static const char *answer(Fixture *fixture, const char *path) {
        const char *text = mr_tree_string(mr_tree_find(fixture->answer, path, false));
        return text ? text : "(none)";
}

static int64_t answer_int(Fixture *fixture, const char *path) {
        return mr_tree_int(mr_tree_find(fixture->answer, path, false), -1);
}

#define KAFKAS "/apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkas"
#define KAFKA                                                                                      \
        "{apiVersion: kafka.strimzi.io/v1beta2, kind: Kafka, metadata: {name: a, labels: {x: "     \
        "w}}, spec: {size: 1}}"

static void a_resource_is_created_read_changed_and_deleted(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_string_equal(answer(fixture, "metadata.resourceVersion"), "1");
        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 409);
        assert_string_equal(answer(fixture, "reason"), "AlreadyExists");
        assert_int_equal(ask(fixture, "GET", KAFKAS "/a", NULL), 200);
        assert_int_equal(answer_int(fixture, "spec.size"), 1);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a",
                             "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: a}, "
                             "spec: {size: 2}}"),
                         200);
        assert_int_equal(answer_int(fixture, "metadata.generation"), 2);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS "/a", NULL), 200);
        assert_string_not_equal(answer(fixture, "metadata.deletionTimestamp"), "(none)");
        assert_int_equal(store_remove(fixture->store, "Kafka", "default", "a", NULL), 0);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS "/a", NULL), 404);
        assert_string_equal(answer(fixture, "reason"), "NotFound");
        assert_string_equal(answer(fixture, "kind"), "Status");
}

static void an_object_is_answered_in_the_version_asked_for(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(
                ask(fixture, "GET", "/apis/kafka.strimzi.io/v1/namespaces/default/kafkas/a", NULL),
                200);
        assert_string_equal(answer(fixture, "apiVersion"), "kafka.strimzi.io/v1");
        assert_int_equal(
                ask(fixture, "GET", "/apis/kafka.strimzi.io/v3/namespaces/default/kafkas/a", NULL),
                404);
}

static void a_conflict_is_told(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a",
                             "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: a, "
                             "resourceVersion: '7'}}"),
                         409);
        assert_string_equal(answer(fixture, "reason"), "Conflict");
}

static void a_merge_patch_changes_what_it_names(void **state) {
        Fixture *fixture = *state;
        static const char type[] = "application/merge-patch+json";

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(
                ask_as(fixture, true, "PATCH", KAFKAS "/a", type,
                       "{\"metadata\":{\"annotations\":{\"p\":\"true\"}},\"spec\":{\"m\":3}}"),
                200);
        assert_int_equal(answer_int(fixture, "spec.size"), 1);
        assert_int_equal(answer_int(fixture, "spec.m"), 3);
        assert_string_equal(answer(fixture, "metadata.annotations.p"), "true");
        assert_string_equal(answer(fixture, "metadata.labels.x"), "w");
        assert_int_equal(
                ask_as(fixture, true, "PATCH", KAFKAS "/a", type, "{\"spec\":{\"bad\":1}}"), 422);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/b", type, "{}"), 404);
        assert_int_equal(
                ask_as(fixture, true, "PATCH", KAFKAS "/a", "application/json-patch+json", "[]"),
                415);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", type,
                                "{\"metadata\":{\"name\":\"z\"}}"),
                         400);
}

static void applying_creates_or_replaces(void **state) {
        Fixture *fixture = *state;
        static const char type[] = "application/apply-patch+yaml";

        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", type, KAFKA), 201);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", type, KAFKA), 200);
        assert_string_equal(answer(fixture, "metadata.resourceVersion"), "1");
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", type,
                                "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: "
                                "a}, spec: {m: 1}}"),
                         200);
        assert_int_equal(answer_int(fixture, "spec.size"), -1);
        assert_int_equal(answer_int(fixture, "metadata.generation"), 2);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS "/a", NULL), 200);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", type, KAFKA), 409);
        assert_non_null(strstr(answer(fixture, "message"), "is being deleted"));
}

static void what_is_wrong_is_told_with_its_place(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS,
                             "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata:\n  name: "
                             "a\nspec:\n  bad: 1\n"),
                         422);
        assert_string_equal(answer(fixture, "message"), "spec.bad: it is bad; make it good");
        assert_string_equal(answer(fixture, "details.causes[0].field"), "spec.bad");
        assert_int_equal(answer_int(fixture, "details.line"), 6);
        assert_int_equal(store_version(fixture->store), 0);
}

static void warnings_are_told_and_the_resource_is_stored(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS,
                             "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: a}, "
                             "spec: {odd: 1}}"),
                         201);
        assert_int_equal(fixture->response.n_warnings, 1);
        assert_string_equal(fixture->response.warnings[0], "spec.odd: it is 'odd'");
}

static void a_dry_run_stores_nothing(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS "?dryRun=All", KAFKA), 201);
        assert_int_equal(store_version(fixture->store), 0);
}

static void bodies_that_are_no_such_object_are_refused(void **state) {
        Fixture *fixture = *state;
        static const char *const bodies[] = {
                "",
                "[]",
                "a: b: c",
                "\t",
                "1",
                "{}\n---\n{}",
                "{kind: Kafka}",
                "{metadata: 3}",
                "{apiVersion: kafka.strimzi.io/v9, kind: Kafka, metadata: {name: a}}",
                "{apiVersion: kafka.strimzi.io, kind: Kafka, metadata: {name: a}}",
                "{apiVersion: kafka/v1, kind: Kafka, metadata: {name: a}}",
                "{apiVersion: kafka.strimzi.io/v1, kind: KafkaUser, metadata: {name: a}}",
                "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: a, namespace: "
                "other}}",
        };

        for (size_t i = 0; i < MR_ELEMENTS(bodies); i++) {
                assert_int_equal(ask(fixture, "POST", KAFKAS, bodies[i]), 400);
                assert_string_equal(answer(fixture, "status"), "Failure");
        }
        assert_int_equal(
                ask(fixture, "POST", KAFKAS, "{apiVersion: kafka.strimzi.io/v1, kind: Kafka}"),
                422);
        assert_int_equal(
                ask(fixture, "POST", KAFKAS,
                    "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: ../../x}}"),
                422);
        assert_int_equal(store_version(fixture->store), 0);
}

static void lists_select_by_namespace_label_and_name(void **state) {
        Fixture *fixture = *state;
        static const char all[] = "/apis/kafka.strimzi.io/v1beta2/kafkas";

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(ask(fixture, "POST", KAFKAS,
                             "{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: b}}"),
                         201);
        assert_int_equal(ask(fixture, "POST",
                             "/apis/kafka.strimzi.io/v1beta2/namespaces/team/kafkas", KAFKA),
                         201);
        assert_int_equal(ask(fixture, "GET", all, NULL), 200);
        assert_string_equal(answer(fixture, "kind"), "KafkaList");
        assert_string_equal(answer(fixture, "metadata.resourceVersion"), "3");
        assert_string_equal(answer(fixture, "items[1].apiVersion"), "kafka.strimzi.io/v1beta2");
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 3);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?labelSelector=x%3Dw", NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 1);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?fieldSelector=metadata.name%3Db", NULL), 200);
        assert_string_equal(answer(fixture, "items[0].metadata.name"), "b");
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 1);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?labelSelector=x%20in%20(y)", NULL), 400);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?labelSelector=x!%3Dy", NULL), 400);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?fieldSelector=spec.size%3D1", NULL), 400);
}

static void the_status_is_written_apart(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(
                ask(fixture, "PUT", KAFKAS "/a/status", "{spec: {size: 9}, status: {x: 1}}"), 200);
        assert_int_equal(answer_int(fixture, "status.x"), 1);
        assert_int_equal(answer_int(fixture, "spec.size"), 1);
        assert_int_equal(answer_int(fixture, "metadata.generation"), 1);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a/status",
                                "application/merge-patch+json", "{\"status\":{\"y\":2}}"),
                         200);
        assert_int_equal(answer_int(fixture, "status.x"), 1);
        assert_int_equal(answer_int(fixture, "status.y"), 2);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a/status",
                             "{metadata: {resourceVersion: '1'}, status: {z: 1}}"),
                         409);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a/status", "{}"), 400);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/b/status", "{status: {}}"), 404);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS "/a/status", NULL), 405);
}

static void a_resource_of_a_file_is_forbidden_to_change(void **state) {
        Fixture *fixture = *state;
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(KAFKA, strlen(KAFKA), NULL, &list, NULL, NULL), 0);
        assert_int_equal(store_put_file_resource(fixture->store, "/etc/k.yaml", mr_tree_at(list, 0),
                                                 NULL, NULL),
                         1);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS "/a", NULL), 403);
        assert_non_null(strstr(answer(fixture, "message"), "/etc/k.yaml"));
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a", KAFKA), 403);
}

static char *stream_text(HttpStream *stream) {
        _cleanup_buf_ MrBuf text = {};
        char chunk[512];

        for (size_t n; (n = http_stream_take(stream, chunk, sizeof(chunk))) > 0;)
                mr_buf_append(&text, chunk, n);
        return mr_buf_take(&text);
}

static void a_watch_tells_what_is_there_and_what_happens(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(ask(fixture, "GET",
                             "/apis/kafka.strimzi.io/v1/kafkas?watch=1&allowWatchBookmarks=true",
                             NULL),
                         200);
        HttpStream *stream = TAKE(fixture->response.stream);
        _cleanup_free_ char *first = stream_text(stream);
        assert_non_null(strstr(
                first,
                "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"kafka.strimzi.io/v1\",\"kind\""));
        assert_int_equal(api_watches(fixture->api), 1);
        assert_int_equal(ask_as(fixture, true, "PATCH", KAFKAS "/a", "application/merge-patch+json",
                                "{\"spec\":{\"size\":5}}"),
                         200);
        assert_int_equal(store_remove(fixture->store, "Kafka", "default", "a", NULL), 0);
        _cleanup_free_ char *second = stream_text(stream);
        assert_non_null(strstr(second, "{\"type\":\"MODIFIED\""));
        assert_non_null(strstr(second, "\n{\"type\":\"DELETED\""));
        api_bookmark(fixture->api);
        _cleanup_free_ char *third = stream_text(stream);
        assert_string_equal(third, "{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"kafka."
                                   "strimzi.io/v1\",\"kind\":"
                                   "\"Kafka\",\"metadata\":{\"resourceVersion\":\"3\"}}}\n");
        http_stream_hang_up(stream);
        http_stream_unref(stream);
        assert_int_equal(api_watches(fixture->api), 0);
}

static void a_watch_goes_on_from_a_version_or_says_it_is_gone(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(ask(fixture, "PUT", KAFKAS "/a/status", "{status: {x: 1}}"), 200);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?watch=1&resourceVersion=1", NULL), 200);
        HttpStream *stream = TAKE(fixture->response.stream);
        _cleanup_free_ char *text = stream_text(stream);
        assert_ptr_equal(strstr(text, "\"type\""), strstr(text, "\"type\":\"MODIFIED\""));
        http_stream_hang_up(stream);
        http_stream_unref(stream);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?watch=1&resourceVersion=77", NULL), 410);
        assert_string_equal(answer(fixture, "reason"), "Expired");
        assert_int_equal(ask(fixture, "GET", KAFKAS "?watch=1&resourceVersion=x", NULL), 422);
        assert_int_equal(api_watches(fixture->api), 0);
}

static void a_watch_of_one_name_hears_nothing_of_others(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(
                ask(fixture, "GET",
                    KAFKAS "?watch=1&fieldSelector=metadata.name%3Db&labelSelector=", NULL),
                200);
        HttpStream *name = TAKE(fixture->response.stream);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?watch=1&labelSelector=x%3Dw", NULL), 200);
        HttpStream *label = TAKE(fixture->response.stream);
        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        _cleanup_free_ char *of_name = stream_text(name), *of_label = stream_text(label);
        assert_string_equal(of_name, "");
        assert_non_null(strstr(of_label, "ADDED"));
        http_stream_hang_up(name);
        http_stream_unref(name);
        http_stream_hang_up(label);
        http_stream_unref(label);
}

static void a_watch_that_nobody_reads_ends(void **state) {
        Fixture *fixture = *state;
        _cleanup_free_ char *filler = mr_calloc(1, 1024 * 1024);
        _cleanup_free_ char *body = NULL;

        memset(filler, 'x', 1024 * 1024 - 1);
        body = mr_strf("{apiVersion: kafka.strimzi.io/v1, kind: Kafka, metadata: {name: a}, spec: "
                       "{f: %s}}",
                       filler);
        assert_int_equal(ask(fixture, "POST", KAFKAS, body), 201);
        assert_int_equal(ask(fixture, "GET", KAFKAS "?watch=1", NULL), 200);
        HttpStream *stream = TAKE(fixture->response.stream);
        for (int i = 0; i < 40; i++) {
                _cleanup_free_ char *status = mr_strf("{status: {x: %d}}", i);
                assert_int_equal(ask(fixture, "PUT", KAFKAS "/a/status", status), 200);
        }
        assert_int_equal(api_watches(fixture->api), 0);
        http_stream_unref(stream);
}

static void put_secret(Fixture *fixture, const char *name, const char *key) {
        StoreSecretValue values[] = {{key, "secret", 6}, {"ca.crt", "cert", 4}};

        assert_int_equal(store_secret_put(fixture->store, "default", name, values, 2, NULL, NULL),
                         1);
}

static void secrets_are_shown_but_never_the_key_of_an_authority(void **state) {
        Fixture *fixture = *state;
        static const char *const hidden[][2] = {{"c-cluster-ca", "ca.key"},
                                                {"c-clients-ca", "ca.key"},
                                                {"other", "ca.key"},
                                                {"c-cluster-ca", "ca-2.key"}};

        put_secret(fixture, "my-user", "user.key");
        assert_int_equal(ask(fixture, "GET", "/api/v1/namespaces/default/secrets/my-user", NULL),
                         200);
        assert_string_equal(answer(fixture, "data.user\\.key"), "(none)");
        assert_string_equal(mr_tree_get_string(mr_tree_get(fixture->answer, "data"), "user.key"),
                            "c2VjcmV0");
        for (size_t i = 0; i < MR_ELEMENTS(hidden); i++) {
                _cleanup_free_ char *target =
                        mr_strf("/api/v1/namespaces/default/secrets/%s", hidden[i][0]);
                put_secret(fixture, hidden[i][0], hidden[i][1]);
                assert_int_equal(ask(fixture, "GET", target, NULL), 200);
                assert_null(strstr(mr_buf_text(&fixture->response.body), "c2VjcmV0"));
                assert_non_null(mr_tree_get(mr_tree_get(fixture->answer, "data"), "ca.crt"));
        }
        assert_int_equal(ask(fixture, "GET", "/api/v1/secrets", NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 4);
        assert_null(strstr(mr_buf_text(&fixture->response.body), "ca.key"));
        assert_int_equal(ask(fixture, "GET", "/api/v1/namespaces/default/secrets/none", NULL), 404);
        assert_int_equal(ask(fixture, "PUT", "/api/v1/namespaces/default/secrets/my-user", "{}"),
                         405);
        assert_int_equal(ask(fixture, "GET", "/api/v1/namespaces/default/secrets?watch=1", NULL),
                         405);
        assert_int_equal(ask(fixture, "GET", "/api/v1/namespaces/default/pods", NULL), 404);
}

#define SECRETS "/api/v1/namespaces/default/secrets"

/* The same store, with the kinds of data. */
static void serve_data(Fixture *fixture) {
        api_free(fixture->api);
        assert_int_equal(
                api_new(fixture->store, core_kinds, "0.1.0", &ops, fixture, &fixture->api, NULL),
                0);
}

static const char *value_of(Fixture *fixture, const char *key) {
        const char *text = mr_tree_get_string(mr_tree_get(fixture->answer, "data"), key);
        return text ? text : "(none)";
}

static void secrets_are_written_and_read_like_those_made_here(void **state) {
        Fixture *fixture = *state;

        serve_data(fixture);
        put_secret(fixture, "my-user", "user.key");
        assert_int_equal(ask(fixture, "POST", SECRETS,
                             "apiVersion: v1\nkind: Secret\nmetadata: {name: own, labels: {a: b}}\n"
                             "data:\n  a.crt: |\n    c2Vj\n    cmV0\nstringData: {b: text, "
                             "ca.key: PRIVATE}\n"),
                         201);
        assert_null(strstr(mr_buf_text(&fixture->response.body), "PRIVATE"));
        assert_null(strstr(mr_buf_text(&fixture->response.body), "stringData"));
        assert_int_equal(ask(fixture, "GET", SECRETS "/own", NULL), 200);
        assert_string_equal(answer(fixture, "apiVersion"), "v1");
        assert_string_equal(value_of(fixture, "a.crt"), "c2VjcmV0");
        assert_string_equal(value_of(fixture, "b"), "dGV4dA==");
        assert_string_equal(value_of(fixture, "ca.key"), "(none)");
        assert_int_equal(ask(fixture, "GET", SECRETS, NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 2);
        assert_int_equal(ask(fixture, "GET", SECRETS "?labelSelector=a%3Db", NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 1);
        assert_int_equal(ask_as(fixture, true, "PATCH", SECRETS "/own",
                                "application/merge-patch+json",
                                "{\"stringData\": {\"b\": \"new\"}}"),
                         200);
        assert_string_equal(value_of(fixture, "b"), "bmV3");
        assert_int_equal(ask(fixture, "GET", SECRETS "?watch=1", NULL), 405);
        assert_int_equal(ask(fixture, "DELETE", SECRETS "/own", NULL), 200);
}

static void secrets_made_here_are_written_by_nobody_else(void **state) {
        Fixture *fixture = *state;
        static const char values[] = "{apiVersion: v1, kind: Secret, metadata: {name: my-user}, "
                                     "stringData: {user.key: mine}}";

        serve_data(fixture);
        put_secret(fixture, "my-user", "user.key");
        put_secret(fixture, "c-cluster-ca", "ca.key");
        assert_int_equal(ask(fixture, "PUT", SECRETS "/my-user", values), 409);
        assert_int_equal(ask(fixture, "POST", SECRETS, values), 409);
        assert_int_equal(ask_as(fixture, true, "PATCH", SECRETS "/my-user",
                                "application/apply-patch+yaml", values),
                         409);
        assert_int_equal(ask(fixture, "DELETE", SECRETS "/my-user", NULL), 409);
        /* An authority may be brought. */
        assert_int_equal(ask_as(fixture, true, "PATCH", SECRETS "/c-cluster-ca",
                                "application/apply-patch+yaml",
                                "{apiVersion: v1, kind: Secret, metadata: {name: c-cluster-ca}}"),
                         201);
}

/* Who asks for something by an annotation hides nothing by it. */
static void a_secret_without_values_hides_nothing(void **state) {
        Fixture *fixture = *state;
        static const char wish[] = "{apiVersion: v1, kind: Secret, metadata: {name: my-user, "
                                   "annotations: {wish: '1'}}}";

        serve_data(fixture);
        put_secret(fixture, "my-user", "user.key");
        put_secret(fixture, "c-cluster-ca", "ca.key");
        assert_int_equal(
                store_secret_annotate(fixture->store, "default", "my-user", "noted", "x", NULL), 1);
        assert_int_equal(ask_as(fixture, true, "PATCH", SECRETS "/my-user",
                                "application/apply-patch+yaml", wish),
                         201);
        assert_int_equal(ask(fixture, "GET", SECRETS "/my-user", NULL), 200);
        assert_string_equal(value_of(fixture, "user.key"), "c2VjcmV0");
        assert_string_equal(value_of(fixture, "ca.crt"), "Y2VydA==");
        assert_string_equal(answer(fixture, "type"), "Opaque");
        assert_string_equal(answer(fixture, "metadata.annotations.noted"), "x");
        assert_string_equal(answer(fixture, "metadata.annotations.wish"), "1");
        assert_int_equal(ask(fixture, "GET", SECRETS, NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 2);
        assert_null(strstr(mr_buf_text(&fixture->response.body), "ca.key"));
        /* It can be taken back, and what was made stays. */
        assert_int_equal(ask(fixture, "DELETE", SECRETS "/my-user", NULL), 200);
        assert_int_equal(ask(fixture, "GET", SECRETS "/my-user", NULL), 200);
        assert_string_equal(value_of(fixture, "user.key"), "c2VjcmV0");
}

static void what_belongs_to_no_namespace(void **state) {
        Fixture *fixture = *state;
        static const char classes[] = "/apis/storage.k8s.io/v1/storageclasses";

        serve_data(fixture);
        assert_int_equal(ask(fixture, "POST", classes,
                             "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: "
                             "{name: fast}, provisioner: p}"),
                         201);
        assert_string_equal(answer(fixture, "metadata.namespace"), "(none)");
        assert_int_equal(ask(fixture, "GET", "/apis/storage.k8s.io/v1/storageclasses/fast", NULL),
                         200);
        assert_string_equal(answer(fixture, "provisioner"), "p");
        assert_int_equal(
                ask(fixture, "GET", "/apis/storage.k8s.io/v1/storageclasses/fast/status", NULL),
                404);
        assert_int_equal(ask(fixture, "GET", classes, NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 1);
        assert_int_equal(ask(fixture, "GET", "/api/v1", NULL), 200);
        assert_string_equal(answer(fixture, "resources[0].name"), "secrets");
        assert_int_equal(ask(fixture, "GET", "/apis", NULL), 200);
        assert_string_equal(answer(fixture, "groups[0].name"), "storage.k8s.io");
        assert_int_equal(
                ask(fixture, "POST", "/api/v1/namespaces/default/configmaps",
                    "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}"),
                201);
        assert_string_equal(value_of(fixture, "a"), "b");
        assert_int_equal(ask(fixture, "POST", "/api/v1/namespaces/default/configmaps",
                             "{apiVersion: v2, kind: ConfigMap, metadata: {name: c}}"),
                         400);
}

static void holds_are_put_listed_and_released(void **state) {
        Fixture *fixture = *state;
        static const char holds[] = "/apis/millrace.io/v1/namespaces/default/holds";

        assert_int_equal(ask(fixture, "PUT", "/apis/millrace.io/v1/namespaces/default/holds/n-0",
                             "{reason: disk}"),
                         201);
        assert_int_equal(ask(fixture, "PUT", "/apis/millrace.io/v1/namespaces/default/holds/n-0",
                             "{reason: disk}"),
                         200);
        assert_int_equal(
                ask(fixture, "PUT", "/apis/millrace.io/v1/namespaces/default/holds/n-1", NULL),
                201);
        assert_int_equal(
                ask(fixture, "PUT", "/apis/millrace.io/v1/namespaces/default/holds/A%20b", NULL),
                400);
        assert_int_equal(ask(fixture, "GET", holds, NULL), 200);
        assert_string_equal(answer(fixture, "items[0].reason"), "disk");
        assert_int_equal(
                ask(fixture, "DELETE", "/apis/millrace.io/v1/namespaces/default/holds/n-0", NULL),
                200);
        assert_int_equal(
                ask(fixture, "DELETE", "/apis/millrace.io/v1/namespaces/default/holds/n-0", NULL),
                404);
        assert_int_equal(ask(fixture, "POST", holds, "{}"), 405);
        assert_int_equal(ask(fixture, "GET", "/apis/millrace.io/v1/holds", NULL), 200);
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "items")), 1);
}

static void a_node_is_renewed(void **state) {
        Fixture *fixture = *state;
        static const char discards[] = "/apis/millrace.io/v1/namespaces/default/discards";
        static const char renewals[] = "/apis/millrace.io/v1/namespaces/default/renewals";

        assert_int_equal(ask(fixture, "POST", renewals, "{node: n-0, reason: why}"), 202);
        assert_int_equal(fixture->renewals, 1);
        assert_int_equal(ask(fixture, "POST", discards, "{node: n-0}"), 202);
        assert_int_equal(fixture->discards, 1);
        assert_int_equal(fixture->renewals, 1);
        assert_int_equal(ask(fixture, "POST", discards, "{node: nobody}"), 422);
        assert_int_equal(ask(fixture, "GET", discards, NULL), 405);
        assert_int_equal(ask(fixture, "POST", renewals, "{cluster: c}"), 400);
        assert_int_equal(ask(fixture, "POST", renewals, "{node: nobody}"), 422);
        assert_int_equal(ask(fixture, "GET", renewals, NULL), 405);
}

static void the_second_copy_is_refreshed(void **state) {
        Fixture *fixture = *state;
        static const char backups[] = "/apis/millrace.io/v1/backups";

        assert_int_equal(ask(fixture, "POST", backups, NULL), 200);
        assert_int_equal(ask(fixture, "GET", backups, NULL), 405);
        assert_int_equal(
                ask(fixture, "POST", "/apis/millrace.io/v1/namespaces/default/backups", NULL), 404);
}

static void restarts_are_asked_for(void **state) {
        Fixture *fixture = *state;
        static const char restarts[] = "/apis/millrace.io/v1/namespaces/default/restarts";

        assert_int_equal(ask(fixture, "POST", restarts, "{node: n-0, reason: why}"), 202);
        assert_int_equal(ask(fixture, "POST", restarts, "{cluster: c}"), 202);
        assert_int_equal(fixture->restarts, 2);
        assert_int_equal(ask(fixture, "POST", restarts, "{cluster: c, node: n-0}"), 400);
        assert_int_equal(ask(fixture, "POST", restarts, "{}"), 400);
        assert_int_equal(ask(fixture, "POST", restarts, "{node: nobody}"), 422);
        assert_int_equal(ask(fixture, "GET", restarts, NULL), 405);
}

static void views_come_from_the_passes(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "POST", KAFKAS, KAFKA), 201);
        assert_int_equal(
                ask(fixture, "GET", "/apis/millrace.io/v1/namespaces/default/kafkas/a/plan", NULL),
                200);
        assert_string_equal(answer(fixture, "of"), "Kafka/default/a");
        assert_int_equal(ask(fixture, "GET",
                             "/apis/millrace.io/v1/namespaces/default/kafkas/a/describe", NULL),
                         501);
        assert_int_equal(
                ask(fixture, "GET", "/apis/millrace.io/v1/namespaces/default/kafkas/b/plan", NULL),
                404);
        assert_int_equal(ask(fixture, "GET",
                             "/apis/millrace.io/v1/namespaces/default/nothings/b/plan", NULL),
                         404);
        assert_int_equal(
                ask(fixture, "GET", "/apis/millrace.io/v1/namespaces/default/things", NULL), 200);
}

static void discovery_is_derived_from_the_kinds(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask(fixture, "GET", "/apis", NULL), 200);
        assert_string_equal(answer(fixture, "groups[0].name"), "kafka.strimzi.io");
        assert_string_equal(answer(fixture, "groups[0].preferredVersion.version"), "v1beta2");
        assert_int_equal(mr_tree_size(mr_tree_get(fixture->answer, "groups")), 2);
        assert_int_equal(ask(fixture, "GET", "/apis/kafka.strimzi.io", NULL), 200);
        assert_int_equal(ask(fixture, "GET", "/apis/kafka.strimzi.io/v1", NULL), 200);
        assert_string_equal(answer(fixture, "resources[0].name"), "kafkas");
        assert_string_equal(answer(fixture, "resources[0].shortNames[0]"), "k");
        assert_int_equal(ask(fixture, "GET", "/apis/millrace.io/v1", NULL), 200);
        assert_int_equal(ask(fixture, "GET", "/apis/nothing.io", NULL), 404);
        assert_int_equal(ask(fixture, "GET", "/apis/kafka.strimzi.io/v9", NULL), 404);
        assert_int_equal(ask(fixture, "GET", "/api", NULL), 200);
        assert_int_equal(ask(fixture, "GET", "/api/v1", NULL), 200);
        assert_string_equal(answer(fixture, "resources[0].name"), "secrets");
        assert_int_equal(ask(fixture, "GET", "/api/v2", NULL), 404);
        assert_int_equal(ask(fixture, "GET", "/version", NULL), 200);
        assert_string_equal(answer(fixture, "gitVersion"), "v0.1.0");
}

static void paths_that_lead_nowhere_are_not_found(void **state) {
        Fixture *fixture = *state;
        static const char *const targets[] = {
                "/",
                "/x",
                "/api/v1/x",
                "/apis/a/b/c/d/e/f/g/h/i/j/k",
                "/version/x",
                "/apis/kafka.strimzi.io/v1/namespaces/default/kafkas/a/b/c",
                "/apis/kafka.strimzi.io/v1/namespaces",
                "/apis/kafka.strimzi.io/v1/kafkas/a",
                "/apis/kafka.strimzi.io/v1/namespaces/default/kafkas/a/scale"};

        for (size_t i = 0; i < MR_ELEMENTS(targets); i++)
                assert_int_equal(ask(fixture, "GET", targets[i], NULL), 404);
        assert_int_equal(ask(fixture, "DELETE", KAFKAS, NULL), 405);
        assert_int_equal(ask(fixture, "POST", KAFKAS "/a", KAFKA), 405);
        assert_int_equal(ask(fixture, "POST", "/apis", KAFKA), 405);
}

static void health_and_metrics_are_open_and_nothing_else_is(void **state) {
        Fixture *fixture = *state;

        assert_int_equal(ask_as(fixture, false, "GET", "/healthz", NULL, NULL), 200);
        assert_int_equal(ask_as(fixture, false, "GET", "/readyz", NULL, NULL), 200);
        assert_int_equal(ask_as(fixture, false, "GET", "/metrics", NULL, NULL), 200);
        assert_string_equal(mr_buf_text(&fixture->response.body), "millrace_up 1\n");
        fixture->is_sick = true;
        assert_int_equal(ask_as(fixture, false, "GET", "/readyz", NULL, NULL), 503);
        assert_string_equal(mr_buf_text(&fixture->response.body), "the first pass is not done\n");
        assert_int_equal(ask_as(fixture, false, "GET", "/healthz", NULL, NULL), 200);
        assert_int_equal(ask_as(fixture, false, "GET", KAFKAS, NULL, NULL), 403);
        assert_int_equal(ask_as(fixture, false, "GET", "/api/v1/secrets", NULL, NULL), 403);
        assert_int_equal(ask_as(fixture, false, "GET", "/version", NULL, NULL), 403);
}

static int connect_to(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, path, strlen(path));
        assert_int_equal(connect(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

static void the_socket_answers_like_the_function(void **state) {
        Fixture *fixture = *state;
        char folder[] = "/tmp/api-test-XXXXXX", chunk[4096] = {};
        sd_event *event = NULL;
        HttpServer *server = NULL;

        assert_non_null(mkdtemp(folder));
        _cleanup_free_ char *path = mr_strf("%s/api.sock", folder);
        assert_true(sd_event_new(&event) >= 0);
        int fd = http_listen_unix(path, NULL, NULL);
        assert_true(fd >= 0);
        assert_int_equal(http_server_new(event, fd, api_handle, fixture->api, &server, NULL), 0);
        int client = connect_to(path);
        static const char request[] =
                "POST " KAFKAS " HTTP/1.1\r\nHost: x\r\nContent-Type: application/yaml\r\n"
                "Content-Length: 105\r\n\r\n" KAFKA;
        assert_int_equal(strlen(KAFKA), 105);
        assert_int_equal(send(client, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        for (int i = 0; i < 100 && !strstr(chunk, "\r\n\r\n"); i++) {
                (void) sd_event_run(event, 2000);
                (void) recv(client, chunk, sizeof(chunk) - 1, MSG_DONTWAIT);
        }
        assert_non_null(strstr(chunk, "HTTP/1.1 201"));
        assert_non_null(strstr(chunk, "\"resourceVersion\":\"1\""));
        close(client);
        http_server_free(server);
        sd_event_unref(event);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(folder), 0);
}

int main(void) {
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_resource_is_created_read_changed_and_deleted),
                TEST(an_object_is_answered_in_the_version_asked_for),
                TEST(a_conflict_is_told),
                TEST(a_merge_patch_changes_what_it_names),
                TEST(applying_creates_or_replaces),
                TEST(what_is_wrong_is_told_with_its_place),
                TEST(warnings_are_told_and_the_resource_is_stored),
                TEST(a_dry_run_stores_nothing),
                TEST(bodies_that_are_no_such_object_are_refused),
                TEST(lists_select_by_namespace_label_and_name),
                TEST(the_status_is_written_apart),
                TEST(a_resource_of_a_file_is_forbidden_to_change),
                TEST(a_watch_tells_what_is_there_and_what_happens),
                TEST(a_watch_goes_on_from_a_version_or_says_it_is_gone),
                TEST(a_watch_of_one_name_hears_nothing_of_others),
                TEST(a_watch_that_nobody_reads_ends),
                TEST(secrets_are_shown_but_never_the_key_of_an_authority),
                TEST(secrets_are_written_and_read_like_those_made_here),
                TEST(secrets_made_here_are_written_by_nobody_else),
                TEST(a_secret_without_values_hides_nothing),
                TEST(what_belongs_to_no_namespace),
                TEST(holds_are_put_listed_and_released),
                TEST(a_node_is_renewed),
                TEST(the_second_copy_is_refreshed),
                TEST(restarts_are_asked_for),
                TEST(views_come_from_the_passes),
                TEST(discovery_is_derived_from_the_kinds),
                TEST(paths_that_lead_nowhere_are_not_found),
                TEST(health_and_metrics_are_open_and_nothing_else_is),
                TEST(the_socket_answers_like_the_function),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
