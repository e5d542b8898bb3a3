/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include "../pipeline/frame.h"
#include "tuples.h"
#include <math.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define FIRST_PORT 1024u
#define HUGE_PAGE  (UINT64_C(2) << 20)

const char *const direction_name[DIRECTIONS] = { "up", "down", "across" };
const char gateway_underlay_mac[] = "02:00:00:00:00:01", gateway_uplink_mac[] = "02:00:00:00:00:02";
const char segment_mac[] = "02:00:5e:00:50:01", router_mac[] = "52:54:00:00:ff:fe";
const char *const vtep_mac[2] = { "52:54:00:00:00:11", "52:54:00:00:00:12" };

/* One packet each way, as long as any, to be copied and given its addresses, ports and checksums. */
static struct frame template[DIRECTIONS];

static void templates_make(void)
{
	struct packet inside = { .mac_to = segment_mac,
		.mac_from = router_mac,
		.from = "0.0.0.0",
		.to = "0.0.0.0",
		.to_port = REMOTE_PORT,
		.data = FRAME_LONG - 42 };
	struct packet outside = { .mac_to = gateway_uplink_mac,
		.mac_from = router_mac,
		.from = "0.0.0.0",
		.to = "0.0.0.0",
		.from_port = REMOTE_PORT,
		.data = FRAME_LONG - 42 };
	struct tunnel_packet tunnel = { .mac_to = gateway_underlay_mac,
		.mac_from = vtep_mac[0],
		.from = "192.0.2.11",
		.to = "192.0.2.1",
		.vni = VNI };
	struct frame inner;

	frame_build(&inner, &inside);
	frame_encapsulate(&template[UP], &tunnel, &inner);
	template[ACROSS] = template[UP];
	frame_build(&template[DOWN], &outside);
}

/* In huge pages if possible: what the tester reads between two bursts should not take the translations of addresses from the
 * lcore that is measured. */
static struct outside *outside_take(uint32_t flows)
{
	size_t bytes = RTE_ALIGN_CEIL((size_t)flows * sizeof(struct outside), HUGE_PAGE);
	struct outside *outside = aligned_alloc(HUGE_PAGE, bytes);

	if (outside == NULL)
		abort();
	(void)madvise(outside, bytes, MADV_HUGEPAGE);
	memset(outside, 0, bytes);
	return outside;
}

struct traffic *traffic_create(uint32_t flows, uint32_t segments, const struct tuples *tuples)
{
	struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic == NULL)
		abort();
	traffic->outside = outside_take(flows);
	traffic->flows = flows;
	traffic->segments = segments;
	traffic->tuples = tuples;
	traffic->random = UINT64_C(0x9e3779b97f4a7c15);
	templates_make();
	return traffic;
}

void traffic_number_outside(struct traffic *traffic)
{
	for (uint32_t flow = 0; flow < traffic->flows; flow++)
		traffic->outside[flow] = (struct outside){
			.address =
				rte_cpu_to_be_32(0xcb004000 | (flow >> 14 & 0x3ff)), /* 203.0.64.0 and on */
			.port = rte_cpu_to_be_16((uint16_t)(0x8000 | (flow & 0x3fff))),
		};
}

void traffic_learn_outside(struct traffic *traffic, uint32_t flow, struct outside outside)
{
	traffic->outside[flow] = outside;
	traffic->uniform.next = traffic->zipf.next = DRAWN; /* what is drawn may be another by now */
}

void traffic_free(struct traffic *traffic)
{
	free(traffic->outside);
	free(traffic);
}

uint64_t traffic_random(struct traffic *traffic)
{
	uint64_t x = traffic->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return traffic->random = x;
}

static uint32_t uniform_draw(struct traffic *traffic)
{
	return (uint32_t)((traffic_random(traffic) >> 32) * traffic->flows >> 32);
}

static double unit_random(struct traffic *traffic)
{
	return (double)(traffic_random(traffic) >> 11) * 0x1p-53;
}

/* By rejection: ranks are drawn as often as log(1 + 1 / k) says, which is nearly 1 / k, without a table that would take
 * part of the cache. */
static uint32_t zipf_draw(struct traffic *traffic)
{
	double span = log((double)traffic->flows + 1), rank;

	do
		rank = floor(exp(unit_random(traffic) * span));
	while (rank > traffic->flows || unit_random(traffic) * rank * log1p(1 / rank) > M_LN2);
	/* A prime beyond any number of flows: neighbours in popularity are no neighbours in the tables. */
	return (uint32_t)((uint64_t)rank * UINT64_C(2654435761) % traffic->flows);
}

struct pick traffic_pick_flow(const struct traffic *traffic, uint32_t flow)
{
	return (struct pick){ .flow = flow, .outside = traffic->outside[flow] };
}

static struct pick drawn_next(
	struct traffic *traffic, struct drawn *drawn, uint32_t (*draw)(struct traffic *traffic))
{
	if (drawn->next == DRAWN || drawn->flows != traffic->flows) {
		for (uint32_t i = 0; i < DRAWN; i++)
			drawn->pick[i] = traffic_pick_flow(traffic, draw(traffic));
		drawn->next = 0;
		drawn->flows = traffic->flows;
	}
	return drawn->pick[drawn->next++];
}

struct pick traffic_pick(struct traffic *traffic)
{
	return drawn_next(traffic, &traffic->uniform, uniform_draw);
}

