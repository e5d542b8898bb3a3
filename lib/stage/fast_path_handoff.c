/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast path does with packets that another lcore owns: it hands them over as they came, in one go for a burst,
 * instead of leaving them to the stages, which would come to the same owner by six steps.
 *
 * That is only right for what the stages would hand over as well. What they would send from here, as it is for no
 * address that NAT has a say in, they have to be given: or packets of one flow went by two lcores, some by here and some by
 * its owner, and out of order. So it is asked here what the stage route would ask. All else, from the MAC that may have
 * moved to the host that may not send so, the owner's stages see to. What comes before and after by the stages goes through the
 * same ring to the owner, in order.
 *
 * Whose a packet is, the first step asks of each (fast_path_look.c). Where packets of several owners come mixed, that cannot
 * be foreseen, and a branch on it costs more than the question; and of a burst that loses half of its packets on the way, too few
 * go from step to step at a time for what they ask of memory to come meanwhile. So they are sorted before the first step then,
 * without a branch, and packets that others have handed over to this lcore fill the burst up. */
#include "stage/fast_path_headers_private.h"
#include "stage/handoff.h"

void fast_path_stranger_note(struct fast_burst *burst, const struct rte_ipv4_hdr *ip, uint8_t at,
	uint16_t owner, int32_t from_segment, bool for_nat)
{
	burst->stranger[burst->strangers++] = (struct fast_stranger){ .source = ip->src_addr,
		.destination = ip->dst_addr,
		.ip = ip,
		.segment = from_segment,
		.owner = owner,
		.at = at,
		.for_nat = for_nat };
}

/* Would the stages give it to nat_handoff? */
static bool is_for_nat(
	const struct data_plane *plane, const struct fast_stranger *stranger, const struct next_hop *hop)
{
	switch ((enum next_hop_kind)hop->kind) {
	case NEXT_HOP_NAT:
	case NEXT_HOP_LOCAL_NAT:
		return true;
	case NEXT_HOP_CONNECTED:
	case NEXT_HOP_VIA: /* to a DHCP server it may be by the relay */
		return stranger->segment >= 0 && !interface_is_segment(hop->interface) && !hop->dhcp_server &&
		       nat_translates_source(plane->nat, (uint16_t)stranger->segment, stranger->source);
	default:
		return false;
	}
}

/* Looks up the routes of those of which it is not plain. What leads to NAT alone is noted for the next time: the configuration
 * stays. */
static __rte_noinline void routes_ask(struct fast_burst *burst)
{
	const struct fib *fib = burst->plane->fib;
	rte_be32_t destination[BURST_MAX];
	uint16_t hop[BURST_MAX];

	for (uint16_t i = 0; i < burst->strangers; i++)
		destination[i] = burst->stranger[i].destination;
	fib_find_bulk(fib, destination, hop, burst->strangers);
	for (uint16_t i = 0; i < burst->strangers; i++) {
		const struct next_hop *to = &fib->next_hop[hop[i]];

		burst->stranger[i].for_nat = is_for_nat(burst->plane, &burst->stranger[i], to);
		if (to->kind == NEXT_HOP_NAT)
			*known_public(burst->context, destination[i]) = destination[i];
	}
}

void fast_path_strangers_send(struct fast_burst *burst, interface_id port)
{
	struct rte_mbuf *packets[BURST_MAX];
	uint16_t owner[BURST_MAX], count = 0;
	bool plain = true;

	for (uint16_t i = 0; i < burst->strangers; i++)
		plain &= burst->stranger[i].for_nat;
	if (unlikely(!plain))
		routes_ask(burst);
	for (uint16_t i = 0; i < burst->strangers; i++) {
		const struct fast_stranger *stranger = &burst->stranger[i];

		if (unlikely(!stranger->for_nat)) {
			fast_path_leave(burst, stranger->at, stranger->ip);
			continue;
		}
		packets[count] = burst->packets[stranger->at];
		burst->bytes -= packets[count]->pkt_len;
		owner[count++] = stranger->owner;
	}
	burst->handed = count;
	burst->context->counters.handed_early += count;
	handoff_send(burst->context, packets, owner, count, port);
}

