#include "base/clock.h"

#include <time.h>

uint64_t now_usec(void) {
        struct timespec ts = {};

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000U + (uint64_t) ts.tv_nsec / 1000U;
}

int64_t now_realtime_sec(void) {
        struct timespec ts = {};

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t) ts.tv_sec;
}

void time_text(int64_t sec, char ret[TIME_TEXT_MAX]) {
        time_t at = (time_t) sec;
        struct tm tm;

        gmtime_r(&at, &tm);
        (void) strftime(ret, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
