/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames are collected a port and sent at 64, or at the end of the lcore's turn. A port whose queue belongs to another
 * lcore is reached by a ring to that lcore's transmit. A host may move after the place of a frame to it was looked up:
 * nothing in the FDB has moved in nearly every turn, so that need not be asked frame by frame. */
#include "stage/transmit.h"
#include "stage/burst_link.h"
#include "table/data_plane.h"
#include <rte_ethdev.h>

/* Does the frame go by a tunnel to where its host has meanwhile left? What is not IPv4, as a probe of the place where a
 * host was, is meant to go there. */
static bool is_late(const struct data_plane *plane, const struct rte_mbuf *m, uint32_t *at)
{
	const struct vxlan_outer *outer = rte_pktmbuf_mtod(m, const struct vxlan_outer *);
	const struct rte_ether_hdr *inner = (const void *)(outer + 1);

	if (m->data_len < sizeof(*outer) + sizeof(*inner) ||
		outer->ethernet.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
		outer->ip.src_addr != plane->vtep_address || outer->ip.next_proto_id != IPPROTO_UDP ||
		outer->udp.dst_port != plane->vxlan_port ||
		inner->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return false;
	uint32_t segment = segment_of_vni(plane->segments, vxlan_vni(&outer->vxlan));
	if (segment == INDEX_NONE)
		return false;
	*at = fdb_find(plane->fdb, fdb_key((uint16_t)segment, &inner->dst_addr));
	return *at != INDEX_NONE &&
	       atomic_load_explicit(&plane->fdb->entry[*at].location, memory_order_relaxed) !=
		       tunnel_find(plane->tunnels, (uint16_t)segment, outer->ip.dst_addr);
}

/* They are counted for the ledger of moves. */
static __rte_noinline void count_late(const struct data_plane *plane, struct tx_queue *tx)
{
	uint32_t at;

	tx->late = false;
	for (uint16_t i = 0; i < tx->buffered; i++)
		if (is_late(plane, tx->buffer[i], &at))
			atomic_fetch_add_explicit(
				&plane->fdb->record[at].late_packets, 1, memory_order_relaxed);
}

void transmit_flush_port(struct lcore_context *context, interface_id port)
{
	struct tx_queue *tx = &context->tx[port];
	struct interface_counters *counters = &context->counters.interface[port];
	uint32_t moves = atomic_load_explicit(&context->plane->fdb->moves, memory_order_acquire);

	/* Asked at the last moment before the device has them. */
	if (unlikely(moves != context->moves || tx->late))
		count_late(context->plane, tx);
	uint16_t sent = rte_eth_tx_burst(tx->device, tx->queue, tx->buffer, tx->buffered);
	if (unlikely(sent < tx->buffered)) {
		uint16_t unsent = (uint16_t)(tx->buffered - sent);
		for (uint16_t i = sent; i < tx->buffered; i++)
			tx->bytes -= tx->buffer[i]->pkt_len;
		context->counters.drop[DROP_TRANSMIT_FULL] += unsent;
		rte_pktmbuf_free_bulk(&tx->buffer[sent], unsent);
	}
	counters->tx_packets += sent;
	counters->tx_bytes += tx->bytes;
	tx->buffered = 0;
	tx->bytes = 0;
}

void transmit_flush(struct lcore_context *context)
{
	for (uint16_t port = 0; port < context->plane->port_count; port++)
		if (context->tx[port].buffered != 0)
			transmit_flush_port(context, port);
}

static uint8_t transmit_one(struct lcore_context *context, struct rte_mbuf *m)
{
	const struct packet_metadata *meta = packet_metadata(m);
	interface_id port = meta->egress;
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
	tx->late |= meta->fdb != INDEX_NONE &&
		    atomic_load_explicit(&context->plane->fdb->entry[meta->fdb].location,
			    memory_order_relaxed) != meta->tunnel;
	transmit_put(context, tx, m, m->pkt_len);
	return VERDICT_KEPT;
}

void transmit_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = transmit_one(context, packets[i]);
}
