/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments through NAT: whatever the order that they come in, what arrives can be put together, with the checksum that
 * its receiver wants. */
#include "pipeline_case.h"
#include "worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER "198.51.100.7"

enum { ICMP = 1, TCP = 6, UDP = 17 };

#define ETHERNET 14
#define TUNNEL   50
#define L4       (ETHERNET + 20)

#define ONE_OWNER (1u << PLAN_FUSED | 1u << PLAN_SPLIT)

/* The frame of the whole packet as its sender would make it, had it no MTU. */
static void whole_make(
	struct gateway *gateway, const char *host, const struct packet *packet, struct frame *whole)
{
	gateway_host_frame(gateway, host, packet, whole);
	if (gateway_host(gateway, host)->vni == 0)
		return;
	whole->length = (uint16_t)(whole->length - TUNNEL);
	memmove(whole->bytes, &whole->bytes[TUNNEL], whole->length);
}

/* Sends the payload from `from` to before `to`, in units of 8 bytes; UINT16_MAX: up to the end. */
static void sends_piece(
	struct gateway *gateway, const char *host, const struct frame *whole, uint16_t from, uint16_t to)
{
	uint16_t left = (uint16_t)(whole->length - L4 - from * 8);
	bool last = to == UINT16_MAX;
	uint16_t length = last ? left : (uint16_t)((to - from) * 8);
	struct frame piece = *whole;

	memmove(&piece.bytes[L4], &whole->bytes[L4 + from * 8], length);
	piece.length = (uint16_t)(L4 + length);
	frame_put16(&piece, ETHERNET + 2, (uint16_t)(20 + length));
	frame_put16(&piece, ETHERNET + 6, (uint16_t)(from | (last ? 0 : 0x2000)));
	frame_mend_ip(&piece, ETHERNET);
	if (gateway_host(gateway, host)->vni != 0)
		gateway_host_sends_frame(gateway, host, &piece);
	else
		cr_assert(gateway_send(gateway, UPLINK, &piece));
	gateway_run(gateway);
}

/* Puts together all that has reached a port into one frame; its pieces may not overlap. Returns how many there were. */
static unsigned gather(struct gateway *gateway, uint16_t port, struct frame *whole)
{
	uint16_t ip = port == UNDERLAY ? ETHERNET + TUNNEL : ETHERNET, payload = 0, end = 0;
	bool seen[FRAME_MAX] = { 0 };
	unsigned count = 0;
	struct frame frame;

	memset(whole, 0, sizeof(*whole));
	for (; gateway_receive(gateway, port, &frame); count++) {
		uint16_t bits = frame_get16(&frame, (uint16_t)(ip + 6)), at = (uint16_t)((bits & 0x1fff) * 8);
		uint16_t length = (uint16_t)(frame_get16(&frame, (uint16_t)(ip + 2)) - 20);

		cr_assert_lt(L4 + at + length, FRAME_MAX);
		memcpy(whole->bytes, &frame.bytes[ip - ETHERNET], L4);
		memcpy(&whole->bytes[L4 + at], &frame.bytes[ip + 20], length);
		for (uint16_t i = at; i < at + length; i++) {
			cr_assert_not(seen[i], "byte %u came twice", i);
			seen[i] = true;
		}
		payload = (uint16_t)(payload + length);
		if (!(bits & 0x2000))
			end = (uint16_t)(at + length);
	}
	cr_assert_eq(payload, end, "there are holes");
	whole->length = (uint16_t)(L4 + end);
	frame_put16(whole, ETHERNET + 2, (uint16_t)(20 + end));
	frame_put16(whole, ETHERNET + 6, 0);
	frame_mend_ip(whole, ETHERNET);
	return count;
}

/* Every order of three pieces, each with an identification of its own. */
static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
	{ 2, 1, 0 } };
static const uint16_t cuts[4] = { 0, 60, 120, UINT16_MAX };

