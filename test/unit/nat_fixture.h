/* SPDX-License-Identifier: BSD-3-Clause */
/* A gateway for the tests of NAT: segments 0 "web" (10.0.1.0/24) and 1 "db", which overlap in addresses and use pools of
 * their own, one static binding, two forwards; packets made by hand, with metadata as route leaves it; and checks that
 * compute every checksum anew. */
#pragma once

#include "eal_fixture.h"
#include "packet/packet_metadata.h"
#include "stage/lcore_context.h"
#include "stage/nat_private.h"
#include "stage/stage.h"
#include "table/data_plane.h"
#include "table/nat.h"
#include "table/nat_owner.h"
#include <netinet/in.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <string.h>

#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

#define HOST_A       IP(10, 0, 1, 11)
#define HOST_B       IP(10, 0, 1, 12)
#define STATIC_HOST  IP(10, 0, 1, 5)
#define STATIC_IP    IP(203, 0, 113, 20)
#define FORWARD_HOST IP(10, 0, 1, 6)
#define OWN_IP       IP(203, 0, 113, 1) /* of the gateway itself, with forwards */
#define REMOTE       IP(198, 51, 100, 7)
#define REMOTE_2     IP(198, 51, 100, 8)

enum { WEB, DB, SEGMENTS };

static const struct nat_pool_range web_range = { 0xcb00710a, 0xcb00710d }; /* 203.0.113.10 to .13 */
static const struct nat_pool_range db_range = { 0xcb007128, 0xcb007128 };  /* 203.0.113.40 */
static const struct nat_port_range web_ports = { 1024, 65535 }, db_ports = { 2000, 2099 };
static const struct nat_pool_settings test_pools[] = {
	{ .name = "web", .range = &web_range, .range_count = 1, .ports = &web_ports, .port_range_count = 1 },
	{ .name = "db", .range = &db_range, .range_count = 1, .ports = &db_ports, .port_range_count = 1 },
};
static const struct nat_source_settings test_sources[] = {
	{ .segment = WEB, .prefix = IP(10, 0, 1, 0), .prefix_length = 24, .pool = 0 },
	{ .segment = DB, .prefix = IP(10, 0, 0, 0), .prefix_length = 16, .pool = 1 },
};
static const struct nat_static_settings test_statics[] = {
	{ .segment = WEB, .inside = STATIC_HOST, .outside = STATIC_IP },
};
static const struct nat_forward_settings test_forwards[] = {
	{ WEB, IPPROTO_TCP, OWN_IP, FORWARD_HOST, 8080, 80 },
	{ WEB, IPPROTO_UDP, OWN_IP, FORWARD_HOST, 5353, 53 },
};

static const struct nat_settings test_settings = {
	.pool = test_pools,
	.pool_count = RTE_DIM(test_pools),
	.source = test_sources,
	.source_count = RTE_DIM(test_sources),
	.static_binding = test_statics,
	.static_count = RTE_DIM(test_statics),
	.forward = test_forwards,
	.forward_count = RTE_DIM(test_forwards),
	.max_sessions = 4096,
	.tcp_established_s = 7440,
	.tcp_opening_s = 240,
	.tcp_closing_s = 240,
	.udp_s = 300,
	.icmp_s = 60,
	.segment_count = SEGMENTS,
	.owners = 1,
};

struct gateway {
	struct data_plane plane;
	struct nat *nat;
	struct rte_mempool *pool;
	struct lcore_context *context; /* [owners] */
	uint16_t owners;
};

