/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/memory_check.h"

#include "management/config_schema.h"
#include <inttypes.h>
#include <rte_common.h>
#include <stdio.h>
#include <string.h>

#define MIB         (UINT64_C(1) << 20)
#define LIMITS_TEXT 320 /* of what is said of a limit */

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

/* The limits to lower. */
struct limits {
	uint32_t count;
	struct memory_limit limit[MEMORY_LIMITS];
};

static bool limits_find(struct limits *limits, const struct config *config, const struct memory_offer *offer)
{
	*limits = (struct limits){ 0 };
	limits->count = memory_limits_find(config, offer, limits->limit);
	return limits->limit[0].fits != 0;
}

/* " and 88938714 for the 1048576 sessions of nat.max_sessions": what the second one takes; "" when there is none. */
static const char *second_text(const struct limits *limits, const char *where, char text[LIMITS_TEXT])
{
	const struct memory_limit *second = &limits->limit[1];

	text[0] = '\0';
	if (limits->count > 1)
		snprintf(text, LIMITS_TEXT, " and %" PRIu64 " for the %" PRIu64 " %s of %s", second->bytes,
			second->value, second->unit, where);
	return text;
}

/* "at most 4096 a segment": what would fit; "" when there is no such thing. `with`: what else is to change. */
static const char *fits_text(const struct limits *limits, const char *with, char text[LIMITS_TEXT])
{
	const struct memory_limit *first = &limits->limit[0], *second = &limits->limit[1];

	text[0] = '\0';
	if (first->fits != 0 && limits->count == 1)
		snprintf(text, LIMITS_TEXT, "at most %" PRIu64 "%s%s", first->fits, first->each, with);
	else if (first->fits != 0)
		snprintf(text, LIMITS_TEXT,
			"at most %" PRIu64 "%s of the former and %" PRIu64
			"%s of the latter%s, as less of one alone is not enough",
			first->fits, first->each, second->fits, second->each, with);
	return text;
}

static void granted_error(const struct config *config, struct config_document *document,
	const struct memory_offer *granted, struct memory_need need)
{
	char second[LIMITS_TEXT], fits[LIMITS_TEXT];
	struct limits limits;
	bool any = limits_find(&limits, config, granted);

	config_error_at(document, "memory.mib",
		"%u MiB, but %" PRIu64 " bytes are needed, %" PRIu64 " of them for the %" PRIu64
		" %s of %s%s; want %" PRIu64 " MiB%s%s%s",
		config->memory_mib, memory_need_bytes(need), limits.limit[0].bytes, limits.limit[0].value,
		limits.limit[0].unit, CONFIG_OTHER(document, "%s", limits.limit[0].path),
		second_text(&limits, CONFIG_OTHER(document, "%s", limits.limit[1].path), second),
		mib_of(need), any ? ", or " : ", as less of these is not enough",
		fits_text(&limits, "", fits), any && limits.count == 1 ? " there" : "");
}

static void most_error(const struct config *config, struct config_document *document,
	const struct memory_offer *most, struct memory_need need)
{
	char second[LIMITS_TEXT], fits[LIMITS_TEXT];
	struct limits limits;
	bool any = limits_find(&limits, config, most);

	config_error_at(document, limits.limit[0].path,
		"%" PRIu64 " %s; %" PRIu64 " bytes would be needed, %" PRIu64
		" of them for these%s, and %u MiB are the most of a gateway; want %s",
		limits.limit[0].value, limits.limit[0].unit, memory_need_bytes(need), limits.limit[0].bytes,
		second_text(&limits, CONFIG_OTHER(document, "%s", limits.limit[1].path), second),
		CONFIG_MEMORY_MIB_MAX, any ? fits_text(&limits, "", fits) : "much less of everything");
}

void memory_check_granted(const struct config *config, struct config_document *document)
{
	const struct memory_offer granted = offer_together(config, config->memory_mib * MIB),
				  most = offer_together(config, CONFIG_MEMORY_MIB_MAX * MIB);
	struct memory_need need;

	if (!is_judged(document))
		return;
	need = memory_gateway_need(config, is_huge(config));
	if (config->memory_mib != 0 && !memory_fits(need, &granted))
		granted_error(config, document, &granted, need);
	else if (!memory_fits(need, &most))
		most_error(config, document, &most, need);
}

