/* SPDX-License-Identifier: BSD-3-Clause */
#include "table/nat_mapping.h"
#include "table/nat_memory.h"
#include "table/nat_owner.h"
#include <errno.h>
#include <stdatomic.h>

#define QUEUE_SIZE       256u
#define REQUESTS_AT_ONCE 8u

struct nat_mapping_queues {
	struct {
		_Atomic uint32_t written; /* by management */
		struct nat_mapping_request slot[QUEUE_SIZE];
		_Atomic uint32_t read __rte_cache_aligned; /* by the owner */
	} requests;
	struct {
		_Atomic uint32_t written __rte_cache_aligned; /* by the owner */
		struct nat_mapping_answer slot[QUEUE_SIZE];
		_Atomic uint32_t read __rte_cache_aligned; /* by management */
	} answers;
};

size_t nat_mapping_queues_bytes(void)
{
	return sizeof(struct nat_mapping_queues);
}

struct nat_mapping_queues *nat_mapping_queues_create(void)
{
	return nat_memory_take(1, sizeof(struct nat_mapping_queues));
}

bool nat_mapping_ask(struct nat *nat, const struct nat_mapping_request *request)
{
	uint16_t owner = request->operation == NAT_MAPPING_FLOW
				 ? nat_owner_of_outside(nat, request->protocol, request->wanted_outside,
					   request->wanted_port)
				 : nat_owner_of_inside(nat, request->segment, request->inside);
	struct nat_mapping_queues *queues = nat->owner[owner]->mappings;
	uint32_t at = atomic_load_explicit(&queues->requests.written, memory_order_relaxed);

	if (at - atomic_load_explicit(&queues->requests.read, memory_order_acquire) == QUEUE_SIZE)
		return false;
	queues->requests.slot[at % QUEUE_SIZE] = *request;
	atomic_store_explicit(&queues->requests.written, at + 1, memory_order_release);
	return true;
}

bool nat_mapping_answer_take(struct nat *nat, struct nat_mapping_answer *answer)
{
	for (uint16_t i = 0; i < nat->owners; i++) {
		struct nat_mapping_queues *queues = nat->owner[i]->mappings;
		uint32_t at = atomic_load_explicit(&queues->answers.read, memory_order_relaxed);

		if (at == atomic_load_explicit(&queues->answers.written, memory_order_acquire))
			continue;
		*answer = queues->answers.slot[at % QUEUE_SIZE];
		atomic_store_explicit(&queues->answers.read, at + 1, memory_order_release);
		return true;
	}
	return false;
}

static struct nat_flow flow_of(const struct nat_mapping_request *request)
{
	bool peer = request->operation == NAT_MAPPING_PEER;

	return (struct nat_flow){ .inside = request->inside,
		.inside_port = request->inside_port,
		.remote = peer ? request->remote : 0,
		.remote_port = peer ? request->remote_port : 0,
		.segment = request->segment,
		.protocol = request->protocol };
}

/* A static binding or a forward is a mapping already, for ever. */
static bool answer_by_rule(const struct nat_owner *owner, const struct nat_mapping_request *request,
	struct nat_mapping_answer *answer)
{
	struct nat_way_out out;

	if (!nat_rule_out(&owner->nat->rules, request->segment, request->protocol, request->inside,
		    request->inside_port, &out)) {
		answer->status = -ENOENT;
		return true;
	}
	if (out.kind == NAT_KIND_DYNAMIC)
		return false;
	answer->by_rule = true;
	answer->outside = out.outside;
	answer->outside_port = out.outside_port;
	answer->lifetime_s = request->lifetime_s;
	return true;
}

static bool is_wanted(const struct nat_mapping_request *request, rte_be32_t outside, rte_be16_t port)
{
	return (request->wanted_outside == 0 || request->wanted_outside == outside) &&
	       (request->wanted_port == 0 || request->wanted_port == port);
}

/* The wanted public endpoint out of its rest, for the host that had it. The public address, or INDEX_NONE: it does not rest
 * for this host. */
static uint32_t port_recall(struct nat_owner *owner, const struct nat_mapping_request *request,
	struct nat_opening *opening, uint32_t tick)
{
	const struct nat_address_table *addresses = &owner->nat->addresses;
	uint32_t address =
		request->recall ? nat_address_find(addresses, request->wanted_outside) : INDEX_NONE;
	struct nat_way_out out;

