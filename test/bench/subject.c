/* SPDX-License-Identifier: BSD-3-Clause */
/* The ports are rings (net_ring): receiving and sending a burst is to copy 64 pointers, so that the device costs next
 * to nothing, and what is timed is one whole turn of a packet lcore: its receive, all stages, its send, its expiry. */
#include "subject.h"

#include "../pipeline/gateway_ports.h"
#include "check.h"
#include "table/nat.h"
#include <rte_cycles.h>
#include <rte_debug.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>

#define FILLINGS 16u /* parts of the way from an empty table to a full one */

static const char config[] =
	"{ \"name\": \"bench\","
	"  \"lcores\": { \"management\": 0, \"packet\": [1], \"idle\": \"poll\" },"
	"  \"telemetry\": { \"socket\": \"off\" },"
	"  \"ports\": ["
	"    { \"name\": \"underlay\", \"device\": \"net_ring0\", \"mtu\": 1600, \"addresses\": "
	"[\"192.0.2.1/24\"] },"
	"    { \"name\": \"uplink\", \"device\": \"net_ring1\", \"mtu\": 1500, \"addresses\": "
	"[\"203.0.113.1/24\"] } ],"
	"  \"routes\": [ { \"prefix\": \"0.0.0.0/0\", \"via\": \"203.0.113.254\" } ],"
	"  \"vxlan\": { \"source\": \"192.0.2.1\" },"
	"  \"segments\": ["
	"    { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.0.1/20\", \"mac\": "
	"\"02:00:5e:00:50:01\","
	"      \"flood\": { \"vteps\": [\"192.0.2.11\", \"192.0.2.12\"] } } ],"
	"  \"nat\": {"
	"    \"pools\": [ { \"name\": \"internet\", \"addresses\": [\"203.0.113.64-203.0.113.127\"] } ],"
	"    \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.0.0/20\", \"pool\": \"internet\" } ],"
	"    \"max_sessions\": %u, \"new_sessions_a_burst\": 64, \"timeouts\": { \"udp\": 86400 } } }";

static void gateway_make(struct subject *subject, uint32_t sessions)
{
	struct world world = {
		.host = { { .name = "router", .mac = router_mac, .ip = "203.0.113.254", .port = UPLINK },
			{ .name = "vtep1", .mac = vtep_mac[0], .ip = "192.0.2.11", .port = UNDERLAY },
			{ .name = "vtep2", .mac = vtep_mac[1], .ip = "192.0.2.12", .port = UNDERLAY } },
	};
	char text[sizeof(config) + 16];

	snprintf(text, sizeof(text), config, sessions);
	world.config = text;
	subject->gateway = gateway_create(&world, PLAN_FUSED);
}

/* Each workload asks for the gateway's MAC, and so is known: its MAC, its VTEP, its address. */
static void workloads_speak(struct subject *subject)
{
	struct gateway *gateway = subject->gateway;
	struct frame inner, frame, answer;

	for (uint32_t workload = 0; workload < WORKLOADS; workload++) {
		uint32_t vtep = workload & 1;
		struct tunnel_packet tunnel = { .mac_to = gateway_underlay_mac,
			.mac_from = vtep_mac[vtep],
			.from = vtep ? "192.0.2.12" : "192.0.2.11",
			.to = "192.0.2.1",
			.vni = VNI };

		frame_arp(&inner, &(struct arp){ .mac_from = router_mac,
					  .operation = 1,
					  .sender = "0.0.0.0",
					  .target = "10.0.0.1" });
		traffic_workload_mac(workload, &inner.bytes[6]);
		traffic_workload_mac(workload, &inner.bytes[22]);
		frame_put32(&inner, 28, rte_be_to_cpu_32(traffic_workload_ip(workload)));
		frame_encapsulate(&frame, &tunnel, &inner);
		gateway_send(gateway, UNDERLAY, &frame);
		if (workload % 128 == 127)
			gateway_advance(gateway, 10); /* the meter of ARP fills up again */
	}
	unsigned answers = 0;
	while (gateway_receive(gateway, UNDERLAY, &answer))
		answers++;
	if (answers != WORKLOADS || slowpath_counters(gateway->slowpath)->macs_learned != WORKLOADS)
		rte_exit(EXIT_FAILURE, "%u of %u workloads got an answer\n", answers, WORKLOADS);
}

