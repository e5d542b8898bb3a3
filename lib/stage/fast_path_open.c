/* SPDX-License-Identifier: BSD-3-Clause */
/* New flows from inside, of UDP and, with a SYN, of TCP, out of what the fast path has found no session for: it asks what the
 * stages would ask and a session would have answered, opens the session and sees the packet through. In steps by small groups,
 * as nat_gateway_new.c does: seek the neighbour; ask for it and for the host; ask for the FDB entry and the free ports;
 * decide, choose the public endpoint, and ask for the row of records that it leads to; choose a record, and ask for it; make
 * the session and send. Whatever is not plainly so is left to the stages, before anything has changed. So are refusals: it is
 * the stages that count and answer them. */
#include "stage/fast_path_private.h"
#include "table/nat.h"

#define GROUP 8u

struct fresh {
	struct nat_opening opening;
	struct fast_packet *packet;
	uint64_t neighbour_hash; /* of the host's key */
	uint32_t neighbour;      /* of the host, or INDEX_NONE */
	uint16_t next_hop;       /* number in the FIB */
	bool reserved;
};

/* The packets, and how far they have got: numbers of those that come next to each step. */
struct openings {
	uint32_t count, sought, asked, looked, reserved, placed, done;
	struct fresh fresh[BURST_MAX];
};

static struct nat_flow flow_of(const struct fast_packet *packet)
{
	const struct rte_ipv4_hdr *ip = packet->ip;
	uint32_t ports = nat_port_pair((const rte_be16_t *)(ip + 1));

	return (struct nat_flow){ .inside = ip->src_addr,
		.remote = ip->dst_addr,
		.inside_port = (rte_be16_t)ports,
		.remote_port = (rte_be16_t)(ports >> 16),
		.segment = (uint16_t)packet->kin,
		.protocol = ip->next_proto_id };
}

/* What mac_learn asks of the sender's address, but for routers: they are the stages'. */
static bool source_is_right(const struct segment *segment, rte_be32_t source)
{
	return ((source ^ segment->gateway) & segment->mask) == 0 && source != segment->gateway &&
	       !ipv4_source_impossible(source);
}

static bool is_where_it_was(const struct fast_burst *burst, const struct fresh *fresh)
{
	uint64_t key = fresh->packet->mac_key;
	uint32_t at =
		fresh->neighbour == INDEX_NONE
			? INDEX_NONE
			: atomic_load_explicit(&burst->neighbour[fresh->neighbour].fdb, memory_order_relaxed);

	if (at == INDEX_NONE || atomic_load_explicit(&burst->fdb[at].key, memory_order_acquire) != key)
		at = fdb_find(
			burst->plane->fdb, key); /* it has spoken, but not ARP; or it has several MACs */
	return at != INDEX_NONE &&
	       atomic_load_explicit(&burst->fdb[at].location, memory_order_relaxed) == fresh->packet->tunnel;
}

static bool leads_outside(struct fast_burst *burst, const struct fresh *fresh)
{
	const struct rte_ipv4_hdr *ip = fresh->packet->ip;
	const struct next_hop *hop = &burst->plane->fib->next_hop[fresh->next_hop];

	if (ipv4_source_impossible(ip->dst_addr) || !next_hop_leads_out(hop))
		return false;
	const struct adjacency *adjacency = fast_path_adjacency(burst, fresh->next_hop, ip->dst_addr);
	return adjacency != NULL && rte_be_to_cpu_16(ip->total_length) <= adjacency->mtu;
}

static bool may_open(struct fast_burst *burst, const struct fresh *fresh)
{
	const struct nat_flow *flow = &fresh->opening.flow;

	return !follows_left(burst, fresh->packet->ip) &&
	       source_is_right(&burst->segment[flow->segment], flow->inside) &&
	       is_where_it_was(burst, fresh) && leads_outside(burst, fresh) &&
	       !nat_bypass_has(&burst->owner->nat->bypass, flow->segment, flow->inside, flow->remote);
}

static uint64_t host_key(const struct fast_packet *packet)
{
	return neighbour_key(interface_of_segment((uint16_t)packet->kin), packet->ip->src_addr);
}

static void fresh_seek(const struct fast_burst *burst, struct fresh *fresh)
{
	const struct key_table *neighbours = burst->plane->neighbours->index;

	fresh->neighbour_hash = key_table_hash(neighbours, host_key(fresh->packet));
	__builtin_prefetch(key_table_first(neighbours, fresh->neighbour_hash));
}

static void fresh_ask(struct fast_burst *burst, struct fresh *fresh)
{
	fresh->opening.flow = flow_of(fresh->packet);
	fresh->opening.inside_hash = fresh->packet->hash;
	fresh->opening.quiet = true;
	nat_open_ask(burst->owner, &fresh->opening);
	fresh->neighbour = key_table_find_hashed(
		burst->plane->neighbours->index, host_key(fresh->packet), fresh->neighbour_hash);
	if (likely(fresh->neighbour != INDEX_NONE))
		__builtin_prefetch(&burst->neighbour[fresh->neighbour]);
}

static void fresh_look(const struct fast_burst *burst, struct fresh *fresh)
{
	if (likely(fresh->neighbour != INDEX_NONE))
		__builtin_prefetch(&burst->fdb[atomic_load_explicit(
			&burst->neighbour[fresh->neighbour].fdb, memory_order_relaxed)]);
	nat_open_look(burst->owner, &fresh->opening);
}

