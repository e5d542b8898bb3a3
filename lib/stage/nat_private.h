/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of nat_gateway share: a packet looked at, and its translation. */
#pragma once

/* What the slow path is asked to answer; its own meter keeps the sum of all ICMP errors in bounds. */
#define DROPS_TOLD_A_TICK 2u

#include "base/prefetch.h"
#include "packet/checksum.h"
#include "stage/ipv4_parse.h"
#include "stage/overload.h"
#include "stage/stage.h"
#include "table/data_plane.h"
#include "table/nat_search.h"
#include "table/nat_tcp_window.h"
#include <netinet/in.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* Where a protocol has what NAT changes, from the start of its header, and which bits of byte 13 are flags of TCP. ICMP
 * queries have one identifier for both sides. */
struct nat_l4_layout {
	uint8_t port
		[NAT_WAYS]; /* the one on our side of the gateway: source upwards, destination downwards */
	uint8_t checksum, flags;
};
#define NAT_PROTOCOLS 32u /* a power of two beyond UDP's number, so that no protocol indexes past the end */
static const struct nat_l4_layout nat_l4_layout[NAT_PROTOCOLS] = {
	[IPPROTO_ICMP] = { { 4, 4 }, 2, 0 },
	[IPPROTO_TCP] = { { 0, 2 }, 16, NAT_STATE_FLAGS },
	[IPPROTO_UDP] = { { 0, 2 }, 6, 0 },
};

/* A packet looked at. */
struct nat_packet {
	struct rte_ipv4_hdr *ip;
	uint64_t addresses; /* source and destination as they stand in the packet */
	uint8_t *l4;
	uint32_t ports;           /* likewise; for ICMP the identifier on our side, 0 as the remote's */
	uint32_t candidate;       /* session, or INDEX_NONE */
	uint64_t endpoint_hash;   /* of its endpoint on our side */
	struct nat_search search; /* by that hash, later by that of its flow */
	uint32_t kin; /* nat_kin_word of ingress segment (0 from outside) and protocol, NAT_UNUSUAL */
	uint8_t way;  /* enum nat_way */
	uint8_t at;   /* number in the burst */
	bool bound;   /* some session has its endpoint */
	bool by_flow; /* it is looked for by its flow */
};

/* Not TCP or UDP, a fragment, or to be hairpinned: any of these bits keeps the packet from matching a session. */
#define NAT_UNUSUAL         (0xffu << 24)
/* The bit of them that says to be hairpinned. */
#define NAT_UNUSUAL_HAIRPIN ((uint32_t)NAT_HAIRPIN << 1 << 24)

static inline uint8_t nat_packet_protocol(const struct nat_packet *packet)
{
	return (uint8_t)(packet->kin >> 16);
}

/* What the steps of one burst share. */
struct nat_burst {
	struct lcore_context *context;
	struct nat_owner *owner;
	const struct segment *segment;
	uint32_t tick;
	uint32_t unhinted; /* packets into a segment whose session has no hint to the host's neighbour yet */
	struct nat_unhinted {
		struct packet_metadata *meta;
		struct nat_session *session;
	} hint[BURST_MAX];
};

/* Notes what the packet is looked for by, and where first. `kin`: nat_kin_word, with the segment 0 when it
 * goes down. */
static __rte_always_inline void nat_packet_look(const struct nat_owner *owner, struct nat_packet *packet,
	uint8_t *frame, uint8_t *l4, uint32_t kin, const enum nat_way way)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + L3_OFFSET);
	uint64_t addresses = nat_address_pair(&ip->src_addr), hash;
	uint32_t ports;

	memcpy(&ports, l4, sizeof(ports));
	hash = way == NAT_UP
		       ? nat_inside_hash_word(&owner->hash_key, kin, (rte_be32_t)addresses, (rte_be16_t)ports)
		       : nat_outside_hash_word(&owner->hash_key, kin,
				 nat_outside_end((rte_be32_t)(addresses >> 32), (rte_be16_t)(ports >> 16)));
	packet->ip = ip;
	packet->addresses = addresses;
	packet->l4 = l4;
	packet->ports = ports;
	packet->candidate = INDEX_NONE;
	packet->endpoint_hash = hash;
	nat_search_begin(owner, &packet->search, hash, way);
	packet->kin = kin;
	packet->way = (uint8_t)way;
	packet->bound = packet->by_flow = false;
}

