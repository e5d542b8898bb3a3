/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the tables of NAT come from: the memory of the EAL when that has huge pages. When none are reserved, the EAL's
 * memory is of 4 KB pages, and nearly every session would cost a walk of the page table besides its cache line; then
 * large tables come from the process's own memory, for which the kernel makes huge pages as it goes. At start only. */
#pragma once

#include "base/memory_need.h"
#include <stddef.h>

/* `count` zeroed records on a cache line boundary; NULL when there is not that much. */
void *nat_memory_take(size_t count, size_t size);
struct memory_need nat_memory_need(uint64_t count, uint64_t size); /* whatever memory it will be */
void nat_memory_give(void *memory);
