/* SPDX-License-Identifier: BSD-3-Clause */
/* By which tunnel a packet came, and whether NAT has a say in it: asked by the first pass (fast_path_look.c), and of what is handed over
 * (fast_path_handoff.c). */
#pragma once

#include "stage/fast_path_private.h"
#include "table/nat.h"

_Static_assert(
	RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "headers are read by words, whose first byte is the lowest");

static inline uint32_t load32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Notes what is known of the tunnel by which a frame came; false: there is none, or it does not begin as what comes by
 * it to the gateway's MAC. */
bool fast_path_tunnel_learn(const struct fast_burst *burst, struct known_tunnel *known, const uint8_t *frame);

/* Where a (VNI, VTEP) pair is noted. Operators number both one after the other, or in steps: VNIs in a row get places in a row, those of
 * the next VTEP begin where the golden ratio says, far from all others. So of a thousand segments that are all behind two VTEPs a
 * fifth share their places, where three in five would by chance; segments that are each behind one of them come out as by chance. The
 * VNI is read with the reserved byte behind it, which moves it by less than a place. */
static inline uint32_t known_tunnel_at(const struct vxlan_outer *outer)
{
	return (rte_be_to_cpu_32(outer->ip.src_addr) * UINT32_C(0x9e3779b1) +
		       rte_be_to_cpu_32(load32(outer->vxlan.vni)) * UINT32_C(0x2007)) >>
	       (32 - KNOWN_TUNNELS_BITS);
}

/* By which tunnel a frame came that is VXLAN for us, to the gateway's MAC and with IPv4 inside; NULL: it is none, or there is no such
 * tunnel. The pairs met lately are noted; tunnels are never taken away, so what was found stays right. */
static __rte_always_inline const struct known_tunnel *tunnel_find_known(
	const struct fast_burst *burst, const uint8_t *frame)
{
	const struct vxlan_outer *outer = (const void *)frame;
	struct known_tunnel *known = &burst->context->known_tunnel[known_tunnel_at(outer)];

	if (unlikely(!header_is(frame + HEADER_BYTES, known->header, burst->pattern->tunnelled.mask) ||
		     known->vtep != outer->ip.src_addr) &&
		!fast_path_tunnel_learn(burst, known, frame))
		return NULL;
	return known;
}

/* The datagram in a frame of `room` bytes ends where that does. */
static inline bool outer_length_is(const struct vxlan_outer *outer, uint32_t room)
{
	return rte_be_to_cpu_16(outer->udp.dgram_len) + offsetof(struct vxlan_outer, udp) == room;
}

/* IPv4 without options that is no fragment. */
static inline bool ipv4_is_plain(const struct rte_ipv4_hdr *ip)
{
	return (load64(ip) & RTE_BE64(UINT64_C(0xff00000000003fff))) ==
	       RTE_BE64((uint64_t)RTE_IPV4_VHL_DEF << 56);
}

/* With a whole TCP header. */
#define OPENER_LEAST (L4_OFFSET + (uint32_t)sizeof(struct rte_tcp_hdr))

static inline bool opens_connection(const struct rte_ipv4_hdr *ip)
{
	return ip->next_proto_id == IPPROTO_TCP && ip->time_to_live > 1 &&
	       nat_tcp_opens(((const struct rte_tcp_hdr *)(ip + 1))->tcp_flags);
}

/* Is it a SYN from inside, if it has come by a tunnel? */
static inline bool may_be_opener(const struct rte_mbuf *m)
{
	return m->data_len >= OUTER_LENGTH + OPENER_LEAST &&
	       opens_connection(rte_pktmbuf_mtod_offset(m, const void *, OUTER_LENGTH + L3_OFFSET));
}

/* Is it plain that NAT has a say in a packet that came by a tunnel? */
static inline bool is_plainly_from_inside(
	const struct fib *fib, const struct rte_ipv4_hdr *ip, const struct known_tunnel *known)
{
	return (ip->src_addr & known->translated_mask) == known->translated &&
	       fib_leads_out(fib, ip->dst_addr);
}

/* The same of any packet. Else its route has to be looked up. */
static inline bool is_plainly_for_nat(
	const struct fast_burst *burst, const struct rte_ipv4_hdr *ip, const struct known_tunnel *known)
{
	if (known == NULL)
		return *known_public(burst->context, ip->dst_addr) == ip->dst_addr && ip->dst_addr != 0;
	return is_plainly_from_inside(burst->plane->fib, ip, known);
}
