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

/* No port is 0, to which no peer could answer; of port blocks only whole ones are used. */
int nat_pool_ports_set(struct nat_pool *pool, const struct nat_pool_settings *from)
{
	uint32_t block = from->port_block == 0 ? 1 : from->port_block;

	if (from->port_range_count > NAT_PORT_RANGES || !rte_is_power_of_2(block) ||
		block > NAT_PORT_BLOCK_MAX || (from->port_block != 0 && block < NAT_PORT_BLOCK))
		return -EINVAL;
	pool->blocks = from->port_block != 0;
	pool->block_shift = (uint8_t)__builtin_ctz(pool->blocks ? block : NAT_PORT_BLOCK);
	for (uint32_t i = 0; i < from->port_range_count; i++) {
		uint32_t first = RTE_ALIGN_CEIL(RTE_MAX(from->ports[i].first, 1u), block);
		uint32_t end = RTE_ALIGN_FLOOR(from->ports[i].last + 1u, block);

		if (end <= first)
			continue;
		if (pool->ranges > 0 && first <= pool->range[pool->ranges - 1].last)
			return -EINVAL;
		pool->range[pool->ranges++] = (struct nat_port_range){ (uint16_t)first, (uint16_t)(end - 1) };
		pool->ports += end - first;
	}
	return 0;
}

static int pool_add(struct nat_address_table *table, const struct nat_settings *settings, uint32_t number)
{
	const struct nat_pool_settings *from = &settings->pool[number];
	struct nat_pool *pool = &table->pool[number];
	const struct nat_steering_settings *steering = &settings->steering;
	int status = nat_pool_ports_set(pool, from);

	if (status < 0)
		return status;
	if (steering->outside && !from->deterministic) {
		if (pool->blocks && pool->block_shift != steering->block_shift)
			return -EINVAL;
		pool->block_shift = steering->block_shift;
	}
	snprintf(pool->name, sizeof(pool->name), "%s", from->name);
	pool->filtering = from->filtering;
	pool->limits = from->limits;
	pool->address_first = table->count;
	for (uint32_t r = 0; r < from->range_count; r++)
		for (uint64_t ip = from->range[r].first; ip <= from->range[r].last; ip++) {
			rte_be32_t address = rte_cpu_to_be_32((uint32_t)ip);
			if (nat_address_find(table, address) != INDEX_NONE || is_static(settings, address))
				continue;
			struct nat_address *added = &table->address[address_add(table, address)];
			added->pool = (uint16_t)number;
			added->block_shift = pool->block_shift;
			added->computed = from->deterministic;
			if (steering->outside)
				added->turn =
					nat_steering_turn(address, steering->block_shift, settings->owners);
		}
	pool->addresses = table->count - pool->address_first;
	return !from->deterministic ? 0
	       : pool->blocks
		       ? -EINVAL
		       : nat_deterministic_init(&pool->plan, settings, number, pool->addresses, pool->ports);
}

uint32_t nat_pool_place(const struct nat_pool *pool, uint16_t port)
{
	uint32_t place = 0;

	for (uint32_t i = 0; i < pool->ranges; i++) {
		if (port < pool->range[i].first)
			break;
		if (port <= pool->range[i].last)
			return place + port - pool->range[i].first;
		place += (uint32_t)pool->range[i].last - pool->range[i].first + 1;
	}
	return NAT_PLACE_NONE;
}

uint16_t nat_pool_port(const struct nat_pool *pool, uint32_t place)
{
	for (uint32_t i = 0; i < pool->ranges; i++) {
		uint32_t ports = (uint32_t)pool->range[i].last - pool->range[i].first + 1;

		if (place < ports)
			return (uint16_t)(pool->range[i].first + place);
		place -= ports;
	}
	return 0;
}

static int statics_add(struct nat_address_table *table, const struct nat_settings *settings)
{
	for (uint32_t i = 0; i < settings->static_count; i++) {
		struct nat_address *address =
			&table->address[address_add(table, settings->static_binding[i].outside)];

		if (address->static_binding != INDEX_NONE)
			return -EEXIST;
		address->static_binding = i;
	}
	return 0;
}

static uint32_t slots_for(uint64_t addresses)
{
	return rte_align32pow2((uint32_t)addresses * 4 + 1);
}

int nat_address_init(struct nat_address_table *table, const struct nat_settings *settings)
{
	uint64_t wanted = addresses_wanted(settings);
	int status = 0;

	*table = (struct nat_address_table){ 0 };
	if (wanted > NAT_ADDRESSES_MAX || settings->pool_count >= NAT_POOL_NONE)
		return -E2BIG;
	table->capacity = (uint32_t)wanted;
	table->slots = slots_for(wanted);
	table->address = nat_memory_take(wanted + 1, sizeof(*table->address));
	table->slot = nat_memory_take(table->slots, sizeof(*table->slot));
	table->pool = nat_memory_take(settings->pool_count + 1, sizeof(*table->pool));
	if (table->address == NULL || table->slot == NULL || table->pool == NULL) {
		nat_address_destroy(table);
		return -ENOMEM;
	}
	table->pools = settings->pool_count;
	table->steered = settings->steering.outside;
	for (uint32_t p = 0; p < settings->pool_count && status == 0; p++)
		status = pool_add(table, settings, p);
	if (status == 0)
		status = statics_add(table, settings);
	if (status < 0) {
		nat_address_destroy(table);
		return status;
	}
	for (uint32_t i = 0; i < settings->forward_count; i++)
		table->address[address_add(table, settings->forward[i].outside)].forwards = true;
	return 0;
}

struct memory_need nat_address_need(const struct nat_settings *settings)
{
	const struct nat_address_table table = { .capacity = (uint32_t)addresses_wanted(settings),
		.slots = slots_for(addresses_wanted(settings)),
		.pools = settings->pool_count };
	struct memory_need need = nat_memory_need(1, nat_address_bytes(&table));

	for (uint32_t p = 0; p < settings->pool_count; p++)
		if (settings->pool[p].deterministic)
			memory_need_add(&need, memory_of_process(settings->source_count + 1,
						       sizeof(struct nat_deterministic_source)));
	return need;
}

void nat_address_destroy(struct nat_address_table *table)
{
	for (uint32_t p = 0; table->pool != NULL && p < table->pools; p++)
		nat_deterministic_destroy(&table->pool[p].plan);
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
