/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts behind the gateway that reach each other by their public addresses. */
#include "nat_case.h"
#include "worlds.h"

/* What a host sends reaches another host, from where that one sees it. */
static struct endpoint hairpins(
	struct gateway *gateway, const char *from, const struct packet *packet, const char *to)
{
	struct frame frame;

	gateway_host_sends(gateway, from, packet);
	gateway_run(gateway);
	expect_at_taking(gateway, to, "*", &frame);
	return endpoint_of(&frame, packet->protocol == ICMP);
}

/* Conforms: RFC 4787 REQ-9, REQ-9a. */
CASE(hairpin, two_hosts_of_a_segment_talk_by_their_public_ports, peers_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 3478, .data = 20 };
	struct endpoint one = goes_out(gateway, "open11", &out), other = goes_out(gateway, "open12", &out);
	struct endpoint seen = hairpins(gateway, "open11",
		&(struct packet){ .to = other.address, .from_port = 4000, .to_port = other.port, .data = 9 },
		"open12");

	cr_assert_str_eq(seen.address, one.address);
	cr_assert_eq(seen.port, one.port);
	seen = hairpins(gateway, "open12",
		&(struct packet){ .to = one.address, .from_port = 4000, .to_port = one.port, .data = 9 },
		"open11");
	cr_assert_str_eq(seen.address, other.address);
	cr_assert_eq(seen.port, other.port);
}

/* Conforms: RFC 4787 REQ-9. */
CASE(hairpin, a_host_reaches_itself_by_its_public_port, peers_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 3478, .data = 20 };
	struct endpoint us = goes_out(gateway, "open11", &out);
	struct endpoint seen = hairpins(gateway, "open11",
		&(struct packet){ .to = us.address, .from_port = 4000, .to_port = us.port, .data = 9 },
		"open11");

	cr_assert_eq(seen.port, us.port);
}

/* Conforms: RFC 5382 REQ-8, REQ-8a. */
CASE(hairpin, a_tcp_connection_to_a_public_address_inside_is_whole, peers_world)
{
	struct packet out = {
		.to = "203.0.113.21", .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S"
	};
	struct endpoint us = hairpins(gateway, "open11", &out, "known5");
	struct packet answer = {
		.to = us.address, .from_port = 80, .to_port = us.port, .protocol = TCP, .tcp = "SA"
	};

	cr_assert_str_eq(us.address, "203.0.113.10");
	gateway_host_sends(gateway, "known5", &answer);
	gateway_run(gateway);
	expect_at(gateway, "open11", "tcp 203.0.113.21:80 > 10.0.1.11:4000 SA ttl 63 data 0");
	out.tcp = "A";
	out.data = 500;
	gateway_host_sends(gateway, "open11", &out);
	gateway_run(gateway);
	expect_at(gateway, "known5", "tcp 203.0.113.10:* > 10.0.2.5:80 A ttl 63 data 500");
	cr_assert_eq(gateway_sessions(gateway), 2, "one of each side");
}

/* Conforms: RFC 5382 REQ-8. */
CASE(hairpin, a_forwarded_port_of_the_gateway_is_reached_from_inside, peers_world)
{
	struct endpoint us = hairpins(gateway, "strict11",
		&(struct packet){ .to = "203.0.113.1",
			.from_port = 4000,
			.to_port = 8080,
			.protocol = TCP,
			.tcp = "S" },
		"open6");

	cr_assert_str_eq(us.address, "203.0.113.12");
	gateway_host_sends(gateway, "open6",
		&(struct packet){ .to = us.address,
			.from_port = 80,
			.to_port = us.port,
			.protocol = TCP,
			.tcp = "SA" });
	gateway_run(gateway);
	expect_at(gateway, "strict11", "tcp 203.0.113.1:8080 > 10.0.3.11:4000 SA ttl 63 data 0");
	hairpins(gateway, "open6",
		&(struct packet){ .to = "203.0.113.1", .from_port = 7, .to_port = 5353, .data = 9 }, "open6");
}

