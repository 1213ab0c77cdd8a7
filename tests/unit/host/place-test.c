/* What millrace-place takes from the object of a machine. The way to a real API server is in
 * tests/cluster/place.sh. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/place.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define MACHINE                                                                                    \
        "{\"metadata\": {\"labels\": {\"example.com/shelf\": \"s7\", \"odd\": \"a\\\\b\"}},"       \
        " \"status\": {\"addresses\": [{\"type\": \"InternalIP\", \"address\": \"10.0.0.7\"},"     \
        " {\"type\": \"Hostname\", \"address\": \"m7\"},"                                          \
        " {\"type\": \"ExternalIP\", \"address\": \"192.0.2.7\"}]}}"

static int text_of(const char *machine, const char *wanted, MrBuf *out, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *tree = NULL;
        _cleanup_free_ char *one = mr_strdup(wanted);

        assert_int_equal(mr_json_read(machine, strlen(machine), NULL, &tree, NULL), 0);
        return place_text(tree, &one, 1, out, err);
}

static void assert_text(const char *wanted, const char *expected) {
        _cleanup_buf_ MrBuf out = {};

        assert_int_equal(text_of(MACHINE, wanted, &out, NULL), 0);
        assert_string_equal(mr_buf_text(&out), expected);
}

static void labels(void **state _unused_) {
        assert_text("A=label:example.com/shelf", "A=s7\n");
        assert_text("A=label:absent", "A=\n");
}

/* A preferred type that a machine has not is no reason to have no address. */
static void addresses(void **state _unused_) {
        assert_text("A=address:", "A=192.0.2.7\n");
        assert_text("A=address:InternalIP", "A=10.0.0.7\n");
        assert_text("A=address:Hostname", "A=m7\n");
        assert_text("A=address:InternalDNS", "A=192.0.2.7\n");
}

static void assert_fails(const char *machine, const char *wanted, const char *message) {
        _cleanup_buf_ MrBuf out = {};
        _cleanup_error_ MrError err = {};

        assert_true(text_of(machine, wanted, &out, &err) < 0);
        if (!strstr(err.message, message))
                fail_msg("%s is not in %s", message, err.message);
}

static void what_cannot_be_told(void **state _unused_) {
        assert_fails("{}", "A=address:", "no address of any type");
        assert_fails(MACHINE, "A=label:", "reads neither");
        assert_fails(MACHINE, "A", "reads neither");
        assert_fails(MACHINE, "A=label:odd", "more than one word");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(labels),
                cmocka_unit_test(addresses),
                cmocka_unit_test(what_cannot_be_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
