/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the tables of NAT come from: the memory of the EAL, huge pages when there are any. At start only. */
#pragma once

#include <rte_malloc.h>
#include <stddef.h>

/* `count` zeroed records on a cache line boundary; NULL when there is not that much. */
static inline void *nat_memory_take(size_t count, size_t size)
{
	return rte_zmalloc_socket("nat", count * size, RTE_CACHE_LINE_SIZE, SOCKET_ID_ANY);
}

static inline void nat_memory_give(void *memory)
{
	rte_free(memory);
}
