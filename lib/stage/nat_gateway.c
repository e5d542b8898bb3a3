/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the session of each packet, or makes it, and translates.
 *
 * The stage works in rounds. The first is for what nearly every packet is: TCP or UDP of the first session of its
 * binding. It is a pipeline of three steps over the burst, some packets apart, each of which asks for the line that
 * the next one reads: hash and ask for the bucket; compare the tags and ask for the session; compare the session
 * and translate. So a burst has a dozen cache misses under way at any time, about what a core can keep track of.
 *
 * What the first round cannot finish goes on in order: to the second, for sessions beyond the first of their binding
 * and for entries in their second bucket, with the same pacing; and then, one by one, to the long way
 * (nat_gateway_slow.c), which opens sessions and does all that is rare. A flow has all its packets of a burst in the
 * same round, so they stay in order. */
#include "stage/nat_private.h"

#define AHEAD 12 /* packets between two steps */

/* In place of a candidate: only the long way knows what to do. */
#define LONG_WAY (INDEX_NONE - 1)

struct rounds {
	struct nat_packet packet[BURST_MAX];
	uint64_t flow_hash[BURST_MAX];             /* second round */
	uint8_t again[BURST_MAX], slow[BURST_MAX]; /* numbers of packets */
	uint16_t agains, slows;
};

static inline void packet_look(const struct lcore_context *context, const struct nat_owner *owner,
	struct rte_mbuf *m, struct nat_packet *packet)
{
	const struct packet_metadata *meta = packet_metadata(m);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);

	packet->ip = (struct rte_ipv4_hdr *)(frame + L3_OFFSET);
	packet->l4 = frame + meta->l4_offset;
	packet->protocol = meta->protocol;
	packet->way = meta->nat == NAT_FROM_INSIDE ? NAT_UP : NAT_DOWN;
	packet->segment = packet->way == NAT_UP ? segment_of_interface(meta->ingress) : 0;
	packet->addresses = nat_address_pair(&packet->ip->src_addr);
	packet->candidate = LONG_WAY;
	if (unlikely(meta->flags & PACKET_FRAGMENT ||
		     (packet->protocol != IPPROTO_UDP && packet->protocol != IPPROTO_TCP)))
		return;
	memcpy(&packet->ports, packet->l4, sizeof(packet->ports));
	packet->hash = nat_packet_hash(packet, &owner->hash_key);
	if (context->owner_count > 1) {
		if (unlikely(meta->owner != context->owner_index))
			return;
	}
	packet->candidate = INDEX_NONE;
	__builtin_prefetch(nat_index_first(&owner->index, packet->hash));
}

static inline void bucket_look(const struct nat_owner *owner, struct nat_packet *packet)
{
	if (unlikely(packet->candidate == LONG_WAY))
		return;
	const struct nat_bucket *bucket = nat_index_first(&owner->index, packet->hash);
	uint32_t match = nat_bucket_match(bucket, nat_index_tag(packet->hash));
	if (likely(match != 0)) {
		packet->candidate = bucket->value[nat_match_slot(match)];
		__builtin_prefetch(&owner->session[packet->candidate], 1);
	}
}

/* No session by the short way. Is there another place to look, or is the flow new? */
static void packet_missed(const struct nat_owner *owner, struct rounds *rounds, uint8_t i)
{
	const struct nat_packet *packet = &rounds->packet[i];

	if (packet->candidate != LONG_WAY &&
		(packet->candidate != INDEX_NONE || owner->nat->rules.apart ||
			nat_index_first(&owner->index, packet->hash)->overflow != 0))
		rounds->again[rounds->agains++] = i;
	else
		rounds->slow[rounds->slows++] = i;
}

static inline void session_look(struct lcore_context *context, struct nat_owner *owner, struct rte_mbuf *m,
	struct rounds *rounds, uint8_t i, uint8_t *verdict)
{
	struct nat_packet *packet = &rounds->packet[i];
	struct nat_session *session = &owner->session[packet->candidate];

	if (likely(packet->candidate < LONG_WAY && nat_packet_is_of(packet, session)))
		*verdict = nat_translate(context, owner, m, packet, session);
	else
		packet_missed(owner, rounds, i);
}

