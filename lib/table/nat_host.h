/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside hosts of one owner that have sessions: how many, and the public address that the host's dynamic
 * bindings keep (paired pooling, RFC 4787 REQ-2). A host is there while it has sessions.
 *
 * Five hosts a cache line, two possible lines each. When both are full, a host of either is moved to its own other
 * line; so the table takes as many hosts as the owner has sessions, at fourteen bytes each. What only limits and port
 * blocks need stands beside it, and is there only when some pool has them.
 * Written by the owner lcore; any thread may count a host's sessions, and sees what was true a moment ago. */
#pragma once

#include "packet/flow_hash.h"
#include "packet/packet_metadata.h"
#include "table/nat.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define NAT_HOSTS_A_LINE 5u
#define NAT_ADDRESS_NONE UINT16_MAX

struct nat_host_line {
	_Atomic rte_be32_t ip[NAT_HOSTS_A_LINE]; /* 0: free */
	_Atomic uint32_t sessions[NAT_HOSTS_A_LINE];
	_Atomic uint16_t segment[NAT_HOSTS_A_LINE];
	uint16_t address
		[NAT_HOSTS_A_LINE]; /* its public one; NAT_ADDRESS_NONE before its first dynamic binding */
} __rte_cache_aligned;
_Static_assert(sizeof(struct nat_host_line) == 64, "one cache line");

struct nat_host_quota {
	uint32_t ports;     /* dynamic bindings, all protocols */
	uint32_t chain;     /* of its port blocks (nat_block.h) */
	uint32_t rate_tick; /* when `rate_used` was last brought up to date */
	uint32_t rate_used; /* new sessions not yet paid off by time, in units of 1/TICKS_PER_S */
};

struct nat_host_table {
	struct nat_host_line *line;
	struct nat_host_quota *quota; /* [line][slot]; NULL: no pool has limits or port blocks */
	uint32_t lines;
	uint32_t count;
	struct flow_hash_key hash_key;
};

int nat_hosts_init(
	struct nat_host_table *table, uint32_t hosts, bool quotas, const struct flow_hash_key *hash_key);
struct memory_need nat_hosts_need(uint32_t hosts, bool quotas);
void nat_hosts_destroy(struct nat_host_table *table);
size_t nat_hosts_bytes(const struct nat_host_table *table);

/* Where a host stands, until the next one is added. `line` is NULL: nowhere. */
struct nat_host {
	struct nat_host_line *line;
	uint32_t slot;
};

struct nat_host nat_host_find(
	const struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside);
/* The host with one session more, new if it was not there; nowhere when the table has no room for it. */
struct nat_host nat_host_hold(
	struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside);
/* The same, for who looked for it a moment ago and found it here, or nowhere. */
static inline struct nat_host nat_host_hold_at(struct nat_host_table *table, struct nat_host found,
	uint64_t hash, uint16_t segment, rte_be32_t inside)
{
	if (found.line == NULL ||
		atomic_load_explicit(&found.line->ip[found.slot], memory_order_relaxed) != inside ||
		atomic_load_explicit(&found.line->segment[found.slot], memory_order_relaxed) != segment)
		return nat_host_hold(table, hash, segment, inside);
	_Atomic uint32_t *sessions = &found.line->sessions[found.slot];
	atomic_store_explicit(
		sessions, atomic_load_explicit(sessions, memory_order_relaxed) + 1, memory_order_relaxed);
	return found;
}
/* One session less: the host leaves with its last. */
void nat_host_release(struct nat_host_table *table, struct nat_host host);
/* May the host, whose new session has been counted already, have it? 0, -EUSERS: too many sessions, or -EBUSY: too many
 * new ones of late. */
int nat_host_admit(
	struct nat_host_table *table, struct nat_host host, const struct nat_limits *limits, uint32_t tick);
/* The session was not new after all: it does not count as such. */
void nat_host_readmit(struct nat_host_table *table, struct nat_host host, const struct nat_limits *limits);
/* Any thread. */
uint32_t nat_host_count(
	const struct nat_host_table *table, uint64_t hash, uint16_t segment, rte_be32_t inside);

/* NULL: there are none. */
static inline struct nat_host_quota *nat_host_quota(const struct nat_host_table *table, struct nat_host host)
{
	return table->quota == NULL
		       ? NULL
		       : &table->quota[(size_t)(host.line - table->line) * NAT_HOSTS_A_LINE + host.slot];
}

/* Dynamic bindings more, or fewer. */
static inline void nat_host_ports_add(struct nat_host_table *table, struct nat_host host, int ports)
{
	if (table->quota != NULL)
		nat_host_quota(table, host)->ports += (uint32_t)ports;
}

static inline uint32_t nat_host_scale(uint32_t random, uint32_t count)
{
	return (uint32_t)((uint64_t)random * count >> 32);
}

static inline uint64_t nat_host_hash(
	const struct flow_hash_key *hash_key, uint16_t segment, rte_be32_t inside)
{
	return flow_hash(hash_key, (uint64_t)segment << 32 | inside, UINT64_C(1) << 62);
}

static inline struct nat_host_line *nat_host_first_line(const struct nat_host_table *table, uint64_t hash)
{
	return &table->line[nat_host_scale((uint32_t)hash, table->lines)];
}

static inline struct nat_host_line *nat_host_second_line(const struct nat_host_table *table, uint64_t hash)
{
	return &table->line[nat_host_scale(
		(uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32), table->lines)];
}
