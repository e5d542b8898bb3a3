/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours: (interface, IPv4 address) -> MAC, and for a segment the FDB entry of that MAC. From ARP.
 * Threads: the management lcore writes; packet lcores read, note the use at most once a tick, and what the FDB says of
 * the MAC. An index is a hint: valid while the entry's key is the expected one. */
#pragma once

#include "packet/packet_metadata.h"
#include "table/key_table.h"
#include <rte_ether.h>

enum neighbour_state {
	NEIGHBOUR_FREE,
	NEIGHBOUR_INCOMPLETE, /* asked, no answer yet: packets wait in the slow path */
	NEIGHBOUR_REACHABLE,
	NEIGHBOUR_STALE, /* usable, being refreshed */
	NEIGHBOUR_FAILED,
	NEIGHBOUR_FIXED, /* configured: never asked, never changed, never forgotten */
};

struct neighbour {            /* half a cache line */
	_Atomic uint64_t key; /* neighbour_key; 0: free */
	_Atomic uint64_t mac; /* bits 0-47 as fdb_mac_bits; 0: not known. One store replaces it */
	_Atomic uint32_t fdb; /* FDB entry on a segment, or INDEX_NONE */
	/* Low 16 bits of a tick. Packet lcores: */
	_Atomic uint16_t last_used;
	_Atomic uint16_t last_heard; /* of the MAC, as the FDB entry has it too */
	_Atomic uint64_t place;      /* neighbour_place, while it is true: packet lcores */
};
_Static_assert(sizeof(struct neighbour) == 32, "half a cache line");

struct neighbour_record { /* management only, same index */
	uint64_t confirmed_ns, due_ns, used_ns;
	uint16_t used_tick;
	uint8_t state;  /* enum neighbour_state; packet lcores go by mac alone */
	uint8_t probes; /* unanswered requests */
};

struct neighbour_table {
	struct key_table *index;
	struct neighbour *entry;
	struct neighbour_record *record;
	uint32_t capacity;
	uint32_t used;
	struct neighbour_private *private;
};

struct neighbour_table *neighbour_table_create(uint32_t capacity);
struct memory_need neighbour_table_need(uint32_t capacity);
void neighbour_table_destroy(struct neighbour_table *table);
int64_t neighbour_insert(
	struct neighbour_table *table, interface_id interface, rte_be32_t ip); /* index, -EEXIST, -ENOSPC */
void neighbour_set_mac(
	struct neighbour_table *table, uint32_t index, const struct rte_ether_addr *mac, uint32_t fdb);
int neighbour_remove(struct neighbour_table *table, uint32_t index, uint64_t now_ns);
void neighbour_reclaim(struct neighbour_table *table, uint64_t now_ns);

/* What the FDB says of a neighbour's MAC, noted so that not each packet need ask: the tunnel behind which it is, by which entry, and
 * as of which change to the FDB (odd, so that 0 is nowhere). True while `mac`, `fdb` and the changes are as they were. Who sets the
 * MAC clears the place first and sets `fdb` before the MAC; so who reads place, MAC and `fdb` in this order has a place that is of
 * this MAC, or is told by `fdb` that it is not. */
#define NEIGHBOUR_PLACE_BITS 21u
#define NEIGHBOUR_PLACE_MAX  ((1u << NEIGHBOUR_PLACE_BITS) - 1) /* tunnels and entries are below it */
#define NEIGHBOUR_PLACE_TUNNEL                                                                               \
	((uint64_t)NEIGHBOUR_PLACE_MAX << NEIGHBOUR_PLACE_BITS) /* the bits of the tunnel */

/* `entry` may be INDEX_NONE, which no place that is noted has; else both must be below the most. */
static inline uint64_t neighbour_place(uint32_t changes, uint32_t tunnel, uint32_t entry)
{
	return (uint64_t)changes << 2 * NEIGHBOUR_PLACE_BITS | (uint64_t)tunnel << NEIGHBOUR_PLACE_BITS |
	       entry;
}
static inline uint32_t neighbour_place_tunnel(uint64_t place)
{
	return (uint32_t)(place >> NEIGHBOUR_PLACE_BITS) & NEIGHBOUR_PLACE_MAX;
}

static inline uint64_t neighbour_key(interface_id interface, rte_be32_t ip)
{
	return UINT64_C(1) << 63 | (uint64_t)interface << 32 | ip;
}
/* The key of a host in a segment: a sum, which takes fewer instructions for each packet. */
static inline uint64_t neighbour_key_inside(uint16_t segment, rte_be32_t ip)
{
	return neighbour_key(interface_of_segment(0), 0) + ((uint64_t)segment << 32) + ip;
}
static inline interface_id neighbour_key_interface(uint64_t key)
{
	return (interface_id)(key >> 32);
}
static inline rte_be32_t neighbour_key_ip(uint64_t key)
{
	return (rte_be32_t)key;
}
static inline uint32_t neighbour_find(
	const struct neighbour_table *table, interface_id interface, rte_be32_t ip)
{
	return key_table_find(table->index, neighbour_key(interface, ip));
}
