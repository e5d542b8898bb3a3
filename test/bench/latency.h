/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gateway adds to a packet's way at half load: from its arrival in the receive queue to the end of the turn that
 * sends it. Packets arrive at random (Poisson), half as many a second as one lcore can take. Time goes on with the
 * gateway's turns alone; what it takes to write packets is not in it. Runs are so short that most of them lie between
 * two interrupts; what the interrupts do is seen in all the runs' packets together. In turn with each run, one of a loop
 * that does nothing but wait for as long as its packets should take, and in all as long: what the machine itself adds, by
 * taking the CPU away. */
#pragma once

#include "scenario.h"
#include "series.h"
#include "subject.h"

struct latency_of {
	struct series median_us, p99_us; /* of each run */
	double all_p99_us;               /* of the packets of all runs */
};

struct latency {
	struct latency_of gateway, waiting;
	uint32_t disturbed; /* runs: a thread or the hypervisor had the CPU, as the kernel says */
};

/* `cycles` is what a packet takes in full bursts. Exits when a packet is lost or wrong. */
void latency_measure(
	struct subject *subject, enum way way, double cycles, unsigned cpu, struct latency *latency);
