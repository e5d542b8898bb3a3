/* SPDX-License-Identifier: BSD-3-Clause */
/* The first pass of the fast path: which packets may take it, and where the session of each is looked for. */
#include "stage/fast_path_refuse_private.h"

#define FRAME_LEAST (L4_OFFSET + (uint32_t)sizeof(struct rte_udp_hdr))

/* VXLAN for us, going by the headers of a frame that has IPv4 without options. */
static inline bool is_tunnelled(const struct fast_burst *burst, const uint8_t *frame)
{
	const struct rte_ipv4_hdr *ip = (const void *)(frame + L3_OFFSET);

	return (load64(&ip->dst_addr) & NAT_OUTSIDE_END_MASK) == burst->pattern->to_vtep &&
	       ip->next_proto_id == IPPROTO_UDP;
}

static inline struct rte_ipv4_hdr *inner_header(uint8_t *frame)
{
	return (void *)(frame + OUTER_LENGTH + L3_OFFSET);
}

/* The header of the flow that a frame belongs to, or what stands in its place. */
static inline struct rte_ipv4_hdr *flow_header(const struct fast_burst *burst, uint8_t *frame)
{
	return is_tunnelled(burst, frame) ? inner_header(frame) : (void *)(frame + L3_OFFSET);
}

/* As nat_owner_of_outside, of an address that is not among those met lately; notes it, if it can be. */
static __rte_noinline uint16_t owner_of_outside_find(const struct fast_burst *burst,
	struct nat_block_owners *known, uint8_t protocol, rte_be32_t outside, rte_be16_t outside_port)
{
	const struct nat *nat = burst->owner->nat;

	nat_block_owners_find(nat, outside, known);
	return nat_owner_of_outside(nat, protocol, outside, outside_port);
}

static inline uint16_t owner_of_outside(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip)
{
	const struct nat *nat = burst->nat;
	struct nat_block_owners *known =
		&burst->context->block_owners[rte_be_to_cpu_32(ip->dst_addr) % KNOWN_PUBLIC];
	rte_be16_t port = (rte_be16_t)(nat_port_pair((const rte_be16_t *)(ip + 1)) >> 16);

	if (unlikely(known->outside != ip->dst_addr))
		return owner_of_outside_find(burst, known, ip->next_proto_id, ip->dst_addr, port);
	return nat_block_owner(&nat->addresses, known, port, nat->owners);
}

static __rte_always_inline uint16_t owner_of(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip,
	uint16_t segment, const enum nat_way way)
{
	return way == NAT_UP ? nat_owner_of_inside(burst->nat, segment, ip->src_addr)
			     : owner_of_outside(burst, ip);
}

/* By which a tunnelled frame of `room` bytes came whose headers the fast path takes, as far as they say whose it is; or NULL. */
static __rte_always_inline const struct known_tunnel *tunnel_of_frame(
	const struct fast_burst *burst, const uint8_t *frame, uint32_t room)
{
	if (unlikely(room < OUTER_LENGTH + FRAME_LEAST ||
		     !ipv4_is_plain((const void *)(frame + OUTER_LENGTH + L3_OFFSET))))
		return NULL;
	return tunnel_find_known(burst, frame);
}

static inline void data_prefetch(const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	rte_prefetch0(data);
	rte_prefetch0(data + 64); /* the inner IP header of VXLAN */
}

