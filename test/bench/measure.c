/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include "../pipeline/gateway_ports.h"
#include "check.h"
#include "median.h"
#include "stamp.h"
#include "turn.h"
#include <rte_debug.h>
#include <rte_ethdev.h>
#include <stdlib.h>

#define SHORT_MAX   8u  /* packets of the longest short burst */
#define CHECK_EVERY 64u /* samples */
#define WARMING                                                                                              \
	4u /* a part of the bursts that is run before those that count: what was measured before is in the cache */

struct stage_cycles {
	uint64_t cycles[STAGES + 1]; /* the last: of the fast path */
};

static void stage_cycles_read(const struct subject *subject, struct stage_cycles *out)
{
	for (int stage = 0; stage < STAGES; stage++)
		out->cycles[stage] = subject->gateway->path->context[0]->counters.stage[stage].cycles;
	out->cycles[STAGES] = subject->gateway->path->context[0]->counters.fast_path.cycles;
}

static void parts_add(struct samples *part, const struct stage_cycles *before,
	const struct stage_cycles *after, uint64_t spent)
{
	uint64_t in_stages = 0;

	for (int stage = 0; stage <= STAGES; stage++) {
		uint64_t cycles = after->cycles[stage] - before->cycles[stage];
		samples_add(&part[stage], cycles);
		in_stages += cycles;
	}
	samples_add(&part[PARTS - 1], spent - in_stages);
}

static void packets_write(const struct scenario *scenario, struct traffic *traffic, enum direction direction,
	struct rte_mbuf **packets, uint32_t count)
{
	struct pick pick[BURST];

	scenario_picks(scenario, traffic, pick, count);
	for (uint32_t i = 0; i < count; i++)
		traffic_write(traffic, pick[i], direction, scenario_length(scenario, traffic), packets[i]);
	for (uint32_t i = 0; scenario->cold && i < count; i++)
		traffic_chill(packets[i]);
}

static void output_check(
	struct subject *subject, enum direction direction, const struct turn *turn, uint16_t count)
{
	uint16_t port = direction_out(direction);

	for (uint16_t i = 0; i < count; i++)
		check_packet(subject->traffic, direction, turn->output[port][i]);
	subject->checked += count;
}

/* A burst each way that the scenario has; returns the cycles. */
static uint64_t bursts_run(
	struct subject *subject, const struct scenario *scenario, uint16_t count, bool looked_at)
{
	struct turn turn = { 0 };

	for (enum direction d = 0; d < DIRECTIONS; d++)
		if (scenario_has(scenario, d))
			packets_write(scenario, subject->traffic, d,
				turn_add(&turn, subject->pool, direction_in(d), count), count);
	uint64_t spent = subject_turn(subject, &turn);
	for (enum direction d = 0; d < DIRECTIONS; d++) {
		if (!scenario_has(scenario, d))
			continue;
		if (turn.out[direction_out(d)] != count)
			rte_exit(EXIT_FAILURE, "%u of %u packets came out, %s\n", turn.out[direction_out(d)],
				count, direction_name[d]);
		if (looked_at)
			output_check(subject, d, &turn, count);
		subject->packets += count;
	}
	turn_end(&turn);
	return spent;
}

/* Bursts of 1 to 8 packets, each length once, in random order. */
static uint64_t short_bursts_run(struct subject *subject, const struct scenario *scenario, bool looked_at)
{
	uint16_t length[SHORT_MAX];
	uint64_t spent = 0;

	for (uint32_t i = 0; i < SHORT_MAX; i++) {
		uint32_t other = (uint32_t)((traffic_random(subject->traffic) >> 32) * (i + 1) >> 32);
		length[i] = length[other];
		length[other] = (uint16_t)(i + 1);
	}
	for (uint32_t i = 0; i < SHORT_MAX; i++)
		spent += bursts_run(subject, scenario, length[i], looked_at);
	return spent;
}

static uint64_t sample_run(struct subject *subject, const struct scenario *scenario, bool looked_at)
{
	if (scenario->bursts == BURSTS_SHORT)
		return short_bursts_run(subject, scenario, looked_at);
	return bursts_run(subject, scenario, BURST, looked_at);
}

