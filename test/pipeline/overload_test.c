/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet lcore that cannot keep up: what it still opens, what it refuses, and what it never does. In these worlds it opens
 * 16 sessions in each hundredth of a second, of which a source that asks again and again gets half at once. */
#include "gateway_ports.h"
#include "nat_case.h"
#include "stage/overload.h"
#include "table/nat_owner.h"
#include "worlds.h"

/* With several owners each has a part of the packets: which of them are behind depends on the plan. */
#define ONE_OWNER (1u << PLAN_FUSED | 1u << PLAN_STAGES | 1u << PLAN_SPLIT)
#define OLD       (8 * BURST_MAX) /* packets: as many full bursts as it takes to be behind */
#define MANY      40
#define SHARE     8
#define FAR       "198.51.100.200" /* of no bypass */

static const struct packet old = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };

/* Established packets that fill the queue of the host's port, so that what is sent after them meets an overloaded lcore. */
static void falls_behind_by(struct gateway *gateway, const char *host)
{
	goes_out(gateway, host, &old);
	for (unsigned i = 0; i < OLD; i++)
		gateway_host_sends(gateway, host, &old);
}

static void falls_behind(struct gateway *gateway)
{
	falls_behind_by(gateway, "web11");
}

/* Out, and an answer, after which the host's MAC is known. */
static struct endpoint exchange(struct gateway *gateway, const char *host)
{
	struct endpoint us =
		goes_out(gateway, host, &(struct packet){ .to = FAR, .from_port = 4000, .to_port = 53 });

	udp_answer(gateway, FAR, 53, &us);
	expect_at(gateway, host, "udp *");
	return us;
}

static void udp_answer_sent(struct gateway *gateway, const struct endpoint *us)
{
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = FAR, .to = us->address, .from_port = 53, .to_port = us->port, .data = 18 });
}

static void falls_behind_from_outside(struct gateway *gateway)
{
	struct endpoint us = exchange(gateway, "web11");

	exchange(gateway, "web5");
	for (unsigned i = 0; i < OLD; i++)
		udp_answer_sent(gateway, &us);
}

static void send_connections(
	struct gateway *gateway, const char *host, const char *from, const char *to, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		gateway_host_sends(gateway, host,
			&(struct packet){ .from = from,
				.to = to,
				.protocol = TCP,
				.tcp = "S",
				.from_port = (uint16_t)(2000 + i),
				.to_port = 443 });
}

/* Of what has left by the port. Frames of other kinds are gone with them. */
static unsigned came_out(struct gateway *gateway, uint16_t port, const char *pattern)
{
	struct frame frame;
	unsigned count = 0;

	while (gateway_receive(gateway, port, &frame))
		count += frame_matches(&frame, pattern);
	return count;
}

/* More connections to the gateway itself than an overloaded lcore opens: each has its answer, like `pattern`. */
static void gateway_answers(struct gateway *gateway, const char *host, const char *from, const char *to,
	uint16_t port, const char *pattern)
{
	send_connections(gateway, host, from, to, SHARE + 1);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, port, pattern), SHARE + 1);
	expect_drops(gateway, DROP_SLOWPATH_UNHANDLED, SHARE + 1);
	gateway_forget_output(gateway);
}

CASE_IN(overload, established_flows_go_on_beside_a_flood_of_connections, web_world, ONE_OWNER)
{
	falls_behind(gateway);
	for (unsigned i = 0; i < 10; i++)
		gateway_host_sends(gateway, "web11", &old);
	send_connections(gateway, "web12", NULL, OTHER, MANY);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | udp *"), OLD + 10);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
	cr_assert_eq(gateway_sessions(gateway), 1 + SHARE);
}

#define FLOWS      16u
#define TURNS      10u
#define FIRST_PORT 5000u /* of the server, by which the flows are told apart */

/* Of each flow a packet, longer each turn, and behind it connections of these hosts by turns. Each third one is not for the fast path. */
static uint16_t flows_send_in_a_flood(
	struct gateway *gateway, uint16_t connections, const char *host, const char *other)
{
	uint16_t sent = 0;

	for (uint16_t turn = 0; turn < TURNS; turn++)
		for (uint16_t flow = 0; flow < FLOWS; flow++) {
			struct packet packet = { .to = SERVER,
				.from_port = (uint16_t)(4000 + flow),
				.to_port = (uint16_t)(FIRST_PORT + flow),
				.data = (uint16_t)(8 + turn) };

			if (turn % 3 == 1) {
				packet.options = (const uint8_t *)"\1\1\1\0";
				packet.options_length = 4;
			}
			gateway_host_sends(gateway, "web11", &packet);
			for (uint16_t i = 0; i < connections; i++, sent++)
				gateway_host_sends(gateway, sent % 2 ? other : host,
					&(struct packet){ .to = OTHER,
						.protocol = TCP,
						.tcp = "S",
						.from_port = (uint16_t)(2000 + sent),
						.to_port = 443 });
		}
	return sent;
}

