/* SPDX-License-Identifier: BSD-3-Clause */
#include "slowpath/udp_local.h"
#include <netinet/in.h>
#include <string.h>

#define LOCAL_TTL 64

/* False when the UDP header does not fit, or the checksum is wrong. */
static bool udp_read(struct rte_mbuf *m, uint16_t header_length, uint16_t length, struct udp_local *udp)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	const struct rte_udp_hdr *header = (const void *)((const uint8_t *)ip + header_length);

	if (length < header_length + sizeof(*header))
		return false;
	uint16_t udp_length = rte_be_to_cpu_16(header->dgram_len);
	if (udp_length < sizeof(*header) || udp_length > length - header_length)
		return false;
	/* 0: the sender made none. DPDK's function takes the length from the IP header, so padding after UDP would count. */
	if (header->dgram_cksum != 0 && udp_length == length - header_length &&
		rte_ipv4_udptcp_cksum_verify(ip, header) != 0)
		return false;
	*udp = (struct udp_local){ .source = ip->src_addr,
		.destination = ip->dst_addr,
		.source_port = rte_be_to_cpu_16(header->src_port),
		.destination_port = rte_be_to_cpu_16(header->dst_port),
		.data = (const uint8_t *)(header + 1),
		.length = (uint16_t)(udp_length - sizeof(*header)) };
	return true;
}

void udp_input(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length)
{
	struct udp_local udp;

	if (!udp_read(m, header_length, length, &udp)) {
		packet_drop(slowpath, m, SLOWPATH_DROP_UDP_MALFORMED);
		return;
	}
	if (dhcp_input(slowpath, m, &udp) || port_control_input(slowpath, m, &udp))
		return;
	icmp_error_send(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
	packet_drop(slowpath, m, SLOWPATH_DROP_SLOWPATH_UNHANDLED);
}

/* mac_learn lets through what a service of the segment may want, and has checked its IP header. */
void broadcast_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	struct udp_local udp;

	if (m->data_len < L3_OFFSET + sizeof(*ip) || ip->next_proto_id != IPPROTO_UDP ||
		rte_be_to_cpu_16(ip->total_length) > m->data_len - L3_OFFSET) {
		packet_drop(slowpath, m, SLOWPATH_DROP_SEGMENT_BROADCAST);
		return;
	}
	if (!udp_read(m, rte_ipv4_hdr_len(ip), rte_be_to_cpu_16(ip->total_length), &udp))
		packet_drop(slowpath, m, SLOWPATH_DROP_UDP_MALFORMED);
	else if (!dhcp_input(slowpath, m, &udp))
		packet_drop(slowpath, m, SLOWPATH_DROP_SEGMENT_BROADCAST);
}

void udp_headers_fill(struct udp_headers *headers, const struct udp_addresses *addresses, uint16_t length)
{
	uint16_t udp_length = (uint16_t)(sizeof(headers->udp) + length);

	headers->ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(headers->ip) + udp_length)),
		.time_to_live = LOCAL_TTL,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = addresses->source,
		.dst_addr = addresses->destination };
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	headers->udp = (struct rte_udp_hdr){ .src_port = rte_cpu_to_be_16(addresses->source_port),
		.dst_port = rte_cpu_to_be_16(addresses->destination_port),
		.dgram_len = rte_cpu_to_be_16(udp_length) };
	headers->udp.dgram_cksum = rte_ipv4_udptcp_cksum(&headers->ip, &headers->udp);
}

struct rte_mbuf *udp_packet(
	struct slowpath *slowpath, const struct udp_addresses *addresses, const void *data, uint16_t length)
{
	struct rte_mbuf *m =
		control_packet(slowpath, (uint16_t)(L3_OFFSET + sizeof(struct udp_headers) + length));

	if (m == NULL)
		return NULL;
	struct udp_headers *headers = rte_pktmbuf_mtod_offset(m, struct udp_headers *, L3_OFFSET);
	memcpy(headers + 1, data, length);
	udp_headers_fill(headers, addresses, length);
	packet_metadata(m)->protocol = IPPROTO_UDP;
	packet_metadata(m)->l4_offset = L3_OFFSET + sizeof(headers->ip);
	return m;
}
