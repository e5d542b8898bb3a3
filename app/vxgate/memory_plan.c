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
#include <string.h>

#define MIB                (UINT64_C(1) << 20)
#define PROCESS_BYTES      (48 * MIB) /* the program, its libraries, and what the EAL keeps for itself */
#define EAL_BYTES          (8 * MIB)  /* devices, their queues, and what is lost between pieces */
#define MANAGEMENT_PACKETS 8192u      /* waiting for ARP, punted and not handled yet */
#define RINGS_FULL         2u         /* of the rings of a lcore, so many may be full at once */
#define SMALL_PAGE         4096u
#define HUGE_PAGE          (2u << 20)

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
