/* SPDX-License-Identifier: BSD-3-Clause */
/* The short way of packets of sessions, those that begin one among them; see fast_path.c. */
#pragma once

#include "stage/lcore_context.h"
#include "table/data_plane.h"

/* The most packets at once: two bursts, so that where half of them are refused the others still make a whole one. */
#define FAST_MAX (2 * BURST_MAX)

/* Sees packets of a receive queue of the port through from there to the transmit buffers, as far as it can, and
 * leaves the others as they came, in order, in `packets`. What is for other owners to do it hands over, where they can
 * take it. Of `count` packets, at most FAST_MAX, it comes to the first ones: to a burst of what is not refused, all when `count` is
 * no more than that. `handed`: these are such packets, that were handed over to this lcore. Their metadata is not read. The lcore's own
 * thread, where all stages are. */
struct fast_path_result {
	uint16_t came_to; /* packets: of these */
	uint16_t left, handed, refused;
};
struct fast_path_result fast_path_run(struct lcore_context *context, interface_id port,
	struct rte_mbuf **packets, uint16_t count, bool handed);

/* Once, before the lcore starts. */
void fast_path_init(struct lcore_context *context);