CASE(hairpin, other_ports_of_the_gateway_answer_hosts_inside_themselves, peers_world)
{
	gateway_host_sends(gateway, "open11",
		&(struct packet){ .to = "203.0.113.1", .from_port = 4000, .to_port = 9, .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "open11",
		"icmp 3/3 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:4000 > 203.0.113.1:9}");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
	gateway_host_sends(gateway, "open11",
		&(struct packet){ .to = "203.0.113.1", .protocol = ICMP, .icmp_type = 8, .icmp_id = 3 });
	gateway_run(gateway);
	expect_at(gateway, "open11", "icmp echo-reply 203.0.113.1 > 10.0.1.11 id 3 seq 0 *");
	cr_assert_eq(gateway_sessions(gateway), 0);
}

/* Conforms: RFC 5508 REQ-7, RFC 7857 12. */
CASE(hairpin, a_ping_to_a_public_address_inside_is_answered, peers_world)
{
	struct packet ping = { .to = "203.0.113.21", .protocol = ICMP, .icmp_type = 8, .icmp_id = 77 };
	struct endpoint us = hairpins(gateway, "strict11", &ping, "known5");

	cr_assert_str_eq(us.address, "203.0.113.12");
	gateway_host_sends(gateway, "known5",
		&(struct packet){
			.to = us.address, .protocol = ICMP, .icmp_type = 0, .icmp_id = us.port, .data = 8 });
	gateway_run(gateway);
	expect_at(gateway, "strict11", "icmp echo-reply 203.0.113.21 > 10.0.3.11 id 77 seq 0 ttl 63 data 8");
}

/* Conforms: RFC 5508 REQ-7, REQ-7a, RFC 7857 12. */
CASE(hairpin, an_error_about_a_hairpinned_packet_comes_back_as_its_sender_knows_it, peers_world)
{
	struct frame frame, quote;

	gateway_host_sends(gateway, "open11",
		&(struct packet){ .to = "203.0.113.21", .from_port = 4000, .to_port = 53, .data = 30 });
	gateway_run(gateway);
	expect_at_taking(gateway, "known5", "udp 203.0.113.10:* > 10.0.2.5:53 *", &frame);
	struct endpoint us = endpoint_of(&frame, false);
	frame_build(&quote, &(struct packet){ .from = us.address,
				    .to = "10.0.2.5",
				    .from_port = us.port,
				    .to_port = 53,
				    .data = 30,
				    .ttl = 63 });
	gateway_host_sends(gateway, "known5",
		&(struct packet){ .to = us.address,
			.protocol = ICMP,
			.icmp_type = 3,
			.icmp_code = 3,
			.quote = &quote });
	gateway_run(gateway);
	expect_at(gateway, "open11",
		"icmp 3/3 203.0.113.21 > 10.0.1.11 ttl 63 quoting {udp 10.0.1.11:4000 > 203.0.113.21:53}");
}

/* Conforms: RFC 4787 REQ-13, RFC 5508 REQ-7. */
CASE(hairpin, a_hairpinned_packet_too_big_for_the_other_segment_is_answered, peers_world)
{
	gateway_host_sends(gateway, "open11",
		&(struct packet){ .to = "203.0.113.21",
			.from_port = 4000,
			.to_port = 53,
			.data = 1400,
			.dont_fragment = true });
	gateway_run(gateway);
	expect_at(gateway, "open11",
		"icmp 3/4 10.0.1.1 > 10.0.1.11 mtu 1400 * quoting {udp 10.0.1.11:4000 > 203.0.113.21:53}");
	expect_drop(gateway, DROP_TOO_BIG);
}

CASE(hairpin, a_hairpinned_packet_whose_ttl_runs_out_is_answered_as_it_came, peers_world)
{
	gateway_host_sends(gateway, "open11",
		&(struct packet){
			.to = "203.0.113.20", .from_port = 4000, .to_port = 53, .data = 9, .ttl = 1 });
	gateway_run(gateway);
	expect_at(gateway, "open11",
		"icmp 11/0 10.0.1.1 > 10.0.1.11 * quoting {udp 10.0.1.11:4000 > 203.0.113.20:53}");
	expect_drop(gateway, DROP_TTL_EXPIRED);
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(hairpin, filtering_holds_for_neighbours_too, peers_world)
{
	struct endpoint us = goes_out(gateway, "strict12",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 });

	gateway_host_sends(gateway, "strict11",
		&(struct packet){ .to = us.address, .from_port = 4000, .to_port = us.port, .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_FILTERED);
}

CASE(hairpin, a_host_without_a_public_address_of_its_own_cannot_go_round, peers_world)
{
	gateway_host_sends(gateway, "routed11",
		&(struct packet){ .to = "203.0.113.20", .from_port = 4000, .to_port = 80, .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_HAIRPIN);
}

/* Conforms: RFC 5382 REQ-4, RFC 5508 REQ-7. */
CASE(hairpin, a_syn_to_a_public_port_that_nobody_has_is_refused_after_six_seconds, peers_world)
{
	gateway_host_sends(gateway, "strict11",
		&(struct packet){ .to = "203.0.113.10",
			.protocol = 6,
			.tcp = "S",
			.from_port = 4000,
			.to_port = 9999 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	gateway_advance(gateway, 5900);
	expect_silence(gateway);
	gateway_advance(gateway, 200);
	expect_at(gateway, "strict11",
		"icmp 3/3 * > 10.0.3.11 * quoting {tcp 10.0.3.11:4000 > 203.0.113.10:9999}");
}

/* Conforms: RFC 4787 REQ-9, REQ-9a. */
CASE(hairpin, hosts_that_share_the_address_of_the_uplink_reach_each_other_by_it, shared_world)
{
	struct packet out = { .to = SERVER, .from_port = 1100, .to_port = 3478, .data = 20 };
	struct endpoint one = goes_out(gateway, "web11", &out), other = goes_out(gateway, "web12", &out);
	struct endpoint seen = hairpins(gateway, "web11",
		&(struct packet){ .to = other.address, .from_port = 1100, .to_port = other.port, .data = 9 },
		"web12");

	cr_assert_str_eq(other.address, "203.0.113.1");
	cr_assert_str_eq(seen.address, one.address);
	cr_assert_eq(seen.port, one.port);
	/* The other ports are the gateway's. */
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "203.0.113.1", .from_port = 1100, .to_port = 9, .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "web11",
		"icmp 3/3 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:1100 > 203.0.113.1:9}");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "203.0.113.1", .from_port = 1100, .to_port = 1151, .data = 9 });
	gateway_run(gateway);
	expect_at(
		gateway, "web11", "icmp 3/3 * > 10.0.1.11 * quoting {udp 10.0.1.11:1100 > 203.0.113.1:1151}");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}

/* Conforms: RFC 5508 REQ-7. */
CASE(hairpin, a_ping_by_the_address_of_the_uplink_is_answered, shared_world)
{
	struct packet ping = { .to = "203.0.113.20", .protocol = ICMP, .icmp_type = 8, .icmp_id = 77 };
	struct endpoint us = hairpins(gateway, "web11", &ping, "known5");

	cr_assert_str_eq(us.address, "203.0.113.1");
	gateway_host_sends(gateway, "known5",
		&(struct packet){
			.to = us.address, .protocol = ICMP, .icmp_type = 0, .icmp_id = us.port, .data = 8 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "icmp echo-reply 203.0.113.20 > 10.0.1.11 id 77 seq 0 ttl 63 data 8");
}