static inline void group_prefetch(struct rte_mbuf *const *packets, uint32_t count)
{
	if (likely(count >= FAST_GROUP)) {
		_Pragma("GCC unroll 16") for (uint32_t i = 0; i < FAST_GROUP; i++) data_prefetch(packets[i]);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		data_prefetch(packets[i]);
}

void fast_path_leave(struct fast_burst *burst, struct rte_mbuf **slot, const struct rte_ipv4_hdr *ip)
{
	size_t at = (size_t)(slot - burst->packets);

	if (!burst->leaves) {
		memset(burst->left, 0, sizeof(burst->left));
		memset(burst->left_pairs, 0, sizeof(burst->left_pairs));
	}
	burst->leaves = true;
	burst->left[at / 64] |= UINT64_C(1) << at % 64;
	pair_note(burst->left_pairs, ip);
	burst->bytes -= (*slot)->data_len;
}

/* A packet of `room` bytes at most that lives on and has a right checksum, with UDP or TCP; as ipv4_parse and l4_parse would
 * have it. */
static __rte_always_inline bool packet_is_plain(
	struct fast_packet *packet, const struct rte_ipv4_hdr *ip, uint32_t room)
{
	uint32_t total = rte_be_to_cpu_16(ip->total_length);

	if (unlikely(total > room || ip->time_to_live <= 1 || !ipv4_checksum_is_right(ip)))
		return false;
	if (ip->next_proto_id == IPPROTO_UDP) {
		uint16_t length = rte_be_to_cpu_16(((const struct rte_udp_hdr *)(ip + 1))->dgram_len);
		/* At least a header's and at most what there is: one that is too short is beyond any. */
		int32_t payload = (uint16_t)(length - sizeof(struct rte_udp_hdr)),
			most = (int32_t)(total - sizeof(*ip) - sizeof(struct rte_udp_hdr));
		packet->l4 = PACKET_UDP;
		return payload <= most;
	}
	const struct rte_tcp_hdr *tcp = (const void *)(ip + 1);
	uint32_t header = (uint32_t)(tcp->data_off >> 4) * 4;
	packet->l4 = tcp->tcp_flags & NAT_STATE_FLAGS;
	return ip->next_proto_id == IPPROTO_TCP && header >= sizeof(*tcp) && header + sizeof(*ip) <= total;
}

/* What a sender's stack has left half-finished is finished before NAT changes it: the stages may do it once more, that changes
 * nothing. */
static __rte_noinline void checksum_finish(struct rte_ipv4_hdr *ip)
{
	checksum_complete_partial(ip, ip + 1, (uint16_t)(rte_be_to_cpu_16(ip->total_length) - sizeof(*ip)));
}

/* The widest prefix that a rule translates, where nothing of the segment goes by the rules. */
static void translated_note(const struct nat *nat, struct known_tunnel *known)
{
	const struct nat_segment_rules *of = &nat->rules.segment[known->segment];

	if (of->source_count > 0 && !nat_bypass_is_for(&nat->bypass, known->segment)) {
		const struct nat_source *widest = &nat->rules.source[of->source_first + of->source_count - 1];
		known->translated = widest->prefix;
		known->translated_mask = widest->mask;
	} else {
		known->translated_mask = UINT32_MAX; /* 0.0.0.0 alone, which nobody is */
	}
}

#define KNOWN_VNI                                                                                            \
	(offsetof(struct vxlan_outer, vxlan.vni) - HEADER_BYTES) /* where it is in a known tunnel's header */

/* The second 32 bytes of what comes by a tunnel to the gateway's MAC. */
static void known_header_make(const struct fast_burst *burst, const struct vxlan_outer *outer,
	uint32_t segment, uint8_t header[HEADER_BYTES])
{
	memcpy(header, burst->pattern->tunnelled.value, HEADER_BYTES);
	memcpy(header + KNOWN_VNI, outer->vxlan.vni, sizeof(outer->vxlan.vni));
	memcpy(header + OUTER_LENGTH - HEADER_BYTES, &burst->segment[segment].mac, RTE_ETHER_ADDR_LEN);
}

/* What comes by a tunnel that is known, and does not begin as it should, is no reason to learn it anew: it is for another MAC, as what VTEPs
 * flood, or not IPv4. */
__rte_noinline bool fast_path_tunnel_learn(
	const struct fast_burst *burst, struct known_tunnel *known, const uint8_t *frame)
{
	const struct vxlan_outer *outer = (const void *)frame;
	rte_be32_t vtep = outer->ip.src_addr;

	if (known->vtep == vtep &&
		memcmp(known->header + KNOWN_VNI, outer->vxlan.vni, sizeof(outer->vxlan.vni)) == 0)
		return false;
	uint32_t segment = segment_of_vni(burst->plane->segments, vxlan_vni(&outer->vxlan));
	uint32_t tunnel = segment == INDEX_NONE ? INDEX_NONE
						: tunnel_find(burst->plane->tunnels, (uint16_t)segment, vtep);

	if (tunnel == INDEX_NONE || tunnel >= NEIGHBOUR_PLACE_MAX)
		return false;
	*known = (struct known_tunnel){ .vtep = vtep,
		.tunnel = tunnel,
		.segment = (uint16_t)segment,
		.source_salt = overload_source_salt((uint16_t)segment),
		.source = fdb_key_of_bits((uint16_t)segment, 0) ^ (uint64_t)RTE_BE16(RTE_ETHER_TYPE_IPV4)
									  << 48 };
	known_header_make(burst, outer, segment, known->header);
	translated_note(burst->owner->nat, known);
	return header_is(frame + HEADER_BYTES, known->header, burst->pattern->tunnelled.mask);
}

static __rte_always_inline uint64_t endpoint_hash(
	const struct fast_burst *burst, const struct rte_ipv4_hdr *ip, uint32_t kin, const enum nat_way way)
{
	const struct flow_hash_key *key = &burst->owner->hash_key; /* all owners have the same */

	if (way == NAT_UP)
		return nat_inside_hash_word(
			key, kin, ip->src_addr, (rte_be16_t)nat_port_pair((const rte_be16_t *)(ip + 1)));
	return nat_outside_hash_word(key, kin, load64(&ip->dst_addr) & NAT_OUTSIDE_END_MASK);
}

static __rte_always_inline const void *first_line(
	const struct nat_owner *owner, uint64_t hash, const enum nat_way way)
{
	return way == NAT_UP ? (const void *)nat_index_first(&owner->index, hash)
			     : (const void *)nat_row_first(&owner->rows, hash);
}

void fast_path_look_by_flow(const struct fast_burst *burst, struct fast_packet *packet, enum nat_way way)
{
	const struct rte_ipv4_hdr *ip = packet->ip;
	uint32_t ports = nat_port_pair((const rte_be16_t *)(ip + 1));

	packet->hash = nat_flow_hash(&burst->owner->hash_key, packet->hash,
		way == NAT_UP ? ip->dst_addr : ip->src_addr,
		(rte_be16_t)(way == NAT_UP ? ports >> 16 : ports));
	packet->line = first_line(owner_of_packet(burst, packet, burst->others), packet->hash, way);
}

/* Where sessions of other endpoints are, their endpoint is enough: it leads to the only one, or the first. */
static __rte_noinline void look_by_flow(
	struct fast_burst *burst, struct fast_packet *packet, const enum nat_way way)
{
	burst->way[way].by_flow |= fast_packet_bit(&burst->way[way], packet);
	fast_path_look_by_flow(burst, packet, way);
}

/* Notes what a packet is looked for by, and where. */
static __rte_always_inline void packet_note(struct fast_burst *burst, struct fast_packet *packet,
	struct rte_ipv4_hdr *ip, uint16_t segment, const enum nat_way way)
{
	uint32_t kin = nat_kin_word(segment, ip->next_proto_id);
	uint64_t hash = endpoint_hash(burst, ip, kin, way);

	packet->ip = ip;
	packet->kin = kin;
	packet->hash = hash;
	if (unlikely(burst->others)) {
		packet->owner = burst->nat->owner[owner_of(burst, ip, segment, way)];
		packet->handed = handoff_flow_bit(hash);
	}
	if (unlikely(burst->crowded) && nat_crowded_is(&burst->context->crowded, hash))
		look_by_flow(burst, packet, way);
	else
		packet->line = first_line(owner_of_packet(burst, packet, burst->others), hash, way);
}

/* Most VTEPs send no outer UDP checksum (RFC 7348 section 4.1), that of Linux does. One that is wrong, or was summed before
 * that of the packet inside was finished, the stages see to. */
static __rte_noinline bool outer_checksum_is_right(
	const struct fast_burst *burst, const struct rte_mbuf *m, const struct vxlan_outer *outer)
{
	return udp_checksum_is_right(burst->port, m, &outer->ip, &outer->udp);
}

/* Are the frame's `length` bytes what the outer headers say, as they nearly always are? */
static inline bool outer_lengths_are(const struct vxlan_outer *outer, uint32_t length)
{
	return rte_be_to_cpu_16(outer->ip.total_length) + offsetof(struct vxlan_outer, ip) == length &&
	       rte_be_to_cpu_16(outer->udp.dgram_len) + offsetof(struct vxlan_outer, udp) == length;
}

/* How many bytes of the frame's `length` are the datagram and what is before it; 0: the lengths are impossible. */
static __rte_noinline uint32_t outer_room(const struct vxlan_outer *outer, uint32_t length)
{
	uint32_t datagram = rte_be_to_cpu_16(outer->udp.dgram_len),
		 total = rte_be_to_cpu_16(outer->ip.total_length),
		 room = datagram + (uint32_t)offsetof(struct vxlan_outer, udp);

	return total + L3_OFFSET > length || datagram + sizeof(outer->ip) > total ||
			       room < OUTER_LENGTH + L3_OFFSET
		       ? 0
		       : room;
}

/* A frame to our VTEP address. That its source speaks for the segment need not be asked: whose packets opened a session
 * does. */
static __rte_always_inline bool look_up(
	struct fast_burst *burst, struct fast_packet *packet, uint8_t *frame, uint32_t room)
{
	const struct vxlan_outer *outer = (const void *)frame;
	struct rte_ipv4_hdr *ip = inner_header(frame);

	const struct known_tunnel *known = tunnel_of_frame(burst, frame, room);
	if (unlikely(known == NULL))
		return false;
	if (unlikely(!outer_lengths_are(outer, room)) && (room = outer_room(outer, room)) == 0)
		return false;
	if (unlikely(!ipv4_checksum_is_right(&outer->ip) ||
		     !packet_is_plain(packet, ip, room - OUTER_LENGTH - L3_OFFSET)))
		return false;
	if (outer->udp.dgram_cksum != 0 && unlikely(!outer_checksum_is_right(burst, *packet->slot, outer)))
		return false;
	packet->length = (uint16_t)(room - OUTER_LENGTH);
	if (unlikely(burst->finishes))
		checksum_finish(ip);
	packet->mac_key = load64(frame + OUTER_LENGTH + RTE_ETHER_ADDR_LEN) ^ known->source;
	packet->tunnel = known->tunnel;
	packet_note(burst, packet, ip, known->segment, NAT_UP);
	return true;
}

/* A frame from outside. What has a session needs no route: only by a public address of ours it has one. */
static __rte_always_inline bool look_down(
	struct fast_burst *burst, struct fast_packet *packet, uint8_t *frame, uint32_t room)
{
	struct rte_ipv4_hdr *ip = (void *)(frame + L3_OFFSET);

	if (unlikely(!packet_is_plain(packet, ip, room - L3_OFFSET)))
		return false;
	if (unlikely(burst->finishes))
		checksum_finish(ip);
	/* Where the outer headers will be, and no device has written. */
	rte_prefetch0_write(frame - OUTER_LENGTH);
	packet_note(burst, packet, ip, 0, NAT_DOWN);
	return true;
}

static inline bool opener_look_up(
	struct fast_burst *burst, struct rte_mbuf **slot, uint8_t *frame, uint32_t room)
{
	const struct vxlan_outer *outer = (const void *)frame;
	struct rte_ipv4_hdr *ip = inner_header(frame);
	const struct known_tunnel *known;

	if (!opens_connection(ip) || room < OUTER_LENGTH + OPENER_LEAST || !outer_length_is(outer, room) ||
		(known = tunnel_of_frame(burst, frame, room)) == NULL)
		return false;
	if (burst->others && owner_of(burst, ip, known->segment, NAT_UP) != burst->context->owner_index)
		return false;
	const struct fast_opener opener = { .ip = ip,
		.kin = nat_kin_word(known->segment, IPPROTO_TCP),
		.tunnel = known->tunnel,
		.length = (uint16_t)(room - OUTER_LENGTH),
		.slot = slot,
		.way = NAT_UP };
	if (likely(is_plainly_from_inside(burst->plane->fib, ip, known)))
		fast_path_admit(burst, &opener);
	else
		fast_path_keep_apart(burst, &opener);
	return true;
}

static inline bool is_known_public(struct lcore_context *context, const struct rte_ipv4_hdr *ip)
{
	return likely(*known_public(context, ip->dst_addr) == ip->dst_addr) ||
	       *known_shared(context, public_end(ip)) == public_end(ip);
}

static inline bool opener_look_down(
	struct fast_burst *burst, struct rte_mbuf **slot, struct rte_ipv4_hdr *ip, uint32_t room)
{
	const struct fast_opener opener = {
		.ip = ip, .kin = nat_kin_word(0, IPPROTO_TCP), .slot = slot, .way = NAT_DOWN
	};

	if (!opens_connection(ip) || room < OPENER_LEAST ||
		(burst->others && owner_of(burst, ip, 0, NAT_DOWN) != burst->context->owner_index))
		return false;
	if (likely(is_known_public(burst->context, ip) && source_is_possible(burst, ip->src_addr) &&
		    ip->dst_addr != 0))
		fast_path_admit(burst, &opener);
	else
		fast_path_keep_apart(burst, &opener);
	return true;
}

/* While the lcore is overloaded, the first packet of a connection is admitted or refused at once where it is plain that NAT
 * would translate it, or kept apart. Nothing more is asked of it than what tells that it is one: if it comes to be opened, the
 * stages ask. That of another owner's goes to him in its turn, behind what came before it of the same flow. */
static __rte_always_inline bool opener_look(struct fast_burst *burst, struct rte_mbuf **slot, uint8_t *frame,
	uint32_t room, const enum nat_way way)
{
	return way == NAT_UP ? opener_look_up(burst, slot, frame, room)
			     : opener_look_down(burst, slot, (void *)(frame + L3_OFFSET), room);
}

static inline struct fast_packet *packet_begin(
	struct fast_burst *burst, struct rte_mbuf **slot, const enum nat_way way)
{
	struct fast_packet *packet = burst->way[way].next;

	packet->slot = slot;
	return packet;
}

static __rte_always_inline void look(struct fast_burst *burst, struct rte_mbuf **slot, const bool overloaded)
{
	const struct rte_mbuf *m = *slot;
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct rte_ipv4_hdr *ip = (void *)(frame + L3_OFFSET);
	uint32_t room = m->data_len;
	struct fast_packet *packet;

	burst->bytes += room; /* all of it: who has more segments is left */
	if (unlikely(room < FRAME_LEAST || m->nb_segs != 1 ||
		     !header_matches(frame, &burst->pattern->plain))) {
		fast_path_leave(burst, slot, flow_header(burst, frame));
	} else if (is_tunnelled(burst, frame)) {
		if (overloaded && opener_look(burst, slot, frame, room, NAT_UP))
			return;
		packet = packet_begin(burst, slot, NAT_UP);
		if (likely(!follows_left(burst, inner_header(frame)) && look_up(burst, packet, frame, room)))
			burst->way[NAT_UP].next++;
		else
			fast_path_leave(burst, slot, inner_header(frame));
	} else {
		if (overloaded && opener_look(burst, slot, frame, room, NAT_DOWN))
			return;
		packet = packet_begin(burst, slot, NAT_DOWN);
		if (likely(!follows_left(burst, ip) && look_down(burst, packet, frame, room)))
			burst->way[NAT_DOWN].next++;
		else
			fast_path_leave(burst, slot, ip);
	}
}

static __rte_always_inline void packets_look(
	struct fast_burst *burst, uint16_t from, uint16_t end, const bool overloaded)
{
	struct rte_mbuf **packets = burst->packets;
	uint32_t count = burst->count;

	if (from == 0)
		group_prefetch(packets, count);
	group_prefetch(packets + end, count - end);
	for (struct rte_mbuf **slot = packets + from; slot < packets + end; slot++) {
		if (overloaded && may_be_opener(*slot) &&
			(slot = refuse_first(burst, slot, packets + end)) == packets + end)
			break;
		look(burst, slot, overloaded);
	}
}

static __rte_noinline void packets_look_overloaded(struct fast_burst *burst, uint16_t from, uint16_t end)
{
	packets_look(burst, from, end, true);
}

void fast_path_look(struct fast_burst *burst, uint16_t from, uint16_t end)
{
	if (unlikely(burst->overloaded))
		packets_look_overloaded(burst, from, end);
	else
		packets_look(burst, from, end, false);
}

#define TO_ADDRESS (L3_OFFSET + offsetof(struct rte_ipv4_hdr, dst_addr))

/* What need not be asked of each packet one by one: Ethernet to us with IPv4 that has no options and is no fragment;
 * and beyond that, in a tunnel to us, VXLAN, and in it Ethernet with IPv4. VNI and destination MAC are in the mask alone: these
 * the tunnels have. */
static void pattern_make(
	struct fast_pattern *pattern, const struct data_plane *plane, const struct port_interface *port)
{
	const struct tunnel_header value = {
		.outer = { .ethernet = { .dst_addr = port->mac, .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) },
			.ip = { .version_ihl = RTE_IPV4_VHL_DEF,
				.next_proto_id = IPPROTO_UDP,
				.dst_addr = plane->vtep_address },
			.udp = { .dst_port = plane->vxlan_port },
			.vxlan = { .flags = VXLAN_FLAG_VNI } },
		.inner = { .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4) }
	};
	const struct tunnel_header mask = {
		.outer = { .ethernet = { .dst_addr = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
				   .ether_type = UINT16_MAX },
			.ip = { .version_ihl = UINT8_MAX,
				.fragment_offset = RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK),
				.next_proto_id = UINT8_MAX,
				.dst_addr = UINT32_MAX },
			.udp = { .dst_port = UINT16_MAX },
			.vxlan = { .flags = VXLAN_FLAG_VNI, .vni = { 0xff, 0xff, 0xff } } },
		.inner = { .dst_addr = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } }, .ether_type = UINT16_MAX }
	};

	memcpy(pattern->to_us.value, &value, HEADER_BYTES);
	memcpy(pattern->to_us.mask, &mask, HEADER_BYTES);
	pattern->plain = pattern->to_us;
	pattern->plain.mask[L3_OFFSET + offsetof(struct rte_ipv4_hdr, next_proto_id)] = 0;
	memset(pattern->plain.mask + TO_ADDRESS, 0, HEADER_BYTES - TO_ADDRESS);
	memcpy(pattern->tunnelled.value, (const uint8_t *)&value + HEADER_BYTES, HEADER_BYTES);
	memcpy(pattern->tunnelled.mask, (const uint8_t *)&mask + HEADER_BYTES, HEADER_BYTES);
	pattern->to_vtep = nat_outside_end(plane->vtep_address, plane->vxlan_port);
}

void fast_path_init(struct lcore_context *context)
{
	for (uint16_t port = 0; port < context->plane->port_count; port++)
		pattern_make(&context->fast_pattern[port], context->plane, &context->plane->port[port]);
}
