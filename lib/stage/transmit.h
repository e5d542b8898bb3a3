/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "stage/lcore_context.h"

/* Hand to the device what transmit has collected. The lcore's own thread. */
void transmit_flush_port(struct lcore_context *context, interface_id port);
void transmit_flush(struct lcore_context *context);

/* Collects a frame of `length` bytes for a port whose queue is this lcore's. */
static __rte_always_inline void transmit_put(
	struct lcore_context *context, struct tx_queue *tx, struct rte_mbuf *m, uint32_t length)
{
	tx->buffer[tx->buffered++] = m;
	tx->bytes += length;
	if (unlikely(tx->buffered == TX_BUFFER))
		transmit_flush_port(context, (interface_id)(tx - context->tx));
}
