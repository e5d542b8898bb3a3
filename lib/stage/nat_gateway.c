/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the session of each packet, or makes it, and translates.
 *
 * The burst goes through the tables in rounds. A packet has several lines to look at (nat_search.h): those of its endpoint on
 * our side, then those of the whole flow, for sessions beyond the first of their binding. A round is one candidate for each
 * packet that is still looking; nearly every packet is done in the first. Within a round the burst is a pipeline of steps some
 * packets apart, each of which asks for the line that the next one reads: hash and ask for the line of tags; compare them and
 * ask for the session; compare the session and translate. So a burst has a dozen or two cache misses under way at any time,
 * about what a core can keep track of.
 *
 * What is found nowhere is a new flow, which nat_gateway_new.c takes over, likewise as a pipeline. What is rare, ICMP
 * above all, and new flows while the lcore is overloaded, goes one by one (nat_gateway_slow.c). All packets of a flow
 * take the same way, so they stay in order. */
#include "stage/nat_private.h"

#define AHEAD 16u /* packets between two steps */

/* The packets of a burst, those from inside first, and which of them wait for what. */
struct rounds {
	struct nat_packet packet[BURST_MAX];
	struct nat_packet_list next, fresh, slow;
};

/* What goes the long way, as the upper byte of the kin word. */
static const uint8_t protocol_unusual[256] = { [0 ... 5] = 1, [7 ... 16] = 1, [18 ... 255] = 1 };
_Static_assert(IPPROTO_TCP == 6 && IPPROTO_UDP == 17, "the usual ones");

static inline uint32_t packet_unusual(const struct packet_metadata *meta)
{
	return (uint32_t)(protocol_unusual[meta->protocol] | (meta->flags & PACKET_FRAGMENT) |
			  (meta->nat & NAT_HAIRPIN) << 1)
	       << 24;
}
_Static_assert(PACKET_FRAGMENT != NAT_HAIRPIN << 1 && NAT_HAIRPIN << 1 <= UINT8_MAX, "bits of their own");

/* The functions that are told the way are made twice, without a branch on it. */
static __rte_always_inline void packet_look(const struct nat_owner *owner, struct rte_mbuf **packets,
	struct nat_packet *packet, const enum nat_way way)
{
	struct rte_mbuf *m = packets[packet->at];
	const struct packet_metadata *meta = packet_metadata(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t segment = way == NAT_UP ? segment_of_interface(meta->ingress) : 0;

	nat_packet_look(
		owner, packet, frame, frame + meta->l4_offset, nat_kin_word(segment, meta->protocol), way);
	packet->kin |= packet_unusual(meta);
	prefetch_far(packet->search.line);
}

/* Is the candidate the first session of the endpoint's binding? */
static bool endpoint_is(const struct nat_owner *owner, const struct nat_packet *packet)
{
	const struct nat_session *session = &owner->session[packet->candidate];

	if (packet->candidate == INDEX_NONE || !(session->flags & NAT_SESSION_FIRST))
		return false;
	return packet->way == NAT_UP ? session->inside == (rte_be32_t)packet->addresses &&
					       session->inside_port == nat_packet_port(packet, false) &&
					       nat_session_kin(session) == packet->kin
				     : session->outside == (rte_be32_t)(packet->addresses >> 32) &&
					       session->outside_port == nat_packet_port(packet, true) &&
					       session->protocol == packet->kin >> 16;
}

bool nat_packet_advance(const struct nat_owner *owner, struct nat_packet *packet)
{
	bool up = packet->way == NAT_UP;

	packet->bound |= !packet->by_flow && endpoint_is(owner, packet);
	if ((packet->by_flow || !packet->bound) && nat_search_on(owner, &packet->search)) {
		/* another candidate, or another line */
	} else if (!packet->by_flow && (packet->bound || owner->nat->rules.apart)) {
		packet->by_flow = true;
		nat_search_begin(owner, &packet->search,
			nat_flow_hash(&owner->hash_key, packet->endpoint_hash,
				(rte_be32_t)(up ? packet->addresses >> 32 : packet->addresses),
				nat_packet_port(packet, up)),
			(enum nat_way)packet->way);
	} else {
		packet->candidate = INDEX_NONE;
		return false;
	}
	prefetch_far(packet->search.line);
	return true;
}

static __rte_noinline void packet_missed(const struct nat_burst *burst, struct rte_mbuf **packets,
	struct rounds *rounds, uint8_t i, uint8_t *verdict)
{
	struct nat_packet *packet = &rounds->packet[i];

