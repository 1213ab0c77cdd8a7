/* Passwords in resources are told by their names. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "reconcile/inline.h"
#include "reconcile/mask.h"
#include "str.h"

static void names(void **state _unused_) {
        static const char *const secret[] = {
                "password",       "ssl.keystore.password",
                "DB_PASSWORD",    "API_TOKEN",
                "api-key",        "client.secret",
                "jaas.config",    "ssl.keystore.key",
                "aws.secret.key", "passphrase",
                "userPasswd",     "credentials",
                "x.private.key",  "oauth.access.token",
                "s3.access.key",  "sasl.jaas.config",
        };
        static const char *const open[] = {
                "",
                "secretName",
                "generateSecretOwnerReference",
                "delegation.token.expiry.time.ms",
                "key",
                "token.type",
                "aws.credentials.provider",
                "ssl.keystore.type",
                "user",
                "tokens.max",
                "accessKeyId",
        };

        for (size_t i = 0; i < MR_ELEMENTS(secret); i++)
                if (!inline_is_secret(secret[i]))
                        fail_msg("%s is a secret", secret[i]);
        for (size_t i = 0; i < MR_ELEMENTS(open); i++)
                if (inline_is_secret(open[i]))
                        fail_msg("%s is none", open[i]);
        assert_false(inline_is_secret(NULL));
}

static MrTree *read_yaml(const char *text) {
        MrTree *list = NULL;

        assert_int_equal(mr_yaml_read(text, strlen(text), "text", &list, NULL, NULL), 0);
        return list;
}

static void print(const char *name, const char *lead, const char *value, void *userdata) {
        mr_buf_printf(userdata, "%s|%s|%s\n", name, lead, value);
}

static void assert_found(const char *text, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *list = read_yaml(text);
        _cleanup_buf_ MrBuf out = {};

        inline_find(mr_tree_at(list, 0), print, &out);
        assert_string_equal(mr_buf_text(&out), expected);
}

static void by_the_key_of_a_map(void **state _unused_) {
        assert_found("spec: {config: {a.password: x, b.password: 12, c: y}}",
                     "a.password|a.password=|x\nb.password|b.password=|12\n");
        assert_found("spec: {use.password: true, a.password: 'true', b.password: ''}", "");
        assert_found("spec: {a.password: '${secrets:ns/name:key}', b.password: '@{secret:n/k}'}",
                     "");
        assert_found("spec: {authentication: {passwordSecret: {secretName: s, password: p}}}", "");
        assert_found("spec: {build: {pullSecret: mine}, generateSecretOwnerReference: true}", "");
        assert_found("kind: Secret\nstringData: {password: x}", "");
}

static void by_the_name_beside_a_value(void **state _unused_) {
        assert_found("spec: {env: [{name: API_TOKEN, value: x}, {name: USER, value: y}]}",
                     "API_TOKEN|API_TOKEN=|x\n");
        assert_found("spec: {env: [{name: A_PASSWORD, valueFrom: {secretKeyRef: {name: s}}}]}", "");
        assert_found("body: {key: a.password, value: x}", "a.password|a.password=|x\n");
}

static void within_texts(void **state _unused_) {
        assert_found("a: ['login required user=\"u\" password=\"x y\" other=\"z\";']",
                     "password|password=\"|x y\n");
        assert_found("a: \"one=1\\nmy.password = a;b c\\ntwo=2\\n\"",
                     "my.password|my.password = |a\nmy.password|my.password = |a;b c\n");
        assert_found("a: '-Da.password=x -Db=y'",
                     "-Da.password|-Da.password=|x\n-Da.password|-Da.password=|x -Db=y\n");
        assert_found("a: '{\"user\": \"u\", \"password\": \"x\"}'", "password|password\": \"|x\n");
        assert_found("a: 'https://me:x@host:80/path?b=c'", "password|me:|x\n");
        assert_found("a: 'https://host:80/path@x'", "");
        assert_found("a: '${file:/opt/a.password:key}'", "");
        assert_found("a: 'SASL_SSL://h:9093,token.type=b,=c'", "");
}

static void assert_hides(const char *path, const char *text, bool hides) {
        _cleanup_(mr_tree_freep) MrTree *value = text ? mr_tree_new_string(text) : NULL;

        assert_int_equal(inline_hides(path, value), hides);
}

static void what_is_not_shown(void **state _unused_) {
        assert_hides("settings[\"ssl.key.password\"]", "x", true);
        assert_hides("options[3]", "-Da.password=x", true);
        assert_hides("options[3]", "-Da=x", false);
        assert_hides("url", "https://me:x@host", true);
        assert_hides("url", "https://me:(masked c/password)@host", true);
        assert_hides("heap", NULL, false);
}

/* A value with a name is masked however short it is, but only under that name. */
static void masks_by_name(void **state _unused_) {
        _cleanup_(masks_freep) Masks *masks = masks_new();
        _cleanup_(mr_tree_freep) MrTree *list = read_yaml(
                "{pin.password: 12, other: '12', env: [{name: pin.password, value: '12'}],"
                " setting: {key: pin.password, value: 12}, text: 'a=12 pin.password=12'}");
        _cleanup_buf_ MrBuf text = {};

        masks_add_named(masks, "c/pin", "pin.password", "pin.password=", "12");
        _cleanup_(mr_tree_freep) MrTree *copy = masks_copy(masks, mr_tree_at(list, 0));
        mr_json_write(copy, 0, &text);
        assert_string_equal(mr_buf_text(&text),
                            "{\"env\":[{\"name\":\"pin.password\",\"value\":\"(masked c/pin)\"}],"
                            "\"other\":\"12\",\"pin.password\":\"(masked c/pin)\","
                            "\"setting\":{\"key\":\"pin.password\",\"value\":\"(masked c/pin)\"},"
                            "\"text\":\"a=12 pin.password=(masked c/pin)\"}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names),
                cmocka_unit_test(by_the_key_of_a_map),
                cmocka_unit_test(by_the_name_beside_a_value),
                cmocka_unit_test(within_texts),
                cmocka_unit_test(what_is_not_shown),
                cmocka_unit_test(masks_by_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
