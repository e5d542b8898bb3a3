/* SPDX-License-Identifier: BSD-3-Clause */
/* What this machine charges for the things that no gateway gets around. In TSC cycles. */
#pragma once

#include <stdint.h>

struct gateway;

struct machine {
	double line_alone;    /* a random cache line out of much memory, with nothing else under way */
	double line_together; /* the same with 64 prefetches under way */
	double ring_hop;      /* a packet through a ring in bursts of 64, both ends on this CPU */
	double empty_turn;    /* a turn of the gateway's loop that finds nothing to do */
};

void machine_measure(struct machine *machine, struct gateway *gateway);
