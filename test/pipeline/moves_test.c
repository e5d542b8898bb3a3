/* SPDX-License-Identifier: BSD-3-Clause */
/* Workloads that move from one VTEP to another, and what the gateway learns, keeps and forgets. */
#include "pipeline_case.h"
#include "worlds.h"

#include <string.h>

#define SERVER "198.51.100.7"

static const struct packet to_server = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };

static void move(struct gateway *gateway, const char *host, const char *vtep)
{
	gateway_host(gateway, host)->vtep = vtep;
}

static void from_server(struct gateway *gateway, const char *to)
{
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = SERVER, .to = to, .from_port = 53, .to_port = 4000, .data = 30 });
}

/* web11 has spoken from vtep1 and is known. */
static void settle(struct gateway *gateway)
{
	gateway_host_sends(gateway, "web11", &to_server);
	from_server(gateway, "10.0.1.11");
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp *");
}

static struct move_record last_move(struct gateway *gateway)
{
	struct move_record record = { 0 };

	cr_assert_eq(slowpath_moves(gateway->slowpath, &record, 1, 0), 1, "no move in the ledger");
	return record;
}

static void expect_moved(struct gateway *gateway)
{
	from_server(gateway, "10.0.1.11");
	gateway_run(gateway);
	expect_at(gateway, "web11", "udp *");
	struct move_record record = last_move(gateway);
	cr_assert_eq(record.serial, 1);
	cr_assert_eq(record.old_vtep, rte_cpu_to_be_32(ipv4_from_text("192.0.2.11")));
	cr_assert_eq(record.new_vtep, rte_cpu_to_be_32(ipv4_from_text("192.0.2.12")));
	cr_assert_eq(record.late_packets, 0);
}

CASE(moves, the_first_frame_from_the_new_place_is_enough, plain_world)
{
	settle(gateway);
	move(gateway, "web11", "192.0.2.12");
	gateway_host_sends(gateway, "web11", &to_server);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_moved(gateway);
}

/* Both are waiting when the lcore looks: the answer already leaves for the new place. The underlay is polled first. */
CASE_IN(moves, the_very_next_packet_leaves_for_the_new_place, plain_world,
	1u << PLAN_FUSED | 1u << PLAN_SPLIT)
{
	settle(gateway);
	move(gateway, "web11", "192.0.2.12");
	gateway_host_sends(gateway, "web11", &to_server);
	from_server(gateway, "10.0.1.11");
	for (uint16_t lcore = 0; lcore < gateway->path->count; lcore++)
		gateway_poll_lcore(gateway, lcore);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > *");
	cr_assert_eq(last_move(gateway).late_packets, 0);
}

/* A packet to the host is looked at before the host's own first frame from the new place, in one turn. */
CASE_IN(moves, a_packet_that_just_missed_the_move_is_counted, web_world, 1u << PLAN_FUSED | 1u << PLAN_STAGES)
{
	const struct packet packet = {
		.from = SERVER, .to = "203.0.113.20", .from_port = 53, .to_port = 4000, .ttl = 64, .data = 30
	};
	struct frame frame;

	gateway_host_sends(gateway, "web5", &to_server);
	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web5", "udp *");
	move(gateway, "web5", "192.0.2.12");
	gateway_host_frame(gateway, "router", &packet, &frame);
	mac_from_text(gateway_port_mac(UNDERLAY), frame.bytes);
	for (int late = 0; late < 3; late++)
		cr_assert(gateway_send(gateway, UNDERLAY, &frame));
	gateway_host_sends(gateway, "web5", &to_server);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	for (int late = 0; late < 3; late++)
		expect_frame(gateway, UNDERLAY,
			"* > 52:54:00:00:00:11 | vxlan * | * > 52:54:00:01:00:05 | udp *", NULL);
	cr_assert_eq(last_move(gateway).late_packets, 3);
	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_at(gateway, "web5", "udp *");
	cr_assert_eq(last_move(gateway).late_packets, 3);
}

CASE(moves, a_gratuitous_arp_is_enough, plain_world)
{
	struct frame frame;

	settle(gateway);
	move(gateway, "web11", "192.0.2.12");
	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:01:00:11",
				  .operation = 1,
				  .sender = "10.0.1.11",
				  .target = "10.0.1.11" });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_moved(gateway);
}

