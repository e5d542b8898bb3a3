/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors: those that the gateway makes, and those that it carries through NAT. */
#include "pipeline_case.h"
#include "worlds.h"

#include <stdio.h>

#define SERVER "198.51.100.7"

enum { ICMP = 1, TCP = 6 };
enum { UNREACHABLE = 3, EXCEEDED = 11 };

CASE(icmp, traceroute_sees_the_gateway_from_both_sides, plain_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 33434, .ttl = 1, .data = 32 });
	gateway_run(gateway);
	expect_at(gateway, "web11",
		"icmp 11/0 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:4000 > 198.51.100.7:33434}");
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = SERVER,
			.to = "10.0.1.11",
			.from_port = 5000,
			.to_port = 33434,
			.ttl = 1,
			.data = 32 });
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 11/0 203.0.113.1 > 198.51.100.7 ttl 64 quoting {udp 198.51.100.7:5000 > "
		"10.0.1.11:33434}");
	expect_drops(gateway, DROP_TTL_EXPIRED, 2);
}

/* Conforms: RFC 5508 REQ-10. */
CASE(icmp, traceroute_sees_the_gateway_through_nat, web_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 33434, .ttl = 1, .data = 32 });
	gateway_run(gateway);
	expect_at(gateway, "web11",
		"icmp 11/0 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:4000 > 198.51.100.7:33434}");
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = SERVER,
			.to = "203.0.113.20",
			.from_port = 5000,
			.to_port = 33434,
			.ttl = 1,
			.data = 32 });
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 11/0 203.0.113.1 > 198.51.100.7 ttl 64 quoting {udp 198.51.100.7:5000 > "
		"203.0.113.20:33434}");
	expect_drops(gateway, DROP_TTL_EXPIRED, 2);
}

CASE(icmp, a_sender_that_forbids_fragments_learns_the_mtu, plain_world)
{
	struct packet packet = { .from = SERVER,
		.to = "10.0.1.11",
		.from_port = 80,
		.to_port = 4000,
		.protocol = TCP,
		.data = 1361,
		.dont_fragment = true }; /* 1401 bytes, the segment takes 1400 */

	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 3/4 203.0.113.1 > 198.51.100.7 mtu 1400 ttl 64 quoting {tcp 198.51.100.7:80 > "
		"10.0.1.11:4000}");
	expect_drop(gateway, DROP_TOO_BIG);
	packet.data--;
	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_at(gateway, "web11", "tcp 198.51.100.7:80 > 10.0.1.11:4000 A ttl 63 df data 1360");
}

/* The sender knows the packet as it was before it was translated. */
/* Conforms: RFC 4787 REQ-13. */
CASE(icmp, a_sender_that_forbids_fragments_learns_the_mtu_through_nat, overlap_world)
{
	struct packet answer = {
		.from = SERVER, .to = "203.0.113.40", .from_port = 53, .dont_fragment = true
	};
	struct frame sent;

	gateway_host_sends(gateway, "red7",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 9 });
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "udp *", &sent);
	answer.to_port = frame_from_port(&sent);
	answer.data = 1373; /* 1401 bytes, the segment takes 1400 */
	gateway_host_sends(gateway, "router", &answer);
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 3/4 203.0.113.1 > 198.51.100.7 mtu 1400 ttl 64 quoting {udp 198.51.100.7:53 > "
		"203.0.113.40:*}");
	expect_drop(gateway, DROP_TOO_BIG);
	answer.data--;
	gateway_host_sends(gateway, "router", &answer);
	gateway_run(gateway);
	expect_at(gateway, "red7", "udp 198.51.100.7:53 > 10.9.0.7:4000 ttl 63 df data 1372");
}

/* Conforms: RFC 5508 REQ-10. */
CASE(icmp, a_destination_without_route_is_unreachable, plain_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "192.168.7.7", .from_port = 1, .to_port = 2, .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "web11",
		"icmp 3/0 10.0.1.1 > 10.0.1.11 ttl 64 quoting {udp 10.0.1.11:1 > 192.168.7.7:2}");
	expect_drop(gateway, DROP_NO_ROUTE);
}

