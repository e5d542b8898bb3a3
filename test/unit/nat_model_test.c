/* SPDX-License-Identifier: BSD-3-Clause */
/* NAT against a small obvious implementation (nat_model.h): random packets from both sides, bindings that hosts ask for,
 * sessions that are ended by hand, and time, over few hosts, ports and remotes, so that everything collides and every
 * pool and limit runs out. After each step the outcome must be what the model says; now and then everything is compared:
 * no port has two owners and none is lost, since those in use, those that rest and those that are free are all there
 * are, for every address, protocol and port block, and each host counts what its sessions and bindings are.
 *
 * The seed is printed. NAT_MODEL_SEED repeats a run, NAT_MODEL_STEPS makes it longer. */
#include "nat_model.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(nat_model, .timeout = 3600);

enum { STEPS_TO_SEE_ALL = 100000 }; /* all refusals that the worlds promise */
#ifdef __SANITIZE_ADDRESS__
enum { STEPS = STEPS_TO_SEE_ALL };
#else
enum { STEPS = 500000 };
#endif

struct model_world {
	struct nat_pool_settings pool[MODEL_POOLS]; /* names, addresses and filtering come of the run */
	uint32_t rest_s;
	uint16_t owners;
	bool bursts;
	uint32_t refuses; /* bit mask of enum model_refusal: what the run must have met */
};
#define PORTS(ranges) .ports = (ranges), .port_range_count = RTE_DIM(ranges)
#define MUST(refusal) (1u << REFUSED_##refusal)

static const struct nat_pool_range model_ranges[] = { { 0xcb00710a, 0xcb00710b },
	{ 0xcb007128, 0xcb007128 } };
static const struct nat_source_settings model_sources[] = {
	{ .segment = WEB, .prefix = IP(10, 0, 1, 0), .prefix_length = 28, .pool = 0 },
	{ .segment = DB, .prefix = IP(10, 0, 1, 0), .prefix_length = 28, .pool = 1 },
};
/* Forwards of a pool's address and of the gateway's own, of the host with the static binding too; and some that fight for
 * an endpoint, so that which flow comes first matters: two of one inside endpoint, and two that take a port of the static
 * binding away. Only one owner can tell which was first. */
static const struct nat_forward_settings model_forwards[] = {
	{ WEB, IPPROTO_TCP, OWN_IP, FORWARD_HOST, 8080, 80 },
	{ WEB, IPPROTO_UDP, IP(203, 0, 113, 10), FORWARD_HOST, 1030, 53 },
	{ WEB, IPPROTO_UDP, OWN_IP, STATIC_HOST, 5555, 55 },
	{ WEB, IPPROTO_UDP, OWN_IP, FORWARD_HOST, 5353, 53 },
	{ WEB, IPPROTO_UDP, STATIC_IP, FORWARD_HOST, 54, 53 },
	{ WEB, IPPROTO_UDP, STATIC_IP, HOST_B, 80, 1010 },
};
enum { FORWARDS_THAT_FIGHT = 2 }; /* with what other owners have */

