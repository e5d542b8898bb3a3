/* SPDX-License-Identifier: BSD-3-Clause */
/* NAT against a small obvious implementation: a list of sessions, searched from end to end. Random packets from both
 * sides and time, over few hosts, ports and remotes, so that everything collides and every pool runs out. After each
 * packet the verdict and the translated packet must be what the list says; now and then everything is compared. The
 * seed is printed; NAT_MODEL_SEED repeats a run. */
#include "nat_fixture.h"
#include <stdio.h>
#include <stdlib.h>

TestSuite(nat_model, .timeout = 600);

enum { CAPACITY = 220, STEPS = 400000 };

struct model_session {
	uint16_t segment;
	uint8_t protocol;
	rte_be32_t inside, remote, outside;
	uint16_t inside_port, remote_port, outside_port;
	enum nat_kind kind;
	enum nat_state state;
	uint32_t last_seen;
	uint64_t packets[2];
	bool synchronised[2]; /* a SYN from that way has said where its sequence numbers are */
};

struct model {
	struct model_session session[CAPACITY];
	uint32_t count;
	uint32_t tick;
	unsigned seed;
	uint32_t step;
	uint32_t refusals[4]; /* by kind, to know that the test has seen them */
};

/* One address of few ports for the second segment, forwards that share an inside endpoint, a forward on a static
 * binding's address, a forward of the host with the static binding. */
static const struct nat_pool_range model_ranges[] = { { 0xcb00710a, 0xcb00710b },
	{ 0xcb007128, 0xcb007128 } };
static const struct nat_port_range model_ports[] = { { 1000, 1079 }, { 2000, 2024 } };
static const struct nat_pool_settings model_pools[] = {
	{ .name = "web",
		.range = &model_ranges[0],
		.range_count = 1,
		.ports = &model_ports[0],
		.port_range_count = 1 },
	{ .name = "db",
		.range = &model_ranges[1],
		.range_count = 1,
		.ports = &model_ports[1],
		.port_range_count = 1 },
};
static const struct nat_forward_settings model_forwards[] = {
	{ WEB, IPPROTO_TCP, OWN_IP, FORWARD_HOST, 8080, 80 },
	{ WEB, IPPROTO_UDP, OWN_IP, FORWARD_HOST, 5353, 53 },
	{ WEB, IPPROTO_UDP, IP(203, 0, 113, 10), FORWARD_HOST, 1010, 53 },
	{ WEB, IPPROTO_UDP, STATIC_IP, FORWARD_HOST, 54, 53 },
	{ WEB, IPPROTO_UDP, OWN_IP, STATIC_HOST, 5555, 55 },
	{ WEB, IPPROTO_UDP, STATIC_IP, HOST_B, 80, 1010 },
};

/* The hash key comes of the seed too, or the ports chosen would be others in each run. */
static struct gateway *model_gateway(unsigned seed)
{
	struct nat_settings settings = test_settings;
	struct flow_hash_key key;

	for (size_t i = 0; i < sizeof(key); i++)
		((uint8_t *)&key)[i] = (uint8_t)rand_r(&seed);
	settings.hash_key = &key;

	settings.pool = model_pools;
	settings.forward = model_forwards;
	settings.forward_count = RTE_DIM(model_forwards);
	settings.max_sessions = CAPACITY;
	return gateway_start(&settings);
}

static uint32_t pick(struct model *model, uint32_t below)
{
	return (uint32_t)rand_r(&model->seed) % below;
}

static uint32_t timeout_of(enum nat_state state)
{
	switch (state) {
	case NAT_STATE_UDP:
		return 300;
	case NAT_STATE_ICMP:
		return 60;
	case NAT_TCP_ESTABLISHED:
	case NAT_TCP_FIN_INSIDE:
	case NAT_TCP_FIN_OUTSIDE:
		return 7440;
	default:
		return 240;
	}
}

static bool is_binding_of(const struct model_session *a, const struct model_session *b)
{
	return a->segment == b->segment && a->protocol == b->protocol && a->inside == b->inside &&
	       a->inside_port == b->inside_port;
}

