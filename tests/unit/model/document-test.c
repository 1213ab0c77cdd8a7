/* Kinds, and the way from a document to a resource. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/registry.h"
#include "str.h"

typedef struct Fish {
        int64_t fins;
        const MrTree *tank;
} Fish;

typedef struct Tank {
        int64_t size;
} Tank;

static int fish_rule(const void *spec, MrError *err) {
        return ((const Fish *) spec)->fins == 13
                       ? mr_fail(err, MR_INVALID, "fins", "13 is unlucky; take 12")
                       : 0;
}

static int tank_rule(const void *section, MrError *err) {
        return ((const Tank *) section)->size == 0
                       ? mr_fail(err, MR_INVALID, "size", "is too small; take more")
                       : 0;
}

static const MrField fish_fields[] = {
        MR_INT("fins", Fish, fins, .fallback = "4", .doc = "Fins."),
        MR_TREE("tank", Fish, tank, .doc = "Tank."),
        {},
};
static const MrField tank_fields[] = {
        MR_INT("size", Tank, size, .flags = MR_REQUIRED, .doc = "Size."),
        {},
};
static const char *const versions[] = {"v1", "v1beta1", NULL};
static const char *const short_names[] = {"fi", NULL};
static const MrKind fish = {
        .group = "sea.example.com",
        .versions = versions,
        .name = "Fish",
        .plural = "fishes",
        .short_names = short_names,
        .spec = fish_fields,
        .spec_size = sizeof(Fish),
        .rule = fish_rule,
};
static const MrKind ant = {
        .group = "sea.example.com",
        .versions = versions,
        .name = "Ant",
        .plural = "ants",
        .spec = fish_fields,
        .spec_size = sizeof(Fish),
};
static const MrKind *const fish_kinds[] = {&fish, &ant, NULL};
static const MrSection tank = {
        .kind = "Fish",
        .field = "tank",
        .fields = tank_fields,
        .size = sizeof(Tank),
        .rule = tank_rule,
};
static const MrOperandOps fish_ops = {.struct_size = sizeof(MrOperandOps), .kinds = fish_kinds};
static const MrOperandOps tank_ops = {.struct_size = sizeof(MrOperandOps), .section = &tank};
static const MrPlugin fish_plugin = {MR_PLUGIN_HEADER, .name = "fish", .operand = &fish_ops};
static const MrPlugin tank_plugin = {MR_PLUGIN_HEADER, .name = "tank", .operand = &tank_ops};

static int set_up(void **state) {
        Registry *registry = registry_new();

        *state = registry;
        return registry_add(registry, &fish_plugin, NULL) < 0
                       ? -1
                       : registry_add(registry, &tank_plugin, NULL);
}

static int tear_down(void **state) {
        registry_free(*state);
        return 0;
}

static int read_yaml(const Registry *registry, const char *yaml, Document **ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(yaml, strlen(yaml), "f.yaml", &list, NULL, NULL), 0);
        return document_read(registry, mr_tree_copy(mr_tree_at(list, 0)), "f.yaml", ret, err);
}

static void assert_refused(const Registry *registry, const char *yaml, const char *expected) {
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_error_ MrError err = {};

        if (read_yaml(registry, yaml, &document, &err) >= 0)
                fail_msg("it passes:\n%s", yaml);
        _cleanup_free_ char *text = mr_error_text(&err);
        assert_string_equal(text, expected);
        assert_null(document);
}

#define HEAD "apiVersion: sea.example.com/v1\nkind: Fish\n"

static void kinds_are_found_by_any_name(void **state) {
        const Registry *registry = *state;
        static const char *const names[] = {"Fish", "fish", "FISHES", "fi"};

        for (size_t i = 0; i < MR_ELEMENTS(names); i++)
                assert_ptr_equal(registry_find(registry, names[i]), &fish);
        assert_null(registry_find(registry, "bird"));
        assert_null(registry_find(registry, ""));
        assert_ptr_equal(registry_kinds(registry)[0], &ant);
        assert_string_equal(registry_kinds(registry)[1]->name, "ConfigMap");
        assert_ptr_equal(registry_kinds(registry)[2], &fish);
        assert_string_equal(registry_kinds(registry)[3]->name, "Secret");
        assert_string_equal(registry_kinds(registry)[4]->name, "StorageClass");
        assert_null(registry_kinds(registry)[5]);
        assert_int_equal(registry_operands(registry), 2);
        assert_null(registry_operand_at(registry, 2));
}

static void nobody_takes_what_another_has(void **state) {
        _cleanup_error_ MrError a = {}, b = {};

        assert_true(registry_add(*state, &fish_plugin, &a) < 0);
        assert_non_null(strstr(a.message, "owns the kind Fish already"));
        assert_true(registry_add(*state, &tank_plugin, &b) < 0);
        assert_non_null(strstr(b.message, "owns spec.tank of Fish already"));
        assert_int_equal(registry_operands(*state), 2);
}

static void a_document_becomes_a_resource(void **state) {
        const Registry *registry = *state;
        _cleanup_(document_freep) Document *document = NULL;

        assert_int_equal(
                read_yaml(registry,
                          HEAD "metadata:\n  name: nemo\n  labels: {a: b}\n  annotations: {c: d}\n"
                               "spec:\n  tank: {size: 3}\n",
                          &document, NULL),
                0);
        const MrResource *resource = &document->resource;
        assert_ptr_equal(resource->kind, &fish);
        assert_string_equal(resource->api_version, "sea.example.com/v1");
        assert_string_equal(resource->name, "nemo");
        assert_string_equal(resource->ns, "default");
        assert_string_equal(mr_pairs_get(&resource->labels, "a"), "b");
        assert_string_equal(mr_pairs_get(&resource->annotations, "c"), "d");
        assert_int_equal(resource->generation, 1);
        assert_false(resource->is_deleted);
        assert_true(mr_matches(resource->uid,
                               "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$"));
        assert_int_equal(((const Fish *) document_spec_for(registry, document, 0))->fins, 4);
        assert_int_equal(((const Tank *) document_spec_for(registry, document, 1))->size, 3);
        assert_int_equal(mr_tree_size(document->warnings), 0);
}

static void what_the_store_knows_is_taken_over(void **state) {
        _cleanup_(document_freep) Document *document = NULL;

        assert_int_equal(
                read_yaml(*state,
                          HEAD "metadata: {name: nemo, namespace: sea, uid: u-1, generation: 7, "
                               "deletionTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {}\n",
                          &document, NULL),
                0);
        assert_string_equal(document->resource.ns, "sea");
        assert_string_equal(document->resource.uid, "u-1");
        assert_int_equal(document->resource.generation, 7);
        assert_true(document->resource.is_deleted);
        assert_null(document_spec_for(*state, document, 1));
}

static void the_same_document_gets_the_same_uid(void **state) {
        _cleanup_(document_freep) Document *a = NULL, *b = NULL, *c = NULL;

        read_yaml(*state, HEAD "metadata: {name: a}\nspec: {}\n", &a, NULL);
        read_yaml(*state, HEAD "metadata: {name: a}\nspec: {fins: 2}\n", &b, NULL);
        read_yaml(*state, HEAD "metadata: {name: b}\nspec: {}\n", &c, NULL);
        assert_string_equal(a->resource.uid, b->resource.uid);
        assert_string_not_equal(a->resource.uid, c->resource.uid);
}

static void what_is_odd_is_told(void **state) {
        _cleanup_(document_freep) Document *document = NULL;
        static const char *const paths[] = {"spec.color", "spec.tank.color", "color"};

        assert_int_equal(read_yaml(*state,
                                   HEAD "metadata: {name: a}\ncolor: red\nspec:\n  color: red\n  "
                                        "tank: {size: 1, color: "
                                        "red}\nstatus: {}\n",
                                   &document, NULL),
                         0);
        assert_int_equal(mr_tree_size(document->warnings), MR_ELEMENTS(paths));
        for (size_t i = 0; i < MR_ELEMENTS(paths); i++) {
                const MrTree *warning = mr_tree_at(document->warnings, i);
                assert_string_equal(mr_tree_get_string(warning, "path"), paths[i]);
                assert_string_equal(mr_tree_get_string(warning, "reason"), "UnknownField");
                assert_true(mr_tree_get_int(warning, "line", 0) > 0);
        }
}

static void rules_know_the_place(void **state) {
        assert_refused(*state, HEAD "metadata: {name: a}\nspec:\n  fins: 13\n",
                       "f.yaml:5:9: spec.fins: 13 is unlucky; take 12");
        assert_refused(*state, HEAD "metadata: {name: a}\nspec:\n  tank: {size: 0}\n",
                       "f.yaml:5:16: spec.tank.size: is too small; take more");
        assert_refused(*state, HEAD "metadata: {name: a}\nspec:\n  tank: {}\n",
                       "f.yaml:5:9: spec.tank.size: is required; add it");
        assert_refused(*state, HEAD "metadata: {name: a}\nspec:\n  tank: 3\n",
                       "f.yaml:5:9: spec.tank: must be a map, is an integer (3); write \"key: "
                       "value\" lines below it, indented");
}

static void what_is_no_resource(void **state) {
        _cleanup_(mr_tree_freep) MrTree *tree = mr_tree_new_map();

        assert_false(document_is_resource(NULL));
        assert_false(document_is_resource(tree));
        mr_tree_set_string(tree, "apiVersion", "v1");
        mr_tree_set_string(tree, "kind", "X");
        assert_true(document_is_resource(tree));
        assert_refused(*state, "a\n",
                       "f.yaml:1:1: a resource is a map, this is a string; start with apiVersion "
                       "and kind");
        assert_refused(*state, "apiVersion: sea.example.com/v2\nkind: Fish\n",
                       "f.yaml:1:13: apiVersion: \"sea.example.com/v2\" is no version of Fish; "
                       "write sea.example.com/v1");
        assert_refused(*state, "apiVersion: x\nkind: \"Fi\\nsh\\e[31m\"\n",
                       "f.yaml:2:7: kind: \"Fi\\nsh\\e[31m\" is not known; 'millctl explain' "
                       "lists the kinds");
        assert_refused(*state, HEAD "metadata: {name: a}\n",
                       "f.yaml:1:1: spec: is missing; 'millctl explain Fish.spec' shows what "
                       "belongs there");
}

static void both_versions_are_served(void **state) {
        _cleanup_(document_freep) Document *document = NULL;

        assert_int_equal(read_yaml(*state,
                                   "apiVersion: sea.example.com/v1beta1\nkind: Fish\nmetadata: "
                                   "{name: a}\nspec: {}\n",
                                   &document, NULL),
                         0);
        assert_string_equal(document->resource.api_version, "sea.example.com/v1beta1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds_are_found_by_any_name),
                cmocka_unit_test(nobody_takes_what_another_has),
                cmocka_unit_test(a_document_becomes_a_resource),
                cmocka_unit_test(what_the_store_knows_is_taken_over),
                cmocka_unit_test(the_same_document_gets_the_same_uid),
                cmocka_unit_test(what_is_odd_is_told),
                cmocka_unit_test(rules_know_the_place),
                cmocka_unit_test(what_is_no_resource),
                cmocka_unit_test(both_versions_are_served),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
