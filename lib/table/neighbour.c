/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/neighbour.h"
#include "table/fdb.h"
#include "table/slot_pool.h"
#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>

struct neighbour_private {
	struct slot_pool slots;
};

struct memory_need neighbour_table_need(uint32_t capacity)
{
	struct memory_need need = memory_of_table(capacity, sizeof(struct neighbour));

	memory_need_add(&need, key_table_need(capacity));
	memory_need_add(&need, memory_of_process(capacity, sizeof(struct neighbour_record)));
	memory_need_add(&need,
		memory_of_process(1, sizeof(struct neighbour_table) + sizeof(struct neighbour_private)));
	memory_need_add(&need, slot_pool_need(capacity));
	return need;
}

struct neighbour_table *neighbour_table_create(uint32_t capacity)
{
	struct neighbour_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->capacity = capacity;
	table->index = key_table_create(capacity);
	table->entry = rte_zmalloc("neighbour", capacity * sizeof(*table->entry), 64);
	table->record = calloc(capacity, sizeof(*table->record));
	table->private = calloc(1, sizeof(*table->private));
	if (table->index == NULL || table->entry == NULL || table->record == NULL || table->private == NULL ||
		slot_pool_init(&table->private->slots, capacity) < 0) {
		neighbour_table_destroy(table);
		errno = ENOMEM;
		return NULL;
	}
	return table;
}

void neighbour_table_destroy(struct neighbour_table *table)
{
	if (table == NULL)
		return;
	if (table->private != NULL)
		slot_pool_destroy(&table->private->slots);
	free(table->private);
	free(table->record);
	rte_free(table->entry);
	key_table_destroy(table->index);
	free(table);
}

int64_t neighbour_insert(struct neighbour_table *table, interface_id interface, rte_be32_t ip)
{
	uint64_t key = neighbour_key(interface, ip);
	uint32_t at = slot_pool_take(&table->private->slots);

	if (at == INDEX_NONE)
		return -ENOSPC;
	struct neighbour *n = &table->entry[at];
	table->record[at] = (struct neighbour_record){ 0 };
	atomic_store_explicit(&n->mac, 0, memory_order_relaxed);
	atomic_store_explicit(&n->fdb, INDEX_NONE, memory_order_relaxed);
	atomic_store_explicit(&n->place, 0, memory_order_relaxed);
	table->record[at].state = NEIGHBOUR_INCOMPLETE;
	atomic_store_explicit(&n->key, key, memory_order_release);
	int status = key_table_insert(table->index, key, at);
	if (status < 0) {
		atomic_store_explicit(&n->key, 0, memory_order_release);
		slot_pool_rest(&table->private->slots, at, 0);
		return status;
	}
	table->used++;
	return at;
}

void neighbour_set_mac(
	struct neighbour_table *table, uint32_t index, const struct rte_ether_addr *mac, uint32_t fdb)
{
	struct neighbour *n = &table->entry[index];

	atomic_store_explicit(&n->place, 0, memory_order_relaxed);
	atomic_store_explicit(&n->fdb, fdb, memory_order_release);
	atomic_store_explicit(&n->mac, fdb_mac_bits(mac), memory_order_release);
}

int neighbour_remove(struct neighbour_table *table, uint32_t index, uint64_t now_ns)
{
	struct neighbour *n = &table->entry[index];
	uint64_t key = atomic_load_explicit(&n->key, memory_order_relaxed);

	if (key == 0)
		return -ENOENT;
	key_table_remove(table->index, key);
	atomic_store_explicit(&n->key, 0, memory_order_release);
	atomic_store_explicit(&n->mac, 0, memory_order_release);
	table->record[index].state = NEIGHBOUR_FREE;
	slot_pool_rest(&table->private->slots, index, now_ns);
	table->used--;
	return 0;
}

void neighbour_reclaim(struct neighbour_table *table, uint64_t now_ns)
{
	slot_pool_reclaim(&table->private->slots, now_ns);
}