static struct model_session *find_up(struct model *model, const struct model_session *flow)
{
	for (uint32_t i = 0; i < model->count; i++) {
		struct model_session *s = &model->session[i];
		if (is_binding_of(s, flow) && s->remote == flow->remote &&
			s->remote_port == flow->remote_port)
			return s;
	}
	return NULL;
}

static struct model_session *find_down(struct model *model, const struct model_session *flow)
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

static bool port_is_bound(const struct model *model, uint8_t protocol, rte_be32_t outside, uint16_t port)
{
	for (size_t i = 0; i < RTE_DIM(model_forwards); i++)
		if (model_forwards[i].protocol == protocol && model_forwards[i].outside == outside &&
			model_forwards[i].outside_port == port)
			return true;
	for (uint32_t i = 0; i < model->count; i++)
		if (model->session[i].protocol == protocol && model->session[i].outside == outside &&
			model->session[i].outside_port == port)
			return true;
	return false;
}

static uint32_t ports_free(const struct model *model, uint8_t protocol, rte_be32_t outside, uint32_t pool)
{
	uint32_t count = 0;

	for (uint32_t port = model_ports[pool].first; port <= model_ports[pool].last; port++)
		count += !port_is_bound(model, protocol, outside, (uint16_t)port);
	return count;
}

/* The public address that the host's dynamic bindings have, or 0. */
static rte_be32_t paired_address(const struct model *model, const struct model_session *flow)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model->session[i].kind == NAT_KIND_DYNAMIC &&
			model->session[i].segment == flow->segment &&
			model->session[i].inside == flow->inside)
			return model->session[i].outside;
	return 0;
}

/* By rule: true and the outside endpoint, or false: dynamic. */
static bool rule_out(struct model_session *flow)
{
	for (size_t i = 0; i < RTE_DIM(model_forwards); i++) {
		const struct nat_forward_settings *f = &model_forwards[i];
		if (f->segment == flow->segment && f->protocol == flow->protocol &&
			f->inside == flow->inside && f->inside_port == flow->inside_port) {
			flow->outside = f->outside;
			flow->outside_port = f->outside_port;
			flow->kind = NAT_KIND_FORWARD;
			return true;
		}
	}
	if (flow->segment == WEB && flow->inside == STATIC_HOST) {
		flow->outside = STATIC_IP;
		flow->outside_port = flow->inside_port;
		flow->kind = NAT_KIND_STATIC;
		return true;
	}
	flow->kind = NAT_KIND_DYNAMIC;
	return false;
}

static bool rule_in(struct model_session *flow)
{
	for (size_t i = 0; i < RTE_DIM(model_forwards); i++) {
		const struct nat_forward_settings *f = &model_forwards[i];
		if (f->protocol == flow->protocol && f->outside == flow->outside &&
			f->outside_port == flow->outside_port) {
			flow->segment = f->segment;
			flow->inside = f->inside;
			flow->inside_port = f->inside_port;
			flow->kind = NAT_KIND_FORWARD;
			return true;
		}
	}
	if (flow->outside != STATIC_IP)
		return false;
	flow->segment = WEB;
	flow->inside = STATIC_HOST;
	flow->inside_port = flow->outside_port;
	flow->kind = NAT_KIND_STATIC;
	return true;
}

/* The state machine, written as prose says it. */
static enum nat_state state_after(enum nat_state state, bool up, uint8_t flags)
{
	bool rst = flags & RTE_TCP_RST_FLAG, fin = !rst && flags & RTE_TCP_FIN_FLAG,
	     syn = !rst && !fin && flags & RTE_TCP_SYN_FLAG;

