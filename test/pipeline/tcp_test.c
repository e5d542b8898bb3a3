/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP connections by their states and sequence numbers: what opens, resets and ends them, and what does not. */
#include "nat_case.h"
#include "worlds.h"

#define INSIDE_ISN   0x10000000u
#define OUTSIDE_ISN  0xfffff000u /* about to wrap around */
#define FOUR_MINUTES 240000u
#define SWEEP        12000u

struct connection {
	struct packet up, down;
	char us[16];
};

static void up(struct gateway *gateway, struct connection *c, const char *flags, uint32_t sequence)
{
	c->up.tcp = flags;
	c->up.tcp_sequence = sequence;
	goes_out(gateway, "web11", &c->up);
}

static void down(struct gateway *gateway, struct connection *c, const char *flags, uint32_t sequence)
{
	c->down.tcp = flags;
	c->down.tcp_sequence = sequence;
	comes_in(gateway, &c->down);
	expect_at(gateway, "web11", "tcp *");
}

static void opens(struct gateway *gateway, struct connection *c)
{
	c->up = (struct packet){ .to = SERVER,
		.from_port = 4000,
		.to_port = 80,
		.protocol = TCP,
		.tcp = "S",
		.tcp_sequence = INSIDE_ISN };
	struct endpoint us = goes_out(gateway, "web11", &c->up);

	snprintf(c->us, sizeof(c->us), "%s", us.address);
	c->down = (struct packet){ .from = SERVER,
		.to = c->us,
		.from_port = 80,
		.to_port = us.port,
		.protocol = TCP,
		.tcp_acknowledged = INSIDE_ISN + 1 };
}

static void is_established(struct gateway *gateway, struct connection *c)
{
	opens(gateway, c);
	down(gateway, c, "SA", OUTSIDE_ISN);
	up(gateway, c, "A", INSIDE_ISN + 1);
}

