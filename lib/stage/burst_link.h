/* SPDX-License-Identifier: BSD-3-Clause */
/* An edge between two stages on different lcores. What the ring does not take is freed and counted, at once: no lcore
 * ever waits for another. */
#pragma once

#include "stage/lcore_context.h"

static inline void burst_link_shed(
	struct lcore_context *context, enum stage_id to, struct rte_mbuf **packets, uint16_t count)
{
	context->counters.drop[DROP_RING_FULL] += count;
	context->counters.ring_full[to] += count;
	rte_pktmbuf_free_bulk(packets, count);
}

/* How many the ring took. */
static inline uint16_t burst_link_put(
	const struct burst_link *link, struct rte_mbuf **packets, uint16_t count)
{
	unsigned sent = rte_ring_sp_enqueue_burst(link->ring, (void **)packets, count, NULL);

	doorbell_ring(link->doorbell);
	return (uint16_t)sent;
}

static inline void burst_link_send(struct lcore_context *context, const struct burst_link *link,
	enum stage_id to, struct rte_mbuf **packets, uint16_t count)
{
	uint16_t sent = burst_link_put(link, packets, count);

	if (unlikely(sent < count))
		burst_link_shed(context, to, &packets[sent], (uint16_t)(count - sent));
}