/* Reads the line where the session is looked for, and asks for the session if there may be one. */
static __rte_always_inline void nat_packet_read(const struct nat_owner *owner, struct nat_packet *packet)
{
	packet->candidate = nat_search_read(owner, &packet->search);
	if (likely(packet->candidate != INDEX_NONE))
		prefetch_far(&owner->session[packet->candidate]);
}

/* The session, if the candidate is the packet's; else NULL. */
static __rte_always_inline struct nat_session *nat_session_look(
	const struct nat_owner *owner, const struct nat_packet *packet, const enum nat_way way)
{
	struct nat_session *session = &owner->session[packet->candidate];

	return likely(packet->candidate != INDEX_NONE &&
		       (way == NAT_UP ? nat_session_is_up(
						session, packet->kin, packet->addresses, packet->ports)
				      : nat_session_is_down(
						session, packet->kin, packet->addresses, packet->ports)))
		       ? session
		       : NULL;
}

/* nat_gateway.c: the candidate is not it: where to look next, whose line is asked for; false: there is no session. */
bool nat_packet_advance(const struct nat_owner *owner, struct nat_packet *packet);

struct nat_packet_list { /* which of an array of packets */
	uint8_t at[BURST_MAX];
	uint16_t count;
};

static inline void nat_list_add(struct nat_packet_list *list, uint8_t i)
{
	list->at[list->count++] = i;
}

static inline uint16_t nat_packet_port(const struct nat_packet *packet, bool destination)
{
	return (uint16_t)(destination ? packet->ports >> 16 : packet->ports);
}

