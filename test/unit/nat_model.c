/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_model.h"
#include <errno.h>

enum claim { CLAIM_NONE, CLAIM_MAYBE, CLAIM_SURE }; /* may somebody have a port? */

static uint32_t address_number(const struct model *model, rte_be32_t ip)
{
	uint32_t number = 0;

	while (number < MODEL_ADDRESSES && model_address(model, number) != ip)
		number++;
	return number;
}

static struct model_port *port_of(struct model *model, const struct model_session *flow)
{
	uint32_t address = address_number(model, flow->outside);

	if (address == MODEL_ADDRESSES || flow->outside_port < MODEL_PORT_FIRST ||
		flow->outside_port >= MODEL_PORT_FIRST + MODEL_PORTS)
		return NULL;
	return &model->port[address][nat_port_class(flow->protocol)][flow->outside_port - MODEL_PORT_FIRST];
}

static struct model_block *block_of(struct model *model, uint32_t address, uint16_t port)
{
	return &model->block[address][(port - MODEL_PORT_FIRST) / MODEL_BLOCK];
}

void model_init(struct model *model, const struct nat_settings *settings, const struct nat *nat)
{
	model->settings = *settings;
	model->nat = nat;
	for (uint32_t i = 0; i < settings->forward_count; i++) {
		const struct nat_forward_settings *f = &settings->forward[i];
		const struct model_session flow = {
			.outside = f->outside, .outside_port = f->outside_port, .protocol = f->protocol
		};
		struct model_port *port = port_of(model, &flow);
		if (port != NULL)
			port->forwarded = true;
	}
}

/* Hosts. */

static struct model_host *host_find(struct model *model, uint16_t segment, rte_be32_t inside)
{
	for (uint32_t i = 0; i < model->hosts; i++)
		if (model->host[i].segment == segment && model->host[i].inside == inside)
			return &model->host[i];
	return NULL;
}

static struct model_host *host_get(struct model *model, const struct model_session *flow)
{
	struct model_host *host = host_find(model, flow->segment, flow->inside);

	if (host == NULL) {
		host = &model->host[model->hosts++];
		*host = (struct model_host){
			.segment = flow->segment, .inside = flow->inside, .rate_tick = model->tick
		};
	}
	return host;
}

uint32_t model_host_sessions(const struct model *model, uint16_t segment, rte_be32_t inside)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->count; i++)
		count += model->session[i].segment == segment && model->session[i].inside == inside;
	return count;
}

uint32_t model_host_bindings(const struct model *model, uint16_t segment, rte_be32_t inside)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->count; i++) {
		const struct model_session *s = &model->session[i];
		bool first = s->segment == segment && s->inside == inside && s->kind == NAT_KIND_DYNAMIC;
		for (uint32_t j = 0; first && j < i; j++)
			first = !model_same_binding(s, &model->session[j]);
		count += first;
	}
	return count;
}

uint32_t model_host_blocks(const struct model *model, uint16_t segment, rte_be32_t inside, uint32_t address)
{
	uint32_t count = 0;

	for (uint32_t b = 0; b < MODEL_PORTS / MODEL_BLOCK; b++) {
		const struct model_block *block = &model->block[address][b];
		count += block->bindings > 0 && block->segment == segment && block->inside == inside;
	}
	return count;
}

static void host_leave(struct model *model, uint16_t segment, rte_be32_t inside)
{
	struct model_host *host = host_find(model, segment, inside);

	if (host != NULL && model_host_sessions(model, segment, inside) == 0)
		*host = model->host[--model->hosts];
}

/* Sessions. */

bool model_same_binding(const struct model_session *a, const struct model_session *b)
{
	return a->segment == b->segment && a->protocol == b->protocol && a->inside == b->inside &&
	       a->inside_port == b->inside_port;
}

struct model_session *model_find_up(struct model *model, const struct model_session *flow)
{
	for (uint32_t i = 0; i < model->count; i++) {
		struct model_session *s = &model->session[i];
		if (model_same_binding(s, flow) && s->remote == flow->remote &&
			s->remote_port == flow->remote_port)
			return s;
	}
	return NULL;
}

struct model_session *model_find_down(struct model *model, const struct model_session *flow)
{
	for (uint32_t i = 0; i < model->count; i++) {
		struct model_session *s = &model->session[i];
		if (s->protocol == flow->protocol && s->outside == flow->outside &&
			s->outside_port == flow->outside_port && s->remote == flow->remote &&
			s->remote_port == flow->remote_port)
			return s;
	}
	return NULL;
}