	switch (state) {
	case NAT_TCP_OPENED_INSIDE:
	case NAT_TCP_OPENED_OUTSIDE:
		if (up == (state == NAT_TCP_OPENED_INSIDE))
			return state;
		/* a refusal acknowledges the SYN */
		return rst   ? (flags & RTE_TCP_ACK_FLAG ? NAT_TCP_RESET : state)
		       : syn ? NAT_TCP_ESTABLISHED
			     : state;
	case NAT_TCP_ESTABLISHED:
		return rst ? NAT_TCP_RESET : !fin ? state : up ? NAT_TCP_FIN_INSIDE : NAT_TCP_FIN_OUTSIDE;
	case NAT_TCP_FIN_INSIDE:
		return rst ? NAT_TCP_RESET : fin && !up ? NAT_TCP_CLOSING : state;
	case NAT_TCP_FIN_OUTSIDE:
		return rst ? NAT_TCP_RESET : fin && up ? NAT_TCP_CLOSING : state;
	case NAT_TCP_CLOSING:
		return !syn ? state : up ? NAT_TCP_OPENED_INSIDE : NAT_TCP_OPENED_OUTSIDE;
	case NAT_TCP_RESET:
		return rst    ? state
		       : !syn ? NAT_TCP_ESTABLISHED
		       : up   ? NAT_TCP_OPENED_INSIDE
			      : NAT_TCP_OPENED_OUTSIDE;
	default:
		return state;
	}
}

static bool is_reset(const struct model_session *s, uint8_t flags)
{
	return s->protocol == IPPROTO_TCP && flags & RTE_TCP_RST_FLAG;
}

static bool is_opening(enum nat_state state)
{
	return state == NAT_TCP_OPENED_INSIDE || state == NAT_TCP_OPENED_OUTSIDE;
}

/* A RST that cannot be checked against its sender's sequence numbers changes nothing, and one that changes nothing does
 * not keep the session alive. */
static void note_reset(struct model *model, struct model_session *s, bool up, uint8_t flags)
{
	enum nat_state after = state_after(s->state, up, flags);

	if (after == s->state || (!is_opening(s->state) && !s->synchronised[!up]))
		return;
	s->state = after;
	s->last_seen = model->tick;
}

static void note(struct model *model, struct model_session *s, bool up, uint8_t flags)
{
	enum nat_state before = s->state;

	s->packets[!up]++;
	if (is_reset(s, flags)) {
		note_reset(model, s, up, flags);
		return;
	}
	if (s->protocol == IPPROTO_TCP) {
		s->state = state_after(before, up, flags);
		if (flags & RTE_TCP_SYN_FLAG &&
			(is_opening(before) || before == NAT_TCP_CLOSING || before == NAT_TCP_RESET))
			s->synchronised[!up] = true;
	}
	if (before != NAT_TCP_CLOSING || s->state != NAT_TCP_CLOSING)
		s->last_seen = model->tick;
}

static enum nat_state first_state(uint8_t protocol, bool up)
{
	return protocol == IPPROTO_UDP    ? NAT_STATE_UDP
	       : protocol == IPPROTO_ICMP ? NAT_STATE_ICMP
	       : up                       ? NAT_TCP_OPENED_INSIDE
					  : NAT_TCP_OPENED_OUTSIDE;
}

static struct model_session *add(struct model *model, struct model_session flow, bool up)
{
	flow.state = first_state(flow.protocol, up);
	flow.last_seen = model->tick;
	flow.packets[0] = flow.packets[1] = 0;
	flow.synchronised[0] = flow.synchronised[1] = false;
	model->session[model->count] = flow;
	return &model->session[model->count++];
}

static bool opens(const struct packet *spec)
{
	if (spec->protocol == IPPROTO_TCP)
		return (spec->tcp_flags & 0x17) == RTE_TCP_SYN_FLAG;
	return spec->protocol != IPPROTO_ICMP || spec->icmp_type == RTE_IP_ICMP_ECHO_REQUEST;
}

#define model_assert(condition, ...) cr_assert((condition) ? true : false, __VA_ARGS__)

static void refused(struct model *model, uint8_t verdict, enum drop_reason reason)
{
	model_assert(verdict == verdict_drop(reason), "step %u: verdict %u, expected drop %s", model->step,
		verdict, drop_reason_text[reason].name);
	model->refusals[0] += reason == DROP_NAT_NO_PORTS;
	model->refusals[1] += reason == DROP_NAT_TABLE_FULL;
	model->refusals[2] += reason == DROP_NAT_FILTERED;
}

