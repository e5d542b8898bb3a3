/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration is said to need, held against what its tables then take; and what is said when that is too much. */
#include "eal_fixture.h"
#include "management/config_apply.h"
#include "management/config_services.h"
#include "slowpath/slowpath.h"
#include "table/nat.h"
#include "vxgate/lcore_plan.h"
#include "vxgate/memory_check.h"
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(memory_plan, .timeout = 60);

#define MIB (UINT64_C(1) << 20)

/* The allocator of a sanitizer does not say what is taken, and takes the whole address space. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR true
#else
#define OWN_ALLOCATOR false
#endif

#define CONFIG_TEXT(memory, lcores, mac_limit, descriptors, nat)                                             \
	"{ \"name\": \"m\", \"lcores\": { \"packet\": " lcores ", \"idle\": \"poll\" },\n"                   \
	"  " memory "\n"                                                                                     \
	"  \"ports\": [ { \"name\": \"u\", \"device\": \"net_null0\", \"mtu\": 1600,\n"                      \
	"    \"addresses\": [\"192.0.2.1/24\"], \"rx_descriptors\": " descriptors " },\n"                    \
	"    { \"name\": \"o\", \"device\": \"net_null1\", \"addresses\": [\"203.0.113.1/24\"] } ],\n"       \
	"  \"vxlan\": { \"source\": \"192.0.2.1\" },\n"                                                      \
	"  \"segments\": [ { \"name\": \"web\", \"vni\": 5001, \"gateway\": \"10.0.0.1/8\",\n"               \
	"    \"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.2.11\"] },\n"                  \
	"    \"mac_limit\": " mac_limit " } ],\n"                                                            \
	"  \"nat\": { \"source\": [ { \"segment\": \"web\", \"prefix\": \"10.0.0.0/8\", \"pool\": \"p\" } "  \
	"],\n"                                                                                               \
	"    " nat " } }"
#define POOL(addresses, more) "\"pools\": [ { \"name\": \"p\", \"addresses\": [\"" addresses "\"]" more " } ]"

static struct config *parsed(const char *text)
{
	struct config *config = config_parse("m.json", text, stderr);

	cr_assert_not_null(config, "%s", text);
	return config;
}

struct taken {
	uint64_t table, process;
};

static struct taken taken_now(void)
{
	struct rte_malloc_socket_stats stats;
	struct mallinfo2 heap = mallinfo2();

	cr_assert_eq(rte_malloc_get_socket_stats(0, &stats), 0);
	return (struct taken){ stats.heap_allocsz_bytes, heap.uordblks + heap.hblkhd };
}

/* Makes what a gateway is made of, but for its ports, and says what that took of either memory. */
static struct taken gateway_taken(const struct config *config)
{
	static struct doorbell doorbell;
	const struct port_facts facts[2] = { { .device = 0 }, { .device = 1 } };
	struct slowpath_channel channels[8];
	struct slowpath_settings settings;
	struct lcore_plan plan;
	char error[256];
	struct taken before, after;

	cr_assert_eq(lcore_plan_make(&config->lcores, NULL, 0, false, &plan, error, sizeof(error)), 0);
	cr_assert_eq(doorbell_open(&doorbell, false), 0);
	before = taken_now();
	struct rte_mempool *packets = rte_pktmbuf_pool_create("packets", memory_packet_buffers(config),
		MEMORY_PACKET_CACHE, PACKET_PRIVATE_SIZE, memory_packet_buffer_size(config), 0);
	struct rte_mempool *control =
		rte_pktmbuf_pool_create("control", MEMORY_CONTROL_PACKETS, MEMORY_PACKET_CACHE,
			PACKET_PRIVATE_SIZE, RTE_PKTMBUF_HEADROOM + RTE_MBUF_DEFAULT_DATAROOM, 0);
	cr_assert(packets != NULL && control != NULL);
	struct data_plane *plane = data_plane_create(config, facts, lcore_plan_owners(&plan), control);
	cr_assert_not_null(plane);
	struct packet_path *path = packet_path_wire("m", &plan, plane, &doorbell);
	cr_assert_not_null(path);
	for (uint16_t i = 0; i < path->count; i++)
		channels[i] = (struct slowpath_channel){ path->context[i]->punt, path->context[i]->inject,
			path->context[i]->events, &path->context[i]->doorbell };
	cr_assert_eq(config_services_make(config, &settings), 0);
	struct slowpath *slowpath = slowpath_create(plane, channels, path->count, &settings);
	cr_assert_not_null(slowpath);
	after = taken_now();
	slowpath_destroy(slowpath);
	config_services_free(&settings);
	packet_path_unwire(path);
	data_plane_destroy(plane);
	rte_mempool_free(control);
	rte_mempool_free(packets);
	return (struct taken){ after.table - before.table, after.process - before.process };
}

