/* SPDX-License-Identifier: BSD-3-Clause */
/* Two looks at the counters of a gateway, and what happened between them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum counter_group { GROUP_PORT, GROUP_SEGMENT, GROUP_LCORE, GROUP_STAGE, GROUP_DROP, GROUPS };

/* What the values of a row are, by group. */
enum traffic_value { RX_PACKETS, RX_BYTES, TX_PACKETS, TX_BYTES, RX_MISSED }; /* ports, segments */
enum lcore_value {
	LCORE_PACKETS,
	LCORE_BUSY_CYCLES,
	LCORE_SLEEPS,
	LCORE_CREATED,
	LCORE_EXPIRED,
	LCORE_SESSIONS
};
enum stage_value { STAGE_PACKETS, STAGE_CYCLES };
enum drop_value { DROP_COUNT };
#define COUNTER_VALUES 6

struct counter_row {
	enum counter_group group;
	char name[64];
	double value[COUNTER_VALUES];
};

struct sample {
	uint64_t when_ns; /* by the gateway's clock */
	double tsc_hz;
	struct counter_row *row;
	size_t count, capacity;
};

void sample_init(struct sample *sample);
void sample_destroy(struct sample *sample);
/* A new row of zeros, or with `sum` the one of that name when it is there. NULL when memory ran out. */
struct counter_row *sample_row(struct sample *sample, enum counter_group group, const char *name, bool sum);

struct rate_row {
	const struct counter_row *now;
	double delta
		[COUNTER_VALUES]; /* since the sample before; 0 when the row is new or the gateway was started again */
	double rate[COUNTER_VALUES]; /* a second */
};

/* One rate row for each row of `now`, in its order: to free. NULL when memory ran out. */
struct rate_row *rates_compute(const struct sample *before, const struct sample *now);

/* The share of the time that a lcore was busy, 0 to 1. */
double lcore_busy(const struct rate_row *row, double tsc_hz);
/* Cycles a packet between the two samples; 0 without packets. */
double cycles_a_packet(double cycles, double packets);
