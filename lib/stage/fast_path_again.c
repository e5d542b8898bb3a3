/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path's packets whose session was not where it was looked for first: it lies elsewhere, or there is none. */
#include "stage/fast_path_private.h"

/* Looks once more where it was looked for first, or would have been by its endpoint, and notes all that is needed to look elsewhere. */
static void packet_want(struct fast_burst *burst, uint32_t i, const enum nat_way way)
{
	struct fast_packet *packet = fast_packet_of(burst, i, way);
	const struct nat_owner *owner = owner_of_packet(burst, packet, burst->others);
	uint8_t *frame = (uint8_t *)packet->ip - L3_OFFSET;

	nat_packet_look(owner, &burst->wanted[i], frame, frame + L4_OFFSET, packet->kin, way);
	packet->hash = burst->wanted[i].endpoint_hash;
	nat_packet_read(owner, &burst->wanted[i]);
}

/* Packets of a burst and way: what more of them have to tell is not worth its cycles. */
#define LEARNED_FROM 4u

/* By the packets that have been found, but were looked for first by the other key, the next ones are guessed. */
static void endpoints_learn(struct fast_burst *burst, uint64_t found, const enum nat_way way)
{
	uint32_t learned = 0;

	for (; found != 0 && learned < LEARNED_FROM; found &= found - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(found);
		const struct nat_packet *wanted = &burst->wanted[i];

		if (wanted->by_flow == (burst->way[way].by_flow >> i & 1))
			continue;
		nat_crowded_learn(&burst->context->crowded, wanted->endpoint_hash, wanted->by_flow);
		learned++;
	}
}

static void keep_apart(struct fast_burst *burst, const struct fast_packet *packet, const enum nat_way way)
{
	fast_path_keep_apart(burst, &(const struct fast_opener){ .ip = packet->ip,
					    .kin = packet->kin,
					    .tunnel = packet->tunnel,
					    .length = packet->length,
					    .slot = packet->slot,
					    .way = (uint8_t)way });
}

/* What may be the first packet of a flow: any of UDP, and a SYN alone. */
static inline bool begins_flow(const struct rte_ipv4_hdr *ip)
{
	return ip->next_proto_id == IPPROTO_UDP ||
	       nat_tcp_opens(((const struct rte_tcp_hdr *)(ip + 1))->tcp_flags);
}

/* Flows from inside may be new; what else has no session is left. While the lcore is overloaded, those of UDP are first
 * asked whether they are too many; those of TCP have been. Of another owner's packets that one knows better. */
static void new_flows_open(struct fast_burst *burst, uint64_t fresh, uint64_t bound, const enum nat_way way)
{
	for (uint64_t rest = fresh; rest != 0; rest &= rest - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(rest);
		const struct fast_packet *packet = fast_packet_of(burst, i, way);
		bool ours = is_ours(burst, packet);
		if (likely(ours) && way == NAT_UP && !burst->overloaded && begins_flow(packet->ip))
			continue;
		fresh &= ~(UINT64_C(1) << i);
		if (!ours)
			fast_path_strange(burst, packet, way);
		else if (burst->overloaded && packet->ip->next_proto_id == IPPROTO_UDP &&
			 !follows_left(burst, packet->ip))
			keep_apart(burst, packet, way);
		else
			fast_path_leave(burst, packet->slot, packet->ip);
	}
	if (fresh != 0)
		fast_path_open(burst, fresh, bound);
}

/* What has not even a place where its session could be needs no second look. */
static uint64_t plainly_new(struct fast_burst *burst, const enum nat_way way)
{
	uint64_t fresh = 0, rest;

	rest = way == NAT_UP && !burst->owner->nat->rules.apart
		       ? burst->way[way].again & ~burst->way[way].by_flow & ~burst->way[way].sibling
		       : 0;
	for (; rest != 0; rest &= rest - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(rest);
		const struct fast_packet *packet = fast_packet_of(burst, i, way);
		if (!nat_index_may_have(&owner_of_packet(burst, packet, burst->others)->index, packet->hash))
			fresh |= UINT64_C(1) << i;
	}
	return fresh;
}

