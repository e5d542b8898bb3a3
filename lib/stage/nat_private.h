/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of nat_gateway share: a packet looked at, and its translation. */
#pragma once

#include "packet/checksum.h"
#include "stage/lcore_context.h"
#include "stage/stage.h"
#include "table/data_plane.h"
#include "table/nat_owner.h"
#include <netinet/in.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* Where a protocol has what NAT changes, from the start of its header. ICMP queries have one identifier for both. */
struct nat_l4_layout {
	uint8_t source, destination, checksum;
};
#define NAT_PROTOCOLS 32u /* a power of two beyond UDP's number, so that no protocol indexes past the end */
static const struct nat_l4_layout nat_l4_layout[NAT_PROTOCOLS] = {
	[IPPROTO_ICMP] = { 4, 4, 2 },
	[IPPROTO_TCP] = { 0, 2, 16 },
	[IPPROTO_UDP] = { 0, 2, 6 },
};

/* A packet looked at. */
struct nat_packet {
	struct rte_ipv4_hdr *ip;
	uint8_t *l4;
	uint64_t hash;      /* of its endpoint on our side */
	uint64_t addresses; /* source and destination as they stand in the packet */
	uint32_t ports;     /* the same; for ICMP with the identifier on our side and 0 as the remote's */
	uint32_t candidate; /* session, or INDEX_NONE */
	uint16_t segment;   /* from inside */
	uint8_t protocol;
	uint8_t way; /* enum nat_way */
};

static inline uint16_t nat_packet_port(const struct nat_packet *packet, bool destination)
{
	return (uint16_t)(destination ? packet->ports >> 16 : packet->ports);
}

static inline uint64_t nat_packet_hash(const struct nat_packet *packet, const struct flow_hash_key *key)
{
	return packet->way == NAT_UP
		       ? nat_inside_hash(key, packet->segment, packet->protocol,
				 (rte_be32_t)packet->addresses, nat_packet_port(packet, false))
		       : nat_outside_hash(key, packet->protocol, (rte_be32_t)(packet->addresses >> 32),
				 nat_packet_port(packet, true));
}

/* Whether the session is the packet's. */
static inline bool nat_packet_is_of(const struct nat_packet *packet, const struct nat_session *session)
{
	return packet->way == NAT_UP
		       ? nat_session_is_up(
				 session, packet->segment, packet->protocol, packet->addresses, packet->ports)
		       : nat_session_is_down(session, packet->protocol, packet->addresses, packet->ports);
}

static inline struct nat_flow nat_packet_flow(const struct nat_packet *packet)
{
	struct nat_flow flow = { .segment = packet->segment, .protocol = packet->protocol };

	if (packet->way == NAT_UP) {
		flow.inside = (rte_be32_t)packet->addresses;
		flow.inside_port = nat_packet_port(packet, false);
		flow.remote = (rte_be32_t)(packet->addresses >> 32);
		flow.remote_port = nat_packet_port(packet, true);
	} else {
		flow.remote = (rte_be32_t)packet->addresses;
		flow.remote_port = nat_packet_port(packet, false);
		flow.outside = (rte_be32_t)(packet->addresses >> 32);
		flow.outside_port = nat_packet_port(packet, true);
	}
	return flow;
}

static inline uint16_t *nat_field16(uint8_t *header, uint32_t offset)
{
	return (uint16_t *)(header + offset);
}

/* What a packet does to the state, the idle time and the counts of its session. */
static inline void nat_session_note(
	struct nat_owner *owner, struct nat_session *session, const struct nat_packet *packet, uint32_t tick)
{
	enum nat_way way = (enum nat_way)packet->way;
	/* Byte 13 of what is not TCP is payload, or what the buffer held before: it is masked away. */
	uint8_t flags = packet->l4[13] & (packet->protocol == IPPROTO_TCP ? 0xff : 0);
	uint8_t before = session->state, after = nat_state_next[before][way][nat_tcp_event(flags)];

	session->state = after;
	if (likely((owner->refreshed[way] >> before | owner->refreshed[way] >> after) & 1))
		session->last_seen = tick;
	session->traffic[way] += NAT_TRAFFIC_PACKET + rte_be_to_cpu_16(packet->ip->total_length);
	if (unlikely(session->traffic[way] & NAT_TRAFFIC_CARRY))
		nat_traffic_carry(&owner->carry, session, (uint32_t)(session - owner->session), way);
}

