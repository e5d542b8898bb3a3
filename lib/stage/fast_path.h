/* SPDX-License-Identifier: BSD-3-Clause */
/* The short way of packets of sessions, those that begin one among them; see fast_path.c. */
#pragma once

#include "stage/lcore_context.h"
#include "table/data_plane.h"

/* Sees `count` packets of a receive queue of the port through from there to the transmit buffers, as far as it can, and
 * leaves the others as they came, in order, in `packets`: how many. Their metadata is not read. The lcore's own thread, where
 * all stages are. */
uint16_t fast_path_run(
	struct lcore_context *context, interface_id port, struct rte_mbuf **packets, uint16_t count);

/* Once, before the lcore starts. */
void fast_path_init(struct lcore_context *context);
