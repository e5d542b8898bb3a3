/* SPDX-License-Identifier: BSD-3-Clause */
/* From a checked configuration to the tables. Needs the EAL. No JSON here. */
#pragma once

#include "base/memory_need.h"
#include "management/config.h"
#include "table/data_plane.h"
#include "table/nat_steering.h"

struct port_facts {      /* of each config port, in order: what bringing it up found out */
	uint16_t device; /* DPDK port id */
	struct rte_ether_addr mac;
	bool partial_checksums, rx_ip_checksum, rx_l4_checksum;
};

/* How many of everything the tables take. */
struct data_plane_size {
	uint16_t segments;
	uint32_t tunnels, macs, neighbours, routes;
};
struct data_plane_size data_plane_size(const struct config *config);
/* The memory that data_plane_create will take. */
struct memory_need data_plane_need(const struct config *config, uint16_t owners);

/* Builds all tables: interfaces, segments, tunnels (not ready until their next hop is resolved), FIB (connected, local,
 * NAT, configured routes), NAT rules and `owners` session tables. NULL with errno; the reason is logged. */
struct data_plane *data_plane_create(const struct config *config, const struct port_facts *facts,
	uint16_t owners, struct rte_mempool *control_pool);
/* The same where devices bring packets to their owners (management/steering.h). */
struct data_plane *data_plane_create_steered(const struct config *config, const struct port_facts *facts,
	uint16_t owners, struct rte_mempool *control_pool, const struct nat_steering_settings *steering);
void data_plane_destroy(struct data_plane *plane);
