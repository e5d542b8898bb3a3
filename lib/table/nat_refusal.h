/* SPDX-License-Identifier: BSD-3-Clause */
/* Which inside hosts of one owner were refused new sessions of late, how often and why (RFC 6888 REQ-11c: management
 * is told). A host need not have any session to be here, which is why this is no part of the host table.
 *
 * Bounded: four possible places a host. When all are taken, the host whose last refusal is longest ago is forgotten.
 * Written by the owner lcore; any thread may read, and sees what was true a moment ago. */
#pragma once

#include "table/nat_event.h"
#include <rte_byteorder.h>
#include <stdatomic.h>
#include <stdbool.h>

#define NAT_REFUSALS 1024u

struct nat_refusal {
	_Atomic uint64_t key;  /* 0: free */
	_Atomic uint32_t tick; /* of the last one */
	_Atomic uint32_t count[NAT_LIMITS];
};

struct nat_refusals {
	struct nat_refusal *host; /* [NAT_REFUSALS] */
};

/* A reader's copy. */
struct nat_refused {
	rte_be32_t inside;
	uint16_t segment;
	uint32_t tick; /* of the last one */
	uint32_t count[NAT_LIMITS];
};

int nat_refusals_init(struct nat_refusals *refusals); /* 0 or -ENOMEM */
void nat_refusals_destroy(struct nat_refusals *refusals);
size_t nat_refusals_bytes(void);

/* The owner lcore. `hash`: nat_host_hash of the host. */
void nat_refusal_note(struct nat_refusals *refusals, uint64_t hash, uint16_t segment, rte_be32_t inside,
	enum nat_limit limit, uint32_t tick);

/* Any thread: the host in place `place` of NAT_REFUSALS; false: nobody, or it was just taken over. */
bool nat_refusal_read(const struct nat_refusals *refusals, uint32_t place, struct nat_refused *out);
/* Any thread: the counts of one host; false: none. */
bool nat_refusal_find(const struct nat_refusals *refusals, uint64_t hash, uint16_t segment, rte_be32_t inside,
	struct nat_refused *out);
