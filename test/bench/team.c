/* SPDX-License-Identifier: BSD-3-Clause */
#include "team.h"

#include "../pipeline/gateway_ports.h"
#include "check.h"
#include "median.h"
#include "turn.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_pause.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define START_AHEAD   3000u /* cycles between the meeting and the start, for all to have heard of it */
#define PATIENCE_S    10u
#define CHECKED_FIRST 16u /* packets of a batch, port and lane */
#define WARMING       4u  /* as in measure.c */
#define BUSY_TICKS    2u  /* of the kernel's clock, that the other CPU may have something to do */

/* All arrive, then all go on; returns when they start. */
static uint64_t meet(struct crew *crew)
{
	uint32_t meeting = atomic_load_explicit(&crew->meeting, memory_order_relaxed);

	if (atomic_fetch_add(&crew->arrived, 1) + 1 == crew->team->lanes) {
		crew->start = rte_rdtsc() + START_AHEAD;
		atomic_store_explicit(&crew->arrived, 0, memory_order_relaxed);
		atomic_store_explicit(&crew->meeting, meeting + 1, memory_order_release);
	}
	while (atomic_load_explicit(&crew->meeting, memory_order_acquire) == meeting)
		rte_pause();
	return crew->start;
}

static enum direction burst_direction(enum way way, uint32_t burst)
{
	if (way == WAY_BOTH)
		return burst % 2 == 0 ? UP : DOWN;
	return way == WAY_UP ? UP : DOWN;
}

static uint32_t below(struct traffic *traffic, uint32_t end)
{
	return (uint32_t)((traffic_random(traffic) >> 32) * end >> 32);
}

static void burst_write(struct lane *lane, uint32_t burst, enum direction direction)
{
	uint32_t flows = lane->traffic.flows / WORKLOADS; /* of each workload */

	for (uint32_t i = 0; i < BURST; i++) {
		struct rte_mbuf *m = lane->packet[burst * BURST + i];
		uint16_t workload = lane->workload[below(&lane->traffic, lane->workloads)];

		rte_pktmbuf_reset(m);
		traffic_write(&lane->traffic,
			traffic_pick_flow(
				&lane->traffic, below(&lane->traffic, flows) * WORKLOADS + workload),
			direction, FRAME, m);
	}
}

static void batch_write(struct lane *lane, enum way way)
{
	for (uint32_t burst = 0; burst < lane->packets / BURST; burst++) {
		enum direction direction = burst_direction(way, burst);

		burst_write(lane, burst, direction);
		if (lane->gateway == NULL)
			continue;
		const struct lcore_context *context = lane->gateway->path->context[lane->lcore];
		struct rte_ring *queue =
			lane->gateway->ports->port[direction_in(direction)].rx[context->rx[0].queue];
		if (rte_ring_enqueue_bulk(queue, (void **)&lane->packet[burst * BURST], BURST, NULL) == 0)
			rte_exit(EXIT_FAILURE, "a receive ring is full\n");
	}
}

/* Those in its receive queues. */
static uint32_t lane_waiting(const struct lane *lane)
{
	const struct lcore_context *context = lane->gateway->path->context[lane->lcore];
	uint32_t count = 0;

	for (uint16_t i = 0; i < context->rx_count; i++)
		count += rte_ring_count(
			lane->gateway->ports->port[context->rx[i].port].rx[context->rx[i].queue]);
	return count;
}

/* Those in its transmit queues. */
static uint32_t lane_sent(const struct lane *lane)
{
	const struct lcore_context *context = lane->gateway->path->context[lane->lcore];
	uint32_t count = 0;

	for (uint16_t port = 0; port < PORTS; port++)
		if (context->tx[port].mine)
			count += rte_ring_count(lane->gateway->ports->port[port].tx[context->tx[port].queue]);
	return count;
}

static uint32_t team_sent(const struct team *team)
{
	uint32_t count = 0;

	for (uint16_t i = 0; i < team->lanes; i++)
		count += lane_sent(&team->lane[i]);
	return count;
}

/* Until all lanes together have sent all: whose packets a lcore hands over, and whose it sends, is its own affair. */
static void lcore_work(const struct team *team, const struct lane *lane, uint64_t start)
{
	struct lcore_context *context = lane->gateway->path->context[lane->lcore];
	uint64_t patience = PATIENCE_S * rte_get_tsc_hz(), now;

	packet_path_online(context);
	do {
		packet_path_poll(context, now = rte_rdtsc());
		if (now - start > patience)
			rte_exit(EXIT_FAILURE, "%u of %u packets came out\n", team_sent(team), TEAM_PACKETS);
	} while (lane_waiting(lane) > 0 || team_sent(team) < TEAM_PACKETS);
	packet_path_offline(context);
}

