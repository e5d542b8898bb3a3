/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_address.h"
#include "table/nat_memory.h"
#include <errno.h>
#include <stdio.h>

static uint64_t addresses_wanted(const struct nat_settings *settings)
{
	uint64_t count = (uint64_t)settings->static_count + settings->forward_count;

	for (uint32_t p = 0; p < settings->pool_count; p++)
		for (uint32_t r = 0; r < settings->pool[p].range_count; r++)
			count += (uint64_t)settings->pool[p].range[r].last -
				 settings->pool[p].range[r].first + 1;
	return count;
}

/* The number of the address, new if it was not there. */
static uint32_t address_add(struct nat_address_table *table, rte_be32_t ip)
{
	uint32_t at = nat_address_home(table, ip);

	for (; table->slot[at] != 0; at = (at + 1) & (table->slots - 1))
		if (table->address[table->slot[at] - 1u].ip == ip)
			return table->slot[at] - 1u;
	table->address[table->count] =
		(struct nat_address){ .ip = ip, .pool = NAT_POOL_NONE, .static_binding = INDEX_NONE };
	table->slot[at] = (uint16_t)(table->count + 1);
	return table->count++;
}

static bool is_static(const struct nat_settings *settings, rte_be32_t ip)
{
	for (uint32_t i = 0; i < settings->static_count; i++)
		if (settings->static_binding[i].outside == ip)
			return true;
	return false;
}

static void pool_add(struct nat_address_table *table, const struct nat_settings *settings, uint32_t number)
{
	const struct nat_pool_settings *from = &settings->pool[number];
	struct nat_pool *pool = &table->pool[number];

	snprintf(pool->name, sizeof(pool->name), "%s", from->name);
	pool->filtering = from->filtering;
	pool->address_first = table->count;
	pool->ports = (uint32_t)from->port_last - from->port_first + 1;
	for (uint32_t r = 0; r < from->range_count; r++)
		for (uint64_t ip = from->range[r].first; ip <= from->range[r].last; ip++) {
			rte_be32_t address = rte_cpu_to_be_32((uint32_t)ip);
			if (nat_address_find(table, address) != INDEX_NONE || is_static(settings, address))
				continue;
			struct nat_address *added = &table->address[address_add(table, address)];
			added->pool = (uint16_t)number;
			added->port_first = from->port_first;
			added->port_last = from->port_last;
		}
	pool->addresses = table->count - pool->address_first;
}

int nat_address_init(struct nat_address_table *table, const struct nat_settings *settings)
{
	uint64_t wanted = addresses_wanted(settings);

	*table = (struct nat_address_table){ 0 };
	if (wanted > NAT_ADDRESSES_MAX || settings->pool_count >= NAT_POOL_NONE)
		return -E2BIG;
	table->capacity = (uint32_t)wanted;
	table->slots = rte_align32pow2((uint32_t)wanted * 4 + 1);
	table->address = nat_memory_take(wanted + 1, sizeof(*table->address));
	table->slot = nat_memory_take(table->slots, sizeof(*table->slot));
	table->pool = nat_memory_take(settings->pool_count + 1, sizeof(*table->pool));
	if (table->address == NULL || table->slot == NULL || table->pool == NULL) {
		nat_address_destroy(table);
		return -ENOMEM;
	}
	table->pools = settings->pool_count;
	for (uint32_t p = 0; p < settings->pool_count; p++)
		pool_add(table, settings, p);
	for (uint32_t i = 0; i < settings->static_count; i++) {
		struct nat_address *address =
			&table->address[address_add(table, settings->static_binding[i].outside)];
		if (address->static_binding != INDEX_NONE) {
			nat_address_destroy(table);
			return -EEXIST;
		}
		address->static_binding = i;
	}
	for (uint32_t i = 0; i < settings->forward_count; i++)
		table->address[address_add(table, settings->forward[i].outside)].forwards = true;
	return 0;
}

void nat_address_destroy(struct nat_address_table *table)
{
	nat_memory_give(table->address);
	nat_memory_give(table->slot);
	nat_memory_give(table->pool);
	*table = (struct nat_address_table){ 0 };
}

size_t nat_address_bytes(const struct nat_address_table *table)
{
	return (table->capacity + 1) * sizeof(*table->address) + table->slots * sizeof(*table->slot) +
	       (table->pools + 1) * sizeof(*table->pool);
}