/* What the list says about a new flow from inside; with `verdict` and the packet as it came out. */
static struct model_session *open_up(struct model *model, struct model_session flow,
	const struct packet *spec, uint8_t verdict, struct rte_mbuf *m)
{
	uint32_t pool = flow.segment == WEB ? 0 : 1;

	if (!opens(spec)) {
		refused(model, verdict,
			spec->protocol == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE);
		return NULL;
	}
	if (!rule_out(&flow)) {
		struct model_session *binding = NULL;
		for (uint32_t i = 0; i < model->count && binding == NULL; i++)
			if (is_binding_of(&model->session[i], &flow))
				binding = &model->session[i];
		if (binding == NULL) {
			rte_be32_t paired = paired_address(model, &flow);
			uint32_t room = 0;
			for (uint32_t ip = model_ranges[pool].first; ip <= model_ranges[pool].last; ip++)
				if (paired == 0 || paired == rte_cpu_to_be_32(ip))
					room += ports_free(model, flow.protocol, rte_cpu_to_be_32(ip), pool);
			if (room == 0) {
				refused(model, verdict, DROP_NAT_NO_PORTS);
				return NULL;
			}
			if (model->count < CAPACITY) {
				uint16_t port =
					*(uint16_t *)(packet_l4(m) + (flow.protocol == IPPROTO_ICMP ? 4 : 0));
				model_assert(verdict == STAGE_MAC_LOOKUP, "step %u", model->step);
				flow.outside = packet_ip(m)->src_addr;
				flow.outside_port = rte_be_to_cpu_16(port);
				model_assert(paired == 0 || paired == flow.outside, "step %u: unpaired",
					model->step);
				model_assert(
					!port_is_bound(model, flow.protocol, flow.outside, flow.outside_port),
					"step %u: a port is bound twice", model->step);
				model_assert(flow.outside_port >= model_ports[pool].first &&
						     flow.outside_port <= model_ports[pool].last,
					"step %u: port %u", model->step, flow.outside_port);
			}
		} else {
			flow.outside = binding->outside;
			flow.outside_port = binding->outside_port;
		}
	} else if (find_down(model, &flow) != NULL) {
		refused(model, verdict, DROP_NAT_FILTERED);
		return NULL;
	}
	if (model->count == CAPACITY) {
		refused(model, verdict, DROP_NAT_TABLE_FULL);
		return NULL;
	}
	return add(model, flow, true);
}

static struct model_session *open_down(
	struct model *model, struct model_session flow, const struct packet *spec, uint8_t verdict)
{
	if (!rule_in(&flow)) {
		refused(model, verdict,
			port_is_bound(model, flow.protocol, flow.outside, flow.outside_port)
				? DROP_NAT_FILTERED
				: DROP_NAT_NO_BINDING);
		return NULL;
	}
	if (!opens(spec))
		refused(model, verdict,
			spec->protocol == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE);
	else if (find_up(model, &flow) != NULL)
		refused(model, verdict, DROP_NAT_FILTERED);
	else if (model->count == CAPACITY)
		refused(model, verdict, DROP_NAT_TABLE_FULL);
	else
		return add(model, flow, false);
	return NULL;
}

static struct model_session flow_of(const struct packet *spec)
{
	bool up = spec->from == NAT_FROM_INSIDE, icmp = spec->protocol == IPPROTO_ICMP;
	struct model_session flow = { .segment = spec->segment, .protocol = spec->protocol };

	flow.remote = up ? spec->destination : spec->source;
	flow.remote_port = icmp ? 0 : up ? spec->destination_port : spec->source_port;
	if (up) {
		flow.inside = spec->source;
		flow.inside_port = spec->source_port;
	} else {
		flow.outside = spec->destination;
		flow.outside_port = icmp ? spec->source_port : spec->destination_port;
	}
	return flow;
}

