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
 * follows goes the same way until the owner has sent what it was given: it has taken it from the ring, and then been seen
 * between two turns (rte_rcu_qsbr.h). And what went before it from here is given to the device before it is handed over. */
#pragma once

#include "stage/lcore_context.h"
#include <rte_ip.h>
#include <string.h>

#define HANDOFF_AT_NAT UINT16_MAX /* instead of a port */

/* `count` packets, at most BURST_MAX, to the owners owner[i]. `came_by`: the port by which they came in, or HANDOFF_AT_NAT.
 * What a ring does not take is freed and counted; of packets as they came, as received too. Changes both arrays. */
void handoff_send(struct lcore_context *context, struct rte_mbuf **packets, uint16_t *owner, uint16_t count,
	uint16_t came_by);

/* Flows stand in the set by their pair of addresses, and by chance with another: that goes to the owner as well. */
static inline uint32_t handoff_bit(const struct rte_ipv4_hdr *ip)
{
	uint64_t addresses;

	memcpy(&addresses, &ip->src_addr, sizeof(addresses));
	return (uint32_t)(addresses * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HANDED_BITS));
}

/* A packet of the flow is handed over in this turn. */
static inline void handoff_note(struct lcore_context *context, const struct rte_ipv4_hdr *ip)
{
	struct handed_flows *handed = &context->handed;
	uint32_t bit = handoff_bit(ip);

	handed->noted[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->late[bit / 64] |= UINT64_C(1) << bit % 64;
	handed->any = handed->any_late = true;
}

/* Of other owners' sessions this lcore sees to none, for good: where an owner has not all stages, the order would be lost. */
static inline void handoff_note_all(struct lcore_context *context)
{
	memset(context->handed.noted, 0xff, sizeof(context->handed.noted));
}

static inline bool handoff_is_noted(const struct lcore_context *context, const struct rte_ipv4_hdr *ip)
{
	uint32_t bit = handoff_bit(ip);

	return context->handed.noted[bit / 64] >> bit % 64 & 1;
}

/* Once a turn, before any packet: forgets flows of which the owners have sent all that they were given. */
void handoff_forget(struct lcore_context *context);

static inline uint16_t handoff_came_by(const struct rte_mbuf *m)
{
	return m->port;
}
