#include "pace.h"

uint64_t pace_now(sd_event *event, clockid_t clock) {
        uint64_t now = 0;

        (void) sd_event_now(event, clock, &now);
        return now;
}

uint64_t pace_backoff(unsigned failures, unsigned max_sec) {
        uint64_t sec = failures < 16 ? UINT64_C(1) << failures : max_sec;

        return (sec > max_sec ? max_sec : sec) * SEC;
}