/* Checks one packet, as it went in and as it came out, against the list, and brings the list up to date. */
static void model_check(struct model *model, const struct packet *spec, uint8_t verdict, struct rte_mbuf *m)
{
	bool up = spec->from == NAT_FROM_INSIDE, icmp = spec->protocol == IPPROTO_ICMP;
	struct model_session flow = flow_of(spec);
	struct packet wanted = *spec;

	struct model_session *s = up ? find_up(model, &flow) : find_down(model, &flow);
	if (s != NULL && !up && icmp && s->kind == NAT_KIND_DYNAMIC &&
		spec->icmp_type == RTE_IP_ICMP_ECHO_REQUEST) {
		refused(model, verdict, DROP_NAT_FILTERED);
		return;
	}
	if (s == NULL)
		s = up ? open_up(model, flow, spec, verdict, m) : open_down(model, flow, spec, verdict);
	if (s == NULL)
		return;
	note(model, s, up, spec->tcp_flags);
	model_assert(verdict == STAGE_MAC_LOOKUP, "step %u: verdict %u, expected translation", model->step,
		verdict);
	if (up) {
		wanted.source = s->outside;
		wanted.source_port = s->outside_port;
	} else {
		wanted.destination = s->inside;
		wanted.ttl = 63;
		if (icmp)
			wanted.source_port = s->inside_port;
		else
			wanted.destination_port = s->inside_port;
		model_assert(packet_metadata(m)->egress == interface_of_segment(s->segment), "step %u",
			model->step);
		model_assert(packet_metadata(m)->next_hop == s->inside, "step %u", model->step);
	}
	expect_packet(m, &wanted);
	expect_right_checksums(m);
}

static struct packet random_up(struct model *model)
{
	static const rte_be32_t hosts[] = { HOST_A, HOST_B, STATIC_HOST, FORWARD_HOST, IP(10, 0, 1, 13),
		IP(10, 0, 1, 14), IP(10, 0, 1, 15) };
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
	static const uint16_t ports[] = { 53, 54, 55, 80, 1010, 1011 };
	struct packet spec = { .from = NAT_FROM_INSIDE,
		.segment = (uint16_t)(pick(model, 4) == 0),
		.protocol = protocols[pick(model, RTE_DIM(protocols))],
		.source = hosts[pick(model, RTE_DIM(hosts))],
		.destination = pick(model, 2) ? REMOTE : REMOTE_2,
		.source_port = pick(model, 2) ? ports[pick(model, RTE_DIM(ports))]
					      : (uint16_t)(3000 + pick(model, 60)),
		.destination_port = (uint16_t)(700 + pick(model, 4)),
		.payload = (uint16_t)pick(model, 20) };

	spec.icmp_type = pick(model, 5) ? RTE_IP_ICMP_ECHO_REQUEST : RTE_IP_ICMP_ECHO_REPLY;
	spec.tcp_flags = RTE_TCP_SYN_FLAG;
	return spec;
}

/* Mostly answers to sessions there are, now and then from a stranger or to a port of chance. */
static struct packet random_down(struct model *model)
{
	static const rte_be32_t addresses[] = { OWN_IP, STATIC_IP, IP(203, 0, 113, 10), IP(203, 0, 113, 40) };
	static const uint16_t ports[] = { 8080, 5353, 1010, 54, 55, 5555, 1000, 2000 };
	struct packet spec = random_up(model);

	spec.from = NAT_FROM_OUTSIDE;
	spec.segment = 0;
	spec.source = spec.destination;
	spec.source_port = (uint16_t)(700 + pick(model, 4));
	spec.destination = addresses[pick(model, RTE_DIM(addresses))];
	spec.destination_port = ports[pick(model, RTE_DIM(ports))];
	if (spec.protocol == IPPROTO_ICMP)
		spec.source_port = ports[pick(model, RTE_DIM(ports))];
	if (model->count > 0 && pick(model, 4) != 0) {
		const struct model_session *s = &model->session[pick(model, model->count)];
		spec.protocol = s->protocol;
		spec.destination = s->outside;
		if (pick(model, 8) != 0)
			spec.source = s->remote;
		spec.source_port = spec.protocol == IPPROTO_ICMP ? s->outside_port : s->remote_port;
		spec.destination_port = spec.protocol == IPPROTO_ICMP ? 9 : s->outside_port;
		if (spec.protocol == IPPROTO_ICMP && s->kind == NAT_KIND_DYNAMIC && pick(model, 5) != 0)
			spec.icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	}
	return spec;
}

static void one_packet(struct gateway *gateway, struct model *model)
{
	static const uint8_t flags[] = { RTE_TCP_SYN_FLAG, RTE_TCP_SYN_FLAG, RTE_TCP_ACK_FLAG,
		RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG, RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, RTE_TCP_RST_FLAG,
		RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG };
	struct packet spec = pick(model, 2) ? random_up(model) : random_down(model);

	spec.tcp_flags = flags[pick(model, RTE_DIM(flags))];
	struct rte_mbuf *m = packet_make(gateway, &spec);
	model_check(model, &spec, gateway_take(gateway, m), m);
	rte_pktmbuf_free(m);
}

