/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that one lcore receives and another one owns: which of them are handed over, in what order all go on (stage/handoff.h),
 * and that the records they meet stay right (table/nat_retired.h). */
#include "gateway_ports.h"
#include "pipeline_case.h"
#include "table/nat_owner.h"
#include "table/nat_traffic.h"
#include "worlds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVER "198.51.100.7"

/* Hosts of the segment web, and which of the two lcores owns each: two of either. */
struct owned {
	const char *name;
	uint16_t owner;
};
enum { OWNED = 4, CANDIDATES = 20 };

/* A gateway with such hosts. Whose a host is, a key says that is drawn for it. */
static struct gateway *shared_on(struct owned owned[OWNED], bool one_sends)
{
	static char name[CANDIDATES][8], mac[CANDIDATES][18], ip[CANDIDATES][16];
	struct world world = web_world;
	unsigned hosts = 0, count = 0, of_owner[2] = { 0, 0 };

	while (world.host[hosts].name != NULL)
		hosts++;
	for (unsigned i = 0; i < CANDIDATES; i++) {
		snprintf(name[i], sizeof(name[i]), "web%u", 100 + i);
		snprintf(mac[i], sizeof(mac[i]), "52:54:00:01:01:%02x", i);
		snprintf(ip[i], sizeof(ip[i]), "10.0.1.%u", 100 + i);
		world.host[hosts + i] = (struct host){
			.name = name[i], .mac = mac[i], .ip = ip[i], .vni = 5001, .vtep = "192.0.2.11"
		};
	}
	world.one_sends = one_sends;
	struct gateway *gateway = gateway_create(&world, PLAN_FUSED_TWO);
	for (unsigned i = 0; i < CANDIDATES; i++) {
		uint16_t owner = nat_owner_of_inside(gateway->plane->nat, 0, inet_addr(ip[i]));
		if (of_owner[owner]++ < OWNED / 2)
			owned[count++] = (struct owned){ name[i], owner };
	}
	cr_assert_eq(count, OWNED);
	return gateway;
}

static struct gateway *shared(struct owned owned[OWNED])
{
	return shared_on(owned, false);
}

/* From now on each flow's packets must leave in the order of their identifications. */
struct flow_order {
	uint32_t source;
	uint16_t port, last;
};
static unsigned in_order(struct gateway *gateway, unsigned fragments)
{
	static struct flow_order flow[256];
	unsigned flows = 0, count = 0;
	struct frame frame;
	struct frame_view view;

	while (gateway_receive(gateway, UPLINK, &frame)) {
		count++;
		cr_assert_null(frame_check(&frame, 0, &view));
		if (view.protocol != IPPROTO_UDP || view.fragment) {
			fragments -= view.fragment;
			continue;
		}
		uint32_t source = frame_get32(&frame, (uint16_t)(view.ip + 12));
		uint16_t port = frame_get16(&frame, view.l4),
			 id = frame_get16(&frame, (uint16_t)(view.ip + 4));
		unsigned i = 0;
		while (i < flows && (flow[i].source != source || flow[i].port != port))
			i++;
		if (i == flows) {
			cr_assert_lt(flows, sizeof(flow) / sizeof(flow[0]));
			flow[flows++] = (struct flow_order){ source, port, id };
		}
		cr_assert_geq(id, flow[i].last, "flow of port %u: %u after %u", port, id, flow[i].last);
		flow[i].last = id;
	}
	cr_assert_eq(fragments, 0);
	return count;
}

/* Whatever comes between: a ping, a datagram in fragments. */
static void mixed_bursts(struct gateway *gateway, const struct owned owned[OWNED], uint16_t packets)
{
	for (uint16_t i = 0; i < packets; i++) {
		struct packet packet = { .to = SERVER,
			.from_port = (uint16_t)(4000 + i / OWNED % 8),
			.to_port = 53,
			.data = 32,
			.ip_id = (uint16_t)(i + 1) };

		if (i % 61 == 5) {
			packet.protocol = IPPROTO_ICMP;
			packet.icmp_type = 8;
			packet.icmp_id = 7;
		}
		packet.more_fragments = i % 67 == 3;
		gateway_host_sends(gateway, owned[i % OWNED].name, &packet);
		if (packet.more_fragments) {
			packet.more_fragments = false;
			packet.fragment_offset = 5;
			gateway_host_sends(gateway, owned[i % OWNED].name, &packet);
		}
	}
}

