/* SPDX-License-Identifier: BSD-3-Clause */
/* The fast path: from the receive queue to the transmit buffer in one pass, for packets of sessions that exist.
 *
 * The stages ask every question that a packet can raise. Nearly every packet raises few of them: VXLAN in IPv4 without
 * options from a known VTEP, a source MAC that is where it was, TCP or UDP of a session that is there, a next hop that is
 * resolved. Where all stages are on one lcore, such packets take this way, which does byte for byte and count for count
 * what the stages would do (the pipeline tests run every case with it and without). Whatever it is not sure of it leaves to
 * the stages as it came: it drops nothing, tells management nothing and writes into a packet only when nothing can come
 * in between any more. What follows a packet that is left, from the same address to the same address in the same burst, is left
 * as well: flows stay in order.
 *
 * A burst goes through in two passes. The first checks headers and computes where each session is looked for. The second
 * takes the packets in groups, from the bucket over the session to the FDB entry (finish_all). */
#include "stage/fast_path.h"
#include "stage/nat_private.h"
#include "stage/transmit.h"
#include "stage/vxlan_encap.h"
#include "table/nat.h"
#include <string.h>

#define GROUP      16u /* packets that are asked for together */
#define DATA_AHEAD 8u  /* packets between asking for one's headers and reading them */

#define OUTER_LENGTH ((uint16_t)sizeof(struct vxlan_outer))
#define L4_OFFSET    ((uint16_t)(L3_OFFSET + sizeof(struct rte_ipv4_hdr)))

/* Bits that stand for the address pairs of packets that are left to the stages. A pair that only shares its bit with one of
 * those takes the stages too, which is slower and no mistake. */
#define LEFT_PAIRS 256u

/* A packet on its way up. */
struct fast_up {
	struct nat_packet nat;
	uint64_t mac_key; /* of its source, in the FDB */
	uint32_t tunnel;
	const struct segment *segment;
	const struct next_hop *hop;
	uint16_t length; /* of the frame inside, as it was received */
};

/* What the packets of a burst share. */
struct fast_burst {
	struct lcore_context *context;
	const struct data_plane *plane;
	struct nat_owner *owner;
	const struct port_interface *port; /* that they came in by */
	struct rte_mbuf **packets;
	uint32_t tick;
	uint16_t owners;     /* with several, only what is this lcore's is looked for */
	uint32_t neighbours; /* capacity of the table */
	struct neighbour *neighbour;
	struct fdb_entry *fdb;
	const struct segment *segment;
	const struct tunnel *tunnel;
	uint64_t left; /* bit mask: packets for the stages */
	uint64_t left_pairs[LEFT_PAIRS / 64];
	uint64_t
		again; /* bit mask, by number in `up` or `down`: their session was not where it was looked for */
	struct {       /* the neighbour found last */
		uint64_t key;
		uint64_t mac;
	} last;
	uint16_t ups, downs;
	struct fast_up up[BURST_MAX];
	struct nat_packet down[BURST_MAX];
};

static inline uint64_t load64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* As fdb_mac_bits, by one load: of what more bytes follow. */
static inline uint64_t load_mac(const void *at)
{
	return load64(at) & UINT64_C(0xffffffffffff);
}

static inline uint32_t pair_bit(uint64_t addresses)
{
	return (uint32_t)(addresses * UINT64_C(0x9e3779b97f4a7c15) >> 56) % LEFT_PAIRS;
}

static inline bool follows_left(const struct fast_burst *burst, uint64_t addresses)
{
	uint32_t bit = pair_bit(addresses);

	return unlikely(burst->left != 0) && burst->left_pairs[bit / 64] >> bit % 64 & 1;
}

