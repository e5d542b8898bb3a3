/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside hosts as people look at them, from any thread and without asking the owners: those with sessions, and
 * those that were refused some of late (nat_refusal.h). What a host has is what was true a moment ago; one that the
 * owner moves in its table meanwhile may be missed, or seen twice. */
#pragma once

#include "table/nat.h"
#include "table/nat_event.h"

#define NAT_HOST_POOL_NONE UINT32_MAX

struct nat_host_view {
	uint16_t segment;
	uint16_t owner;
	rte_be32_t inside;
	rte_be32_t outside; /* the public address of its dynamic bindings; 0: none so far */
	uint32_t pool;      /* that its dynamic bindings are of, or would be; NAT_HOST_POOL_NONE: none */
	uint32_t sessions;
	bool counted;                 /* the next two are known: some pool has limits or port blocks */
	uint32_t ports, blocks;       /* dynamic bindings, all protocols; port blocks */
	uint32_t refused[NAT_LIMITS]; /* new sessions, since the host was last forgotten */
};

/* Looks at no more than about `scan` places from `*cursor` on, copies the hosts that the segment and addresses of the
 * filter match (at most `max`, 8 or more) and moves the cursor; *cursor is UINT32_MAX at the end. */
uint32_t nat_owner_hosts(const struct nat_owner *owner, uint32_t *cursor, const struct nat_filter *filter,
	struct nat_host_view *out, uint32_t max, uint32_t scan);

/* Any thread: the host that has the port block of this public port now, whether or not it uses the port. False: nobody,
 * or no port of a pool with blocks. */
bool nat_block_who(
	const struct nat *nat, rte_be32_t outside, uint16_t port, uint16_t *segment, rte_be32_t *inside);

struct nat_limits_view { /* of one pool */
	const char *pool;
	struct nat_limits limits;
	uint32_t hosts; /* with sessions */
	/* Those that have 80 % or more of what they may have, and those that have all of it. */
	uint32_t near_ports, at_ports, near_sessions, at_sessions;
	uint64_t refused[NAT_LIMITS]; /* of the hosts that are remembered (nat_refusal.h) */
};
#define NAT_LIMIT_NEAR_PERCENT 80u
/* Looks at all hosts of all owners; returns how many pools there are. */
uint32_t nat_limits_look(const struct nat *nat, struct nat_limits_view *out, uint32_t max);