CASE(moves, a_rarp_as_qemu_sends_is_enough, plain_world)
{
	struct frame frame;

	settle(gateway);
	move(gateway, "web11", "192.0.2.12");
	frame_arp(&frame,
		&(struct arp){
			.mac_from = "52:54:00:01:00:11", .operation = 3, .target_mac = "52:54:00:01:00:11" });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_drop(gateway, DROP_SEGMENT_BROADCAST);
	expect_moved(gateway);
}

CASE(moves, nat_sessions_stay_as_they_were, web_world)
{
	struct frame before, after;
	struct packet answer = { .from = SERVER, .from_port = 53, .data = 30 };
	char public[16];

	gateway_host_sends(gateway, "web11", &to_server);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &before);
	move(gateway, "web11", "192.0.2.12");
	gateway_host_sends(gateway, "web11", &to_server);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &after);
	cr_assert_eq(memcmp(before.bytes, after.bytes, before.length), 0, "the outside notices nothing");
	uint32_t a = frame_from_address(&after);
	snprintf(public, sizeof(public), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	answer.to = public;
	answer.to_port = frame_from_port(&after);
	gateway_host_sends(gateway, "router", &answer);
	gateway_run(gateway);
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:4000 ttl 63 data 30");
	cr_assert_eq(gateway_sessions(gateway), 1);
}

/* Moves without a word while the outside keeps sending. */
CASE(moves, a_silent_move_is_found_within_a_second, web_world)
{
	const struct packet packet = {
		.from = SERVER, .to = "203.0.113.20", .from_port = 53, .to_port = 4000, .data = 30
	};
	unsigned arrived = 0;
	uint64_t lost_ms = 0;
	struct frame frame;

	gateway_host_sends(gateway, "web5", &to_server);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	gateway_host_sends(gateway, "router", &packet);
	gateway_advance(gateway, 500);
	expect_at(gateway, "web5", "udp *");
	move(gateway, "web5", "192.0.2.12");
	for (unsigned i = 0; i < 200; i++) { /* 100 packets a second */
		gateway_host_sends(gateway, "router", &packet);
		gateway_advance(gateway, 10);
		while (gateway_receive(gateway, UNDERLAY, &frame)) {
			bool there = frame_matches(
				&frame, "* > 52:54:00:00:00:12 | vxlan * | * > 52:54:00:01:00:05 | udp *");
			lost_ms += there ? 0 : 10;
			arrived += there;
		}
	}
	cr_assert_gt(arrived, 100, "only %u packets arrived", arrived);
	cr_assert_lt(lost_ms, 1000, "away for %lu ms", lost_ms);
	cr_assert(last_move(gateway).found_by_probe);
}

CASE(moves, a_quiet_receiver_costs_no_flood, web_world)
{
	const struct packet packet = {
		.from = SERVER, .to = "203.0.113.20", .from_port = 53, .to_port = 4000, .data = 30
	};
	struct frame frame;

	gateway_host_sends(gateway, "web5", &to_server);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	for (unsigned i = 0; i < 1000; i++) { /* ten seconds */
		gateway_host_sends(gateway, "router", &packet);
		gateway_advance(gateway, 10);
		cr_assert(gateway_receive(gateway, UNDERLAY, &frame));
	}
	cr_assert_eq(slowpath_counters(gateway->slowpath)->silent_probes_flooded, 0);
	cr_assert_lt(gateway->arp_requests, 200, "%lu requests in 10 s", gateway->arp_requests);
	struct move_record record;
	cr_assert_eq(slowpath_moves(gateway->slowpath, &record, 1, 0), 0);
}

CASE(moves, the_mac_limit_of_a_segment_holds, small_world)
{
	for (int round = 0; round < 2; round++) {
		gateway_host_sends(gateway, "web11", &to_server);
		gateway_host_sends(gateway, "web12", &to_server);
		gateway_run(gateway);
		expect_at(gateway, "router", "udp *");
		expect_at(gateway, "router", "udp *");
		gateway_advance(gateway, 200);
	}
	gateway_host_sends(gateway, "web13", &to_server);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *"); /* it may send, but has no place to be sent to */
	const struct slowpath_counters *counters = slowpath_counters(gateway->slowpath);
	cr_assert_eq(counters->macs_learned, 2);
	cr_assert_geq(counters->macs_refused, 1);
}

CASE(moves, a_mac_that_says_nothing_is_forgotten, plain_world)
{
	settle(gateway);
	const struct slowpath_counters *counters = slowpath_counters(gateway->slowpath);
	cr_assert_eq(counters->macs_learned, 1);
	gateway_host(gateway, "web11")->silent = true;
	gateway_advance(gateway, 400000);
	cr_assert_eq(counters->macs_aged, 1);
}
