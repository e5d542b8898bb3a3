/* SPDX-License-Identifier: BSD-3-Clause */
/* The buffers of all packets: enough that a full device queue here does not starve another one there. */
#include "vxgate/gateway.h"

#include "base/log.h"
#include "table/fragment_table.h"
#include <errno.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#define POOL_CACHE         256u
#define MANAGEMENT_PACKETS 8192u /* waiting for ARP, punted and not handled yet */
#define CONTROL_PACKETS    4095u /* made by the slow path: at most some rings of it under way */
#define RINGS_FULL         2u    /* of the rings of a lcore, so many may be full at once */

static uint32_t packets_needed(const struct gateway *gateway)
{
	const struct config *config = gateway->config;
	uint32_t lcores = config->lcores.packet_count, senders = lcore_plan_senders(&config->lcores);
	uint32_t packets = MANAGEMENT_PACKETS;

	for (uint32_t i = 0; i < config->port_count; i++) {
		const struct config_port *port = &config->port[i];
		packets += (uint32_t)port->rx_queues * port->rx_descriptors + senders * port->tx_descriptors;
	}
	packets += lcores * (config->port_count * TX_BUFFER + BURST_MAX + POOL_CACHE + POOL_CACHE / 2);
	packets += lcores * FRAGMENT_WAITING_PACKETS;
	if (lcores > 1)
		packets += lcores * RINGS_FULL * LCORE_RING_SIZE;
	return packets;
}

static uint16_t buffer_size_needed(const struct config *config)
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

static struct rte_mempool *pool_create(
	const struct gateway *gateway, const char *name, uint32_t packets, uint16_t buffer)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, packets, POOL_CACHE, PACKET_PRIVATE_SIZE, buffer, SOCKET_ID_ANY);
	size_t size = sizeof(struct rte_mbuf) + PACKET_PRIVATE_SIZE + buffer + RTE_CACHE_LINE_SIZE;

	if (pool == NULL)
		log_error("no memory for %u packet buffers of %u bytes, %zu MiB (%s): memory.mib is %u, and "
			  "the "
			  "session tables need their part too",
			packets, buffer, ((size_t)packets * size >> 20) + 1, rte_strerror(rte_errno),
			gateway->config->memory_mib);
	return pool;
}

int packet_pools_create(struct gateway *gateway)
{
	uint16_t buffer = buffer_size_needed(gateway->config);

	gateway->packet_pool = pool_create(gateway, "packets", packets_needed(gateway), buffer);
	if (gateway->packet_pool == NULL)
		return -ENOMEM;
	gateway->control_pool = pool_create(
		gateway, "control", CONTROL_PACKETS, RTE_PKTMBUF_HEADROOM + RTE_MBUF_DEFAULT_DATAROOM);
	return gateway->control_pool == NULL ? -ENOMEM : 0;
}

void packet_pools_free(struct gateway *gateway)
{
	rte_mempool_free(gateway->control_pool);
	rte_mempool_free(gateway->packet_pool);
	gateway->control_pool = gateway->packet_pool = NULL;
}