static void flows_arrive_in_order(struct gateway *gateway)
{
	uint16_t arrived[FLOWS] = { 0 }, all = 0;
	struct frame_view view;
	struct frame frame;

	while (gateway_receive(gateway, UPLINK, &frame)) {
		const char *wrong = frame_check(&frame, 4789, &view);
		cr_assert(wrong == NULL, "%s", wrong);
		uint32_t flow = frame_get16(&frame, (uint16_t)(view.l4 + 2)) - FIRST_PORT;
		if (!frame_matches(&frame, "* | udp *") || flow >= FLOWS)
			continue;
		cr_assert_eq(view.data_length, 8 + arrived[flow]);
		arrived[flow]++;
		all++;
	}
	cr_assert_eq(all, FLOWS * TURNS);
}

static void flows_open(struct gateway *gateway)
{
	struct packet first = { .to = SERVER, .data = 18 };

	for (uint16_t flow = 0; flow < FLOWS; flow++) {
		first.from_port = (uint16_t)(4000 + flow);
		first.to_port = (uint16_t)(FIRST_PORT + flow);
		goes_out(gateway, "web11", &first);
	}
}

/* Also where more is received at once than a burst, as a part of it is refused. */
static void flows_pass_a_flood(struct gateway *gateway, uint16_t connections)
{
	flows_open(gateway);
	falls_behind(gateway);
	uint16_t sent = flows_send_in_a_flood(gateway, connections, "web12", "web12");
	gateway_run(gateway);
	flows_arrive_in_order(gateway);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, sent - SHARE);
	cr_assert_eq(gateway_sessions(gateway), 1 + FLOWS + SHARE);
	if (gateway->plan == PLAN_FUSED)
		cr_assert(gateway->path->context[0]->rx[UNDERLAY].refuses);
}

CASE_IN(overload, flows_stay_whole_and_in_order_between_as_many_connections, web_world, ONE_OWNER)
{
	flows_pass_a_flood(gateway, 1);
}

CASE_IN(overload, flows_stay_whole_and_in_order_between_many_connections, web_world, ONE_OWNER)
{
	flows_pass_a_flood(gateway, 2);
}

/* How many each owner refuses is another matter: some, for he who receives them is behind, and owns one of the hosts. */
CASE_IN(overload, flows_stay_in_order_between_connections_of_several_owners, web_world, 1u << PLAN_FUSED_TWO)
{
	flows_open(gateway);
	falls_behind(gateway);
	flows_send_in_a_flood(gateway, 1, "web12", "web11");
	gateway_run(gateway);
	flows_arrive_in_order(gateway);
	unsigned refused = (unsigned)gateway_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET);
	cr_assert_gt(refused, MANY);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, refused);
}

CASE_IN(overload, a_host_that_floods_leaves_the_others_their_connections, web_world, ONE_OWNER)
{
	struct packet other = {
		.to = SERVER, .protocol = TCP, .tcp = "S", .from_port = 5000, .to_port = 443
	};

	falls_behind(gateway);
	send_connections(gateway, "web12", NULL, OTHER, MANY);
	gateway_host_sends(gateway, "db21", &other);
	gateway_host_sends(gateway, "web5", &other);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* > 198.51.100.7:443 *"), 2);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
}

static void segments_count_apart(struct gateway *gateway)
{
	falls_behind_by(gateway, "blue7");
	send_connections(gateway, "blue7", NULL, OTHER, MANY);
	send_connections(gateway, "red7", NULL, SERVER, SHARE / 2);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* > 198.51.100.7:443 *"), SHARE / 2);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
}

CASE_IN(overload, hosts_of_two_segments_count_apart_that_have_one_address, overlap_world, ONE_OWNER)
{
	segments_count_apart(gateway);
}

CASE_IN(overload, hosts_of_two_segments_count_apart_that_differ_as_these_do, neighbour_world, ONE_OWNER)
{
	segments_count_apart(gateway);
}

CASE_IN(overload, first_packets_of_udp_are_refused_likewise, web_world, ONE_OWNER)
{
	struct packet packet = { .to = OTHER, .from_port = 4000, .data = 18 };

	falls_behind(gateway);
	for (uint16_t i = 0; i < MANY; i++) {
		packet.to_port = (uint16_t)(1000 + i);
		gateway_host_sends(gateway, "web12", &packet);
	}
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* > 198.51.100.8:*"), SHARE);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
}

/* A flood, in place of whose last packet comes what `swap` makes of that. Returns that packet. */
static struct rte_mbuf *flood_swapped(struct gateway *gateway,
	struct rte_mbuf *(*swap)(struct rte_mbuf *m, struct rte_mempool *pool), struct rte_mempool *pool)
{
	struct rte_ring *queue = gateway->ports->port[UNDERLAY].rx[0];
	struct rte_mbuf *last = NULL;

