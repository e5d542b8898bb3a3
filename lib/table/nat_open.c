/* SPDX-License-Identifier: BSD-3-Clause */
/* By which public endpoint a new flow goes, and the steps of opening its session. */
#include "base/prefetch.h"
#include "table/nat_owner.h"
#include <errno.h>

static uint32_t random_next(struct nat_owner *owner)
{
	return (uint32_t)flow_hash(&owner->hash_key, ++owner->random, UINT64_C(1) << 62 | owner->number);
}

static uint32_t address_room(const struct nat_owner *owner, const struct nat_pool *pool, uint32_t address,
	enum nat_port_class class)
{
	return pool->blocks ? nat_blocks_free(&owner->ports, address)
			    : nat_ports_free(&owner->ports, address, class);
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
	best_free = address_room(owner, pool, best, class);
	uint32_t other = pool->address_first + nat_host_scale((uint32_t)(mixed >> 32), pool->addresses);
	if (address_room(owner, pool, other, class) > best_free) {
		best = other;
		best_free = address_room(owner, pool, best, class);
	}
	for (uint32_t i = 0; best_free == 0 && i < pool->addresses; i++) {
		best = pool->address_first + i;
		best_free = address_room(owner, pool, best, class);
	}
	return best;
}

static uint16_t port_wanted(const struct nat_opening *opening)
{
	return rte_be_to_cpu_16(opening->wanted_port != 0 ? opening->wanted_port : opening->flow.inside_port);
}

/* A port of the host's computed range. */
static int computed_take(struct nat_owner *owner, const struct nat_opening *opening,
	const struct nat_pool *pool, uint32_t *address)
{
	const struct nat_flow *flow = &opening->flow;
	uint32_t place;

	if (!nat_deterministic_out(&pool->plan, flow->segment, flow->inside, address, &place))
		return -EADDRNOTAVAIL;
	*address += pool->address_first;
	uint16_t port = nat_port_take_among(&owner->ports, *address,
		(enum nat_port_class)nat_port_class(flow->protocol), place, pool->plan.ports_a_host,
		port_wanted(opening), opening->random);
	return port == 0 ? -EADDRNOTAVAIL : port;
}

static int block_take(struct nat_owner *owner, const struct nat_opening *opening, struct nat_host host,
	const struct nat_pool *pool, uint32_t address)
{
	uint32_t size = 1u << pool->block_shift, ports = pool->limits.ports;
	const struct nat_block_holder holder = {
		.chain = &nat_host_quota(&owner->hosts, host)->chain,
		.inside = opening->flow.inside,
		.segment = opening->flow.segment,
		.most = ports == 0 ? UINT32_MAX : (ports + size - 1) / size,
		.hash = (uint32_t)flow_hash_fold(opening->host_hash, UINT64_C(0xd6e8feb86659fd93)),
	};

	return nat_block_port_take(&owner->ports, address,
		(enum nat_port_class)nat_port_class(opening->flow.protocol), &holder, port_wanted(opening),
		opening->random);
}

/* Port or -errno. The address is the one that the host has, if it has one. */
static int port_choose(struct nat_owner *owner, const struct nat_opening *opening, struct nat_host host,
	const struct nat_pool *pool, uint32_t *address)
{
	const struct nat_flow *flow = &opening->flow;
	enum nat_port_class class = (enum nat_port_class)nat_port_class(flow->protocol);

	if (pool->limits.ports != 0 && nat_host_quota(&owner->hosts, host)->ports >= pool->limits.ports)
		return -EDQUOT;
	if (pool->plan.hosts > 0)
		return computed_take(owner, opening, pool, address);
	if (*address == NAT_ADDRESS_NONE)
		*address = opening->wanted_address;
	if (*address == INDEX_NONE)
		*address = address_choose(owner, opening->host_hash, pool, class);
	if (*address == INDEX_NONE)
		return -EADDRNOTAVAIL;
	if (pool->blocks)
		return block_take(owner, opening, host, pool, *address);
	uint16_t port = nat_port_take(&owner->ports, *address, class, port_wanted(opening), opening->random);
	return port == 0 ? -EADDRNOTAVAIL : port;
}