static void expect_whole_in_any_order(struct gateway *gateway, const char *from, struct packet *packet,
	uint16_t to_port, const char *pattern)
{
	struct frame sent, got;

	for (int order = 0; order < 6; order++) {
		packet->ip_id = (uint16_t)(packet->ip_id + 1);
		whole_make(gateway, from, packet, &sent);
		for (int i = 0; i < 3; i++)
			sends_piece(gateway, from, &sent, cuts[orders[order][i]], cuts[orders[order][i] + 1]);
		cr_assert_eq(gather(gateway, to_port, &got), 3, "order %d", order);
		char text[FRAME_TEXT];
		cr_assert(frame_matches(&got, pattern), "order %d: %s", order, frame_text(&got, text));
	}
}

/* A session from web11 to the server, and its public endpoint. */
static uint16_t session_open(struct gateway *gateway, const struct packet *packet, char address[16])
{
	struct frame frame;

	gateway_host_sends(gateway, "web11", packet);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "*", &frame);
	uint32_t a = frame_from_address(&frame);
	snprintf(address, 16, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	return packet->protocol == ICMP ? frame_icmp_id(&frame) : frame_from_port(&frame);
}

/* Conforms: RFC 4787 REQ-14, RFC 6888 REQ-1. */
CASE(fragment, a_datagram_in_fragments_goes_out_in_any_order, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200 };

	expect_whole_in_any_order(gateway, "web11", &packet, UPLINK,
		"*udp 203.0.113.1[01]:* > 198.51.100.7:53 ttl 63 data 1200");
	cr_assert_eq(gateway_sessions(gateway), 1);
}

/* Conforms: RFC 4787 REQ-14. */
CASE(fragment, a_datagram_in_fragments_comes_in_in_any_order, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 20 };
	struct packet answer = { .from = SERVER, .from_port = 53, .data = 1300 };
	char address[16];

	answer.to_port = session_open(gateway, &packet, address);
	answer.to = address;
	expect_whole_in_any_order(gateway, "router", &answer, UNDERLAY,
		"*udp 198.51.100.7:53 > 10.0.1.11:4000 ttl 63 data 1300");
}

/* Conforms: RFC 5508 REQ-1, RFC 4787 REQ-14. */
CASE(fragment, a_large_ping_goes_out_and_back, web_world)
{
	struct packet ping = { .to = SERVER,
		.protocol = ICMP,
		.icmp_type = 8,
		.icmp_id = 77,
		.icmp_sequence = 1,
		.data = 1400 };
	struct packet answer = {
		.from = SERVER, .protocol = ICMP, .icmp_type = 0, .icmp_sequence = 1, .data = 1400
	};
	char address[16];

	answer.icmp_id = session_open(gateway, &ping, address);
	answer.to = address;
	expect_whole_in_any_order(gateway, "web11", &ping, UPLINK,
		"*icmp echo 203.0.113.1[01] > 198.51.100.7 id * seq 1 ttl 63 data 1400");
	expect_whole_in_any_order(gateway, "router", &answer, UNDERLAY,
		"*icmp echo-reply 198.51.100.7 > 10.0.1.11 id 77 seq 1 ttl 63 data 1400");
}

CASE(fragment, tcp_in_fragments_passes, web_world)
{
	struct packet syn = { .to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .tcp = "S" };
	struct packet data = { .from = SERVER, .from_port = 80, .protocol = TCP, .tcp = "A", .data = 1200 };
	char address[16];

	data.to_port = session_open(gateway, &syn, address);
	data.to = address;
	expect_whole_in_any_order(gateway, "router", &data, UNDERLAY,
		"*tcp 198.51.100.7:80 > 10.0.1.11:4000 A ttl 63 data 1200");
}

/* A static binding and a forward are reached by fragments as by whole packets. */
CASE(fragment, a_host_with_an_address_or_port_of_its_own_gets_fragments, web_world)
{
	struct packet to_static = {
		.from = SERVER, .to = "203.0.113.20", .from_port = 5000, .to_port = 53, .data = 1200
	};
	struct packet to_forward = {
		.from = SERVER, .to = "203.0.113.1", .from_port = 5000, .to_port = 5353, .data = 1200
	};

	expect_whole_in_any_order(gateway, "router", &to_static, UNDERLAY,
		"*udp 198.51.100.7:5000 > 10.0.1.5:53 ttl 63 data 1200");
	expect_whole_in_any_order(gateway, "router", &to_forward, UNDERLAY,
		"*udp 198.51.100.7:5000 > 10.0.1.6:53 ttl 63 data 1200");
}

