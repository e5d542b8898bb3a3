/* SPDX-License-Identifier: BSD-3-Clause */
/* Longest prefix match, and whether NAT has a say. What NAT translates from outside gets its TTL and MTU checked by
 * nat_gateway, which alone knows where it goes. */
#include "stage/ipv4_parse.h"
#include "stage/lcore_context.h"
#include "table/data_plane.h"
#include "table/nat.h"

static uint8_t punt(struct packet_metadata *meta, enum punt_reason reason)
{
	meta->punt = (uint8_t)reason;
	return VERDICT_PUNT;
}

/* A client renews its lease by unicast from its own address, which NAT would hide from the server. By the relay it is told
 * as when the lease was made. What comes from another relay agent (its port is 67) is forwarded. */
static __rte_noinline bool is_dhcp_to_relay(
	const struct data_plane *plane, struct rte_mbuf *m, const struct packet_metadata *meta)
{
	if (!interface_is_segment(meta->ingress) || meta->protocol != IPPROTO_UDP ||
		meta->flags & PACKET_FRAGMENT ||
		!plane->segments->segment[segment_of_interface(meta->ingress)].dhcp_relay)
		return false;
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, void *, meta->l4_offset);
	return udp->src_port == RTE_BE16(UDP_PORT_DHCP_CLIENT) &&
	       udp->dst_port == RTE_BE16(UDP_PORT_DHCP_SERVER);
}

/* From outside to the inside address of a host: only where nothing translates what they send to each other. */
static bool is_behind_nat(const struct nat *nat, uint16_t segment, const struct rte_ipv4_hdr *ip)
{
	return nat_translates_source(nat, segment, ip->dst_addr) &&
	       !nat_bypasses(nat, segment, ip->dst_addr, ip->src_addr);
}

static uint8_t forward(const struct data_plane *plane, struct rte_mbuf *m, struct packet_metadata *meta,
	const struct next_hop *hop)
{
	struct rte_ipv4_hdr *ip = frame_ipv4(m);
	uint16_t mtu = data_plane_mtu(plane, hop->interface);

	if (unlikely(hop->dhcp_server) && is_dhcp_to_relay(plane, m, meta))
		return punt(meta, PUNT_LOCAL);
	if (unlikely(ip->time_to_live <= 1))
		return punt(meta, PUNT_TTL_EXPIRED);
	if (unlikely(rte_be_to_cpu_16(ip->total_length) > mtu) && !packet_may_be_fragmented(ip, meta, mtu))
		return punt(meta, PUNT_TOO_BIG);
	meta->egress = hop->interface;
	meta->next_hop = hop->kind == NEXT_HOP_VIA ? hop->gateway : ip->dst_addr;

	bool to_segment = interface_is_segment(hop->interface);
	if (interface_is_segment(meta->ingress)) {
		if (!to_segment &&
			nat_translates_source(plane->nat, segment_of_interface(meta->ingress), ip->src_addr))
			meta->nat = NAT_FROM_INSIDE;
	} else if (to_segment && is_behind_nat(plane->nat, segment_of_interface(hop->interface), ip)) {
		return verdict_drop(DROP_NAT_INSIDE_ADDRESS);
	}
	ipv4_decrement_ttl(ip);
	return meta->nat == NAT_NONE ? STAGE_MAC_LOOKUP : STAGE_NAT_HANDOFF;
}

/* To a public address that NAT owns, or one of ours that port forwards share. */
static uint8_t to_nat_address(struct packet_metadata *meta, bool ours)
{
	if (ours)
		meta->flags |= PACKET_TO_SELF;
	meta->nat = interface_is_segment(meta->ingress) ? NAT_FROM_INSIDE | NAT_HAIRPIN : NAT_FROM_OUTSIDE;
	return STAGE_NAT_HANDOFF;
}

static uint8_t route_one(const struct data_plane *plane, struct rte_mbuf *m, struct packet_metadata *meta,
	const struct next_hop *hop)
{
	/* No route leads to these, a default one neither (RFC 1812 sections 4.2.2.11 and 5.3.7). */
	if (unlikely(ipv4_source_impossible(frame_ipv4(m)->dst_addr)))
		return verdict_drop(DROP_IPV4_DESTINATION);
	switch ((enum next_hop_kind)hop->kind) {
	case NEXT_HOP_CONNECTED:
	case NEXT_HOP_VIA:
		return forward(plane, m, meta, hop);
	case NEXT_HOP_NAT:
		return to_nat_address(meta, false);
	case NEXT_HOP_LOCAL_NAT:
		return to_nat_address(meta, true);
	case NEXT_HOP_LOCAL:
		return punt(meta, PUNT_LOCAL);
	case NEXT_HOP_BROADCAST:
		return verdict_drop(DROP_IPV4_DESTINATION);
	case NEXT_HOP_BLACKHOLE:
		return verdict_drop(DROP_ROUTE_BLACKHOLE);
	case NEXT_HOP_NONE:
		break;
	}
	return punt(meta, PUNT_NO_ROUTE);
}

void route_process(struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	const struct data_plane *plane = context->plane;
	rte_be32_t destination[BURST_MAX] = { 0 };
	uint16_t hop[BURST_MAX];

	for (uint16_t i = 0; i < count; i++)
		destination[i] = frame_ipv4(packets[i])->dst_addr;
	fib_find_bulk(plane->fib, destination, hop, count);
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = route_one(
			plane, packets[i], packet_metadata(packets[i]), &plane->fib->next_hop[hop[i]]);
}
