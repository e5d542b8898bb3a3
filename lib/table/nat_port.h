/* SPDX-License-Identifier: BSD-3-Clause */
/* The public ports that one owner may give to dynamic bindings: of each pool address and protocol, its share of the
 * port blocks (nat_address.h), as a bitmap of those that are free. Owner lcore only; the counts of free ports may be
 * read by any thread. */
#pragma once

#include "base/id_pool.h"
#include "table/nat_address.h"

struct nat_port_set { /* of one address and class */
	struct id_pool free;
	uint32_t
		usable; /* how many there are; the other ids lie outside of the pool's range or are forwarded */
	uint32_t first_row; /* row of the pool's first block: (block + address) / owners */
};

struct nat_ports {
	const struct nat_address_table *addresses;
	struct nat_port_set *set; /* [address][class] */
	uint16_t owner, owners;
};

int nat_ports_init(
	struct nat_ports *ports, const struct nat_address_table *addresses, uint16_t owner, uint16_t owners);
void nat_ports_destroy(struct nat_ports *ports);
size_t nat_ports_bytes(const struct nat_ports *ports);

/* A free port of the address, host byte order: `wanted` when it is free, else the first free one after a random
 * place (RFC 6056). 0: none. */
uint16_t nat_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t wanted,
	uint32_t random);
/* Takes this one away for good; nothing when it is not the owner's. At start. */
void nat_port_reserve(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);
void nat_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);

static inline uint32_t nat_ports_free(
	const struct nat_ports *ports, uint32_t address, enum nat_port_class class)
{
	return ports->set[address * NAT_CLASSES + class].free.free;
}

static inline uint32_t nat_ports_used(
	const struct nat_ports *ports, uint32_t address, enum nat_port_class class)
{
	const struct nat_port_set *set = &ports->set[address * NAT_CLASSES + class];

	return set->usable - set->free.free;
}