rte_be32_t nat_open_address(const struct nat_owner *owner, uint16_t segment, rte_be32_t inside)
{
	uint64_t hash = nat_host_hash(&owner->hash_key, segment, inside);
	struct nat_host host = nat_host_find(&owner->hosts, hash, segment, inside);
	uint32_t address = host.line != NULL ? host.line->address[host.slot] : NAT_ADDRESS_NONE;
	struct nat_way_out out;

	if (address == NAT_ADDRESS_NONE) {
		if (!nat_rule_out(&owner->nat->rules, segment, 0, inside, 0, &out))
			return 0;
		if (out.kind != NAT_KIND_DYNAMIC)
			return out.outside;
		const struct nat_pool *pool = &owner->nat->addresses.pool[out.pool];
		uint32_t place;

		if (pool->plan.hosts == 0)
			address = address_choose(owner, hash, pool, NAT_CLASS_UDP);
		else if (nat_deterministic_out(&pool->plan, segment, inside, &address, &place))
			address += pool->address_first;
		else
			return 0;
	}
	return address == INDEX_NONE ? 0 : owner->nat->addresses.address[address].ip;
}

/* A public endpoint for a new dynamic binding. */
static int endpoint_choose(struct nat_owner *owner, struct nat_opening *opening, struct nat_host host,
	const struct nat_pool *pool)
{
	uint32_t address = host.line->address[host.slot];
	int port = port_choose(owner, opening, host, pool, &address);

	if (port < 0)
		return port;
	host.line->address[host.slot] = (uint16_t)address;
	nat_host_ports_add(&owner->hosts, host, 1);
	opening->flow.outside = owner->nat->addresses.address[address].ip;
	opening->flow.outside_port = rte_cpu_to_be_16((uint16_t)port);
	return 0;
}

void nat_endpoint_give(
	struct nat_owner *owner, struct nat_host host, const struct nat_endpoint *endpoint, bool was_used)
{
	const struct nat_address_table *addresses = &owner->nat->addresses;
	enum nat_port_class class = (enum nat_port_class)nat_port_class(endpoint->protocol);
	uint32_t address = nat_address_find(addresses, endpoint->outside);
	uint16_t port = rte_be_to_cpu_16(endpoint->port);

