/* SPDX-License-Identifier: BSD-3-Clause */
/* What is put into a tunnel's header for each packet (RFC 7348 section 5), for vxlan_encap and for the fast path. */
#pragma once

#include "packet/checksum.h"
#include "stage/lcore_context.h"
#include "table/data_plane.h"

/* The outer UDP source port: of the dynamic ports, as RFC 7348 section 5 recommends; the same for all packets of a flow.
 * `addresses`: destination, then source, as two words that lie so in memory; `ports`: the same, 0 without. */
static inline rte_be16_t vxlan_source_port(uint64_t addresses, uint32_t ports)
{
	uint64_t mixed = addresses + ((uint64_t)ports << 17);

	mixed ^= mixed >> 32;
	mixed *= UINT64_C(0x9e3779b97f4a7c15);
	return rte_cpu_to_be_16((uint16_t)(0xc000 | mixed >> 50));
}

static inline void vxlan_outer_finish(
	struct vxlan_outer *outer, uint16_t frame_length, rte_be16_t source_port)
{
	rte_be16_t ip_length = rte_cpu_to_be_16((uint16_t)(frame_length - sizeof(outer->ethernet)));

	outer->ip.total_length = ip_length;
	outer->ip.hdr_checksum = checksum_apply(outer->ip.hdr_checksum, ip_length);
	outer->udp.src_port = source_port;
	outer->udp.dgram_len =
		rte_cpu_to_be_16((uint16_t)(frame_length - sizeof(outer->ethernet) - sizeof(outer->ip)));
}

/* `length`: of the frame inside. */
static inline void vxlan_count_sent(struct lcore_context *context, uint32_t tunnel, uint32_t length)
{
	struct interface_counters *counters = &context->counters.tunnel[tunnel].counters;

	counters->tx_packets++;
	counters->tx_bytes += length;
}
