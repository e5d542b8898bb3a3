/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments: one VNI each, with its gateway address and MAC. Written once at start by management, then read by
 * all; mac_count is management's. */
#pragma once

#include "packet/packet_metadata.h"
#include "table/key_table.h"
#include <rte_ether.h>
#include <stdbool.h>

#define SEGMENT_NAME_MAX    32
#define SEGMENT_MEMBERS_MAX 16

struct segment {
	uint32_t vni;
	interface_id interface;
	uint16_t mtu;         /* of the IP packets inside */
	uint16_t tcp_mss_max; /* TCP SYNs announce at most this, and what fits the MTUs; 0: as they are */
	struct rte_ether_addr mac;
	uint8_t prefix_length;
	bool dhcp_relay;          /* its clients' broadcasts to DHCP servers are relayed */
	bool discovers_vteps;     /* flood by group: VTEPs are discovered, not listed */
	rte_be32_t gateway, mask; /* of its prefix */
	uint32_t mac_limit;
	uint32_t mac_count;     /* management */
	uint32_t mac_refused;   /* management: learning refused by the limit */
	rte_be32_t group;       /* underlay multicast group, or 0 */
	uint32_t group_tunnel;  /* the tunnel to the group, or INDEX_NONE */
	struct segment_member { /* with a group: who may speak for the segment; none: any VTEP */
		rte_be32_t prefix, mask;
	} member[SEGMENT_MEMBERS_MAX];
	uint16_t member_count;
	char name[SEGMENT_NAME_MAX];
};

struct segment_table {
	struct segment *segment; /* [count] */
	uint16_t count, capacity;
	struct key_table *vni; /* VNI + 1 -> segment index */
};

struct segment_table *segment_table_create(uint16_t capacity);
struct memory_need segment_table_need(uint16_t capacity);
void segment_table_destroy(struct segment_table *table);
/* Index of the new segment, -EEXIST for a VNI that is there, -ENOSPC. The caller fills the rest in. */
int segment_add(struct segment_table *table, uint32_t vni);

static inline uint32_t segment_of_vni(const struct segment_table *table, uint32_t vni)
{
	return key_table_find(table->vni, (uint64_t)vni + 1);
}

/* May a VTEP that has no tunnel yet speak for the segment? */
static inline bool segment_admits(const struct segment *segment, rte_be32_t vtep)
{
	if (!segment->discovers_vteps)
		return false;
	for (uint16_t i = 0; i < segment->member_count; i++)
		if ((vtep & segment->member[i].mask) == segment->member[i].prefix)
			return true;
	return segment->member_count == 0;
}
