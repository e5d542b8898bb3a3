/* SPDX-License-Identifier: BSD-3-Clause */
/* What does not fit: TCP is told in its SYN, what may be cut is cut. */
#include "gateway_ports.h"
#include "pipeline_case.h"
#include "worlds.h"

#include <string.h>

#define SERVER "198.51.100.7"

enum { ICMP = 1, TCP = 6 };

#define ETHERNET 14
#define TUNNEL   50

static void sends(struct gateway *gateway, const char *host, const struct packet *packet)
{
	gateway_host_sends(gateway, host, packet);
	gateway_run(gateway);
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Sends a SYN with the options and returns a copy of those that arrive. */
static const uint8_t *options_passed(struct gateway *gateway, const char *from, const char *to,
	struct packet *packet, const uint8_t *options, uint8_t length)
{
	static struct frame frame;
	struct frame_view view;

	packet->protocol = TCP;
	packet->tcp_options = options;
	packet->tcp_options_length = length;
	sends(gateway, from, packet);
	expect_at_taking(gateway, to, "tcp *", &frame);
	frame_check(&frame, 4789, &view);
	return &frame.bytes[view.l4 + 20];
}

/* 2, 4, value: the announced MSS alone. */
static uint16_t mss_passed(
	struct gateway *gateway, const char *from, const char *to, struct packet *packet, uint16_t mss)
{
	const uint8_t options[] = { 2, 4, (uint8_t)(mss >> 8), (uint8_t)mss };

	return get16(options_passed(gateway, from, to, packet, options, sizeof(options)) + 2);
}

/* The segment takes 1400, the uplink 1500. */
CASE(mtu, tcp_announces_no_more_than_fits_in_both_directions, plain_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .tcp = "S" };
	struct packet in = {
		.from = SERVER, .to = "10.0.1.11", .from_port = 80, .to_port = 4000, .tcp = "SA"
	};

	cr_assert_eq(mss_passed(gateway, "web11", "router", &out, 1460), 1360);
	cr_assert_eq(mss_passed(gateway, "router", "web11", &in, 1460), 1360);
	in.tcp = "S";
	cr_assert_eq(mss_passed(gateway, "router", "web11", &in, 8960), 1360);
}

CASE(mtu, tcp_announces_no_more_than_fits_through_nat, overlap_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .tcp = "S" };
	struct packet in = { .from = SERVER, .to = "203.0.113.40", .from_port = 80, .tcp = "SA" };
	const uint8_t options[] = { 2, 4, 1460 >> 8, 1460 & 0xff };
	struct frame frame;

	out.protocol = TCP;
	out.tcp_options = options;
	out.tcp_options_length = sizeof(options);
	/* The first connection finds out the ways that the others take. */
	for (uint16_t i = 0; i < 3; i++) {
		out.from_port = (uint16_t)(4000 + i);
		sends(gateway, "red7", &out);
		expect_at_taking(gateway, "router", "tcp 203.0.113.40:* S *", &frame);
		cr_assert_eq(get16(&frame.bytes[ETHERNET + 20 + 20 + 2]), 1360);
		in.to_port = frame_from_port(&frame);
		cr_assert_eq(mss_passed(gateway, "router", "red7", &in, 1460), 1360);
		sends(gateway, "blue7", &out);
		expect_at_taking(gateway, "router", "tcp 203.0.113.30:* S *", &frame);
		cr_assert_eq(get16(&frame.bytes[ETHERNET + 20 + 20 + 2]), 1460, "all of the way takes 1500");
	}
}

CASE(mtu, an_mss_is_never_raised_and_none_is_invented, plain_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .tcp = "S" };

	cr_assert_eq(mss_passed(gateway, "web11", "router", &out, 536), 536);
	cr_assert_eq(mss_passed(gateway, "web11", "router", &out, 1360), 1360);
	out.tcp_options_length = 0;
	sends(gateway, "web11", &out);
	expect_at(gateway, "router", "tcp 10.0.1.11:4000 > 198.51.100.7:80 S ttl 63 data 0");
	out.tcp = "A";
	cr_assert_eq(mss_passed(gateway, "web11", "router", &out, 1460), 1460, "only a SYN announces one");
}

