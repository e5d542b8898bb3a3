/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a figure is what it has to be, in a line for people. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

static inline void verdict_line(
	FILE *out, const char *what, double value, double limit, bool at_most, const char *verdict)
{
	fprintf(out, "  %-55s %10.2f  (%s %g) %s\n", what, value, at_most ? "at most" : "at least", limit,
		verdict);
}

static inline void verdict_print(FILE *out, const char *what, double value, double limit, bool at_most)
{
	bool held = at_most ? value <= limit : value >= limit;

	verdict_line(out, what, value, limit, at_most, held ? "held" : "MISSED");
}