/* Conforms: RFC 7857 2.2, RFC 5382 REQ-2. */
CASE(tcp, a_blind_reset_is_passed_on_and_ends_no_connection, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	down(gateway, &c, "R", OUTSIDE_ISN + 0x40000000);
	up(gateway, &c, "R", INSIDE_ISN - 0x40000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 7857 2.2, RFC 5382 REQ-5. */
CASE(tcp, a_reset_in_the_window_ends_the_connection_four_minutes_later, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	gateway_advance(gateway, FOUR_MINUTES);
	down(gateway, &c, "R", OUTSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES - 2000);
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_advance(gateway, SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(tcp, the_window_follows_the_data, web_world)
{
	struct connection c;
	uint32_t sequence = OUTSIDE_ISN;

	is_established(gateway, &c);
	for (int i = 0; i < 40; i++)
		down(gateway, &c, "A", sequence += 0xf0000);
	down(gateway, &c, "R", OUTSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1, "where it began no reset counts any more");
	down(gateway, &c, "R", sequence + 1000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Neither by itself nor by what it does to the window. */
CASE(tcp, a_blind_syn_does_not_disturb_a_connection, web_world)
{
	struct connection c;

	is_established(gateway, &c);
	down(gateway, &c, "S", OUTSIDE_ISN + 0x50000000);
	down(gateway, &c, "R", OUTSIDE_ISN + 0x50000000);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 5382 REQ-2, RFC 7857 2.2. */
CASE(tcp, a_refusal_counts_only_if_it_acknowledges_the_syn, web_world)
{
	struct connection c;

	opens(gateway, &c);
	c.down.tcp_acknowledged = INSIDE_ISN + 0x30000000;
	down(gateway, &c, "RA", 1);
	down(gateway, &c, "R", 1);
	c.down.tcp_acknowledged = INSIDE_ISN + 1;
	down(gateway, &c, "SA", OUTSIDE_ISN);
	up(gateway, &c, "A", INSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1, "the forged refusals came to nothing");
}

/* Conforms: RFC 5382 REQ-2, REQ-2a. */
CASE(tcp, two_sides_that_open_at_once_get_their_connection, web_world)
{
	struct connection c;

	opens(gateway, &c);
	down(gateway, &c, "S", OUTSIDE_ISN);
	up(gateway, &c, "SA", INSIDE_ISN);
	down(gateway, &c, "SA", OUTSIDE_ISN);
	up(gateway, &c, "A", INSIDE_ISN + 1);
	gateway_advance(gateway, FOUR_MINUTES + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1);
	down(gateway, &c, "A", OUTSIDE_ISN + 1);
}

/* Conforms: RFC 7857 7.1. */
CASE(tcp, resets_from_inside_keep_no_binding_alive, web_world)
{
	struct connection c;

	opens(gateway, &c);
	gateway_advance(gateway, FOUR_MINUTES - 20000);
	up(gateway, &c, "R", INSIDE_ISN + 1);
	gateway_advance(gateway, 20000 + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Conforms: RFC 5382 REQ-1. */
CASE(tcp, one_inside_port_is_one_public_port_for_all_remotes, web_world)
{
	struct connection c;

	opens(gateway, &c);
	c.up.to = OTHER;
	c.up.to_port = 443;
	struct endpoint other = goes_out(gateway, "web11", &c.up);
	cr_assert_str_eq(other.address, c.us);
	cr_assert_eq(other.port, c.down.to_port);
	c.down.tcp = "SA";
	comes_in(gateway, &c.down);
	expect_at(gateway, "web11", "tcp 198.51.100.7:80 > 10.0.1.11:4000 SA *");
}

/* Conforms: RFC 5382 REQ-7. */
CASE(tcp, two_hosts_with_the_same_port_never_share_a_public_one, web_world)
{
	struct packet syn = { .to = SERVER, .to_port = 80, .protocol = TCP, .tcp = "S" };

	for (uint16_t port = 4000; port < 4020; port++) {
		syn.from_port = port;
		struct endpoint one = goes_out(gateway, "web11", &syn),
				other = goes_out(gateway, "web12", &syn),
				third = goes_out(gateway, "db21", &syn);
		cr_assert(one.port != other.port || strcmp(one.address, other.address) != 0);
		cr_assert(one.port != third.port || strcmp(one.address, third.address) != 0);
		cr_assert(other.port != third.port || strcmp(other.address, third.address) != 0);
	}
}

/* Conforms: RFC 7857 5, RFC 7857 6. */
CASE(tcp, a_udp_binding_of_the_same_port_neither_lets_in_nor_keeps_alive, web_world)
{
	struct packet udp = { .to = SERVER, .from_port = 4000, .to_port = 80, .data = 9 };
	struct endpoint us = goes_out(gateway, "web11", &udp);

	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = us.address,
				  .from_port = 80,
				  .to_port = us.port,
				  .protocol = TCP,
				  .tcp = "SA" });
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	udp.protocol = TCP;
	udp.tcp = "S";
	udp.data = 0;
	goes_out(gateway, "web11", &udp);
	gateway_advance(gateway, FOUR_MINUTES - 20000);
	udp_answer(gateway, SERVER, 80, &us);
	expect_at(gateway, "web11", "udp *");
	gateway_advance(gateway, 20000 + SWEEP);
	cr_assert_eq(gateway_sessions(gateway), 1, "UDP alone");
}

#define UNREACHABLE(from, to) "icmp 3/3 203.0.113.1 > 198.51.100.* ttl 64 quoting {tcp " from " > " to "}"

/* Conforms: RFC 5382 REQ-4. */
CASE(tcp, an_unsolicited_syn_is_answered_after_six_seconds, web_world)
{
	const struct packet syn = { .from = SERVER,
		.to = "203.0.113.10",
		.from_port = 5000,
		.to_port = 9999,
		.protocol = TCP,
		.tcp = "S" };

	comes_in(gateway, &syn);
	gateway_advance(gateway, 3000);
	comes_in(gateway, &syn); /* again: it belongs to the first */
	gateway_advance(gateway, 2950);
	expect_silence(gateway);
	gateway_advance(gateway, 100);
	expect_at(gateway, "router", UNREACHABLE("198.51.100.7:5000", "203.0.113.10:9999"));
	gateway_advance(gateway, 10000);
	expect_silence(gateway);
	expect_drops(gateway, DROP_NAT_NO_BINDING, 2);
}

/* Conforms: RFC 5382 REQ-4. */
CASE(tcp, a_syn_that_filtering_stops_is_answered_after_six_seconds, web_world)
{
	struct connection c;

	opens(gateway, &c);
	c.down.from = OTHER;
	c.down.tcp = "S";
	comes_in(gateway, &c.down);
	expect_drop(gateway, DROP_NAT_FILTERED);
	gateway_advance(gateway, 5950);
	expect_silence(gateway);
	gateway_advance(gateway, 100);
	expect_at(gateway, "router", UNREACHABLE("198.51.100.8:80", "203.0.113.1*"));
}

/* Conforms: RFC 5382 REQ-4, RFC 5382 REQ-2a. */
CASE(tcp, a_syn_whose_connection_the_host_opens_too_is_never_answered, web_world)
{
	struct connection c;

	opens(gateway, &c);
	c.down.from = OTHER;
	c.down.tcp = "S";
	comes_in(gateway, &c.down);
	expect_drop(gateway, DROP_NAT_FILTERED);
	gateway_advance(gateway, 5000);
	c.up.to = OTHER;
	up(gateway, &c, "S", INSIDE_ISN);
	gateway_advance(gateway, 10000);
	expect_silence(gateway);
	down(gateway, &c, "S", OUTSIDE_ISN); /* sent again, and let in */
}

/* Conforms: RFC 5382 REQ-4a. */
CASE(tcp, an_unsolicited_syn_is_never_answered_where_the_policy_is_silence, bypass_world)
{
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.10",
				  .from_port = 5000,
				  .to_port = 9999,
				  .protocol = TCP,
				  .tcp = "S" });
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	gateway_advance(gateway, 10000);
	expect_silence(gateway);
}

CASE_IN(tcp, a_flood_of_unsolicited_syns_gets_few_answers, web_world, 1u << PLAN_FUSED | 1u << PLAN_SPLIT)
{
	for (uint16_t i = 0; i < 500; i++)
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = SERVER,
				.to = "203.0.113.10",
				.from_port = (uint16_t)(5000 + i),
				.to_port = 9999,
				.protocol = TCP,
				.tcp = "S" });
	gateway_run(gateway);
	expect_drops(gateway, DROP_NAT_NO_BINDING, 500);
	gateway_advance(gateway, 7000);
	expect_at(gateway, "router", UNREACHABLE("198.51.100.7:*", "203.0.113.10:9999"));
	expect_at(gateway, "router", UNREACHABLE("198.51.100.7:*", "203.0.113.10:9999"));
	expect_silence(gateway);
}

/* One lcore cannot fill the queue, for it tells of so many in a tick; two can. */
CASE_IN(tcp, more_unsolicited_syns_than_wait_are_counted, web_world, 1u << PLAN_FUSED_TWO)
{
	for (uint16_t tick = 0; tick < 590; tick++) {
		for (uint16_t i = 0; i < 8; i++)
			gateway_host_sends(gateway, "router",
				&(struct packet){ .from = SERVER,
					.to = "203.0.113.10",
					.from_port = (uint16_t)(5000 + tick),
					.to_port = (uint16_t)(2048 + 64 * i),
					.protocol = TCP,
					.tcp = "S" });
		gateway_run(gateway);
		gateway_advance(gateway, 10);
	}
	expect_drops(gateway, DROP_NAT_NO_BINDING, 590 * 8);
	cr_assert_eq(slowpath_counters(gateway->slowpath)->syns_held, 1024);
	cr_assert_gt(slowpath_counters(gateway->slowpath)->syns_not_held, 0);
	gateway_advance(gateway, 10000);
	gateway_forget_output(gateway);
}

static void to_ourselves(struct gateway *gateway, const char *flags)
{
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.1",
				  .from_port = 5000,
				  .to_port = 22,
				  .protocol = TCP,
				  .tcp = flags,
				  .tcp_sequence = OUTSIDE_ISN,
				  .tcp_acknowledged = 77,
				  .data = 5 });
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}

/* Conforms: RFC 9293 section 3.10.7.1. */
CASE(tcp, a_closed_port_of_the_gateway_answers_with_a_reset, web_world)
{
	struct frame frame;

	to_ourselves(gateway, "S");
	expect_at_taking(
		gateway, "router", "tcp 203.0.113.1:22 > 198.51.100.7:5000 RA ttl 64 df data 0", &frame);
	cr_assert_eq(frame_get32(&frame, 14 + 20 + 4), 0);
	cr_assert_eq(frame_get32(&frame, 14 + 20 + 8), OUTSIDE_ISN + 6, "the SYN and five bytes");
	to_ourselves(gateway, "A");
	expect_at_taking(
		gateway, "router", "tcp 203.0.113.1:22 > 198.51.100.7:5000 R ttl 64 df data 0", &frame);
	cr_assert_eq(frame_get32(&frame, 14 + 20 + 4), 77);
	to_ourselves(gateway, "R");
	expect_silence(gateway);
}

CASE(tcp, a_workload_is_refused_by_the_gateways_closed_ports_at_once, web_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = "10.0.1.1", .protocol = TCP, .tcp = "S", .from_port = 4000, .to_port = 22 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "tcp 10.0.1.1:22 > 10.0.1.11:4000 RA ttl 64 df data 0");
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = "203.0.113.1", .protocol = TCP, .tcp = "S", .from_port = 4000, .to_port = 22 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "tcp 203.0.113.1:22 > 10.0.1.11:4000 RA ttl 64 df data 0");
	expect_drops(gateway, DROP_SLOWPATH_UNHANDLED, 2);
}

