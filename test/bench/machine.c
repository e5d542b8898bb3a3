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

/* Lines of memory for the sessions of a gateway: table/nat_index.h, table/nat_row.h. */
#define TAG_LINES(sessions)    ((sessions) / 12 + 1)
#define RECORD_LINES(sessions) ((sessions) / 28 * 32 + 32)

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

#define TOGETHER 16u /* asked for in a row; read when twice as many others have been asked for after them */

/* Where the record lies is known when the tags have come. A stream without end, so that nothing waits for a first or last one. */
static double session_lines(
	const struct line *tags, const struct line *records, uint32_t sessions, uint64_t *random)
{
	const struct line *tag[8][TOGETHER], *record[8][TOGETHER];
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t n = 0; n < STEPS / TOGETHER + 4; n++) {
		uint32_t ask = n % 8, read = (n + 6) % 8, last = (n + 4) % 8;

		for (uint32_t i = 0; i < TOGETHER; i++) {
			*random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			tag[ask][i] = &tags[(uint32_t)(*random >> 32) % TAG_LINES(sessions)];
			record[ask][i] = &records[(uint32_t)(*random >> 20) % RECORD_LINES(sessions)];
			prefetch_far(tag[ask][i]);
		}
		for (uint32_t i = 0; n >= 2 && i < TOGETHER; i++) {
			record[read][i] += *(const volatile uint32_t *)&tag[read][i]->next; /* which is 0 */
			prefetch_far(record[read][i]);
		}
		for (uint32_t i = 0; n >= 4 && i < TOGETHER; i++)
			(void)*(const volatile uint32_t *)&record[last][i]->next;
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

uint64_t machine_memory(uint32_t sessions)
{
	return (LINES + (uint64_t)TAG_LINES(sessions) + RECORD_LINES(sessions)) * sizeof(struct line);
}

void machine_measure(struct machine *machine, struct gateway *gateway, uint32_t sessions)
{
	struct series alone = { 0 }, together = { 0 }, both = { 0 }, close = { 0 }, apart = { 0 },
		      hop = { 0 }, turn = { 0 };
	struct line *line = rte_malloc(NULL, LINES * sizeof(*line), RTE_CACHE_LINE_SIZE);
	struct line *tags = rte_zmalloc(NULL, TAG_LINES(sessions) * sizeof(*line), RTE_CACHE_LINE_SIZE),
		    *records = rte_zmalloc(NULL, RECORD_LINES(sessions) * sizeof(*line), RTE_CACHE_LINE_SIZE);
	struct rte_ring *ring = rte_ring_create("hop", 1024, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	uint64_t random = 1;
	uint32_t at = 0;

	if (line == NULL || tags == NULL || records == NULL || ring == NULL)
		rte_exit(EXIT_FAILURE, "no memory to measure the machine by\n");
	lines_shuffle(line);
	for (uint32_t i = 0; i < REPEATS; i++) {
		series_add(&alone, line_alone(line, &at));
		series_add(&together, line_together(line, &random));
		series_add(&both, session_lines(tags, records, sessions, &random));
		series_add(&close, line_cached(line, 1, &random));
		series_add(&apart, line_cached(line, LINES / FEW, &random));
		series_add(&hop, ring_hop(ring));
		series_add(&turn, empty_turn(gateway));
	}
	*machine = (struct machine){ .sessions = sessions,
		.line_alone = series_median(&alone),
		.line_together = series_median(&together),
		.session_lines = series_median(&both),
		.cached_close = series_median(&close),
		.cached_apart = series_median(&apart),
		.ring_hop = series_median(&hop),
		.empty_turn = series_median(&turn) };
	rte_ring_free(ring);
	rte_free(records);
	rte_free(tags);
	rte_free(line);
}
