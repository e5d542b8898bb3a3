/* SPDX-License-Identifier: BSD-3-Clause */
/* The public addresses of NAT: what each is used for, and which owner has which of its ports.
 *
 * Of an address in a pool, port block b (a block that a host gets, or else NAT_PORT_BLOCK ports in a row) belongs to
 * owner (b + address number) modulo the number of owners: the owner is read off a packet by arithmetic, and
 * neighbouring addresses spread their low blocks; or to the one that a device steers it to (nat_steering.h). A port of a deterministic pool belongs to the owner of the inside
 * host that it is computed for. Written at start, then read by all. */
#pragma once

#include "base/memory_need.h"
#include "table/nat.h"
#include "table/nat_deterministic.h"
#include <rte_byteorder.h>

#define NAT_POOL_NONE     UINT16_MAX
#define NAT_ADDRESSES_MAX 65535u

enum nat_port_class { NAT_CLASS_TCP, NAT_CLASS_UDP, NAT_CLASS_ICMP, NAT_CLASSES };

struct nat_address {
	rte_be32_t ip;
	uint16_t pool;           /* NAT_POOL_NONE: not one that dynamic bindings use */
	uint8_t block_shift;     /* of the pool */
	bool computed;           /* of a deterministic pool */
	uint16_t turn;           /* where blocks are steered: nat_steering_turn */
	bool forwards;           /* some port is forwarded */
	uint32_t static_binding; /* number of the rule, or INDEX_NONE */
};

struct nat_pool {
	char name[32];
	enum nat_filtering filtering;
	uint32_t address_first, addresses;            /* numbers of its addresses, in a row */
	struct nat_port_range range[NAT_PORT_RANGES]; /* with port blocks: as far as these are whole */
	uint32_t ranges;
	uint32_t ports;      /* of one address and protocol */
	uint8_t block_shift; /* ports in a row that have the same owner, as a power of two */
	bool blocks;         /* hosts get whole blocks of that size */
	struct nat_limits limits;
	struct nat_deterministic plan;
};

struct nat_address_table {
	struct nat_address *address;
	uint32_t count, capacity;
	uint16_t *slot; /* open addressing by IP address: number plus one, 0: free */
	uint32_t
		slots; /* a power of two, at least four times the addresses: they are configured, nobody can aim */
	struct nat_pool *pool;
	uint32_t pools;
	bool steered; /* the owner of a block is as nat_steering.h says */
};

/* The ports of a pool, from its settings. 0 or -EINVAL. */
int nat_pool_ports_set(struct nat_pool *pool, const struct nat_pool_settings *from);

/* The addresses of all pools (but those with a static binding), static bindings and forwards. 0 or -errno. */
int nat_address_init(struct nat_address_table *table, const struct nat_settings *settings);
struct memory_need nat_address_need(const struct nat_settings *settings);
void nat_address_destroy(struct nat_address_table *table);
size_t nat_address_bytes(const struct nat_address_table *table);

static inline uint32_t nat_address_home(const struct nat_address_table *table, rte_be32_t ip)
{
	return (uint32_t)(ip * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (table->slots - 1);
}

/* The number of the address, or INDEX_NONE. */
static inline uint32_t nat_address_find(const struct nat_address_table *table, rte_be32_t ip)
{
	for (uint32_t at = nat_address_home(table, ip); table->slot[at] != 0;
		at = (at + 1) & (table->slots - 1))
		if (table->address[table->slot[at] - 1u].ip == ip)
			return table->slot[at] - 1u;
	return INDEX_NONE;
}

/* Ports in host byte order. A pool's ports are counted through over its ranges: that is a port's place. */
#define NAT_PLACE_NONE UINT32_MAX
uint32_t nat_pool_place(const struct nat_pool *pool, uint16_t port); /* NAT_PLACE_NONE: none of the pool's */
uint16_t nat_pool_port(const struct nat_pool *pool, uint32_t place); /* 0: beyond the last one */

/* A port that a dynamic binding can have. Ports that are forwarded are among them: taken, for good. */
static inline bool nat_address_is_dynamic(
	const struct nat_address_table *table, const struct nat_address *address, uint16_t port)
{
	return address->pool != NAT_POOL_NONE &&
	       nat_pool_place(&table->pool[address->pool], port) != NAT_PLACE_NONE;
}

/* `turn`: what the address adds to the number of a block. Not for a deterministic pool, and where devices do not steer. */
static inline uint16_t nat_port_owner(uint32_t turn, uint8_t block_shift, uint16_t port, uint16_t owners)
{
	uint32_t block = (uint32_t)(port >> block_shift) + turn;
	uint32_t rest = owners - 1u;

	/* Asked of each packet from outside: most have two, four or eight, which takes no division. */
	return (uint16_t)((owners & rest) == 0 ? block & rest : block % owners);
}

static inline uint16_t nat_turned_owner(const struct nat_address_table *table, uint16_t turn,
	uint8_t block_shift, uint16_t port, uint16_t owners)
{
	if (table->steered)
		return (uint16_t)(((uint32_t)port >> block_shift ^ turn) & (owners - 1u));
	return nat_port_owner(turn, block_shift, port, owners);
}

static inline uint16_t nat_address_turn(
	const struct nat_address_table *table, uint32_t number, uint16_t owners)
{
	if (table->steered)
		return table->address[number].turn;
	return (uint16_t)(number % owners);
}

static inline uint16_t nat_address_owner(
	const struct nat_address_table *table, uint32_t number, uint16_t port, uint16_t owners)
{
	return nat_turned_owner(table, nat_address_turn(table, number, owners),
		table->address[number].block_shift, port, owners);
}

/* The owners of a public address, by its port blocks; for who asks often. */
struct nat_block_owners {
	rte_be32_t outside; /* 0: of none */
	uint16_t turn;
	uint8_t block_shift;
};

static inline uint16_t nat_block_owner(const struct nat_address_table *table,
	const struct nat_block_owners *of, rte_be16_t outside_port, uint16_t owners)
{
	return nat_turned_owner(table, of->turn, of->block_shift, rte_be_to_cpu_16(outside_port), owners);
}

/* -1 for a protocol that is not translated. */
static inline int nat_port_class(uint8_t protocol)
{
	switch (protocol) {
	case 6:
		return NAT_CLASS_TCP;
	case 17:
		return NAT_CLASS_UDP;
	case 1:
		return NAT_CLASS_ICMP;
	default:
		return -1;
	}
}
