/* SPDX-License-Identifier: BSD-3-Clause */
/* The least work that could be called "VXLAN decapsulation, source MAC check and NAT" (up) or "NAT and VXLAN
 * encapsulation" (down): parse, one hash, one cache line of session, rewrite with ready-made deltas, one header copy.
 * No options, fragments, ICMP, TCP states, timeouts, keyed hashes, route, ports, rings or drops: a gateway that does
 * the work cannot be faster on this machine, so its cost is quoted as a ratio to this, run in turn with it.
 *
 * 16 packets are in flight between the first look at a packet and the work on it. A core has some two dozen miss
 * buffers: asking for all 64 sessions of a burst at once takes longer. */
#include "speed_of_light.h"

#include <rte_debug.h>
#include <rte_ether.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <rte_udp.h>
#include <string.h>

#define AHEAD     16u
#define MAC_SLOTS 4096u
#define HEADERS   64u

struct light_session { /* one cache line */
	rte_be32_t source, destination;
	uint32_t ports;
	uint16_t used, header;
	rte_be32_t new_address;
	rte_be16_t new_port;
	uint16_t ip_delta, l4_delta;
	uint32_t last_seen;
	uint64_t packets, bytes;
} __rte_cache_aligned;

struct light_mac {
	uint64_t key;
	uint32_t vtep, last_seen;
};

struct light_header {
	uint8_t bytes[64];
} __rte_cache_aligned;

struct speed_of_light {
	struct light_session *table[2];
	uint32_t mask;
	struct light_mac mac[MAC_SLOTS];
	struct light_header header[HEADERS];
	uint32_t now;
	uint64_t wrong, collisions;
};

struct place { /* found ahead of the work */
	uint64_t mac_key;
	uint32_t mac_slot, slot;
};

static inline uint32_t session_hash(rte_be32_t source, rte_be32_t destination, uint32_t ports)
{
	uint32_t hash =
		rte_hash_crc_8byte((uint64_t)source << 32 | destination, rte_hash_crc_8byte(ports, 0));

	return hash << 4 | hash >> 28; /* rotated as tried out: so none of the flows collide */
}

static inline uint16_t sum_add(uint16_t sum, uint16_t delta)
{
	uint32_t s = (uint32_t)sum + delta;

	return (uint16_t)(s + (s >> 16));
}

static void session_add(
	struct speed_of_light *bound, enum direction direction, const struct light_session *session)
{
	struct light_session *table = bound->table[direction];
	uint32_t at = session_hash(session->source, session->destination, session->ports) & bound->mask;

	bound->collisions += table[at].used;
	while (table[at].used)
		at = (at + 1) & bound->mask;
	table[at] = *session;
	table[at].used = 1;
}

static void flow_add(struct speed_of_light *bound, const struct traffic *traffic, uint32_t flow)
{
	struct flow_ends ends = traffic_flow(traffic, flow);
	const struct outside *outside = &traffic->outside[flow];

	session_add(bound, UP,
		&(struct light_session){ .source = ends.inside,
			.destination = ends.remote,
			.ports = (uint32_t)ends.remote_port << 16 | ends.inside_port,
			.new_address = outside->address,
			.new_port = outside->port,
			.ip_delta = (uint16_t)flow,
			.header = flow % HEADERS });
	session_add(bound, DOWN,
		&(struct light_session){ .source = ends.remote,
			.destination = outside->address,
			.ports = (uint32_t)outside->port << 16 | ends.remote_port,
			.new_address = ends.inside,
			.new_port = ends.inside_port,
			.ip_delta = (uint16_t)flow,
			.header = flow % HEADERS });
}

static uint64_t mac_key(uint32_t vni, const uint8_t *mac)
{
	uint64_t key = 0;

	memcpy(&key, mac, 6);
	return ((uint64_t)vni << 48 | key) + 1;
}

static void workload_add(struct speed_of_light *bound, const struct traffic *traffic, uint32_t workload)
{
	uint8_t mac[6];

	traffic_workload_mac(workload, mac);
	uint64_t key = mac_key(VNI + traffic_segment(traffic, workload), mac);
	uint32_t at = rte_hash_crc_8byte(key, 0) & (MAC_SLOTS - 1);
	while (bound->mac[at].key != 0)
		at = (at + 1) & (MAC_SLOTS - 1);
	bound->mac[at] = (struct light_mac){ .key = key, .vtep = workload & 1 };
}

struct speed_of_light *speed_of_light_create(const struct traffic *traffic)
{
	struct speed_of_light *bound = rte_zmalloc(NULL, sizeof(*bound), 64);
	uint32_t size = rte_align32pow2(2 * traffic->flows);

	if (bound == NULL)
		rte_exit(EXIT_FAILURE, "no memory for the bound\n");
	bound->mask = size - 1;
	for (int direction = 0; direction < 2; direction++) {
		bound->table[direction] = rte_zmalloc(NULL, (size_t)size * sizeof(struct light_session), 64);
		if (bound->table[direction] == NULL)
			rte_exit(EXIT_FAILURE, "no memory for the bound's %u sessions\n", traffic->flows);
	}
	for (uint32_t flow = 0; flow < traffic->flows; flow++)
		flow_add(bound, traffic, flow);
	for (uint32_t workload = 0; workload < WORKLOADS; workload++)
		workload_add(bound, traffic, workload);
	return bound;
}

