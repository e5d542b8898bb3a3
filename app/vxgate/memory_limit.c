/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/memory_limit.h"

#include "vxgate/lcore_plan.h"
#include <rte_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS_MIN 64u

/* A configuration with limits changed: a copy with lists of its own, as far as limits are in them. */
struct variant {
	struct config config;
	struct config_nat_range *range; /* one of each pool */
};

static void *list_copy(const void *list, size_t count, size_t size)
{
	void *copy = calloc(count + 1, size);

	if (copy != NULL && count > 0)
		memcpy(copy, list, count * size);
	return copy;
}

static void variant_close(struct variant *variant)
{
	free(variant->config.segment);
	free(variant->config.port);
	free(variant->config.nat.pool);
	free(variant->range);
}

static bool variant_open(struct variant *variant, const struct config *from)
{
	struct config *config = &variant->config;

	*config = *from;
	config->segment = list_copy(from->segment, from->segment_count, sizeof(*from->segment));
	config->port = list_copy(from->port, from->port_count, sizeof(*from->port));
	config->nat.pool = list_copy(from->nat.pool, from->nat.pool_count, sizeof(*from->nat.pool));
	variant->range = calloc(from->nat.pool_count + 1, sizeof(*variant->range));
	if (config->segment != NULL && config->port != NULL && config->nat.pool != NULL &&
		variant->range != NULL)
		return true;
	variant_close(variant);
	return false;
}

/* ---- the limits that there are ---- */

static uint32_t sessions_count(const struct config *config)
{
	return config->nat.source_count + config->nat.static_count + config->nat.forward_count > 0 ? 1 : 0;
}

static uint64_t sessions_get(const struct config *config, uint32_t at)
{
	(void)at;
	return config->nat.max_sessions;
}

static void sessions_set(struct variant *variant, uint32_t at, uint64_t value)
{
	(void)at;
	variant->config.nat.max_sessions = (uint32_t)value;
}

static uint32_t segments_count(const struct config *config)
{
	return config->segment_count;
}

static uint64_t macs_get(const struct config *config, uint32_t at)
{
	return config->segment[at].mac_limit;
}

static void macs_set(struct variant *variant, uint32_t at, uint64_t value)
{
	variant->config.segment[at].mac_limit = (uint32_t)value;
}

static uint32_t pools_count(const struct config *config)
{
	return config->nat.pool_count;
}

static uint64_t addresses_get(const struct config *config, uint32_t at)
{
	return config->nat.pool[at].address_count;
}

static void addresses_set(struct variant *variant, uint32_t at, uint64_t value)
{
	struct config_nat_pool *pool = &variant->config.nat.pool[at];
	struct config_nat_range *range = &variant->range[at];

	if (pool->address_count == value)
		return;
	/* Which addresses these are does not matter here. */
	range->first = pool->range[0].first;
	range->last = range->first + (uint32_t)value - 1;
	pool->range = range;
	pool->range_count = 1;
	pool->exclude_count = 0;
	pool->address_count = (uint32_t)value;
}

static uint32_t ports_count(const struct config *config)
{
	return config->port_count;
}

static uint64_t rx_descriptors_get(const struct config *config, uint32_t at)
{
	return config->port[at].rx_descriptors;
}

static void rx_descriptors_set(struct variant *variant, uint32_t at, uint64_t value)
{
	variant->config.port[at].rx_descriptors = (uint16_t)value;
}

static uint32_t rx_queues(const struct config *config, uint32_t at)
{
	return config->port[at].rx_queues;
}

static uint64_t tx_descriptors_get(const struct config *config, uint32_t at)
{
	return config->port[at].tx_descriptors;
}

static void tx_descriptors_set(struct variant *variant, uint32_t at, uint64_t value)
{
	variant->config.port[at].tx_descriptors = (uint16_t)value;
}

static uint32_t tx_queues(const struct config *config, uint32_t at)
{
	(void)at;
	return lcore_plan_senders(&config->lcores);
}