/* Red clamps to 1200, blue leaves SYNs alone. */
CASE(mtu, a_segment_sets_a_limit_of_its_own_or_none, clamp_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .tcp = "S" };

	cr_assert_eq(mss_passed(gateway, "red7", "router", &out, 1460), 1200);
	cr_assert_eq(mss_passed(gateway, "red7", "router", &out, 1100), 1100);
	cr_assert_eq(mss_passed(gateway, "blue7", "router", &out, 8960), 8960);
}

/* Options lie as they like, at odd places too, and their lengths may be lies. */
CASE(mtu, the_mss_is_found_among_other_options_and_lies_are_left_alone, plain_world)
{
	struct packet out = { .to = SERVER, .from_port = 4000, .to_port = 80, .tcp = "S" };
	static const uint8_t among[][12] = {
		{ 1, 2, 4, 1460 >> 8, 1460 & 0xff, 3, 3, 7, 4, 2, 1, 0 },
		{ 4, 2, 3, 3, 7, 2, 4, 1460 >> 8, 1460 & 0xff, 0, 0, 0 },
		{ 3, 3, 7, 1, 1, 1, 1, 1, 2, 4, 1460 >> 8, 1460 & 0xff },
	};
	static const uint8_t at[] = { 3, 7, 10 };
	static const uint8_t lies[][12] = {
		{ 3, 0, 2, 4, 1460 >> 8, 1460 & 0xff },                   /* length 0 */
		{ 3, 200, 2, 4, 1460 >> 8, 1460 & 0xff },                 /* beyond the header */
		{ 0, 1, 2, 4, 1460 >> 8, 1460 & 0xff },                   /* after the end of the options */
		{ 2, 3, 1460 >> 8, 1460 & 0xff, 1, 1, 1, 1, 1, 1, 1, 2 }, /* not an MSS's length; cut off */
	};

	for (size_t i = 0; i < sizeof(at); i++) {
		const uint8_t *got = options_passed(gateway, "web11", "router", &out, among[i], 12);
		cr_assert_eq(get16(got + at[i]), 1360, "%zu", i);
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_arr_eq(
			options_passed(gateway, "web11", "router", &out, lies[i], 12), lies[i], 12, "%zu", i);
}

/* Gathers the fragments that reach a host until there are no more, and puts their payload together. */
struct gathered {
	uint8_t payload[4096];
	uint16_t length, count;
	uint16_t id;
};

static void gather(struct gateway *gateway, uint16_t port, uint16_t ip, uint16_t mtu, struct gathered *whole)
{
	struct frame frame;
	bool more = true;

	*whole = (struct gathered){ 0 };
	for (; gateway_receive(gateway, port, &frame); whole->count++) {
		uint16_t header = (uint16_t)((frame.bytes[ip] & 15) * 4);
		uint16_t total = frame_get16(&frame, (uint16_t)(ip + 2)), bits = frame_get16(&frame, ip + 6);
		struct frame_view view;

		cr_assert_null(frame_check(&frame, 4789, &view));
		cr_assert_leq(total, mtu);
		cr_assert(more, "a fragment after the last");
		cr_assert_eq((bits & 0x1fff) * 8, whole->length);
		if (whole->count > 0)
			cr_assert_eq(frame_get16(&frame, (uint16_t)(ip + 4)), whole->id);
		whole->id = frame_get16(&frame, (uint16_t)(ip + 4));
		memcpy(&whole->payload[whole->length], &frame.bytes[ip + header], total - header);
		whole->length = (uint16_t)(whole->length + total - header);
		more = bits & 0x2000;
	}
	cr_assert_not(more);
}

static void expect_alphabet(const struct gathered *whole, uint16_t from)
{
	for (uint16_t i = from; i < whole->length; i++)
		cr_assert_eq(whole->payload[i], 'a' + (i - from) % 26);
}

/* Conforms: RFC 791 section 3.2, RFC 7348 section 4.3. */
CASE(mtu, what_is_too_big_for_a_segment_and_may_be_cut_arrives_in_fragments, plain_world)
{
	struct packet packet = { .from = SERVER,
		.to = "10.0.1.11",
		.from_port = 80,
		.to_port = 4000,
		.ip_id = 0x1234,
		.data = 1373 }; /* 1401 bytes, the segment takes 1400 */
	struct gathered whole;

	sends(gateway, "router", &packet);
	expect_at(gateway, "web11", "udp 198.51.100.7:80 > 10.0.1.11:4000 ttl 63 offset 0 more data 1368");
	expect_at(gateway, "web11",
		"fragment of protocol 17 198.51.100.7 > 10.0.1.11 ttl 63 offset 172 data 5");
	packet.data = 1472;
	sends(gateway, "router", &packet);
	gather(gateway, UNDERLAY, ETHERNET + TUNNEL, 1400, &whole);
	cr_assert_eq(whole.count, 2);
	cr_assert_eq(whole.length, 1480);
	cr_assert_eq(whole.id, 0x1234);
	expect_alphabet(&whole, 8);
}

CASE(mtu, fragments_that_are_too_big_are_cut_again, plain_world)
{
	struct packet packet = { .from = SERVER,
		.to = "10.0.1.11",
		.protocol = 17,
		.fragment_offset = 100,
		.more_fragments = true,
		.data = 1400 };

	sends(gateway, "router", &packet);
	expect_at(gateway, "web11", "fragment * offset 100 more data 1376");
	expect_at(gateway, "web11", "fragment * offset 272 more data 24");
	packet.more_fragments = false;
	sends(gateway, "router", &packet);
	expect_at(gateway, "web11", "fragment * offset 100 more data 1376");
	expect_at(gateway, "web11", "fragment * offset 272 data 24");
}

/* Router alert (copied) goes with all, timestamps (not copied) with the first alone. RFC 791 section 3.1. */
CASE(mtu, fragments_carry_the_options_that_are_to_be_copied, plain_world)
{
	static const uint8_t options[] = { 68, 8, 5, 0, 0, 0, 0, 0, 148, 4, 0, 0 };
	struct packet packet = { .from = SERVER,
		.to = "10.0.1.11",
		.from_port = 80,
		.to_port = 4000,
		.options = options,
		.options_length = sizeof(options),
		.data = 1400 };
	struct frame first, second;

	sends(gateway, "router", &packet);
	expect_at_taking(gateway, "web11", "udp * offset 0 more data 1360", &first);
	expect_at_taking(gateway, "web11", "fragment * offset 171 data 40", &second);
	cr_assert_eq(first.bytes[ETHERNET + TUNNEL], 0x48);
	cr_assert_arr_eq(&first.bytes[ETHERNET + TUNNEL + 20], options, sizeof(options));
	cr_assert_eq(second.bytes[ETHERNET + TUNNEL], 0x46);
	cr_assert_arr_eq(&second.bytes[ETHERNET + TUNNEL + 20], options + 8, 4);
}

/* The underlay takes more than the uplink: a segment of 1550 sends what the outside cannot take. */
/* Conforms: RFC 4787 REQ-13a, RFC 791 section 3.2. */
CASE(mtu, what_is_too_big_for_the_outside_is_translated_and_cut, jumbo_world)
{
	struct gathered whole;

	sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1500 });
	gather(gateway, UPLINK, ETHERNET, 1500, &whole);
	cr_assert_eq(whole.count, 2);
	cr_assert_eq(whole.length, 1508);
	expect_alphabet(&whole, 8);
}