/* RFC 1812 section 4.3.2.7 */
CASE(icmp, errors_are_not_answered_with_errors, plain_world)
{
	struct frame about;

	frame_build(&about, &(struct packet){ .from = "192.168.7.7", .to = "10.0.1.11", .data = 9 });
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "192.168.7.7",
			.protocol = ICMP,
			.icmp_type = UNREACHABLE,
			.icmp_code = 3,
			.quote = &about });
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = "192.168.7.7", .data = 16, .fragment_offset = 3 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_NO_ROUTE, 2);
}

CASE(icmp, errors_have_a_rate, plain_world)
{
	unsigned answered = 0;
	struct frame frame;

	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = "10.0.1.1", .protocol = ICMP, .icmp_type = 8 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "icmp echo-reply *");
	for (int i = 0; i < 300; i++)
		gateway_host_sends(gateway, "web11", &(struct packet){ .to = "192.168.7.7", .data = 9 });
	gateway_run(gateway);
	while (gateway_receive(gateway, UNDERLAY, &frame))
		answered += frame_matches(&frame, "* icmp 3/0 10.0.1.1 > 10.0.1.11 *");
	cr_assert_leq(answered, 200);
	cr_assert_geq(answered, 5);
	expect_drops(gateway, DROP_NO_ROUTE, 300);
}

/* From outside about a packet of a workload: the workload must recognise what it sent. */
/* Conforms: RFC 4787 REQ-12a, RFC 5508 REQ-4. */
CASE(icmp, an_error_from_a_router_outside_reaches_the_workload, web_world)
{
	struct frame sent;

	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" });
	gateway_run(gateway);
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4001, .to_port = 53, .data = 40 });
	gateway_run(gateway);
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = SERVER, .protocol = ICMP, .icmp_type = 8, .icmp_id = 77, .data = 40 });
	gateway_run(gateway);
	static const char *const quoted[] = {
		"{tcp 10.0.1.11:4000 > 198.51.100.7:80}",
		"{udp 10.0.1.11:4001 > 198.51.100.7:53}",
		"{icmp 8/0 10.0.1.11 > 198.51.100.7 id 77}",
	};
	for (int i = 0; i < 3; i++) {
		char pattern[160], public[16];
		expect_at_taking(gateway, "router", "*", &sent);
		uint32_t a = frame_from_address(&sent);
		snprintf(
			public, sizeof(public), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = "192.0.33.1",
				.to = public,
				.protocol = ICMP,
				.icmp_type = UNREACHABLE,
				.icmp_code = 4,
				.icmp_mtu = 1280,
				.quote = &sent });
		gateway_run(gateway);
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = "192.0.33.1",
				.to = public,
				.protocol = ICMP,
				.icmp_type = EXCEEDED,
				.quote = &sent,
				.quote_length = 28 });
		gateway_run(gateway);
		snprintf(pattern, sizeof(pattern),
			"icmp 3/4 192.0.33.1 > 10.0.1.11 mtu 1280 ttl 63 quoting %s", quoted[i]);
		expect_at(gateway, "web11", pattern);
		snprintf(pattern, sizeof(pattern), "icmp 11/0 192.0.33.1 > 10.0.1.11 ttl 63 quoting %s",
			quoted[i]);
		expect_at(gateway, "web11", pattern);
	}
}

/* From inside about a packet from outside: the outside must not see the inside address. */
/* Conforms: RFC 5508 REQ-5. */
CASE(icmp, an_error_from_a_workload_reaches_the_outside, web_world)
{
	struct frame received, inner = { 0 };
	struct frame_view view;

	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = SERVER, .to = "203.0.113.20", .from_port = 5000, .to_port = 53, .data = 20 });
	gateway_run(gateway);
	expect_at_taking(gateway, "web5", "udp 198.51.100.7:5000 > 10.0.1.5:53 ttl 63 data 20", &received);
	frame_check(&received, 4789, &view);
	inner.length = (uint16_t)(received.length - view.ethernet);
	for (uint16_t i = 0; i < inner.length; i++)
		inner.bytes[i] = received.bytes[view.ethernet + i];
	gateway_host_sends(gateway, "web5",
		&(struct packet){ .to = SERVER,
			.protocol = ICMP,
			.icmp_type = UNREACHABLE,
			.icmp_code = 3,
			.quote = &inner });
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 3/3 203.0.113.20 > 198.51.100.7 ttl 63 quoting {udp 198.51.100.7:5000 > "
		"203.0.113.20:53}");
}

