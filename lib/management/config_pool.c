/* SPDX-License-Identifier: BSD-3-Clause */
#include "management/config_pool.h"

static bool excludes(const struct config_nat_range *exclude, uint64_t address)
{
	return exclude->first != 0 && exclude->first <= address && address <= exclude->last;
}

/* The first address from `at` on that is not excluded. */
static uint64_t skip_excluded(const struct config_nat_pool *pool, uint64_t at)
{
	uint64_t from;

	do {
		from = at;
		for (uint32_t i = 0; i < pool->exclude_count; i++)
			if (excludes(&pool->exclude[i], at))
				at = (uint64_t)pool->exclude[i].last + 1;
	} while (at != from);
	return at;
}

bool config_pool_piece(
	const struct config_nat_pool *pool, struct config_pool_walk *walk, struct config_nat_range *piece)
{
	for (; walk->range < pool->range_count; walk->range++, walk->at = 0) {
		const struct config_nat_range *range = &pool->range[walk->range];
		uint64_t first = skip_excluded(pool, walk->at > range->first ? walk->at : range->first);
		uint32_t last = range->last;

		if (range->first == 0 || first > last)
			continue;
		for (uint32_t i = 0; i < pool->exclude_count; i++)
			if (pool->exclude[i].first > first && pool->exclude[i].first <= last)
				last = pool->exclude[i].first - 1;
		*piece = (struct config_nat_range){ .first = (uint32_t)first, .last = last };
		walk->at = (uint64_t)last + 1;
		return true;
	}
	return false;
}

uint32_t config_pool_pieces(const struct config_nat_pool *pool)
{
	struct config_pool_walk walk = { 0 };
	struct config_nat_range piece;
	uint32_t count = 0;

	while (config_pool_piece(pool, &walk, &piece))
		count++;
	return count;
}

bool config_pool_has(const struct config_nat_pool *pool, uint32_t address)
{
	for (uint32_t i = 0; i < pool->range_count; i++)
		if (pool->range[i].first <= address && address <= pool->range[i].last)
			return skip_excluded(pool, address) == address;
	return false;
}

bool config_pool_has_port(const struct config_nat_pool *pool, uint16_t port)
{
	for (uint32_t i = 0; i < pool->ports.count; i++)
		if (pool->ports.range[i].first <= port && port <= pool->ports.range[i].last)
			return true;
	return false;
}

void config_pool_count(struct config_nat_pool *pool)
{
	struct config_pool_walk walk = { 0 };
	struct config_nat_range piece;
	uint64_t count = 0;

	while (config_pool_piece(pool, &walk, &piece))
		count += (uint64_t)piece.last - piece.first + 1;
	pool->address_count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	pool->port_count = 0;
	for (uint32_t i = 0; i < pool->ports.count; i++)
		if (pool->ports.range[i].last >= pool->ports.range[i].first) /* else it could not be read */
			pool->port_count +=
				(uint32_t)pool->ports.range[i].last - pool->ports.range[i].first + 1;
}
