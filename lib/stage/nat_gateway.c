/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the session of each packet, or makes it, and translates.
 *
 * The burst goes through the index in rounds. A packet has up to four places to look: first and second bucket of its
 * endpoint on our side, then first and second bucket of the whole flow, for sessions beyond the first of their
 * binding. A round is one place for each packet that is still looking; nearly every packet is done in the first.
 * Within a round the burst is a pipeline of steps some packets apart, each of which asks for the line that the next
 * one reads: hash and ask for the bucket; compare the tags and ask for the session; compare the session and
 * translate. So a burst has a dozen or two cache misses under way at any time, about what a core can keep track of.
 *
 * What is found nowhere is a new flow, which nat_gateway_new.c takes over, likewise as a pipeline. What is rare, ICMP
 * above all, goes one by one (nat_gateway_slow.c). All packets of a flow take the same way, so they stay in order. */
#include "stage/nat_private.h"

#define AHEAD 12u /* packets between two steps */

/* In place of a candidate: not to be looked for here. */
#define NOT_HERE (INDEX_NONE - 1)

enum place { ENDPOINT_FIRST, ENDPOINT_SECOND, FLOW_FIRST, FLOW_SECOND };

struct rounds {
	struct nat_packet packet[BURST_MAX];
	struct nat_packet_list way[NAT_WAYS], next, fresh, slow;
};

/* The functions that are told the way are made twice, without a branch on it. */
static __rte_always_inline void packet_look(const struct lcore_context *context,
	const struct nat_owner *owner, struct rte_mbuf *m, struct nat_packet *packet, const enum nat_way way)
{
	const struct packet_metadata *meta = packet_metadata(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *l4 = frame + meta->l4_offset,
		protocol = meta->protocol;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + L3_OFFSET);
	uint16_t segment = way == NAT_UP ? segment_of_interface(meta->ingress) : 0;
	uint64_t addresses = nat_address_pair(&ip->src_addr), hash;
	uint32_t ports;

	packet->ip = ip;
	packet->l4 = l4;
	packet->protocol = protocol;
	packet->way = way;
	packet->segment = segment;
	packet->addresses = addresses;
	packet->place = ENDPOINT_FIRST;
	if (unlikely(meta->flags & PACKET_FRAGMENT || (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP) ||
		     (context->owner_count > 1 && meta->owner != context->owner_index))) {
		packet->candidate = NOT_HERE;
		return;
	}
	memcpy(&ports, l4, sizeof(ports));
	hash = way == NAT_UP ? nat_inside_hash(&owner->hash_key, segment, protocol, (rte_be32_t)addresses,
				       (rte_be16_t)ports)
			     : nat_outside_hash(&owner->hash_key, protocol, (rte_be32_t)(addresses >> 32),
				       (rte_be16_t)(ports >> 16));
	packet->ports = ports;
	packet->hash = hash;
	packet->bucket = nat_index_first(&owner->index, hash);
	packet->candidate = INDEX_NONE;
	__builtin_prefetch(packet->bucket);
}

static __rte_always_inline void bucket_look(const struct nat_owner *owner, struct nat_packet *packet)
{
	if (unlikely(packet->candidate == NOT_HERE))
		return;
	uint32_t match = nat_bucket_match(packet->bucket, nat_index_tag(packet->hash));
	if (likely(match != 0)) {
		uint32_t candidate = packet->bucket->value[nat_match_slot(match)];
		packet->candidate = candidate;
		__builtin_prefetch(&owner->session[candidate], 1);
	}
}

/* Where to look next, if anywhere. A bucket that matched by accident, once in some ten thousand times, sends the packet
 * on as well; then the entry is missed here, and nat_gateway_slow.c looks everywhere. */
static bool place_advance(const struct nat_owner *owner, struct nat_packet *packet)
{
	bool up = packet->way == NAT_UP, matched = packet->candidate != INDEX_NONE;

	packet->candidate = INDEX_NONE;
	if (!matched && (packet->place == ENDPOINT_FIRST || packet->place == FLOW_FIRST) &&
		packet->bucket->overflow != 0) {
		packet->place++;
		packet->bucket = nat_index_other(&owner->index, packet->bucket, nat_index_tag(packet->hash));
	} else if (packet->place <= ENDPOINT_SECOND && (matched || owner->nat->rules.apart)) {
		packet->place = FLOW_FIRST;
		packet->hash = nat_flow_hash(&owner->hash_key, packet->hash,
			(rte_be32_t)(up ? packet->addresses >> 32 : packet->addresses),
			nat_packet_port(packet, up));
		packet->bucket = nat_index_first(&owner->index, packet->hash);
	} else {
		return false;
	}
	__builtin_prefetch(packet->bucket);
	return true;
}

