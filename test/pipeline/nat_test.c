/* SPDX-License-Identifier: BSD-3-Clause */
/* What a workload and a host outside see of NAT. */
#include "nat_case.h"
#include "table/nat_owner.h"
#include "worlds.h"

CASE(nat, a_query_goes_out_and_its_answer_comes_back, web_world)
{
	struct frame frame;

	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp 203.0.113.1[01]:* > 198.51.100.7:53 ttl 63 data 18", &frame);
	struct endpoint us = endpoint_of(&frame, false);
	cr_assert_geq(us.port, 1024);
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:4000 ttl 63 data 30");
	cr_assert_eq(gateway_sessions(gateway), 1);
}

/* Conforms: RFC 5382 REQ-2, REQ-5, RFC 7857 2. */
CASE(nat, a_tcp_connection_lives_through_its_handshake_and_its_end, web_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 443, .protocol = TCP, .tcp = "S" };
	struct packet in = { .from = SERVER, .from_port = 443, .protocol = TCP, .tcp = "SA" };
	struct endpoint us = goes_out(gateway, "web11", &out);

	in.to = us.address;
	in.to_port = us.port;
	comes_in(gateway, &in);
	expect_at(gateway, "web11", "tcp 198.51.100.7:443 > 10.0.1.11:4000 SA ttl 63 data 0");
	out.tcp = "A";
	out.data = 1300;
	cr_assert_eq(goes_out(gateway, "web11", &out).port, us.port);
	in.tcp = "FA";
	comes_in(gateway, &in);
	expect_at(gateway, "web11", "tcp 198.51.100.7:443 > 10.0.1.11:4000 FA ttl 63 data 0");
	out.tcp = "FA";
	cr_assert_eq(goes_out(gateway, "web11", &out).port, us.port);
	cr_assert_eq(gateway_sessions(gateway), 1, "it lingers for late packets");
	gateway_advance(gateway, 260000);
	cr_assert_eq(gateway_sessions(gateway), 0, "but not for long");
}

/* Conforms: RFC 5508 REQ-1. */
CASE(nat, ping_goes_out_and_back, web_world)
{
	struct endpoint us = goes_out(gateway, "web11",
		&(struct packet){ .to = SERVER,
			.protocol = ICMP,
			.icmp_type = 8,
			.icmp_id = 77,
			.icmp_sequence = 1,
			.data = 56 });

	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = us.address,
				  .protocol = ICMP,
				  .icmp_type = 0,
				  .icmp_id = us.port,
				  .icmp_sequence = 1,
				  .data = 56 });
	expect_at(gateway, "web11", "icmp echo-reply 198.51.100.7 > 10.0.1.11 id 77 seq 1 ttl 63 data 56");
}

/* Conforms: RFC 5508 REQ-1, REQ-1a. */
CASE(nat, a_timestamp_is_asked_for_and_answered, web_world)
{
	struct packet query = {
		.to = SERVER, .protocol = ICMP, .icmp_type = 13, .icmp_id = 77, .icmp_sequence = 1, .data = 12
	};
	struct endpoint us = goes_out(gateway, "web11", &query);
	struct packet answer = { .from = SERVER,
		.to = us.address,
		.protocol = ICMP,
		.icmp_type = 14,
		.icmp_id = us.port,
		.icmp_sequence = 1,
		.data = 12 };

	comes_in(gateway, &answer);
	expect_at(gateway, "web11", "icmp 14/0 198.51.100.7 > 10.0.1.11 ttl 63 data 12");
	query.to = OTHER;
	query.icmp_type = 8;
	cr_assert_eq(goes_out(gateway, "web11", &query).port, us.port, "one identifier for all remotes");
	answer.icmp_type = 13;
	comes_in(gateway, &answer);
	expect_drop(gateway, DROP_NAT_FILTERED);
}

CASE(nat, a_udp_packet_without_checksum_stays_without, web_world)
{
	struct frame frame;

	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 53,
			.data = 18,
			.no_udp_checksum = true });
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &frame);
	cr_assert_eq(frame_get16(&frame, 14 + 20 + 6), 0);
}

