/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes few messages of a counter that may count a million times a second: one when it begins to, one a minute while it
 * goes on, one when it is over. Pure; looked at about once a second. */
#pragma once

#include "base/clock.h"
#include <stdint.h>

#define FLOOD_AGAIN_NS (60 * NS_PER_SECOND) /* between two messages that it is so */
#define FLOOD_OVER_NS  (10 * NS_PER_SECOND) /* without it, it is over */

enum flood_event { FLOOD_NOTHING, FLOOD_BEGINS, FLOOD_GOES_ON, FLOOD_OVER };

struct flood_watch { /* zeroed, and then `total` as it is at the start */
	uint64_t total;
	uint64_t count;                      /* since it began, or since then was last told of it */
	uint64_t began_ns, last_ns, told_ns; /* 0: never */
	enum flood_event state;              /* FLOOD_NOTHING, FLOOD_BEGINS: not told yet, FLOOD_GOES_ON */
};

/* `total`: the counter now; `least`: so many since the last look are one too many. What there is to say: then `count` is
 * how many there were since the last message, and `seconds` how long it has lasted. */
enum flood_event flood_watch_look(struct flood_watch *watch, uint64_t total, uint64_t least, uint64_t now_ns,
	uint64_t *count, uint64_t *seconds);