static void first_round(struct lcore_context *context, struct nat_owner *owner, struct rte_mbuf **packets,
	uint16_t count, struct rounds *rounds, uint8_t *verdict)
{
	for (int i = 0; i < count + 2 * AHEAD; i++) {
		int bucket = i - AHEAD, session = i - 2 * AHEAD;

		if (i < count)
			packet_look(context, owner, packets[i], &rounds->packet[i]);
		if (bucket >= 0 && bucket < count)
			bucket_look(owner, &rounds->packet[bucket]);
		if (session >= 0)
			session_look(context, owner, packets[session], rounds, (uint8_t)session,
				&verdict[session]);
	}
}

/* The bucket of the whole flow, and the second one of its endpoint. */
static void flow_ask(const struct nat_owner *owner, const struct nat_packet *packet, uint64_t *flow_hash)
{
	bool up = packet->way == NAT_UP;
	const struct nat_bucket *first = nat_index_first(&owner->index, packet->hash);

	*flow_hash = nat_flow_hash(&owner->hash_key, packet->hash,
		(rte_be32_t)(up ? packet->addresses >> 32 : packet->addresses), nat_packet_port(packet, up));
	__builtin_prefetch(nat_index_first(&owner->index, *flow_hash));
	if (first->overflow != 0)
		__builtin_prefetch(nat_index_other(&owner->index, first, nat_index_tag(packet->hash)));
}

static void candidate_ask(const struct nat_owner *owner, const struct nat_bucket *bucket, uint64_t hash)
{
	uint32_t match = nat_bucket_match(bucket, nat_index_tag(hash));

	if (match != 0)
		__builtin_prefetch(&owner->session[bucket->value[nat_match_slot(match)]], 1);
}

static void flow_look(const struct nat_owner *owner, const struct nat_packet *packet, uint64_t flow_hash)
{
	const struct nat_bucket *first = nat_index_first(&owner->index, packet->hash);

	candidate_ask(owner, nat_index_first(&owner->index, flow_hash), flow_hash);
	if (first->overflow != 0)
		candidate_ask(owner, nat_index_other(&owner->index, first, nat_index_tag(packet->hash)),
			packet->hash);
}

static void flow_finish(struct lcore_context *context, struct nat_owner *owner, struct rte_mbuf *m,
	struct rounds *rounds, uint8_t i, uint8_t *verdict)
{
	const struct nat_packet *packet = &rounds->packet[i];
	const struct nat_flow flow = nat_packet_flow(packet);
	uint32_t number = packet->way == NAT_UP ? nat_session_find_up(owner, &flow)
						: nat_session_find_down(owner, &flow);

	if (likely(number != INDEX_NONE))
		*verdict = nat_translate(context, owner, m, packet, &owner->session[number]);
	else
		rounds->slow[rounds->slows++] = i;
}

static void second_round(struct lcore_context *context, struct nat_owner *owner, struct rte_mbuf **packets,
	struct rounds *rounds, uint8_t *verdict)
{
	const uint8_t *again = rounds->again;
	int count = rounds->agains;

	for (int i = 0; i < count + 2 * AHEAD; i++) {
		int bucket = i - AHEAD, session = i - 2 * AHEAD;

		if (i < count)
			flow_ask(owner, &rounds->packet[again[i]], &rounds->flow_hash[i]);
		if (bucket >= 0 && bucket < count)
			flow_look(owner, &rounds->packet[again[bucket]], rounds->flow_hash[bucket]);
		if (session >= 0)
			flow_finish(context, owner, packets[again[session]], rounds, again[session],
				&verdict[again[session]]);
	}
}

/* The neighbour hint of a session can go stale. One packet a burst has it checked, so that a busy session is right
 * again after some bursts, and the others pay nothing. */
static void hint_mend(
	const struct lcore_context *context, struct nat_owner *owner, const struct nat_packet *packet)
{
	const struct neighbour_table *neighbours = context->plane->neighbours;

	if (packet->way != NAT_DOWN || packet->candidate >= LONG_WAY)
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

	rounds.agains = rounds.slows = 0;
	first_round(context, owner, packets, count, &rounds, verdict);
	if (unlikely(rounds.agains > 0))
		second_round(context, owner, packets, &rounds, verdict);
	hint_mend(context, owner, &rounds.packet[context->now % count]);
	for (uint16_t i = 0; i < rounds.slows; i++) {
		uint8_t at = rounds.slow[i];
		verdict[at] = nat_gateway_slow(context, packets[at], &rounds.packet[at], &budget);
	}
}