/* Conforms: RFC 4787 REQ-1. */
CASE(nat, one_inside_endpoint_is_one_public_endpoint_for_all_remotes, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 3478, .data = 20 };
	struct endpoint first = goes_out(gateway, "web11", &packet);

	packet.to = OTHER;
	packet.to_port = 3479;
	struct endpoint second = goes_out(gateway, "web11", &packet);
	cr_assert_str_eq(first.address, second.address);
	cr_assert_eq(first.port, second.port);
	udp_answer(gateway, OTHER, 3479, &first);
	expect_at(gateway, "web11", "udp 198.51.100.8:3479 > 10.0.1.11:4000 *");
	udp_answer(gateway, SERVER, 3478, &first);
	expect_at(gateway, "web11", "udp 198.51.100.7:3478 > 10.0.1.11:4000 *");
}

/* Conforms: RFC 4787 REQ-2. */
CASE(nat, one_host_keeps_one_public_address, web_world)
{
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 20 };
	struct endpoint first = { 0 };

	for (uint16_t i = 0; i < 40; i++) {
		packet.from_port = (uint16_t)(4000 + i);
		struct endpoint us = goes_out(gateway, "web11", &packet);
		if (i == 0)
			first = us;
		cr_assert_str_eq(us.address, first.address);
	}
	packet.protocol = TCP;
	packet.tcp = "S";
	cr_assert_str_eq(goes_out(gateway, "web11", &packet).address, first.address);
}

/* Conforms: RFC 4787 REQ-3. */
CASE(nat, two_hosts_with_the_same_port_stay_apart, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 20 };
	struct endpoint one = goes_out(gateway, "web11", &packet),
			other = goes_out(gateway, "web12", &packet);

	udp_answer(gateway, SERVER, 53, &other);
	expect_at(gateway, "web12", "udp 198.51.100.7:53 > 10.0.1.12:4000 *");
	udp_answer(gateway, SERVER, 53, &one);
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:4000 *");
}

/* Conforms: RFC 4787 REQ-11. */
CASE(nat, a_host_that_did_not_get_its_own_port_is_served_like_the_one_that_did, small_world)
{
	static const char *const host[] = { "web11", "web12" };

	for (unsigned i = 0; i < 2; i++) {
		struct packet packet = { .to = SERVER, .from_port = 1030, .to_port = 3478, .data = 20 };
		struct endpoint first = goes_out(gateway, host[i], &packet);

		udp_answer(gateway, OTHER, 3479, &first);
		expect_drop(gateway, DROP_NAT_FILTERED);
		packet.to = OTHER;
		packet.to_port = 3479;
		cr_assert_eq(goes_out(gateway, host[i], &packet).port, first.port);
		udp_answer(gateway, OTHER, 3479, &first);
		expect_at(gateway, host[i], "udp 198.51.100.8:3479 > 10.0.1.1?:1030 *");
	}
}

CASE(nat, a_host_with_its_own_public_address_is_reached_and_seen_by_it, web_world)
{
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.20",
				  .protocol = TCP,
				  .tcp = "S",
				  .from_port = 5000,
				  .to_port = 22 });
	expect_at(gateway, "web5", "tcp 198.51.100.7:5000 > 10.0.1.5:22 S ttl 63 data 0");
	gateway_host_sends(gateway, "web5",
		&(struct packet){
			.to = SERVER, .protocol = TCP, .tcp = "SA", .from_port = 22, .to_port = 5000 });
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 203.0.113.20:22 > 198.51.100.7:5000 SA ttl 63 data 0");
	struct endpoint us = goes_out(gateway, "web5",
		&(struct packet){ .to = OTHER, .from_port = 7000, .to_port = 123, .data = 48 });
	cr_assert_str_eq(us.address, "203.0.113.20");
	cr_assert_eq(us.port, 7000);
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.20",
				  .protocol = ICMP,
				  .icmp_type = 8,
				  .icmp_id = 5,
				  .data = 8 });
	expect_at(gateway, "web5", "icmp echo 198.51.100.7 > 10.0.1.5 id 5 seq 0 ttl 63 data 8");
	gateway_host_sends(gateway, "web5",
		&(struct packet){ .to = SERVER, .protocol = ICMP, .icmp_type = 0, .icmp_id = 5, .data = 8 });
	gateway_run(gateway);
	expect_at(gateway, "router", "icmp echo-reply 203.0.113.20 > 198.51.100.7 id 5 seq 0 ttl 63 data 8");
}

