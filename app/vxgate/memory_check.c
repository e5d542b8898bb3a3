/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/memory_check.h"

#include "management/config_schema.h"
#include "vxgate/hugepages.h"
#include <inttypes.h>
#include <rte_common.h>
#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static uint64_t mib_of(struct memory_need need)
{
	return (memory_need_bytes(need) + MIB - 1) / MIB;
}

/* What is granted is to be enough on any machine that the configuration allows. */
static bool is_huge(const struct config *config)
{
	return config->hugepages == CONFIG_HUGEPAGES_YES;
}

uint32_t memory_mib(const struct config *config)
{
	uint64_t needed;

	if (config->memory_mib != 0)
		return config->memory_mib;
	needed = mib_of(memory_gateway_need(config, is_huge(config)));
	return (uint32_t)RTE_MIN(RTE_MAX(needed, (uint64_t)MEMORY_MIB_LEAST), (uint64_t)UINT32_MAX);
}

/* Is there enough that is right to judge by? */
static bool is_judged(const struct config_document *document)
{
	return !config_has_error(document, "memory") && !config_has_error(document, "lcores") &&
	       !config_has_error(document, "ports") && !config_has_error(document, "segments") &&
	       !config_has_error(document, "nat");
}

static struct memory_offer offer_together(const struct config *config, uint64_t bytes)
{
	return (struct memory_offer){ is_huge(config), MEMORY_NO_LIMIT, MEMORY_NO_LIMIT, bytes };
}

void memory_check_granted(const struct config *config, struct config_document *document)
{
	const struct memory_offer granted = offer_together(config, config->memory_mib * MIB),
				  most = offer_together(config, CONFIG_MEMORY_MIB_MAX * MIB);
	struct memory_need need;
	struct memory_limit limit;
	char instead[64];

	if (!is_judged(document))
		return;
	need = memory_gateway_need(config, is_huge(config));
	if (config->memory_mib != 0 && !memory_fits(need, &granted)) {
		memory_limit_find(config, &granted, &limit);
		snprintf(instead, sizeof(instead), ", or at most %" PRIu64 " there", limit.fits);
		config_error_at(document, "memory.mib",
			"%u MiB, but %" PRIu64 " bytes are needed, %" PRIu64 " of them for the %" PRIu64
			" %s of %s; want %" PRIu64 " MiB%s",
			config->memory_mib, memory_need_bytes(need), limit.bytes, limit.value, limit.unit,
			CONFIG_OTHER(document, "%s", limit.path), mib_of(need),
			limit.fits != 0 ? instead : "");
	} else if (!memory_fits(need, &most)) {
		memory_limit_find(config, &most, &limit);
		config_error_at(document, limit.path,
			"%" PRIu64 " %s; %" PRIu64 " bytes would be needed, and %u MiB are the most of a "
			"gateway; want at most %" PRIu64,
			limit.value, limit.unit, memory_need_bytes(need), CONFIG_MEMORY_MIB_MAX, limit.fits);
	}
}

/* What this machine has for the gateway. False: hugepages are a must, and cannot be used. */
static bool machine_offer(const struct config *config, struct memory_offer *to, char *reason, size_t size)
{
	uint64_t available = memory_available();
	struct memory_offer offer = { false, MEMORY_NO_LIMIT, available, available };
	struct hugepage_facts facts;

	hugepage_facts_read(&facts);
	if (hugepage_choose(config->hugepages, memory_mib(config), &facts, &offer.hugepages, reason, size) <
		0) {
		if (!facts.mounted || config->memory_mib != 0)
			return false;
		offer.hugepages = true; /* what there is of them is what counts */
	}
	if (offer.hugepages) {
		offer.table = facts.free_mib * MIB;
		offer.all = MEMORY_NO_LIMIT;
	}
	*to = offer;
	return true;
}

/* What is granted is reserved whether it is needed or not; of hugepages hugepage_choose has seen to it. */
static bool grants_too_much(const struct config *config, const struct memory_offer *offer, char *path,
	size_t path_size, char *text, size_t size)
{
	if (offer->hugepages || config->memory_mib <= offer->all / MIB)
		return false;
	snprintf(path, path_size, "memory.mib");
	snprintf(text, size,
		"%u MiB are %" PRIu64 " bytes, and %" PRIu64
		" bytes of memory are free; want at most %" PRIu64,
		config->memory_mib, config->memory_mib * MIB, offer->all, offer->all / MIB);
	return true;
}

bool memory_machine_lacks(const struct config *config, char *path, size_t path_size, char *text, size_t size)
{
	struct memory_offer offer;
	struct memory_need need;
	struct memory_limit limit;
	const char *kind = "of memory";

	snprintf(path, path_size, "memory.hugepages");
	if (!machine_offer(config, &offer, text, size))
		return true;
	need = memory_gateway_need(config, offer.hugepages);
	uint64_t needed = memory_need_bytes(need), there = offer.all;
	if (memory_fits(need, &offer))
		return grants_too_much(config, &offer, path, path_size, text, size);
	if (need.table > offer.table) {
		needed = need.table;
		there = offer.table;
		kind = "of hugepages";
	} else if (need.process > offer.process) {
		needed = need.process;
		there = offer.process;
	}
	memory_limit_find(config, &offer, &limit);
	snprintf(path, path_size, "%s", limit.path);
	size_t at = (size_t)snprintf(text, size,
		"%" PRIu64 " %s; %" PRIu64 " bytes are needed, %" PRIu64 " of them for these, and %" PRIu64
		" bytes %s are free; want ",
		limit.value, limit.unit, needed, limit.bytes, there, kind);
	if (at < size && limit.fits != 0)
		snprintf(text + at, size - at, "at most %" PRIu64, limit.fits);
	else if (at < size)
		snprintf(text + at, size - at, "much less of everything, or more memory");
	return true;
}

void memory_check_machine(const struct config *config, struct config_document *document)
{
	char path[128], text[512];

	if (is_judged(document) && memory_machine_lacks(config, path, sizeof(path), text, sizeof(text)))
		config_error_at(document, path, "%s", text);
}