/* Never too little; too much by the allowance for the process and the EAL, and what is rounded up. */
static void agrees(const char *text)
{
	struct config *config = parsed(text);
	struct memory_need need = memory_gateway_need(config, false);
	struct taken taken = gateway_taken(config);
	uint64_t needed = memory_need_bytes(need), took = taken.table + taken.process;

	cr_expect_geq(needed, took, "%" PRIu64 " needed, %" PRIu64 " taken: %s", needed, took, text);
	cr_expect_leq(needed, took + took / 20 + 80 * MIB, "%" PRIu64 " needed, %" PRIu64 " taken: %s",
		needed, took, text);
	/* Without hugepages the tables of NAT are of the process's memory. */
	cr_expect_geq(need.table, taken.table, "%" PRIu64 " of the EAL's needed, %" PRIu64 " taken: %s",
		need.table, taken.table, text);
	config_free(config);
}

Test(memory_plan, what_is_said_to_be_needed_is_what_the_tables_take, .init = eal_start,
	.disabled = OWN_ALLOCATOR)
{
	agrees(CONFIG_TEXT("", "[1]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", "")));
	agrees(CONFIG_TEXT("", "[1, 2, 3]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", "")));
	agrees(CONFIG_TEXT("", "[1]", "4096", "1024",
		POOL("203.0.113.2-203.0.113.9", "") ", \"max_sessions\": 5000000"));
	agrees(CONFIG_TEXT("", "[1, 2]", "4096", "1024", POOL("198.18.0.0/20", "")));
	agrees(CONFIG_TEXT("", "[1, 2]", "4096", "1024",
		POOL("198.18.0.0/21",
			", \"port_block\": 256, \"limits\": { \"ports\": 1024 }") ", \"max_sessions\": "
										  "1000000"));
	agrees(CONFIG_TEXT("", "[1]", "200000", "1024", POOL("203.0.113.2-203.0.113.9", "")));
	agrees(CONFIG_TEXT("", "[1]", "4096", "16384", POOL("203.0.113.2-203.0.113.9", "")));
	agrees(CONFIG_TEXT("", "[1]", "4096", "1024",
		POOL("203.0.113.2-203.0.113.9", "") ", \"log\": { \"json\": \"-\" }, \"port_rest\": 0"));
}

/* The errors of a text by the rules of the application, as config_read_by makes them. */
static char *errors_of(const char *text, void (*check)(const struct config *, struct config_document *))
{
	struct config *config = parsed(text);
	struct config_document document;
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);

	config_document_open(&document, "m.json", text, strlen(text));
	check(config, &document);
	config_errors_print(&document.errors, out);
	fclose(out);
	config_document_close(&document);
	config_free(config);
	return said;
}

Test(memory_plan, what_memory_mib_does_not_hold_is_an_error_that_says_how_many_bytes_and_what_would_fit)
{
	static const char text[] = CONFIG_TEXT("\"memory\": { \"mib\": 512 },", "[1]", "4096", "1024",
		POOL("203.0.113.2-203.0.113.9", "") ",\n    \"max_sessions\": 30000000");
	unsigned line, mib;
	uint64_t needed, sessions, most;
	char *said = errors_of(text, memory_check_granted), changed[sizeof(text) + 16], other[16];

	cr_assert_eq(sscanf(said,
			     "m.json:2:22: memory.mib: 512 MiB, but %" SCNu64 " bytes are needed, %" SCNu64
			     " of them for the 30000000 sessions of nat.max_sessions (line %u); want %u MiB, "
			     "or at "
			     "most %" SCNu64 " there\n",
			     &needed, &sessions, &line, &mib, &most),
		5, "%s", said);
	free(said);
	cr_assert_eq(line, 12);
	cr_assert_gt(needed, 30000000 * UINT64_C(64));
	cr_assert_gt(sessions, needed / 2);
	cr_assert_eq(mib, (needed + MIB - 1) / MIB);
	/* What it says would fit does, and one more does not. */
	for (unsigned more = 0; more < 2; more++) {
		strcpy(changed, text);
		snprintf(other, sizeof(other), "%8" PRIu64, most + more);
		memcpy(strstr(changed, "30000000"), other, 8);
		said = errors_of(changed, memory_check_granted);
		cr_assert_eq(said[0] == '\0', more == 0, "%s", said);
		free(said);
	}
}

