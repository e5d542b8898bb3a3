/* SPDX-License-Identifier: BSD-3-Clause */
/* The last part of the fast path while the lcore is overloaded (overload.h): the packets that would open one session too many
 * end here, at the cost of no table of NAT. Of TCP most are decided by the first pass (fast_path_look.c; SYNs of sources that have
 * asked too often by the dozen, fast_path_refuse_private.h), without a look for a session: a SYN that is sent once more within an
 * existing one may be refused like the others. Where that does not tell whether NAT would translate it, and for UDP, when it has no
 * session, it is told here, by a route lookup.
 *
 * Only what NAT would translate is refused. What is routed without, or is for the gateway itself, or between hosts inside,
 * goes to the stages with all else that is left. */
#include "stage/fast_path_private.h"
#include "table/nat.h"

/* To a public address, which may be one of ours as well. */
static inline bool is_for_hosts(const struct nat *nat, const struct rte_ipv4_hdr *ip, uint8_t kind)
{
	const struct nat_flow flow = { .protocol = ip->next_proto_id,
		.outside = ip->dst_addr,
		.outside_port = (rte_be16_t)(nat_port_pair((const rte_be16_t *)(ip + 1)) >> 16) };

	return kind == NEXT_HOP_NAT || (kind == NEXT_HOP_LOCAL_NAT && nat_is_of_hosts(nat, &flow));
}

/* Would a session be opened for it, as far as can be said by its addresses? */
static inline bool opens(
	const struct fast_burst *burst, const struct fast_opener *opener, const struct next_hop *hop)
{
	const struct nat *nat = burst->owner->nat;
	const struct rte_ipv4_hdr *ip = opener->ip;
	rte_be16_t port = (rte_be16_t)nat_port_pair((const rte_be16_t *)(ip + 1));
	uint16_t segment = (uint16_t)opener->kin;
	struct nat_way_out out;

	if (opener->way == NAT_DOWN)
		return is_for_hosts(nat, ip, hop->kind) && source_is_possible(burst, ip->src_addr);
	return next_hop_leads_out(hop) && !ipv4_source_impossible(ip->dst_addr) &&
	       nat_rule_out(&nat->rules, segment, ip->next_proto_id, ip->src_addr, port, &out) &&
	       !nat_bypass_has(&nat->bypass, segment, ip->src_addr, ip->dst_addr);
}

/* As rte_pktmbuf_free_bulk, in a third of the time for what refused packets nearly always are. */
static void refused_free(struct fast_burst *burst)
{
	if (likely(!burst->unlike))
		rte_mempool_put_bulk(burst->refusal[0]->pool, (void **)burst->refusal, burst->refused);
	else
		rte_pktmbuf_free_bulk(burst->refusal, burst->refused);
}

static bool is_of_flow(const struct rte_ipv4_hdr *a, const struct rte_ipv4_hdr *b)
{
	return nat_address_pair(&a->src_addr) == nat_address_pair(&b->src_addr) &&
	       nat_port_pair((const rte_be16_t *)(a + 1)) == nat_port_pair((const rte_be16_t *)(b + 1)) &&
	       a->next_proto_id == b->next_proto_id;
}

/* A flow is asked about once: what follows the packet that opens it goes with it. */
static void admit_flow(struct fast_burst *burst, const struct fast_opener *opener,
	const struct rte_ipv4_hdr **admitted, uint32_t *count)
{
	uint32_t before = burst->refused;

	for (uint32_t i = 0; i < *count; i++)
		if (is_of_flow(admitted[i], opener->ip)) {
			fast_path_leave(burst, opener->slot, opener->ip);
			return;
		}
	fast_path_admit(burst, opener);
	if (burst->refused == before)
		admitted[(*count)++] = opener->ip;
}

/* What a connection from outside is for, so that the first pass can tell the next time: the configuration stays. */
static void public_note(struct lcore_context *context, const struct rte_ipv4_hdr *ip, uint8_t kind)
{
	if (kind == NEXT_HOP_NAT)
		*known_public(context, ip->dst_addr) = ip->dst_addr;
	else if (ip->next_proto_id == IPPROTO_TCP)
		*known_shared(context, public_end(ip)) = public_end(ip);
}

static void kept_apart_decide(struct fast_burst *burst)
{
	const struct rte_ipv4_hdr *admitted[BURST_MAX];
	rte_be32_t destination[BURST_MAX];
	uint16_t hop[BURST_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < burst->openers; i++)
		destination[i] = burst->opener[i].ip->dst_addr;
	fib_find_bulk(burst->plane->fib, destination, hop, (uint16_t)burst->openers);
	for (uint32_t i = 0; i < burst->openers; i++) {
		const struct fast_opener *opener = &burst->opener[i];
		const struct next_hop *to = &burst->plane->fib->next_hop[hop[i]];

		if (!opens(burst, opener, to)) {
			fast_path_leave(burst, opener->slot, opener->ip);
			continue;
		}
		if (opener->way == NAT_DOWN)
			public_note(burst->context, opener->ip, to->kind);
		admit_flow(burst, opener, admitted, &count);
	}
}

void fast_path_shed(struct fast_burst *burst)
{
	if (burst->openers > 0)
		kept_apart_decide(burst);
	burst->context->counters.drop[DROP_NAT_NEW_SESSION_BUDGET] += burst->refused;
	if (burst->refused > 0)
		refused_free(burst);
}
