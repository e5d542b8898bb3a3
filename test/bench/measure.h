/* SPDX-License-Identifier: BSD-3-Clause */
/* A scenario run on a subject: packets are written before the clock starts, and what is timed is one whole turn of a
 * packet lcore: its receive, all stages, its send, its expiry. */
#pragma once

#include "scenario.h"
#include "subject.h"

/* Where the cycles of a packet went: the stages, the fast path; the last is what is in no stage: the turn of the loop, receiving and sending. */
#define PARTS (STAGES + 2)

struct measure {
	double cycles; /* a packet, of the median burst */
	double part[PARTS];
};

/* Times `bursts` bursts. Exits when a packet is lost or wrong. */
void measure_gateway(
	struct subject *subject, const struct scenario *scenario, uint32_t bursts, struct measure *result);
/* The same of the bound: its cycles a packet. */
double measure_bound(struct subject *subject, const struct scenario *scenario, uint32_t bursts);
/* Cycles a packet that the ring devices themselves take, there and back. */
double measure_devices(struct subject *subject, uint32_t bursts);