static uint16_t owner_of(const struct model *model, const struct model_session *flow)
{
	return nat_owner_of_inside(model->nat, flow->segment, flow->inside);
}

static bool is_full(const struct model *model, const struct model_session *flow)
{
	uint32_t owners = model->settings.owners, count = model->count;

	if (owners > 1) {
		count = 0;
		for (uint32_t i = 0; i < model->count; i++)
			count += owner_of(model, &model->session[i]) == owner_of(model, flow);
	}
	return count == (model->settings.max_sessions + owners - 1) / owners;
}

static enum nat_state first_state(uint8_t protocol, bool up)
{
	return protocol == IPPROTO_UDP    ? NAT_STATE_UDP
	       : protocol == IPPROTO_ICMP ? NAT_STATE_ICMP
	       : up                       ? NAT_TCP_OPENED_INSIDE
					  : NAT_TCP_OPENED_OUTSIDE;
}

/* The binding's port, and the block that it lies in, have one session more. */
static void port_hold(struct model *model, const struct model_session *s)
{
	struct model_port *port = port_of(model, s);
	struct model_block *block = block_of(model, address_number(model, s->outside), s->outside_port);

	if (port->sessions++ > 0)
		return;
	block->bindings++;
	block->segment = s->segment;
	block->inside = s->inside;
}

static void port_release(struct model *model, const struct model_session *s)
{
	struct model_port *port = port_of(model, s);
	struct model_block *block = block_of(model, address_number(model, s->outside), s->outside_port);

	if (--port->sessions > 0)
		return;
	port->was_used = true;
	port->freed = model->tick;
	if (--block->bindings == 0) {
		block->was_used = true;
		block->freed = block->freed_again = model->tick;
	}
}

static struct model_session *session_add(struct model *model, struct model_session flow, bool up)
{
	struct model_host *host = host_get(model, &flow);

	flow.state = first_state(flow.protocol, up);
	flow.last_seen = model->tick;
	flow.packets[0] = flow.packets[1] = 0;
	flow.synchronised[0] = flow.synchronised[1] = false;
	if (flow.kind == NAT_KIND_DYNAMIC) {
		host->address = flow.outside;
		port_hold(model, &flow);
	}
	model->session[model->count] = flow;
	return &model->session[model->count++];
}

void model_end(struct model *model, uint32_t number)
{
	const struct model_session s = model->session[number];

	if (s.kind == NAT_KIND_DYNAMIC)
		port_release(model, &s);
	model->session[number] = model->session[--model->count];
	host_leave(model, s.segment, s.inside);
}

/* Which ports a host may have. */

/* Something that rests may be had again after the rest (RFC 6888 REQ-8), and surely half as much later. */
static enum claim rested(const struct model *model, bool was_used, uint32_t freed, uint32_t freed_again)
{
	uint32_t rest = model->settings.port_rest_s * TICKS_PER_S;

	if (!was_used || model->tick - freed_again > rest + rest / 2 + 1)
		return CLAIM_SURE;
	return model->tick - freed >= rest ? CLAIM_MAYBE : CLAIM_NONE;
}

/* RFC 7422: host i of H on address i / S, with the R ports at the places (i mod S) * R and up. Here all sources are /28. */
static bool is_computed(
	const struct model *model, const struct model_session *flow, uint32_t address, uint16_t port)
{
	const struct nat_pool_settings *pool = &model->pool[flow->segment];
	uint32_t addresses = pool->range->last - pool->range->first + 1, sharing = 16 / addresses;
	uint32_t host = rte_be_to_cpu_32(flow->inside) & 15, ports = 0, place = 0;
	uint32_t first_address = flow->segment == WEB ? 0 : 2; /* DB's comes after the two of WEB */

	for (uint32_t r = 0; r < pool->port_range_count; r++) {
		if (port >= pool->ports[r].first && port <= pool->ports[r].last)
			place = ports + port - pool->ports[r].first;
		ports += pool->ports[r].last - pool->ports[r].first + 1u;
	}
	return address == first_address + host / sharing && place / (ports / sharing) == host % sharing;
}

static enum claim block_claim(
	struct model *model, const struct model_session *flow, uint32_t address, uint16_t port)
{
	const struct model_block *block = block_of(model, address, port);
	bool ours = block->segment == flow->segment && block->inside == flow->inside;