/* What is said of more sessions than there can be (config_schema_nat.c) is what each of these takes. */
Test(memory_plan, a_session_takes_as_many_bytes_as_is_said)
{
	struct config *config =
		parsed(CONFIG_TEXT("", "[1, 2]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", "")));
	uint64_t most, least;

	config->nat.source[0].prefix.length = 24; /* few hosts, which take memory as well */
	config->nat.max_sessions = NAT_SESSIONS_MAX;
	most = memory_need_bytes(memory_gateway_need(config, true));
	config->nat.max_sessions = 1;
	least = memory_need_bytes(memory_gateway_need(config, true));
	cr_assert_eq((most - least) / NAT_SESSIONS_MAX, NAT_SESSION_BYTES);
	config_free(config);
}

Test(memory_plan, the_limit_that_takes_the_most_is_the_one_that_is_named)
{
	static const char *const text[][2] = {
		{ CONFIG_TEXT("\"memory\": { \"mib\": 200 },", "[1]", "1000000", "1024",
			  POOL("203.0.113.2-203.0.113.9", "")),
			"segments[0].mac_limit (line 9)" },
		{ CONFIG_TEXT(
			  "\"memory\": { \"mib\": 200 },", "[1]", "4096", "1024", POOL("198.18.0.0/17", "")),
			"nat.pools[0].addresses (line 11)" },
		{ CONFIG_TEXT("\"memory\": { \"mib\": 190 },", "[1]", "4096", "16384",
			  POOL("203.0.113.2-203.0.113.9", "") ", \"max_sessions\": 20000"),
			"ports[0].rx_descriptors (line 4)" },
	};

	for (size_t i = 0; i < RTE_DIM(text); i++) {
		char *said = errors_of(text[i][0], memory_check_granted);
		cr_expect_not_null(strstr(said, text[i][1]), "%s wanted: %s", text[i][1], said);
		free(said);
	}
}

