/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the benchmark, as a table and as JSON. */
#pragma once

#include "subject.h"
#include <stdio.h>

#define ROUNDS_MAX 99
#define SIZES_MAX  8

struct series { /* one value a round */
	uint32_t count;
	double value[ROUNDS_MAX];
};
void series_add(struct series *series, double value);
double series_median(const struct series *series);
double series_least(const struct series *series);
double series_spread(
	const struct series *series); /* half of what lies between lowest and highest, of the median */

struct result { /* of one number of sessions and one direction */
	struct series whole, bound, ratio, part[PARTS];
};

struct report {
	bool hugepages;
	unsigned cpu;
	uint32_t bursts, sizes;
	uint32_t sessions[SIZES_MAX];
	struct result result[SIZES_MAX][DIRECTIONS];
	double cycles_a_new_session[SIZES_MAX], bytes_a_session[SIZES_MAX];
	struct series devices;
	uint64_t packets, checked;
};

void report_print(const struct report *report, FILE *out);
/* 0 or -errno */
int report_write_json(const struct report *report, const char *path);
