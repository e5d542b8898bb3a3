/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of its limits to lower when the memory that a configuration takes (memory_plan.h) is not there. */
#pragma once

#include "vxgate/memory_plan.h"

/* A limit that the need depends on. */
struct memory_limit {
	char path[96];    /* in the configuration: "nat.max_sessions" */
	const char *unit; /* "sessions" */
	uint64_t value;   /* as it is */
	uint64_t bytes;   /* what it takes */
	uint64_t fits;    /* the most that fits while all else stays; 0: lowering it is not enough */
};
/* Of the limits that would make it fit, the one that takes the most; if none would, the one that takes the most. For a
 * configuration that does not fit. */
void memory_limit_find(
	const struct config *config, const struct memory_offer *offer, struct memory_limit *limit);
