#pragma once

/* The two clocks. Only the shell of the program asks them; pure code gets the time as a fact. */

#include <stdint.h>

uint64_t now_usec(void);        /* monotonic: for deadlines and durations; counts no suspend */
int64_t now_realtime_sec(void); /* seconds since the epoch: for certificates and status */

/* Seconds since the epoch as RFC 3339 has it, in UTC; pure. */
#define TIME_TEXT_MAX 32
void time_text(int64_t sec, char ret[TIME_TEXT_MAX]);
