/* SPDX-License-Identifier: BSD-3-Clause */
#include "rates.h"

#include "check.h"
#include "connection.h"
#include "median.h"
#include "table/nat.h"
#include "turn.h"
#include "verdict.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <string.h>

#define NEW_MIN           4.0 /* millions a second, at least */
#define CHURN_MIN         2.5
#define PORT_REST_SECONDS 250u                /* twice as long as a port rests, and a little */
#define BATCH             16u                 /* bursts of connections that are at the same step */
#define NEW_FLOWS         (UINT32_C(1) << 18) /* room for those of a round */
#define MEASUREMENTS      6u                  /* a round: two with teardown, and four others */
#define SWEEP_SECONDS     4u                  /* that the gateway takes to look at all sessions */

static struct samples samples; /* cycles of a burst */

static struct subject *subject_of(uint32_t max_sessions, uint32_t flows, struct rte_mempool *pool)
{
	const struct world_size size = { .max_sessions = max_sessions, .segments = 1 };

	return subject_create(&size, flows, NULL, pool);
}

/* All sessions have been idle for long enough; the lcore has nothing else to do. */
static uint64_t all_expire(struct subject *subject)
{
	struct turn turn = { 0 };
	uint64_t spent = 0;

	subject->later += (UDP_SECONDS + 1) * rte_get_tsc_hz();
	while (gateway_sessions(subject->gateway) > 0) {
		subject->later += rte_get_tsc_hz() / 100;
		spent += turn_run(&turn, subject->gateway, subject->later);
	}
	return spent;
}

static uint64_t all_clear(struct subject *subject)
{
	uint64_t spent = subject_clear(subject, 0);

	if (gateway_sessions(subject->gateway) != 0)
		rte_exit(EXIT_FAILURE, "a session was not cleared\n");
	return spent;
}

static void setup_and_teardown(struct rates *rates, uint32_t rounds, struct rte_mempool *pool)
{
	struct subject *subject = subject_of(rates->sessions, rates->sessions, pool);

	for (uint32_t i = 0; i < 2 * rounds;) {
		enum rate end = i & 1 ? RATE_CLEAR : RATE_EXPIRY;

		interference_watch_begin(&rates->watch);
		subject_open(subject);
		uint64_t spent = i & 1 ? all_clear(subject) : all_expire(subject);
		bool counts = interference_watch_end(&rates->watch);
		if (counts)
			series_add(&rates->cycles[end], (double)spent / rates->sessions);
		if (counts && i > 0) /* the first time, the memory is new as well */
			series_add(&rates->cycles[RATE_SETUP], subject->cycles_a_new_session);
		i += counts;
		subject_time_pass(subject, PORT_REST_SECONDS);
	}
	subject_destroy(subject);
}

/* RFC 9693: offers a tenth more flows than there is room for. */
static void capacity_measure(struct rates *rates, struct rte_mempool *pool)
{
	uint32_t flows = rates->sessions / 10 * 11, came = 0;
	struct subject *subject = subject_of(rates->sessions, flows, pool);

	for (uint32_t first = 0; first < flows; first += BURST) {
		uint16_t count = (uint16_t)RTE_MIN(BURST, flows - first);
		struct turn turn = { 0 };
		struct rte_mbuf **packets = turn_add(&turn, pool, UNDERLAY, count);

		for (uint32_t i = 0; i < count; i++)
			traffic_write(subject->traffic, traffic_pick_flow(subject->traffic, first + i), UP,
				FRAME, packets[i]);
		turn_run(&turn, subject->gateway, 0);
		for (uint32_t i = 0; i < turn.out[UPLINK]; i++)
			check_learn_outside(subject->traffic, turn.output[UPLINK][i]);
		came += turn.out[UPLINK];
		turn_end(&turn);
		turn_discard_punts(subject->gateway);
	}
	rates->offered = flows;
	rates->taken = (uint32_t)gateway_sessions(subject->gateway);
	if (rates->taken != came)
		rte_exit(EXIT_FAILURE, "%u sessions, but %u first packets came out\n", rates->taken, came);
	subject_destroy(subject);
}

