/* Cron expressions of Quartz. */

#include "cron.h"

#include <string.h>
#include <strings.h>

#include "str.h"

#define SECONDS_A_DAY 86400

typedef struct Range {
        const char *field; /* for messages */
        int min, max;
        const char *const *names; /* of the values from min on */
} Range;

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

static const Range ranges[] = {
        {"seconds", 0, 59, NULL},
        {"minutes", 0, 59, NULL},
        {"hours", 0, 23, NULL},
        {"day of the month", 1, 31, NULL},
        {"month", 1, 12, month_names},
        {"day of the week", 1, 7, weekday_names},
        {"year", CRON_FIRST_YEAR, CRON_FIRST_YEAR + CRON_YEARS - 1, NULL},
};

enum { SECONDS, MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS, YEARS, FIELDS };

/* --- reading */

typedef struct Reader {
        const Range *range;
        const char *at;
        const char *item; /* where the present item begins, for messages */
        MrError *err;
} Reader;

static int fail(const Reader *reader, const char *why) {
        return mr_fail(reader->err, MR_INVALID, NULL, "%s: \"%.*s\" %s", reader->range->field,
                       (int) strcspn(reader->item, ", "), reader->item, why);
}

static int read_name(Reader *reader, int *ret) {
        const char *const *names = reader->range->names;

        for (int i = 0; names && names[i]; i++)
                if (strncasecmp(reader->at, names[i], 3) == 0) {
                        reader->at += 3;
                        *ret = reader->range->min + i;
                        return 0;
                }
        return fail(reader, "is no value of this field");
}

static int read_number(Reader *reader, int *ret) {
        int value = 0, digits = 0;

        for (; *reader->at >= '0' && *reader->at <= '9' && digits < 5; reader->at++, digits++)
                value = value * 10 + (*reader->at - '0');
        if (digits == 0)
                return fail(reader, "is no value of this field");
        *ret = value;
        return 0;
}

static int read_value(Reader *reader, int *ret) {
        bool is_number = *reader->at >= '0' && *reader->at <= '9';
        int r = is_number ? read_number(reader, ret) : read_name(reader, ret);

        if (r >= 0 && (*ret < reader->range->min || *ret > reader->range->max))
                return fail(reader, "is out of the range of this field");
        return r;
}

