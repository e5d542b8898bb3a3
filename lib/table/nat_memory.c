/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_memory.h"
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (UINT64_C(2) << 20)

struct memory_need nat_memory_need(uint64_t count, uint64_t size)
{
	uint64_t bytes = count * size;

	return memory_of_table(1, bytes < HUGE_PAGE ? bytes : RTE_ALIGN_CEIL(bytes, HUGE_PAGE));
}

void *nat_memory_take(size_t count, size_t size)
{
	size_t bytes = RTE_ALIGN_CEIL(count * size, RTE_CACHE_LINE_SIZE);
	void *memory;

	if (rte_eal_has_hugepages())
		return rte_zmalloc_socket("nat", bytes, RTE_CACHE_LINE_SIZE, SOCKET_ID_ANY);
	if (bytes >= HUGE_PAGE) {
		bytes = RTE_ALIGN_CEIL(bytes, HUGE_PAGE);
		memory = aligned_alloc(HUGE_PAGE, bytes);
		if (memory != NULL)
			madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: without it, it is only slower */
	} else {
		memory = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	}
	if (memory != NULL)
		memset(memory, 0, bytes);
	return memory;
}

void nat_memory_give(void *memory)
{
	if (rte_eal_has_hugepages())
		rte_free(memory);
	else
		free(memory);
}
