/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gateway of a segment does, apart from NAT and the tunnel: routing, ARP, ping, and what it refuses. */
#include "pipeline_case.h"
#include "worlds.h"

#include <string.h>

#define OUTSIDE "198.51.100.7"

static struct packet query(void)
{
	return (struct packet){ .to = OUTSIDE, .from_port = 4000, .to_port = 53, .data = 18 };
}

/* A ready frame of web11, to be spoiled before it is sent. */
static void spoilt_frame(struct gateway *gateway, struct frame *frame)
{
	struct packet packet = query();

	gateway_host_frame(gateway, "web11", &packet, frame);
}

static void send_and_run(struct gateway *gateway, uint16_t port, const struct frame *frame)
{
	cr_assert(gateway_send(gateway, port, frame));
	gateway_run(gateway);
}

CASE(gateway, a_workload_reaches_the_outside, plain_world)
{
	struct packet packet = query();

	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > 198.51.100.7:53 ttl 63 data 18");
}

CASE(gateway, the_outside_reaches_a_workload, plain_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = OUTSIDE, .from_port = 80, .to_port = 5000, .protocol = 6, .tcp = "SA" });
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = OUTSIDE,
			.to = "10.0.1.11",
			.from_port = 5000,
			.to_port = 80,
			.protocol = 6,
			.tcp = "A",
			.data = 1360 });
	gateway_run(gateway);
	expect_at(gateway, "router", "tcp 10.0.1.11:80 > 198.51.100.7:5000 SA ttl 63 data 0");
	expect_at(gateway, "web11", "tcp 198.51.100.7:5000 > 10.0.1.11:80 A ttl 63 data 1360");
}

CASE(gateway, a_workload_that_never_spoke_is_found_by_arp, plain_world)
{
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.12", .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "web12", "udp 198.51.100.7:0 > 10.0.1.12:0 ttl 63 data 9");
	cr_assert_geq(gateway->arp_requests, 2, "a flooded request for each VTEP");
}

CASE(gateway, packets_wait_for_the_answer_to_arp_and_keep_their_order, plain_world)
{
	for (uint16_t i = 1; i <= 5; i++)
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = OUTSIDE, .to = "10.0.1.12", .from_port = 7, .data = i });
	gateway_run(gateway);
	expect_at(gateway, "web12", "udp 198.51.100.7:7 > * data 1");
	expect_at(gateway, "web12", "udp 198.51.100.7:7 > * data 2");
	expect_at(gateway, "web12", "udp 198.51.100.7:7 > * data 3");
	expect_at(gateway, "web12", "udp 198.51.100.7:7 > * data 4");
	expect_at(gateway, "web12", "udp 198.51.100.7:7 > * data 5");
}

CASE(gateway, the_sender_hears_of_a_host_that_answers_no_arp, plain_world)
{
	const struct packet packet = { .from = OUTSIDE, .to = "10.0.1.99", .data = 9 };

	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_silence(gateway);
	gateway_advance(gateway, 3500); /* three requests, a second apart */
	expect_drop(gateway, DROP_NEIGHBOUR_UNRESOLVED);
	uint64_t requests = gateway->arp_requests;
	gateway_host_sends(gateway, "router", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router",
		"icmp 3/1 203.0.113.1 > 198.51.100.7 ttl 64 quoting {udp 198.51.100.7:0 > 10.0.1.99:0}");
	expect_drop(gateway, DROP_NEIGHBOUR_UNRESOLVED);
	cr_assert_eq(
		gateway->arp_requests, requests, "nobody is asked for a host that just failed to answer");
}

