/* SPDX-License-Identifier: BSD-3-Clause */
/* Filtering: what from outside may use a dynamic binding, and its session (RFC 4787 section 5, RFC 5382 section 4.3). With
 * address and port dependent filtering nothing comes here: what may pass has a session already. */
#include "table/nat_mapping.h"
#include "table/nat_owner.h"
#include <errno.h>

/* Each is a cache miss, and strangers can make us look as often as they like. */
#define SESSIONS_LOOKED_AT 1024u

static enum nat_filtering filtering_of(const struct nat_owner *owner, const struct nat_session *session)
{
	const struct nat_address_table *addresses = &owner->nat->addresses;
	uint32_t address = nat_address_find(addresses, session->outside);

	if (address == INDEX_NONE || addresses->address[address].pool == NAT_POOL_NONE)
		return NAT_FILTER_ADDRESS_AND_PORT;
	return addresses->pool[addresses->address[address].pool].filtering;
}

static bool has_talked_to(const struct nat_owner *owner, uint32_t first, rte_be32_t remote)
{
	uint32_t number = first;

	for (uint32_t i = 0; i < SESSIONS_LOOKED_AT && number != INDEX_NONE; i++) {
		if (owner->session[number].remote == remote)
			return true;
		number = owner->session[number].next;
	}
	return false;
}

bool nat_binding_admits(const struct nat_owner *owner, uint32_t first, rte_be32_t remote)
{
	const struct nat_session *session = &owner->session[first];

	if (session->kind != NAT_KIND_DYNAMIC)
		return false;
	if (nat_mapping_lets_in(owner, session))
		return true;
	switch (filtering_of(owner, session)) {
	case NAT_FILTER_NONE:
		return true;
	case NAT_FILTER_ADDRESS:
		return has_talked_to(owner, first, remote);
	default:
		return false;
	}
}

int64_t nat_binding_open(struct nat_owner *owner, uint32_t first, const struct nat_flow *flow, uint32_t tick)
{
	const struct nat_session *binding = &owner->session[first];
	struct nat_opening opening = {
		.flow = *flow, .way = NAT_DOWN, .first = first, .kind = binding->kind
	};
	int64_t number;

	opening.flow.segment = binding->segment;
	opening.flow.inside = binding->inside;
	opening.flow.inside_port = binding->inside_port;
	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	opening.outside_hash = nat_flow_outside_hash(owner, &opening.flow);
	opening.host_hash = nat_host_hash(&owner->hash_key, binding->segment, binding->inside);
	struct nat_host host =
		nat_host_hold(&owner->hosts, opening.host_hash, binding->segment, binding->inside);
	if (host.line == NULL)
		return -ENFILE;
	/* Who calls from outside counts as one of the host's sessions, but does not use up its rate of new ones. */
	const struct nat_limits limits = { .sessions = nat_owner_limits(owner, binding->outside)->sessions };
	number = nat_host_admit(&owner->hosts, host, &limits, tick);
	if (number == 0)
		number = nat_session_add(owner, &opening, tick);
	if (number < 0)
		nat_host_release(&owner->hosts, host);
	return number;
}
