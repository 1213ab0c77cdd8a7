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
