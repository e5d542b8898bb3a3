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

#define RUN_MS      0.5 /* of the gateway's time: mostly between two interrupts of the timer */
#define WARM_MS     0.1 /* of it: packets that do not count, while what a run reads comes into the cache */
#define RUNS        99u
#define TRIES       (3 * RUNS) /* disturbed runs do not count, but for the last ones when there are too many */
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
	double millisecond = (double)rte_get_tsc_hz() / 1e3, now = 0, next = 0, interval = 2 * cycles;

	memset(samples, 0, sizeof(*samples));
	for (uint32_t n = 0; now < RUN_MS * millisecond; n++) {
		double arrived[BURST];
		uint16_t count = 0;

		for (; count < BURST && next <= now; next += next_arrival(subject->traffic, interval))
			arrived[count++] = next;
		now += (double)(idle ? packets_wait(cycles, count)
				     : packets_run(subject, direction, count, n % CHECK_EVERY == 0));
		for (uint16_t i = 0; i < count; i++)
			if (arrived[i] >= WARM_MS * millisecond)
				samples_add(samples, (uint64_t)(now - arrived[i]));
	}
}

static void run_note(
	const struct samples *samples, struct latency_of *of, struct samples *all, double microsecond)
{
	series_add(&of->median_us, samples_median(samples) / microsecond);
	series_add(&of->p99_us, samples_quantile(samples, 0.99) / microsecond);
	samples_merge(all, samples);
}

void latency_measure(
	struct subject *subject, enum way way, double cycles, unsigned cpu, struct latency *latency)
{
	struct samples *samples = calloc(4, sizeof(*samples)), *all = samples + 2;
	double microsecond = (double)rte_get_tsc_hz() / 1e6;
	enum direction direction = way == WAY_DOWN ? DOWN : UP;
	struct latency_of *of[] = { &latency->gateway, &latency->waiting };

	if (samples == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	*latency = (struct latency){ 0 };
	for (uint32_t i = 0; i < TRIES && latency->gateway.median_us.count < RUNS; i++) {
		struct interference before;

		interference_read(cpu, &before);
		run(subject, direction, cycles, false, &samples[0]);
		run(subject, direction, cycles, true, &samples[1]);
		bool disturbed = interference_since(&before);
		if (disturbed && i + RUNS < TRIES)
			continue;
		latency->disturbed += disturbed;
		for (int which = 0; which < 2; which++)
			run_note(&samples[which], of[which], &all[which], microsecond);
	}
	for (int which = 0; which < 2; which++)
		of[which]->all_p99_us = samples_quantile(&all[which], 0.99) / microsecond;
	free(samples);
}