/* The hash key comes of the seed too, or the ports chosen would be others in each run. */
static struct gateway *model_start(struct model *model, const struct model_world *world)
{
	const char *given = getenv("NAT_MODEL_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 1795372219u;
	struct nat_settings settings = test_settings;
	struct flow_hash_key key;

	fprintf(stderr, "NAT_MODEL_SEED=%u\n", seed);
	model->seed = seed;
	for (size_t i = 0; i < sizeof(key); i++)
		((uint8_t *)&key)[i] = (uint8_t)rand_r(&model->seed);
	for (int i = 0; i < MODEL_POOLS; i++) {
		model->pool[i] = world->pool[i];
		model->pool[i].name = i == WEB ? "web" : "db";
		model->pool[i].range = &model_ranges[i];
		model->pool[i].range_count = 1;
		model->pool[i].filtering = (enum nat_filtering)(rand_r(&model->seed) % 3);
	}
	settings.hash_key = &key;
	settings.pool = model->pool;
	settings.source = model_sources;
	settings.forward = model_forwards;
	settings.forward_count = RTE_DIM(model_forwards) - (world->owners > 1 ? FORWARDS_THAT_FIGHT : 0);
	settings.max_sessions = (uint32_t)(MODEL_SESSIONS / world->owners * world->owners);
	settings.owners = world->owners;
	settings.port_rest_s = world->rest_s;
	settings.udp_refresh_outbound_only = rand_r(&model->seed) % 2;
	struct gateway *gateway = gateway_start(&settings);
	model_init(model, &settings, gateway->nat);
	model->tick = gateway->context->tick;
	return gateway;
}

static uint32_t pick(struct model *model, uint32_t below)
{
	return (uint32_t)rand_r(&model->seed) % below;
}

/* Packets. */

static bool opens(const struct packet *spec)
{
	if (spec->protocol == IPPROTO_TCP)
		return (spec->tcp_flags & 0x17) == RTE_TCP_SYN_FLAG;
	return spec->protocol != IPPROTO_ICMP || spec->icmp_type == RTE_IP_ICMP_ECHO_REQUEST;
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

static void refused(const struct model *model, uint8_t verdict, uint8_t wanted)
{
	model_assert(model, verdict == wanted, "verdict %u, expected drop %u", verdict, wanted);
}

static uint8_t drop_of_what_opens_none(const struct packet *spec)
{
	return verdict_drop(spec->protocol == IPPROTO_TCP ? DROP_NAT_TCP_STATE : DROP_NAT_ICMP_TYPE);
}

/* The outcome for a new flow from inside, as the packet that came out shows it. */
static struct model_result result_of(const struct packet *spec, uint8_t verdict, struct rte_mbuf *m)
{
	static const struct {
		enum drop_reason reason;
		int status;
	} refusal[] = { { DROP_NAT_NO_PORTS, -EADDRNOTAVAIL }, { DROP_NAT_HOST_PORTS, -EDQUOT },
		{ DROP_NAT_HOST_SESSIONS, -EUSERS }, { DROP_NAT_HOST_RATE, -EBUSY },
		{ DROP_NAT_TABLE_FULL, -ENFILE }, { DROP_NAT_FILTERED, -EEXIST } };
	uint16_t port;

	for (size_t i = 0; i < RTE_DIM(refusal); i++)
		if (verdict == verdict_drop(refusal[i].reason))
			return (struct model_result){ .status = refusal[i].status };
	if (verdict != STAGE_MAC_LOOKUP)
		return (struct model_result){ .status = -EPROTO };
	memcpy(&port, packet_l4(m) + (spec->protocol == IPPROTO_ICMP ? 4 : 0), sizeof(port));
	return (struct model_result){ .outside = packet_ip(m)->src_addr,
		.outside_port = rte_be_to_cpu_16(port) };
}

static struct model_session *new_flow(
	struct model *model, const struct packet *spec, uint8_t verdict, struct rte_mbuf *m)
{
	const struct model_session flow = flow_of(spec);
	uint8_t wanted = STAGE_MAC_LOOKUP;

	if (spec->from == NAT_FROM_INSIDE) {
		if (opens(spec)) {
			const struct model_result result = result_of(spec, verdict, m);
			return model_open_up(model, flow, &result);
		}
		refused(model, verdict, drop_of_what_opens_none(spec));
		return NULL;
	}
	struct model_session *s = model_open_down(model, flow, opens(spec), &wanted);
	if (s == NULL)
		refused(model, verdict, wanted);
	return s;
}

/* Checks one packet, as it went in and as it came out, against the model, and brings the model up to date. */
static void packet_check(struct model *model, const struct packet *spec, uint8_t verdict, struct rte_mbuf *m)
{
	bool up = spec->from == NAT_FROM_INSIDE, icmp = spec->protocol == IPPROTO_ICMP;
	struct model_session flow = flow_of(spec);
	struct packet wanted = *spec;

	struct model_session *s = up ? model_find_up(model, &flow) : model_find_down(model, &flow);
	if (s != NULL && !up && icmp && s->kind == NAT_KIND_DYNAMIC &&
		spec->icmp_type == RTE_IP_ICMP_ECHO_REQUEST) {
		refused(model, verdict, verdict_drop(DROP_NAT_FILTERED));
		return;
	}
	if (s == NULL)
		s = new_flow(model, spec, verdict, m);
	if (s == NULL)
		return;
	model_note(model, s, up, spec->tcp_flags);
	model_assert(model, verdict == STAGE_MAC_LOOKUP, "verdict %u, expected translation", verdict);
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
		model_assert(model, packet_metadata(m)->egress == interface_of_segment(s->segment), "egress");
		model_assert(model, packet_metadata(m)->next_hop == s->inside, "next hop");
	}
	expect_packet(m, &wanted);
	expect_right_checksums(m);
}

static const rte_be32_t model_inside[] = { HOST_A, HOST_B, STATIC_HOST, FORWARD_HOST, IP(10, 0, 1, 13),
	IP(10, 0, 1, 14), IP(10, 0, 1, 15) };

/* Of a few that rules know, of those that pools have, and of those that they have not. */
static uint16_t random_inside_port(struct model *model)
{
	static const uint16_t ports[] = { 53, 54, 55, 80, 1010, 1030 };

	switch (pick(model, 4)) {
	case 0:
		return ports[pick(model, RTE_DIM(ports))];
	case 1:
		return (uint16_t)(1000 + pick(model, 300));
	default:
		return (uint16_t)(3000 + pick(model, 60));
	}
}

/* Half of the time all of it comes from one host, so that it reaches its limits. */
static struct packet random_up(struct model *model)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
	bool busy = model->step / 4000 % 2 && pick(model, 4) != 0;
	struct packet spec = { .from = NAT_FROM_INSIDE,
		.segment = (uint16_t)(pick(model, 4) == 0),
		.protocol = busy ? IPPROTO_UDP : protocols[pick(model, RTE_DIM(protocols))],
		.source = model_inside[busy ? model->step / 8000 % RTE_DIM(model_inside)
					    : pick(model, RTE_DIM(model_inside))],
		.destination = pick(model, 2) ? REMOTE : REMOTE_2,
		.source_port = random_inside_port(model),
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
	static const uint16_t ports[] = { 8080, 5353, 1030, 54, 55, 5555, 1000, 2050 };
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
		if (s->remote != 0 && pick(model, 8) != 0) {
			spec.source = s->remote;
			spec.source_port = s->remote_port;
		}
		if (spec.protocol == IPPROTO_ICMP)
			spec.source_port = s->outside_port;
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
	packet_check(model, &spec, gateway_take(gateway, m), m);
	rte_pktmbuf_free(m);
}

/* Rules give two flows one endpoint on the other side, so that the first to come has the session. */
static bool compete(const struct model *model, const struct packet *one, const struct packet *two)
{
	struct model_session a = flow_of(one), b = flow_of(two);
	bool up = one->from == NAT_FROM_INSIDE, same_inside, same_outside;

	if (!(up ? model_rule_out(model, &a) && model_rule_out(model, &b)
		 : model_rule_in(model, &a) && model_rule_in(model, &b)))
		return false;
	same_inside = model_same_binding(&a, &b);
	same_outside = a.protocol == b.protocol && a.outside == b.outside && a.outside_port == b.outside_port;
	return same_inside != same_outside && a.remote == b.remote && a.remote_port == b.remote_port;
}

static bool competes_with_any(
	const struct model *model, const struct packet *spec, const struct packet *others, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		if (compete(model, spec, &others[i]))
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

	if (model->count + count > MODEL_SESSIONS / 3)
		return;
	for (uint16_t i = 0; i < count; i++) {
		do
			spec[i] = up ? random_up(model) : random_down(model);
		while (spec[i].protocol == IPPROTO_ICMP || (up && spec[i].segment == DB) ||
			competes_with_any(model, &spec[i], spec, i));
		burst[i] = packet_make(gateway, &spec[i]);
	}
	refusals_quiet(gateway->context);
	nat_gateway_process(gateway->context, burst, count, verdict);
	model->in_burst = true;
	for (uint16_t i = 0; i < count; i++)
		packet_check(model, &spec[i], verdict[i], burst[i]);
	model->in_burst = false;
	rte_pktmbuf_free_bulk(burst, count);
}

/* Bindings that hosts ask for. */

static struct nat_mapping_request random_request(struct model *model)
{
	const struct packet spec = random_up(model);
	struct nat_mapping_request request = { .id = model->step,
		.operation = (uint8_t)pick(model, 4),
		.protocol = pick(model, 2) ? IPPROTO_TCP : IPPROTO_UDP,
		.segment = spec.segment,
		.inside = spec.source,
		.inside_port = rte_cpu_to_be_16(spec.source_port),
		.or_nothing = pick(model, 4) == 0,
		.lifetime_s = 1 + pick(model, 600) };

