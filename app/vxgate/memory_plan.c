/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgate/memory_plan.h"

#include "management/config_apply.h"
#include "port/port.h"
#include "slowpath/slowpath.h"
#include "table/fragment_table.h"
#include "vxgate/lcore_plan.h"
#include <inttypes.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB                (UINT64_C(1) << 20)
#define PROCESS_BYTES      (48 * MIB) /* the program, its libraries, and what the EAL keeps for itself */
#define EAL_BYTES          (8 * MIB)  /* devices, their queues, and what is lost between pieces */
#define MANAGEMENT_PACKETS 8192u      /* waiting for ARP, punted and not handled yet */
#define RINGS_FULL         2u         /* of the rings of a lcore, so many may be full at once */
#define SMALL_PAGE         4096u
#define HUGE_PAGE          (2u << 20)
#define RX_DESCRIPTORS_MIN 64u

static uint32_t buffers_kept(const struct config *config)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < config->port_count; i++)
		kept += port_buffers_kept(&(struct port_settings){ .device = config->port[i].device });
	return kept;
}

uint32_t memory_packet_buffers(const struct config *config)
{
	uint32_t lcores = config->lcores.packet_count, senders = lcore_plan_senders(&config->lcores);
	uint32_t packets = MANAGEMENT_PACKETS + buffers_kept(config);

	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->port[i];
		packets += (uint32_t)port->rx_queues * port->rx_descriptors + senders * port->tx_descriptors;
	}
	packets += lcores * (config->port_count * TX_BUFFER + BURST_MAX + MEMORY_PACKET_CACHE +
				    MEMORY_PACKET_CACHE / 2);
	packets += lcores * FRAGMENT_WAITING_PACKETS;
	if (lcores > 1)
		packets += lcores * RINGS_FULL * LCORE_RING_SIZE;
	return packets;
}

uint16_t memory_packet_buffer_size(const struct config *config)
{
	uint16_t size = 0;

	for (uint32_t i = 0; i < config->port_count; i++) {
		struct port_settings settings = { .device = config->port[i].device,
			.mtu = config->port[i].mtu };
		uint16_t needed = port_buffer_size(&settings);
		size = needed > size ? needed : size;
	}
	return size;
}

/* No buffer lies on a page's end, which of 4 KB pages wastes much: for the usual MTU there is one in each. */
static struct memory_need pool_need(uint32_t packets, uint32_t buffer, bool hugepages)
{
	uint32_t page = hugepages ? HUGE_PAGE : SMALL_PAGE;
	uint32_t object = rte_mempool_calc_obj_size(
		(uint32_t)sizeof(struct rte_mbuf) + PACKET_PRIVATE_SIZE + buffer, 0, NULL);
	uint32_t a_page = page / object;
	struct memory_need need = a_page == 0 ? memory_of_table(packets, RTE_ALIGN_CEIL(object, page))
					      : memory_of_table((packets + a_page - 1) / a_page + 1, page);

	memory_need_add(&need, memory_of_table(rte_align32pow2(packets + 1), sizeof(void *)));
	memory_need_add(&need, memory_of_table(RTE_MAX_LCORE, sizeof(struct rte_mempool_cache)));
	return need;
}

/* The most that own sessions: in a split plan fewer do. */
static uint16_t owners_of(const struct config *config)
{
	struct lcore_plan plan;
	char error[256];

	if (lcore_plan_make(&config->lcores, NULL, 0, false, &plan, error, sizeof(error)) < 0)
		return (uint16_t)RTE_MAX(config->lcores.packet_count, 1u);
	return lcore_plan_owners(&plan);
}

struct memory_need memory_gateway_need(const struct config *config, bool hugepages)
{
	const struct data_plane_size size = data_plane_size(config);
	struct memory_need need = data_plane_need(config, owners_of(config));

	memory_need_add(&need,
		pool_need(memory_packet_buffers(config), memory_packet_buffer_size(config), hugepages));
	memory_need_add(&need, pool_need(MEMORY_CONTROL_PACKETS,
				       RTE_PKTMBUF_HEADROOM + RTE_MBUF_DEFAULT_DATAROOM, hugepages));
	memory_need_add(&need, packet_path_need((uint16_t)config->lcores.packet_count, LCORE_RING_SIZE,
				       size.segments, size.tunnels));
	memory_need_add(&need, slowpath_need(size.neighbours, size.segments, size.tunnels));
	/* Devices have those that they keep in a ring. */
	memory_need_add(&need, memory_of_table(rte_align32pow2(buffers_kept(config) + 1), sizeof(void *)));
	memory_need_add(&need, (struct memory_need){ .table = EAL_BYTES, .process = PROCESS_BYTES });
	return need;
}

bool memory_fits(struct memory_need need, const struct memory_offer *offer)
{
	return need.table <= offer->table && memory_need_bytes(need) <= offer->all &&
	       need.process <= offer->process;
}

/* The number in the first line of the file that begins with `key`; UINT64_MAX: none, or "max". */
static uint64_t number_of_file(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	uint64_t number = UINT64_MAX;
	char line[256];

	while (file != NULL && number == UINT64_MAX && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, key, strlen(key)) == 0 &&
			sscanf(line + strlen(key), "%" SCNu64, &number) != 1)
			number = UINT64_MAX;
	if (file != NULL)
		fclose(file);
	return number;
}

uint64_t memory_available(void)
{
	uint64_t machine = number_of_file("/proc/meminfo", "MemAvailable:");
	uint64_t most = number_of_file("/sys/fs/cgroup/memory.max", "");
	uint64_t now = number_of_file("/sys/fs/cgroup/memory.current", "");

	machine = machine > UINT64_MAX / 1024 ? UINT64_MAX : machine * 1024;
	if (most != UINT64_MAX && now != UINT64_MAX)
		machine = RTE_MIN(machine, most > now ? most - now : 0);
	return machine;
}

/* ---- which limit ---- */

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
