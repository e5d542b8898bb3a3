/* SPDX-License-Identifier: BSD-3-Clause */
/* Time stamps around what is timed, which wait for all that is under way. What two of them take with nothing between them, some
 * seventy cycles in a virtual machine, is nobody's work: it is taken off. */
#pragma once

#include <rte_cycles.h>
#include <stdint.h>

extern double stamp_cost; /* cycles of a pair */

/* Once, before the first one is taken. */
void stamp_calibrate(void);

static inline uint64_t stamp_take(void)
{
	return rte_rdtsc_precise();
}

/* Cycles since the stamp; no less than 0. */
static inline uint64_t stamp_since(uint64_t start)
{
	uint64_t spent = rte_rdtsc_precise() - start, cost = (uint64_t)stamp_cost;

	return spent > cost ? spent - cost : 0;
}