	falls_behind(gateway);
	send_connections(gateway, "web12", NULL, OTHER, MANY);
	for (unsigned count = rte_ring_count(queue); count > 0; count--) {
		cr_assert_eq(rte_ring_dequeue(queue, (void **)&last), 0);
		cr_assert_eq(rte_ring_enqueue(queue, count > 1 ? last : swap(last, pool)), 0);
	}
	return last;
}

static void flood_is_refused(struct gateway *gateway)
{
	gateway_run(gateway);
	gateway_forget_output(gateway);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
}

static struct rte_mbuf *held_as_well(struct rte_mbuf *m, struct rte_mempool *pool)
{
	RTE_SET_USED(pool);
	rte_mbuf_refcnt_update(m, 1);
	return m;
}

static struct rte_mbuf *whole_copy(struct rte_mbuf *m, struct rte_mempool *pool)
{
	return rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
}

/* As a device that sends it, or a capture: the buffer is theirs still, with what is in it. */
CASE_IN(overload, of_a_refused_packet_that_is_held_elsewhere_the_buffer_stays, web_world, 1u << PLAN_FUSED)
{
	struct rte_mbuf *held = flood_swapped(gateway, held_as_well, NULL);

	flood_is_refused(gateway);
	cr_assert_eq(rte_mbuf_refcnt_read(held), 1);
	struct rte_mbuf *other = rte_pktmbuf_alloc(held->pool);
	cr_assert(other != NULL && other != held, "it was given to somebody else");
	rte_pktmbuf_free(other);
	rte_pktmbuf_free(held);
}

/* Devices have pools of their own, and some attach what they received to buffers of theirs. */
CASE_IN(overload, a_refused_packet_of_another_pool_goes_back_there, web_world, 1u << PLAN_FUSED)
{
	struct rte_mempool *pool =
		rte_pktmbuf_pool_create("overload_test", 7, 0, 64, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);

	cr_assert(pool != NULL);
	rte_pktmbuf_free(flood_swapped(gateway, whole_copy, pool));
	cr_assert_eq(rte_mempool_in_use_count(pool), 1);
	flood_is_refused(gateway);
	cr_assert_eq(rte_mempool_in_use_count(pool), 0);
	rte_mempool_free(pool);
}

CASE_IN(overload, a_refused_packet_lets_go_of_what_it_is_attached_to, web_world, 1u << PLAN_FUSED)
{
	struct rte_mbuf *direct = flood_swapped(gateway, rte_pktmbuf_clone, gateway->ports->packets);

	cr_assert_eq(rte_mbuf_refcnt_read(direct), 2);
	flood_is_refused(gateway);
	cr_assert_eq(rte_mbuf_refcnt_read(direct), 1);
	rte_pktmbuf_free(direct);
}

/* More packets of one flow than it may open sessions: the first of them opens it, and the others are asked for no more. */
CASE_IN(overload, packets_of_a_flow_that_was_opened_all_pass, web_world, ONE_OWNER)
{
	struct packet packet = { .to = OTHER, .from_port = 4000, .to_port = 53, .data = 18 };

	falls_behind(gateway);
	for (uint16_t i = 0; i < MANY; i++)
		gateway_host_sends(gateway, "web12", &packet);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* > 198.51.100.8:53 *"), MANY);
	cr_assert_eq(gateway_sessions(gateway), 2);
}

CASE_IN(overload, a_flood_from_outside_has_its_share_too, bypass_world, ONE_OWNER)
{
	falls_behind_from_outside(gateway);
	send_connections(gateway, "router", OTHER, "203.0.113.20", MANY);
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "192.88.99.1",
			.to = "203.0.113.20",
			.protocol = TCP,
			.tcp = "S",
			.from_port = 5000,
			.to_port = 25 });
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UNDERLAY, "* > 10.0.1.5:*"), SHARE + 1);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
}

CASE_IN(overload, a_scan_of_ports_that_nobody_has_is_refused_early, bypass_world, ONE_OWNER)
{
	falls_behind_from_outside(gateway);
	send_connections(gateway, "router", OTHER, "203.0.113.10", MANY);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UNDERLAY, "* > 10.0.1.11:4000 *"), OLD, "%u",
		gateway_waiting(gateway, UNDERLAY));
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
	expect_drops(gateway, DROP_NAT_NO_BINDING, SHARE);
}

/* As in the other worlds. */
static void opens_few(struct gateway *gateway)
{
	gateway->plane->nat->new_sessions_in_overload = 1600;
	for (uint16_t i = 0; i < gateway->path->count; i++)
		if (gateway->path->context[i]->nat != NULL)
			overload_init(gateway->path->context[i]);
}

