/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gateway adds to a packet's way at half load: from its arrival in the receive queue to the end of the turn that
 * sends it. Packets arrive at random (Poisson), half as many a second as one lcore can take. Time goes on with the
 * gateway's turns alone; what it takes to write packets is not in it. Short runs, so that most are undisturbed; the
 * others do not count. In turn with each of them, the same of a loop that does nothing but wait for as long as the
 * packets should take: what the machine itself adds, by taking the CPU away for longer than a packet takes. */
#pragma once

#include "scenario.h"
#include "series.h"
#include "subject.h"

struct latency {
	struct series median_us, p99_us; /* of each run */
	uint32_t disturbed;              /* of these */
	struct series idle_median_us, idle_p99_us;
};

/* `cycles` is what a packet takes in full bursts. Exits when a packet is lost or wrong. */
void latency_measure(
	struct subject *subject, enum way way, double cycles, unsigned cpu, struct latency *latency);
