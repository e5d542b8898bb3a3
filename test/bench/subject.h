/* SPDX-License-Identifier: BSD-3-Clause */
/* What is measured: the whole pipeline of a gateway with a number of sessions, and the bound with as many. */
#pragma once

#include "../pipeline/gateway.h"
#include "median.h"
#include "speed_of_light.h"
#include "traffic.h"

/* Where the cycles of a packet went; the last is what is in no stage: the turn of the loop, receiving and sending. */
#define PARTS (STAGES + 2)

struct measure {
	double cycles; /* a packet, of the median burst */
	double part[PARTS];
};

struct subject {
	struct gateway *gateway;
	struct traffic *traffic;
	struct traffic *bound_traffic; /* the same flows with outside ends of its own */
	struct speed_of_light *bound;
	struct rte_mempool *pool;    /* small and hot, as a NIC's buffers in the last-level cache */
	double cycles_a_new_session; /* first packets, from an empty table to a full one */
	double bytes_a_session;
	uint64_t packets, checked;
	void (*beside)(struct subject *subject); /* run before each burst and not timed; NULL: nothing */
};

/* Creates the gateway, makes the workloads known and opens the sessions with their first packets, which is timed.
 * Exits on failure. */
struct subject *subject_create(uint32_t sessions, struct rte_mempool *pool);
void subject_destroy(struct subject *subject);
/* Times `bursts` bursts of flows taken at random. Exits when a packet is lost or wrong. */
void subject_measure(
	struct subject *subject, enum direction direction, uint32_t bursts, struct measure *result);
double subject_measure_bound(struct subject *subject, enum direction direction, uint32_t bursts);
/* Cycles a packet that the ring devices themselves take, there and back. */
double subject_measure_devices(struct subject *subject, uint32_t bursts);
