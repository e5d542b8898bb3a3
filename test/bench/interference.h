/* SPDX-License-Identifier: BSD-3-Clause */
/* Did somebody else have our CPU meanwhile? The hypervisor (stolen time, in /proc/stat) or another thread (involuntary
 * context switches of ours). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct interference {
	unsigned cpu;
	uint64_t stolen;   /* ticks of the kernel's clock, since the system's start */
	uint64_t switches; /* of this thread */
};

/* How long the CPU has had something to do, in ticks of the kernel's clock since the system's start. */
uint64_t interference_busy(unsigned cpu);
/* Now, on the CPU that this thread runs on. */
void interference_read(unsigned cpu, struct interference *now);
bool interference_since(const struct interference *then);

/* Over many measurements: what is disturbed is measured again, as long as `left` of those that may be are left. */
struct interference_watch {
	uint32_t left;
	uint32_t measured, repeated, disturbed; /* disturbed: and counted nevertheless */
	struct interference before;
};

/* At most a quarter of so many measurements are repeated. */
struct interference_watch interference_watch_of(uint32_t measurements);
void interference_watch_begin(struct interference_watch *watch);
/* Does what has been measured since count? Else it is to be measured again. */
bool interference_watch_end(struct interference_watch *watch);
