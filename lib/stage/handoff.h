/* SPDX-License-Identifier: BSD-3-Clause */
/* Handing packets over to the lcore that owns their flow, by the rings that lead to its nat_gateway. Such a ring carries
 * two kinds of packets, in the order in which they were sent:
 *   - those that the stages have taken as far as nat_handoff: they go on at nat_gateway, with their metadata;
 *   - those that the fast path has looked at, as they came in (fast_path_handoff.c): the owner takes them as if it had received
 *     them by the same port. Nothing of their metadata is set; the receiving lcore counts none of them, the owner all.
 * Which it is, is noted in the mbuf itself, as its line travels to the owner anyway.
 *
 * What a session of another owner has to have done to it by that one is handed over; all else the fast path does to it where the
 * packet comes in. So that no packet overtakes one of its flow that is on its way to the owner, the flow is noted, and what
 * follows is held until the owner has sent what it was given: it has taken it from the ring, and then been seen between two
 * turns (rte_rcu_qsbr.h). Then those that were held go on before all others. So no flow goes by its owner for longer than it must,
 * however dense its packets are. When too many would be held, or always more of the flow is on its way, they are handed over after all.
 * And what went before from here is given to the device before anything is handed over. */
#pragma once

#include "stage/lcore_context.h"
#include <rte_ip.h>
#include <string.h>

#define HANDOFF_AT_NAT UINT16_MAX /* instead of a port */

/* `count` packets, at most BURST_MAX, to the owners owner[i]. `came_by`: the port by which they came in, or HANDOFF_AT_NAT.
 * What a ring does not take is freed and counted; of packets as they came, as received too. Changes both arrays. */
void handoff_send(struct lcore_context *context, struct rte_mbuf **packets, uint16_t *owner, uint16_t count,
	uint16_t came_by);

/* What stands in a set by chance of others is held as well. `hash`: of the flow's endpoint on our side, by which its session is looked
 * for first. */
static inline uint16_t handoff_flow_bit(uint64_t hash)
{
	return (uint16_t)(hash >> (64 - HANDED_FLOW_BITS));
}

static inline uint16_t handoff_pair_bit(const struct rte_ipv4_hdr *ip)
{
	uint64_t addresses;

	memcpy(&addresses, &ip->src_addr, sizeof(addresses));
	return (uint16_t)(addresses * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HANDED_PAIR_BITS));
}

/* A packet is handed over in this turn: of a flow of TCP or UDP, and no fragment; or of anything between its addresses. */
static inline void handoff_note_flow(struct lcore_context *context, uint16_t bit)
{
	struct handed_flows *handed = &context->handed;

	handed->noted.flow[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->late.flow[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->any = true;
}
static inline void handoff_note_pair(struct lcore_context *context, uint16_t bit)
{
	struct handed_flows *handed = &context->handed;

	handed->noted.pair[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->late.pair[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->any = handed->any_pair = true;
}

/* Of other owners' sessions this lcore sees to none, for good: where an owner has not all stages, or leaves the sending to another
 * lcore, the order would be lost. */
static inline void handoff_note_all(struct lcore_context *context)
{
	context->handed.all = context->handed.any = context->handed.any_pair = true;
}

/* May packets of this flow be on the way to the owner? `flow`: its bit. */
static inline bool handoff_is_noted(
	const struct lcore_context *context, uint16_t flow, const struct rte_ipv4_hdr *ip)
{
	const struct handed_flows *handed = &context->handed;
	uint16_t pair;

	if (likely(!handed->any))
		return false;
	if (likely(!handed->any_pair))
		return handed->noted.flow[flow / 64] >> flow % 64 & 1;
	pair = handoff_pair_bit(ip);
	return (handed->noted.flow[flow / 64] >> flow % 64 & 1) |
	       (handed->noted.pair[pair / 64] >> pair % 64 & 1) | handed->all;
}

/* Before a burst of so many packets: they can all be held, or what is held of the port is handed over. */
void handoff_held_room(struct lcore_context *context, interface_id port, uint16_t count);
/* A packet of this flow, as it came by the port, is held; there is room. */
void handoff_hold(
	struct lcore_context *context, interface_id port, struct rte_mbuf *m, uint16_t owner, uint16_t flow);
/* What is held is handed over, before what may follow it. */
void handoff_held_send(struct lcore_context *context);

/* Once a turn, before any packet: forgets flows of which the owners have sent all that they were given. True: what is held may go on. */
bool handoff_forget(struct lcore_context *context);

static inline uint16_t handoff_came_by(const struct rte_mbuf *m)
{
	return m->port;
}