struct pick traffic_pick_zipf(struct traffic *traffic)
{
	return drawn_next(traffic, &traffic->zipf, zipf_draw);
}

void traffic_workload_mac(uint32_t workload, uint8_t mac[6])
{
	const uint8_t bytes[6] = { 0x52, 0x54, 0, 1, (uint8_t)(workload >> 8), (uint8_t)workload };

	memcpy(mac, bytes, sizeof(bytes));
}

uint32_t traffic_segment(const struct traffic *traffic, uint32_t workload)
{
	return workload % traffic->segments;
}

rte_be32_t traffic_segment_network(uint32_t segment)
{
	return rte_cpu_to_be_32(0x0a000000 | segment << 12); /* 10.0.0.0/20 and on */
}

rte_be32_t traffic_workload_ip(const struct traffic *traffic, uint32_t workload)
{
	return traffic_segment_network(traffic_segment(traffic, workload)) |
	       rte_cpu_to_be_32(0x400 | workload);
}

rte_be32_t traffic_workload_vtep(uint32_t workload)
{
	return rte_cpu_to_be_32(0xc000020b + (workload & 1)); /* 192.0.2.11 or 12 */
}

uint32_t traffic_peer(uint32_t workload)
{
	return workload ^ 1;
}

static struct flow_ends plain_ends(uint32_t flow)
{
	uint32_t number = flow / WORKLOADS; /* of the workload's flows */

	return (struct flow_ends){
		.workload = flow % WORKLOADS,
		.inside_port = rte_cpu_to_be_16((uint16_t)(FIRST_PORT + number)),
		.remote = rte_cpu_to_be_32(0xc6336400 | (number & 63)), /* 198.51.100.0 and on */
		.remote_port = RTE_BE16(REMOTE_PORT),
	};
}

struct flow_ends traffic_flow(const struct traffic *traffic, uint32_t flow)
{
	struct flow_ends ends =
		traffic->tuples == NULL ? plain_ends(flow) : tuples_ends(traffic->tuples, flow);

	ends.inside = traffic_workload_ip(traffic, ends.workload);
	return ends;
}

static void tunnel_write(const struct traffic *traffic, uint32_t workload, uint16_t length, uint8_t *data)
{
	struct rte_ipv4_hdr *outer = (void *)(data + sizeof(struct rte_ether_hdr));
	struct rte_udp_hdr *udp = (void *)(outer + 1);
	rte_be32_t vni = rte_cpu_to_be_32((VNI + traffic_segment(traffic, workload)) << 8);

	data[11] = (uint8_t)(0x11 + (workload & 1)); /* the VTEP's MAC */
	outer->src_addr = traffic_workload_vtep(workload);
	outer->total_length = rte_cpu_to_be_16((uint16_t)(length + OUTER - sizeof(struct rte_ether_hdr)));
	outer->hdr_checksum = 0;
	outer->hdr_checksum = rte_ipv4_cksum(outer);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(length + OUTER - 34));
	memcpy((uint8_t *)(udp + 1) + 4, &vni, sizeof(vni));
	traffic_workload_mac(workload, &data[OUTER + 6]);
}

static void lengths_and_checksums_write(struct rte_ipv4_hdr *ip, struct rte_udp_hdr *udp, uint16_t length)
{
	ip->total_length = rte_cpu_to_be_16((uint16_t)(length - sizeof(struct rte_ether_hdr)));
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(length - 34));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

void traffic_write(const struct traffic *traffic, struct pick pick, enum direction direction, uint16_t length,
	struct rte_mbuf *m)
{
	uint16_t before = direction == DOWN ? 0 : OUTER;
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	struct flow_ends ends = traffic_flow(traffic, pick.flow);
	const struct outside *outside = &pick.outside;
	struct rte_ipv4_hdr *ip = (void *)(data + before + sizeof(struct rte_ether_hdr));
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	rte_be32_t said[2] = { rte_cpu_to_be_32(pick.flow), rte_cpu_to_be_32(length) };

	memcpy(data, template[direction].bytes, before + length);
	m->data_len = (uint16_t)(before + length);
	m->pkt_len = m->data_len;
	if (direction != DOWN)
		tunnel_write(traffic, ends.workload, length, data);
	if (direction == ACROSS)
		ends.remote = traffic_workload_ip(traffic, traffic_peer(ends.workload));
	ip->src_addr = direction == DOWN ? ends.remote : ends.inside;
	udp->src_port = direction == DOWN ? ends.remote_port : ends.inside_port;
	ip->dst_addr = direction == DOWN ? outside->address : ends.remote;
	udp->dst_port = direction == DOWN ? outside->port : ends.remote_port;
	memcpy(udp + 1, said, sizeof(said)); /* for the check of what comes out */
	lengths_and_checksums_write(ip, udp, length);
}

static void lines_flush(const void *from, size_t bytes)
{
#ifdef __x86_64__
	uintptr_t line = (uintptr_t)from & ~(uintptr_t)(RTE_CACHE_LINE_SIZE - 1);

	for (; line < (uintptr_t)from + bytes; line += RTE_CACHE_LINE_SIZE)
		_mm_clflush((const void *)line);
#else
	(void)from;
	(void)bytes;
#endif
}

void traffic_chill(struct rte_mbuf *m)
{
	lines_flush(rte_pktmbuf_mtod(m, const void *), m->data_len);
	lines_flush(m, sizeof(*m) + m->priv_size);
	rte_mb();
}