static void bound_work(const struct lane *lane, const struct lane *other, enum way way)
{
	for (uint32_t burst = 0; burst < lane->packets / BURST; burst++) {
		const struct lane *from = lane->swaps && burst / 2 % 2 != 0 ? other : lane;

		speed_of_light_run(lane->bound, burst_direction(way, burst), &from->packet[burst * BURST]);
	}
}

static void output_take(struct lane *lane)
{
	const struct lcore_context *context = lane->gateway->path->context[lane->lcore];
	struct rte_mbuf *out[BURST];

	lane->taken = 0;
	for (uint16_t port = 0; port < PORTS; port++) {
		struct rte_ring *queue = lane->gateway->ports->port[port].tx[context->tx[port].queue];
		uint32_t n, of_port = 0;

		while (context->tx[port].mine &&
			(n = rte_ring_dequeue_burst(queue, (void **)out, BURST, NULL)) > 0) {
			for (uint32_t i = 0; of_port == 0 && i < RTE_MIN(n, CHECKED_FIRST); i++) {
				check_packet(&lane->traffic, port == UPLINK ? UP : DOWN, out[i]);
				lane->checked++;
			}
			of_port += n;
		}
		lane->taken += of_port;
	}
}

static void output_count(const struct team *team)
{
	uint32_t taken = 0;

	for (uint16_t i = 0; i < team->lanes; i++)
		taken += team->lane[i].taken;
	if (taken != TEAM_PACKETS)
		rte_exit(EXIT_FAILURE, "%u packets came out, not %u\n", taken, TEAM_PACKETS);
}

static void batch_run(struct crew *crew, uint16_t number)
{
	struct team *team = crew->team;
	struct lane *lane = &team->lane[number];

	batch_write(lane, crew->way);
	uint64_t start = meet(crew);
	while (rte_rdtsc() < start)
		rte_pause();
	if (lane->gateway != NULL)
		lcore_work(team, lane, start);
	else
		bound_work(lane, &team->lane[!number], crew->way);
	lane->spent = rte_rdtsc() - start;
	meet(crew);
	if (lane->gateway != NULL)
		output_take(lane);
	meet(crew);
	if (number == 0 && lane->gateway != NULL)
		output_count(team);
}

static uint64_t slowest(const struct team *team)
{
	uint64_t spent = 0;

	for (uint16_t i = 0; i < team->lanes; i++)
		spent = RTE_MAX(spent, team->lane[i].spent);
	return spent;
}

/* The work of one of the threads. The first one keeps the times, as cycles of 64 packets. */
static void lane_run(struct crew *crew, uint16_t number, struct samples *times)
{
	struct lane *lane = &crew->team->lane[number];

	interference_read(crew->cpu[number], &lane->before);
	for (uint32_t n = 0; n < crew->batches / WARMING; n++)
		batch_run(crew, number);
	for (uint32_t n = 0; n < crew->batches; n++) {
		batch_run(crew, number);
		if (times != NULL)
			samples_add(times, slowest(crew->team) * BURST / TEAM_PACKETS);
	}
	lane->disturbed = interference_since(&lane->before);
}

static void *second_main(void *argument)
{
	struct crew *crew = argument;

	for (;;) {
		sem_wait(&crew->begin);
		if (crew->over)
			return NULL;
		if (crew->team->lanes > 1)
			lane_run(crew, 1, NULL);
		while (crew->team->lanes == 1 && !crew->done)
			rte_pause();
		sem_post(&crew->end);
	}
}

static void packets_share(struct crew *crew, struct team *team)
{
	uint32_t first = 0;

	for (uint16_t i = 0; i < team->lanes; i++) {
		struct lane *lane = &team->lane[i];

		lane->packet = &crew->packet[first];
		lane->packets = lane->workloads > 0 ? TEAM_PACKETS / team->receivers : 0;
		first += lane->packets;
	}
}

static uint64_t drops(const struct team *team)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < team->lanes; i++)
		if (team->lane[i].gateway != NULL)
			sum += gateway_drops_all(team->lane[i].gateway);
	return sum;
}