/* Conforms: RFC 4787 REQ-13, RFC 5508 REQ-10. */
CASE(mtu, what_must_not_be_cut_is_answered_with_the_mtu_of_the_outside, jumbo_world)
{
	sends(gateway, "web11",
		&(struct packet){ .to = SERVER,
			.from_port = 4000,
			.to_port = 53,
			.data = 1500,
			.dont_fragment = true });
	expect_at(gateway, "web11",
		"icmp 3/4 10.0.1.1 > 10.0.1.11 mtu 1500 ttl 64 quoting {udp 10.0.1.11:4000 > "
		"198.51.100.7:53}");
	expect_drop(gateway, DROP_TOO_BIG);
}

/* Conforms: RFC 4787 REQ-13a. */
CASE(mtu, an_answer_too_big_for_its_segment_is_translated_and_cut, overlap_world)
{
	struct packet answer = { .from = SERVER, .to = "203.0.113.40", .from_port = 53, .data = 1472 };
	struct gathered whole;
	struct frame sent;

	sends(gateway, "red7", &(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 9 });
	expect_at_taking(gateway, "router", "udp *", &sent);
	answer.to_port = frame_from_port(&sent);
	sends(gateway, "router", &answer);
	gather(gateway, UNDERLAY, ETHERNET + TUNNEL, 1400, &whole);
	cr_assert_eq(whole.count, 2);
	cr_assert_eq(get16(&whole.payload[2]), 4000);
	expect_alphabet(&whole, 8);
}

