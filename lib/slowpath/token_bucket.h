/* SPDX-License-Identifier: BSD-3-Clause */
/* A meter: `rate` a second on average, `burst` at once. Kept as the time at which the bucket would be full again
 * (the generic cell rate algorithm), so that it needs no refilling. */
#pragma once

#include "base/clock.h"
#include <stdbool.h>

struct token_bucket {
	uint64_t interval_ns, tolerance_ns;
	uint64_t full_at_ns;
};

static inline struct token_bucket token_bucket_of(uint32_t rate, uint32_t burst)
{
	uint64_t interval = NS_PER_SECOND / rate;

	return (struct token_bucket){ .interval_ns = interval, .tolerance_ns = interval * (burst - 1) };
}

static inline bool token_bucket_take(struct token_bucket *bucket, uint64_t now_ns)
{
	if (bucket->full_at_ns < now_ns)
		bucket->full_at_ns = now_ns;
	if (bucket->full_at_ns - now_ns > bucket->tolerance_ns)
		return false;
	bucket->full_at_ns += bucket->interval_ns;
	return true;
}
