/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules on the pools of NAT: what they have, and whether it is enough for what is asked of them. */
#include "management/config_check.h"
#include "management/config_collision.h"
#include "management/config_pool.h"
#include "management/config_schema.h"
#include "table/nat_address.h"
#include "table/nat_deterministic.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* The ports of whole blocks in a range. */
static uint32_t whole_blocks_ports(const struct config_nat_port_range *range, uint32_t block)
{
	uint32_t first = RTE_ALIGN_CEIL((uint32_t)range->first, block);
	uint32_t end = RTE_ALIGN_FLOOR((uint32_t)range->last + 1, block);

	return end > first ? end - first : 0;
}

static bool block_is_possible(uint32_t block)
{
	return rte_is_power_of_2(block) && block >= NAT_PORT_BLOCK && block <= NAT_PORT_BLOCK_MAX;
}

/* The ports of one address and protocol that hosts can get. */
static uint32_t usable_ports(const struct config_nat_pool *pool)
{
	uint32_t ports = 0;

	if (pool->port_block == 0)
		return pool->port_count;
	for (uint32_t i = 0; i < pool->ports.count; i++)
		ports += whole_blocks_ports(&pool->ports.range[i], pool->port_block);
	return ports;
}

static void check_excluded(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_nat_pool *pool = &config->nat.pool[index];
	char found[CONFIG_QUOTE_TEXT];

	for (uint32_t i = 0; i < pool->exclude_count; i++) {
		const struct config_nat_range *exclude = &pool->exclude[i];
		const char *path = CONFIG_PATH("nat.pools[%u].exclude[%u]", index, i);
		bool meets = exclude->first == 0; /* could not be read */

		for (uint32_t r = 0; r < pool->range_count; r++)
			meets |= pool->range[r].first == 0 || (exclude->first <= pool->range[r].last &&
								      pool->range[r].first <= exclude->last);
		if (!meets)
			config_error_at(document, path, "%s is no address of %s; want some of the pool's",
				config_found(document, config_document_find(document, path), found),
				CONFIG_OTHER(document, "nat.pools[%u].addresses", index));
	}
	if (pool->address_count == 0 && pool->exclude_count > 0 &&
		!config_has_error(document, CONFIG_PATH("nat.pools[%u]", index)))
		config_error_at(document, CONFIG_PATH("nat.pools[%u].exclude", index),
			"all addresses of %s are excluded; want one or more left",
			CONFIG_OTHER(document, "nat.pools[%u].addresses", index));
}

static void check_block(const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_nat_pool *pool = &config->nat.pool[index];
	const char *path = CONFIG_PATH("nat.pools[%u].port_block", index);

	if (pool->port_block == 0)
		return;
	if (!block_is_possible(pool->port_block))
		config_error_at(document, path,
			"%u is no size of a port block; want a power of two from %u to %u, or 0 for single "
			"ports",
			pool->port_block, NAT_PORT_BLOCK, NAT_PORT_BLOCK_MAX);
	else if (pool->deterministic)
		config_error_at(document, path,
			"%u, but in a deterministic pool, %s, hosts have computed ports; want no port blocks",
			pool->port_block, CONFIG_OTHER(document, "nat.pools[%u].deterministic", index));
	for (uint32_t i = 0; block_is_possible(pool->port_block) && i < pool->ports.count; i++)
		if (whole_blocks_ports(&pool->ports.range[i], pool->port_block) == 0)
			config_error_at(document, CONFIG_PATH("nat.pools[%u].ports", index),
				"%u-%u has no whole block of %u ports, %s; want ranges that have one, which "
				"begins at a multiple of %u",
				pool->ports.range[i].first, pool->ports.range[i].last, pool->port_block,
				CONFIG_OTHER(document, "%s", path), pool->port_block);
}

/* The hosts that the source rules give to a pool. */
static uint64_t hosts_of_pool(const struct config *config, struct config_document *document, uint32_t pool)
{
	const struct config_nat *nat = &config->nat;
	struct nat_source_settings *source = calloc((size_t)nat->source_count + 1, sizeof(*source));
	struct nat_settings settings = { .source = source };
	int64_t hosts;

	for (uint32_t i = 0; source != NULL && i < nat->source_count; i++)
		if (nat->source[i].segment < config->segment_count &&
			nat->source[i].prefix.address.family != AF_UNSPEC)
			source[settings.source_count++] = (struct nat_source_settings){
				.segment = (uint16_t)nat->source[i].segment,
				.prefix = nat->source[i].prefix.address.v4,
				.prefix_length = nat->source[i].prefix.length,
				.pool = nat->source[i].pool,
			};
	hosts = source == NULL ? -1 : nat_deterministic_hosts(&settings, pool);
	free(source);
	document->errors.out_of_memory |= hosts < 0;
	return hosts < 0 ? 0 : (uint64_t)hosts;
}