/* Sends `packet` from web11, and an error about what came out of it; `spoil` flips a bit of that first. */
static void error_about(
	struct gateway *gateway, const struct packet *packet, uint16_t spoil, uint16_t extension)
{
	struct frame sent;
	char public[16];

	gateway_host_sends(gateway, "web11", packet);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "*", &sent);
	uint32_t a = frame_from_address(&sent);
	snprintf(public, sizeof(public), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	sent.bytes[spoil] ^= spoil != 0;
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "192.0.33.1",
			.to = public,
			.protocol = ICMP,
			.icmp_type = EXCEEDED,
			.quote = &sent,
			.data = extension });
	gateway_run(gateway);
}

/* Conforms: RFC 5508 REQ-3b. */
CASE(icmp, an_error_about_a_packet_with_options_reaches_the_workload, web_world)
{
	static const uint8_t router_alert[] = { 148, 4, 0, 0 };

	error_about(gateway,
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 53,
			.data = 40,
			.options = router_alert,
			.options_length = sizeof(router_alert) },
		0, 0);
	expect_at(gateway, "web11",
		"icmp 11/0 192.0.33.1 > 10.0.1.11 ttl 63 quoting {udp 10.0.1.11:4000 > 198.51.100.7:53}*");
}

/* Conforms: RFC 5508 REQ-3c. */
CASE(icmp, an_error_about_a_packet_whose_data_was_damaged_reaches_the_workload, web_world)
{
	struct frame got;

	error_about(gateway, &(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 40 },
		14 + 20 + 8 + 5, 0);
	expect_at_taking(gateway, "web11", "BAD quoted l4 checksum*", &got);
	cr_assert_eq(frame_get32(&got, 64 + 20 + 8 + 12), ipv4_from_text("10.0.1.11"));
	cr_assert_eq(frame_get16(&got, 64 + 20 + 8 + 20), 4000);
}

/* What follows the quoted packet is as it was, and the checksums of both are right. */
/* Conforms: RFC 5508 REQ-3d. */
CASE(icmp, an_error_with_extensions_reaches_the_workload, web_world)
{
	struct frame got;
	struct frame_view view;

	error_about(gateway, &(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 40 },
		0, 76);
	expect_at_taking(gateway, "web11",
		"icmp 11/0 192.0.33.1 > 10.0.1.11 ttl 63 quoting {udp 10.0.1.11:4000 > 198.51.100.7:53}",
		&got);
	cr_assert_null(frame_check(&got, 4789, &view));
	cr_assert_eq(view.ip_total, 20 + 8 + 20 + 8 + 40 + 76);
}

CASE(icmp, an_error_about_no_flow_of_ours_is_refused, web_world)
{
	struct frame stranger;

	frame_build(&stranger,
		&(struct packet){
			.from = "203.0.113.10", .to = SERVER, .from_port = 7, .to_port = 8, .data = 9 });
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "192.0.33.1",
			.to = "203.0.113.10",
			.protocol = ICMP,
			.icmp_type = UNREACHABLE,
			.icmp_code = 1,
			.quote = &stranger });
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "192.0.33.1",
			.to = "203.0.113.10",
			.protocol = ICMP,
			.icmp_type = UNREACHABLE,
			.icmp_code = 1,
			.quote = &stranger,
			.quote_length = 20 });
	frame_build(&stranger,
		&(struct packet){
			.from = SERVER, .to = "10.0.1.11", .from_port = 7, .to_port = 8, .data = 9 });
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER,
			.protocol = ICMP,
			.icmp_type = UNREACHABLE,
			.icmp_code = 3,
			.quote = &stranger });
	gateway_run(gateway);
	expect_drops(gateway, DROP_NAT_ICMP_EMBEDDED, 3);
}
