/* SPDX-License-Identifier: BSD-3-Clause */
/* All tables of one gateway in one place: what management/config_apply builds from a configuration and what every
 * lcore context points to. Who writes what is said in each table's header. */
#pragma once

#include "table/fdb.h"
#include "table/fib.h"
#include "table/interface.h"
#include "table/neighbour.h"
#include "table/segment.h"
#include "table/tunnel.h"

struct nat;

struct data_plane {
	struct port_interface port[PORT_MAX];
	uint16_t port_count;
	rte_be32_t vtep_address; /* 0: no VXLAN configured */
	rte_be16_t vxlan_port;
	uint8_t vxlan_ttl;
	struct segment_table *segments;
	struct tunnel_table *tunnels;
	struct fdb *fdb;
	struct neighbour_table *neighbours;
	struct fib *fib;
	struct nat *nat;                  /* always there, maybe without rules */
	struct rte_mempool *control_pool; /* mbufs for what the management side makes; PACKET_PRIVATE_SIZE */
};

static inline uint16_t data_plane_mtu(const struct data_plane *plane, interface_id interface)
{
	return interface_is_segment(interface) ? plane->segments->segment[segment_of_interface(interface)].mtu
					       : plane->port[interface].mtu;
}

/* The name of a port or segment, "" for none; any thread. */
static inline const char *interface_name(const struct data_plane *plane, interface_id interface)
{
	if (interface_is_segment(interface))
		return segment_of_interface(interface) < plane->segments->count
			       ? plane->segments->segment[segment_of_interface(interface)].name
			       : "";
	return interface < PORT_MAX ? plane->port[interface].name : "";
}
