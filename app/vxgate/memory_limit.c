/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/memory_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RX_DESCRIPTORS_MIN 64u

/* A configuration with one limit changed: a copy with one list of its own. */
struct variant {
	struct config config;
	void *list;
	struct config_nat_range range;
};

static bool list_copy(struct variant *variant, void **list, size_t count, size_t size)
{
	variant->list = calloc(count + 1, size);
	if (variant->list == NULL)
		return false;
	memcpy(variant->list, *list, count * size);
	*list = variant->list;
	return true;
}

static uint32_t segment_with_most_macs(const struct config *config)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < config->segment_count; i++)
		if (config->segment[i].mac_limit > config->segment[at].mac_limit)
			at = i;
	return at;
}

static uint32_t port_with_most_buffers(const struct config *config)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < config->port_count; i++)
		if ((uint32_t)config->port[i].rx_queues * config->port[i].rx_descriptors >
			(uint32_t)config->port[at].rx_queues * config->port[at].rx_descriptors)
			at = i;
	return at;
}

static uint32_t pool_with_most_addresses(const struct config *config)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < config->nat.pool_count; i++)
		if (config->nat.pool[i].address_count > config->nat.pool[at].address_count)
			at = i;
	return at;
}

static bool sessions_set(struct variant *variant, uint32_t at, uint64_t value)
{
	(void)at;
	variant->config.nat.max_sessions = (uint32_t)value;
	return true;
}

static bool macs_set(struct variant *variant, uint32_t at, uint64_t value)
{
	struct config *config = &variant->config;

	if (!list_copy(variant, (void **)&config->segment, config->segment_count, sizeof(*config->segment)))
		return false;
	config->segment[at].mac_limit = (uint32_t)value;
	return true;
}

static bool descriptors_set(struct variant *variant, uint32_t at, uint64_t value)
{
	struct config *config = &variant->config;

	if (!list_copy(variant, (void **)&config->port, config->port_count, sizeof(*config->port)))
		return false;
	config->port[at].rx_descriptors = (uint16_t)value;
	return true;
}

static bool addresses_set(struct variant *variant, uint32_t at, uint64_t value)
{
	struct config_nat *nat = &variant->config.nat;

	if (!list_copy(variant, (void **)&nat->pool, nat->pool_count, sizeof(*nat->pool)))
		return false;
	/* Which addresses these are does not matter here. */
	variant->range.first = nat->pool[at].range[0].first;
	variant->range.last = variant->range.first + (uint32_t)value - 1;
	nat->pool[at].range = &variant->range;
	nat->pool[at].range_count = 1;
	nat->pool[at].exclude_count = 0;
	nat->pool[at].address_count = (uint32_t)value;
	return true;
}

struct candidate {
	const char *list, *key, *unit; /* list "": the key is of no list */
	uint32_t at;
	uint64_t value, least;
	bool (*set)(struct variant *variant, uint32_t at, uint64_t value);
};

/* More than there can be: no memory to find out. */
static struct memory_need need_with(
	const struct config *config, const struct candidate *candidate, uint64_t value, bool hugepages)
{
	struct memory_need need = { UINT64_MAX / 2, UINT64_MAX / 2 };
	struct variant variant = { .config = *config };

	if (candidate->set(&variant, candidate->at, value))
		need = memory_gateway_need(&variant.config, hugepages);
	free(variant.list);
	return need;
}

/* The most that fits, by halving; 0 when not even the least does. */
static uint64_t most_that_fits(
	const struct config *config, const struct candidate *candidate, const struct memory_offer *offer)
{
	uint64_t low = candidate->least, high = candidate->value;

	if (!memory_fits(need_with(config, candidate, low, offer->hugepages), offer))
		return 0;
	while (low < high) {
		uint64_t middle = high - (high - low) / 2;
		if (memory_fits(need_with(config, candidate, middle, offer->hugepages), offer))
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static uint32_t candidates_list(const struct config *config, struct candidate candidates[4])
{
	uint32_t count = 0, at;

	if (config->nat.source_count + config->nat.static_count + config->nat.forward_count > 0)
		candidates[count++] = (struct candidate){ "", "nat.max_sessions", "sessions", 0,
			config->nat.max_sessions, 1, sessions_set };
	if (config->segment_count > 0) {
		at = segment_with_most_macs(config);
		candidates[count++] = (struct candidate){ "segments", "mac_limit", "MAC addresses", at,
			config->segment[at].mac_limit, 1, macs_set };
	}
	if (config->nat.pool_count > 0) {
		at = pool_with_most_addresses(config);
		candidates[count++] = (struct candidate){ "nat.pools", "addresses", "public addresses", at,
			config->nat.pool[at].address_count, 1, addresses_set };
	}
	if (config->port_count > 0) {
		at = port_with_most_buffers(config);
		candidates[count++] =
			(struct candidate){ "ports", "rx_descriptors", "packets in a receive queue", at,
				config->port[at].rx_descriptors, RX_DESCRIPTORS_MIN, descriptors_set };
	}
	return count;
}

/* One that makes it fit before one that does not, and then the one that takes more. */
static bool is_better(const struct memory_limit *limit, const struct memory_limit *than)
{
	if ((limit->fits != 0) != (than->fits != 0))
		return limit->fits != 0;
	return limit->bytes > than->bytes;
}

void memory_limit_find(
	const struct config *config, const struct memory_offer *offer, struct memory_limit *limit)
{
	struct candidate candidates[4];
	uint32_t count = candidates_list(config, candidates);
	uint64_t all = memory_need_bytes(memory_gateway_need(config, offer->hugepages));

	*limit = (struct memory_limit){ .path = "memory", .unit = "" };
	for (uint32_t i = 0; i < count; i++) {
		const struct candidate *candidate = &candidates[i];
		uint64_t least =
			memory_need_bytes(need_with(config, candidate, candidate->least, offer->hugepages));
		struct memory_limit found = { .unit = candidate->unit,
			.value = candidate->value,
			.bytes = all > least ? all - least : 0,
			.fits = most_that_fits(config, candidate, offer) };

		if (candidate->list[0] == '\0')
			snprintf(found.path, sizeof(found.path), "%s", candidate->key);
		else
			snprintf(found.path, sizeof(found.path), "%s[%u].%s", candidate->list, candidate->at,
				candidate->key);
		if (is_better(&found, limit))
			*limit = found;
	}
}
