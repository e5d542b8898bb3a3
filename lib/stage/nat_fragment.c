/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments of what NAT translates. Only the first one has the ports, so all fragments of a datagram meet at one owner
 * lcore, chosen by what they all have: addresses, identification, protocol and where they came in. There the fragment
 * table (table/fragment_table.h) says the ports to the later ones, or lets them wait for the first. From then on a fragment
 * is like any packet with these ports: it goes to the owner of its flow, which may be another lcore, and has its
 * addresses translated by the session; there is no other way for a later fragment to find one.
 *
 * The L4 checksum is in the first fragment, and mended there by the difference of addresses and ports, for which the rest
 * of the datagram is not needed. A half-finished checksum (PACKET_PARTIAL_CHECKSUM) would be, but cannot be in a fragment:
 * the sender's stack finishes the sum when it cuts a packet.
 *
 * An ICMP error in fragments is not translated: its own checksum could not be verified (RFC 5508 REQ-3), and routers send
 * no error of that size. */
#include "stage/nat_fragment.h"
#include "stage/nat_private.h"
#include "stage/packet_path.h"

static uint32_t icmp_ports(const struct nat_packet *packet)
{
	uint16_t identifier = *nat_field16(packet->l4, nat_l4_layout[IPPROTO_ICMP].port[NAT_UP]);

	return packet->way == NAT_UP ? identifier : (uint32_t)identifier << 16;
}

static uint8_t refused(enum fragment_result result)
{
	switch (result) {
	case FRAGMENT_WAITS:
		return VERDICT_KEPT;
	case FRAGMENT_OVERLAPS:
		return verdict_drop(DROP_NAT_FRAGMENT_OVERLAP);
	case FRAGMENT_SHARE_USED:
		return verdict_drop(DROP_NAT_FRAGMENT_SHARE);
	default:
		return verdict_drop(DROP_NAT_FRAGMENT_TABLE_FULL);
	}
}

/* 0 when the ports are known now. */
static uint8_t meet(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	const struct rte_ipv4_hdr *ip = packet->ip;
	struct packet_metadata *meta = packet_metadata(m);
	uint16_t bits = rte_be_to_cpu_16(ip->fragment_offset),
		 length = (uint16_t)(rte_be_to_cpu_16(ip->total_length) - rte_ipv4_hdr_len(ip));
	struct fragment fragment = { .source = ip->src_addr,
		.destination = ip->dst_addr,
		.id = ip->packet_id,
		.ingress = meta->ingress,
		.protocol = meta->protocol,
		.last = !(bits & RTE_IPV4_HDR_MF_FLAG),
		.from = bits & RTE_IPV4_HDR_OFFSET_MASK };
	bool icmp = meta->protocol == IPPROTO_ICMP;

	fragment.to = (uint16_t)(fragment.from + (length + 7) / 8);
	if (fragment.from == 0 && icmp && nat_icmp_is_error(packet->l4[0]))
		return verdict_drop(DROP_NAT_ICMP_EMBEDDED);
	if (fragment.from == 0)
		fragment.ports = icmp ? icmp_ports(packet) : packet->ports;
	enum fragment_result result =
		fragment_table_take(burst->owner->fragments, &fragment, m, burst->tick, &meta->ports);
	if (result != FRAGMENT_PASSES)
		return refused(result);
	meta->ports_known = true;
	return 0;
}

uint8_t nat_fragment(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet)
{
	struct packet_metadata *meta = packet_metadata(m);
	uint8_t verdict;

	if (!meta->ports_known) {
		verdict = meet(burst, m, packet);
		if (verdict == 0)
			verdict = nat_owner_find(burst->owner->nat, m, &meta->owner);
		if (verdict != 0)
			return verdict;
		if (meta->owner != burst->context->owner_index)
			return VERDICT_HANDOFF;
	}
	if (meta->flags & PACKET_LATER_FRAGMENT)
		packet->ports = meta->ports;
	return 0;
}

/* For hairpinning: the ports as they stand once the source is translated. */
static void ports_translate(struct packet_metadata *meta, const struct nat_session *session)
{
	if (meta->protocol == IPPROTO_ICMP)
		meta->ports = (uint32_t)session->outside_port << 16;
	else
		meta->ports = (meta->ports & 0xffff0000) | session->outside_port;
}