	nat_host_ports_add(&owner->hosts, host, -1);
	if (addresses->pool[addresses->address[address].pool].blocks)
		nat_block_port_give(&owner->ports, address, class, port,
			&nat_host_quota(&owner->hosts, host)->chain, was_used);
	else if (was_used)
		nat_port_give(&owner->ports, address, class, port);
	else
		nat_port_return(&owner->ports, address, class, port);
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

static void binding_adopt(const struct nat_owner *owner, struct nat_opening *opening, uint32_t first)
{
	const struct nat_session *session = &owner->session[first];

	opening->first = first;
	opening->kind = session->kind;
	opening->apart = false;
	opening->flow.outside = session->outside;
	opening->flow.outside_port = session->outside_port;
	opening->outside_hash = nat_flow_outside_hash(owner, &opening->flow);
	prefetch_far(nat_index_first(&owner->index, nat_opening_flow_hash(owner, opening, NAT_UP)));
}

static struct nat_host host_of(const struct nat_owner *owner, const struct nat_opening *opening)
{
	return nat_host_find(&owner->hosts, opening->host_hash, opening->flow.segment, opening->flow.inside);
}

/* The endpoint that an opening got, and will not use. */
static void endpoint_return(struct nat_owner *owner, const struct nat_opening *opening)
{
	const struct nat_endpoint endpoint = { .outside = opening->flow.outside,
		.port = opening->flow.outside_port,
		.protocol = opening->flow.protocol };

	if (opening->kind == NAT_KIND_DYNAMIC)
		nat_endpoint_give(owner, host_of(owner, opening), &endpoint, false);
}

void nat_open_ask(struct nat_owner *owner, struct nat_opening *opening)
{
	const struct nat_flow *flow = &opening->flow;

	opening->way = NAT_UP;
	opening->wanted_port = 0;
	opening->wanted_address = INDEX_NONE;
	opening->random = random_next(owner);
	opening->host.line = NULL;
	opening->host_hash = nat_host_hash(&owner->hash_key, flow->segment, flow->inside);
	__builtin_prefetch(nat_host_first_line(&owner->hosts, opening->host_hash), 1);
}

void nat_open_look(const struct nat_owner *owner, struct nat_opening *opening)
{
	const struct nat_flow *flow = &opening->flow;
	struct nat_host host = host_of(owner, opening);

	opening->host = host;
	opening->ahead[0] = opening->ahead[1] = &owner->random; /* nothing that is not there already */
	if (host.line != NULL && host.line->address[host.slot] != NAT_ADDRESS_NONE)
		nat_port_words(&owner->ports, host.line->address[host.slot],
			(enum nat_port_class)nat_port_class(flow->protocol), port_wanted(opening),
			opening->random, opening->ahead);
}

/* The public endpoint for a flow whose inside endpoint has no binding. */
static int endpoint_find(struct nat_owner *owner, struct nat_opening *opening, struct nat_host host,
	const struct nat_way_out *out, uint32_t tick)
{
	if (out->kind == NAT_KIND_DYNAMIC) {
		const struct nat_pool *pool = &owner->nat->addresses.pool[out->pool];
		int status = nat_host_admit(&owner->hosts, host, &pool->limits, tick);

		if (status < 0)
			return status;
		status = endpoint_choose(owner, opening, host, pool);
		if (unlikely(status < 0 && opening->quiet))
			nat_host_readmit(&owner->hosts, host, &pool->limits);
		return status;
	}
	opening->flow.outside = out->outside;
	opening->flow.outside_port = out->outside_port;
	opening->apart = !leads_back(owner->nat, &opening->flow);
	return 0;
}

/* A new session was refused: counted for its host, and told. */
static void refusal_note(
	struct nat_owner *owner, const struct nat_opening *opening, int64_t error, uint32_t tick)
{
	const struct nat_flow *flow = &opening->flow;
	enum nat_limit limit = error == -EADDRNOTAVAIL ? NAT_LIMIT_POOL_PORTS
			       : error == -EDQUOT      ? NAT_LIMIT_HOST_PORTS
			       : error == -EUSERS      ? NAT_LIMIT_HOST_SESSIONS
			       : error == -EBUSY       ? NAT_LIMIT_HOST_RATE
						       : NAT_LIMIT_SESSIONS;