CASE(nat, a_forwarded_port_leads_to_its_host_and_the_others_do_not, web_world)
{
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.1",
				  .protocol = TCP,
				  .tcp = "S",
				  .from_port = 5000,
				  .to_port = 8080 });
	expect_at(gateway, "web6", "tcp 198.51.100.7:5000 > 10.0.1.6:80 S ttl 63 data 0");
	gateway_host_sends(gateway, "web6",
		&(struct packet){
			.to = SERVER, .protocol = TCP, .tcp = "SA", .from_port = 80, .to_port = 5000 });
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 203.0.113.1:8080 > 198.51.100.7:5000 SA ttl 63 data 0");
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.1",
				  .from_port = 5000,
				  .to_port = 5353,
				  .data = 12 });
	expect_at(gateway, "web6", "udp 198.51.100.7:5000 > 10.0.1.6:53 ttl 63 data 12");
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.1",
				  .from_port = 5000,
				  .to_port = 5354,
				  .data = 12 });
	expect_at(gateway, "router",
		"icmp 3/3 203.0.113.1 > 198.51.100.7 ttl 64 quoting {udp 198.51.100.7:5000 > "
		"203.0.113.1:5354}");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}

CASE(nat, what_a_forwarding_host_opens_itself_goes_by_the_pool, web_world)
{
	struct endpoint us = goes_out(gateway, "web6",
		&(struct packet){ .to = SERVER, .from_port = 9000, .to_port = 53, .data = 18 });

	cr_assert(us.address[10] == '1' && (us.address[11] == '0' || us.address[11] == '1'),
		"not of the pool: %s", us.address);
}

CASE(nat, the_outside_cannot_reach_what_is_not_bound, web_world)
{
	comes_in(gateway,
		&(struct packet){
			.from = SERVER, .to = "203.0.113.10", .from_port = 53, .to_port = 9999, .data = 9 });
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.11",
				  .protocol = ICMP,
				  .icmp_type = 8,
				  .icmp_id = 9,
				  .data = 9 });
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	comes_in(gateway,
		&(struct packet){
			.from = SERVER, .to = "10.0.1.11", .from_port = 53, .to_port = 4000, .data = 9 });
	expect_drop(gateway, DROP_NAT_INSIDE_ADDRESS);
}

CASE(nat, a_stranger_cannot_use_the_binding_of_others, web_world)
{
	struct endpoint us = goes_out(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });

	udp_answer(gateway, OTHER, 53, &us);
	expect_drop(gateway, DROP_NAT_FILTERED);
	udp_answer(gateway, SERVER, 54, &us);
	expect_drop(gateway, DROP_NAT_FILTERED);
}

CASE(nat, tcp_without_syn_opens_nothing, web_world)
{
	static const char *const flags[] = { "A", "SA", "R", "FA", "" };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER,
				.from_port = 4000,
				.to_port = 80,
				.protocol = TCP,
				.tcp = flags[i] });
		comes_in(gateway, &(struct packet){ .from = SERVER,
					  .to = "203.0.113.20",
					  .protocol = TCP,
					  .tcp = flags[i],
					  .from_port = 5000,
					  .to_port = 22 });
		expect_drops(gateway, DROP_NAT_TCP_STATE, 2);
	}
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Conforms: RFC 5508 REQ-11. */
CASE(nat, protocols_without_ports_are_refused, web_world)
{
	gateway_host_sends(gateway, "web11", &(struct packet){ .to = SERVER, .protocol = 47, .data = 20 });
	comes_in(gateway,
		&(struct packet){ .from = SERVER, .to = "203.0.113.10", .protocol = 47, .data = 20 });
	expect_drops(gateway, DROP_NAT_GRE, 2);
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = ICMP, .icmp_type = 17, .data = 12 }); /* address mask */
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_ICMP_TYPE);
}

CASE(nat, segments_with_the_same_addresses_stay_apart, overlap_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };
	struct endpoint blue = goes_out(gateway, "blue7", &packet), red = goes_out(gateway, "red7", &packet);

	cr_assert_str_eq(blue.address, "203.0.113.30");
	cr_assert_str_eq(red.address, "203.0.113.40");
	udp_answer(gateway, SERVER, 53, &red);
	expect_at(gateway, "red7", "udp 198.51.100.7:53 > 10.9.0.7:4000 ttl 63 data 30");
	udp_answer(gateway, SERVER, 53, &blue);
	expect_at(gateway, "blue7", "udp 198.51.100.7:53 > 10.9.0.7:4000 ttl 63 data 30");
}