static double cycles_take(void)
{
	double cycles = samples_usual_mean(&samples) / BURST;

	memset(&samples, 0, sizeof(samples));
	return cycles;
}

/* Sessions of a generation: the table is nearly full all the time. */
static uint32_t generation(const struct rates *rates)
{
	return rates->sessions / 10 * 9;
}

/* The generation before is idle for too long all at once, and the sweep is due to get round once in so many turns. */
static uint64_t generation_begin(struct subject *subject, uint32_t idle_seconds, uint32_t turns)
{
	subject->later += (idle_seconds + 1) * rte_get_tsc_hz();
	return SWEEP_SECONDS * rte_get_tsc_hz() / turns;
}

static void setup_with_expiry(struct rates *rates, uint32_t rounds, struct rte_mempool *pool)
{
	struct subject *subject = subject_of(rates->sessions, 2 * rates->sessions, pool);
	const struct nat_owner_counters *counters =
		nat_owner_counters(subject->gateway->path->context[0]->nat);
	uint32_t turns = generation(rates) / BURST, at = 0;

	for (uint32_t i = 0; i <= rounds;) {
		uint64_t step = generation_begin(subject, UDP_SECONDS, turns),
			 ended = counters->sessions_expired;

		interference_watch_begin(&rates->watch);
		for (uint32_t n = 0; n < turns; n++, at = (at + BURST) % subject->traffic->flows) {
			samples_add(&samples, subject_open_burst(subject, at));
			subject->later += step;
		}
		ended = counters->sessions_expired - ended;
		double cycles = cycles_take();
		bool counts = interference_watch_end(&rates->watch);
		if (i > 0 && ended < generation(rates) / 10 * 9)
			rte_exit(EXIT_FAILURE, "%lu sessions have ended while %u began\n", ended,
				generation(rates));
		if (counts && i > 0) /* the first generation had none before it */
			series_add(&rates->cycles[RATE_SETUP_CHURN], cycles);
		i += counts;
	}
	subject_destroy(subject);
}

/* A burst of packets at the same step of their connections; returns the cycles. */
static uint64_t step_run(struct subject *subject, uint32_t first, enum connection_step step, bool looked_at)
{
	enum direction direction = connection_direction(step);
	uint16_t out = direction_out(direction);
	struct traffic *traffic = subject->traffic;
	struct turn turn = { 0 };
	struct rte_mbuf **packets = turn_add(&turn, subject->pool, direction_in(direction), BURST);

	for (uint32_t i = 0; i < BURST; i++)
		connection_write(traffic, (first + i) % traffic->flows, step, packets[i]);
	uint64_t spent = turn_run(&turn, subject->gateway, subject->later);
	if (turn.out[out] != BURST)
		rte_exit(EXIT_FAILURE, "%u of %u packets came out, step %d\n", turn.out[out], BURST, step);
	for (uint32_t i = 0; i < BURST; i++) {
		if (step == STEP_SYN)
			check_learn_outside(traffic, turn.output[out][i]);
		else if (looked_at)
			check_packet(traffic, direction, turn.output[out][i]);
	}
	subject->packets += BURST;
	turn_end(&turn);
	return spent;
}

/* 1024 connections, each step for all of them before the next. Returns the cycles. */
static uint64_t batch_run(
	struct subject *subject, uint32_t first, enum connection_step last, uint64_t a_burst)
{
	uint64_t spent = 0;

	for (enum connection_step step = 0; step <= last; step++)
		for (uint32_t n = 0; n < BATCH; n++) {
			spent += step_run(subject, first + n * BURST, step, n == 0);
			subject->later += a_burst;
		}
	return spent;
}