bool fast_path_follows(
	struct fast_burst *burst, const struct fast_packet *packet, uint64_t others, enum nat_way way)
{
	for (; others != 0; others &= others - 1) {
		const struct fast_packet *other =
			fast_packet_of(burst, (uint32_t)__builtin_ctzll(others), way);

		if (other->kin == packet->kin &&
			nat_address_pair(&other->ip->src_addr) == nat_address_pair(&packet->ip->src_addr) &&
			load64(other->ip + 1) << 32 == load64(packet->ip + 1) << 32)
			return true;
	}
	return false;
}

/* Another owner may have opened the session since one of these was looked for, that came earlier: then this one is to follow it there. */
static bool follows_missed(struct fast_burst *burst, uint32_t i, uint64_t missed, const enum nat_way way)
{
	const struct fast_packet *packet = fast_packet_of(burst, i, way);

	return !is_ours(burst, packet) &&
	       fast_path_follows(burst, packet, missed & ((UINT64_C(1) << i) - 1), way);
}

/* Those of which there may be a session beside the first one of their endpoint, as there nearly always is. Returns which it was found of. */
static uint64_t siblings_finish(struct fast_burst *burst, uint64_t fresh, const enum nat_way way)
{
	uint64_t looking = burst->way[way].beside, rest;

	burst->way[way].again &= ~looking;
	for (rest = looking; rest != 0; rest &= rest - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(rest);

		if (unlikely(follows_missed(burst, i, fresh | burst->way[way].again, way)))
			burst->way[way].again |= UINT64_C(1) << i;
		else
			fast_path_finish(burst, i, way);
	}
	return looking & ~burst->way[way].again;
}

/* Those that were not where they were looked for first are looked for elsewhere, all together: a place a round. What is
 * nowhere is a new flow, or none. */
void fast_path_finish_again(struct fast_burst *burst, enum nat_way way)
{
	uint64_t fresh = plainly_new(burst, way), bound = 0, found, rest;

	burst->way[way].again &= ~fresh;
	found = siblings_finish(burst, fresh, way);
	for (rest = burst->way[way].again; rest != 0; rest &= rest - 1)
		packet_want(burst, (uint32_t)__builtin_ctzll(rest), way);
	/* Where the endpoint leads has been looked at but for those that were looked for by their flow first. */
	uint64_t looking = burst->way[way].again & burst->way[way].by_flow;
	for (; burst->way[way].again != 0; looking = 0) {
		for (rest = burst->way[way].again & ~looking; rest != 0; rest &= rest - 1) {
			uint32_t i = (uint32_t)__builtin_ctzll(rest);
			const struct nat_owner *owner =
				owner_of_packet(burst, fast_packet_of(burst, i, way), burst->others);
			if (nat_packet_advance(owner, &burst->wanted[i]))
				looking |= UINT64_C(1) << i;
			else
				fresh |= UINT64_C(1) << i;
			bound |= (uint64_t)burst->wanted[i].bound << i;
		}
		for (rest = looking; rest != 0; rest &= rest - 1) {
			uint32_t i = (uint32_t)__builtin_ctzll(rest);
			nat_packet_read(owner_of_packet(burst, fast_packet_of(burst, i, way), burst->others),
				&burst->wanted[i]);
		}
		burst->way[way].again = 0;
		for (rest = looking; rest != 0; rest &= rest - 1) {
			uint32_t i = (uint32_t)__builtin_ctzll(rest), candidate = burst->wanted[i].candidate;
			struct fast_packet *packet = fast_packet_of(burst, i, way);
			if (unlikely(follows_missed(burst, i, fresh | burst->way[way].again, way))) {
				fresh |= UINT64_C(1) << i;
				looking &= ~(UINT64_C(1) << i);
				continue;
			}
			packet->session = &owner_of_packet(burst, packet, burst->others)
						   ->session[candidate != INDEX_NONE ? candidate : 0];
			fast_path_finish(burst, i, way);
		}
		found |= looking & ~burst->way[way].again;
	}
	endpoints_learn(burst, found, way);
	new_flows_open(burst, fresh, bound, way);
}