static void burst_write(struct rte_mempool *pool, const struct traffic *traffic, enum direction direction,
	const uint32_t flow[BURST], struct rte_mbuf **packets)
{
	if (rte_pktmbuf_alloc_bulk(pool, packets, BURST) < 0)
		rte_exit(EXIT_FAILURE, "the packet pool is empty\n");
	for (uint32_t i = 0; i < BURST; i++)
		traffic_write(traffic, flow[i], direction, packets[i]);
}

static void flows_pick(struct traffic *traffic, uint32_t flow[BURST])
{
	for (uint32_t i = 0; i < BURST; i++)
		flow[i] = traffic_pick(traffic);
}

/* One burst through the gateway; returns the cycles of the turn. `out` gets the packets that came out. */
static uint64_t burst_run(
	struct subject *subject, enum direction direction, struct rte_mbuf **packets, struct rte_mbuf **out)
{
	struct gateway_ports *ports = subject->gateway->ports;
	struct lcore_context *context = subject->gateway->path->context[0];
	uint16_t in_port = direction == UP ? UNDERLAY : UPLINK,
		 out_port = direction == UP ? UPLINK : UNDERLAY;

	if (rte_ring_enqueue_bulk(ports->port[in_port].rx[0], (void **)packets, BURST, NULL) != BURST)
		rte_exit(EXIT_FAILURE, "a receive ring is full\n");
	uint64_t start = rte_rdtsc_precise();
	packet_path_poll(context, start);
	uint64_t spent = rte_rdtsc_precise() - start;
	unsigned sent = rte_ring_dequeue_burst(ports->port[out_port].tx[0], (void **)out, BURST, NULL);
	if (sent != BURST)
		rte_exit(EXIT_FAILURE, "%u of %u packets came out, %s\n", sent, BURST,
			direction_name[direction]);
	subject->packets += BURST;
	return spent;
}

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

static void sessions_open(struct subject *subject)
{
	struct traffic *traffic = subject->traffic;
	uint32_t flow[BURST], bursts = (traffic->flows + BURST - 1) / BURST;
	struct rte_mbuf *packets[BURST], *out[BURST];
	uint64_t *spent = calloc(bursts, sizeof(*spent));

	if (spent == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++) {
		for (uint32_t i = 0; i < BURST; i++)
			flow[i] = (n * BURST + i) % traffic->flows;
		burst_write(subject->pool, traffic, UP, flow, packets);
		spent[n] = burst_run(subject, UP, packets, out);
		for (uint32_t i = 0; i < BURST; i++)
			check_learn_outside(traffic, out[i]);
		rte_pktmbuf_free_bulk(out, BURST);
	}
	if (gateway_sessions(subject->gateway) != traffic->flows)
		rte_exit(EXIT_FAILURE, "%lu sessions, not %u\n", gateway_sessions(subject->gateway),
			traffic->flows);
	subject->cycles_a_new_session = fillings_mean(spent, bursts) / BURST;
	subject->bytes_a_session = (double)nat_bytes(subject->gateway->plane->nat) / traffic->flows;
	free(spent);
}

struct subject *subject_create(uint32_t sessions, struct rte_mempool *pool)
{
	struct subject *subject = calloc(1, sizeof(*subject));

