/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of its limits to lower when the memory that a configuration takes (memory_plan.h) is not there. */
#pragma once

#include "vxgate/memory_plan.h"

/* A limit that the need depends on: one key, or the same key of all elements of a list, which add up. */
struct memory_limit {
	char path
		[96]; /* in the configuration: "nat.max_sessions", "segments[7].mac_limit", "segments[*].mac_limit" */
	const char *unit; /* "sessions" */
	const char *each; /* what `fits` is of, where that is not all of `value`: " a segment"; else "" */
	uint64_t value;   /* as it is, all together */
	uint64_t bytes;   /* what it takes */
	uint64_t fits;    /* the most that fits while all else stays; 0: lowering it is not enough */
};
#define MEMORY_LIMITS 2u

/* For a configuration that does not fit. Of the limits that would make it fit, the one that takes the most; where none
 * would, the two that take the most, whose `fits` is then of both lowered together. Returns how many these are. */
uint32_t memory_limits_find(const struct config *config, const struct memory_offer *offer,
	struct memory_limit limits[MEMORY_LIMITS]);