static __rte_noinline void packet_missed(const struct nat_owner *owner, struct rounds *rounds, uint8_t i)
{
	struct nat_packet *packet = &rounds->packet[i];

	if (packet->candidate == NOT_HERE)
		nat_list_add(&rounds->slow, i);
	else if (place_advance(owner, packet))
		nat_list_add(&rounds->next, i);
	else if (packet->way == NAT_UP && nat_packet_opens(packet))
		nat_list_add(&rounds->fresh, i);
	else
		nat_list_add(&rounds->slow, i);
}

static __rte_always_inline void session_look(struct lcore_context *context, struct nat_owner *owner,
	struct rte_mbuf *m, struct rounds *rounds, uint8_t i, uint8_t *verdict, const enum nat_way way)
{
	const struct nat_packet *packet = &rounds->packet[i];
	struct nat_session *session = &owner->session[packet->candidate];
	bool is_of = packet->candidate < NOT_HERE &&
		     (way == NAT_UP ? nat_session_is_up(session, packet->segment, packet->protocol,
					      packet->addresses, packet->ports)
				    : nat_session_is_down(
					      session, packet->protocol, packet->addresses, packet->ports));

	if (likely(is_of))
		verdict[i] = nat_translate(context, owner, m, packet, session, way);
	else
		packet_missed(owner, rounds, i);
}

static __rte_always_inline void first_round(struct lcore_context *context, struct nat_owner *owner,
	struct rte_mbuf **packets, struct rounds *rounds, uint8_t *verdict, const enum nat_way way)
{
	const uint8_t *at = rounds->way[way].at;
	uint32_t count = rounds->way[way].count;

	for (uint32_t i = 0; i < count + 2 * AHEAD; i++) {
		uint32_t bucket = i - AHEAD, session = i - 2 * AHEAD; /* at first beyond any count */

		if (i < count)
			packet_look(context, owner, packets[at[i]], &rounds->packet[at[i]], way);
		if (bucket < count)
			bucket_look(owner, &rounds->packet[at[bucket]]);
		if (session < count)
			session_look(context, owner, packets[at[session]], rounds, at[session], verdict, way);
	}
}

/* One place more for those that are still looking. */
static __rte_noinline void next_round(struct lcore_context *context, struct nat_owner *owner,
	struct rte_mbuf **packets, struct rounds *rounds, uint8_t *verdict)
{
	struct nat_packet_list list = rounds->next;

	rounds->next.count = 0;
	for (uint32_t i = 0; i < list.count + AHEAD; i++) {
		uint32_t session = i - AHEAD;

		if (i < list.count)
			bucket_look(owner, &rounds->packet[list.at[i]]);
		if (session < list.count)
			session_look(context, owner, packets[list.at[session]], rounds, list.at[session],
				verdict, (enum nat_way)rounds->packet[list.at[session]].way);
	}
}

/* The neighbour hint of a session can go stale. One packet a burst has it checked, so that a busy session is right
 * again after some bursts, and the others pay nothing. */
static void hint_mend(
	const struct lcore_context *context, struct nat_owner *owner, const struct nat_packet *packet)
{
	const struct neighbour_table *neighbours = context->plane->neighbours;

	if (packet->way != NAT_DOWN || packet->candidate >= NOT_HERE)
		return;
	struct nat_session *session = &owner->session[packet->candidate];
	interface_id interface = interface_of_segment(session->segment);
	if (session->neighbour < neighbours->capacity &&
		atomic_load_explicit(&neighbours->entry[session->neighbour].key, memory_order_relaxed) !=
			neighbour_key(interface, session->inside))
		session->neighbour = neighbour_find(neighbours, interface, session->inside);
}

void nat_gateway_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	struct nat_owner *owner = context->nat;
	uint32_t budget = owner->nat->new_sessions_a_burst;
	struct rounds rounds;

	rounds.way[NAT_UP].count = rounds.way[NAT_DOWN].count = 0;
	rounds.next.count = rounds.fresh.count = rounds.slow.count = 0;
	for (uint16_t i = 0; i < count; i++)
		nat_list_add(&rounds.way[packet_metadata(packets[i])->nat != NAT_FROM_INSIDE], (uint8_t)i);
	first_round(context, owner, packets, &rounds, verdict, NAT_UP);
	first_round(context, owner, packets, &rounds, verdict, NAT_DOWN);
	while (unlikely(rounds.next.count > 0))
		next_round(context, owner, packets, &rounds, verdict);
	hint_mend(context, owner, &rounds.packet[(uint32_t)context->now % count]);
	if (unlikely(rounds.fresh.count > 0))
		nat_gateway_new(context, packets, rounds.packet, &rounds.fresh, &budget, verdict);
	for (uint16_t i = 0; i < rounds.slow.count; i++) {
		uint8_t at = rounds.slow.at[i];
		verdict[at] = nat_gateway_slow(context, packets[at], &rounds.packet[at], &budget);
	}
}