static inline struct gateway *gateway_start(const struct nat_settings *settings)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	eal_start();
	gateway->pool = rte_pktmbuf_pool_create("packets", 1023, 0, PACKET_PRIVATE_SIZE, 2048, SOCKET_ID_ANY);
	cr_assert_not_null(gateway->pool);
	gateway->plane.segments = segment_table_create(SEGMENTS);
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		int at = segment_add(gateway->plane.segments, 5001 + i);
		gateway->plane.segments->segment[at].mtu = 1450;
		gateway->plane.segments->segment[at].interface = interface_of_segment((uint16_t)at);
	}
	gateway->plane.neighbours = neighbour_table_create(1024);
	gateway->nat = nat_create(settings);
	cr_assert_not_null(gateway->nat);
	gateway->plane.nat = gateway->nat;
	gateway->owners = settings->owners;
	gateway->context = rte_zmalloc(NULL, settings->owners * sizeof(*gateway->context), 64);
	for (uint16_t i = 0; i < settings->owners; i++) {
		gateway->context[i].index = i;
		gateway->context[i].plane = &gateway->plane;
		gateway->context[i].nat = nat_owner(gateway->nat, i);
		gateway->context[i].owner_index = i;
		gateway->context[i].owner_count = settings->owners;
		gateway->context[i].tick = 1000;
	}
	return gateway;
}

static inline void gateway_stop(struct gateway *gateway)
{
	nat_destroy(gateway->nat);
	neighbour_table_destroy(gateway->plane.neighbours);
	segment_table_destroy(gateway->plane.segments);
	rte_mempool_free(gateway->pool);
	rte_free(gateway->context);
	free(gateway);
}

/* A packet to make; what is 0 gets a default. */
struct packet {
	enum nat_direction from;
	uint16_t segment; /* from inside */
	uint8_t protocol; /* 0: UDP */
	rte_be32_t source, destination;
	uint16_t source_port, destination_port; /* host byte order; ICMP: identifier and sequence */
	uint8_t tcp_flags;                      /* 0: ACK */
	uint8_t icmp_type;
	uint16_t payload;
	uint8_t ttl;      /* 0: 64 */
	uint8_t options;  /* bytes of IP options, a multiple of 4 */
	uint8_t flags;    /* enum packet_flag */
	bool no_checksum; /* UDP with checksum 0 */
	bool dont_fragment;
};

static inline uint16_t l4_header_size(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? sizeof(struct rte_tcp_hdr) : 8;
}

static inline uint16_t l4_checksum_offset(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2;
}

/* The sum over what the L4 checksum covers, the field itself included: 0xffff when it is right. */
static inline uint16_t l4_sum(const struct rte_ipv4_hdr *ip)
{
	uint16_t header = (uint16_t)((ip->version_ihl & 15) * 4);
	uint16_t length = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - header);
	const uint8_t *l4 = (const uint8_t *)ip + header;
	uint32_t sum = rte_raw_cksum(l4, length);

	if (ip->next_proto_id != IPPROTO_ICMP) {
		struct {
			rte_be32_t source, destination;
			uint8_t zero, protocol;
			rte_be16_t length;
		} pseudo = { ip->src_addr, ip->dst_addr, 0, ip->next_proto_id, rte_cpu_to_be_16(length) };
		sum += rte_raw_cksum(&pseudo, sizeof(pseudo));
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The checksum field as a sender would write it, from nothing. */
static inline uint16_t l4_checksum(const struct rte_ipv4_hdr *ip)
{
	uint8_t copy[2048];
	uint16_t header = (uint16_t)((ip->version_ihl & 15) * 4);

	memcpy(copy, ip, rte_be_to_cpu_16(ip->total_length));
	memset(copy + header + l4_checksum_offset(ip->next_proto_id), 0, 2);
	uint16_t checksum = (uint16_t)~l4_sum((struct rte_ipv4_hdr *)copy);
	return ip->next_proto_id == IPPROTO_UDP && checksum == 0 ? 0xffff : checksum;
}

/* The IP packet of `spec` at `ip`, whole, with right checksums. Returns its length. */
static inline uint16_t ip_packet_write(struct rte_ipv4_hdr *ip, const struct packet *spec)
{
	uint8_t protocol = spec->protocol ? spec->protocol : IPPROTO_UDP;
	uint16_t header = (uint16_t)(sizeof(*ip) + spec->options);
	uint16_t length = (uint16_t)(header + l4_header_size(protocol) + spec->payload);
	uint8_t *l4 = (uint8_t *)ip + header;

	memset(ip, 0, header + l4_header_size(protocol));
	memset((uint8_t *)(ip + 1), 1 /* no operation */, spec->options);
	ip->version_ihl = (uint8_t)(0x40 | header / 4);
	ip->total_length = rte_cpu_to_be_16(length);
	ip->packet_id = RTE_BE16(0x1234);
	ip->fragment_offset = spec->dont_fragment ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
	ip->time_to_live = spec->ttl ? spec->ttl : 64;
	ip->next_proto_id = protocol;
	ip->src_addr = spec->source;
	ip->dst_addr = spec->destination;
	for (uint16_t i = 0; i < spec->payload; i++)
		l4[l4_header_size(protocol) + i] = (uint8_t)(i * 7 + 3);
	uint16_t ports[2] = { rte_cpu_to_be_16(spec->source_port), rte_cpu_to_be_16(spec->destination_port) };
	if (protocol == IPPROTO_ICMP)
		l4[0] = spec->icmp_type, memcpy(l4 + 4, ports, 4);
	else
		memcpy(l4, ports, 4);
	if (protocol == IPPROTO_TCP)
		l4[12] = 0x50, l4[13] = spec->tcp_flags ? spec->tcp_flags : RTE_TCP_ACK_FLAG, l4[4] = 0x42,
		l4[8] = 0x42; /* either side at the same place, acknowledging all of the other */
	if (protocol == IPPROTO_UDP)
		l4[4] = (uint8_t)((length - header) >> 8), l4[5] = (uint8_t)(length - header);
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header);
	if (!spec->no_checksum &&
		(protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP))
		*(uint16_t *)(l4 + l4_checksum_offset(protocol)) = l4_checksum(ip);
	return length;
}

