/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory a configuration takes, and how much the machine has. Needs no EAL; nothing is allocated of what it is
 * about. */
#pragma once

#include "base/memory_need.h"
#include "management/config.h"
#include <stdbool.h>

#define MEMORY_CONTROL_PACKETS 4095u /* made by the slow path: at most some rings of it under way */
#define MEMORY_PACKET_CACHE    256u  /* of each lcore, in the pools of buffers */
#define MEMORY_MIB_LEAST       512u  /* where the configuration leaves memory.mib to us */

/* The buffers of all packets: enough that a full device queue here does not starve another one there. */
uint32_t memory_packet_buffers(const struct config *config);
uint16_t memory_packet_buffer_size(const struct config *config); /* of their data, headroom included */

/* Everything, that of the process itself too. Never less than what it will be. */
struct memory_need memory_gateway_need(const struct config *config, bool hugepages);

/* What there is, in bytes: of either kind of memory (struct memory_need), and of both together. */
struct memory_offer {
	bool hugepages; /* the EAL's memory is in them */
	uint64_t table, process, all;
};
#define MEMORY_NO_LIMIT UINT64_MAX
bool memory_fits(struct memory_need need, const struct memory_offer *offer);
/* Memory that the kernel would give this process: what is available of the machine's, and of its control group's. */
uint64_t memory_available(void);