/* Where a burst has packets of sessions of both lcores, nothing is lost, no flow gets out of order, and each packet is counted
 * once. */
Test(handoff, bursts_with_packets_of_two_owners)
{
	enum { PACKETS = 208, FRAGMENTED = 4 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);

	for (int round = 0; round < 4; round++) {
		uint64_t before = gateway_received(gateway, UNDERLAY);
		mixed_bursts(gateway, owned, PACKETS);
		gateway_run(gateway);
		cr_assert_eq(in_order(gateway, 2 * FRAGMENTED), PACKETS + FRAGMENTED, "round %d", round);
		cr_assert_eq(gateway_received(gateway, UNDERLAY), before + PACKETS + FRAGMENTED);
	}
	for (uint16_t i = 0; i < 2; i++) {
		cr_assert_gt(gateway->path->context[i]->counters.handed_off, 0);
		cr_assert_gt(gateway->path->context[i]->counters.fast_path.packets, PACKETS / 2);
	}
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* A packet of a random flow, or something else of its host to the same remote, which goes by the stages. How many frames. */
static unsigned random_sends(struct gateway *gateway, const struct owned owned[OWNED], uint16_t id, bool odd)
{
	static const uint8_t options[4] = { 1, 1, 1, 0 };
	const char *host = owned[rand() % OWNED].name;
	int kind = odd ? 1 + rand() % 3 : 0;
	struct packet packet = { .to = SERVER,
		.from_port = (uint16_t)(4000 + rand() % 8),
		.to_port = 53,
		.data = 32,
		.ip_id = id };

	if (kind == 1) {
		packet.options = options;
		packet.options_length = sizeof(options);
	} else if (kind == 2) {
		packet.protocol = IPPROTO_ICMP;
		packet.icmp_type = 8;
		packet.icmp_id = 7;
	} else if (kind == 3) {
		packet.more_fragments = true;
		gateway_host_sends(gateway, host, &packet);
		packet.more_fragments = false;
		packet.fragment_offset = 5;
	}
	gateway_host_sends(gateway, host, &packet);
	return kind == 3 ? 2 : 1;
}

/* Whichever lcore is fast or slow, and whatever goes by the stages in between. */
Test(handoff, at_any_pace_nothing_overtakes_and_nothing_is_lost)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);

	srand(1);
	for (int round = 0; round < 60; round++) {
		uint64_t before = gateway_received(gateway, UNDERLAY);
		unsigned sent = 0, fragments = 0, packets = 100 + (unsigned)rand() % 300,
			 share = round % 3 * 15u;

		for (uint16_t i = 0; i < packets; i++) {
			unsigned frames = random_sends(
				gateway, owned, (uint16_t)(i + 1), (unsigned)rand() % 100 < share);
			sent += frames;
			fragments += frames == 2 ? 2 : 0;
			for (int turns = rand() % 40 == 0 ? rand() % 4 : 0; turns > 0; turns--)
				gateway_poll_lcore(gateway, (uint16_t)(rand() % 2));
		}
		gateway_run(gateway);
		cr_assert_eq(in_order(gateway, fragments), sent, "round %d", round);
		cr_assert_eq(gateway_received(gateway, UNDERLAY), before + sent, "round %d", round);
	}
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* A port from which a packet of the host comes to the receive queue, and how it is sent. */
struct flow_by {
	const char *host;
	uint16_t queue;
	struct packet packet;
};
static void flow_send(struct gateway *gateway, struct flow_by *flow)
{
	struct rte_ring **queue = gateway->ports->port[UNDERLAY].rx;
	unsigned before[2] = { rte_ring_count(queue[0]), rte_ring_count(queue[1]) };

	flow->packet.ip_id++;
	gateway_host_sends(gateway, flow->host, &flow->packet);
	cr_assert_eq(rte_ring_count(queue[flow->queue]), before[flow->queue] + 1);
}
/* The receive queue that the packet would come by. */
static uint16_t queue_of(struct gateway *gateway, const char *host, const struct packet *packet)
{
	struct rte_ring **rings = gateway->ports->port[UNDERLAY].rx;
	unsigned before = rte_ring_count(rings[0]);
	struct frame frame;
	void *m;

	gateway_host_frame(gateway, host, packet, &frame);
	cr_assert(gateway_send(gateway, UNDERLAY, &frame));
	uint16_t queue = rte_ring_count(rings[0]) == before;
	cr_assert_eq(rte_ring_dequeue(rings[queue], &m), 0);
	rte_pktmbuf_free(m);
	gateway->frames_in--;
	return queue;
}

