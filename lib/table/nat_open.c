/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening and closing sessions. */
#include "packet/checksum.h"
#include "table/nat_owner.h"
#include <assert.h>
#include <errno.h>
#include <rte_prefetch.h>

/* Records are taken in batches, in the order of memory, so that their lines are in the cache when they are filled. */
static uint32_t session_take(struct nat_owner *owner)
{
	if (owner->spares == 0) {
		while (owner->spares < NAT_SPARE_SESSIONS) {
			uint32_t number = id_pool_take(&owner->free_sessions, owner->next_session);
			if (number == ID_NONE)
				break;
			__builtin_prefetch(&owner->session[number], 1);
			owner->next_session = number + 1;
			owner->spare[owner->spares++] = number;
		}
		if (owner->spares == 0)
			return INDEX_NONE;
	}
	return owner->spare[--owner->spares];
}

struct session_hashes {
	uint64_t inside, outside;
};

/* Under what the session stands in the index. */
static struct session_hashes hashes_of(
	const struct nat_owner *owner, const struct nat_session *session, bool first)
{
	const struct flow_hash_key *key = &owner->hash_key;
	struct session_hashes hashes = {
		nat_inside_hash(
			key, session->segment, session->protocol, session->inside, session->inside_port),
		nat_outside_hash(key, session->protocol, session->outside, session->outside_port),
	};

	if (!first) {
		hashes.inside = nat_flow_hash(key, hashes.inside, session->remote, session->remote_port);
		hashes.outside = nat_flow_hash(key, hashes.outside, session->remote, session->remote_port);
	}
	return hashes;
}

static int index_insert(struct nat_owner *owner, uint32_t number)
{
	const struct nat_session *session = &owner->session[number];
	struct session_hashes hashes = hashes_of(owner, session, session->flags & NAT_SESSION_FIRST);

	if (nat_index_insert(&owner->index, hashes.inside, number) < 0)
		return -ENFILE;
	if (nat_index_insert(&owner->index, hashes.outside, number) < 0) {
		nat_index_remove(&owner->index, hashes.inside, number);
		return -ENFILE;
	}
	return 0;
}

static void index_remove(struct nat_owner *owner, uint32_t number)
{
	const struct nat_session *session = &owner->session[number];
	struct session_hashes hashes = hashes_of(owner, session, session->flags & NAT_SESSION_FIRST);

	nat_index_remove(&owner->index, hashes.inside, number);
	nat_index_remove(&owner->index, hashes.outside, number);
}

/* Joins the binding behind its first session. */
static void binding_join(struct nat_owner *owner, uint32_t first, uint32_t number)
{
	struct nat_session *head = &owner->session[first], *session = &owner->session[number];

	session->next = head->next;
	session->previous = first;
	if (head->next != INDEX_NONE)
		owner->session[head->next].previous = number;
	head->next = number;
	head->previous++;
}

static void binding_leave(struct nat_owner *owner, uint32_t number)
{
	struct nat_session *session = &owner->session[number];
	const struct nat_flow flow = { .inside = session->inside,
		.inside_port = session->inside_port,
		.segment = session->segment,
		.protocol = session->protocol };
	uint32_t first = nat_binding_find_inside(owner, &flow);

	assert(first != INDEX_NONE);
	owner->session[session->previous].next = session->next;
	if (session->next != INDEX_NONE)
		owner->session[session->next].previous = session->previous;
	owner->session[first].previous--;
}

/* The next session of the binding takes the place of its first one, in the index and as the binding. */
static void binding_pass_on(struct nat_owner *owner, uint32_t number)
{
	struct nat_session *session = &owner->session[number], *heir = &owner->session[session->next];
	struct session_hashes hashes = hashes_of(owner, session, true);

	index_remove(owner, session->next);
	nat_index_replace(&owner->index, hashes.inside, number, session->next);
	nat_index_replace(&owner->index, hashes.outside, number, session->next);
	heir->flags |= NAT_SESSION_FIRST;
	heir->previous = session->previous - 1;
}

static void deltas_set(struct nat_session *session)
{
	uint32_t address = checksum_delta32(session->inside, session->outside);
	uint32_t port = checksum_delta16(session->inside_port, session->outside_port);

	session->ip_delta = checksum_fold(address);
	/* ICMP has no pseudo header. */
	session->l4_delta = checksum_fold(session->protocol == IPPROTO_ICMP ? port : address + port);
}

/* What a new session is made from. */
struct opening {
	const struct nat_flow *flow;
	enum nat_kind kind;
	enum nat_way way;
	uint32_t first; /* session of the binding that it joins, or INDEX_NONE */
	bool apart;
	uint32_t host; /* held for it */
	uint32_t tick;
};

