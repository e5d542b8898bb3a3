/* SPDX-License-Identifier: BSD-3-Clause */
/* Time. Packet lcores read the time stamp counter once a burst and keep a coarse tick; the management side
 * works in nanoseconds of the monotonic clock. Tables hold ticks. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_US     UINT64_C(1000)

/* One tick is 10 ms: fine enough for noticing that a host fell silent, coarse enough that a record is stored
 * to at most a hundred times a second. 32 bits last 497 days and are compared by difference. */
#define TICK_NS     (10 * NS_PER_MS)
#define TICKS_PER_S 100u

static inline uint64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SECOND + (uint64_t)ts.tv_nsec;
}

static inline uint32_t clock_tick_of_ns(uint64_t ns)
{
	return (uint32_t)(ns / TICK_NS);
}

/* How long ago `then` was, in ticks. A `then` that another thread stored a moment after `now` was read is 0 ago. */
static inline uint32_t tick_age(uint32_t now, uint32_t then)
{
	int32_t age = (int32_t)(now - then);

	return age > 0 ? (uint32_t)age : 0;
}