/* Conforms: RFC 4787 REQ-5, REQ-5c, REQ-6, REQ-6a, RFC 5382 REQ-5, RFC 5508 REQ-2. */
CASE(nat, sessions_end_when_they_were_idle_for_their_time, web_world)
{
	struct packet udp = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };
	struct endpoint us = goes_out(gateway, "web11", &udp);

	goes_out(gateway, "web11",
		&(struct packet){ .to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 7 });
	goes_out(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = TCP, .tcp = "S", .from_port = 4000, .to_port = 80 });
	cr_assert_eq(gateway_sessions(gateway), 3);
	gateway_advance(gateway, 75000);
	cr_assert_eq(gateway_sessions(gateway), 2, "ICMP is over after 60 s");
	gateway_advance(gateway, 180000);
	cr_assert_eq(
		gateway_sessions(gateway), 1, "a TCP connection that was not answered is over after 240 s");
	udp_answer(gateway, SERVER, 53, &us);
	expect_at(gateway, "web11", "udp *");
	gateway_advance(gateway, 290000);
	cr_assert_eq(gateway_sessions(gateway), 1, "its packet kept it alive");
	gateway_advance(gateway, 30000);
	cr_assert_eq(gateway_sessions(gateway), 0, "UDP is over after 300 s");
	udp_answer(gateway, SERVER, 53, &us);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
}

/* Conforms: RFC 5382 REQ-5. */
CASE(nat, an_established_connection_outlives_two_hours, web_world)
{
	struct endpoint us = goes_out(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = TCP, .tcp = "S", .from_port = 4000, .to_port = 80 });

	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = us.address,
				  .protocol = TCP,
				  .tcp = "SA",
				  .from_port = 80,
				  .to_port = us.port });
	expect_at(gateway, "web11", "tcp *");
	gateway_advance(gateway, 7400000);
	cr_assert_eq(gateway_sessions(gateway), 1);
	gateway_advance(gateway, 70000);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

#define ONE_OWNER (1u << PLAN_FUSED | 1u << PLAN_SPLIT) /* the shares of several owners differ */

/* Conforms: RFC 6888 REQ-8, RFC 6888 REQ-11a, RFC 6888 REQ-11d. */
CASE_IN(nat, a_pool_without_free_ports_refuses_the_new_and_keeps_the_old, small_world, ONE_OWNER)
{
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 18 };
	struct endpoint first = { 0 };

	for (uint16_t i = 0; i < 128; i++) {
		packet.from_port = (uint16_t)(1024 + i);
		struct endpoint us = goes_out(gateway, "web11", &packet);
		if (i == 0)
			first = us;
	}
	packet.from_port = 9000;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_NO_PORTS);
	expect_at(gateway, "web11", "icmp 3/13 10.0.1.1 > 10.0.1.11 *");
	udp_answer(gateway, SERVER, 53, &first);
	expect_at(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:1024 *");
	/* The sessions end, and their ports rest for two minutes. */
	gateway_advance(gateway, 320000);
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_NO_PORTS);
	expect_at(gateway, "web11", "icmp 3/13 10.0.1.1 > 10.0.1.11 *");
	gateway_advance(gateway, 180000);
	goes_out(gateway, "web11", &packet);
}

/* Two packets each of as many new endpoints as there are ports: at no time may the second ones, which need none, use up
 * what the first ones need. Conforms: RFC 4787 REQ-1. */
CASE_IN(nat, a_burst_of_new_endpoints_gets_the_last_ports, small_world, ONE_OWNER)
{
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 18 };
	struct frame frame;
	unsigned to_server = 0, to_other = 0;

	for (uint16_t i = 0; i < 128 - 16; i++) {
		packet.from_port = (uint16_t)(1024 + i);
		goes_out(gateway, "web11", &packet);
	}
	for (uint16_t i = 0; i < 16; i++) {
		packet.from_port = (uint16_t)(9000 + i);
		packet.to = SERVER;
		gateway_host_sends(gateway, "web11", &packet);
		packet.to = "198.51.100.9";
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	/* What joins a binding may go after what makes others. */
	for (int i = 0; i < 2 * 16; i++) {
		expect_at_taking(gateway, "router", "udp 203.0.113.10:* > *:53 *", &frame);
		to_server += frame_matches(&frame, "* > 198.51.100.7:53 *");
		to_other += frame_matches(&frame, "* > 198.51.100.9:53 *");
	}
	cr_assert_eq(to_server, 16);
	cr_assert_eq(to_other, 16);
	cr_assert_eq(gateway_sessions(gateway), 128 + 16);
	packet.from_port = 9100;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_NO_PORTS);
	expect_at(gateway, "web11", "icmp 3/13 *");
}

