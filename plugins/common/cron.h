#pragma once

/* Time windows as cron expressions, in the dialect of Strimzi's maintenanceTimeWindows (that of
 * Quartz): seconds, minutes, hours, day of the month, month, day of the week and, if given, the
 * year, in UTC. Lists, ranges, steps, names, "?", "L", "W" and "#" mean what they mean there. A
 * window is open during every minute the expression names a second of. */

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define CRON_FIRST_YEAR 1970
#define CRON_YEARS 230

typedef struct Cron {
        uint64_t seconds, minutes, hours, days, months, weekdays; /* bit N: the value N */
        uint64_t years[(CRON_YEARS + 63) / 64];                   /* from CRON_FIRST_YEAR on */
        /* Days of the month that depend on the month. */
        int last_offset;    /* L-N: N days before the last; -1: not asked for */
        bool last_workday;  /* LW */
        uint64_t workdays;  /* NW: the weekday nearest to day N */
        uint64_t last_week; /* NL: the last such day of the week */
        uint64_t nth[6];    /* N#K: bit N of nth[K] */
} Cron;

int cron_parse(const char *text, Cron *ret, MrError *err) _must_check_;
/* Whether the window is open at this moment, in seconds since the epoch. */
bool cron_is_open(const Cron *cron, int64_t when);
