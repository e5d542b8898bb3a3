/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN decapsulation (RFC 7348 sections 4 and 5): which segment, from which VTEP, and may that VTEP speak for it.
 * The permission is the existence of a tunnel for (segment, outer source address). */
#include "packet/checksum.h"
#include "packet/vxlan_wire.h"
#include "stage/ipv4_parse.h"
#include "stage/lcore_context.h"
#include "table/data_plane.h"

#define LAST_TUNNELS 8

struct last_found { /* within a burst */
	uint32_t vni;
	uint32_t segment;
	struct {
		uint64_t key;
		uint32_t tunnel;
	} at[LAST_TUNNELS]; /* by the VTEP's last bits: packets of a few VTEPs come mixed */
};

/* Finishes the checksum of the frame inside, `room` bytes from `frame`. True when it was half-finished. */
static bool inner_checksum_complete(void *frame, uint16_t room)
{
	const struct rte_ether_hdr *ethernet = frame;
	struct rte_ipv4_hdr *ip = (void *)((uint8_t *)frame + L3_OFFSET);

	if (room < L3_OFFSET + sizeof(*ip) || ethernet->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4))
		return false;
	uint16_t header_length = rte_ipv4_hdr_len(ip), total = rte_be_to_cpu_16(ip->total_length);
	if (header_length < sizeof(*ip) || total < header_length || total > room - L3_OFFSET ||
		ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))
		return false;
	return checksum_complete_partial(
		ip, (uint8_t *)ip + header_length, (uint16_t)(total - header_length));
}

/* 0 says that the sender made none (RFC 7348 section 4.1); any other must be right. */
static bool udp_checksum_wrong(const struct port_interface *port, const struct rte_mbuf *m,
	const struct rte_ipv4_hdr *ip, struct rte_udp_hdr *udp)
{
	uint16_t headers = sizeof(struct rte_udp_hdr) + sizeof(struct vxlan_header);

	if (likely(udp->dgram_cksum == 0 || udp_checksum_is_right(port, m, ip, udp)))
		return false;
	/* A kernel VTEP behind a virtual device sums the outer packet as it will be once the inner checksum is
	 * finished (local checksum offload): finish that and look again. */
	return !port->partial_checksums ||
	       !inner_checksum_complete(
		       (uint8_t *)udp + headers, (uint16_t)(rte_be_to_cpu_16(udp->dgram_len) - headers)) ||
	       rte_ipv4_udptcp_cksum_verify(ip, udp) != 0;
}

static bool group_is_wrong(
	const struct data_plane *plane, const struct segment *segment, rte_be32_t destination)
{
	return unlikely(destination != plane->vtep_address) && destination != segment->group;
}

static uint8_t decap_one(const struct data_plane *plane, struct rte_mbuf *m, struct last_found *last)
{
	struct packet_metadata *meta = packet_metadata(m);
	const struct rte_ipv4_hdr *ip = frame_ipv4(m);
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, void *, meta->l4_offset);
	const struct vxlan_header *vxlan = (const void *)(udp + 1);
	uint16_t before_inner = (uint16_t)(meta->l4_offset + sizeof(*udp) + sizeof(*vxlan));

	if (unlikely(meta->flags & PACKET_FRAGMENT))
		return verdict_drop(DROP_VXLAN_FRAGMENT);
	uint16_t payload = (uint16_t)(rte_be_to_cpu_16(udp->dgram_len) - sizeof(*udp));
	if (unlikely(m->data_len < before_inner || payload < sizeof(*vxlan)))
		return verdict_drop(DROP_VXLAN_TRUNCATED);
	if (unlikely(udp_checksum_wrong(&plane->port[meta->ingress_port], m, ip, udp)))
		return verdict_drop(DROP_VXLAN_UDP_CHECKSUM);
	if (unlikely(!(vxlan->flags & VXLAN_FLAG_VNI)))
		return verdict_drop(DROP_VXLAN_FLAGS);
	uint32_t vni = vxlan_vni(vxlan);
	if (unlikely(vni != last->vni)) {
		last->segment = segment_of_vni(plane->segments, vni);
		last->vni = vni;
	}
	if (unlikely(last->segment == INDEX_NONE))
		return verdict_drop(DROP_VXLAN_UNKNOWN_VNI);
	const struct segment *segment = &plane->segments->segment[last->segment];
	if (group_is_wrong(plane, segment, ip->dst_addr))
		return verdict_drop(DROP_VXLAN_UNKNOWN_VNI);
	if (unlikely(ip->src_addr == plane->vtep_address))
		return verdict_drop(DROP_VXLAN_LOOP);
	uint64_t key = tunnel_key((uint16_t)last->segment, ip->src_addr);
	uint32_t slot = rte_be_to_cpu_32(ip->src_addr) & (LAST_TUNNELS - 1);
	if (unlikely(key != last->at[slot].key)) {
		last->at[slot].tunnel = key_table_find(plane->tunnels->index, key);
		last->at[slot].key = key;
	}
	uint32_t tunnel = last->at[slot].tunnel;
	if (unlikely(tunnel == INDEX_NONE && !segment_admits(segment, ip->src_addr)))
		return verdict_drop(DROP_VXLAN_UNKNOWN_VTEP);

	meta->ingress = segment->interface;
	meta->tunnel = tunnel;
	meta->next_hop = ip->src_addr; /* for mac_learn, when the tunnel is not known yet */
	meta->flags |= PACKET_FROM_TUNNEL;
	/* The frame inside ends where UDP says, not where padding does. */
	m->data_len = (uint16_t)(payload - sizeof(*vxlan));
	m->pkt_len = m->data_len;
	m->data_off = (uint16_t)(m->data_off + before_inner);
	return STAGE_MAC_LEARN;
}

void vxlan_decap_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	struct last_found last = { .vni = UINT32_MAX };

	for (uint16_t i = 0; i < count; i++)
		verdict[i] = decap_one(context->plane, packets[i], &last);
}
