/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include "../pipeline/frame.h"
#include <rte_debug.h>
#include <string.h>

#define TTL_AFTER 63

static void frame_of(const struct rte_mbuf *m, struct frame *frame)
{
	if (m->nb_segs != 1 || m->data_len > FRAME_MAX)
		rte_exit(EXIT_FAILURE, "a packet of %u bytes came out\n", m->pkt_len);
	frame->length = m->data_len;
	memcpy(frame->bytes, rte_pktmbuf_mtod(m, const void *), m->data_len);
}

static void fail(const struct frame *frame, const char *what)
{
	char text[FRAME_TEXT];

	rte_exit(EXIT_FAILURE, "a packet came out with %s: %s\n", what, frame_text(frame, text));
}

/* Of a well-formed frame; the number is in its payload. */
static uint32_t flow_of(const struct traffic *traffic, const struct frame *frame, uint16_t vxlan_port,
	struct frame_view *view)
{
	const char *wrong = frame_check(frame, vxlan_port, view);

	if (wrong != NULL)
		fail(frame, wrong);
	uint32_t flow = view->l4 != 0 && view->data_length >= 8 ? frame_get32(frame, view->data) : UINT32_MAX;
	if (flow >= traffic->flows)
		fail(frame, "a payload that was not sent");
	if (frame_get32(frame, (uint16_t)(view->data + 4)) + (view->tunnelled ? OUTER : 0) != frame->length)
		fail(frame, "a wrong length");
	if (frame->bytes[view->ip + 8] != TTL_AFTER)
		fail(frame, "a wrong TTL");
	return flow;
}

static bool ends_are(const struct frame *frame, const struct frame_view *view, rte_be32_t from,
	rte_be16_t from_port, rte_be32_t to, rte_be16_t to_port)
{
	return frame_get32(frame, (uint16_t)(view->ip + 12)) == rte_be_to_cpu_32(from) &&
	       frame_get16(frame, view->l4) == rte_be_to_cpu_16(from_port) &&
	       frame_get32(frame, (uint16_t)(view->ip + 16)) == rte_be_to_cpu_32(to) &&
	       frame_get16(frame, (uint16_t)(view->l4 + 2)) == rte_be_to_cpu_16(to_port);
}

static bool macs_are(const struct frame *frame, uint16_t at, const uint8_t *to, const char *from)
{
	uint8_t from_mac[6];

	mac_from_text(from, from_mac);
	return memcmp(&frame->bytes[at], to, 6) == 0 && memcmp(&frame->bytes[at + 6], from_mac, 6) == 0;
}

void check_learn_outside(struct traffic *traffic, const struct rte_mbuf *m)
{
	struct frame_view view;
	struct frame frame;

	frame_of(m, &frame);
	uint32_t flow = flow_of(traffic, &frame, 0, &view);
	const struct outside outside = {
		.address = rte_cpu_to_be_32(frame_get32(&frame, (uint16_t)(view.ip + 12))),
		.port = rte_cpu_to_be_16(frame_get16(&frame, view.l4)),
	};
	traffic_learn_outside(traffic, flow, outside);
	check_packet(traffic, UP, m);
}

static void check_up(const struct traffic *traffic, const struct frame *frame)
{
	struct frame_view view;
	uint32_t flow = flow_of(traffic, frame, 0, &view);
	struct flow_ends ends = traffic_flow(traffic, flow);
	const struct outside *outside = &traffic->outside[flow];
	uint8_t to[6];

	mac_from_text(router_mac, to);
	if (!macs_are(frame, 0, to, gateway_uplink_mac))
		fail(frame, "wrong MAC addresses");
	if (!ends_are(frame, &view, outside->address, outside->port, ends.remote, ends.remote_port))
		fail(frame, "wrong addresses");
	if (outside->address == 0)
		fail(frame, "a flow that has no outside");
}

/* To the workload, in its segment, from the gateway. */
static void check_tunnel(const struct traffic *traffic, const struct frame *frame,
	const struct frame_view *view, uint32_t workload)
{
	uint32_t vni = VNI + traffic_segment(traffic, workload);
	uint8_t vtep[6], mac[6];

	mac_from_text(vtep_mac[workload & 1], vtep);
	traffic_workload_mac(workload, mac);
	if (!view->tunnelled || frame_get32(frame, (uint16_t)(view->vxlan + 4)) != vni << 8 ||
		frame_get32(frame, (uint16_t)(view->outer_ip + 16)) !=
			rte_be_to_cpu_32(traffic_workload_vtep(workload)))
		fail(frame, "the wrong tunnel");
	if (!macs_are(frame, 0, vtep, gateway_underlay_mac) ||
		!macs_are(frame, view->ethernet, mac, segment_mac))
		fail(frame, "wrong MAC addresses");
}

static void check_down(const struct traffic *traffic, const struct frame *frame)
{
	struct frame_view view;
	uint32_t flow = flow_of(traffic, frame, 4789, &view);
	struct flow_ends ends = traffic_flow(traffic, flow);

	check_tunnel(traffic, frame, &view, ends.workload);
	if (!ends_are(frame, &view, ends.remote, ends.remote_port, ends.inside, ends.inside_port))
		fail(frame, "wrong addresses");
}

static void check_across(const struct traffic *traffic, const struct frame *frame)
{
	struct frame_view view;
	uint32_t flow = flow_of(traffic, frame, 4789, &view);
	struct flow_ends ends = traffic_flow(traffic, flow);
	uint32_t peer = traffic_peer(ends.workload);

	check_tunnel(traffic, frame, &view, peer);
	if (!ends_are(frame, &view, ends.inside, ends.inside_port, traffic_workload_ip(traffic, peer),
		    ends.remote_port))
		fail(frame, "wrong addresses");
}

void check_packet(const struct traffic *traffic, enum direction direction, const struct rte_mbuf *m)
{
	static void (*const check[DIRECTIONS])(const struct traffic *,
		const struct frame *) = { [UP] = check_up, [DOWN] = check_down, [ACROSS] = check_across };
	struct frame frame;

	frame_of(m, &frame);
	check[direction](traffic, &frame);
}
