/* SPDX-License-Identifier: BSD-3-Clause */
/* Hairpinning: a host behind NAT that talks to a public address of ours (RFC 4787 REQ-9, RFC 5382 REQ-8, RFC 5508 REQ-7).
 *
 * The packet is translated twice, as if it went out and came back: first its source, by the owner of the sender, so that
 * the other side sees the sender's public endpoint; then its destination, by the owner of that one, under the same rules
 * and filtering as anything from outside. When those are two lcores, the packet is handed over in between. Answers and
 * ICMP errors are hairpinned packets themselves, and undo both in the opposite order.
 *
 * An ICMP error about a packet on its second way quotes it with its public source; the slow path sends it to that source
 * by NAT, like an error from a router outside. */
#include "stage/nat_private.h"

/* Of ICMP we get the questions. Answers are for the host that asked, and fragments beyond the first are nothing to us. */
static bool icmp_is_for_ourselves(const struct packet_metadata *meta, uint8_t type)
{
	return !(meta->flags & PACKET_LATER_FRAGMENT) && !nat_icmp_is_error(type) &&
	       (nat_icmp_is_request(type) || !nat_icmp_is_query(type));
}

/* One of our own addresses, and nobody behind NAT has that port of it, or could have. */
static bool is_for_ourselves(
	const struct nat *nat, const struct packet_metadata *meta, const struct nat_packet *packet)
{
	const struct nat_flow flow = { .protocol = nat_packet_protocol(packet),
		.outside = packet->ip->dst_addr,
		.outside_port = nat_packet_port(packet, true) };
	struct nat_way_in in;

	if (!(meta->flags & PACKET_TO_SELF))
		return false;
	if (flow.protocol == IPPROTO_ICMP)
		return icmp_is_for_ourselves(meta, packet->l4[0]);
	if (nat_port_class(flow.protocol) >= 0 && nat_port_is_of_pool(nat, &flow))
		return false;
	return !nat_rule_in_flow(nat, &flow, &in);
}

/* The packet as it stands now, on its way in. */
static void packet_turn(struct nat_packet *packet, const struct packet_metadata *meta)
{
	bool later_fragment = meta->flags & PACKET_LATER_FRAGMENT;

	packet->addresses = nat_address_pair(&packet->ip->src_addr);
	if (later_fragment)
		packet->ports = meta->ports;
	else
		memcpy(&packet->ports, packet->l4, sizeof(packet->ports));
	packet->kin = nat_kin_word(0, nat_packet_protocol(packet));
	packet->way = NAT_DOWN;
	packet->bound = false;
}

uint8_t nat_hairpin(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet)
{
	struct packet_metadata *meta = packet_metadata(m);
	rte_be32_t sender = packet->ip->src_addr;
	uint8_t verdict;

	meta->punt = PUNT_LOCAL;
	if (is_for_ourselves(burst->owner->nat, meta, packet))
		return VERDICT_PUNT;
	meta->punt = PUNT_TTL_EXPIRED;
	if (packet->ip->time_to_live <= 1)
		return VERDICT_PUNT;
	verdict = nat_gateway_once(burst, m, packet);
	if (verdict != STAGE_MAC_LOOKUP)
		return verdict;
	/* Nothing translates the sender: the answer would reach it from an address that it did not ask. */
	if (packet->ip->src_addr == sender)
		return verdict_drop(DROP_NAT_HAIRPIN);
	meta->nat = NAT_FROM_OUTSIDE;
	verdict = nat_owner_find(burst->owner->nat, m, &meta->owner);
	if (verdict != 0)
		return verdict;
	if (meta->owner != burst->context->owner_index)
		return VERDICT_HANDOFF;
	packet_turn(packet, meta);
	return nat_gateway_once(burst, m, packet);
}
