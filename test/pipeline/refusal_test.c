/* SPDX-License-Identifier: BSD-3-Clause */
/* SYNs of a source that has asked too often, as an overloaded lcore refuses them by the dozen (stage/fast_path_refuse_private.h), and
 * among them frames that only look like those: each of these ends as it would have without the flood. */
#include "nat_case.h"
#include "stage/lcore_context.h"
#include "worlds.h"

#define ONE_LCORE                                                                                            \
	(1u << PLAN_FUSED |                                                                                  \
		1u << PLAN_STAGES) /* which is behind: with more of them, one that is not may be asked */
#define OLD       (8 * BURST_MAX)  /* packets: as many full bursts as it takes to be behind */
#define FLOOD     40u              /* far more requests than are counted one by one */
#define SHARE     8u               /* of these, served */
#define EACH      3u
#define OUTER_IP  14
#define VNI       46
#define INNER_MAC 50
#define INNER_IP  64

static const struct packet old = { .to = SERVER, .from_port = 4000, .to_port = 53, .data = 18 };
static const struct packet syn = {
	.to = OTHER, .protocol = TCP, .tcp = "S", .from_port = 1500, .to_port = 443
};

/* The lcore is behind, and the source of "web12" is refused whatever more it asks for. */
static void web12_floods(struct gateway *gateway)
{
	struct packet packet = syn;

	packet.from_port = 2000;
	goes_out(gateway, "web11", &old);
	for (unsigned i = 0; i < OLD; i++)
		gateway_host_sends(gateway, "web11", &old);
	for (unsigned i = 0; i < FLOOD; i++, packet.from_port++)
		gateway_host_sends(gateway, "web12", &packet);
}

static void for_another_mac(struct frame *frame)
{
	frame->bytes[5] ^= 1;
}

static void tagged(struct frame *frame)
{
	frame_put16(frame, OUTER_IP - 2, 0x8100);
}

static void outside_of_another_version(struct frame *frame)
{
	frame->bytes[OUTER_IP] = 0x65;
	frame_mend_ip(frame, OUTER_IP);
}

static void unknown_vtep(struct frame *frame)
{
	frame_put32(frame, OUTER_IP + 12, ipv4_from_text("192.0.2.99"));
	frame_mend_ip(frame, OUTER_IP);
}

/* One that is noted where that of "web12" is (known_tunnel_at). */
static void unknown_vtep_at_its_place(struct frame *frame)
{
	uint32_t vni = frame_get32(frame, VNI) * UINT32_C(0x2007), was = frame_get32(frame, OUTER_IP + 12),
		 now = was;
	unsigned shift = 32 - KNOWN_TUNNELS_BITS;

	do
		now++;
	while ((now * UINT32_C(0x9e3779b1) + vni) >> shift != (was * UINT32_C(0x9e3779b1) + vni) >> shift);
	frame_put32(frame, OUTER_IP + 12, now);
	frame_mend_ip(frame, OUTER_IP);
}

static void unknown_vni(struct frame *frame)
{
	frame->bytes[VNI] ^= 1;
}

static void without_vni(struct frame *frame)
{
	frame->bytes[VNI - 4] = 0;
}

static void for_another_host(struct frame *frame)
{
	frame->bytes[INNER_MAC + 5] ^= 1;
}

static void of_another_version(struct frame *frame)
{
	frame->bytes[INNER_IP] = 0x65;
	frame_mend_ip(frame, INNER_IP);
}

static void over_the_tcp_header(struct frame *frame)
{
	frame_put16(frame, INNER_IP + 6, 1);
	frame_mend_ip(frame, INNER_IP);
}

static void at_its_end(struct frame *frame)
{
	frame->bytes[INNER_IP + 8] = 1;
	frame_mend_ip(frame, INNER_IP);
}

static void answering(struct frame *frame)
{
	frame->bytes[INNER_IP + 33] = 0x12;
	frame_mend_l4(frame, INNER_IP);
}

static const struct variant {
	void (*spoil)(struct frame *frame);
	enum drop_reason drop;
} variants[] = {
	{ for_another_mac, DROP_ETHERNET_NOT_OURS },
	{ tagged, DROP_VLAN_TAGGED },
	{ outside_of_another_version, DROP_IPV4_VERSION },
	{ unknown_vtep, DROP_VXLAN_UNKNOWN_VTEP },
	{ unknown_vtep_at_its_place, DROP_VXLAN_UNKNOWN_VTEP },
	{ unknown_vni, DROP_VXLAN_UNKNOWN_VNI },
	{ without_vni, DROP_VXLAN_FLAGS },
	{ for_another_host, DROP_MAC_NOT_GATEWAY },
	{ of_another_version, DROP_IPV4_VERSION },
	{ over_the_tcp_header, DROP_FRAGMENT_TINY },
	{ at_its_end, DROP_TTL_EXPIRED },
	{ answering, DROP_NAT_TCP_STATE },
};

