/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints on our side that have many sessions: a server that is reached by a static binding or a forward, a socket that talks to many.
 * What is found by the endpoint is one session, the first of its binding, or none. So packets of these are looked for by their
 * flow at once. That is a guess, made by what the last packets of the endpoint turned out to be: a wrong one costs another look.
 *
 * One entry a place, by the hash of the endpoint (packet/flow_hash.h): a tag that says which one it is, and how sure that is. Pure;
 * one lcore's, in eight kilobytes that nobody reads while no endpoint is crowded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NAT_CROWDED_BITS 12u
#define NAT_CROWDED_SURE 4u /* in the lower bits of an entry: from here on it counts */
#define NAT_CROWDED_MOST 7u

struct nat_crowded { /* start with zeros */
	uint16_t entry[1u << NAT_CROWDED_BITS];
	uint32_t count; /* of those that are sure */
};

static inline uint32_t nat_crowded_place(uint64_t hash)
{
	return (uint32_t)(hash >> (64 - NAT_CROWDED_BITS));
}

static inline uint16_t nat_crowded_tag(uint64_t hash)
{
	return (uint16_t)((hash >> 32) & ~(uint64_t)NAT_CROWDED_MOST);
}

/* Are the packets of the endpoint most likely of other sessions than its first? `hash`: its own. */
static inline bool nat_crowded_is(const struct nat_crowded *crowded, uint64_t hash)
{
	uint16_t entry = crowded->entry[nat_crowded_place(hash)];

	return (uint16_t)(entry - nat_crowded_tag(hash) - NAT_CROWDED_SURE) <=
	       NAT_CROWDED_MOST - NAT_CROWDED_SURE;
}

/* The guess about a packet was wrong: it has been found by its flow (or else by its endpoint). Four of these in a row make an
 * endpoint crowded, and one that is found by the endpoint ends it, since of two sessions that are as busy as each other the
 * first is found at once without. It takes four packets of other endpoints to drive out one that is sure. */
static inline void nat_crowded_learn(struct nat_crowded *crowded, uint64_t hash, bool by_flow)
{
	uint16_t *entry = &crowded->entry[nat_crowded_place(hash)], tag = nat_crowded_tag(hash);
	uint32_t before = *entry & NAT_CROWDED_MOST, after = before;
	bool same = *entry - before == tag;

	if (!by_flow) {
		after = same ? 0 : before;
	} else if (same) {
		after = before + 1 < NAT_CROWDED_SURE ? before + 1 : NAT_CROWDED_MOST;
	} else if (before > 0) {
		after = before - 1;
	} else {
		same = true;
		after = 1;
	}
	*entry = (uint16_t)((same ? tag : *entry - before) + after);
	crowded->count += (after >= NAT_CROWDED_SURE) - (before >= NAT_CROWDED_SURE);
}
