/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fast path reads of headers before it knows of any session: shared by the first step, which looks at packets
 * (fast_path_look.c), and by what sorts out those of other owners before it (fast_path_handoff.c). */
#pragma once

#include "stage/fast_path_private.h"
#include "table/nat.h"

#define DATA_AHEAD  8u /* packets between asking for one's headers and reading them */
#define FRAME_LEAST (L4_OFFSET + (uint32_t)sizeof(struct rte_udp_hdr))

static inline uint32_t load32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* As fdb_mac_bits, by one load: of what more bytes follow. */
static inline uint64_t load_mac(const void *at)
{
	return load64(at) & UINT64_C(0xffffffffffff);
}

/* VXLAN for us, going by the first packet's headers. */
static inline bool is_tunnelled(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip)
{
	const struct rte_udp_hdr *udp = (const void *)(ip + 1);

	return ip->dst_addr == burst->plane->vtep_address && ip->next_proto_id == IPPROTO_UDP &&
	       udp->dst_port == burst->plane->vxlan_port;
}

/* The header of the flow that a frame belongs to, or what stands in its place. */
static inline struct rte_ipv4_hdr *flow_header(const struct fast_burst *burst, uint8_t *frame)
{
	struct rte_ipv4_hdr *ip = (void *)(frame + L3_OFFSET);

	return is_tunnelled(burst, ip) ? (void *)(frame + OUTER_LENGTH + L3_OFFSET) : ip;
}

/* IPv4 without options that is no fragment. */
static inline bool ipv4_is_plain(const struct rte_ipv4_hdr *ip)
{
	return (load64(ip) & RTE_BE64(UINT64_C(0xff00000000003fff))) ==
	       RTE_BE64((uint64_t)RTE_IPV4_VHL_DEF << 56);
}

/* As nat_owner_of_outside, of an address that is not among those met lately; notes it, if it can be. */
uint16_t fast_path_owner_of_outside(const struct fast_burst *burst, struct nat_block_owners *known,
	uint8_t protocol, rte_be32_t outside, rte_be16_t outside_port);

static inline uint16_t owner_of_outside(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip)
{
	const struct nat *nat = burst->nat;
	struct nat_block_owners *known =
		&burst->context->block_owners[rte_be_to_cpu_32(ip->dst_addr) % KNOWN_PUBLIC];
	rte_be16_t port = (rte_be16_t)(nat_port_pair((const rte_be16_t *)(ip + 1)) >> 16);

	if (unlikely(known->outside != ip->dst_addr))
		return fast_path_owner_of_outside(burst, known, ip->next_proto_id, ip->dst_addr, port);
	return nat_block_owner(&nat->addresses, known, port, nat->owners);
}

static __rte_always_inline uint16_t owner_of(const struct fast_burst *burst, const struct rte_ipv4_hdr *ip,
	uint16_t segment, const enum nat_way way)
{
	return way == NAT_UP ? nat_owner_of_inside(burst->nat, segment, ip->src_addr)
			     : owner_of_outside(burst, ip);
}

/* Notes what follows from a (VNI, VTEP) pair; false: there is no such tunnel. */
bool fast_path_tunnel_learn(const struct fast_burst *burst, struct known_tunnel *known, uint64_t key,
	const struct vxlan_header *vxlan, rte_be32_t vtep);

/* The (VNI, VTEP) pairs met lately; tunnels are never taken away, so what was found stays right. */
static inline const struct known_tunnel *tunnel_find_known(
	const struct fast_burst *burst, const struct vxlan_header *vxlan, rte_be32_t vtep)
{
	uint64_t key = (uint64_t)load32(vxlan->vni) << 40 | vtep; /* without the reserved byte */
	struct known_tunnel *known =
		&burst->context
			 ->known_tunnel[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_TUNNELS_BITS)];

	if (unlikely(known->key != key) && !fast_path_tunnel_learn(burst, known, key, vxlan, vtep))
		return NULL;
	return known;
}

/* By which a tunnelled frame of `room` bytes came whose headers the fast path takes, as far as they say whose it is; or NULL. */
static __rte_always_inline const struct known_tunnel *tunnel_of_frame(
	const struct fast_burst *burst, const uint8_t *frame, uint32_t room)
{
	const struct vxlan_outer *outer = (const void *)frame;

	if (unlikely(room < OUTER_LENGTH + FRAME_LEAST ||
		     !header_matches(frame + 32, &burst->pattern->tunnelled) ||
		     !ipv4_is_plain((const void *)(frame + OUTER_LENGTH + L3_OFFSET))))
		return NULL;
	const struct known_tunnel *known = tunnel_find_known(burst, &outer->vxlan, outer->ip.src_addr);
	return likely(known != NULL && load_mac(frame + OUTER_LENGTH) == known->mac) ? known : NULL;
}

static inline void data_prefetch(const struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	rte_prefetch0(data);
	rte_prefetch0(data + 64); /* the inner IP header of VXLAN */
}

/* Is it plain that NAT has a say in the packet? Else its route has to be looked up. */
static inline bool is_plainly_for_nat(
	const struct fast_burst *burst, const struct rte_ipv4_hdr *ip, const struct known_tunnel *known)
{
	if (known == NULL)
		return *known_public(burst->context, ip->dst_addr) == ip->dst_addr && ip->dst_addr != 0;
	return (ip->src_addr & known->translated_mask) == known->translated &&
	       fib_leads_out(burst->plane->fib, ip->dst_addr);
}