	if (subject == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	subject->pool = pool;
	subject->traffic = traffic_create(sessions);
	gateway_make(subject, sessions);
	workloads_speak(subject);
	sessions_open(subject);
	subject->bound_traffic = traffic_create(sessions);
	traffic_number_outside(subject->bound_traffic);
	subject->bound = speed_of_light_create(subject->bound_traffic);
	if (speed_of_light_collisions(subject->bound) > 0)
		fprintf(stderr, "\rwith %u sessions the bound has %lu collisions: it could be lower\n",
			sessions, speed_of_light_collisions(subject->bound));
	return subject;
}

void subject_destroy(struct subject *subject)
{
	speed_of_light_free(subject->bound);
	gateway_destroy(subject->gateway);
	traffic_free(subject->traffic);
	traffic_free(subject->bound_traffic);
	free(subject);
}

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

void subject_measure(
	struct subject *subject, enum direction direction, uint32_t bursts, struct measure *result)
{
	struct samples *part = calloc(PARTS, sizeof(*part)), *whole = calloc(1, sizeof(*whole));
	uint64_t drops = gateway_drops_all(subject->gateway);
	struct rte_mbuf *packets[BURST], *out[BURST];
	uint32_t flow[BURST];

	if (part == NULL || whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++) {
		struct stage_cycles before, after;

		flows_pick(subject->traffic, flow);
		burst_write(subject->pool, subject->traffic, direction, flow, packets);
		if (subject->beside != NULL)
			subject->beside(subject);
		stage_cycles_read(subject, &before);
		uint64_t spent = burst_run(subject, direction, packets, out);
		stage_cycles_read(subject, &after);
		samples_add(whole, spent);
		parts_add(part, &before, &after, spent);
		for (uint32_t i = 0; n % 64 == 0 && i < BURST; i++) {
			check_packet(subject->traffic, direction, out[i]);
			subject->checked++;
		}
		rte_pktmbuf_free_bulk(out, BURST);
	}
	if (subject->beside == NULL && gateway_drops_all(subject->gateway) != drops)
		rte_exit(EXIT_FAILURE, "the gateway dropped %lu packets\n",
			gateway_drops_all(subject->gateway) - drops);
	result->cycles = samples_median(whole) / BURST;
	for (int i = 0; i < PARTS; i++)
		result->part[i] = samples_median(&part[i]) / BURST;
	free(part);
	free(whole);
}

double subject_measure_bound(struct subject *subject, enum direction direction, uint32_t bursts)
{
	struct samples *whole = calloc(1, sizeof(*whole));
	struct rte_mbuf *packets[BURST];
	uint32_t flow[BURST];

	if (whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++) {
		flows_pick(subject->bound_traffic, flow);
		burst_write(subject->pool, subject->bound_traffic, direction, flow, packets);
		uint64_t start = rte_rdtsc_precise();
		speed_of_light_run(subject->bound, direction, packets);
		samples_add(whole, rte_rdtsc_precise() - start);
		rte_pktmbuf_free_bulk(packets, BURST);
	}
	if (speed_of_light_wrong(subject->bound) != 0)
		rte_exit(EXIT_FAILURE, "the bound itself went wrong\n");
	double median = samples_median(whole) / BURST;
	free(whole);
	return median;
}

double subject_measure_devices(struct subject *subject, uint32_t bursts)
{
	struct gateway_ports *ports = subject->gateway->ports;
	struct samples *whole = calloc(1, sizeof(*whole));
	struct rte_mbuf *packets[BURST], *out[BURST];
	uint32_t flow[BURST] = { 0 };

	if (whole == NULL)
		rte_exit(EXIT_FAILURE, "no memory\n");
	for (uint32_t n = 0; n < bursts; n++) {
		burst_write(subject->pool, subject->traffic, DOWN, flow, packets);
		rte_ring_enqueue_bulk(ports->port[UPLINK].rx[0], (void **)packets, BURST, NULL);
		uint64_t start = rte_rdtsc_precise();
		uint16_t got = rte_eth_rx_burst(ports->port[UPLINK].device, 0, out, BURST);
		rte_eth_tx_burst(ports->port[UNDERLAY].device, 0, out, got);
		samples_add(whole, rte_rdtsc_precise() - start);
		rte_ring_dequeue_burst(ports->port[UNDERLAY].tx[0], (void **)out, BURST, NULL);
		rte_pktmbuf_free_bulk(out, BURST);
	}
	double median = samples_median(whole) / BURST;
	free(whole);
	return median;
}
