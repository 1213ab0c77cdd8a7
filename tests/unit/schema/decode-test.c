/* Decoding a document through a field table. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "schema-example.h"

typedef struct Fixture {
        MrTree *documents, *warnings;
        MrArena *arena;
        ExampleSpec spec;
        MrError err;
        int r;
} Fixture;

static void fixture_done(Fixture *fixture) {
        mr_tree_free(fixture->documents);
        mr_tree_free(fixture->warnings);
        mr_arena_free(fixture->arena);
        mr_error_done(&fixture->err);
}

static Fixture decode(const char *yaml) {
        Fixture fixture = {.arena = mr_arena_new(), .warnings = mr_tree_new_list()};

        assert_int_equal(
                mr_yaml_read(yaml, strlen(yaml), NULL, &fixture.documents, NULL, &fixture.err), 0);
        fixture.r = mr_decode(example_fields, mr_tree_at(fixture.documents, 0), fixture.arena,
                              &fixture.spec, fixture.warnings, &fixture.err);
        return fixture;
}
#define _fixture_ _cleanup_(fixture_done)

static void nothing_written_gives_the_defaults(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("{}");
        assert_int_equal(f.r, 0);
        assert_int_equal(f.spec.replicas, 3);
        assert_true(fabs(f.spec.ratio - 0.5) < 1e-9);
        assert_int_equal(f.spec.enabled, 1);
        assert_int_equal(f.spec.quiet, MR_UNSET);
        assert_string_equal(f.spec.version, "3.9.1");
        assert_null(f.spec.password);
        assert_int_equal(f.spec.memory, 1024 * 1024 * 1024);
        assert_int_equal(f.spec.cpu, 500);
        assert_null(f.spec.storage);
        assert_int_equal(f.spec.cache->size, 42);
        assert_int_equal(f.spec.listeners.n, 0);
        assert_int_equal(f.spec.hosts.n, 0);
        assert_int_equal(f.spec.roles.n, 2);
        assert_string_equal(f.spec.roles.items[1], "b");
        assert_int_equal(f.spec.config.n, 0);
        assert_string_equal(mr_pairs_get(&f.spec.labels, "a"), "1");
        assert_null(f.spec.template);
        assert_int_equal(f.spec.old, MR_INT_UNSET);
        assert_int_equal(f.spec.mode, MR_UNSET);
        assert_int_equal(mr_tree_size(f.warnings), 0);
        ExampleSpec none = {};
        assert_int_equal(mr_decode(example_fields, NULL, f.arena, &none, NULL, NULL), 0);
        assert_int_equal(none.replicas, 3);
}

static void everything_written_is_decoded(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("replicas: 5.0\n"
                                     "ratio: 1\n"
                                     "enabled: no\n"
                                     "quiet: true\n"
                                     "version: '4.0'\n"
                                     "password: abcdefgh\n"
                                     "memory: 512Mi\n"
                                     "cpu: 2\n"
                                     "storage: {size: 100, paths: [/a, /b]}\n"
                                     "cache: null\n"
                                     "listeners:\n"
                                     "- {name: plain, port: 9092}\n"
                                     "- {name: tls, port: 9093, type: route, tls: true}\n"
                                     "hosts: [a, b, c]\n"
                                     "roles: []\n"
                                     "ids: [3, 1]\n"
                                     "config:\n"
                                     "  z: 1\n"
                                     "  log.dirs: x\n"
                                     "  b: yes\n"
                                     "  c: 0.25\n"
                                     "  d: 1.0\n"
                                     "  e: null\n"
                                     "template: {pod: [1]}\n"
                                     "mode: route\n");
        if (f.r < 0)
                fail_msg("%s", f.err.message);
        assert_int_equal(f.spec.replicas, 5);
        assert_true(fabs(f.spec.ratio - 1) < 1e-9);
        assert_int_equal(f.spec.enabled, 0);
        assert_int_equal(f.spec.quiet, 1);
        assert_string_equal(f.spec.version, "4.0");
        assert_int_equal(f.spec.memory, 512 * 1024 * 1024);
        assert_int_equal(f.spec.cpu, 2000);
        assert_int_equal(f.spec.storage->size, 100);
        assert_int_equal(f.spec.storage->paths.n, 2);
        assert_int_equal(f.spec.cache->size, 42);
        const ExampleListener *listeners = f.spec.listeners.items;
        assert_int_equal(f.spec.listeners.n, 2);
        assert_string_equal(listeners[0].name, "plain");
        assert_int_equal(listeners[0].type, EXAMPLE_INTERNAL);
        assert_int_equal(listeners[0].tls, 0);
        assert_int_equal(listeners[1].port, 9093);
        assert_int_equal(listeners[1].type, EXAMPLE_ROUTE);
        assert_int_equal(f.spec.hosts.n, 3);
        assert_int_equal(f.spec.roles.n, 0);
        assert_int_equal(f.spec.ids.items[0], 3);
        assert_int_equal(f.spec.config.n, 5);
        assert_string_equal(f.spec.config.items[0].key, "b");
        assert_string_equal(mr_pairs_get(&f.spec.config, "b"), "true");
        assert_string_equal(mr_pairs_get(&f.spec.config, "c"), "0.25");
        assert_string_equal(mr_pairs_get(&f.spec.config, "d"), "1");
        assert_string_equal(mr_pairs_get(&f.spec.config, "log.dirs"), "x");
        assert_null(mr_pairs_get(&f.spec.config, "e"));
        assert_ptr_equal(f.spec.template, mr_tree_find(f.documents, "[0].template", false));
        assert_int_equal(f.spec.mode, EXAMPLE_ROUTE);
}

/* Strings outlive the document. */
static void strings_are_copied(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("version: abc\nhosts: [x]\nconfig: {a: b}\n");
        f.documents = mr_tree_free(f.documents);
        assert_string_equal(f.spec.version, "abc");
        assert_string_equal(f.spec.hosts.items[0], "x");
        assert_string_equal(mr_pairs_get(&f.spec.config, "a"), "b");
}

