#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema-example.h"
#include "str.h"

static const MrField status_fields[] = {
        MR_STRING("clusterId", MrUnread, text, .doc = "Id."),
        {},
};

static const MrCheck checks[] = {{"has(self.size)", "say how large it is"}, {}};

static const MrField checked_fields[] = {
        MR_INT("replicas", ExampleSpec, replicas, .doc = "Nodes."),
        MR_LIST("listeners", ExampleSpec, listeners, ExampleListener, example_listener_fields,
                .flags = MR_REQUIRED, .checks = checks),
        MR_MAP("labels", ExampleSpec, labels, .flags = MR_STRICT),
        MR_TREE("template", ExampleSpec, template, .flags = MR_ONLY_LIST),
        MR_TREE("*", ExampleSpec, template),
        {},
};

static const char *const versions[] = {"v2", "v1", NULL};
static const char *const short_names[] = {"ex", NULL};
static const MrColumn columns[] = {
        {"READY", "status.conditions[Ready].status", false},
        {"REPLICAS", "spec.replicas", true},
        {},
};

static MrKind kind_of(const MrField *fields) {
        return (MrKind){
                .group = "example.org",
                .versions = versions,
                .name = "ExampleThing",
                .plural = "examplethings",
                .short_names = short_names,
                .spec = fields,
                .spec_size = sizeof(ExampleSpec),
                .columns = columns,
                .status = status_fields,
                .scale = {"spec.replicas", "status.replicas", "status.selector"},
                .doc = "A thing.",
        };
}

static void has(const MrTree *crd, const char *path, const char *json) {
        _cleanup_buf_ MrBuf text = {};
        const MrTree *found = mr_tree_find(crd, path, false);

        if (!found)
                fail_msg("nothing at %s", path);
        mr_json_write(found, 0, &text);
        assert_string_equal(mr_buf_text(&text), json);
}

#define SPEC "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties."

static void each_type_has_its_schema(void **state _unused_) {
        MrKind kind = kind_of(example_fields);
        _cleanup_(mr_tree_freep) MrTree *crd = mr_crd_new(&kind);

        has(crd, SPEC "replicas",
            "{\"description\":\"How many nodes there are. Default: 3.\",\"format\":\"int64\","
            "\"minimum\":1,\"type\":\"integer\"}");
        has(crd, SPEC "ratio.type", "\"number\"");
        has(crd, SPEC "ratio.maximum", "1");
        has(crd, SPEC "quiet", "{\"type\":\"boolean\"}");
        has(crd, SPEC "password", "{\"pattern\":\"^[a-z]{8}$\",\"type\":\"string\"}");
        has(crd, SPEC "memory",
            "{\"description\":\"Default: 1Gi.\",\"x-kubernetes-int-or-string\":true}");
        has(crd, SPEC "storage.properties.paths",
            "{\"items\":{\"type\":\"string\"},\"type\":\"array\"}");
        has(crd, SPEC "listeners.maxItems", "3");
        has(crd, SPEC "listeners.items.required", "[\"name\",\"port\"]");
        has(crd, SPEC "listeners.items.properties.type.enum", "[\"internal\",\"route\"]");
        has(crd, SPEC "hosts",
            "{\"items\":{\"pattern\":\"^[a-z]+$\",\"type\":\"string\"},\"minItems\":1,"
            "\"type\":\"array\"}");
        has(crd, SPEC "ids.items",
            "{\"format\":\"int64\",\"maximum\":99,\"minimum\":1,\"type\":\"integer\"}");
        has(crd, SPEC "config",
            "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}");
        has(crd, SPEC "template.x-kubernetes-preserve-unknown-fields", "true");
}

static void versions_have_the_same_properties(void **state _unused_) {
        MrKind kind = kind_of(example_fields);
        _cleanup_(mr_tree_freep) MrTree *crd = mr_crd_new(&kind);
        const MrTree *list = mr_tree_find(crd, "spec.versions", false);

        assert_int_equal(mr_tree_size(list), 2);
        assert_true(mr_tree_equal(mr_tree_get(mr_tree_at(list, 0), "schema"),
                                  mr_tree_get(mr_tree_at(list, 1), "schema")));
        has(crd, "spec.versions[0].storage", "true");
        has(crd, "spec.versions[1].storage", "false");
        has(crd, "spec.versions[1].name", "\"v1\"");
        has(crd, "spec.versions[1].served", "true");
}

static void what_is_around_the_spec(void **state _unused_) {
        MrKind kind = kind_of(checked_fields);
        _cleanup_(mr_tree_freep) MrTree *crd = mr_crd_new(&kind);

        has(crd, "metadata.name", "\"examplethings.example.org\"");
        has(crd, "spec.names",
            "{\"categories\":[\"strimzi\"],\"kind\":\"ExampleThing\",\"listKind\":"
            "\"ExampleThingList\",\"plural\":\"examplethings\",\"shortNames\":[\"ex\"],"
            "\"singular\":\"examplething\"}");
        has(crd, "spec.versions[0].additionalPrinterColumns",
            "[{\"jsonPath\":\".status.conditions[?(@.type==\\\"Ready\\\")].status\",\"name\":"
            "\"READY\",\"type\":\"string\"},{\"jsonPath\":\".spec.replicas\",\"name\":"
            "\"REPLICAS\",\"priority\":1,\"type\":\"integer\"}]");
        has(crd, "spec.versions[0].subresources",
            "{\"scale\":{\"labelSelectorPath\":\".status.selector\",\"specReplicasPath\":"
            "\".spec.replicas\",\"statusReplicasPath\":\".status.replicas\"},\"status\":{}}");
        has(crd, SPEC "listeners.items.x-kubernetes-validations",
            "[{\"message\":\"say how large it is\",\"rule\":\"has(self.size)\"}]");
        has(crd,
            "spec.versions[0].schema.openAPIV3Schema.properties.spec."
            "x-kubernetes-preserve-unknown-fields",
            "true");
        assert_null(mr_tree_find(crd, SPEC "[\"*\"]", false));
        has(crd, SPEC "labels.additionalProperties", "{\"type\":\"string\"}");
        has(crd, SPEC "template",
            "{\"items\":{\"x-kubernetes-preserve-unknown-fields\":true},\"type\":\"array\"}");
        has(crd, "spec.versions[0].schema.openAPIV3Schema.properties.status.properties.clusterId",
            "{\"description\":\"Id.\",\"type\":\"string\"}");
        assert_non_null(mr_tree_find(crd,
                                     "spec.versions[0].schema.openAPIV3Schema.properties.status."
                                     "properties.conditions",
                                     false));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_type_has_its_schema),
                cmocka_unit_test(versions_have_the_same_properties),
                cmocka_unit_test(what_is_around_the_spec),
        };

        return cmocka_run_group_tests_name("schema/crd", tests, NULL, NULL);
}
