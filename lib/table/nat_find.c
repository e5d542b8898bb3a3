/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking for sessions one at a time: first sessions and others. The stages have a short way, for many at once. */
#include "table/nat_search.h"

static bool is_binding_inside(const struct nat_session *session, const struct nat_flow *flow)
{
	return session->flags & NAT_SESSION_FIRST && session->inside == flow->inside &&
	       session->inside_port == flow->inside_port && session->segment == flow->segment &&
	       session->protocol == flow->protocol;
}

static bool is_binding_outside(const struct nat_session *session, const struct nat_flow *flow)
{
	return session->flags & NAT_SESSION_FIRST && session->outside == flow->outside &&
	       session->outside_port == flow->outside_port && session->protocol == flow->protocol;
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

/* The number of the session that is the flow's by `is`, or INDEX_NONE. */
static __rte_always_inline uint32_t session_find(const struct nat_owner *owner, const struct nat_flow *flow,
	uint64_t hash, const enum nat_way way,
	bool (*const is)(const struct nat_session *session, const struct nat_flow *flow))
{
	struct nat_search search;

	nat_search_begin(owner, &search, hash, way);
	do {
		uint32_t number = nat_search_read(owner, &search);
		if (number != INDEX_NONE && is(&owner->session[number], flow))
			return number;
	} while (nat_search_on(owner, &search));
	return INDEX_NONE;
}

uint32_t nat_binding_find_inside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash)
{
	return session_find(owner, flow, hash, NAT_UP, is_binding_inside);
}

uint32_t nat_binding_find_outside(const struct nat_owner *owner, const struct nat_flow *flow, uint64_t hash)
{
	return session_find(owner, flow, hash, NAT_DOWN, is_binding_outside);
}

uint32_t nat_session_find_beside(
	const struct nat_owner *owner, const struct nat_flow *flow, uint64_t inside_hash, uint32_t first)
{
	/* Without a first session there can only be such as stand apart. */
	if (first == INDEX_NONE ? !owner->nat->rules.apart : is_up(&owner->session[first], flow))
		return first;
	uint64_t hash = nat_flow_hash(&owner->hash_key, inside_hash, flow->remote, flow->remote_port);
	return session_find(owner, flow, hash, NAT_UP, is_up);
}

uint32_t nat_session_find_up(const struct nat_owner *owner, const struct nat_flow *flow)
{
	uint64_t hash = nat_flow_inside_hash(owner, flow);

	return nat_session_find_beside(owner, flow, hash, nat_binding_find_inside(owner, flow, hash));
}

uint32_t nat_session_find_down(const struct nat_owner *owner, const struct nat_flow *flow)
{
	uint64_t hash = nat_flow_outside_hash(owner, flow);
	uint32_t number = nat_binding_find_outside(owner, flow, hash);

	if (number == INDEX_NONE ? !owner->nat->rules.apart : is_down(&owner->session[number], flow))
		return number;
	hash = nat_flow_hash(&owner->hash_key, hash, flow->remote, flow->remote_port);
	return session_find(owner, flow, hash, NAT_DOWN, is_down);
}