static void set_bit(uint64_t *bits, int i) {
        bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool has_bit(const uint64_t *bits, int i) {
        return (bits[i / 64] >> (i % 64)) & 1;
}

/* From one value to another, by steps; a range may go over the end of its field and begin again. */
static void set_steps(const Range *range, int from, int to, int step, uint64_t *bits) {
        int n = range->max - range->min + 1, base = range->max > 63 ? range->min : 0;
        int length = to >= from ? to - from : to + n - from;

        for (int i = 0; i <= length; i += step)
                set_bit(bits, range->min + (from - range->min + i) % n - base);
}

/* "*", "A", "A-B", each with "/STEP". */
static int read_plain(Reader *reader, uint64_t *bits) {
        int from = reader->range->min, to = reader->range->max, step = 1, r = 0;
        bool is_single = *reader->at != '*';

        if (*reader->at == '*')
                reader->at++;
        else
                r = read_value(reader, &from);
        if (r >= 0 && is_single && *reader->at == '-') {
                reader->at++;
                is_single = false;
                r = read_value(reader, &to);
        }
        if (r >= 0 && *reader->at == '/') {
                reader->at++;
                is_single = false;
                r = read_number(reader, &step);
                if (r >= 0 && step < 1)
                        return fail(reader, "has no step");
        }
        if (r < 0)
                return r;
        set_steps(reader->range, from, is_single ? from : to, step, bits);
        return 0;
}

/* "L", "L-N", "LW", "NW" */
static int read_day(Reader *reader, Cron *cron) {
        const char *digits = reader->at + strspn(reader->at, "0123456789");
        int value, r;

        if (*reader->at == 'L') {
                reader->at++;
                if (*reader->at == 'W') {
                        reader->at++;
                        cron->last_workday = true;
                        return 0;
                }
                cron->last_offset = 0;
                if (*reader->at != '-')
                        return 0;
                reader->at++;
                return read_number(reader, &cron->last_offset);
        }
        if (digits == reader->at || *digits != 'W')
                return read_plain(reader, &cron->days);
        r = read_value(reader, &value);
        if (r < 0)
                return r;
        reader->at++;
        set_bit(&cron->workdays, value);
        return 0;
}

/* "L" (Saturday), "NL", "N#K" */
static int read_weekday(Reader *reader, Cron *cron) {
        size_t size = strcspn(reader->at, ", ");
        int value, nth = 0, r;

        if (*reader->at == 'L') {
                reader->at++;
                set_bit(&cron->weekdays, 7);
                return 0;
        }
        if (size == 0 || (reader->at[size - 1] != 'L' && !memchr(reader->at, '#', size)))
                return read_plain(reader, &cron->weekdays);
        r = read_value(reader, &value);
        if (r < 0)
                return r;
        if (*reader->at == 'L') {
                reader->at++;
                set_bit(&cron->last_week, value);
                return 0;
        }
        if (*reader->at++ != '#')
                return fail(reader, "is no value of this field");
        r = read_number(reader, &nth);
        if (r >= 0 && (nth < 1 || nth > 5))
                return fail(reader, "has no week of a month from 1 to 5 behind '#'");
        if (r >= 0)
                set_bit(&cron->nth[nth], value);
        return r;
}

static int read_item(Reader *reader, size_t field, Cron *cron) {
        uint64_t *const bits[FIELDS] = {&cron->seconds, &cron->minutes,  &cron->hours, &cron->days,
                                        &cron->months,  &cron->weekdays, cron->years};

        if (field == DAYS)
                return read_day(reader, cron);
        if (field == WEEKDAYS)
                return read_weekday(reader, cron);
        return read_plain(reader, bits[field]);
}

static int read_field(const char *text, size_t field, Cron *cron, bool *ret_is_open, MrError *err) {
        Reader reader = {.range = &ranges[field], .at = text, .item = text, .err = err};

        *ret_is_open = *text == '?';
        if (*text == '?') {
                if ((field == DAYS || field == WEEKDAYS) && (text[1] == ' ' || !text[1]))
                        return 0;
                return fail(&reader, "may not stand here");
        }
        for (;;) {
                int r = read_item(&reader, field, cron);
                if (r < 0)
                        return r;
                if (*reader.at == ' ' || !*reader.at)
                        return 0;
                if (*reader.at != ',')
                        return fail(&reader, "is no value of this field");
                reader.item = ++reader.at;
        }
}

static const char *next_field(const char *at) {
        at += strcspn(at, " ");
        return at + strspn(at, " ");
}

int cron_parse(const char *text, Cron *ret, MrError *err) {
        Cron cron = {.last_offset = -1};
        bool is_open[FIELDS] = {};
        size_t n = 0;

        for (const char *at = text + strspn(text, " "); *at; at = next_field(at), n++) {
                int r = n < FIELDS ? read_field(at, n, &cron, &is_open[n], err) : 0;
                if (r < 0)
                        return r;
        }
        if (n < YEARS || n > FIELDS)
                return mr_fail(err, MR_INVALID, NULL,
                               "has %zu fields; a window is \"seconds minutes hours day month "
                               "weekday\", and the year if wanted, such as \"* * 2-4 ? * SUN\"",
                               n);
        if (is_open[DAYS] == is_open[WEEKDAYS])
                return mr_fail(err, MR_INVALID, NULL,
                               "one of the day of the month and the day of the week must be '?', "
                               "and not both");
        if (n == YEARS)
                memset(cron.years, 0xff, sizeof(cron.years));
        *ret = cron;
        return 0;
}

/* --- asking */

typedef struct Date {
        int year, month, day, hour, minute;
        int weekday; /* Sunday is 1 */
        int last;    /* day of the month */
} Date;

static bool is_leap(int year) {
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month) {
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return days[month - 1] + (month == 2 && is_leap(year));
}

static Date date_of(int64_t when) {
        int64_t days = when / SECONDS_A_DAY, rest = when % SECONDS_A_DAY;
        Date date = {.year = CRON_FIRST_YEAR,
                     .month = 1,
                     .hour = (int) (rest / 3600),
                     .minute = (int) (rest / 60 % 60),
                     .weekday = (int) ((days + 4) % 7) + 1};

        while (days >= (is_leap(date.year) ? 366 : 365))
                days -= is_leap(date.year++) ? 366 : 365;
        while (days >= days_of_month(date.year, date.month)) {
                days -= days_of_month(date.year, date.month);
                date.month++;
        }
        date.day = (int) days + 1;
        date.last = days_of_month(date.year, date.month);
        return date;
}

static int weekday_of(const Date *date, int day) {
        return ((date->weekday - 1 + day - date->day) % 7 + 7) % 7 + 1;
}

/* The working day nearest to a day, in the same month. */
static int workday_near(const Date *date, int day) {
        day = day > date->last ? date->last : day;
        int weekday = weekday_of(date, day);

        if (weekday == 7)
                return day > 1 ? day - 1 : day + 2;
        if (weekday == 1)
                return day < date->last ? day + 1 : day - 2;
        return day;
}

static bool is_workday_asked_for(const Cron *cron, const Date *date) {
        for (int day = 1; cron->workdays && day <= 31; day++)
                if (has_bit(&cron->workdays, day) && workday_near(date, day) == date->day)
                        return true;
        return cron->last_workday && workday_near(date, date->last) == date->day;
}

static bool is_day(const Cron *cron, const Date *date) {
        int nth = (date->day - 1) / 7 + 1;

        return has_bit(&cron->days, date->day) ||
               (cron->last_offset >= 0 && date->day == date->last - cron->last_offset) ||
               is_workday_asked_for(cron, date) || has_bit(&cron->weekdays, date->weekday) ||
               (has_bit(&cron->last_week, date->weekday) && date->day > date->last - 7) ||
               has_bit(&cron->nth[nth], date->weekday);
}

bool cron_is_open(const Cron *cron, int64_t when) {
        if (when < 0)
                return false;
        Date date = date_of(when);

        if (date.year >= CRON_FIRST_YEAR + CRON_YEARS)
                return false;
        return has_bit(&cron->minutes, date.minute) && has_bit(&cron->hours, date.hour) &&
               has_bit(&cron->months, date.month) &&
               has_bit(cron->years, date.year - CRON_FIRST_YEAR) && is_day(cron, &date);
}
