/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include "../pipeline/gateway.h"
#include "base/prefetch.h"
#include "series.h"
#include "traffic.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_malloc.h>
#include <rte_ring.h>
#include <stdlib.h>

#define LINES   (UINT32_C(1) << 22) /* 256 MiB: more than any cache, and than the TLB reaches */
#define FEW     8192u /* 512 KiB: fewer than a cache has, more than the TLB has pages of 4 KiB */
#define REPEATS 21u
#define STEPS   (1024u * BURST)

struct line {
	uint32_t next;
} __rte_cache_aligned;

/* One cycle through all lines (Sattolo), so that the next one is known only when this one has come. */
static void lines_shuffle(struct line *line)
{
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t i = 0; i < LINES; i++)
		line[i].next = i;
	for (uint32_t i = LINES - 1; i > 0; i--) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t other = (uint32_t)((random >> 32) * i >> 32), next = line[i].next;
		line[i].next = line[other].next;
		line[other].next = next;
	}
}

static double line_alone(const struct line *line, uint32_t *at)
{
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t i = 0; i < STEPS; i++)
		*at = *(const volatile uint32_t *)&line[*at].next;
	return (double)(rte_rdtsc_precise() - start) / STEPS;
}

static double line_together(const struct line *line, uint64_t *random)
{
	uint32_t at[BURST];
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t n = 0; n < STEPS / BURST; n++) {
		for (uint32_t i = 0; i < BURST; i++) {
			*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			at[i] = (uint32_t)(*random >> 32) % LINES;
			prefetch_far(&line[at[i]]);
		}
		for (uint32_t i = 0; i < BURST; i++)
			(void)*(const volatile uint32_t *)&line[at[i]].next;
	}
	return (double)(rte_rdtsc_precise() - start) / STEPS;
}

/* Of FEW lines, the first one of each `stride` or another one of these: so that they do not share the sets of a cache. */
static double line_cached(const struct line *line, uint32_t stride, uint64_t *random)
{
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t i = 0; i < STEPS; i++) {
		*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t which = (uint32_t)(*random >> 32) % FEW,
			 within = which * UINT32_C(2654435761) >> 7 & (stride - 1);
		/* The next one depends on what is read. */
		*random ^= *(const volatile uint32_t *)&line[which * stride + within].next;
	}
	return (double)(rte_rdtsc_precise() - start) / STEPS;
}

static double ring_hop(struct rte_ring *ring)
{
	void *packets[BURST] = { 0 };
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t n = 0; n < STEPS / BURST; n++) {
		rte_ring_sp_enqueue_burst(ring, packets, BURST, NULL);
		rte_ring_sc_dequeue_burst(ring, packets, BURST, NULL);
	}
	return (double)(rte_rdtsc_precise() - start) / STEPS;
}

static double empty_turn(struct gateway *gateway)
{
	struct lcore_context *context = gateway->path->context[0];
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t n = 0; n < STEPS / BURST; n++)
		packet_path_poll(context, rte_rdtsc());
	return (double)(rte_rdtsc_precise() - start) / (STEPS / BURST);
}

void machine_measure(struct machine *machine, struct gateway *gateway)
{
	struct series alone = { 0 }, together = { 0 }, close = { 0 }, apart = { 0 }, hop = { 0 },
		      turn = { 0 };
	struct line *line = rte_malloc(NULL, LINES * sizeof(*line), RTE_CACHE_LINE_SIZE);
	struct rte_ring *ring = rte_ring_create("hop", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	uint64_t random = 1;
	uint32_t at = 0;

	if (line == NULL || ring == NULL)
		rte_exit(EXIT_FAILURE, "no memory to measure the machine by\n");
	lines_shuffle(line);
	for (uint32_t i = 0; i < REPEATS; i++) {
		series_add(&alone, line_alone(line, &at));
		series_add(&together, line_together(line, &random));
		series_add(&close, line_cached(line, 1, &random));
		series_add(&apart, line_cached(line, LINES / FEW, &random));
		series_add(&hop, ring_hop(ring));
		series_add(&turn, empty_turn(gateway));
	}
	*machine = (struct machine){ .line_alone = series_median(&alone),
		.line_together = series_median(&together),
		.cached_close = series_median(&close),
		.cached_apart = series_median(&apart),
		.ring_hop = series_median(&hop),
		.empty_turn = series_median(&turn) };
	rte_ring_free(ring);
	rte_free(line);
}
