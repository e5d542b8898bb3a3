/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking for sessions with full care: both buckets, every candidate, first sessions and others. The stage nat_gateway
 * has the short way that nearly every packet takes. */
#include "table/nat_owner.h"

/* Walks the sessions that a hash may stand for. */
struct candidates {
	const struct nat_index *index;
	const struct nat_bucket *bucket;
	uint32_t match;
	uint16_t tag;
	bool second; /* the second bucket has been looked at, or need not be */
};

static struct candidates candidates_of(const struct nat_index *index, uint64_t hash)
{
	const struct nat_bucket *first = nat_index_first(index, hash);
	uint16_t tag = nat_index_tag(hash);

	return (struct candidates){ .index = index,
		.bucket = first,
		.match = nat_bucket_match(first, tag),
		.tag = tag,
		.second = first->overflow == 0 };
}

static uint32_t candidate_next(struct candidates *walk)
{
	if (walk->match == 0 && !walk->second) {
		walk->bucket = nat_index_other(walk->index, walk->bucket, walk->tag);
		walk->match = nat_bucket_match(walk->bucket, walk->tag);
		walk->second = true;
	}
	if (walk->match == 0)
		return INDEX_NONE;
	uint32_t slot = nat_match_slot(walk->match);
	walk->match &= walk->match - 1;
	return walk->bucket->value[slot];
}

uint32_t nat_binding_find_inside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash)
{
	struct candidates walk = candidates_of(&owner->index, hash);
	uint32_t number;

	while ((number = candidate_next(&walk)) != INDEX_NONE) {
		const struct nat_session *session = &owner->session[number];
		if (session->flags & NAT_SESSION_FIRST && session->inside == flow->inside &&
			session->inside_port == flow->inside_port && session->segment == flow->segment &&
			session->protocol == flow->protocol)
			break;
	}
	return number;
}

uint32_t nat_binding_find_outside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash)
{
	struct candidates walk = candidates_of(&owner->index, hash);
	uint32_t number;

	while ((number = candidate_next(&walk)) != INDEX_NONE) {
		const struct nat_session *session = &owner->session[number];
		if (session->flags & NAT_SESSION_FIRST && session->outside == flow->outside &&
			session->outside_port == flow->outside_port && session->protocol == flow->protocol)
			break;
	}
	return number;
}

static bool is_up(const struct nat_session *session, const struct nat_flow *flow)
{
	return nat_session_is_up(session, nat_kin_word(flow->segment, flow->protocol),
		nat_address_pair(&flow->inside), nat_port_pair(&flow->inside_port));
}

static bool is_down(const struct nat_session *session, const struct nat_flow *flow)
{
	return nat_session_is_down(session, nat_kin_word(0, flow->protocol), nat_address_pair(&flow->remote),
		nat_port_pair(&flow->remote_port));
}

uint32_t nat_session_find_up(const struct nat_owner *owner, const struct nat_flow *flow)
{
	uint64_t hash = nat_flow_inside_hash(owner, flow);
	uint32_t number = nat_binding_find_inside(owner, flow, hash);

	/* Without a first session there can only be such as stand apart. */
	if (number == INDEX_NONE ? !owner->nat->rules.apart : is_up(&owner->session[number], flow))
		return number;
	struct candidates walk = candidates_of(
		&owner->index, nat_flow_hash(&owner->hash_key, hash, flow->remote, flow->remote_port));
	while ((number = candidate_next(&walk)) != INDEX_NONE && !is_up(&owner->session[number], flow))
		;
	return number;
}

uint32_t nat_session_find_down(const struct nat_owner *owner, const struct nat_flow *flow)
{
	uint64_t hash = nat_flow_outside_hash(owner, flow);
	uint32_t number = nat_binding_find_outside(owner, flow, hash);

	if (number == INDEX_NONE ? !owner->nat->rules.apart : is_down(&owner->session[number], flow))
		return number;
	struct candidates walk = candidates_of(
		&owner->index, nat_flow_hash(&owner->hash_key, hash, flow->remote, flow->remote_port));
	while ((number = candidate_next(&walk)) != INDEX_NONE && !is_down(&owner->session[number], flow))
		;
	return number;
}