/* A port that NAT gives to hosts, but none has: for UDP the gateway itself answers there. */
CASE_IN(overload, datagrams_for_the_gateway_itself_are_never_refused, shared_world, ONE_OWNER)
{
	struct endpoint us = exchange(gateway, "web11");

	opens_few(gateway);
	for (unsigned i = 0; i < OLD; i++)
		udp_answer_sent(gateway, &us);
	for (uint16_t i = 1; i <= SHARE + 1; i++)
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = OTHER,
				.to = us.address,
				.from_port = 4000,
				.to_port = (uint16_t)(1024 + (us.port + i) % 128) });
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | icmp 3/3 203.0.113.1 > 198.51.100.8 *"), SHARE + 1);
	expect_drops(gateway, DROP_SLOWPATH_UNHANDLED, SHARE + 1);
	gateway_forget_output(gateway);
}

static uint64_t packets_of_stages(const struct gateway *gateway)
{
	return gateway->path->context[0]->counters.stage[STAGE_CLASSIFY].packets;
}

/* The public address is the gateway's own: its ports that lead to hosts are told from those that are its own. */
CASE_IN(overload, a_flood_at_a_forwarded_port_is_refused_early, web_world, ONE_OWNER)
{
	exchange(gateway, "web6");
	falls_behind_from_outside(gateway);
	for (uint16_t i = 0; i < MANY; i++)
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = OTHER,
				.to = "203.0.113.1",
				.protocol = TCP,
				.tcp = "S",
				.from_port = (uint16_t)(2000 + i),
				.to_port = 8080 });
	uint64_t before = packets_of_stages(gateway);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UNDERLAY, "* > 10.0.1.6:80 *"), SHARE);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, MANY - SHARE);
	if (gateway->plan == PLAN_FUSED)
		cr_assert_eq(packets_of_stages(gateway), before + SHARE);
}

CASE_IN(overload, ports_of_the_gateway_itself_answer_as_ever_from_outside_too, web_world, ONE_OWNER)
{
	exchange(gateway, "web6");
	falls_behind_from_outside(gateway);
	gateway_answers(
		gateway, "router", OTHER, "203.0.113.1", UPLINK, "* | tcp 203.0.113.1:443 > 198.51.100.8:*");
}

CASE_IN(overload, what_nat_does_not_translate_is_never_refused, bypass_world, ONE_OWNER)
{
	falls_behind(gateway);
	send_connections(gateway, "web11", NULL, SERVER, MANY); /* by the bypass */
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | tcp 10.0.1.11:*"), MANY);
}

CASE_IN(overload, connections_between_segments_are_never_refused, web_world, ONE_OWNER)
{
	exchange(gateway, "db21");
	falls_behind(gateway);
	send_connections(gateway, "web12", NULL, "10.0.2.21", MANY);
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UNDERLAY, "* > 10.0.2.21:443 *"), MANY);
	gateway_forget_output(gateway);
}

/* What the fast path has no business with costs an overloaded lcore no look at it, and does not keep it from what comes by
 * another port. */
CASE_IN(overload, the_fast_path_rests_where_it_has_nothing_to_do, bypass_world, 1u << PLAN_FUSED)
{
	const struct lcore_counters *counters = &gateway->path->context[0]->counters;
	struct endpoint us = exchange(gateway, "web11");
	uint64_t bursts = counters->fast_path.bursts;

	for (unsigned i = 0; i < 2 * OLD; i++) { /* by the bypass */
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });
		if (i % 2 == 0)
			udp_answer_sent(gateway, &us);
	}
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | udp 10.0.1.11:*"), 2 * OLD);
	cr_assert_eq(came_out(gateway, UNDERLAY, "* > 10.0.1.11:4000 *"), OLD);
	cr_assert_leq(counters->fast_path.bursts - bursts, OLD / BURST_MAX + 4);
}

CASE_IN(overload, the_gateway_itself_answers_as_ever, web_world, ONE_OWNER)
{
	exchange(gateway, "web12");
	falls_behind(gateway);
	gateway_answers(gateway, "web12", NULL, "10.0.1.1", UNDERLAY, "* | tcp 10.0.1.1:443 > 10.0.1.12:*");
}

CASE_IN(overload, a_flood_by_itself_is_let_in_where_there_is_time, web_world, ONE_OWNER)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };

	for (uint16_t i = 0; i < OLD; i++) { /* a lcore that is behind for the first time */
		packet.to_port = (uint16_t)(1000 + i);
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | udp *"), OLD);
	send_connections(gateway, "web12", NULL, OTHER, MANY); /* and has caught up */
	gateway_run(gateway);
	cr_assert_eq(came_out(gateway, UPLINK, "* | tcp *"), MANY);
}
