/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether there are hugepages to run on. */
#pragma once

#include "management/config.h"
#include <stddef.h>

/* What the machine has in hugepages that a process can map right now: of those sizes that are mounted, if any is. 1 GB pages
 * count as any other, and the EAL takes the largest ones first. */
struct hugepage_facts {
	uint64_t free_mib;
	bool mounted;
};
/* The page size that the options of a mounted hugetlbfs say ("rw,relatime,pagesize=2M"), in KiB; 0: they do not. */
uint64_t hugepage_mount_kib(const char *options);
void hugepage_facts_read(struct hugepage_facts *facts);

/* Whether to run on hugepages. 0 or -ENOMEM when they are a must and not there; `reason` is one sentence, maybe
 * empty. */
int hugepage_choose(enum config_hugepages wanted, uint32_t memory_mib, const struct hugepage_facts *facts,
	bool *use, char *reason, size_t size);

/* Gives the hugepages of the gateway `name` back: the EAL leaves the files that hold those it took at its start. */
void hugepage_files_remove(const char *name);
