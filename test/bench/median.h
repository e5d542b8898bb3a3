/* SPDX-License-Identifier: BSD-3-Clause */
/* Many measured values and their median, in little memory: counts by width of a few cycles. */
#pragma once

#include <stdint.h>

#define SAMPLE_WIDTH 8u     /* cycles */
#define SAMPLE_BINS  32768u /* what is beyond counts as the last */

struct samples {
	uint32_t count;
	uint32_t bin[SAMPLE_BINS];
};

static inline void samples_add(struct samples *samples, uint64_t value)
{
	uint64_t bin = value / SAMPLE_WIDTH;

	samples->bin[bin < SAMPLE_BINS ? bin : SAMPLE_BINS - 1]++;
	samples->count++;
}

static inline double samples_median(const struct samples *samples)
{
	uint32_t seen = 0, bin = 0;

	while (bin < SAMPLE_BINS - 1 && (seen += samples->bin[bin]) <= samples->count / 2)
		bin++;
	return (bin + 0.5) * SAMPLE_WIDTH;
}
