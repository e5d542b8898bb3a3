/* SPDX-License-Identifier: BSD-3-Clause */
/* VXLAN as the gateway speaks it: what it takes out of a tunnel, what it puts in, and what it refuses. */
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

CASE(tunnel, each_flow_keeps_its_tunnel_source_port_and_flows_spread, plain_world)
{
	uint16_t port[32], distinct = 0;
	struct frame frame;

	for (uint16_t pass = 0; pass < 2; pass++) {
		for (uint16_t i = 0; i < 32; i++) {
			gateway_host_sends(gateway, "router",
				&(struct packet){ .from = OUTSIDE,
					.to = "10.0.1.11",
					.from_port = (uint16_t)(1000 + i),
					.to_port = 80,
					.data = (uint16_t)(10 + pass) });
			gateway_run(gateway);
			expect_at_taking(gateway, "web11", "udp *", &frame);
			uint16_t got = frame_outer_port(&frame);
			cr_assert_geq(got, 49152);
			if (pass == 1)
				cr_assert_eq(got, port[i], "flow %u changed its tunnel port", i);
			port[i] = got;
		}
	}
	for (int i = 0; i < 32; i++) {
		bool seen = false;
		for (int k = 0; k < i; k++)
			seen |= port[k] == port[i];
		distinct = (uint16_t)(distinct + !seen);
	}
	cr_assert_geq(distinct, 28, "32 flows use only %u tunnel ports", distinct);
}

CASE(tunnel, fragments_of_one_packet_keep_together_in_the_tunnel, plain_world)
{
	struct frame first, later;

	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = OUTSIDE,
			.to = "10.0.1.11",
			.from_port = 1000,
			.to_port = 80,
			.data = 24,
			.more_fragments = true,
			.ip_id = 7 });
	gateway_host_sends(gateway, "router",
		&(struct packet){
			.from = OUTSIDE, .to = "10.0.1.11", .data = 24, .fragment_offset = 4, .ip_id = 7 });
	gateway_run(gateway);
	expect_at_taking(gateway, "web11",
		"udp 198.51.100.7:1000 > 10.0.1.11:80 ttl 63 offset 0 more data 24", &first);
	expect_at_taking(gateway, "web11",
		"fragment of protocol 17 198.51.100.7 > 10.0.1.11 ttl 63 offset 4 data 24", &later);
	cr_assert_eq(frame_outer_port(&first), frame_outer_port(&later));
}

CASE(tunnel, reserved_bits_of_vxlan_are_ignored, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame.bytes[42] = 0xff; /* flags: all bits beside the I bit */
	frame.bytes[43] = frame.bytes[44] = frame.bytes[45] = 0xff;
	frame.bytes[49] = 0xff; /* beside the VNI */
	send_and_run(gateway, UNDERLAY, &frame);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > *");
}

CASE(tunnel, vxlan_without_the_i_bit_is_refused, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame.bytes[42] = 0xf7;
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_FLAGS);
}

CASE(tunnel, an_outer_udp_checksum_must_be_right_if_there_is_one, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_mend_l4(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_at(gateway, "router", "udp 10.0.1.11:4000 > *");
	frame.bytes[40] ^= 0x10;
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_UDP_CHECKSUM);
}

CASE(tunnel, a_vni_that_is_not_ours_is_refused, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 46, 5003u << 8);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_UNKNOWN_VNI);
}

CASE(tunnel, a_vtep_speaks_only_for_its_segments, web_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 46, 5002u << 8); /* vtep1 is no member of db */
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_UNKNOWN_VTEP);

	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 26, ipv4_from_text("192.0.2.66")); /* a stranger */
	frame_mend_ip(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_UNKNOWN_VTEP);
}

CASE(tunnel, vxlan_to_another_address_of_the_gateway_is_not_decapsulated, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 30, ipv4_from_text("203.0.113.1"));
	frame_mend_ip(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_at(gateway, "vtep1",
		"icmp 3/3 192.0.2.1 > 192.0.2.11 ttl 64 quoting {udp 192.0.2.11:50000 > 203.0.113.1:4789}");
	expect_drop(gateway, DROP_SLOWPATH_UNHANDLED);
}

CASE(tunnel, a_fragmented_tunnel_packet_is_refused, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_put16(&frame, 16, (uint16_t)(20 + (frame_get16(&frame, 16) - 20) / 8 * 8));
	frame_put16(&frame, 20, 0x2000);
	frame_mend_ip(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_FRAGMENT);
}

CASE(tunnel, a_loop_through_the_tunnel_is_cut, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 26, ipv4_from_text("192.0.2.1")); /* from our own VTEP address */
	frame_mend_ip(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_LOOP);

	spoilt_frame(gateway, &frame);
	mac_from_text("02:00:5e:00:50:01", &frame.bytes[56]); /* the inner source is the gateway's MAC */
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_LOOP);
}

CASE(tunnel, a_source_mac_that_is_none_is_refused_and_not_learned, plain_world)
{
	struct frame frame;

	spoilt_frame(gateway, &frame);
	frame.bytes[56] |= 1;
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_MAC_SOURCE);
	memset(&frame.bytes[56], 0, 6);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_MAC_SOURCE);
	cr_assert_eq(slowpath_counters(gateway->slowpath)->macs_learned, 0);
}

