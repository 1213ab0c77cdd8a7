/* Time windows in the dialect of Quartz. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "cron.h"

/* "2026-11-23 04:30" in UTC. */
static int64_t at(const char *text) {
        struct tm tm = {};

        assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
        return (int64_t) timegm(&tm);
}

static void expect(const char *window, const char *moment, bool is_open) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Cron cron;

        if (cron_parse(window, &cron, &err) < 0)
                fail_msg("%s: %s", window, err.message);
        if (cron_is_open(&cron, at(moment)) != is_open)
                fail_msg("%s is %s at %s", window, is_open ? "not open" : "open", moment);
}

static void expect_refused(const char *window, const char *message) {
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Cron cron;

        assert_true(cron_parse(window, &cron, &err) < 0);
        assert_string_equal(err.message, message);
}

static void every_time_and_none(void **state) {
        (void) state;
        expect("* * * * * ?", "2026-11-23 04:30", true);
        expect("* * * ? * *", "1970-01-01 00:00", true);
        expect("0 0 0 1 1 ? 2030", "2026-01-01 00:00", false);
        expect("0 0 0 1 1 ? 2030", "2030-01-01 00:00", true);
        expect("0 0 0 1 1 ? 2028-2031", "2030-01-01 00:00", true);
        expect("* * * * * ? 2199", "2199-12-31 23:59", true);
}

/* The example of Strimzi's manual: midnight to 01:59 from Sunday to Thursday. */
static void nights_of_the_week(void **state) {
        const char *window = "* * 0-1 ? * SUN,MON,TUE,WED,THU *";

        (void) state;
        expect(window, "2026-11-22 00:00", true); /* a Sunday */
        expect(window, "2026-11-22 01:59", true);
        expect(window, "2026-11-22 02:00", false);
        expect(window, "2026-11-27 00:30", false); /* a Friday */
        expect(window, "2026-11-26 00:30", true);
        expect("* * 8-10 * * ?", "2026-11-27 10:59", true);
        expect("* * 8-10 * * ?", "2026-11-27 11:00", false);
}

static void ranges_steps_lists_and_names(void **state) {
        (void) state;
        expect("0 0/15 3 ? * mon-fri", "2026-11-23 03:45", true);
        expect("0 0/15 3 ? * mon-fri", "2026-11-23 03:46", false);
        expect("0 5-20/5 * ? * 2", "2026-11-23 09:15", true);
        expect("0 5-20/5 * ? * 2", "2026-11-23 09:25", false);
        expect("0 */20 * ? * 2", "2026-11-23 09:40", true);
        expect("* * 22-2 * * ?", "2026-11-23 23:10", true);
        expect("* * 22-2 * * ?", "2026-11-23 01:10", true);
        expect("* * 22-2 * * ?", "2026-11-23 03:10", false);
        expect("* * * ? * FRI-MON", "2026-11-22 03:10", true);
        expect("* * * ? * FRI-MON", "2026-11-24 03:10", false);
        expect("* * * ? NOV-FEB *", "2026-01-24 03:10", true);
        expect("* * * ? NOV-FEB *", "2026-03-24 03:10", false);
        expect("* * 1,3,5 10,23 * ?", "2026-11-23 05:10", true);
        expect("* * 1,3,5 10,23 * ?", "2026-11-24 05:10", false);
}

static void days_that_depend_on_the_month(void **state) {
        (void) state;
        expect("* * * L * ?", "2028-02-29 12:00", true);
        expect("* * * L * ?", "2027-02-28 12:00", true);
        expect("* * * L * ?", "2028-02-28 12:00", false);
        expect("* * * L-2 * ?", "2026-11-28 12:00", true);
        expect("* * * LW * ?", "2026-10-30 12:00", true); /* the 31st is a Saturday */
        expect("* * * LW * ?", "2026-10-31 12:00", false);
        expect("* * * 15W * ?", "2026-11-16 12:00", true); /* the 15th is a Sunday */
        expect("* * * 15W * ?", "2026-11-15 12:00", false);
        expect("* * * 1W * ?", "2026-08-03 12:00", true); /* the 1st is a Saturday */
        expect("* * * 1W * ?", "2026-07-31 12:00", false);
        expect("* * * ? * 6L", "2026-11-27 12:00", true); /* the last Friday */
        expect("* * * ? * 6L", "2026-11-20 12:00", false);
        expect("* * * ? * SUN#2", "2026-11-08 12:00", true);
        expect("* * * ? * SUN#2", "2026-11-15 12:00", false);
        expect("* * * ? * L", "2026-11-28 12:00", true); /* a Saturday */
}

static void what_is_wrong_is_named(void **state) {
        (void) state;
        expect_refused("* * *",
                       "has 3 fields; a window is \"seconds minutes hours day month weekday\", and "
                       "the year if wanted, such as \"* * 2-4 ? * SUN\"");
        expect_refused("", "has 0 fields; a window is \"seconds minutes hours day month weekday\", "
                           "and the year if wanted, such as \"* * 2-4 ? * SUN\"");
        expect_refused("* * * * * *", "one of the day of the month and the day of the week must be "
                                      "'?', and not both");
        expect_refused("* * * ? * ?", "one of the day of the month and the day of the week must be "
                                      "'?', and not both");
        expect_refused("* * 24 ? * *", "hours: \"24\" is out of the range of this field");
        expect_refused("* * 1-24 ? * *", "hours: \"1-24\" is out of the range of this field");
        expect_refused("* * 2,x ? * *", "hours: \"x\" is no value of this field");
        expect_refused("* * 2, ? * *", "hours: \"\" is no value of this field");
        expect_refused("* * 2-4x ? * *", "hours: \"2-4x\" is no value of this field");
        expect_refused("* */0 * ? * *", "minutes: \"*/0\" has no step");
        expect_refused("* * * ? * MOON", "day of the week: \"MOON\" is no value of this field");
        expect_refused("* * * ? * 2#6", "day of the week: \"2#6\" has no week of a month from 1 to "
                                        "5 behind '#'");
        expect_refused("? * * ? * *", "seconds: \"?\" may not stand here");
        expect_refused("* * * 32 * ?",
                       "day of the month: \"32\" is out of the range of this field");
        expect_refused("* * * * * ? 1969", "year: \"1969\" is out of the range of this field");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_time_and_none),
                cmocka_unit_test(nights_of_the_week),
                cmocka_unit_test(ranges_steps_lists_and_names),
                cmocka_unit_test(days_that_depend_on_the_month),
                cmocka_unit_test(what_is_wrong_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