CASE(mtu, what_waits_for_its_next_hop_is_cut_once_that_is_known, plain_world)
{
	sends(gateway, "router",
		&(struct packet){ .from = SERVER, .to = "10.0.1.12", .from_port = 80, .data = 1400 });
	expect_at(gateway, "web12", "udp * offset 0 more data 1368");
	expect_at(gateway, "web12", "fragment * offset 172 data 32");
}

/* Conforms: RFC 7348 section 4.3. */
CASE(mtu, fragments_of_one_packet_take_one_way_through_the_underlay, plain_world)
{
	struct frame first, second;

	sends(gateway, "router",
		&(struct packet){ .from = SERVER, .to = "10.0.1.11", .from_port = 80, .data = 1400 });
	expect_at_taking(gateway, "web11", "udp *", &first);
	expect_at_taking(gateway, "web11", "fragment *", &second);
	cr_assert_eq(frame_outer_port(&first), frame_outer_port(&second));
}

CASE(mtu, without_buffers_for_fragments_a_packet_is_lost_by_name, plain_world)
{
	static struct rte_mbuf *taken[8192];
	unsigned count = 0;
	struct packet packet = { .from = SERVER, .to = "10.0.1.11", .from_port = 80, .data = 9 };

	sends(gateway, "router", &packet);
	expect_at(gateway, "web11", "udp *");
	packet.data = 1400;
	gateway_host_sends(gateway, "router", &packet);
	while ((taken[count] = rte_pktmbuf_alloc(gateway->ports->packets)) != NULL)
		count++;
	gateway_run(gateway);
	rte_pktmbuf_free_bulk(taken, count);
	expect_drop(gateway, DROP_FRAGMENT_NO_BUFFER);
}

/* So nobody looks for a host that hears nothing (slowpath/silent_move.c) because of it. */
CASE(mtu, what_is_refused_as_too_big_is_not_sent_to_the_host, peers_world)
{
	struct packet in = { .from = SERVER, .to = "203.0.113.11", .from_port = 53, .data = 9 };
	struct frame frame;

	sends(gateway, "known11",
		&(struct packet){ .to = SERVER, .from_port = 4000, .to_port = 53, .data = 9 });
	expect_at_taking(gateway, "router", "udp *", &frame);
	in.to_port = frame_from_port(&frame);
	for (int i = 0; i < 2; i++) {
		sends(gateway, "router", &in);
		expect_at(gateway, "known11", "udp *");
	}
	gateway_advance(gateway, 2000);
	uint64_t asked = gateway->arp_requests;
	in.data = 1400;
	in.dont_fragment = true;
	sends(gateway, "router", &in);
	expect_at(gateway, "router", "icmp 3/4 *");
	expect_drop(gateway, DROP_TOO_BIG);
	gateway_advance(gateway, 500);
	cr_assert_eq(gateway->arp_requests, asked);
}
