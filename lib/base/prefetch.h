/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking ahead for a line that most likely comes from memory. It goes into the cache of the second level: that of the first has
 * two dozen buffers for lines that are under way, and when all are taken by lines of memory, everything waits until the first
 * of them are there. Who reads it then waits a dozen cycles.
 *
 * A macro, for gcc takes the call of a function that does nothing else for one without effect; and not rte_prefetch1, which is
 * volatile assembler, and so stays in order with all other requests, and cost seven cycles a packet from outside. */
#pragma once

#define prefetch_far(line) __builtin_prefetch((line), 0, 2)