static void wrong_values_are_refused_by_path_and_place(void **state) {
        static const struct {
                const char *yaml, *text;
        } cases[] = {
                {"replicas: 3x", "1:11: replicas: must be an integer, is a string (\"3x\"); write "
                                 "a number, without quotes"},
                {"replicas: '3'", "1:11: replicas: must be an integer, is a string (\"3\"); write "
                                  "a number, without quotes"},
                {"replicas: 3.5", "1:11: replicas: must be an integer, is a number (3.5); write a "
                                  "whole number of at most 18 digits"},
                {"replicas: 0", "1:11: replicas: 0 is below the minimum 1; use at least that"},
                {"replicas: [1]",
                 "1:11: replicas: must be an integer, is a list; write a number, without quotes"},
                {"ratio: 1.5", "1:8: ratio: 1.5 is above the maximum 1; use a value from 0 to 1"},
                {"ratio: -0.5", "1:8: ratio: -0.5 is below the minimum 0; use a value from 0 to 1"},
                {"ratio: x", "1:8: ratio: must be a number, is a string (\"x\"); write a number, "
                             "without quotes"},
                {"enabled: 1", "1:10: enabled: must be a boolean, is an integer (1); write true or "
                               "false, without quotes"},
                {"version: 3.9",
                 "1:10: version: must be a string, is a number (3.9); put it in quotes"},
                {"listeners: [{name: 1.2}]",
                 "1:20: listeners[0].name: must be a string, is a number (1.2); write up to 11 "
                 "lower-case letters and digits"},
                {"listeners: [{name: 12}]",
                 "1:20: listeners[0].name: must be a string, is an integer (12); put it in quotes"},
                {"ids: [1.5]", "1:7: ids[0]: must be an integer, is a number (1.5); write a whole "
                               "number of at most 18 digits"},
                {"version: yes",
                 "1:10: version: must be a string, is a boolean (true); put it in quotes"},
                {"version: {a: 1}", "1:10: version: must be a string, is a map; write one value"},
                {"password: 12345678",
                 "1:11: password: must be a string, is an integer; put it in quotes"},
                {"password: Hunter22", "1:11: password: the value does not match the pattern "
                                       "^[a-z]{8}$; use a value that does"},
                {"memory: x", "1:9: memory: must be a quantity of bytes, is a string (\"x\"); "
                              "write a size such as 512Mi or 10Gi"},
                {"memory: true", "1:9: memory: must be a quantity of bytes, is a boolean (true); "
                                 "write a size such as 512Mi or 10Gi"},
                {"cpu: x", "1:6: cpu: must be a quantity of CPU, is a string (\"x\"); write an "
                           "amount such as 500m or 2"},
                {"cpu: 50m", "1:6: cpu: 50 is below the minimum 100; use at least that"},
                {"storage: 5", "1:10: storage: must be a map, is an integer (5); write \"key: "
                               "value\" lines below it, indented"},
                {"storage: {size: 5}", "1:17: storage.size: 5 is below the minimum 10 bytes; use a "
                                       "value from 10 to 1000"},
                {"storage: {size: 5Gi}", "1:17: storage.size: 5368709120 is above the maximum 1000 "
                                         "bytes; use a value from 10 to 1000"},
                {"storage:\n  size: 500", "2:3: storage.class: is needed for large sizes; add it"},
                {"storage: {paths: [1]}",
                 "1:19: storage.paths[0]: must be a string, is an integer (1); put it in quotes"},
                {"listeners: {}", "1:12: listeners: must be a list, is a map; write each element "
                                  "on a line of its own, after \"- \""},
                {"listeners: [1]", "1:13: listeners[0]: must be a map, is an integer (1); write "
                                   "\"key: value\" lines below it, indented"},
                {"listeners:\n- {name: a, port: 9092}\n- {name: b, port: 9091}",
                 "3:19: listeners[1].port: 9091 is below the minimum 9092; use a value from 9092 "
                 "to 65535"},
                {"listeners:\n- {name: a, port: 65536}",
                 "2:19: listeners[0].port: 65536 is above the maximum 65535; use a value from 9092 "
                 "to 65535"},
                {"listeners:\n- name: a", "2:3: listeners[0].port: is required; add it"},
                {"listeners:\n- {name: a, port: null}",
                 "2:3: listeners[0].port: is required; add it"},
                {"listeners: [{name: A_b, port: 9092}]",
                 "1:20: listeners[0].name: \"A_b\" cannot be used; write up to 11 lower-case "
                 "letters and digits"},
                {"listeners: [{name: a, port: 9092, type: nodeport}]",
                 "1:41: listeners[0].type: \"nodeport\" is not one of the possible values; use one "
                 "of internal, route"},
                {"listeners: [{name: a, port: 9092, type: 1}]",
                 "1:41: listeners[0].type: must be a string, is an integer (1); put it in quotes"},
                {"listeners:\n- {name: a, port: 9092}\n- {name: b, port: 9093, type: route, tls: "
                 "false}",
                 "3:43: listeners[1].tls: a route carries only TLS; set tls to true"},
                {"listeners: [{}, {}, {}, {}]",
                 "1:12: listeners: has 4 elements, above the maximum 3; remove some"},
                {"hosts: []", "1:8: hosts: has 0 elements, below the minimum 1; add some"},
                {"hosts: [a, B]", "1:12: hosts[1]: \"B\" does not match the pattern ^[a-z]+$; use "
                                  "a value that does"},
                {"hosts: a", "1:8: hosts: must be a list, is a string (\"a\"); write each element "
                             "on a line of its own, after \"- \""},
                {"ids: [1, 100]",
                 "1:10: ids[1]: 100 is above the maximum 99; use a value from 1 to 99"},
                {"ids: [1, x]", "1:10: ids[1]: must be an integer, is a string (\"x\"); write a "
                                "number, without quotes"},
                {"config: {log.dirs: {a: 1}}",
                 "1:20: config[\"log.dirs\"]: must be a string, is a map; write one value"},
                {"config: [1]", "1:9: config: must be a map, is a list; write \"key: value\" lines "
                                "below it, indented"},
                {"- 1",
                 "1:1: must be a map, is a list; write \"key: value\" lines below it, indented"},
        };
        (void) state;
        for (size_t i = 0; i < MR_ELEMENTS(cases); i++) {
                _fixture_ Fixture f = decode(cases[i].yaml);
                assert_int_equal(f.r, -22);
                assert_int_equal(f.err.kind, MR_INVALID);
                char *text = mr_error_text(&f.err);
                assert_string_equal(text, cases[i].text);
                free(text);
                ExampleSpec spec = {};
                assert_int_equal(mr_decode(example_fields, mr_tree_at(f.documents, 0), f.arena,
                                           &spec, NULL, NULL),
                                 -22);
        }
}