/* A source rule of the pool, to name in an error; there is one where the pool has hosts. */
static uint32_t source_of_pool(const struct config *config, uint32_t pool)
{
	uint32_t i = 0;

	while (i + 1 < config->nat.source_count && config->nat.source[i].pool != pool)
		i++;
	return i;
}

/* The ports of one host, or 0 when the pool is too small. */
static uint32_t check_deterministic(
	const struct config *config, struct config_document *document, uint32_t index)
{
	const struct config_nat_pool *pool = &config->nat.pool[index];
	uint64_t hosts = hosts_of_pool(config, document, index);
	uint32_t share = nat_deterministic_share(hosts, pool->address_count, pool->port_count);
	uint32_t sharing = pool->port_count / NAT_DETERMINISTIC_PORTS_MIN; /* hosts that fit an address */
	const char *path = CONFIG_PATH("nat.pools[%u].deterministic", index);

	if (hosts == 0 || share >= NAT_DETERMINISTIC_PORTS_MIN || pool->address_count == 0)
		return share;
	if (sharing == 0)
		config_error_at(document, path, "%s has %u ports; want %u or more, so many for each host",
			CONFIG_OTHER(document, "nat.pools[%u].ports", index), pool->port_count,
			NAT_DETERMINISTIC_PORTS_MIN);
	else
		config_error_at(document, path,
			"%lu hosts of nat.source, %s, share %u addresses of %u ports: %u ports each; want %u "
			"or more: at most %lu hosts, or %lu addresses",
			hosts, CONFIG_OTHER(document, "nat.source[%u].prefix", source_of_pool(config, index)),
			pool->address_count, pool->port_count, share, NAT_DETERMINISTIC_PORTS_MIN,
			(uint64_t)sharing * pool->address_count, (hosts + sharing - 1) / sharing);
	return 0;
}

/* `ports` are those that the pool can give to one host, of a protocol; 0: not to be judged. */
static void check_limits(
	const struct config *config, struct config_document *document, uint32_t index, uint32_t ports)
{
	const struct config_nat_pool *pool = &config->nat.pool[index];
	uint32_t most = ports * NAT_CLASSES;

	if (ports != 0 && pool->limits.ports > most)
		config_error_at(document, CONFIG_PATH("nat.pools[%u].limits.ports", index),
			"%u, but a host can get %u ports of a protocol out of %s; want at most %u, for three "
			"protocols, or 0 for no limit",
			pool->limits.ports, ports, CONFIG_OTHER(document, "nat.pools[%u].ports", index),
			most);
	if (pool->limits.sessions > config->nat.max_sessions)
		config_error_at(document, CONFIG_PATH("nat.pools[%u].limits.sessions", index),
			"%u, but the gateway has %u sessions, %s; want at most these, or 0 for no limit",
			pool->limits.sessions, config->nat.max_sessions,
			CONFIG_OTHER(document, "nat.max_sessions"));
}

void config_check_pools(const struct config *config, struct config_document *document)
{
	struct config_label *labels = calloc((size_t)config->nat.pool_count + 1, sizeof(*labels));
	uint32_t count = 0;

	document->errors.out_of_memory |= labels == NULL;
	for (uint32_t i = 0; labels != NULL && i < config->nat.pool_count; i++) {
		const struct config_nat_pool *pool = &config->nat.pool[i];
		uint32_t ports = usable_ports(pool);

		if (pool->name[0] != '\0')
			labels[count++] = (struct config_label){ .text = pool->name, .index = i };
		check_excluded(config, document, i);
		check_block(config, document, i);
		if (config_has_error(document, CONFIG_PATH("nat.pools[%u]", i)))
			continue;
		if (pool->deterministic && !config_has_error(document, "nat.source")) {
			uint32_t share = check_deterministic(config, document, i);
			ports = share != 0 ? share : ports;
		}
		check_limits(config, document, i, ports);
	}
	config_check_unique(document, labels, count, "nat.pools[%u].name", "a name of its own for each pool");
	free(labels);
}

void config_check_address_count(const struct config *config, struct config_document *document)
{
	uint64_t count = (uint64_t)config->nat.static_count + config->nat.forward_count;

	for (uint32_t i = 0; i < config->nat.pool_count; i++)
		count += config->nat.pool[i].address_count;
	if (count > NAT_ADDRESSES_MAX)
		config_error_at(document, "nat",
			"%lu public addresses of pools, static bindings and forwards; want at most %u", count,
			NAT_ADDRESSES_MAX);
}
