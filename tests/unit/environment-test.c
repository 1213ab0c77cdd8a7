/* Variables of a deployment of Strimzi's operator, as settings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "environment.h"
#include "sdk/str.h"

#define VARIABLES(...) ((char *const[]){__VA_ARGS__, NULL})

static char interval[] = "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS=90000";
static char short_interval[] = "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS=10";
static char bad_interval[] = "STRIMZI_FULL_RECONCILIATION_INTERVAL_MS=soon";
static char level[] = "STRIMZI_LOG_LEVEL=Warn";
static char bad_level[] = "STRIMZI_LOG_LEVEL=LOUD";
static char namespaces[] = "STRIMZI_NAMESPACE=red,blue";
static char timeout[] = "STRIMZI_OPERATION_TIMEOUT_MS=300000";
static char policies[] = "STRIMZI_NETWORK_POLICY_GENERATION=true";
static char no_policies[] = "STRIMZI_NETWORK_POLICY_GENERATION=false";
static char connect_images[] = "STRIMZI_KAFKA_CONNECT_IMAGES=4.3.1=r/c:1";
static char unknown[] = "STRIMZI_FROM_TOMORROW=1";
static char service[] = "STRIMZI_DRAIN_CLEANER_SERVICE_HOST=10.0.0.1";
static char port[] = "STRIMZI_DRAIN_CLEANER_PORT_443_TCP=tcp://10.0.0.1:443";
static char empty[] = "STRIMZI_FEATURE_GATES=";
static char other[] = "HOME=/root";

static void assert_settings(char *const *variables, const char *before, const char *after,
                            const char *notes) {
        _cleanup_(mr_tree_freep) MrTree *settings = NULL, *told = mr_tree_new_list();
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf text = {}, list = {};

        assert_int_equal(mr_json_read(before, strlen(before), NULL, &settings, NULL), 0);
        if (environment_apply(variables, settings, told, &err) < 0)
                fail_msg("%s", err.message);
        mr_json_write(settings, 0, &text);
        mr_json_write(told, 0, &list);
        assert_string_equal(mr_buf_text(&text), after);
        assert_string_equal(mr_buf_text(&list), notes);
}

static void assert_refused(char *variable, const char *message) {
        _cleanup_(mr_tree_freep) MrTree *settings = mr_tree_new_map(), *told = mr_tree_new_list();
        _cleanup_error_ MrError err = {};

        assert_true(environment_apply(VARIABLES(variable), settings, told, &err) < 0);
        if (!strstr(err.message, message))
                fail_msg("%s is not in %s", message, err.message);
}

static void what_has_a_setting_becomes_that(void **state _unused_) {
        assert_settings(VARIABLES(interval, level), "{}",
                        "{\"log_level\":\"warning\",\"resync_seconds\":90}", "[]");
        assert_settings(VARIABLES(short_interval), "{\"resync_seconds\":300}",
                        "{\"resync_seconds\":1}", "[]");
}

static void what_a_platform_reads_is_left_to_it(void **state _unused_) {
        assert_settings(VARIABLES(namespaces, policies, other, empty), "{}", "{}", "[]");
}

static void what_has_no_effect_is_told(void **state _unused_) {
        assert_settings(VARIABLES(timeout), "{}", "{}",
                        "[\"STRIMZI_OPERATION_TIMEOUT_MS has no effect here: no operation is "
                        "waited for; each pass begins with what is there.\"]");
        assert_settings(VARIABLES(no_policies), "{}", "{}",
                        "[\"STRIMZI_NETWORK_POLICY_GENERATION has no effect here: this version "
                        "does not know how.\"]");
        assert_settings(VARIABLES(connect_images), "{}", "{}",
                        "[\"STRIMZI_KAFKA_CONNECT_IMAGES has no effect here: Kafka Connect, "
                        "MirrorMaker, the Bridge, Cruise Control and the exporter are not run by "
                        "this version.\"]");
}

static void what_nobody_knows_is_told_but_for_services(void **state _unused_) {
        assert_settings(VARIABLES(unknown, service, port), "{}", "{}",
                        "[\"STRIMZI_FROM_TOMORROW is not known and has no effect.\"]");
}

static void a_value_that_makes_no_sense_is_refused(void **state _unused_) {
        assert_refused(bad_interval, "\"soon\" is no number of milliseconds");
        assert_refused(bad_level, "\"LOUD\" is no level");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_has_a_setting_becomes_that),
                cmocka_unit_test(what_a_platform_reads_is_left_to_it),
                cmocka_unit_test(what_has_no_effect_is_told),
                cmocka_unit_test(what_nobody_knows_is_told_but_for_services),
                cmocka_unit_test(a_value_that_makes_no_sense_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
