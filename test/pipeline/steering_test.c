/* SPDX-License-Identifier: BSD-3-Clause */
/* Several lcores whose ports bring each packet to the one that owns it, by the hash of RSS: none is handed over. */
#include "nat_case.h"
#include "worlds.h"

#define STEERED (1u << PLAN_STEERED)

static void sessions_of_both(const struct gateway *gateway)
{
	for (uint16_t i = 0; i < gateway->path->count; i++)
		cr_assert_gt(
			nat_owner_counters(nat_owner(gateway->plane->nat, i))->sessions, 0, "lcore %u", i);
}

/* Out, and the answer; twice, so that there are packets of new flows and of known ones. */
static void talk(struct gateway *gateway, const char *host, uint8_t protocol, uint16_t port)
{
	struct packet out = {
		.to = SERVER, .from_port = port, .to_port = 443, .protocol = protocol, .tcp = "S"
	};
	struct packet in = { .from = SERVER, .from_port = 443, .protocol = protocol, .tcp = "SA" };

	for (unsigned i = 0; i < 2; i++) {
		struct endpoint us = goes_out(gateway, host, &out);

		in.to = us.address;
		in.to_port = us.port;
		comes_in(gateway, &in);
		expect_at(gateway, host, "*");
		out.tcp = in.tcp = "A";
	}
}

CASE_IN(steering, no_packet_of_any_flow_is_handed_over, web_world, STEERED)
{
	static const char *const hosts[] = { "web11", "web12", "db21" };

	for (unsigned i = 0; i < 120; i++)
		talk(gateway, hosts[i % 3], i % 2 ? TCP : 17, (uint16_t)(4000 + i * 7));
	cr_assert_eq(gateway_sessions(gateway), 120);
	sessions_of_both(gateway);
	cr_assert_eq(gateway_handed_off(gateway), 0);
}

/* Their identifier is no port to a device. */
CASE_IN(steering, the_answer_to_a_ping_may_be_handed_over_and_arrives, web_world, STEERED)
{
	static const char *const hosts[] = { "web11", "web12", "db21" };

	for (unsigned i = 0; i < 12; i++) {
		struct endpoint us = goes_out(gateway, hosts[i % 3],
			&(struct packet){ .to = SERVER,
				.protocol = ICMP,
				.icmp_type = 8,
				.icmp_id = (uint16_t)(i + 1) });

		comes_in(gateway,
			&(struct packet){
				.from = SERVER, .to = us.address, .protocol = ICMP, .icmp_id = us.port });
		expect_at(gateway, hosts[i % 3], "icmp *");
	}
	sessions_of_both(gateway);
	cr_assert_gt(gateway_handed_off(gateway), 0);
	cr_assert_leq(gateway_handed_off(gateway), 12, "the answers alone");
}

/* A queue chosen by the flow, as a software device does it, is now and then the wrong one. */
CASE_IN(steering, where_ports_do_not_steer_packets_are_handed_over, web_world, 1u << PLAN_FUSED_TWO)
{
	for (unsigned i = 0; i < 40; i++)
		talk(gateway, "web11", 17, (uint16_t)(4000 + i * 7));
	cr_assert_gt(gateway_handed_off(gateway), 10);
}
