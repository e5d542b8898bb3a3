/* SPDX-License-Identifier: BSD-3-Clause */
/* An edge between two stages on different lcores. What the ring does not take is freed and counted, at once: no lcore
 * ever waits for another. */
#pragma once

#include "stage/lcore_context.h"

static inline void burst_link_send(struct lcore_context *context, const struct burst_link *link,
	enum stage_id to, struct rte_mbuf **packets, uint16_t count)
{
	unsigned sent = rte_ring_sp_enqueue_burst(link->ring, (void **)packets, count, NULL);

	if (unlikely(sent < count)) {
		context->counters.drop[DROP_RING_FULL] += count - sent;
		context->counters.ring_full[to] += count - sent;
		rte_pktmbuf_free_bulk(&packets[sent], count - sent);
	}
	doorbell_ring(link->doorbell);
}