static inline struct rte_ipv4_hdr *packet_ip(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, L3_OFFSET);
}

static inline uint8_t *packet_l4(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, packet_metadata(m)->l4_offset);
}

/* Metadata as route leaves it. */
static inline void packet_route(struct rte_mbuf *m, const struct packet *spec)
{
	struct rte_ipv4_hdr *ip = packet_ip(m);
	bool inside = spec->from == NAT_FROM_INSIDE;

	*packet_metadata(m) = (struct packet_metadata){
		.ingress = inside ? interface_of_segment(spec->segment) : 1,
		.egress = inside ? 1 : INTERFACE_NONE,
		.next_hop = inside ? IP(203, 0, 113, 254) : 0,
		.neighbour = INDEX_NONE,
		.tunnel = INDEX_NONE,
		.fdb = INDEX_NONE,
		.flags = spec->flags,
		.nat = (uint8_t)spec->from,
		.protocol = ip->next_proto_id,
		.l4_offset = (uint8_t)(L3_OFFSET + (ip->version_ihl & 15) * 4),
	};
	m->data_len = (uint16_t)(L3_OFFSET + rte_be_to_cpu_16(ip->total_length));
	m->pkt_len = m->data_len;
}

static inline struct rte_mbuf *packet_make(struct gateway *gateway, const struct packet *spec)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(gateway->pool);

	cr_assert_not_null(m);
	memset(rte_pktmbuf_mtod(m, void *), 0xee, 1800);
	ip_packet_write(packet_ip(m), spec);
	packet_route(m, spec);
	return m;
}

/* A refused session gets its drop as the verdict, not the one in some that asks for an answer too. */
static inline void refusals_quiet(struct lcore_context *context)
{
	context->refusals_told.tick = context->tick;
	context->refusals_told.told = DROPS_TOLD_A_TICK;
}

/* Through the gateway stage of the packet's owner. */
static inline uint8_t gateway_take(struct gateway *gateway, struct rte_mbuf *m)
{
	struct lcore_context *context = &gateway->context[0];
	uint8_t verdict = 0xff;

	if (gateway->owners > 1) {
		nat_handoff_process(context, &m, 1, &verdict);
		context = &gateway->context[packet_metadata(m)->owner];
		if (verdict != VERDICT_HANDOFF && verdict != STAGE_NAT_GATEWAY)
			return verdict;
	}
	refusals_quiet(context);
	nat_gateway_process(context, &m, 1, &verdict);
	return verdict;
}

