/* SPDX-License-Identifier: BSD-3-Clause */
/* What this machine charges for the things that no gateway gets around. In TSC cycles. */
#pragma once

#include <stdint.h>

struct gateway;

struct machine {
	double line_alone;    /* a random cache line out of much memory, with nothing else under way */
	double line_together; /* the same with 64 prefetches under way, as base/prefetch.h asks */
	double cached_close; /* a random one of 8192 that lie together, with nothing else under way: from a cache */
	double cached_apart; /* the same where they are spread over 256 MiB, each on a page of 4 KiB of its own, of 128
				 pages of 2 MiB: what is more is the translation of its address */
	double ring_hop;   /* a packet through a ring in bursts of 64, both ends on this CPU */
	double empty_turn; /* a turn of the gateway's loop that finds nothing to do */
};

void machine_measure(struct machine *machine, struct gateway *gateway);