	if (block->bindings > 0)
		return ours ? CLAIM_SURE : CLAIM_NONE;
	enum claim claim = rested(model, block->was_used, block->freed, block->freed_again);
	return claim == CLAIM_NONE && ours ? CLAIM_MAYBE
					   : claim; /* it was the host's: it may have it again */
}

static enum claim port_claim(
	struct model *model, const struct model_session *flow, uint32_t address, uint16_t port)
{
	const struct nat_pool_settings *pool = &model->pool[flow->segment];
	const struct model_port *of =
		&model->port[address][nat_port_class(flow->protocol)][port - MODEL_PORT_FIRST];

	if (!model_pool_has(model, flow->segment, port) || of->forwarded || of->sessions > 0)
		return CLAIM_NONE;
	if (pool->deterministic)
		return is_computed(model, flow, address, port) ? CLAIM_SURE : CLAIM_NONE;
	if (model->settings.owners > 1 &&
		model_owner_of_port(model, flow->protocol, address, port) != owner_of(model, flow))
		return CLAIM_NONE;
	return pool->port_block != 0 ? block_claim(model, flow, address, port)
				     : rested(model, of->was_used, of->freed, of->freed);
}

/* The best claim that the host has on any port of the address; in a block that it has, or in any. */
static enum claim address_claim(
	struct model *model, const struct model_session *flow, uint32_t address, bool own_blocks)
{
	enum claim best = CLAIM_NONE;

	for (uint16_t port = MODEL_PORT_FIRST; port < MODEL_PORT_FIRST + MODEL_PORTS; port++) {
		if (own_blocks && block_of(model, address, port)->bindings == 0) {
			port |= MODEL_BLOCK - 1; /* the next block */
			continue;
		}
		best = RTE_MAX(best, port_claim(model, flow, address, port));
		if (best == CLAIM_SURE)
			break;
	}
	return best;
}

/* On the address that the host has; if it has none, on any of the pool. */
static enum claim host_claim(
	struct model *model, const struct model_session *flow, const struct model_host *host)
{
	enum claim best = CLAIM_NONE, worst = CLAIM_SURE;

	for (uint32_t address = 0; address < MODEL_ADDRESSES; address++) {
		if (model_address_pool(model, address) != flow->segment ||
			(host->address != 0 && host->address != model_address(model, address)))
			continue;
		enum claim claim = address_claim(model, flow, address, false);
		best = RTE_MAX(best, claim);
		worst = RTE_MIN(worst, claim);
	}
	if (host->tried && worst < best)
		return CLAIM_MAYBE;
	return best;
}

/* The host got a port and did not use it: a block that it had before may begin its rest anew. */
static void host_was_disappointed(struct model *model, struct model_host *host)
{
	host->tried = true;
	for (uint32_t address = 0; address < MODEL_ADDRESSES; address++)
		for (uint32_t b = 0; b < MODEL_PORTS / MODEL_BLOCK; b++) {
			struct model_block *block = &model->block[address][b];
			if (block->segment == host->segment && block->inside == host->inside)
				block->freed_again = model->tick;
		}
}

static const struct nat_limits *limits_of(const struct model *model, const struct model_session *flow)
{
	return &model->pool[flow->segment].limits;
}

/* Was the port of this new binding one that it may have, and the inside one if that was free? */
static void port_check(struct model *model, struct model_session flow, const struct model_host *host,
	const struct model_result *result, uint16_t wanted)
{
	uint32_t address = address_number(model, result->outside);
	uint16_t port = result->outside_port;

	model_assert(model, address < MODEL_ADDRESSES, "an address of no pool");
	model_assert(model, model_address_pool(model, address) == flow.segment, "an address of another pool");
	model_assert(
		model, host->address == 0 || host->address == result->outside, "the host has two addresses");
	model_assert(model, model_pool_has(model, flow.segment, port), "port %u is none of the pool's", port);
	model_assert(model, port_claim(model, &flow, address, port) != CLAIM_NONE,
		"port %u is in use, rests, or is somebody else's", port);
	if (model->pool[flow.segment].port_block != 0 &&
		address_claim(model, &flow, address, true) == CLAIM_SURE)
		model_assert(model, block_of(model, address, port)->bindings > 0,
			"one block more, while the others had room");
	/* In a burst, a second packet of a flow holds a port until it finds the session that the first has opened. */
	if (model->in_burst || wanted < MODEL_PORT_FIRST || wanted >= MODEL_PORT_FIRST + MODEL_PORTS ||
		port_claim(model, &flow, address, wanted) != CLAIM_SURE)
		return;
	if (model->pool[flow.segment].port_block == 0 || block_of(model, address, wanted)->bindings > 0)
		model_assert(model, port == wanted, "port %u is not preserved, but became %u", wanted, port);
}

