#pragma once

/* When something is tried again. */

#include <systemd/sd-event.h>

#define SEC UINT64_C(1000000) /* in microseconds, as all times of the loop */

/* The time at which the loop woke up, of one of its clocks. */
uint64_t pace_now(sd_event *event, clockid_t clock);
/* How long is waited after `failures` in a row that were there already, microseconds: a second and
 * twice as long each time, up to `max_sec`. */
uint64_t pace_backoff(unsigned failures, unsigned max_sec);