static inline void nat_rewrite(const struct nat_packet *packet, uint16_t ip_delta, uint16_t l4_delta,
	uint32_t port_offset, rte_be16_t port)
{
	const struct nat_l4_layout *layout = &nat_l4_layout[packet->protocol % NAT_PROTOCOLS];
	uint16_t *checksum = nat_field16(packet->l4, layout->checksum);

	packet->ip->hdr_checksum = checksum_apply(packet->ip->hdr_checksum, ip_delta);
	*nat_field16(packet->l4, port_offset) = port;
	*checksum = packet->protocol == IPPROTO_UDP ? checksum_apply_udp(*checksum, l4_delta)
						    : checksum_apply(*checksum, l4_delta);
}

/* May a packet go into the segment as it is? 0, or the verdict. To be asked before anything is rewritten, for what
 * is punted is answered as it came. */
static inline uint8_t nat_down_refused(const struct lcore_context *context, struct packet_metadata *meta,
	const struct rte_ipv4_hdr *ip, uint16_t segment)
{
	uint16_t mtu = context->plane->segments->segment[segment].mtu;

	if (unlikely(ip->time_to_live <= 1)) {
		meta->punt = PUNT_TTL_EXPIRED;
		return VERDICT_PUNT;
	}
	if (unlikely(rte_be_to_cpu_16(ip->total_length) > mtu)) {
		if (!(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)))
			return verdict_drop(DROP_TOO_BIG);
		meta->mtu = mtu;
		meta->punt = PUNT_TOO_BIG;
		return VERDICT_PUNT;
	}
	return 0;
}

/* Where a packet goes that NAT has found an inside host for. */
static inline void nat_down_route(
	const struct lcore_context *context, struct packet_metadata *meta, struct nat_session *session)
{
	meta->egress = interface_of_segment(session->segment);
	meta->next_hop = session->inside;
	if (unlikely(session->neighbour == INDEX_NONE))
		session->neighbour =
			neighbour_find(context->plane->neighbours, meta->egress, session->inside);
	meta->neighbour = session->neighbour;
}

static inline uint8_t nat_translate(struct lcore_context *context, struct nat_owner *owner,
	struct rte_mbuf *m, const struct nat_packet *packet, struct nat_session *session)
{
	const struct nat_l4_layout *layout = &nat_l4_layout[packet->protocol % NAT_PROTOCOLS];

	if (packet->way == NAT_UP) {
		nat_session_note(owner, session, packet, context->tick);
		packet->ip->src_addr = session->outside;
		nat_rewrite(
			packet, session->ip_delta, session->l4_delta, layout->source, session->outside_port);
		return STAGE_MAC_LOOKUP;
	}
	struct packet_metadata *meta = packet_metadata(m);
	uint8_t refused = nat_down_refused(context, meta, packet->ip, session->segment);
	if (unlikely(refused != 0))
		return refused;
	nat_session_note(owner, session, packet, context->tick);
	ipv4_decrement_ttl(packet->ip);
	packet->ip->dst_addr = session->inside;
	/* The complement undoes what the delta did: one's complement arithmetic. */
	nat_rewrite(packet, (uint16_t)~session->ip_delta, (uint16_t)~session->l4_delta, layout->destination,
		session->inside_port);
	nat_down_route(context, meta, session);
	return STAGE_MAC_LOOKUP;
}

/* What has no session here: for our own stack when the address is ours too, else the drop. */
static inline uint8_t nat_miss(struct packet_metadata *meta, enum drop_reason reason)
{
	if (meta->nat != NAT_FROM_OUTSIDE || !(meta->flags & PACKET_TO_SELF))
		return verdict_drop(reason);
	meta->flags |= PACKET_NAT_MISS;
	meta->punt = PUNT_LOCAL;
	return VERDICT_PUNT;
}

/* The long way of one packet: ICMP, fragments, other protocols, and flows that have no session yet. `*budget` is how
 * many more sessions this burst may open. */
uint8_t nat_gateway_slow(
	struct lcore_context *context, struct rte_mbuf *m, struct nat_packet *packet, uint32_t *budget);

/* nat_icmp.c: an ICMP error and the packet that it quotes. */
bool nat_icmp_is_error(uint8_t type);
uint8_t nat_icmp_error(struct lcore_context *context, struct rte_mbuf *m, const struct nat_packet *packet);
/* The flow that the error is about, as its session's keys have it; false when it quotes none that NAT could know. `l4`
 * and `length`: the ICMP message. With way NAT_UP the error comes from inside, so that it quotes what went down. */
bool nat_icmp_quoted_flow(const uint8_t *l4, uint16_t length, enum nat_way way, struct nat_flow *flow);
