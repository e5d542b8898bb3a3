/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include "../pipeline/frame.h"
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 1024u

const char *const direction_name[DIRECTIONS] = { "up", "down" };
const char gateway_underlay_mac[] = "02:00:00:00:00:01", gateway_uplink_mac[] = "02:00:00:00:00:02";
const char segment_mac[] = "02:00:5e:00:50:01", router_mac[] = "52:54:00:00:ff:fe";
const char *const vtep_mac[2] = { "52:54:00:00:00:11", "52:54:00:00:00:12" };

/* One packet each way, to be copied and given its addresses, ports and checksums. */
static struct frame template[DIRECTIONS];

static void templates_make(void)
{
	struct packet inside = { .mac_to = segment_mac,
		.mac_from = router_mac,
		.from = "0.0.0.0",
		.to = "0.0.0.0",
		.to_port = REMOTE_PORT,
		.data = FRAME - 42 };
	struct packet outside = { .mac_to = gateway_uplink_mac,
		.mac_from = router_mac,
		.from = "0.0.0.0",
		.to = "0.0.0.0",
		.from_port = REMOTE_PORT,
		.data = FRAME - 42 };
	struct tunnel_packet tunnel = { .mac_to = gateway_underlay_mac,
		.mac_from = vtep_mac[0],
		.from = "192.0.2.11",
		.to = "192.0.2.1",
		.vni = VNI };
	struct frame inner;

	frame_build(&inner, &inside);
	frame_encapsulate(&template[UP], &tunnel, &inner);
	frame_build(&template[DOWN], &outside);
}

struct traffic *traffic_create(uint32_t flows)
{
	struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic == NULL || (traffic->outside = calloc(flows, sizeof(*traffic->outside))) == NULL)
		abort();
	traffic->flows = flows;
	traffic->random = UINT64_C(0x9e3779b97f4a7c15);
	templates_make();
	return traffic;
}

void traffic_number_outside(struct traffic *traffic)
{
	for (uint32_t flow = 0; flow < traffic->flows; flow++)
		traffic->outside[flow] = (struct outside){
			.address = rte_cpu_to_be_32(0xcb007140 | (flow >> 14 & 63)), /* 203.0.113.64 and on */
			.port = rte_cpu_to_be_16((uint16_t)(0x8000 | (flow & 0x3fff))),
		};
}

void traffic_free(struct traffic *traffic)
{
	free(traffic->outside);
	free(traffic);
}

uint32_t traffic_pick(struct traffic *traffic)
{
	uint64_t x = traffic->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	traffic->random = x;
	return (uint32_t)((x >> 32) * traffic->flows >> 32);
}

uint32_t traffic_workload(uint32_t flow)
{
	return flow % WORKLOADS;
}

void traffic_workload_mac(uint32_t workload, uint8_t mac[6])
{
	const uint8_t bytes[6] = { 0x52, 0x54, 0, 1, (uint8_t)(workload >> 8), (uint8_t)workload };

	memcpy(mac, bytes, sizeof(bytes));
}

rte_be32_t traffic_workload_ip(uint32_t workload)
{
	return rte_cpu_to_be_32(0x0a000400 | workload); /* 10.0.4.0 and on */
}

rte_be32_t traffic_workload_vtep(uint32_t workload)
{
	return rte_cpu_to_be_32(0xc000020b + (workload & 1)); /* 192.0.2.11 or 12 */
}

struct flow_ends traffic_flow(uint32_t flow)
{
	uint32_t number = flow / WORKLOADS; /* of the workload's flows */

	return (struct flow_ends){
		.inside = traffic_workload_ip(traffic_workload(flow)),
		.inside_port = rte_cpu_to_be_16((uint16_t)(FIRST_PORT + number)),
		.remote = rte_cpu_to_be_32(0xc6336400 | (number & 63)), /* 198.51.100.0 and on */
		.remote_port = RTE_BE16(REMOTE_PORT),
	};
}

static void checksums_write(struct rte_ipv4_hdr *ip, struct rte_udp_hdr *udp)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

void traffic_write(const struct traffic *traffic, uint32_t flow, enum direction direction, struct rte_mbuf *m)
{
	uint16_t length = direction == UP ? FRAME + OUTER : FRAME;
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	struct flow_ends ends = traffic_flow(flow);
	uint32_t workload = traffic_workload(flow);

	memcpy(data, template[direction].bytes, length);
	m->data_len = length;
	m->pkt_len = length;
	if (direction == UP) {
		struct rte_ipv4_hdr *outer = (void *)(data + sizeof(struct rte_ether_hdr));

		memcpy(&data[6], (uint8_t[]){ 0x52, 0x54, 0, 0, 0, (uint8_t)(0x11 + (workload & 1)) }, 6);
		outer->src_addr = traffic_workload_vtep(workload);
		outer->hdr_checksum = 0;
		outer->hdr_checksum = rte_ipv4_cksum(outer);
		data += OUTER;
		traffic_workload_mac(workload, &data[6]);
	}
	struct rte_ipv4_hdr *ip = (void *)(data + sizeof(struct rte_ether_hdr));
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	const struct outside *outside = &traffic->outside[flow];
	ip->src_addr = direction == UP ? ends.inside : ends.remote;
	udp->src_port = direction == UP ? ends.inside_port : ends.remote_port;
	rte_be32_t number = rte_cpu_to_be_32(flow); /* for the check of what comes out */
	memcpy(udp + 1, &number, sizeof(number));
	ip->dst_addr = direction == UP ? ends.remote : outside->address;
	udp->dst_port = direction == UP ? ends.remote_port : outside->port;
	checksums_write(ip, udp);
}
