/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast path does with packets that only the owner of their session can see to: the first ones of a flow, and those that change
 * the state of a connection. It hands them over as they came, in one go for a burst, instead of leaving them to the stages, which
 * would come to the same owner by six steps.
 *
 * That is only right for what the stages would hand over as well. What they would send from here, as it is for no
 * address that NAT has a say in, they have to be given: or packets of one flow went by two lcores, some by here and some by
 * its owner, and out of order. So it is asked here what the stage route would ask. All else, from the MAC that may have
 * moved to the host that may not send so, the owner's stages see to. What comes before and after by the stages goes through the
 * same ring to the owner, in order. */
#include "stage/fast_path_headers_private.h"
#include "stage/handoff.h"

static void stranger_note(struct fast_burst *burst, const struct rte_ipv4_hdr *ip, uint8_t at, uint16_t owner,
	int32_t from_segment, bool for_nat)
{
	burst->stranger[burst->strangers++] = (struct fast_stranger){ .source = ip->src_addr,
		.destination = ip->dst_addr,
		.ip = ip,
		.segment = from_segment,
		.owner = owner,
		.at = at,
		.for_nat = for_nat };
	handoff_note_flow(burst->context, ip);
}

void fast_path_hand_over(struct fast_burst *burst, const struct rte_ipv4_hdr *ip, uint8_t at, uint16_t owner,
	const struct known_tunnel *known)
{
	struct lcore_context *context = burst->context;

	if (unlikely(!context->hands_early || follows_left(burst, ip))) {
		fast_path_leave(burst, at, ip);
		return;
	}
	if (handoff_is_noted(context, ip) && !context->releasing) {
		struct rte_mbuf *m = burst->packets[at];

		burst->bytes -= m->pkt_len;
		burst->handed++;
		handoff_hold(context, (interface_id)(burst->port - burst->plane->port), m, owner);
		return;
	}
	stranger_note(burst, ip, at, owner, known != NULL ? known->segment : -1,
		is_plainly_for_nat(burst, ip, known));
}

__rte_noinline void fast_path_strange(
	struct fast_burst *burst, const struct fast_packet *packet, enum nat_way way)
{
	const struct rte_ipv4_hdr *ip = packet->ip;
	const struct known_tunnel *known = NULL;

	if (way == NAT_UP) {
		const struct vxlan_outer *outer =
			(const void *)((const uint8_t *)ip - L3_OFFSET - OUTER_LENGTH);
		known = tunnel_find_known(burst, &outer->vxlan, outer->ip.src_addr);
	}
	fast_path_hand_over(burst, ip, packet->at, packet->owner, known);
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
	burst->handed = (uint16_t)(burst->handed + count);
	burst->context->counters.handed_early += count;
	handoff_send(burst->context, packets, owner, count, port);
}