	if (request.operation == NAT_MAPPING_PEER) {
		request.remote = spec.destination;
		request.remote_port = rte_cpu_to_be_16(spec.destination_port);
	}
	if (pick(model, 2))
		request.wanted_port = rte_cpu_to_be_16(
			(uint16_t)(spec.segment == WEB ? 1000 + pick(model, 300) : 2000 + pick(model, 100)));
	if (pick(model, 4) == 0)
		request.wanted_outside = model_address(model, pick(model, MODEL_ADDRESSES));
	return request;
}

static bool is_wanted(const struct nat_mapping_request *request, const struct nat_mapping_answer *answer)
{
	return (request->wanted_port == 0 || answer->outside_port == request->wanted_port) &&
	       (request->wanted_outside == 0 || answer->outside == request->wanted_outside);
}

static void mapping_made(struct model *model, const struct nat_mapping_request *request,
	const struct nat_mapping_answer *answer, const struct model_session *flow)
{
	struct model_session *s = model_find_up(model, flow);

	if (answer->status == -EADDRINUSE) {
		model_assert(model, request->or_nothing, "refused for no reason");
		model_refused_other(
			model, *flow, request->wanted_outside, rte_be_to_cpu_16(request->wanted_port));
		return;
	}
	if (s == NULL) {
		const struct model_result result = { .status = answer->status,
			.outside = answer->outside,
			.outside_port = rte_be_to_cpu_16(answer->outside_port),
			.wanted_port = rte_be_to_cpu_16(request->wanted_port) };
		s = model_open_up(model, *flow, &result);
	}
	if (s == NULL)
		return;
	model_assert(model, !request->or_nothing || is_wanted(request, answer), "not what was wanted");
	model_assert(model, answer->lifetime_s == request->lifetime_s, "lifetime");
	s->state = NAT_STATE_MAPPING;
	s->last_seen = model->tick + request->lifetime_s * TICKS_PER_S;
}

static bool is_bound(const struct model *model, const struct model_session *flow)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (model_same_binding(&model->session[i], flow))
			return true;
	return false;
}