static uint32_t sample_packets(const struct scenario *scenario)
{
	uint32_t each_way = scenario->bursts == BURSTS_SHORT ? SHORT_MAX * (SHORT_MAX + 1) / 2 : BURST;

	return scenario->way == WAY_BOTH ? 2 * each_way : each_way;
}

void measure_gateway(
	struct subject *subject, const struct scenario *scenario, uint32_t bursts, struct measure *result)
{
	struct samples *part = calloc(PARTS, sizeof(*part)), *whole = calloc(1, sizeof(*whole));
	uint64_t drops = gateway_drops_all(subject->gateway);

	if (part == NULL || whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts / WARMING; n++)
		sample_run(subject, scenario, false);
	for (uint32_t n = 0; n < bursts; n++) {
		struct stage_cycles before, after;

		if (subject->beside != NULL)
			subject->beside(subject);
		stage_cycles_read(subject, &before);
		uint64_t spent = sample_run(subject, scenario, n % CHECK_EVERY == 0);
		stage_cycles_read(subject, &after);
		samples_add(whole, spent);
		parts_add(part, &before, &after, spent);
	}
	if (subject->beside == NULL && gateway_drops_all(subject->gateway) != drops)
		rte_exit(EXIT_FAILURE, "the gateway dropped %lu packets\n",
			gateway_drops_all(subject->gateway) - drops);
	result->cycles = samples_median(whole) / sample_packets(scenario);
	for (int i = 0; i < PARTS; i++)
		result->part[i] = samples_median(&part[i]) / sample_packets(scenario);
	free(part);
	free(whole);
}

static uint64_t bound_run(struct subject *subject, const struct scenario *scenario)
{
	struct rte_mbuf *packets[BURST];
	uint64_t spent = 0;

	for (enum direction d = UP; d <= DOWN; d++) {
		if (!scenario_has(scenario, d))
			continue;
		if (rte_pktmbuf_alloc_bulk(subject->pool, packets, BURST) < 0)
			rte_exit(EXIT_FAILURE, "the packet pool is empty\n");
		packets_write(scenario, subject->bound_traffic, d, packets, BURST);
		uint64_t start = stamp_take();
		speed_of_light_run(subject->bound, d, packets);
		spent += stamp_since(start);
		rte_pktmbuf_free_bulk(packets, BURST);
	}
	return spent;
}

double measure_bound(struct subject *subject, const struct scenario *scenario, uint32_t bursts)
{
	struct samples *whole = calloc(1, sizeof(*whole));

	if (whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts / WARMING; n++)
		bound_run(subject, scenario);
	for (uint32_t n = 0; n < bursts; n++)
		samples_add(whole, bound_run(subject, scenario));
	if (speed_of_light_wrong(subject->bound) != 0)
		rte_exit(EXIT_FAILURE, "the bound itself went wrong\n");
	double median = samples_median(whole) / sample_packets(scenario);
	free(whole);
	return median;
}

double measure_devices(struct subject *subject, uint32_t bursts)
{
	const struct scenario down = { .segments = 1, .way = WAY_DOWN };
	struct gateway_ports *ports = subject->gateway->ports;
	struct samples *whole = calloc(1, sizeof(*whole));
	struct rte_mbuf *packets[BURST], *out[BURST];

	if (whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++) {
		if (rte_pktmbuf_alloc_bulk(subject->pool, packets, BURST) < 0)
			rte_exit(EXIT_FAILURE, "the packet pool is empty\n");
		packets_write(&down, subject->traffic, DOWN, packets, BURST);
		rte_ring_enqueue_bulk(ports->port[UPLINK].rx[0], (void **)packets, BURST, NULL);
		uint64_t start = stamp_take();
		uint16_t got = rte_eth_rx_burst(ports->port[UPLINK].device, 0, out, BURST);
		rte_eth_tx_burst(ports->port[UNDERLAY].device, 0, out, got);
		samples_add(whole, stamp_since(start));
		rte_ring_dequeue_burst(ports->port[UNDERLAY].tx[0], (void **)out, BURST, NULL);
		rte_pktmbuf_free_bulk(out, BURST);
	}
	double median = samples_median(whole) / BURST;
	free(whole);
	return median;
}
