/* SPDX-License-Identifier: BSD-3-Clause */
#include "series.h"

#include <stdlib.h>

void series_add(struct series *series, double value)
{
	if (series->count < ROUNDS_MAX)
		series->value[series->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct series sorted(const struct series *series)
{
	struct series copy = *series;

	qsort(copy.value, copy.count, sizeof(copy.value[0]), by_value);
	return copy;
}

double series_median(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0 : s.value[s.count / 2];
}

double series_least(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0 : s.value[0];
}

double series_spread(const struct series *series)
{
	struct series s = sorted(series);

	return s.count == 0 ? 0
			    : (s.value[s.count * 3 / 4] - s.value[s.count / 4]) / 2 / s.value[s.count / 2];
}
