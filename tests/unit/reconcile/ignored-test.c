/* Fields that concern what a platform does not have. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/ignored.h"
#include "str.h"

typedef struct Thing {
        MrUnread unread;
} Thing;

static const MrField pod_fields[] = {
        MR_STRING("image", MrUnread, text, .flags = MR_POD, .doc = "Image."),
        MR_INT("grace", MrUnread, integer, .min = 0, .doc = "Grace."),
        {},
};
static const MrField thing_fields[] = {
        MR_OBJECT("pod", Thing, unread.object, MrUnread, pod_fields, .flags = MR_POD,
                  .doc = "Pod."),
        MR_STRING("image", Thing, unread.text, .flags = MR_POD, .doc = "Image."),
        MR_STRING("port", Thing, unread.text, .flags = MR_SERVICE, .doc = "Port."),
        MR_STRING("later", Thing, unread.text, .flags = MR_NOT_YET, .doc = "Later."),
        MR_STRING("token", Thing, unread.text, .flags = MR_REFUSED, .doc = "Token."),
        {},
};
static const char *const versions[] = {"v1", NULL};
static const MrKind thing = {.group = "g.example.com",
                             .versions = versions,
                             .name = "Thing",
                             .plural = "things",
                             .spec = thing_fields,
                             .spec_size = sizeof(Thing)};
static const MrKind *const kinds[] = {&thing, NULL};
static const MrOperandOps ops = {.struct_size = sizeof(MrOperandOps), .kinds = kinds};
static const MrPlugin plugin = {MR_PLUGIN_HEADER, .name = "thing", .operand = &ops};
static const MrIgnored ignored[] = {{MR_POD, "there are no pods"}, {}};
static const MrPlatformOps podless = {.ignored = ignored}, complete = {};

#define THING "apiVersion: g.example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n"

static int read_yaml(const char *yaml, Document **ret, MrError *err) {
        _cleanup_(registry_freep) Registry *registry = registry_new();
        _cleanup_(mr_tree_freep) MrTree *list = NULL;

        assert_int_equal(registry_add(registry, &plugin, NULL), 0);
        assert_int_equal(mr_yaml_read(yaml, strlen(yaml), "f.yaml", &list, NULL, NULL), 0);
        return document_read(registry, mr_tree_copy(mr_tree_at(list, 0)), "f.yaml", ret, err);
}

static void what_has_no_meaning_is_told_once(void **state _unused_) {
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_(mr_tree_freep) MrTree *told = mr_tree_new_list();

        assert_int_equal(read_yaml(THING "  pod: {image: x, grace: 3}\n  image: x\n  port: x\n"
                                         "  later: x\n  token: x\n",
                                   &document, NULL),
                         0);
        ignored_warnings(document, &podless, told);
        assert_int_equal(mr_tree_size(told), 3);
        assert_string_equal(mr_tree_get_string(mr_tree_at(told, 0), "reason"), "NotYet");
        assert_string_equal(mr_tree_get_string(mr_tree_at(told, 1), "message"),
                            "has no effect: what it belongs to is refused");
        assert_string_equal(mr_tree_get_string(mr_tree_at(told, 2), "reason"), "Ignored");
        assert_string_equal(mr_tree_get_string(mr_tree_at(told, 2), "message"),
                            "spec.pod, spec.image ignored here: there are no pods");
}

static void a_platform_that_has_everything_ignores_nothing(void **state _unused_) {
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_(mr_tree_freep) MrTree *told = mr_tree_new_list();

        assert_int_equal(read_yaml(THING "  pod: {image: x}\n  port: x\n", &document, NULL), 0);
        ignored_warnings(document, &complete, told);
        assert_int_equal(mr_tree_size(told), 0);
}

static void a_platform_knows_better_of_single_fields(void **state _unused_) {
        static const MrExcept except[] = {
                {"later", true}, {"image", false}, {"spec.pod.grace", false, "nobody waits"}, {}};
        static const MrPlatformOps knowing = {.except = except};
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_(mr_tree_freep) MrTree *told = mr_tree_new_list();
        _cleanup_buf_ MrBuf grace = {}, image = {}, later = {};

        assert_int_equal(
                read_yaml(THING "  pod: {grace: 3}\n  image: x\n  later: x\n", &document, NULL), 0);
        ignored_warnings(document, &knowing, told);
        assert_int_equal(mr_tree_size(told), 1);
        assert_string_equal(mr_tree_get_string(mr_tree_at(told, 0), "message"),
                            "spec.image has no effect here yet");
        ignored_state(&knowing, "spec.pod.grace", MR_POD, &grace);
        ignored_state(&knowing, "spec.image", MR_POD, &image);
        ignored_state(&knowing, "spec.later", MR_NOT_YET, &later);
        assert_string_equal(mr_buf_text(&grace), "ignored: nobody waits");
        assert_string_equal(mr_buf_text(&image), "not yet");
        assert_string_equal(mr_buf_text(&later), "works");
}

static void what_is_ignored_is_checked_all_the_same(void **state _unused_) {
        _cleanup_(document_freep) Document *document = NULL;
        _cleanup_error_ MrError err = {};

        assert_true(read_yaml(THING "  pod:\n    grace: soon\n", &document, &err) < 0);
        assert_string_equal(err.path, "spec.pod.grace");
        assert_int_equal(err.line, 6);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_has_no_meaning_is_told_once),
                cmocka_unit_test(a_platform_that_has_everything_ignores_nothing),
                cmocka_unit_test(a_platform_knows_better_of_single_fields),
                cmocka_unit_test(what_is_ignored_is_checked_all_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
