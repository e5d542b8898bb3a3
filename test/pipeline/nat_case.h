/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps that cases about NAT are made of. */
#pragma once

#include "pipeline_case.h"
#include <stdio.h>

#define SERVER "198.51.100.7"
#define OTHER  "198.51.100.8"

enum { ICMP = 1, TCP = 6 };

struct endpoint { /* public, as text and number */
	char address[16];
	uint16_t port;
};

static inline struct endpoint endpoint_of(const struct frame *frame, bool icmp)
{
	uint32_t a = frame_from_address(frame);
	struct endpoint end = { .port = icmp ? frame_icmp_id(frame) : frame_from_port(frame) };

	snprintf(end.address, sizeof(end.address), "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
		a & 255);
	return end;
}

/* Sends from a workload and returns where it appears to come from outside. */
static inline struct endpoint goes_out(struct gateway *gateway, const char *host, const struct packet *packet)
{
	struct frame frame;

	gateway_host_sends(gateway, host, packet);
	gateway_run(gateway);
	expect_at_taking(gateway, "router", "*", &frame);
	return endpoint_of(&frame, packet->protocol == ICMP);
}

static inline void comes_in(struct gateway *gateway, const struct packet *packet)
{
	gateway_host_sends(gateway, "router", packet);
	gateway_run(gateway);
}

static inline void udp_answer(
	struct gateway *gateway, const char *from, uint16_t port, const struct endpoint *to)
{
	comes_in(gateway, &(struct packet){ .from = from,
				  .to = to->address,
				  .from_port = port,
				  .to_port = to->port,
				  .data = 30 });
}

/* ---- the fast path ---- */

#define FUSED (1u << PLAN_FUSED)

static inline uint64_t fast_packets(const struct gateway *gateway)
{
	return gateway->path->context[0]->counters.fast_path.packets;
}

/* web11, whose flow `up` to SERVER:53 is `us` outside, moves: the stages see its first packet from the new place, the fast path what
 * comes after it. */
static inline void moves_and_is_followed(
	struct gateway *gateway, const struct packet *up, const struct endpoint *us)
{
	uint64_t before = fast_packets(gateway);

	gateway_host(gateway, "web11")->vtep = "192.0.2.12";
	goes_out(gateway, "web11", up);
	cr_assert_eq(fast_packets(gateway), before, "the first packet from the new place");
	udp_answer(gateway, SERVER, 53, us);
	expect_at(gateway, "web11", "udp *");
	goes_out(gateway, "web11", up);
	cr_assert_eq(fast_packets(gateway), before + 2);
}
