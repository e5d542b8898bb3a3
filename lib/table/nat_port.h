/* SPDX-License-Identifier: BSD-3-Clause */
/* The public ports that one owner may give to dynamic bindings: of each pool address and protocol, its share
 * (nat_address.h), as a bitmap of those that are free. A port that is given back rests before it is free again (RFC
 * 6888 REQ-8), however scarce ports are. Two kinds of pool need no rest for single ports, since each of their ports
 * comes back to the subscriber that had it (the same, exception b): those with port blocks, of which whole blocks
 * rest (nat_block.h), and deterministic ones.
 * Owner lcore only; the figures of use may be read by any thread. */
#pragma once

#include "base/resting_pool.h"
#include "table/nat_address.h"
#include "table/nat_block.h"
#include "table/nat_event.h"

struct nat_port_set { /* of one address and class */
	struct resting_pool pool;
	void *memory; /* of its bitmaps: with the sessions, in hugepages where there are some */
	uint32_t
		usable; /* how many there are; the other ids lie outside of the pool's ranges or are forwarded */
	uint32_t first_row; /* row of the pool's first block: (block + address) / owners */
} __rte_cache_aligned;

struct nat_pool_use { /* of one pool and owner; written by the owner, read by any thread */
	uint32_t used[NAT_CLASSES], most[NAT_CLASSES], resting[NAT_CLASSES]; /* most: at a time, so far */
	uint32_t blocks, blocks_used, blocks_most, blocks_resting;
};

struct nat_ports {
	const struct nat_address_table *addresses;
	struct nat_events *events; /* that port blocks are told to, or NULL */
	struct nat_port_set *set;  /* [address][class] */
	struct nat_pool_use *use;  /* [pool] */
	struct nat_blocks blocks;
	uint16_t owner, owners;
	uint32_t tick;       /* that the ports have been brought to */
	uint32_t turn_ticks; /* half of the rest; 0: nothing rests */
	uint32_t turn;       /* base/resting_pool.h */
	uint32_t next_set;   /* whose rests are looked at next, used or not */
};

int nat_ports_init(struct nat_ports *ports, const struct nat_address_table *addresses, uint16_t owner,
	uint16_t owners, uint32_t rest_ticks);
struct memory_need nat_ports_need(const struct nat_settings *settings, uint16_t owner);
void nat_ports_destroy(struct nat_ports *ports);
size_t nat_ports_bytes(const struct nat_ports *ports);

/* What the owner does first: ports whose rest is over by `tick` are free again. Cheap when no tick has passed. */
void nat_ports_turn(struct nat_ports *ports, uint32_t tick);
static inline void nat_ports_tick(struct nat_ports *ports, uint32_t tick)
{
	if (tick != ports->tick)
		nat_ports_turn(ports, tick);
}

/* A free port of the address, host byte order: `wanted` when it is free, else the first free one after a random
 * place (RFC 6056). 0: none. For pools without blocks. */
uint16_t nat_port_take(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t wanted,
	uint32_t random);
/* Where nat_port_take would look: for `wanted`, and at random. */
void nat_port_words(const struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint16_t wanted, uint32_t random, const void *word[2]);
/* As nat_port_take, among `count` ports from the pool's place `place` on (nat_pool_place); all of them this owner's. */
uint16_t nat_port_take_among(struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint32_t place, uint32_t count, uint16_t wanted, uint32_t random);
/* Takes this one away for good; nothing when it is not the owner's. At start. */
void nat_port_reserve(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);
/* Where nat_port_give will write. */
void nat_port_give_words(const struct nat_ports *ports, uint32_t address, enum nat_port_class class,
	uint16_t port, const void *word[2]);
/* Back after use: to rest. */
void nat_port_give(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);
/* Back without having been used: free at once. */
void nat_port_return(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);

/* For who had the port last, when it is known that nobody has had it since: ends its rest, so that it is free now. False:
 * it does not rest. */
bool nat_port_wake(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);
/* A port that was woken begins its rest anew, unless it has been taken. */
void nat_port_rest(struct nat_ports *ports, uint32_t address, enum nat_port_class class, uint16_t port);

/* Counts those free now, after the rests that are over. */
uint32_t nat_ports_free(const struct nat_ports *ports, uint32_t address, enum nat_port_class class);
uint32_t nat_ports_used(const struct nat_ports *ports, uint32_t address, enum nat_port_class class);

/* For nat_block.c. Row of a port of the owner's, counted from the pool's first, and the first port of a row. */
uint32_t nat_port_row(const struct nat_ports *ports, uint32_t address, uint16_t port);
uint32_t nat_port_rows(const struct nat_ports *ports, uint32_t address);
uint32_t nat_port_of_row(
	const struct nat_ports *ports, uint32_t address, uint32_t row); /* beyond 65535: no port */
bool nat_port_is_ours(const struct nat_ports *ports, uint32_t address, uint16_t port);
static inline struct nat_pool_use *nat_ports_use(const struct nat_ports *ports, uint32_t address)
{
	return &ports->use[ports->addresses->address[address].pool];
}
