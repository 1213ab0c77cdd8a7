/* Which part of an object is ours, by the record the API server keeps. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/owned.c"

static MrTree *read_json(const char *json) {
        MrTree *tree = NULL;

        assert_int_equal(mr_json_read(json, strlen(json), "test", &tree, NULL), 0);
        return tree;
}

static void assert_json(const MrTree *tree, const char *expected) {
        _cleanup_buf_ MrBuf text = {};

        mr_json_write(tree, 0, &text);
        assert_string_equal(mr_buf_text(&text), expected);
}

#define OBJECT(kind, fields, rest)                                                                 \
        "{\"apiVersion\": \"v1\", \"kind\": \"" kind "\", \"metadata\": {\"name\": \"a\", "        \
        "\"namespace\": \"n\", \"uid\": \"u\", \"resourceVersion\": \"7\", "                       \
        "\"labels\": {\"ours\": \"1\", \"theirs\": \"2\"}, \"annotations\": "                      \
        "{\"millrace.io/owners\": "                                                                \
        "\"[{\\\"name\\\":\\\"o\\\"}]\", \"x\": \"y\"}, \"managedFields\": [{\"manager\": "        \
        "\"millrace\", \"operation\": \"Update\", \"fieldsV1\": {\"f:data\": {}}}, {\"manager\": " \
        "\"other\", \"operation\": \"Apply\", \"fieldsV1\": {\"f:metadata\": {\"f:labels\": "      \
        "{\"f:theirs\": {}}}}}, {\"manager\": \"millrace\", \"operation\": \"Apply\", "            \
        "\"subresource\": \"status\", \"fieldsV1\": {\"f:status\": {}}}, {\"manager\": "           \
        "\"millrace\", \"operation\": \"Apply\", \"fieldsV1\": " fields "}]}, " rest "}"

static void assert_owned(const char *object, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *tree = read_json(object), *body = owned_body(tree);

        assert_json(body, expected);
}

#define HEAD(kind) "{\"apiVersion\":\"v1\",\"kind\":\"" kind "\",\"metadata\":{"
#define NAMES "\"name\":\"a\",\"namespace\":\"n\""

static void only_our_fields_count(void **state _unused_) {
        assert_owned(
                OBJECT("ConfigMap",
                       "{\"f:metadata\": {\"f:labels\": {\".\": {}, \"f:ours\": {}, \"f:gone\": "
                       "{}}}, \"f:data\": {\"f:k\": {}}}",
                       "\"data\": {\"k\": \"v\", \"other\": \"w\"}, \"status\": {}"),
                "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"v\"},\"kind\":\"ConfigMap\","
                "\"metadata\":{\"labels\":{\"ours\":\"1\"}," NAMES "}}");
}

static void elements_of_lists_are_found_by_their_keys(void **state _unused_) {
        assert_owned(
                OBJECT("Service",
                       "{\"f:spec\": {\"f:ports\": "
                       "{\"k:{\\\"port\\\":1,\\\"protocol\\\":\\\"TCP\\\"}\": "
                       "{\".\": {}, \"f:port\": {}, \"f:name\": {}}}, \"f:list\": "
                       "{\"v:\\\"b\\\"\": {}, \"k:no\": {}}, \"f:whole\": {}}}",
                       "\"spec\": {\"ports\": [{\"port\": 1, \"protocol\": \"UDP\", \"name\": "
                       "\"x\"}, "
                       "{\"port\": 1, \"protocol\": \"TCP\", \"name\": \"y\", \"nodePort\": 9}], "
                       "\"list\": [\"a\", \"b\"], \"whole\": [{\"c\": 1}], \"rest\": 1}"),
                HEAD("Service") NAMES "},\"spec\":{\"list\":[\"b\"],\"ports\":[{\"name\":\"y\","
                                      "\"port\":1}],\"whole\":[{\"c\":1}]}}");
}

static void owners_come_back_from_their_annotation(void **state _unused_) {
        assert_owned(OBJECT("ConfigMap",
                            "{\"f:metadata\": {\"f:annotations\": {\"f:millrace.io/owners\": {}}}}",
                            "\"data\": {}"),
                     HEAD("ConfigMap") NAMES ",\"ownerReferences\":[{\"name\":\"o\"}]}}");
}

static void of_secrets_there_are_digests(void **state _unused_) {
        _cleanup_(mr_tree_freep)
                MrTree *object = read_json(
                               OBJECT("Secret", "{\"f:data\": {\"f:k\": {}, \"f:k.p12\": {}}}",
                                      "\"data\": {\"k\": \"dGV4dA==\", \"k.p12\": \"AAE=\"}")),
                       *body = owned_body(object);
        char text[MR_DIGEST_MAX], binary[MR_DIGEST_MAX];

        mr_digest("text", 4, text);
        mr_digest("AAE=", 4, binary);
        assert_null(mr_tree_get(body, "data"));
        assert_string_equal(mr_tree_get_string(mr_tree_get(body, "digests"), "k"), text);
        assert_string_equal(mr_tree_get_string(mr_tree_get(body, "digests"), "k.p12"), binary);
}

/* Whether its pod runs is no difference. */
static void a_set_is_one(void **state _unused_) {
        assert_owned(OBJECT("StatefulSet", "{\"f:spec\": {\"f:replicas\": {}}}",
                            "\"spec\": {\"replicas\": 0, \"x\": 1}"),
                     HEAD("StatefulSet") NAMES "},\"spec\":{\"replicas\":1}}");
        assert_owned(OBJECT("StatefulSet", "{\"f:spec\": {\"f:y\": {}}}",
                            "\"spec\": {\"replicas\": 3, \"y\": 1}"),
                     HEAD("StatefulSet") NAMES "},\"spec\":{\"replicas\":1,\"y\":1}}");
}