static void fresh_reserve(struct fast_burst *burst, struct fresh *fresh)
{
	fresh->reserved =
		may_open(burst, fresh) && nat_open_reserve(burst->owner, &fresh->opening, burst->tick) == 0;
	if (likely(fresh->reserved))
		return;
	nat_open_leave(burst->owner);
	fast_path_leave(burst, fresh->packet->slot, fresh->packet->ip);
}

static void fresh_place(struct fast_burst *burst, struct fresh *fresh)
{
	if (likely(fresh->reserved))
		nat_open_place(burst->owner, &fresh->opening);
}

/* What an earlier packet of the flow could not be, this one is neither: with its session it follows that one to the stages. */
static void fresh_finish(struct fast_burst *burst, struct fresh *fresh)
{
	struct fast_packet *packet = fresh->packet;
	int64_t number;

	if (unlikely(!fresh->reserved))
		return;
	number = nat_open_commit(burst->owner, &fresh->opening, burst->tick);
	if (likely(number >= 0)) {
		struct nat_session *session = &burst->owner->session[number];
		session->neighbour = fresh->neighbour;
		if (likely(fresh->next_hop <= UINT8_MAX))
			session->next_hop = (uint8_t)fresh->next_hop;
		if (likely(!follows_left(burst, packet->ip) && fast_path_finish_up(burst, packet, session)))
			return;
	} else {
		nat_open_leave(burst->owner);
	}
	fast_path_leave(burst, packet->slot, packet->ip);
}

/* In a loop of its own, so that the requests lie close together. */
static void fresh_prefetch(const struct openings *openings, uint32_t from, uint32_t end)
{
	for (uint32_t i = from; i < end; i++) {
		prefetch_far(openings->fresh[i].opening.ahead[0]);
		prefetch_far(openings->fresh[i].opening.ahead[1]);
	}
}

static void groups_step(struct fast_burst *burst, struct openings *openings)
{
	uint32_t seek = RTE_MIN(openings->count, openings->sought + GROUP), ask = openings->sought,
		 look = openings->asked, reserve = openings->looked, place = openings->reserved,
		 finish = openings->placed;

	for (; openings->sought < seek; openings->sought++)
		fresh_seek(burst, &openings->fresh[openings->sought]);
	for (; openings->asked < ask; openings->asked++)
		fresh_ask(burst, &openings->fresh[openings->asked]);
	for (; openings->looked < look; openings->looked++)
		fresh_look(burst, &openings->fresh[openings->looked]);
	fresh_prefetch(openings, reserve, openings->looked);
	for (; openings->reserved < reserve; openings->reserved++)
		fresh_reserve(burst, &openings->fresh[openings->reserved]);
	fresh_prefetch(openings, place, openings->reserved);
	for (; openings->placed < place; openings->placed++)
		fresh_place(burst, &openings->fresh[openings->placed]);
	fresh_prefetch(openings, finish, openings->placed);
	for (; openings->done < finish; openings->done++)
		fresh_finish(burst, &openings->fresh[openings->done]);
}

static void openings_begin(
	struct openings *openings, struct fast_burst *burst, uint64_t fresh, uint64_t bound)
{
	rte_be32_t remote[BURST_MAX] = { 0 };
	uint16_t next_hop[BURST_MAX];
	uint32_t count = 0;

	for (; fresh != 0; fresh &= fresh - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(fresh);
		struct fresh *one = &openings->fresh[count];
		/* The packets of a way may be written through all pointers to the burst but this one. */
		one->packet = &burst->way[NAT_UP].packet[i];
		one->opening.unbound = !(bound >> i & 1);
		remote[count++] = one->packet->ip->dst_addr;
	}
	fib_find_bulk(burst->plane->fib, remote, next_hop, (uint16_t)count);
	for (uint32_t i = 0; i < count; i++)
		openings->fresh[i].next_hop = next_hop[i];
	openings->count = count;
	openings->sought = openings->asked = openings->looked = 0;
	openings->reserved = openings->placed = openings->done = 0;
}

static void round_open(struct fast_burst *burst, uint64_t fresh, uint64_t bound)
{
	struct openings openings;

	openings_begin(&openings, burst, fresh, bound);
	while (openings.done < openings.count)
		groups_step(burst, &openings);
}

#define PLACES 128u /* a power of two, of which a burst takes up half at most */

/* Which of these packets are of endpoints that an earlier one of them is of. A place is the first one's that has it: of an endpoint
 * either all packets but the first are seen, or none, so that those of a flow stay together. */
static uint64_t of_same_endpoints(const struct fast_burst *burst, uint64_t fresh)
{
	uint64_t endpoint[PLACES] = { 0 }, same = 0;

	for (; fresh != 0; fresh &= fresh - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(fresh);
		uint64_t hash = burst->way[NAT_UP].packet[i].hash, *place = &endpoint[hash % PLACES];

		same |= (uint64_t)(*place == hash) << i;
		*place = *place == 0 ? hash : *place;
	}
	return same;
}

/* What joins a binding that this burst makes is opened when that is there: it is asked for as such. With a table that
 * is full already nothing is to be done here. */
void fast_path_open(struct fast_burst *burst, uint64_t fresh, uint64_t bound)
{
	if (unlikely(nat_records_left(&burst->owner->rows) == 0)) {
		for (; fresh != 0; fresh &= fresh - 1) {
			const struct fast_packet *packet = &burst->way[NAT_UP].packet[__builtin_ctzll(fresh)];
			fast_path_leave(burst, packet->slot, packet->ip);
		}
		return;
	}
	uint64_t same = of_same_endpoints(burst, fresh);
	round_open(burst, fresh & ~same, bound);
	if (unlikely(same != 0))
		round_open(burst, same, bound | same);
}