	if (packet->kin & NAT_UNUSUAL)
		nat_list_add(&rounds->slow, i);
	else if (nat_packet_advance(burst->owner, packet))
		nat_list_add(&rounds->next, i);
	else if (!nat_is_bypassed(burst, packet))
		nat_list_add(packet->way == NAT_UP && nat_packet_opens(packet) && !burst->context->overloaded
				     ? &rounds->fresh
				     : &rounds->slow,
			i);
	else if (packet->bound) /* it may yet belong to a session that began from outside */
		nat_list_add(&rounds->slow, i);
	else
		verdict[packet->at] = nat_untranslated(packet_metadata(packets[packet->at]));
}

static __rte_always_inline void session_look(struct nat_burst *burst, struct rte_mbuf **packets,
	struct rounds *rounds, uint32_t i, uint8_t *verdict, const enum nat_way way)
{
	const struct nat_packet *packet = &rounds->packet[i];
	struct nat_session *session = nat_session_look(burst->owner, packet, way);

	if (likely(session != NULL))
		verdict[packet->at] = nat_translate(burst, packets[packet->at], packet, session, way);
	else
		packet_missed(burst, packets, rounds, (uint8_t)i, verdict);
}

/* Packets `from` to `end`. The steps follow each other AHEAD packets apart, or by the whole burst when it is short. */
static __rte_always_inline void first_round(struct nat_burst *burst, struct rte_mbuf **packets,
	struct rounds *rounds, uint32_t from, uint32_t end, uint8_t *verdict, const enum nat_way way)
{
	uint32_t packet = from, bucket = from, session = from;

	while (packet < RTE_MIN(from + AHEAD, end))
		packet_look(burst->owner, packets, &rounds->packet[packet++], way);
	while (packet < RTE_MIN(from + 2 * AHEAD, end)) {
		packet_look(burst->owner, packets, &rounds->packet[packet++], way);
		nat_packet_read(burst->owner, &rounds->packet[bucket++]);
	}
	while (packet < end) {
		packet_look(burst->owner, packets, &rounds->packet[packet++], way);
		nat_packet_read(burst->owner, &rounds->packet[bucket++]);
		session_look(burst, packets, rounds, session++, verdict, way);
	}
	while (bucket < end) {
		nat_packet_read(burst->owner, &rounds->packet[bucket++]);
		if (bucket - session > AHEAD)
			session_look(burst, packets, rounds, session++, verdict, way);
	}
	while (session < end)
		session_look(burst, packets, rounds, session++, verdict, way);
}

static __rte_noinline void first_round_up(struct nat_burst *burst, struct rte_mbuf **packets,
	struct rounds *rounds, uint32_t from, uint32_t end, uint8_t *verdict)
{
	first_round(burst, packets, rounds, from, end, verdict, NAT_UP);
}

static __rte_noinline void first_round_down(struct nat_burst *burst, struct rte_mbuf **packets,
	struct rounds *rounds, uint32_t from, uint32_t end, uint8_t *verdict)
{
	first_round(burst, packets, rounds, from, end, verdict, NAT_DOWN);
}

/* One place more for those that are still looking. */
static __rte_noinline void next_round(
	struct nat_burst *burst, struct rte_mbuf **packets, struct rounds *rounds, uint8_t *verdict)
{
	struct nat_packet_list list = rounds->next;
	uint32_t session = 0;

