/* SPDX-License-Identifier: BSD-3-Clause */
/* A small EAL for tests of what allocates from it. Criterion forks for each test, so each starts its own, once.
 * (--no-huge means legacy memory, which --in-memory refuses.) */
#pragma once

#include <criterion/criterion.h>
#include <rte_eal.h>
#include <stdbool.h>

static inline void eal_start(void)
{
	char *arguments[] = { "test", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry",
		"-l", "0", "--log-level=1", NULL };

	static bool started;

	if (started)
		return;
	started = true;
	cr_assert_geq(rte_eal_init(10, arguments), 0, "the EAL does not start");
}
