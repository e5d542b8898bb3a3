/* SPDX-License-Identifier: BSD-3-Clause */
/* What is routed although its host is behind NAT. (policy_test.c has a segment that is not.) */
#include "nat_case.h"
#include "worlds.h"

#define TRANSLATED "198.51.100.200" /* of no bypass of web11 */

/* Conforms: RFC 6888 REQ-6. */
CASE(bypass, what_goes_to_a_bypassed_destination_keeps_its_address, bypass_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };

	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > 198.51.100.7:53 ttl 63 data 18");
	packet.to = TRANSLATED;
	cr_assert_str_eq(goes_out(gateway, "web11", &packet).address, "203.0.113.10");
	packet.to = OTHER; /* the host's port has a binding now */
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > 198.51.100.8:53 ttl 63 data 18");
	comes_in(gateway,
		&(struct packet){
			.from = OTHER, .to = "10.0.1.11", .from_port = 53, .to_port = 4000, .data = 30 });
	expect_at(gateway, "web11", "udp 198.51.100.8:53 > 10.0.1.11:4000 ttl 63 data 30");
	cr_assert_eq(gateway_sessions(gateway), 1);
}

CASE(bypass, every_protocol_passes_a_bypass, bypass_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = TCP, .tcp = "SA", .from_port = 80, .to_port = 9 });
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 10.0.1.11:80 > 198.51.100.7:9 SA ttl 63 data 0");
	for (uint8_t type = 8; type <= 13; type += 5) {
		gateway_host_sends(gateway, "web11",
			&(struct packet){ .to = SERVER,
				.protocol = ICMP,
				.icmp_type = type,
				.icmp_id = 7,
				.data = 12 });
		gateway_run(gateway);
		expect_at(gateway, "router", "icmp * 10.0.1.11 > 198.51.100.7 *ttl 63 data 12");
	}
	for (uint8_t protocol = 47; protocol <= 132; protocol += 85) {
		gateway_host_sends(
			gateway, "web11", &(struct packet){ .to = SERVER, .protocol = protocol, .data = 20 });
		gateway_run(gateway);
		expect_at(gateway, "router", "* 10.0.1.11 > 198.51.100.7 *");
	}
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(bypass, fragments_and_errors_pass_a_bypass, bypass_world)
{
	struct packet fragment = { .to = SERVER,
		.from_port = 4000,
		.to_port = 53,
		.data = 1000,
		.more_fragments = true,
		.ip_id = 77 };
	struct frame query;

	gateway_host_sends(gateway, "web11", &fragment);
	fragment.fragment_offset = 126;
	fragment.more_fragments = false;
	gateway_host_sends(gateway, "web11", &fragment);
	gateway_run(gateway);
	expect_at(gateway, "router", "* 10.0.1.11* > 198.51.100.7*");
	expect_at(gateway, "router", "* 10.0.1.11 > 198.51.100.7 *");
	comes_in(gateway,
		&(struct packet){ .from = SERVER, .to = "10.0.1.11", .from_port = 53, .to_port = 9 });
	expect_at_taking(gateway, "web11", "udp 198.51.100.7:53 > 10.0.1.11:9 *", &query);
	frame_build(&query,
		&(struct packet){
			.from = SERVER, .to = "10.0.1.11", .from_port = 53, .to_port = 9, .data = 9 });
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = ICMP, .icmp_type = 3, .icmp_code = 3, .quote = &query });
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 3/3 10.0.1.11 > 198.51.100.7 ttl 63 quoting {udp 198.51.100.7:53 > 10.0.1.11:9}");
}

CASE(bypass, a_bypassed_destination_reaches_the_inside_address_and_others_do_not, bypass_world)
{
	struct packet in = { .from = SERVER,
		.to = "10.0.1.11",
		.protocol = TCP,
		.tcp = "S",
		.from_port = 5000,
		.to_port = 22 };

	comes_in(gateway, &in);
	expect_at(gateway, "web11", "tcp 198.51.100.7:5000 > 10.0.1.11:22 S ttl 63 data 0");
	in.from = TRANSLATED;
	comes_in(gateway, &in);
	expect_drop(gateway, DROP_NAT_INSIDE_ADDRESS);
	in.from = SERVER;
	in.to = "10.0.1.200"; /* of no bypass */
	comes_in(gateway, &in);
	expect_drop(gateway, DROP_NAT_INSIDE_ADDRESS);
}

/* Conforms: RFC 6888 REQ-6. */
CASE(bypass, hosts_with_a_bypass_to_everywhere_are_routed, bypass_world)
{
	struct packet packet = { .to = TRANSLATED, .from_port = 4000, .to_port = 53, .data = 18 };

	gateway_host_sends(gateway, "web70", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 10.0.1.70:4000 > 198.51.100.200:53 ttl 63 data 18");
	comes_in(
		gateway, &(struct packet){ .from = "192.0.9.1", .to = "10.0.1.70", .to_port = 7, .data = 4 });
	expect_at(gateway, "web70", "udp 192.0.9.1:* > 10.0.1.70:7 ttl 63 data 4");
}

/* What began from outside by a public address is answered from there, to a bypassed destination too. */
CASE(bypass, a_session_by_a_static_binding_goes_on_through_a_bypass, bypass_world)
{
	struct packet answer = {
		.to = SERVER, .protocol = TCP, .tcp = "SA", .from_port = 22, .to_port = 5000
	};

	comes_in(gateway, &(struct packet){ .from = SERVER,
				  .to = "203.0.113.20",
				  .protocol = TCP,
				  .tcp = "S",
				  .from_port = 5000,
				  .to_port = 22 });
	expect_at(gateway, "web5", "tcp 198.51.100.7:5000 > 10.0.1.5:22 S ttl 63 data 0");
	gateway_host_sends(gateway, "web5", &answer);
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 203.0.113.20:22 > 198.51.100.7:5000 SA ttl 63 data 0");
	answer.to_port = 5001;
	answer.tcp = "S";
	gateway_host_sends(gateway, "web5", &answer);
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 10.0.1.5:22 > 198.51.100.7:5001 S ttl 63 data 0");
}

/* Else the answer would come from an address that was not asked. */
CASE(bypass, what_is_for_a_public_address_of_ours_is_translated_nonetheless, bypass_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "203.0.113.20", .from_port = 4000, .to_port = 53, .data = 18 });
	gateway_run(gateway);
	expect_at(gateway, "web5", "udp 203.0.113.10:* > 10.0.1.5:53 ttl 63 data 18");
}
