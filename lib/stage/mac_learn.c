/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a workload lives: the source MAC of each frame out of a tunnel. A MAC that speaks from another VTEP than its
 * FDB entry says has moved: the entry is changed here, at once, so that the very next packet to it leaves for the new
 * place; management hears of it for its ledger. New MACs are for management to insert. Then the frame is sorted:
 * for the gateway, ARP, or none of its business. */
#include "packet/arp_wire.h"
#include "stage/ipv4_parse.h"
#include "stage/lcore_context.h"
#include "table/data_plane.h"

#define LEARN_AGAIN_TICKS 10 /* 100 ms before the same new MAC is told again */

static void event_post(struct lcore_context *context, const struct fdb_event *event)
{
	if (rte_ring_sp_enqueue_elem(context->events->ring, (void *)(uintptr_t)event, sizeof(*event)) != 0)
		context->events->lost++;
	doorbell_ring(context->management_doorbell);
}

/* Each packet of a new MAC would tell management again until it has inserted the entry. */
static bool told_lately(struct lcore_context *context, uint64_t hash)
{
	uint32_t *slot = &context->learn_cache[hash & (RTE_DIM(context->learn_cache) - 1)];
	uint32_t tag = ((uint32_t)(hash >> 32) & 0xffff0000) | (uint16_t)(context->tick / LEARN_AGAIN_TICKS);

	if (*slot == tag)
		return true;
	*slot = tag;
	return false;
}

/* `location`: where the FDB has the MAC already, when it now speaks from a VTEP that has no tunnel yet; or INDEX_NONE. */
static void learn_new(struct lcore_context *context, const struct packet_metadata *meta, uint64_t key,
	uint64_t hash, uint32_t location)
{
	if (told_lately(context, hash))
		return;
	event_post(context, &(struct fdb_event){
				    .key = key,
				    .tunnel = meta->tunnel,
				    .old_tunnel = location,
				    .vtep = meta->next_hop,
				    .fdb = INDEX_NONE,
				    .kind = meta->tunnel == INDEX_NONE ? FDB_EVENT_NEW_VTEP : FDB_EVENT_NEW,
				    .tick = context->tick,
			    });
}

static void follow_move(struct lcore_context *context, struct fdb_entry *entry, uint32_t at, uint64_t key,
	const struct packet_metadata *meta, uint32_t location)
{
	/* Of several lcores that see the move at once, one reports it. */
	if (!fdb_move(context->plane->fdb, entry, location, meta->tunnel))
		return;
	context->counters.moves_followed++;
	event_post(context, &(struct fdb_event){
				    .key = key,
				    .tunnel = meta->tunnel,
				    .old_tunnel = location,
				    .vtep = meta->next_hop,
				    .fdb = at,
				    .kind = FDB_EVENT_MOVED,
				    .tick = context->tick,
			    });
}

static void learn_one(struct lcore_context *context, const struct packet_metadata *meta, uint64_t key,
	uint64_t hash, uint32_t at)
{
	struct fdb_entry *entry = &context->plane->fdb->entry[at];

	if (unlikely(at == INDEX_NONE || atomic_load_explicit(&entry->key, memory_order_acquire) != key)) {
		learn_new(context, meta, key, hash, INDEX_NONE);
		return;
	}
	uint32_t location = atomic_load_explicit(&entry->location, memory_order_relaxed);
	if (unlikely(location != meta->tunnel)) {
		if (meta->tunnel == INDEX_NONE)
			learn_new(context, meta, key, hash, location);
		else
			follow_move(context, entry, at, key, meta, location);
	}
	fdb_touch(&entry->last_seen, context->tick);
}

/* A workload speaks for its segment's prefix, or as a router for what is routed to the segment (RFC 3704). */
static uint8_t ipv4_source_check(
	const struct data_plane *plane, const struct segment *segment, rte_be32_t source)
{
	if (unlikely(source == segment->gateway))
		return verdict_drop(DROP_IPV4_SPOOFED_SELF);
	if (likely(((source ^ segment->gateway) & segment->mask) == 0) ||
		fib_find(plane->fib, source)->interface == segment->interface)
		return STAGE_ROUTE;
	return verdict_drop(DROP_IPV4_SPOOFED_SEGMENT);
}

/* A service of the segment may want it: so far only the DHCP relay. A client that has no address yet sends from 0.0.0.0
 * (RFC 2131 section 4.1), which no other packet may. */
static __rte_noinline uint8_t ipv4_broadcast(
	const struct segment *segment, struct rte_mbuf *m, struct packet_metadata *meta)
{
	const struct rte_ipv4_hdr *ip = frame_ipv4(m);

	if (!segment->dhcp_relay)
		return verdict_drop(DROP_SEGMENT_BROADCAST);
	uint8_t verdict = ipv4_parse_any_source(m, meta, true);
	if (verdict != IPV4_PARSED)
		return verdict;
	if (meta->protocol != IPPROTO_UDP || meta->flags & PACKET_FRAGMENT ||
		(ip->dst_addr != RTE_BE32(UINT32_MAX) && ip->dst_addr != (segment->gateway | ~segment->mask)))
		return verdict_drop(DROP_SEGMENT_BROADCAST);
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(m, void *, meta->l4_offset);
	if (udp->dst_port != RTE_BE16(UDP_PORT_DHCP_SERVER))
		return verdict_drop(DROP_SEGMENT_BROADCAST);
	if (ip->src_addr == segment->gateway)
		return verdict_drop(DROP_IPV4_SPOOFED_SELF);
	if (ip->src_addr != 0 && ((ip->src_addr ^ segment->gateway) & segment->mask) != 0)
		return verdict_drop(DROP_IPV4_SPOOFED_SEGMENT);
	meta->punt = PUNT_BROADCAST;
	return VERDICT_PUNT;
}

