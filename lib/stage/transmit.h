/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "stage/lcore_context.h"

/* Hand to the device what transmit has collected. The lcore's own thread. */
void transmit_flush_port(struct lcore_context *context, interface_id port);
void transmit_flush(struct lcore_context *context);

/* Collects a frame for a port whose queue is this lcore's. `target`: to which FDB entry and by which tunnel it goes, or
 * NULL. */
static __rte_always_inline void transmit_put(struct lcore_context *context, struct tx_queue *tx,
	struct rte_mbuf *m, const struct tx_target *target)
{
	uint16_t at = tx->buffered;

	if (target != NULL) {
		tx->tunnelled |= UINT64_C(1) << at;
		tx->target[at] = *target;
	}
	tx->buffer[at] = m;
	tx->buffered = (uint16_t)(at + 1);
	if (unlikely(tx->buffered == TX_BUFFER))
		transmit_flush_port(context, (interface_id)(tx - context->tx));
}