bool team_measure(struct crew *crew, struct team *team, enum way way, uint32_t batches, double *cycles)
{
	struct samples *times = calloc(1, sizeof(*times));
	uint64_t dropped = drops(team), busy = interference_busy(crew->cpu[1]);
	bool disturbed = false;

	if (times == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	crew->team = team;
	crew->way = way;
	crew->batches = batches;
	packets_share(crew, team);
	crew->done = false;
	if (team->lanes > 1 || crew->realtime)
		sem_post(&crew->begin);
	lane_run(crew, 0, times);
	crew->done = true;
	if (team->lanes > 1 || crew->realtime)
		sem_wait(&crew->end);
	else
		disturbed = interference_busy(crew->cpu[1]) - busy > BUSY_TICKS;
	if (drops(team) != dropped)
		rte_exit(EXIT_FAILURE, "the gateway dropped %lu packets\n", drops(team) - dropped);
	*cycles = samples_median(times) / BURST;
	free(times);
	crew->packets += (uint64_t)TEAM_PACKETS * (batches + batches / WARMING);
	for (uint16_t i = 0; i < team->lanes; i++) {
		disturbed |= team->lane[i].disturbed;
		crew->checked += team->lane[i].checked;
		team->lane[i].checked = 0;
		if (team->lane[i].bound != NULL && speed_of_light_wrong(team->lane[i].bound) != 0)
			rte_exit(EXIT_FAILURE, "the bound itself went wrong\n");
	}
	return !disturbed;
}

static struct lane *lane_add(struct team *team, const struct traffic *traffic)
{
	struct lane *lane = &team->lane[team->lanes++];

	lane->traffic = *traffic;
	lane->traffic.random += team->lanes;
	return lane;
}

void team_add_lcore(struct team *team, struct subject *subject, uint16_t lcore, const uint8_t *receiver)
{
	struct gateway *gateway = subject->gateway;
	uint16_t number = team->lanes;
	struct lane *lane = lane_add(team, subject->traffic);

	lane->gateway = gateway;
	lane->lcore = lcore;
	if (gateway->path->context[lcore]->rx_count == 0)
		return;
	team->receivers++;
	for (uint16_t i = 0; i < WORKLOADS; i++)
		if (receiver == NULL || receiver[i] == number)
			lane->workload[lane->workloads++] = i;
}

struct lane *team_add_bound(
	struct team *team, struct speed_of_light *bound, const struct traffic *traffic, uint32_t flows)
{
	struct lane *lane = lane_add(team, traffic);

	lane->bound = bound;
	lane->traffic.flows = flows;
	team->receivers++;
	for (uint16_t i = 0; i < WORKLOADS; i++)
		lane->workload[lane->workloads++] = i;
	return lane;
}

static void priority_set(pthread_t thread, int policy)
{
	const struct sched_param priority = { .sched_priority = policy == SCHED_FIFO ? 1 : 0 };
	int error = pthread_setschedparam(thread, policy, &priority);

	if (error != 0)
		rte_exit(EXIT_FAILURE, "no real-time priority: %s\n", strerror(error));
}

static void second_start(struct crew *crew)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(crew->cpu[1], &set);
	if (sem_init(&crew->begin, 0, 0) < 0 || sem_init(&crew->end, 0, 0) < 0 ||
		pthread_create(&crew->second, NULL, second_main, crew) != 0 ||
		pthread_setaffinity_np(crew->second, sizeof(set), &set) != 0)
		rte_exit(EXIT_FAILURE, "no thread on CPU %u\n", crew->cpu[1]);
}

struct crew *crew_create(const unsigned cpu[LANES_MAX], bool realtime, struct rte_mempool *pool)
{
	struct crew *crew = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*crew), 64));

	if (crew == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	memset(crew, 0, sizeof(*crew));
	memcpy(crew->cpu, cpu, sizeof(crew->cpu));
	if (rte_pktmbuf_alloc_bulk(pool, crew->packet, TEAM_PACKETS) < 0)
		rte_exit(EXIT_FAILURE, "the packet pool is empty\n");
	second_start(crew);
	crew->realtime = realtime;
	if (realtime) {
		priority_set(crew->second, SCHED_FIFO);
		priority_set(pthread_self(), SCHED_FIFO);
	}
	return crew;
}

void crew_free(struct crew *crew)
{
	if (crew->realtime)
		priority_set(pthread_self(), SCHED_OTHER);
	crew->over = true;
	sem_post(&crew->begin);
	pthread_join(crew->second, NULL);
	sem_destroy(&crew->begin);
	sem_destroy(&crew->end);
	rte_pktmbuf_free_bulk(crew->packet, TEAM_PACKETS);
	free(crew);
}