static struct flow_by flow_by_queue(
	struct gateway *gateway, const char *host, uint16_t queue, const char *tcp)
{
	struct flow_by flow = { .host = host,
		.queue = queue,
		.packet = { .to = SERVER,
			.to_port = 53,
			.data = 9,
			.protocol = tcp != NULL ? IPPROTO_TCP : IPPROTO_UDP } };

	for (flow.packet.from_port = 4001; queue_of(gateway, host, &flow.packet) != queue;)
		flow.packet.from_port++;
	flow.packet.tcp = tcp;
	return flow;
}

static const struct lcore_counters *counters_of(const struct gateway *gateway, uint16_t lcore)
{
	return &gateway->path->context[lcore]->counters;
}

/* The lcores take part, and the hosts have spoken. */
static void online(struct gateway *gateway, const struct owned owned[OWNED])
{
	for (int i = 0; i < OWNED; i++)
		gateway_host_sends(gateway, owned[i].name,
			&(struct packet){ .to = "198.51.100.99", .from_port = 9, .to_port = 9, .data = 9 });
	gateway_run(gateway);
	cr_assert_eq(in_order(gateway, 0), OWNED);
	for (uint16_t i = 0; i < 2; i++)
		packet_path_online(gateway->path->context[i]);
}

static uint16_t held(const struct gateway *gateway, uint16_t lcore)
{
	return gateway->path->context[lcore]->held[UNDERLAY].count;
}

static unsigned frames_left(struct gateway *gateway)
{
	unsigned count = 0;
	struct frame frame;

	while (gateway_receive(gateway, UPLINK, &frame))
		count++;
	gateway_forget_output(gateway);
	return count;
}

/* What follows a packet that has to go to the owner waits until the owner has sent it: until it has been seen between two turns. Then
 * it goes on where it came in, and so does all that follows. */
Test(handoff, what_follows_a_packet_on_its_way_waits_for_it)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	const struct lcore_counters *there = counters_of(gateway, other);

	online(gateway, owned);
	uint64_t handed = there->handed_off + 1, seen_through = there->fast_path.packets + 5,
		 received = gateway_received(gateway, UNDERLAY);
	for (uint16_t turn = 0; turn < 5; turn++) {
		flow_send(gateway, &flow);
		gateway_poll_lcore(gateway, other);
		cr_assert_eq(there->handed_off, handed);
		cr_assert_eq(held(gateway, other), turn, "the owner has not even looked");
	}
	gateway_poll_lcore(gateway, mine);
	cr_assert_eq(gateway_sessions(gateway), OWNED + 1);
	flow_send(gateway, &flow);
	gateway_poll_lcore(gateway, other);
	cr_assert_eq(held(gateway, other), 5, "it has, but may be at it still");
	for (int turn = 0; turn < 2; turn++) {
		gateway_poll_lcore(gateway, mine);
		gateway_poll_lcore(gateway, other);
	}
	cr_assert_eq(held(gateway, other), 0);
	cr_assert_eq(there->fast_path.packets, seen_through);
	for (unsigned turn = 1; turn <= 5; turn++) {
		flow_send(gateway, &flow);
		gateway_poll_lcore(gateway, other);
		cr_assert_eq(there->fast_path.packets, seen_through + turn);
	}
	cr_assert_eq(there->handed_off, handed);
	cr_assert_eq(in_order(gateway, 0), 11);
	cr_assert_eq(gateway_received(gateway, UNDERLAY), received + 11);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* More than can be held goes to the owner after all, in order, and none is lost; nor what is held when all ends. */
