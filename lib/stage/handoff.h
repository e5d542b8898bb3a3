/* SPDX-License-Identifier: BSD-3-Clause */
/* Handing packets over to the lcore that owns their flow, by the rings that lead to its nat_gateway. Such a ring carries
 * two kinds of packets, in the order in which they were sent:
 *   - those that the stages have taken as far as nat_handoff: they go on at nat_gateway, with their metadata;
 *   - those that the fast path has looked at, as they came in (fast_path_handoff.c): the owner takes them as if it had received
 *     them by the same port. Nothing of their metadata is set; the receiving lcore counts none of them, the owner all.
 * Which it is, is noted in the mbuf itself, as its line travels to the owner anyway. */
#pragma once

#include "stage/lcore_context.h"

#define HANDOFF_AT_NAT UINT16_MAX /* instead of a port */

/* `count` packets, at most BURST_MAX, to the owners owner[i]. `came_by`: the port by which they came in, or HANDOFF_AT_NAT.
 * What a ring does not take is freed and counted; of packets as they came, as received too. Changes both arrays. */
void handoff_send(struct lcore_context *context, struct rte_mbuf **packets, uint16_t *owner, uint16_t count,
	uint16_t came_by);

static inline uint16_t handoff_came_by(const struct rte_mbuf *m)
{
	return m->port;
}
