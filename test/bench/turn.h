/* SPDX-License-Identifier: BSD-3-Clause */
/* One turn of each packet lcore, one after the other, or more where that does not come to all: what comes in by each port before
 * it, what has left by each port after it. The ports are rings (net_ring): receiving and sending a burst is to copy 64 pointers, so
 * that the device costs next to nothing. */
#pragma once

#include "../pipeline/gateway.h"
#include "traffic.h"

#define PORTS 2u /* UNDERLAY, UPLINK */

struct turn { /* start with zeros */
	uint16_t in[PORTS], out[PORTS];
	struct rte_mbuf *input[PORTS][2 * BURST], *output[PORTS][2 * BURST];
};

static inline uint16_t direction_in(enum direction direction)
{
	return direction == DOWN ? UPLINK : UNDERLAY;
}

static inline uint16_t direction_out(enum direction direction)
{
	return direction == UP ? UPLINK : UNDERLAY;
}

/* Takes `count` empty packets for the port, at the end of what is there already; returns where they are. Exits when the
 * pool is empty. */
struct rte_mbuf **turn_add(struct turn *turn, struct rte_mempool *pool, uint16_t port, uint16_t count);
/* Runs it and returns its cycles; `later` is how far the gateway's clock is ahead of the machine's, in cycles. */
uint64_t turn_run(struct turn *turn, struct gateway *gateway, uint64_t later);
/* Frees what has been sent to management, which takes no part. */
void turn_discard_punts(struct gateway *gateway);
/* Frees what came out, and makes the turn one for new input. */
void turn_end(struct turn *turn);