static __rte_noinline void leave(struct fast_burst *burst, uint8_t at, uint64_t addresses)
{
	uint32_t bit = pair_bit(addresses);

	if (burst->left == 0)
		memset(burst->left_pairs, 0, sizeof(burst->left_pairs));
	burst->left |= UINT64_C(1) << at;
	burst->left_pairs[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* An Ethernet frame of `room` bytes to this MAC, with an IPv4 packet that has no options, is no fragment, lives on, and
 * has room for a UDP header. */
static inline bool frame_is_plain(const uint8_t *frame, uint32_t room, uint64_t mac)
{
	const struct rte_ipv4_hdr *ip = (const void *)(frame + L3_OFFSET);
	uint32_t total;

	if (unlikely(room < L4_OFFSET + sizeof(struct rte_udp_hdr)))
		return false;
	total = rte_be_to_cpu_16(ip->total_length);
	return load_mac(frame) == mac &&
	       ((const struct rte_ether_hdr *)frame)->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       (load64(ip) & RTE_BE64(UINT64_C(0xff00000000003fff))) ==
		       RTE_BE64((uint64_t)RTE_IPV4_VHL_DEF << 56) &&
	       total >= sizeof(*ip) + sizeof(struct rte_udp_hdr) && total + L3_OFFSET <= room &&
	       ip->time_to_live > 1 && ipv4_checksum_is_right(ip);
}

/* TCP that is no SYN, whose MSS would have to be clamped, or UDP; as l4_parse would have it. */
static inline bool l4_is_plain(const struct rte_ipv4_hdr *ip)
{
	const uint8_t *l4 = (const uint8_t *)(ip + 1);
	uint32_t room = rte_be_to_cpu_16(ip->total_length) - (uint32_t)sizeof(*ip);

	if (ip->next_proto_id == IPPROTO_UDP) {
		uint32_t length = rte_be_to_cpu_16(((const struct rte_udp_hdr *)l4)->dgram_len);
		return length >= sizeof(struct rte_udp_hdr) && length <= room;
	}
	const struct rte_tcp_hdr *tcp = (const void *)l4;
	uint32_t header = (uint32_t)(tcp->data_off >> 4) * 4;
	return ip->next_proto_id == IPPROTO_TCP && header >= sizeof(*tcp) && header <= room &&
	       !(tcp->tcp_flags & RTE_TCP_SYN_FLAG);
}

/* What a sender's stack has left half-finished is finished before NAT changes it. The stages may do it once more: that
 * changes nothing. */
static inline void checksum_complete(const struct fast_burst *burst, struct rte_ipv4_hdr *ip)
{
	if (unlikely(burst->port->partial_checksums))
		checksum_complete_partial(
			ip, ip + 1, (uint16_t)(rte_be_to_cpu_16(ip->total_length) - sizeof(*ip)));
}

/* The (VNI, VTEP) pairs met lately; tunnels are never taken away, so what was found stays right. */
static const struct known_tunnel *tunnel_find_known(
	const struct fast_burst *burst, uint32_t vni, rte_be32_t vtep)
{
	struct known_tunnel *known =
		&burst->context->known_tunnel[(rte_be_to_cpu_32(vtep) ^ vni * 7) % KNOWN_TUNNELS];
	uint64_t key = (uint64_t)(vni + 1) << 32 | vtep;

	if (unlikely(known->key != key)) {
		uint32_t segment = segment_of_vni(burst->plane->segments, vni);
		uint32_t tunnel = segment == INDEX_NONE
					  ? INDEX_NONE
					  : tunnel_find(burst->plane->tunnels, (uint16_t)segment, vtep);
		if (tunnel == INDEX_NONE)
			return NULL;
		*known = (struct known_tunnel){ key, tunnel, (uint16_t)segment };
	}
	return known;
}

/* A frame in a tunnel, from a MAC and an address of the segment. */
static bool look_up(struct fast_burst *burst, uint8_t *frame, uint8_t at)
{
	const struct rte_ipv4_hdr *outer = (const void *)(frame + L3_OFFSET), *ip;
	const struct rte_udp_hdr *udp = (const void *)(outer + 1);
	const struct vxlan_header *vxlan = (const void *)(udp + 1);
	uint32_t datagram = rte_be_to_cpu_16(udp->dgram_len);
	struct fast_up *up = &burst->up[burst->ups];
	uint8_t *inner = frame + OUTER_LENGTH;

	if (unlikely(datagram + sizeof(*outer) > rte_be_to_cpu_16(outer->total_length) ||
		     datagram < sizeof(*udp) + sizeof(*vxlan) || udp->dgram_cksum != 0 ||
		     !(vxlan->flags & VXLAN_FLAG_VNI)))
		return false;
	const struct known_tunnel *known = tunnel_find_known(burst, vxlan_vni(vxlan), outer->src_addr);
	if (unlikely(known == NULL))
		return false;
	const struct segment *segment = &burst->segment[known->segment];
	uint32_t length = datagram - (uint32_t)(sizeof(*udp) + sizeof(*vxlan));
	ip = (const void *)(inner + L3_OFFSET);
	if (unlikely(!frame_is_plain(inner, length, fdb_mac_bits(&segment->mac)) || !l4_is_plain(ip) ||
		     ((ip->src_addr ^ segment->gateway) & segment->mask) != 0 ||
		     ip->src_addr == segment->gateway))
		return false;
	if (burst->owners > 1 && nat_owner_of_inside(burst->owner->nat, known->segment, ip->src_addr) !=
					 burst->context->owner_index)
		return false;
	checksum_complete(burst, (struct rte_ipv4_hdr *)(inner + L3_OFFSET));
	up->mac_key = fdb_key_of_bits(known->segment, load_mac(inner + 6));
	nat_packet_look(burst->owner, &up->nat, inner, inner + L4_OFFSET,
		nat_kin_word(known->segment, ip->next_proto_id), NAT_UP);
	up->nat.at = at;
	up->tunnel = known->tunnel;
	up->segment = segment;
	up->length = (uint16_t)length;
	burst->ups++;
	return true;
}

/* A frame from outside. What has a session needs no route: only by a public address of ours it has one. */
static bool look_down(struct fast_burst *burst, uint8_t *frame, uint8_t at)
{
	struct rte_ipv4_hdr *ip = (void *)(frame + L3_OFFSET);
	struct nat_packet *down = &burst->down[burst->downs];
	uint32_t ports;

	if (unlikely(!l4_is_plain(ip) || ipv4_source_impossible(ip->src_addr)))
		return false;
	for (uint16_t i = 0; i < burst->port->address_count; i++)
		if (unlikely(ip->src_addr == burst->port->address[i].address))
			return false;
	memcpy(&ports, ip + 1, sizeof(ports));
	if (burst->owners > 1 && nat_owner_of_outside(burst->owner->nat, ip->next_proto_id, ip->dst_addr,
					 (rte_be16_t)(ports >> 16)) != burst->context->owner_index)
		return false;
	checksum_complete(burst, ip);
	nat_packet_look(
		burst->owner, down, frame, frame + L4_OFFSET, nat_kin_word(0, ip->next_proto_id), NAT_DOWN);
	down->at = at;
	burst->downs++;
	return true;
}

static inline void look(struct fast_burst *burst, uint8_t at)
{
	struct rte_mbuf *m = burst->packets[at];
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	const struct rte_ipv4_hdr *ip = (const void *)(frame + L3_OFFSET);
	const struct rte_udp_hdr *udp = (const void *)(ip + 1);
	bool tunnelled = ip->next_proto_id == IPPROTO_UDP && udp->dst_port == burst->plane->vxlan_port &&
			 ip->dst_addr == burst->plane->vtep_address;
	const struct rte_ipv4_hdr *of_flow =
		tunnelled ? (const void *)(frame + OUTER_LENGTH + L3_OFFSET) : ip;
	uint64_t addresses = nat_address_pair(&of_flow->src_addr); /* or what stands in their place */

	if (unlikely(m->nb_segs != 1 ||
		     !frame_is_plain(frame, m->data_len, fdb_mac_bits(&burst->port->mac)) ||
		     follows_left(burst, addresses) ||
		     !(tunnelled ? look_up(burst, frame, at) : look_down(burst, frame, at))))
		leave(burst, at, addresses);
}

static void routes_find(struct fast_burst *burst)
{
	rte_be32_t destination[BURST_MAX];
	uint16_t hop[BURST_MAX];

	for (uint16_t i = 0; i < burst->ups; i++)
		destination[i] = (rte_be32_t)(burst->up[i].nat.addresses >> 32);
	fib_find_bulk(burst->plane->fib, destination, hop, burst->ups);
	for (uint16_t i = 0; i < burst->ups; i++)
		burst->up[i].hop = &burst->plane->fib->next_hop[hop[i]];
}

/* The MAC bits of a next hop outside, 0 when it is not resolved. */
static inline uint64_t next_hop_mac(struct fast_burst *burst, interface_id interface, rte_be32_t address)
{
	const struct neighbour_table *table = burst->plane->neighbours;
	uint64_t key = neighbour_key(interface, address);

	if (unlikely(key != burst->last.key)) {
		uint32_t at = key_table_find(table->index, key);
		burst->last.key = key;
		burst->last.mac = 0;
		if (at != INDEX_NONE) {
			burst->last.mac = atomic_load_explicit(&table->entry[at].mac, memory_order_acquire);
			fdb_touch(&table->entry[at].last_used, burst->tick);
		}
	}
	return burst->last.mac;
}

/* The frame leaves by this port with this length, its data beginning at `frame`. */
static inline void frame_send(struct fast_burst *burst, struct rte_mbuf *m, interface_id port,
	const uint8_t *frame, uint32_t length, bool tunnelled)
{
	m->data_off = (uint16_t)(frame - (const uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)length;
	m->pkt_len = length;
	transmit_put(burst->context, port, m, tunnelled);
}

static inline void count_up(const struct fast_burst *burst, const struct fast_up *up)
{
	struct interface_counters *segment = &burst->context->counters.interface[up->segment->interface];
	struct tunnel_counters *tunnel = &burst->context->counters.tunnel[up->tunnel];

	segment->rx_packets++;
	segment->rx_bytes += up->length;
	tunnel->rx_packets++;
	tunnel->rx_bytes += up->length;
}

/* The neighbour of the session's inside host; a hint that has gone stale is mended. */
static inline struct neighbour *inside_neighbour(const struct fast_burst *burst, struct nat_session *session)
{
	uint64_t key = neighbour_key(interface_of_segment(session->segment), session->inside);
	uint32_t at = session->neighbour;

	if (unlikely(at >= burst->neighbours ||
		     atomic_load_explicit(&burst->neighbour[at].key, memory_order_acquire) != key)) {
		at = key_table_find(burst->plane->neighbours->index, key);
		session->neighbour = at;
		if (at == INDEX_NONE)
			return NULL;
	}
	return &burst->neighbour[at];
}

/* The FDB entry of the MAC that a packet came from: nearly always that of the session's host, which the session knows. Else
 * it is a host with several MACs, or that nobody has asked for. */
static inline struct fdb_entry *source_entry(
	const struct fast_burst *burst, const struct fast_up *up, struct nat_session *session)
{
	const struct neighbour *neighbour = inside_neighbour(burst, session);
	uint32_t at = INDEX_NONE;

	if (likely(neighbour != NULL))
		at = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);
	if (likely(at != INDEX_NONE &&
		    atomic_load_explicit(&burst->fdb[at].key, memory_order_acquire) == up->mac_key))
		return &burst->fdb[at];
	at = fdb_find(burst->plane->fdb, up->mac_key);
	return at == INDEX_NONE ? NULL : &burst->fdb[at];
}

/* From here on each question is asked before anything is written. */
static __rte_always_inline bool finish_up(
	struct fast_burst *burst, const struct fast_up *up, struct nat_session *session)
{
	struct rte_ipv4_hdr *ip = up->nat.ip;
	uint8_t *frame = (uint8_t *)ip - L3_OFFSET;
	const struct next_hop *hop = up->hop;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);

	if (unlikely((hop->kind != NEXT_HOP_VIA && hop->kind != NEXT_HOP_CONNECTED) || hop->dhcp_server ||
		     interface_is_segment(hop->interface) || !burst->context->tx[hop->interface].mine ||
		     total > burst->plane->port[hop->interface].mtu))
		return false;
	struct fdb_entry *entry = source_entry(burst, up, session);
	if (unlikely(entry == NULL ||
		     atomic_load_explicit(&entry->location, memory_order_relaxed) != up->tunnel))
		return false;
	uint64_t mac =
		next_hop_mac(burst, hop->interface, hop->kind == NEXT_HOP_VIA ? hop->gateway : ip->dst_addr);
	if (unlikely(mac == 0))
		return false;
	fdb_touch(&entry->last_seen, burst->tick);
	count_up(burst, up);
	nat_rewrite(burst->owner, session, ip, up->nat.l4, nat_packet_protocol(&up->nat), burst->tick, NAT_UP,
		true);
	uint64_t source = fdb_mac_bits(&burst->plane->port[hop->interface].mac);
	uint64_t first = mac | source << 48;
	uint32_t second = (uint32_t)(source >> 16);
	memcpy(frame, &first, sizeof(first));
	memcpy(frame + sizeof(first), &second, sizeof(second));
	frame_send(burst, burst->packets[up->nat.at], hop->interface, frame, total + L3_OFFSET, false);
	return true;
}

static __rte_always_inline bool finish_down(
	struct fast_burst *burst, const struct nat_packet *down, struct nat_session *session)
{
	struct rte_mbuf *m = burst->packets[down->at];
	struct rte_ipv4_hdr *ip = down->ip;
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	struct neighbour *neighbour = inside_neighbour(burst, session);
	struct vxlan_outer *outer = (struct vxlan_outer *)((uint8_t *)ip - L3_OFFSET - OUTER_LENGTH);
	struct tunnel_header header;

	if (unlikely(neighbour == NULL || total > burst->segment[session->segment].mtu ||
		     m->data_off < OUTER_LENGTH))
		return false;
	uint64_t mac = atomic_load_explicit(&neighbour->mac, memory_order_acquire);
	uint32_t at = atomic_load_explicit(&neighbour->fdb, memory_order_relaxed);
	uint64_t key = fdb_key_of_bits(session->segment, mac);
	struct fdb_entry *entry = &burst->fdb[at];
	if (unlikely(mac == 0 || at == INDEX_NONE ||
		     atomic_load_explicit(&entry->key, memory_order_acquire) != key))
		return false;
	uint32_t number = atomic_load_explicit(&entry->location, memory_order_acquire);
	const struct tunnel *tunnel = &burst->tunnel[number];
	if (unlikely(!tunnel_read_header(tunnel, &header) || !burst->context->tx[tunnel->port].mine))
		return false;
	fdb_touch(&neighbour->last_used, burst->tick);
	fdb_touch(&entry->last_sent, burst->tick);
	nat_rewrite(
		burst->owner, session, ip, down->l4, nat_packet_protocol(down), burst->tick, NAT_DOWN, true);
	uint32_t ports = (down->ports & 0xffff) | (uint32_t)session->inside_port << 16;
	memcpy(outer, &header, sizeof(header));
	vxlan_outer_finish(outer, (uint16_t)(total + L3_OFFSET + OUTER_LENGTH),
		vxlan_source_port((rte_be32_t)down->addresses, session->inside, ports));
	fdb_key_mac(mac, &((struct rte_ether_hdr *)(outer + 1))->dst_addr);
	vxlan_count_sent(burst->context, tunnel, number, total + L3_OFFSET);
	packet_metadata(m)->fdb = at;
	packet_metadata(m)->tunnel = number;
	frame_send(burst, m, tunnel->port, (uint8_t *)outer, total + L3_OFFSET + OUTER_LENGTH, true);
	return true;
}

static inline struct nat_packet *packet_of(struct fast_burst *burst, uint32_t i, const enum nat_way way)
{
	return way == NAT_UP ? &burst->up[i].nat : &burst->down[i];
}

static __rte_always_inline void finish(struct fast_burst *burst, uint32_t i, const enum nat_way way)
{
	struct nat_packet *packet = packet_of(burst, i, way);
	struct nat_session *session = nat_session_look(burst->owner, packet, way);

	if (unlikely(session == NULL))
		burst->again |= UINT64_C(1) << i;
	else if (unlikely(follows_left(burst, packet->addresses) ||
			  !(way == NAT_UP ? finish_up(burst, &burst->up[i], session)
					  : finish_down(burst, packet, session))))
		leave(burst, packet->at, packet->addresses);
}

/* What finish will follow from the session: the hint to its host's neighbour, NULL without one. That it may have gone stale
 * does not matter to who only asks for what it leads to. */
static __rte_always_inline const struct neighbour *hinted_neighbour(
	const struct fast_burst *burst, const struct nat_packet *packet)
{
	uint32_t candidate = packet->candidate != INDEX_NONE ? packet->candidate : 0;
	uint32_t hint = burst->owner->session[candidate].neighbour;

	return likely(hint < burst->neighbours) ? &burst->neighbour[hint] : NULL;
}

static __rte_always_inline void fdb_prefetch(const struct fast_burst *burst, const struct nat_packet *packet)
{
	const struct neighbour *neighbour = hinted_neighbour(burst, packet);

	if (likely(neighbour != NULL))
		__builtin_prefetch(&burst->fdb[atomic_load_explicit(&neighbour->fdb, memory_order_relaxed)]);
}

/* Those that were not where they were looked for first are looked for elsewhere, all together: a place a round. */
static __rte_noinline void finish_again(struct fast_burst *burst, const enum nat_way way)
{
	while (burst->again != 0) {
		uint64_t looking = 0, rest;

		for (rest = burst->again; rest != 0; rest &= rest - 1) {
			uint32_t i = (uint32_t)__builtin_ctzll(rest);
			struct nat_packet *packet = packet_of(burst, i, way);
			if (nat_place_advance(burst->owner, packet))
				looking |= UINT64_C(1) << i;
			else
				leave(burst, packet->at, packet->addresses);
		}
		for (rest = looking; rest != 0; rest &= rest - 1)
			nat_bucket_look(burst->owner, packet_of(burst, (uint32_t)__builtin_ctzll(rest), way));
		burst->again = 0;
		for (rest = looking; rest != 0; rest &= rest - 1)
			finish(burst, (uint32_t)__builtin_ctzll(rest), way);
	}
}

/* Packets in groups, each group some steps behind the one before it: ask for the buckets; look into them, and ask for the
 * sessions; ask for the neighbours; for the FDB entries, and finish. To ask in a tight loop is what makes it fast: a core
 * goes on for some hundred instructions beyond a request that waits for the translation of its address, and the requests of
 * a group lie that close together. */
static __rte_always_inline void finish_all(struct fast_burst *burst, uint32_t count, const enum nat_way way)
{
	uint32_t asked = 0, looked = 0, followed = 0, done = 0;

	while (done < count) {
		uint32_t ask = RTE_MIN(count, asked + GROUP), look = asked, follow = looked, end = followed;

		for (; asked < ask; asked++)
			__builtin_prefetch(packet_of(burst, asked, way)->bucket);
		for (; looked < look; looked++)
			nat_bucket_look(burst->owner, packet_of(burst, looked, way));
		for (; followed < follow; followed++)
			__builtin_prefetch(hinted_neighbour(burst, packet_of(burst, followed, way)));
		for (uint32_t i = done; i < end; i++)
			fdb_prefetch(burst, packet_of(burst, i, way));
		for (; done < end; done++)
			finish(burst, done, way);
	}
	if (unlikely(burst->again != 0))
		finish_again(burst, way);
}

static inline void data_prefetch(const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	rte_prefetch0(data);
	rte_prefetch0(data + 64); /* the inner IP header of VXLAN */
}

/* What is left moves to the front; the others have been received here. */
static uint16_t left_gather(const struct fast_burst *burst)
{
	uint16_t left = 0;

	for (uint64_t rest = burst->left; rest != 0; rest &= rest - 1)
		burst->packets[left++] = burst->packets[__builtin_ctzll(rest)];
	return left;
}

uint16_t fast_path_run(
	struct lcore_context *context, interface_id port, struct rte_mbuf **packets, uint16_t count)
{
	const struct data_plane *plane = context->plane;
	struct interface_counters *interface = &context->counters.interface[port];
	uint32_t length[BURST_MAX];
	struct fast_burst burst;
	uint64_t bytes = 0;

	burst.context = context;
	burst.plane = plane;
	burst.owner = context->nat;
	burst.port = &plane->port[port];
	burst.packets = packets;
	burst.tick = context->tick;
	burst.owners = context->owner_count;
	burst.neighbours = plane->neighbours->capacity;
	burst.neighbour = plane->neighbours->entry;
	burst.fdb = plane->fdb->entry;
	burst.segment = plane->segments->segment;
	burst.tunnel = plane->tunnels->tunnel;
	burst.left = burst.again = 0;
	burst.last.key = 0;
	burst.ups = burst.downs = 0;
	for (uint16_t i = 0; i < RTE_MIN(count, DATA_AHEAD); i++)
		data_prefetch(packets[i]);
	for (uint16_t i = 0; i < count; i++) {
		if (i + DATA_AHEAD < count)
			data_prefetch(packets[i + DATA_AHEAD]);
		length[i] = packets[i]->pkt_len;
		bytes += length[i];
		look(&burst, (uint8_t)i);
	}
	if (burst.ups > 0) {
		routes_find(&burst);
		finish_all(&burst, burst.ups, NAT_UP);
	}
	if (burst.downs > 0)
		finish_all(&burst, burst.downs, NAT_DOWN);
	interface->rx_packets += count - (uint64_t)__builtin_popcountll(burst.left);
	for (uint64_t rest = burst.left; rest != 0; rest &= rest - 1)
		bytes -= length[__builtin_ctzll(rest)];
	interface->rx_bytes += bytes;
	return burst.left == 0 ? 0 : left_gather(&burst);
}
