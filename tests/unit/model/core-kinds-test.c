/* Secret, ConfigMap and StorageClass: documents that hold values for others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/core-kinds.h"
#include "model/facts.h"
#include "model/registry.h"
#include "str.h"

static int read_yaml(const char *yaml, Document **ret, MrError *err) {
        _cleanup_(registry_freep) Registry *registry = registry_new();
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(yaml, strlen(yaml), "f.yaml", &list, NULL, NULL), 0);
        return document_read(registry, mr_tree_copy(mr_tree_at(list, 0)), "f.yaml", ret, err);
}

static Document *must_read(const char *yaml) {
        _cleanup_error_ MrError err = {};
        Document *document = NULL;

        if (read_yaml(yaml, &document, &err) < 0)
                fail_msg("%s", err.message);
        return document;
}

static void assert_refused(const char *yaml, const char *expected) {
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_error_ MrError err = {};

        assert_true(read_yaml(yaml, &document, &err) < 0);
        _cleanup_free_ char *text = mr_error_text(&err);
        assert_string_equal(text, expected);
}

#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
#define CONFIG "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
#define CLASS "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\n"

static void values_are_looked_up_by_name_and_key(void **state _unused_) {
        _cleanup_(document_freep) Document *secret = must_read(
                SECRET "data:\n  a: |\n    dGV4\n    dA==\n  both: eA==\n  x.p12: AAE=\n  binary: "
                       "AAE=\n  empty: \"\"\nstringData: {both: why}\n");
        _cleanup_(document_freep) Document *config =
                must_read(CONFIG "data: {a: \"1\", b: \"\"}\n");
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");

        facts_add_resource(facts, &secret->resource);
        facts_add_resource(facts, &config->resource);
        assert_string_equal(mr_facts_secret(facts, "s", "a"), "text");
        assert_string_equal(mr_facts_secret(facts, "s", "both"), "why");
        assert_string_equal(mr_facts_secret(facts, "s", "x.p12"), "AAE=");
        assert_string_equal(mr_facts_secret(facts, "s", "empty"), "");
        assert_null(mr_facts_secret(facts, "s", "binary"));
        assert_null(mr_facts_secret(facts, "s", "none"));
        assert_null(mr_facts_secret(facts, "c", "a"));
        assert_string_equal(mr_facts_config(facts, "c", "a"), "1");
        assert_string_equal(mr_facts_config(facts, "c", "b"), "");
        assert_null(mr_facts_config(facts, "c", "none"));
        assert_null(mr_facts_config(facts, "s", "a"));
        assert_ptr_equal(mr_facts_resource(facts, "Secret", "s"), &secret->resource);
        assert_null(mr_facts_resource(facts, "Secret", "c"));
        assert_null(mr_facts_resource(facts, "Kafka", "s"));
}

static void what_was_written_wins_over_what_was_made(void **state _unused_) {
        _cleanup_(document_freep) Document *secret = must_read(SECRET "stringData: {a: written}\n");
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");

        facts_add_secret(facts, "s", "a", "made");
        facts_add_secret(facts, "s", "b", "made");
        facts_add_resource(facts, &secret->resource);
        assert_string_equal(mr_facts_secret(facts, "s", "a"), "written");
        assert_string_equal(mr_facts_secret(facts, "s", "b"), "made");
}

static void bytes_are_kept(void **state _unused_) {
        _cleanup_(document_freep) Document *secret = must_read(SECRET "data: {k: AAEA}\n");
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(document_secret_value(&secret->resource, "k", &out), 1);
        assert_int_equal(out.size, 3);
        assert_memory_equal(out.data, "\0\1\0", 3);
        assert_int_equal(document_secret_value(&secret->resource, "l", &out), 0);
}

static void no_message_shows_a_value(void **state _unused_) {
        assert_refused(SECRET "data:\n  a.b: hunter2!\n",
                       "f.yaml:5:8: data[\"a.b\"]: is not base64; encode it, or write it as text "
                       "under stringData");
        assert_refused(SECRET "data: hunter2\n",
                       "f.yaml:4:7: data: must be a map, is a string; write \"key: value\" lines "
                       "below it, indented");
        assert_refused(SECRET "stringData:\n  pin: 1234\n",
                       "f.yaml:5:8: stringData.pin: must be a string, is an integer; put it in "
                       "quotes");
        assert_refused(SECRET "stringData:\n  \"a/b\": x\n",
                       "f.yaml:5:10: stringData.a/b: is no key; use at most 253 letters, "
                       "digits, '-', '_' and '.'");
}

static void texts_are_texts(void **state _unused_) {
        assert_refused(CONFIG "data:\n  a: 5\n",
                       "f.yaml:5:6: data.a: must be a string, is an integer (5); put it in quotes");
        assert_refused("apiVersion: v2\nkind: ConfigMap\nmetadata: {name: c}\n",
                       "f.yaml:1:13: apiVersion: \"v2\" is no version of ConfigMap; write v1");
}

static void a_class_of_storage_belongs_to_no_namespace(void **state _unused_) {
        _cleanup_(document_freep) Document *document =
                must_read(CLASS "provisioner: p\nparameters: {a: b}\nreclaimPolicy: Retain\n");
        _cleanup_(facts_freep) MrFacts *facts = facts_new(5, "paper");

        facts_add_resource(facts, &document->resource);
        const MrStorageClass *class = mr_facts_storage_class(facts, "fast");
        assert_string_equal(class->provisioner, "p");
        assert_string_equal(mr_pairs_get(&class->parameters, "a"), "b");
        assert_int_equal(class->reclaim_policy, MR_RECLAIM_RETAIN);
        assert_null(mr_facts_storage_class(facts, "slow"));
        assert_refused(CLASS "parameters: {}\n", "f.yaml:1:1: provisioner: is required; add it");
        assert_refused("apiVersion: storage.k8s.io/v1\nkind: StorageClass\n"
                       "metadata: {name: f, namespace: team}\nprovisioner: p\n",
                       "f.yaml:3:32: metadata.namespace: a StorageClass belongs to no namespace; "
                       "remove this line");
}

static void bytes_of_a_config_are_checked(void **state _unused_) {
        _cleanup_(document_freep) Document *document =
                must_read(CONFIG "data: {a: b}\nbinaryData: {c: AAEC}\nimmutable: true\n");
        const ConfigData *config = document->resource.spec;

        assert_int_equal(config->is_immutable, 1);
        assert_string_equal(mr_pairs_get(&config->binary_data, "c"), "AAEC");
        assert_int_equal(mr_tree_size(document->warnings), 0);
        assert_refused(CONFIG "binaryData: {c: \"?\"}\n",
                       "f.yaml:4:17: binaryData.c: is not base64; encode it, or write it as text "
                       "under data");
        assert_refused(CONFIG "data: {c: x}\nbinaryData: {c: AAEC}\n",
                       "f.yaml:5:17: binaryData.c: is in data, too; keep one of the two");
        assert_refused(CONFIG "immutable: 1\n",
                       "f.yaml:4:12: immutable: must be a boolean, is an integer (1); write true "
                       "or false, without quotes");
}

static void what_is_odd_is_told(void **state _unused_) {
        _cleanup_(document_freep) Document *document =
                must_read(SECRET "dada: {}\nimmutable: true\ntype: kubernetes.io/tls\n");

        assert_int_equal(mr_tree_size(document->warnings), 1);
        assert_string_equal(mr_tree_get_string(mr_tree_at(document->warnings, 0), "message"),
                            "unknown field, ignored; did you mean data?");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_looked_up_by_name_and_key),
                cmocka_unit_test(what_was_written_wins_over_what_was_made),
                cmocka_unit_test(bytes_are_kept),
                cmocka_unit_test(no_message_shows_a_value),
                cmocka_unit_test(texts_are_texts),
                cmocka_unit_test(bytes_of_a_config_are_checked),
                cmocka_unit_test(a_class_of_storage_belongs_to_no_namespace),
                cmocka_unit_test(what_is_odd_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
