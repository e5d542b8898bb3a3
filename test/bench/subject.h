/* SPDX-License-Identifier: BSD-3-Clause */
/* A gateway with a number of sessions, and the bound with as many. */
#pragma once

#include "speed_of_light.h"
#include "traffic.h"
#include "world.h"

struct subject {
	struct gateway *gateway;
	struct traffic *traffic;
	struct traffic
		*bound_traffic; /* the same flows with outside ends of its own; NULL: there is no bound */
	struct speed_of_light *bound;
	struct rte_mempool *pool;    /* small and hot, as a NIC's buffers in the last-level cache */
	double cycles_a_new_session; /* first packets, from an empty table to a full one */
	double bytes_a_session;
	uint64_t packets, checked;
	void (*beside)(struct subject *subject); /* run before each burst and not timed; NULL: nothing */
};

/* Creates the gateway, makes the workloads known and opens the sessions with their first packets, which is timed. There
 * is a bound for plain flows only. Exits on failure. */
struct subject *subject_create(
	uint32_t sessions, uint32_t segments, const struct tuples *tuples, struct rte_mempool *pool);
void subject_destroy(struct subject *subject);
