/* SPDX-License-Identifier: BSD-3-Clause */
/* Notices when the ports of a pool get scarce: a mark is passed upwards when the use reaches it, and downwards when it
 * is five percent below, so that a use that hovers at the mark is told once. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define POOL_MARKS 2
enum pool_class {
	POOL_TCP,
	POOL_UDP,
	POOL_ICMP,
	POOL_BLOCKS /* in place of these, in a pool with blocks */,
	POOL_CLASSES
};
extern const uint32_t pool_mark_percent[POOL_MARKS]; /* 80, 95 */

struct pool_watch {                    /* of one pool */
	uint8_t reached[POOL_CLASSES]; /* how many of the marks */
};

/* The use of one class of ports now. True when a mark was passed: `percent` which, `above` in which direction. One
 * mark a call: call until it is false. */
bool pool_watch_look(struct pool_watch *watch, unsigned class, uint64_t used, uint64_t ports,
	uint32_t *percent, bool *above);