/* Rules give two flows one endpoint on the other side, so that the first to come has the session. */
static bool compete(const struct packet *one, const struct packet *two)
{
	struct model_session a = flow_of(one), b = flow_of(two);
	bool up = one->from == NAT_FROM_INSIDE, same_inside, same_outside;

	if (!(up ? rule_out(&a) && rule_out(&b) : rule_in(&a) && rule_in(&b)))
		return false;
	same_inside = is_binding_of(&a, &b);
	same_outside = a.protocol == b.protocol && a.outside == b.outside && a.outside_port == b.outside_port;
	return same_inside != same_outside && a.remote == b.remote && a.remote_port == b.remote_port;
}

static bool competes_with_any(const struct packet *spec, const struct packet *others, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		if (compete(spec, &others[i]))
			return true;
	return false;
}

/* A burst of one way, of packets whose order among different flows makes no difference: it needs room for all. */
static void one_burst(struct gateway *gateway, struct model *model)
{
	struct packet spec[BURST_MAX];
	struct rte_mbuf *burst[BURST_MAX];
	uint8_t verdict[BURST_MAX];
	uint16_t count = (uint16_t)(1 + pick(model, BURST_MAX));
	bool up = pick(model, 2);

	if (model->count + count > CAPACITY / 3)
		return;
	for (uint16_t i = 0; i < count; i++) {
		do
			spec[i] = up ? random_up(model) : random_down(model);
		while (spec[i].protocol == IPPROTO_ICMP || (up && spec[i].segment == DB) ||
			competes_with_any(&spec[i], spec, i));
		burst[i] = packet_make(gateway, &spec[i]);
	}
	refusals_quiet(gateway->context);
	nat_gateway_process(gateway->context, burst, count, verdict);
	for (uint16_t i = 0; i < count; i++)
		model_check(model, &spec[i], verdict[i], burst[i]);
	rte_pktmbuf_free_bulk(burst, count);
}

static void time_passes(struct gateway *gateway, struct model *model)
{
	uint32_t kept = 0;

	model->tick += TICKS_PER_S * (4 + pick(model, pick(model, 50) == 0 ? 8000 : 80)) + pick(model, 100);
	gateway->context->tick = model->tick;
	for (int call = 0; call < 100; call++)
		nat_owner_expire(gateway->context->nat, model->tick);
	for (uint32_t i = 0; i < model->count; i++)
		if (model->tick - model->session[i].last_seen <=
			TICKS_PER_S * timeout_of(model->session[i].state))
			model->session[kept++] = model->session[i];
	model->count = kept;
}

static uint32_t ports_used(const struct model *model, uint8_t protocol, uint32_t pool)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < model->count; i++) {
		const struct model_session *s = &model->session[i];
		bool first = s->kind == NAT_KIND_DYNAMIC && s->protocol == protocol &&
			     (s->segment == WEB ? 0u : 1u) == pool;
		for (uint32_t j = 0; first && j < i; j++)
			first = !is_binding_of(s, &model->session[j]);
		used += first;
	}
	return used;
}

