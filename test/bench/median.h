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

static inline void samples_merge(struct samples *into, const struct samples *from)
{
	into->count += from->count;
	for (uint32_t bin = 0; bin < SAMPLE_BINS; bin++)
		into->bin[bin] += from->bin[bin];
}

/* What this share of the values does not reach. */
static inline double samples_quantile(const struct samples *samples, double share)
{
	uint32_t seen = 0, bin = 0;

	while (bin < SAMPLE_BINS - 1 && (seen += samples->bin[bin]) <= samples->count * share)
		bin++;
	return (bin + 0.5) * SAMPLE_WIDTH;
}

static inline double samples_median(const struct samples *samples)
{
	return samples_quantile(samples, 0.5);
}

/* The mean of those up to four times the median: bursts differ in what they have to do, but what takes longer than that
 * was interrupted. */
static inline double samples_usual_mean(const struct samples *samples)
{
	uint32_t last = (uint32_t)(4 * samples_median(samples) / SAMPLE_WIDTH), count = 0;
	double sum = 0;

	for (uint32_t bin = 0; bin <= last && bin < SAMPLE_BINS; bin++) {
		sum += samples->bin[bin] * (bin + 0.5) * SAMPLE_WIDTH;
		count += samples->bin[bin];
	}
	return count == 0 ? 0 : sum / count;
}