static void long_values_are_cut(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("replicas: "
                                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
        assert_int_equal(f.r, -22);
        assert_true(strlen(f.err.message) < 200);
        assert_non_null(strstr(f.err.message, "…"));
        _fixture_ Fixture g = decode("listeners: [{port: 9092, name: "
                                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]\n");
        assert_int_equal(g.r, -22);
        assert_non_null(strstr(g.err.message, "…"));
}

static void assert_warning(const Fixture *f, size_t i, const char *path, const char *reason,
                           const char *message, unsigned line, unsigned column) {
        const MrTree *warning = mr_tree_at(f->warnings, i);

        assert_string_equal(mr_tree_get_string(warning, "path"), path);
        assert_string_equal(mr_tree_get_string(warning, "reason"), reason);
        assert_string_equal(mr_tree_get_string(warning, "message"), message);
        assert_int_equal(mr_tree_get_int(warning, "line", 0), line);
        assert_int_equal(mr_tree_get_int(warning, "column", 0), column);
}

static void what_is_odd_but_harmless_is_warned_about(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("listeners:\n"
                                     "- name: a\n"
                                     "  port: 9092\n"
                                     "  tls: true\n"
                                     "- {name: b, port: 9093, tls: true, tsl: 1}\n"
                                     "old: 3\n"
                                     "template: {}\n"
                                     "replica: 1\n"
                                     "a.b: 1\n"
                                     "somethingElseEntirely: 1\n");
        assert_int_equal(f.r, 0);
        assert_int_equal(mr_tree_size(f.warnings), 7);
        assert_warning(&f, 0, "listeners[0].tls", "NotYet", "has no effect yet", 4, 3);
        assert_warning(&f, 1, "listeners[1].tsl", "UnknownField",
                       "unknown field, ignored; did you mean tls?", 5, 36);
        assert_warning(&f, 2, "template", "NotYet", "has no effect yet", 7, 1);
        assert_warning(&f, 3, "old", "Deprecated", "is deprecated; it still works", 6, 1);
        assert_warning(&f, 4, "[\"a.b\"]", "UnknownField", "unknown field, ignored; remove it", 9,
                       1);
        assert_warning(&f, 5, "replica", "UnknownField",
                       "unknown field, ignored; did you mean replicas?", 8, 1);
        assert_warning(&f, 6, "somethingElseEntirely", "UnknownField",
                       "unknown field, ignored; remove it", 10, 1);
}

typedef struct Rest {
        int64_t known;
        const MrTree *rest;
} Rest;

static void one_row_stands_for_all_that_have_none(void **state) {
        static const MrField rows[] = {
                MR_INT("known", Rest, known),
                MR_TREE("*", Rest, rest, .flags = MR_POD),
                {},
        };
        static const char yaml[] = "known: 1\nother: {a: 1}\nthird: 2\n";
        _fixture_ Fixture f = {.arena = mr_arena_new(), .warnings = mr_tree_new_list()};
        Rest rest = {};

        (void) state;
        assert_int_equal(mr_yaml_read(yaml, strlen(yaml), NULL, &f.documents, NULL, &f.err), 0);
        assert_int_equal(
                mr_decode(rows, mr_tree_at(f.documents, 0), f.arena, &rest, f.warnings, &f.err), 0);
        assert_int_equal(rest.known, 1);
        assert_int_equal(mr_tree_size(f.warnings), 1);
        assert_warning(&f, 0, "other", "Concerns", "means something only on some platforms", 2, 1);
}

static void hostile_amounts_are_bounded(void **state) {
        _cleanup_buf_ MrBuf text = {};

        (void) state;
        for (int i = 0; i < 20000; i++)
                mr_buf_printf(&text, "unknown%d: 1\n", i);
        _fixture_ Fixture f = decode(mr_buf_text(&text));
        assert_int_equal(f.r, 0);
        assert_int_equal(mr_tree_size(f.warnings), MR_WARNINGS_MAX);
        mr_buf_clear(&text);
        mr_buf_puts(&text, "password: ");
        for (int i = 0; i < 1000000; i++)
                mr_buf_putc(&text, 'a');
        _fixture_ Fixture g = decode(mr_buf_text(&text));
        assert_int_equal(g.r, -22);
        assert_string_equal(g.err.message, "is longer than 65536 bytes; shorten it");
}

static void names_of_any_length_are_compared(void **state) {
        (void) state;
        _fixture_ Fixture f = decode("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1\n"
                                     "'': 1\nx: 1\n");
        assert_int_equal(f.r, 0);
        assert_int_equal(mr_tree_size(f.warnings), 3);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_written_gives_the_defaults),
                cmocka_unit_test(everything_written_is_decoded),
                cmocka_unit_test(strings_are_copied),
                cmocka_unit_test(wrong_values_are_refused_by_path_and_place),
                cmocka_unit_test(long_values_are_cut),
                cmocka_unit_test(what_is_odd_but_harmless_is_warned_about),
                cmocka_unit_test(one_row_stands_for_all_that_have_none),
                cmocka_unit_test(hostile_amounts_are_bounded),
                cmocka_unit_test(names_of_any_length_are_compared),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