static void syns_measure(struct rates *rates, uint32_t rounds, struct rte_mempool *pool)
{
	struct subject *subject = subject_of(rates->sessions, rates->sessions, pool);
	uint32_t flows = rates->sessions / BURST * BURST;

	for (uint32_t i = 0; i <= rounds;) {
		interference_watch_begin(&rates->watch);
		for (uint32_t first = 0; first < flows; first += BURST)
			samples_add(&samples, step_run(subject, first, STEP_SYN, false));
		double cycles = cycles_take();
		bool counts = interference_watch_end(&rates->watch);
		if (counts && i > 0) /* the first time, the memory is new as well */
			series_add(&rates->cycles[RATE_SYN], cycles);
		i += counts;
		all_clear(subject);
		subject_time_pass(subject, PORT_REST_SECONDS);
	}
	subject_destroy(subject);
}

static void connections_measure(struct rates *rates, uint32_t rounds, struct rte_mempool *pool)
{
	struct subject *subject = subject_of(rates->sessions, 2 * rates->sessions, pool);
	uint32_t batch = BATCH * BURST, batches = generation(rates) / batch, at = 0;

	for (uint32_t i = 0; i <= rounds;) {
		uint64_t step = generation_begin(subject, TCP_SECONDS, batches * BATCH * STEPS);

		interference_watch_begin(&rates->watch);
		for (uint32_t n = 0; n < batches; n++, at = (at + batch) % subject->traffic->flows) {
			uint64_t spent = batch_run(subject, at, STEP_LAST_ACK, step);
			samples_add(&samples, spent / BATCH / STEPS);
		}
		double cycles = STEPS * cycles_take();
		bool counts = interference_watch_end(&rates->watch);
		if (counts && i > 0) /* the first generation had none before it */
			series_add(&rates->cycles[RATE_TCP], cycles);
		i += counts;
	}
	subject_destroy(subject);
}

/* One burst up; a packet that the share makes due is the first one of a new flow. */
static uint64_t mixed_run(struct subject *subject, struct traffic *fresh, uint32_t *at, uint32_t percent)
{
	static uint32_t due;
	struct turn turn = { 0 };
	struct rte_mbuf **packets = turn_add(&turn, subject->pool, UNDERLAY, BURST);

	for (uint32_t i = 0; i < BURST; i++) {
		due += percent;
		if (due < 100) {
			connection_write(
				subject->traffic, traffic_pick(subject->traffic).flow, STEP_ACK, packets[i]);
			continue;
		}
		due -= 100;
		traffic_write(fresh, traffic_pick_flow(fresh, *at), UP, FRAME, packets[i]);
		*at = (*at + 1) % fresh->flows;
	}
	uint64_t spent = turn_run(&turn, subject->gateway, subject->later);
	if (turn.out[UPLINK] != BURST)
		rte_exit(EXIT_FAILURE, "%u of %u packets came out\n", turn.out[UPLINK], BURST);
	subject->packets += BURST;
	turn_end(&turn);
	return spent;
}

static void new_beside_established(
	struct rates *rates, uint32_t rounds, uint32_t bursts, struct rte_mempool *pool)
{
	static const uint32_t percent[] = { 0, 1, 5, 10 };
	struct subject *subject = subject_of(rates->sessions + NEW_FLOWS, rates->sessions, pool);
	struct traffic *fresh = traffic_create(NEW_FLOWS, 1, NULL);
	uint32_t at = 0;

	for (uint32_t first = 0; first < rates->sessions; first += BATCH * BURST)
		batch_run(subject, first, STEP_ACK, 0);
	for (uint32_t i = 0; i < rounds;) {
		double cycles[RTE_DIM(percent)];

		interference_watch_begin(&rates->watch);
		for (uint32_t share = 0; share < RTE_DIM(percent); share++) {
			for (uint32_t n = 0; n < bursts; n++)
				samples_add(&samples, mixed_run(subject, fresh, &at, percent[share]));
			cycles[share] = cycles_take();
		}
		bool counts = interference_watch_end(&rates->watch);
		for (uint32_t share = 0; counts && share < RTE_DIM(percent); share++)
			series_add(&rates->cycles[RATE_NEW_0 + share], cycles[share]);
		i += counts;
		subject_clear(subject, IPPROTO_UDP);
		subject_time_pass(subject, PORT_REST_SECONDS);
	}
	traffic_free(fresh);
	subject_destroy(subject);
}

