/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory something will take, before it is made. Each table says it next to where it allocates, for
 * whoever checks a configuration to add up. Never less than what is then taken; a test holds the two together. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct memory_need {      /* bytes */
	uint64_t table;   /* of the EAL's memory, which is in hugepages when there are some */
	uint64_t process; /* of the process's own, by malloc */
};

/* What the EAL and the kernel put before and behind a piece of memory. */
#define MEMORY_PIECE_OVERHEAD 192u

static inline struct memory_need memory_of_table(uint64_t count, uint64_t size)
{
	return (struct memory_need){ .table = count * size + MEMORY_PIECE_OVERHEAD };
}

static inline struct memory_need memory_of_process(uint64_t count, uint64_t size)
{
	return (struct memory_need){ .process = count * size };
}

static inline void memory_need_add(struct memory_need *sum, struct memory_need more)
{
	sum->table += more.table;
	sum->process += more.process;
}

static inline uint64_t memory_need_bytes(struct memory_need need)
{
	return need.table + need.process;
}