/* Where a sentence about the memory of the machine goes, with the place in the configuration that it is about. */
struct lack {
	char *path, *text;
	size_t path_size, size;
};

/* What is granted is reserved whether it is needed or not. */
static void granted_lacks(const struct lack *lack, const struct config *config, uint64_t there)
{
	snprintf(lack->path, lack->path_size, "memory.mib");
	snprintf(lack->text, lack->size,
		"%u MiB are %" PRIu64 " bytes, and %" PRIu64
		" bytes of memory are free; want at most %" PRIu64,
		config->memory_mib, config->memory_mib * MIB, there, there / MIB);
}

/* The limits take too much of the `needed` bytes; `there` goes on with how much there is, `with` with what else is to
 * change. */
static void limits_lack(const struct lack *lack, const struct limits *limits, uint64_t needed,
	const char *there, const char *with, const char *instead)
{
	const struct memory_limit *limit = &limits->limit[0];
	char second[LIMITS_TEXT], fits[LIMITS_TEXT];

	snprintf(lack->path, lack->path_size, "%s", limit->path);
	size_t at = (size_t)snprintf(lack->text, lack->size,
		"%" PRIu64 " %s; %" PRIu64 " bytes are needed, %" PRIu64 " of them for these%s%s; want ",
		limit->value, limit->unit, needed, limit->bytes,
		second_text(limits, limits->limit[1].path, second), there);
	if (at < lack->size && limit->fits != 0)
		snprintf(lack->text + at, lack->size - at, "%s%s%s", fits_text(limits, with, fits),
			instead[0] != '\0' ? ", or " : "", instead);
	else if (at < lack->size)
		snprintf(lack->text + at, lack->size - at, "much less of everything, or %s",
			instead[0] != '\0' ? instead : "more memory");
}

static void bytes_lack(const struct lack *lack, const struct config *config, const struct memory_offer *offer,
	uint64_t needed, uint64_t available, const char *instead)
{
	struct limits limits;
	char there[64];

	limits_find(&limits, config, offer);
	snprintf(there, sizeof(there), ", and %" PRIu64 " bytes of memory are free", available);
	limits_lack(lack, &limits, needed, there, "", instead);
}

/* Hugepages are what is wrong, not how much is granted: the text of hugepage_choose stands. */
static void hugepages_lack(const struct lack *lack, const struct config *config, bool there_are_any)
{
	char *end = lack->text + strlen(lack->text);
	size_t room = lack->size - strlen(lack->text);

	snprintf(lack->path, lack->path_size, "memory.hugepages");
	if (is_huge(config))
		snprintf(end, room, "; %s \"auto\", for ordinary memory", there_are_any ? "or" : "want");
}

static void granted_pages_lack(const struct lack *lack, const struct config *config, uint64_t needed,
	uint64_t there, const char *count, const char *advice)
{
	uint64_t granted = memory_mib(config);

	snprintf(lack->path, lack->path_size, "memory.mib");
	snprintf(lack->text, lack->size,
		"%" PRIu64 " MiB%s are %" PRIu64 " bytes, %s; want from %" PRIu64 " to %" PRIu64 "%s%s",
		granted, config->memory_mib == 0 ? ", which it is when not given," : "", granted * MIB, count,
		needed, there, advice[0] != '\0' ? ", or " : "", advice);
}

/* There are not as many hugepages as are granted; the text is that of hugepage_choose. What is granted can be less when all
 * fits nonetheless; else a limit can. */
