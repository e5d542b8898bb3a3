/* SPDX-License-Identifier: BSD-3-Clause */
/* Protocols that only static bindings translate: nothing but the address changes, so there is no session, any lcore can do
 * it, and fragments pass like whole packets. SCTP's checksum does not cover addresses (RFC 9260 section 6.8), GRE has none
 * that does (RFC 2784), UDP-Lite's does (RFC 3828 section 3.1). Whoever shares an address could not be told apart by them,
 * so for dynamic bindings each is a drop of its own. */
#include "stage/ipv4_parse.h"
#include "stage/nat_private.h"

#define UDP_LITE_CHECKSUM 6 /* offset in its header of 8 bytes */
#define UDP_LITE_HEADER   8

bool nat_portless_passes(uint8_t protocol)
{
	return protocol == IPPROTO_SCTP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_GRE;
}

static enum drop_reason refusal(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_SCTP:
		return DROP_NAT_SCTP;
	case IPPROTO_UDPLITE:
		return DROP_NAT_UDP_LITE;
	case IPPROTO_GRE:
		return DROP_NAT_GRE;
	default:
		return DROP_NAT_PROTOCOL;
	}
}

uint32_t nat_portless_rewrite(
	struct rte_ipv4_hdr *ip, uint8_t *l4, uint16_t l4_length, bool source, rte_be32_t address)
{
	rte_be32_t before = source ? ip->src_addr : ip->dst_addr;
	uint16_t delta = checksum_fold(checksum_delta32(before, address));
	uint32_t sum = delta;

	if (source)
		ip->src_addr = address;
	else
		ip->dst_addr = address;
	uint16_t header = ip->hdr_checksum;
	ip->hdr_checksum = checksum_apply(header, delta);
	sum += checksum_delta16(header, ip->hdr_checksum);
	if (ip->next_proto_id == IPPROTO_UDPLITE && l4 != NULL && l4_length >= UDP_LITE_HEADER) {
		uint16_t *checksum = nat_field16(l4, UDP_LITE_CHECKSUM), was = *checksum;
		*checksum = checksum_apply_udp(was, delta);
		sum += checksum_delta16(was, *checksum);
	}
	return sum;
}

static void rewrite(struct rte_mbuf *m, const struct nat_packet *packet, bool source, rte_be32_t address)
{
	const struct packet_metadata *meta = packet_metadata(m);
	bool l4_here = meta->l4_offset != 0;

	nat_portless_rewrite(packet->ip, l4_here ? packet->l4 : NULL,
		(uint16_t)(m->data_len - meta->l4_offset), source, address);
}

static uint8_t portless_up(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	uint8_t protocol = nat_packet_protocol(packet);
	struct nat_way_out out;

	if (nat_is_bypassed(burst, packet) || !nat_rule_out(&burst->owner->nat->rules, (uint16_t)packet->kin,
						      protocol, packet->ip->src_addr, 0, &out))
		return nat_untranslated(packet_metadata(m));
	if (out.kind != NAT_KIND_STATIC || !nat_portless_passes(protocol))
		return verdict_drop(refusal(protocol));
	rewrite(m, packet, true, out.outside);
	return STAGE_MAC_LOOKUP;
}

void nat_portless_route(struct nat_burst *burst, struct packet_metadata *meta, const struct nat_way_in *in)
{
	meta->egress = interface_of_segment(in->segment);
	meta->next_hop = in->inside;
	meta->neighbour = neighbour_find(burst->context->plane->neighbours, meta->egress, meta->next_hop);
}

static uint8_t portless_down(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	uint8_t protocol = nat_packet_protocol(packet);
	const struct nat_flow flow = { .protocol = protocol, .outside = packet->ip->dst_addr };
	struct packet_metadata *meta = packet_metadata(m);
	struct nat_way_in in;

	if (!nat_portless_passes(protocol) || !nat_rule_in_flow(burst->owner->nat, &flow, &in))
		return nat_miss(burst, meta, packet, refusal(protocol));
	uint8_t refused = nat_down_refused(burst, meta, packet->ip, in.segment);
	if (refused != 0)
		return refused;
	ipv4_decrement_ttl(packet->ip);
	rewrite(m, packet, false, in.inside);
	nat_portless_route(burst, meta, &in);
	return STAGE_MAC_LOOKUP;
}

uint8_t nat_portless(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet)
{
	return packet->way == NAT_UP ? portless_up(burst, m, packet) : portless_down(burst, m, packet);
}
