/* SPDX-License-Identifier: BSD-3-Clause */
/* Deterministic NAT (RFC 7422): an inside host's public address and ports follow from the configuration by arithmetic,
 * both ways, so that nothing need be logged to know who had a port.
 *
 * The hosts of the pool's source rules are counted through, by segment and address: host i. The ports of an address are
 * counted through likewise, over all of the pool's port ranges: place p. With H hosts, A addresses and P ports an
 * address, each address serves S = ceil(H / A) hosts, and each host has R = floor(P / S) ports: those at the places
 * (i mod S) * R and up, of address i / S. What the divisions leave over stays unused.
 * Written at start, then read by all. */
#pragma once

#include "table/nat.h"

/* A host that has fewer ports than this is not served: a web page alone opens that many flows. */
#define NAT_DETERMINISTIC_PORTS_MIN 64u

struct nat_deterministic_source {
	uint32_t first, last; /* hosts, in host byte order, both belong to it */
	uint32_t base;        /* number of the first one */
	uint16_t segment;
};

struct nat_deterministic {
	struct nat_deterministic_source *source; /* by segment, then by address */
	uint32_t sources;
	uint32_t hosts; /* 0: the pool is not deterministic */
	uint32_t hosts_an_address, ports_a_host;
};

/* The ports that each host would have, 0 when there are none for each. */
static inline uint32_t nat_deterministic_share(uint64_t hosts, uint64_t addresses, uint64_t ports)
{
	uint64_t sharing = addresses == 0 ? 0 : (hosts + addresses - 1) / addresses;

	return sharing == 0 ? 0 : (uint32_t)(ports / sharing);
}

/* How many hosts the source rules give to the pool, or -ENOMEM. */
int64_t nat_deterministic_hosts(const struct nat_settings *settings, uint32_t pool);

/* Takes in the source rules that name the pool. -ERANGE: the pool is too small for its hosts. */
int nat_deterministic_init(struct nat_deterministic *plan, const struct nat_settings *settings, uint32_t pool,
	uint32_t addresses, uint32_t ports);
void nat_deterministic_destroy(struct nat_deterministic *plan);

/* The host's address, counted from the pool's first, and the place of its first port. False: not a host of the pool. */
bool nat_deterministic_out(const struct nat_deterministic *plan, uint16_t segment, rte_be32_t inside,
	uint32_t *address, uint32_t *place);
/* The host that has this place of this address. False: nobody has. */
bool nat_deterministic_in(const struct nat_deterministic *plan, uint32_t address, uint32_t place,
	uint16_t *segment, rte_be32_t *inside);