CASE(gateway, few_packets_wait_for_a_host_that_does_not_answer, plain_world)
{
	for (uint16_t i = 0; i < 20; i++)
		gateway_host_sends(
			gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.99", .data = 9 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_NEIGHBOUR_UNRESOLVED, 20 - 8);
	gateway_host(gateway, "mute")->silent = false;
	gateway_advance(gateway, 950);
	expect_silence(gateway);
	gateway_advance(gateway, 150); /* the second request is answered, when their second is over */
	expect_drops(gateway, DROP_NEIGHBOUR_UNRESOLVED, 8);
}

CASE(gateway, segments_are_routed_to_each_other_without_nat, web_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.to = "10.0.2.21", .from_port = 4000, .to_port = 5432, .protocol = 6, .tcp = "S" });
	gateway_run(gateway);
	expect_at(gateway, "db21", "tcp 10.0.1.11:4000 > 10.0.2.21:5432 S ttl 63 data 0");
	gateway_host_sends(gateway, "db21",
		&(struct packet){
			.to = "10.0.1.11", .from_port = 5432, .to_port = 4000, .protocol = 6, .tcp = "SA" });
	gateway_run(gateway);
	expect_at(gateway, "web11", "tcp 10.0.2.21:5432 > 10.0.1.11:4000 SA ttl 63 data 0");
	cr_assert_eq(gateway_sessions(gateway), 0);
}

CASE(gateway, frames_for_others_in_the_segment_are_not_the_gateways, plain_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .mac_to = "52:54:00:01:00:12", .to = "10.0.1.12", .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_MAC_NOT_GATEWAY);
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.mac_to = "ff:ff:ff:ff:ff:ff", .to = "10.0.1.255", .to_port = 137, .data = 9 });
	gateway_host_sends(gateway, "web11",
		&(struct packet){
			.mac_to = "01:00:5e:00:00:fb", .to = "224.0.0.251", .to_port = 5353, .data = 9 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_SEGMENT_BROADCAST, 2);
	cr_assert_eq(slowpath_counters(gateway->slowpath)->macs_learned, 1,
		"what they teach is learned all the same");
}

CASE(gateway, frames_that_are_not_for_the_port_are_refused, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	mac_from_text("02:00:00:00:00:77", &frame.bytes[0]);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_ETHERNET_NOT_OURS);
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.mac_to = "ff:ff:ff:ff:ff:ff", .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_IPV4_DESTINATION);
}

CASE(gateway, other_protocols_have_their_own_names, plain_world)
{
	static const struct {
		uint16_t type;
		enum drop_reason on_port, in_segment;
	} kind[] = {
		{ 0x86dd, DROP_IPV6_UNSUPPORTED, DROP_IPV6_UNSUPPORTED },
		{ 0x8100, DROP_VLAN_TAGGED, DROP_VLAN_TAGGED },
		{ 0x88a8, DROP_VLAN_TAGGED, DROP_VLAN_TAGGED },
		{ 0x88cc, DROP_ETHERNET_TYPE, DROP_ETHERNET_TYPE },
	};
	struct frame frame;

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		spoilt_frame(gateway, &frame);
		frame_put16(&frame, 62, kind[i].type);
		send_and_run(gateway, UNDERLAY, &frame);
		expect_drop(gateway, kind[i].in_segment);
		frame_put16(&frame, 12, kind[i].type);
		send_and_run(gateway, UNDERLAY, &frame);
		expect_drop(gateway, kind[i].on_port);
	}
}

CASE(gateway, senders_that_can_be_none_are_refused, plain_world)
{
	static const char *const source[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255" };
	unsigned count = sizeof(source) / sizeof(source[0]);

	for (unsigned i = 0; i < count; i++) {
		gateway_host_sends(
			gateway, "web11", &(struct packet){ .from = source[i], .to = OUTSIDE, .data = 9 });
		gateway_host_sends(gateway, "router",
			&(struct packet){ .from = source[i], .to = "10.0.1.11", .data = 9 });
	}
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_SOURCE, 2 * count);
}

CASE(gateway, our_own_addresses_are_no_senders, plain_world)
{
	gateway_host_sends(
		gateway, "web11", &(struct packet){ .from = "10.0.1.1", .to = OUTSIDE, .data = 9 });
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = "203.0.113.1", .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_SPOOFED_SELF, 2);
}