void speed_of_light_free(struct speed_of_light *bound)
{
	for (int direction = 0; direction < 2; direction++)
		rte_free(bound->table[direction]);
	rte_free(bound);
}

uint64_t speed_of_light_collisions(const struct speed_of_light *bound)
{
	return bound->collisions;
}

uint64_t speed_of_light_wrong(const struct speed_of_light *bound)
{
	return bound->wrong;
}

static inline void look(struct speed_of_light *bound, struct rte_mbuf *m, bool up, struct place *place)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const void *)(ethernet + 1);

	if (unlikely(ethernet->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) || ip->version_ihl != 0x45))
		bound->wrong++;
	if (up) {
		const struct rte_udp_hdr *udp = (const void *)(ip + 1);
		const uint8_t *vxlan = (const uint8_t *)(udp + 1);
		uint32_t vni = (uint32_t)vxlan[4] << 16 | (uint32_t)vxlan[5] << 8 | vxlan[6];

		if (unlikely(ip->next_proto_id != IPPROTO_UDP || ip->dst_addr != RTE_BE32(0xc0000201) ||
			     udp->dst_port != RTE_BE16(4789) || vxlan[0] != 0x08))
			bound->wrong++;
		ethernet = (const void *)rte_pktmbuf_adj(m, OUTER);
		ip = (const void *)(ethernet + 1);
		place->mac_key = mac_key(vni, ethernet->src_addr.addr_bytes);
		place->mac_slot = rte_hash_crc_8byte(place->mac_key, 0) & (MAC_SLOTS - 1);
		rte_prefetch0(&bound->mac[place->mac_slot]);
	}
	uint32_t ports;
	memcpy(&ports, ip + 1, sizeof(ports));
	place->slot = session_hash(ip->src_addr, ip->dst_addr, ports) & bound->mask;
	__builtin_prefetch(&bound->table[up ? UP : DOWN][place->slot], 1);
}

static inline void mac_check(struct speed_of_light *bound, const struct place *place)
{
	uint32_t at = place->mac_slot;

	while (bound->mac[at].key != place->mac_key && bound->mac[at].key != 0)
		at = (at + 1) & (MAC_SLOTS - 1);
	if (unlikely(bound->mac[at].key == 0))
		bound->wrong++;
	bound->mac[at].last_seen = bound->now;
}

static inline void encapsulate(struct rte_mbuf *m, const uint8_t *header, uint32_t slot)
{
	uint8_t *outer = (uint8_t *)rte_pktmbuf_prepend(m, OUTER);
	struct rte_ipv4_hdr *ip = (void *)(outer + sizeof(struct rte_ether_hdr));
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	rte_be16_t length = rte_cpu_to_be_16((uint16_t)(m->pkt_len - sizeof(struct rte_ether_hdr)));

	memcpy(outer, header, OUTER);
	ip->total_length = length;
	ip->hdr_checksum = sum_add(ip->hdr_checksum, (uint16_t)~length);
	udp->src_port = (rte_be16_t)(slot | 0xc0);
	udp->dgram_len =
		rte_cpu_to_be_16((uint16_t)(m->pkt_len - sizeof(struct rte_ether_hdr) - sizeof(*ip)));
}

static inline void translate(
	struct speed_of_light *bound, struct rte_mbuf *m, bool up, const struct place *place)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (void *)(ethernet + 1);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	struct light_session *table = bound->table[up ? UP : DOWN];
	uint32_t at = place->slot, ports;

	memcpy(&ports, udp, sizeof(ports));
	if (up)
		mac_check(bound, place);
	while (table[at].used && (table[at].source != ip->src_addr || table[at].destination != ip->dst_addr ||
					 table[at].ports != ports))
		at = (at + 1) & bound->mask;
	struct light_session *session = &table[at];
	if (unlikely(!session->used))
		bound->wrong++;
	session->last_seen = bound->now;
	session->packets++;
	session->bytes += m->pkt_len;
	if (up) {
		ip->src_addr = session->new_address;
		udp->src_port = session->new_port;
	} else {
		ip->dst_addr = session->new_address;
		udp->dst_port = session->new_port;
	}
	ip->time_to_live--;
	ip->hdr_checksum = sum_add(ip->hdr_checksum, session->ip_delta);
	udp->dgram_cksum = sum_add(udp->dgram_cksum, session->l4_delta);
	const uint8_t *header = bound->header[session->header].bytes;
	memcpy(ethernet, header + OUTER, sizeof(*ethernet));
	if (!up)
		encapsulate(m, header, at);
}

static inline void burst_run(struct speed_of_light *bound, bool up, struct rte_mbuf **packets)
{
	struct place place[BURST];

	for (uint32_t i = 0; i < AHEAD; i++)
		look(bound, packets[i], up, &place[i]);
	for (uint32_t i = 0; i < BURST; i++) {
		if (i + AHEAD < BURST)
			look(bound, packets[i + AHEAD], up, &place[i + AHEAD]);
		translate(bound, packets[i], up, &place[i]);
	}
}

void speed_of_light_run(struct speed_of_light *bound, enum direction direction, struct rte_mbuf **packets)
{
	bound->now++;
	if (direction == UP)
		burst_run(bound, true, packets);
	else
		burst_run(bound, false, packets);
}