/* 0 or the error that a new dynamic binding must meet. */
static int port_judge(struct model *model, struct model_session flow, const struct model_host *host,
	const struct model_result *result)
{
	const struct nat_pool_settings *pool = &model->pool[flow.segment];
	uint32_t most = pool->limits.ports;

	if (most != 0 && model_host_bindings(model, flow.segment, flow.inside) >= most)
		return -EDQUOT;
	if (pool->port_block != 0 && host->address != 0) {
		uint32_t address = address_number(model, host->address);
		uint32_t blocks = model_host_blocks(model, flow.segment, flow.inside, address);
		if (most != 0 && blocks * pool->port_block >= most &&
			address_claim(model, &flow, address, true) == CLAIM_NONE)
			return -EDQUOT;
	}
	switch (host_claim(model, &flow, host)) {
	case CLAIM_NONE:
		return -EADDRNOTAVAIL;
	case CLAIM_MAYBE:
		return result->status == -EADDRNOTAVAIL ? result->status : 0;
	default:
		return 0;
	}
}

/* A leaky bucket: a session fills in one second's worth, and each second `rate` of them leak out. */
static int host_admit(
	const struct model *model, struct model_host *host, const struct nat_limits *limits, bool up)
{
	uint32_t rate = limits->new_sessions_a_second;
	uint64_t leaked = (uint64_t)(model->tick - host->rate_tick) * rate;

	if (limits->sessions != 0 &&
		model_host_sessions(model, host->segment, host->inside) >= limits->sessions)
		return -EUSERS;
	if (rate == 0 || !up)
		return 0;
	host->rate_used -= (uint32_t)RTE_MIN(leaked, (uint64_t)host->rate_used);
	host->rate_tick = model->tick;
	if (host->rate_used + TICKS_PER_S > rate * TICKS_PER_S)
		return -EBUSY;
	host->rate_used += TICKS_PER_S;
	return 0;
}

static void refusal_count(struct model *model, int status)
{
	model->refused[REFUSED_NO_PORTS] += status == -EADDRNOTAVAIL;
	model->refused[REFUSED_TABLE_FULL] += status == -ENFILE;
	model->refused[REFUSED_FILTERED] += status == -EEXIST;
	model->refused[REFUSED_HOST_PORTS] += status == -EDQUOT;
	model->refused[REFUSED_HOST_SESSIONS] += status == -EUSERS;
	model->refused[REFUSED_HOST_RATE] += status == -EBUSY;
}

/* What a flow that no rule translates must meet; with its public endpoint, if it gets one. */
static int dynamic_judge(struct model *model, struct model_session *flow, struct model_host *host,
	const struct model_result *result)
{
	int status = host_admit(model, host, limits_of(model, flow), true);

	for (uint32_t i = 0; i < model->count && status == 0; i++)
		if (model_same_binding(&model->session[i], flow)) {
			flow->outside = model->session[i].outside;
			flow->outside_port = model->session[i].outside_port;
			return is_full(model, flow) ? -ENFILE : 0;
		}
	if (status == 0)
		status = port_judge(model, *flow, host, result);
	if (status == 0 && is_full(model, flow)) {
		host_was_disappointed(model, host);
		return -ENFILE;
	}
	if (status == 0 && result->status == 0) {
		port_check(model, *flow, host, result,
			result->wanted_port != 0 ? result->wanted_port : flow->inside_port);
		flow->outside = result->outside;
		flow->outside_port = result->outside_port;
	}
	return status;
}

struct model_session *model_open_up(
	struct model *model, struct model_session flow, const struct model_result *result)
{
	struct model_host *host = host_get(model, &flow);
	struct model_session *session = NULL;
	int status;

	if (model_rule_out(model, &flow))
		status = model_find_down(model, &flow) != NULL ? -EEXIST
			 : is_full(model, &flow)               ? -ENFILE
							       : 0;
	else
		status = dynamic_judge(model, &flow, host, result);
	model_assert(
		model, result->status == status, "a new flow met %d, should be %d", result->status, status);
	refusal_count(model, status);
	if (status == 0)
		session = session_add(model, flow, true);
	else
		host_leave(model, flow.segment, flow.inside);
	return session;
}

