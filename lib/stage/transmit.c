/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames are collected a port and sent at 64, or at the end of the lcore's turn. A port whose queue belongs to another
 * lcore is reached by a ring to that lcore's transmit. */
#include "stage/transmit.h"
#include "stage/burst_link.h"
#include "table/data_plane.h"
#include <rte_ethdev.h>

/* A frame that goes to where its host has meanwhile left is counted for the ledger of moves. Asked at the last moment
 * before the device has it. */
static void count_late(const struct data_plane *plane, const struct tx_queue *tx)
{
	for (uint64_t rest = tx->tunnelled; rest != 0; rest &= rest - 1) {
		const struct tx_target *target = &tx->target[__builtin_ctzll(rest)];

		if (unlikely(atomic_load_explicit(&plane->fdb->entry[target->fdb].location,
				     memory_order_relaxed) != target->tunnel))
			atomic_fetch_add_explicit(
				&plane->fdb->record[target->fdb].late_packets, 1, memory_order_relaxed);
	}
}

void transmit_flush_port(struct lcore_context *context, interface_id port)
{
	struct tx_queue *tx = &context->tx[port];
	struct interface_counters *counters = &context->counters.interface[port];
	uint64_t bytes = 0, unsent_bytes = 0;

	count_late(context->plane, tx);
	for (uint16_t i = 0; i < tx->buffered; i++)
		bytes += tx->buffer[i]->pkt_len;
	uint16_t sent = rte_eth_tx_burst(tx->device, tx->queue, tx->buffer, tx->buffered);
	if (unlikely(sent < tx->buffered)) {
		uint16_t unsent = (uint16_t)(tx->buffered - sent);
		for (uint16_t i = sent; i < tx->buffered; i++)
			unsent_bytes += tx->buffer[i]->pkt_len;
		context->counters.drop[DROP_TRANSMIT_FULL] += unsent;
		rte_pktmbuf_free_bulk(&tx->buffer[sent], unsent);
	}
	counters->tx_packets += sent;
	counters->tx_bytes += bytes - unsent_bytes;
	tx->buffered = 0;
	tx->tunnelled = 0;
}

void transmit_flush(struct lcore_context *context)
{
	for (uint16_t port = 0; port < context->plane->port_count; port++)
		if (context->tx[port].buffered != 0)
			transmit_flush_port(context, port);
}

static uint8_t transmit_one(struct lcore_context *context, struct rte_mbuf *m)
{
	interface_id port = packet_metadata(m)->egress;
	struct tx_queue *tx;

	if (unlikely(port >= PORT_MAX))
		return verdict_drop(DROP_TRANSMIT_NO_QUEUE);
	tx = &context->tx[port];
	if (unlikely(!tx->mine)) {
		if (tx->link.ring == NULL)
			return verdict_drop(DROP_TRANSMIT_NO_QUEUE);
		burst_link_send(context, &tx->link, STAGE_TRANSMIT, &m, 1);
		return VERDICT_KEPT;
	}
	const struct tx_target target = { packet_metadata(m)->fdb, packet_metadata(m)->tunnel };
	transmit_put(context, tx, m, target.fdb != INDEX_NONE ? &target : NULL);
	return VERDICT_KEPT;
}

void transmit_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = transmit_one(context, packets[i]);
}
