/* SPDX-License-Identifier: BSD-3-Clause */
/* The gateway that is measured: one packet lcore or a few, two ports, any number of segments, one pool. */
#pragma once

#include "../pipeline/gateway.h"
#include "traffic.h"

#define POOL_ADDRESS                                                                                         \
	UINT32_C(0xcb007000) /* 203.0.112.0: the pool is of some addresses from the next one on */

#define UDP_SECONDS 300u /* that an idle session is kept */
#define TCP_SECONDS 240u /* that a closed one is kept */

struct world_size {
	uint32_t max_sessions, segments;
	bool lasting;                      /* sessions of UDP are kept for a day, not for five minutes */
	const struct gateway_shape *shape; /* NULL: one lcore that does everything */
	uint32_t
		room; /* packets that each queue of a port holds; 0: 1024. And twice as many the rings between lcores */
};

/* With the workloads of `traffic` known: their MACs, VTEPs and addresses. Exits on failure. */
struct gateway *world_create(const struct world_size *size, const struct traffic *traffic);
