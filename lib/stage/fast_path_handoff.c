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

/* Would the stages give it to nat_handoff? */
static bool is_for_nat(const struct data_plane *plane, const struct rte_ipv4_hdr *ip,
	const struct known_tunnel *known, const struct next_hop *hop)
{
	switch ((enum next_hop_kind)hop->kind) {
	case NEXT_HOP_NAT:
	case NEXT_HOP_LOCAL_NAT:
		return true;
	case NEXT_HOP_CONNECTED:
	case NEXT_HOP_VIA: /* to a DHCP server it may be by the relay */
		return known != NULL && !interface_is_segment(hop->interface) && !hop->dhcp_server &&
		       nat_translates_source(plane->nat, known->segment, ip->src_addr);
	default:
		return false;
	}
}

/* Looks up the route where it is not plain. What leads to NAT alone is noted for the next time: the configuration stays. */
static __rte_noinline bool route_is_for_nat(
	const struct fast_burst *burst, const struct rte_ipv4_hdr *ip, const struct known_tunnel *known)
{
	const struct next_hop *hop = fib_find(burst->plane->fib, ip->dst_addr);

	if (hop->kind == NEXT_HOP_NAT)
		*known_public(burst->context, ip->dst_addr) = ip->dst_addr;
	return is_for_nat(burst->plane, ip, known, hop);
}

__rte_noinline void fast_path_strange(
	struct fast_burst *burst, const struct fast_packet *packet, enum nat_way way)
{
	struct lcore_context *context = burst->context;
	const struct rte_ipv4_hdr *ip = packet->ip;
	const struct known_tunnel *known = NULL;
	uint16_t owner = packet->owner->number;

	if (way == NAT_UP)
		known = tunnel_find_known(burst, (const uint8_t *)ip - L3_OFFSET - OUTER_LENGTH);
	if (unlikely(!context->hands_early || follows_left(burst, ip) ||
		     (!is_plainly_for_nat(burst, ip, known) && !route_is_for_nat(burst, ip, known)))) {
		fast_path_leave(burst, packet->slot, ip);
		return;
	}
	burst->bytes -= (*packet->slot)->data_len;
	burst->handed++;
	if (context->holds && handoff_is_noted(context, packet->handed, ip)) {
		handoff_hold(context, (interface_id)(burst->port - burst->plane->port), *packet->slot, owner,
			packet->handed);
		return;
	}
	burst->stranger[burst->strangers] = *packet->slot;
	burst->stranger_owner[burst->strangers++] = owner;
	handoff_note_flow(context, packet->handed);
}

void fast_path_strangers_send(struct fast_burst *burst, interface_id port)
{
	burst->context->counters.handed_early += burst->strangers;
	handoff_send(burst->context, burst->stranger, burst->stranger_owner, burst->strangers, port);
}