/* A configuration of which lists are long. */
static const char *crowd_text(
	unsigned mib, unsigned segments, uint64_t mac_limit, unsigned queues, uint64_t descriptors)
{
	static char text[256 * 1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	fprintf(out,
		"{ \"name\": \"m\", \"lcores\": { \"packet\": [1] }, \"memory\": { \"mib\": %u }, "
		"\"ports\": [",
		mib);
	for (unsigned i = 0; i < 2; i++)
		fprintf(out,
			"%s{ \"name\": \"p%u\", \"device\": \"net_null%u\", \"mtu\": 1600, "
			"\"addresses\": [\"192.0.%u.1/24\"], \"rx_queues\": %u, \"rx_descriptors\": "
			"%" PRIu64 " }",
			i == 0 ? "" : ", ", i, i, i, queues, descriptors);
	fputs("], \"vxlan\": { \"source\": \"192.0.0.1\" }, \"segments\": [", out);
	for (unsigned i = 0; i < segments; i++)
		fprintf(out,
			"%s{ \"name\": \"s%u\", \"vni\": %u, \"gateway\": \"10.%u.%u.1/24\", "
			"\"mac\": \"02:00:5e:00:50:01\", \"flood\": { \"vteps\": [\"192.0.0.11\"] }, "
			"\"mac_limit\": %" PRIu64 " }",
			i == 0 ? "" : ", ", i, i + 1, i / 256, i % 256, mac_limit);
	fputs("] }", out);
	fclose(out);
	return text;
}

/* How much of `each` would fit, as is said of what takes too much. */
static uint64_t crowd_fits(const char *text, const char *named, const char *each)
{
	char *said = errors_of(text, memory_check_granted), what[128], of[64];
	uint64_t fits;

	cr_assert_eq(sscanf(said,
			     "m.json:1:%*u: memory.mib: %*u MiB, but %*u bytes are needed, %*u of them for "
			     "the %127[^;]; want %*u MiB, or at most %" SCNu64 "%63[^\n]",
			     what, &fits, of),
		3, "%s", said);
	cr_assert_str_eq(what, named, "%s", said);
	cr_assert_str_eq(of, each, "%s", said);
	free(said);
	return fits;
}

static void crowd_is(bool right, const char *text)
{
	char *said = errors_of(text, memory_check_granted);

	cr_assert_eq(said[0] == '\0', right, "%s", said);
	free(said);
}

Test(memory_plan, limits_that_add_up_over_a_list_are_one_and_what_of_each_would_fit_is_said)
{
	uint64_t fits = crowd_fits(crowd_text(200, 2, 1048576, 1, 1024),
		"2097152 MAC addresses of segments[*].mac_limit (line 1)", " a segment there");
	crowd_is(true, crowd_text(200, 2, fits, 1, 1024));
	crowd_is(false, crowd_text(200, 2, fits + 1, 1, 1024));

	fits = crowd_fits(crowd_text(300, 1001, 4096, 1, 1024),
		"4100096 MAC addresses of segments[*].mac_limit (line 1)", " a segment there");
	crowd_is(true, crowd_text(300, 1001, fits, 1, 1024));
	crowd_is(false, crowd_text(300, 1001, fits + 1, 1, 1024));

	fits = crowd_fits(crowd_text(300, 1, 4096, 16, 16384),
		"524288 packets in receive queues of ports[*].rx_descriptors (line 1)", " a queue there");
	crowd_is(true, crowd_text(300, 1, 4096, 16, fits));
	crowd_is(false, crowd_text(300, 1, 4096, 16, fits + 1));
}

Test(memory_plan, where_one_limit_alone_is_not_enough_the_next_is_said_with_what_of_both_would_fit)
{
	const char *text = crowd_text(300, 2, 1048576, 16, 16384);
	char *said = errors_of(text, memory_check_granted);
	uint64_t of_macs, of_packets, macs, descriptors;

	cr_assert_eq(
		sscanf(said,
			"m.json:1:%*u: memory.mib: 300 MiB, but %*u bytes are needed, %" SCNu64
			" of them for the 524288 packets in receive queues of ports[*].rx_descriptors "
			"(line 1) and %" SCNu64
			" for the 2097152 MAC addresses of segments[*].mac_limit (line 1); want %*u MiB, "
			"or at most %" SCNu64 " a queue of the former and %" SCNu64
			" a segment of the latter, as less of one alone is not enough\n",
			&of_packets, &of_macs, &descriptors, &macs),
		4, "%s", said);
	cr_assert_gt(of_packets, of_macs);
	free(said);
	crowd_is(true, crowd_text(300, 2, macs, 16, descriptors));
	crowd_is(false, crowd_text(300, 2, macs + macs / 50, 16, descriptors + descriptors / 50));
}

Test(memory_plan, what_the_machine_has_not_got_is_an_error_before_anything_is_allocated)
{
	/* 64 Mi sessions for each GiB that there is, as far as that is possible. */
	static const char text[] = CONFIG_TEXT("", "[1]", "4096", "1024",
		POOL("203.0.113.2-203.0.113.9", "") ",\n    \"max_sessions\": 67108864");
	const struct memory_offer offer = { false, MEMORY_NO_LIMIT, MEMORY_NO_LIMIT, 1024 * MIB };
	struct config *config = parsed(text);
	struct memory_limit limit[MEMORY_LIMITS];

	cr_assert_not(memory_fits(memory_gateway_need(config, false), &offer));
	cr_assert_eq(memory_limits_find(config, &offer, limit), 1);
	cr_assert_str_eq(limit[0].path, "nat.max_sessions");
	cr_assert_eq(limit[0].value, 67108864);
	cr_assert(limit[0].fits > 1000000 && limit[0].fits < 16000000, "%" PRIu64, limit[0].fits);
	config->nat.max_sessions = (uint32_t)limit[0].fits;
	cr_assert(memory_fits(memory_gateway_need(config, false), &offer));
	config_free(config);
}

Test(memory_plan, more_memory_than_the_machine_has_cannot_be_granted)
{
	static const char text[] = CONFIG_TEXT("\"memory\": { \"hugepages\": \"no\", \"mib\": 1048576 },",
		"[1]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", ""));
	uint64_t bytes, there, most;
	char *said;

	said = errors_of(text, memory_check_machine);
	if (memory_available() >= UINT64_C(1) << 40) { /* there are such machines */
		cr_assert_str_empty(said);
	} else {
		cr_assert_eq(
			sscanf(said,
				"m.json:2:41: memory.mib: 1048576 MiB are %" SCNu64 " bytes, and %" SCNu64
				" bytes of memory are free; want at most %" SCNu64 "\n",
				&bytes, &there, &most),
			3, "%s", said);
		cr_assert_eq(bytes, UINT64_C(1) << 40);
		cr_assert_eq(most, there / MIB);
	}
	free(said);
}