/* Conforms: RFC 4787 REQ-9, RFC 4787 REQ-14. */
CASE(fragment, fragments_between_hosts_by_a_public_address_come_through, web_world)
{
	struct packet packet = { .to = "203.0.113.20", .from_port = 4000, .to_port = 53, .data = 1200 };
	struct packet to_forward = { .to = "203.0.113.1", .from_port = 4000, .to_port = 5353, .data = 1200 };

	expect_whole_in_any_order(
		gateway, "web11", &packet, UNDERLAY, "*udp 203.0.113.1[01]:* > 10.0.1.5:53 ttl 6? data 1200");
	expect_whole_in_any_order(gateway, "web11", &to_forward, UNDERLAY,
		"*udp 203.0.113.1[01]:* > 10.0.1.6:53 ttl 6? data 1200");
}

/* Two segments with the same addresses, and one identification. */
CASE(fragment, fragments_of_segments_with_the_same_addresses_stay_apart, overlap_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200, .ip_id = 7 };
	struct frame blue, red, got;

	whole_make(gateway, "blue7", &packet, &blue);
	whole_make(gateway, "red7", &packet, &red);
	sends_piece(gateway, "red7", &red, 100, UINT16_MAX);
	sends_piece(gateway, "blue7", &blue, 0, 100);
	sends_piece(gateway, "blue7", &blue, 100, UINT16_MAX);
	cr_assert_eq(gather(gateway, UPLINK, &got), 2);
	cr_assert(frame_matches(&got, "*udp 203.0.113.30:* data 1200"));
	sends_piece(gateway, "red7", &red, 0, 100);
	cr_assert_eq(gather(gateway, UPLINK, &got), 2);
	cr_assert(frame_matches(&got, "*udp 203.0.113.40:* data 1200"));
}

/* Conforms: RFC 5508 REQ-4. */
CASE(fragment, an_error_about_the_first_fragment_finds_its_way_back, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200 };
	struct frame whole, first;
	char address[16];

	whole_make(gateway, "web11", &packet, &whole);
	sends_piece(gateway, "web11", &whole, 0, 100);
	expect_at_taking(gateway, "router", "udp * offset 0 more *", &first);
	uint32_t a = frame_from_address(&first);
	snprintf(address, sizeof(address), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = "192.0.33.1",
			.to = address,
			.protocol = ICMP,
			.icmp_type = 11,
			.icmp_code = 1,
			.quote = &first });
	gateway_run(gateway);
	expect_at(gateway, "web11",
		"icmp 11/1 192.0.33.1 > 10.0.1.11 ttl 63 quoting {udp 10.0.1.11:4000 > 198.51.100.7:53}");
}

CASE(fragment, an_identification_can_come_again_once_a_datagram_has_passed, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200, .ip_id = 9 };
	struct frame whole, got;

	for (int i = 0; i < 3; i++) {
		packet.from_port++;
		whole_make(gateway, "web11", &packet, &whole);
		sends_piece(gateway, "web11", &whole, 0, 100);
		sends_piece(gateway, "web11", &whole, 100, UINT16_MAX);
		cr_assert_eq(gather(gateway, UPLINK, &got), 2);
		cr_assert(frame_matches(&got, "*data 1200"));
	}
}

CASE(fragment, a_fragment_whose_first_never_comes_is_let_go, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200 };
	struct frame whole;

	whole_make(gateway, "web11", &packet, &whole);
	sends_piece(gateway, "web11", &whole, 100, UINT16_MAX);
	gateway_advance(gateway, 1900);
	expect_drops(gateway, DROP_NAT_FRAGMENT_TIMEOUT, 0);
	gateway_advance(gateway, 200);
	expect_drop(gateway, DROP_NAT_FRAGMENT_TIMEOUT);
}