/* All that can be seen from outside is what the list says: no session lost, none too many, no port leaked. */
static void compare_all(struct gateway *gateway, struct model *model)
{
	static struct nat_session_view view[CAPACITY + 1];
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	struct nat_pool_view pools[2];
	uint32_t cursor = 0, bindings = 0;
	uint32_t count = nat_owner_sessions(
		gateway->context->nat, &cursor, NULL, view, CAPACITY + 1, UINT32_MAX, model->tick);

	model_assert(count == model->count, "step %u: %u sessions, should be %u", model->step, count,
		model->count);
	model_assert(gateway_sessions(gateway) == count, "step %u", model->step);
	for (uint32_t i = 0; i < count; i++) {
		const struct nat_session_view *v = &view[i];
		const struct model_session flow = { .segment = v->segment,
			.protocol = v->protocol,
			.inside = v->inside,
			.inside_port = v->inside_port,
			.remote = v->remote,
			.remote_port = v->remote_port };
		const struct model_session *s = find_up(model, &flow);
		model_assert(s != NULL, "step %u: a session that should not be", model->step);
		model_assert(s->outside == v->outside && s->outside_port == v->outside_port, "step %u",
			model->step);
		model_assert(strcmp(v->state, nat_state_text[s->state].name) == 0, "step %u: %s", model->step,
			v->state);
		model_assert(s->packets[0] == v->packets_up && s->packets[1] == v->packets_down, "step %u",
			model->step);
		model_assert(v->idle_s == (model->tick - s->last_seen) / TICKS_PER_S, "step %u", model->step);
		uint32_t of_host = 0;
		for (uint32_t j = 0; j < model->count; j++)
			of_host += model->session[j].segment == s->segment &&
				   model->session[j].inside == s->inside;
		model_assert(nat_host_sessions(gateway->nat, s->segment, s->inside) == of_host, "step %u",
			model->step);
	}
	nat_pools(gateway->nat, pools, 2);
	for (uint32_t pool = 0; pool < 2; pool++)
		for (int class = 0; class < 3; class ++) {
			uint32_t used = ports_used(model, protocols[class], pool);
			model_assert(pools[pool].used[class] == used,
				"step %u: %lu ports in use, should be %u", model->step,
				pools[pool].used[class], used);
			bindings += used;
		}
	model_assert(nat_owner_counters(gateway->context->nat)->bindings == bindings, "step %u", model->step);
}

static void compare_bindings(struct gateway *gateway, const struct model *model)
{
	static struct nat_binding_view view[CAPACITY + 1];
	uint32_t cursor = 0, sessions = 0, dynamic = 0;
	uint32_t count = nat_owner_bindings(
		gateway->context->nat, &cursor, NULL, view, CAPACITY + 1, UINT32_MAX, model->tick);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t of_binding = 0;
		for (uint32_t j = 0; j < model->count; j++) {
			const struct model_session *s = &model->session[j];
			of_binding += s->segment == view[i].segment && s->protocol == view[i].protocol &&
				      s->inside == view[i].inside && s->inside_port == view[i].inside_port &&
				      s->outside == view[i].outside &&
				      s->outside_port == view[i].outside_port;
		}
		model_assert(view[i].sessions == of_binding,
			"step %u: a binding of %u sessions, should be %u", model->step, view[i].sessions,
			of_binding);
		sessions += of_binding;
	}
	for (uint32_t j = 0; j < model->count; j++)
		dynamic += model->session[j].kind == NAT_KIND_DYNAMIC;
	model_assert(sessions == dynamic, "step %u: a binding is missing", model->step);
}

Test(nat_model, agrees_with_a_list_of_sessions_over_random_packets_and_time)
{
	const char *given = getenv("NAT_MODEL_SEED");
	static struct model model;

	model.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1795372219u;
	struct gateway *gateway = model_gateway(model.seed);
	model.tick = gateway->context->tick;
	fprintf(stderr, "NAT_MODEL_SEED=%u\n", model.seed);
	/* Phases with much time and with little, so that the table is often full and often nearly empty. */
	for (model.step = 0; model.step < STEPS; model.step++) {
		uint32_t pause = model.step / 5000 % 2 ? 20 : 300;
		if (pick(&model, pause) == 0)
			time_passes(gateway, &model);
		else if (pick(&model, 40) == 0)
			one_burst(gateway, &model);
		else
			one_packet(gateway, &model);
		if (model.step % 200 == 0)
			compare_all(gateway, &model), compare_bindings(gateway, &model);
	}
	model.tick += TICKS_PER_S * 8000;
	gateway->context->tick = model.tick;
	for (int call = 0; call < 100; call++)
		nat_owner_expire(gateway->context->nat, model.tick);
	model.count = 0;
	compare_all(gateway, &model);
	cr_assert_eq(nat_owner_counters(gateway->context->nat)->hosts, 0);
	cr_assert_eq(gateway->context->nat->index.entries, 0);
	for (int i = 0; i < 3; i++)
		cr_assert_gt(model.refusals[i], 100u, "refusal %d was seen %u times", i, model.refusals[i]);
	gateway_stop(gateway);
}
