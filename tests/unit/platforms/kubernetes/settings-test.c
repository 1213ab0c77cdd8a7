/* Settings of the platforms with a Kubernetes API: which images there are. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "str.h"
#include "unit/platforms/platform-world.h"

#define KAFKA "STRIMZI_KAFKA_IMAGES"
#define CONNECT "STRIMZI_KAFKA_CONNECT_IMAGES"
#define LAUNCHER "MILLRACE_LAUNCHER_IMAGE"

static int read_settings(const char *json, MrTree *host, MrError *err) {
        const MrPlatformOps *ops = platform_load("kubernetes")->platform;
        _cleanup_(mr_tree_freep) MrTree *config = NULL;

        if (json)
                assert_int_equal(mr_json_read(json, strlen(json), NULL, &config, NULL), 0);
        return ops->settings(ops, config, host, err);
}

static void assert_host(const char *json, const char *expected) {
        _cleanup_(mr_tree_freep) MrTree *host = mr_tree_new_map();
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {};

        if (read_settings(json, host, &err) < 0)
                fail_msg("%s", err.message);
        /* There are services here, and none is known yet. */
        assert_int_equal(mr_tree_type(mr_tree_get(host, "services")), MR_TREE_MAP);
        mr_tree_remove(host, "services");
        mr_json_write(host, 0, &text);
        assert_string_equal(mr_buf_text(&text), expected);
}

static void assert_refused(const char *json, const char *path, const char *message) {
        _cleanup_(mr_tree_freep) MrTree *host = mr_tree_new_map();
        _cleanup_error_ MrError err = {};

        assert_true(read_settings(json, host, &err) < 0);
        if (path)
                assert_string_equal(err.path, path);
        if (!strstr(err.message, message))
                fail_msg("%s is not in %s", message, err.message);
}

static int clear(void **state _unused_) {
        unsetenv(KAFKA);
        unsetenv(CONNECT);
        unsetenv(LAUNCHER);
        return 0;
}

static void of_the_file(void **state _unused_) {
        assert_host(NULL, "{}");
        assert_host("{\"images\": {\"db\": {\"1.0\": \"r/db:1\"}}, \"launcher_image\": \"r/l:2\"}",
                    "{\"images\":{\"db\":{\"1.0\":\"r/db:1\"}},\"launcher_image\":\"r/l:2\"}");
        assert_refused("{\"images\": {\"db\": \"r/db\"}}", "platform_config.images",
                       "db must be a map from versions");
        assert_refused("{\"images\": {\"db\": {\"1.0\": 1}}}", "platform_config.images",
                       "db must be a map from versions");
        assert_refused("{\"image\": {}}", "platform_config.image", "images");
}

static void of_the_environment(void **state _unused_) {
        setenv(KAFKA, "4.2.0=r/kafka:a\n  4.3.1=r/kafka:b\n", 1);
        setenv(CONNECT, "4.3.1=r/connect:b", 1);
        setenv(LAUNCHER, "r/l:3", 1);
        assert_host(NULL,
                    "{\"images\":{\"kafka\":{\"4.2.0\":\"r/kafka:a\",\"4.3.1\":\"r/kafka:b\"},"
                    "\"kafka-connect\":{\"4.3.1\":\"r/connect:b\"}},\"launcher_image\":\"r/l:3\"}");
        /* It wins over the file, version by version. */
        assert_host("{\"images\": {\"kafka\": {\"4.3.1\": \"own\", \"4.3.2\": \"own\"}}}",
                    "{\"images\":{\"kafka\":{\"4.2.0\":\"r/kafka:a\",\"4.3.1\":\"r/kafka:b\","
                    "\"4.3.2\":\"own\"},\"kafka-connect\":{\"4.3.1\":\"r/connect:b\"}},"
                    "\"launcher_image\":\"r/l:3\"}");
}

static void a_variable_that_says_nothing_counts_for_nothing(void **state _unused_) {
        setenv(KAFKA, " \n", 1);
        setenv(LAUNCHER, "", 1);
        assert_host("{\"launcher_image\": \"r/l:2\"}", "{\"launcher_image\":\"r/l:2\"}");
}

static void a_list_that_cannot_be_read(void **state _unused_) {
        static const char *const bad[] = {"4.3.1", "=r/kafka", "4.3.1="};

        for (size_t i = 0; i < MR_ELEMENTS(bad); i++) {
                setenv(KAFKA, bad[i], 1);
                assert_refused(NULL, NULL, "does not read VERSION=IMAGE");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(of_the_file, clear, clear),
                cmocka_unit_test_setup_teardown(of_the_environment, clear, clear),
                cmocka_unit_test_setup_teardown(a_variable_that_says_nothing_counts_for_nothing,
                                                clear, clear),
                cmocka_unit_test_setup_teardown(a_list_that_cannot_be_read, clear, clear),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