static uint8_t sort_one(const struct data_plane *plane, const struct segment *segment, struct rte_mbuf *m,
	struct packet_metadata *meta)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	bool for_gateway = rte_is_same_ether_addr(&ethernet->dst_addr, &segment->mac);

	if (unlikely(!for_gateway && !rte_is_multicast_ether_addr(&ethernet->dst_addr)))
		return verdict_drop(DROP_MAC_NOT_GATEWAY);
	switch (ethernet->ether_type) {
	case RTE_BE16(RTE_ETHER_TYPE_IPV4): {
		if (unlikely(!for_gateway))
			return ipv4_broadcast(segment, m, meta);
		uint8_t verdict = ipv4_parse(m, meta, true);
		return likely(verdict == IPV4_PARSED)
			       ? ipv4_source_check(plane, segment, frame_ipv4(m)->src_addr)
			       : verdict;
	}
	case RTE_BE16(ETHER_TYPE_ARP):
		meta->punt = PUNT_ARP;
		return VERDICT_PUNT;
	case RTE_BE16(ETHER_TYPE_RARP): /* a hypervisor's announcement of a move: it has been learned from */
		return verdict_drop(DROP_SEGMENT_BROADCAST);
	case RTE_BE16(RTE_ETHER_TYPE_IPV6):
		return verdict_drop(for_gateway ? DROP_IPV6_UNSUPPORTED : DROP_SEGMENT_BROADCAST);
	case RTE_BE16(RTE_ETHER_TYPE_VLAN):
	case RTE_BE16(RTE_ETHER_TYPE_QINQ):
		return verdict_drop(DROP_VLAN_TAGGED);
	default:
		return verdict_drop(for_gateway ? DROP_ETHERNET_TYPE : DROP_SEGMENT_BROADCAST);
	}
}

/* IPV4_PARSED (0) when the source MAC can be learned, else the drop. */
static uint8_t source_check(const struct rte_mbuf *m, const struct segment *segment)
{
	const struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	if (unlikely(m->data_len < sizeof(*ethernet)))
		return verdict_drop(DROP_ETHERNET_TRUNCATED);
	if (unlikely(!rte_is_valid_assigned_ether_addr(&ethernet->src_addr)))
		return verdict_drop(DROP_MAC_SOURCE);
	if (unlikely(rte_is_same_ether_addr(&ethernet->src_addr, &segment->mac)))
		return verdict_drop(DROP_VXLAN_LOOP);
	return IPV4_PARSED;
}

static void traffic_count(
	struct lcore_context *context, const struct rte_mbuf *m, const struct packet_metadata *meta)
{
	struct interface_counters *counters = likely(meta->tunnel != INDEX_NONE)
						      ? &context->counters.tunnel[meta->tunnel].counters
						      : &context->counters.interface[meta->ingress];

	counters->rx_packets++;
	counters->rx_bytes += m->pkt_len;
}

void mac_learn_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	const struct segment *segments = context->plane->segments->segment;
	const struct fdb_entry *entries = context->plane->fdb->entry;
	const struct key_table *index = context->plane->fdb->index;
	uint64_t key[BURST_MAX], hash[BURST_MAX];
	uint32_t at[BURST_MAX];

	for (uint16_t i = 0; i < count; i++) {
		uint16_t segment = segment_of_interface(packet_metadata(packets[i])->ingress);

		verdict[i] = source_check(packets[i], &segments[segment]);
		if (unlikely(verdict[i] != IPV4_PARSED))
			continue;
		key[i] = fdb_key(segment, &rte_pktmbuf_mtod(packets[i], struct rte_ether_hdr *)->src_addr);
		hash[i] = key_table_hash(index, key[i]);
		rte_prefetch0(key_table_first(index, hash[i]));
	}
	for (uint16_t i = 0; i < count; i++) {
		if (unlikely(verdict[i] != IPV4_PARSED))
			continue;
		at[i] = key_table_find_hashed(index, key[i], hash[i]);
		if (likely(at[i] != INDEX_NONE))
			rte_prefetch0(&entries[at[i]]);
	}
	for (uint16_t i = 0; i < count; i++) {
		struct packet_metadata *meta = packet_metadata(packets[i]);

		if (unlikely(verdict[i] != IPV4_PARSED))
			continue;
		learn_one(context, meta, key[i], hash[i], at[i]);
		traffic_count(context, packets[i], meta);
		verdict[i] = sort_one(
			context->plane, &segments[segment_of_interface(meta->ingress)], packets[i], meta);
	}
}