/* The later fragments of what is refused are refused too. */
CASE(fragment, fragments_to_nobody_are_dropped_by_name, web_world)
{
	struct packet packet = {
		.from = SERVER, .to = "203.0.113.10", .from_port = 53, .to_port = 9999, .data = 1200
	};
	struct frame whole;

	whole_make(gateway, "router", &packet, &whole);
	sends_piece(gateway, "router", &whole, 0, 100);
	expect_drop(gateway, DROP_NAT_NO_BINDING);
	sends_piece(gateway, "router", &whole, 100, UINT16_MAX);
	expect_drop(gateway, DROP_NAT_FRAGMENT);
}

CASE(fragment, overlapping_fragments_are_dropped_and_the_first_counts, web_world)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200 };
	struct frame whole, got;

	whole_make(gateway, "web11", &packet, &whole);
	sends_piece(gateway, "web11", &whole, 0, 60);
	sends_piece(gateway, "web11", &whole, 0, 60);
	sends_piece(gateway, "web11", &whole, 50, 120);
	expect_drops(gateway, DROP_NAT_FRAGMENT_OVERLAP, 2);
	sends_piece(gateway, "web11", &whole, 60, 120);
	sends_piece(gateway, "web11", &whole, 120, UINT16_MAX);
	cr_assert_eq(gather(gateway, UPLINK, &got), 3);
	cr_assert(frame_matches(&got, "*data 1200"));
}

/* RFC 1858, RFC 3128 */
CASE(fragment, tiny_and_malformed_fragments_are_dropped_by_name, plain_world)
{
	struct packet packet = {
		.to = SERVER, .from_port = 4000, .to_port = 80, .protocol = TCP, .data = 1200
	};
	struct frame whole;

	whole_make(gateway, "web11", &packet, &whole);
	sends_piece(gateway, "web11", &whole, 0, 1);
	sends_piece(gateway, "web11", &whole, 1, 20);
	sends_piece(gateway, "web11", &whole, 2, 20);
	expect_drops(gateway, DROP_FRAGMENT_TINY, 3);
	sends_piece(gateway, "web11", &whole, 3, 20);
	expect_at(gateway, "router", "fragment * offset 3 more data 136");
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = SERVER, .data = 23, .fragment_offset = 9, .more_fragments = true });
	gateway_host_sends(gateway, "web11", &(struct packet){ .to = SERVER, .fragment_offset = 9 });
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .to = SERVER, .data = 8, .fragment_offset = 8191 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_FRAGMENT_MALFORMED, 3);
}

static void flood(struct gateway *gateway, const char *from, uint16_t count)
{
	struct packet packet = {
		.from = from, .to = "203.0.113.20", .data = 64, .fragment_offset = 100, .more_fragments = true
	};

	for (uint16_t i = 0; i < count; i++) {
		packet.ip_id = i;
		gateway_host_sends(gateway, "router", &packet);
		if (i % 64 == 63)
			gateway_run(gateway);
	}
	gateway_run(gateway);
}

/* Conforms: RFC 4787 REQ-14a. */
CASE_IN(fragment, a_flood_of_fragments_leaves_datagrams_in_order_alone, web_world, ONE_OWNER)
{
	struct packet packet = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 1200 };
	struct frame whole, got;

	whole_make(gateway, "web11", &packet, &whole);
	sends_piece(gateway, "web11", &whole, 0, 100);
	flood(gateway, SERVER, 130);
	expect_drops(gateway, DROP_NAT_FRAGMENT_SHARE, 130 - 64);
	for (int i = 1; i <= 15; i++) {
		char from[16];
		snprintf(from, sizeof(from), "198.18.%d.7", i);
		flood(gateway, from, 64);
	}
	expect_drops(gateway, DROP_NAT_FRAGMENT_TABLE_FULL, 512);
	sends_piece(gateway, "web11", &whole, 100, UINT16_MAX);
	cr_assert_eq(gather(gateway, UPLINK, &got), 2);
	cr_assert(frame_matches(&got, "*data 1200"));
	gateway_advance(gateway, 2100);
	expect_drops(gateway, DROP_NAT_FRAGMENT_TIMEOUT, 512);
}