CASE(tunnel, padding_behind_the_packet_is_not_carried_into_the_tunnel, plain_world)
{
	struct frame frame;

	gateway_host_sends(gateway, "router",
		&(struct packet){ .from = OUTSIDE,
			.to = "10.0.1.11",
			.from_port = 1,
			.to_port = 2,
			.data = 1,
			.pad_to = 60 });
	gateway_run(gateway);
	expect_at_taking(gateway, "web11", "udp 198.51.100.7:1 > 10.0.1.11:2 ttl 63 data 1", &frame);
	cr_assert_eq(frame.length, 50 + 14 + 20 + 8 + 1);
}

CASE(tunnel, a_frame_without_room_before_it_is_not_encapsulated, plain_world)
{
	struct packet packet = query();

	gateway_host_sends(gateway, "web11", &packet); /* so that it is known */
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp *");
	gateway->headroom = 48;
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_HEADROOM);
	gateway->headroom = 50;
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "udp *");
}

CASE(tunnel, nothing_is_sent_to_a_vtep_whose_own_next_hop_is_unknown, plain_world)
{
	struct packet packet = query();

	gateway_host_sends(gateway, "web11", &packet);
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_at(gateway, "router", "udp *");
	expect_at(gateway, "web11", "udp *");
	for (uint32_t i = 0; i < gateway->plane->tunnels->count; i++)
		tunnel_set_unready(&gateway->plane->tunnels->tunnel[i]);
	gateway_host_sends(
		gateway, "router", &(struct packet){ .from = OUTSIDE, .to = "10.0.1.11", .data = 9 });
	gateway_run(gateway);
	expect_drop(gateway, DROP_TUNNEL_UNRESOLVED);
}

#define JOINED "02:00:00:00:00:01 > 01:00:5e:01:01:01 | protocol 2 192.0.2.1 > 239.1.1.1 ttl 1 *"

CASE(tunnel, a_segment_with_a_multicast_group_joins_it, group_world)
{
	expect_frame(gateway, UNDERLAY, JOINED, NULL);
	expect_silence(gateway);
	gateway_advance(gateway, 25000); /* said again in case the first was lost (RFC 2236 section 3) */
	expect_frame(gateway, UNDERLAY, JOINED, NULL);
	expect_frame(gateway, UNDERLAY, JOINED, NULL);
}

/* The report of the start. */
static void skip_join(struct gateway *gateway)
{
	expect_frame(gateway, UNDERLAY, JOINED, NULL);
}

CASE(tunnel, a_segment_with_a_multicast_group_asks_all_its_vteps_at_once, group_world)
{
	skip_join(gateway);
	gateway_host_sends(gateway, "web11", &(struct packet){ .to = "10.0.1.60", .data = 9 });
	gateway_run(gateway);
	expect_frame(gateway, UNDERLAY,
		"02:00:00:00:00:01 > 01:00:5e:01:01:01 | vxlan 5001 192.0.2.1:* > 239.1.1.1:4789 ttl 64 df | "
		"02:00:5e:00:50:01 > ff:ff:ff:ff:ff:ff | "
		"arp-request 02:00:5e:00:50:01 10.0.1.1 > 00:00:00:00:00:00 10.0.1.60",
		NULL);
}

CASE(tunnel, a_vtep_of_a_multicast_group_is_found_by_its_first_frame, group_world)
{
	struct packet packet = query();

	skip_join(gateway);
	gateway_host_sends(gateway, "web11", &packet);
	gateway_run(gateway);
	expect_at(gateway, "router", "udp 203.0.113.10:* > 198.51.100.7:53 ttl 63 data 18");
	cr_assert_eq(slowpath_counters(gateway->slowpath)->vteps_discovered, 1);
	gateway_host_sends(gateway, "web11",
		&(struct packet){ .to = "10.0.1.1", .protocol = 1, .icmp_type = 8, .data = 8 });
	gateway_run(gateway);
	expect_at(gateway, "web11", "icmp echo-reply 10.0.1.1 > 10.0.1.11 *");
}

CASE(tunnel, a_vtep_that_is_no_member_of_the_group_is_refused, group_world)
{
	struct frame frame;

	skip_join(gateway);
	spoilt_frame(gateway, &frame);
	frame_put32(&frame, 26, ipv4_from_text("192.0.2.66"));
	frame_mend_ip(&frame, 14);
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_VXLAN_UNKNOWN_VTEP);
}

CASE(tunnel, a_broken_igmp_message_is_refused, group_world)
{
	struct frame frame;

	skip_join(gateway);
	frame_build(&frame, &(struct packet){ .mac_to = "01:00:5e:00:00:01",
				    .mac_from = "52:54:00:00:00:11",
				    .from = "192.0.2.11",
				    .to = "224.0.0.1",
				    .protocol = 2,
				    .data = 8,
				    .ttl = 1 });
	send_and_run(gateway, UNDERLAY, &frame);
	expect_drop(gateway, DROP_IGMP_MALFORMED);
}