/* A new binding is made only with the public endpoint that the host wants. */
static void peer_made(struct model *model, const struct nat_mapping_request *request,
	const struct nat_mapping_answer *answer, const struct model_session *flow)
{
	struct model_session *s = model_find_up(model, flow), by_rule = *flow;
	bool picky = !is_bound(model, flow) && !model_rule_out(model, &by_rule);

	if (answer->status == -EADDRINUSE) {
		model_assert(model, picky, "refused for no reason");
		model_refused_other(
			model, *flow, request->wanted_outside, rte_be_to_cpu_16(request->wanted_port));
		return;
	}
	if (s == NULL) {
		const struct model_result result = { .status = answer->status,
			.outside = answer->outside,
			.outside_port = rte_be_to_cpu_16(answer->outside_port),
			.wanted_port = rte_be_to_cpu_16(request->wanted_port) };
		s = model_open_up(model, *flow, &result);
		model_assert(model, s == NULL || !picky || is_wanted(request, answer), "not what was wanted");
	}
	if (s == NULL)
		return;
	model_assert(model,
		answer->outside == s->outside && answer->outside_port == rte_cpu_to_be_16(s->outside_port),
		"a peer's public endpoint");
	if (s->state != NAT_TCP_CLOSING)
		s->last_seen = model->tick;
}

static void mapping_check(struct model *model, const struct nat_mapping_request *request,
	const struct nat_mapping_answer *answer)
{
	bool peer = request->operation == NAT_MAPPING_PEER;
	const struct model_session flow = { .segment = request->segment,
		.protocol = request->protocol,
		.inside = request->inside,
		.inside_port = rte_be_to_cpu_16(request->inside_port),
		.remote = peer ? request->remote : 0,
		.remote_port = peer ? rte_be_to_cpu_16(request->remote_port) : 0 };
	struct model_session by_rule = flow;
	const struct model_session *s = model_find_up(model, &flow);

	if (request->operation == NAT_MAPPING_END) {
		int status = s == NULL && model_rule_out(model, &by_rule) ? -EPERM : 0;
		model_assert(model, answer->status == status, "the end of a mapping");
		if (s != NULL)
			model_end(model, (uint32_t)(s - model->session));
		return;
	}
	if (peer) {
		peer_made(model, request, answer, &flow);
	} else if (model_rule_out(model, &by_rule)) {
		model_assert(model, answer->status == 0 && answer->outside == by_rule.outside, "by rule");
	} else if (request->operation == NAT_MAPPING_MAKE) {
		mapping_made(model, request, answer, &flow);
	} else {
		uint32_t at = 0;
		while (at < MODEL_ADDRESSES && model_address(model, at) != answer->outside)
			at++;
		model_assert(model, at < MODEL_ADDRESSES && model_address_pool(model, at) == flow.segment,
			"the address is none of the pool's");
		for (uint32_t i = 0; i < model->hosts; i++)
			if (model->host[i].segment == flow.segment && model->host[i].inside == flow.inside &&
				model->host[i].address != 0)
				model_assert(model, model->host[i].address == answer->outside, "address");
	}
}

