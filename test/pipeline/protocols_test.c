/* SPDX-License-Identifier: BSD-3-Clause */
/* Protocols beside TCP, UDP and ICMP: whole through static bindings, refused by name elsewhere. */
#include "nat_case.h"
#include "worlds.h"

enum { SCTP = 132, UDP_LITE = 136, GRE = 47, ESP = 50 };

/* A pseudo header with the addresses of `frame`, and the first `covered` bytes after the IP header. */
static uint16_t udp_lite_sum(const struct frame *frame, uint16_t ip, uint16_t covered, uint16_t length)
{
	uint32_t sum = UDP_LITE + (uint32_t)length;

	for (uint16_t at = 12; at < 20; at = (uint16_t)(at + 2))
		sum += frame_get16(frame, (uint16_t)(ip + at));
	for (uint16_t at = 0; at < covered; at = (uint16_t)(at + 2))
		sum += frame_get16(frame, (uint16_t)(ip + 20 + at));
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Ports 4000 and 5000, a checksum that covers the header alone. */
static void udp_lite_build(struct frame *frame, uint16_t ip)
{
	frame_put16(frame, (uint16_t)(ip + 20), 4000);
	frame_put16(frame, (uint16_t)(ip + 22), 5000);
	frame_put16(frame, (uint16_t)(ip + 24), 8);
	frame_put16(frame, (uint16_t)(ip + 26), 0);
	frame_put16(frame, (uint16_t)(ip + 26), (uint16_t)~udp_lite_sum(frame, ip, 8, 28));
}

CASE(protocols, a_static_binding_passes_sctp_and_gre_with_every_byte_kept, peers_world)
{
	static const uint8_t protocol[] = { SCTP, GRE };

	for (unsigned i = 0; i < 2; i++) {
		struct frame sent, got;
		struct packet packet = {
			.to = SERVER, .protocol = protocol[i], .data = 32, .from = "10.0.1.5"
		};

		frame_build(&sent, &packet);
		gateway_host_sends(gateway, "open5", &packet);
		gateway_run(gateway);
		expect_at_taking(gateway, "router", "* 203.0.113.20 > 198.51.100.7 *ttl 63*", &got);
		cr_assert_arr_eq(got.bytes + 34, sent.bytes + 34, 32);
		comes_in(gateway,
			&(struct packet){
				.from = SERVER, .to = "203.0.113.20", .protocol = protocol[i], .data = 32 });
		expect_at(gateway, "open5", "* 198.51.100.7 > 10.0.1.5 *ttl 63*");
	}
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(protocols, a_static_binding_passes_udp_lite_with_right_checksums, peers_world)
{
	struct frame frame, got;

	gateway_host_frame(gateway, "router",
		&(struct packet){ .from = SERVER, .to = "203.0.113.20", .protocol = UDP_LITE, .data = 28 },
		&frame);
	udp_lite_build(&frame, 14);
	cr_assert(gateway_send(gateway, UPLINK, &frame));
	gateway_run(gateway);
	expect_at_taking(gateway, "open5", "* 198.51.100.7 > 10.0.1.5 *", &got);
	cr_assert_eq(udp_lite_sum(&got, 64, 8, 28), 0xffff);

	frame_build(&frame,
		&(struct packet){ .from = "10.0.1.5", .to = SERVER, .protocol = UDP_LITE, .data = 28 });
	udp_lite_build(&frame, 14);
	frame_put32(&frame, 0, 0x02005e00);
	frame_put16(&frame, 4, 0x7001);
	frame_put32(&frame, 6, 0x52540007);
	frame_put16(&frame, 10, 0x0105);
	gateway_host_sends_frame(gateway, "open5", &frame);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "* 203.0.113.20 > 198.51.100.7 *", &got);
	cr_assert_eq(udp_lite_sum(&got, 14, 8, 28), 0xffff);
}

CASE(protocols, fragments_of_them_pass_like_whole_packets, peers_world)
{
	gateway_host_sends(gateway, "open5",
		&(struct packet){ .to = SERVER,
			.protocol = SCTP,
			.data = 24,
			.fragment_offset = 4,
			.more_fragments = true });
	gateway_run(gateway);
	expect_at(gateway, "router", "* 203.0.113.20 > 198.51.100.7 *");
}

CASE(protocols, hosts_without_a_static_binding_have_them_refused_by_name, peers_world)
{
	static const struct {
		uint8_t protocol;
		enum drop_reason reason;
	} refused[] = { { SCTP, DROP_NAT_SCTP }, { UDP_LITE, DROP_NAT_UDP_LITE }, { GRE, DROP_NAT_GRE },
		{ ESP, DROP_NAT_PROTOCOL } };

	for (unsigned i = 0; i < 4; i++) {
		gateway_host_sends(gateway, "open11",
			&(struct packet){ .to = SERVER, .protocol = refused[i].protocol, .data = 28 });
		comes_in(gateway, &(struct packet){ .from = SERVER,
					  .to = "203.0.113.10",
					  .protocol = refused[i].protocol,
					  .data = 28 });
		expect_drops(gateway, refused[i].reason, 2);
	}
}

/* Conforms: RFC 5508 REQ-4, REQ-5. */
CASE(protocols, errors_about_them_are_turned_back_in_both_directions, peers_world)
{
	static const uint8_t protocol[] = { SCTP, UDP_LITE, GRE };

	for (unsigned i = 0; i < 3; i++) {
		struct frame about;
		struct packet error = { .from = OTHER,
			.to = "203.0.113.20",
			.protocol = ICMP,
			.icmp_type = 3,
			.icmp_code = 2,
			.quote = &about };

		frame_build(&about,
			&(struct packet){
				.from = "203.0.113.20", .to = SERVER, .protocol = protocol[i], .data = 28 });
		if (protocol[i] == UDP_LITE)
			udp_lite_build(&about, 14);
		gateway_host_sends(gateway, "router", &error);
		gateway_run(gateway);
		struct frame got;
		expect_at_taking(gateway, "open5",
			"icmp 3/2 198.51.100.8 > 10.0.1.5 ttl 63 quoting {* 10.0.1.5 > 198.51.100.7}", &got);
		if (protocol[i] == UDP_LITE)
			cr_assert_eq(udp_lite_sum(&got, 64 + 28, 8, 28), 0xffff);

		frame_build(&about,
			&(struct packet){
				.from = SERVER, .to = "10.0.1.5", .protocol = protocol[i], .data = 28 });
		error = (struct packet){
			.to = SERVER, .protocol = ICMP, .icmp_type = 3, .icmp_code = 2, .quote = &about
		};
		if (protocol[i] == UDP_LITE)
			udp_lite_build(&about, 14);
		gateway_host_sends(gateway, "open5", &error);
		gateway_run(gateway);
		expect_at_taking(gateway, "router",
			"icmp 3/2 203.0.113.20 > 198.51.100.7 ttl 63 quoting {* 198.51.100.7 > 203.0.113.20}",
			&got);
		if (protocol[i] == UDP_LITE)
			cr_assert_eq(udp_lite_sum(&got, 14 + 28, 8, 28), 0xffff);
	}
}

/* Conforms: RFC 5508 REQ-4, REQ-5. */
CASE(protocols, errors_about_what_no_static_binding_passes_are_dropped, peers_world)
{
	struct frame about;

	frame_build(&about,
		&(struct packet){ .from = "203.0.113.10", .to = SERVER, .protocol = SCTP, .data = 28 });
	comes_in(gateway, &(struct packet){ .from = OTHER,
				  .to = "203.0.113.10",
				  .protocol = ICMP,
				  .icmp_type = 3,
				  .quote = &about });
	frame_build(
		&about, &(struct packet){ .from = SERVER, .to = "10.0.1.11", .protocol = SCTP, .data = 28 });
	gateway_host_sends(gateway, "open11",
		&(struct packet){ .to = SERVER, .protocol = ICMP, .icmp_type = 3, .quote = &about });
	gateway_run(gateway);
	frame_build(&about,
		&(struct packet){ .from = "203.0.113.20", .to = SERVER, .protocol = ESP, .data = 28 });
	comes_in(gateway, &(struct packet){ .from = OTHER,
				  .to = "203.0.113.20",
				  .protocol = ICMP,
				  .icmp_type = 3,
				  .quote = &about });
	expect_drops(gateway, DROP_NAT_ICMP_EMBEDDED, 3);
}
