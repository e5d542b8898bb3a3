/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/slot_pool.h"
#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>

#define REST_NS NS_PER_SECOND

int slot_pool_init(struct slot_pool *pool, uint32_t capacity)
{
	*pool = (struct slot_pool){ .capacity = capacity };
	pool->resting = calloc(capacity, sizeof(*pool->resting));
	if (pool->resting == NULL || id_pool_init(&pool->free, capacity) < 0) {
		free(pool->resting);
		pool->resting = NULL;
		return -ENOMEM;
	}
	return 0;
}

struct memory_need slot_pool_need(uint32_t capacity)
{
	return memory_of_process(1, capacity * sizeof(struct resting_slot) + id_pool_bytes(capacity));
}

void slot_pool_destroy(struct slot_pool *pool)
{
	if (pool->resting != NULL)
		id_pool_destroy(&pool->free);
	free(pool->resting);
	pool->resting = NULL;
}

uint32_t slot_pool_take(struct slot_pool *pool)
{
	return id_pool_take(&pool->free, 0);
}

void slot_pool_rest(struct slot_pool *pool, uint32_t slot, uint64_t now_ns)
{
	pool->resting[(pool->head + pool->count) % pool->capacity] = (struct resting_slot){ now_ns, slot };
	pool->count++;
}

void slot_pool_reclaim(struct slot_pool *pool, uint64_t now_ns)
{
	while (pool->count > 0 && now_ns - pool->resting[pool->head].freed_ns >= REST_NS) {
		id_pool_give(&pool->free, pool->resting[pool->head].slot);
		pool->head = (pool->head + 1) % pool->capacity;
		pool->count--;
	}
}