void model_refused_other(struct model *model, struct model_session flow, rte_be32_t outside, uint16_t port)
{
	struct model_host *host = host_get(model, &flow), before = *host;
	const struct model_session *binding = NULL;

	if (model_find_up(model, &flow) == NULL)
		model_assert(
			model, host_admit(model, host, limits_of(model, &flow), true) == 0, "not admitted");
	*host = before; /* what is not opened does not count */
	for (uint32_t i = 0; i < model->count && binding == NULL; i++)
		if (model_same_binding(&model->session[i], &flow))
			binding = &model->session[i];
	if (binding != NULL) {
		model_assert(model,
			(outside != 0 && binding->outside != outside) ||
				(port != 0 && binding->outside_port != port),
			"the wanted endpoint was the binding's");
	} else if (host->address != 0 && port >= MODEL_PORT_FIRST && port < MODEL_PORT_FIRST + MODEL_PORTS &&
		   (outside == 0 || outside == host->address) && model->pool[flow.segment].port_block == 0) {
		model_assert(model,
			port_claim(model, &flow, address_number(model, host->address), port) != CLAIM_SURE,
			"the wanted port %u was free", port);
	}
	host_was_disappointed(model, host);
	host_leave(model, flow.segment, flow.inside);
}

static bool has_mapping(struct model *model, const struct model_session *binding)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model_same_binding(&model->session[i], binding) &&
			model->session[i].state == NAT_STATE_MAPPING)
			return true;
	return false;
}

/* May the remote use the binding that some session of the same outside endpoint is of? */
static bool is_let_in(
	struct model *model, const struct model_session *binding, const struct model_session *flow)
{
	enum nat_filtering filtering = model->pool[binding->segment].filtering;

	if (filtering == NAT_FILTER_NONE || has_mapping(model, binding))
		return true;
	for (uint32_t i = 0; i < model->count && filtering == NAT_FILTER_ADDRESS; i++)
		if (model_same_binding(&model->session[i], binding) &&
			model->session[i].remote == flow->remote)
			return true;
	return false;
}

static struct model_session *open_down_dynamic(
	struct model *model, struct model_session flow, bool opens, uint8_t *verdict)
{
	const struct model_session *binding = NULL;

	for (uint32_t i = 0; i < model->count && binding == NULL; i++) {
		const struct model_session *s = &model->session[i];
		if (s->kind == NAT_KIND_DYNAMIC && s->protocol == flow.protocol &&
			s->outside == flow.outside && s->outside_port == flow.outside_port)
			binding = s;
	}
	*verdict = verdict_drop(DROP_NAT_NO_BINDING);
	if (binding == NULL)
		return NULL;
	*verdict = verdict_drop(DROP_NAT_FILTERED);
	if (!opens || flow.protocol == IPPROTO_ICMP || !is_let_in(model, binding, &flow))
		return NULL;
	flow.segment = binding->segment;
	flow.inside = binding->inside;
	flow.inside_port = binding->inside_port;
	flow.kind = NAT_KIND_DYNAMIC;
	int status = host_admit(model, host_get(model, &flow), limits_of(model, &flow), false);
	*verdict = verdict_drop(status == 0 ? DROP_NAT_TABLE_FULL : DROP_NAT_HOST_SESSIONS);
	if (status == 0 && is_full(model, &flow))
		status = -ENFILE;
	refusal_count(model, status);
	return status == 0 ? session_add(model, flow, false) : NULL;
}

struct model_session *model_open_down(
	struct model *model, struct model_session flow, bool opens, uint8_t *verdict)
{
	if (!model_rule_in(model, &flow)) {
		struct model_session *session = open_down_dynamic(model, flow, opens, verdict);
		model->refused[REFUSED_FILTERED] += *verdict == verdict_drop(DROP_NAT_FILTERED);
		return session;
	}
	*verdict = verdict_drop(flow.protocol == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE);
	if (!opens)
		return NULL;
	*verdict = verdict_drop(DROP_NAT_FILTERED);
	if (model_find_up(model, &flow) != NULL)
		return NULL;
	*verdict = verdict_drop(DROP_NAT_TABLE_FULL);
	return is_full(model, &flow) ? NULL : session_add(model, flow, false);
}

void model_expire(struct model *model)
{
	for (uint32_t i = 0; i < model->count;) {
		const struct model_session *s = &model->session[i];
		int64_t idle = (int64_t)model->tick - s->last_seen;
		if (idle > (int64_t)model_timeout(model, s->state))
			model_end(model, i);
		else
			i++;
	}
}
