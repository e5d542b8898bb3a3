/* SPDX-License-Identifier: BSD-3-Clause */
/* Hugepages for the time of the benchmark: with a million sessions every packet meets a page that is not in the TLB,
 * and a gateway in earnest runs on hugepages. */
#pragma once

#include <stdbool.h>

/* Starts the EAL on `cpu` with so much memory: on pages of 1 GB that are free; for the rest on those of 2 MB when they are free or,
 * as root, can be reserved; else on small ones. The pages go back to the system when the process ends, however it ends: as soon as the EAL has them, the
 * reservation is as before. Exits on failure, and when another measurement that has reserved some is not over. */
void hugepages_start_eal(unsigned cpu, unsigned mib, bool telemetry);
/* The largest that the EAL has memory on. */
const char *hugepages_text(void);