/* The packets of a burst, as they are sorted. */
struct sorting {
	uint16_t ours, theirs;
	bool doubtful; /* it is not plain of some of theirs that NAT has a say in them */
	bool unsure;   /* what some are has to be asked more closely: what follows them stays with them */
	uint64_t unsure_pairs[LEFT_PAIRS / 64];
	struct rte_mbuf *packet[BURST_MAX]; /* theirs */
	uint16_t owner[BURST_MAX];
};

static __rte_noinline void sorting_unsure(struct sorting *sorting, const struct rte_ipv4_hdr *ip)
{
	if (!sorting->unsure)
		memset(sorting->unsure_pairs, 0, sizeof(sorting->unsure_pairs));
	sorting->unsure = true;
	pair_note(sorting->unsure_pairs, ip);
}

/* Is the packet to be handed over? Its owner, if so. */
static inline bool sort_one(
	const struct fast_burst *burst, struct sorting *sorting, const struct rte_mbuf *m, uint16_t *owner)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const struct rte_ipv4_hdr *ip = (void *)(frame + L3_OFFSET);
	const struct known_tunnel *known = NULL;

	if (unlikely(m->data_len < FRAME_LEAST || m->nb_segs != 1 ||
		     !header_matches(frame, &burst->pattern->plain))) {
		sorting_unsure(sorting, flow_header(burst, frame));
		return false;
	}
	if (is_tunnelled(burst, ip)) {
		ip = (void *)(frame + OUTER_LENGTH + L3_OFFSET);
		known = tunnel_of_frame(burst, frame, m->data_len);
		if (unlikely(known == NULL)) {
			sorting_unsure(sorting, ip);
			return false;
		}
	}
	if (unlikely((ip->next_proto_id != IPPROTO_TCP && ip->next_proto_id != IPPROTO_UDP) ||
		     (sorting->unsure && pair_is_noted(sorting->unsure_pairs, ip)))) {
		sorting_unsure(sorting, ip);
		return false;
	}
	*owner = known != NULL ? owner_of(burst, ip, known->segment, NAT_UP)
			       : owner_of(burst, ip, 0, NAT_DOWN);
	bool theirs = *owner != burst->context->owner_index;
	bool plainly = is_plainly_for_nat(burst, ip, known);
	sorting->doubtful |= theirs & !plainly;
	return theirs & plainly;
}

uint16_t fast_path_sort(struct fast_burst *burst, interface_id port)
{
	struct rte_mbuf **packets = burst->packets;
	struct sorting sorting;
	uint32_t count = burst->count;

	sorting.ours = sorting.theirs = 0;
	sorting.doubtful = sorting.unsure = false;
	for (uint32_t i = 0; i < RTE_MIN(count, DATA_AHEAD); i++)
		data_prefetch(packets[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *m = packets[i];
		uint16_t owner = 0;

		if (i + DATA_AHEAD < count)
			data_prefetch(packets[i + DATA_AHEAD]);
		bool theirs = sort_one(burst, &sorting, m, &owner);
		packets[sorting.ours] = m;
		sorting.ours = (uint16_t)(sorting.ours + !theirs);
		sorting.packet[sorting.theirs] = m;
		sorting.owner[sorting.theirs] = owner;
		sorting.theirs = (uint16_t)(sorting.theirs + theirs);
	}
	burst->count = sorting.ours;
	burst->others = sorting.doubtful | sorting.unsure; /* then each is asked once more */
	burst->context->counters.handed_early += sorting.theirs;
	handoff_send(burst->context, sorting.packet, sorting.owner, sorting.theirs, port);
	return sorting.theirs;
}

uint16_t fast_path_join(struct fast_burst *burst, struct waiting *waiting)
{
	uint16_t n = (uint16_t)RTE_MIN((uint16_t)(BURST_MAX - burst->count), waiting->count);

	memcpy(&burst->packets[burst->count], waiting->packet, n * sizeof(waiting->packet[0]));
	waiting->count = (uint16_t)(waiting->count - n);
	memmove(waiting->packet, &waiting->packet[n], waiting->count * sizeof(waiting->packet[0]));
	burst->count = (uint16_t)(burst->count + n);
	return n;
}