	if (address == INDEX_NONE ||
		!nat_rule_out(&owner->nat->rules, request->segment, request->protocol, request->inside,
			request->inside_port, &out) ||
		out.kind != NAT_KIND_DYNAMIC || addresses->address[address].pool != out.pool)
		return INDEX_NONE;
	opening->wanted_address = address;
	nat_ports_tick(&owner->ports, tick);
	return nat_port_wake(&owner->ports, address, (enum nat_port_class)nat_port_class(request->protocol),
		       rte_be_to_cpu_16(request->wanted_port))
		       ? address
		       : INDEX_NONE;
}

/* A new session for the opening, or -errno. */
static int64_t session_open(struct nat_owner *owner, const struct nat_mapping_request *request,
	struct nat_opening *opening, uint32_t tick)
{
	bool picky = request->operation == NAT_MAPPING_MAKE && request->or_nothing;
	int status = nat_open_reserve(owner, opening, tick);

	if (status < 0)
		return status;
	if (request->operation == NAT_MAPPING_PEER)
		picky = opening->kind == NAT_KIND_DYNAMIC && opening->first == INDEX_NONE;
	if (picky && !is_wanted(request, opening->flow.outside, opening->flow.outside_port)) {
		nat_open_cancel(owner, opening);
		return -EADDRINUSE;
	}
	return nat_open_commit(owner, opening, tick);
}

/* The session of the request's flow, made if need be, or -errno. What is made only to be refused never had its port: that
 * need not rest, or who asks often for what cannot be had would use the pool up. A peer's binding that there is not yet gets
 * the public endpoint that the host wants, or is not made: what else would it ask for (RFC 6887 section 7.4). */
static int64_t session_make(struct nat_owner *owner, const struct nat_mapping_request *request, uint32_t tick)
{
	struct nat_opening opening = { .flow = flow_of(request) };
	uint32_t found = nat_session_find_up(owner, &opening.flow);

	if (found != INDEX_NONE) {
		const struct nat_session *session = &owner->session[found];
		if (request->operation == NAT_MAPPING_MAKE && request->or_nothing &&
			!is_wanted(request, session->outside, session->outside_port))
			return -EADDRINUSE;
		return found;
	}
	opening.inside_hash = nat_flow_inside_hash(owner, &opening.flow);
	nat_open_ask(owner, &opening);
	opening.wanted_port = request->wanted_port;
	uint32_t recalled = port_recall(owner, request, &opening, tick);
	int64_t number = session_open(owner, request, &opening, tick);
	if (recalled != INDEX_NONE) /* and was not taken after all */
		nat_port_rest(&owner->ports, recalled, (enum nat_port_class)nat_port_class(request->protocol),
			rte_be_to_cpu_16(request->wanted_port));
	return number;
}

static void mapping_make(struct nat_owner *owner, const struct nat_mapping_request *request, uint32_t tick,
	struct nat_mapping_answer *answer)
{
	int64_t number = session_make(owner, request, tick);

	if (number < 0) {
		answer->status = (int32_t)number;
		return;
	}
	struct nat_session *session = &owner->session[number];
	session->state = NAT_STATE_MAPPING;
	session->last_seen = tick + request->lifetime_s * TICKS_PER_S;
	nat_session_hurry(owner, (uint32_t)number, tick);
	*answer = (struct nat_mapping_answer){ .id = request->id,
		.outside = session->outside,
		.outside_port = session->outside_port,
		.lifetime_s = request->lifetime_s };
}

/* What is not there has ended already (RFC 6887 section 15.1). */
static void mapping_end(
	struct nat_owner *owner, const struct nat_mapping_request *request, struct nat_mapping_answer *answer)
{
	const struct nat_flow flow = flow_of(request);
	uint32_t number = nat_session_find_up(owner, &flow);
	struct nat_way_out out;

	if (number != INDEX_NONE)
		nat_close(owner, number);
	else if (nat_rule_out(&owner->nat->rules, request->segment, request->protocol, request->inside,
			 request->inside_port, &out) &&
		 out.kind != NAT_KIND_DYNAMIC)
		answer->status = -EPERM;
}

/* Lives on as a session does that sees packets: what the host sends keeps it. */
static void mapping_peer(struct nat_owner *owner, const struct nat_mapping_request *request, uint32_t tick,
	struct nat_mapping_answer *answer)
{
	int64_t number =
		nat_bypass_has(&owner->nat->bypass, request->segment, request->inside, request->remote)
			? -ENOENT
			: session_make(owner, request, tick);