static int64_t session_add(struct nat_owner *owner, const struct opening *opening)
{
	const struct nat_flow *flow = opening->flow;
	uint32_t number = session_take(owner);
	bool first = opening->first == INDEX_NONE && !opening->apart;

	if (number == INDEX_NONE)
		return -ENFILE;
	struct nat_session *session = &owner->session[number];
	*session = (struct nat_session){ .inside = flow->inside,
		.remote = flow->remote,
		.outside = flow->outside,
		.inside_port = flow->inside_port,
		.remote_port = flow->remote_port,
		.outside_port = flow->outside_port,
		.segment = flow->segment,
		.protocol = flow->protocol,
		.state = (uint8_t)nat_state_first(flow->protocol, opening->way),
		.kind = (uint8_t)opening->kind,
		.flags =
			(uint8_t)((first ? NAT_SESSION_FIRST : 0) | (opening->apart ? NAT_SESSION_APART : 0)),
		.last_seen = opening->tick,
		.neighbour = INDEX_NONE,
		.host = opening->host,
		.next = INDEX_NONE,
		.previous = first ? 1 : INDEX_NONE };
	deltas_set(session);
	if (index_insert(owner, number) < 0) {
		session->protocol = 0;
		owner->spare[owner->spares++] = number;
		return -ENFILE;
	}
	if (!first && !opening->apart)
		binding_join(owner, opening->first, number);
	owner->counters.sessions++;
	owner->counters.sessions_created++;
	owner->counters.bindings += first && opening->kind == NAT_KIND_DYNAMIC;
	owner->counters.hosts = owner->hosts.count;
	return number;
}

static uint32_t random_next(struct nat_owner *owner)
{
	return (uint32_t)flow_hash(&owner->hash_key, ++owner->random, UINT64_C(1) << 62 | owner->number);
}

/* Of two addresses of the pool that the host's hash names, the one with more free ports; when neither has any, the one
 * of the whole pool with the most. */
static uint32_t address_choose(const struct nat_owner *owner, uint64_t host_hash, const struct nat_pool *pool,
	enum nat_port_class class)
{
	uint64_t mixed = flow_hash_fold(host_hash, UINT64_C(0x9e3779b97f4a7c15));
	uint32_t best, best_free;

	if (pool->addresses == 0)
		return INDEX_NONE;
	best = pool->address_first + nat_host_scale((uint32_t)mixed, pool->addresses);
	best_free = nat_ports_free(&owner->ports, best, class);
	uint32_t other = pool->address_first + nat_host_scale((uint32_t)(mixed >> 32), pool->addresses);
	if (nat_ports_free(&owner->ports, other, class) > best_free) {
		best = other;
		best_free = nat_ports_free(&owner->ports, best, class);
	}
	for (uint32_t i = 0; best_free == 0 && i < pool->addresses; i++) {
		best = pool->address_first + i;
		best_free = nat_ports_free(&owner->ports, best, class);
	}
	return best;
}

/* A public endpoint for a new dynamic binding: on the address that the host has, if it has one. */
static int endpoint_choose(struct nat_owner *owner, struct nat_flow *flow, struct nat_host *host,
	uint64_t host_hash, const struct nat_pool *pool)
{
	enum nat_port_class class = (enum nat_port_class)nat_port_class(flow->protocol);
	uint32_t address = host->address;

	if (address == INDEX_NONE)
		address = address_choose(owner, host_hash, pool, class);
	if (address == INDEX_NONE)
		return -EADDRNOTAVAIL;
	uint16_t port = nat_port_take(
		&owner->ports, address, class, rte_be_to_cpu_16(flow->inside_port), random_next(owner));
	if (port == 0)
		return -EADDRNOTAVAIL;
	host->address = address;
	flow->outside = owner->nat->addresses.address[address].ip;
	flow->outside_port = rte_cpu_to_be_16(port);
	return 0;
}

static void endpoint_give(struct nat_owner *owner, const struct nat_flow *flow)
{
	nat_port_give(&owner->ports, nat_address_find(&owner->nat->addresses, flow->outside),
		(enum nat_port_class)nat_port_class(flow->protocol), rte_be_to_cpu_16(flow->outside_port));
}

/* Another session has this flow already: possible only among sessions that stand apart. */
static bool flow_is_taken(const struct nat_owner *owner, const struct nat_flow *flow)
{
	return owner->nat->rules.apart && (nat_session_find_up(owner, flow) != INDEX_NONE ||
						  nat_session_find_down(owner, flow) != INDEX_NONE);
}

static uint32_t host_hold(struct nat_owner *owner, const struct nat_flow *flow, uint64_t *hash)
{
	uint64_t key = nat_host_key(flow->segment, flow->inside);
	uint32_t host;

	*hash = nat_host_hash(&owner->hosts.hash_key, key);
	host = nat_host_add(&owner->hosts, *hash, key);
	if (host != INDEX_NONE)
		nat_host_hold(&owner->hosts, host);
	return host;
}

bool nat_rule_in_flow(const struct nat *nat, const struct nat_flow *flow, struct nat_way_in *in)
{
	uint32_t address = nat_address_find(&nat->addresses, flow->outside);

	return address != INDEX_NONE &&
	       nat_rule_in(&nat->rules, nat->addresses.address[address].static_binding, flow->protocol,
		       flow->outside, flow->outside_port, in);
}

/* Does what comes in by the flow's public endpoint lead to its inside endpoint? */
static bool leads_back(const struct nat *nat, const struct nat_flow *flow)
{
	struct nat_way_in in;

	return nat_rule_in_flow(nat, flow, &in) && in.segment == flow->segment && in.inside == flow->inside &&
	       in.inside_port == flow->inside_port;
}