/* As nat_session_note, without the L4 header that only the first fragment has. */
static void note(
	struct nat_owner *owner, struct nat_session *session, uint16_t bytes, uint32_t tick, enum nat_way way)
{
	if (owner->refreshed[way] >> session->state & 1)
		session->last_seen = tick;
	session->traffic[way] += NAT_TRAFFIC_PACKET + bytes;
	if (unlikely(session->traffic[way] & NAT_TRAFFIC_CARRY))
		nat_traffic_carry(&owner->carry, session, (uint32_t)(session - owner->session), way);
}

static uint8_t later_translate(struct nat_burst *burst, struct packet_metadata *meta,
	const struct nat_packet *packet, struct nat_session *session)
{
	enum nat_way way = (enum nat_way)packet->way;
	struct rte_ipv4_hdr *ip = packet->ip;
	uint16_t delta = way == NAT_UP ? session->ip_delta : (uint16_t)~session->ip_delta;

	if (way == NAT_DOWN) {
		uint8_t verdict = nat_down_refused(burst, meta, ip, session->segment);
		if (verdict != 0)
			return verdict;
		ipv4_decrement_ttl(ip);
		nat_down_route(burst, meta, session);
		ip->dst_addr = session->inside;
	} else {
		ip->src_addr = session->outside;
		ports_translate(meta, session);
	}
	ip->hdr_checksum = checksum_apply(ip->hdr_checksum, delta);
	note(burst->owner, session, rte_be_to_cpu_16(ip->total_length), burst->tick, way);
	return STAGE_MAC_LOOKUP;
}

uint8_t nat_fragment_later(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	struct nat_owner *owner = burst->owner;
	struct packet_metadata *meta = packet_metadata(m);
	const struct nat_flow flow = nat_packet_flow(packet);
	uint32_t number = packet->way == NAT_UP ? nat_session_find_up(owner, &flow)
						: nat_session_find_down(owner, &flow);

	if (number == INDEX_NONE)
		return nat_miss(burst, meta, packet, DROP_NAT_FRAGMENT);
	return later_translate(burst, meta, packet, &owner->session[number]);
}

bool nat_fragment_owner(const struct nat *nat, struct rte_mbuf *m, uint16_t *owner)
{
	const struct packet_metadata *meta = packet_metadata(m);
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, L3_OFFSET);

	if (!meta->ports_known) {
		uint64_t rest =
			(uint64_t)meta->ingress << 32 | (uint32_t)meta->protocol << 16 | ip->packet_id;
		uint64_t hash = flow_hash(&nat->hash_key, nat_address_pair(&ip->src_addr), rest);
		*owner = (uint16_t)nat_host_scale((uint32_t)(hash >> 32), nat->owners);
		return true;
	}
	if (!(meta->flags & PACKET_LATER_FRAGMENT))
		return false;
	if (meta->nat & NAT_FROM_INSIDE)
		*owner = nat_owner_of_inside(nat, segment_of_interface(meta->ingress), ip->src_addr);
	else
		*owner = nat_owner_of_outside(
			nat, meta->protocol, ip->dst_addr, (rte_be16_t)(meta->ports >> 16));
	return true;
}

static void discarded_drop(struct lcore_context *context)
{
	static const enum drop_reason reason[FRAGMENT_DISCARDS] = {
		[FRAGMENT_EVICTED] = DROP_NAT_FRAGMENT_TABLE_FULL,
		[FRAGMENT_TIMED_OUT] = DROP_NAT_FRAGMENT_TIMEOUT,
	};
	enum fragment_discard why;
	struct rte_mbuf *m;

	while ((m = fragment_table_discard(context->nat->fragments, &why)) != NULL)
		packet_path_pass(context, verdict_drop(reason[why]), &m, 1);
}

void nat_fragment_poll(struct lcore_context *context)
{
	struct nat_owner *owner = context->nat;
	struct rte_mbuf *m;

	if (likely(!fragment_table_expire(owner->fragments, context->tick)))
		return;
	discarded_drop(context);
	while ((m = fragment_table_release(owner->fragments)) != NULL) {
		struct packet_metadata *meta = packet_metadata(m);

		meta->ports_known = true;
		nat_fragment_owner(owner->nat, m, &meta->owner);
		packet_path_pass(context,
			meta->owner == context->owner_index ? STAGE_NAT_GATEWAY : VERDICT_HANDOFF, &m, 1);
	}
}
