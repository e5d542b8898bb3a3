/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/fdb.h"
#include "table/slot_pool.h"
#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>

struct fdb_private {
	struct slot_pool slots;
};

struct memory_need fdb_need(uint32_t capacity)
{
	struct memory_need need = memory_of_table(capacity, sizeof(struct fdb_entry));

	memory_need_add(&need, key_table_need(capacity));
	memory_need_add(&need, memory_of_process(capacity, sizeof(struct fdb_record)));
	memory_need_add(&need, memory_of_process(1, sizeof(struct fdb) + sizeof(struct fdb_private)));
	memory_need_add(&need, slot_pool_need(capacity));
	return need;
}

struct fdb *fdb_create(uint32_t capacity)
{
	struct fdb *fdb = calloc(1, sizeof(*fdb));

	if (fdb == NULL)
		return NULL;
	fdb->capacity = capacity;
	fdb->changes = 1;
	fdb->index = key_table_create(capacity);
	fdb->entry = rte_zmalloc("fdb", capacity * sizeof(*fdb->entry), 64);
	fdb->record = calloc(capacity, sizeof(*fdb->record));
	fdb->private = calloc(1, sizeof(*fdb->private));
	if (fdb->index == NULL || fdb->entry == NULL || fdb->record == NULL || fdb->private == NULL ||
		slot_pool_init(&fdb->private->slots, capacity) < 0) {
		fdb_destroy(fdb);
		errno = ENOMEM;
		return NULL;
	}
	return fdb;
}

void fdb_destroy(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	if (fdb->private != NULL)
		slot_pool_destroy(&fdb->private->slots);
	free(fdb->private);
	free(fdb->record);
	rte_free(fdb->entry);
	key_table_destroy(fdb->index);
	free(fdb);
}

int64_t fdb_insert(
	struct fdb *fdb, uint16_t segment, const struct rte_ether_addr *mac, uint32_t tunnel, uint64_t now_ns)
{
	uint64_t key = fdb_key(segment, mac);
	uint32_t at = slot_pool_take(&fdb->private->slots);
	uint16_t tick = (uint16_t)clock_tick_of_ns(now_ns);

	if (at == INDEX_NONE)
		return -ENOSPC;
	fdb->record[at] = (struct fdb_record){ .seen_ns = now_ns,
		.learned_ns = now_ns,
		.location = tunnel,
		.previous_location = INDEX_NONE,
		.neighbour = INDEX_NONE,
		.seen_tick = tick,
		.sent_tick = tick };
	atomic_store_explicit(&fdb->entry[at].location, tunnel, memory_order_relaxed);
	atomic_store_explicit(&fdb->entry[at].last_seen, tick, memory_order_relaxed);
	atomic_store_explicit(&fdb->entry[at].last_sent, tick, memory_order_relaxed);
	/* The key last: packet lcores trust an entry by its key. */
	atomic_store_explicit(&fdb->entry[at].key, key, memory_order_release);
	int status = key_table_insert(fdb->index, key, at);
	if (status < 0) {
		atomic_store_explicit(&fdb->entry[at].key, 0, memory_order_release);
		slot_pool_rest(&fdb->private->slots, at, now_ns);
		return status;
	}
	fdb->used++;
	return at;
}

int fdb_remove(struct fdb *fdb, uint32_t index, uint64_t now_ns)
{
	uint64_t key = atomic_load_explicit(&fdb->entry[index].key, memory_order_relaxed);

	if (key == 0)
		return -ENOENT;
	key_table_remove(fdb->index, key);
	atomic_store_explicit(&fdb->entry[index].key, 0, memory_order_release);
	fdb_changed(fdb);
	slot_pool_rest(&fdb->private->slots, index, now_ns);
	fdb->used--;
	return 0;
}

void fdb_reclaim(struct fdb *fdb, uint64_t now_ns)
{
	slot_pool_reclaim(&fdb->private->slots, now_ns);
}
