/* What the operands make of whole specs, against recorded parts. To record anew: MILLRACE_RECORD=1.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operand-world.h"
#include "str.h"

#define FOLDER "tests/golden/specs/"

static char *read_text(const char *path) {
        _cleanup_buf_ MrBuf text = {};
        char chunk[4096];
        FILE *file = fopen(path, "re");

        for (size_t n; file && (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
                mr_buf_append(&text, chunk, n);
        if (file)
                fclose(file);
        return mr_buf_take(&text);
}

static void write_text(const char *path, const char *text) {
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void write_document(const World *world, const Document *document, MrBuf *out) {
        _cleanup_(mr_parts_freep) MrParts *parts = mr_parts_new();
        _cleanup_(mr_tree_freep) MrTree *status = mr_tree_new_map();
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        mr_buf_printf(out, "=== %s %s\n", document->resource.kind->name, document->resource.name);
        if (world_parts(world, document, parts, &err) < 0 ||
            world_status(world, document, status, &err) < 0)
                fail_msg("%s", err.message);
        parts_write(parts, out);
        for (size_t i = 0; i < mr_tree_size(document->warnings); i++) {
                const MrTree *warning = mr_tree_at(document->warnings, i);
                mr_buf_printf(out, "warning %s: %s\n", mr_tree_get_string(warning, "reason"),
                              mr_tree_get_string(warning, "path"));
        }
        mr_buf_puts(out, "status\n");
        mr_yaml_write(status, out);
}

static void check(const char *name) {
        _cleanup_free_ char *spec = mr_strf(FOLDER "%s.yaml", name),
                            *recorded = mr_strf(FOLDER "%s.parts", name);
        _cleanup_free_ char *yaml = read_text(spec), *expected = read_text(recorded);
        _cleanup_(world_freep) World *world = world_new();
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        _cleanup_buf_ MrBuf out = {};

        if (world_read(world, yaml, &err) < 0)
                fail_msg("%s: %s: %s", spec, err.path ? err.path : "", err.message);
        for (size_t i = 0; i < world->n_documents; i++)
                write_document(world, world->documents[i], &out);
        if (getenv("MILLRACE_RECORD"))
                write_text(recorded, mr_buf_text(&out));
        else
                assert_string_equal(mr_buf_text(&out), expected);
}

static void one_of_each_with_zookeeper(void **state _unused_) {
        check("zookeeper-single");
}

static void three_of_each_with_every_option(void **state _unused_) {
        check("zookeeper-three");
}

static void five_of_each(void **state _unused_) {
        check("zookeeper-five");
}

static void one_node_of_both_roles(void **state _unused_) {
        check("kraft-single");
}

static void pools_with_a_static_quorum(void **state _unused_) {
        check("kraft-static");
}

static void pools_with_a_dynamic_quorum(void **state _unused_) {
        check("kraft-dynamic");
}

static void listeners_of_every_type(void **state _unused_) {
        check("listeners-kraft");
}

static void listeners_with_zookeeper(void **state _unused_) {
        check("listeners-zookeeper");
}

static void every_knob_with_zookeeper(void **state _unused_) {
        check("knobs-zookeeper");
}

static void every_knob_without_zookeeper(void **state _unused_) {
        check("knobs-kraft");
}

static void every_shape_of_a_cluster(void **state _unused_) {
        static const char *const shapes[] = {
                "shape-3.8-ephemeral", "shape-3.9-pools",  "shape-3.9-jbod",  "shape-4.0-combined",
                "shape-4.1-dedicated", "shape-4.2-ranges", "shape-4.3-mixed",
        };

        for (size_t i = 0; i < MR_ELEMENTS(shapes); i++)
                check(shapes[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_knob_with_zookeeper),
                cmocka_unit_test(every_knob_without_zookeeper),
                cmocka_unit_test(one_of_each_with_zookeeper),
                cmocka_unit_test(three_of_each_with_every_option),
                cmocka_unit_test(five_of_each),
                cmocka_unit_test(one_node_of_both_roles),
                cmocka_unit_test(pools_with_a_static_quorum),
                cmocka_unit_test(pools_with_a_dynamic_quorum),
                cmocka_unit_test(every_shape_of_a_cluster),
                cmocka_unit_test(listeners_of_every_type),
                cmocka_unit_test(listeners_with_zookeeper),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
