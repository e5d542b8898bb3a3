/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding information base: longest prefix match of an IPv4 destination to a next hop (rte_fib, DIR-24-8).
 * Local addresses, NAT addresses and broadcast addresses are /32 entries of it, so that one lookup classifies the
 * destination. Built at start by management, then read by all lcores. */
#pragma once

#include "base/memory_need.h"
#include "packet/packet_metadata.h"
#include <rte_fib.h>
#include <stdbool.h>

enum next_hop_kind {
	NEXT_HOP_NONE,      /* no route */
	NEXT_HOP_CONNECTED, /* resolve the destination itself on `interface` */
	NEXT_HOP_VIA,       /* resolve `gateway` on `interface` */
	NEXT_HOP_LOCAL,     /* one of our own addresses */
	NEXT_HOP_NAT,       /* a public address that NAT owns: pool or static binding */
	NEXT_HOP_LOCAL_NAT, /* one of our own that port forwards or a pool use too: NAT first, then local */
	NEXT_HOP_BROADCAST, /* of a connected prefix: dropped */
	NEXT_HOP_BLACKHOLE,
};

struct next_hop {
	uint8_t kind; /* enum next_hop_kind */
	uint8_t prefix_length;
	interface_id interface;
	rte_be32_t gateway;
	bool dhcp_server; /* the address of one: what clients of a segment with a relay send it goes by the relay */
};

/* By a port, and not to a DHCP server of ours, to which the relay has a way of its own. */
static inline bool next_hop_leads_out(const struct next_hop *hop)
{
	return (hop->kind == NEXT_HOP_VIA || hop->kind == NEXT_HOP_CONNECTED) &&
	       !interface_is_segment(hop->interface) && !hop->dhcp_server;
}

#define FIB_NEXT_HOPS 32768u
#define FIB_BLOCKS    65536u /* /16s */

struct fib {
	struct rte_fib *fib;
	struct next_hop *next_hop; /* [count]; 0 is NEXT_HOP_NONE */
	uint32_t count, capacity;
	struct fib_route { /* for display, in the order added */
		rte_be32_t prefix;
		uint8_t length;
		uint16_t next_hop;
	} * route;
	uint32_t route_count, route_capacity;
	/* Bit mask: of the /16s, by their two bytes as they stand in an address, those that lead out by a port as a whole. */
	uint64_t out[FIB_BLOCKS / 64];
};

struct fib *fib_create(uint32_t capacity); /* of routes; NULL with errno */
struct memory_need fib_need(uint32_t capacity);
void fib_destroy(struct fib *fib);
/* 0, -EEXIST (same prefix and length; the first stays), -ENOSPC */
int fib_add(struct fib *fib, rte_be32_t prefix, uint8_t length, const struct next_hop *hop);

/* Once all routes are there. */
void fib_finish(struct fib *fib);

/* Is it plain from the first half of the address alone that a route leads out by a port, and not to a DHCP server of ours? Else it
 * has to be looked up. No route leads to addresses that nobody can have. */
static inline bool fib_leads_out(const struct fib *fib, rte_be32_t address)
{
	uint16_t block = (uint16_t)address;

	return fib->out[block / 64] >> block % 64 & 1;
}

/* Addresses in network byte order; hops[i] is an index of fib->next_hop. */
void fib_find_bulk(const struct fib *fib, const rte_be32_t *address, uint16_t *hops, uint16_t count);
const struct next_hop *fib_find(const struct fib *fib, rte_be32_t address);
