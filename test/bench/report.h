/* SPDX-License-Identifier: BSD-3-Clause */
/* The figures of the benchmark, as a table and as JSON. */
#pragma once

#include "attacks.h"
#include "latency.h"
#include "lcores.h"
#include "machine.h"
#include "measure.h"
#include "rates.h"
#include "series.h"
#include <stdio.h>

#define WORLDS_MAX 8

struct row { /* of the matrix */
	struct scenario scenario;
	struct series whole, bound, ratio, part[PARTS];
};

struct opened { /* first packets into an empty table */
	uint32_t sessions, segments;
	double cycles_a_new_session, bytes_a_session;
};

struct report {
	unsigned cpu;
	uint32_t rounds, bursts, rows, worlds;
	struct row row[SCENARIOS_MAX];
	struct opened opened[WORLDS_MAX];
	struct series devices;
	struct machine machine;
	struct latency latency[2]; /* WAY_UP, WAY_DOWN; of report_plain */
	bool has_rates, has_attacks, has_lcores;
	struct rates rates;
	struct attacks attacks;
	struct lcores lcores;
	uint32_t repeated,
		disturbed; /* rounds that were measured again; that stayed disturbed nevertheless */
	uint64_t packets, checked;
};

const char *report_part_name(int part);
double report_mega_a_second(double cycles);
/* The row of that direction with the most sessions, the rest as usual; NULL when there is none. */
const struct row *report_plain(const struct report *report, enum way way);
const struct row *report_plain_least(const struct report *report, enum way way);

/* Cycles of a packet's least way up or down, with the line of its session waited for, or on its way beside those of others: then
 * what takes longer of both. From the row with the fewest sessions; false: even these wait for memory. */
struct bounds {
	uint32_t sessions;
	double serial, overlapped;
};
bool report_bounds(const struct report *report, enum way way, struct bounds *bounds);

void report_print(const struct report *report, FILE *out);
/* What was not measured is not in it. 0 or -errno. */
int report_write_json(const struct report *report, const char *path);