void rates_measure(
	struct rates *rates, uint32_t sessions, uint32_t rounds, uint32_t bursts, struct rte_mempool *pool)
{
	*rates =
		(struct rates){ .sessions = sessions, .watch = interference_watch_of(MEASUREMENTS * rounds) };
	fprintf(stderr, "\rconnection rates         ");
	setup_and_teardown(rates, rounds, pool);
	capacity_measure(rates, pool);
	setup_with_expiry(rates, rounds, pool);
	syns_measure(rates, rounds, pool);
	connections_measure(rates, rounds, pool);
	new_beside_established(rates, rounds, bursts, pool);
	fprintf(stderr, "\r                         \r");
}

static const struct {
	const char *name, *key;
} rate_text[RATES] = {
	[RATE_SETUP] = { "new sessions of UDP, first packets only", "setup" },
	[RATE_EXPIRY] = { "sessions ended by timeout", "expiry" },
	[RATE_CLEAR] = { "sessions ended by command", "clear" },
	[RATE_SETUP_CHURN] = { "new sessions while as many end", "setup_with_expiry" },
	[RATE_SYN] = { "new sessions of TCP, SYNs only", "setup_tcp" },
	[RATE_TCP] = { "TCP connections of six packets", "tcp_connections" },
	[RATE_NEW_0] = { "packets of established connections", "packets_none_new" },
	[RATE_NEW_1] = { "packets, 1 % first ones", "packets_1_percent_new" },
	[RATE_NEW_5] = { "packets, 5 % first ones", "packets_5_percent_new" },
	[RATE_NEW_10] = { "packets, 10 % first ones", "packets_10_percent_new" },
};

static double mega_a_second(const struct rates *rates, enum rate rate)
{
	return (double)rte_get_tsc_hz() / 1e6 / series_median(&rates->cycles[rate]);
}

void rates_print(const struct rates *rates, FILE *out)
{
	fprintf(out, "\nconnections, a table for %u sessions %*s cycles each      a second\n",
		rates->sessions, 5, "");
	for (enum rate rate = 0; rate < RATES; rate++) {
		double cycles = series_median(&rates->cycles[rate]);

		fprintf(out, "  %-39s %7.0f +-%3.0f %%  %10.2f M\n", rate_text[rate].name, cycles,
			100 * series_spread(&rates->cycles[rate]), mega_a_second(rates, rate));
	}
	fprintf(out, "  capacity: %u flows offered, %u sessions taken\n", rates->offered, rates->taken);
	fprintf(out, "  interference: %u of %u measurements were made again, %u stayed disturbed\n",
		rates->watch.repeated, rates->watch.measured + rates->watch.repeated, rates->watch.disturbed);
	verdict_print(
		out, "first packets, millions a second", mega_a_second(rates, RATE_SETUP), NEW_MIN, false);
	verdict_print(
		out, "the same while as many end", mega_a_second(rates, RATE_SETUP_CHURN), CHURN_MIN, false);
}

void rates_write_json(const struct rates *rates, FILE *out)
{
	fprintf(out,
		"\"connections\": { \"sessions\": %u, \"offered\": %u, \"taken\": %u, \"repeated\": %u, "
		"\"disturbed\": %u",
		rates->sessions, rates->offered, rates->taken, rates->watch.repeated, rates->watch.disturbed);
	for (enum rate rate = 0; rate < RATES; rate++) {
		double cycles = series_median(&rates->cycles[rate]);

		fprintf(out, ",\n    \"%s\": { \"cycles\": %.0f, \"spread\": %.3f, \"a_second\": %.0f }",
			rate_text[rate].key, cycles, series_spread(&rates->cycles[rate]),
			(double)rte_get_tsc_hz() / cycles);
	}
	fprintf(out, " }");
}