static void pages_lack(
	const struct lack *lack, const struct config *config, const struct hugepage_facts *facts)
{
	uint64_t granted = memory_mib(config), free_mib = hugepage_free_mib(facts);
	const struct hugepage_size *wanted = hugepage_size_for(facts, granted);
	struct memory_need need = memory_gateway_need(config, is_huge(config));
	const struct memory_offer offer = { is_huge(config), MEMORY_NO_LIMIT, facts->ordinary,
		free_mib * MIB };
	uint64_t needed = RTE_MAX(mib_of(need), (uint64_t)CONFIG_MEMORY_MIB_MIN);
	char count[HUGEPAGE_TEXT + 2] = ": ", with[64] = "", advice[HUGEPAGE_TEXT];
	struct limits limits;

	hugepage_advice_text(facts, wanted, RTE_MAX(granted, needed), advice, sizeof(advice));
	if (needed <= free_mib) {
		hugepage_count_text(facts, wanted, granted, count, sizeof(count));
		granted_pages_lack(lack, config, needed, free_mib, count, advice);
		return;
	}
	if (!limits_find(&limits, config, &offer) && advice[0] != '\0') {
		hugepages_lack(lack, config, true);
		return;
	}
	hugepage_count_text(facts, wanted, needed, count + 2, sizeof(count) - 2);
	if ((config->memory_mib != 0 ? config->memory_mib : MEMORY_MIB_LEAST) > free_mib)
		snprintf(with, sizeof(with), " with memory.mib %" PRIu64, free_mib);
	limits_lack(lack, &limits, memory_need_bytes(need), count, with, advice);
}

/* Where hugepages are used if there are enough, there may be more of them, or of memory for them, than of the other. */
static bool ordinary_lacks(
	const struct lack *lack, const struct config *config, const struct hugepage_facts *facts)
{
	const struct memory_offer offer = { false, MEMORY_NO_LIMIT, facts->ordinary, facts->ordinary };
	struct memory_need need = memory_gateway_need(config, false);
	const struct hugepage_size *pages = config->hugepages == CONFIG_HUGEPAGES_AUTO
						    ? hugepage_size_for(facts, memory_mib(config))
						    : NULL;
	bool fits = memory_fits(need, &offer);
	char advice[HUGEPAGE_TEXT] = "";

	if (fits && config->memory_mib <= facts->ordinary / MIB)
		return false;
	if (pages != NULL && hugepage_free_mib(facts) > facts->ordinary / MIB) {
		pages_lack(lack, config, facts);
		return true;
	}
	if (pages != NULL)
		hugepage_advice_text(facts, pages, memory_mib(config), advice, sizeof(advice));
	if (fits)
		granted_lacks(lack, config, facts->ordinary);
	else
		bytes_lack(lack, config, &offer, memory_need_bytes(need), facts->ordinary, advice);
	return true;
}

/* With hugepages that are enough: that of the process is ordinary memory nonetheless. */
static bool process_lacks(
	const struct lack *lack, const struct config *config, const struct hugepage_facts *facts)
{
	const struct memory_offer offer = { true, MEMORY_NO_LIMIT, facts->ordinary, MEMORY_NO_LIMIT };
	struct memory_need need = memory_gateway_need(config, true);

	if (memory_fits(need, &offer))
		return false;
	bytes_lack(lack, config, &offer, need.process, facts->ordinary, "");
	return true;
}

bool memory_lacks(const struct config *config, const struct hugepage_facts *facts, char *path,
	size_t path_size, char *text, size_t size)
{
	const struct lack lack = { path, text, path_size, size };
	uint32_t mib = memory_mib(config);
	struct hugepage_facts mounted = *facts;
	char advice[HUGEPAGE_TEXT] = "";
	bool use;
	int rc = hugepage_choose(config->hugepages, mib, facts, &use, text, size);

	if (rc == 0)
		return use ? process_lacks(&lack, config, facts) : ordinary_lacks(&lack, config, facts);
	const struct hugepage_size *wanted = hugepage_size_for(facts, mib);
	if (wanted != NULL)
		hugepage_advice_text(facts, wanted, mib, advice, sizeof(advice));
	if (wanted == NULL || (!wanted->mounted && advice[0] != '\0')) {
		hugepages_lack(&lack, config, wanted != NULL);
		return true;
	}
	/* Where mounting them is not enough, what would fit is more to the point. */
	mounted.size[wanted - facts->size].mounted = true;
	pages_lack(&lack, config, &mounted);
	return true;
}

bool memory_machine_lacks(const struct config *config, char *path, size_t path_size, char *text, size_t size)
{
	struct hugepage_facts facts;

	hugepage_facts_read(&facts);
	return memory_lacks(config, &facts, path, path_size, text, size);
}

void memory_check_machine(const struct config *config, struct config_document *document)
{
	char path[MEMORY_LACK_PATH], text[MEMORY_LACK_TEXT];

	if (is_judged(document) && memory_machine_lacks(config, path, sizeof(path), text, sizeof(text)))
		config_error_at(document, path, "%s", text);
}
