/* SPDX-License-Identifier: BSD-3-Clause */
/* By which tunnel a packet came, and whether NAT has a say in it: asked by the first step (fast_path_look.c), and of what is handed over
 * (fast_path_handoff.c). */
#pragma once

#include "stage/fast_path_private.h"
#include "table/nat.h"

static inline uint32_t load32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
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

/* Is it plain that NAT has a say in the packet? Else its route has to be looked up. */
static inline bool is_plainly_for_nat(
	const struct fast_burst *burst, const struct rte_ipv4_hdr *ip, const struct known_tunnel *known)
{
	if (known == NULL)
		return *known_public(burst->context, ip->dst_addr) == ip->dst_addr && ip->dst_addr != 0;
	return (ip->src_addr & known->translated_mask) == known->translated &&
	       fib_leads_out(burst->plane->fib, ip->dst_addr);
}