/* What a machine with `free` of `pages` hugepages of 2 MB says to the configuration, as "path: text"; "" when all fits. */
static const char *machine_says(
	const char *text, uint64_t pages, uint64_t free, bool mounted, uint64_t ordinary)
{
	const struct hugepage_facts facts = {
		.size = { { 2048, pages, free, mounted } }, .sizes = 1, .ordinary = ordinary
	};
	static char said[MEMORY_LACK_PATH + 2 + MEMORY_LACK_TEXT];
	char path[MEMORY_LACK_PATH], sentence[MEMORY_LACK_TEXT];
	struct config *config = parsed(text);

	said[0] = '\0';
	if (memory_lacks(config, &facts, path, sizeof(path), sentence, sizeof(sentence)))
		snprintf(said, sizeof(said), "%s: %s", path, sentence);
	config_free(config);
	return said;
}

#define SESSIONS_TEXT(memory, sessions)                                                                      \
	CONFIG_TEXT("\"memory\": { \"hugepages\": " memory " },", "[1]", "4096", "1024",                     \
		POOL("203.0.113.2-203.0.113.9", "") ",\n \"max_sessions\": " sessions)
#define MORE_PAGES " > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

/* The text with another number of sessions, of as many digits at most. */
static const char *with_sessions(const char *text, uint64_t sessions)
{
	static char changed[2048];
	char number[16];

	snprintf(changed, sizeof(changed), "%s", text);
	snprintf(number, sizeof(number), "%8" PRIu64, sessions);
	memcpy(strstr(changed, "max_sessions\": ") + strlen("max_sessions\": "), number, 8);
	return changed;
}

Test(memory_plan, hugepages_that_are_too_few_for_a_limit_are_said_in_bytes_and_pages_with_what_would_fit)
{
	static const char text[] = SESSIONS_TEXT("\"yes\"", "30000000");
	uint64_t needed, sessions, pages, most, more, all;
	const char *said = machine_says(text, 1100, 512, true, 8192 * MIB);
	int end = 0;

	cr_assert_eq(sscanf(said,
			     "nat.max_sessions: 30000000 sessions; %" SCNu64 " bytes are needed, %" SCNu64
			     " of them for these: %" SCNu64
			     " hugepages of 2 MB, and 512 of 2 MB are free (1073741824 bytes); want at most "
			     "%" SCNu64 ", or %" SCNu64 " more pages: echo %" SCNu64 MORE_PAGES "%n",
			     &needed, &sessions, &pages, &most, &more, &all, &end),
		6, "%s", said);
	cr_assert_eq(said[end], '\0', "%s", said);
	cr_assert_eq(pages, (needed + 2 * MIB - 1) / (2 * MIB));
	cr_assert(sessions > needed / 2 && sessions < needed, "%s", said);
	cr_assert_eq(more, pages - 512);
	cr_assert_eq(all, 1100 + more);
	/* What it says would fit does, and one less or more does not. */
	cr_assert_str_empty(machine_says(text, all, 512 + more, true, 8192 * MIB));
	cr_assert_str_not_empty(machine_says(text, all, 512 + more - 1, true, 8192 * MIB));
	cr_assert_str_empty(machine_says(with_sessions(text, most), 1100, 512, true, 8192 * MIB));
	said = machine_says(with_sessions(text, most + 1), 1100, 512, true, 8192 * MIB);
	cr_assert_eq(strncmp(said, "nat.max_sessions: ", 18), 0, "%s", said);
	/* Where ordinary memory is no room for more pages, more are not recommended. */
	said = machine_says(text, 1100, 512, true, 200 * MIB);
	cr_assert(strstr(said, "; want at most ") != NULL && strstr(said, "echo") == NULL, "%s", said);
}

