/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash table behind the FDB, the neighbours, the tunnels and the VNIs: a non-zero 64-bit key to a 32-bit index.
 * One writer (the management lcore); any number of readers without locks. A bucket is one cache line of five slots;
 * a key lives in one of two buckets and never moves, so that a reader cannot miss a key that is there. When both
 * buckets are full the insertion is refused. */
#pragma once

#include "base/memory_need.h"
#include "packet/flow_hash.h"
#include <rte_branch_prediction.h>
#include <rte_prefetch.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_TABLE_SLOTS 5

struct key_bucket {                            /* written by the management lcore */
	_Atomic uint64_t key[KEY_TABLE_SLOTS]; /* 0: free */
	_Atomic uint32_t value[KEY_TABLE_SLOTS];
	uint32_t overflowed; /* keys that chose their second bucket because this one, their first, was full */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct key_bucket) == 64, "one cache line");

struct key_table {
	struct key_bucket *bucket;
	uint32_t mask;
	uint32_t count;
	struct flow_hash_key hash_key;
};

struct key_table *key_table_create(uint32_t capacity); /* sized for half load; NULL with errno */
void key_table_destroy(struct key_table *table);
int key_table_insert(struct key_table *table, uint64_t key, uint32_t value); /* 0, -EEXIST, -ENOSPC */
int key_table_remove(struct key_table *table, uint64_t key);                 /* 0 or -ENOENT */
size_t key_table_bytes(uint32_t capacity);
struct memory_need key_table_need(uint32_t capacity);

/* One multiplication would do for most seeds; for some it leaves neighbouring addresses in a few buckets. */
static inline uint64_t key_table_hash(const struct key_table *table, uint64_t key)
{
	return flow_hash(&table->hash_key, key, 0);
}

static inline struct key_bucket *key_table_first(const struct key_table *table, uint64_t hash)
{
	return &table->bucket[(uint32_t)hash & table->mask];
}

static inline struct key_bucket *key_table_second(const struct key_table *table, uint64_t hash)
{
	/* differs from the first whenever there is more than one bucket */
	return &table->bucket[((uint32_t)hash ^ ((uint32_t)(hash >> 32) | 1)) & table->mask];
}

/* All slots are compared before the one branch: which slot it is cannot be predicted. */
static inline uint32_t key_bucket_find(const struct key_bucket *bucket, uint64_t key)
{
	uint32_t match = 0;

#pragma GCC unroll 5
	for (uint32_t i = 0; i < KEY_TABLE_SLOTS; i++)
		match |= (uint32_t)(atomic_load_explicit(&bucket->key[i], memory_order_relaxed) == key) << i;
	if (unlikely(match == 0))
		return UINT32_MAX;
	uint32_t slot = (uint32_t)__builtin_ctz(match);
	atomic_thread_fence(memory_order_acquire);
	uint32_t value = atomic_load_explicit(&bucket->value[slot], memory_order_acquire);
	/* The slot could have been given to another key between the two loads. */
	return likely(atomic_load_explicit(&bucket->key[slot], memory_order_relaxed) == key) ? value
											     : UINT32_MAX;
}

/* The value, or INDEX_NONE. `hash` is key_table_hash(table, key). */
static inline uint32_t key_table_find_hashed(const struct key_table *table, uint64_t key, uint64_t hash)
{
	const struct key_bucket *first = key_table_first(table, hash);
	uint32_t value = key_bucket_find(first, key);

	if (likely(value != UINT32_MAX || first->overflowed == 0))
		return value;
	return key_bucket_find(key_table_second(table, hash), key);
}

static inline uint32_t key_table_find(const struct key_table *table, uint64_t key)
{
	return key_table_find_hashed(table, key, key_table_hash(table, key));
}