static inline void expect_right_checksums(struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ip(m);
	uint16_t header = (uint16_t)((ip->version_ihl & 15) * 4);
	uint16_t l4 =
		*(const uint16_t *)((const uint8_t *)ip + header + l4_checksum_offset(ip->next_proto_id));

	cr_assert_eq(rte_raw_cksum(ip, header), 0xffff, "IP header checksum");
	if (ip->next_proto_id == IPPROTO_UDP && l4 == 0)
		return;
	cr_assert_eq(l4, l4_checksum(ip), "L4 checksum %04x, should be %04x", l4, l4_checksum(ip));
}

/* The packet as it came out must be `spec` to the last byte, with the TTL that is left. */
static inline void expect_packet(struct rte_mbuf *m, const struct packet *spec)
{
	uint8_t wanted[2048];
	uint16_t length = ip_packet_write((struct rte_ipv4_hdr *)wanted, spec);
	const uint8_t *got = (const uint8_t *)packet_ip(m);

	cr_assert_eq(m->data_len, L3_OFFSET + length);
	for (uint16_t i = 0; i < length; i++)
		cr_assert_eq(got[i], wanted[i], "byte %u of the IP packet is %02x, should be %02x", i, got[i],
			wanted[i]);
	for (uint16_t i = 0; i < L3_OFFSET; i++)
		cr_assert_eq(rte_pktmbuf_mtod(m, uint8_t *)[i], 0xee, "NAT wrote to the Ethernet header");
	cr_assert_eq(got[length], 0xee, "NAT wrote beyond the packet");
}

static inline uint8_t gateway_send(struct gateway *gateway, const struct packet *spec)
{
	struct rte_mbuf *m = packet_make(gateway, spec);
	uint8_t verdict = gateway_take(gateway, m);

	rte_pktmbuf_free(m);
	return verdict;
}

/* Sends it and expects it to go on as `wanted`. */
#define expect_translated(gateway, spec, wanted)                                                             \
	do {                                                                                                 \
		struct rte_mbuf *translated = packet_make(gateway, spec);                                    \
		cr_assert_eq(gateway_take(gateway, translated), STAGE_MAC_LOOKUP);                           \
		expect_packet(translated, wanted);                                                           \
		expect_right_checksums(translated);                                                          \
		rte_pktmbuf_free(translated);                                                                \
	} while (0)

#define expect_dropped(gateway, spec, reason)                                                                \
	cr_assert_eq(gateway_send(gateway, spec), verdict_drop(DROP_##reason))

/* A packet from inside, and the public endpoint that it got. */
struct public_endpoint {
	rte_be32_t ip;
	uint16_t port;
};

static inline struct public_endpoint gateway_bind(struct gateway *gateway, const struct packet *spec)
{
	struct rte_mbuf *m = packet_make(gateway, spec);
	struct public_endpoint endpoint;
	uint16_t port;

	cr_assert_eq(gateway_take(gateway, m), STAGE_MAC_LOOKUP);
	expect_right_checksums(m);
	memcpy(&port, packet_l4(m) + (packet_ip(m)->next_proto_id == IPPROTO_ICMP ? 4 : 0), 2);
	endpoint = (struct public_endpoint){ packet_ip(m)->src_addr, rte_be_to_cpu_16(port) };
	rte_pktmbuf_free(m);
	return endpoint;
}

/* Time passes, with the sweeps that belong to it. */
static inline void gateway_wait(struct gateway *gateway, uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds * 10; i++)
		for (uint16_t owner = 0; owner < gateway->owners; owner++) {
			gateway->context[owner].tick += TICKS_PER_S / 10;
			for (int call = 0; call < 8; call++)
				nat_owner_expire(gateway->context[owner].nat, gateway->context[owner].tick);
		}
}

static inline uint64_t gateway_sessions(const struct gateway *gateway)
{
	uint64_t sessions = 0;

	for (uint16_t i = 0; i < gateway->owners; i++)
		sessions += nat_owner_counters(gateway->context[i].nat)->sessions;
	return sessions;
}
