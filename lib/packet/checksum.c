/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet/checksum.h"
#include <netinet/in.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <stddef.h>

/* The 16-bit words are summed as they lie; protocol and length are put in network order to match. */
static uint16_t pseudo_header_sum(const struct rte_ipv4_hdr *ip, uint16_t l4_length)
{
	uint32_t sum = (uint32_t)(uint16_t)ip->src_addr + (ip->src_addr >> 16) + (uint16_t)ip->dst_addr +
		       (ip->dst_addr >> 16) + rte_cpu_to_be_16(ip->next_proto_id) +
		       rte_cpu_to_be_16(l4_length);

	return checksum_fold(sum);
}

bool checksum_complete_partial(const struct rte_ipv4_hdr *ip, void *l4, uint16_t l4_length)
{
	size_t offset;
	uint16_t field;

	if (ip->next_proto_id == IPPROTO_TCP && l4_length >= sizeof(struct rte_tcp_hdr))
		offset = offsetof(struct rte_tcp_hdr, cksum);
	else if (ip->next_proto_id == IPPROTO_UDP && l4_length >= sizeof(struct rte_udp_hdr))
		offset = offsetof(struct rte_udp_hdr, dgram_cksum);
	else
		return false;
	__builtin_memcpy(&field, (const char *)l4 + offset, sizeof(field));
	if (field != pseudo_header_sum(ip, l4_length))
		return false;
	/* The field itself holds the pseudo header's share, so the sum over the segment is the whole. */
	field = (uint16_t)~rte_raw_cksum(l4, l4_length);
	if (field == 0)
		field = 0xffff;
	__builtin_memcpy((char *)l4 + offset, &field, sizeof(field));
	return true;
}