CASE_IN(refusal, what_only_looks_like_a_flood_ends_as_it_would_without, web_world, ONE_LCORE)
{
	unsigned expected[DROP_REASONS] = { 0 };
	struct frame frame;

	web12_floods(gateway);
	for (size_t i = 0; i < RTE_DIM(variants); i++) {
		expected[variants[i].drop] += EACH;
		for (unsigned n = 0; n < EACH; n++) {
			gateway_host_frame(gateway, "web12", &syn, &frame);
			variants[i].spoil(&frame);
			cr_assert(gateway_send(gateway, UNDERLAY, &frame));
			gateway_host_sends(gateway, "web12", &syn);
		}
	}
	gateway_run(gateway);
	expected[DROP_NAT_NEW_SESSION_BUDGET] = FLOOD - SHARE + RTE_DIM(variants) * EACH;
	for (unsigned reason = 0; reason < DROP_REASONS; reason++)
		if (expected[reason] > 0)
			expect_drops(gateway, (enum drop_reason)reason, expected[reason]);
	gateway_forget_output(gateway);
}

CASE_IN(refusal, a_flooding_host_reaches_the_gateway_and_other_segments, web_world, ONE_LCORE)
{
	struct packet packet = syn;
	struct frame frame;
	unsigned answers = 0, passed = 0;

	goes_out(gateway, "db21", &old);
	goes_out(gateway, "web12", &old);
	web12_floods(gateway);
	for (unsigned n = 0; n < EACH; n++, packet.from_port++) {
		packet.to = "10.0.1.1";
		gateway_host_sends(gateway, "web12", &packet);
		packet.to = "10.0.2.21";
		gateway_host_sends(gateway, "web12", &packet);
	}
	gateway_run(gateway);
	while (gateway_receive(gateway, UNDERLAY, &frame)) {
		answers += frame_matches(&frame, "* | tcp 10.0.1.1:443 > 10.0.1.12:*");
		passed += frame_matches(&frame, "* > 10.0.2.21:443 *");
	}
	cr_assert_eq(answers, EACH);
	cr_assert_eq(passed, EACH);
	expect_drops(gateway, DROP_SLOWPATH_UNHANDLED, EACH);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, FLOOD - SHARE);
	gateway_forget_output(gateway);
}

static struct interface_counters tunnels_sum(const struct gateway *gateway)
{
	struct interface_counters sum = { 0 };

	for (uint16_t lcore = 0; lcore < gateway->path->count; lcore++)
		for (uint32_t i = 0; i < gateway->plane->tunnels->count; i++) {
			const struct interface_counters *of =
				&gateway->path->context[lcore]->counters.tunnel[i].counters;
			sum.rx_packets += of->rx_packets;
			sum.rx_bytes += of->rx_bytes;
		}
	return sum;
}

static uint64_t length_inside(struct gateway *gateway, const char *host, const struct packet *packet)
{
	struct frame frame;

	gateway_host_frame(gateway, host, packet, &frame);
	return frame.length - INNER_MAC;
}

/* Of what is refused no more is counted than the tunnel carried: not what a device has put behind it. */
CASE_IN(refusal, what_stands_behind_a_datagram_does_not_count_as_the_tunnels, web_world, ONE_LCORE)
{
	uint64_t of_old = length_inside(gateway, "web11", &old),
		 of_syn = length_inside(gateway, "web12", &syn);
	struct interface_counters sum;
	struct frame frame;

	web12_floods(gateway);
	for (unsigned n = 0; n < 2 * EACH; n++) {
		gateway_host_frame(gateway, "web12", &syn, &frame);
		memset(frame.bytes + frame.length, 0, n % 2 * 5);
		frame.length = (uint16_t)(frame.length + n % 2 * 5);
		cr_assert(gateway_send(gateway, UNDERLAY, &frame));
	}
	gateway_run(gateway);
	gateway_forget_output(gateway);
	expect_drops(gateway, DROP_NAT_NEW_SESSION_BUDGET, FLOOD - SHARE + 2 * EACH);
	sum = tunnels_sum(gateway);
	cr_assert_eq(sum.rx_packets, 1 + OLD + FLOOD + 2 * EACH);
	cr_assert_eq(sum.rx_bytes, (1 + OLD) * of_old + (FLOOD + 2 * EACH) * of_syn);
}
