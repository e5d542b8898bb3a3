/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/ipv4_parse.h"

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

/* Source routes let a sender choose the way around filters, so they are refused (RFC 7126 sections 4.3 and 4.4);
 * other options pass if their lengths hold. */
uint8_t ipv4_parse_options(const struct rte_ipv4_hdr *ip, uint16_t header_length)
{
	const uint8_t *option = (const uint8_t *)(ip + 1), *end = (const uint8_t *)ip + header_length;

	while (option < end && *option != OPTION_END) {
		if (*option == OPTION_NOP) {
			option++;
			continue;
		}
		if (*option == OPTION_LSRR || *option == OPTION_SSRR)
			return verdict_drop(DROP_IPV4_SOURCE_ROUTE);
		if (end - option < 2 || option[1] < 2 || option[1] > end - option)
			return verdict_drop(DROP_IPV4_OPTIONS);
		option += option[1];
	}
	return IPV4_PARSED;
}

/* A fragment is a multiple of 8 bytes unless it is the last, and none ends beyond the largest packet (RFC 791 section
 * 3.2). The first one has the whole header of its protocol, so that filters and NAT see it, and none may come to lie over
 * a TCP header (RFC 1858 section 3, RFC 3128). */
uint8_t ipv4_parse_fragment(const struct rte_ipv4_hdr *ip, struct packet_metadata *meta, uint16_t length)
{
	uint16_t bits = rte_be_to_cpu_16(ip->fragment_offset);
	uint32_t from = (uint32_t)(bits & RTE_IPV4_HDR_OFFSET_MASK) * 8;
	bool more = bits & RTE_IPV4_HDR_MF_FLAG;

	meta->flags |= PACKET_FRAGMENT;
	if (length == 0 || (more && length % 8 != 0) || from + length > UINT16_MAX)
		return verdict_drop(DROP_FRAGMENT_MALFORMED);
	if (meta->protocol == IPPROTO_TCP && (from == 0 ? length : from) < sizeof(struct rte_tcp_hdr))
		return verdict_drop(DROP_FRAGMENT_TINY);
	if (from > 0) {
		meta->flags |= PACKET_LATER_FRAGMENT;
		meta->l4_offset = 0;
	}
	return IPV4_PARSED;
}