	if (number < 0) {
		answer->status = (int32_t)number;
		return;
	}
	struct nat_session *session = &owner->session[number];
	if (owner->refreshed[NAT_UP] >> session->state & 1)
		session->last_seen = tick;
	uint32_t idle = tick_age(tick, session->last_seen), timeout = owner->timeout[session->state];
	*answer = (struct nat_mapping_answer){ .id = request->id,
		.outside = session->outside,
		.outside_port = session->outside_port,
		.lifetime_s = timeout > idle ? (timeout - idle) / TICKS_PER_S : 0 };
}

static void flow_look(const struct nat_owner *owner, const struct nat_mapping_request *request,
	struct nat_mapping_answer *answer)
{
	const struct nat_flow flow = { .protocol = request->protocol,
		.remote = request->remote,
		.remote_port = request->remote_port,
		.outside = request->wanted_outside,
		.outside_port = request->wanted_port };

	answer->status = nat_session_find_down(owner, &flow) == INDEX_NONE ? -ENOENT : 0;
}

static void serve(struct nat_owner *owner, const struct nat_mapping_request *request, uint32_t tick,
	struct nat_mapping_answer *answer)
{
	*answer = (struct nat_mapping_answer){ .id = request->id };
	if (request->operation == NAT_MAPPING_END) {
		mapping_end(owner, request, answer);
		return;
	}
	if (request->operation == NAT_MAPPING_FLOW) {
		flow_look(owner, request, answer);
		return;
	}
	if (request->operation != NAT_MAPPING_PEER && answer_by_rule(owner, request, answer))
		return;
	if (request->operation == NAT_MAPPING_MAKE)
		mapping_make(owner, request, tick, answer);
	else if (request->operation == NAT_MAPPING_PEER)
		mapping_peer(owner, request, tick, answer);
	else
		answer->outside = nat_open_address(owner, request->segment, request->inside);
}

unsigned nat_mapping_poll(struct nat_owner *owner, uint32_t tick)
{
	struct nat_mapping_queues *queues = owner->mappings;
	uint32_t at = atomic_load_explicit(&queues->requests.read, memory_order_relaxed);
	uint32_t waiting = atomic_load_explicit(&queues->requests.written, memory_order_acquire) - at;
	uint32_t answered = atomic_load_explicit(&queues->answers.written, memory_order_relaxed);
	uint32_t room =
		QUEUE_SIZE - (answered - atomic_load_explicit(&queues->answers.read, memory_order_acquire));
	uint32_t count = RTE_MIN(RTE_MIN(waiting, room), REQUESTS_AT_ONCE);

	for (uint32_t i = 0; i < count; i++) {
		const struct nat_mapping_request *request = &queues->requests.slot[(at + i) % QUEUE_SIZE];
		struct nat_mapping_answer *answer = &queues->answers.slot[(answered + i) % QUEUE_SIZE];

		serve(owner, request, tick, answer);
		answer->operation = request->operation;
	}
	if (count > 0) {
		atomic_store_explicit(&queues->requests.read, at + count, memory_order_release);
		atomic_store_explicit(&queues->answers.written, answered + count, memory_order_release);
	}
	return count;
}

bool nat_mapping_clear(struct nat_owner *owner, const struct nat_session *session)
{
	struct nat_mapping_queues *queues = owner->mappings;
	uint32_t at = atomic_load_explicit(&queues->answers.written, memory_order_relaxed);

	if (at - atomic_load_explicit(&queues->answers.read, memory_order_acquire) == QUEUE_SIZE)
		return false;
	queues->answers.slot[at % QUEUE_SIZE] = (struct nat_mapping_answer){ .operation = NAT_MAPPING_CLEARED,
		.protocol = session->protocol,
		.segment = session->segment,
		.inside = session->inside,
		.inside_port = session->inside_port };
	atomic_store_explicit(&queues->answers.written, at + 1, memory_order_release);
	return true;
}

bool nat_mapping_lets_in(const struct nat_owner *owner, const struct nat_session *session)
{
	const struct nat_flow flow = { .inside = session->inside,
		.inside_port = session->inside_port,
		.segment = session->segment,
		.protocol = session->protocol };
	uint32_t number = nat_session_find_up(owner, &flow);

	return number != INDEX_NONE && owner->session[number].state == NAT_STATE_MAPPING;
}
