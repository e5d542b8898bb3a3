/* SPDX-License-Identifier: BSD-3-Clause */
/* What a workload may take, what it hears when it gets no more, and what is not translated. */
#include "pipeline_case.h"
#include "worlds.h"

#define SERVER "198.51.100.7"

enum { ICMP = 1, TCP = 6 };

static void goes_out(struct gateway *gateway, const char *host, const struct packet *packet)
{
	gateway_host_sends(gateway, host, packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "* > 198.51.100.7*");
}

/* The host's packet opens nothing: dropped by name, and the host hears why. */
static void is_refused(struct gateway *gateway, const char *host, const struct packet *packet,
	enum drop_reason reason, const char *told)
{
	gateway_host_sends(gateway, host, packet);
	gateway_run(gateway);
	expect_drop(gateway, reason);
	expect_at(gateway, host, told);
}

/* Conforms: RFC 5508 REQ-8, RFC 6888 REQ-4, RFC 6888 REQ-11a, RFC 6888 REQ-11b. */
CASE(policy, a_host_with_all_its_ports_is_told_that_it_gets_no_more, limits_world)
{
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 18 };

	for (uint16_t i = 0; i < 5; i++) {
		packet.from_port = (uint16_t)(4000 + i);
		goes_out(gateway, "web11", &packet);
	}
	packet.from_port = 4005;
	is_refused(gateway, "web11", &packet, DROP_NAT_HOST_PORTS,
		"icmp 3/13 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:4005 > 198.51.100.7:53}");
	packet.from_port = 4000;
	goes_out(gateway, "web11", &packet);
	expect_silence(gateway);
}

/* Conforms: RFC 6888 REQ-5, RFC 6888 REQ-11d. */
CASE(policy, a_host_with_all_its_sessions_keeps_them_and_gets_no_more, limits_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };

	for (uint16_t i = 0; i < 7; i++) {
		packet.to_port = (uint16_t)(53 + i);
		goes_out(gateway, "web11", &packet);
	}
	packet.to_port = 99;
	is_refused(gateway, "web11", &packet, DROP_NAT_HOST_SESSIONS,
		"icmp 3/13 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:4000 > 198.51.100.7:99}");
	packet.to_port = 53;
	goes_out(gateway, "web11", &packet);
	expect_silence(gateway);
}

CASE(policy, a_host_that_opens_too_many_sessions_at_once_has_to_wait, limits_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };

	for (uint16_t i = 0; i < 10; i++) {
		packet.to_port = (uint16_t)(1000 + i);
		goes_out(gateway, "db7", &packet);
	}
	packet.to_port = 99;
	is_refused(gateway, "db7", &packet, DROP_NAT_HOST_RATE,
		"icmp 3/13 10.0.2.1 > 10.0.2.7 ttl 64 quoting {udp 10.0.2.7:4000 > 198.51.100.7:99}");
	gateway_advance(gateway, 1100);
	goes_out(gateway, "db7", &packet);
}

/* Conforms: RFC 5508 REQ-8. */
CASE_IN(policy, refusals_are_answered_at_a_bounded_rate, limits_world, 1u << PLAN_FUSED)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };
	unsigned answered = 0;
	struct frame frame;

	for (uint16_t i = 0; i < 7; i++) {
		packet.to_port = (uint16_t)(53 + i);
		goes_out(gateway, "web11", &packet);
	}
	for (uint16_t i = 0; i < 200; i++) {
		packet.to_port = (uint16_t)(1000 + i);
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	while (gateway_receive(gateway, UNDERLAY, &frame))
		answered += frame_matches(&frame, "* icmp 3/13 10.0.1.1 > 10.0.1.11 *");
	cr_assert_geq(answered, 1);
	cr_assert_leq(answered, 100);
	expect_drops(gateway, DROP_NAT_HOST_SESSIONS, 200);
}

CASE(policy, a_segment_without_nat_is_routed_both_ways, limits_world)
{
	gateway_host_sends(gateway, "free9",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 192.0.3.9:4000 > 198.51.100.7:53 *");
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = SERVER, .to = "192.0.3.9", .from_port = 53, .to_port = 4000, .data = 18 });
	gateway_run(gateway);
	expect_at(gateway, "free9", "udp 198.51.100.7:53 > 192.0.3.9:4000 *");
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(policy, workloads_share_the_address_of_the_uplink_with_the_gateway, shared_world)
{
	struct frame frame;

	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp 203.0.113.1:* > 198.51.100.7:53 *", &frame);
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = SERVER,
			.to = "203.0.113.1",
			.from_port = 53,
			.to_port = frame_from_port(&frame),
			.data = 18 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:4000 *");
	/* What no workload has asked for is the gateway's. */
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.protocol = ICMP, .icmp_type = 8, .icmp_id = 5, .to = "203.0.113.1", .data = 30 });
	gateway_run(gateway);
	expect_at(gateway, "router", "icmp echo-reply 203.0.113.1 > 203.0.113.254 *");
	expect_silence(gateway);
}
