/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the owner of each packet that the fast path has not handed over before (fast_path_handoff.c). From inside that is a hash of the host; from outside it is read off the public
 * endpoint; for an ICMP error it is the owner of the flow that the error quotes; for fragments see nat_fragment.c. */
#include "stage/nat_private.h"

/* By the flow as far as the owner depends on it. */
uint8_t nat_owner_find(const struct nat *nat, struct rte_mbuf *m, uint16_t *owner)
{
	const struct packet_metadata *meta = packet_metadata(m);
	enum nat_way way = meta->nat & NAT_FROM_INSIDE ? NAT_UP : NAT_DOWN;
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *), *l4 = frame + meta->l4_offset;
	const struct rte_ipv4_hdr *ip = (const void *)(frame + L3_OFFSET);
	struct nat_flow flow = {
		.protocol = meta->protocol, .inside = ip->src_addr, .outside = ip->dst_addr
	};

	*owner = 0;
	if (unlikely(nat_port_class(meta->protocol) < 0))
		return 0; /* nothing that any owner has a session of: the first one sees to it */
	if (unlikely(meta->flags & PACKET_FRAGMENT) && nat_fragment_owner(nat, m, owner))
		return 0;
	if (unlikely(meta->protocol == IPPROTO_ICMP)) {
		if (nat_icmp_is_error(l4[0])) {
			if (!nat_icmp_quoted_flow(l4, (uint16_t)(m->data_len - meta->l4_offset), way, &flow))
				return 0;
		} else {
			flow.outside_port = *nat_field16((uint8_t *)(uintptr_t)l4, 4);
		}
	} else {
		flow.outside_port = *nat_field16((uint8_t *)(uintptr_t)l4, 2);
	}
	*owner = way == NAT_UP ? nat_owner_of_inside(nat, segment_of_interface(meta->ingress), flow.inside)
			       : nat_owner_of_outside(nat, flow.protocol, flow.outside, flow.outside_port);
	return 0;
}

static uint8_t handoff_one(const struct lcore_context *context, struct rte_mbuf *m)
{
	struct packet_metadata *meta = packet_metadata(m);
	uint8_t drop;

	if (unlikely(meta->nat == NAT_NONE))
		return STAGE_MAC_LOOKUP;
	drop = nat_owner_find(context->plane->nat, m, &meta->owner);
	if (unlikely(drop != 0))
		return drop;
	return meta->owner == context->owner_index ? STAGE_NAT_GATEWAY : VERDICT_HANDOFF;
}

void nat_handoff_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	/* One owner: everything is its, and where this lcore is not it, everything goes there. */
	if (context->owner_count == 1) {
		uint8_t owned = context->owner_index == 0 ? STAGE_NAT_GATEWAY : VERDICT_HANDOFF;
		for (uint16_t i = 0; i < count; i++) {
			struct packet_metadata *meta = packet_metadata(packets[i]);
			meta->owner = 0;
			verdict[i] = likely(meta->nat != NAT_NONE) ? owned : STAGE_MAC_LOOKUP;
		}
		return;
	}
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = handoff_one(context, packets[i]);
}
