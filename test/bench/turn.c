/* SPDX-License-Identifier: BSD-3-Clause */
#include "turn.h"

#include "../pipeline/gateway_ports.h"
#include "stamp.h"
#include <rte_debug.h>
#include <rte_mbuf.h>

struct rte_mbuf **turn_add(struct turn *turn, struct rte_mempool *pool, uint16_t port, uint16_t count)
{
	struct rte_mbuf **first = &turn->input[port][turn->in[port]];

	if (turn->in[port] + count > RTE_DIM(turn->input[port]) ||
		rte_pktmbuf_alloc_bulk(pool, first, count) < 0)
		rte_exit(EXIT_FAILURE, "the packet pool is empty\n");
	turn->in[port] = (uint16_t)(turn->in[port] + count);
	return first;
}

static void output_take(struct turn *turn, struct gateway_ports *ports, uint16_t port)
{
	turn->out[port] = 0;
	for (uint16_t q = 0; q < ports->queues; q++)
		turn->out[port] = (uint16_t)(turn->out[port] +
					     rte_ring_dequeue_burst(ports->port[port].tx[q],
						     (void **)&turn->output[port][turn->out[port]],
						     RTE_DIM(turn->output[port]) - turn->out[port], NULL));
}

uint64_t turn_run(struct turn *turn, struct gateway *gateway, uint64_t later)
{
	const struct packet_path *path = gateway->path;
	struct gateway_ports *ports = gateway->ports;

	for (uint16_t port = 0; port < PORTS; port++)
		if (turn->in[port] > 0 && rte_ring_enqueue_bulk(ports->port[port].rx[0],
						  (void **)turn->input[port], turn->in[port], NULL) == 0)
			rte_exit(EXIT_FAILURE, "a receive ring is full\n");
	uint64_t start = stamp_take();
	bool again;
	do { /* once more while some wait for others, or to be received */
		again = false;
		for (uint16_t i = 0; i < path->count; i++) {
			packet_path_poll(path->context[i], start + later);
			again |= path->context[i]->held_any;
		}
		for (uint16_t port = 0; port < PORTS; port++)
			again |= rte_ring_empty(ports->port[port].rx[0]) == 0;
	} while (unlikely(again));
	uint64_t spent = stamp_since(start);
	for (uint16_t port = 0; port < PORTS; port++)
		output_take(turn, ports, port);
	return spent;
}

void turn_end(struct turn *turn)
{
	for (uint16_t port = 0; port < PORTS; port++) {
		rte_pktmbuf_free_bulk(turn->output[port], turn->out[port]);
		turn->in[port] = turn->out[port] = 0;
	}
}

void turn_discard_punts(struct gateway *gateway)
{
	void *m;

	while (rte_ring_sc_dequeue(gateway->path->context[0]->punt, &m) == 0)
		rte_pktmbuf_free(m);
}
