/* SPDX-License-Identifier: BSD-3-Clause */
/* What a running gateway tells about itself: the commands /vxgate/... of DPDK's telemetry socket (docs/telemetry.md).
 *
 * Threads: DPDK runs a handler on a thread of its own, one for each connected client; the handlers take turns. They
 * read counters and tables as they are at that moment, without stopping anyone, and ask the owner lcores for sessions
 * and bindings, a small slice a loop. */
#pragma once

#include <stdint.h>

struct config;
struct data_plane;
struct nat_log;
struct packet_path;
struct slowpath;
struct steering;

struct telemetry_sources { /* all of it must stay until telemetry_stop has returned */
	const struct config *config;
	const struct data_plane *plane;
	struct packet_path *path;
	struct slowpath *slowpath;
	struct nat_log *nat_log;
	uint64_t started_ns;             /* clock_now_ns when the gateway started */
	const struct steering *steering; /* NULL: nothing is known of it */
};

/* After rte_eal_init, once the packet lcores run. Copies `sources`. 0 or -errno. */
int telemetry_start(const struct telemetry_sources *sources);
/* Before the packet lcores stop. Waits for the handler that runs; later requests get an error as their reply. */
void telemetry_stop(void);
