/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/segment.h"
#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>

struct memory_need segment_table_need(uint16_t capacity)
{
	struct memory_need need = memory_of_table(RTE_MAX(capacity, 1u), sizeof(struct segment));

	memory_need_add(&need, memory_of_process(1, sizeof(struct segment_table)));
	memory_need_add(&need, key_table_need(capacity));
	return need;
}

struct segment_table *segment_table_create(uint16_t capacity)
{
	struct segment_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->capacity = capacity;
	table->segment = rte_zmalloc("segment", RTE_MAX(capacity, 1u) * sizeof(*table->segment), 64);
	table->vni = key_table_create(capacity);
	if (table->segment == NULL || table->vni == NULL) {
		segment_table_destroy(table);
		errno = ENOMEM;
		return NULL;
	}
	return table;
}

void segment_table_destroy(struct segment_table *table)
{
	if (table == NULL)
		return;
	key_table_destroy(table->vni);
	rte_free(table->segment);
	free(table);
}

int segment_add(struct segment_table *table, uint32_t vni)
{
	if (table->count == table->capacity)
		return -ENOSPC;
	int status = key_table_insert(table->vni, (uint64_t)vni + 1, table->count);
	if (status < 0)
		return status;
	struct segment *segment = &table->segment[table->count];
	*segment = (struct segment){
		.vni = vni, .interface = interface_of_segment(table->count), .group_tunnel = INDEX_NONE
	};
	return table->count++;
}
