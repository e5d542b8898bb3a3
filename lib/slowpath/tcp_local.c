/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP to our own addresses, where nothing listens: a reset, as from a closed port (RFC 9293 section 3.10.7.1). */
#include "slowpath/slowpath_private.h"
#include <netinet/in.h>
#include <rte_tcp.h>

#define RESET_TTL 64

struct reset {
	struct rte_ipv4_hdr ip;
	struct rte_tcp_hdr tcp;
} __attribute__((packed));
_Static_assert(sizeof(struct reset) == 40, "without options");

/* The reset takes its sequence number from what the other side acknowledges, or acknowledges what it has sent. */
static void sequence_fill(struct rte_tcp_hdr *reset, const struct rte_tcp_hdr *tcp, uint16_t data)
{
	if (tcp->tcp_flags & RTE_TCP_ACK_FLAG) {
		reset->sent_seq = tcp->recv_ack;
		reset->tcp_flags = RTE_TCP_RST_FLAG;
		return;
	}
	uint32_t length = data + ((tcp->tcp_flags & RTE_TCP_SYN_FLAG) != 0) +
			  ((tcp->tcp_flags & RTE_TCP_FIN_FLAG) != 0);
	reset->recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + length);
	reset->tcp_flags = RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG;
}

static void reset_send(
	struct slowpath *slowpath, const struct rte_mbuf *m, const struct rte_tcp_hdr *tcp, uint16_t data)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, L3_OFFSET);
	interface_id ingress = packet_metadata((struct rte_mbuf *)(uintptr_t)m)->ingress;
	struct rte_mbuf *answer = control_packet(slowpath, L3_OFFSET + sizeof(struct reset));

	if (answer == NULL)
		return;
	struct reset *reset = rte_pktmbuf_mtod_offset(answer, struct reset *, L3_OFFSET);
	*reset = (struct reset){ .ip = { .version_ihl = RTE_IPV4_VHL_DEF,
					 .total_length = rte_cpu_to_be_16(sizeof(*reset)),
					 .fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG),
					 .time_to_live = RESET_TTL,
					 .next_proto_id = IPPROTO_TCP,
					 .src_addr = ip->dst_addr,
					 .dst_addr = ip->src_addr },
		.tcp = { .src_port = tcp->dst_port,
			.dst_port = tcp->src_port,
			.data_off = sizeof(struct rte_tcp_hdr) / 4 << 4 } };
	sequence_fill(&reset->tcp, tcp, data);
	reset->ip.hdr_checksum = rte_ipv4_cksum(&reset->ip);
	reset->tcp.cksum = rte_ipv4_udptcp_cksum(&reset->ip, &reset->tcp);
	packet_metadata(answer)->protocol = IPPROTO_TCP;
	packet_metadata(answer)->l4_offset = L3_OFFSET + sizeof(reset->ip);
	if (inject_back(slowpath, answer, ingress, reset->ip.dst_addr))
		slowpath->counters.tcp_resets_sent++;
}

void tcp_input(struct slowpath *slowpath, struct rte_mbuf *m, uint16_t header_length, uint16_t length)
{
	const struct rte_ipv4_hdr *ip = packet_ipv4(m);
	const struct rte_tcp_hdr *tcp = (const void *)((const uint8_t *)ip + header_length);
	uint16_t tcp_header = length >= header_length + sizeof(*tcp) ? (uint16_t)(tcp->data_off >> 4) * 4 : 0;

	if (tcp_header < sizeof(*tcp) || header_length + tcp_header > length ||
		rte_ipv4_udptcp_cksum_verify(ip, tcp) != 0) {
		packet_drop(slowpath, m, SLOWPATH_DROP_TCP_MALFORMED);
		return;
	}
	if (!(tcp->tcp_flags & RTE_TCP_RST_FLAG) && address_is_unicast(ip->src_addr) &&
		!own_address_on(slowpath, packet_metadata(m)->ingress, ip->src_addr)) {
		if (token_bucket_take(&slowpath->tcp_resets, slowpath->now_ns))
			reset_send(slowpath, m, tcp, (uint16_t)(length - header_length - tcp_header));
		else
			slowpath->counters.tcp_resets_limited++;
	}
	packet_drop(slowpath, m, SLOWPATH_DROP_SLOWPATH_UNHANDLED);
}
