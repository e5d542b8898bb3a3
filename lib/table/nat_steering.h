/* SPDX-License-Identifier: BSD-3-Clause */
/* Which lcore owns what, where a device's receive side scaling (RSS) brings packets home by itself, so that none is handed
 * over. The device computes a Toeplitz hash of what it is told to look at, and its low bits select an entry of an
 * indirection table, which has the queue.
 *
 * From inside it looks at the inner source address. The owner is then the same hash by the same key, which is drawn at
 * random: hosts cannot choose addresses that all meet at one lcore.
 *
 * From outside it looks at the destination address and port, whose owner is that of a port block. A Toeplitz hash is
 * linear: each bit that is set adds, by exclusive or, the 32 bits of the key from its place on. A key of one bit in
 * each sixteen makes the low bits of the hash the bits of ONE 16-bit word, in reverse order: the exclusive or of the
 * port and both halves of the address. The place of the bit says which of them come first. So the owner of a block is
 * read off by arithmetic, whatever its number, and every such key gives the same hash wherever the device puts the words
 * that it looks at, beside zeros for the others or without them: all begin at a multiple of sixteen bits. With a key as it comes the
 * hash of each public port would have to be searched for, as rte_thash_adjust_tuple does: ports of one owner would then lie
 * scattered, where blocks of them are what hosts are given and logs are made of.
 *
 * Pure; at start, but for nat_steering_owner. */
#pragma once

#include <rte_byteorder.h>
#include <stdbool.h>
#include <stdint.h>

#define NAT_STEERING_KEY     40  /* bytes that are drawn; devices with longer keys get them over and over */
#define NAT_STEERING_INDEXES 512 /* entries of an indirection table that matter, at most */

struct nat_steering_settings {
	bool inside;                   /* the owner of a host is that of its RSS index */
	uint8_t key[NAT_STEERING_KEY]; /* for that */
	uint16_t indexes;              /* likewise: entries of the indirection table, a power of two */
	bool outside;                  /* the owner of a port block is that of its RSS index */
	uint8_t block_shift; /* likewise: ports in a row that have the same owner in each pool, as a power of two */
};

struct nat_inside_map {        /* written at start, then read by all */
	uint16_t hash[4][256]; /* of each value of each byte of the address */
	uint8_t owner[NAT_STEERING_INDEXES];
};
void nat_inside_map_make(
	struct nat_inside_map *map, const struct nat_steering_settings *settings, uint16_t owners);

/* The entry of the indirection table that the device comes to for an inside address. */
static inline uint16_t nat_inside_index(const struct nat_inside_map *map, rte_be32_t inside)
{
	const uint8_t *byte = (const uint8_t *)&inside;

	return (uint16_t)(map->hash[0][byte[0]] ^ map->hash[1][byte[1]] ^ map->hash[2][byte[2]] ^
			  map->hash[3][byte[3]]);
}

static inline uint16_t nat_steering_owner(const struct nat_inside_map *map, rte_be32_t inside)
{
	return map->owner[nat_inside_index(map, inside)];
}

/* From outside the number of owners is a power of two. What the address adds to the number of a block. */
static inline uint16_t nat_steering_turn(rte_be32_t outside, uint8_t block_shift, uint16_t owners)
{
	uint32_t ip = rte_be_to_cpu_32(outside);

	return (uint16_t)(((ip >> 16 ^ ip) & UINT16_MAX) >> block_shift & (owners - 1u));
}

/* Can the bits that select one of `owners` be had? */
bool nat_steering_outside_fits(uint8_t block_shift, uint16_t owners);
/* The key of RSS by destination, and the owner of entry `index` of an indirection table of at least `owners` entries. */
void nat_steering_outside_key(uint8_t block_shift, uint16_t owners, uint8_t *key, uint8_t size);
uint16_t nat_steering_outside_owner(uint16_t index, uint16_t owners);
/* The same from inside. */
void nat_steering_inside_key(const struct nat_steering_settings *settings, uint8_t *key, uint8_t size);
uint16_t nat_steering_inside_owner(uint16_t index, uint16_t indexes, uint16_t owners);