Test(memory_plan, hugepages_that_are_fewer_than_memory_mib_are_said_with_how_few_would_do)
{
	static const char given[] = SESSIONS_TEXT("\"yes\", \"mib\": 4096", "   10000"),
			  not_given[] = SESSIONS_TEXT("\"yes\"", "   10000"),
			  changed[] = SESSIONS_TEXT("\"yes\", \"mib\":  400", "   10000");
	unsigned least;
	int end = 0;
	const char *said = machine_says(given, 200, 200, true, 8192 * MIB);

	cr_assert_eq(
		sscanf(said,
			"memory.mib: 4096 MiB are 4294967296 bytes, 2048 hugepages of 2 MB, and 200 of 2 MB "
			"are free (419430400 bytes); want from %u to 400, or 1848 more pages: echo "
			"2048" MORE_PAGES "%n",
			&least, &end),
		1, "%s", said);
	cr_assert(end != 0 && said[end] == '\0', "%s", said);
	struct config *config = parsed(given);
	cr_assert_eq(
		least, (memory_need_bytes(memory_gateway_need(config, true)) + MIB - 1) / MIB, "%s", said);
	config_free(config);
	said = machine_says(not_given, 200, 200, true, 8192 * MIB);
	cr_assert_eq(strncmp(said,
			     "memory.mib: 512 MiB, which it is when not given, are 536870912 bytes, 256 "
			     "hugepages of 2 MB, and 200 of 2 MB are free (419430400 bytes); want from ",
			     140),
		0, "%s", said);
	cr_assert_str_empty(machine_says(changed, 200, 200, true, 8192 * MIB));
	/* When a limit is to be lowered as well, that is said. */
	said = machine_says(with_sessions(given, 9000000), 200, 200, true, 8192 * MIB);
	cr_assert_not_null(strstr(said, " with memory.mib 400, or 1848 more pages"), "%s", said);
	/* When two are, it is what goes with both. */
	static const char crowded[] =
		CONFIG_TEXT("\"memory\": { \"hugepages\": \"yes\", \"mib\": 4096 },", "[1]", "1048576",
			"1024", POOL("203.0.113.2-203.0.113.9", "") ",\n \"max_sessions\": 30000000");
	said = machine_says(crowded, 100, 100, true, 8192 * MIB);
	cr_assert_not_null(
		strstr(said, " of the latter with memory.mib 200, as less of one alone is not enough, or "),
		"%s", said);
}

Test(memory_plan, hugepages_that_are_a_must_and_not_to_be_had_are_said_in_bytes_with_what_to_do)
{
	static const char text[] = SESSIONS_TEXT("\"yes\"", "   10000");

	cr_assert_str_eq(machine_says(text, 300, 300, false, 8192 * MIB),
		"memory.hugepages: 536870912 bytes are needed, 256 hugepages of 2 MB, and 300 of 2 MB are "
		"free "
		"(629145600 bytes), but no hugetlbfs for them is mounted; want a hugetlbfs: mkdir -p "
		"/dev/hugepages && mount -t hugetlbfs -o pagesize=2M hugetlbfs /dev/hugepages; or \"auto\", "
		"for ordinary memory");
	cr_assert_str_eq(machine_says(text, 5, 0, true, 8192 * MIB),
		"memory.hugepages: 536870912 bytes are needed, 256 hugepages of 2 MB, and 0 of 2 MB are free "
		"(0 bytes); want 256 more pages: echo 261" MORE_PAGES "; or \"auto\", for ordinary memory");
	/* Mounting them would not be enough, nor is there memory for more: what would fit is said. */
	const char *said = machine_says(with_sessions(text, 30000000), 512, 512, false, 200 * MIB);
	cr_assert_eq(strncmp(said, "nat.max_sessions: 30000000 sessions; ", 37), 0, "%s", said);
	cr_assert_not_null(strstr(said, "; want at most "), "%s", said);
}