Test(handoff, what_cannot_be_held_is_handed_over)
{
	enum { MANY = HELD_MAX + 2 * BURST_MAX + 10 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	const struct lcore_counters *there = counters_of(gateway, other);

	online(gateway, owned);
	uint64_t handed = there->handed_off, early = there->handed_early,
		 received = gateway_received(gateway, UNDERLAY);
	for (int i = 0; i < MANY; i++)
		flow_send(gateway, &flow);
	for (int turn = 0; turn < MANY / BURST_MAX + 1; turn++)
		gateway_poll_lcore(gateway, other);
	cr_assert_eq(there->handed_off, handed + 1 + HELD_MAX - 1, "%lu", there->handed_off - handed);
	cr_assert_eq(there->handed_early - early, there->handed_off - handed);
	cr_assert_eq(held(gateway, other), MANY - HELD_MAX);
	gateway_run(gateway);
	cr_assert_eq(in_order(gateway, 0), MANY);
	cr_assert_eq(gateway_received(gateway, UNDERLAY), received + MANY);
	cr_assert_eq(gateway_drops_all(gateway), 0);

	flow.packet.from_port += 64; /* by the same queue, for the hash of these ports */
	for (int i = 0; i < 40; i++)
		flow_send(gateway, &flow);
	gateway_poll_lcore(gateway, other);
	gateway_poll_lcore(gateway, mine);
	cr_assert_eq(held(gateway, other), 39);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* What is held goes before a burst for which there would be no room, not in its midst: there it would overtake the first packet of
 * a flow, which goes at the end of the burst. */
Test(handoff, what_cannot_be_held_does_not_overtake)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by first = flow_by_queue(gateway, owned[0].name, other, NULL), second = first;

	online(gateway, owned);
	for (unsigned i = 0; i < HELD_MAX - 3; i++)
		flow_send(gateway, &first);
	for (unsigned turn = 0; turn < HELD_MAX / BURST_MAX; turn++)
		gateway_poll_lcore(gateway, other);
	cr_assert_eq(held(gateway, other), HELD_MAX - 4);
	second.packet.from_port += 64;
	second.packet.ip_id = 0;
	for (int i = 0; i < 10; i++)
		flow_send(gateway, &second);
	gateway_poll_lcore(gateway, other);
	gateway_run(gateway);
	cr_assert_eq(in_order(gateway, 0), HELD_MAX - 3 + 10);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* One flow that keeps the lcore busy by itself, from its first packet on: only what came before that was sent goes to the owner. */
Test(handoff, a_dense_flow_goes_on_where_it_comes_in)
{
	enum { TURNS = 200 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	const struct lcore_counters *there = counters_of(gateway, other);
	unsigned left = 0;

	online(gateway, owned);
	uint64_t before = there->fast_path.packets;
	for (int turn = 0; turn < TURNS; turn++) {
		for (unsigned i = 0; i < BURST_MAX; i++)
			flow_send(gateway, &flow);
		gateway_poll_lcore(gateway, other);
		if (turn % 2 == 0) /* it has more to do */
			gateway_poll_lcore(gateway, mine);
		left += frames_left(gateway);
	}
	gateway_run(gateway);
	cr_assert_eq(left + frames_left(gateway), TURNS * BURST_MAX);
	cr_assert_geq(there->fast_path.packets, before + TURNS * BURST_MAX - 1);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Half of the packets begin a flow: few of the others are held for that, and hardly any goes to the owner. */
Test(handoff, new_flows_take_no_others_along)
{
	enum { KNOWN = BURST_MAX / 2, TURNS = 100 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	const struct lcore_counters *there = counters_of(gateway, other);
	uint16_t first = flow.packet.from_port;

	online(gateway, owned);
	for (uint16_t i = 0; i < KNOWN; i++) {
		flow.packet.from_port =
			(uint16_t)(first + 512 * i); /* by the same queue, for the hash of these ports */
		gateway_host_sends(gateway, flow.host, &flow.packet);
	}
	gateway_run(gateway);
	frames_left(gateway);
	uint64_t before = there->fast_path.packets, early = there->handed_early;
	for (uint16_t turn = 0; turn < TURNS; turn++) {
		for (uint16_t i = 0; i < BURST_MAX / 2; i++) {
			flow.packet.from_port = (uint16_t)(first + 512 * i);
			gateway_host_sends(gateway, flow.host, &flow.packet);
			flow.packet.from_port = (uint16_t)(10001 + turn * BURST_MAX / 2 + i);
			gateway_host_sends(gateway, flow.host, &flow.packet);
		}
		gateway_poll_lcore(gateway, other);
		gateway_poll_lcore(gateway, mine);
		frames_left(gateway);
	}
	uint64_t seen_through = there->fast_path.packets - before, handed = there->handed_early - early;
	cr_assert_gt(seen_through, TURNS * KNOWN * 19 / 20, "%lu, and %lu handed over", seen_through, handed);
	cr_assert_gt(handed, TURNS * KNOWN / 4);
	gateway_run(gateway);
	frames_left(gateway);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* What is only routed, between segments: nobody owns it, so it is neither held nor handed over. */
Test(handoff, what_is_not_for_nat_is_not_held)
{
	static const uint8_t options[4] = { 1, 1, 1, 0 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t other = !owned[0].owner, last = 0;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	struct frame frame;
	struct frame_view view;

	online(gateway, owned);
	gateway_host_sends(
		gateway, "db21", &(struct packet){ .to = SERVER, .from_port = 9, .to_port = 9, .data = 9 });
	flow.packet.to = "10.0.2.21";
	for (int i = 0; i < 2; i++) {
		gateway_host_sends(gateway, flow.host, &flow.packet);
		gateway_run(gateway);
	}
	gateway_forget_output(gateway);
	uint64_t handed = gateway_handed_off(gateway);
	for (uint16_t i = 1; i <= 300; i++) {
		flow.packet.ip_id = i;
		flow.packet.options = i % 50 == 4 ? options : NULL;
		flow.packet.options_length = i % 50 == 4 ? sizeof(options) : 0;
		gateway_host_sends(gateway, flow.host, &flow.packet);
		if (i % 40 == 0)
			for (uint16_t lcore = 0; lcore < 2; lcore++)
				gateway_poll_lcore(gateway, lcore);
		cr_assert_eq(held(gateway, 0) + held(gateway, 1), 0);
	}
	gateway_run(gateway);
	for (; gateway_receive(gateway, UNDERLAY, &frame); last++) {
		cr_assert_null(frame_check(&frame, 4789, &view));
		cr_assert_eq(frame_get16(&frame, (uint16_t)(view.ip + 4)), last + 1);
	}
	cr_assert_eq(last, 300);
	cr_assert_eq(gateway_handed_off(gateway), handed);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Where one lcore sends for all, what another one has sent may be on the way to it still: each flow goes by its owner. */
Test(handoff, with_one_queue_to_send_by_each_flow_goes_by_its_owner)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared_on(owned, true);
	uint16_t host = 0;
	unsigned sent = 0;

	while (owned[host].owner != 1)
		host++;
	online(gateway, owned);
	struct flow_by theirs = flow_by_queue(gateway, owned[host].name, 0, NULL),
		       own = flow_by_queue(gateway, owned[host].name, 1, NULL);
	for (int turn = 0; turn < 4; turn++) {
		for (int i = 0; i < BURST_MAX; i++, sent++)
			flow_send(gateway, &own);
		gateway_poll_lcore(gateway, 1);
	}
	for (int i = 0; i < 2; i++, sent++) {
		flow_send(gateway, &theirs);
		gateway_poll_lcore(gateway, 0);
	}
	for (uint16_t turn = 0; turn < 4; turn++)
		gateway_poll_lcore(gateway, !(turn & 1));
	gateway_run(gateway);
	cr_assert_eq(in_order(gateway, 0), sent);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Flows are noted anew in each turn, while others are to be forgotten: none is held for longer for that. */
Test(handoff, flows_go_on_while_others_begin)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL);
	const char *second = NULL;
	char to[16];

	for (int i = 1; i < OWNED; i++)
		if (owned[i].owner == mine)
			second = owned[i].name;
	online(gateway, owned);
	uint64_t before = counters_of(gateway, other)->fast_path.packets;
	for (int turn = 0; turn < 100; turn++) {
		const struct packet opening = {
			.to = to, .from_port = 7000, .to_port = 53, .data = 9, .ip_id = 1
		};

		/* to another address each time, whichever queue that leads to */
		snprintf(to, sizeof(to), "198.51.101.%d", turn + 1);
		gateway_host_sends(gateway, second, &opening);
		flow_send(gateway, &flow);
		gateway_poll_lcore(gateway, other);
		gateway_poll_lcore(gateway, mine);
	}
	cr_assert_gt(counters_of(gateway, other)->fast_path.packets, before + 90);
	gateway_run(gateway);
	cr_assert_eq(in_order(gateway, 0), 200);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Reads the only session that there is, whoever owns it. */
static struct nat_session_view only_session(struct gateway *gateway)
{
	const struct nat_filter any = { .segment = -1 };
	struct nat_session_view view[2];
	uint32_t count = 0;

	for (uint16_t i = 0; i < 2; i++) {
		uint32_t cursor = 0;
		while (cursor != UINT32_MAX && count < 2)
			count += nat_owner_sessions(nat_owner(gateway->plane->nat, i), &cursor, &any,
				&view[count], 2 - count, UINT32_MAX, gateway->path->context[0]->tick);
	}
	cr_assert_eq(count, 1);
	return view[0];
}

/* Of a connection that the other lcore receives the owner gets what changes its state, and the counts are right whoever saw a packet
 * through. */
Test(handoff, what_changes_a_connection_is_the_owners)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t other = !owned[0].owner;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, "S");
	const struct lcore_counters *there = counters_of(gateway, other);
	struct frame syn, reply;

	flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert(gateway_receive(gateway, UPLINK, &syn));
	cr_assert_str_eq(only_session(gateway).state, "opened-inside");
	cr_assert_eq(there->handed_early, 1);
	const struct packet answer = { .mac_to = gateway_port_mac(UPLINK),
		.mac_from = "52:54:00:00:ff:fe",
		.from = SERVER,
		.to = "203.0.113.10",
		.protocol = IPPROTO_TCP,
		.from_port = 53,
		.to_port = frame_from_port(&syn),
		.tcp = "SA" };
	frame_build(&reply, &answer);
	frame_put32(&reply, 30, frame_from_address(&syn));
	cr_assert_eq(frame_from_address(&syn), ntohl(inet_addr("203.0.113.10")),
		"the answer is built for this address");
	cr_assert(gateway_send(gateway, UPLINK, &reply));
	gateway_run(gateway);
	cr_assert_str_eq(only_session(gateway).state, "established");
	uint64_t handed = there->handed_early;
	flow.packet.tcp = "A";
	for (int i = 0; i < 20; i++)
		flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert_eq(there->handed_early, handed, "data is seen through where it comes in");
	gateway_advance(gateway, 40000);
	cr_assert_geq(only_session(gateway).idle_s, 39);
	flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert_leq(only_session(gateway).idle_s, 1, "and refreshes the session there");
	cr_assert_eq(there->handed_early, handed);
	flow.packet.tcp = "FA";
	flow_send(gateway, &flow);
	flow.packet.tcp = "A";
	flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert_str_eq(only_session(gateway).state, "fin-inside");
	cr_assert_eq(there->handed_early, handed + 1, "and after it what follows");
	flow.packet.tcp = "RA";
	flow.packet.tcp_sequence = 1000;
	flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert_str_eq(only_session(gateway).state, "reset");
	cr_assert_eq(there->handed_early, handed + 2);
	flow.packet.tcp = "A";
	flow_send(gateway, &flow);
	gateway_run(gateway);
	cr_assert_str_eq(
		only_session(gateway).state, "established", "a packet brings it back, without a flag");
	cr_assert_eq(there->handed_early, handed + 3);
	cr_assert_eq(only_session(gateway).packets_up, 26);
	cr_assert_eq(only_session(gateway).bytes_up, 26 * (20 + 20 + 9));
	gateway_forget_output(gateway);
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Which flows are on their way is told by the endpoint, by whatever else a packet is looked for: also when the endpoint has become
 * crowded since (table/nat_crowded.h). */
Test(handoff, what_follows_waits_where_the_endpoint_has_become_crowded)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t other = !owned[0].owner;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, NULL), more[6];
	const struct lcore_counters *there = counters_of(gateway, other);
	const struct nat_crowded *crowded = &gateway->path->context[other]->crowded;

	online(gateway, owned);
	for (uint16_t i = 0, port = 100; i < 6; i++, port++) { /* others of the endpoint, by the same queue */
		more[i] = flow;
		for (more[i].packet.to_port = port; queue_of(gateway, flow.host, &more[i].packet) != other;)
			more[i].packet.to_port = ++port;
		flow_send(gateway, &more[i]);
		gateway_run(gateway);
	}
	gateway_advance(gateway, 20);
	gateway_forget_output(gateway);
	cr_assert_eq(crowded->count, 0);
	uint64_t handed = there->handed_off + 1;
	flow_send(gateway, &flow);
	gateway_poll_lcore(gateway, other);
	for (int i = 1; i < 6; i++) {
		flow_send(gateway, &more[i]);
		gateway_poll_lcore(gateway, other);
	}
	cr_assert_eq(crowded->count, 1);
	cr_assert_eq(there->handed_off, handed);
	cr_assert_eq(held(gateway, other), 5);
	flow_send(gateway, &flow);
	gateway_poll_lcore(gateway, other);
	cr_assert_eq(there->handed_off, handed);
	cr_assert_eq(held(gateway, other), 6);
	gateway_run(gateway);
	cr_assert_eq(frames_left(gateway), 7);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

static struct nat_session *only_record(struct gateway *gateway, uint16_t number)
{
	const struct nat_owner *owner = nat_owner(gateway->plane->nat, number);
	struct nat_session *record = owner->session;

	while (record->protocol == 0)
		cr_assert_lt(++record - owner->session, owner->rows.rows * NAT_ROW_RECORDS);
	return record;
}

static void counts_fill(uint16_t by_other)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t queue = owned[0].owner ^ by_other;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, queue, NULL);
	const struct lcore_counters *there = counters_of(gateway, queue);

	flow_send(gateway, &flow);
	gateway_run(gateway);
	uint64_t handed = there->handed_early;
	only_record(gateway, owned[0].owner)->traffic[NAT_UP] =
		5 * NAT_TRAFFIC_PACKET + NAT_TRAFFIC_BYTES_MARK - 1;
	for (int i = 0; i < 3; i++) {
		flow_send(gateway, &flow);
		gateway_run(gateway);
		cr_assert_eq(there->handed_early, handed + by_other, "packet %d", i);
	}
	cr_assert_eq(only_session(gateway).packets_up, 5 + 3);
	cr_assert_eq(only_session(gateway).bytes_up, NAT_TRAFFIC_BYTES_MARK - 1 + 3 * (20 + 8 + 9));
	cr_assert_eq(only_record(gateway, owned[0].owner)->traffic[NAT_UP], 2 * NAT_TRAFFIC_PACKET + 2 * 37);
	gateway_forget_output(gateway);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* The packet that fills a session's counts half is seen through by the owner, who carries them over; those before and behind it by
 * whoever receives them. */
Test(handoff, what_fills_the_counts_is_the_owners)
{
	counts_fill(0);
	counts_fill(1);
}

static void reset_is_taken_back(uint16_t by_other)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t queue = owned[0].owner ^ by_other;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, queue, "S");
	const struct lcore_counters *there = counters_of(gateway, queue);

	flow_send(gateway, &flow);
	gateway_run(gateway);
	uint64_t handed = there->handed_early;
	only_record(gateway, owned[0].owner)->state = NAT_TCP_RESET;
	flow.packet.tcp = "A";
	for (int i = 0; i < 3; i++) {
		flow_send(gateway, &flow);
		gateway_run(gateway);
		cr_assert_str_eq(only_session(gateway).state, "established");
		cr_assert_eq(there->handed_early, handed + by_other, "packet %d", i);
	}
	gateway_forget_output(gateway);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* No flag says so. */
Test(handoff, what_brings_a_connection_back_is_the_owners)
{
	reset_is_taken_back(0);
	reset_is_taken_back(1);
}

/* While the lcore is overloaded, too: a SYN that opens the connection anew comes behind what went before it. */
Test(handoff, a_syn_overtakes_nothing_of_its_flow)
{
	static const char *const flags[] = { "A", "A", "FA", "S", "A" };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t other = !owned[0].owner, last = 0, count = 0;
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, other, "S");
	struct frame frame;

	online(gateway, owned);
	flow_send(gateway, &flow);
	gateway_run(gateway);
	frames_left(gateway);
	for (unsigned i = 0; i < RTE_DIM(flags); i++) {
		flow.packet.tcp = flags[i];
		flow_send(gateway, &flow);
	}
	gateway->path->context[other]->overloaded = true;
	gateway_poll_lcore(gateway, other);
	gateway_run(gateway);
	for (; gateway_receive(gateway, UPLINK, &frame); count++) {
		uint16_t id = frame_get16(&frame, 14 + 4);
		cr_assert_gt(id, last);
		last = id;
	}
	cr_assert_eq(count, RTE_DIM(flags));
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* Sessions that share an endpoint, of which all but one are found by their flow. */
Test(handoff, several_sessions_of_an_endpoint_are_found_by_each_lcore)
{
	enum { REMOTES = 40, ROUNDS = 3 };
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t other = !owned[0].owner;
	const struct lcore_counters *there = counters_of(gateway, other);
	uint64_t before = 0;

	for (int round = 0; round < ROUNDS; round++) {
		before = there->fast_path.packets;
		for (uint16_t i = 0; i < REMOTES; i++)
			gateway_host_sends(gateway, owned[0].name,
				&(struct packet){ .to = SERVER,
					.from_port = 4000,
					.to_port = (uint16_t)(1000 + i),
					.data = 9,
					.ip_id = (uint16_t)round });
		gateway_run(gateway);
	}
	cr_assert_gt(there->fast_path.packets - before, REMOTES / 4);
	uint64_t handed = there->handed_early;
	cr_assert_leq(handed, REMOTES, "only the first ones are handed over");
	cr_assert_eq(gateway_sessions(gateway), REMOTES);
	cr_assert_eq(in_order(gateway, 0), REMOTES * ROUNDS);
	cr_assert_eq(gateway_drops_all(gateway), 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}

/* The record of a session that has ended is not another one's while a lcore may still be at it; and that it rests takes no room from
 * new sessions. */
Test(handoff, a_record_rests_while_another_lcore_is_in_a_turn)
{
	struct owned owned[OWNED];
	struct gateway *gateway = shared(owned);
	uint16_t mine = owned[0].owner, other = !mine;
	struct nat_owner *owner = nat_owner(gateway->plane->nat, mine);
	struct flow_by flow = flow_by_queue(gateway, owned[0].name, mine, NULL);

	online(gateway, owned);
	flow_send(gateway, &flow);
	gateway_poll_lcore(gateway, mine);
	uint32_t number = 0, left = nat_records_left(&owner->rows);
	while (owner->session[number].protocol == 0)
		number++;
	nat_close(owner, number);
	cr_assert_eq(owner->rows.retired, 1);
	cr_assert_eq(nat_records_left(&owner->rows), left + 1);
	for (int turn = 0; turn < 3; turn++) {
		flow_send(gateway, &flow);
		gateway_poll_lcore(gateway, mine);
		cr_assert_eq(owner->session[number].protocol, 0, "the other lcore may be at it");
	}
	cr_assert_eq(owner->rows.retired, 1);
	for (int turn = 0; turn < 2; turn++) {
		gateway_poll_lcore(gateway, other);
		gateway_poll_lcore(gateway, mine);
	}
	cr_assert_eq(owner->rows.retired, 0);
	for (uint32_t i = 0; i < owner->rows.free.size; i++)
		if (owner->session[i].protocol != 0)
			nat_close(owner, i);
	packet_path_offline(gateway->path->context[other]);
	gateway_poll_lcore(gateway, mine);
	gateway_poll_lcore(gateway, mine);
	cr_assert_eq(owner->rows.retired, 0, "a lcore that sleeps is not waited for");
	in_order(gateway, 0);
	cr_assert_eq(gateway_destroy(gateway), 0);
}
