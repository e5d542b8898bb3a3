/* SPDX-License-Identifier: BSD-3-Clause */
/* One value a round. */
#pragma once

#include <stdint.h>

#define ROUNDS_MAX 99

struct series { /* start with zeros */
	uint32_t count;
	double value[ROUNDS_MAX];
};
void series_add(struct series *series, double value); /* beyond ROUNDS_MAX: not added */
double series_median(const struct series *series);    /* 0 of none */
double series_least(const struct series *series);
/* Half of what lies between the quartiles, of the median. */
double series_spread(const struct series *series);
