/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path is compiled once for each level of instruction sets that the build has (meson.build), least first, and at
 * start one is chosen that the CPU has. All do the same, bit for bit: tables and hashes are shared with the rest of the
 * program, which is compiled for the least. */
#pragma once

#include "base/cpu_flag.h"
#include "stage/fast_path.h"

struct fast_path_level {
	const char *name; /* as compilers call it: x86-64-v3 */
	uint32_t needs;   /* flags of the CPU */
	__typeof__(fast_path_init) *init;
	__typeof__(fast_path_run) *run;
};
extern const struct fast_path_level *const fast_path_levels[]; /* ends with NULL */

/* The last that needs no more than these flags; the least, when there is none: the program would not run at all. */
const struct fast_path_level *fast_path_level_best(uint32_t flags);

/* The one that lcores take from now on: the best for this CPU, or what was said. Before lcores are wired, by the thread
 * that wires them. */
const struct fast_path_level *fast_path_level(void);
/* By name: 0; or -ENOENT or -ENOTSUP, with the reason as a sentence. */
int fast_path_level_use(const char *name, char *error, size_t size);
