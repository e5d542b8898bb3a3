/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "stage/lcore_context.h"

/* Hand to the device what transmit has collected. The lcore's own thread. */
void transmit_flush_port(struct lcore_context *context, interface_id port);
void transmit_flush(struct lcore_context *context);

/* Collects a frame for a port whose queue is this lcore's. */
static __rte_always_inline void transmit_put(
	struct lcore_context *context, struct tx_queue *tx, struct rte_mbuf *m)
{
	tx->buffer[tx->buffered++] = m;
	tx->bytes += m->pkt_len;
	if (unlikely(tx->buffered == TX_BUFFER))
		transmit_flush_port(context, (interface_id)(tx - context->tx));
}
