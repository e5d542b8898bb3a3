/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port received: VXLAN to us, ARP, IP to route or to ourselves, and everything that is none of these. */
#include "packet/arp_wire.h"
#include "packet/vxlan_wire.h"
#include "stage/ipv4_parse.h"
#include "stage/lcore_context.h"
#include "table/data_plane.h"

#define AHEAD 8

static bool is_own_address(const struct port_interface *port, rte_be32_t address)
{
	for (uint16_t i = 0; i < port->address_count; i++)
		if (port->address[i].address == address)
			return true;
	return false;
}

static bool ipv4_is_multicast(rte_be32_t address)
{
	return (address & RTE_BE32(0xf0000000)) == RTE_BE32(0xe0000000);
}

static uint8_t classify_ipv4(const struct data_plane *plane, const struct port_interface *port,
	struct rte_mbuf *m, struct packet_metadata *meta, bool unicast)
{
	bool sum_known_good = port->rx_ip_checksum &&
			      (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	uint8_t verdict = ipv4_parse(m, meta, !sum_known_good);
	const struct rte_ipv4_hdr *ip = frame_ipv4(m);

	if (unlikely(verdict != IPV4_PARSED))
		return verdict;
	if (meta->protocol == IPPROTO_UDP && meta->l4_offset != 0) {
		const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, void *, meta->l4_offset);
		if (udp->dst_port == plane->vxlan_port && plane->vtep_address != 0 &&
			(likely(ip->dst_addr == plane->vtep_address) || ipv4_is_multicast(ip->dst_addr)))
			return STAGE_VXLAN_DECAP;
	}
	if (unlikely(meta->protocol == IPPROTO_IGMP && ipv4_is_multicast(ip->dst_addr))) {
		meta->punt = PUNT_IGMP;
		return VERDICT_PUNT;
	}
	/* A broadcast frame with a unicast packet must not be forwarded (RFC 1812 section 5.3.4). */
	if (unlikely(!unicast || ipv4_source_impossible(ip->dst_addr)))
		return verdict_drop(DROP_IPV4_DESTINATION);
	if (unlikely(is_own_address(port, ip->src_addr)))
		return verdict_drop(DROP_IPV4_SPOOFED_SELF);
	return STAGE_ROUTE;
}

static uint8_t classify_one(const struct data_plane *plane, struct rte_mbuf *m)
{
	struct packet_metadata *meta = packet_metadata(m);
	interface_id ingress = meta->ingress;
	const struct port_interface *port = &plane->port[ingress];

	*meta = (struct packet_metadata){ .ingress = ingress,
		.ingress_port = (uint8_t)ingress,
		.egress = INTERFACE_NONE,
		.neighbour = INDEX_NONE,
		.tunnel = INDEX_NONE,
		.fdb = INDEX_NONE,
		.flags = port->partial_checksums ? PACKET_PARTIAL_CHECKSUM : 0 };
	if (unlikely(m->nb_segs != 1))
		return verdict_drop(DROP_MULTI_SEGMENT);
	if (unlikely(m->data_len < sizeof(struct rte_ether_hdr)))
		return verdict_drop(DROP_ETHERNET_TRUNCATED);

	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	bool unicast = rte_is_same_ether_addr(&ethernet->dst_addr, &port->mac);
	if (unlikely(!unicast && !rte_is_multicast_ether_addr(&ethernet->dst_addr)))
		return verdict_drop(DROP_ETHERNET_NOT_OURS);
	switch (ethernet->ether_type) {
	case RTE_BE16(RTE_ETHER_TYPE_IPV4):
		return classify_ipv4(plane, port, m, meta, unicast);
	case RTE_BE16(ETHER_TYPE_ARP):
		meta->punt = PUNT_ARP;
		return VERDICT_PUNT;
	case RTE_BE16(RTE_ETHER_TYPE_IPV6):
		return verdict_drop(DROP_IPV6_UNSUPPORTED);
	case RTE_BE16(RTE_ETHER_TYPE_VLAN):
	case RTE_BE16(RTE_ETHER_TYPE_QINQ):
		return verdict_drop(DROP_VLAN_TAGGED);
	default:
		return verdict_drop(DROP_ETHERNET_TYPE);
	}
}

void classify_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	const struct data_plane *plane = context->plane;
	struct interface_counters *counters = context->counters.interface;

	for (uint16_t i = 0; i < RTE_MIN(count, AHEAD); i++)
		rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
	for (uint16_t i = 0; i < count; i++) {
		if (i + AHEAD < count) {
			const uint8_t *data = rte_pktmbuf_mtod(packets[i + AHEAD], const uint8_t *);
			rte_prefetch0(data);
			rte_prefetch0(data + 64); /* the inner IP header of VXLAN */
		}
		struct interface_counters *interface = &counters[packet_metadata(packets[i])->ingress];
		interface->rx_packets++;
		interface->rx_bytes += packets[i]->pkt_len;
		verdict[i] = classify_one(plane, packets[i]);
	}
}
