/* SPDX-License-Identifier: BSD-3-Clause */
#include "stamp.h"

#include "series.h"

#define PAIRS 1000u

double stamp_cost;

void stamp_calibrate(void)
{
	struct series mean = { 0 };

	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		uint64_t sum = 0;
		for (uint32_t i = 0; i < PAIRS; i++) {
			uint64_t start = rte_rdtsc_precise();
			sum += rte_rdtsc_precise() - start;
		}
		series_add(&mean, (double)sum / PAIRS);
	}
	stamp_cost = series_median(&mean);
}