static void one_request(struct gateway *gateway, struct model *model)
{
	const struct nat_mapping_request request = random_request(model);
	struct nat_mapping_answer answer;

	model_assert(model, nat_mapping_ask(gateway->nat, &request), "the queue is full");
	for (uint16_t owner = 0; owner < gateway->owners; owner++)
		nat_mapping_poll(gateway->context[owner].nat, model->tick);
	model_assert(model, nat_mapping_answer_take(gateway->nat, &answer), "no answer");
	model_assert(model, answer.id == request.id, "another's answer");
	mapping_check(model, &request, &answer);
}

/* By hand, and by time. */

static bool is_meant(const struct nat_filter *filter, const struct model_session *s)
{
	return (filter->inside == 0 || filter->inside == s->inside) &&
	       (filter->protocol == 0 || filter->protocol == s->protocol) &&
	       (filter->segment < 0 || filter->segment == s->segment) &&
	       (filter->port == 0 || filter->port == s->inside_port || filter->port == s->outside_port ||
		       filter->port == s->remote_port);
}

/* Whoever asked for a mapping is told of each that is cleared, once. */
static uint32_t clearings_told(struct gateway *gateway, struct model *model)
{
	struct nat_mapping_answer told;
	uint32_t count = 0;

	for (; nat_mapping_answer_take(gateway->nat, &told); count++) {
		const struct model_session flow = { .segment = told.segment,
			.protocol = told.protocol,
			.inside = told.inside,
			.inside_port = rte_be_to_cpu_16(told.inside_port) };
		const struct model_session *s = model_find_up(model, &flow);

		model_assert(model, told.operation == NAT_MAPPING_CLEARED, "an answer to nothing");
		model_assert(
			model, s != NULL && s->state == NAT_STATE_MAPPING, "what was cleared is no mapping");
	}
	return count;
}

static void one_clearing(struct gateway *gateway, struct model *model)
{
	const struct packet spec = random_up(model);
	const struct nat_filter filter = { .segment = pick(model, 2) ? spec.segment : -1,
		.inside = pick(model, 4) ? spec.source : 0,
		.protocol = pick(model, 2) ? spec.protocol : 0,
		.port = pick(model, 2) ? spec.source_port : 0 };
	uint32_t told = 0, mappings = 0;

	for (uint16_t owner = 0; owner < gateway->owners; owner++)
		for (uint32_t cursor = 0; cursor != UINT32_MAX;) {
			nat_owner_clear(gateway->context[owner].nat, &cursor, &filter, 7, 100);
			told += clearings_told(gateway, model);
		}
	for (uint32_t i = 0; i < model->count;)
		if (is_meant(&filter, &model->session[i])) {
			mappings += model->session[i].state == NAT_STATE_MAPPING;
			model_end(model, i);
		} else {
			i++;
		}
	model_assert(model, told == mappings, "mappings were cleared in silence");
}

static void time_set(struct gateway *gateway, struct model *model, uint32_t ticks)
{
	model->tick += ticks;
	for (uint16_t owner = 0; owner < gateway->owners; owner++) {
		gateway->context[owner].tick = model->tick;
		for (int call = 0; call < 100; call++)
			nat_owner_expire(gateway->context[owner].nat, model->tick);
	}
	model_expire(model);
}

static void time_passes(struct gateway *gateway, struct model *model)
{
	uint32_t most = pick(model, 50) == 0 ? 8000 : 80;

	time_set(gateway, model, TICKS_PER_S * (4 + pick(model, most)) + pick(model, 100));
}

static void one_step(struct gateway *gateway, struct model *model, bool bursts)
{
	/* Phases with much time and with little, so that the table is often full and often nearly empty. */
	uint32_t pause = model->step / 5000 % 2 ? 20 : 300;

	if (pick(model, pause) == 0)
		time_passes(gateway, model);
	else if (pick(model, 3000) == 0)
		one_clearing(gateway, model);
	else if (pick(model, 20) == 0)
		one_request(gateway, model);
	else if (bursts && pick(model, 40) == 0)
		one_burst(gateway, model);
	else
		one_packet(gateway, model);
}

