/* SPDX-License-Identifier: BSD-3-Clause */
/* The checks of an IPv4 packet that every router makes (RFC 1812 section 5.2.2), for the packet at offset 14 of a
 * frame: used by classify for what comes in plain and by mac_learn for what came in a tunnel. */
#pragma once

#include "packet/checksum.h"
#include "packet/ipv4_address.h"
#include "packet/packet_metadata.h"
#include "stage/stage.h"
#include "table/interface.h"
#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <stdbool.h>

#define IPV4_PARSED 0

/* Header lengths beyond 20 bytes; in ipv4_parse.c. IPV4_PARSED or a drop verdict. */
uint8_t ipv4_parse_options(const struct rte_ipv4_hdr *ip, uint16_t header_length);

/* Likewise for a fragment with `length` bytes of payload; notes that and which it is. */
uint8_t ipv4_parse_fragment(const struct rte_ipv4_hdr *ip, struct packet_metadata *meta, uint16_t length);

static inline struct rte_ipv4_hdr *frame_ipv4(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, L3_OFFSET);
}

/* Of a packet larger than `mtu`, that of the way out: true when the sender lets it be cut (RFC 791), which is then done
 * once the way is known. Else it asked by DF to be told the MTU (RFC 1191). */
static inline bool packet_may_be_fragmented(
	const struct rte_ipv4_hdr *ip, struct packet_metadata *meta, uint16_t mtu)
{
	if (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) {
		meta->mtu = mtu;
		return false;
	}
	meta->fit |= FIT_TOO_BIG;
	return true;
}

static inline uint8_t l4_parse(struct packet_metadata *meta, const uint8_t *l4, uint16_t l4_length)
{
	switch (meta->protocol) {
	case IPPROTO_TCP: {
		const struct rte_tcp_hdr *tcp = (const void *)l4;
		if (unlikely(l4_length < sizeof(*tcp)))
			return verdict_drop(DROP_L4_TRUNCATED);
		uint16_t header = (uint16_t)((tcp->data_off >> 4) * 4);
		if (unlikely(header < sizeof(*tcp) || header > l4_length))
			return verdict_drop(DROP_TCP_HEADER_LENGTH);
		meta->fit = (tcp->tcp_flags & RTE_TCP_SYN_FLAG) != 0 ? FIT_TCP_SYN : 0;
		break;
	}
	case IPPROTO_UDP: {
		const struct rte_udp_hdr *udp = (const void *)l4;
		if (unlikely(l4_length < sizeof(*udp)))
			return verdict_drop(DROP_L4_TRUNCATED);
		uint16_t length = rte_be_to_cpu_16(udp->dgram_len);
		if (unlikely(length < sizeof(*udp) ||
			     (length > l4_length && !(meta->flags & PACKET_FRAGMENT))))
			return verdict_drop(DROP_UDP_LENGTH);
		break;
	}
	case IPPROTO_ICMP:
		if (unlikely(l4_length < sizeof(struct rte_icmp_hdr)))
			return verdict_drop(DROP_L4_TRUNCATED);
		break;
	default:
		break;
	}
	return IPV4_PARSED;
}

/* Checks lengths, header checksum, source and L4 header of the frame's packet, cuts off padding, completes a
 * half-finished checksum, and notes protocol, l4_offset and fragment flags. IPV4_PARSED or a drop verdict. */
static __rte_always_inline uint8_t ipv4_parse_with(
	struct rte_mbuf *m, struct packet_metadata *meta, bool check_header_sum, const bool any_source)
{
	struct rte_ipv4_hdr *ip = frame_ipv4(m);
	uint16_t room = (uint16_t)(m->data_len - L3_OFFSET);
	uint16_t header_length = 20;

	if (unlikely(room < sizeof(*ip)))
		return verdict_drop(DROP_IPV4_TRUNCATED);
	uint16_t total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF)) {
		if (ip->version_ihl >> 4 != 4)
			return verdict_drop(DROP_IPV4_VERSION);
		header_length = (uint16_t)((ip->version_ihl & 15) * 4);
		if (header_length < sizeof(*ip) || header_length > total)
			return verdict_drop(DROP_IPV4_HEADER_LENGTH);
		if (header_length > room)
			return verdict_drop(DROP_IPV4_TRUNCATED);
		if (check_header_sum && rte_raw_cksum(ip, header_length) != 0xffff)
			return verdict_drop(DROP_IPV4_CHECKSUM);
		uint8_t verdict = ipv4_parse_options(ip, header_length);
		if (verdict != IPV4_PARSED)
			return verdict;
	} else if (check_header_sum && unlikely(!ipv4_checksum_is_right(ip))) {
		return verdict_drop(DROP_IPV4_CHECKSUM);
	}
	if (unlikely(total < header_length || total > room))
		return verdict_drop(DROP_IPV4_TOTAL_LENGTH);
	if (unlikely(!any_source && ipv4_source_impossible(ip->src_addr)))
		return verdict_drop(DROP_IPV4_SOURCE);
	if (unlikely(total != room))
		m->data_len = (uint16_t)(total + L3_OFFSET), m->pkt_len = m->data_len;
	meta->protocol = ip->next_proto_id;
	meta->l4_offset = (uint8_t)(L3_OFFSET + header_length);
	if (unlikely(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))) {
		uint8_t verdict = ipv4_parse_fragment(ip, meta, (uint16_t)(total - header_length));
		if (verdict != IPV4_PARSED || meta->flags & PACKET_LATER_FRAGMENT)
			return verdict;
	}
	/* A sender's stack finishes the sum before it cuts a packet: only what is whole can be half-finished. */
	uint8_t *l4 = (uint8_t *)ip + header_length;
	uint8_t verdict = l4_parse(meta, l4, (uint16_t)(total - header_length));
	if (unlikely(meta->flags & PACKET_PARTIAL_CHECKSUM) && verdict == IPV4_PARSED &&
		!(meta->flags & PACKET_FRAGMENT))
		checksum_complete_partial(ip, l4, (uint16_t)(total - header_length));
	return verdict;
}

static inline uint8_t ipv4_parse(struct rte_mbuf *m, struct packet_metadata *meta, bool check_header_sum)
{
	return ipv4_parse_with(m, meta, check_header_sum, false);
}

/* For what a host without an address may send: its source is the caller's to check. */
static inline uint8_t ipv4_parse_any_source(
	struct rte_mbuf *m, struct packet_metadata *meta, bool check_header_sum)
{
	return ipv4_parse_with(m, meta, check_header_sum, true);
}

/* Is the checksum of a datagram right that has one? The device may have looked. */
static inline bool udp_checksum_is_right(const struct port_interface *port, const struct rte_mbuf *m,
	const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp)
{
	return (port->rx_l4_checksum &&
		       (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD) ||
	       rte_ipv4_udptcp_cksum_verify(ip, udp) == 0;
}

enum { UDP_PORT_DHCP_SERVER = 67, UDP_PORT_DHCP_CLIENT = 68 };