static inline struct nat_flow nat_packet_flow(const struct nat_packet *packet)
{
	struct nat_flow flow = { .segment = (uint16_t)packet->kin, .protocol = nat_packet_protocol(packet) };

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

static inline bool session_is_owned(const struct nat_owner *owner, const struct nat_session *session)
{
	return session >= owner->session && (size_t)(session - owner->session) < owner->rows.free.size;
}

/* What the owner alone does; of another one's session it does it with the next packet. */
static __rte_noinline void state_change(
	const struct nat_owner *owner, struct nat_session *session, uint8_t state)
{
	if (session_is_owned(owner, session))
		session->state = state;
}
static __rte_noinline void traffic_carry(
	struct nat_owner *owner, struct nat_session *session, enum nat_way way)
{
	if (session_is_owned(owner, session))
		nat_traffic_carry(&owner->carry, session, (uint32_t)(session - owner->session), way);
}

/* What a packet does to the state, the idle time and the counts of its session. `l4` is the packet's header. The state is written
 * only when it changes: a lcore that is not the owner (nat_session.h) must not put back what the owner has just changed. */
static __rte_always_inline void nat_session_note(struct nat_owner *owner, struct nat_session *session,
	const uint8_t *l4, uint8_t tcp_flags, uint32_t bytes, uint32_t tick, const enum nat_way way)
{
	if (unlikely(tcp_flags & RTE_TCP_RST_FLAG)) {
		nat_tcp_reset(owner, session, l4, tick, way);
	} else {
		uint8_t before = session->state, after = owner->after[before][way][tcp_flags];

		uint8_t state = after & (uint8_t)~NAT_STATE_REFRESHES;
		if (unlikely(state != before))
			state_change(owner, session, state);
		if (likely(after & NAT_STATE_REFRESHES))
			session->last_seen = tick;
		nat_tcp_follow(session, l4, tcp_flags, before, way);
	}
	uint64_t traffic = session->traffic[way] + NAT_TRAFFIC_PACKET + bytes;
	session->traffic[way] = traffic;
	if (unlikely(traffic & NAT_TRAFFIC_CARRY))
		traffic_carry(owner, session, way);
}

/* What a packet with none of NAT_STATE_FLAGS makes of its session. */
struct nat_step {
	uint8_t after;         /* of the state, as in nat_owner */
	uint64_t traffic_more; /* what is added to the counts of its way */
	uint64_t traffic;      /* what they come to */
};

static __rte_always_inline struct nat_step nat_step_of(const struct nat_owner *owner,
	const struct nat_session *session, uint32_t bytes, const enum nat_way way)
{
	return (struct nat_step){ owner->after[session->state][way][0], NAT_TRAFFIC_PACKET + bytes,
		session->traffic[way] + NAT_TRAFFIC_PACKET + bytes };
}

/* Is there nothing in it that the session's owner alone may do? */
static __rte_always_inline bool nat_step_is_small(const struct nat_step *step, uint8_t state)
{
	return (step->after & (uint8_t)~NAT_STATE_REFRESHES) == state &&
	       (step->traffic & NAT_TRAFFIC_CARRY) == 0;
}

/* As nat_session_note, of a small step. */
static __rte_always_inline void nat_step_take(struct nat_session *session, const struct nat_step *step,
	const uint8_t *l4, uint32_t tick, const enum nat_way way)
{
	if (likely(step->after & NAT_STATE_REFRESHES))
		session->last_seen = tick;
	nat_tcp_follow(session, l4, 0, session->state, way);
	session->traffic[way] += step->traffic_more; /* read again: another lcore may have written since */
}

/* May a packet go into the segment as it is? 0, or the verdict. To be asked before anything is rewritten, for what
 * is punted is answered as it came. */
static inline uint8_t nat_down_refused(const struct nat_burst *burst, struct packet_metadata *meta,
	const struct rte_ipv4_hdr *ip, uint16_t segment)
{
	uint16_t mtu = burst->segment[segment].mtu;

	if (unlikely(ip->time_to_live <= 1)) {
		meta->punt = PUNT_TTL_EXPIRED;
		return VERDICT_PUNT;
	}
	if (unlikely(rte_be_to_cpu_16(ip->total_length) > mtu) && !packet_may_be_fragmented(ip, meta, mtu)) {
		meta->punt = PUNT_TOO_BIG;
		return VERDICT_PUNT;
	}
	return 0;
}

/* Where a packet goes that NAT has found an inside host for. */
static inline void nat_down_route(
	struct nat_burst *burst, struct packet_metadata *meta, struct nat_session *session)
{
	meta->egress = interface_of_segment(session->segment);
	meta->next_hop = session->inside;
	meta->neighbour = session->neighbour;
	if (unlikely(session->neighbour == INDEX_NONE))
		burst->hint[burst->unhinted++] = (struct nat_unhinted){ meta, session };
}

/* checksum_apply, or checksum_apply_udp, without a branch on which: bursts mix protocols. */
static inline uint16_t checksum_mend(uint16_t checksum, uint16_t delta, bool udp)
{
	uint16_t mended = checksum_apply(checksum, delta);

	mended = (udp & (mended == 0)) ? 0xffff : mended;
	return (udp & (checksum == 0)) ? 0 : mended;
}

/* What nat_rewrite needs to know of a packet's L4 header. */
struct nat_l4 {
	uint8_t *header;
	uint8_t port, checksum; /* offsets of what changes */
	uint8_t tcp_flags;      /* of them NAT_STATE_FLAGS; 0 of other protocols */
	bool udp;
};

/* Upwards the source becomes the outside endpoint, downwards the destination becomes the inside one, and the checksums
 * take the delta or its complement, which undoes it: one's complement arithmetic. `ttl`: takes one off, in the same mending of
 * the checksum. */
static __rte_always_inline void nat_rewrite_headers(const struct nat_session *session,
	struct rte_ipv4_hdr *ip, const struct nat_l4 *l4, const enum nat_way way, const bool ttl)
{
	uint16_t ip_delta = way == NAT_UP ? session->ip_delta : (uint16_t)~session->ip_delta;
	uint16_t ip_checksum = checksum_apply(ip->hdr_checksum, ip_delta);
	if (ttl) {
		ip->time_to_live--;
		ip_checksum = checksum_apply(ip_checksum, CHECKSUM_TTL_DELTA);
	}
	ip->hdr_checksum = ip_checksum;
	uint16_t l4_delta = way == NAT_UP ? session->l4_delta : (uint16_t)~session->l4_delta;
	uint16_t *checksum = nat_field16(l4->header, l4->checksum);
	*checksum = checksum_mend(*checksum, l4_delta, l4->udp);
	if (way == NAT_UP)
		ip->src_addr = session->outside;
	else
		ip->dst_addr = session->inside;
	*nat_field16(l4->header, l4->port) = way == NAT_UP ? session->outside_port : session->inside_port;
}

/* `total`: length of the packet. */
static __rte_always_inline void nat_rewrite(struct nat_owner *owner, struct nat_session *session,
	struct rte_ipv4_hdr *ip, const struct nat_l4 *l4, uint32_t total, uint32_t tick,
	const enum nat_way way, const bool ttl)
{
	nat_session_note(owner, session, l4->header, l4->tcp_flags, total, tick, way);
	nat_rewrite_headers(session, ip, l4, way, ttl);
}

/* Byte 13 of what is not TCP is payload, or what the buffer held before: it is masked away. */
static __rte_always_inline struct nat_l4 nat_l4_of(const struct nat_packet *packet, const enum nat_way way)
{
	uint8_t protocol = nat_packet_protocol(packet);
	const struct nat_l4_layout *layout = &nat_l4_layout[protocol % NAT_PROTOCOLS];

	return (struct nat_l4){ .header = packet->l4,
		.port = layout->port[way],
		.checksum = layout->checksum,
		.tcp_flags = packet->l4[13] & layout->flags,
		.udp = protocol == IPPROTO_UDP };
}

/* What route has taken one off the TTL of goes up, what is routed by its session goes down. */
static __rte_always_inline uint8_t nat_translate(struct nat_burst *burst, struct rte_mbuf *m,
	const struct nat_packet *packet, struct nat_session *session, const enum nat_way way)
{
	if (way == NAT_DOWN) {
		uint8_t refused = nat_down_refused(burst, packet_metadata(m), packet->ip, session->segment);
		if (unlikely(refused != 0))
			return refused;
		nat_down_route(burst, packet_metadata(m), session);
	}
	const struct nat_l4 l4 = nat_l4_of(packet, way);
	nat_rewrite(burst->owner, session, packet->ip, &l4, rte_be_to_cpu_16(packet->ip->total_length),
		burst->tick, way, way == NAT_DOWN);
	return STAGE_MAC_LOOKUP;
}

/* Does a packet from inside that has no session go as it is, by a bypass? What is for a public address of ours does not:
 * its answer would not come back to it. */
static inline bool nat_is_bypassed(const struct nat_burst *burst, const struct nat_packet *packet)
{
	return packet->way == NAT_UP && !(packet->kin & NAT_UNUSUAL_HAIRPIN) &&
	       nat_bypass_has(&burst->owner->nat->bypass, (uint16_t)packet->kin,
		       (rte_be32_t)packet->addresses, (rte_be32_t)(packet->addresses >> 32));
}

static inline uint8_t nat_untranslated(struct packet_metadata *meta)
{
	meta->nat = NAT_NONE;
	return STAGE_MAC_LOOKUP;
}

/* What has no session here and makes none. From outside: for our own stack when the address is ours too. From inside: as
 * it is when no rule translates the host. Else the drop. */
static inline uint8_t nat_miss(const struct nat_burst *burst, struct packet_metadata *meta,
	const struct nat_packet *packet, enum drop_reason reason)
{
	struct nat_way_out out;

	if (packet->way == NAT_UP)
		return !nat_is_bypassed(burst, packet) &&
				       nat_rule_out(&burst->owner->nat->rules, (uint16_t)packet->kin, 0,
					       (rte_be32_t)packet->addresses, 0, &out)
			       ? verdict_drop(reason)
			       : nat_untranslated(meta);
	if (!(meta->flags & PACKET_TO_SELF))
		return verdict_drop(reason);
	meta->flags |= PACKET_NAT_MISS;
	meta->punt = PUNT_LOCAL;
	return VERDICT_PUNT;
}

/* Queries with an identifier, and their answers (RFC 5508 section 2). The others of that kind, information and address mask,
 * are obsolete (RFC 6918). */
enum { ICMP_TIMESTAMP = 13, ICMP_TIMESTAMP_REPLY = 14 };
static inline bool nat_icmp_is_request(uint8_t type)
{
	return type == RTE_IP_ICMP_ECHO_REQUEST || type == ICMP_TIMESTAMP;
}
static inline bool nat_icmp_is_query(uint8_t type)
{
	return nat_icmp_is_request(type) || type == RTE_IP_ICMP_ECHO_REPLY || type == ICMP_TIMESTAMP_REPLY;
}

/* A port that hosts inside get, so that what comes to it is for one of them, although the address may be ours too. */
static inline bool nat_port_is_of_pool(const struct nat *nat, const struct nat_flow *flow)
{
	uint32_t number = nat_address_find(&nat->addresses, flow->outside);

	return number != INDEX_NONE &&
	       nat_address_is_dynamic(&nat->addresses, &nat->addresses.address[number],
		       rte_be_to_cpu_16(flow->outside_port));
}

/* At a public address that may be ours as well: is what comes from outside for a host, or for nobody? Of UDP a port of a pool
 * that no host has is ours. */
static inline bool nat_is_of_hosts(const struct nat *nat, const struct nat_flow *flow)
{
	struct nat_way_in in;

	return (flow->protocol == IPPROTO_TCP && nat_port_is_of_pool(nat, flow)) ||
	       nat_rule_in_flow(nat, flow, &in);
}

/* May a session be opened for the packet? */
static inline bool nat_admits(const struct nat_burst *burst, const struct nat_packet *packet)
{
	struct lcore_context *context = burst->context;

	if (likely(!context->overloaded))
		return true;
	if (context->admitted > 0) {
		context->admitted--;
		return true;
	}
	return overload_admits(
		context, (enum nat_way)packet->way, (uint16_t)packet->kin, (rte_be32_t)packet->addresses);
}

/* Can the packet open a session? */
static inline bool nat_packet_opens(const struct nat_packet *packet)
{
	switch (nat_packet_protocol(packet)) {
	case IPPROTO_TCP:
		return nat_tcp_opens(packet->l4[13]);
	case IPPROTO_ICMP:
		return nat_icmp_is_request(packet->l4[0]);
	default:
		return true;
	}
}

/* nat_gateway_slow.c: the long way of one packet: ICMP, fragments, other protocols, what belongs to no session. */
uint8_t nat_gateway_slow(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet);
uint8_t nat_gateway_once(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet);
/* The verdict on a packet whose new session was refused with this -errno. From inside it is answered, at a bounded
 * rate. */
uint8_t nat_open_refused(const struct nat_burst *burst, struct rte_mbuf *m, int64_t error);

/* nat_gateway_new.c: flows from inside that look new. */
void nat_gateway_new(struct nat_burst *burst, struct rte_mbuf **packets, struct nat_packet *packet,
	const struct nat_packet_list *fresh, uint8_t *verdict);

/* nat_hairpin.c: from a segment to a public address. */
uint8_t nat_hairpin(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet);

/* nat_portless.c: protocols without ports that NAT knows, by static bindings. */
bool nat_portless_passes(uint8_t protocol);
void nat_portless_route(struct nat_burst *burst, struct packet_metadata *meta, const struct nat_way_in *in);
uint8_t nat_portless(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet);
/* Changes one address and mends the checksums of the packet, as far as it is there (`l4` may be NULL). Returns what that
 * does to a checksum over the whole of it. */
uint32_t nat_portless_rewrite(
	struct rte_ipv4_hdr *ip, uint8_t *l4, uint16_t l4_length, bool source, rte_be32_t address);

/* nat_handoff.c: 0, or a drop for a packet that nobody owns. */
uint8_t nat_owner_find(const struct nat *nat, struct rte_mbuf *m, uint16_t *owner);

/* nat_fragment.c: where fragments meet, and what the later ones are translated by. */
/* 0 when the fragment may go on here, its ports known; else the verdict. */
uint8_t nat_fragment(struct nat_burst *burst, struct rte_mbuf *m, struct nat_packet *packet);
uint8_t nat_fragment_later(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet);
/* The lcore that a fragment goes to; false when that is to be found as for a whole packet. */
bool nat_fragment_owner(const struct nat *nat, struct rte_mbuf *m, uint16_t *owner);

/* nat_icmp.c: an ICMP error and the packet that it quotes. */
bool nat_icmp_is_error(uint8_t type);
uint8_t nat_icmp_error(struct nat_burst *burst, struct rte_mbuf *m, const struct nat_packet *packet);
/* The flow that the error is about, as its session's keys have it; false when it quotes none that NAT could know. `l4`
 * and `length`: the ICMP message. With way NAT_UP the error comes from inside, so that it quotes what went down. */
bool nat_icmp_quoted_flow(const uint8_t *l4, uint16_t length, enum nat_way way, struct nat_flow *flow);