CASE(gateway, a_workload_cannot_speak_for_addresses_outside_its_segment, plain_world)
{
	static const char *const source[] = { "203.0.113.254", "192.0.2.12", "9.9.9.9" };

	for (unsigned i = 0; i < 3; i++)
		gateway_host_sends(
			gateway, "web11", &(struct packet){ .from = source[i], .to = OUTSIDE, .data = 9 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_SPOOFED_SEGMENT, 3);
}

CASE(gateway, destinations_that_are_not_routed_are_refused, plain_world)
{
	static const char *const destination[] = { "0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255",
		"203.0.113.255", "203.0.113.0", "10.0.1.255" };
	unsigned count = sizeof(destination) / sizeof(destination[0]);

	for (unsigned i = 0; i < count; i++)
		gateway_host_sends(gateway, "web11", &(struct packet){ .to = destination[i], .data = 9 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_DESTINATION, count);
	gateway_host_sends(gateway, "web11", &(struct packet){ .to = "198.18.5.5", .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_ROUTE_BLACKHOLE);
}

CASE(gateway, source_routes_and_broken_options_are_refused_and_others_pass, plain_world)
{
	static const uint8_t loose[] = { 131, 7, 4, 192, 0, 2, 9, 0 },
			     strict[] = { 1, 137, 7, 4, 192, 0, 2, 9 };
	static const uint8_t too_long[] = { 7, 9, 0, 0 }, no_length[] = { 1, 1, 1, 7 },
			     alert[] = { 148, 4, 0, 0 };
	struct packet packet = query();

	packet.options_length = 8;
	packet.options = loose;
	gateway_host_sends(gateway, "web11", &packet);
	packet.options = strict;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_SOURCE_ROUTE, 2);
	packet.options_length = 4;
	packet.options = too_long;
	gateway_host_sends(gateway, "web11", &packet);
	packet.options = no_length;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drops(gateway, DROP_IPV4_OPTIONS, 2);
	packet.options = alert;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > 198.51.100.7:53 ttl 63 data 18");
}

CASE(gateway, the_gateway_answers_arp_for_its_addresses_only, web_world)
{
	struct frame frame;

	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:01:00:11",
				  .operation = 1,
				  .sender = "10.0.1.11",
				  .target = "10.0.1.1" });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_at(gateway, "web11", "arp-reply 02:00:5e:00:50:01 10.0.1.1 > 52:54:00:01:00:11 10.0.1.11");
	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:00:ff:fe",
				  .operation = 1,
				  .sender = "203.0.113.254",
				  .target = "203.0.113.1" });
	gateway_host_sends_frame(gateway, "router", &frame);
	frame_put32(&frame, 38, ipv4_from_text("203.0.113.20"));
	gateway_host_sends_frame(gateway, "router", &frame);
	gateway_run(gateway);
	expect_at(gateway, "router",
		"arp-reply 02:00:00:00:00:02 203.0.113.1 > 52:54:00:00:ff:fe 203.0.113.254");
	expect_at(gateway, "router",
		"arp-reply 02:00:00:00:00:02 203.0.113.20 > 52:54:00:00:ff:fe 203.0.113.254");
	frame_put32(&frame, 38, ipv4_from_text("203.0.113.77"));
	gateway_host_sends_frame(gateway, "router", &frame);
	frame_arp(&frame, &(struct arp){ .mac_from = "52:54:00:01:00:11",
				  .operation = 1,
				  .sender = "10.0.1.11",
				  .target = "10.0.1.12" });
	gateway_host_sends_frame(gateway, "web11", &frame);
	gateway_run(gateway);
	expect_silence(gateway);
}