/* The public endpoint of a flow that starts inside: that of the binding if there is one (endpoint-independent mapping,
 * RFC 4787 REQ-1), else by rule. */
static int endpoint_find(struct nat_owner *owner, struct nat_flow *flow, struct opening *opening,
	const struct nat_way_out *out, uint64_t host_hash)
{
	const struct nat *nat = owner->nat;

	if (opening->first != INDEX_NONE) {
		flow->outside = owner->session[opening->first].outside;
		flow->outside_port = owner->session[opening->first].outside_port;
		return 0;
	}
	if (opening->kind == NAT_KIND_DYNAMIC)
		return endpoint_choose(owner, flow, nat_host_at(&owner->hosts, opening->host), host_hash,
			&nat->addresses.pool[out->pool]);
	flow->outside = out->outside;
	flow->outside_port = out->outside_port;
	opening->apart = !leads_back(nat, flow);
	return 0;
}

int64_t nat_open_from_inside(struct nat_owner *owner, struct nat_flow *flow, uint32_t tick)
{
	struct opening opening = { .flow = flow, .way = NAT_UP, .tick = tick };
	struct nat_way_out out;
	uint64_t host_hash;
	int64_t number;

	opening.first = nat_binding_find_inside(owner, flow);
	if (opening.first != INDEX_NONE)
		opening.kind = (enum nat_kind)owner->session[opening.first].kind;
	else if (nat_rule_out(&owner->nat->rules, flow->segment, flow->protocol, flow->inside,
			 flow->inside_port, &out))
		opening.kind = out.kind;
	else
		return -ENOENT;
	opening.host = host_hold(owner, flow, &host_hash);
	if (opening.host == INDEX_NONE)
		return -ENFILE;
	number = endpoint_find(owner, flow, &opening, &out, host_hash);
	if (number == 0) {
		number = flow_is_taken(owner, flow) ? -EEXIST : session_add(owner, &opening);
		if (number < 0 && opening.kind == NAT_KIND_DYNAMIC && opening.first == INDEX_NONE)
			endpoint_give(owner, flow);
	}
	if (number < 0)
		nat_host_release(&owner->hosts, opening.host);
	return number;
}

int64_t nat_open_from_outside(struct nat_owner *owner, struct nat_flow *flow, uint32_t tick)
{
	const struct nat *nat = owner->nat;
	struct opening opening = { .flow = flow, .way = NAT_DOWN, .tick = tick };
	struct nat_way_in in;
	struct nat_way_out out;
	uint64_t host_hash;
	int64_t number;

	if (!nat_rule_in_flow(nat, flow, &in))
		return -ENOENT;
	flow->segment = in.segment;
	flow->inside = in.inside;
	flow->inside_port = in.inside_port;
	opening.kind = in.kind;
	opening.apart = !nat_rule_out(&nat->rules, flow->segment, flow->protocol, flow->inside,
				flow->inside_port, &out) ||
			out.kind == NAT_KIND_DYNAMIC || out.outside != flow->outside ||
			out.outside_port != flow->outside_port;
	opening.first = opening.apart ? INDEX_NONE : nat_binding_find_inside(owner, flow);
	opening.host = host_hold(owner, flow, &host_hash);
	if (opening.host == INDEX_NONE)
		return -ENFILE;
	number = flow_is_taken(owner, flow) ? -EEXIST : session_add(owner, &opening);
	if (number < 0)
		nat_host_release(&owner->hosts, opening.host);
	return number;
}

void nat_close(struct nat_owner *owner, uint32_t number)
{
	struct nat_session *session = &owner->session[number];

	if (!(session->flags & NAT_SESSION_FIRST)) {
		index_remove(owner, number);
		if (!(session->flags & NAT_SESSION_APART))
			binding_leave(owner, number);
	} else if (session->next != INDEX_NONE) {
		binding_pass_on(owner, number);
	} else {
		const struct nat_flow flow = { .outside = session->outside,
			.outside_port = session->outside_port,
			.protocol = session->protocol };
		index_remove(owner, number);
		if (session->kind == NAT_KIND_DYNAMIC) {
			endpoint_give(owner, &flow);
			owner->counters.bindings--;
		}
	}
	nat_host_release(&owner->hosts, session->host);
	if (session->flags & NAT_SESSION_CARRIED)
		nat_traffic_forget(&owner->carry, number);
	session->protocol = 0;
	id_pool_give(&owner->free_sessions, number);
	owner->counters.sessions--;
	owner->counters.hosts = owner->hosts.count;
}

void nat_close_prefetch(const struct nat_owner *owner, uint32_t number)
{
	const struct nat_session *session = &owner->session[number];
	struct session_hashes hashes = hashes_of(owner, session, session->flags & NAT_SESSION_FIRST);

	__builtin_prefetch(nat_index_first(&owner->index, hashes.inside), 1);
	__builtin_prefetch(nat_index_first(&owner->index, hashes.outside), 1);
	__builtin_prefetch(nat_host_at(&owner->hosts, session->host), 1);
}