/* With one port left: what shares the endpoint that took it needs none, although somebody was refused in between. */
CASE_IN(nat, a_new_endpoint_keeps_its_port_for_all_of_its_burst, small_world, ONE_OWNER)
{
	struct packet packet = { .to = SERVER, .to_port = 53, .data = 18 };

	for (uint16_t i = 0; i < 127; i++) {
		packet.from_port = (uint16_t)(1024 + i);
		goes_out(gateway, "web11", &packet);
	}
	packet.from_port = 9000; /* of a host that is not known yet, so that the stages have all of them */
	gateway_host_sends(gateway, "web12", &packet);
	packet.from_port = 9001;
	packet.to = "198.51.100.8";
	gateway_host_sends(gateway, "web12", &packet);
	packet.from_port = 9000;
	packet.to = "198.51.100.9";
	gateway_host_sends(gateway, "web12", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_NO_PORTS);
	expect_at(gateway, "web12", "icmp 3/13 *");
	expect_at(gateway, "router", "udp 203.0.113.10:* > 198.51.100.7:53 *");
	expect_at(gateway, "router", "udp 203.0.113.10:* > 198.51.100.9:53 *");
}

static unsigned refusals_noted(const struct gateway *gateway)
{
	unsigned sum = 0;

	for (uint32_t place = 0; place < NAT_REFUSALS; place++) {
		struct nat_refused refused;

		if (nat_refusal_read(&nat_owner(gateway->plane->nat, 0)->refusals, place, &refused))
			for (int limit = 0; limit < NAT_LIMITS; limit++)
				sum += refused.count[limit];
	}
	return sum;
}

/* Also of those that are refused when their session is to be made. */
CASE_IN(nat, each_refusal_of_a_burst_is_noted, small_world, 1u << PLAN_SPLIT)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };
	struct frame frame;

	for (uint16_t i = 0; i < 1024; i++) {
		packet.to_port = (uint16_t)(1 + i);
		goes_out(gateway, "web11", &packet);
	}
	for (uint16_t i = 0; i < 5; i++) {
		packet.to_port = (uint16_t)(2000 + i);
		gateway_host_sends(gateway, "web11", &packet);
	}
	gateway_run(gateway);
	expect_drops(gateway, DROP_NAT_TABLE_FULL, 5);
	cr_assert_eq(refusals_noted(gateway), 5);
	while (gateway_receive(gateway, UNDERLAY, &frame)) /* fewer are answered */
		cr_assert(frame_matches(&frame, "* | icmp 3/13 *"));
}

/* Nor are others: of these three packets the first one opens the last session that the host may have. */
CASE_IN(nat, what_is_not_refused_is_not_noted, limits_world, 1u << PLAN_SPLIT)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .data = 18 };

	for (uint16_t i = 0; i < 6; i++) {
		packet.to_port = (uint16_t)(1 + i);
		goes_out(gateway, "web11", &packet);
	}
	packet.to_port = 99;
	for (int i = 0; i < 3; i++)
		gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	for (int i = 0; i < 3; i++)
		expect_at(gateway, "router", "udp *");
	cr_assert_eq(refusals_noted(gateway), 0);
}

CASE_IN(nat, a_full_table_refuses_the_new_and_keeps_the_old, small_world, ONE_OWNER)
{
	char server[16] = SERVER;
	struct packet packet = { .to = server, .from_port = 4000, .data = 18 };
	struct endpoint us = { 0 };

	for (uint16_t i = 0; i < 1024; i++) {
		packet.to_port = (uint16_t)(1 + i);
		us = goes_out(gateway, "web11", &packet);
	}
	packet.to_port = 2000;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_TABLE_FULL);
	expect_at(gateway, "web11", "icmp 3/13 10.0.1.1 > 10.0.1.11 *");
	udp_answer(gateway, SERVER, 1, &us);
	expect_at(gateway, "web11", "udp 198.51.100.7:1 > 10.0.1.11:4000 *");
}