CASE(gateway, malformed_arp_is_refused, plain_world)
{
	struct frame whole, frame;

	frame_arp(&whole, &(struct arp){ .mac_from = "52:54:00:00:ff:fe",
				  .operation = 1,
				  .sender = "203.0.113.254",
				  .target = "203.0.113.1" });
	for (uint16_t length = 14; length < 42; length++) {
		frame = whole;
		frame.length = length;
		send_and_run(gateway, UPLINK, &frame);
	}
	expect_drops(gateway, DROP_ARP_MALFORMED, 28);
	frame = whole;
	frame.bytes[18] = 8; /* hardware address length */
	send_and_run(gateway, UPLINK, &frame);
	expect_drop(gateway, DROP_ARP_MALFORMED);
}

CASE(gateway, the_gateway_answers_ping, web_world)
{
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "10.0.1.1",
			.protocol = 1,
			.icmp_type = 8,
			.icmp_id = 7,
			.icmp_sequence = 3,
			.data = 56 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "icmp echo-reply 10.0.1.1 > 10.0.1.11 id 7 seq 3 ttl 64 data 56");
	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = OUTSIDE,
			.to = "203.0.113.1",
			.protocol = 1,
			.icmp_type = 8,
			.icmp_id = 7,
			.icmp_sequence = 4,
			.data = 1400 });
	gateway_run(gateway);
	expect_at(
		gateway, "router", "icmp echo-reply 203.0.113.1 > 198.51.100.7 id 7 seq 4 ttl 64 data 1400");
	gateway_host_sends(gateway, "vtep1",
		&(struct packet){
			.to = "192.0.2.1", .protocol = 1, .icmp_type = 8, .icmp_id = 9, .data = 8 });
	gateway_run(gateway);
	expect_at(gateway, "vtep1", "icmp echo-reply 192.0.2.1 > 192.0.2.11 id 9 seq 0 ttl 64 data 8");
}

CASE(gateway, a_ping_with_a_wrong_checksum_is_not_answered, plain_world)
{
	struct frame frame;

	gateway_host_frame(gateway, "router",
		&(struct packet){ .to = "203.0.113.1", .protocol = 1, .icmp_type = 8, .data = 8 }, &frame);
	frame.bytes[40] ^= 1;
	send_and_run(gateway, UPLINK, &frame);
	expect_drop(gateway, DROP_ICMP_MALFORMED);
}

CASE(gateway, a_fragment_to_the_gateway_itself_is_refused, plain_world)
{
	gateway_host_sends(gateway, "router",
		&(struct packet){ .to = "203.0.113.1",
			.protocol = 1,
			.icmp_type = 8,
			.data = 8,
			.more_fragments = true });
	gateway_host_sends(gateway, "router",
		&(struct packet){ .to = "203.0.113.1", .protocol = 1, .data = 8, .fragment_offset = 2 });
	gateway_run(gateway);
	expect_drops(gateway, DROP_LOCAL_FRAGMENT, 2);
}

CASE(gateway, a_frame_in_two_buffers_is_refused, plain_world)
{
	struct packet packet = query();

	gateway->two_buffers = true;
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_drop(gateway, DROP_MULTI_SEGMENT);
}

CASE(gateway, a_checksum_that_a_kernel_left_half_finished_is_completed, plain_world)
{
	struct packet packet = { .from = OUTSIDE,
		.to = "10.0.1.11",
		.from_port = 5000,
		.to_port = 80,
		.protocol = 6,
		.data = 33 };
	struct frame frame;

	gateway->plane->port[UPLINK].partial_checksums = true;
	gateway_host_frame(gateway, "router", &packet, &frame);
	frame_halve_l4(&frame, 14);
	send_and_run(gateway, UPLINK, &frame);
	expect_at(gateway, "web11", "tcp 198.51.100.7:5000 > 10.0.1.11:80 A ttl 63 data 33");
	packet.protocol = 17;
	gateway_host_frame(gateway, "router", &packet, &frame);
	frame_halve_l4(&frame, 14);
	send_and_run(gateway, UPLINK, &frame);
	expect_at(gateway, "web11", "udp 198.51.100.7:5000 > 10.0.1.11:80 ttl 63 data 33");
}
