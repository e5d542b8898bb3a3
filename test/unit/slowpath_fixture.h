/* SPDX-License-Identifier: BSD-3-Clause */
/* A gateway without packet lcores: the slow path on real tables and rings, and this file in the place of the stages
 * and of the world outside. The clock is a number.
 *
 *     host "web-1" 10.0.1.5 ... VTEP 192.0.2.11 (tunnel 0) \                        / 203.0.113.254, the way out
 *                               VTEP 192.0.2.12 (tunnel 1) - underlay [gateway] uplink - 203.0.113.77, a neighbour
 *     segment "lab", group 239.1.1.1 (tunnel 2)            /  192.0.2.1    203.0.113.1 (203.0.113.20 is NAT's)
 */
#pragma once

#include "eal_fixture.h"
#include "packet/arp_wire.h"
#include "slowpath/slowpath.h"
#include "stage/drop_reason.h"
#include "table/nat.h"
#include <criterion/criterion.h>
#include <rte_icmp.h>
#include <rte_mbuf.h>
#include <string.h>

#define IP(a, b, c, d)                                                                                       \
	RTE_BE32((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
#define MAC(last) ((struct rte_ether_addr){ { 0x52, 0x54, 0, 0, 0, (last) } })
#define OUT_MAX   8192

enum { UNDERLAY, UPLINK, WEB = 0, LAB = 1 };
enum { SITE_1 = 0, SITE_2 = 1, GROUP = 2 }; /* tunnels */
#define WEB_INTERFACE (PORT_MAX + WEB)
#define LAB_INTERFACE (PORT_MAX + LAB)
#define HOST_IP       IP(10, 0, 1, 5)
#define WEB_GATEWAY   IP(10, 0, 1, 1)
#define UPLINK_IP     IP(203, 0, 113, 1)

struct sent { /* what the slow path injected, and when */
	struct rte_mbuf *m;
	uint64_t at_ns;
	struct packet_metadata meta;
};

static struct {
	struct data_plane plane;
	struct slowpath_channel channel;
	struct fdb_event_ring events;
	struct slowpath *slowpath;
	struct slowpath_settings settings;
	uint64_t now_ns;
	struct sent out[OUT_MAX];
	unsigned out_count;
	uint32_t sessions_of_a_host;
} g __attribute__((unused));

/* The NAT that the ledger asks. */
uint32_t nat_host_sessions(const struct nat *nat, uint16_t segment, rte_be32_t inside)
{
	(void)nat;
	(void)segment;
	(void)inside;
	return g.sessions_of_a_host;
}

static inline void port_make(uint16_t at, const char *name, rte_be32_t address, uint8_t mac)
{
	g.plane.port[at] = (struct port_interface){ .used = true,
		.device = at,
		.mtu = 1500,
		.mac = { { 2, 0, 0, 0, 0, mac } },
		.address = { { address, 24 } },
		.address_count = 1 };
	strcpy(g.plane.port[at].name, name);
}

static inline struct segment *segment_make(uint32_t vni, const char *name, rte_be32_t gateway, uint8_t mac)
{
	int at = segment_add(g.plane.segments, vni);
	struct segment *segment = &g.plane.segments->segment[at];

	segment->vni = vni;
	segment->interface = interface_of_segment((uint16_t)at);
	segment->mtu = 1500;
	segment->mac = (struct rte_ether_addr){ { 2, 0, 0x5e, 0, 0x50, mac } };
	segment->prefix_length = 24;
	segment->gateway = gateway;
	segment->mac_limit = 8;
	segment->group_tunnel = INDEX_NONE;
	strcpy(segment->name, name);
	return segment;
}

static inline void route_make(
	rte_be32_t prefix, uint8_t length, uint8_t kind, uint16_t interface, rte_be32_t gateway)
{
	struct next_hop hop = {
		.kind = kind, .prefix_length = length, .interface = interface, .gateway = gateway
	};

	cr_assert_eq(fib_add(g.plane.fib, prefix, length, &hop), 0);
}

static inline void plane_make(void)
{
	g.plane.port_count = 2;
	g.plane.vtep_address = IP(192, 0, 2, 1);
	g.plane.vxlan_port = RTE_BE16(4789);
	g.plane.vxlan_ttl = 64;
	g.plane.segments = segment_table_create(4);
	g.plane.tunnels = tunnel_table_create(8);
	g.plane.fdb = fdb_create(64);
	g.plane.neighbours = neighbour_table_create(64);
	g.plane.fib = fib_create(64);
	g.plane.control_pool = rte_pktmbuf_pool_create(
		"control", 8191, 0, PACKET_PRIVATE_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	cr_assert(g.plane.fib != NULL && g.plane.control_pool != NULL);
	port_make(UNDERLAY, "underlay", IP(192, 0, 2, 1), 1);
	port_make(UPLINK, "uplink", UPLINK_IP, 2);
	segment_make(5001, "web", WEB_GATEWAY, 1);
	struct segment *lab = segment_make(5002, "lab", IP(10, 0, 2, 1), 2);
	tunnel_add(g.plane.tunnels, WEB, IP(192, 0, 2, 11));
	tunnel_add(g.plane.tunnels, WEB, IP(192, 0, 2, 12));
	g.plane.tunnels->tunnel[SITE_1].flood = g.plane.tunnels->tunnel[SITE_2].flood = true;
	lab->group = IP(239, 1, 1, 1);
	lab->discovers_vteps = true;
	lab->group_tunnel = (uint32_t)tunnel_add(g.plane.tunnels, LAB, lab->group);

	route_make(IP(192, 0, 2, 0), 24, NEXT_HOP_CONNECTED, UNDERLAY, 0);
	route_make(IP(203, 0, 113, 0), 24, NEXT_HOP_CONNECTED, UPLINK, 0);
	route_make(IP(203, 0, 113, 255), 32, NEXT_HOP_BROADCAST, UPLINK, 0);
	route_make(IP(10, 0, 1, 0), 24, NEXT_HOP_CONNECTED, WEB_INTERFACE, 0);
	route_make(IP(10, 0, 2, 0), 24, NEXT_HOP_CONNECTED, LAB_INTERFACE, 0);
	route_make(IP(192, 0, 2, 1), 32, NEXT_HOP_LOCAL, UNDERLAY, 0);
	route_make(UPLINK_IP, 32, NEXT_HOP_LOCAL_NAT, UPLINK, 0);
	route_make(WEB_GATEWAY, 32, NEXT_HOP_LOCAL, WEB_INTERFACE, 0);
	route_make(IP(10, 0, 2, 1), 32, NEXT_HOP_LOCAL, LAB_INTERFACE, 0);
	route_make(IP(203, 0, 113, 20), 32, NEXT_HOP_NAT, UPLINK, 0);
	route_make(IP(198, 51, 100, 9), 32, NEXT_HOP_NAT, INTERFACE_NONE, 0);
	route_make(0, 0, NEXT_HOP_VIA, UPLINK, IP(203, 0, 113, 254));
}

static inline struct rte_ring *ring_make(const char *name)
{
	return rte_ring_create(name, OUT_MAX, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

/* The tables only: a test changes them, and g.settings, before it opens the gateway. */
static inline void gateway_prepare(void)
{
	eal_start();
	g.now_ns = 1000 * NS_PER_SECOND;
	plane_make();
	g.events.ring = rte_ring_create_elem("events", sizeof(struct fdb_event), 256, SOCKET_ID_ANY, 0);
	g.channel = (struct slowpath_channel){ ring_make("punt"), ring_make("inject"), &g.events, NULL };
}

static inline void collect(void)
{
	struct rte_mbuf *m;

	while (rte_ring_sc_dequeue(g.channel.inject, (void **)&m) == 0) {
		cr_assert_lt(g.out_count, OUT_MAX);
		cr_assert(packet_metadata(m)->flags & PACKET_LOCAL_ORIGIN);
		g.out[g.out_count++] = (struct sent){ m, g.now_ns, *packet_metadata(m) };
	}
}

static inline unsigned poll_now(void)
{
	unsigned handled = slowpath_poll(g.slowpath, g.now_ns);

	collect();
	return handled;
}

/* Lets time pass as a management lcore would live through it: a turn each 10 ms. */
static inline void pass_ms(unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 10) {
		g.now_ns += 10 * NS_PER_MS;
		poll_now();
	}
}

static inline void forget_sent(void)
{
	for (unsigned i = 0; i < g.out_count; i++)
		rte_pktmbuf_free(g.out[i].m);
	g.out_count = 0;
}

/* Before its first turn. */
static inline void gateway_create(void)
{
	g.slowpath = slowpath_create(&g.plane, &g.channel, 1, &g.settings);
	cr_assert_not_null(g.slowpath);
}

static inline void gateway_close(void)
{
	forget_sent();
	slowpath_destroy(g.slowpath);
	g.slowpath = NULL;
	cr_assert_eq(rte_mempool_avail_count(g.plane.control_pool), 8191, "a packet was lost or freed twice");
}

static inline const struct slowpath_counters *counters(void)
{
	return slowpath_counters(g.slowpath);
}

/* ---- what the stages do ---- */

static inline struct rte_mbuf *packet_make(uint16_t length, interface_id ingress, uint8_t reason)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g.plane.control_pool);

	cr_assert_not_null(m);
	memset(rte_pktmbuf_append(m, length), 0, length);
	*packet_metadata(m) = (struct packet_metadata){ .ingress = ingress,
		.egress = INTERFACE_NONE,
		.neighbour = INDEX_NONE,
		.tunnel = INDEX_NONE,
		.fdb = INDEX_NONE,
		.punt = reason };
	return m;
}

static inline void punt(struct rte_mbuf *m)
{
	cr_assert_eq(rte_ring_sp_enqueue(g.channel.punt, m), 0);
}

static inline void event(
	enum fdb_event_kind kind, uint64_t key, uint32_t fdb, uint32_t tunnel, uint32_t old, rte_be32_t vtep)
{
	struct fdb_event e = { .key = key,
		.tunnel = tunnel,
		.old_tunnel = old,
		.vtep = vtep,
		.fdb = fdb,
		.kind = (uint8_t)kind };

	cr_assert_eq(rte_ring_enqueue_elem(g.events.ring, &e, sizeof(e)), 0);
}

/* mac_learn: a frame of `mac` came out of `tunnel`. */
static inline void heard(uint16_t segment, struct rte_ether_addr mac, uint32_t tunnel)
{
	uint64_t key = fdb_key(segment, &mac);
	uint32_t at = fdb_find(g.plane.fdb, key);

	if (at == INDEX_NONE) {
		event(FDB_EVENT_NEW, key, INDEX_NONE, tunnel, INDEX_NONE,
			g.plane.tunnels->tunnel[tunnel].vtep);
		return;
	}
	uint32_t old = atomic_exchange(&g.plane.fdb->entry[at].location, tunnel);
	if (old != tunnel)
		event(FDB_EVENT_MOVED, key, at, tunnel, old, g.plane.tunnels->tunnel[tunnel].vtep);
	fdb_touch(&g.plane.fdb->entry[at].last_seen, clock_tick_of_ns(g.now_ns));
}

/* mac_lookup: a packet for `ip` leaves. False when it has to be punted. */
static inline bool send_to(interface_id interface, rte_be32_t ip)
{
	uint32_t at = neighbour_find(g.plane.neighbours, interface, ip);

	if (at == INDEX_NONE)
		return false;
	struct neighbour *n = &g.plane.neighbours->entry[at];
	fdb_touch(&n->last_used, clock_tick_of_ns(g.now_ns));
	if (n->mac == 0)
		return false;
	if (!interface_is_segment(interface))
		return true;
	uint32_t fdb = fdb_find(g.plane.fdb, ((uint64_t)segment_of_interface(interface) + 1) << 48 | n->mac);
	if (fdb != INDEX_NONE)
		fdb_touch(&g.plane.fdb->entry[fdb].last_sent, clock_tick_of_ns(g.now_ns));
	return fdb != INDEX_NONE;
}

struct arp_frame_in {
	struct rte_ether_hdr ethernet;
	struct arp_packet arp;
} __attribute__((packed));

static inline struct rte_mbuf *arp_packet_make(interface_id interface, uint32_t tunnel, uint16_t operation,
	struct rte_ether_addr mac, rte_be32_t sender, rte_be32_t target)
{
	struct rte_mbuf *m = packet_make(sizeof(struct arp_frame_in), interface, PUNT_ARP);
	struct arp_frame_in *frame = rte_pktmbuf_mtod(m, struct arp_frame_in *);

	*frame = (struct arp_frame_in){
		.ethernet = { .dst_addr = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
			.src_addr = mac,
			.ether_type = RTE_BE16(0x0806) },
		.arp = { .hardware_type = RTE_BE16(1),
			.protocol_type = RTE_BE16(0x0800),
			.hardware_length = 6,
			.protocol_length = 4,
			.operation = rte_cpu_to_be_16(operation),
			.sender_mac = mac,
			.sender_ip = sender,
			.target_ip = target },
	};
	packet_metadata(m)->tunnel = tunnel;
	return m;
}

static inline void arp_on_port(interface_id port, uint16_t operation, struct rte_ether_addr mac,
	rte_be32_t sender, rte_be32_t target)
{
	punt(arp_packet_make(port, INDEX_NONE, operation, mac, sender, target));
}

static inline void arp_in_segment(
	uint32_t tunnel, uint16_t operation, struct rte_ether_addr mac, rte_be32_t sender, rte_be32_t target)
{
	uint16_t segment = g.plane.tunnels->tunnel[tunnel].segment;

	heard(segment, mac, tunnel);
	punt(arp_packet_make(interface_of_segment(segment), tunnel, operation, mac, sender, target));
}

/* ---- what came out ---- */

static inline const struct arp_frame_in *sent_arp(unsigned i)
{
	const struct arp_frame_in *frame = rte_pktmbuf_mtod(g.out[i].m, const struct arp_frame_in *);

	return g.out[i].meta.inject_stage != INJECT_RESOLVED_NEXT_HOP &&
			       frame->ethernet.ether_type == RTE_BE16(0x0806)
		       ? frame
		       : NULL;
}

static inline const struct rte_ipv4_hdr *sent_ip(unsigned i)
{
	return rte_pktmbuf_mtod_offset(g.out[i].m, const struct rte_ipv4_hdr *, 14);
}

static inline bool is_request_for(unsigned i, rte_be32_t ip, bool unicast)
{
	const struct arp_frame_in *frame = sent_arp(i);

	return frame != NULL && frame->arp.operation == RTE_BE16(ARP_REQUEST) && frame->arp.target_ip == ip &&
	       rte_is_multicast_ether_addr(&frame->ethernet.dst_addr) != unicast;
}

static inline unsigned requests_for(rte_be32_t ip, bool unicast)
{
	unsigned n = 0;

	for (unsigned i = 0; i < g.out_count; i++)
		n += is_request_for(i, ip, unicast);
	return n;
}

static inline struct neighbour *neighbour_at(interface_id interface, rte_be32_t ip)
{
	uint32_t at = neighbour_find(g.plane.neighbours, interface, ip);

	return at != INDEX_NONE ? &g.plane.neighbours->entry[at] : NULL;
}

static inline enum neighbour_state neighbour_state_of(interface_id interface, rte_be32_t ip)
{
	uint32_t at = neighbour_find(g.plane.neighbours, interface, ip);

	return at != INDEX_NONE ? g.plane.neighbours->record[at].state : NEIGHBOUR_FREE;
}

static inline struct fdb_entry *fdb_entry_of(uint16_t segment, struct rte_ether_addr mac)
{
	uint32_t at = fdb_find(g.plane.fdb, fdb_key(segment, &mac));

	return at != INDEX_NONE ? &g.plane.fdb->entry[at] : NULL;
}

/* The first reports of the group are over, and the neighbours of the ports answer, so that all tunnels are ready; what
 * was sent until then is forgotten. */
static inline void gateway_open(void)
{
	gateway_create();
	pass_ms(21 * 1000);
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x11), IP(192, 0, 2, 11), IP(192, 0, 2, 1));
	arp_on_port(UNDERLAY, ARP_REPLY, MAC(0x12), IP(192, 0, 2, 12), IP(192, 0, 2, 1));
	arp_on_port(UPLINK, ARP_REPLY, MAC(0xfe), IP(203, 0, 113, 254), UPLINK_IP);
	poll_now();
	cr_assert(g.plane.tunnels->tunnel[SITE_1].ready && g.plane.tunnels->tunnel[SITE_2].ready);
	forget_sent();
}

/* A host of segment "web" that has spoken with its gateway. */
static inline void host_joins(uint32_t tunnel, struct rte_ether_addr mac, rte_be32_t ip)
{
	arp_in_segment(tunnel, ARP_REQUEST, mac, ip, WEB_GATEWAY);
	poll_now();
	forget_sent();
}

static inline void gateway_ready(void)
{
	gateway_prepare();
	gateway_open();
}
