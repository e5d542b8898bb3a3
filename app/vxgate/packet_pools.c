/* SPDX-License-Identifier: BSD-3-Clause */
/* The buffers of all packets; how many: memory_plan.c. */
#include "vxgate/gateway.h"

#include "base/log.h"
#include "vxgate/memory_plan.h"
#include <errno.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

static struct rte_mempool *pool_create(
	const struct gateway *gateway, const char *name, uint32_t packets, uint16_t buffer)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		name, packets, MEMORY_PACKET_CACHE, PACKET_PRIVATE_SIZE, buffer, SOCKET_ID_ANY);
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
	gateway->packet_pool = pool_create(gateway, "packets", memory_packet_buffers(gateway->config),
		memory_packet_buffer_size(gateway->config));
	if (gateway->packet_pool == NULL)
		return -ENOMEM;
	gateway->control_pool = pool_create(
		gateway, "control", MEMORY_CONTROL_PACKETS, RTE_PKTMBUF_HEADROOM + RTE_MBUF_DEFAULT_DATAROOM);
	return gateway->control_pool == NULL ? -ENOMEM : 0;
}

void packet_pools_free(struct gateway *gateway)
{
	rte_mempool_free(gateway->control_pool);
	rte_mempool_free(gateway->packet_pool);
	gateway->control_pool = gateway->packet_pool = NULL;
}