static void run(const struct model_world *world)
{
	const char *given = getenv("NAT_MODEL_STEPS");
	uint32_t steps = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : STEPS;
	static struct model model;
	struct gateway *gateway = model_start(&model, world);

	for (model.step = 0; model.step < steps; model.step++) {
		one_step(gateway, &model, world->bursts);
		if (model.step % 200 == 0)
			model_compare(gateway, &model);
	}
	time_set(gateway, &model, TICKS_PER_S * 8000);
	for (int i = 0; i < 30; i++) /* so that all rests are over, and have been looked at */
		time_set(gateway, &model, TICKS_PER_S * 100);
	cr_assert_eq(model.count, 0);
	model_compare(gateway, &model);
	for (uint16_t owner = 0; owner < gateway->owners; owner++) {
		cr_assert_eq(nat_owner_counters(gateway->context[owner].nat)->hosts, 0);
		cr_assert_eq(gateway->context[owner].nat->index.entries, 0);
		for (int class = 0; class < NAT_CLASSES; class ++)
			for (int pool = 0; pool < MODEL_POOLS; pool++)
				cr_assert_eq(gateway->context[owner].nat->ports.use[pool].resting[class], 0);
	}
	for (int i = 0; i < MODEL_REFUSALS; i++) {
		fprintf(stderr, "refusal %d: %u times\n", i, model.refused[i]);
		cr_assert(steps < STEPS_TO_SEE_ALL || !(world->refuses >> i & 1) || model.refused[i] > 100,
			"refusal %d was seen %u times", i, model.refused[i]);
	}
	gateway_stop(gateway);
}

static const struct nat_port_range narrow_web[] = { { 1000, 1039 }, { 1060, 1099 } };
static const struct nat_port_range narrow_db[] = { { 2000, 2024 } };
static const struct nat_port_range block_web[] = { { 1024, 1279 }, { 1300, 1430 } };
static const struct nat_port_range block_db[] = { { 2048, 2111 }, { 2176, 2239 } };
static const struct nat_port_range computed_web[] = { { 1024, 1259 }, { 1280, 1555 } };
static const struct nat_port_range computed_db[] = { { 2000, 3023 } };

/* Conforms: RFC 4787 REQ-11. */
Test(nat_model, single_ports_agree_with_a_list_of_sessions)
{
	run(&(struct model_world){ .pool = { { PORTS(narrow_web) }, { PORTS(narrow_db) } },
		.owners = 1,
		.bursts = true,
		.refuses = MUST(NO_PORTS) | MUST(TABLE_FULL) | MUST(FILTERED) });
}

/* Conforms: RFC 6888 REQ-4, RFC 6888 REQ-5, RFC 6888 REQ-8. */
Test(nat_model, ports_that_rest_and_limits_of_sessions_agree_with_a_list_of_sessions)
{
	run(&(struct model_world){ .pool = { { PORTS(block_web), .limits = { .new_sessions_a_second = 2 } },
					   { PORTS(narrow_db), .limits = { .sessions = 30, .ports = 12 } } },
		.rest_s = 120,
		.owners = 1,
		.refuses = MUST(NO_PORTS) | MUST(FILTERED) | MUST(HOST_PORTS) | MUST(HOST_SESSIONS) |
			   MUST(HOST_RATE) });
}

Test(nat_model, port_blocks_agree_with_a_list_of_sessions)
{
	run(&(struct model_world){
		.pool = { { PORTS(block_web), .port_block = 64, .limits = { .ports = 70 } },
			{ PORTS(block_db), .port_block = 64 } },
		.rest_s = 120,
		.owners = 1,
		.refuses = MUST(NO_PORTS) | MUST(TABLE_FULL) | MUST(FILTERED) });
}

Test(nat_model, computed_ports_agree_with_a_list_of_sessions)
{
	run(&(struct model_world){ .pool = { { PORTS(computed_web), .deterministic = true },
					   { PORTS(computed_db), .deterministic = true } },
		.rest_s = 120,
		.owners = 1,
		.refuses = MUST(NO_PORTS) | MUST(FILTERED) });
}

Test(nat_model, three_owners_agree_with_a_list_of_sessions)
{
	run(&(struct model_world){ .pool = { { PORTS(block_web), .port_block = 64 }, { PORTS(block_db) } },
		.rest_s = 120,
		.owners = MODEL_OWNERS,
		.refuses = MUST(NO_PORTS) | MUST(TABLE_FULL) | MUST(FILTERED) });
}