static const struct kind {
	const char *list, *key;  /* list "": the key is of no list */
	const char *unit, *each; /* "sessions", " a segment" */
	uint64_t least;
	uint32_t (*count)(const struct config *config); /* of the list */
	uint64_t (*get)(const struct config *config, uint32_t at);
	void (*set)(struct variant *variant, uint32_t at, uint64_t value);
	uint32_t (*times)(const struct config *config, uint32_t at); /* what is got counts; NULL: once */
} kinds[] = {
	{ "", "nat.max_sessions", "sessions", "", 1, sessions_count, sessions_get, sessions_set },
	{ "segments", "mac_limit", "MAC addresses", " a segment", 1, segments_count, macs_get, macs_set },
	{ "nat.pools", "addresses", "public addresses", " a pool", 1, pools_count, addresses_get,
		addresses_set },
	{ "ports", "rx_descriptors", "packets in receive queues", " a queue", DESCRIPTORS_MIN, ports_count,
		rx_descriptors_get, rx_descriptors_set, rx_queues },
	{ "ports", "tx_descriptors", "packets in transmit queues", " a queue", DESCRIPTORS_MIN, ports_count,
		tx_descriptors_get, tx_descriptors_set, tx_queues },
};

/* A key of one element of its list, or of all, which add up. */
struct candidate {
	const struct kind *kind;
	uint32_t first, count;
	uint64_t bytes; /* what is less when they are at their least */
	uint64_t fits;
};

static uint64_t candidate_largest(const struct candidate *candidate, const struct config *config)
{
	uint64_t largest = candidate->kind->least;

	for (uint32_t i = candidate->first; i < candidate->first + candidate->count; i++)
		largest = RTE_MAX(largest, candidate->kind->get(config, i));
	return largest;
}

/* How many they come to: descriptors of all queues. */
static uint64_t candidate_sum(const struct candidate *candidate, const struct config *config)
{
	const struct kind *kind = candidate->kind;
	uint64_t sum = 0;

	for (uint32_t i = candidate->first; i < candidate->first + candidate->count; i++)
		sum += kind->get(config, i) * (kind->times == NULL ? 1 : kind->times(config, i));
	return sum;
}

/* None is more than `most` then. */
static void candidate_cap(const struct candidate *candidate, const struct config *config,
	struct variant *variant, uint64_t most)
{
	for (uint32_t i = candidate->first; i < candidate->first + candidate->count; i++)
		candidate->kind->set(variant, i, RTE_MIN(most, candidate->kind->get(config, i)));
}

static uint64_t bytes_taken(const struct candidate *candidate, const struct config *config, bool hugepages)
{
	uint64_t all = memory_need_bytes(memory_gateway_need(config, hugepages)), least = all;
	struct variant variant;

	if (variant_open(&variant, config)) {
		candidate_cap(candidate, config, &variant, candidate->kind->least);
		least = memory_need_bytes(memory_gateway_need(&variant.config, hugepages));
		variant_close(&variant);
	}
	return all > least ? all - least : 0;
}

/* ---- what would fit ---- */

/* Between its least and what it is, as `step` of `steps`. */
static uint64_t value_at(
	const struct candidate *candidate, const struct config *config, uint64_t step, uint64_t steps)
{
	uint64_t least = candidate->kind->least, span = candidate_largest(candidate, config) - least;

	return steps == 0 ? least : least + span * step / steps;
}

static bool fits_at(struct candidate *const *candidates, uint32_t count, const struct config *config,
	const struct memory_offer *offer, uint64_t step, uint64_t steps)
{
	struct variant variant;
	bool fits;

	if (!variant_open(&variant, config))
		return false;
	for (uint32_t i = 0; i < count; i++)
		candidate_cap(candidates[i], config, &variant, value_at(candidates[i], config, step, steps));
	fits = memory_fits(memory_gateway_need(&variant.config, offer->hugepages), offer);
	variant_close(&variant);
	return fits;
}

/* Sets `fits` of all of them, lowered together and each by the same share, to the most that fits, by halving. 0: not even
 * the least of all does. */
