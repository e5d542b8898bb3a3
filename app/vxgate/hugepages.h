/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether there are hugepages to run on. */
#pragma once

#include "management/config.h"
#include <stddef.h>

#define HUGEPAGE_SIZES_MAX 8

struct hugepage_size {
	uint64_t kib;         /* of a page */
	uint64_t pages, free; /* reserved in all; of these nobody has */
	bool mounted;         /* a hugetlbfs is for this size: only then can a process have them */
};

/* What the machine has in hugepages, and what more could be made of. 1 GB pages count as any other, and the EAL takes the
 * largest ones first. */
struct hugepage_facts {
	struct hugepage_size size[HUGEPAGE_SIZES_MAX]; /* the smallest first */
	uint32_t sizes;
	uint64_t ordinary; /* bytes of ordinary memory that are free */
};
/* The page size that the options of a mounted hugetlbfs say ("rw,relatime,pagesize=2M"), in KiB; 0: they do not. */
uint64_t hugepage_mount_kib(const char *options);
void hugepage_facts_read(struct hugepage_facts *facts);
uint64_t hugepage_free_mib(const struct hugepage_facts *facts); /* of the sizes that are mounted */

/* The size of which `mib` are best asked for: one that is mounted, but where another has enough; NULL: there are none. */
const struct hugepage_size *hugepage_size_for(const struct hugepage_facts *facts, uint64_t mib);
/* "256 hugepages of 2 MB, and 100 of 2 MB are free (209715200 bytes)": of `mib` in pages of `wanted`. */
void hugepage_count_text(const struct hugepage_facts *facts, const struct hugepage_size *wanted, uint64_t mib,
	char *text, size_t size);
/* What to do for that: "156 more pages: echo 256 > /sys/..."; "" when the memory for them is not there. */
void hugepage_advice_text(const struct hugepage_facts *facts, const struct hugepage_size *wanted,
	uint64_t mib, char *text, size_t size);
#define HUGEPAGE_TEXT 320

/* Whether to run on hugepages. 0 or -ENOMEM when they are a must and not there; `reason` is one sentence, maybe
 * empty: how many bytes and pages are needed, how many there are, and what to do. */
int hugepage_choose(enum config_hugepages wanted, uint32_t memory_mib, const struct hugepage_facts *facts,
	bool *use, char *reason, size_t size);
#define HUGEPAGE_REASON (2 * HUGEPAGE_TEXT + 128)

/* Gives the hugepages of the gateway `name` back: the EAL leaves the files that hold those it took at its start. */
void hugepage_files_remove(const char *name);
