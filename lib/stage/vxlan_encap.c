/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN encapsulation (RFC 7348 section 5): the tunnel's ready-made header is one copy of 64 bytes; lengths, IP
 * checksum, the flow's UDP source port and the inner destination MAC are put in. The location of the MAC is read here,
 * as late as can be, so that a move learned meanwhile counts. */
#include "stage/vxlan_encap.h"
#include "stage/ipv4_parse.h"

static rte_be16_t flow_source_port(const struct rte_mbuf *m, const struct packet_metadata *meta)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, L3_OFFSET);
	uint32_t ports = 0;

	/* Fragments of a packet must not part ways, so none of them is spread by port. */
	if (likely((meta->protocol == IPPROTO_TCP || meta->protocol == IPPROTO_UDP) && meta->l4_offset != 0 &&
		    !(meta->flags & PACKET_FRAGMENT)))
		__builtin_memcpy(
			&ports, rte_pktmbuf_mtod_offset(m, const void *, meta->l4_offset), sizeof(ports));
	return vxlan_source_port((uint64_t)ip->src_addr << 32 | ip->dst_addr, ports << 16 | ports >> 16);
}

static uint8_t encap_one(struct lcore_context *context, struct rte_mbuf *m)
{
	const struct data_plane *plane = context->plane;
	struct packet_metadata *meta = packet_metadata(m);
	const struct fdb_entry *entry = &plane->fdb->entry[meta->fdb];
	bool inner_ready = unlikely(meta->flags & PACKET_INNER_READY);
	struct rte_ether_hdr inner;

	if (likely(!inner_ready))
		meta->tunnel = atomic_load_explicit(&entry->location, memory_order_acquire);
	else
		inner = *rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	const struct tunnel *tunnel = &plane->tunnels->tunnel[meta->tunnel];
	rte_be16_t source_port = flow_source_port(m, meta);
	struct vxlan_outer *outer = (struct vxlan_outer *)rte_pktmbuf_prepend(m, sizeof(*outer));
	if (unlikely(outer == NULL))
		return verdict_drop(DROP_HEADROOM);
	if (unlikely(!tunnel_read_header(tunnel, outer)))
		return verdict_drop(DROP_TUNNEL_UNRESOLVED);

	/* Patched in the frame, not in a copy: a wide load right after narrow stores would have to wait for them. */
	vxlan_outer_finish(outer, (uint16_t)m->pkt_len, source_port);
	struct rte_ether_hdr *inner_header = (struct rte_ether_hdr *)(outer + 1);
	if (likely(!inner_ready))
		fdb_key_mac(atomic_load_explicit(&entry->key, memory_order_relaxed), &inner_header->dst_addr);
	else
		*inner_header = inner;
	vxlan_count_sent(context, meta->tunnel, m->pkt_len - (uint32_t)sizeof(*outer));
	meta->egress = tunnel->port;
	return STAGE_TRANSMIT;
}

void vxlan_encap_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	for (uint16_t i = 0; i < count; i++)
		verdict[i] = encap_one(context, packets[i]);
}
