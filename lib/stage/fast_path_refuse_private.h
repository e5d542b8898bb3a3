/* SPDX-License-Identifier: BSD-3-Clause */
/* The first pass of an overloaded lcore: SYNs from inside whose sources have asked too often, as nearly all of a flood have,
 * are refused here. What has anything else about it is seen to by fast_path_look.c, which asks the same questions one by one:
 * nothing here has an effect but on packets that are refused. */
#pragma once

#include "stage/fast_path_headers_private.h"

/* Of the header inside: IPv4 without options that is no fragment. */
static const struct header_pattern plain_inside = {
	.value = { RTE_IPV4_VHL_DEF },
	.mask = { 0xff, [offsetof(struct rte_ipv4_hdr, fragment_offset)] = 0x3f, 0xff },
};

/* What all such frames have in common, in registers: the bits that count, and what they are. */
struct likeness {
	header_words buffer, buffer_mask;
	header_words begin, begin_mask; /* the first 32 bytes */
	header_words tunnel_mask;       /* of the next ones, which differ from tunnel to tunnel */
	header_words inside, inside_mask;
};

static inline void likeness_begin(struct likeness *like, const struct fast_pattern *pattern)
{
	header_read(&like->buffer, buffer_alone.value);
	header_read(&like->buffer_mask, buffer_alone.mask);
	header_read(&like->begin, pattern->to_us.value);
	header_read(&like->begin_mask, pattern->to_us.mask);
	header_read(&like->tunnel_mask, pattern->tunnelled.mask);
	header_read(&like->inside, plain_inside.value);
	header_read(&like->inside_mask, plain_inside.mask);
}

/* Is the frame in its buffer, which came by this tunnel if it came by any, as nearly all are? */
static __rte_always_inline bool is_like(const struct likeness *like, const struct rte_mbuf *m,
	const uint8_t *frame, const struct known_tunnel *known)
{
	header_words buffer, begin, rest, of_tunnel, inside;

	header_read(&buffer, (const uint8_t *)m);
	header_read(&begin, frame);
	header_read(&rest, frame + HEADER_BYTES);
	header_read(&of_tunnel, known->header);
	header_read(&inside, frame + OUTER_LENGTH + L3_OFFSET);
	const header_words differs =
		((buffer ^ like->buffer) & like->buffer_mask) | ((begin ^ like->begin) & like->begin_mask) |
		((rest ^ of_tunnel) & like->tunnel_mask) | ((inside ^ like->inside) & like->inside_mask);
	return !header_words_any(&differs);
}

static inline bool is_own(const struct fast_burst *burst, const struct known_tunnel *known, rte_be32_t source)
{
	return nat_owner_of_inside(burst->nat, known->segment, source) == burst->context->owner_index;
}

/* `others`: there are several owners. */
static __rte_always_inline struct rte_mbuf **refuse(
	struct fast_burst *burst, struct rte_mbuf **slot, struct rte_mbuf **end, const bool others)
{
	const struct lcore_context *context = burst->context;
	const struct fib *fib = burst->plane->fib;
	const struct rte_mempool *pool = burst->packets[0]->pool;
	struct tunnel_state *tunnels = burst->tunnel_state;
	struct rte_mbuf **refusal = &burst->refusal[burst->refused];
	struct likeness like;

	likeness_begin(&like, burst->pattern);
	for (; slot < end && may_be_opener(*slot); slot++) {
		struct rte_mbuf *m = *slot;
		const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
		const struct vxlan_outer *outer = (const void *)frame;
		const struct rte_ipv4_hdr *ip = (const void *)(frame + OUTER_LENGTH + L3_OFFSET);
		const struct known_tunnel *known = &context->known_tunnel[known_tunnel_at(outer)];
		uint32_t length = m->data_len;

		if (unlikely(!is_like(&like, m, frame, known) || known->vtep != outer->ip.src_addr ||
			     m->pool != pool || !outer_length_is(outer, length) ||
			     !is_plainly_from_inside(fib, ip, known) ||
			     (others && !is_own(burst, known, ip->src_addr)) ||
			     !admission_refuses(
				     &context->admission, NAT_UP, known->source_salt ^ ip->src_addr)))
			break;
		tunnel_count_rx(tunnels, known->tunnel, length - OUTER_LENGTH);
		burst->bytes += m->data_len;
		*refusal++ = m;
	}
	burst->refused = (uint32_t)(refusal - burst->refusal);
	return slot;
}

/* Functions with registers of their own. */
static __rte_noinline struct rte_mbuf **refuse_own(
	struct fast_burst *burst, struct rte_mbuf **slot, struct rte_mbuf **end)
{
	return refuse(burst, slot, end, true);
}

static __rte_noinline struct rte_mbuf **refuse_all(
	struct fast_burst *burst, struct rte_mbuf **slot, struct rte_mbuf **end)
{
	return refuse(burst, slot, end, false);
}

/* Of the packets from `slot` to `end` refuses the first ones that are SYNs from inside of sources that have asked too often; returns
 * the first other one, or `end`. */
static inline struct rte_mbuf **refuse_first(
	struct fast_burst *burst, struct rte_mbuf **slot, struct rte_mbuf **end)
{
	return unlikely(burst->others) ? refuse_own(burst, slot, end) : refuse_all(burst, slot, end);
}
