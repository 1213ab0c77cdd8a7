/* What a daemon without a memory finds in the Secrets of the cluster. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/keep.c"
#include "kubernetes/lower-keep.c"
#include "kubernetes/owned.c"
#include "model/facts.h"
#include "str.h"

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

static void what_is_noted_of_a_secret_goes_with_it(void **state _unused_) {
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        _cleanup_(facts_freep) MrFacts *facts = facts_new(1, "kubernetes");

        facts_annotate(facts, "c-cluster-ca", "millrace.io/done", "x");
        facts_annotate(facts, "c-cluster-ca", "strimzi.io/ca-key-generation", "2");
        facts_annotate(facts, "c-cluster-ca-cert", "strimzi.io/ca-cert-generation", "3");
        facts_remember(facts, "signs/n/c-cluster-ca", "ca");
        assert_string_equal(lower_keep_note(facts, "n", "c-cluster-ca", arena),
                            "{\"notes\":{\"millrace.io/done\":\"x\","
                            "\"strimzi.io/ca-key-generation\":\"2\"},\"signs\":\"ca\"}");
        assert_string_equal(lower_keep_note(facts, "n", "c-cluster-ca-cert", arena),
                            "{\"notes\":{\"strimzi.io/ca-cert-generation\":\"3\"}}");
        assert_string_equal(lower_keep_note(facts, "n", "c-kafka-0", arena), "{\"notes\":{}}");
}

static void it_is_found_again(void **state _unused_) {
        _cleanup_(mr_tree_freep) MrTree *object = read_json(
                "{\"metadata\": {\"labels\": {\"l\": \"1\"}, \"annotations\": "
                "{\"millrace.io/kept\": "
                "\"{\\\"notes\\\":{\\\"a\\\":\\\"b\\\"},\\\"signs\\\":\\\"ca\\\"}\"}}, \"data\": "
                "{\"ca.crt\": \"UEVN\", \"ca.p12\": \"AAEC\"}}");
        _cleanup_(mr_tree_freep) MrTree *kept = keep_read(object);

        assert_json(kept, "{\"labels\":{\"l\":\"1\"},\"notes\":{\"a\":\"b\"},\"signs\":\"ca\","
                          "\"values\":{\"ca.crt\":\"PEM\",\"ca.p12\":\"AAEC\"}}");
}

static void nothing_else_is_taken_for_one(void **state _unused_) {
        static const char *const others[] = {
                "{\"metadata\": {}, \"data\": {\"k\": \"UEVN\"}}",
                "{\"metadata\": {\"annotations\": {\"millrace.io/kept\": \"yes\"}}}",
                "{\"metadata\": {\"annotations\": {\"millrace.io/kept\": \"[\"}}}",
        };

        for (size_t i = 0; i < MR_ELEMENTS(others); i++) {
                _cleanup_(mr_tree_freep) MrTree *object = read_json(others[i]);
                assert_null(keep_read(object));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_noted_of_a_secret_goes_with_it),
                cmocka_unit_test(it_is_found_again),
                cmocka_unit_test(nothing_else_is_taken_for_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
