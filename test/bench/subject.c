/* SPDX-License-Identifier: BSD-3-Clause */
#include "subject.h"

#include "check.h"
#include "table/nat.h"
#include "turn.h"
#include <rte_debug.h>
#include <stdlib.h>

#define FILLINGS 16u /* parts of the way from an empty table to a full one */

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The mean over the table as it fills of the median burst at each filling: so that what else runs on the machine does
 * not count, but a fuller table does. */
static double fillings_mean(uint64_t *spent, uint32_t bursts)
{
	uint32_t fillings = RTE_MIN(bursts, FILLINGS);
	double sum = 0;

	for (uint32_t i = 0; i < fillings; i++) {
		uint32_t first = i * bursts / fillings, end = (i + 1) * bursts / fillings;
		qsort(&spent[first], end - first, sizeof(*spent), by_size);
		sum += (double)spent[first + (end - first) / 2];
	}
	return sum / fillings;
}

/* The first packets of 64 flows. Returns the cycles. */
static uint64_t burst_open(struct subject *subject, struct turn *turn, uint32_t first)
{
	struct traffic *traffic = subject->traffic;
	struct rte_mbuf **packets = turn_add(turn, subject->pool, UNDERLAY, BURST);

	for (uint32_t i = 0; i < BURST; i++)
		traffic_write(traffic, (first + i) % traffic->flows, UP, FRAME, packets[i]);
	uint64_t spent = turn_run(turn, subject->gateway, 0);
	if (turn->out[UPLINK] != BURST)
		rte_exit(EXIT_FAILURE, "%u of %u first packets came out\n", turn->out[UPLINK], BURST);
	for (uint32_t i = 0; i < BURST; i++)
		check_learn_outside(traffic, turn->output[UPLINK][i]);
	subject->packets += BURST;
	turn_end(turn);
	return spent;
}

static void sessions_open(struct subject *subject)
{
	uint32_t flows = subject->traffic->flows, bursts = (flows + BURST - 1) / BURST;
	uint64_t *spent = calloc(bursts, sizeof(*spent));
	struct turn turn = { 0 };

	if (spent == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++)
		spent[n] = burst_open(subject, &turn, n * BURST);
	if (gateway_sessions(subject->gateway) != flows)
		rte_exit(EXIT_FAILURE, "%lu sessions, not %u\n", gateway_sessions(subject->gateway), flows);
	subject->cycles_a_new_session = fillings_mean(spent, bursts) / BURST;
	subject->bytes_a_session = (double)nat_bytes(subject->gateway->plane->nat) / flows;
	free(spent);
}

static void bound_make(struct subject *subject, uint32_t sessions, uint32_t segments)
{
	subject->bound_traffic = traffic_create(sessions, segments, NULL);
	traffic_number_outside(subject->bound_traffic);
	subject->bound = speed_of_light_create(subject->bound_traffic);
	if (speed_of_light_collisions(subject->bound) > 0)
		fprintf(stderr, "\rwith %u sessions the bound has %lu collisions: it could be lower\n",
			sessions, speed_of_light_collisions(subject->bound));
}

struct subject *subject_create(
	uint32_t sessions, uint32_t segments, const struct tuples *tuples, struct rte_mempool *pool)
{
	struct world_size size = { .max_sessions = sessions, .segments = segments };
	struct subject *subject = calloc(1, sizeof(*subject));

	if (subject == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	subject->pool = pool;
	subject->traffic = traffic_create(sessions, segments, tuples);
	subject->gateway = world_create(&size, subject->traffic);
	sessions_open(subject);
	if (tuples == NULL)
		bound_make(subject, sessions, segments);
	return subject;
}

void subject_destroy(struct subject *subject)
{
	if (subject->bound != NULL) {
		speed_of_light_free(subject->bound);
		traffic_free(subject->bound_traffic);
	}
	gateway_destroy(subject->gateway);
	traffic_free(subject->traffic);
	free(subject);
}
