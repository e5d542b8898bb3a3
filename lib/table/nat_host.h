/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside hosts of one owner that have sessions: how many, and the public address that the host's dynamic
 * bindings keep (paired pooling, RFC 4787 REQ-2). A host is there while it has sessions.
 *
 * Four hosts a cache line, two possible lines each; a host goes where there is more room and does not move, so its
 * number stays good while it lives. Written by the owner lcore; any thread may look for a host, and then sees a state
 * that was true a moment ago. */
#pragma once

#include "packet/flow_hash.h"
#include "packet/packet_metadata.h"
#include <stdatomic.h>
#include <stddef.h>

#define NAT_HOSTS_A_LINE 4u

struct nat_host {
	_Atomic uint64_t key; /* nat_host_key; 0: free */
	_Atomic uint32_t sessions;
	uint32_t address; /* number of its public address, or INDEX_NONE before its first dynamic binding */
};

struct nat_host_line {
	struct nat_host host[NAT_HOSTS_A_LINE];
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_host_line) == 64, "one cache line");

struct nat_host_table {
	struct nat_host_line *line;
	uint32_t lines;
	uint32_t count;
	struct flow_hash_key hash_key;
};

int nat_hosts_init(struct nat_host_table *table, uint32_t hosts, const struct flow_hash_key *hash_key);
void nat_hosts_destroy(struct nat_host_table *table);
size_t nat_hosts_bytes(const struct nat_host_table *table);

uint32_t nat_host_find(
	const struct nat_host_table *table, uint64_t hash, uint64_t key); /* number, or INDEX_NONE */
/* The host's number, new with no session if it was not there; INDEX_NONE when the table has no room for it. */
uint32_t nat_host_add(struct nat_host_table *table, uint64_t hash, uint64_t key);
void nat_host_hold(struct nat_host_table *table, uint32_t number); /* one session more */
void nat_host_release(
	struct nat_host_table *table, uint32_t number); /* one less: the host leaves with the last */

static inline uint64_t nat_host_key(uint16_t segment, rte_be32_t inside)
{
	return UINT64_C(1) << 63 | (uint64_t)segment << 32 | inside;
}

/* Also says which owner a host belongs to: bits that the table's lines do not depend on. */
static inline uint64_t nat_host_hash(const struct flow_hash_key *hash_key, uint64_t key)
{
	return flow_hash(hash_key, key, 0);
}

static inline struct nat_host *nat_host_at(const struct nat_host_table *table, uint32_t number)
{
	return &table->line[number / NAT_HOSTS_A_LINE].host[number % NAT_HOSTS_A_LINE];
}

static inline uint32_t nat_host_scale(uint32_t random, uint32_t count)
{
	return (uint32_t)((uint64_t)random * count >> 32);
}

static inline const struct nat_host_line *nat_host_first_line(
	const struct nat_host_table *table, uint64_t hash)
{
	return &table->line[nat_host_scale((uint32_t)hash, table->lines)];
}

static inline const struct nat_host_line *nat_host_second_line(
	const struct nat_host_table *table, uint64_t hash)
{
	return &table->line[nat_host_scale(
		(uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32), table->lines)];
}
