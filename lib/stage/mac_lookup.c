/* SPDX-License-Identifier: BSD-3-Clause */
/* From the next hop's address to the bytes that lead there: the neighbour's MAC, and on a segment the FDB entry of
 * that MAC, whose location is read only when the frame is encapsulated. Unresolved next hops are for management. Last,
 * what the way out demands of the packet: a smaller MSS, or to be cut. */
#include "stage/lcore_context.h"
#include "stage/tcp_mss.h"
#include "table/data_plane.h"
#include <rte_ether.h>

/* The hint of the session first: valid when the entry there still has the key. */
static uint32_t neighbour_at(const struct neighbour_table *table, uint64_t key, uint32_t hint)
{
	if (likely(hint < table->capacity &&
		    atomic_load_explicit(&table->entry[hint].key, memory_order_acquire) == key))
		return hint;
	return key_table_find(table->index, key);
}

static uint8_t unresolved(struct packet_metadata *meta)
{
	meta->punt = PUNT_UNRESOLVED;
	return VERDICT_PUNT;
}

static uint8_t to_segment(const struct lcore_context *context, struct packet_metadata *meta,
	struct neighbour *neighbour, uint64_t mac)
{
	const struct fdb *fdb = context->plane->fdb;
	uint64_t key = fdb_key_of_bits(segment_of_interface(meta->egress), mac);
	uint32_t at = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);

	if (unlikely(at == INDEX_NONE ||
		     atomic_load_explicit(&fdb->entry[at].key, memory_order_acquire) != key)) {
		at = fdb_find(fdb, key);
		if (at == INDEX_NONE)
			return unresolved(meta);
	}
	meta->fdb = at;
	fdb_touch(&fdb->entry[at].last_sent, context->tick);
	return STAGE_VXLAN_ENCAP;
}

static uint8_t to_port(const struct lcore_context *context, struct rte_mbuf *m,
	const struct packet_metadata *meta, uint64_t mac)
{
	struct rte_ether_hdr *ethernet = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	fdb_key_mac(mac, &ethernet->dst_addr);
	ethernet->src_addr = context->plane->port[meta->egress].mac;
	ethernet->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	return STAGE_TRANSMIT;
}

/* The neighbour found last: towards the outside it is the same router for packet after packet. */
struct last_found {
	uint64_t key;
	uint32_t at;
};

static uint8_t lookup_one(
	const struct lcore_context *context, struct rte_mbuf *m, uint64_t key, struct last_found *last)
{
	const struct neighbour_table *table = context->plane->neighbours;
	struct packet_metadata *meta = packet_metadata(m);

	if (key != last->key) {
		last->at = neighbour_at(table, key, meta->neighbour);
		last->key = key;
	}
	if (unlikely(last->at == INDEX_NONE))
		return unresolved(meta);
	struct neighbour *neighbour = &table->entry[last->at];
	uint64_t mac = atomic_load_explicit(&neighbour->mac, memory_order_acquire);
	fdb_touch(&neighbour->last_used, context->tick);
	if (unlikely(mac == 0))
		return unresolved(meta);
	meta->neighbour = last->at;
	return interface_is_segment(meta->egress) ? to_segment(context, meta, neighbour, mac)
						  : to_port(context, m, meta, mac);
}

/* What is rare: a SYN, or a packet to cut. Here is where every packet comes by and its way out is known. What is not
 * resolved yet comes by again. */
static __rte_noinline uint8_t fit(const struct lcore_context *context, struct rte_mbuf *m, uint8_t verdict)
{
	const struct packet_metadata *meta = packet_metadata(m);

	if (meta->fit & FIT_TCP_SYN)
		tcp_mss_clamp(context->plane, meta->ingress, meta->egress,
			rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, meta->l4_offset));
	return meta->fit & FIT_TOO_BIG && verdict < STAGES ? STAGE_FRAGMENT : verdict;
}

void mac_lookup_process(
	struct lcore_context *context, struct rte_mbuf **packets, uint16_t count, uint8_t *verdict)
{
	const struct neighbour_table *table = context->plane->neighbours;
	struct last_found last = { .key = 0 };

	for (uint16_t i = 0; i < count; i++) {
		const struct packet_metadata *meta = packet_metadata(packets[i]);

		if (meta->neighbour < table->capacity)
			rte_prefetch0(&table->entry[meta->neighbour]);
	}
	for (uint16_t i = 0; i < count; i++) {
		const struct packet_metadata *meta = packet_metadata(packets[i]);

		verdict[i] =
			lookup_one(context, packets[i], neighbour_key(meta->egress, meta->next_hop), &last);
		if (unlikely(meta->fit != 0))
			verdict[i] = fit(context, packets[i], verdict[i]);
	}
}