static void fits_find(struct candidate *const *candidates, uint32_t count, const struct config *config,
	const struct memory_offer *offer)
{
	uint64_t steps = 0, low = 0, high;
	bool any;

	for (uint32_t i = 0; i < count; i++)
		steps = RTE_MAX(steps, candidate_largest(candidates[i], config) - candidates[i]->kind->least);
	any = fits_at(candidates, count, config, offer, 0, steps);
	high = any ? steps : 0;
	while (low < high) {
		uint64_t middle = high - (high - low) / 2;
		if (fits_at(candidates, count, config, offer, middle, steps))
			low = middle;
		else
			high = middle - 1;
	}
	for (uint32_t i = 0; i < count; i++)
		candidates[i]->fits = any ? value_at(candidates[i], config, low, steps) : 0;
}

/* Of a list in which one element alone is more than would fit, that element: the others are as good as they are. */
static void candidate_narrow(struct candidate *candidate, const struct config *config, bool hugepages)
{
	uint32_t over = 0, at = 0;

	for (uint32_t i = candidate->first; i < candidate->first + candidate->count; i++)
		if (candidate->kind->get(config, i) > candidate->fits) {
			at = i;
			over++;
		}
	if (over != 1 || candidate->count == 1)
		return;
	candidate->first = at;
	candidate->count = 1;
	candidate->bytes = bytes_taken(candidate, config, hugepages);
}

/* ---- which ---- */

/* One that makes it fit before one that does not, and then the one that takes more. */
static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if ((a->fits != 0) != (b->fits != 0))
		return a->fits != 0 ? -1 : 1;
	return a->bytes > b->bytes ? -1 : a->bytes < b->bytes;
}

static uint32_t candidates_list(const struct config *config, const struct memory_offer *offer,
	struct candidate candidates[RTE_DIM(kinds)])
{
	uint32_t count = 0;

	for (size_t i = 0; i < RTE_DIM(kinds); i++) {
		struct candidate *candidate = &candidates[count];

		*candidate = (struct candidate){ .kind = &kinds[i], .count = kinds[i].count(config) };
		if (candidate->count == 0)
			continue;
		candidate->bytes = bytes_taken(candidate, config, offer->hugepages);
		fits_find(&candidate, 1, config, offer);
		count++;
	}
	qsort(candidates, count, sizeof(candidates[0]), compare_candidates);
	return count;
}

static void limit_say(
	const struct candidate *candidate, const struct config *config, struct memory_limit *limit)
{
	const struct kind *kind = candidate->kind;

	*limit = (struct memory_limit){ .unit = kind->unit,
		.value = candidate_sum(candidate, config),
		.bytes = candidate->bytes,
		.fits = candidate->fits };
	limit->each = limit->value == candidate_largest(candidate, config) ? "" : kind->each;
	if (kind->list[0] == '\0')
		snprintf(limit->path, sizeof(limit->path), "%s", kind->key);
	else if (candidate->count == 1)
		snprintf(limit->path, sizeof(limit->path), "%s[%u].%s", kind->list, candidate->first,
			kind->key);
	else
		snprintf(limit->path, sizeof(limit->path), "%s[*].%s", kind->list, kind->key);
}

uint32_t memory_limits_find(const struct config *config, const struct memory_offer *offer,
	struct memory_limit limits[MEMORY_LIMITS])
{
	struct candidate candidates[RTE_DIM(kinds)], *const together[MEMORY_LIMITS] = { &candidates[0],
		&candidates[1] };
	uint32_t count = candidates_list(config, offer, candidates);

	limits[0] = (struct memory_limit){ .path = "memory", .unit = "", .each = "" };
	if (count == 0)
		return 1;
	if (candidates[0].fits != 0) {
		candidate_narrow(&candidates[0], config, offer->hugepages);
		count = 1;
	} else {
		count = count > 1 && candidates[1].bytes > 0 ? 2 : 1;
		fits_find(together, count, config, offer);
	}
	for (uint32_t i = 0; i < count; i++)
		limit_say(&candidates[i], config, &limits[i]);
	return count;
}
