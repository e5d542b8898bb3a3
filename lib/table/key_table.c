/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/key_table.h"
#include "packet/packet_metadata.h"
#include <errno.h>
#include <rte_common.h>
#include <rte_malloc.h>
#include <stdbool.h>

static uint32_t bucket_count(uint32_t capacity)
{
	/* At most half of the slots are used, so that both buckets of a key being full is next to impossible. */
	return rte_align32pow2(capacity / (KEY_TABLE_SLOTS / 2) + 2);
}

size_t key_table_bytes(uint32_t capacity)
{
	return sizeof(struct key_table) + (size_t)bucket_count(capacity) * sizeof(struct key_bucket);
}

struct memory_need key_table_need(uint32_t capacity)
{
	return memory_of_table(1, key_table_bytes(capacity) + MEMORY_PIECE_OVERHEAD); /* in two pieces */
}

struct key_table *key_table_create(uint32_t capacity)
{
	struct key_table *table = rte_zmalloc("key_table", sizeof(*table), 0);

	if (table == NULL)
		goto no_memory;
	table->mask = bucket_count(capacity) - 1;
	table->bucket = rte_zmalloc("key_bucket", (size_t)(table->mask + 1) * sizeof(struct key_bucket), 64);
	if (table->bucket == NULL)
		goto no_memory;
	flow_hash_key_random(&table->hash_key);
	return table;
no_memory:
	rte_free(table);
	errno = ENOMEM;
	return NULL;
}

void key_table_destroy(struct key_table *table)
{
	if (table == NULL)
		return;
	rte_free(table->bucket);
	rte_free(table);
}

static bool bucket_insert(struct key_bucket *bucket, uint64_t key, uint32_t value)
{
	for (int i = 0; i < KEY_TABLE_SLOTS; i++) {
		if (atomic_load_explicit(&bucket->key[i], memory_order_relaxed) != 0)
			continue;
		/* The value first: a reader that sees the key must see its value. */
		atomic_store_explicit(&bucket->value[i], value, memory_order_release);
		atomic_store_explicit(&bucket->key[i], key, memory_order_release);
		return true;
	}
	return false;
}

/* A key goes to its first bucket while that has few, so that most lookups touch one line; then to the emptier of its
 * two, without which a pair of full buckets would turn up long before the table is full. */
#define FIRST_PREFERRED 3

static unsigned bucket_used(const struct key_bucket *bucket)
{
	unsigned used = 0;

	for (int i = 0; i < KEY_TABLE_SLOTS; i++)
		used += atomic_load_explicit(&bucket->key[i], memory_order_relaxed) != 0;
	return used;
}

/* Readers look at the second bucket only where the first says so: it is said before the key is there. */
static bool second_insert(struct key_bucket *first, struct key_bucket *second, uint64_t key, uint32_t value)
{
	first->overflowed++;
	atomic_thread_fence(memory_order_release);
	if (bucket_insert(second, key, value))
		return true;
	first->overflowed--;
	return false;
}

static bool bucket_remove(struct key_bucket *bucket, uint64_t key)
{
	for (int i = 0; i < KEY_TABLE_SLOTS; i++)
		if (atomic_load_explicit(&bucket->key[i], memory_order_relaxed) == key) {
			atomic_store_explicit(&bucket->key[i], 0, memory_order_release);
			return true;
		}
	return false;
}

/* Makes room in a full bucket: a key for which it is the first moves to its second one, where a reader finds it before
 * it is gone here. The other way a reader could look at both in vain. `deep`: a key there may move for it. */
static bool bucket_make_room(const struct key_table *table, struct key_bucket *bucket, bool deep)
{
	for (int i = 0; i < KEY_TABLE_SLOTS; i++) {
		uint64_t key = atomic_load_explicit(&bucket->key[i], memory_order_relaxed);
		uint64_t hash = key_table_hash(table, key);
		struct key_bucket *second = key_table_second(table, hash);
		uint32_t value = atomic_load_explicit(&bucket->value[i], memory_order_relaxed);

		if (key_table_first(table, hash) != bucket || second == bucket)
			continue;
		if (bucket_used(second) == KEY_TABLE_SLOTS &&
			!(deep && bucket_make_room(table, second, false)))
			continue;
		if (!second_insert(bucket, second, key, value))
			continue;
		return bucket_remove(bucket, key);
	}
	return false;
}

int key_table_insert(struct key_table *table, uint64_t key, uint32_t value)
{
	uint64_t hash = key_table_hash(table, key);
	struct key_bucket *first = key_table_first(table, hash);
	struct key_bucket *second = key_table_second(table, hash);

	if (key_table_find_hashed(table, key, hash) != INDEX_NONE)
		return -EEXIST;
	unsigned in_first = bucket_used(first), in_second = bucket_used(second);
	if (in_first == KEY_TABLE_SLOTS && in_second == KEY_TABLE_SLOTS) {
		if (bucket_make_room(table, first, true))
			in_first--;
		else if (bucket_make_room(table, second, true))
			in_second--;
		else
			return -ENOSPC;
	}
	bool inserted = in_first < FIRST_PREFERRED || in_first <= in_second
				? bucket_insert(first, key, value)
				: second_insert(first, second, key, value);
	if (!inserted)
		return -ENOSPC;
	table->count++;
	return 0;
}

int key_table_remove(struct key_table *table, uint64_t key)
{
	uint64_t hash = key_table_hash(table, key);
	struct key_bucket *first = key_table_first(table, hash);

	if (!bucket_remove(first, key)) {
		if (!bucket_remove(key_table_second(table, hash), key))
			return -ENOENT;
		first->overflowed--;
	}
	table->count--;
	return 0;
}
