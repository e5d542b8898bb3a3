/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sample_init(struct sample *sample)
{
	*sample = (struct sample){ 0 };
}

void sample_destroy(struct sample *sample)
{
	free(sample->row);
	*sample = (struct sample){ 0 };
}

static struct counter_row *row_find(
	const struct sample *sample, enum counter_group group, const char *name, size_t hint)
{
	/* Rows keep their order from sample to sample, so the hint is nearly always right. */
	for (size_t i = 0; i < sample->count; i++) {
		struct counter_row *row = &sample->row[(hint + i) % sample->count];

		if (row->group == group && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

struct counter_row *sample_row(struct sample *sample, enum counter_group group, const char *name, bool sum)
{
	struct counter_row *row = sum ? row_find(sample, group, name, 0) : NULL;

	if (row != NULL)
		return row;
	if (sample->count == sample->capacity) {
		size_t capacity = sample->capacity == 0 ? 128 : sample->capacity * 2;

		row = realloc(sample->row, capacity * sizeof(*row));
		if (row == NULL)
			return NULL;
		sample->row = row;
		sample->capacity = capacity;
	}
	row = &sample->row[sample->count++];
	*row = (struct counter_row){ .group = group };
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

struct rate_row *rates_compute(const struct sample *before, const struct sample *now)
{
	double seconds = now->when_ns > before->when_ns ? (double)(now->when_ns - before->when_ns) / 1e9 : 0;
	struct rate_row *rates = calloc(now->count + 1, sizeof(*rates));

	if (rates == NULL)
		return NULL;
	for (size_t i = 0; i < now->count; i++) {
		const struct counter_row *row = &now->row[i],
					 *old = row_find(before, row->group, row->name, i);

		rates[i].now = row;
		if (old == NULL || seconds <= 0)
			continue;
		for (size_t v = 0; v < COUNTER_VALUES; v++) {
			double delta = row->value[v] - old->value[v];

			/* A counter that fell began anew; what it counted since then is not known to this interval. */
			rates[i].delta[v] = delta > 0 ? delta : 0;
			rates[i].rate[v] = rates[i].delta[v] / seconds;
		}
	}
	return rates;
}

double lcore_busy(const struct rate_row *row, double tsc_hz)
{
	double share = tsc_hz > 0 ? row->rate[LCORE_BUSY_CYCLES] / tsc_hz : 0;

	return share > 1 ? 1 : share;
}

double cycles_a_packet(double cycles, double packets)
{
	return packets > 0 ? cycles / packets : 0;
}