	if (opening->quiet)
		return;
	nat_refusal_note(&owner->refusals, opening->host_hash, flow->segment, flow->inside, limit, tick);
	nat_event_limit(&owner->events, limit, flow->protocol, flow->segment, flow->inside);
}

int nat_open_reserve(struct nat_owner *owner, struct nat_opening *opening, uint32_t tick)
{
	const struct nat_flow *flow = &opening->flow;
	uint32_t first =
		opening->unbound ? INDEX_NONE : nat_binding_find_inside(owner, flow, opening->inside_hash);
	struct nat_way_out out = { 0 };
	struct nat_host host;
	int status = 0;

	if (first == INDEX_NONE && !nat_rule_out(&owner->nat->rules, flow->segment, flow->protocol,
					   flow->inside, flow->inside_port, &out))
		return -ENOENT;
	host = nat_host_hold_at(
		&owner->hosts, opening->host, opening->host_hash, flow->segment, flow->inside);
	if (host.line == NULL) {
		refusal_note(owner, opening, -ENFILE, tick);
		return -ENFILE;
	}
	opening->first = INDEX_NONE;
	opening->apart = false;
	opening->kind = (uint8_t)out.kind;
	opening->has_record = false;
	nat_ports_tick(&owner->ports, tick);
	if (first != INDEX_NONE) { /* endpoint-independent mapping, RFC 4787 REQ-1 */
		binding_adopt(owner, opening, first);
		if (opening->kind == NAT_KIND_DYNAMIC)
			status = nat_host_admit(
				&owner->hosts, host, nat_owner_limits(owner, flow->outside), tick);
	} else {
		status = endpoint_find(owner, opening, host, &out, tick);
		opening->outside_hash = nat_flow_outside_hash(owner, flow);
	}
	if (status < 0) {
		refusal_note(owner, opening, status, tick);
		nat_host_release(&owner->hosts, host);
		return status;
	}
	const struct nat_row *row = nat_row_first(&owner->rows, nat_opening_row_hash(owner, opening));
	opening->ahead[0] = row;
	opening->ahead[1] = nat_row_free_word(&owner->rows, row);
	return 0;
}

/* Another session has this flow already: possible only among sessions that stand apart. */
static bool flow_is_taken(const struct nat_owner *owner, const struct nat_flow *flow)
{
	return owner->nat->rules.apart && (nat_session_find_up(owner, flow) != INDEX_NONE ||
						  nat_session_find_down(owner, flow) != INDEX_NONE);
}

int64_t nat_open_commit(struct nat_owner *owner, struct nat_opening *opening, uint32_t tick)
{
	const struct nat_flow *flow = &opening->flow;
	bool new_binding = opening->first == INDEX_NONE && !opening->apart;
	int64_t number = INDEX_NONE;

	/* Another flow of the endpoint may have made it since. */
	if (new_binding && unlikely(nat_index_may_have(&owner->index, opening->inside_hash))) {
		uint32_t first = nat_binding_find_inside(owner, flow, opening->inside_hash);
		if (first != INDEX_NONE) {
			endpoint_return(owner, opening);
			nat_opening_record_give(owner, opening);
			binding_adopt(owner, opening, first);
			new_binding = false;
		}
	}
	if (!new_binding)
		number = nat_session_find_beside(owner, flow, opening->inside_hash, opening->first);
	opening->exists = number != INDEX_NONE;
	if (!opening->exists)
		number = flow_is_taken(owner, flow) ? -EEXIST : nat_session_add(owner, opening, tick);
	if (number == -ENFILE)
		refusal_note(owner, opening, number, tick);
	if (number < 0 && new_binding)
		endpoint_return(owner, opening);
	if ((opening->exists || (number < 0 && opening->quiet)) && opening->kind == NAT_KIND_DYNAMIC)
		nat_host_readmit(
			&owner->hosts, host_of(owner, opening), nat_owner_limits(owner, flow->outside));
	if (number < 0 || opening->exists) {
		nat_opening_record_give(owner, opening);
		nat_host_release(&owner->hosts, host_of(owner, opening));
	}
	return number;
}

void nat_open_cancel(struct nat_owner *owner, struct nat_opening *opening)
{
	struct nat_host host = host_of(owner, opening);

	nat_opening_record_give(owner, opening);
	if (opening->first == INDEX_NONE && !opening->apart)
		endpoint_return(owner, opening);
	if (opening->kind == NAT_KIND_DYNAMIC)
		nat_host_readmit(&owner->hosts, host, nat_owner_limits(owner, opening->flow.outside));
	nat_host_release(&owner->hosts, host);
}

int64_t nat_open_from_outside(struct nat_owner *owner, const struct nat_flow *flow, uint32_t tick)
{
	const struct nat *nat = owner->nat;
	struct nat_opening opening = { .flow = *flow, .way = NAT_DOWN, .first = INDEX_NONE };
	struct nat_way_in in;
	struct nat_way_out out;
	int64_t number;

	if (!nat_rule_in_flow(nat, flow, &in))
		return -ENOENT;
	opening.kind = (uint8_t)in.kind;
	opening.flow.segment = in.segment;
	opening.flow.inside = in.inside;
	opening.flow.inside_port = in.inside_port;
	opening.apart =
		!nat_rule_out(&nat->rules, in.segment, flow->protocol, in.inside, in.inside_port, &out) ||
		out.kind == NAT_KIND_DYNAMIC || out.outside != flow->outside ||
		out.outside_port != flow->outside_port;
	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	opening.outside_hash = nat_flow_outside_hash(owner, &opening.flow);
	opening.host_hash = nat_host_hash(&owner->hash_key, in.segment, in.inside);
	if (!opening.apart)
		opening.first = nat_binding_find_inside(owner, &opening.flow, opening.inside_hash);
	if (nat_host_hold(&owner->hosts, opening.host_hash, in.segment, in.inside).line == NULL)
		return -ENFILE;
	number = flow_is_taken(owner, &opening.flow) ? -EEXIST : nat_session_add(owner, &opening, tick);
	if (number < 0)
		nat_host_release(&owner->hosts, host_of(owner, &opening));
	return number;
}
