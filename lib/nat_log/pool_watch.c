/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/pool_watch.h"

#define BELOW_PERCENT 5 /* under the mark */

const uint32_t pool_mark_percent[POOL_MARKS] = { 80, 95 };

bool pool_watch_look(struct pool_watch *watch, unsigned class, uint64_t used, uint64_t ports,
	uint32_t *percent, bool *above)
{
	uint8_t *reached = &watch->reached[class];

	if (*reached < POOL_MARKS && ports > 0 && used * 100 >= ports * pool_mark_percent[*reached]) {
		*percent = pool_mark_percent[(*reached)++];
		*above = true;
		return true;
	}
	if (*reached > 0 && used * 100 < ports * (pool_mark_percent[*reached - 1] - BELOW_PERCENT)) {
		*percent = pool_mark_percent[--(*reached)];
		*above = false;
		return true;
	}
	return false;
}
