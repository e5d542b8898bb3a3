/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include "check.h"
#include "interference.h"
#include "median.h"
#include "turn.h"
#include <math.h>
#include <rte_cycles.h>
#include <rte_debug.h>
#include <stdlib.h>
#include <string.h>

#define TURNS       2000u /* a run */
#define RUNS        51u
#define TRIES       (4 * RUNS) /* disturbed runs do not count, but for the last ones when there are too many */
#define CHECK_EVERY 64u        /* turns */

static double next_arrival(struct traffic *traffic, double interval)
{
	return -log((double)((traffic_random(traffic) >> 11) + 1) * 0x1p-53) * interval;
}

/* A turn with so many packets in; returns its cycles. */
static uint64_t packets_run(struct subject *subject, enum direction direction, uint16_t count, bool looked_at)
{
	uint16_t out = direction_out(direction);
	struct traffic *traffic = subject->traffic;
	struct turn turn = { 0 };

	if (count > 0) {
		struct rte_mbuf **packets = turn_add(&turn, subject->pool, direction_in(direction), count);
		for (uint16_t i = 0; i < count; i++)
			traffic_write(traffic, traffic_pick(traffic), direction, FRAME, packets[i]);
	}
	uint64_t spent = turn_run(&turn, subject->gateway, subject->later);
	if (turn.out[out] != count)
		rte_exit(EXIT_FAILURE, "%u of %u packets came out\n", turn.out[out], count);
	for (uint16_t i = 0; looked_at && i < count; i++)
		check_packet(traffic, direction, turn.output[out][i]);
	subject->packets += count;
	turn_end(&turn);
	return spent;
}

/* Waits as long as so many packets should take; returns how long that was. */
static uint64_t packets_wait(double cycles, uint16_t count)
{
	uint64_t start = rte_rdtsc_precise(), enough = (uint64_t)(cycles * (count > 0 ? count : 1)), spent;

	do
		spent = rte_rdtsc_precise() - start;
	while (spent < enough);
	return spent;
}

/* A run of the gateway, or, with `idle`, of a loop in its place that does nothing but wait. `cycles`: of a packet. */
static void run(
	struct subject *subject, enum direction direction, double cycles, bool idle, struct samples *samples)
{
	double now = 0, next = 0, interval = 2 * cycles;

	memset(samples, 0, sizeof(*samples));
	for (uint32_t n = 0; n < TURNS; n++) {
		double arrived[BURST];
		uint16_t count = 0;

		for (; count < BURST && next <= now; next += next_arrival(subject->traffic, interval))
			arrived[count++] = next;
		now += (double)(idle ? packets_wait(cycles, count)
				     : packets_run(subject, direction, count, n % CHECK_EVERY == 0));
		for (uint16_t i = 0; i < count; i++)
			samples_add(samples, (uint64_t)(now - arrived[i]));
	}
}

static void run_note(
	const struct samples *samples, double microsecond, struct series *median_us, struct series *p99_us)
{
	series_add(median_us, samples_median(samples) / microsecond);
	series_add(p99_us, samples_quantile(samples, 0.99) / microsecond);
}

void latency_measure(
	struct subject *subject, enum way way, double cycles, unsigned cpu, struct latency *latency)
{
	struct samples *samples = calloc(2, sizeof(*samples));
	double microsecond = (double)rte_get_tsc_hz() / 1e6;
	enum direction direction = way == WAY_DOWN ? DOWN : UP;

	if (samples == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	*latency = (struct latency){ 0 };
	for (uint32_t i = 0; i < TRIES && latency->median_us.count < RUNS; i++) {
		struct interference before;

		interference_read(cpu, &before);
		run(subject, direction, cycles, false, &samples[0]);
		run(subject, direction, cycles, true, &samples[1]);
		bool disturbed = interference_since(&before);
		if (disturbed && i + RUNS < TRIES)
			continue;
		latency->disturbed += disturbed;
		run_note(&samples[0], microsecond, &latency->median_us, &latency->p99_us);
		run_note(&samples[1], microsecond, &latency->idle_median_us, &latency->idle_p99_us);
	}
	free(samples);
}