CASE(tcp, a_malformed_packet_to_the_gateway_gets_no_answer, web_world)
{
	struct frame frame;

	gateway_host_frame(gateway, "router",
		&(struct packet){
			.from = SERVER, .to = "203.0.113.1", .protocol = TCP, .tcp = "S", .to_port = 22 },
		&frame);
	frame.bytes[14 + 20 + 16] ^= 1; /* its checksum */
	cr_assert(gateway_send(gateway, UPLINK, &frame));
	gateway_run(gateway);
	expect_drop(gateway, DROP_TCP_MALFORMED);
}

CASE_IN(tcp, a_scan_of_the_gateway_gets_few_resets, web_world, 1u << PLAN_FUSED)
{
	struct frame frame;
	unsigned resets = 0;

	for (uint16_t i = 0; i < 1000; i++)
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = SERVER,
				.to = "203.0.113.1",
				.protocol = TCP,
				.tcp = "S",
				.to_port = i });
	gateway_run(gateway);
	expect_drops(gateway, DROP_SLOWPATH_UNHANDLED, 1000);
	while (gateway_receive(gateway, UPLINK, &frame))
		resets++;
	cr_assert(resets > 0 && resets <= 100, "%u", resets);
}

/* Conforms: RFC 1812 section 5.2.7.1. */
CASE(tcp, a_protocol_that_the_gateway_does_not_speak_is_unreachable, web_world)
{
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = "10.0.1.1", .protocol = 132, .data = 20 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "icmp 3/2 10.0.1.1 > 10.0.1.11 *");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}