Test(memory_plan, hugepages_that_are_free_count_where_they_are_used_if_there_are_enough)
{
	static const char text[] = SESSIONS_TEXT("\"auto\"", "30000000");
	uint64_t most;
	const char *said;

	cr_assert_str_empty(machine_says(text, 512, 512, true, 8192 * MIB), "there is ordinary memory");
	/* They are more than that: so with them more would fit. */
	said = machine_says(text, 1000, 1000, true, 300 * MIB);
	cr_assert_not_null(
		strstr(said, "and 1000 of 2 MB are free (2097152000 bytes); want at most "), "%s", said);
	cr_assert_eq(sscanf(strstr(said, "at most "), "at most %" SCNu64, &most), 1);
	cr_assert_str_empty(machine_says(with_sessions(text, most), 1000, 1000, true, 300 * MIB));
	/* Or would if they were mounted. */
	said = machine_says(text, 2000, 2000, false, 300 * MIB);
	cr_assert_not_null(strstr(said, "and 314572800 bytes of memory are free; want at most "), "%s", said);
	cr_assert_not_null(strstr(said, ", or a hugetlbfs: mkdir -p"), "%s", said);
}

Test(memory_plan, when_no_limit_makes_it_fit_that_is_said)
{
	struct config *config =
		parsed(CONFIG_TEXT("", "[1]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", "")));
	const struct memory_offer offer = { false, MEMORY_NO_LIMIT, MEMORY_NO_LIMIT, 20 * MIB };
	struct memory_limit limit[MEMORY_LIMITS];

	cr_assert_eq(memory_limits_find(config, &offer, limit), 2);
	cr_assert_eq(limit[0].fits, 0);
	cr_assert_eq(limit[1].fits, 0);
	cr_assert_str_eq(limit[0].path, "nat.max_sessions", "the one that takes the most");
	cr_assert_geq(limit[0].bytes, limit[1].bytes);
	config_free(config);
	char *said = errors_of(CONFIG_TEXT("\"memory\": { \"mib\": 64 },", "[1]", "4096", "1024",
				       POOL("203.0.113.2-203.0.113.9", "")),
		memory_check_granted);
	cr_assert_not_null(strstr(said, " MiB, as less of these is not enough\n"), "%s", said);
	free(said);
}

Test(memory_plan, with_hugepages_either_memory_must_be_enough)
{
	const struct memory_offer offer = { true, 100, 10, MEMORY_NO_LIMIT };

	cr_assert(memory_fits((struct memory_need){ 100, 10 }, &offer));
	cr_assert_not(memory_fits((struct memory_need){ 101, 10 }, &offer));
	cr_assert_not(memory_fits((struct memory_need){ 100, 11 }, &offer));
}

Test(memory_plan, memory_that_is_not_given_is_what_is_needed_and_512_mib_at_least)
{
	struct config *config =
		parsed(CONFIG_TEXT("", "[1]", "4096", "1024", POOL("203.0.113.2-203.0.113.9", "")));

	cr_assert_eq(memory_mib(config), 512);
	config->nat.max_sessions = 67108864;
	cr_assert_eq(
		memory_mib(config), (memory_need_bytes(memory_gateway_need(config, false)) + MIB - 1) / MIB);
	config->memory_mib = 300;
	cr_assert_eq(memory_mib(config), 300);
	config_free(config);
}

/* Whichever allocation it is that fails, there is an error and nothing is left behind. */
Test(memory_plan, an_allocation_that_fails_nonetheless_is_an_error_and_no_crash, .init = eal_start,
	.disabled = OWN_ALLOCATOR)
{
	const struct port_facts facts[2] = { { .device = 0 }, { .device = 1 } };
	struct config *config = parsed(CONFIG_TEXT("", "[1, 2]", "4096", "1024",
		POOL("198.18.0.0/22", ", \"port_block\": 64") ", \"max_sessions\": 500000"));
	unsigned failed = 0, made = 0;
	struct rlimit limit, before;
	long pages;

	cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
	for (uint64_t more = 0; more < 400 * MIB; more += 8 * MIB) {
		malloc_trim(0);
		FILE *statm = fopen("/proc/self/statm", "re");
		cr_assert_eq(fscanf(statm, "%ld", &pages), 1);
		fclose(statm);
		limit = (struct rlimit){ (uint64_t)pages * 4096 + more, before.rlim_max };
		cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
		errno = 0;
		struct data_plane *plane = data_plane_create(config, facts, 2, NULL);
		int error = errno;
		setrlimit(RLIMIT_AS, &before);
		if (plane == NULL)
			cr_assert_eq(error, ENOMEM, "%s", strerror(error));
		failed += plane == NULL;
		made += plane != NULL;
		data_plane_destroy(plane);
	}
	cr_assert(failed > 5 && made > 5, "%u failed, %u made", failed, made);
	config_free(config);
}