	rounds->next.count = 0;
	for (uint32_t bucket = 0; bucket < list.count; bucket++)
		nat_packet_read(burst->owner, &rounds->packet[list.at[bucket]]);
	for (; session < list.count; session++)
		session_look(burst, packets, rounds, list.at[session], verdict,
			(enum nat_way)rounds->packet[list.at[session]].way);
}

/* Gives the sessions that have none the hint to their neighbour, and their packets too. */
static __rte_noinline void hints_find(struct nat_burst *burst)
{
	const struct neighbour_table *neighbours = burst->context->plane->neighbours;
	uint64_t key[BURST_MAX], hash[BURST_MAX];

	for (uint32_t i = 0; i < burst->unhinted; i++) {
		const struct packet_metadata *meta = burst->hint[i].meta;
		key[i] = neighbour_key(meta->egress, meta->next_hop);
		hash[i] = key_table_hash(neighbours->index, key[i]);
		__builtin_prefetch(key_table_first(neighbours->index, hash[i]));
	}
	for (uint32_t i = 0; i < burst->unhinted; i++) {
		uint32_t found = key_table_find_hashed(neighbours->index, key[i], hash[i]);
		burst->hint[i].meta->neighbour = found;
		burst->hint[i].session->neighbour = found;
	}
}

/* A hint can go stale. One packet a burst has it checked, so that a busy session is right again after some bursts, and
 * the others pay nothing. */
static void hint_mend(const struct nat_burst *burst, const struct nat_packet *packet)
{
	const struct neighbour_table *neighbours = burst->context->plane->neighbours;

	if (packet->candidate == INDEX_NONE)
		return;
	struct nat_session *session = &burst->owner->session[packet->candidate];
	interface_id interface = interface_of_segment(session->segment);
	if (session->neighbour < neighbours->capacity &&
		atomic_load_explicit(&neighbours->entry[session->neighbour].key, memory_order_relaxed) !=
			neighbour_key(interface, session->inside))
		session->neighbour = neighbour_find(neighbours, interface, session->inside);
}

/* Drops what is another owner's; returns the rest, as a bit mask. */
static uint64_t burst_own(
	const struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	uint64_t own = UINT64_MAX >> (BURST_MAX - count);

	if (context->owner_count == 1)
		return own;
	for (uint16_t i = 0; i < count; i++)
		if (unlikely(packet_metadata(packets[i])->owner != context->owner_index)) {
			verdict[i] = verdict_drop(DROP_NAT_STALE_OWNER);
			own &= ~(UINT64_C(1) << i);
		}
	return own;
}

static uint32_t members_add(struct rounds *rounds, uint32_t count, uint64_t members)
{
	for (; members != 0; members &= members - 1)
		rounds->packet[count++].at = (uint8_t)__builtin_ctzll(members);
	return count;
}

void nat_gateway_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	struct nat_burst burst;
	uint64_t own = burst_own(context, packets, count, verdict), up = 0;
	struct rounds rounds;

	burst.context = context;
	burst.owner = context->nat;
	burst.segment = context->plane->segments->segment;
	burst.tick = context->tick;
	burst.unhinted = 0;
	rounds.next.count = rounds.fresh.count = rounds.slow.count = 0;
	for (uint16_t i = 0; i < count; i++)
		up |= (uint64_t)(packet_metadata(packets[i])->nat & NAT_FROM_INSIDE) << i;
	uint32_t ups = members_add(&rounds, 0, own & up), all = members_add(&rounds, ups, own & ~up);
	first_round_up(&burst, packets, &rounds, 0, ups, verdict);
	first_round_down(&burst, packets, &rounds, ups, all, verdict);
	while (unlikely(rounds.next.count > 0))
		next_round(&burst, packets, &rounds, verdict);
	if (all > ups)
		hint_mend(&burst, &rounds.packet[ups + (uint32_t)context->now % (all - ups)]);
	if (unlikely(rounds.fresh.count > 0))
		nat_gateway_new(&burst, packets, rounds.packet, &rounds.fresh, verdict);
	for (uint16_t i = 0; i < rounds.slow.count; i++) {
		struct nat_packet *packet = &rounds.packet[rounds.slow.at[i]];
		verdict[packet->at] = nat_gateway_slow(&burst, packets[packet->at], packet);
	}
	if (unlikely(burst.unhinted > 0))
		hints_find(&burst);
}
