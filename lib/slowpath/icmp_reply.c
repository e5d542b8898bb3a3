/* SPDX-License-Identifier: BSD-3-Clause */
/* What is for one of our own addresses: ICMP echo is answered (RFC 1122 section 3.2.2.6), UDP goes to the services or gets
 * ICMP port unreachable (udp_local.c), TCP gets a reset (tcp_local.c), and what is none of these protocol unreachable. */
#include "slowpath/udp_local.h"
#include <netinet/in.h>
#include <rte_icmp.h>

#define REPLY_TTL 64

static void addresses_swap(struct rte_ipv4_hdr *ip)
{
	rte_be32_t asker = ip->src_addr;

	ip->src_addr = ip->dst_addr;
	ip->dst_addr = asker;
}

/* The request becomes the reply: same size, same data, same IP options (source routes never come here). */
static void echo_reply(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length)
{
	struct packet_metadata *meta = packet_metadata(m);
	struct rte_ipv4_hdr *ip = packet_ipv4(m);
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)((uint8_t *)ip + header_length);
	interface_id ingress = meta->ingress;

	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum = 0;
	icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, (size_t)(length - header_length));
	addresses_swap(ip);
	ip->time_to_live = REPLY_TTL;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header_length);
	meta->nat = NAT_NONE;
	meta->fdb = INDEX_NONE;
	if (inject_back(slowpath, m, ingress, ip->dst_addr))
		slowpath->counters.echo_replies_sent++;
}

static void icmp_input(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	const struct rte_icmp_hdr *icmp = (const void *)((const uint8_t *)ip + header_length);

	if (length - header_length < (int)sizeof(*icmp) ||
		rte_raw_cksum(icmp, (size_t)(length - header_length)) != 0xffff) {
		packet_drop(slowpath, m, SLOWPATH_DROP_ICMP_MALFORMED);
		return;
	}
	if (icmp->icmp_type == RTE_IP_ICMP_ECHO_REQUEST && icmp->icmp_code == 0)
		echo_reply(slowpath, m, header_length, length);
	else
		packet_drop(slowpath, m, SLOWPATH_DROP_SLOWPATH_UNHANDLED);
}

void local_input(struct slowpath *slowpath, struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);

	if (m->data_len < L3_OFFSET + sizeof(*ip)) {
		packet_drop(slowpath, m, SLOWPATH_DROP_IPV4_TRUNCATED);
		return;
	}
	uint16_t header_length = rte_ipv4_hdr_len(ip), length = rte_be_to_cpu_16(ip->total_length);
	if (header_length < sizeof(*ip) || length < header_length || length > m->data_len - L3_OFFSET) {
		packet_drop(slowpath, m, SLOWPATH_DROP_IPV4_TRUNCATED);
		return;
	}
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) {
		packet_drop(slowpath, m, SLOWPATH_DROP_LOCAL_FRAGMENT);
		return;
	}
	if (ip->next_proto_id == IPPROTO_ICMP) {
		icmp_input(slowpath, m, header_length, length);
		return;
	}
	if (ip->next_proto_id == IPPROTO_UDP) {
		udp_input(slowpath, m, header_length, length);
		return;
	}
	if (ip->next_proto_id == IPPROTO_TCP) {
		tcp_input(slowpath, m, header_length, length);
		return;
	}
	icmp_error_send(slowpath, m, ICMP_DESTINATION_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE, 0);
	packet_drop(slowpath, m, SLOWPATH_DROP_SLOWPATH_UNHANDLED);
}
