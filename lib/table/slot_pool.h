/* SPDX-License-Identifier: BSD-3-Clause */
/* Free indices of a table whose entries are read without locks. A freed index rests for a while before it is given
 * out again: a packet lcore that still holds it finds a key that is not the one it expects, not another's entry.
 * The rest is far longer than any burst lives, a second. Management lcore only. */
#pragma once

#include "base/id_pool.h"
#include "base/memory_need.h"
#include <stdint.h>

struct resting_slot {
	uint64_t freed_ns;
	uint32_t slot;
};

struct slot_pool {
	struct id_pool free;
	struct resting_slot *resting; /* a circular queue, oldest at `head` */
	uint32_t capacity, head, count;
};

int slot_pool_init(struct slot_pool *pool, uint32_t capacity); /* 0 or -ENOMEM */
struct memory_need slot_pool_need(uint32_t capacity);
void slot_pool_destroy(struct slot_pool *pool);
uint32_t slot_pool_take(struct slot_pool *pool); /* INDEX_NONE when none is free */
void slot_pool_rest(struct slot_pool *pool, uint32_t slot, uint64_t now_ns);
void slot_pool_reclaim(struct slot_pool *pool, uint64_t now_ns);
