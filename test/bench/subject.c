/* SPDX-License-Identifier: BSD-3-Clause */
#include "subject.h"

#include "check.h"
#include "stage/overload.h"
#include "table/nat_owner.h"
#include "turn.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <stdlib.h>

#define CLEAR_SCAN      4096u  /* records a call */
#define NEW_IN_OVERLOAD 50000u /* the default */
#define FILLINGS        16u    /* parts of the way from an empty table to a full one */

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

uint64_t subject_open_burst(struct subject *subject, uint32_t first)
{
	struct traffic *traffic = subject->traffic;
	struct turn turn = { 0 };
	struct rte_mbuf **packets = turn_add(&turn, subject->pool, UNDERLAY, BURST);

	for (uint32_t i = 0; i < BURST; i++)
		traffic_write(traffic, traffic_pick_flow(traffic, (first + i) % traffic->flows), UP, FRAME,
			packets[i]);
	uint64_t spent = turn_run(&turn, subject->gateway, subject->later);
	if (turn.out[UPLINK] != BURST)
		rte_exit(EXIT_FAILURE, "%u of %u first packets came out\n", turn.out[UPLINK], BURST);
	for (uint32_t i = 0; i < BURST; i++)
		check_learn_outside(traffic, turn.output[UPLINK][i]);
	subject->packets += BURST;
	subject->checked += BURST;
	turn_end(&turn);
	return spent;
}

void subject_open(struct subject *subject)
{
	uint32_t flows = subject->traffic->flows, bursts = (flows + BURST - 1) / BURST;
	uint64_t *spent = calloc(bursts, sizeof(*spent));

	if (spent == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++)
		spent[n] = subject_open_burst(subject, n * BURST);
	if (gateway_sessions(subject->gateway) != flows)
		rte_exit(EXIT_FAILURE, "%lu sessions, not %u\n", gateway_sessions(subject->gateway), flows);
	subject->cycles_a_new_session = fillings_mean(spent, bursts) / BURST;
	subject->bytes_a_session = (double)nat_bytes(subject->gateway->plane->nat) / flows;
	free(spent);
}

void subject_add_bound(struct subject *subject)
{
	const struct traffic *traffic = subject->traffic;

	subject->bound_traffic = traffic_create(traffic->flows, traffic->segments, NULL);
	traffic_number_outside(subject->bound_traffic);
	subject->bound = speed_of_light_create(subject->bound_traffic);
	if (speed_of_light_collisions(subject->bound) > 0)
		fprintf(stderr, "\rwith %u sessions the bound has %lu collisions: it could be lower\n",
			traffic->flows, speed_of_light_collisions(subject->bound));
}

struct subject *subject_create(
	const struct world_size *size, uint32_t flows, const struct tuples *tuples, struct rte_mempool *pool)
{
	struct subject *subject = calloc(1, sizeof(*subject));

	if (subject == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	subject->pool = pool;
	subject->traffic = traffic_create(flows, size->segments, tuples);
	subject->gateway = world_create(size, subject->traffic);
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

void subject_guard(struct subject *subject)
{
	subject->gateway->plane->nat->new_sessions_in_overload = NEW_IN_OVERLOAD;
	overload_init(subject->gateway->path->context[0]);
}

void subject_keep_busy(struct subject *subject, bool busy)
{
	subject->busy = busy;
	subject->turn_ended = rte_rdtsc();
}

uint64_t subject_turn(struct subject *subject, struct turn *turn)
{
	if (subject->busy)
		subject->later -= rte_rdtsc() - subject->turn_ended;
	uint64_t spent = turn_run(turn, subject->gateway, subject->later);
	if (subject->busy)
		subject->turn_ended = rte_rdtsc();
	return spent;
}

void subject_time_pass(struct subject *subject, uint32_t seconds)
{
	struct turn turn = { 0 };

	for (uint32_t i = 0; i < seconds * 10; i++) {
		subject->later += rte_get_tsc_hz() / 10;
		turn_run(&turn, subject->gateway, subject->later);
	}
}

uint64_t subject_clear(struct subject *subject, uint8_t protocol)
{
	const struct nat_filter filter = { .segment = -1, .protocol = protocol };
	struct nat_owner *owner = subject->gateway->path->context[0]->nat;
	uint64_t start = rte_rdtsc_precise();

	for (uint32_t cursor = 0; cursor != UINT32_MAX;)
		nat_owner_clear(owner, &cursor, &filter, UINT32_MAX, CLEAR_SCAN);
	return rte_rdtsc_precise() - start;
}