static void what_is_nobodys_has_only_a_name(void **state _unused_) {
        assert_owned("{\"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\", \"namespace\": "
                     "\"n\"}, \"data\": {\"k\": \"v\"}}",
                     "{\"kind\":\"ConfigMap\",\"metadata\":{" NAMES "}}");
}

/* What goes out and comes back is what was wanted. */
static void there_and_back(void **state _unused_) {
        static const char wanted[] =
                HEAD("Secret") NAMES ",\"ownerReferences\":[{\"name\":\"o\",\"uid\":\"u\"}]},"
                                     "\"type\":\"Opaque\"}";
        _cleanup_(mr_tree_freep) MrTree *body = read_json(wanted), *object = NULL, *again = NULL;
        MrTree *entry;

        mr_tree_set_string(mr_tree_need_map(body, "digests"), "k",
                           "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1");
        assert_int_equal(owned_object(body, "{\"k\": \"text\"}", false, &object, NULL), 0);
        assert_json(object,
                    "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"dGV4dA==\"},\"kind\":\"Secret\","
                    "\"metadata\":{\"annotations\":{\"millrace.io/owners\":"
                    "\"[{\\\"name\\\":\\\"o\\\",\\\"uid\\\":\\\"u\\\"}]\"}," NAMES
                    "},\"type\":\"Opaque\"}");
        entry = mr_tree_append(
                mr_tree_need_list(mr_tree_get(object, "metadata"), "managedFields"),
                read_json("{\"manager\": \"millrace\", \"operation\": \"Apply\", \"fieldsV1\": "
                          "{\"f:data\": {\"f:k\": {}}, \"f:type\": {}, \"f:metadata\": "
                          "{\"f:annotations\": {\"f:millrace.io/owners\": {}}}}}"));
        assert_non_null(entry);
        again = owned_body(object);
        assert_true(mr_tree_equal(again, body));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_our_fields_count),
                cmocka_unit_test(elements_of_lists_are_found_by_their_keys),
                cmocka_unit_test(owners_come_back_from_their_annotation),
                cmocka_unit_test(of_secrets_there_are_digests),
                cmocka_unit_test(a_set_is_one),
                cmocka_unit_test(what_is_nobodys_has_only_a_name),
                cmocka_unit_test(there_and_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
